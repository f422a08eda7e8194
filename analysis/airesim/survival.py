# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of recovery when some runs ended before they recovered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from airesim.intervals import RUN_DIMS, mean_interval, shared_draws, table

RECOVERED = ("recovered", "relapsed_then_recovered")
CENSORED = ("censored", "relapsed_censored")


@dataclass(frozen=True)
class SurvivalCurve:
    """Share of degraded runs that have not recovered, by days since the episode began."""

    days: np.ndarray  # ascending, from 0
    share: np.ndarray  # not recovered just after `days`
    low: np.ndarray  # 95 % interval (Greenwood, log-log)
    high: np.ndarray
    runs: int  # degraded ones: the curve is about these
    censored: int
    never_degraded: int
    failed: int


def survival_curve(ds: xr.Dataset, arm: str, level: float) -> SurvivalCurve:
    """Estimate the curve of one arm and level (Kaplan & Meier 1958).

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned, statuses decoded.
    arm, level
        Which runs.

    Returns
    -------
    SurvivalCurve
        Conditional on degradation: never-degraded and failed runs are counted, not drawn.
    """
    status = ds["status"].sel(arm=arm, level=level).values.ravel()
    time, recovered = degraded_times(ds, arm, level)
    days, share, low, high = _kaplan_meier(time, recovered)
    return SurvivalCurve(
        days=days,
        share=share,
        low=low,
        high=high,
        runs=int(recovered.size),
        censored=int((~recovered).sum()),
        never_degraded=int((status == "never_degraded").sum()),
        failed=int((status == "failed").sum()),
    )


def _kaplan_meier(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps of the estimate with log-log limits; events come before censorings of the same time."""
    steps = np.unique(time[event])
    at_risk = np.array([(time >= t).sum() for t in steps], dtype=float)
    events = np.array([((time == t) & event).sum() for t in steps], dtype=float)
    share = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        width = 1.959963984540054 * np.sqrt(greenwood) / np.abs(np.log(share))
        low, high = share ** np.exp(width), share ** np.exp(-width)
    done = share <= 0
    low, high = np.where(done, 0.0, low), np.where(done, 0.0, high)
    start = (np.zeros(1), np.ones(1), np.ones(1), np.ones(1))
    return tuple(np.concatenate([s, x]) for s, x in zip(start, (steps, share, low, high)))  # type: ignore[return-value]


def kaplan_meier(time: np.ndarray, event: np.ndarray) -> xr.Dataset:
    """Kaplan-Meier estimate with Greenwood's standard error and log-log 95 % limits.

    Parameters
    ----------
    time, event
        Time to the event or to the end of observation, and whether the event came.

    Returns
    -------
    xarray.Dataset
        ``at_risk``, ``events``, ``share``, ``se``, ``low``, ``high`` at each time of an event (dimension ``day``).
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    days, share, low, high = (x[1:] for x in _kaplan_meier(time, event))
    at_risk = np.array([(time >= t).sum() for t in days], dtype=float)
    events = np.array([((time == t) & event).sum() for t in days], dtype=float)
    columns = {"at_risk": at_risk, "events": events, "share": share, "low": low, "high": high}
    columns["se"] = share * np.sqrt(_greenwood(at_risk, events))
    return xr.Dataset({k: ("day", v) for k, v in columns.items()}, coords={"day": days})


def _greenwood(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Sums of d / (n (n - d)); what would be infinite, where the curve ends at 0, counts nothing."""
    left = at_risk - events
    return np.cumsum(np.where(left > 0, events / np.where(left > 0, at_risk * left, 1), 0.0))


def median(curve: xr.Dataset) -> tuple[float, float, float]:
    """Median of ``kaplan_meier`` with the limits of Brookmeyer & Crowley 1982; NaN where a curve stays above one half."""

    def first(name: str) -> float:
        below = curve["day"].values[curve[name].values <= 0.5 + 1e-12]
        return float(below[0]) if below.size else float("nan")

    return first("share"), first("low"), first("high")


def restricted_mean(time: np.ndarray, event: np.ndarray, until: float) -> tuple[float, float]:
    """Mean of min(time, until), the area under the curve, and its standard error (Royston & Parmar 2013).

    Parameters
    ----------
    time, event
        As for ``kaplan_meier``.
    until
        Days; beyond the last observation of a censored sample the mean is not defined, and NaN.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    if time.size == 0 or not until >= 0:
        return float("nan"), float("nan")
    curve = kaplan_meier(time, event)
    open_end = curve.sizes["day"] == 0 or curve["share"].values[-1] > 0
    if open_end and time.max() < until * (1 - 1e-9):
        return float("nan"), float("nan")
    curve = curve.isel(day=np.flatnonzero(curve["day"].values < until))
    steps = np.concatenate([[0.0], curve["day"].values, [until]])
    area = np.concatenate([[1.0], curve["share"].values]) * np.diff(steps)
    left = np.cumsum(area[::-1])[::-1][1:]  # from each step to `until`
    green = np.diff(_greenwood(curve["at_risk"].values, curve["events"].values), prepend=0)
    return float(area.sum()), float(np.sqrt((left**2 * green).sum()))


def logrank(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Log-rank test of equal curves (Mantel 1966): chi-squared and p; NaN where no group or no event makes it void."""
    if np.unique(group).size < 2 or not np.any(event):
        return float("nan"), float("nan")
    from statsmodels.duration.survfunc import survdiff  # noqa: PLC0415 - slow to import, needed here only

    chi2, p = survdiff(np.asarray(time, dtype=float), np.asarray(event, dtype=int), np.asarray(group))
    return float(chi2), float(p)


def _longest(ds: xr.Dataset) -> float:
    """Window of ``airesim show``: least over arms and levels of the longest time that a degraded run was watched."""
    status = ds["status"]
    seen = ds["observed_time"].where(status.isin(RECOVERED + CENSORED)).transpose(*status.dims).values
    longest = np.where(np.isfinite(seen), seen, -np.inf).max(axis=(1, 2)) if seen.size else np.array([])
    known = longest[np.isfinite(longest)]
    return float(known.min()) if known.size else float(ds["horizon"].min()) if "horizon" in ds else float("nan")


def _defined_for_all(ds: xr.Dataset, level: float, until: float) -> float:
    """The window, shortened to where every arm's curve is known: an open curve ends at its last observation."""
    for arm in ds["arm"].values:
        time, event = degraded_times(ds, str(arm), level)
        if time.size and not event[time == time.max()].all():
            until = min(until, float(time.max()))
    return until


def window(ds: xr.Dataset, level: float) -> float:
    """Longest time up to which restricted means of every arm are known.

    In every arm and at every level some run was watched that long (the window of ``airesim show``); shortened where an arm's curve
    stays above 0 and ends before it.
    """
    return _defined_for_all(ds, level, _longest(ds))


def pseudo_times(time: np.ndarray, event: np.ndarray, until: float) -> np.ndarray:
    """What each run contributes to the restricted mean: its time, at most ``until``, where that is known.

    Pseudo-observations (Andersen, Hansen & Klein 2004) by the infinitesimal jackknife: mean plus influence of each run on it. Their mean is
    the restricted mean of Kaplan and Meier, their variance is right under censoring, and without censoring they are the times.

    Parameters
    ----------
    time, event
        As for ``kaplan_meier``.
    until
        Days; not beyond the last observation of a censored sample.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    mean, _ = restricted_mean(time, event, until)
    curve = kaplan_meier(time, event)
    curve = curve.isel(day=np.flatnonzero(curve["day"].values < until))
    days, at_risk, events = curve["day"].values, curve["at_risk"].values, curve["events"].values
    steps = np.concatenate([days, [until]])
    left = np.cumsum((curve["share"].values * np.diff(steps))[::-1])[::-1]  # area from each step to `until`
    survive = at_risk - events
    weight = np.where(survive > 0, left / np.where(survive > 0, survive, 1), 0.0)  # area over those who go on
    compensator = np.concatenate([[0.0], np.cumsum(weight * events / at_risk)])
    own = np.searchsorted(days, time)  # place of a run's own event among the steps
    hit = event & (own < days.size)
    direct = np.where(hit, np.concatenate([weight, [0.0]])[np.minimum(own, days.size)], 0.0)
    return mean - time.size * (direct - compensator[np.searchsorted(days, time, side="right")])


def restricted_times(ds: xr.Dataset, level: float, until: float | None = None) -> xr.DataArray:
    """Time to recover of each run, at most ``until`` days; 0 where it never degraded, missing where the run failed.

    Where runs were censored before that these are pseudo-observations (``pseudo_times``), whose mean by arm is the unconditional restricted
    mean; one alone means nothing then. Where none was they are the times.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned, statuses decoded.
    level
        Level of recovery.
    until
        Days; by default ``window``.
    """
    until = window(ds, level) if until is None else until
    value = _restrict(ds["status"].sel(level=level), ds["time_to_recover"].sel(level=level), ds["observed_time"], until)
    value.attrs = {"units": "day", "long_name": f"time to recover to {100 * level:g} %, at most {until:.4g} days", "until": until}
    return value


def _restrict(status: xr.DataArray, time: xr.DataArray, observed: xr.DataArray, until: float) -> xr.DataArray:
    """Pseudo-observations of the restricted mean, by arm (and group, where statuses are told by group)."""
    time = xr.where(status == "never_degraded", 0.0, xr.where(status.isin(RECOVERED), time, observed))
    value, time = status.transpose(..., *RUN_DIMS), time.transpose(*(d for d in status.dims if d not in RUN_DIMS), *RUN_DIMS)
    words, times = value.values.reshape(-1, *value.shape[-2:]), time.values.reshape(-1, *value.shape[-2:])
    made = np.full(words.shape, np.nan)
    for one, word, days in zip(made, words, times):
        known = np.isin(word, (*RECOVERED, *CENSORED, "never_degraded")) & np.isfinite(days)
        if known.any():
            one[known] = pseudo_times(days[known], ~np.isin(word[known], CENSORED), until)
    result = xr.DataArray(made.reshape(value.shape), dims=value.dims, name="restricted_time_to_recover",
                          coords={d: status[d] for d in value.dims if d in status.coords})  # fmt: skip
    return result.transpose(*status.dims)


def restricted_group_times(ds: xr.Dataset) -> xr.DataArray | None:
    """As ``restricted_times``, of each group to the highest level; none where the file tells no groups apart."""
    if "group_status" not in ds or "group_time_to_recover" not in ds or not ds.sizes.get("level", 0):
        return None
    status, time = ds["group_status"], ds["group_time_to_recover"]
    until = _longest(ds)
    cut = ds["observed_time"].where(status.isin(CENSORED)).transpose(*status.dims)
    done = time.where(status.isin(RECOVERED))
    for arm in ds["arm"].values:
        for group in ds["group"].values:  # an open curve ends at its last time
            last = [float(v.sel(arm=arm, group=group).max()) for v in (cut, done)]
            until = min(until, last[0]) if np.isfinite(last[0]) and not last[1] > last[0] else until
    value = _restrict(status, time, ds["observed_time"], until)
    level = float(ds["level"].values[-1])
    value.attrs = {"units": "day", "long_name": f"time to recover to {100 * level:g} %, at most {until:.4g} days", "until": until}
    return value


def recovery_order(ds: xr.Dataset, level: float) -> xr.DataArray:
    """Times of recovery to compare worlds by: 0 where never degraded, infinite where it had not come by the end of the run."""
    status = ds["status"].sel(level=level)
    value = xr.where(status.isin(RECOVERED), ds["time_to_recover"].sel(level=level), np.nan)
    value = xr.where(status.isin(CENSORED), np.inf, xr.where(status == "never_degraded", 0.0, value))
    return value.transpose(*status.dims).rename("restricted_time_to_recover")


def recovery(ds: xr.Dataset, level: float, until: float | None = None) -> xr.Dataset:
    """Table of recovery by arm.

    Parameters
    ----------
    ds, level
        As for ``restricted_times``.
    until
        Days; by default ``window``.

    Returns
    -------
    xarray.Dataset
        By arm: ``runs``, ``failed``, ``never_degraded`` and ``censored`` (shares of the runs that were made), ``median``
        with limits and ``rmst`` with ``rmst_se`` over degraded runs, ``rmst_unconditional`` with limits over all. Limits of
        the latter take the points as the sample where there are several.
    """
    until = window(ds, level) if until is None else until
    held = restricted_times(ds, level, until)
    rows = []
    for arm in ds["arm"].values:
        curve = survival_curve(ds, str(arm), level)
        time, event = degraded_times(ds, str(arm), level)
        made = curve.runs + curve.never_degraded
        mid, low, high = median(kaplan_meier(time, event))
        mean, se = restricted_mean(time, event, until)
        time, event = np.append(time, np.zeros(curve.never_degraded)), np.append(
            event, np.ones(curve.never_degraded, bool)
        )
        whole, whole_se = restricted_mean(time, event, until)
        spread = mean_interval(table(held.sel(arm=arm)), shared_draws(ds))
        rows.append(
            {
                "runs": made, "failed": curve.failed,
                "never_degraded": curve.never_degraded / made if made else np.nan,
                "censored": curve.censored / made if made else np.nan,
                "median": mid, "median_low": low, "median_high": high, "rmst": mean, "rmst_se": se,
                "rmst_unconditional": whole, "rmst_unconditional_se": whole_se,
                "rmst_unconditional_low": max(spread.low, 0), "rmst_unconditional_high": spread.high,
            }
        )  # fmt: skip
    columns = {k: ("arm", [r[k] for r in rows]) for k in (rows[0] if rows else ())}
    return xr.Dataset(columns, coords={"arm": ds["arm"]}, attrs={"level": level, "until": until})


def logrank_arms(ds: xr.Dataset, level: float) -> tuple[float, float]:
    """Log-rank test that degraded runs of all arms recover alike: chi-squared and p.

    Arms share their draws, which this test does not use: where arms are alike it is conservative. ``airesim.paired`` is the sharper one.
    """
    arms = [degraded_times(ds, str(a), level) for a in ds["arm"].values]
    group = np.repeat(np.arange(len(arms)), [t.size for t, _ in arms])
    return logrank(np.concatenate([t for t, _ in arms]), np.concatenate([e for _, e in arms]), group)


def degraded_times(ds: xr.Dataset, arm: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Times of the degraded runs of one arm, and whether they recovered; the others were censored."""
    status = ds["status"].sel(arm=arm, level=level).values.ravel()
    recovered, censored = np.isin(status, RECOVERED), np.isin(status, CENSORED)
    time = np.where(
        recovered,
        ds["time_to_recover"].sel(arm=arm, level=level).values.ravel(),
        ds["observed_time"].sel(arm=arm).values.ravel(),
    )
    degraded = (recovered | censored) & np.isfinite(time)
    return time[degraded], recovered[degraded]
