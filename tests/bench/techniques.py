#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What each technique brings: makes tables of what techniques.sh has counted.

    techniques.py RESULTS   a table for each load, as Markdown
"""

import collections
import pathlib
import statistics
import sys


def read_samples(path):
    """(load, setting) -> a list of operations/s and counts per operation."""
    turns = collections.defaultdict(list)
    for line in path.read_text().splitlines():
        load, setting, *numbers = line.split()
        time_us, operations, *counts = map(int, numbers)
        if operations:
            turns[load, setting.replace("_", " ")].append(
                [operations / time_us * 1e6] +
                [count / operations for count in counts])
    return turns


def main():
    turns = read_samples(pathlib.Path(sys.argv[1]) / "samples")
    for wanted in dict.fromkeys(load for load, _ in turns):
        print(f"| {wanted} | operations/s | min..max | exits/op |"
              " interrupts/op | doorbells/op |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for (load, setting), samples in turns.items():
            if load != wanted:
                continue
            rates = [sample[0] for sample in samples]
            medians = [statistics.median(s[i] for s in samples)
                       for i in range(4)]
            print(f"| {setting} | {medians[0]:,.0f} |"
                  f" {min(rates):,.0f}..{max(rates):,.0f} |" +
                  " |".join(f" {m:.2f}" for m in medians[1:]) + " |")
        print()


if __name__ == "__main__":
    main()
