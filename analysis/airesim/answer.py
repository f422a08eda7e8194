# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer in words: what does best, how sure that is, and what would flip it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from scipy import stats

from airesim import budget, sensitivity, survival
from airesim.intervals import Estimate, mean_interval, shared_draws, table
from airesim.paired import compare, differences, reference_arm

FLIPS = 3  # at most so many sentences of what would flip the answer


@dataclass(frozen=True)
class Verdict:
    """What the report says first."""

    sentence: str
    sure: list[str] = field(default_factory=list)  # sentences
    flips: list[str] = field(default_factory=list)
    best: str | None = None  # arms
    next: str | None = None
    contrast: tuple[str, str] | None = None  # arms whose difference decides: the two ends of a budget share, or the next best and the best


def words(name: str) -> str:
    """A name of the scenario as a person would write it."""
    return name.replace("_", " ")


def measure(ds: xr.Dataset, level: float | None) -> xr.DataArray | None:
    """What the answer is about: lost days, else the restricted time to recover; less is better."""
    if "resilience_loss" in ds or "lost_days_per_year" in ds:
        return budget.lost_days(ds)
    return survival.restricted_times(ds, level) if level is not None and "status" in ds else None


def comparable(ds: xr.Dataset, values: xr.DataArray) -> xr.DataArray:
    """The arms among which to choose: where they spend a budget in different ways, those that spend as much as the reference."""
    found = budget.budget_share(ds)
    if found is None or "arm" not in found[1].dims:
        return values
    row = budget.arms_by_share(ds, found[1])
    return values.sel(arm=[arm for _, arm in row]) if len(row) > 1 else values


def currency(ds: xr.Dataset) -> str:
    """The scenario's currency."""
    if "parameter_value" in ds and "currency" in ds["parameter"].values:
        return next((str(v) for v in ds["parameter_value"].sel(parameter="currency").values if v), "")
    return ""


@dataclass(frozen=True)
class Written:
    """How the scenario writes a quantity: ``0.3`` as ``30 %``, ``0.00274 1/day`` as ``1/year``."""

    factor: float
    unit: str

    def text(self, *values: float) -> str:
        """One value, or a range from one to another."""
        return f"{' to '.join(f'{self.factor * v:.3g}' for v in values)} {self.unit}".strip()

    def estimate(self, e: Estimate) -> str:
        """A value with its interval."""
        return f"{Estimate(*(self.factor * v for v in (e.value, e.low, e.high)), e.n).text()} {self.unit}".strip()


def written(ds: xr.Dataset, path: str) -> Written:
    """The unit in which the scenario writes a parameter, of the first arm that has it; else the canonical one."""
    unit = ""
    if "parameter_value" in ds and path in ds["parameter"].values:
        here = ds.sel(parameter=path)
        unit = str(here["parameter_unit"].values)
        for text, number in zip(here["parameter_value"].values, here["parameter_number"].values):
            found = re.match(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*([^(@]*)", str(text))
            if found and np.isfinite(number) and number != 0 and float(found[1]) != 0:
                rest = found[2].strip()
                return Written(float(found[1]) / float(number), f"1{rest}" if rest.startswith("/") else rest)
    elif "design_unit" in ds and path in ds["factor"].values:
        unit = str(ds["design_unit"].sel(factor=path).values)
    return Written(1.0, "" if unit == "1" else unit)


def answer(ds: xr.Dataset, values: xr.DataArray, level: float | None = None) -> Verdict:
    """Which arm is best, by how much and how surely, where the next unit of a budget should go, and what would flip that.

    Parameters
    ----------
    ds
        A dataset that ``airesim.open`` returned.
    values
        A measure over arm, point and replicate; less is better.
    level
        Level of recovery whose restricted mean must agree, where ``values`` are something else.
    """
    every, values = values, comparable(ds, values)
    means = {str(a): mean_interval(table(values.sel(arm=a)), shared_draws(ds)) for a in values["arm"].values}
    known = sorted((a for a, m in means.items() if np.isfinite(m.value)), key=lambda a: means[a].value)
    what = str(values.attrs.get("words", values.attrs.get("long_name", values.name)))
    if not known:
        return Verdict("No run gave a value: there is no answer.")
    best, others = known[0], known[1:]
    if not others:
        return Verdict(f"“{words(best)}”: {means[best].text()} {what} (mean, 95 % interval). There is one arm only: nothing to compare.",
                       best=best)  # fmt: skip
    if means[known[-1]].value == means[best].value:
        return Verdict(f"All arms come out alike: {means[best].text()} {what}.", best=best, next=others[0])
    reference = reference_arm(ds)
    other = reference if reference != best else others[0]
    sentence = f"“{words(best)}” does best: {means[best].text()} {what} (mean, 95 % interval), against {means[other].text()} for “{words(other)}”."
    sure = [_lead(ds, values, best, others[0])]
    money = _next_unit(ds, every, what)
    if money:
        sure.insert(0, sentence)
    else:
        sure += _costs(ds, best, others[0])
    sure += _agreement(ds, values, best, level)
    ends = _ends(ds)
    pairs = [(best, others[0])] + ([ends] if ends else [])
    return Verdict(money or sentence, sure, _flips(ds, values, pairs), best, others[0], ends or (others[0], best))


def _lead(ds: xr.Dataset, values: xr.DataArray, best: str, second: str) -> str:
    """How far and how surely the best arm is ahead of the next best."""
    c = compare(ds, values.rename("lost_days"), second).sel(arm=best)
    lead = Estimate(-float(c["difference"]), -float(c["high"]), -float(c["low"]), int(c["n"]))
    share = f"it does strictly better in {100 * float(c['better']):.3g} % of {int(c['n'])} worlds"
    if float(c["equal"]) > 0:
        share += f", and there is no difference in {100 * float(c['equal']):.3g} %"
    if not np.isfinite(lead.low):
        return f"One world only: how sure the lead over “{words(second)}” is cannot be said."
    if lead.low > 0:
        return f"Its lead over the next best, “{words(second)}”, is {lead.text()}, world by world; {share}."
    return f"The runs do not tell it from the next best, “{words(second)}”: difference {lead.text()}; {share}."


def _costs(ds: xr.Dataset, best: str, other: str) -> list[str]:
    """What the best arm's teams and actions cost against the next best's, where that differs."""
    if "cost" not in ds or not ds.sizes.get("item", 0):
        return []
    mine, others = (float(ds["cost"].sel(arm=arm).fillna(0).sum("item").mean()) for arm in (best, other))
    if mine == others:
        return []
    unit = ds["cost"].attrs.get("units", "")
    return [f"Its teams and actions cost {mine:,.0f} {unit} a run, those of “{words(other)}” {others:,.0f}."]


def _agreement(ds: xr.Dataset, values: xr.DataArray, best: str, level: float | None) -> list[str]:
    """Whether the restricted mean time to recover names the same arm, and at how many points of the design this arm is best."""
    said = []
    points = ds.sizes["point"]
    if points >= sensitivity.MIN_POINTS:
        often = budget.choices(ds, values)["best"]
        most = str(often["arm"].values[int(often.argmax())])
        text = f"Over the ranges of what is not known it is the best choice at {100 * float(often.sel(arm=best)):.0f} % of {points} points"
        said.append(f"{text}." if most == best else f"{text}; most often best is “{words(most)}”, at {100 * float(often.max()):.0f} %.")
    if level is None or "status" not in ds or values.name == "restricted_time_to_recover":
        return said
    table_of = survival.recovery(ds, level)
    means = {str(a): float(table_of["rmst_unconditional"].sel(arm=a)) for a in values["arm"].values}
    finite = {a: m for a, m in means.items() if np.isfinite(m)}
    if len(finite) > 1 and len(set(finite.values())) > 1:
        first = min(finite, key=lambda a: finite[a])
        days = f"{finite[first]:.3g} days to recover to {100 * level:g} %, never degraded counted as 0"
        if first == best:
            said.append(f"The mean time to recover names the same arm ({days}).")
        else:
            said.append(f"The mean time to recover names another, “{words(first)}” ({days}; “{words(best)}”: {finite.get(best, np.nan):.3g}).")
    return said


def _ends(ds: xr.Dataset) -> tuple[str, str] | None:
    """The arms with the least and the largest share of a budget line, if it differs between arms."""
    found = budget.budget_share(ds)
    if found is None or "arm" not in found[1].dims:
        return None
    row = budget.arms_by_share(ds, found[1])
    return (row[0][1], row[-1][1]) if len(row) > 1 else None


def _next_unit(ds: xr.Dataset, values: xr.DataArray, what: str) -> str:
    """Where the next unit of the budget should go from the reference's split; empty where no share differs between arms."""
    found, reference = budget.budget_share(ds), reference_arm(ds)
    moved = [s for s in budget.steps(ds, values) if s.moved]
    here = [s for s in moved if reference in (s.start, s.end)]
    money = budget.total(ds)
    if found is None or not here or money is None:
        return ""
    line = words(found[0].split(".")[2])
    unit = min(0.1 * float(money.sel(arm=reference)), *(s.money for s in here))
    up = next((_scaled(s, unit) for s in here if s.start == reference), None)  # to the line
    down = next((_scaled(s, -unit) for s in here if s.end == reference), None)  # from it
    sum_of = f"{unit:,.0f} {currency(ds)}".strip()
    split = f"at “{words(reference)}” ({100 * float(found[1].sel(arm=reference)):.3g} % to {line})"
    parts = [f"moved {where} they {_changed(e)}" for where, e in ((f"to {line}", up), (f"away from {line}", down)) if e is not None]
    parts[0] += f" {what}"
    return f"{_advice(up, down, sum_of, split, line)}: {', '.join(parts)}."


def _changed(e: Estimate) -> str:
    """What a move does to a measure of which less is better."""
    if e.value >= 0:
        return f"add {e.text()}"
    return f"save {Estimate(-e.value, -e.high, -e.low, e.n).text()}"


def _scaled(step: budget.Step, money: float) -> Estimate:
    """The change for another sum; of the other sign where it is moved the other way."""
    factor = money / step.money
    low, high = sorted((factor * step.change.low, factor * step.change.high)) if np.isfinite(step.change.low) else (np.nan, np.nan)
    return Estimate(factor * step.change.value, low, high, step.change.n)


def _advice(up: Estimate | None, down: Estimate | None, money: str, split: str, line: str) -> str:
    """What the intervals of a move to the line and of one away from it allow to say."""
    tried = [e for e in (up, down) if e is not None]
    gains = [e for e in tried if e.high < 0]
    harms = [e for e in tried if e.low > 0]
    money = f"{split[0].upper()}{split[1:]} the next {money} a year"
    if gains:
        return f"{money} should go {'to' if min(gains, key=lambda e: e.value) is up else 'elsewhere than to'} {line}"
    if len(harms) == len(tried):
        return f"{money} are best left where they are"
    if harms:
        return f"{money} should not go {'to' if harms[0] is up else 'away from'} {line}, and whether they do better the other way the runs do not tell"
    return f"{money} may go either way, as far as the runs can tell"


def flip_table(ds: xr.Dataset, values: xr.DataArray, arm: str, other: str, most: int = 8) -> list[dict[str, object]]:
    """Assumptions by their influence on the difference of two arms, and where the difference changes its sign.

    Returns
    -------
    list of dict
        ``factor``, ``range`` (text), ``rank`` (correlation with arm less other), ``p`` (of no correlation, times the number of factors),
        ``at`` (an ``Estimate``; NaN: none within the range), ``at_text`` and ``above`` (the arm that is better above it).
    """
    names = sensitivity.factors(ds)
    d = differences(values, arm, other)
    known = np.isfinite(d)
    keep = known.any(1)
    if not names or keep.sum() < sensitivity.MIN_POINTS:
        return []
    y = np.where(known, d, 0).sum(1)[keep] / known.sum(1)[keep]
    rows = []
    for name in names:
        x = ds["design_value"].sel(factor=name).values
        if np.ptp(y) > 0:
            rank, p = stats.spearmanr(x[keep], y)
        else:
            rank, p = 0.0, 1.0
        at = budget.break_even(values, ds, arm, other, name, times=200)
        show = written(ds, name)
        above = np.nanmean(y[x[keep] >= at.value]) if np.isfinite(at.value) and (x[keep] >= at.value).any() else np.nan
        rows.append({"factor": name, "range": show.text(float(x.min()), float(x.max())), "rank": float(rank), "p": min(float(p) * len(names), 1.0),
                     "at": at, "at_text": show.estimate(at), "above": arm if above < 0 else other})  # fmt: skip
    rows.sort(key=lambda row: -abs(row["rank"]))
    return rows[:most]


def _flips(ds: xr.Dataset, values: xr.DataArray, pairs: list[tuple[str, str]]) -> list[str]:
    """Sentences: assumptions that surely move a difference between arms, and where it changes its sign."""
    names = sensitivity.factors(ds)
    if not names:
        return ["What would flip the answer was not explored: no range was varied in this file."]
    found, said = [], set()
    for one, other in pairs:
        for row in flip_table(ds, values, one, other, len(names)):
            at = row["at"]
            if row["p"] < 0.05 and np.isfinite(at.value) and row["factor"] not in said:
                said.add(row["factor"])
                below = other if row["above"] == one else one
                found.append(f"It flips with {row['factor']}: above {row['at_text']} “{words(row['above'])}” does better than “{words(below)}”, below it worse.")
    if found:
        return found[:FLIPS]
    return [f"No single one of the {len(names)} assumptions that were varied was found to flip it within its range."]
