# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary figure of a results file: functionality by arm, times of recovery, natural units."""

from __future__ import annotations

import csv
import os
import textwrap
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - the backend comes first
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402

from airesim.intervals import mean_interval, shared_draws, table  # noqa: E402
from airesim.io import Facts, facts  # noqa: E402
from airesim.survival import survival_curve  # noqa: E402

#: Okabe & Ito 2008: told apart by people with any of the common colour deficiencies.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
DAYS_IN = {"h": 1 / 24, "day": 1.0}
LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Observed:
    """Measured values to hold a declared measure against."""

    measure: str
    source: str
    day: np.ndarray
    value: np.ndarray


def read_observed(path: str | os.PathLike[str]) -> Observed:
    """Read observed points: lines ``# measure:`` and ``# source:``, then CSV whose header begins with ``h`` or ``day``.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ValueError
        If the measure is not named or a column is missing.
    """
    notes: dict[str, str] = {}
    lines: list[str] = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, colon, value = line.lstrip("# ").partition(":")
            if line.startswith("#") and colon:
                notes[key.strip()] = value.strip()
            elif not line.startswith("#"):
                lines.append(line)
    header, *rows = list(csv.reader(lines)) or [[]]
    if "measure" not in notes or not rows or header[0] not in DAYS_IN:
        raise ValueError(f"{path}: expected a line `# measure: NAME`, then columns of a time in h or day and a value")
    return Observed(
        measure=notes["measure"],
        source=notes.get("source", ""),
        day=np.array([float(r[0]) for r in rows]) * DAYS_IN[header[0]],
        value=np.array([float(r[1]) for r in rows]),
    )


def _style(index: int) -> dict[str, object]:
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": LINES[index % len(LINES)]}


def _words(name: str) -> str:
    return name.replace("_", " ")


def mean_functionality(ds: xr.Dataset, arm: str) -> np.ndarray:
    """Mean over the runs of society's functionality at each time, from the histograms, in percent."""
    count = ds["functionality_histogram"].sel(arm=arm).transpose("time", "bin").values.astype(float)
    whole = count.sum(1)
    return 100 - 100 * np.where(whole > 0, count @ ds["bin"].values ** 2 / np.where(whole > 0, whole, 1), np.nan)


def draw_functionality(ax: Axes, ds: xr.Dataset, arm: str, index: int) -> None:
    """Quantile fan of society's functionality in one arm, and the resilience triangle: what is lost on average.

    Parameters
    ----------
    ax
        Where to draw.
    ds
        A dataset that ``airesim.open`` returned.
    arm, index
        The arm and its place, which gives its colour.
    """
    fan = 100 * ds["functionality_fan"].sel(arm=arm)
    days, mean = ds["time"].values, mean_functionality(ds, arm)
    colour = PALETTE[index % len(PALETTE)]

    def at(q: float) -> np.ndarray:
        return fan.sel(quantile=q, method="nearest").values

    ax.fill_between(days, mean, 100, facecolor="none", edgecolor="0.75", hatch="///", linewidth=0, step="post")
    ax.fill_between(days, at(0.05), at(0.95), color=colour, alpha=0.2, linewidth=0, step="post", label="90 % of runs")
    ax.fill_between(days, at(0.25), at(0.75), color=colour, alpha=0.4, linewidth=0, step="post", label="50 % of runs")
    ax.step(days, at(0.5), where="post", color=colour, linewidth=1.8, label="median")
    ax.step(days, mean, where="post", color="0.15", linewidth=0.7, label="mean")
    ax.axhline(100, color="0.3", linewidth=0.8)
    title = _words(arm)
    if "resilience_loss" in ds:
        loss = mean_interval(table(ds["resilience_loss"].sel(arm=arm)), shared_draws(ds))
        title += f"\nmean loss {loss.text()} days"
    ax.set_title(title, fontsize=9)
    ax.set_xlabel("days since the start")


def fan_floor(ds: xr.Dataset) -> float:
    """Lowest functionality that fans should show, in percent: of the means, and of the 5 % quantiles but for passing spikes."""
    low = 100 * ds["functionality_fan"].sel(quantile=0.05, method="nearest").transpose("arm", "time").values
    means = [mean_functionality(ds, str(a)) for a in ds["arm"].values]
    floor = np.nanmin([np.nanmin(means), *np.nanquantile(low, 0.03, axis=1)])
    return float(max(floor - 0.08 * (100 - floor) - 1e-3, 0))


def draw_recovery(ax: Axes, ds: xr.Dataset, level: float) -> None:
    """Kaplan-Meier curves of all arms: share of degraded runs that have recovered.

    Parameters
    ----------
    ax
        Where to draw.
    ds
        A dataset that ``airesim.open`` returned.
    level
        Level of recovery, a share of the target.
    """
    for i, arm in enumerate(str(a) for a in ds["arm"].values):
        c = survival_curve(ds, arm, level)
        runs = c.runs + c.never_degraded + c.failed
        label = f"{_words(arm)}: {c.runs} degraded, {_percent(c.never_degraded, runs)} never, {_percent(c.censored, runs)} censored"
        if c.runs == 0:
            ax.plot([], [], label=label, **_style(i))
            continue
        end = float(ds["observed_time"].sel(arm=arm).max())
        days = np.append(c.days, max(end, c.days[-1]))
        ax.step(days, 100 * (1 - np.append(c.share, c.share[-1])), where="post", label=label, **_style(i))
        ax.fill_between(
            c.days, 100 * (1 - c.high), 100 * (1 - c.low), step="post", alpha=0.15, linewidth=0, color=_style(i)["color"]
        )
    ax.set_ylim(-2, 102)
    ax.set_xlim(left=0)
    ax.set_xlabel("days since the episode began")
    ax.set_ylabel("degraded runs that recovered, %")
    ax.set_title(f"recovered to {100 * level:g} % of the target", fontsize=9)
    ax.legend(fontsize=6.5, loc="center right", framealpha=0.9)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %" if whole else "-"


def draw_observed(ax: Axes, ds: xr.Dataset, observed: Observed) -> None:
    """A declared measure at its times by arm, and the observed points.

    Parameters
    ----------
    ax
        Where to draw.
    ds
        A dataset that ``airesim.open`` returned.
    observed
        What was measured.
    """
    measure = ds[observed.measure]
    time = next(str(d) for d in measure.dims if d not in ("arm", "point", "replicate"))
    for i, arm in enumerate(str(a) for a in ds["arm"].values):
        q = measure.sel(arm=arm).quantile([0.05, 0.5, 0.95], ["point", "replicate"])
        ax.plot(ds[time], q.isel(quantile=1), label=_words(arm), **_style(i))
        ax.fill_between(ds[time], q.isel(quantile=0), q.isel(quantile=2), alpha=0.25, color=_style(i)["color"], linewidth=0)
    ax.plot(observed.day, observed.value, "ko", markersize=5, label=textwrap.fill(f"observed: {observed.source}", 42))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("days since the start")
    ax.set_ylabel(f"{_words(observed.measure)} ({measure.attrs.get('units', '')})")
    ax.set_title(f"{_words(observed.measure)}: model and observation", fontsize=9)
    ax.legend(fontsize=6.5)


def draw_load(ax: Axes, ds: xr.Dataset, hazard: str) -> None:
    """Active load of one hazard by arm, in natural units: the median, or what few runs pass where most have none.

    Parameters
    ----------
    ax
        Where to draw.
    ds
        A dataset that ``airesim.open`` returned.
    hazard
        Name of the hazard.
    """
    fan = ds["active_load_fan"].sel(hazard=hazard)
    drawn = (q for q in (0.5, 0.95, 0.975) if float(fan.sel(quantile=q, method="nearest").max()) > 0)
    quantile = next(drawn, 0.5)
    for i, arm in enumerate(str(a) for a in ds["arm"].values):
        one = fan.sel(arm=arm)
        ax.step(ds["time"], one.sel(quantile=quantile, method="nearest"), where="post", label=_words(arm), **_style(i))
        if quantile != 0.5:
            continue
        ax.fill_between(
            ds["time"],
            one.sel(quantile=0.25, method="nearest"),
            one.sel(quantile=0.75, method="nearest"),
            step="post",
            alpha=0.15,
            linewidth=0,
            color=_style(i)["color"],
        )
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("days since the start")
    unit = fan.attrs.get("units", "")
    ax.set_ylabel(f"active in {_words(hazard)} ({'number' if unit in ('', '1') else unit})")
    rare = f"what {100 * (1 - quantile):g} % of runs pass; at any time most have none"
    ax.set_title(f"{_words(hazard)}: {'median and 50 % of runs' if quantile == 0.5 else rare}", fontsize=9)
    ax.legend(fontsize=6.5)


def summary_figure(ds: xr.Dataset, observed: Observed | None = None) -> Figure:
    """Draw the summary of a results file.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned, statuses decoded.
    observed
        Points to hold a declared measure against, in place of the hazards' loads.

    Returns
    -------
    matplotlib.figure.Figure
        A row of functionality by arm, a row of recovery by level and of natural units, and a line of facts.
    """
    about = facts(ds)
    levels = [float(level) for level in ds["level"].values][-2:] if "level" in ds.dims else []
    hazards = [str(h) for h in ds["hazard"].values] if "active_load_fan" in ds and "hazard" in ds.dims else []
    if observed is not None and observed.measure not in ds:
        observed = None
    lower = len(levels) + (1 if observed is not None or hazards else 0)
    shown = about.arms[:6] if "functionality_fan" in ds else ()
    fig = plt.figure(figsize=(max(3.1 * max(len(shown), 1), 4.4 * max(lower, 1), 8), 7.2), layout="constrained")
    top, bottom = fig.subfigures(2, 1, height_ratios=[1, 1.15])
    _draw_top(top, ds, shown, about)
    if lower:
        axes = bottom.subplots(1, lower, squeeze=False)[0]
        for ax, level in zip(axes, levels):
            draw_recovery(ax, ds, level)
        if observed is not None:
            draw_observed(axes[-1], ds, observed)
        elif hazards:
            draw_load(axes[-1], ds, hazards[0])
    bottom.supxlabel(about.footer(), fontsize=7)
    return fig


def _draw_top(top: Figure, ds: xr.Dataset, shown: tuple[str, ...], about: Facts) -> None:
    top.suptitle(textwrap.fill(about.question, 110), fontsize=11)
    if not shown:
        return
    axes = top.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for i, (ax, arm) in enumerate(zip(axes, shown)):
        draw_functionality(ax, ds, arm, i)
    axes[0].set_ylim(fan_floor(ds), None)
    axes[0].set_ylabel("functionality of society,\n% of normal (hatched: mean loss)")
    axes[0].legend(fontsize=6.5, loc="lower right")
