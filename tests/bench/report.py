#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what compare.sh measured into results.json, report.md and a plot."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import results as res

DISK_CONTENDERS = ["pvblk", "virtio-blk", "ide", "guest-null", "host-native"]
DISK_TESTS = ["randread-4k-qd1", "randread-4k-qd32", "randwrite-4k-qd32",
              "read-1m-qd4", "write-1m-qd4"]
NET_CONTENDERS = ["pvnet", "virtio-net", "e1000"]
NET_TESTS = ["tcp-tx", "tcp-rx", "tcp-rr", "udp-64"]

UNITS = {"iops": "IOPS", "gbit_s": "Gbit/s", "trans_s": "trans/s",
         "pps": "packets/s"}

CAVEAT = (
    "Times were taken in a lab in which the host is itself a virtual machine, "
    "often an emulated one: compare contenders with each other, and only within "
    "one report. Exits and interrupts per operation are counts and carry over "
    "to real hardware; times do not."
)


def number(value):
    """A figure for a person: three digits are enough."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def spread(runs, scale=1.0):
    if not runs:
        return "-"
    return f"{number(min(runs) * scale)}..{number(max(runs) * scale)}"


def table(head, rows):
    """A table that is aligned as text and is Markdown as well."""
    rows = [head] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = []
    for n, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
        if n == 0:
            rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
            lines.append("| " + " | ".join(rule) + " |")
    return "\n".join(lines)


def net_headline(test):
    return res.headline("net", test)


def disk_tables(disk):
    for test in DISK_TESTS:
        big = "-1m-" in test
        head = [test, "MB/s" if big else "IOPS", "min..max", "p50 us", "p99 us",
                "exits/op", "irqs/op", "host CPU us/op"]
        rows = []
        for name in DISK_CONTENDERS:
            entry = disk[name][test]
            if "reason" in entry:
                rows.append([name, "no result"] + ["-"] * 6)
                continue
            scale = 1.048576 if big else 1.0
            rows.append([name, number(entry["iops"] * scale),
                         spread(entry["runs"], scale)] +
                        [number(entry[f]) for f in res.DISK_FIGURES[1:]])
        yield table(head, rows)


def net_tables(net):
    for test in NET_TESTS:
        headline = net_headline(test)
        head = [test, UNITS[headline], "min..max", "p50 us", "p99 us",
                "exits/op", "host CPU us/op"]
        rows = []
        for name in NET_CONTENDERS:
            entry = net[name][test]
            if "reason" in entry:
                rows.append([name, "no result"] + ["-"] * 5)
                continue
            rows.append([name, number(entry[headline]), spread(entry["runs"])] +
                        [number(entry[f]) for f in res.NET_FIGURES])
        yield table(head, rows)


def reasons(results):
    for kind in ("disk", "net"):
        for name, tests in results[kind].items():
            for test, entry in tests.items():
                for reason in [entry.get("reason")] + entry.get("failed_runs", []):
                    if reason:
                        yield f"- {name}, {test}: {reason}"


def ratio_rows(results, kind, headline, ours, peers, tests):
    for test in tests:
        mine = results[kind][ours][test].get(headline(test))
        row = [test]
        for peer in peers:
            other = results[kind][peer][test].get(headline(test))
            row.append(f"{mine / other:.2f}" if mine and other else "-")
        yield row


def ratios(results):
    peers = DISK_CONTENDERS[1:]
    yield table(["pvblk against"] + peers,
                list(ratio_rows(results, "disk", lambda _: "iops", "pvblk",
                                peers, DISK_TESTS)))
    peers = NET_CONTENDERS[1:]
    yield table(["pvnet against"] + peers,
                list(ratio_rows(results, "net", net_headline, "pvnet",
                                peers, NET_TESTS)))


def report(results):
    parts = ["# pvbus compared", CAVEAT,
             "Medians of the runs, with the least and the most. An operation "
             "of a TCP stream is 64 KiB; of tcp-rr, a round trip; of udp-64, "
             "a packet.",
             "## How many times as fast", *ratios(results),
             "## Disk", *disk_tables(results["disk"]),
             "## Network", *net_tables(results["net"])]
    missing = list(reasons(results))
    if missing:
        parts += ["## Runs without a result", "\n".join(missing)]
    parts += ["## Environment",
              "\n".join(f"- {name}: {value}" for name, value
                        in results["environment"].items())]
    return "\n\n".join(parts) + "\n"


def plot_data(results, directory):
    """Each test's figures relative to the best contender, for gnuplot."""
    for kind, contenders, tests, headline in (
            ("disk", DISK_CONTENDERS, DISK_TESTS, lambda _: "iops"),
            ("net", NET_CONTENDERS, NET_TESTS, net_headline)):
        with open(directory / f"{kind}.dat", "w", encoding="utf-8") as out:
            print("test", *contenders, file=out)
            for test in tests:
                values = [results[kind][c][test][headline(test)] or 0
                          for c in contenders]
                best = max(values) or 1
                print(test, *(100 * v / best for v in values), file=out)


def plot(script, directory, settings=""):
    """The same picture in two formats; settings are gnuplot's."""
    script = Path(__file__).with_name(script)
    for terminal, name in (("pngcairo size 1200,900", "report.png"),
                           ("svg size 1200,900 dynamic", "report.svg")):
        subprocess.run(
            ["gnuplot", "-e",
             f"set terminal {terminal}; set output '{name}'; {settings}",
             str(script)], check=True, cwd=directory, timeout=60)


def command_line(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("measured", type=Path, help="directory of compare.sh")
    parser.add_argument("plan", type=Path, help="directory of plan.py")
    parser.add_argument("output", type=Path, help="directory to write to")
    return parser


def measured_in(directory, plan):
    try:
        return res.Measured(directory, plan)
    except OSError as error:
        sys.exit(f"{directory}: nothing was measured there ({error})")


def write(results, text, directory):
    """What programs read and what people do."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (directory / "report.md").write_text(text)


def main():
    args = command_line(__doc__).parse_args()
    results = res.read_demo(measured_in(args.measured, args.plan))
    text = report(results)
    write(results, text, args.output)
    plot_data(results, args.output)
    plot("compare.gnuplot", args.output)
    print(text)


if __name__ == "__main__":
    main()
