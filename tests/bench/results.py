# SPDX-License-Identifier: GPL-2.0
"""What compare.sh wrote, read and reduced to medians.

One directory per run; see compare.sh for what is in it. Every reader returns a
dict of figures, or raises NoResult with the reason.
"""

import json
import re
import statistics
from pathlib import Path

DISK_CONTENDERS = ["pvblk", "virtio-blk", "ide", "guest-null", "host-native"]
DISK_TESTS = ["randread-4k-qd1", "randread-4k-qd32", "randwrite-4k-qd32",
              "read-1m-qd4", "write-1m-qd4"]
NET_CONTENDERS = ["pvnet", "virtio-net", "e1000"]
NET_TESTS = ["tcp-tx", "tcp-rx", "tcp-rr", "udp-64"]

# The host's end of each contender's card.
CARDS = {"pvnet": "pv0", "virtio-net": "vn0", "e1000": "en0"}

DISK_FIGURES = ["iops", "bw_bytes", "lat_p50_us", "lat_p99_us", "exits_per_op",
                "irqs_per_op", "host_cpu_us_per_op"]
NET_HEADLINE = {"tcp-tx": "gbit_s", "tcp-rx": "gbit_s", "tcp-rr": "trans_s",
                "udp-64": "pps"}
NET_FIGURES = ["lat_p50_us", "lat_p99_us", "exits_per_op",
               "host_cpu_us_per_op"]
# What an operation of a TCP stream is taken to be.
STREAM_OP_BYTES = 65536


class NoResult(Exception):
    """A run without a figure, and why."""


def read_counters(path):
    """The difference of the two lines of counters: a dict of numbers."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        lines = []
    if len(lines) != 2:
        raise NoResult("counters were not taken")
    first, last = ({k: v for k, v in (w.split("=", 1) for w in line.split())}
                   for line in lines)
    delta = {k: float(last[k]) - float(first[k]) for k in last
             if k != "cpu" and k in first}
    delta["cpu_us"] = host_cpu_us(last["cpu"]) - host_cpu_us(first["cpu"])
    return delta


def host_cpu_us(line):
    """CPU time of the host spent outside guest mode, from /proc/stat."""
    user, nice, system, _, _, irq, softirq, _, guest, guest_nice = (
        int(n) for n in line.strip(",").split(",")[-10:])
    ticks = user + nice + system + irq + softirq - guest - guest_nice
    return ticks * 10000.0


def per_op(delta, ops, native=False):
    """Counts per operation; a host without a guest has no exits."""
    if ops <= 0:
        raise NoResult("no operation was counted")
    return {
        "exits_per_op": None if native else delta["exits"] / ops,
        "irqs_per_op": None if native else delta["irq_injections"] / ops,
        "host_cpu_us_per_op": delta["cpu_us"] / ops,
    }


def failure(path):
    """The last line of a run's log, as the reason."""
    try:
        lines = (path / "log").read_text().split("\n")
    except OSError:
        lines = []
    lines = [line for line in lines if line.strip()]
    return lines[-1] if lines else "the run left no output"


def load_json(path, name):
    try:
        return json.loads((path / name).read_text())
    except (OSError, ValueError):
        raise NoResult(failure(path)) from None


def disk_run(path, contender, test):
    job = load_json(path, "fio.json")["jobs"][0]
    if job["error"] or not path.exists():
        raise NoResult(f"fio ended with error {job['error']}")
    side = job["read" if "read" in test.split("-")[0] else "write"]
    if not side["total_ios"]:
        raise NoResult("fio completed nothing")
    delta = read_counters(path / "counters")
    block = 1 << 20 if "-1m-" in test else 4096
    if contender == "guest-null":
        ops = side["iops"] * delta["now"]
    else:
        ops = delta["sectors"] * 512 / block
    percentile = side["clat_ns"].get("percentile", {})
    return {
        "iops": side["iops"],
        "bw_bytes": side["bw_bytes"],
        "lat_p50_us": percentile.get("50.000000", 0) / 1000,
        "lat_p99_us": percentile.get("99.000000", 0) / 1000,
        **per_op(delta, ops, contender == "host-native"),
    }


def iperf_run(path, contender, test, delta):
    result = load_json(path, "iperf.json")
    if "error" in result:
        raise NoResult(result["error"])
    card = CARDS[contender]
    value = delta[card + (".rx_bytes" if test == "tcp-tx" else ".tx_bytes")]
    figures = {"gbit_s": result["end"]["sum_received"]["bits_per_second"] / 1e9}
    return figures, value / STREAM_OP_BYTES


def sockperf_text(path):
    try:
        return (path / "sockperf.txt").read_text()
    except OSError:
        raise NoResult(failure(path)) from None


def rr_run(path, _contender, _test, delta):
    text = sockperf_text(path)
    seconds = re.search(r"Valid Duration.*?RunTime=([\d.]+)", text)
    count = re.search(r"Valid Duration.*?ReceivedMessages=(\d+)", text)
    p50 = re.search(r"percentile 50\.0+ *= *([\d.]+)", text)
    p99 = re.search(r"percentile 99\.0+ *= *([\d.]+)", text)
    if not (seconds and count and p50 and p99):
        raise NoResult(text.strip().split("\n")[-1] or failure(path))
    rate = int(count[1]) / float(seconds[1])
    return {"trans_s": rate, "lat_p50_us": float(p50[1]),
            "lat_p99_us": float(p99[1])}, rate * delta["now"]


def udp_run(path, contender, _test, delta):
    if "Summary" not in sockperf_text(path):
        raise NoResult(sockperf_text(path).strip().split("\n")[-1])
    packets = delta[CARDS[contender] + ".rx_packets"]
    return {"pps": packets / delta["now"]}, packets


def net_run(path, contender, test):
    delta = read_counters(path / "counters")
    reader = {"tcp-rr": rr_run, "udp-64": udp_run}.get(test, iperf_run)
    figures, ops = reader(path, contender, test, delta)
    counts = per_op(delta, ops)
    del counts["irqs_per_op"]
    return {"lat_p50_us": None, "lat_p99_us": None, **figures, **counts}


def reduce_runs(directory, reader, contender, test, headline, figures):
    """Medians of all rounds of one test, with each run's headline."""
    good, reasons = [], []
    for path in sorted(directory.glob("*"), key=lambda p: int(p.name)):
        try:
            good.append(reader(path, contender, test))
        except NoResult as reason:
            reasons.append(str(reason))
    if not good:
        return {**dict.fromkeys([headline] + figures), "runs": [],
                "reason": reasons[0] if reasons else "it was not run"}
    entry = {}
    for name in [headline] + figures:
        values = [run[name] for run in good if run[name] is not None]
        entry[name] = statistics.median(values) if values else None
    entry["runs"] = [run[headline] for run in good]
    if reasons:
        entry["failed_runs"] = reasons
    return entry


def read_results(directory):
    """Everything below a results directory, in the form of results.json."""
    directory = Path(directory)
    results = {"disk": {}, "net": {}, "environment": {}}
    for contender in DISK_CONTENDERS:
        results["disk"][contender] = {
            test: reduce_runs(directory / "disk" / contender / test, disk_run,
                              contender, test, "iops", DISK_FIGURES[1:])
            for test in DISK_TESTS}
    for contender in NET_CONTENDERS:
        results["net"][contender] = {
            test: reduce_runs(directory / "net" / contender / test, net_run,
                              contender, test, NET_HEADLINE[test], NET_FIGURES)
            for test in NET_TESTS}
    for line in (directory / "environment").read_text().splitlines():
        name, value = line.split("=", 1)
        results["environment"][name] = value
    return results
