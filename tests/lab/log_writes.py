#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the log of dm-log-writes has: writes that a flush has followed, and such with
FUA, in that order.

	log_writes.py LOG ACKS	is each record there of which ACKS speaks (records.pl)?
	log_writes.py LOG	prints how many writes, flushes and writes with FUA
"""

import re
import struct
import sys

MAGIC = 0x6A736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8

RECORD = re.compile(rb"record +(\d+)\n")


def entries(log):
    """(flags, data) for each entry."""
    magic, version, count, size = SUPER.unpack(log.read(SUPER.size))
    if magic != MAGIC or version != 1:
        sys.exit("this is no log of dm-log-writes")
    where = size
    for _ in range(count):
        log.seek(where)
        _, sectors, flags, _ = ENTRY.unpack(log.read(ENTRY.size))
        if flags & (DISCARD | MARK):
            sectors = 0
        log.seek(where + size)
        yield flags, log.read(sectors * size)
        where += (1 + sectors) * size


def main():
    acks = sys.argv[2:]
    # before the log is read: those that came meanwhile may not be there
    acked = {int(line) for name in acks
             for line in open(name, encoding="ascii").read().splitlines()[:-1]}
    seen, count = set(), {"writes": 0, "flushes": 0, "fua": 0}
    with open(sys.argv[1], "rb") as log:
        for flags, data in entries(log):
            count["writes"] += bool(data)
            count["flushes"] += bool(flags & FLUSH)
            count["fua"] += bool(flags & FUA)
            seen.update(int(number) for number in
                        RECORD.findall(data) if data)
    print(*(f"{key} {value}" for key, value in count.items()))
    if not acks:
        return 0
    print(f"{len(acked - seen)} of {len(acked)} records were never flushed")
    return 0 if acked and acked <= seen else 1


if __name__ == "__main__":
    sys.exit(main())
