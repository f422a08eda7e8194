# SPDX-License-Identifier: GPL-3.0-or-later
"""The analysis package on a small batch run by the program itself."""

from __future__ import annotations

import csv
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import airesim
from airesim.__main__ import main
from airesim.figures import read_observed
from airesim.survival import _kaplan_meier

SOURCE = Path(os.environ.get("AIRESIM_SOURCE_DIR", Path(__file__).parents[2]))
PROGRAM = os.environ.get("AIRESIM_PROGRAM", str(SOURCE / "build" / "airesim"))


class Results(unittest.TestCase):
    """One batch for all tests."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.directory.name, "small.h5")
        scenario = str(SOURCE / "tests" / "program" / "small.yaml")
        subprocess.run([PROGRAM, "run", scenario, "--quiet", "-o", cls.path], check=True)
        cls.ds = airesim.open(cls.path)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.ds.close()
        cls.directory.cleanup()

    def test_dimensions(self) -> None:
        self.assertEqual(self.ds["resilience_loss"].dims[:3], ("arm", "point", "replicate"))
        self.assertEqual(list(self.ds["arm"].values), ["base", "fewer_contacts"])
        self.assertEqual(self.ds.sizes["replicate"], 40)

    def test_status_is_words(self) -> None:
        known = {"recovered", "relapsed_then_recovered", "relapsed_censored", "censored", "never_degraded", "failed"}
        for level in self.ds["level"].values:
            counts = airesim.status_counts(self.ds, "base", level)
            self.assertLessEqual(set(counts), known)
            self.assertEqual(sum(counts.values()), 40)

    def test_curve_agrees_with_counts(self) -> None:
        for level in self.ds["level"].values:
            curve = airesim.survival_curve(self.ds, "base", float(level))
            self.assertEqual(curve.runs + curve.never_degraded + curve.failed, 40)
            self.assertTrue(np.all(np.diff(curve.share) <= 0))
            self.assertTrue(np.all(curve.low <= curve.share + 1e-12))

    def test_same_median_as_the_program(self) -> None:
        shown = subprocess.run([PROGRAM, "show", self.path, "--csv"], check=True, capture_output=True, text=True).stdout
        compared = 0
        for arm, variable, element, statistic, value, _ in csv.reader(shown.splitlines()):
            if variable == "time_to_recover" and statistic == "median" and value:
                curve = airesim.survival_curve(self.ds, arm, float(element.removeprefix("level=")))
                self.assertAlmostEqual(float(value), curve.days[np.argmax(curve.share <= 0.5 + 1e-12)], places=9)
                compared += 1
        self.assertGreater(compared, 0)

    def test_figure(self) -> None:
        figure = os.path.join(self.directory.name, "small.png")
        self.assertEqual(main(["figures", self.path, "-o", figure]), 0)
        self.assertGreater(os.path.getsize(figure), 20_000)

    def test_facts(self) -> None:
        footer = airesim.facts(self.ds).footer()
        self.assertIn("n = 40", footer)
        self.assertIn("60 days", footer)
        self.assertIn("seed 7", footer)
        self.assertNotIn("unknown", footer)


class Failures(unittest.TestCase):
    def test_absent_and_foreign_files(self) -> None:
        with self.assertRaises(FileNotFoundError):
            airesim.open("none.h5")
        with tempfile.NamedTemporaryFile(suffix=".h5") as file:
            file.write(b"not hdf5")
            file.flush()
            with self.assertRaises(ValueError):
                airesim.open(file.name)
            with self.assertRaises(ValueError):
                read_observed(file.name)


class KaplanMeier(unittest.TestCase):
    def test_textbook(self) -> None:
        """Six runs, one censored at 3: the estimate by hand."""
        time = np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
        event = np.array([True, True, True, False, True, True])
        days, share, _, _ = _kaplan_meier(time, event)
        np.testing.assert_allclose(days, [0, 1, 2, 4, 5])
        np.testing.assert_allclose(share, [1, 5 / 6, 3 / 6, 1 / 4, 0])

    def test_all_censored(self) -> None:
        days, share, _, _ = _kaplan_meier(np.array([3.0, 4.0]), np.array([False, False]))
        np.testing.assert_allclose(days, [0])
        np.testing.assert_allclose(share, [1])


if __name__ == "__main__":
    unittest.main()
