# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening results files."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import xarray as xr
from xarray.coding.variables import lazy_elemwise_func
from xarray.core.indexing import MemoryCachedArray

LAYOUT = "1"  # of results files: docs/results.md


def open(path: str | os.PathLike[str], *, decode_status: bool = True) -> xr.Dataset:  # noqa: A001
    """Open a results file.

    Parameters
    ----------
    path
        The HDF5 file that ``airesim run`` wrote.
    decode_status
        Turn variables with flags (``status``, ``run_failed``) into words such as ``"recovered"``.

    Returns
    -------
    xarray.Dataset
        Variables over named dimensions (arm, point, replicate, level, ...), read when they are used.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a results file of airesim.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    try:
        ds = xr.open_dataset(path, engine="h5netcdf", decode_times=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path} is not a results file of airesim, or was cut short: {error}") from error
    if "airesim_results" not in ds.attrs:
        ds.close()
        raise ValueError(f"{path} is not a results file of airesim")
    if str(ds.attrs["airesim_results"]) != LAYOUT:
        ds.close()
        raise ValueError(f"{path} has layout {ds.attrs['airesim_results']} of results; this package reads layout {LAYOUT}")
    if not {"arm", "point", "replicate"} <= set(ds.dims) or 0 in (ds.sizes["arm"], ds.sizes["point"], ds.sizes["replicate"]):
        ds.close()
        raise ValueError(f"{path} holds no runs")
    if decode_status:
        flagged = [name for name, v in ds.data_vars.items() if "flag_meanings" in v.attrs]
        ds = ds.assign({name: _decode(ds[name].variable) for name in flagged})
    return ds


def _decode(variable: xr.Variable) -> xr.Variable:
    """Flags as words, when they are read; what is missing becomes ``"missing"``."""
    words = np.array([*variable.attrs["flag_meanings"].split(), "missing"])

    def decode(array: object) -> np.ndarray:
        codes = np.asarray(array)
        known = np.isfinite(codes) & (codes >= 0) & (codes < len(words) - 1)
        return words[np.where(known, np.where(known, codes, 0), len(words) - 1).astype(int)]

    attrs = {k: v for k, v in variable.attrs.items() if not k.startswith("flag_")}
    data = lazy_elemwise_func(variable._data, decode, words.dtype)  # noqa: SLF001 - `.data` would read it
    return xr.Variable(variable.dims, MemoryCachedArray(data), attrs)


@dataclass(frozen=True)
class Facts:
    """What every figure says about where it comes from."""

    arms: tuple[str, ...]
    runs: int  # of each arm: points x replicates
    horizon: float  # days; the longest of the arms
    seed: str
    scenario_hash: str
    question: str

    def footer(self) -> str:
        """One line for the foot of a figure."""
        return (
            f"n = {self.runs} runs an arm; horizon {self.horizon:.4g} days; seed {self.seed}; "
            f"scenario {self.scenario_hash}. Conditional on the scenario: not a forecast."
        )


def facts(ds: xr.Dataset) -> Facts:
    """Collect the facts of a dataset that ``open`` returned."""
    sizes = ds.sizes
    value = ds.attrs.get("scenario_hash", "unknown")
    return Facts(
        arms=tuple(str(a) for a in ds["arm"].values),
        runs=int(sizes.get("point", 1) * sizes.get("replicate", 0)),
        horizon=float(ds["horizon"].max()) if "horizon" in ds else float("nan"),
        seed=str(ds.attrs.get("seed", "unknown")),
        scenario_hash=f"{int(value):016x}" if isinstance(value, (int, np.integer)) else str(value),
        question=str(ds.attrs.get("question", "")),
    )


def status_counts(ds: xr.Dataset, arm: str, level: float) -> dict[str, int]:
    """Count the runs of one arm by their status of recovery to a level.

    Parameters
    ----------
    ds
        A dataset that ``open`` returned, statuses decoded.
    arm, level
        Which runs.

    Returns
    -------
    dict
        From status to number of runs; those of no run are left out.
    """
    words, counts = np.unique(ds["status"].sel(arm=arm, level=level).values, return_counts=True)
    return {str(w): int(c) for w, c in zip(words, counts)}
