# SPDX-License-Identifier: GPL-2.0
"""Which points count for a figure to reach, and whether it was reached.

A peer is judged by the best of its settings, for each test anew, while pvbus keeps
its defaults. Two that are compared are compared round by round: what the machine
does meanwhile lasts for minutes and doubles or halves both.
"""

import json
from pathlib import Path

import matrix
import results as res

RING = Path(__file__).resolve().parents[2] / "build/bench-ring/results.json"

OURS = ("pvblk", "pvnet")

# Of a CPU, at most.
IDLE_CPU = 0.001


# --- choosing ---

def cpus(machine):
    return matrix.MACHINES[machine]["cpus"]


def is_default(point):
    return (point["halt_poll"] and
            matrix.MACHINES[point["machine"]]["memory"] == "private")


def ranked(points, contender, tests, vcpus):
    """The points of a contender in machines of that size, the best first.

    pvbus has to do with its defaults.
    """
    found = [p for p in points if p["contender"] == contender and
             p["test"] in tests and cpus(p["machine"]) == vcpus and
             p["value"] and (contender not in OURS or is_default(p))]
    return sorted(found, key=lambda p: p["value"], reverse=True)


def best(points, contender, tests, vcpus):
    return next(iter(ranked(points, contender, tests, vcpus)), None)


def ours(points, contender, test):
    """The point of pvbus, at its defaults, in the first machine that has one."""
    for machine in matrix.MACHINES:
        for point in points:
            if (point["contender"] == contender and point["test"] == test and
                    point["machine"] == machine and is_default(point) and
                    point["value"]):
                return point
    return None


def rivals(points, our, peer):
    """The points of a peer that one of pvbus is compared with, the best first: a
    polled test with those that are not polled, too."""
    return ranked(points, peer, {our["test"], our["test"].removesuffix("-poll")},
                  cpus(our["machine"]))


def setting(point):
    """What a person has to set to get this."""
    words = [point["setting"]] if point["setting"] else []
    if not point["halt_poll"]:
        words.append("halt_poll_ns 0")
    if matrix.MACHINES[point["machine"]]["memory"] == "shared":
        words.append("shared memory")
    if point["test"].endswith("-poll"):
        words.append("IOPOLL")
    return ", ".join(words) or "default"


# --- figures to reach ---

def target(what, wanted, value, met, how="", note="", runs=()):
    return {"what": what, "wanted": wanted, "value": value, "met": met,
            "setting": how, "note": note, "runs": list(runs)}


def unknown(what, wanted, note):
    return target(what, wanted, None, None, note=note)


def by_round(our, other):
    """How many times as much, in each round that has both."""
    theirs = dict(zip(other["rounds"], other["runs"]))
    return [value / theirs[n] for n, value in zip(our["rounds"], our["runs"])
            if theirs.get(n)]


def ratio_target(points, what, test, mine, peer, least):
    wanted = f"at least {least}"
    our = ours(points, mine, test)
    if not our:
        return unknown(what, wanted, f"{mine} has no result")
    other = next(iter(rivals(points, our, peer)), None)
    if not other:
        return unknown(what, wanted, f"{peer} has no result")
    runs = by_round(our, other)
    if not runs:
        return unknown(what, wanted, "no round has both")
    ratio = res.median(runs)
    return target(what, wanted, ratio, ratio >= least, setting(other), runs=runs)


def limit_target(points, what, test, figure, most):
    our = ours(points, "pvblk", test)
    if not our or our[figure] is None:
        return unknown(what, f"at most {most}", "nothing was counted")
    return target(what, f"at most {most}", our[figure], our[figure] <= most)


def cpu_target(points):
    what = "host CPU per 4k randread QD32, pvblk / virtio-blk"
    our = ours(points, "pvblk", "randread-4k-qd32")
    other = best(points, "virtio-blk", {"randread-4k-qd32"}, 1)
    figure = "host_cpu_us_per_op"
    if not our or not other or not our[figure] or not other[figure]:
        return unknown(what, "at most 1", "nothing was counted")
    ratio = our[figure] / other[figure]
    return target(what, "at most 1", ratio, ratio <= 1, setting(other))


def idle_targets(idle):
    for name, machine in sorted(idle.items()):
        cost = machine["threads"].get("pvbus")
        what = f"idle VM ({name}), {machine['seconds']:.0f} s: "
        if not cost:
            yield unknown(what + "pvbus", "-", "no thread of pvbus was seen")
            continue
        # a packet, whoever sends it, is not idleness
        packets = machine["packets"]
        note = f"{packets:.0f} packets passed" if packets else ""
        yield target(what + "times that pvbus polled", "0", machine["polls"],
                     machine["polls"] == 0, note=note)
        part = cost["cpu_ns"] / 1e9 / machine["seconds"]
        yield target(what + "CPU of pvbus, %", "below 0.1", part * 100,
                     part < IDLE_CPU, note=note)


def ring_target():
    what = "bench-ring: ours / ringtest ring, polling, batch 1"
    try:
        found = json.loads(RING.read_text())["target"]
    except (OSError, ValueError, KeyError):
        return unknown(what, "at most 1.0", 'run "make bench-ring"')
    return target(what, "at most 1.0", found["ratio"]["median"], found["met"],
                  note="of the last make bench-ring")


def measured_targets(points):
    return ([ratio_target(points, *row) for row in matrix.RATIOS] +
            [limit_target(points, *row) for row in matrix.LIMITS] +
            [cpu_target(points)])


def targets(points, idle, finals=()):
    """All of them; where the finals have something to say, that counts."""
    rows = [last if last["met"] is not None else first for first, last in
            zip(measured_targets(points), measured_targets(finals))]
    return rows + [ring_target(), *idle_targets(idle)]
