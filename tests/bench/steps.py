#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where the time of a request goes: reads what steps.sh has traced.

    steps.py RESULTS        a table for each load, as Markdown

The guest's events are brought to the host's clock; a request of a disk is known
on both sides by its tag and cookie, a packet by its place in the order.
"""

import collections
import pathlib
import re
import statistics
import sys

LINE = re.compile(r"\[\d+\]\s+\S+\s+(\d+): (\w+): (.*)$")
MARK = re.compile(r"(begin|end) (\d+\.\d+)")

Event = collections.namedtuple("Event", "tsc name fields")

DISK_STEPS = [
    ("guest: block layer to ring", "pvblk_queue", "pvblk_put"),
    ("the host finds it", "pvblk_put", "pvbus_host_blk_take"),
    ("host: checks, finds pages", "pvbus_host_blk_take",
     "pvbus_host_blk_submit"),
    ("backing store", "pvbus_host_blk_submit", "pvbus_host_blk_done"),
    ("host: answer to ring", "pvbus_host_blk_done", "pvbus_host_blk_announce"),
    ("the guest finds it", "pvbus_host_blk_announce", "pvblk_done"),
    ("all", "pvblk_queue", "pvblk_done"),
]
NET_STEPS = [
    ("guest's packet: the host finds and copies it", "pvnet_xmit",
     "pvbus_host_net_take"),
    ("host's stack and program", "pvbus_host_net_take", "pvbus_host_net_xmit"),
    ("host's packet: to the worker, copied, in the ring",
     "pvbus_host_net_xmit", "pvbus_host_net_give"),
    ("the guest finds it", "pvbus_host_net_give", "pvnet_receive"),
    ("guest's stack and program", "pvnet_receive", "pvnet_xmit+1"),
]
# What moves a request on, counted per request.
COUNTED = ["pvbus_doorbell", "pvbus_host_wake", "pvbus_host_sleep",
           "pvbus_host_interrupt", "pvbus_idle_hit"]


def read_events(path, ahead=0):
    """Events of a trace, on the clock that is AHEAD counts behind this one."""
    events = []
    for line in path.read_text().splitlines():
        found = LINE.search(line)
        if found:
            tsc, name, rest = found.groups()
            fields = dict(re.findall(r"(\w+)=(\S+)", rest)) or {"text": rest}
            events.append(Event(int(tsc) - ahead, name, fields))
    return events


def counts_per_us(events):
    """Rate of the counter, from the marks at both ends of the host's trace."""
    marks = {}
    for event in events:
        found = MARK.search(event.fields.get("text", ""))
        if found:
            marks[found.group(1)] = (event.tsc, float(found.group(2)))
    if len(marks) < 2:
        raise SystemExit("steps.py: the trace did not fit into its buffer")
    (tsc0, time0), (tsc1, time1) = marks["begin"], marks["end"]
    return (tsc1 - tsc0) / (time1 - time0) / 1e6


def disk_requests(events):
    """Times of each request: a dict by event name."""
    queued, requests = {}, collections.defaultdict(dict)
    for event in events:
        tag = event.fields.get("tag")
        if event.name == "pvblk_queue":
            queued[tag] = event.tsc
        elif tag is not None and "cookie" in event.fields:
            request = requests[tag, event.fields["cookie"]]
            if event.name == "pvblk_put" and tag in queued:
                request["pvblk_queue"] = queued.pop(tag)
            request[event.name] = event.tsc
    return [r for r in requests.values() if len(r) == 7]


def net_requests(events):
    """Times of each ping and its pong, one under way at a time."""
    order = ["pvnet_xmit", "pvbus_host_net_take", "pvbus_host_net_xmit",
             "pvbus_host_net_give", "pvnet_receive"]
    requests, current = [], {}
    for event in events:
        if event.name not in order:
            continue
        if event.name == order[0]:
            if len(current) == len(order):
                current["pvnet_xmit+1"] = event.tsc
                requests.append(current)
            current = {order[0]: event.tsc}
        elif len(current) < len(order) and event.name == order[len(current)]:
            current[event.name] = event.tsc
        else:
            current = {}
    return requests


def table(load, directory):
    """The table of one load, as lines."""
    host = read_events(directory / "host.trace")
    ahead = int((directory / "offset").read_text())
    guest = read_events(directory / "guest.trace", ahead)
    rate = counts_per_us(host)
    marks = [e.tsc for e in guest if "text" in e.fields]
    events = sorted(guest + [e for e in host
                             if marks[0] <= e.tsc <= marks[-1]])
    disk = load.startswith("read")
    requests = (disk_requests if disk else net_requests)(events)
    if not requests:
        raise SystemExit(f"steps.py: {directory}: no request is complete")
    yield f"| {load}, {len(requests)} requests | p50 us | p90 us | mean us |"
    yield "| --- | ---: | ---: | ---: |"
    for what, first, last in DISK_STEPS if disk else NET_STEPS:
        times = [(r[last] - r[first]) / rate for r in requests]
        p90 = statistics.quantiles(times, n=10)[-1]
        yield (f"| {what} | {statistics.median(times):.1f} | {p90:.1f} |"
               f" {statistics.mean(times):.1f} |")
    counts = collections.Counter(e.name for e in events)
    per = ", ".join(f"{name} {counts[name] / len(requests):.2f}"
                    for name in COUNTED)
    yield ""
    yield f"Per request: {per}."
    yield ""


def main():
    results = pathlib.Path(sys.argv[1])
    for load in ("read-qd1", "read-qd32", "tcp-rr"):
        print("\n".join(table(load, results / load)))


if __name__ == "__main__":
    main()
