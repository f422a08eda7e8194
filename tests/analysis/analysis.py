#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of analysis/airesim: estimators against known values, files of every unhappy kind, the report, the notebook."""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from html.parser import HTMLParser
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "analysis"), str(SOURCE / "tests")]
os.environ.setdefault("MPLBACKEND", "Agg")

import h5py  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402
from harness import Suite  # noqa: E402

import airesim  # noqa: E402
from airesim import answer as answers  # noqa: E402
from airesim import budget, charts, equity, paired, sensitivity, survival  # noqa: E402
from airesim.__main__ import main as command  # noqa: E402
from airesim.intervals import mean_interval, wilson  # noqa: E402

#: Freireich et al. 1963: weeks of remission under 6-mercaptopurine (minus: censored) and placebo.
DRUG = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

suite = Suite()
check = suite.check


def close(what: str, got: object, expected: object, tolerance: float = 1e-10) -> None:
    """Check that numbers agree, NaN with NaN."""
    a, b = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    good = a.shape == b.shape and np.allclose(a, b, rtol=0, atol=tolerance, equal_nan=True)
    check(what, good, f"got {a}, expected {b}")


def freireich() -> None:
    """Validation case A23."""
    time, event = np.abs(DRUG).astype(float), np.array(DRUG) > 0
    other, ended = np.array(PLACEBO, dtype=float), np.ones(21, bool)
    curve = survival.kaplan_meier(time, event)
    close("A23: times of events", curve["day"], [6, 7, 10, 13, 16, 22, 23])
    close("A23: at risk", curve["at_risk"], [21, 17, 15, 12, 11, 7, 6])
    close("A23: share", curve["share"], [0.8571428571428572, 0.8067226890756303, 0.7529411764705882, 0.6901960784313725,
                                         0.6274509803921569, 0.5378151260504203, 0.44817927170868355])  # fmt: skip
    close("A23: Greenwood", curve["se"], [0.07636035483212125, 0.0869352851800572, 0.09634965299432051, 0.10681470777500983,
                                          0.11405386525675254, 0.12823375169303403, 0.13459145675576048])  # fmt: skip
    close("A23: restricted mean", survival.restricted_mean(time, event, 35), [23.287394957983196, 2.8274676233714393])
    close("A23: restricted at 20", survival.restricted_mean(time, event, 20)[0], 16.116526610644257)
    close("A23: placebo", survival.restricted_mean(other, ended, 23)[0], 8.666666666666668)
    close(
        "A23: medians",
        [survival.median(survival.kaplan_meier(*s))[0] for s in ((time, event), (other, ended))],
        [23, 8],
    )
    check(
        "a restricted mean beyond a censored sample is missing", np.isnan(survival.restricted_mean(time, event, 36)[0])
    )
    close("nobody recovers, all watched to 5", survival.restricted_mean(np.full(3, 5.0), np.zeros(3, bool), 5), [5, 0])
    check("no sample, no mean", np.isnan(survival.restricted_mean(np.array([]), np.array([], bool), 5)[0]))
    pseudo = survival.pseudo_times(time, event, 35)
    close("A23: pseudo-observations have the restricted mean", pseudo.mean(), 23.287394957983196)
    close("A23: and nearly its error", pseudo.std() / 20**0.5, 2.8274676233714393, 0.2)
    close("without censoring they are the times", survival.pseudo_times(other, ended, 10), np.minimum(other, 10))
    if importlib.util.find_spec("statsmodels"):
        from statsmodels.duration.survfunc import SurvfuncRight

        chi2, _ = survival.logrank(np.append(time, other), np.append(event, ended), np.repeat([0, 1], 21))
        close("A23: log-rank", chi2, 16.79294098921654)
        peer = SurvfuncRight(time, event.astype(int))
        close(
            "the curve is that of statsmodels",
            curve["share"].values,
            peer.surv_prob[np.isin(peer.surv_times, curve["day"])],
        )


def shown_freireich(program: str, here: Path) -> None:
    """A23 through a results file: `airesim show` and Python give the same numbers, and those of the literature.

    The runs of a small batch are made the patients: arm one is the drug, arm two placebo. With every censored time taken
    for an event, the broken variant, the same check must fail.
    """
    small = run(program, SOURCE / "tests" / "program" / "small.yaml", here / "patients.h5", "--replicates", "21", "--set",
                "measures.recovery.levels=[90 %]")  # fmt: skip
    time = np.array([np.abs(DRUG), PLACEBO], dtype=float).reshape(2, 1, 21)
    event = np.array([np.array(DRUG) > 0, np.ones(21, bool)]).reshape(2, 1, 21)
    good = shown(program, small, here / "a23.h5", time, event)
    expected = {("base", "median"): 23, ("fewer_contacts", "median"): 8,
                ("fewer_contacts", "restricted_mean"): 8.666666666666668, ("base", "logrank_chi2"): 16.79294098921654,
                ("base", "window"): 23}  # fmt: skip
    close("A23: show", [good[key] for key in expected], list(expected.values()), 1e-10)
    broken = shown(program, small, here / "a23_broken.h5", time, np.ones_like(event))
    check("A23: censored times as events change the answer", abs(broken["base", "logrank_chi2"] - 16.79294098921654) > 1)
    with airesim.open(here / "a23.h5") as ds:
        table = survival.recovery(ds, 0.9)
        for arm in ("base", "fewer_contacts"):
            names = {"restricted_mean": "rmst", "restricted_mean_se": "rmst_se", "median": "median", "median_low": "median_low",
                     "median_high": "median_high"}  # fmt: skip
            close(f"A23: show and Python, {arm}", [good[arm, k] for k in names],
                  [float(table[v].sel(arm=arm)) for v in names.values()], 1e-10)  # fmt: skip
        close("A23: log-rank of show and Python", [good["base", "logrank_chi2"], good["base", "logrank_p"]],
              survival.logrank_arms(ds, 0.9), 1e-10)  # fmt: skip


def shown(program: str, source: Path, target: Path, time: np.ndarray, event: np.ndarray) -> dict[tuple[str, str], float]:
    """Write times and events into a copy of a results file; what `airesim show` says of recovery, by arm and statistic."""
    edit(source, target, {"time_to_recover": np.where(event, time, np.nan)[..., None], "observed_time": time,
                          "status": np.where(event, 0, 3)[..., None]})  # fmt: skip
    done = subprocess.run([program, "show", str(target), "--csv"], check=True, capture_output=True, text=True)
    rows = [row for row in csv.DictReader(io.StringIO(done.stdout)) if row["variable"] == "time_to_recover"]
    return {(row["arm"], row["statistic"]): float(row["value"] or "nan") for row in rows}


def estimators() -> None:
    """Inequality, sensitivity, variance, break-even and intervals where the answer is known."""
    close("Theil: equal", equity.theil(np.array([2.0, 2, 2])), 0)
    close("Theil: one has all", equity.theil(np.array([0.0, 0, 0, 5])), np.log(4))
    close(
        "Theil: weighted like repeated",
        equity.theil(np.array([1.0, 3]), np.array([2, 1])),
        equity.theil(np.array([1.0, 1, 3])),
    )
    check("Theil: negative is missing", np.isnan(equity.theil(np.array([-1.0, 2]))))
    close("Wilson, 0 of 10", [wilson(0, 10).low, wilson(0, 10).high], [0, 0.2775327998628892], 1e-6)
    rng = np.random.default_rng(3)
    x = rng.uniform(-np.pi, np.pi, (4096, 3))
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    close(
        "A24 Ishigami: first-order shares",
        [sensitivity.first_order(x[:, i], y) for i in range(3)],
        [0.3139, 0.4424, 0],
        0.03,
    )
    noise = [sensitivity.first_order(rng.uniform(size=64), rng.normal(size=64)) for _ in range(400)]
    check(
        "a factor without influence has share 0 on average",
        abs(np.mean(noise)) < 4 * np.std(noise) / 20,
        str(np.mean(noise)),
    )
    ds = design(rng, points=64, replicates=16)
    got = sensitivity.variance_split(ds["loss"].sel(arm="a"), ds)
    check("variance split: ignorance 3, chance 1", abs(got["share"] - 0.75) < 0.12, str(got))
    s = sensitivity.indices(ds["loss"].sel(arm="a"), ds, times=50)
    check(
        "the factor that matters comes first",
        str(s["factor"].values[0]) == "x" and float(s["first_order"][0]) > 0.8,
        str(s),
    )
    at = budget.break_even(ds["loss"], ds, "a", "b", "x")
    check("break-even at 0.4 within its interval", at.low <= 0.4 <= at.high and at.high - at.low < 0.2, str(at))
    never = budget.break_even(ds["loss"], ds, "a", "c", "x")
    check("no break-even where one arm is always worse", np.isnan(never.value), str(never))
    m = budget.regret_map(ds["loss"], ds, "x", "z", bins=4)
    check(
        "regret map: a is best left, b right",
        set(m["best"].values[:, 0]) == {"a"} and set(m["best"].values[:, 3]) == {"b"},
    )
    check(
        "regret is 0 for the best and positive for c",
        np.nanmin(m["regret"]) == 0 and np.nanmin(m["regret"].sel(arm="c")) > 0,
    )
    p = paired.compare(ds, "loss", "a")
    check(
        "an arm against itself: exactly 0",
        float(p["difference"].sel(arm="a")) == 0 and float(p["equal"].sel(arm="a")) == 1,
    )
    check(
        "c is worse than a by 1 in each world",
        abs(float(p["difference"].sel(arm="c")) - 1) < 1e-9 and float(p["higher"].sel(arm="c")) == 1,
    )
    check("a loss of no known kind is neither better nor worse", bool(p["better"].isnull().all()))
    p = paired.compare(ds, ds["loss"].rename("resilience_loss"), "a")
    check("less resilience lost is better", float(p["better"].sel(arm="c")) == 0)
    check(
        "one run has no interval",
        np.isnan(mean_interval(np.array([[3.0]])).low) and mean_interval(np.array([[3.0]])).value == 3,
    )
    inside = sum(
        e.low <= 0 <= e.high
        for e in (mean_interval(rng.normal(size=(6, 1)) + rng.normal(size=(6, 5))) for _ in range(400))
    )
    check(
        "intervals over points and replicates cover at least 95 %",
        inside >= 400 * 0.95 - 3 * np.sqrt(400 * 0.05 * 0.95),
        str(inside),
    )


def design(rng: np.random.Generator, points: int, replicates: int) -> xr.Dataset:
    """Loss 6 x of arm a with luck of variance 1 (variance between points 3); b is level at 0.4; c one worse than a."""
    x, z = (rng.permutation(points) + 0.5) / points, (rng.permutation(points) + 0.5) / points
    luck = rng.normal(size=(points, replicates))
    a = 6 * x[:, None] + luck
    b = 2.4 + 0 * x[:, None] + luck + 0.01 * rng.normal(size=luck.shape)
    return xr.Dataset(
        {"loss": (("arm", "point", "replicate"), np.array([a, b, a + 1])),
         "design_value": (("point", "factor"), np.stack([x, z], 1))},
        coords={"arm": ["a", "b", "c"], "factor": ["x", "z"]}, attrs={"draws": "fresh"},
    )  # fmt: skip


def quiet(arguments: list[str]) -> tuple[int, str]:
    """The command line's status and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = command(arguments)
    return status, said.getvalue()


def run(program: str, scenario: Path, output: Path, *options: str) -> Path:
    """Run the program; return the results file."""
    subprocess.run([program, "run", str(scenario), "-q", "-o", str(output), *options], check=True)
    return output


class Page(HTMLParser):
    """What a page would fetch, its pictures and whether a script stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.pictures, self.scripts = 0, 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count what matters."""
        self.scripts += tag == "script"
        for key, value in attrs:
            if key in ("src", "href") and value:
                self.pictures += value.startswith("data:image/png;base64,")
                if not value.startswith(("data:", "#")):
                    self.fetched.append(value)


def pages(program: str, here: Path) -> None:
    """Reports and figures of ordinary and unhappy files; the numbers of the program's own table."""
    small = run(program, SOURCE / "tests" / "program" / "small.yaml", here / "small.h5")
    lines = subprocess.run(
        [program, "show", str(small), "--csv"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    with airesim.open(small) as ds:
        lazy = [str(v) for v in ds.data_vars if ds[v].variable._in_memory]  # noqa: SLF001
        check("open reads nothing before it is used, and statuses are words", not lazy and "recovered" in ds["status"].values, str(lazy))
        compared = 0
        for level in (float(v) for v in ds["level"].values):
            table = survival.recovery(ds, level)
            names = {"median": "median", "restricted_mean": "rmst", "restricted_mean_unconditional": "rmst_unconditional",
                     "restricted_mean_se": "rmst_se"}  # fmt: skip
            for arm, variable, element, statistic, value, *_ in (line.split(",") for line in lines):
                if variable == "time_to_recover" and element == f"level={level:g}" and statistic in names and value:
                    got = float(table[names[statistic]].sel(arm=arm))
                    if not abs(got - float(value)) < 1e-9 * max(1, abs(got)):
                        check(f"{arm} {element} {statistic}: show says {value}, Python {got}", False)
                    compared += 1
        check(f"{compared} numbers of recovery equal those of `airesim show`", compared >= 7)
    with h5py.File(small) as file:
        shape = file["status"].shape
    never, censored = np.full(shape, 4.0), np.full(shape, 3.0)
    edit(
        small,
        here / "never.h5",
        {"status": never, "time_to_recover": never * np.nan, "observed_time": np.full(shape[:3], np.nan)},
    )
    edit(
        small,
        here / "censored.h5",
        {"status": censored, "time_to_recover": never * np.nan, "observed_time": np.full(shape[:3], 20.0)},
    )
    edit(small, here / "failed.h5", {"status": np.full(shape, 5.0)})
    edit(small, here / "evil.h5", {}, {"question": '<script>alert(1)</script> & "why"?'})
    one = run(program, SOURCE / "tests" / "program" / "small.yaml", here / "one.h5", "--replicates", "1")
    for path in (small, one, here / "never.h5", here / "censored.h5", here / "evil.h5"):
        html = here / (path.stem + ".html")
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            status, said = quiet(["report", str(path), "-o", str(html)])
        text = html.read_text(encoding="utf-8") if html.exists() else ""
        page = Page(text)
        check(f"report of {path.name}: pictures, no script, nothing fetched, no NaN in words",
              status == 0 and page.pictures >= 5 and not page.scripts and not page.fetched and ">nan" not in text, said)  # fmt: skip
    check("strings are escaped", "&lt;script&gt;alert(1)" in (here / "evil.html").read_text(encoding="utf-8"))
    check("one replicate: no interval, said so", "One world only" in (here / "one.html").read_text(encoding="utf-8"))
    with airesim.open(here / "never.h5") as ds:
        table = survival.recovery(ds, 0.9)
        close("never degraded: unconditional mean 0", table["rmst_unconditional"], [0, 0])
        check(
            "never degraded: no median",
            bool(table["median"].isnull().all()) and bool((table["never_degraded"] == 1).all()),
        )
        figure = charts.survival_figure(ds)
        check(
            "never degraded: the figure says so",
            "No run of any arm fell" in " ".join(t.get_text() for t in figure.axes[0].texts),
        )
    with airesim.open(here / "censored.h5") as ds:
        table = survival.recovery(ds, 0.9)
        close("all censored at 20: restricted mean 20", table["rmst"], [20, 20])
        check("all censored: no median", bool(table["median"].isnull().all()) and bool((table["censored"] == 1).all()))
        check("all censored: a figure", len(charts.survival_figure(ds).axes) == 2)
    status, said = quiet(["report", str(here / "failed.h5"), "-o", str(here / "failed.html")])
    check(
        "every run failed: a message, no page",
        status == 1 and "every run failed" in said and not (here / "failed.html").exists(),
        said,
    )
    plt.close("all")


def edit(source: Path, target: Path, values: dict[str, np.ndarray], attributes: dict[str, str] | None = None) -> None:
    """Copy a results file and overwrite variables and attributes."""
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        for name, value in values.items():
            file[name][...] = value
        for name, text in (attributes or {}).items():
            file.attrs[name] = text


def unhappy(here: Path) -> None:
    """Files that are no results: one line of message, status 1, never a traceback."""
    whole = (here / "small.h5").read_bytes()
    (here / "half.h5").write_bytes(whole[: len(whole) // 2])
    (here / "empty.h5").write_bytes(b"")
    (here / "text.h5").write_text("arm,value\n")
    with h5py.File(here / "foreign.h5", "w") as file:
        file["x"] = np.arange(3)
    with h5py.File(here / "bare.h5", "w") as file:
        file.attrs["airesim_results"] = "1"
    edit(here / "small.h5", here / "later.h5", {}, {"airesim_results": "9"})
    for name in ("half.h5", "empty.h5", "text.h5", "foreign.h5", "bare.h5", "later.h5", "absent.h5", "."):
        for verb, ending in (("report", "html"), ("figures", "png")):
            status, said = quiet([verb, str(here / name), "-o", str(here / f"none.{ending}")])
            check(
                f"{verb} {name}: a message",
                status == 1 and said.startswith("airesim: error: ") and not (here / f"none.{ending}").exists(),
                said,
            )


def running(program: str, here: Path) -> None:
    """`airesim.run` and `airesim.scenario`, a design, and its report."""
    os.environ["AIRESIM_PROGRAM"] = program
    small = SOURCE / "tests" / "program" / "small.yaml"
    bar = io.StringIO()
    with contextlib.redirect_stderr(bar):
        ds = airesim.run(small, {"society.people": 100}, replicates=3, seed=5)
    check(
        "run: replicates, seed, set",
        ds.sizes["replicate"] == 3 and str(ds.attrs["seed"]) == "5" and int(ds["population_size"].max()) == 100,
    )
    check("run: a progress bar", "6/6 runs" in bar.getvalue(), bar.getvalue())
    text = small.read_text(encoding="utf-8").replace("0.15/day per contact", "0.15/day per contact (0.02..0.4)")
    text = text.replace("replicates: 40, seed: 7", "replicates: 4, seed: 7, sample: sobol points 16, vary: all")
    varied = here / "varied.h5"
    airesim.run(text, output=varied, progress=False).close()
    status, said = quiet(["report", str(varied), "-o", str(here / "varied.html")])
    page = (here / "varied.html").read_text(encoding="utf-8") if status == 0 else ""
    check(
        "a design: the range and its influence on the page",
        "hazards.outbreak.transmission" in page and "explains" in page,
        said,
    )
    check("scenario: expanded", "hazards" in airesim.scenario(small))
    for call in (
        lambda: airesim.run(small, {"society.peple": 3}, progress=False),
        lambda: airesim.scenario("airesim: 1\nhorizn: 3 days\n"),
    ):
        try:
            call()
            check("a wrong scenario is refused", False)
        except ValueError as error:
            check("a wrong scenario is refused with the program's words", "error" in str(error), str(error))


def compared(program: str, here: Path) -> None:
    """`airesim compare` against Python: every number of every measure; and files that cannot be paired."""
    small = SOURCE / "tests" / "program" / "small.yaml"
    text = small.read_text(encoding="utf-8").replace("0.15/day per contact", "0.15/day per contact (0.02..0.4)")
    (here / "design.yaml").write_text(text.replace("replicates: 40", "replicates: 6, sample: latin_hypercube points 8"))
    slower = ("--set", "hazards.outbreak.latent=exponential mean 4 days")
    for scenario in (small, here / "design.yaml"):
        one = run(program, scenario, here / f"{scenario.stem}_1.h5")
        two = run(program, scenario, here / f"{scenario.stem}_2.h5", "--replicates", "5", *slower)
        paired_numbers(program, one, two)
    unpaired(program, here)


def paired_numbers(program: str, one: Path, two: Path) -> None:
    """Every number that the program prints equals Python's; with the replicates of one file shuffled none would."""
    done = subprocess.run([program, "compare", str(one), str(two), "--csv"], check=True, capture_output=True, text=True)
    said: dict[tuple[str, ...], dict[str, float]] = {}
    for row in list(csv.DictReader(io.StringIO(done.stdout))):
        if row["variable"] != "parameter":
            key = (row["arm"], row["variable"], row["element"])
            said.setdefault(key, {})[row["statistic"]] = float(row["value"] or "nan")
    names = {"pairs": "n", "mean_a": "mean_first", "mean_b": "mean_second", "difference": "difference",
             "difference_low": "low", "difference_high": "high", "lower": "lower", "equal": "equal", "higher": "higher",
             "better": "better"}  # fmt: skip
    with airesim.open(one) as a, airesim.open(two) as b:
        a, b = a.load(), b.load()
        wrong, numbers, shuffled = [], 0, 0
        for (arm, variable, element), statistics in said.items():
            x, y, at, order = a, b, labels(a, element), None
            if variable == "restricted_time_to_recover":
                (x, y), at, order = restricted_pair(a, b, element, statistics["until"]), {}, "order"
            got = paired.between(x, y, variable, order, **at).sel(arm=arm)
            mixed = paired.between(x, y.isel(replicate=slice(None, None, -1)), variable, order, **at).sel(arm=arm)
            for statistic, name in names.items():
                expected, value = statistics[statistic], float(got[name])
                numbers += 1
                if not np.isclose(value, expected, rtol=1e-9, atol=1e-12, equal_nan=True):
                    wrong.append(f"{arm} {variable}[{element}] {statistic}: {expected} and {value}")
            shuffled += not np.isclose(float(mixed["high"]), statistics["difference_high"], rtol=1e-9, atol=1e-12, equal_nan=True)
    check(f"compare {one.stem}: {numbers} numbers equal Python's", numbers > 200 and not wrong, "\n".join(wrong[:8]))
    check("paired with other replicates the intervals would differ", shuffled > 10, str(shuffled))


def labels(ds: xr.Dataset, element: str) -> dict[str, object]:
    """`hazard=flu,level=0.9` as labels along dimensions."""
    at: dict[str, object] = {}
    for pair in element.split(",") if element else []:
        dim, label = pair.split("=", 1)
        at[dim] = label if ds[dim].dtype.kind in "OU" else next(v for v in ds[dim].values if f"{v:.10g}" == label)
    return at


def restricted_pair(a: xr.Dataset, b: xr.Dataset, element: str, until: float) -> list[xr.Dataset]:
    """Both files with the restricted times of a level, in the window that the program says, as a variable."""
    level = float(labels(a, element)["level"])
    replicates = min(a.sizes["replicate"], b.sizes["replicate"])
    made = []
    for ds in (x.isel(replicate=slice(0, replicates)) for x in (a, b)):
        assert not np.isfinite(until) or until <= survival.window(ds, level) + 1e-9
        times = survival.restricted_times(ds, level, until if np.isfinite(until) else 1.0)
        made.append(ds.assign(restricted_time_to_recover=times, order=survival.recovery_order(ds, level)))
    return made


def unpaired(program: str, here: Path) -> None:
    """What shares no draws is refused by the program and by Python, in words."""
    small = SOURCE / "tests" / "program" / "small.yaml"
    one, design = here / "small_1.h5", here / "design_1.h5"
    seed = run(program, small, here / "seed.h5", "--seed", "8", "--replicates", "3")
    point = run(program, here / "design.yaml", here / "point.h5", "--replicates", "3", "--set",
                "hazards.outbreak.transmission=0.15/day (0.02..0.3)")  # fmt: skip
    for a, b, words in ((one, seed, "seed differs"), (one, design, "design"), (design, point, "design point")):
        done = subprocess.run([program, "compare", str(a), str(b)], capture_output=True, text=True)
        check(f"compare refuses: {words}", done.returncode == 2 and words in done.stderr and not done.stdout, done.stderr)
        with airesim.open(a) as x, airesim.open(b) as y:
            try:
                paired.between(x, y, "resilience_loss")
                check(f"Python refuses: {words}", False)
            except ValueError as error:
                check(f"Python refuses: {words}", words.split()[0] in str(error), str(error))


def priced() -> None:
    """What money does, where it is known: arms on a parabola over the share, one with twice the money."""
    rng = np.random.default_rng(5)
    share, luck = np.array([0, 0.25, 0.5, 0.75, 1, 0.5]), rng.normal(size=(16, 4))
    noise = 0.01 * rng.normal(size=(6, 16, 4))
    lost = 5 + 8 * (share[:, None, None] - 0.4) ** 2 + luck + noise
    lost[5] -= 1
    arms = ["none", "quarter", "half", "most", "all", "double"]
    text = np.array([["50 %", "rest", "safeguards.x", "teams.y.size", "1 million USD/year", "EUR"]] * 6, dtype=object)
    number = np.array([[s, np.nan, np.nan, np.nan, 1e6 * (1 + (a == "double")), np.nan] for s, a in zip(share, arms)])
    paths = ["budget.lines.guard.share", "budget.lines.act.share", "budget.lines.guard.buys", "budget.lines.act.buys",
             "budget.total", "currency"]  # fmt: skip
    ds = xr.Dataset(
        {"lost": (("arm", "point", "replicate"), lost), "parameter_value": (("arm", "parameter"), text),
         "parameter_number": (("arm", "parameter"), number), "parameter_unit": ("parameter", ["1", "", "", "", "USD/year", ""])},
        coords={"arm": arms, "parameter": paths}, attrs={"draws": "fresh", "reference": "half"},
    )  # fmt: skip
    close("shares, the rest filled in", budget.line_shares(ds).values, np.stack([share, 1 - share], 1))
    check("the line that buys safeguards is the axis", budget.budget_share(ds)[0] == "budget.lines.guard.share")
    found = budget.steps(ds, ds["lost"])
    moved = [s for s in found if s.moved]
    close("four moves and one addition", [len(moved), len(found) - len(moved)], [4, 1])
    for step, true in zip(found, [8 * (0.15**2 - 0.4**2), 8 * (0.1**2 - 0.15**2), 8 * (0.35**2 - 0.1**2), 8 * (0.6**2 - 0.35**2), -1]):
        width = step.change.high - step.change.low  # four standard errors: one interval in twenty misses
        good = abs(step.change.value - true) <= width and width < 0.05
        check(f"{step.start} to {step.end}: {true:+.3g} within {step.change.text()}", good)
    close("money of each step", [s.money for s in found], [250_000] * 4 + [1e6], 1e-6)
    at = budget.best_share(ds, ds["lost"])
    check("break-even share 0.4 within its interval", abs(at.value - 0.4) < 0.02 and at.low <= 0.4 <= at.high and at.high - at.low < 0.05, str(at))
    slope = budget.best_share(ds, ds["lost"] - 20 * xr.DataArray(share, dims="arm"))
    close("more always better: the end of the range", slope.value, 1)
    said = answers.answer(ds, ds["lost"].assign_attrs(words="days lost a year"))
    check("the next unit stays, in words", "the next 100,000 EUR a year are best left where they are" in said.sentence, said.sentence)
    dear = answers.answer(ds, (ds["lost"] + 4 * xr.DataArray(share, dims="arm")).assign_attrs(words="days lost a year"))
    check("dearer, it goes elsewhere", "should go elsewhere than to guard" in dear.sentence and "save 0." in dear.sentence, dear.sentence)
    check("the arm with other money does not compete", said.best == "half" and said.contrast == ("none", "all"), str(said))
    turned = answers.answer(ds, (-ds["lost"] + 0.5 * xr.DataArray(share, dims="arm")).assign_attrs(words="days lost a year"))
    check("turned round the advice is another", turned.sentence != said.sentence and turned.best == "all", turned.sentence)
    c = budget.choices(ds, answers.comparable(ds, ds["lost"]))
    check("half is best at every point, and without regret", float(c["best"].sel(arm="half")) == 1 and float(c["regret"].sel(arm="half")) == 0, str(c))
    show = answers.written(ds, "budget.total")
    check("a quantity as it was written", show.text(5e5) == "0.5 million USD/year", show.text(5e5))


def money_report(program: str, here: Path) -> None:
    """The report of a real batch with groups, a budget and ranges; every figure says where it comes from."""
    made = run(program, SOURCE / "tests" / "analysis" / "budget.yaml", here / "budget.h5")
    page = here / "budget.html"
    done = subprocess.run([program, "report", str(made), "-o", str(page)], capture_output=True, text=True,
                          env={**os.environ, "AIRESIM_PYTHON": sys.executable})  # fmt: skip
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    check("airesim report writes the page", done.returncode == 0 and Page(text).pictures == 7, done.stderr)
    for words in ("the next 10,000 USD a year", "What would flip it", "safeguards.bypass", "best at", "The value of the next money"):
        check(f"the page says: {words}", words in text)
    with airesim.open(made) as ds:
        check("groups are told apart", list(ds["group"].values) == ["adults", "elderly", "minors"])
        late = equity.recovery_gaps(ds)
        check("who recovers last", set(late["worst"].values) <= {"", "adults", "elderly", "minors"} and bool((late["theil"] >= 0).all()))
        lost = budget.lost_days(ds)
        for name, figure in (("fan", charts.fan_figure(ds)), ("survival", charts.survival_figure(ds)), ("headline", charts.headline_figure(ds)),
                             ("regret", charts.regret_figure(ds, "budget.lines.safeguards.curve.half", "safeguards.bypass")),
                             ("tornado", charts.tornado_figure(ds, lost.sel(arm="half"), "lost")), ("equity", charts.equity_figure(ds)),
                             ("crews", charts.crews_figure(ds))):  # fmt: skip
            foot = " ".join(" ".join(t.get_text() for t in figure.texts).split())
            wanted = ("n = 48 runs an arm", "never degraded", "not recovered", "horizon 365.2 days", "seed 1", airesim.facts(ds).scenario_hash, "ILLUSTRATIVE INPUTS")
            check(f"{name}: n, shares, horizon, seed, hash, mark", all(w in foot for w in wanted), foot)
    plt.close("all")


def browsed(here: Path) -> None:
    """The page in headless Chromium: nothing on the console, nothing fetched, whole when printed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("left out: the report in a browser (Debian: chromium)")
        return
    page = here / "budget.html"
    base = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={here / 'profile'}", "--enable-logging=stderr", "--v=0"]
    environment = {**os.environ, "HOME": str(here)}

    def browse(*options: str, source: Path = page) -> str:
        done = subprocess.run([*base, *options, source.as_uri()], capture_output=True, text=True, timeout=120, env=environment)
        return done.stderr + done.stdout

    said = browse("--dump-dom", f"--log-net-log={here / 'net.json'}")
    log = (here / "net.json").read_text(encoding="utf-8", errors="replace")
    fetched = {u for u in re.findall(r'"url":"([^"]+)"', log) if u.startswith("http")}
    own = {u for u in fetched if re.match(r"https?://([a-z0-9-]+\.)*(google|googleapis|gstatic|gvt1)\.com", u)}  # the browser's, not the page's
    check("browser: the page is shown whole", "How to repeat it".lower() in said.lower())
    check("browser: nothing on the console", ":CONSOLE" not in said, "\n".join(line for line in said.splitlines() if "CONSOLE" in line))
    check("browser: nothing fetched", not fetched - own, str(fetched - own))
    (here / "broken.html").write_text(page.read_text(encoding="utf-8").replace("<h1>", '<img src="https://example.org/x.png"><h1>'), encoding="utf-8")
    check("browser: a page that fetches is noticed", ":CONSOLE" in browse("--dump-dom", source=here / "broken.html"))
    browse(f"--print-to-pdf={here / 'report.pdf'}", "--no-pdf-header-footer")
    pdf = (here / "report.pdf").read_bytes() if (here / "report.pdf").exists() else b""
    sheets = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
    check("browser: it prints on a few sheets", 4 <= sheets <= 20, f"{sheets} sheets")


def notebook(program: str, here: Path) -> None:
    """The tour from its first cell to its last."""
    tour = SOURCE / "analysis" / "notebooks" / "tour.ipynb"
    if not all(importlib.util.find_spec(m) for m in ("nbconvert", "ipykernel")):
        print("left out: the notebook (Debian: jupyter-nbconvert, python3-ipykernel)")
        return
    environment = {**os.environ, "PYTHONPATH": str(SOURCE / "analysis"), "AIRESIM_PROGRAM": program}
    environment["AIRESIM_TOUR"] = str(SOURCE / "scenarios" / "outbreak_response.yaml")
    environment.pop("MPLBACKEND", None)
    done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(here), str(tour)],
                          env=environment, capture_output=True, text=True)  # fmt: skip
    made = here / "tour.ipynb"
    pictures = made.read_text(encoding="utf-8").count('"image/png"') if made.exists() else 0
    check(
        "the notebook runs and shows its eight figures",
        done.returncode == 0 and pictures >= 8,
        f"{pictures} figures; {done.stderr[-1500:]}",
    )


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(SOURCE / "build" / "airesim"), help="the program")
    program = os.path.abspath(parser.parse_args().program)
    suite.group(freireich)
    suite.group(estimators)
    suite.group(priced)
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        suite.group(lambda: shown_freireich(program, here))
        suite.group(lambda: pages(program, here))
        suite.group(lambda: unhappy(here))
        suite.group(lambda: running(program, here))
        suite.group(lambda: compared(program, here))
        suite.group(lambda: money_report(program, here))
        suite.group(lambda: browsed(here))
        suite.group(lambda: notebook(program, here))
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
