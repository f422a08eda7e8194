# SPDX-License-Identifier: GPL-3.0-or-later
"""What a budget buys: lost days a year against a share, where two arms break even, and what a wrong choice costs."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from typing import NamedTuple

import numpy as np
import xarray as xr

from airesim.intervals import Estimate, mean_interval, resamples, shared_draws, table
from airesim.paired import differences, reference_arm

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
        The parameter; by default of ``budget.lines.*.share``, varied by the design or else between arms, the one that buys safeguards, or
        else the one that varies most.
    """
    wanted = SHARES if path is None else path
    found: list[tuple[bool, bool, float, str, xr.DataArray]] = []
    for dim, name in (("factor", "design_value"), ("parameter", "parameter_number")):
        for label in (str(v) for v in ds[dim].values) if dim in ds.dims and name in ds else ():
            if not fnmatch.fnmatch(label, wanted):
                continue
            value = ds[name].sel({dim: label}, drop=True)
            spread = float(value.max() - value.min())
            if spread > 0:
                found.append((dim == "factor", _buys(ds, label).startswith("safeguards."), spread, label, value))
    if not found:
        return None
    best = max(found, key=lambda row: row[:3])
    return best[3], best[4]


def _buys(ds: xr.Dataset, share: str) -> str:
    """What the line of a share buys: a path, or empty."""
    path = share.removesuffix("share") + "buys"
    if "parameter_value" not in ds or path not in ds["parameter"].values:
        return ""
    return next((str(v) for v in ds["parameter_value"].sel(parameter=path).values if v), "")


def total(ds: xr.Dataset) -> xr.DataArray | None:
    """The budget of each arm in currency a year, or none where the scenario has no budget."""
    if "parameter_number" not in ds or "budget.total" not in ds["parameter"].values:
        return None
    value = ds["parameter_number"].sel(parameter="budget.total", drop=True)
    return value if bool(np.isfinite(value).any()) else None


def line_shares(ds: xr.Dataset) -> xr.DataArray | None:
    """Share of the budget by arm and line, ``rest`` filled in; none where the scenario has no budget."""
    paths = [str(p) for p in ds["parameter"].values if fnmatch.fnmatch(str(p), SHARES)] if "parameter" in ds.dims else []
    if not paths:
        return None
    share = ds["parameter_number"].sel(parameter=paths).transpose("arm", "parameter").values
    rest = ds["parameter_value"].sel(parameter=paths).transpose("arm", "parameter").values == "rest"
    share = np.where(rest, 1 - np.where(np.isfinite(share), share, 0).sum(1, keepdims=True), share)
    return xr.DataArray(share, dims=("arm", "line"), coords={"arm": ds["arm"].values, "line": [p.split(".")[2] for p in paths]})


def arms_by_share(ds: xr.Dataset, shares: xr.DataArray) -> list[tuple[float, str]]:
    """Share and name of the arms that have such a share and the reference's total, by share; of equal ones the reference, else the first."""
    money, reference = total(ds), reference_arm(ds)
    rows: dict[float, str] = {}
    for arm in [reference, *(str(a) for a in ds["arm"].values)]:
        share = float(shares.sel(arm=arm))
        same = money is None or float(money.sel(arm=arm)) == float(money.sel(arm=reference))
        if np.isfinite(share) and same:
            rows.setdefault(share, arm)
    return sorted(rows.items())


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
        for at, arm in arms_by_share(ds, share):
            rows.append((at, arm, mean_interval(table(values.sel(arm=arm)), shared_draws(ds))))
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


class Step(NamedTuple):
    """What money does between two arms: moved to the line of the share, or added to the budget."""

    start: str  # arms
    end: str
    money: float  # currency a year that the second arm spends more on the line, or in all
    moved: bool  # from the other lines; else added
    change: Estimate  # of the measure, for all of the money


def steps(ds: xr.Dataset, values: xr.DataArray, path: str | None = None) -> list[Step]:
    """The value of the next unit of money: what it changes to move it between lines, or to have more of it.

    Steps lead from each arm to the one with the next larger share at the same total, and from each arm to one with the same shares and the
    next larger total; differences are paired by world. ``Step.change`` over ``Step.money`` is the marginal value.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    values
        A measure over arm, point and replicate.
    path
        As for ``budget_share``.
    """
    money, lines, found = total(ds), line_shares(ds), budget_share(ds, path)
    if money is None or lines is None:
        return []

    def change(a: str, b: str) -> Estimate:
        return mean_interval(differences(values, b, a), shared_draws(ds))

    made = []
    if found is not None and "arm" in found[1].dims:
        row = arms_by_share(ds, found[1])
        for (low, a), (high, b) in zip(row, row[1:]):
            made.append(Step(a, b, (high - low) * float(money.sel(arm=a)), True, change(a, b)))
    arms = sorted((str(a) for a in ds["arm"].values), key=lambda a: float(money.sel(arm=a)))
    for i, a in enumerate(arms):
        more = [b for b in arms[i + 1 :] if float(money.sel(arm=b)) > float(money.sel(arm=a))
                and np.allclose(lines.sel(arm=a), lines.sel(arm=b), rtol=0, atol=1e-12)]  # fmt: skip
        if more:
            made.append(Step(a, more[0], float(money.sel(arm=more[0]) - money.sel(arm=a)), False, change(a, more[0])))
    return made


def best_share(ds: xr.Dataset, values: xr.DataArray, path: str | None = None, times: int = 400) -> Estimate | None:
    """The break-even share, at which the next unit of money does equally well in either use, with its 95 % interval.

    It is the lowest point of the parabola through the means of the best arm and its two neighbours (or, where the design varies the share,
    of one through all points); an end of the range where that is best: then nothing breaks even within it. The interval is a bootstrap
    over worlds, every arm in the same ones. None where fewer than three shares were tried.

    Parameters
    ----------
    ds, values, path
        As for ``steps``; less of the measure is better.
    times
        Bootstrap samples.
    """
    found = budget_share(ds, path)
    if found is None:
        return None
    if "arm" in found[1].dims:
        row = arms_by_share(ds, found[1])
        x, runs = np.array([s for s, _ in row]), np.array([table(values.sel(arm=a)) for _, a in row])
    else:
        x, runs = found[1].values, table(values.sel(arm=reference_arm(ds)))[None]
    if np.unique(x).size < 3:
        return None
    by_arm = "arm" in found[1].dims

    def lowest(p: np.ndarray, r: np.ndarray) -> float:
        some = runs[:, p][:, :, r]
        y = np.nanmean(some, axis=(1, 2)) if by_arm else np.nanmean(some[0], axis=1)
        return _lowest_near(x, y) if by_arm else _lowest(x[p], y)

    points, replicates = runs.shape[1:]
    value = lowest(np.arange(points), np.arange(replicates))
    boot = [lowest(p, r) for p, r in resamples(points, replicates, shared_draws(ds), times)]
    low, high = np.quantile(boot, [0.025, 0.975]) if points * replicates > 1 else (np.nan, np.nan)
    return Estimate(value, float(low), float(high), points * replicates)


def _lowest(x: np.ndarray, y: np.ndarray) -> float:
    """Where a parabola through the points is lowest within their range; three points are enough."""
    a, b, c = np.polyfit(x, y, 2)
    ends = [float(x.min()), float(x.max())]
    if a > 0 and ends[0] < -b / (2 * a) < ends[1]:
        return float(-b / (2 * a))
    return min(ends, key=lambda e: a * e * e + b * e + c)


def _lowest_near(x: np.ndarray, y: np.ndarray) -> float:
    """Where the parabola through the lowest point and its neighbours is lowest; x ascending. An end that is lowest is the answer."""
    i = int(np.argmin(y))
    return float(x[i]) if i in (0, x.size - 1) else _lowest(x[i - 1 : i + 2], y[i - 1 : i + 2])


def choices(ds: xr.Dataset, values: xr.DataArray) -> xr.Dataset:
    """What choosing each arm means when one does not know where in the ranges the truth lies.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    values
        A measure over arm, point and replicate; less is better.

    Returns
    -------
    xarray.Dataset
        By arm: ``mean`` with limits, ``best`` (share of design points, or of worlds where there is one point, at which it is best; ties
        are shared), ``regret`` with limits (its mean less that of the best arm, by paired differences).
    """
    arms = [str(a) for a in values["arm"].values]
    runs = np.array([table(values.sel(arm=a)) for a in arms])
    means = [mean_interval(r, shared_draws(ds)) for r in runs]
    worlds = np.nanmean(np.where(np.isfinite(runs).any(0), runs, 0.0), axis=2) if runs.shape[1] > 1 else runs[:, 0]
    worlds = worlds[:, np.isfinite(worlds).all(0)]
    least = worlds == worlds.min(0) if worlds.size else np.zeros((len(arms), 0), bool)
    known = [i for i, m in enumerate(means) if np.isfinite(m.value)]
    first = min(known, key=lambda i: means[i].value) if known else 0
    regret = [mean_interval(r - runs[first], shared_draws(ds)) for r in runs]
    columns = {
        "mean": [m.value for m in means], "low": [m.low for m in means], "high": [m.high for m in means],
        "best": list((least / least.sum(0)).mean(1)) if least.size else [np.nan] * len(arms),
        "regret": [e.value for e in regret], "regret_low": [e.low for e in regret], "regret_high": [e.high for e in regret],
    }  # fmt: skip
    return xr.Dataset({k: ("arm", v) for k, v in columns.items()}, coords={"arm": arms},
                      attrs={"units": values.attrs.get("units", ""), "points": int(runs.shape[1])})  # fmt: skip


def regret_axes(ds: xr.Dataset, influential: Sequence[str]) -> tuple[str, str] | None:
    """Two factors for the regret map: a curve of the budget and the bypass share where they were varied, else the most influential.

    Parameters
    ----------
    ds
        The dataset that holds the design.
    influential
        Factors, the most influential first.
    """
    wanted = ("budget.lines.*.curve*", "safeguards.bypass")
    asked = [next((f for f in influential if fnmatch.fnmatch(f, pattern)), None) for pattern in wanted]
    chosen = [f for f in asked if f] + [f for f in influential if f not in asked]
    return (chosen[0], chosen[1]) if len(chosen) > 1 else None


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
