#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Samples what the machines of compare.sh have counted, as lines of JSON.

	sampler.py OUTPUT NAME=PID,DISK,CARD+CARD...

Commands come on standard input, a line each:

	watch NAME		sample that machine, now and every 400 ms
	stop			once more, then no longer
	idle NAME SECONDS	what its threads do in that time, in one line

What that costs is the same for every contender, told in each sample, and not among
the CPU time of the host. None is taken while nobody measures.
"""

import glob
import json
import os
import select
import socket
import sys
import time

INTERVAL = 0.4

# Of each channel of pvbus; summed over those of a device.
CHANNEL = ["requests", "doorbells", "interrupts", "wakeups", "polls",
           "poll_hits", "poll_ns"]


def read(path):
    """A file of the kernel's, as cheaply as it can be had; "" if it is gone."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(file, 65536).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(file)


def host_cpu_us():
    """CPU time of the host spent outside guest mode, but for this program."""
    user, nice, system, _, _, irq, softirq, _, guest, guest_nice = (
        int(n) for n in read("/proc/stat").split("\n", 1)[0].split()[1:11])
    ticks = user + nice + system + irq + softirq - guest - guest_nice
    return (ticks * 1000000 // os.sysconf("SC_CLK_TCK") -
            time.process_time_ns() // 1000)


def pvbusd(name):
    """What pvbusctl stats prints: the VM and its channels."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        try:
            sock.connect(f"/run/pvbus/{name}.ctl")
            sock.sendall(b'{"cmd":"stats"}\n')
            answer = b""
            while not answer.endswith(b"\n"):
                part = sock.recv(65536)
                if not part:
                    break
                answer += part
            return json.loads(answer)
        except (OSError, ValueError):
            return {}


class Machine:
    """A guest, by its name, seen from the host."""

    def __init__(self, name, pid, disk, cards):
        self.name, self.pid, self.disk = name, pid, disk
        self.cards = set(cards)
        # Opened each time: they can be read but once, and KVM keeps a machine
        # for as long as one of them is open.
        self.kvm = {f"kvm.{os.path.basename(path)}": path for path in
                    glob.glob(f"/sys/kernel/debug/kvm/{pid}-*/*")
                    if os.path.isfile(path)}

    def exits(self):
        for name, path in self.kvm.items():
            value = read(path)
            if value:
                yield name, int(value)

    def traffic(self):
        fields = read(f"/sys/block/{self.disk}/stat").split()
        yield "sectors", int(fields[2]) + int(fields[6])
        for line in read("/proc/net/dev").splitlines():
            name, _, rest = line.partition(":")
            name, rest = name.strip(), rest.split()
            if name in self.cards:
                yield f"{name}.rx_bytes", int(rest[0])
                yield f"{name}.rx_packets", int(rest[1])
                yield f"{name}.tx_bytes", int(rest[8])
                yield f"{name}.tx_packets", int(rest[9])

    def packets(self):
        """All that its cards had, either way."""
        return sum(count for name, count in self.traffic()
                   if name.endswith("_packets"))

    def channels(self, stats):
        sums = {}
        for channel in stats.get("channels", []):
            for word in CHANNEL:
                key = f"pv.{channel['id']}.{word}"
                sums[key] = sums.get(key, 0) + channel.get(word, 0)
        return sums

    def sample(self):
        return {"vm": self.name, "t": time.time(), "cpu_us": host_cpu_us(),
                "sampler_us": time.process_time_ns() // 1000,
                **dict(self.exits()), **dict(self.traffic()),
                **self.channels(pvbusd(self.name))}

    def threads(self, stats):
        """Threads by whose they are: pvbus's, vhost's, QEMU's."""
        for channel in stats.get("channels", []):
            yield channel["worker"], "pvbus"
        if "vm" in stats:
            yield stats["vm"]["pvbusd_pid"], "pvbusd"
        for comm in glob.glob("/proc/[0-9]*/comm"):
            if read(comm).startswith(f"vhost-{self.pid}"):
                yield comm.split("/")[2], "vhost"
        for task in glob.glob(f"/proc/{self.pid}/task/*"):
            name = read(f"{task}/comm").strip()
            if name.startswith("CPU"):
                yield f"{self.pid}/task/{os.path.basename(task)}", "vcpu"
            elif name.startswith("IO"):
                yield f"{self.pid}/task/{os.path.basename(task)}", "iothread"
            else:
                yield f"{self.pid}/task/{os.path.basename(task)}", "qemu"

    @staticmethod
    def cost(thread):
        """CPU time in ns, and how often it went to sleep; None if it is gone."""
        times = read(f"/proc/{thread}/schedstat").split()
        sleeps = [int(line.split()[1]) for line in
                  read(f"/proc/{thread}/status").splitlines()
                  if line.startswith("voluntary_ctxt_switches")]
        return (int(times[0]), sleeps[0]) if times and sleeps else None

    def idle(self, seconds):
        """pvbusd is asked before and after what is timed, not within."""
        stats = pvbusd(self.name)
        threads = list(self.threads(stats))
        time.sleep(1)
        packets = self.packets()
        before, start = [self.cost(t) for t, _ in threads], time.time()
        time.sleep(seconds)
        after, end = [self.cost(t) for t, _ in threads], time.time()
        packets = self.packets() - packets
        costs = {}
        for (_, whose), first, last in zip(threads, before, after):
            if first and last:
                entry = costs.setdefault(whose, {"cpu_ns": 0, "sleeps": 0})
                entry["cpu_ns"] += last[0] - first[0]
                entry["sleeps"] += last[1] - first[1]
        first, last = self.channels(stats), self.channels(pvbusd(self.name))
        return {"vm": self.name, "t": start, "idle": end - start,
                "threads": costs, "packets": packets,
                **{k: v - first.get(k, 0) for k, v in last.items()}}


def serve(machines, output):
    """Until standard input ends."""
    watched = None
    pending = b""
    while True:
        ready = select.select([0], [], [], INTERVAL if watched else None)[0]
        if not ready:
            print(json.dumps(watched.sample()), file=output)
            continue
        data = os.read(0, 4096)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            word, *args = line.decode().split()
            if watched:
                print(json.dumps(watched.sample()), file=output)
            watched = None
            if word == "watch":
                watched = machines[args[0]]
                print(json.dumps(watched.sample()), file=output)
            elif word == "idle":
                print(json.dumps(machines[args[0]].idle(float(args[1]))),
                      file=output)
            output.flush()


def main():
    machines = {}
    for arg in sys.argv[2:]:
        name, _, rest = arg.partition("=")
        pid, disk, cards = rest.split(",")
        machines[name] = Machine(name, pid, disk, cards.split("+"))
    with open(sys.argv[1], "w", encoding="ascii") as output:
        serve(machines, output)


if __name__ == "__main__":
    main()
