#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes of a set of the matrix what compare.sh runs, as files in a directory.

	settings	variables for the shell
	machines	a line each: name, vCPUs, host's end of the pvbus card
	NAME.qemu	arguments of QEMU, one a line
	NAME.disks	disks of QEMU's: name, and "poll" if one queue is to poll
	NAME.cards	cards: host's end, number of the network, queues or "pvbus"
	batches		a line each, in the order of a round: number, kind, machine,
			what KVM polls at most when a guest halts (ns), the last
			round that has it, a guess of its seconds
	NUMBER		the runs of a batch, a line each: device, and options of fio or
			the network and the test
	plan.json	all of that, for results.py
"""

import argparse
import json
from pathlib import Path

import matrix

HALT_POLL_NS = 200000
IDLE_SECONDS = 10
# Of a TCP stream, before it counts: windows and buffers grow meanwhile.
OMIT_SECONDS = 1
# Of one, at least: from one second to the next its rate may double.
STREAM_SECONDS = 2

# Seconds that starting the tools takes, before anything was measured.
BATCH_SECONDS = 3
FIO_SECONDS = 0.6
NET_SECONDS = 4


def fio_options(test):
    """The options of fio that a test of a disk stands for."""
    rw, size, depth, *more = test.split("-")
    options = {"rw": rw, "bs": size, "iodepth": depth.removeprefix("qd")}
    for word in more:
        if word == "poll":
            options.update(ioengine="io_uring", hipri=1)
        elif word.startswith("x"):
            options.update(numjobs=word[1:], group_reporting=1)
        else:
            raise ValueError(f"{test}: what is {word}?")
    return " ".join(f"{k}={v}" for k, v in options.items())


class Plan:
    """A set of the matrix, with everything numbered."""

    def __init__(self, name, entries):
        self.set = entries
        self.name = name
        self.machines = {}
        self.batches = []
        networks = 0
        for entry in self.set["measure"]:
            machine = self.machines.setdefault(
                entry["machine"], dict(matrix.MACHINES[entry["machine"]],
                                       disks=[], cards={}))
            for key in entry["devices"]:
                if key in matrix.DISKS:
                    if key not in machine["disks"]:
                        machine["disks"].append(key)
                elif key not in machine["cards"]:
                    networks += 1
                    machine["cards"][key] = networks
        for machine in self.machines.values():
            if "pvnet" not in machine["cards"]:
                networks += 1
                machine["cards"]["pvnet"] = networks
        for entry in self.set["measure"]:
            for test in entry["tests"]:
                self.add(entry, test)

    def add(self, entry, test):
        """The batches of one test: the host's own run is one for itself."""
        guest = [d for d in entry["devices"] if d != "host-native"]
        self.batch(entry, test, entry["kind"], guest)
        if len(guest) < len(entry["devices"]):
            self.batch(entry, test, "native", ["host-native"])

    def batch(self, entry, test, kind, devices):
        self.batches.append({
            "kind": kind, "machine": entry["machine"], "test": test,
            "devices": devices, "rounds": entry["rounds"],
            "halt_poll_ns": HALT_POLL_NS if entry["halt"] else 0})

    def seconds(self, batch):
        """What a batch will take, until one has been timed."""
        if batch["kind"] == "idle":
            return IDLE_SECONDS + BATCH_SECONDS
        each = NET_SECONDS if batch["kind"] == "net" else FIO_SECONDS
        if batch["test"].startswith(("tcp-tx", "tcp-rx")):
            each += OMIT_SECONDS + self.stream_seconds()
        else:
            each += self.set["seconds"]
        return BATCH_SECONDS + int(len(batch["devices"]) * each)

    def stream_seconds(self):
        return max(self.set["seconds"], STREAM_SECONDS)

    def runs(self, batch):
        """The lines of a batch's file."""
        for key in batch["devices"]:
            if batch["kind"] == "net":
                network = self.machines[batch["machine"]]["cards"][key]
                yield f"{key} {network} {batch['test']}"
            elif batch["kind"] == "idle":
                yield key
            else:
                yield f"{key} {fio_options(batch['test'])}"


def mac(network):
    return f"52:54:00:62:00:{network:02x}"


def qemu_disk(key, backing):
    entry = matrix.DISKS[key]
    device = f"{entry['device']},drive={key},share-rw=on,serial={key}"
    if entry["iothread"]:
        yield from ("-object", f"iothread,id=io-{key},{entry['iothread']}")
        device += f",iothread=io-{key}"
    yield from ("-drive", f"if=none,id={key},file={backing},format=raw,"
                f"{entry['drive']},file.locking=off")
    yield from ("-device", device)


def qemu_card(key, network):
    entry = matrix.CARDS[key]
    options = "," + entry["netdev"] if entry["netdev"] else ""
    yield from ("-netdev", f"tap,id={key},ifname=c{network},script=no,"
                f"downscript=no{options}")
    yield from ("-device",
                f"{entry['device']},netdev={key},mac={mac(network)}")


def qemu(name, machine):
    """All of QEMU's arguments that make the machine what it is."""
    # for the sampler, which tells them apart
    yield from ("-name", "debug-threads=on")
    if machine["memory"] == "shared":
        yield from ("-object", "memory-backend-memfd,id=ram,size=1G,share=on",
                    "-machine", "memory-backend=ram")
    for key in machine["disks"]:
        if matrix.DISKS[key]["drive"]:
            yield from qemu_disk(key, f"/dev/back-{name}")
    for key, network in machine["cards"].items():
        if matrix.CARDS[key]["device"]:
            yield from qemu_card(key, network)


def disk_lines(machine):
    for key in machine["disks"]:
        entry = matrix.DISKS[key]
        if entry["drive"]:
            yield f"{key} {'poll' if entry['poll_queue'] else '-'}"


def card_lines(machine):
    for key, network in machine["cards"].items():
        entry = matrix.CARDS[key]
        how = entry["queues"] if entry["device"] else "pvbus"
        yield f"c{network} {network} {how} {mac(network)}"


def write(plan, directory):
    def put(name, lines):
        text = "".join(f"{line}\n" for line in lines)
        (directory / name).write_text(text)

    directory.mkdir(parents=True, exist_ok=True)
    put("settings", [f"RUN_SECONDS={plan.set['seconds']}",
                     f"ROUNDS={plan.set['rounds']}",
                     f"IDLE_SECONDS={IDLE_SECONDS}",
                     f"OMIT_SECONDS={OMIT_SECONDS}",
                     f"STREAM_SECONDS={plan.stream_seconds()}",
                     # the demo has what a user has who sets nothing
                     f"POLL_QUEUES={0 if plan.name == 'demo' else 1}"])
    put("machines", [f"{name} {m['cpus']} c{m['cards']['pvnet']}"
                     for name, m in plan.machines.items()])
    for name, machine in plan.machines.items():
        put(f"{name}.qemu", qemu(name, machine))
        put(f"{name}.disks", disk_lines(machine))
        put(f"{name}.cards", card_lines(machine))
    put("batches", [f"{n} {b['kind']} {b['machine']} {b['halt_poll_ns']} "
                    f"{b['rounds']} {plan.seconds(b)}"
                    for n, b in enumerate(plan.batches)])
    for n, batch in enumerate(plan.batches):
        put(str(n), plan.runs(batch))
    (directory / "plan.json").write_text(json.dumps(
        {"set": plan.name, "machines": plan.machines,
         "batches": plan.batches}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", choices=matrix.SETS)
    parser.add_argument("directory", type=Path)
    args = parser.parse_args()
    write(Plan(args.set, matrix.SETS[args.set]), args.directory)


if __name__ == "__main__":
    main()
