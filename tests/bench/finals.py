#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes of what a first pass has measured the plan of the finals.

Of ten settings of a peer, each measured two or three times, the one that looks best
is as much a matter of luck as of the setting. So for each figure that compares, the
best of them meet pvbus once more, with nothing between them, for as many rounds as
the time allows; and only that counts.
"""

import argparse
from pathlib import Path

import matrix
import plan
import results
import targets

# Settings of a peer, for each figure.
SETTINGS = 2


def chosen(points):
    """Measurements, in the order of the figures that they decide on."""
    wanted = {}
    for _, test, mine, peer, _ in matrix.RATIOS:
        our = targets.ours(points, mine, test)
        if not our:
            continue
        for point in [our] + targets.rivals(points, our, peer)[:SETTINGS]:
            where = point["test"], point["machine"], point["halt_poll"]
            devices = wanted.setdefault(where, [])
            if point["device"] not in devices:
                devices.append(point["device"])
    return [matrix.measure(test, " ".join(devices), machine, halt)
            for (test, machine, halt), devices in wanted.items()]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("measured", type=Path, help="of the first pass")
    parser.add_argument("plan", type=Path, help="of the first pass")
    parser.add_argument("directory", type=Path, help="for the plan of the finals")
    args = parser.parse_args()
    measured = results.Measured(args.measured, args.plan)
    first = matrix.SETS[measured.plan["set"]]
    plan.write(plan.Plan("finals", {
        "measure": chosen(results.read_points(measured)),
        "seconds": first["seconds"], "rounds": first["finals"]}),
        args.directory)


if __name__ == "__main__":
    main()
