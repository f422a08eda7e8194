# SPDX-License-Identifier: GPL-3.0-or-later
"""What it is worth that arms share their draws.

Arms of one file meet the same attempts, people and luck, replicate by replicate. If each arm had a seed of its own, the variance of a
difference would be the sum of the arms' variances, which the same file tells: sharing draws changes no arm by itself.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from airesim import survival
from airesim.intervals import table
from airesim.paired import reference_arm


def variances(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Variance of the paired difference, and of the difference of independent samples with the same laws.

    Parameters
    ----------
    one, other
        Values by point and replicate; pairs of which one is missing are left out. Variances are those within a design point (two
        replicates at least), averaged by degrees of freedom: points are the same for every seed.
    """
    paired = apart = freedom = 0.0
    for a, b in zip(one, other):
        known = np.isfinite(a) & np.isfinite(b)
        n = int(known.sum())
        if n < 2:
            continue
        paired += (n - 1) * float(np.var(a[known] - b[known], ddof=1))
        apart += (n - 1) * float(np.var(a[known], ddof=1) + np.var(b[known], ddof=1))
        freedom += n - 1
    return (paired / freedom, apart / freedom) if freedom else (np.nan, np.nan)


def gain(
    ds: xr.Dataset, measure: str | xr.DataArray, reference: str | None = None, times: int = 2000, seed: int = 1
) -> xr.Dataset:
    """How many times as many runs independent seeds would take for a difference as sure.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    measure
        Name of a variable over arm, point and replicate, or such an array (``survival.restricted_times`` for instance).
    reference
        The arm to subtract; by default the scenario's.
    times, seed
        Bootstrap samples of the replicates, for the limits, and the seed of these.

    Returns
    -------
    xarray.Dataset
        By arm (without the reference): ``paired`` and ``independent``, the variances of a difference; ``gain``, their quotient
        independent over paired, with ``low`` and ``high`` (95 %, bootstrap percentiles); infinite where all differences are equal, NaN
        where the measure is the same in all runs.
    """
    values = ds[measure] if isinstance(measure, str) else measure
    reference = reference_arm(ds) if reference is None else reference
    if reference not in values["arm"].values:
        raise ValueError(f"no arm named {reference}; there are {', '.join(map(str, values['arm'].values))}")
    arms = [str(a) for a in values["arm"].values if str(a) != reference]
    base = table(values.sel(arm=reference))
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, base.shape[1], (times, base.shape[1]))
    rows = {name: np.full(len(arms), np.nan) for name in ("paired", "independent", "gain", "low", "high")}
    for i, arm in enumerate(arms):
        runs = table(values.sel(arm=arm))
        paired, apart = variances(runs, base)
        resampled = [_quotient(*variances(runs[:, d], base[:, d])) for d in draws]
        known = [x for x in resampled if not np.isnan(x)]
        low, high = np.quantile(known, (0.025, 0.975), method="inverted_cdf") if known else (np.nan, np.nan)
        for name, value in zip(rows, (paired, apart, _quotient(paired, apart), low, high)):
            rows[name][i] = value
    attrs = {"reference": reference, "measure": str(values.name), "units": str(values.attrs.get("units", ""))}
    return xr.Dataset({k: ("arm", v) for k, v in rows.items()}, coords={"arm": arms}, attrs=attrs)


def _quotient(paired: float, apart: float) -> float:
    if np.isnan(paired) or apart == 0:
        return np.nan
    return apart / paired if paired > 0 else np.inf


def gains(ds: xr.Dataset, measures: tuple[str, ...] = (), reference: str | None = None) -> list[xr.Dataset]:
    """``gain`` of several measures.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    measures
        Names of variables; those with further dimensions are taken at each of their labels. None: the restricted time to recover at every
        level, the lost days and the final sizes, as far as there are any.
    reference
        As for ``gain``.
    """
    if measures:
        return [gain(ds, part, reference) for name in measures for part in _parts(ds[name])]
    times = [_named(survival.restricted_times(ds, float(level)), f"recovery time, level {level:g}") for level in ds["level"].values]
    known = ("resilience_loss", "final_size")
    return [gain(ds, part, reference) for part in times + [p for name in known if name in ds for p in _parts(ds[name])]]


def _parts(values: xr.DataArray) -> list[xr.DataArray]:
    """Arrays over runs, one for each label of the further dimensions."""
    further = [str(d) for d in values.dims if d not in ("arm", "point", "replicate")]
    if not further:
        return [values]
    d = further[0]
    labels = values[d].values if d in values.coords else range(values.sizes[d])
    return [
        part
        for i, label in enumerate(labels)
        for part in _parts(_named(values.isel({d: i}), f"{values.name}[{d}={label}]"))
    ]


def _named(values: xr.DataArray, name: str) -> xr.DataArray:
    result = values.rename(name)
    result.attrs.setdefault("units", "days" if name.startswith("recovery time") else "")
    return result


def text(results: list[xr.Dataset]) -> str:
    """The gains as a table of Markdown."""
    lines = ["| measure | arm less reference | variance, shared draws | independent seeds | gain |", "|---|---|---|---|---|"]
    for result in results:
        for arm in result["arm"].values:
            row = {name: float(result[name].sel(arm=arm)) for name in result.data_vars}
            if np.isnan(row["gain"]):
                continue
            lines.append(
                f"| {result.attrs['measure']} | {arm} − {result.attrs['reference']} | {row['paired']:.4g} | {row['independent']:.4g} | "
                f"{row['gain']:.3g} [{row['low']:.3g}, {row['high']:.3g}] |"
            )
    return "\n".join(lines)
