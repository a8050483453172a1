# SPDX-License-Identifier: GPL-2.0
"""What is compared with what: lists to read and to extend.

A device is a contender with one of its settings; a machine is a guest with
devices; a measurement is tests of some devices of one machine, in turns. plan.py
makes of a set of measurements what the lab runs.

Tests of disks are RW-SIZE-qdDEPTH, and then, if wanted, -x2 (two jobs, so two
queues have work) and -poll (io_uring that polls for completions). Tests of cards
are tcp-tx, tcp-rx (-xN: so many streams), tcp-rr and udp, each of the latter two
with the size of a message, which for tcp-rr is 64 if not told.
"""


def disk(contender, setting="", drive=None, device=None, iothread=None,
         poll_queue=False):
    """A disk; without a drive it is none of QEMU's."""
    return {"contender": contender, "setting": setting, "drive": drive,
            "device": device, "iothread": iothread, "poll_queue": poll_queue}


def virtio_blk(setting, poll_max_ns=32768, aio="native", more="",
               poll_queue=False):
    """A virtio disk with an iothread of its own, QEMU's best advice."""
    return disk("virtio-blk", setting, f"cache=none,aio={aio}",
                "virtio-blk-pci" + more, f"poll-max-ns={poll_max_ns}",
                poll_queue)


def card(contender, setting="", netdev=None, device=None, queues=1):
    """A network card; without a netdev it is none of QEMU's."""
    return {"contender": contender, "setting": setting, "netdev": netdev,
            "device": device, "queues": queues}


def vhost(setting, netdev="", more="", queues=1):
    if queues > 1:
        netdev += f",queues={queues}"
        more += f",mq=on,vectors={2 * queues + 2}"
    return card("virtio-net", setting, "vhost=on" + netdev,
                "virtio-net-pci" + more, queues)


DISKS = {
    "pvblk": disk("pvblk"),
    "vb": virtio_blk("poll-max-ns 32768"),
    "vb-poll0": virtio_blk("poll-max-ns 0", poll_max_ns=0),
    "vb-poll200": virtio_blk("poll-max-ns 200000", poll_max_ns=200000),
    "vb-uring": virtio_blk("io_uring", aio="io_uring"),
    "vb-packed": virtio_blk("packed ring", more=",packed=on"),
    "vb-size": virtio_blk("queue-size 1024", more=",queue-size=1024"),
    "vb-q1": virtio_blk("num-queues 1", more=",num-queues=1"),
    "vb-q2": virtio_blk("num-queues 2", more=",num-queues=2"),
    "vb-pollq": virtio_blk("num-queues 2, one polled", more=",num-queues=2",
                           poll_queue=True),
    "ide": disk("ide", "", "cache=none,aio=native", "ide-hd,bus=ide.0"),
    "guest-null": disk("guest-null"),
    "host-native": disk("host-native"),
}

CARDS = {
    "pvnet": card("pvnet"),
    "vn": vhost("vhost"),
    "vn-poll50": vhost("vhost, poll-us 50", netdev=",poll-us=50"),
    "vn-poll200": vhost("vhost, poll-us 200", netdev=",poll-us=200"),
    "vn-size": vhost("vhost, rx_queue_size 1024", more=",rx_queue_size=1024"),
    "vn-q2": vhost("vhost, 2 queues", queues=2),
    "e1000": card("e1000", "", "", "e1000"),
}

# What a machine has besides the devices that are measured in it: a pvbus disk, a
# pvbus card and a null_blk of its own. Memory is the private one of -m, or shared.
MACHINES = {
    "one": {"cpus": 1, "memory": "private"},
    "two": {"cpus": 2, "memory": "private"},
    "shared": {"cpus": 1, "memory": "shared"},
}


def measure(tests, devices, machine="one", halt=True, rounds=99, kind=None):
    """Tests of devices in turns; halt: KVM polls when the guest halts.

    Rounds later than the given number do without it.
    """
    return {"tests": tests.split(), "devices": devices.split(),
            "machine": machine, "halt": halt, "rounds": rounds,
            "kind": kind or ("disk" if devices.split()[0] in DISKS else "net")}


def idle(machine):
    """What an attached guest costs that does nothing."""
    return measure("idle", "pvblk", machine, rounds=2, kind="idle")


def cross(form, **values):
    """All combinations, as words: cross("{a}-{b}", a="1 2", b="3 4")."""
    words = [form]
    for name, value in values.items():
        words = [word.replace("{" + name + "}", v) for word in words
                 for v in value.split()]
    return " ".join(words)


SMALL = "randread-4k-qd1 randread-4k-qd32 randwrite-4k-qd32"
BIG = "read-1m-qd4 write-1m-qd4"
POLLED = "randread-4k-qd1-poll randread-4k-qd32-poll"
CARD_TESTS = "tcp-tx tcp-rx tcp-rr udp-64"
POLL_SETTINGS = "vb vb-poll0 vb-poll200"
SETTINGS = POLL_SETTINGS + " vb-uring vb-packed vb-size"
VHOSTS = "vn vn-poll50 vn-poll200 vn-size"

DEMO = [
    measure(SMALL + " " + BIG, "pvblk vb ide guest-null host-native"),
    measure(CARD_TESTS, "pvnet vn e1000"),
]

# In the order of what is wanted most: the time may not suffice for all.
QUICK = [
    measure(SMALL, "pvblk vb vb-poll0 vb-poll200 vb-uring vb-packed ide "
            "guest-null host-native"),
    measure(BIG, "pvblk vb vb-uring ide guest-null host-native"),
    measure(CARD_TESTS, "pvnet vn vn-poll50 e1000"),
    measure(POLLED, "pvblk vb"),
    measure(POLLED, "pvblk vb-pollq", "two"),
    idle("one"),
    measure(SMALL, "pvblk vb vb-poll200", halt=False, rounds=1),
    measure("tcp-rr udp-64", "pvnet vn vn-poll50", halt=False, rounds=1),
    measure("randread-4k-qd32-x2", "pvblk vb-q1 vb-q2 guest-null", "two",
            rounds=1),
    measure("tcp-tx-x4 tcp-rx-x4", "pvnet vn-q2", "two", rounds=1),
    measure("randread-4k-qd8 randread-4k-qd128", "pvblk vb guest-null",
            rounds=1),
    measure("randread-512-qd32 randread-64k-qd32", "pvblk vb guest-null",
            rounds=1),
    measure("udp-1472 udp-64k tcp-rr-16k", "pvnet vn", rounds=1),
]

SIZES = "512 4k 16k 64k 256k 1m"
DEPTHS = "1 2 4 8 16 32 64 128"

# What decides on the figures to reach is in every round; curves are in the first.
FULL = [
    measure(SMALL + " " + BIG, f"pvblk {SETTINGS} ide guest-null host-native"),
    measure(CARD_TESTS, f"pvnet {VHOSTS} e1000"),
    measure(POLLED, "pvblk vb"),
    measure(POLLED, "pvblk vb-pollq", "two"),
    idle("one"),
    idle("two"),
    measure(SMALL + " " + BIG, f"pvblk {POLL_SETTINGS}", halt=False),
    measure(CARD_TESTS, f"pvnet {VHOSTS}", halt=False),
    measure(SMALL + " " + BIG, "pvblk vb vb-uring", "shared"),
    measure(CARD_TESTS, "pvnet vn vn-poll50", "shared"),
    measure(cross("{test}-x2", test=SMALL + " " + BIG),
            "pvblk vb-q1 vb-q2 guest-null", "two", rounds=1),
    measure(CARD_TESTS + " tcp-tx-x4 tcp-rx-x4", "pvnet vn vn-q2", "two",
            rounds=1),
    measure("tcp-tx-x2 tcp-rx-x2 tcp-tx-x8 tcp-rx-x8", "pvnet vn", rounds=1),
    measure(cross("udp-{size}", size="256 1024 1472 4k 16k 64k"), "pvnet vn",
            rounds=1),
    measure(cross("tcp-rr-{size}", size="1k 4k 16k 64k"), "pvnet vn",
            rounds=1),
    measure(cross("randread-{size}-qd{depth}", size=SIZES, depth=DEPTHS),
            "pvblk vb guest-null", rounds=1),
    measure(cross("randwrite-4k-qd{depth}", depth=DEPTHS),
            "pvblk vb guest-null", rounds=1),
]

# To try the bench itself: one of each kind.
SMOKE = [
    measure("randread-4k-qd1 read-1m-qd4", "pvblk vb ide guest-null host-native"),
    measure("tcp-tx tcp-rr udp-64", "pvnet vn"),
    measure("randread-4k-qd1-poll", "pvblk vb-pollq", "two"),
    measure("randread-4k-qd32-x2", "pvblk vb-q2", "two"),
    measure("tcp-tx-x4", "pvnet vn-q2", "two"),
    measure("randread-4k-qd1", "pvblk vb", halt=False),
    idle("one"),
]

# Seconds of load in one run, and how often all is run at most: what is measured, and
# then what the finals (finals.py) make of that.
SETS = {
    "demo": {"measure": DEMO, "seconds": 2, "rounds": 9},
    "quick": {"measure": QUICK, "seconds": 1, "rounds": 9},
    "full": {"measure": FULL, "seconds": 1, "rounds": 2, "finals": 15},
    "smoke": {"measure": SMOKE, "seconds": 1, "rounds": 1, "finals": 2},
}

# The figures to reach: what, test, ours, whose, how many times as much at least.
# A polled test counts in the first machine that has both.
RATIOS = [
    ("4k randread QD1, pvblk / virtio-blk", "randread-4k-qd1",
     "pvblk", "virtio-blk", 6),
    ("the same with poll queues", "randread-4k-qd1-poll",
     "pvblk", "virtio-blk", 12),
    ("4k randread QD32, pvblk / virtio-blk", "randread-4k-qd32",
     "pvblk", "virtio-blk", 8),
    ("4k randwrite QD32, pvblk / virtio-blk", "randwrite-4k-qd32",
     "pvblk", "virtio-blk", 3),
    ("4k randread QD1 with poll queues, pvblk / guest-null",
     "randread-4k-qd1-poll", "pvblk", "guest-null", 0.6),
    ("4k randread QD32, pvblk / guest-null", "randread-4k-qd32",
     "pvblk", "guest-null", 0.6),
    ("1M read, pvblk / guest-null", "read-1m-qd4", "pvblk", "guest-null", 0.9),
    ("1M write, pvblk / guest-null", "write-1m-qd4",
     "pvblk", "guest-null", 0.9),
    ("4k randread QD32, pvblk / ide", "randread-4k-qd32", "pvblk", "ide", 50),
    ("4k randwrite QD32, pvblk / ide", "randwrite-4k-qd32",
     "pvblk", "ide", 50),
    ("tcp-tx, pvnet / virtio-net", "tcp-tx", "pvnet", "virtio-net", 1.5),
    ("tcp-rx, pvnet / virtio-net", "tcp-rx", "pvnet", "virtio-net", 1.5),
    ("tcp-rr, pvnet / virtio-net", "tcp-rr", "pvnet", "virtio-net", 2.5),
    ("udp-64, pvnet / virtio-net", "udp-64", "pvnet", "virtio-net", 3),
    ("tcp-tx, pvnet / e1000", "tcp-tx", "pvnet", "e1000", 12),
    ("tcp-rx, pvnet / e1000", "tcp-rx", "pvnet", "e1000", 12),
]

# What, test, figure of pvblk, at most.
LIMITS = [
    ("exits per 4k randread QD1", "randread-4k-qd1", "exits_per_op", 1),
    ("exits per 4k randread QD32", "randread-4k-qd32", "exits_per_op", 0.1),
]
