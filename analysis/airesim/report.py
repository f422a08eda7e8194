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
from airesim.figures import _words
from airesim.intervals import Estimate, mean_interval, shared_draws, table
from airesim.io import facts
from airesim.io import open as open_results
from airesim.paired import compare, differences, reference_arm

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
    values, verdict = _measure(ds, level), {}
    if values is not None:
        verdict = answer(ds, values)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        about=about, name=name, verdict=verdict, mark=charts.illustrative_mark(ds), line=charts.provenance_line(ds, level),
        figures=_figures(ds, values, verdict, level), arms=_arm_rows(ds, level), recoveries=_recovery_rows(ds),
        level=level, caveats=_caveats(ds, level), assumptions=_assumptions(ds, values, verdict), split=_split(ds, values),
        provenance=_provenance(ds), repeat=_repeat(ds, name), scenario=str(ds.attrs.get("scenario", "")),
        words=_words,
    )  # fmt: skip


def _measure(ds: xr.Dataset, level: float | None) -> xr.DataArray | None:
    """What the answer is about: lost days, else the restricted time to recover."""
    if "resilience_loss" in ds or "lost_days_per_year" in ds:
        return budget.lost_days(ds)
    return survival.restricted_times(ds, level) if level is not None and "status" in ds else None


def answer(ds: xr.Dataset, values: xr.DataArray) -> dict[str, Any]:
    """Which arm is best, by how much and how surely, and what would flip it.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    values
        A measure over arm, point and replicate; less is better.

    Returns
    -------
    dict
        ``sentence``, ``sure`` (in words), ``flips`` (sentences), ``best`` and ``next`` (arms).
    """
    arms = [str(a) for a in ds["arm"].values]
    means = {a: mean_interval(table(values.sel(arm=a)), shared_draws(ds)) for a in arms}
    known = sorted((a for a in arms if np.isfinite(means[a].value)), key=lambda a: means[a].value)
    what = str(values.attrs.get("words", values.attrs.get("long_name", values.name)))
    if not known:
        return {
            "sentence": "No run gave a value: there is no answer.",
            "sure": "",
            "flips": [],
            "best": None,
            "next": None,
        }
    best, others = known[0], known[1:]
    if means[known[-1]].value == means[best].value and others:
        return {
            "sentence": f"All arms come out alike: {means[best].text()} {what}.",
            "sure": "",
            "flips": [],
            "best": best,
            "next": others[0],
        }
    sentence = f"“{_words(best)}” does best: {means[best].text()} {what} (mean, 95 % interval)"
    if not others:
        return {"sentence": sentence.replace(" does best", "") + ". There is one arm only: nothing to compare.", "sure": "",
                "flips": [], "best": best, "next": None}  # fmt: skip
    reference = reference_arm(ds)
    other = reference if reference != best else others[0]
    sentence += f", against {means[other].text()} for “{_words(other)}”."
    second = compare(ds, values, others[0]).sel(arm=best)
    lead = Estimate(-float(second["difference"]), -float(second["high"]), -float(second["low"]), int(second["n"]))
    share = f"in {100 * float(second['better']):.3g} % of {int(second['n'])} worlds it does strictly better"
    if float(second["equal"]) > 0:
        share += f", in {100 * float(second['equal']):.3g} % there is no difference"
    if not np.isfinite(lead.low):
        sure = f"One world only: how sure the lead over “{_words(others[0])}” is cannot be said."
    elif lead.low > 0:
        sure = f"Its lead over the next best, “{_words(others[0])}”, is {lead.text()}, world by world; {share}."
    else:
        sure = f"The runs do not tell it from the next best, “{_words(others[0])}”: difference {lead.text()}; {share}."
    sure += _costs(ds, best, others[0])
    return {
        "sentence": sentence,
        "sure": sure,
        "flips": _flips(ds, values, best, others),
        "best": best,
        "next": others[0],
    }


def _costs(ds: xr.Dataset, best: str, other: str) -> str:
    """What the best arm costs against the next, if costs are in the file and differ."""
    if "cost" not in ds or not ds.sizes.get("item", 0):
        return ""
    a, b = (
        mean_interval(table(ds["cost"].sel(arm=x).fillna(0).sum("item")), shared_draws(ds)).value for x in (best, other)
    )
    return f" It costs {a:,.0f} {ds['cost'].attrs.get('units', '')} a run, the other {b:,.0f}." if a != b else ""


def _flips(ds: xr.Dataset, values: xr.DataArray, best: str, others: list[str]) -> list[str]:
    names = sensitivity.factors(ds)
    if not names:
        return ["What would flip the answer was not explored: no range was varied in this file."]
    found = []
    for other in others[:2]:
        for factor in names:
            at = budget.break_even(values, ds, best, other, factor, times=200)
            if np.isfinite(at.value):
                unit = str(ds["design_unit"].sel(factor=factor).values) if "design_unit" in ds else ""
                unit = "" if unit == "1" else f" {unit}"
                d = np.nanmean(differences(values, best, other), axis=1)
                x = ds["design_value"].sel(factor=factor).values
                side = "above" if np.nanmean(d[x >= at.value]) > np.nanmean(d[x < at.value]) else "below"
                found.append(
                    f"“{_words(other)}” does better {side} {factor} = {at.text()}{unit}, other assumptions averaged."
                )
    if found:
        return found
    return [f"Within the ranges of the {len(names)} assumptions varied, none was found to flip the answer on its own."]


def _figures(
    ds: xr.Dataset, values: xr.DataArray | None, verdict: dict[str, Any], level: float | None
) -> list[dict[str, str]]:
    """Title, words and picture of each figure, in the order of the page."""
    made = [("headline", "What each arm loses, and how soon it recovers", charts.headline_figure(ds))]
    target, about = None, ""
    if values is not None and verdict.get("best"):
        target = values.sel(arm=verdict["best"])
        about = f"{_words(str(values.name))}, {_words(verdict['best'])}"
        if verdict["next"]:
            target = values.sel(arm=verdict["next"]) - values.sel(arm=verdict["best"])
            about = (
                f"lead of {_words(verdict['best'])} over {_words(verdict['next'])} ({values.attrs.get('units', '')})"
            )
        first = sensitivity.indices(target, ds, times=2)["factor"].values[:2]
        if len(first) == 2 and ds.sizes["arm"] > 1:
            made.append(
                (
                    "regret",
                    "Where the best choice changes",
                    charts.regret_figure(ds, str(first[0]), str(first[1]), values),
                )
            )
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
    rows = []
    for arm in (str(a) for a in ds["arm"].values):
        one, row = ds.sel(arm=arm), {"arm": _words(arm)}
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
            row[f"cost, {unit}"] = f"{total.value:,.0f}" if np.isfinite(total.value) else "–"
        rows.append(row)
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
                    "arm": _words(str(arm)), "runs": f"{x['runs']:.0f}", "failed": f"{x['failed']:.0f}",
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
    ds: xr.Dataset, values: xr.DataArray | None, verdict: dict[str, Any], most: int = 60
) -> list[dict[str, str]]:
    """What was assumed: first what the design varied, by influence on the answer, then what the scenario states."""
    if "parameter_value" not in ds:
        return []
    influence: dict[str, str] = {}
    if values is not None and verdict.get("best"):
        target = values.sel(arm=verdict["best"])
        if verdict["next"]:
            target = target - values.sel(arm=verdict["next"])
        s = sensitivity.indices(target, ds, times=50)
        influence = {str(f): f"{float(s['rank_correlation'].sel(factor=f)):+.2f} (explains {100 * float(s['first_order'].sel(factor=f)):.0f} %)"
                     for f in s["factor"].values}  # fmt: skip
    rows = []
    source = ds["parameter_source"].transpose("arm", "parameter").values
    value = ds["parameter_value"].transpose("arm", "parameter").values
    low, high = (ds[f"parameter_{e}"].transpose("arm", "parameter").values for e in ("low", "high"))
    for k, path in enumerate(str(p) for p in ds["parameter"].values):
        tag = next((str(s) for s in source[:, k] if s), "")
        ranged = np.isfinite(low[:, k])
        if tag in ("", "assumed") and path not in influence and not ranged.any():
            continue
        unit = str(ds["parameter_unit"].values[k]).removeprefix("1")
        texts = list(dict.fromkeys(str(v) for v in value[:, k] if v))
        span = f"{low[ranged, k][0]:.4g} to {high[ranged, k][0]:.4g} {unit}".strip() if ranged.any() else ""
        rows.append(
            {
                "path": path,
                "value": " | ".join(texts),
                "range": span,
                "source": tag,
                "influence": influence.get(path, ""),
            }
        )
    order = {path: i for i, path in enumerate(influence)}
    rows.sort(key=lambda row: (order.get(row["path"], len(order)), row["range"] == "", row["path"]))
    left = len(rows) - most
    if left > 0:
        rows[most:] = [
            {"path": f"and {left} more, in the results file", "value": "", "range": "", "source": "", "influence": ""}
        ]
    return rows


def _split(ds: xr.Dataset, values: xr.DataArray | None) -> list[dict[str, str]]:
    """Share of ignorance in the variance, by arm; empty without a design."""
    if values is None or ds.sizes.get("point", 1) < 2:
        return []
    rows = []
    for arm in (str(a) for a in ds["arm"].values):
        share = sensitivity.variance_split(values.sel(arm=arm), ds)["share"]
        rows.append({"arm": _words(arm), "ignorance": _percent(share), "chance": _percent(1 - share)})
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
    return [(_words(k.removeprefix("provenance_")), str(ds.attrs[k])) for k in keys if k in ds.attrs]


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
