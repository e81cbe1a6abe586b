# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The benchmark's own arithmetic, with numbers that nobody has measured.

import sys
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 1)[0])

import chart        # noqa: E402
import figures      # noqa: E402
import rows         # noqa: E402
import update       # noqa: E402


def http(**rps):
    """A row for each name, at 8 connections."""
    return [{"name": name, "conns": 8, "rps": n, "p50_us": 100.,
             "p99_us": 300., "cpu_us": 20.} for name, n in rps.items()]


def result(**rps):
    return {"http": http(**rps), "scale": [], "rounds": 1, "seconds": 1,
            "machine": dict.fromkeys(("cpu", "cpus", "kernel", "platform",
                                      "varnish", "commit", "date", "load"),
                                     "x")}


class Medians(unittest.TestCase):

    def test_median(self):
        self.assertEqual(figures.median([3, 1, 2]), 2)
        self.assertEqual(figures.median([4, 1, 3, 2]), 2.5)
        self.assertEqual(figures.median([7]), 7)
        self.assertRaises(ValueError, figures.median, [])

    def test_merge(self):
        # each column for itself: one bad round does not count
        self.assertEqual(rows.merge([{"a": 1, "b": 9}, {"a": 2, "b": 8},
                                     {"a": 100, "b": 7}]), {"a": 2, "b": 8})

    def test_ratio(self):
        self.assertEqual(figures.ratio(1, 4), .25)
        self.assertIsNone(figures.ratio(1, 0))
        self.assertIsNone(figures.ratio(None, 1))
        self.assertIsNone(figures.ratio(1, None))


class Targets(unittest.TestCase):

    def found(self, r, name):
        return [t for t in figures.targets(r) if t[0].startswith(name)]

    def test_http(self):
        r = result(hello=700., native=1000., nginx=500.)
        (t,) = self.found(r, "hello, of the native")
        self.assertEqual(t[1:], (.7, ">", .7))
        self.assertTrue(figures.is_met(t))
        (t,) = self.found(r, "hello, of pass to nginx")
        self.assertAlmostEqual(t[1], 1.4)
        r = result(hello=699., native=1000.)
        self.assertFalse(figures.is_met(self.found(r, "hello, of the n")[0]))
        # what was not measured is not a target
        self.assertEqual(self.found(r, "hello, of pass to nginx"), [])

    def test_p99(self):
        (t,) = self.found(result(hello=1.), "hello, p99")
        self.assertEqual(t[1:], (3, "<", 4))

    def test_scale(self):
        r = result(hello=1.)
        r["scale"] = [{"vms": 8, "conns": 8, "rps": 100.},
                      {"vms": 8, "conns": 64, "rps": 90.},
                      {"vms": 1, "conns": 8, "rps": 1.}]
        (t,) = self.found(r, "8 VMs")
        self.assertEqual(t[1], .9)
        self.assertFalse(figures.is_met(t))

    def test_core(self):
        core = {
            "programs": [
                {"name": "hello", "reset_us": 1.1, "exits": 1, "pages": 2},
                {"name": "dirty-16", "reset_us": 2., "exits": 1,
                 "pages": 20}],
            "compute": {"of_native": .985},
            "vms": [
                {"vms": 128, "memory_mb": 64, "pss_kb": 12800,
                 "make_us": 800},
                {"vms": 28, "memory_mb": 64, "pss_kb": 2800, "make_us": 800},
                {"vms": 32, "memory_mb": 64, "pss_kb": 3200, "make_us": 800},
                {"vms": 32, "memory_mb": 1024, "pss_kb": 9, "make_us": 1000},
            ]}
        met = {t[0]: (t[1], figures.is_met(t)) for t in figures.targets(
            {"core": core})}
        self.assertEqual(met["reset of hello, us"], (1.1, False))
        self.assertEqual(met["reset of dirty-16, us a page"], (.1, True))
        self.assertEqual(met["compute, of native"], (.985, False))
        self.assertEqual(met["memory of a VM, KB"], (100, True))
        self.assertEqual(met["making a VM, ms"], (.8, True))
        self.assertEqual(met["making one of 1 GB, of 64 MB"], (1.25, False))


class Output(unittest.TestCase):

    def test_number(self):
        self.assertEqual([figures.number(v) for v in (
            None, 0, 7., 1.234, 12.34, 123.4, 12345.6)],
            ["-", "0", "7", "1.23", "12.3", "123", "12346"])

    def test_table(self):
        self.assertEqual(figures.table(("", "n"), [("a", 1), ("bcd", 200)]),
                         ["       n", "a      1", "bcd  200"])

    def test_report(self):
        text = "\n".join(figures.report(result(hello=50., nginx=100.)))
        self.assertIn("hello", text)
        self.assertIn("MISSED", text)

    def test_chart(self):
        doc = xml.dom.minidom.parseString(
            chart.svg(http(hello=50., nginx=100.), "a < b"))
        width = [float(e.getAttribute("width"))
                 for e in doc.getElementsByTagName("rect")
                 if e.getAttribute("height") == str(chart.BAR - 1)]
        self.assertEqual(width, [chart.BARS / 2, chart.BARS])

    def test_update(self):
        old = "a\n%s\nold\n%s\nb\n" % (update.BEGIN, update.END)
        new = update.replaced(old, ["new", ""])
        self.assertEqual(new, "a\n%s\n\nnew\n\n%s\nb\n" % (
            update.BEGIN, update.END))
        self.assertEqual(update.replaced(new, ["new"]), new)
        self.assertRaises(ValueError, update.replaced, "a\nb\n", [])


if __name__ == "__main__":
    unittest.main()
