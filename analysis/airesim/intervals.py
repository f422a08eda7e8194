# SPDX-License-Identifier: GPL-3.0-or-later
"""Means over design points and replicates, and how sure they are.

A design point is ignorance, a replicate is chance. Replicates of one point are not independent evidence about another
range, so the points are the sample wherever there are several. Where all points share the draws of a replicate
(``draws: shared``), replicates are a second sample, crossed with the first (Owen 2007): its variance is added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

RUN_DIMS = ("point", "replicate")


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; the interval is NaN where one run cannot give one."""

    value: float
    low: float
    high: float
    n: int  # runs with a value

    def text(self, digits: int = 3) -> str:
        """Write it as ``value [low, high]``."""
        if not np.isfinite(self.value):
            return "–"
        if not np.isfinite(self.low):
            return f"{self.value:.{digits}g} (no interval: one run)"
        if self.low == self.high:
            return f"{self.value:.{digits}g}"
        return f"{self.value:.{digits}g} [{self.low:.{digits}g}, {self.high:.{digits}g}]"


def table(values: xr.DataArray) -> np.ndarray:
    """Runs as an array (point, replicate); other dimensions must have been selected away."""
    for dim in RUN_DIMS:
        if dim not in values.dims:
            values = values.expand_dims(dim)
    return values.transpose(*RUN_DIMS).values.astype(float)


def shared_draws(ds: xr.Dataset) -> bool:
    """Whether replicate r draws the same at every design point."""
    return str(ds.attrs.get("draws", "shared")) == "shared"


def mean_interval(runs: np.ndarray, shared: bool = True) -> Estimate:
    """Mean of runs (point, replicate) with its 95 % interval.

    Parameters
    ----------
    runs
        Values by point and replicate; missing ones are left out.
    shared
        Whether points share the draws of a replicate.
    """
    known = np.isfinite(runs)
    n = int(known.sum())
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    mean = float(runs[known].mean())
    points, replicates = _means(runs, 1), _means(runs, 0)
    if points.size > 1:
        samples = [points] + ([replicates] if shared and replicates.size > 1 else [])
    else:
        samples = [runs[known]]
    size = min(s.size for s in samples)
    if size < 2:
        return Estimate(mean, np.nan, np.nan, n)
    se = float(np.sqrt(sum(s.var(ddof=1) / s.size for s in samples)))
    width = float(stats.t.ppf(0.975, size - 1)) * se
    return Estimate(mean, mean - width, mean + width, n)


def _means(runs: np.ndarray, axis: int) -> np.ndarray:
    """Means along an axis, of the rows or columns that have a value."""
    known = np.isfinite(runs)
    count = known.sum(axis)
    total = np.where(known, runs, 0).sum(axis)
    return total[count > 0] / count[count > 0]


def wilson(successes: int, n: int) -> Estimate:
    """Share with Wilson's 95 % interval (Wilson 1927)."""
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    z2 = 1.959963984540054**2
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    width = np.sqrt(z2 * p * (1 - p) / n + z2**2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(float(centre - width), 0.0), min(float(centre + width), 1.0), n)


def resamples(points: int, replicates: int, shared: bool, times: int, seed: int = 1):
    """Indices of a bootstrap: points where there are several, replicates where they are one sample for all points.

    Yields
    ------
    tuple of arrays
        Points and replicates to take; the generator is seeded, so that a report is the same each time.
    """
    rng = np.random.default_rng(seed)
    for _ in range(times):
        p = rng.integers(0, points, points) if points > 1 else np.zeros(1, dtype=int)
        draw = replicates > 1 and (points == 1 or shared)
        yield p, rng.integers(0, replicates, replicates) if draw else np.arange(replicates)
