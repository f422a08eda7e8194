# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between arms, or between two files, world by world.

A world is a replicate at a design point: the arms meet the same attempts, people and luck in it, and so do the files of
one seed. What both have in common cancels, so a paired difference is far surer than the difference of two means.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from airesim.intervals import RUN_DIMS, mean_interval, shared_draws, table, wilson

#: More of these is better for society.
MORE_IS_BETTER = frozenset(
    {"robustness", "population_robustness", "episode_robustness", "group_robustness", "rapidity"}
)
#: Less of these is better; of anything else it depends on what it counts.
LESS_IS_BETTER = frozenset(
    {
        "incidents", "episodes", "time_to_detect", "time_to_recover", "restricted_time_to_recover", "time_to_contain",
        "time_below", "relapses", "resilience_loss", "population_resilience_loss", "episode_resilience_loss",
        "episode_time_to_recover", "group_resilience_loss", "group_time_to_recover", "lost_days", "lost_days_per_year",
        "theil_t", "recovery_gap", "peak_load", "final_size", "person_days", "cost",
    }
)  # fmt: skip


def reference_arm(ds: xr.Dataset) -> str:
    """The arm that the scenario names as its reference, else the first."""
    arms = [str(a) for a in ds["arm"].values]
    named = str(ds.attrs.get("reference", ""))
    return named if named in arms else arms[0]


def differences(values: xr.DataArray, arm: str, reference: str) -> np.ndarray:
    """Arm minus reference in each world, as an array (point, replicate); missing where either is."""
    return table(values.sel(arm=arm)) - table(values.sel(arm=reference))


def compare(
    ds: xr.Dataset, measure: str | xr.DataArray, reference: str | None = None, order: xr.DataArray | None = None
) -> xr.Dataset:
    """Compare every arm with a reference, world by world.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    measure
        Name of a variable over arm, point and replicate, or such an array (``restricted_times`` for instance).
    reference
        The arm to subtract; by default the scenario's.
    order
        Values to rank worlds by instead of the measure, of the same dimensions: ``recovery_order`` for restricted times of recovery.

    Returns
    -------
    xarray.Dataset
        By arm: ``difference`` with ``low`` and ``high`` (95 %), ``lower``, ``equal`` and ``higher`` (shares of the worlds),
        ``better`` (share in which the arm is strictly better than the reference, with limits; NaN for measures of which
        neither less nor more is better), ``better_points`` (share of design points at which it is better on average) and
        ``n``, the worlds in which both have a value.

    Raises
    ------
    ValueError
        If the measure has other dimensions, or an arm is unknown.
    """
    values = ds[measure] if isinstance(measure, str) else measure
    _of_runs(values)
    reference = reference_arm(ds) if reference is None else reference
    if reference not in values["arm"].values:
        raise ValueError(f"no arm named {reference}; there are {', '.join(map(str, values['arm'].values))}")
    arms = [str(a) for a in values["arm"].values]
    ranks = ((table(order.sel(arm=a)), table(order.sel(arm=reference))) for a in arms) if order is not None else None
    rows = _rows((differences(values, arm, reference) for arm in arms), str(values.name), shared_draws(ds), ranks)
    return _dataset(arms, rows, {"reference": reference, "measure": str(values.name), **_unit(values)})


def between(
    first: xr.Dataset, second: xr.Dataset, measure: str, order: str | None = None, **at: object
) -> xr.Dataset:
    """Compare two files, run by run: first minus second, as ``airesim compare`` does.

    Parameters
    ----------
    first, second
        Datasets that ``airesim.open`` returned, of one seed and version of the random streams.
    measure
        Name of a variable over arm, point and replicate, and dimensions of which ``at`` chooses.
    order
        Variable to rank pairs by instead.
    at
        Labels along further dimensions, ``hazard="outbreak"`` for instance.

    Returns
    -------
    xarray.Dataset
        By arm that both have, as ``compare``, and ``mean_first`` and ``mean_second`` over the pairs.

    Raises
    ------
    ValueError
        If the files share no draws, no arm, or differ in their design points.
    """
    refuse_unpaired(first, second)
    arms = [str(a) for a in first["arm"].values if a in second["arm"].values]
    points = min(first.sizes["point"], second.sizes["point"])
    replicates = min(first.sizes["replicate"], second.sizes["replicate"])

    def paired_runs(name: str) -> list[list[np.ndarray]]:
        both = []
        for ds in (first, second):
            values = ds[name].sel(at)
            _of_runs(values)
            both.append([table(values.sel(arm=a))[:points, :replicates] for a in arms])
        return both

    runs = paired_runs(measure)
    both = [np.isfinite(a - b) for a, b in zip(*runs)]
    rows = _rows((a - b for a, b in zip(*runs)), measure, shared_draws(first), zip(*paired_runs(order)) if order else None)
    result = _dataset(arms, rows, {"measure": measure, **_unit(first[measure])})
    for name, values in zip(("mean_first", "mean_second"), runs):
        result[name] = ("arm", [float(v[k].mean()) if k.any() else np.nan for v, k in zip(values, both)])
    return result


def refuse_unpaired(first: xr.Dataset, second: xr.Dataset) -> None:
    """Raise ValueError, saying why, if the runs of two files do not share their draws."""
    for name, words in (("seed", "the seed"), ("stream_version", "the version of the random streams")):
        if str(first.attrs.get(name)) != str(second.attrs.get(name)):
            raise ValueError(f"the files cannot be paired: {words} differs, so their runs share no draws")
    if not set(first["arm"].values) & set(second["arm"].values):
        raise ValueError("the files cannot be paired: they have no arm in common")
    if ("design_value" in first) != ("design_value" in second):
        raise ValueError("the files cannot be paired: only one varies parameters by a design")
    if "design_value" in first:
        a, b = (ds["design_value"].transpose("point", "factor") for ds in (first, second))
        points = min(a.sizes["point"], b.sizes["point"])
        if points > 1 and shared_draws(first) != shared_draws(second):
            raise ValueError("the files cannot be paired: `design.draws` differs, so their runs share no draws")
        if list(a["factor"].values) != list(b["factor"].values) or not np.array_equal(a.values[:points], b.values[:points]):
            raise ValueError("the files cannot be paired: their design points differ")


def _of_runs(values: xr.DataArray) -> None:
    extra = set(values.dims) - {"arm", *RUN_DIMS}
    if extra or "arm" not in values.dims:
        raise ValueError(
            f"{values.name}: choose one of each of {sorted(map(str, extra))} first" if extra else "no arms"
        )


def _unit(values: xr.DataArray) -> dict[str, str]:
    return {"units": str(values.attrs.get("units", ""))}


def _rows(
    samples: Iterable[np.ndarray], measure: str, shared: bool,
    ranks: Iterable[tuple[np.ndarray, np.ndarray]] | None = None,
) -> list[dict[str, float]]:  # fmt: skip
    """One row a sample of differences (point, replicate); shares of worlds by the pairs of ranks where they are given."""
    sign = 1 if measure in MORE_IS_BETTER else -1 if measure in LESS_IS_BETTER else 0
    rows = []
    for d, (one, other) in zip(samples, ranks) if ranks is not None else ((d, (d, np.zeros_like(d))) for d in samples):
        known, mean = np.isfinite(d), mean_interval(d, shared)
        n = int(known.sum())
        lower, equal, higher = (one < other)[known], ((one == other) & np.isfinite(one))[known], (one > other)[known]
        share = wilson(int((higher if sign > 0 else lower).sum()), n)
        points = np.array([row[np.isfinite(row)].mean() for row in d if np.isfinite(row).any()])
        shares = [float(x.mean()) if n else np.nan for x in (lower, equal, higher)]
        better = (share.value, share.low, share.high) if sign else (np.nan,) * 3
        rows.append(
            {
                "difference": mean.value, "low": mean.low, "high": mean.high,
                "lower": shares[0], "equal": shares[1], "higher": shares[2],
                "better": better[0], "better_low": better[1], "better_high": better[2],
                "better_points": float((sign * points > 0).mean()) if points.size and sign else np.nan, "n": n,
            }
        )  # fmt: skip
    return rows


def _dataset(arms: list[str], rows: list[dict[str, float]], attrs: dict[str, str]) -> xr.Dataset:
    columns = {k: ("arm", [r[k] for r in rows]) for k in (rows[0] if rows else ())}
    return xr.Dataset(columns, coords={"arm": arms}, attrs=attrs)
