#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What results.py, targets.py and finals.py make of a measurement, a small one that is
written here. tests/unit/bench-results.sh runs it."""

import json
import tempfile
import unittest
from pathlib import Path

import finals
import matrix
import plan
import results
import targets


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1))


def fio(key, iops, error=0, total=10):
    """A job of fio's output."""
    side = {"iops": iops, "bw_bytes": iops * 4096, "total_ios": total,
            "clat_ns": {"percentile": {"50.000000": 1000, "99.000000": 2000}}}
    return {"jobname": key, "error": error, "read": side, "write": side}


def sample(when, **counts):
    return {"vm": "one", "t": when, "cpu_us": 0, "sectors": 0, "kvm.exits": 0,
            "kvm.irq_injections": 0, "kvm.insn_emulation": 0,
            "kvm.halt_exits": 0, "pv.disk.doorbells": 0, **counts}


def point(contender, value, setting="", **more):
    """What results.read_points() makes of a disk's test."""
    return {"contender": contender, "setting": setting, "value": value,
            "test": "randread-4k-qd1", "machine": "one", "halt_poll": True,
            "headline": "iops", "runs": [value], "rounds": [1],
            "exits_per_op": 0.5, "host_cpu_us_per_op": 1, **more}


class Measurement(unittest.TestCase):
    """The demo's plan, in a directory of its own."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.root = Path(self.temporary.name)
        plan.write(plan.Plan("demo", matrix.SETS["demo"]), self.root / "plan")
        self.measured = self.root / "measured"
        self.measured.mkdir()
        (self.measured / "environment").write_text("host_cpus=2\nrounds=2\n")

    def batch(self, round_number, number, jobs, marks="", skipped=""):
        directory = self.measured / str(round_number) / str(number)
        directory.mkdir(parents=True)
        # fio says what it does with the output of commands before the JSON
        (directory / "fio.json").write_text(
            "vb : Saving output of prerun in vb.prerun.txt\n" +
            json.dumps({"jobs": jobs}, indent=1))
        (directory / "marks").write_text(marks)
        (directory / "skipped").write_text(skipped)

    def samples(self, *samples):
        (self.measured / "samples").write_text(
            "".join(json.dumps(s) + "\n" for s in samples) + '{"vm": "on')

    def read(self):
        return results.Measured(self.measured, self.root / "plan")

    def demo(self, contender, test="randread-4k-qd1"):
        return results.read_demo(self.read())["disk"][contender][test]

    def test_counts_of_the_run(self):
        self.batch(1, 0, [fio("pvblk", 100)],
                   "pvblk.prerun.txt 10\npvblk.postrun.txt 12\n")
        self.samples(sample(10.1, sectors=0, cpu_us=7),
                     sample(10.5, sectors=800),
                     sample(11.5, sectors=1600, cpu_us=5000,
                            **{"kvm.exits": 50, "kvm.irq_injections": 25}),
                     sample(12.5, sectors=9000))
        entry = self.demo("pvblk")
        self.assertEqual(entry["iops"], 100)
        self.assertEqual(entry["runs"], [100])
        # from 10.5 to 11.5: 100 operations
        self.assertEqual(entry["exits_per_op"], 0.5)
        self.assertEqual(entry["irqs_per_op"], 0.25)
        self.assertEqual(entry["host_cpu_us_per_op"], 50)
        self.assertEqual(entry["lat_p99_us"], 2)

    def test_no_counts_keep_the_figure(self):
        marks = "pvblk.prerun.txt 10\npvblk.postrun.txt 12\n"
        self.batch(1, 0, [fio("pvblk", 100)], marks)
        self.samples(sample(10.5), sample(11.5))
        entry = self.demo("pvblk")
        self.assertEqual(entry["iops"], 100)
        self.assertIsNone(entry["exits_per_op"])
        self.assertNotIn("reason", entry)
        self.assertNotIn("failed_runs", entry)

    def test_no_samples_keep_the_figure(self):
        self.batch(1, 0, [fio("pvblk", 100)])
        entry = self.demo("pvblk")
        self.assertEqual(entry["iops"], 100)
        self.assertIsNone(entry["host_cpu_us_per_op"])

    def test_without_counters_of_kvm(self):
        self.batch(1, 0, [fio("pvblk", 100)],
                   "pvblk.prerun.txt 10\npvblk.postrun.txt 12\n")
        self.samples({"vm": "one", "t": 10.5, "cpu_us": 0, "sectors": 0},
                     {"vm": "one", "t": 11.5, "cpu_us": 500, "sectors": 800})
        entry = self.demo("pvblk")
        self.assertIsNone(entry["exits_per_op"])
        self.assertEqual(entry["host_cpu_us_per_op"], 5)

    def test_median_and_failures(self):
        self.batch(1, 0, [fio("pvblk", 100), fio("vb", 1, error=5)])
        self.batch(2, 0, [fio("pvblk", 300), fio("vb", 10)])
        self.assertEqual(self.demo("pvblk")["iops"], 200)
        self.assertEqual(self.demo("pvblk")["runs"], [100, 300])
        entry = self.demo("virtio-blk")
        self.assertEqual(entry["runs"], [10])
        self.assertEqual(entry["failed_runs"], ["fio ended with error 5"])

    def test_reasons(self):
        self.batch(1, 0, [fio("pvblk", 0, total=0)],
                   skipped="vb the disk has no queue that polls\n")
        self.assertEqual(self.demo("pvblk")["reason"], "fio completed nothing")
        self.assertIsNone(self.demo("pvblk")["iops"])
        self.assertEqual(self.demo("virtio-blk")["reason"],
                         "the disk has no queue that polls")
        self.assertEqual(self.demo("ide")["reason"], "fio did not run it")
        self.assertEqual(self.demo("ide", "read-1m-qd4")["reason"],
                         "it was not run")

    def test_host_has_no_exits(self):
        self.batch(1, 1, [fio("host-native", 100)],
                   "host-native.prerun.txt 10\nhost-native.postrun.txt 12\n")
        self.samples(sample(10.5), sample(11.5, sectors=800, cpu_us=1000))
        entry = self.demo("host-native")
        self.assertIsNone(entry["exits_per_op"])
        self.assertEqual(entry["host_cpu_us_per_op"], 10)

    def test_udp_is_counted_while_it_runs(self):
        read = self.read()
        number = [b["test"] for b in read.plan["batches"]].index("udp-64")
        card = f"c{read.plan['machines']['one']['cards']['vn']}.rx_packets"
        directory = self.measured / "1" / str(number)
        directory.mkdir(parents=True)
        (directory / "marks").write_text("vn 10 16\n")
        (directory / "vn.out").write_text("sockperf: Summary: Message Rate\n")
        packets = [0, 1, 1001, 2001, 3001, 3001]
        self.samples(*(sample(10 + n, **{card: count})
                       for n, count in enumerate(packets)))
        entry = results.read_demo(self.read())["net"]["virtio-net"]["udp-64"]
        self.assertEqual(entry["pps"], 1000)

    def test_best_setting_and_targets(self):
        points = [point("pvblk", 700), point("virtio-blk", 50, "slow"),
                  point("virtio-blk", 100, "quick", halt_poll=False),
                  # a setting that pvbus is not judged by
                  point("pvblk", 900, halt_poll=False)]
        rows = {r["what"]: r for r in targets.targets(points, {})}
        row = rows["4k randread QD1, pvblk / virtio-blk"]
        self.assertEqual(row["value"], 7)
        self.assertTrue(row["met"])
        self.assertEqual(row["setting"], "quick, halt_poll_ns 0")
        self.assertTrue(rows["exits per 4k randread QD1"]["met"])
        self.assertIsNone(rows["tcp-tx, pvnet / e1000"]["met"])

    def test_ratio_is_of_each_round(self):
        # the machine was ten times as fast in the second round
        ratio = targets.ratio_target(
            [point("pvblk", 550, runs=[100, 1000, 500], rounds=[1, 2, 3]),
             point("virtio-blk", 60, runs=[10, 100], rounds=[1, 2])],
            *matrix.RATIOS[0])
        self.assertEqual(ratio["runs"], [10, 10])
        self.assertEqual(ratio["value"], 10)
        self.assertTrue(ratio["met"])

    def test_finals(self):
        points = [point("pvblk", 700, device="pvblk"),
                  point("virtio-blk", 50, device="vb"),
                  point("virtio-blk", 90, device="vb-uring"),
                  point("virtio-blk", 100, device="vb-poll0", halt_poll=False)]
        made = plan.Plan("finals", {"measure": finals.chosen(points),
                                    "seconds": 1, "rounds": 9})
        self.assertEqual(
            [(b["test"], b["devices"], b["halt_poll_ns"]) for b in made.batches],
            [("randread-4k-qd1", ["pvblk", "vb-uring"], plan.HALT_POLL_NS),
             ("randread-4k-qd1", ["vb-poll0"], 0)])

    def test_finals_count(self):
        first = [point("pvblk", 500), point("virtio-blk", 100),
                 point("pvblk", 700, exits_per_op=9, machine="two")]
        last = [point("pvblk", 800), point("virtio-blk", 100)]
        rows = {r["what"]: r for r in targets.targets(first, {}, last)}
        self.assertEqual(
            rows["4k randread QD1, pvblk / virtio-blk"]["value"], 8)
        self.assertEqual(rows["exits per 4k randread QD1"]["value"], 0.5)

    def test_idle(self):
        (self.measured / "samples").write_text(json.dumps({
            "vm": "one", "t": 1, "idle": 10, "pv.disk.polls": 0,
            "pv.lan.polls": 3, "pv.lan.wakeups": 1,
            "packets": 2,
            "threads": {"pvbus": {"cpu_ns": 20000000, "sleeps": 4}}}) + "\n")
        idle = results.read_idle(self.read())
        self.assertEqual(idle["one"]["polls"], 3)
        polled, cpu = targets.idle_targets(idle)
        self.assertFalse(polled["met"])
        self.assertEqual(polled["note"], "2 packets passed")
        self.assertFalse(cpu["met"])
        self.assertAlmostEqual(cpu["value"], 0.2)


class Matrix(unittest.TestCase):
    def test_all_sets_make_plans(self):
        for name in matrix.SETS:
            made = plan.Plan(name, matrix.SETS[name])
            for batch in made.batches:
                self.assertTrue(list(made.runs(batch)), batch)

    def test_options(self):
        self.assertEqual(plan.fio_options("randread-4k-qd8"),
                         "rw=randread bs=4k iodepth=8")
        self.assertIn("hipri=1", plan.fio_options("randread-4k-qd1-poll"))
        self.assertIn("numjobs=2", plan.fio_options("randread-4k-qd1-x2"))
        with self.assertRaises(ValueError):
            plan.fio_options("randread-4k-qd1-what")

    def test_cross(self):
        self.assertEqual(matrix.cross("{a}-{b}", a="1 2", b="3 4"),
                         "1-3 1-4 2-3 2-4")

    def test_sizes(self):
        self.assertEqual(results.block_bytes("read-1m-qd4"), 1 << 20)
        self.assertEqual(results.block_bytes("randread-512-qd1"), 512)


if __name__ == "__main__":
    unittest.main()
