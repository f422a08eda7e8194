# SPDX-License-Identifier: GPL-3.0-or-later
"""One self-contained page from a results file: the question, the answer and how sure it is, and what it rests on."""

from __future__ import annotations

import base64
import io
import os
import shlex
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from airesim import budget, charts, equity, sensitivity, survival
from airesim.answer import Verdict, answer, comparable, currency, flip_table, measure, words
from airesim.intervals import Estimate, mean_interval, shared_draws, table
from airesim.io import facts
from airesim.io import open as open_results
from airesim.paired import reference_arm

TEMPLATE = Path(__file__).with_name("report.html.j2")


def write_report(results: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Write the report of a results file.

    Parameters
    ----------
    results
        The HDF5 file that ``airesim run`` wrote.
    output
        The page; it asks nothing of the network.

    Raises
    ------
    ValueError
        If the file is no results file, or holds no run that was made.
    OSError
        If a file cannot be read or written.
    """
    with open_results(results) as ds:
        page = render(ds, os.path.basename(os.fspath(results)))
    Path(output).write_text(page, encoding="utf-8")


def render(ds: xr.Dataset, name: str) -> str:
    """The page as text; ``name`` is the file's."""
    status = ds["status"].values if "status" in ds else np.array(["recovered"])
    if not np.isin(status, ["failed", "missing"], invert=True).any():
        raise ValueError(f"{name}: every run failed; there is nothing to report")
    about, level = facts(ds), float(ds["level"].values[-1]) if ds.sizes.get("level", 0) else None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    values = measure(ds, level)
    verdict = Verdict("This file holds neither a loss of functionality nor times of recovery: no answer.")
    if values is not None:
        verdict = answer(ds, values, level)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        about=about, name=name, verdict=verdict, mark=charts.illustrative_mark(ds), line=charts.provenance_line(ds, level),
        figures=_figures(ds, values, verdict, level), arms=_arm_rows(ds, level), recoveries=_recovery_rows(ds),
        level=level, caveats=_caveats(ds, level), assumptions=_assumptions(ds, values, verdict), split=_split(ds, values),
        provenance=_provenance(ds), repeat=_repeat(ds, name), scenario=str(ds.attrs.get("scenario", "")),
        choices=_choices(ds, values), flips=_flip_rows(ds, values, verdict), steps=_steps(ds, values), contrast=verdict.contrast, words=words,
    )  # fmt: skip


def _figures(ds: xr.Dataset, values: xr.DataArray | None, verdict: Verdict, level: float | None) -> list[dict[str, str]]:
    """Title, words and picture of each figure, in the order of the page."""
    made = [("headline", "What each arm loses, and how soon it recovers", charts.headline_figure(ds, level))]
    target, about = None, ""
    if values is not None and verdict.best:
        target, about = values.sel(arm=verdict.best), f"{values.attrs.get('words', words(str(values.name)))}, {words(verdict.best)}"
        if verdict.contrast:
            one, other = verdict.contrast
            target = (values.sel(arm=one) - values.sel(arm=other)).assign_attrs(values.attrs)
            about = f"{words(one)} less {words(other)}: {values.attrs.get('words', values.attrs.get('units', ''))}"
        ranked = [str(f) for f in sensitivity.indices(target, ds, times=2)["factor"].values]
        axes = budget.regret_axes(ds, ranked)
        if axes and ds.sizes["arm"] > 1:
            made.append(("regret", "Where the best choice changes", charts.regret_figure(ds, *axes, comparable(ds, values))))
    made.append(("fan", "Functionality over time", charts.fan_figure(ds)))
    made.append(("recovery", "Time to recover", charts.survival_figure(ds, level)))
    made.append(("equity", "Who loses most and recovers last", charts.equity_figure(ds)))
    made.append(("crews", "Teams and crews: queue and use", charts.crews_figure(ds)))
    if target is not None:
        made.append(("tornado", "Which assumptions move the answer", charts.tornado_figure(ds, target, about)))
    return [{"id": key, "title": title, "src": _inline(fig)} for key, title, fig in made]


def _inline(fig: Figure) -> str:
    """A figure as a data address; PNG at print resolution is a tenth of these SVGs' size."""
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=150)
    plt.close(fig)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _arm_rows(ds: xr.Dataset, level: float | None) -> list[dict[str, str]]:
    """One row an arm: what it lost, how often it was never degraded, its least functionality, its cost."""
    rows, lines = [], budget.line_shares(ds)
    for arm in (str(a) for a in ds["arm"].values):
        one, row = ds.sel(arm=arm), {"arm": words(arm)}
        if "resilience_loss" in ds:
            lost = budget.lost_days(ds)
            row[str(lost.attrs["words"])] = mean_interval(table(lost.sel(arm=arm)), shared_draws(ds)).text()
        if "robustness" in ds:
            row["least functionality, %"] = mean_interval(table(100 * one["robustness"]), shared_draws(ds)).text(4)
        if "incidents" in ds:
            row["incidents"] = mean_interval(table(one["incidents"]), shared_draws(ds)).text()
        if "time_to_detect" in ds:
            row["days to detect"] = mean_interval(table(one["time_to_detect"]), shared_draws(ds)).text()
        if "cost" in ds:
            unit = ds["cost"].attrs.get("units", "")
            total = mean_interval(table(one["cost"].sum("item", min_count=1)), shared_draws(ds))
            row[f"teams and actions, {unit} a run"] = f"{total.value:,.0f}" if np.isfinite(total.value) else "–"
        if lines is not None:
            row["budget"] = ", ".join(f"{words(str(n))} {100 * float(v):.3g} %" for n, v in zip(lines["line"].values, lines.sel(arm=arm).values))
        rows.append(row)
    return rows


def _choices(ds: xr.Dataset, values: xr.DataArray | None) -> dict[str, Any]:
    """What choosing each arm means where one does not know; empty with one arm."""
    if values is None or ds.sizes["arm"] < 2:
        return {}
    c = budget.choices(ds, comparable(ds, values))
    rows = []
    for arm in c["arm"].values:
        x = {k: float(v) for k, v in c.sel(arm=arm).data_vars.items()}
        regret = "least" if x["regret"] == 0 else Estimate(x["regret"], x["regret_low"], x["regret_high"], 0).text()
        rows.append({"arm": words(str(arm)), "mean": Estimate(x["mean"], x["low"], x["high"], 0).text(), "regret": regret, "best": _percent(x["best"])})
    return {"rows": rows, "of": "design points" if c.attrs["points"] > 1 else "worlds", "what": str(values.attrs.get("words", values.name)),
            "unit": c.attrs["units"]}  # fmt: skip


def _steps(ds: xr.Dataset, values: xr.DataArray | None) -> dict[str, Any]:
    """What the next unit of money does from each arm, and the share that breaks even; empty without a budget."""
    found = budget.steps(ds, values) if values is not None else []
    if not found:
        return {}
    unit = 0.1 * float(budget.total(ds).sel(arm=reference_arm(ds)))
    rows = []
    for step in found:
        change = Estimate(*(unit / step.money * v for v in (step.change.value, step.change.low, step.change.high)), step.change.n)
        rows.append({"from": words(step.start), "to": words(step.end), "how": "moved between lines" if step.moved else "added to the budget",
                     "money": f"{step.money:,.0f}", "change": change.text()})  # fmt: skip
    share, path = budget.best_share(ds, values), budget.budget_share(ds)
    even = ""
    if share is not None and path is not None:
        low, high = (f"{100 * v:.3g}" for v in (share.low, share.high))
        even = (f"The next unit does equally well in either use at {100 * share.value:.3g} % for {words(path[0].split('.')[2])} [{low}, {high}]"
                " (lowest point of a parabola through the best arm and its neighbours; an end of the range: nothing breaks even within it).")  # fmt: skip
    return {"rows": rows, "unit": f"{unit:,.0f} {currency(ds)} a year", "what": str(values.attrs.get("words", values.name)), "even": even,
            "currency": currency(ds)}  # fmt: skip


def _flip_rows(ds: xr.Dataset, values: xr.DataArray | None, verdict: Verdict) -> list[dict[str, str]]:
    if values is None or verdict.contrast is None:
        return []
    rows = []
    for row in flip_table(ds, values, *verdict.contrast):
        at = row["at"]
        better = f"{words(row['above'])} above" if np.isfinite(at.value) else ""
        rows.append({"factor": row["factor"], "range": row["range"], "rank": f"{row['rank']:+.2f}", "p": _p(row["p"]).removeprefix("= "),
                     "at": row["at_text"] if np.isfinite(at.value) else "none within the range", "better": better})  # fmt: skip
    return rows


def _recovery_rows(ds: xr.Dataset) -> list[dict[str, Any]]:
    tables = []
    for level in (float(v) for v in ds["level"].values) if "status" in ds and ds.sizes.get("level", 0) else ():
        r = survival.recovery(ds, level)
        rows = []
        for arm in r["arm"].values:
            x = {k: float(v) for k, v in r.sel(arm=arm).data_vars.items()}
            mid = Estimate(x["median"], x["median_low"], x["median_high"], 0)
            whole = Estimate(x["rmst_unconditional"], x["rmst_unconditional_low"], x["rmst_unconditional_high"], 0)
            high = "beyond the runs" if not np.isfinite(mid.high) else f"{mid.high:.3g}"
            rows.append(
                {
                    "arm": words(str(arm)), "runs": f"{x['runs']:.0f}", "failed": f"{x['failed']:.0f}",
                    "never": _percent(x["never_degraded"]), "censored": _percent(x["censored"]),
                    "median": f"{mid.value:.3g} [{mid.low:.3g}, {high}]" if np.isfinite(mid.value) else "not reached" if x["censored"] > 0 else "–",
                    "mean": f"{x['rmst']:.3g} ± {x['rmst_se']:.2g}" if np.isfinite(x["rmst"]) else "–",
                    "all": whole.text(),
                }
            )  # fmt: skip
        chi2, p = survival.logrank_arms(ds, level)
        test = (
            f"Log-rank test that degraded runs of all arms recover alike: χ² = {chi2:.3g}, p {_p(p)}."
            if np.isfinite(chi2)
            else ""
        )
        tables.append({"level": f"{100 * level:g} %", "until": f"{r.attrs['until']:.4g}", "rows": rows, "test": test})
    return tables


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if np.isfinite(share) else "–"


def _assumptions(
    ds: xr.Dataset, values: xr.DataArray | None, verdict: Verdict, most: int = 60
) -> list[dict[str, str]]:
    """What was assumed: first what the design varied, by influence on the answer, then what the scenario states."""
    if "parameter_value" not in ds:
        return []
    influence: dict[str, str] = {}
    if values is not None and verdict.best:
        target = values.sel(arm=verdict.best)
        if verdict.contrast:
            target = values.sel(arm=verdict.contrast[0]) - values.sel(arm=verdict.contrast[1])
        s = sensitivity.indices(target, ds, times=50)
        influence = {str(f): f"{float(s['rank_correlation'].sel(factor=f)):+.2f} (explains {100 * float(s['first_order'].sel(factor=f)):.0f} %)"
                     for f in s["factor"].values}  # fmt: skip
    rows = []
    source = ds["parameter_source"].transpose("arm", "parameter").values
    value = ds["parameter_value"].transpose("arm", "parameter").values
    low = ds["parameter_low"].transpose("arm", "parameter").values
    for k, path in enumerate(str(p) for p in ds["parameter"].values):
        tag = next((str(s) for s in source[:, k] if s), "")
        ranged = np.isfinite(low[:, k])
        if tag in ("", "assumed") and path not in influence and not ranged.any():
            continue
        texts = list(dict.fromkeys(str(v) for v in value[:, k] if v))
        rows.append({"path": path, "value": " | ".join(texts), "ranged": bool(ranged.any()), "source": tag, "influence": influence.get(path, "")})
    order = {path: i for i, path in enumerate(influence)}
    rows.sort(key=lambda row: (order.get(row["path"], len(order)), not row["ranged"], row["path"]))
    left = len(rows) - most
    if left > 0:
        rows[most:] = [{"path": f"and {left} more, in the results file", "value": "", "source": "", "influence": ""}]
    return rows


def _split(ds: xr.Dataset, values: xr.DataArray | None) -> list[dict[str, str]]:
    """Share of ignorance in the variance, by arm; empty without a design."""
    if values is None or ds.sizes.get("point", 1) < 2:
        return []
    rows = []
    for arm in (str(a) for a in ds["arm"].values):
        share = sensitivity.variance_split(values.sel(arm=arm), ds)["share"]
        rows.append({"arm": words(arm), "ignorance": _percent(share), "chance": _percent(1 - share)})
    return rows


def _caveats(ds: xr.Dataset, level: float | None) -> list[str]:
    notes = ["Conditional on the scenario: what follows from these assumptions, not a forecast of what will happen."]
    mark = charts.illustrative_mark(ds)
    if mark:
        notes.append(mark.capitalize() + "; they show how the question can be answered, not what the answer is.")
    runs = ds.sizes["point"] * ds.sizes["replicate"]
    if runs < 30:
        notes.append(f"Only {runs} run{'s' * (runs > 1)} an arm: intervals are wide or missing.")
    if ds.sizes["point"] > 1:
        notes.append(
            "Ranges are ignorance: intervals take the design points as the sample, so that more replicates do not shrink them."
        )
    else:
        notes.append("No range was varied: intervals tell of chance alone, not of how unsure the inputs are.")
    if level is not None and "status" in ds:
        status = ds["status"].sel(level=level).values
        made = np.isin(status, ["failed", "missing"], invert=True).sum()
        cut, quiet = np.isin(status, survival.CENSORED).sum(), (status == "never_degraded").sum()
        if made and cut:
            what = f"{cut} of {made} runs had not recovered to {100 * level:g} % when the horizon came"
            notes.append(f"{what}: their times are censored, never guessed.")
        if made and quiet:
            what = f"{quiet} of {made} runs never fell below {100 * level:g} %"
            notes.append(f"{what}: Kaplan–Meier curves leave them out, “all runs” counts them as 0 days.")
        if (failed := (status == "failed").sum()) > 0:
            notes.append(f"{failed} runs failed and are missing from everything here.")
    if equity.gap_dimension(ds) is None:
        notes.append("Groups were not told apart: who recovers last cannot be read from this file.")
    return notes


def _provenance(ds: xr.Dataset) -> list[tuple[str, str]]:
    keys = [
        "seed",
        "draws",
        "scenario_hash",
        "stream_version",
        "language_version",
        "runs_asked",
        "runs_done",
        "runs_failed",
    ]
    keys += sorted(str(k) for k in ds.attrs if str(k).startswith("provenance_"))
    return [(words(k.removeprefix("provenance_")), str(ds.attrs[k])) for k in keys if k in ds.attrs]


def _repeat(ds: xr.Dataset, name: str) -> str:
    """Commands that make the same numbers again."""
    stem = os.path.splitext(name)[0]
    seed, replicates = ds.attrs.get("seed", "1"), ds.sizes["replicate"]
    again, page = shlex.quote(f"{stem}_again.h5"), shlex.quote(f"{stem}.html")
    return (
        f"h5dump -a scenario_expanded -b LE -o {shlex.quote(stem + '.yaml')} {shlex.quote(name)}    # or save the scenario below\n"
        f"airesim run {shlex.quote(stem + '.yaml')} --seed {shlex.quote(str(seed))} --replicates {replicates} -o {again}\n"
        f"airesim report {again} -o {page}"
    )
