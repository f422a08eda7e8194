# SPDX-License-Identifier: GPL-3.0-or-later
"""Who loses most and who recovers last."""

from __future__ import annotations

import numpy as np
import xarray as xr

from airesim.intervals import mean_interval, shared_draws, table
from airesim.survival import restricted_group_times


def theil(values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Theil's T: 0 where all have the same, ln(n) where one of n equal groups has everything.

    Parameters
    ----------
    values
        What each group has per head, not negative.
    weights
        Heads in each group; equal by default.

    Returns
    -------
    float
        NaN where a value is negative or missing; 0 where nobody has anything.
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones_like(values) if weights is None else np.asarray(weights, dtype=float)
    if values.size == 0 or not np.all(np.isfinite(values)) or np.any(values < 0) or not weights.sum() > 0:
        return float("nan")
    share = weights / weights.sum()
    mean = float(share @ values)
    if mean == 0:
        return 0.0
    ratio = values / mean
    return float(share @ np.where(ratio > 0, ratio * np.log(np.where(ratio > 0, ratio, 1)), 0.0))


def gap_dimension(ds: xr.Dataset) -> str | None:
    """``group`` where the file tells groups apart, else ``population`` where there are several, else none."""
    for dim in ("group", "population"):
        if ds.sizes.get(dim, 0) > 1:
            return dim
    return None


def gap_measure(ds: xr.Dataset) -> str | None:
    """The loss by group or population that the file holds, if any."""
    dim = gap_dimension(ds)
    names = [f"{dim}_resilience_loss", f"{dim}_loss", *(str(v) for v in ds.data_vars)]
    return (
        next((n for n in names if n in ds and set(ds[n].dims) == {"arm", "point", "replicate", dim}), None)
        if dim
        else None
    )


def group_gaps(ds: xr.Dataset, measure: str | xr.DataArray | None = None) -> xr.Dataset:
    """Means of a loss by arm and group, who is worst off, and how unequal it is.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    measure
        A variable over arm, point, replicate and ``group`` (or ``population``), or such an array; by default the loss that the file
        holds.

    Returns
    -------
    xarray.Dataset
        ``mean``, ``low``, ``high`` by arm and group; ``theil`` of the groups' means, weighted by heads where known; ``last_to_first``
        (largest mean over smallest; infinite where one loses nothing and another something); ``worst``, the name.

    Raises
    ------
    ValueError
        If the file tells no groups apart.
    """
    measure = gap_measure(ds) if measure is None else measure
    if measure is None:
        raise ValueError("no groups in this file: nothing was measured by group, and there is one population")
    values = ds[measure] if isinstance(measure, str) else measure
    dim = next(str(d) for d in values.dims if d not in ("arm", "point", "replicate"))
    names = ds[dim].values
    rows = []
    for arm in ds["arm"].values:
        cells = [mean_interval(table(values.sel({"arm": arm, dim: g})), shared_draws(ds)) for g in names]
        mean = np.array([c.value for c in cells])
        heads = ds[f"{dim}_size"].sel(arm=arm).values.astype(float) if f"{dim}_size" in ds else None
        least, most = (np.nanmin(mean), np.nanmax(mean)) if np.isfinite(mean).any() else (np.nan, np.nan)
        ratio = most / least if least > 0 else (np.inf if most > 0 else np.nan)
        worst = str(names[np.nanargmax(mean)]) if most > 0 else ""
        rows.append(([c.value for c in cells], [c.low for c in cells], [c.high for c in cells],
                     theil(mean, heads), ratio, worst))  # fmt: skip
    mean, low, high, index, ratio, worst = zip(*rows)
    return xr.Dataset(
        {
            "mean": (("arm", dim), np.array(mean)), "low": (("arm", dim), np.array(low)), "high": (("arm", dim), np.array(high)),
            "theil": ("arm", list(index)), "last_to_first": ("arm", list(ratio)), "worst": ("arm", list(worst)),
        },
        coords={"arm": ds["arm"].values, dim: names},
        attrs={"measure": str(values.name), "dimension": dim, "units": values.attrs.get("units", "")},
    )  # fmt: skip


def recovery_gaps(ds: xr.Dataset) -> xr.Dataset | None:
    """As ``group_gaps``, of the time to recover: ``worst`` is who recovers last. None where the file tells no groups apart.

    Means are restricted, over all runs, never degraded ones as 0 (``survival.restricted_group_times``).
    """
    times = restricted_group_times(ds)
    if times is None:
        return None
    return group_gaps(ds, times).assign_attrs(until=times.attrs["until"])
