# SPDX-License-Identifier: GPL-3.0-or-later
"""One figure a call. Each says at its foot how many runs it stands on, what was never degraded or not yet over, and from where."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from airesim import budget, equity, sensitivity, survival
from airesim.answer import comparable, currency, written
from airesim.figures import PALETTE, _percent, _style, _words, draw_functionality, fan_floor
from airesim.intervals import mean_interval, shared_draws, table
from airesim.io import facts
from airesim.paired import compare, reference_arm

#: Sources that are not evidence.
UNSOURCED = ("assumed", "illustrative", "elicited")


def provenance_line(ds: xr.Dataset, level: float | None = None) -> str:
    """Runs, share never degraded and censored at a level (by default the highest), horizon, seed and hash."""
    about = facts(ds)
    parts = [f"n = {about.runs} runs an arm"]
    if "status" in ds and ds.sizes.get("level", 0):
        level = float(ds["level"].values[-1]) if level is None else level
        status = ds["status"].sel(level=level).values
        made = int(np.isin(status, ["failed", "missing"], invert=True).sum())
        parts.append(f"never degraded {_percent(int((status == 'never_degraded').sum()), made)}")
        parts.append(
            f"not recovered to {100 * level:g} % at the end {_percent(int(np.isin(status, survival.CENSORED).sum()), made)}"
        )
    parts += [f"horizon {about.horizon:.4g} days", f"seed {about.seed}", f"scenario {about.scenario_hash}"]
    return "; ".join(parts)


def illustrative_inputs(ds: xr.Dataset) -> tuple[int, int]:
    """Numbers of the scenario tagged illustrative or elicited, and all that carry a tag of somebody (defaults do not count)."""
    if "parameter_source" not in ds:
        return 0, 0
    source = ds["parameter_source"].transpose("arm", "parameter").values
    tagged = [set(column) - {"", "assumed"} for column in source.T]
    weak = sum(bool(t & {"illustrative", "elicited"}) for t in tagged)
    return weak, sum(bool(t) for t in tagged)


def illustrative_mark(ds: xr.Dataset) -> str:
    """What a figure that rests on illustrative inputs says about itself; empty where none do."""
    weak, tagged = illustrative_inputs(ds)
    return (
        f"ILLUSTRATIVE INPUTS: {weak} of the {tagged} numbers that this scenario states have no evidence behind them"
        if weak
        else ""
    )


def _finish(fig: Figure, ds: xr.Dataset, level: float | None = None) -> Figure:
    mark = illustrative_mark(ds)
    width = int(fig.get_figwidth() * 16)  # characters of this size in the figure's width
    lines = [textwrap.fill(text, width) for text in (mark, provenance_line(ds, level)) if text]
    fig.supxlabel("\n".join(lines), fontsize=7.5, color="#7a3b00" if mark else "0.3")
    return fig


def _nothing(ds: xr.Dataset, why: str) -> Figure:
    """Figure that says why there is nothing to draw."""
    fig, ax = plt.subplots(figsize=(7.5, 1.8), layout="constrained")
    ax.axis("off")
    ax.text(0.5, 0.5, textwrap.fill(why, 80), ha="center", va="center", fontsize=11)
    return _finish(fig, ds)


def _arms(ds: xr.Dataset) -> list[str]:
    return [str(a) for a in ds["arm"].values]


def fan_figure(ds: xr.Dataset) -> Figure:
    """Quantile fans of society's functionality by arm, with the resilience triangle under the target."""
    arms = _arms(ds)[:8]
    if "functionality_fan" not in ds or not arms:
        return _nothing(ds, "This file holds no curves of functionality.")
    rows = -(-len(arms) // 4)
    columns = -(-len(arms) // rows)
    fig, axes = plt.subplots(rows, columns, figsize=(max(2.9 * columns, 5), 2.9 * rows + 0.5), squeeze=False, sharey=True,
                             layout="constrained")  # fmt: skip
    for i, (ax, arm) in enumerate(zip(axes.flat, arms)):
        draw_functionality(ax, ds, arm, i)
    for ax in axes.flat[len(arms) :]:
        ax.axis("off")
    axes[0, 0].set_ylim(fan_floor(ds), None)
    for ax in axes[:, 0]:
        ax.set_ylabel("functionality of society,\n% of normal")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    handles.append(Patch(facecolor="none", edgecolor="0.6", hatch="///", linewidth=0))
    axes[0, -1].legend(
        handles, [*labels, "lost on average"], fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), frameon=False
    )
    return _finish(fig, ds)


def survival_figure(ds: xr.Dataset, level: float | None = None) -> Figure:
    """Kaplan-Meier curves of the time to recover, by arm, with the numbers still at risk below."""
    if "status" not in ds or not ds.sizes.get("level", 0):
        return _nothing(ds, "This file holds no times of recovery.")
    level = float(ds["level"].values[-1]) if level is None else level
    arms = _arms(ds)
    samples = {a: survival.degraded_times(ds, a, level) for a in arms}
    if not any(t.size for t, _ in samples.values()):
        return _nothing(
            ds, f"No run of any arm fell below {100 * level:g} % of its target: there is no recovery to show."
        )
    longest = max(float(t.max()) for t, _ in samples.values() if t.size) or 1.0
    fig, (ax, risk) = plt.subplots(2, 1, figsize=(7.5, 4.2 + 0.22 * len(arms)), height_ratios=[4, 0.35 + 0.28 * len(arms)],
                                   sharex=True, layout="constrained")  # fmt: skip
    for i, arm in enumerate(arms):
        _draw_curve(ax, ds, arm, level, longest, i)
    ax.set_ylim(0, 102)
    ax.set_xlim(0, longest * 1.02)
    ax.set_ylabel("degraded runs not yet\nrecovered, %")
    ax.set_title(
        f"Time to recover to {100 * level:g} % of the target, of runs that fell below it (95 % bands; ticks: end of watch)",
        fontsize=9,
    )
    ax.legend(fontsize=8, frameon=False)
    ticks = [t for t in ax.get_xticks() if 0 <= t <= longest * 1.02]
    for i, arm in enumerate(arms):
        for t in ticks:
            risk.text(
                t,
                -i,
                str(int((samples[arm][0] >= t).sum())),
                ha="center",
                va="center",
                fontsize=7.5,
                color=_style(i)["color"],
            )
    risk.set_yticks([-i for i in range(len(arms))], [_words(a) for a in arms], fontsize=7.5)
    risk.set_ylim(-len(arms) + 0.4, 0.6)
    risk.tick_params(length=0, pad=12)
    risk.set_title("degraded runs still without recovery, and watched", fontsize=7.5, loc="left")
    risk.set_xlabel("days since the episode began")
    for side in risk.spines.values():
        side.set_visible(False)
    return _finish(fig, ds, level)


def _draw_curve(ax: Axes, ds: xr.Dataset, arm: str, level: float, longest: float, index: int) -> None:
    c = survival.survival_curve(ds, arm, level)
    label = f"{_words(arm)} ({c.runs} degraded)"
    if c.runs == 0:
        ax.plot([], [], label=f"{_words(arm)} (never degraded)", **_style(index))
        return
    time, event = survival.degraded_times(ds, arm, level)
    end = max(float(time.max()), c.days[-1])
    days, share = np.append(c.days, end), 100 * np.append(c.share, c.share[-1])
    ax.step(days, share, where="post", label=label, **_style(index))
    low, high = np.append(c.low, c.low[-1]), np.append(c.high, c.high[-1])
    ax.fill_between(days, 100 * low, 100 * high, step="post", alpha=0.15, linewidth=0, color=_style(index)["color"])
    ends = np.unique(time[~event])
    ax.plot(ends, share[np.searchsorted(days, ends, side="right") - 1], "|", color=_style(index)["color"], markersize=7)


def headline_figure(ds: xr.Dataset, level: float | None = None) -> Figure:
    """Lost days a year and restricted mean time to recover: against the budget share where one varies, else by arm."""
    lost = budget.lost_days(ds) if "resilience_loss" in ds else None
    panels = [(str(lost.attrs["words"]), lost)] if lost is not None else []
    if "status" in ds and ds.sizes.get("level", 0):
        level = float(ds["level"].values[-1]) if level is None else level
        times = survival.restricted_times(ds, level)
        panels.append((f"mean days to recover to {100 * level:g} %, at most\n{times.attrs['until']:.4g}; never degraded as 0", times))
    if not panels:
        return _nothing(ds, "This file holds neither a loss of functionality nor times of recovery.")
    found = budget.budget_share(ds)
    arms = _arms(ds)
    height = 3.4 if found else 1.4 + 0.42 * len(arms)
    fig, axes = plt.subplots(
        2, len(panels), figsize=(4.6 * len(panels), 2 * height), squeeze=False, layout="constrained"
    )
    for column, (label, values) in zip(axes.T, panels):
        if found:
            _draw_share(column, ds, values, label)
        else:
            _draw_arms(column, ds, values, label, first=column is axes.T[0] or column[0] is axes[0, 0])
    return _finish(fig, ds, level)


def _draw_share(column: np.ndarray, ds: xr.Dataset, values: xr.DataArray, label: str) -> None:
    """Above the measure, below what each share saves against the reference, against the budget share."""
    c = budget.curve(ds, values)
    groups = (
        [("", c)]
        if c.attrs["across"] == "arm"
        else [(a, c.isel(row=np.flatnonzero(c["arm"].values == a))) for a in _arms(ds)]
    )
    for i, (arm, one) in enumerate(groups):
        column[0].plot(100 * one["share"], one["mean"], marker="o", label=_words(arm), **_style(i))
        column[0].fill_between(
            100 * one["share"], one["low"], one["high"], alpha=0.2, linewidth=0, color=_style(i)["color"]
        )
    if len(groups) > 1:
        column[0].legend(fontsize=7, frameon=False)
    column[0].set_ylim(bottom=0)
    column[0].set_ylabel(label)
    if c.attrs["across"] == "arm":
        p = compare(ds, values)
        at = {str(a): float(s) for a, s in zip(c["arm"].values, c["share"].values)}
        arms = sorted(at, key=at.get)
        x = [100 * at[a] for a in arms]
        column[1].plot(x, p["difference"].sel(arm=arms), "o-", color=PALETTE[1])
        column[1].fill_between(
            x, p["low"].sel(arm=arms), p["high"].sel(arm=arms), color=PALETTE[1], alpha=0.2, linewidth=0
        )
        column[1].set_ylabel(f"difference from {_words(p.attrs['reference'])},\nworld by world (below 0: better)")
    else:
        for i, arm in ((k, a) for k, a in enumerate(_arms(ds)) if a != reference_arm(ds)):
            one = budget.curve(ds, (values - values.sel(arm=reference_arm(ds), drop=True)).transpose(*values.dims))
            one = one.isel(row=np.flatnonzero(one["arm"].values == arm))
            column[1].plot(100 * one["share"], one["mean"], marker="o", label=_words(arm), **_style(i))
            column[1].fill_between(
                100 * one["share"], one["low"], one["high"], alpha=0.2, linewidth=0, color=_style(i)["color"]
            )
        column[1].set_ylabel(f"difference from {_words(reference_arm(ds))},\nworld by world (below 0: better)")
    column[1].axhline(0, color="0.4", linewidth=0.8)
    money = budget.total(ds)
    whole = f" of {float(money.sel(arm=reference_arm(ds))):,.0f} {currency(ds)} a year" if money is not None else ""
    column[1].set_xlabel(f"share of the budget{whole}\nfor {_words(c.attrs['path'].split('.')[-2])}, %")


def _draw_arms(column: np.ndarray, ds: xr.Dataset, values: xr.DataArray, label: str, first: bool) -> None:
    """Above the mean by arm, below the paired differences from the reference."""
    arms, p = _arms(ds), compare(ds, values)
    at = -np.arange(len(arms))
    for i, arm in enumerate(arms):
        e = mean_interval(table(values.sel(arm=arm)), shared_draws(ds))
        _interval(column[0], e.value, e.low, e.high, at[i], i)
        one = p.sel(arm=arm)
        if arm != p.attrs["reference"]:
            _interval(column[1], float(one["difference"]), float(one["low"]), float(one["high"]), at[i], i)
    column[0].set_xlim(left=0)
    column[0].set_xlabel(label)
    column[1].axvline(0, color="0.4", linewidth=0.8)
    column[1].set_xlabel(f"difference from {_words(p.attrs['reference'])},\nworld by world (left of 0: better)")
    for ax in column:
        ax.set_yticks(at, [_words(a) for a in arms] if first else [""] * len(arms))
        ax.set_ylim(-len(arms) + 0.4, 0.6)
        ax.grid(axis="x", color="0.9")


def _interval(ax: Axes, value: float, low: float, high: float, at: float, index: int) -> None:
    if not np.isfinite(value):
        return
    if np.isfinite(low):
        ax.plot([low, high], [at, at], color=PALETTE[index % len(PALETTE)], linewidth=2.5, solid_capstyle="butt")
    ax.plot(value, at, "o", color=PALETTE[index % len(PALETTE)], markersize=6)


def regret_figure(ds: xr.Dataset, x: str, y: str, values: xr.DataArray | None = None) -> Figure:
    """Which arm is best over two factors of the design, and how far the next one is behind."""
    values = comparable(ds, budget.lost_days(ds)) if values is None else values
    points = ds.sizes["point"]
    m = budget.regret_map(values, ds, x, y, bins=int(np.clip(np.sqrt(points / 7), 2, 6)))  # 7 points or so a cell
    arms, scale = _arms(ds), [written(ds, f).factor for f in (x, y)]
    fig, ax = plt.subplots(figsize=(6.4, 5), layout="constrained")
    colours = np.ones((*m["best"].shape, 4))
    regret = np.sort(np.where(np.isfinite(m["regret"].values), m["regret"].values, np.inf), axis=0)
    for (j, i), best in np.ndenumerate(m["best"].values):
        at = (scale[0] * float(m["x"][i]), scale[1] * float(m["y"][j]))
        if not best:
            ax.text(*at, "no\npoint", ha="center", va="center", fontsize=7, color="0.5")
            continue
        index = arms.index(best)
        colours[j, i] = _over_white(PALETTE[index % len(PALETTE)], 0.75 if m["sure"][j, i] else 0.3)
        lead = f"+{regret[1, j, i]:.2g}" if len(arms) > 1 and np.isfinite(regret[1, j, i]) else ""
        ax.text(*at, f"{_words(best)}\n{lead}\n({int(m['points'][j, i])} pts)", ha="center", va="center", fontsize=7)
    extent = []
    for v, factor in zip((m["x"].values, m["y"].values), scale):
        half = (v[1] - v[0]) / 2 if v.size > 1 else 0.5
        extent += [factor * float(v[0] - half), factor * float(v[-1] + half)]
    ax.imshow(colours, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    ax.set_xlabel(_axis(ds, x))
    ax.set_ylabel(_axis(ds, y))
    unit = values.attrs.get("units", "")
    ax.set_title(
        f"Best arm, and what the next best costs ({unit})\nfull colour: surely best; pale: not told apart", fontsize=9
    )
    return _finish(fig, ds)


def _over_white(colour: str, alpha: float) -> tuple[float, float, float, float]:
    """A colour laid over white, opaque."""
    rgb = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return (*(1 - alpha * (1 - c) for c in rgb), 1.0)  # type: ignore[return-value]


def _axis(ds: xr.Dataset, factor: str) -> str:
    unit = written(ds, factor).unit
    return factor + (f" ({unit})" if unit else "")


def tornado_figure(ds: xr.Dataset, values: xr.DataArray, title: str, most: int = 12) -> Figure:
    """Factors by influence: what their low and high third give, and the share of variance that each explains alone."""
    s = sensitivity.indices(values, ds)
    if s.sizes["factor"] == 0:
        points = ds.sizes.get("point", 1)
        return _nothing(ds, f"The influence of the assumptions was not explored: {points} design point{'s' * (points > 1)}, at least "
                            f"{sensitivity.MIN_POINTS} are needed. `design: {{sample: sobol points 64, vary: all}}` explores it.")  # fmt: skip
    s = s.isel(factor=slice(0, most))
    tags = _factor_sources(ds)
    n = s.sizes["factor"]
    at = -np.arange(n)
    fig, (ax, shares) = plt.subplots(
        1, 2, figsize=(9.4, 1.6 + 0.36 * n), width_ratios=[1.5, 1], sharey=True, layout="constrained"
    )
    mean = s.attrs["mean"]
    for name, colour, word in (("low_end", PALETTE[0], "low"), ("high_end", PALETTE[1], "high")):
        ax.barh(at, s[name].values - mean, left=mean, height=0.6, color=colour, label=f"{word} third of the range")
    ax.axvline(mean, color="0.3", linewidth=0.8)
    labels = [f"{f}{' *' if tags.get(str(f), '') in UNSOURCED else ''}" for f in s["factor"].values]
    ax.set_yticks(at, labels, fontsize=8)
    ax.set_xlabel(title, fontsize=8)
    ax.legend(fontsize=7, loc="best", frameon=False)
    value = s["first_order"].values
    error = np.array([value - s["first_low"].values, s["first_high"].values - value]).clip(min=0)
    shares.barh(at, 100 * value, height=0.6, color="0.75", xerr=100 * error, error_kw={"lw": 1, "ecolor": "0.2"})
    shares.set_xlim(0, 100)
    shares.set_xlabel(
        f"variance explained alone, % (95 %)\n{s.attrs['points']} points; * no evidence behind its range", fontsize=8
    )
    return _finish(fig, ds)


def _factor_sources(ds: xr.Dataset) -> dict[str, str]:
    """Source tag of each parameter, of the first arm that has it."""
    if "parameter_source" not in ds:
        return {}
    source = ds["parameter_source"].transpose("arm", "parameter").values
    return {str(p): next((str(s) for s in column if s), "") for p, column in zip(ds["parameter"].values, source.T)}


def equity_figure(ds: xr.Dataset) -> Figure:
    """Loss, and where groups are told apart time to recover, by group and arm with Theil's T and the ratio of most to least."""
    try:
        tables = [equity.group_gaps(ds)]
    except ValueError:
        return _nothing(
            ds, "Who recovers last was not measured: this file tells no groups apart and has one population."
        )
    labels = [f"{_words(tables[0].attrs['measure'])} ({tables[0].attrs['units']})"]
    late = equity.recovery_gaps(ds)
    if late is not None:
        tables.append(late)
        labels.append(f"mean days to recover, at most {late.attrs['until']:.4g},\nnever degraded counted as 0")
    dim, arms = tables[0].attrs["dimension"], _arms(ds)
    names = [str(v) for v in tables[0][dim].values]
    fig, axes = plt.subplots(1, len(tables), figsize=(4.8 * len(tables) + 0.6, 1.4 + 0.24 * len(arms) * (len(names) + 0.8)),
                             sharey=True, squeeze=False, layout="constrained")  # fmt: skip
    for ax, g, label in zip(axes[0], tables, labels):
        for a, arm in enumerate(arms):
            top = -a * (len(names) + 0.8)
            for i in range(len(names)):
                one = g.sel({"arm": arm, dim: g[dim].values[i]})
                _interval(ax, float(one["mean"]), float(one["low"]), float(one["high"]), top - i, i)
            ax.annotate(_gap(g.sel(arm=arm)), (1, top + 0.55), xycoords=("axes fraction", "data"), ha="right", va="center",
                        fontsize=7, color="0.3")  # fmt: skip
        ax.set_xlim(left=0)
        ax.grid(axis="x", color="0.9")
        ax.set_xlabel(label)
    axes[0, 0].set_yticks([-a * (len(names) + 0.8) - (len(names) - 1) / 2 for a in range(len(arms))],
                          [_words(a) for a in arms], fontsize=8)  # fmt: skip
    for i, name in enumerate(names):
        axes[0, -1].plot([], [], "o", color=PALETTE[i % len(PALETTE)], label=_words(name))
    axes[0, -1].legend(fontsize=8, title=dim, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _finish(fig, ds)


def _gap(g: xr.Dataset) -> str:
    ratio = float(g["last_to_first"])
    return f"Theil T {float(g['theil']):.2g}; most/least {ratio:.3g}" if np.isfinite(ratio) else f"Theil T {float(g['theil']):.2g}"


def crews_figure(ds: xr.Dataset) -> Figure:
    """How long jobs waited for each team and how much of the teams' time was used, by arm."""
    if not ds.sizes.get("team", 0) or "mean_wait" not in ds or "utilisation" not in ds:
        return _nothing(ds, "No teams or crews in this scenario.")
    teams, arms = [str(t) for t in ds["team"].values], _arms(ds)
    fig, axes = plt.subplots(
        1, 2, figsize=(9, 1.4 + 0.26 * len(teams) * (len(arms) + 0.8)), sharey=True, layout="constrained"
    )
    for ax, name, factor, label in ((axes[0], "mean_wait", 1, "mean wait for a team, days"),
                                    (axes[1], "utilisation", 100, "time at work, % of the teams' hours")):  # fmt: skip
        for t, team in enumerate(teams):
            for i, arm in enumerate(arms):
                e = mean_interval(table(factor * ds[name].sel(arm=arm, team=team)), shared_draws(ds))
                _interval(ax, e.value, e.low, e.high, -(t * (len(arms) + 0.8) + i), i)
            if not np.isfinite(ds[name].sel(team=team).values).any():
                ax.text(0.02, -(t * (len(arms) + 0.8) + (len(arms) - 1) / 2), "nothing queued", transform=ax.get_yaxis_transform(),
                        fontsize=7.5, color="0.4", va="center")  # fmt: skip
        ax.set_xlim(left=0)
        ax.set_xlabel(label)
        ax.grid(axis="x", color="0.9")
    axes[0].set_yticks(
        [-(t * (len(arms) + 0.8) + (len(arms) - 1) / 2) for t in range(len(teams))], [_words(t) for t in teams]
    )
    for i, arm in enumerate(arms):
        axes[1].plot([], [], "o", color=PALETTE[i % len(PALETTE)], label=_words(arm))
    axes[1].legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return _finish(fig, ds)
