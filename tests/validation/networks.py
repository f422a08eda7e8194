# SPDX-License-Identifier: GPL-3.0-or-later
"""The validation cases on random networks, of cascades and of chains: percolation, compartments by edges, thresholds.

References are in reference_networks.json. They hold for infinite networks: a network is drawn for each replicate, and the
quick tier takes smaller ones. Tolerances are absolute, on shares of the population.
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
from checks import Check, Distribution, Exact, Extract, Mean, Pmf, Results, Within, column
from scipy import special, stats
from table import HERE, Broken, Case, only, share


def fraction(state: str, others: tuple[str, ...], index: int = 0) -> Extract:
    """A count over the sum of the counts that make up the population, at an index of their times."""

    def extract(results: Results, arm: str) -> np.ndarray:
        values = {name: results.values(name, arm) for name in others}
        counts = {name: x.reshape(len(x), -1) for name, x in values.items()}
        return counts[state][:, index] / sum(x[:, index] for x in counts.values())

    return extract


def near(arm: str, quantity: str, extract: Extract, reference: float, tolerance: tuple[float, float]) -> Mean:
    """A mean with absolute tolerances."""
    return Mean(arm, quantity, extract, reference, (tolerance[0] / reference, tolerance[1] / reference))


def course(arm: str, times: list[float], curves: dict[str, list[float]], tolerance: tuple[float, float],
           least: float = 0.001) -> list[Check]:
    """Shares in states at some times; those below `least` tell nothing and are left out."""
    states = tuple(curves)
    return [near(arm, f"{state} at {time:g}", fraction(state, states, i), value, tolerance)
            for state, values in curves.items() for i, (time, value) in enumerate(zip(times, values)) if value >= least]


# ---- SIR and its percolation ----------------------------------------------------------------------------------------

REACHED = fraction("ever_infected", ("ever_infected", "spared"))


def epidemic(x: np.ndarray) -> np.ndarray:
    """True where more than a twentieth of the population was reached."""
    return x > 0.05


def a06(ref: dict[str, Any]) -> Case:
    laws = {"exp": "exponential(mean1)", "erlang2": "Erlang-2(mean1)", "erlang4": "Erlang-4(mean1)", "fixed": "fixed(1)"}
    degrees = {"poisson": "Poisson(4) [ER]", "regular": "regular(4)", "bimodal": "bimodal 1/2{1},1/2{7}",
               "power": "powerlaw k^-2.5,1..100"}
    rates = {"05": "beta=0.5", "1": "beta=1.0"}
    arms = ["poisson_exp_05", "poisson_exp_1", "poisson_erlang2_05", "poisson_erlang4_1", "poisson_fixed_05",
            "poisson_fixed_1", "regular_exp_1", "regular_erlang2_1", "regular_fixed_1", "bimodal_exp_05",
            "bimodal_exp_1", "bimodal_fixed_1", "power_exp_1", "power_fixed_1"]
    checks: list[Check] = []
    for arm in arms:
        degree, law, rate = arm.split("_")
        v = ref["A06"][f"{degrees[degree]} | {laws[law]} | {rates[rate]}"]
        checks += [
            near(arm, "P(epidemic)", share(REACHED, epidemic), v["P_epidemic_single_random_seed"], (0.07, 0.04)),
            near(arm, "attack rate | epidemic", only(REACHED, epidemic), v["attack_rate_given_epidemic"],
                 (0.012, 0.003)),
        ]
    return Case("A06", "a06_configuration_sir.yaml", (1_000, 2_800), checks,
                Broken("transmission 10 % higher", ("hazards.flu.transmission=x 1.1",), ("poisson_exp_1",)), arms,
                quick_sets=("society.people=4000",),
                quick_arms=("poisson_exp_1", "poisson_fixed_05", "regular_fixed_1", "bimodal_exp_1"))


def c4b(ref: dict[str, Any]) -> Case:
    rates = ref["C4b"]["p: attack rate"]
    checks: list[Check] = [Mean("p10", "P(epidemic)", share(REACHED, lambda x: x <= 0.05), 1.0, (0.001, 0.001))]
    for arm, key in (("p30", "0.3"), ("p40", "0.4"), ("p50", "0.5")):
        checks += [near(arm, "P(epidemic)", share(REACHED, epidemic), rates[key], (0.1, 0.08)),
                   near(arm, "attack rate | epidemic", only(REACHED, epidemic), rates[key], (0.01, 0.002))]
    return Case("C4b", "c4b_percolation.yaml", (400, 800), checks,
                Broken("probability 5 % higher", ("hazards.flu.transmission.probability=x 1.05",), ("p50",)),
                ["p10", "p30", "p40", "p50"], quick_sets=("society.people=5000",), quick_arms=("p10", "p30", "p50"))


def c1(ref: dict[str, Any]) -> Case:
    values = ref["C1"]
    states = ("susceptible", "infectious", "recovered")
    checks: list[Check] = [near("ten", "attack rate", fraction("recovered", states, -1),
                                values["attack rate (EBCM/percolation)"], (0.01, 0.002))]
    for i, (day, reached) in enumerate(values["message passing rho=0.01: 1-S(t)"].items()):
        checks.append(near("percent", f"spared until {day}", fraction("susceptible", states, i), 1 - reached,
                           (0.05, 0.008)))
    return Case("C1", "c1_gamma_sir.yaml", (24, 40), checks,
                Broken("recovery 10 % sooner", ("hazards.flu.infectious=gamma mean 12.6 days shape 28",)),
                ["ten", "percent"], quick_sets=("society.people=20000",))


# ---- courses in time ------------------------------------------------------------------------------------------------


def a07(ref: dict[str, Any]) -> Case:
    checks: list[Check] = []
    for arm, key in (("poisson", "Poisson5"), ("regular", "regular5"), ("bimodal", "bimodal{2,8}")):
        v = ref["A07"][key]
        curves = {"susceptible": v["S"], "infectious": v["I"], "recovered": v["R"]}
        checks += course(arm, v["t"], curves, (0.04, 0.004))
    return Case("A07", "a07_ebcm_sir.yaml", (24, 100), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",), ("poisson", "bimodal")),
                ["poisson", "regular", "bimodal"], quick_sets=("society.people=20000",))


def a07b(ref: dict[str, Any]) -> Case:
    checks: list[Check] = []
    for arm, key in (("poisson", "Poisson6"), ("regular", "regular6"), ("power", "truncPL k^-1.5,1..60")):
        v = ref["A07b"][key]
        left = [1 - i - r for i, r in zip(v["I"], v["R"])]
        checks += course(arm, v["t"], {"susceptible": left, "infectious": v["I"], "recovered": v["R"]}, (0.02, 0.003))
    return Case("A07b", "a07b_ebcm_sir.yaml", (24, 60), checks,
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",), ("poisson", "regular")),
                ["poisson", "regular", "power"], quick_sets=("society.people=20000",))


def a08(ref: dict[str, Any]) -> Case:
    v = ref["A08"]["exp/exp"]
    curves = {"susceptible": v["S"], "exposed": v["E"], "infectious": v["I"], "recovered": v["R"]}
    return Case("A08", "a08_ebcm_seir.yaml", (24, 40), course("base", v["t"], curves, (0.04, 0.006)),
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",)),
                quick_sets=("society.people=20000",))


def a09(ref: dict[str, Any]) -> Case:
    reached = ref["A09"]["SI gamma mean3 var1"]
    curves = {"infectious": list(reached.values()), "susceptible": [1 - x for x in reached.values()]}
    return Case("A09", "a09_gamma_si.yaml", (24, 40),
                course("base", [float(t) for t in reached], curves, (0.03, 0.004)),
                Broken("a transmission time of twice the variance",
                       ("hazards.flu.transmission=gamma mean 3 days shape 4.5",)),
                quick_sets=("society.people=20000",))


def c4(ref: dict[str, Any]) -> Case:
    rows = [row for row in ref["C4"]["t,S,I,R"] if row[0] > 0]
    curves = {name: [row[k] for row in rows] for k, name in ((1, "susceptible"), (2, "infectious"), (3, "recovered"))}
    return Case("C4", "c4_discrete_sir.yaml", (24, 100), course("base", [row[0] for row in rows], curves, (0.03, 0.005), 0.006),
                Broken("probability 5 % higher", ("hazards.flu.transmission.probability=x 1.05",)),
                quick_sets=("society.people=20000",))


def c5(ref: dict[str, Any]) -> Case:
    rows = ref["C5"]["t,S,I,R"]
    curves = {name: [row[k] for row in rows] for k, name in ((1, "susceptible"), (2, "infectious"), (3, "recovered"))}
    return Case("C5", "c5_three_degrees.yaml", (24, 40), course("base", [row[0] for row in rows], curves, (0.02, 0.003)),
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",)),
                quick_sets=("society.people=20000",))


def c8(ref: dict[str, Any]) -> Case:
    infectious, recovered = ref["C8"]["t=5,10,15,inf: I,R"]
    curves = {"infectious": infectious, "recovered": recovered,
              "susceptible": [1 - i - r for i, r in zip(infectious, recovered)]}
    return Case("C8", "c8_million.yaml", (16, 20), course("base", [5, 10, 15, float("inf")], curves, (0.05, 0.006)),
                Broken("transmission 5 % higher", ("hazards.flu.transmission=x 1.05",)),
                quick_sets=("society.people=50000",))


# ---- one edge that comes and goes -----------------------------------------------------------------------------------


def flickering_cdf(t: np.ndarray) -> np.ndarray:
    """Distribution of the time of transmission: an infector from day 0.2, hazard = age, but for four absences."""
    since, away = 0.2, ((0.5, 1.0), (1.8, 2.0), (2.6, 3.2), (4.0, 5.0))
    age = np.maximum(np.asarray(t) - since, 0.0)
    total = age**2 / 2
    for a, b in away:
        total = total - (np.clip(age, a - since, b - since) ** 2 - (a - since) ** 2) / 2
    return 1 - np.exp(-total)


def c3(ref: dict[str, Any]) -> Case:
    v = ref["C3"]
    times = (0.5, 1.0, 1.5, 1.8, 2.0, 2.5, 2.6, 3.2, 4.0, 5.0)
    assert np.allclose(flickering_cdf(np.array(times)), v["CDF at .5,1,1.5,1.8,2,2.5,2.6,3.2,4,5"]), "our own law"
    when = column("waiting")  # the target's days of waiting: one person is infectious from day 0.2
    moment: Extract = lambda results, arm: when(results, arm) - 0.2  # noqa: E731
    checks: list[Check] = [
        Mean("base", "E T", moment, v["mean transmission time (absolute)"], (0.02, 0.005)),
        Distribution("base", "T", moment, flickering_cdf),
    ]
    return Case("C3", "c3_flickering_edge.yaml", (10_000, 160_000), checks,
                Broken("the edge is always there", ("actions.gone.reduction=0 %",)))


# ---- cascades -------------------------------------------------------------------------------------------------------


def cascade(nodes: int, arcs: list[tuple[int, int]], p: float) -> dict[int, float]:
    """Law of the number that an independent cascade from node 0 reaches, over all sets of live arcs."""
    law = dict.fromkeys(range(1, nodes + 1), 0.0)
    for live in product((False, True), repeat=len(arcs)):
        reached, grew = {0}, True
        while grew:
            new = {v for (u, v), on in zip(arcs, live) if on and u in reached} - reached
            reached, grew = reached | new, bool(new)
        law[len(reached)] += p ** sum(live) * (1 - p) ** (len(arcs) - sum(live))
    return law


def both_ways(*edges: tuple[int, int]) -> list[tuple[int, int]]:
    """The arcs of undirected edges, each with a try of its own."""
    return [*edges, *((v, u) for u, v in edges)]


def a15(ref: dict[str, Any]) -> Case:
    k4 = both_ways(*((u, v) for u in range(4) for v in range(u)))
    diamond = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)]
    graphs = {"k3": ("K3", 3, both_ways((0, 1), (0, 2), (1, 2))),
              "c4": ("C4", 4, both_ways((0, 1), (1, 2), (2, 3), (3, 0))),
              "k4": ("K4", 4, k4),
              "diamond": ("directed diamond 0->1,0->2,1->3,2->3,1->2", 4, diamond)}
    checks: list[Check] = []
    for name, (key, nodes, arcs) in graphs.items():
        for suffix, p in (("30", 0.3), ("50", 0.5)):
            law = cascade(nodes, arcs, p)
            mean = ref["A15"][f"{key} p={p}"]
            assert abs(sum(k * x for k, x in law.items()) - mean) < 1e-9, "the enumeration disagrees with the reference"
            arm = f"{name}_{suffix}"
            checks += [Mean(arm, "E reached", column("reached"), mean, (0.03, 0.0025)),
                       Pmf(arm, "reached", column("reached"), law)]
    return Case("A15", "a15_independent_cascade.yaml", (6_000, 900_000), checks,
                Broken("probability 5 % higher", ("hazards.fad.transmission.probability=x 1.05",), ("k4_30",)),
                [f"{name}_{p}" for name in graphs for p in ("30", "50")])


def global_cascades(results: Results, arm: str) -> float:
    """Share of the runs in which one active person won more than a tenth of the network."""
    return float((fraction("active", ("active", "inactive"))(results, arm) > 0.1).mean())


def a11_window(ref: dict[str, Any]) -> Case:
    low, high = ref["A11a"]["phi=0.18"]["z_lower,z_upper"]
    assert abs(low - 1.02) < 0.01 and abs(high - 5.76) < 0.01, "the scenario's mean degrees lie 0.2 from the ends"
    # Outside there are none in an infinite network; in one of 30,000 a few clusters are still large enough.
    checks: list[Check] = [Within(arm, "share of global cascades", global_cascades, 0.15, 1.0)
                           for arm in ("low", "middle", "high")]
    checks += [Within(arm, "share of global cascades", global_cascades, 0.0, 0.06) for arm in ("below", "above")]
    return Case("A11-window", "a11_watts_window.yaml", (300, 200), checks,
                Broken("a threshold of 21 %", ("hazards.fad.threshold=21 %",), ("high",)),
                ["below", "low", "middle", "high", "above"], quick_sets=("society.people=30000",))


def final_activity(z: float, phi: float, rho: float, top: int = 80) -> float:
    """Share active in the end on a Poisson network of mean degree z, from a share rho (Gleeson & Cahalane 2007)."""
    degrees = np.arange(1, top)
    p = stats.poisson.pmf(degrees, z)
    enough = np.maximum(np.ceil(phi * degrees - 1e-9), 1) - 1
    q = rho
    for _ in range(100_000):
        last, q = q, rho + (1 - rho) * float(np.sum(degrees / z * p * stats.binom.sf(enough, degrees - 1, q)))
        if abs(q - last) < 1e-12:
            break
    return rho + (1 - rho) * float(np.sum(p * stats.binom.sf(enough, degrees, q)))


def a11_seeds(ref: dict[str, Any]) -> Case:
    degrees = {"z1_5": "1.5", "z3": "3", "z5": "5", "z6": "6", "z6_5": "6.5", "z7": "7"}
    finals = {arm: ref["A11b"][f"z={z} rho0=0.01"] for arm, z in degrees.items()}
    for arm, z in degrees.items():
        assert abs(final_activity(float(z), 0.18, 0.01) - finals[arm]) < 1e-8, "the recursion disagrees"
    before, after = (final_activity(z, 0.18, 0.01) for z in (8.5, 10.0))
    assert before > 0.99 and after < 0.03, "the jump lies between"
    active = fraction("active", ("active", "inactive"))
    checks: list[Check] = [near(arm, "active in the end", active, value, (0.02, 0.005)) for arm, value in
                           {**finals, "z8_5": before, "z10": after}.items()]
    return Case("A11-seeds", "a11_watts_seeds.yaml", (20, 40), checks,
                Broken("a threshold of 21 %", ("hazards.fad.threshold=21 %",), ("z1_5",)), [*degrees, "z8_5", "z10"],
                quick_sets=("society.people=20000",))


def a11_tiny(ref: dict[str, Any]) -> Case:
    keys = {"path_50": "path5 phi=1/2 seed end", "path_51": "path5 phi=51/100 seed end",
            "star5_20": "star5 phi=1/5 seed leaf (equality)", "star6_18": "star6 phi=9/50 seed leaf",
            "star5_18": "star5 phi=9/50 seed leaf", "star10_30": "star10 phi=3/10 seeds 3 leaves (equality)",
            "ring6_50": "C6 phi=1/2 seed 1", "k5_25": "K5 phi=1/4 seed 1 (equality)", "k5_26": "K5 phi=0.26",
            "karate_18": "karate club phi=9/50 seeds {0,33}", "karate_25": "karate club phi=1/4 seeds {0,33}",
            "karate_30": "karate club phi=3/10 seeds {0,33}", "karate_33": "karate club phi=1/3 seeds {0,33}",
            "karate_40": "karate club phi=2/5 seeds {0,33}"}
    checks: list[Check] = [Exact(arm, "active in the end", column("active"), ref["A11c"][key])
                           for arm, key in keys.items()]
    return Case("A11-tiny", "a11_watts_tiny.yaml", (4, 4), checks,
                Broken("thresholds a millionth higher", ("hazards.fad.threshold=x 1.000001",), ("path_50", "ring6_50")),
                list(keys))


# ---- offspring without a network ------------------------------------------------------------------------------------


def chain_law(reproduction: float, dispersion: float, most: int) -> dict[int, float]:
    """Law of the total size of a chain with negative binomial offspring, up to `most` (Blumberg & Lloyd-Smith 2013)."""
    j = np.arange(1, most + 1)
    log_p = (special.gammaln(dispersion * j + j - 1) - special.gammaln(dispersion * j) - special.gammaln(j + 1)
             + (j - 1) * np.log(reproduction / dispersion) - (dispersion * j + j - 1) * np.log1p(reproduction / dispersion))
    return {int(size): float(p) for size, p in zip(j, np.exp(log_p))}


def a21(ref: dict[str, Any]) -> Case:
    v, cases = ref["A21"], column("cases")
    law = chain_law(0.8, 0.3, 200)
    assert np.allclose([law[k] for k in range(1, 6)], v["P(size=1..5)"]), "the law of sizes disagrees"
    mean, tail = v["mean=1/(1-R), P(size>=10)"]
    checks: list[Check] = [
        Pmf("chains", "size", cases, law),
        Mean("chains", "E size", cases, mean, (0.3, 0.016)),
        Mean("chains", "P(size >= 10)", share(cases, lambda x: x >= 10), tail, (0.25, 0.013)),
    ]
    for arm, k in (("supercritical_03", "0.3"), ("supercritical_1", "1.0"), ("supercritical_poisson", "1000000.0")):
        checks.append(Mean(arm, "P(it ends)", share(cases, lambda x: x < 150),  # of 1,500: else it goes through them
                           v[f"extinction prob R=2.0 k={k}"], (0.2, 0.08)))
    return Case("A21", "a21_superspreading.yaml", (4_000, 1_200_000), checks,
                Broken("Poisson offspring", ("hazards.chain.reproduction_number=0.8",), ("chains",)),
                ["chains", "supercritical_03", "supercritical_1", "supercritical_poisson"])


def c2(ref: dict[str, Any]) -> Case:
    expected = ref["C2"]["expected cumulative infected"]
    checks: list[Check] = [Mean("base", f"E cases by {day}", column("cases", i), value, (0.04, 0.01))
                           for i, (day, value) in enumerate(expected.items()) if float(day) > 5]
    return Case("C2", "c2_offspring.yaml", (8_000, 120_000), checks,
                Broken("generation times of four times the variance",
                       ("hazards.chain.generation=gamma mean 10 days shape 25",)))


def network_cases() -> list[Case]:
    """Every case of this file, with references from reference_networks.json."""
    ref = json.loads((HERE / "reference_networks.json").read_text(encoding="utf-8"))
    return [make(ref) for make in (a06, a07, a07b, a08, a09, a11_window, a11_seeds, a11_tiny, a15, a21, c1, c2, c3, c4,
                                   c4b, c5, c8)]
