# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between arms, world by world.

A world is a replicate at a design point: the arms meet the same attempts, people and luck in it. What both arms have in
common cancels, so a paired difference is far surer than the difference of two means.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from airesim.intervals import mean_interval, shared_draws, table, wilson

#: More of these is better; of everything else, less.
MORE_IS_BETTER = frozenset({"robustness", "population_robustness", "rapidity"})


def reference_arm(ds: xr.Dataset) -> str:
    """The arm that the scenario names as its reference, else the first."""
    arms = [str(a) for a in ds["arm"].values]
    named = str(ds.attrs.get("reference", ""))
    return named if named in arms else arms[0]


def differences(values: xr.DataArray, arm: str, reference: str) -> np.ndarray:
    """Arm minus reference in each world, as an array (point, replicate); missing where either is."""
    return table(values.sel(arm=arm)) - table(values.sel(arm=reference))


def compare(ds: xr.Dataset, measure: str | xr.DataArray, reference: str | None = None) -> xr.Dataset:
    """Compare every arm with a reference, world by world.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    measure
        Name of a variable over arm, point and replicate, or such an array (``restricted_times`` for instance).
    reference
        The arm to subtract; by default the scenario's.

    Returns
    -------
    xarray.Dataset
        By arm: ``difference`` with ``low`` and ``high`` (95 %), ``better`` (share of worlds in which the arm is strictly better
        than the reference, with limits), ``equal`` (share of worlds without a difference), ``better_points`` (share of
        design points at which it is better on average) and ``n``, the worlds in which both have a value.

    Raises
    ------
    ValueError
        If the measure has other dimensions, or an arm is unknown.
    """
    values = ds[measure] if isinstance(measure, str) else measure
    reference = reference_arm(ds) if reference is None else reference
    extra = set(values.dims) - {"arm", "point", "replicate"}
    if extra or "arm" not in values.dims:
        raise ValueError(
            f"{values.name}: choose one of each of {sorted(map(str, extra))} first" if extra else "no arms"
        )
    if reference not in values["arm"].values:
        raise ValueError(f"no arm named {reference}; there are {', '.join(map(str, values['arm'].values))}")
    sign = 1 if str(values.name) in MORE_IS_BETTER else -1
    rows = []
    for arm in (str(a) for a in values["arm"].values):
        d = differences(values, arm, reference)
        known = d[np.isfinite(d)]
        mean, share = mean_interval(d, shared_draws(ds)), wilson(int((sign * known > 0).sum()), known.size)
        with np.errstate(invalid="ignore"):
            points = np.array([row[np.isfinite(row)].mean() for row in d if np.isfinite(row).any()])
        rows.append(
            {
                "difference": mean.value, "low": mean.low, "high": mean.high,
                "better": share.value, "better_low": share.low, "better_high": share.high,
                "equal": float((known == 0).mean()) if known.size else np.nan,
                "better_points": float((sign * points > 0).mean()) if points.size else np.nan, "n": known.size,
            }
        )  # fmt: skip
    columns = {k: ("arm", [r[k] for r in rows]) for k in (rows[0] if rows else ())}
    attrs = {"reference": reference, "measure": str(values.name), "units": values.attrs.get("units", "")}
    return xr.Dataset(columns, coords={"arm": values["arm"].values}, attrs=attrs)
