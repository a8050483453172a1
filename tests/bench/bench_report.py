#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what compare.sh measured for the bench into results.json, report.md and
curves."""

from pathlib import Path

import matrix
import results as res
from report import (CAVEAT, UNITS, command_line, measured_in, number, plot,
                    spread, table, write)
from targets import best, cpus, setting, targets

# Of KVM's counters, those that tell something; the rest is in results.json.
REASONS = ["exits", "io_exits", "mmio_exits", "insn_emulation", "halt_exits",
           "irq_exits", "irq_window_exits", "request_irq_exits", "hypercalls",
           "halt_successful_poll", "halt_wakeup"]

# --- tables ---

def target_table(rows):
    words = {True: "reached", False: "missed", None: "not measured"}
    return table(
        ["figure", "wanted", "measured", "min..max", "rounds", "",
         "the peer's best setting, or why"],
        [[r["what"], r["wanted"], number(r["value"]), spread(r["runs"]),
          str(len(r["runs"]) or "-"), words[r["met"]],
          r["setting"] or r["note"] or "-"] for r in rows])


def tests_of(points):
    """In the order of the matrix."""
    return list(dict.fromkeys(p["test"] for p in points))


def row_name(point):
    return f"{point['contender']}: {setting(point)}"


def point_table(points, test):
    """All of one test: the best of each contender has a mark."""
    points = [p for p in points if p["test"] == test]
    marks = [best(points, name, {test}, size)
             for name in {p["contender"] for p in points}
             for size in {cpus(p["machine"]) for p in points}]
    big = "-1m-" in test
    head = [test, "vCPUs", "MB/s" if big else UNITS[points[0]["headline"]],
            "min..max", "runs", "p50 us", "p99 us", "exits", "irqs",
            "doorbells", "emulated", "host CPU us"]
    rows = []
    for point in points:
        row = [row_name(point), str(cpus(point["machine"]))]
        if point["value"] is None:
            rows.append(row + ["no result"] + ["-"] * (len(head) - 3))
            continue
        scale = 1.048576 if big else 1.0
        mark = "*" if point in marks else ""
        rows.append(row + [mark + number(point["value"] * scale),
                           spread(point["runs"], scale),
                           str(len(point["runs"]))] +
                    [number(point[f]) for f in (
                        "lat_p50_us", "lat_p99_us", "exits_per_op",
                        "irqs_per_op", "doorbells_per_op", "emulated_per_op",
                        "host_cpu_us_per_op")])
    return table(head, rows)


def exit_table(points, test):
    """Exits by reason, of the best of each contender."""
    points = [p for p in points if p["test"] == test]
    rows = []
    for name in dict.fromkeys(p["contender"] for p in points):
        point = best(points, name, {test}, 1)
        if point and point["kvm"]:
            rows.append([row_name(point)] +
                        [number(point["kvm"].get(r, 0)) for r in REASONS])
    return table([test] + REASONS, rows) if rows else None


def idle_table(idle):
    rows = []
    for name, machine in sorted(idle.items()):
        for whose, cost in machine["threads"].items():
            part = cost["cpu_ns"] / 1e7 / machine["seconds"]
            rows.append([f"{name}: {whose}", f"{part:.3f}",
                         number(cost["sleeps"])])
    return table(["threads of", "% of a CPU", "wake-ups"], rows)


def missing(points):
    for point in points:
        for reason in [point.get("reason")] + point.get("failed_runs", []):
            if reason:
                yield (f"- {row_name(point)}, {cpus(point['machine'])} vCPU, "
                       f"{point['test']}: {reason}")


def report(results):
    points, idle = results["points"], results["idle"]
    parts = ["# pvbus and its peers at their best", CAVEAT,
             "## Figures to reach",
             "How many times as much is the median of the rounds, each of which "
             "has both; where there were finals, of theirs.",
             target_table(results["targets"]),
             "## Tests",
             "Medians of the runs, with the least and the most; * is the best "
             "setting of a peer, and the default of pvbus. Counts are for an operation: of a TCP "
             "stream 64 KiB, of tcp-rr a round trip, of udp a message. "
             "Doorbells are those that pvbus counts; what KVM emulated are "
             "doorbells and other accesses to devices, of any contender. "
             "Host CPU is all time outside of the guest."]
    parts += [point_table(points, test) for test in tests_of(points)]
    if results["finals"]:
        parts += ["## Finals",
                  "The best settings of the peers and pvbus, once more and "
                  "in turns."]
        parts += [point_table(results["finals"], test)
                  for test in tests_of(results["finals"])]
    parts += ["## Exits by reason, one vCPU",
              "KVM's own counters, for an operation, at the best setting."]
    parts += filter(None, (exit_table(points, t) for t in tests_of(points)))
    if idle:
        parts += ["## An idle VM, attached", idle_table(idle)]
    lines = list(dict.fromkeys(missing(points + results["finals"])))
    if lines:
        parts += ["## Runs without a result", "\n".join(lines)]
    parts += ["## Environment",
              "\n".join(f"- {name}: {value}" for name, value
                        in results["environment"].items())]
    return "\n\n".join(parts) + "\n"


# --- curves ---

DISKS = ["pvblk", "virtio-blk", "guest-null"]
CARDS = ["pvnet", "virtio-net"]
SIZES = {"512": 512, "4k": 4096, "16k": 16384, "64k": 65536, "256k": 262144,
         "1m": 1048576}
DEPTHS = {d: int(d) for d in matrix.DEPTHS.split()}
MESSAGES = {"64": 64, "256": 256, "1024": 1024, "1k": 1024, "1472": 1472,
            "4k": 4096, "16k": 16384, "64k": 65000}


def curves(points):
    """(name, contenders, rows of x and figures)"""
    def rows(names, values, form, figure):
        for word, x in values.items():
            tests = {form.format(word)}
            if form.format(word) == "tcp-rr-64":
                tests = {"tcp-rr"}
            found = [best(points, name, tests, 1) for name in names]
            yield [x] + [figure(p, x) if p else None for p in found]

    def value(point, _):
        return point["value"]

    def count(name):
        return lambda point, _: point[name]

    depth = "randread-4k-qd{}"
    yield "depth", DISKS, rows(DISKS, DEPTHS, depth, value)
    yield "size", DISKS, rows(DISKS, SIZES, "randread-{}-qd32",
                              lambda p, x: p["value"] * x / 1e6)
    yield "exits", DISKS[:2], rows(DISKS[:2], DEPTHS, depth,
                                   count("exits_per_op"))
    yield "cpu", DISKS[:2], rows(DISKS[:2], DEPTHS, depth,
                                 count("host_cpu_us_per_op"))
    yield "udp", CARDS, rows(CARDS, MESSAGES, "udp-{}", value)
    yield "rr", CARDS, rows(CARDS, MESSAGES, "tcp-rr-{}", value)


def plot_curves(points, directory):
    """One file and one panel for each curve that has points."""
    panels = []
    for name, contenders, rows in curves(points):
        # a logarithmic axis has no zero
        rows = [row for row in rows if any(row[1:])]
        columns = [n for n in range(len(contenders))
                   if any(row[n + 1] for row in rows)]
        if not columns:
            continue
        panels.append(f"{name}:{len(columns) + 1}")
        with open(directory / f"{name}.dat", "w", encoding="ascii") as out:
            print("x", *(contenders[n] for n in columns), file=out)
            for row in rows:
                print(row[0], *(row[n + 1] or "NaN" for n in columns), file=out)
    if panels:
        plot("curves.gnuplot", directory, f"panels='{' '.join(panels)}'")


def main():
    parser = command_line(__doc__)
    parser.add_argument("--finals", type=Path, default=None,
                        help="directory with the results and the plan of finals")
    args = parser.parse_args()
    measured = measured_in(args.measured, args.plan)
    points, idle = res.read_points(measured), res.read_idle(measured)
    finals = []
    if args.finals:
        finals = res.read_points(measured_in(args.finals / "results",
                                             args.finals / "plan"))
    results = {"targets": targets(points, idle, finals), "points": points,
               "finals": finals, "idle": idle,
               "environment": measured.environment}
    write(results, report(results), args.output)
    plot_curves(points, args.output)
    print(target_table(results["targets"]))


if __name__ == "__main__":
    main()
