# SPDX-License-Identifier: GPL-3.0-or-later
"""What a budget buys: lost days a year against a share, where two arms break even, and what a wrong choice costs."""

from __future__ import annotations

import fnmatch

import numpy as np
import xarray as xr

from airesim.intervals import Estimate, mean_interval, resamples, shared_draws, table
from airesim.paired import differences

DAYS_A_YEAR = 365.25
SHARES = "budget.lines.*.share"


def lost_days_per_year(ds: xr.Dataset) -> xr.DataArray:
    """Lost functionality-days per year of each run: the file's own, else the loss of resilience over the horizon.

    A run without a degradation has lost nothing: 0, not missing.
    """
    if "lost_days_per_year" in ds and set(ds["lost_days_per_year"].dims) == {"arm", "point", "replicate"}:
        return ds["lost_days_per_year"]
    loss = ds["resilience_loss"]
    if "status" in ds and "level" in ds["status"].dims:
        quiet = (ds["status"] == "never_degraded").all("level")
        loss = loss.where(~(quiet & loss.isnull()), 0.0)
    years = ds["horizon"] / DAYS_A_YEAR
    value = (loss / years).transpose(*ds["resilience_loss"].dims)
    value.name = "lost_days_per_year"
    value.attrs = {"units": "day/year", "long_name": "lost functionality-days a year"}
    return value


def lost_days(ds: xr.Dataset) -> xr.DataArray:
    """Lost functionality-days of each run: a year, or over the run where no whole year was simulated.

    One incident in a run of a week says nothing of a year; ``attrs["words"]`` says which of the two it is.
    """
    yearly = lost_days_per_year(ds)
    if float(ds["horizon"].min()) >= DAYS_A_YEAR - 1:
        return yearly.assign_attrs(words="days of functionality lost a year")
    value = (yearly * (ds["horizon"] / DAYS_A_YEAR)).transpose(*yearly.dims)
    value.name = "lost_days"
    value.attrs = {"units": "day", "long_name": "lost functionality-days", "words": "days of functionality lost"}
    return value


def budget_share(ds: xr.Dataset, path: str | None = None) -> tuple[str, xr.DataArray] | None:
    """Path and values by arm (or by design point) of a budget share that varies; none where the file varies no such thing.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    path
        The parameter; by default the first of ``budget.lines.*.share`` that takes several values.
    """
    wanted = SHARES if path is None else path
    if "factor" in ds.dims and "design_value" in ds:
        for name in (str(f) for f in ds["factor"].values):
            if fnmatch.fnmatch(name, wanted):
                return name, ds["design_value"].sel(factor=name, drop=True)
    for name in (str(p) for p in ds["parameter"].values) if "parameter" in ds.dims else ():
        if fnmatch.fnmatch(name, wanted):
            value = ds["parameter_number"].sel(parameter=name, drop=True)
            if np.unique(value.values[np.isfinite(value.values)]).size > 1:
                return name, value
    return None


def curve(ds: xr.Dataset, values: xr.DataArray, path: str | None = None, bins: int = 6) -> xr.Dataset:
    """A measure against a budget share: across arms that differ in it, or across design points in bins of equal counts.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    values
        A measure over arm, point and replicate.
    path
        As for ``budget_share``.
    bins
        Bins of the share where the design varies it.

    Returns
    -------
    xarray.Dataset
        ``mean``, ``low``, ``high`` along ``share``; ``arm`` names the arm where arms are what differs.

    Raises
    ------
    ValueError
        If no such share varies.
    """
    found = budget_share(ds, path)
    if found is None:
        raise ValueError("no budget share varies between the arms or design points of this file")
    name, share = found
    rows: list[tuple[float, str, Estimate]] = []
    if "arm" in share.dims:
        for arm in (str(a) for a in ds["arm"].values):
            if np.isfinite(share.sel(arm=arm)):
                rows.append(
                    (float(share.sel(arm=arm)), arm, mean_interval(table(values.sel(arm=arm)), shared_draws(ds)))
                )
    else:
        edges = np.unique(np.quantile(share.values, np.linspace(0, 1, bins + 1)))
        place = np.clip(np.searchsorted(edges, share.values, side="right") - 1, 0, max(edges.size - 2, 0))
        for arm in (str(a) for a in ds["arm"].values):
            for b in np.unique(place):
                runs = table(values.sel(arm=arm))[place == b]
                rows.append((float(share.values[place == b].mean()), arm, mean_interval(runs, shared_draws(ds))))
    rows.sort(key=lambda row: (row[1] if "arm" not in share.dims else "", row[0]))
    return xr.Dataset(
        {"mean": ("row", [e.value for _, _, e in rows]), "low": ("row", [e.low for _, _, e in rows]),
         "high": ("row", [e.high for _, _, e in rows]), "n": ("row", [e.n for _, _, e in rows])},
        coords={"share": ("row", [s for s, _, _ in rows]), "arm": ("row", [a for _, a, _ in rows])},
        attrs={"path": name, "across": "arm" if "arm" in share.dims else "point", "units": values.attrs.get("units", "")},
    )  # fmt: skip


def break_even(values: xr.DataArray, ds: xr.Dataset, arm: str, other: str, factor: str, times: int = 400) -> Estimate:
    """Value of a factor at which two arms do equally well, with its 95 % interval by bootstrap.

    The difference between the arms at each design point is regressed on the factor, by a line or, from 20 points, a parabola; the root
    inside the factor's range counts. NaN where there is none, or where fewer than 90 % of the bootstrap samples have one: then the
    answer does not flip within the range, as far as the runs can tell.

    Parameters
    ----------
    values
        A measure over arm, point and replicate.
    ds
        The dataset that holds the design.
    arm, other
        The arms to compare.
    factor
        Path of the factor.
    times
        Bootstrap samples.
    """
    d = differences(values, arm, other)
    x = ds["design_value"].sel(factor=factor).values
    none = Estimate(np.nan, np.nan, np.nan, int(np.isfinite(d).sum()))
    if x.size < 6 or np.ptp(x) == 0:
        return none
    order = 2 if x.size >= 20 else 1
    value = _root(x, d, order)
    if not np.isfinite(value):
        return none
    boot = np.array([_root(x[p], d[np.ix_(p, r)], order) for p, r in resamples(*d.shape, shared_draws(ds), times)])
    found = boot[np.isfinite(boot)]
    if found.size < 0.9 * times:
        return none
    low, high = np.quantile(found, [0.025, 0.975])
    return Estimate(value, float(low), float(high), none.n)


def _root(x: np.ndarray, d: np.ndarray, order: int) -> float:
    """Where the fitted difference crosses zero within the range of x; the crossing nearest to the middle."""
    known = np.isfinite(d)
    keep = known.any(1)
    y = np.where(known, d, 0).sum(1)[keep] / known.sum(1)[keep]
    x = x[keep]
    if np.unique(x).size <= order or np.all(y == 0):
        return float("nan")
    low, high = x.min(), x.max()
    u = 2 * (x - low) / (high - low) - 1
    roots = np.roots(np.polyfit(u, y, order))
    inside = roots[np.isreal(roots)].real
    inside = inside[np.abs(inside) <= 1]
    return float(low + (inside[np.argmin(np.abs(inside))] + 1) / 2 * (high - low)) if inside.size else float("nan")


def regret_map(values: xr.DataArray, ds: xr.Dataset, x: str, y: str, bins: int = 4) -> xr.Dataset:
    """Which arm is best where two factors lie, and what choosing another there costs.

    Parameters
    ----------
    values
        A measure over arm, point and replicate; less is better.
    ds
        The dataset that holds the design.
    x, y
        Paths of the factors.
    bins
        Cells along each factor, of equal width.

    Returns
    -------
    xarray.Dataset
        ``best`` (arm; empty where no point fell) and ``sure`` (whether the runner-up is worse with 95 % confidence, by paired
        differences) by cell (y, x); ``regret`` by arm and cell: mean of the arm less mean of the best; ``points`` in each cell.
    """
    at = {f: ds["design_value"].sel(factor=f).values for f in (x, y)}
    edges = {f: np.linspace(v.min(), v.max(), bins + 1) for f, v in at.items()}
    place = {f: np.clip(np.searchsorted(edges[f], v, side="right") - 1, 0, bins - 1) for f, v in at.items()}
    arms = [str(a) for a in values["arm"].values]
    runs = {a: table(values.sel(arm=a)) for a in arms}
    regret = np.full((len(arms), bins, bins), np.nan)
    best, sure, points = np.full((bins, bins), "", object), np.zeros((bins, bins), bool), np.zeros((bins, bins), int)
    for j in range(bins):
        for i in range(bins):
            here = (place[x] == i) & (place[y] == j)
            means = np.array([mean_interval(runs[a][here]).value if here.any() else np.nan for a in arms])
            points[j, i] = here.sum()
            if not np.isfinite(means).any():
                continue
            regret[:, j, i] = means - np.nanmin(means)
            ranked = np.argsort(np.where(np.isfinite(means), means, np.inf), kind="stable")
            best[j, i] = arms[ranked[0]]
            if len(arms) > 1:
                lead = mean_interval(runs[arms[ranked[1]]][here] - runs[arms[ranked[0]]][here], shared_draws(ds))
                sure[j, i] = bool(lead.low > 0)
    centre = {f: (e[1:] + e[:-1]) / 2 for f, e in edges.items()}
    return xr.Dataset(
        {"best": (("y", "x"), best), "sure": (("y", "x"), sure), "points": (("y", "x"), points),
         "regret": (("arm", "y", "x"), regret)},
        coords={"arm": arms, "x": centre[x], "y": centre[y]},
        attrs={"x": x, "y": y, "units": values.attrs.get("units", "")},
    )  # fmt: skip
