#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the tests: the statistics, the exact laws and the bit-for-bit comparison, on made-up data."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from checks import (  # noqa: E402
    Distribution,
    Exact,
    Mean,
    Pmf,
    Results,
    Spread,
    Within,
    chi_square,
    column,
    exponential_transform,
    final_size,
    first_arrival_cdf,
    fixed_transform,
    poisson,
    restore_all_cdf,
)
from harness import Values, differences, patched, yaml_text  # noqa: E402
from registry import cases  # noqa: E402
from table import number, whole  # noqa: E402

REFERENCE = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))


class MadeUp:
    """Stands for Results: the same values for every arm."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = np.asarray(x, dtype=float)

    def values(self, variable: str, arm: str) -> np.ndarray:
        return self.x


def write(path: Path, seed: float = 1.0, extra: float = float("nan"), note: str = "days", host: str = "a") -> Path:
    """A small results file: a variable over arm, point, replicate and level, with scales, attributes and a NaN."""
    with h5py.File(path, "w", track_order=True) as file:
        labels = {"arm": [b"x", b"y"], "point": [0.0], "replicate": [0.0, 1.0, 2.0], "level": [0.3, 0.9]}
        for name, values in labels.items():
            file[name] = np.array(values, dtype=h5py.string_dtype() if name == "arm" else float)
            file[name].make_scale(name)
        data = np.arange(12.0).reshape(2, 1, 3, 2) * seed
        data[0, 0, 0, 0] = extra
        file["time_to_recover"] = data
        for i, name in enumerate(labels):
            file["time_to_recover"].dims[i].attach_scale(file[name])
        file["time_to_recover"].attrs["units"] = note
        file.attrs["provenance_host"] = host
    return path


class Statistics(unittest.TestCase):
    """Checks accept what is right, reject what is a little wrong, and say when they could not tell."""

    def setUp(self) -> None:
        self.random = np.random.default_rng(1)

    def judge(self, check, x):  # noqa: ANN001, ANN201
        return check.judge(MadeUp(x), False)

    def test_mean(self) -> None:
        x = self.random.exponential(2.0, 40_000)
        self.assertTrue(self.judge(Mean("a", "", column("v"), 2.0, (0.03, 0.01)), x).passed)
        self.assertFalse(self.judge(Mean("a", "", column("v"), 2.1, (0.03, 0.01)), x).agrees)
        self.assertFalse(self.judge(Mean("a", "", column("v"), 2.0, (0.01, 0.01)), x).precise)
        x[7] = np.nan
        self.assertFalse(self.judge(Mean("a", "", column("v"), 2.0, (0.03, 0.01)), x).agrees)
        self.assertTrue(self.judge(Mean("a", "", column("v"), 2.0, (0.03, 0.01), missing=True), x).passed)

    def test_mean_rarely_rejects_the_truth(self) -> None:
        check = Mean("a", "", column("v"), 1.0, (1.0, 1.0))
        rejected = sum(not self.judge(check, self.random.exponential(1.0, 400)).agrees for _ in range(4000))
        self.assertLess(rejected, 12)

    def test_spread(self) -> None:
        x = self.random.exponential(2.0, 40_000)
        self.assertTrue(self.judge(Spread("a", "", column("v"), 2.0, (0.06, 0.01)), x).passed)
        self.assertFalse(self.judge(Spread("a", "", column("v"), 2.2, (0.06, 0.01)), x).agrees)

    def test_pmf(self) -> None:
        x = self.random.poisson(4.5, 40_000)
        self.assertTrue(self.judge(Pmf("a", "", column("v"), poisson(4.5)), x).passed)
        self.assertFalse(self.judge(Pmf("a", "", column("v"), poisson(4.6)), x).passed)
        self.assertEqual(chi_square(np.array([1.0, 2.0, 3.0]), {1: 0.5, 2: 0.5})[0], 0.0)
        p = [chi_square(self.random.choice([1, 2, 3], 500, p=[0.5, 0.3, 0.2]), {1: 0.5, 2: 0.3, 3: 0.2})[0]
             for _ in range(2000)]
        self.assertLess(abs(np.mean(p) - 0.5), 0.03)

    def test_distribution_exact_within(self) -> None:
        x = self.random.exponential(1.0, 20_000)
        self.assertTrue(self.judge(Distribution("a", "", column("v"), lambda t: 1 - np.exp(-t)), x).passed)
        self.assertFalse(self.judge(Distribution("a", "", column("v"), lambda t: 1 - np.exp(-1.05 * t)), x).passed)
        self.assertTrue(self.judge(Exact("a", "", column("v"), 22.0), np.full(3, 22.0)).passed)
        self.assertFalse(self.judge(Exact("a", "", column("v"), 22.0), np.array([22.0, 22.00001])).passed)
        self.assertFalse(self.judge(Exact("a", "", column("v"), 22.0), np.array([22.0, np.nan])).passed)
        self.assertFalse(self.judge(Within("a", "", lambda r, a: float("nan"), 0, 1), np.zeros(1)).passed)


class ExactLaws(unittest.TestCase):
    """Our own recursions against the reference values."""

    def test_final_size(self) -> None:
        for people, key in ((3, "K3"), (4, "K4")):
            for transform, theirs in ((exponential_transform, REFERENCE["A01"][key]["final_size_pmf"]),
                                      (fixed_transform, REFERENCE["A01b"][f"{key} d=1 (T=1-e^-1)"]["pmf"])):
                ours = final_size(people, 1.0, transform)
                for size, p in whole(theirs).items():
                    self.assertAlmostEqual(ours[size], p, places=12)

    def test_pmfs_sum_to_one(self) -> None:
        for group in ("A01", "A02"):
            for value in REFERENCE[group].values():
                pmf = whole(value["final_size_pmf"])
                self.assertAlmostEqual(sum(pmf.values()), 1, places=12)
                self.assertAlmostEqual(sum(k * p for k, p in pmf.items()), value["mean_final_size"], places=10)
                self.assertGreater(number(value["ET"]), 0)

    def test_restore_all(self) -> None:
        for key, value in REFERENCE["A19"].items():
            if not key.startswith("c=") or "re-failure" not in key:
                continue
            crews, fail = int(key[2:key.index(" ")]), float(key.split("lam=")[1])
            cdf = restore_all_cdf(10, crews, fail, 1.0)
            for at, p in ((value["median"], 0.5), (value["p95"], 0.95)):
                self.assertAlmostEqual(float(cdf(np.array([at]))[0]), p, places=4, msg=key)

    def test_first_arrival(self) -> None:
        t = np.linspace(0, 24, 200_001)
        mean = np.trapz(1 - first_arrival_cdf(2.0, 1.5, 24.0, 24.0)(t), t)
        self.assertAlmostEqual(mean, REFERENCE["A22"]["mean time of first event"], places=6)


class Files(unittest.TestCase):
    """Reading results and comparing them bit for bit."""

    def setUp(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = Path(self.directory.name)

    def test_values(self) -> None:
        with Results(write(self.path / "a.h5")) as results:
            self.assertEqual(results.arms, ["x", "y"])
            self.assertEqual(results.values("time_to_recover", "y").tolist(), [[6, 7], [8, 9], [10, 11]])
            self.assertEqual(column("time_to_recover", 1, scale=2)(results, "y").tolist(), [14, 18, 22])
        values = Values(self.path / "a.h5")
        self.assertEqual(values.element("time_to_recover[level=0.9]", arm=1, replicate=2, point=0), (11.0, None))

    def test_differences(self) -> None:
        a = write(self.path / "a.h5")
        self.assertEqual(differences(a, write(self.path / "b.h5", host="b")), [])
        self.assertEqual(differences(a, write(self.path / "c.h5", seed=1.0 + 2**-52)), ["time_to_recover"])
        self.assertEqual(differences(a, write(self.path / "d.h5", extra=-float("nan"))), ["time_to_recover"])
        self.assertEqual(differences(a, write(self.path / "e.h5", note="hours")), ["time_to_recover@units"])

    def test_trees(self) -> None:
        tree = {"a": "1", "b": {"c": "2 days", "d": {}}, "e": ["x", "y"]}
        self.assertEqual(yaml_text(tree), "a: 1\nb:\n  c: 2 days\n  d: {}\ne: [x, y]\n")
        shuffled = yaml_text(tree, random.Random(4))
        self.assertNotEqual(shuffled, yaml_text(tree))
        self.assertEqual(sorted(shuffled), sorted(yaml_text(tree)))
        self.assertEqual(patched(tree, b__c="3 days", e=None), {"a": "1", "b": {"c": "3 days", "d": {}}})
        self.assertEqual(tree["b"]["c"], "2 days")


class Table(unittest.TestCase):
    """The table of cases is about scenarios and arms that exist."""

    def test_scenarios(self) -> None:
        found = cases()
        self.assertEqual(len({case.name for case in found}), len(found))
        for case in found:
            text = (HERE / "cases" / case.scenario).read_text(encoding="utf-8")
            arms = set(case.arms) or {"base"}
            self.assertLessEqual({check.arm for check in case.checks}, arms, case.name)
            self.assertLessEqual(set(case.broken.arms), arms, case.name)
            self.assertLessEqual(set(case.quick_arms), arms, case.name)
            for arm in case.arms:
                self.assertIn(f"\n  {arm}: ", text, case.name)


if __name__ == "__main__":
    unittest.main()
