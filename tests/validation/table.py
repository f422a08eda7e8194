# SPDX-License-Identifier: GPL-3.0-or-later
"""The validation cases: scenario, replicates, what is compared with which reference value, and what must be rejected.

Tolerances are pairs (quick, full), relative to the reference; replicates follow R = (4 sd / tolerance)^2. Scenarios
that are written in hours are compared in hours (results are in days).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from checks import (
    Check,
    Distribution,
    Exact,
    Extract,
    Mean,
    Pmf,
    Results,
    Spread,
    Within,
    column,
    exponential_transform,
    final_size,
    first_arrival_cdf,
    fixed_transform,
    poisson,
    restore_all_cdf,
)

HERE = Path(__file__).resolve().parent
HOURS = 24.0


@dataclass(frozen=True)
class Broken:
    """One wrong assumption that the same checks must reject: patches of the scenario, and the arms that are kept."""

    what: str
    sets: tuple[str, ...]
    arms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One scenario file with its checks."""

    name: str
    scenario: str
    replicates: tuple[int, int]  # quick, full
    checks: list[Check]
    broken: Broken
    arms: list[str] = field(default_factory=list)  # of the scenario, in any order; empty: it has none
    quick_sets: tuple[str, ...] = ()  # patches of the quick tier: smaller networks
    quick_arms: tuple[str, ...] = ()  # arms of the quick tier; empty: all


def number(x: Any) -> float:
    """A reference value: a number, or a pair of a fraction in words and a decimal."""
    return float(x[1] if isinstance(x, list) else x)


def whole(pmf: dict[str, Any]) -> dict[int, float]:
    """Probabilities by whole number."""
    return {int(k): number(v) for k, v in pmf.items()}


def final_moment(pmf: dict[int, float], power: int) -> float:
    """A raw moment of a pmf."""
    return sum(p * k**power for k, p in pmf.items())


def share(extract: Extract, test: Callable[[np.ndarray], np.ndarray]) -> Extract:
    """1 where the test holds, else 0: its mean is a probability."""
    return lambda results, arm: test(extract(results, arm)).astype(float)


def only(extract: Extract, test: Callable[[np.ndarray], np.ndarray]) -> Extract:
    """The values for which the test holds."""

    def kept(results: Results, arm: str) -> np.ndarray:
        x = extract(results, arm)
        return x[test(x)]

    return kept


def combine(function: Callable[..., np.ndarray], *extracts: Extract) -> Extract:
    """A function of several measures, run by run."""
    return lambda results, arm: function(*(extract(results, arm) for extract in extracts))


EVER, EXTINCT, LOAD = column("ever_infected"), column("extinct"), column("infected_days")


def outbreak(arm: str, ref: dict[str, Any], tolerance: tuple[float, float]) -> list[Check]:
    """Final size, time of extinction and person-days of one arm of A01 or A02."""
    return [
        Pmf(arm, "final size", EVER, whole(ref["final_size_pmf"])),
        Mean(arm, "E final size", EVER, ref["mean_final_size"], tolerance),
        Mean(arm, "E T", EXTINCT, number(ref["ET"]), tolerance),
        Spread(arm, "sd T", EXTINCT, ref["SDT"], (2 * tolerance[0], 2 * tolerance[1])),
        Mean(arm, "E person-days", LOAD, number(ref["E_infected_time"]), (2 * tolerance[0], 2 * tolerance[1])),
    ]


def a01(ref: dict[str, Any]) -> Case:
    keys = {"p3_end": "P3_end", "p4_end": "P4_end", "p4_inner": "P4_inner", "k3": "K3", "s4_hub": "S4_hub(K1,3)",
            "s4_leaf": "S4_leaf(K1,3)", "c4": "C4", "k4": "K4"}
    checks = [c for arm, key in keys.items() for c in outbreak(arm, ref["A01"][key], (0.025, 0.0075))]
    return Case("A01", "a01_sir_tiny.yaml", (30_000, 330_000), checks,
                Broken("transmission 10 % higher", ("hazards.flu.transmission=x 1.1",), ("p3_end", "k3")), list(keys))


def a01b(ref: dict[str, Any]) -> Case:
    keys = {"p4_end": "P4_end", "k3": "K3", "s4_hub": "S4_hub(K1,3)", "c4": "C4", "k4": "K4"}
    values = {arm + half: ref["A01b"][key + (" d=ln2 (T=1/2, same T as exponential case)" if half else
                                             " d=1 (T=1-e^-1)")]
              for arm, key in keys.items() for half in ("", "_half")}
    checks: list[Check] = []
    for arm, value in values.items():
        checks.append(Pmf(arm, "final size", EVER, whole(value["pmf"])))
        checks.append(Mean(arm, "E final size", EVER, value["mean"], (0.025, 0.0075)))
    return Case("A01b", "a01b_sir_tiny_fixed.yaml", (20_000, 220_000), checks,
                Broken("exponential infectious period of the same mean",
                       ("hazards.flu.infectious=exponential mean 1 days",), ("p4_end", "k3")), list(values))


def a02(ref: dict[str, Any]) -> Case:
    graphs = {"claw": "K1,4 leaf-start", "p4": "P4_end", "k4": "K4"}
    crews = {"1": "c=1", "2": "c=2", "all": "c=None"}
    pairs = {f"{g}_{c}": f"{graph} {crew} FIFO" for g, graph in graphs.items() for c, crew in crews.items()}
    checks = [c for arm, key in pairs.items() for c in outbreak(arm, ref["A02"][key], (0.03, 0.0075))]
    return Case("A02", "a02_crews_tiny.yaml", (24_000, 360_000), checks,
                Broken("last come first served", ("repair.cure.order=lifo",), ("claw_1", "p4_1")), list(pairs))


def a03(ref: dict[str, Any]) -> Case:
    checks: list[Check] = []
    for arm, key in (("crews_1", "c=1"), ("crews_2", "c=2"), ("crews_all", "c=None")):
        v = ref["A03"][key]
        tol = (0.04, 0.01)
        checks += [
            Mean(arm, "E final size", EVER, v["mean_final"], tol),
            Spread(arm, "sd final size", EVER, v["sd_final"], tol),
            Mean(arm, "P(final = 1)", share(EVER, lambda x: x == 1), v["P(final=1)"], (0.06, 0.015)),
            Mean(arm, "P(final <= 5)", share(EVER, lambda x: x <= 5), v["P(final<=5)"], (0.05, 0.0125)),
            Mean(arm, "P(final = 20)", share(EVER, lambda x: x == 20), v["P(final=20)"], (0.25, 0.06)),
            Mean(arm, "E T", EXTINCT, v["ET"], tol),
            Spread(arm, "sd T", EXTINCT, v["SDT"], (0.1, 0.025)),
            Mean(arm, "E node-days", LOAD, v["E_infected_time(node-hours)"], (0.05, 0.0125)),
        ]
    return Case("A03", "a03_crews_k20.yaml", (12_000, 180_000), checks,
                Broken("transmission 10 % higher", ("hazards.flu.transmission=x 1.1",), ("crews_1", "crews_2")),
                ["crews_1", "crews_2", "crews_all"])


def a04(ref: dict[str, Any]) -> Case:
    exponential, fixed = (ref["A04"][key] for key in list(ref["A04"])[:2])
    checks: list[Check] = []
    for arm, v, transform in (("exponential", exponential, exponential_transform), ("fixed", fixed, fixed_transform)):
        pmf = final_size(100, 0.02, transform)
        assert abs(final_moment(pmf, 1) - v["mean"]) < 1e-6, "the recursion disagrees with the reference"
        checks += [
            Pmf(arm, "final size", EVER, pmf),
            Mean(arm, "E final size", EVER, v["mean"], (0.04, 0.01)),
            Spread(arm, "sd final size", EVER, v["sd"], (0.04, 0.01)),
            Mean(arm, "P(final = 1)", share(EVER, lambda x: x == 1), v["P(final=1)"], (0.1, 0.025)),
            Mean(arm, "P(final <= 10)", share(EVER, lambda x: x <= 10), v["P(final<=10)"], (0.08, 0.02)),
            Mean(arm, "E final size | > 20", only(EVER, lambda x: x > 20), v["mean|final>20"], (0.01, 0.0025)),
        ]
    checks += [
        Mean("exponential", "E T", EXTINCT, exponential["ET"], (0.04, 0.01)),
        Spread("exponential", "sd T", EXTINCT, exponential["SDT"], (0.04, 0.01)),
    ]
    return Case("A04", "a04_sir_k100.yaml", (12_000, 180_000), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",), ()), ["exponential", "fixed"])


def a05_short(ref: dict[str, Any]) -> Case:
    v = ref["A05"]
    checks: list[Check] = []
    for i, day in enumerate((2, 5, 10)):
        ill = column("ill", i)
        checks += [
            Mean("base", f"E I({day})", ill, v[f"from5: E[I({day})]"], (0.025, 0.01)),
            Mean("base", f"P(extinct by {day})", share(ill, lambda x: x == 0), v[f"from5: P(extinct by {day})"],
                 (0.12, 0.045)),
        ]
    return Case("A05-short", "a05_sis_k50_short.yaml", (20_000, 140_000), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",)))


def a05_extinction(ref: dict[str, Any]) -> Case:
    v = ref["A05"]
    checks: list[Check] = [
        Mean("from_1", "E T", EXTINCT, v["ET_from_1"], (0.25, 0.03)),
        Mean("from_5", "E T", EXTINCT, v["ET_from_5"], (0.12, 0.015)),
        Mean("from_all", "E T", EXTINCT, v["ET_from_all"], (0.1, 0.012)),
        Spread("from_all", "sd T", EXTINCT, v["SDT_from_all"], (0.15, 0.02)),
    ]
    return Case("A05-extinction", "a05_sis_k50_extinction.yaml", (1_800, 110_000), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",), ("from_all",)),
                ["from_1", "from_5", "from_all"])


def a10(ref: dict[str, Any]) -> Case:
    v, done = ref["A10"], column("everyone")
    mean, sd = v["path of 20 nodes from end: mean, sd (Erlang19)"]
    tol = (0.01, 0.005)
    checks: list[Check] = [
        Mean("k50", "E T", done, v["K50 mean time to all infected"], tol),
        Spread("k50", "sd T", done, v["K50 SD"], (0.03, 0.015)),
        Mean("path", "E T", done, mean, tol),
        Spread("path", "sd T", done, sd, (0.03, 0.015)),
        Mean("star_hub", "E T", done, v["star 10 leaves from hub: H10"], tol),
        Mean("star_leaf", "E T", done, v["star 10 leaves from leaf: 1+H9"], tol),
    ]
    return Case("A10", "a10_si_times.yaml", (32_000, 128_000), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",), ("k50", "star_hub")),
                ["k50", "path", "star_hub", "star_leaf"])


def a12(ref: dict[str, Any]) -> Case:
    arms = {"k1_5": "<k>=1.5", "k2": "<k>=2", "k3": "<k>=3", "k4": "<k>=4"}
    checks: list[Check] = [
        Mean(arm, f"giant component by {what}", column(what, 0, scale=1e-5), ref["A12"][key], (0.005, 0.0017))
        for arm, key in arms.items()
        for what in ("working", "giant")
    ]
    return Case("A12", "a12_giant_component.yaml", (40, 400), checks,
                Broken("mean degree 2 % higher", ("society.layers.net.graph.mean_degree=x 1.02",), ("k1_5",)), [*arms])


def a13(ref: dict[str, Any]) -> Case:
    v, tol = ref["A13"], (0.009, 0.0045)
    checks: list[Check] = [Mean("p70", "p = 1", column("before", 0, scale=2e-5),
                                v["<k>=4 p=1.0 mutual giant (fraction of N)"], tol)]
    for arm, p in (("p70", "0.7"), ("p80", "0.8")):
        for what in ("working", "controlling"):
            checks.append(Mean(arm, f"p = {p}, {what}", column(what, 0, scale=2e-5),
                               v[f"<k>=4 p={p} mutual giant (fraction of N)"], tol))
    return Case("A13", "a13_mutual_giant.yaml", (20, 80), checks,
                Broken("the need goes one way only", ("society.layers.control.needs=null",), ("p70",)), ["p70", "p80"])


def a16(ref: dict[str, Any]) -> Case:
    keys = {"k4": "K4 1 believer", "p4_end": "P4 believer at end", "p4_checker": "P4 believer 0, checker 3",
            "s5_leaf": "K1,4 believer leaf", "c4": "C4 believer 0"}
    measures = {"gone": "E time to no believers", "ever_believed": "E ever-believers", "belief_days": "E believer-time"}
    checks: list[Check] = [
        Mean(arm, quantity, column(variable), number(ref["A16"][key][quantity]), (0.03, 0.0075))
        for arm, key in keys.items() for variable, quantity in measures.items()]
    return Case("A16", "a16_hoax_race.yaml", (30_000, 500_000), checks,
                Broken("checking at the rate of belief", ("hazards.hoax.check=1/day",), ("k4", "c4")), list(keys))


WAIT = column("wait", scale=HOURS)
WAITING, SERVING = column("waiting"), column("serving")


def a17_mmc(ref: dict[str, Any]) -> Case:
    v = ref["A17"]
    length, queue, _, wait, tail = v["M/M/1 lam=.9 mu=1: L,Lq,W,Wq,P(W>10)"]
    tol = (0.09, 0.025)
    checks: list[Check] = [
        Mean("mm1", "L", combine(np.add, WAITING, SERVING), length, tol),
        Mean("mm1", "Lq", WAITING, queue, tol),
        Mean("mm1", "Wq [h]", WAIT, wait, tol),
        Mean("mm1", "P(Wq > 10 h)", column("over_10"), 0.9 * tail, (0.12, 0.035)),
    ]
    for arm, key in (("mm3", "M/M/3 lam=2.5"), ("mm5", "M/M/5 lam=4.0"), ("mm10", "M/M/10 lam=8.0")):
        _, queue, wait, tail = v[f"{key} mu=1: ErlangC, Lq, Wq, P(Wq>1)"]
        checks += [Mean(arm, "Lq", WAITING, queue, tol), Mean(arm, "Wq [h]", WAIT, wait, tol),
                   Mean(arm, "P(Wq > 1 h)", column("over_1"), tail, tol)]
    return Case("A17-mmc", "a17_mmc.yaml", (40, 500), checks,
                Broken("service 3 % longer", ("incidents.customers.service=x 1.03",), ("mm3", "mm10")),
                ["mm1", "mm3", "mm5", "mm10"])


def a17_loss(ref: dict[str, Any]) -> Case:
    v = ref["A17"]
    blocked = combine(lambda away, taken: away / (away + taken), column("turned_away"), column("taken"))
    block, length = v["M/M/1/5 lam=.9 mu=1: P_block, L"]
    losses = {"mm3_3": v["M/M/3/3 a=2.5: ErlangB"], "mm5_5": v["M/M/5/5 a=4.0: ErlangB"],
              "mm10_10": v["M/M/10/10 a=8.0: ErlangB"], "mm1_5": block}
    checks: list[Check] = [Mean(arm, "P(turned away)", blocked, p, (0.06, 0.03) if arm == "mm1_5" else (0.02, 0.01))
                           for arm, p in losses.items()]
    checks.append(Mean("mm1_5", "L", combine(np.add, WAITING, SERVING), length, (0.02, 0.01)))
    return Case("A17-loss", "a17_loss.yaml", (40, 160), checks,
                Broken("service 3 % longer", ("incidents.customers.service=x 1.03",), ("mm3_3", "mm1_5")),
                list(losses))


def a17_mg1(ref: dict[str, Any]) -> Case:
    v = ref["A17"]
    keys = {"exponential": "M/M/1 lam=.8 E[S]=1 PK: Wq", "fixed": "M/D/1 lam=.8 E[S]=1 PK: Wq",
            "erlang_4": "M/E4/1 lam=.8 E[S]=1 PK: Wq", "uniform": "M/U(0,2)/1 lam=.8: Wq",
            "lognormal": "M/LogN(cv=2)/1 lam=.8 E[S]=1 PK: Wq", "gamma": "M/Gamma(shape .25)/1 lam=.8 E[S]=1 PK: Wq"}
    heavy = ("lognormal", "gamma")
    checks: list[Check] = [Mean(arm, "Wq [h]", WAIT, v[key], (0.15, 0.045) if arm in heavy else (0.05, 0.0175))
                           for arm, key in keys.items()]
    return Case("A17-mg1", "a17_mg1.yaml", (40, 500), checks,
                Broken("arrivals 5 % more often", ("incidents.customers.arrivals=poisson 0.84/h",),
                       ("fixed", "erlang_4")),
                list(keys))


def a17_priority(ref: dict[str, Any]) -> Case:
    v = ref["A17"]
    waits = {
        "mm1": v["M/M/1 nonpreemptive 3 classes lam=(.2,.3,.3) mu=1: Wq per class"],
        "md1": v["M/D/1 nonpreemptive 3 classes lam=(.2,.3,.3) D=1: Wq per class"],
        "mm3": v["M/M/3 nonpreemptive 3 classes lam=(.5,1,1) mu=1: Wq per class"],
        # A job's wait ends when it is first served; the reference is its whole stay. What remains is its service,
        # stretched by the better classes: E S / (1 - load of the better classes).
        "preemptive": [w - 1 / (1 - load) for w, load in
                       zip(v["M/M/1 preemptive-resume 3 classes lam=(.2,.3,.3) mu=1: sojourn W per class"],
                           (0.0, 0.2, 0.5))],
    }
    checks: list[Check] = []
    for arm, values in waits.items():
        for name, wait, tol in zip(("first", "second", "third"), values, ((0.04, 0.015), (0.04, 0.015), (0.1, 0.03))):
            checks.append(Mean(arm, f"Wq {name} [h]", column(f"wait_{name}", scale=HOURS), wait, tol))
    return Case("A17-priority", "a17_priority.yaml", (40, 500), checks,
                Broken("second and third class served alike", ("incidents.third.priority=2",), ("mm1",)), list(waits))


def a17_infinite(ref: dict[str, Any]) -> Case:
    means = ref["A17"]["M/G/inf lam=3 S~Uniform(0,4) from empty: mean number at t=1,2,4 (Poisson)"]
    checks: list[Check] = []
    for i, (day, mean) in enumerate(zip((1, 2, 4), means)):
        checks.append(Mean("base", f"E N({day})", column("present", i), mean, (0.0125, 0.01)))
        checks.append(Pmf("base", f"N({day})", column("present", i), poisson(mean)))
    return Case("A17-infinite", "a17_infinite.yaml", (45_000, 100_000), checks,
                Broken("arrivals 5 % more often", ("incidents.customers.arrivals=poisson 3.15/day",)))


def a17_dm1(ref: dict[str, Any]) -> Case:
    sigma, wait = ref["A17"]["D/M/1 rho=.8 mu=1: sigma, Wq"]
    checks: list[Check] = [Mean("base", "P(Wq > 0)", column("delayed"), sigma, (0.01, 0.005)),
                           Mean("base", "Wq [h]", WAIT, wait, (0.05, 0.015))]
    return Case("A17-dm1", "a17_dm1.yaml", (40, 400), checks,
                Broken("Poisson arrivals at the same rate", ("incidents.customers.arrivals=poisson 0.8/h",)))


def a18(ref: dict[str, Any]) -> Case:
    checks: list[Check] = []
    for crews in (1, 2, 3):
        v, arm, tol = ref["A18"][f"c={crews}"], f"crews_{crews}", (0.02, 0.01)
        checks += [
            Mean(arm, "P(none down)", column("none_down"), v["P(0 failed)"], tol),
            Mean(arm, "E down", column("down"), v["E[failed]"], tol),
            Mean(arm, "availability", combine(lambda down: 1 - down / 10, column("down")), v["availability"], tol),
            Mean(arm, "crews in use", column("busy", scale=1 / crews), v["crew_utilisation"], tol),
            Mean(arm, "wait for a crew [h]", WAIT, v["mean_wait_for_crew"],
                 (0.06, 0.03) if crews == 3 else (0.03, 0.015)),
        ]
    return Case("A18", "a18_repairman.yaml", (40, 120), checks,
                Broken("repairs 3 % longer", ("repair.mend.time=x 1.03",), ("crews_1", "crews_2")),
                ["crews_1", "crews_2", "crews_3"])


def a19(ref: dict[str, Any]) -> Case:
    restored = column("time_to_recover", 0, scale=HOURS)
    checks: list[Check] = []
    for crews in (1, 3, 10):
        for label, fail in (("", 0.0), ("_again_50", 0.02), ("_again_20", 0.05)):
            v, arm, tol = ref["A19"][f"c={crews} re-failure lam={fail}"], f"c{crews}{label}", (0.016, 0.0075)
            checks += [
                Mean(arm, "E T [h]", restored, v["mean"], tol),
                Spread(arm, "sd T [h]", restored, v["sd"], (0.04, 0.02)),
                Mean(arm, "P(T <= median)", share(restored, lambda t, m=v["median"]: t <= m), 0.5, (0.03, 0.015)),
                Mean(arm, "P(T <= p95)", share(restored, lambda t, m=v["p95"]: t <= m), 0.95, (0.01, 0.005)),
                Distribution(arm, "T", restored, restore_all_cdf(10, crews, fail, 1.0)),
            ]
            if not fail:
                checks.append(Mean(arm, "E lost unit-hours", column("lost", scale=HOURS), v["E lost unit-time"], tol))
    arms = [f"c{crews}{label}" for crews in (1, 3, 10) for label in ("", "_again_50", "_again_20")]
    return Case("A19", "a19_restore_all.yaml", (20_000, 75_000), checks,
                Broken("repairs 3 % longer", ("repair.mend.time=x 1.03",), ("c3", "c1_again_20")), arms)


def a20(ref: dict[str, Any]) -> Case:
    """E and Var N(T) from an empty history, exact (Hawkes 1971); the variance as a standard deviation."""
    checks: list[Check] = []
    for i, (time, tolerance) in enumerate(((10, (0.03, 0.005)), (100, (0.012, 0.003)))):
        mean, variance = ref["A20"][f"E N({time}), Var N({time})"]
        x = column("arrived", i)
        checks += [Mean("base", f"E N({time})", x, mean, tolerance),
                   Spread("base", f"sd N({time})", x, variance**0.5, (0.06, 0.01))]
    return Case("A20", "a20_hawkes.yaml", (10_000, 280_000), checks,
                Broken("no attempt brings about another, as many in all",
                       ("incidents.attempts.arrivals=poisson 1.23125/day",)))


def a22(ref: dict[str, Any]) -> Case:
    v = ref["A22"]
    counts = v["mean=var counts in [0,6],[6,12],[12,18],[18,24],[0,24]"]
    arrived, first = [column("arrived", i) for i in range(6)], column("first_call", scale=HOURS)
    spans = {"[0,6]": (None, 0), "[6,12]": (0, 1), "[12,18]": (1, 3), "[18,24]": (3, 5), "[0,24]": (None, 5)}
    checks: list[Check] = []
    for (span, (a, b)), mean in zip(spans.items(), counts):
        x = arrived[b] if a is None else combine(np.subtract, arrived[b], arrived[a])
        checks += [Mean("base", f"E N{span}", x, mean, (0.01, 0.005)), Pmf("base", f"N{span}", x, poisson(mean))]
    quiet = share(combine(np.subtract, arrived[4], arrived[2]), lambda n: n == 0)
    checks += [
        Mean("base", "P(none in [17,19])", quiet, v["P(no event in [17,19])"], (0.03, 0.015)),
        Mean("base", "E first [h]", first, v["mean time of first event"], (0.02, 0.01), missing=True),
        Distribution("base", "first", first, first_arrival_cdf(2.0, 1.5, 24.0, 24.0)),
    ]
    return Case("A22", "a22_nhpp.yaml", (45_000, 180_000), checks,
                Broken("amplitude 10 % larger",
                       ("incidents.calls.arrivals=sinusoidal mean 48/day amplitude 39.6/day period 24 h",)))


def a25(ref: dict[str, Any]) -> Case:
    area, mean = ref["A25"]["Q drops 100->40 at t=2, flat to t=5, linear to 100 at t=11; area lost over [0,11], mean Q "
                            "over [0,20]"]
    lost, robustness = ref["A25"]["step restoration 10 units, 3 crews, D=1h: lost unit-h, R over [0,10]"]
    makespan = ref["A19"]["deterministic repair 1h c=3: makespan, area lost"][0]

    def limit(variable: str) -> Extract:
        """In per cent, for infinitely many units: steps of 1/n are off by a term in 1/n, so twice 200 less 100."""
        return lambda results, arm: results.values(variable, "ramp_fine") - results.values(variable, arm)

    checks: list[Check] = [
        Exact("ramp", "area lost of 100 steps [% day]", column("lost"), area + 3.0),
        Exact("ramp", "area lost, in the limit [% day]", limit("lost"), area),
        Exact("ramp", "mean Q, in the limit [%]", limit("working"), mean),
        Exact("steps", "lost unit-days", column("lost"), lost),
        Exact("steps", "mean Q", column("working", scale=0.1), robustness),
        Exact("steps", "makespan", column("time_to_recover", 0), makespan),
    ]
    return Case("A25", "a25_resilience.yaml", (4, 4), checks,
                Broken("repairs 0.1 % longer", ("repair.mend.time=x 1.001",), ()), ["ramp", "ramp_fine", "steps"])


def shares(arm: str, value: dict[str, float]) -> list[Check]:
    """Of believers, checkers and susceptible people among 100,000, within 0.003 (case A28)."""

    def mean_share(variable: str) -> Callable[[Results, str], float]:
        return lambda results, arm: float(results.values(variable, arm).mean()) / 100_000

    return [Within(arm, f"share of {state}", mean_share(state), value[key] - 0.003, value[key] + 0.003)
            for state, key in (("believers", "B"), ("checkers", "F"), ("susceptible", "S"))]


def a28(ref: dict[str, Any]) -> Case:
    arms = {"v05": "0.05", "v10": "0.1", "v15": "0.15"}
    checks = [c for arm, verify in arms.items() for c in shares(arm, ref["A28"][f"alpha=0.4 pverify={verify}"])]
    return Case("A28", "a28_hoax_mean_field.yaml", (1, 4), checks,
                Broken("verification 5 % faster", ("hazards.hoax.verify=x 1.05",), ("v05",)), list(arms))


def a28_near(ref: dict[str, Any]) -> Case:
    checks = shares("base", ref["A28"]["alpha=0.4 pverify=0.12"])
    return Case("A28-near", "a28_hoax_near_threshold.yaml", (1, 4), checks,
                Broken("verification 5 % faster", ("hazards.hoax.verify=x 1.05",)))


def b7(ref: dict[str, Any]) -> Case:
    observed = np.array(ref["B7"]["NJ"]["customers_out"][:7])

    def misfit(results: Results, arm: str) -> float:
        simulated = results.values("out", arm).mean(axis=0)
        return float(np.sqrt(np.mean((simulated - observed) ** 2)) / observed[0])

    half = ref["B7"]["NJ"]["t50_h"]

    def mean_hours(variable: str) -> Callable[[Results, str], float]:
        return lambda results, arm: HOURS * float(results.values(variable, arm).mean())

    checks: list[Check] = [
        Within("base", "normalised RMSE, seven points", misfit, 0.0, 0.02),
        Within("base", "half restored [h]", mean_hours("half_back"), 0.92 * half, 1.08 * half),
        Within("base", "time to recover 50 % [h]", mean_hours("time_to_recover"), 0.92 * half, 1.08 * half),
    ]
    return Case("B7", "b7_sandy.yaml", (20, 200), checks,
                Broken("nobody waits for a crew", ("teams.crews.size=10000",)))


def cases() -> list[Case]:
    """Every case, with references from reference.json."""
    ref = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
    return [make(ref) for make in (a01, a01b, a02, a03, a04, a05_short, a05_extinction, a10, a12, a13, a16, a17_mmc,
                                   a17_loss, a17_mg1, a17_priority, a17_infinite, a17_dm1, a18, a19, a20, a22, a25, a28,
                                   a28_near, b7)]
