#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bit for bit: what must not change a result does not change a bit of it, tested with the ordinary program.

Equal means all variables and all attributes but provenance. Every comparison is also shown to fail where it must.

Examples
--------
  ./bitwise.py --program build/airesim
  ./bitwise.py --program build/airesim --other build-clang/airesim --other build-debug/airesim
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
from pathlib import Path

from harness import Program, Suite, Tree, Values, differences, patched, same_bits, yaml_text

ROOT = Path(__file__).resolve().parents[1]
KILLS = 20
COMMON_NUMBERS = "ever_infected ill extinct ill_days most_ill down outages"  # of measures.declared

# A little of everything: contagion on two layers, failing assets, sensors, teams, actions, repair and a coupling.
SCENARIO: Tree = {
    "airesim": "1",
    "question": "Do the same assumptions give the same bits?",
    "start": "2027-01-01",
    "horizon": "60 days",
    "currency": "USD",
    "source": "illustrative",
    "society": {
        "people": "300",
        "groups": {"adults": "70 %", "elderly": "30 %"},
        "layers": {
            "contacts": {"nodes": "people", "graph": "erdos_renyi mean_degree 6"},
            "online": {"nodes": "people", "graph": "barabasi_albert mean_degree 4"},
            "power": {"nodes": "20", "graph": "none", "serves": "people", "failure": "exponential mean 90 days"},
        },
    },
    "incidents": {
        "release": {"starts": "outbreak", "seeds": "5 people", "arrivals": "day 1"},
        "attack": {"fails": "power", "share": "30 %", "arrivals": "poisson 0.05/day"},
    },
    "hazards": {
        "outbreak": {
            "like": "seir",
            "layer": "[contacts, online]",
            "transmission": "weibull scale 9 days shape 2",
            "latent": "gamma mean 2 days cv 0.5",
            "infectious": "lognormal median 4 days p95 9 days",
        },
    },
    "sensing": {
        "clinics": {"watches": "outbreak.infectious", "ascertainment": "50 %",
                    "report_delay": "lognormal median 1 days p95 4 days", "false_reports": "0.05/day",
                    "alarm": "4 reports in 7 days", "clear": "0 report in 14 days"},
    },
    "teams": {
        "vaccinators": {"size": "1", "hours": "8 h/day", "cost": "900 USD/team_day"},
        "crews": {"size": "2", "cost": "2400 USD/team_day"},
    },
    "actions": {
        "vaccinate": {"like": "vaccination", "against": "outbreak", "when": "clinics.alarm", "decision_delay": "2 days",
                      "team": "vaccinators", "service": "20 min", "uptake": "{adults: 60 %, elderly: 80 %}",
                      "efficacy": "70 %", "cost": "25 USD/dose"},
        "isolate": {"like": "isolation", "against": "outbreak", "on": "clinics", "compliance": "50 %"},
        "distance": {"like": "distancing", "against": "outbreak", "layers": "contacts", "reduction": "50 %",
                     "when": "day 30"},
    },
    "repair": {"grid": {"layer": "power", "team": "crews", "time": "lognormal median 1 days p95 4 days"}},
    "couplings": {
        "blackout": {"while": "power.down", "multiply": "clinics.detection", "by": "50 %", "above": "20 %"},
        "behind": {"while": "outbreak.recovered", "multiply": "outbreak.infectivity", "by": "50 %"},
    },
    "measures": {
        "recovery": {"levels": "[50 %, 90 %]", "hold": "3 days"},
        "declared": {
            "ever_infected": {"entries": "outbreak.exposed"},
            "ill": {"count": "outbreak.infectious",
                    "at": "[day 5, day 10, day 20, day 29.5, day 31, day 35, day 40, day 50]"},
            "extinct": {"last": "outbreak.infectious > 0"},
            "ill_days": {"integral": "outbreak.infectious"},
            "most_ill": {"maximum": "outbreak.infectious"},
            "down": {"average": "power.down"},
            "outages": {"entries": "power.down"},
        },
    },
    "arms": {
        "base": {},
        "double": {"teams.vaccinators.size": "x 2"},
        "nobody": {"actions": "null"},
    },
    "design": {"replicates": "40", "seed": "11", "reference": "base"},
}

# The same scenario with scalars written out as mappings and dotted keys undone.
WRITTEN_OUT: Tree = patched(
    SCENARIO,
    society__people={"value": "300"},
    society__layers__contacts__graph={"call": "erdos_renyi", "mean_degree": "6"},
    incidents__attack__share={"value": "30 %"},
    hazards__outbreak__latent={"call": "gamma", "mean": "2 days", "cv": "0.5"},
    hazards__outbreak__infectious={"call": "lognormal", "median": {"value": "4 days"}, "p95": "9 days"},
    hazards__outbreak__layer=["contacts", "online"],
    sensing__clinics__ascertainment={"value": "50 %", "source": "illustrative"},
    actions__vaccinate__uptake={"adults": "60 %", "elderly": {"value": "80 %"}},
    arms__double={"teams": {"vaccinators": {"size": "x 2"}}},
)


class Bitwise:
    """The tests; each method that a suite runs is one of them."""

    def __init__(self, suite: Suite, program: Program, others: list[Program], directory: Path) -> None:
        self.suite, self.program, self.others, self.directory = suite, program, others, directory
        self.count = 0
        self.scenario = self.write(SCENARIO)
        self.results: Path | None = None

    def write(self, tree: Tree, order: random.Random | None = None) -> Path:
        """A scenario file of a tree."""
        self.count += 1
        path = self.directory / f"scenario{self.count}.yaml"
        path.write_text(yaml_text(tree, order), encoding="utf-8")
        return path

    def run(self, scenario: Path, *options: object, program: Program | None = None) -> Path:
        """Runs a scenario into a file of its own."""
        self.count += 1
        return (program or self.program).run(scenario, self.directory / f"results{self.count}.h5", *options)

    def reference(self) -> Path:
        """The results that others are compared with: the scenario as written, one thread."""
        if self.results is None:
            self.results = self.run(self.scenario, "--jobs", 1)
        return self.results

    def same(self, what: str, a: Path, b: Path) -> None:
        """Checks that two files are equal but for provenance."""
        unequal = differences(a, b)
        self.suite.check(what, not unequal, f"{len(unequal)} differ: {', '.join(unequal[:12])}")

    # ---- the comparison itself ----------------------------------------------------------------------------------

    def comparison_can_fail(self) -> None:
        other = self.run(self.scenario, "--seed", 12)
        found = differences(self.reference(), other)
        self.suite.check("another seed is seen in every measure",
                         {"ever_infected", "extinct", "ill", "ill_days", "down"} <= set(found), str(found))
        near = self.run(self.scenario, "--set", "hazards.outbreak.latent.mean=2.0000001 days")
        self.suite.check("a change of one part in ten million is seen", bool(differences(self.reference(), near)))
        values = Values(self.reference())
        spread = {name: len(set(values.data[name].ravel().tolist())) for name in ("ever_infected", "ill_days", "down")}
        self.suite.check("runs differ among themselves", min(spread.values()) > 20, str(spread))

    # ---- work and its order ---------------------------------------------------------------------------------------

    def threads(self) -> None:
        self.same("1 = 2 threads", self.reference(), self.run(self.scenario, "--jobs", 2))
        self.same("1 = 5 threads", self.reference(), self.run(self.scenario, "--jobs", 5))

    def alone_and_in_the_batch(self) -> None:
        values = Values(self.reference())
        arms = values.labels("arm")
        for arm, replicate in (("base", 0), ("double", 17), ("nobody", 39)):
            said = self.program.call("replay", self.scenario, "--arm", arm, "--replicate", replicate, "--outcome")
            wrong, lines = [], [line for line in said.stdout.splitlines() if "\t" in line]
            for line in lines:
                column, text = line.split("\t", 1)
                value, meaning = values.element(column, arm=arms.index(arm), replicate=replicate, point=0)
                if text == "missing":
                    good = math.isnan(value)
                else:
                    good = text == meaning or (meaning is None and float(text.split(" ")[0]) == value)
                if not good:
                    wrong.append(f"{column}: {text} alone, {value} in the batch")
            self.suite.check(f"replicate {replicate} of {arm} alone = in the batch ({len(lines)} columns)",
                             said.returncode == 0 and len(lines) > 20 and not wrong,
                             said.stderr + "\n".join(wrong[:10]))

    def more_replicates(self) -> None:
        few, many = Values(self.reference()), Values(self.run(self.scenario, "--replicates", 60))
        unequal = []
        for name in few.runs():
            axis = few.dims[name].index("replicate")
            if not same_bits(few.data[name], many.data[name].take(range(few.data[name].shape[axis]), axis=axis)):
                unequal.append(name)
        self.suite.check("the first 40 of 60 replicates = 40 replicates", not unequal, str(unequal))

    def killed_and_resumed(self) -> None:
        start = time.monotonic()
        self.run(self.scenario, "--replicates", 200, "--jobs", 2)
        rate = 200 / (time.monotonic() - start)
        replicates = max(int(rate * 12), 400)
        draw = random.Random(5)
        for attempt in range(3):
            output = self.directory / f"killed{attempt}.h5"
            command = ("run", self.scenario, "-o", output, "--replicates", replicates, "--jobs", 2, "--quiet")
            kills = 0
            while kills < KILLS:
                process = self.program.start(*command)
                time.sleep(draw.uniform(0.2, 1.6))
                if process.poll() is not None:
                    break
                process.kill()
                process.communicate()
                kills += 1
            process = self.program.start(*command)
            _, errors = process.communicate()
            if kills == KILLS:
                break
            replicates *= 2  # it was done before the last kill: not the test that was meant
        self.suite.check(f"killed with SIGKILL {KILLS} times ({replicates} replicates)", kills == KILLS)
        self.suite.check("the same command resumes to the end", process.returncode == 0, errors)
        whole = self.run(self.scenario, "--replicates", replicates, "--jobs", 2)
        self.same("killed and resumed = uninterrupted", output, whole)
        left = [p.name for p in self.directory.iterdir() if p.name.startswith(output.stem) and p != output]
        self.suite.check("no journal is left", not left, str(left))

    # ---- ways of writing -------------------------------------------------------------------------------------------

    def ways_of_writing(self) -> None:
        for seed in (1, 2):
            shuffled = self.write(SCENARIO, random.Random(seed))
            self.same("shuffled keys = as written", self.reference(), self.run(shuffled))
        self.same("written out = as written", self.reference(), self.run(self.write(WRITTEN_OUT)))
        once = self.program.call("check", self.scenario, "--expand")
        expanded = self.directory / "expanded.yaml"
        expanded.write_text(once.stdout, encoding="utf-8")
        self.same("expanded = as written", self.reference(), self.run(expanded))
        twice = self.program.call("check", expanded, "--expand")
        self.suite.check("expanding twice = once", once.returncode == 0 and once.stdout == twice.stdout,
                         once.stderr + twice.stderr)
        hashes = [line for path in (self.scenario, expanded) for line in
                  self.program.call("check", path).stdout.splitlines() if line.startswith("hash")]
        self.suite.check("written in any form, a scenario has one hash", len(hashes) == 2 and len(set(hashes)) == 1,
                         str(hashes))

    def entries_added_and_moved(self) -> None:
        more = patched(
            SCENARIO,
            society__layers__a_layer={"nodes": "people", "graph": "erdos_renyi mean_degree 3"},
            society__layers__water={"nodes": "15", "failure": "exponential mean 30 days"},
            hazards__a_hazard={"like": "sis", "layer": "a_layer", "transmission": "0.2/day",
                               "infectious": "exponential mean 3 days"},
            incidents__an_incident={"starts": "a_hazard", "seeds": "3 people", "arrivals": "poisson 0.1/day"},
            sensing__a_sensor={"watches": "a_hazard.infectious", "ascertainment": "20 %"},
            teams__a_team={"size": "3"},
            repair__a_repair={"layer": "water", "team": "a_team", "time": "exponential mean 2 days"},
        )
        few, many = Values(self.reference()), Values(self.run(self.write(more, random.Random(3))))
        unequal = [name for name in COMMON_NUMBERS.split() if not same_bits(few.data[name], many.data[name])]
        self.suite.check("entries added and moved change no other draw", not unequal, str(unequal))

    # ---- interventions ---------------------------------------------------------------------------------------------

    def unequal_but_for(self, a: Path, b: Path, sections: set[str], names: tuple[str, ...]) -> list[str]:
        """Per-run variables that differ, but for those along a dimension of the given sections or of these names."""
        left, right = Values(a), Values(b)
        unequal = []
        for name in set(left.runs()) | set(right.runs()):
            dims = set(left.dims.get(name, [])) | set(right.dims.get(name, []))
            if dims & sections or name.startswith(names):
                continue
            if name not in left.data or name not in right.data or not same_bits(left.data[name], right.data[name]):
                unequal.append(name)
        return sorted(unequal)

    def zero_effect(self) -> None:
        sections, names = {"action", "team", "item"}, ("cost", "events")
        without = self.run(self.scenario, "--set", "actions.vaccinate=null")
        zero = self.run(self.scenario, "--set", "actions.vaccinate.efficacy=0 %")
        unequal = self.unequal_but_for(without, zero, sections, names)
        self.suite.check("vaccination of zero efficacy changes nothing but cost and log", not unequal, str(unequal))
        unequal = self.unequal_but_for(without, self.reference(), sections, names)
        self.suite.check("vaccination that works is seen", "ever_infected" in unequal, str(unequal))

        without = self.run(self.scenario, "--set", "actions.distance=null")
        unequal = self.unequal_but_for(without, self.run(self.scenario, "--set", "actions.distance.reduction=0 %"),
                                       sections, (*names, "freedom_lost"))  # people are told to keep away all the same
        self.suite.check("distancing by nothing changes nothing but what it asks of people", not unequal, str(unequal))
        without = self.run(self.scenario, "--set", "actions.isolate=null")
        unequal = self.unequal_but_for(without, self.run(self.scenario, "--set", "actions.isolate.compliance=0 %"),
                                       sections, names)
        self.suite.check("isolation that nobody takes up changes nothing", not unequal, str(unequal))

    def draws_only(self) -> None:
        watching = patched(SCENARIO, sensing__idle={"watches": "outbreak.infectious", "ascertainment": "40 %",
                                                    "report_delay": "exponential mean 2 days",
                                                    "false_reports": "0.5/day"})
        unequal = self.unequal_but_for(self.reference(), self.run(self.write(watching)), {"sensor"},
                                       ("time_to_detect", "events"))
        self.suite.check("a sensor that nobody heeds draws and changes nothing", not unequal, str(unequal))
        doses = patched(SCENARIO, actions__placebo={"like": "vaccination", "against": "outbreak", "when": "day 3",
                                                    "team": "placebo_team", "service": "10 min", "uptake": "50 %",
                                                    "efficacy": "0 %"}, teams__placebo_team={"size": "1"})
        unequal = self.unequal_but_for(self.reference(), self.run(self.write(doses)), {"action", "team", "item"},
                                       ("cost", "events"))
        self.suite.check("an action that only draws changes nothing", not unequal, str(unequal))

    def history_before_the_first_difference(self) -> None:
        arms = patched(SCENARIO, arms={"base": {}, "none": {"actions.distance": "null"}})
        values = Values(self.run(self.write(arms)))
        base, none = (values.of("ill", arm=values.labels("arm").index(arm), point=0) for arm in ("base", "none"))
        days = values.data["ill_time"] if "ill_time" in values.data else [5, 10, 20, 29.5, 31, 35, 40, 50]
        before = [i for i, day in enumerate(days) if day < 30]
        after = [i for i, day in enumerate(days) if day > 30]
        self.suite.check("arms that differ from day 30 on are the same until then",
                         len(before) == 4 and base[..., before].any()
                         and same_bits(base[..., before], none[..., before]))
        self.suite.check("and differ afterwards", not same_bits(base[..., after], none[..., after]))

    # ---- machines --------------------------------------------------------------------------------------------------

    def other_builds(self) -> None:
        for other in self.others:
            self.same(f"{other.path} = {self.program.path}", self.reference(), self.run(self.scenario, program=other))

    def processor_features(self) -> None:
        plain = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX,-AVX512F,-ERMS"
        for lanes in ("none", "avx", "avx2", "avx512"):
            program = Program(self.program.path, {"GLIBC_TUNABLES": plain, "AIRESIM_LANES": lanes})
            self.same(f"libm without AVX2 and FMA, vectors: {lanes}", self.reference(),
                      self.run(self.scenario, program=program))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "airesim", help="the airesim to test")
    parser.add_argument("--other", type=Path, action="append", default=[], help="another build, to equal it")
    parser.add_argument("--test", metavar="NAME", help="only this test (a method's name)")
    options = parser.parse_args()
    for path in (options.program, *options.other):
        if not path.is_file():
            parser.error(f"{path} is not there")
    suite = Suite()
    with tempfile.TemporaryDirectory(prefix="airesim-bitwise-") as directory:
        tests = Bitwise(suite, Program(options.program), [Program(path) for path in options.other], Path(directory))
        for test in (tests.comparison_can_fail, tests.threads, tests.alone_and_in_the_batch, tests.more_replicates,
                     tests.ways_of_writing, tests.entries_added_and_moved, tests.zero_effect, tests.draws_only,
                     tests.history_before_the_first_difference, tests.other_builds, tests.processor_features,
                     tests.killed_and_resumed):
            if options.test in (None, test.__name__):
                suite.group(test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
