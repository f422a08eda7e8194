# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assumptions move the result, and how much of its spread is ignorance and how much chance.

Everything here works from given data: any design whose factors vary independently (Latin hypercube, Sobol' points).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats

from airesim.intervals import shared_draws, table

MIN_POINTS = 8  # below this a rank correlation says nothing


def factors(ds: xr.Dataset) -> list[str]:
    """Paths that the design varies, those that really take several values."""
    if "design_value" not in ds or ds.sizes.get("point", 1) < 2:
        return []
    values = ds["design_value"].transpose("point", "factor").values
    return [str(f) for f, x in zip(ds["factor"].values, values.T) if np.unique(x[np.isfinite(x)]).size > 1]


def first_order(x: np.ndarray, y: np.ndarray) -> float:
    """Share of the variance of y that x alone explains, from given data.

    A regression on shifted Legendre polynomials of the rank of x (Lewandowski, Cooke & Duintjer Tebbens 2007), adjusted for
    its number of terms, so that a factor without influence has mean 0. The order grows with the number of points.
    """
    n = y.size
    order = int(np.clip(np.sqrt(n) / 2, 1, 12))
    if n < order + 3 or np.ptp(y) == 0:
        return float("nan")
    u = 2 * (stats.rankdata(x) - 0.5) / n - 1
    basis = np.polynomial.legendre.legvander(u, order)
    residual = y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]
    return float(1 - (residual @ residual / (n - order - 1)) / y.var(ddof=1))


def indices(values: xr.DataArray, ds: xr.Dataset, times: int = 200) -> xr.Dataset:
    """Rank correlation and first-order Sobol' share of each factor with 95 % intervals by bootstrap over points.

    Parameters
    ----------
    values
        A measure over (point, replicate): one arm of a variable, or the difference of two arms.
    ds
        The dataset that holds the design.
    times
        Bootstrap samples.

    Returns
    -------
    xarray.Dataset
        By factor, the most influential first: ``rank_correlation``, ``first_order`` (of the variance between points, chance
        averaged out as far as the replicates allow), their limits, ``low_end`` and ``high_end`` (mean of the measure in the
        lowest and highest third of the factor). Empty where there are fewer than 8 points.
    """
    names = factors(ds)
    runs = table(values)
    count = np.isfinite(runs).sum(1)
    good = count > 0
    if not names or good.sum() < MIN_POINTS:
        return xr.Dataset(coords={"factor": np.array([], dtype=object)}, attrs={"points": int(good.sum())})
    y = np.where(np.isfinite(runs), runs, 0).sum(1)[good] / count[good]
    x = ds["design_value"].sel(factor=names).transpose("point", "factor").values[good]
    rng = np.random.default_rng(1)
    rows = []
    for i in range(len(names)):
        rho, share = _correlation(x[:, i], y), first_order(x[:, i], y)
        boot = [(_correlation(x[k, i], y[k]), first_order(x[k, i], y[k]))
                for k in (rng.integers(0, y.size, y.size) for _ in range(times))]  # fmt: skip
        spread = 1.96 * np.nanstd(np.array(boot), axis=0, ddof=1)
        low, high = np.quantile(x[:, i], [1 / 3, 2 / 3])
        rows.append(
            {
                "rank_correlation": rho, "rank_low": max(rho - spread[0], -1), "rank_high": min(rho + spread[0], 1),
                "first_order": float(np.clip(share, 0, 1)),
                "first_low": float(np.clip(share - spread[1], 0, 1)), "first_high": float(np.clip(share + spread[1], 0, 1)),
                "low_end": y[x[:, i] <= low].mean(), "high_end": y[x[:, i] >= high].mean(),
            }
        )  # fmt: skip
    order = np.argsort([-abs(np.nan_to_num(r["rank_correlation"])) for r in rows], kind="stable")
    columns = {k: ("factor", [rows[i][k] for i in order]) for k in rows[0]}
    attrs = {"points": int(good.sum()), "mean": float(y.mean()), "units": values.attrs.get("units", "")}
    return xr.Dataset(columns, coords={"factor": [names[i] for i in order]}, attrs=attrs)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])


def variance_split(values: xr.DataArray, ds: xr.Dataset) -> dict[str, float]:
    """Split the variance of a measure over (point, replicate) into ignorance (points) and chance (replicates).

    Parameters
    ----------
    values
        One arm of a measure, or a difference of arms.
    ds
        The dataset: it says whether points share draws.

    Returns
    -------
    dict
        ``ignorance`` and ``chance`` (variances, unbiased; a negative estimate becomes 0) and ``share`` of ignorance. NaN where one
        point or one replicate leaves them untold apart.

    Notes
    -----
    One-way analysis of variance where points draw afresh; where they share draws, two-way without replication, its
    interaction counted as chance.
    """
    runs = table(values)
    runs = runs[np.isfinite(runs).all(1)]
    p, r = runs.shape
    if p < 2 or r < 2:
        return {"ignorance": float("nan"), "chance": float("nan"), "share": float("nan")}
    by_point = r * runs.mean(1).var(ddof=1)
    if shared_draws(ds):
        left = runs - runs.mean(1, keepdims=True) - runs.mean(0, keepdims=True) + runs.mean()
        error = float((left**2).sum() / ((p - 1) * (r - 1)))
        chance = error + max(float(runs.mean(0).var(ddof=1)) - error / p, 0.0)
    else:
        chance = error = float(runs.var(axis=1, ddof=1).mean())
    ignorance = max((by_point - error) / r, 0.0)
    total = ignorance + chance
    return {"ignorance": ignorance, "chance": chance, "share": ignorance / total if total > 0 else float("nan")}
