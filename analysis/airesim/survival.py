# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of recovery when some runs ended before they recovered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

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
    recovered, censored = np.isin(status, RECOVERED), np.isin(status, CENSORED)
    time = np.where(
        recovered,
        ds["time_to_recover"].sel(arm=arm, level=level).values.ravel(),
        ds["observed_time"].sel(arm=arm).values.ravel(),
    )
    degraded = recovered | censored
    days, share, low, high = _kaplan_meier(time[degraded], recovered[degraded])
    return SurvivalCurve(
        days=days,
        share=share,
        low=low,
        high=high,
        runs=int(degraded.sum()),
        censored=int(censored.sum()),
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
