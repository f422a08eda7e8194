# SPDX-License-Identifier: GPL-3.0-or-later
"""Results files and the statistics that compare them with reference values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import comb, exp
from pathlib import Path

import h5py
import numpy as np
from scipy import linalg, stats

SIGMAS = 4.0  # |estimate - reference| may be this many standard errors, where there are many replicates
LEAST_P = 1e-4  # of a chi-square or Kolmogorov-Smirnov test


class Results:
    """Per-run values of a results file.

    Parameters
    ----------
    path
        The HDF5 file.
    """

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "r")
        labels = self._file["arm"][()] if "arm" in self._file else [b"base"]
        self.arms = [label.decode() if isinstance(label, bytes) else str(label) for label in labels]

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def values(self, variable: str, arm: str) -> np.ndarray:
        """Values of a variable in one arm, replicates first, then the variable's own dimensions."""
        data = self._file[variable]
        names = [scale[0].name.rsplit("/", 1)[-1] if len(scale) else "" for scale in data.dims]
        array = np.asarray(data[()])
        for name, index in (("point", 0), ("arm", self.arms.index(arm) if arm in self.arms else 0)):
            if name in names:
                array = np.take(array, index, axis=names.index(name))
                names.remove(name)
        array = np.moveaxis(array, names.index("replicate"), 0)
        return array.astype(float)


Extract = Callable[[Results, str], np.ndarray]


def column(variable: str, *index: int, scale: float = 1.0) -> Extract:
    """The values of a variable, at an index of its own dimensions, times `scale`."""

    def extract(results: Results, arm: str) -> np.ndarray:
        return results.values(variable, arm)[(slice(None), *index)] * scale

    return extract


def sigmas(n: int) -> float:
    """The bound in standard errors that are estimated from n values: as rarely exceeded as SIGMAS true ones (Student)."""
    return float(stats.t.isf(stats.norm.sf(SIGMAS), n - 1)) if n > 1 else SIGMAS


@dataclass(frozen=True)
class Verdict:
    """What one check found. `agrees` is about the values, `precise` about the standard error."""

    arm: str
    quantity: str
    reference: float
    estimate: float
    error: float
    tolerance: float
    agrees: bool
    precise: bool
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.agrees and self.precise


@dataclass(frozen=True)
class Mean:
    """|mean - reference| <= 4 SE (more where few replicates leave the SE uncertain) and 4 SE <= tolerance.

    The tolerance (quick, full) is relative to the reference. `missing` allows runs without a value (they are left out).
    """

    arm: str
    quantity: str
    extract: Extract
    reference: float
    tolerance: tuple[float, float]
    missing: bool = False

    def judge(self, results: Results, full: bool) -> Verdict:
        x = self.extract(results, self.arm)
        present = x[~np.isnan(x)]
        gone = len(x) - len(present)
        estimate, error = self._estimate(present) if len(present) > 1 else (float("nan"), float("nan"))
        allowed = self.tolerance[full] * abs(self.reference)
        agrees = abs(estimate - self.reference) <= sigmas(len(present)) * error and (gone == 0 or self.missing)
        note = f"{gone} runs without a value" if gone else ""
        return Verdict(self.arm, self.quantity, self.reference, estimate, error, allowed, agrees,
                       SIGMAS * error <= allowed, note)

    def _estimate(self, x: np.ndarray) -> tuple[float, float]:
        return float(np.mean(x)), float(np.std(x, ddof=1) / np.sqrt(len(x)))


@dataclass(frozen=True)
class Spread(Mean):
    """As `Mean`, of the standard deviation; its error is from the fourth central moment."""

    def _estimate(self, x: np.ndarray) -> tuple[float, float]:
        sd = float(np.std(x, ddof=1))
        fourth = float(np.mean((x - x.mean()) ** 4))
        return sd, float(np.sqrt(max(fourth - sd**4, 0.0) / len(x)) / (2 * sd)) if sd > 0 else 0.0


@dataclass(frozen=True)
class Exact:
    """Every run has the reference value, within a relative tolerance."""

    arm: str
    quantity: str
    extract: Extract
    reference: float
    tolerance: float = 1e-9

    def judge(self, results: Results, full: bool) -> Verdict:
        x = self.extract(results, self.arm)
        worst = float(x[np.argmax(np.abs(x - self.reference))]) if not np.isnan(x).any() else float("nan")
        allowed = self.tolerance * abs(self.reference)
        return Verdict(self.arm, self.quantity, self.reference, worst, 0.0, allowed,
                       abs(worst - self.reference) <= allowed, True)


@dataclass(frozen=True)
class Within:
    """A number computed from all runs lies in a closed interval (hindcasts)."""

    arm: str
    quantity: str
    number: Callable[[Results, str], float]
    low: float
    high: float

    def judge(self, results: Results, full: bool) -> Verdict:
        x = self.number(results, self.arm)
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return Verdict(self.arm, self.quantity, middle, x, 0.0, half, self.low <= x <= self.high, True)


@dataclass(frozen=True)
class Pmf:
    """Chi-square test of whole-number values against probabilities; cells expecting fewer than five are pooled."""

    arm: str
    quantity: str
    extract: Extract
    probability: dict[int, float]

    def judge(self, results: Results, full: bool) -> Verdict:
        p, note = chi_square(self.extract(results, self.arm), self.probability)
        return Verdict(self.arm, self.quantity, LEAST_P, p, 0.0, 0.0, p > LEAST_P, True, note or "p of chi-square")


@dataclass(frozen=True)
class Distribution:
    """Kolmogorov-Smirnov test of continuous values against a distribution function."""

    arm: str
    quantity: str
    extract: Extract
    cdf: Callable[[np.ndarray], np.ndarray]

    def judge(self, results: Results, full: bool) -> Verdict:
        x = self.extract(results, self.arm)
        p = 0.0 if np.isnan(x).any() else float(stats.kstest(x, self.cdf).pvalue)
        return Verdict(self.arm, self.quantity, LEAST_P, p, 0.0, 0.0, p > LEAST_P, True, "p of Kolmogorov-Smirnov")


Check = Mean | Exact | Within | Pmf | Distribution


def chi_square(values: np.ndarray, probability: dict[int, float]) -> tuple[float, str]:
    """p-value of a chi-square test, and a note where a value is impossible.

    Parameters
    ----------
    values
        One whole number a run.
    probability
        Of each possible value; their sum may fall short of 1 by a tail, which is a cell of its own.
    """
    n = len(values)
    seen = {int(k): int(c) for k, c in zip(*np.unique(values[~np.isnan(values)], return_counts=True))}
    cells = [(seen.get(k, 0), n * p) for k, p in sorted(probability.items()) if p > 0]
    rest = n - sum(count for count, _ in cells)
    tail = n * max(1.0 - sum(probability.values()), 0.0)
    if tail < 1e-6 * n and rest > 0:
        return 0.0, f"{rest} runs have impossible values"
    cells.append((rest, tail))
    pooled: list[list[float]] = [[0.0, 0.0]]
    for count, expected in cells:
        if pooled[-1][1] >= 5:
            pooled.append([0.0, 0.0])
        pooled[-1][0] += count
        pooled[-1][1] += expected
    if pooled[-1][1] < 5 and len(pooled) > 1:
        count, expected = pooled.pop()
        pooled[-1][0] += count
        pooled[-1][1] += expected
    statistic = sum((count - expected) ** 2 / expected for count, expected in pooled)
    return float(stats.chi2.sf(statistic, len(pooled) - 1)), ""


def final_size(people: int, rate: float, transform: Callable[[Decimal], Decimal]) -> dict[int, float]:
    """Law of the final size (with the one seed) of SIR where everyone meets everyone.

    Ball (1986), equation 2.3: sum over j <= k of C(n-j, k-j) P(j) / phi(n-k)^(j+1) = C(n, k), with phi the Laplace
    transform of the infectious period at (n-k) rate. The sum alternates badly: it is taken with 120 digits.

    Parameters
    ----------
    people
        Everyone, the seed among them.
    rate
        Of transmission along an edge.
    transform
        Laplace transform of the infectious period.
    """
    n = people - 1
    with localcontext() as context:
        context.prec = 120
        p: list[Decimal] = []
        for k in range(n + 1):
            phi = transform(Decimal(n - k) * Decimal(str(rate)))
            total = sum((comb(n - j, k - j) * p[j] / phi ** (j + 1) for j in range(k)), Decimal(0))
            p.append((comb(n, k) - total) * phi ** (k + 1))
        return {k + 1: float(value) for k, value in enumerate(p)}


def restore_all_cdf(units: int, crews: int, fail: float, mend: float) -> Callable[[np.ndarray], np.ndarray]:
    """Distribution function of the first time that all units are up, from all down: a chain absorbed at none down."""
    rates = np.zeros((units, units))  # states 1 .. units down
    for down in range(1, units + 1):
        up, back = min(down, crews) * mend, (units - down) * fail
        rates[down - 1, down - 1] = -(up + back)
        if down > 1:
            rates[down - 1, down - 2] = up
        if down < units:
            rates[down - 1, down] = back
    grid = np.arange(0.0, 40.0 * max(units / crews, 3.0) / mend, 0.01 / mend)
    step, at, below = linalg.expm(rates * grid[1]), np.eye(units)[units - 1], []
    for _ in grid:
        below.append(1 - at.sum())
        at = at @ step
    return lambda t: np.interp(t, grid, below)


def exponential_transform(theta: Decimal) -> Decimal:
    """Laplace transform of the exponential law of mean 1."""
    return 1 / (1 + theta)


def fixed_transform(theta: Decimal) -> Decimal:
    """Laplace transform of the fixed amount 1."""
    return (-theta).exp()


def poisson(mean: float) -> dict[int, float]:
    """Poisson probabilities; what is left out is below 1e-9."""
    top = int(mean + 12 * np.sqrt(mean) + 12)
    return {k: float(stats.poisson.pmf(k, mean)) for k in range(top + 1)}


def sinusoidal_integral(mean: float, amplitude: float, period: float) -> Callable[[np.ndarray], np.ndarray]:
    """Integral from 0 of mean + amplitude sin(2 pi t / period)."""
    w = 2 * np.pi / period
    return lambda t: mean * np.asarray(t) + amplitude / w * (1 - np.cos(w * np.asarray(t)))


def first_arrival_cdf(mean: float, amplitude: float, period: float, end: float) -> Callable[[np.ndarray], np.ndarray]:
    """Distribution function of the first arrival, given that it comes before `end`."""
    integral = sinusoidal_integral(mean, amplitude, period)
    whole = 1 - exp(-float(integral(np.asarray(end))))
    return lambda t: (1 - np.exp(-integral(t))) / whole
