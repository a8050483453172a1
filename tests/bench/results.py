# SPDX-License-Identifier: GPL-2.0
"""What compare.sh wrote, read and reduced to medians.

See compare.sh for what is in the directory, and plan.py for the plan that tells
what was to be run. A run has figures of its tool, or none, with the reason; and
counts by operation, of the samples that were taken while it ran. A run of which
nothing was counted keeps the figures of its tool.
"""

import json
import re
import statistics
from pathlib import Path

import matrix

# What an operation of a TCP stream is taken to be.
STREAM_OP_BYTES = 65536

# Seconds after the beginning of a disk's run that are not counted.
SETTLE = 0.15
# No counts from less than this many seconds.
SHORTEST = 0.25
# A card's run is counted from the first to the last sample with this part of its
# greatest rate: the tool starts and ends at times of its own.
BUSY = 0.3

COUNTS = ["exits_per_op", "irqs_per_op", "host_cpu_us_per_op"]
DISK_FIGURES = ["bw_bytes", "lat_p50_us", "lat_p99_us"] + COUNTS
NET_FIGURES = ["lat_p50_us", "lat_p99_us", "exits_per_op",
               "host_cpu_us_per_op"]
# What the bench tells besides.
MORE_COUNTS = ["irqs_per_op", "doorbells_per_op", "emulated_per_op"]


class NoResult(Exception):
    """A run without a figure, and why."""


def headline(kind, test):
    """The figure that a test is about."""
    if kind != "net":
        return "iops"
    if test.startswith("udp"):
        return "pps"
    return "trans_s" if test.startswith("tcp-rr") else "gbit_s"


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


# --- counters ---

class Samples:
    """Counters of all machines, by time."""

    def __init__(self, lines):
        self.of = {}
        self.idle = []
        for line in lines:
            try:
                sample = json.loads(line)
            except ValueError:
                continue    # cut off at the end
            if "idle" in sample:
                self.idle.append(sample)
            else:
                self.of.setdefault(sample["vm"], []).append(sample)

    def cost(self):
        """The part of a CPU that the sampling took while it was done."""
        spent = passed = 0
        for samples in self.of.values():
            for a, b in zip(samples, samples[1:]):
                if b["t"] - a["t"] < 1:
                    spent += b.get("sampler_us", 0) - a.get("sampler_us", 0)
                    passed += b["t"] - a["t"]
        return spent / passed / 1e6 if passed else 0

    def between(self, vm, begin, end):
        return [s for s in self.of.get(vm, []) if begin <= s["t"] <= end]


def difference(samples):
    """What was counted between the first sample and the last; or None."""
    if len(samples) < 2 or samples[-1]["t"] - samples[0]["t"] < SHORTEST:
        return None
    first, last = samples[0], samples[-1]
    return {key: value - first.get(key, 0) for key, value in last.items()
            if key != "vm"}


def rates_of(samples, key):
    """What was counted per second between each two samples."""
    return [(b.get(key, 0) - a.get(key, 0)) / max(b["t"] - a["t"], 1e-6)
            for a, b in zip(samples, samples[1:])]


def busy(samples, key):
    """Samples without those at either end between which little happened."""
    rates = rates_of(samples, key)
    active = [n for n, rate in enumerate(rates)
              if rate > 0 and rate >= BUSY * max(rates)]
    return samples[active[0]:active[-1] + 2] if active else []


def per_op(delta, ops, contender):
    """Counts per operation; all of them None if nothing was counted.

    A host without a guest has no exits. What KVM emulated are accesses to
    devices: doorbells, whether or not QEMU has to see them. pvbus counts its own.
    """
    counts = dict.fromkeys(COUNTS + MORE_COUNTS)
    if not delta or ops <= 0:
        return counts
    counts["host_cpu_us_per_op"] = delta["cpu_us"] / ops
    if contender == "host-native" or "kvm.exits" not in delta:
        return counts
    kvm = {k.removeprefix("kvm."): v / ops for k, v in delta.items()
           if k.startswith("kvm.") and v > 0}
    counts["exits_per_op"] = kvm.get("exits", 0)
    counts["irqs_per_op"] = kvm.get("irq_injections", 0)
    counts["emulated_per_op"] = kvm.get("insn_emulation", 0)
    device = {"pvblk": "disk", "pvnet": "lan"}.get(contender)
    if device and f"pv.{device}.doorbells" in delta:
        counts["doorbells_per_op"] = delta[f"pv.{device}.doorbells"] / ops
    counts["kvm"] = kvm
    return counts


# --- one run ---

def last_line(*texts):
    """The last words of a tool, as the reason."""
    for text in texts:
        lines = [line for line in text.split("\n") if line.strip()]
        if lines:
            return lines[-1]
    return "the run left no output"


def text_of(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def words_of(path):
    """Lines as lists of words."""
    return [line.split() for line in text_of(path).splitlines()]


def fio_job(directory, key):
    for name, *why in words_of(directory / "skipped"):
        if name == key:
            raise NoResult(" ".join(why))
    text = text_of(directory / "fio.json")
    begin = re.search(r"^\{", text, re.MULTILINE)
    try:
        jobs = json.loads(text[begin.start():])["jobs"]
    except (AttributeError, ValueError, KeyError):
        raise NoResult(last_line(text_of(directory / "log"))) from None
    for job in jobs:
        if job["jobname"] == key:
            if job["error"]:
                raise NoResult(f"fio ended with error {job['error']}")
            return job
    raise NoResult("fio did not run it")


def block_bytes(test):
    size = test.split("-")[1]
    factor = {"k": 1024, "m": 1 << 20}.get(size[-1], 1)
    return int(size.rstrip("km")) * factor


def disk_run(directory, key, batch, samples):
    contender = matrix.DISKS[key]["contender"]
    test = batch["test"]
    job = fio_job(directory, key)
    side = job["read" if "read" in test.split("-")[0] else "write"]
    if not side["total_ios"]:
        raise NoResult("fio completed nothing")
    marks = {name: float(when)
             for name, when in words_of(directory / "marks")}
    delta = difference(samples.between(
        batch["machine"], marks.get(f"{key}.prerun.txt", 0) + SETTLE,
        marks.get(f"{key}.postrun.txt", 0)))
    if not delta:
        ops = 0
    elif contender == "guest-null":
        ops = side["iops"] * delta["t"]
    else:
        ops = delta["sectors"] * 512 / block_bytes(test)
    percentile = side["clat_ns"].get("percentile", {})
    return {
        "iops": side["iops"],
        "bw_bytes": side["bw_bytes"],
        "lat_p50_us": percentile.get("50.000000", 0) / 1000,
        "lat_p99_us": percentile.get("99.000000", 0) / 1000,
        **per_op(delta, ops, contender),
    }


def iperf_figures(text):
    try:
        result = json.loads(text)
    except ValueError:
        raise NoResult(last_line(text)) from None
    if "error" in result:
        raise NoResult(result["error"])
    return {"gbit_s": result["end"]["sum_received"]["bits_per_second"] / 1e9}


def rr_figures(text):
    seconds = re.search(r"Valid Duration.*?RunTime=([\d.]+)", text)
    count = re.search(r"Valid Duration.*?ReceivedMessages=(\d+)", text)
    p50 = re.search(r"percentile 50\.0+ *= *([\d.]+)", text)
    p99 = re.search(r"percentile 99\.0+ *= *([\d.]+)", text)
    if not (seconds and count and p50 and p99):
        raise NoResult(last_line(text))
    return {"trans_s": int(count[1]) / float(seconds[1]),
            "lat_p50_us": float(p50[1]), "lat_p99_us": float(p99[1])}


def udp_unit(test):
    """What is counted of messages of that size, and how much one is: large ones
    come in several packets."""
    large = {"4k": 4096, "16k": 16384, "64k": 65000}.get(test.split("-")[1])
    return ("rx_bytes", large) if large else ("rx_packets", 1)


def net_run(directory, key, batch, samples, networks):
    marks = {name: (float(begin), float(end))
             for name, begin, end in words_of(directory / "marks")}
    if key not in marks:
        raise NoResult("it was not run")
    text = text_of(directory / f"{key}.out")
    if not text:
        raise NoResult(last_line(text_of(directory / f"{key}.log")))
    test, card = batch["test"], f"c{networks[key]}"
    way = "tx" if test.startswith("tcp-rx") else "rx"
    seen = busy(samples.between(batch["machine"], *marks[key]),
                f"{card}.{way}_packets")
    delta = difference(seen)
    figures = {"lat_p50_us": None, "lat_p99_us": None}
    if test.startswith("tcp-rr"):
        figures.update(rr_figures(text))
        ops = figures["trans_s"] * delta["t"] if delta else 0
    elif test.startswith("tcp"):
        figures.update(iperf_figures(text))
        ops = delta[f"{card}.{way}_bytes"] / STREAM_OP_BYTES if delta else 0
    else:
        if "Summary" not in text:
            raise NoResult(last_line(text))
        if not delta:
            raise NoResult("no packet was counted")
        field, unit = udp_unit(test)
        ops = delta[f"{card}.{field}"] / unit
        # it began and ended somewhere between two samples
        figures["pps"] = median(rates_of(seen, f"{card}.{field}")) / unit
    return {**figures, **per_op(delta, ops, matrix.CARDS[key]["contender"])}


# --- all runs ---

def reduce_runs(runs, name, figures):
    """Medians of what the rounds gave: figures, or the reason of none."""
    rounds = [n for n, run in runs.items() if isinstance(run, dict)]
    good = [runs[n] for n in rounds]
    reasons = [run for run in runs.values() if not isinstance(run, dict)]
    entry = {f: median(run[f] for run in good) for f in [name] + figures}
    entry["runs"] = [run[name] for run in good]
    entry["rounds"] = rounds
    if not good:
        entry["reason"] = reasons[0] if reasons else "it was not run"
    elif reasons:
        entry["failed_runs"] = reasons
    return entry


class Measured:
    """A directory of compare.sh, with the plan it was made by."""

    def __init__(self, directory, plan):
        self.directory = Path(directory)
        self.plan = json.loads((Path(plan) / "plan.json").read_text())
        self.samples = Samples(text_of(self.directory / "samples").splitlines())
        self.rounds = sorted(
            (int(p.name) for p in self.directory.glob("[0-9]*")))
        self.environment = dict(
            line.split("=", 1) for line in
            (self.directory / "environment").read_text().splitlines())
        self.environment["sampler"] = f"{self.samples.cost():.1%} of a CPU"

    def run(self, number, batch, key, round_number):
        directory = self.directory / str(round_number) / str(number)
        try:
            if batch["kind"] == "net":
                networks = self.plan["machines"][batch["machine"]]["cards"]
                return net_run(directory, key, batch, self.samples, networks)
            return disk_run(directory, key, batch, self.samples)
        except NoResult as reason:
            return str(reason)

    def points(self):
        """(batch, device, its runs by round) for all that was planned."""
        for number, batch in enumerate(self.plan["batches"]):
            if batch["kind"] == "idle":
                continue
            rounds = [r for r in self.rounds
                      if (self.directory / str(r) / str(number)).exists()]
            for key in batch["devices"]:
                yield batch, key, {r: self.run(number, batch, key, r)
                                   for r in rounds}


def device_of(batch, key):
    table = matrix.CARDS if batch["kind"] == "net" else matrix.DISKS
    return table[key]


def figures_of(batch):
    return NET_FIGURES if batch["kind"] == "net" else DISK_FIGURES


def read_demo(measured):
    """In the form of the demo's results.json: each contender is one device."""
    results = {"disk": {}, "net": {}, "environment": measured.environment}
    for batch, key, runs in measured.points():
        kind = "net" if batch["kind"] == "net" else "disk"
        name = device_of(batch, key)["contender"]
        results[kind].setdefault(name, {})[batch["test"]] = reduce_runs(
            runs, headline(kind, batch["test"]), figures_of(batch))
    return results


def kvm_counts(runs):
    """Medians of KVM's counters per operation, by name."""
    good = [run["kvm"] for run in runs if isinstance(run, dict) and "kvm" in run]
    names = sorted({name for kvm in good for name in kvm})
    return {name: median(kvm.get(name, 0) for kvm in good) for name in names}


def read_points(measured):
    """A list: each test of each device, with all that is known of it."""
    points = []
    for batch, key, runs in measured.points():
        kind = "net" if batch["kind"] == "net" else "disk"
        device = device_of(batch, key)
        name = headline(kind, batch["test"])
        figures = figures_of(batch) + [f for f in MORE_COUNTS
                                       if f not in figures_of(batch)]
        points.append({
            "kind": kind, "test": batch["test"], "headline": name,
            "device": key, "contender": device["contender"],
            "setting": device["setting"], "machine": batch["machine"],
            "halt_poll": batch["halt_poll_ns"] > 0,
            "value": median(r[name] for r in runs.values()
                            if isinstance(r, dict)),
            **reduce_runs(runs, name, figures),
            "kvm": kvm_counts(runs.values())})
    return points


def read_idle(measured):
    """What an idle machine cost, the median of each figure."""
    idle = {}
    for vm in {sample["vm"] for sample in measured.samples.idle}:
        samples = [s for s in measured.samples.idle if s["vm"] == vm]
        whose = {name for s in samples for name in s["threads"]}
        idle[vm] = {
            "seconds": median(s["idle"] for s in samples),
            "packets": max(s["packets"] for s in samples),
            "threads": {
                name: {figure: median(s["threads"][name][figure]
                                      for s in samples if name in s["threads"])
                       for figure in ("cpu_ns", "sleeps")}
                for name in sorted(whose)},
            **{name: median(sum(v for k, v in s.items() if k.startswith("pv.")
                                and k.endswith(f".{name}")) for s in samples)
               for name in ("wakeups", "polls", "interrupts")}}
    return idle
