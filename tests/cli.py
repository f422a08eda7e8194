#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a person or a script meets it: exit statuses, streams, interruption, and the scenarios' schema.

Examples
--------
  ./cli.py --program build/airesim
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import Program, Suite, differences

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("run", "check", "show", "compare", "report", "replay", "models", "schema", "status", "merge", "slurm")

SMALL = """\
airesim: 1
question: Does the command line work?
horizon: 40 days
society:
  people: 100
  layers:
    net: {graph: erdos_renyi mean_degree 5}
incidents:
  case: {starts: flu, seeds: 3 people, arrivals: day 0}
hazards:
  flu: {like: sir, layer: net, transmission: 0.2/day, infectious: exponential mean 4 days}
measures:
  declared:
    ever_infected: {entries: flu.infectious}
arms:
  base: {}
  worse: {hazards.flu.transmission: x 2}
design: {replicates: 20, seed: 3, reference: base}
"""

# What is wrong, text replaced, text in its place, and a word that the message must hold.
BAD: tuple[tuple[str, str, str, str], ...] = (
    ("unit missing", "horizon: 40 days", "horizon: 40", "horizon"),
    ("unit of another dimension", "horizon: 40 days", "horizon: 40 USD", "horizon"),
    ("unknown key at the top", "question:", "qestion:", "qestion"),
    ("unknown key in an entry", "seeds: 3", "seed: 3", "seed"),
    ("unknown key in a layer", "graph: erdos", "grpah: erdos", "grpah"),
    ("no such preset", "like: sir", "like: sri", "sri"),
    ("no such layer", "layer: net", "layer: nets", "nets"),
    ("no such hazard", "starts: flu", "starts: fluu", "fluu"),
    ("no such generator", "erdos_renyi", "erdos_reny", "erdos_reny"),
    ("no such state", "entries: flu.infectious", "entries: flu.infectous", "infectous"),
    ("negative rate", "0.2/day", "-0.2/day", "transmission"),
    ("impossible law", "exponential mean 4 days", "exponential mean -4 days", "infectious"),
    ("no such law", "exponential mean 4 days", "exponentail mean 4 days", "exponentail"),
    ("range in the wrong order", "0.2/day", "0.2/day (0.5..0.1)", "transmission"),
    ("unknown arm as reference", "reference: base", "reference: bas", "bas"),
    ("arm that patches nothing", "hazards.flu.transmission: x 2", "hazards.flue.transmission: x 2", "flue"),
    ("arm that may not touch the design", "hazards.flu.transmission: x 2", "design.seed: 4", "design"),
    ("name that is a word of YAML", "  worse:", "  off:", "off"),
    ("duplicate key", "horizon: 40 days", "horizon: 40 days\nhorizon: 50 days", "horizon"),
    ("anchor", "horizon: 40 days", "horizon: &h 40 days", "anchor"),
    ("not YAML", "society:", "society: {", ""),
    ("a file that is not there", "graph: erdos_renyi mean_degree 5", "graph: file none.edges", "none.edges"),
    ("id outside the population", "seeds: 3 people", "seeds: 1 people, at: [100]", "at"),
    ("version of the future", "airesim: 1", "airesim: 99", "airesim"),
)


class CommandLine:
    """The tests; each method that a suite runs is one of them."""

    def __init__(self, suite: Suite, program: Program, directory: Path) -> None:
        self.suite, self.program, self.directory = suite, program, directory
        self.small = directory / "small.yaml"
        self.small.write_text(SMALL, encoding="utf-8")

    def expect(self, what: str, status: int, *arguments: object, err: str | None = None, out: str | None = None,
               text: str | None = None) -> bool:
        """Checks exit status and streams. `err` and `out` must occur there; None: the stream must be empty or may not
        matter (stdout is free on success)."""
        done = self.program.call(*arguments, cwd=self.directory, text=text)
        good = done.returncode == status
        good = good and (err is None or err in done.stderr) and (out is None or out in done.stdout)
        if status == 2:
            good = good and done.stderr != "" and done.stdout == ""
        return self.suite.check(what, good, f"status {done.returncode}, expected {status}\nout: {done.stdout[:300]}\n"
                                            f"err: {done.stderr[:600]}")

    def files(self) -> dict[str, int]:
        """Every file of the directory with the time of its last change."""
        return {str(p): p.lstat().st_mtime_ns for p in self.directory.rglob("*")}

    # ---- help and statuses ----------------------------------------------------------------------------------------

    def help(self) -> None:
        for command in COMMANDS:
            done = self.program.call(command, "--help")
            self.suite.check(f"{command} --help", done.returncode == 0 and "Example" in done.stdout and not done.stderr
                             and f"airesim {command}" in done.stdout, done.stderr)
        whole = self.program.call("--help").stdout
        self.suite.check("--help names every command", all(command in whole for command in COMMANDS), whole)

    def wrong_usage(self) -> None:
        self.expect("no command", 2)
        self.expect("unknown command", 2, "rum", err="run")
        self.expect("unknown option", 2, "run", self.small, "--replicate", "3", err="replicates")
        self.expect("option without its value", 2, "run", self.small, "-o", err="FILE")
        self.expect("replicates that are no number", 2, "run", self.small, "--replicates", "ten", err="ten")
        self.expect("--set of a path that matches nothing", 2, "run", self.small, "--set", "hazards.flu.nothing=1",
                    err="nothing")
        self.expect("--set of a wrong value", 2, "check", self.small, "--set", "horizon=4 apples", err="horizon")

    def bad_scenarios(self) -> None:
        bad = self.directory / "bad.yaml"
        for what, old, new, word in BAD:
            assert old in SMALL, old
            bad.write_text(SMALL.replace(old, new, 1), encoding="utf-8")
            before = self.files()
            for command in ("run", "check"):
                options = ("-o", "bad.h5") if command == "run" else ()
                if not self.expect(f"{command}: {what}", 2, command, bad, *options, err=word):
                    break
                place = self.program.call(command, bad, *options, cwd=self.directory).stderr
                self.suite.check(f"{command}: {what}: place", bool(re.search(r"bad\.yaml:\d+:\d+: ", place)), place)
            self.suite.check(f"{what}: nothing is written", self.files() == before)
        for what, content in (("empty", b""), ("binary", bytes(range(256)) * 16), ("a list", b"- a\n- b\n")):
            bad.write_bytes(content)
            self.expect(f"run: {what} file", 2, "run", bad, "-o", "bad.h5", err="bad.yaml")
        bad.write_text(SMALL.replace("40 days", "40", 1).replace("like: sir", "like: sri", 1), encoding="utf-8")
        done = self.program.call("run", bad, "-o", "bad.h5", cwd=self.directory)
        self.suite.check("all errors are reported at once", "horizon" in done.stderr and "sri" in done.stderr,
                         done.stderr)
        self.suite.check("no results of bad scenarios", not (self.directory / "bad.h5").exists())

    def files_that_cannot_be_used(self) -> None:
        before = self.files()
        self.expect("scenario that is not there", 2, "run", "none.yaml", err="none.yaml")
        self.expect("scenario that is a directory", 2, "run", self.directory, err=str(self.directory.name))
        self.suite.check("nothing is written for them", self.files() == before)
        folder = self.directory / "folder.h5"
        folder.mkdir()
        self.refused("output that is a directory", folder)
        self.refused("output in a directory that is not there", self.directory / "none" / "out.h5")
        (self.directory / "file").write_text("no directory", encoding="utf-8")
        self.refused("output below a file", self.directory / "file" / "out.h5")
        self.refused("output in a place where nobody may write", Path("/proc/out.h5"))
        if os.geteuid() != 0:
            closed = self.directory / "closed"
            closed.mkdir()
            closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
            self.refused("output in a directory without permission", closed / "out.h5")
            closed.chmod(stat.S_IRWXU)

    def refused(self, what: str, output: Path) -> None:
        """An output that cannot be written is refused before the first run, with nothing left behind."""
        before = self.files()
        start = time.monotonic()
        done = self.program.call("run", self.small, "-o", output, "--replicates", 200000, cwd=self.directory)
        good = done.returncode in (1, 2) and output.name in done.stderr and time.monotonic() - start < 10
        self.suite.check(what, good, f"status {done.returncode}\n{done.stderr}")
        self.suite.check(f"{what}: nothing is written", self.files() == before)

    # ---- streams ---------------------------------------------------------------------------------------------------

    def streams(self) -> None:
        output = self.directory / "streams.h5"
        done = self.program.call("run", self.small, "-o", output, "--quiet", cwd=self.directory)
        self.suite.check("run --quiet is silent", done.returncode == 0 and not done.stdout and not done.stderr,
                         done.stdout + done.stderr)
        done = self.program.call("run", self.small, "-o", output, "--overwrite", cwd=self.directory)
        self.suite.check("run speaks on stderr only", done.returncode == 0 and not done.stdout
                         and output.name in done.stderr, done.stdout)
        for arguments in (("check", self.small, "--expand"), ("check", self.small, "--paths"), ("show", output),
                          ("show", output, "--csv"), ("compare", output, output), ("compare", output, output, "--csv"), ("replay", self.small, "--arm", "base"), ("models",), ("schema",),
                          ("status", output), ("check", self.small)):
            done = self.program.call(*arguments, cwd=self.directory)
            words = " ".join(str(a).rsplit("/", 1)[-1] for a in arguments)
            self.suite.check(f"{words}: data on stdout, nothing on stderr",
                             done.returncode == 0 and done.stdout != "" and done.stderr == "", done.stderr)
        done = self.program.call("run", "-", "-o", self.directory / "stdin.h5", "--quiet", text=SMALL)
        self.suite.check("a scenario on standard input", done.returncode == 0, done.stderr)
        if done.returncode == 0:
            unequal = differences(output, self.directory / "stdin.h5")
            self.suite.check("equals that of the file", not unequal, str(unequal))

    def expanded_runs_alike(self) -> None:
        text = self.program.call("check", self.small, "--expand").stdout
        expanded = self.directory / "expanded.yaml"
        expanded.write_text(text, encoding="utf-8")
        a = self.program.run(self.small, self.directory / "written.h5")
        b = self.program.run(expanded, self.directory / "expanded.h5")
        unequal = differences(a, b)
        self.suite.check("check --expand runs to the same bits", not unequal, str(unequal))
        commented = self.program.call("check", self.small, "--expand", "--origins").stdout
        self.suite.check("--origins names lines", "small.yaml:" in commented and "# " in commented, commented[:300])

    # ---- interruption ----------------------------------------------------------------------------------------------

    def interrupted(self) -> None:
        output = self.directory / "interrupted.h5"
        command = ("run", self.small, "-o", output, "--replicates", 300000)
        process = self.program.start(*command)
        seen = self.status_of_a_running_batch(output)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.suite.check("status from another process while it runs", seen is not None, "no `... runs done` was seen")
        self.suite.check("SIGINT: exit status 3", process.returncode == 3, f"{process.returncode}\n{err}")
        self.suite.check("SIGINT: says how to go on", "interrupted" in err and str(self.small) in err and not out, err)
        self.suite.check("SIGINT: no results yet", not output.exists())
        stopped = self.program.call("status", output)
        self.suite.check("status of an interrupted batch", stopped.returncode == 0 and "stopped" in stopped.stdout,
                         stopped.stdout + stopped.stderr)
        wrong = self.program.call("run", self.small, "-o", output, "--replicates", 300000, "--seed", 4, "--quiet")
        self.suite.check("another seed does not resume it", wrong.returncode in (1, 2) and not output.exists(),
                         f"{wrong.returncode}\n{wrong.stderr}")

    def resumed(self) -> None:
        output, whole = self.directory / "resumed.h5", self.directory / "whole.h5"
        replicates: Any = 20000
        process = self.program.start("run", self.small, "-o", output, "--replicates", replicates, "--jobs", 1)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.program.run(self.small, output, "--replicates", replicates)
        self.program.run(self.small, whole, "--replicates", replicates)
        unequal = differences(output, whole)
        self.suite.check("interrupted and resumed = uninterrupted", not unequal, str(unequal))
        done = self.program.call("status", output)
        self.suite.check("status of a complete batch", done.returncode == 0 and "complete" in done.stdout, done.stderr)

    def status_of_a_running_batch(self, output: Path) -> str | None:
        """Asks `airesim status` until it tells of finished runs."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            time.sleep(0.2)
            done = self.program.call("status", output)
            match = re.search(r"running\s+(\d+) of \d+ runs", done.stdout)
            if done.returncode == 0 and match and int(match.group(1)) > 0:
                return match.group(0)
        return None

    # ---- schema ----------------------------------------------------------------------------------------------------

    def schema(self) -> None:
        schema = json.loads(self.program.call("schema").stdout)
        self.suite.check("schema is draft 2020-12", "2020-12" in schema.get("$schema", ""))
        try:
            import jsonschema
            import yaml
        except ImportError as missing:
            print(f"skipped: scenarios against the schema ({missing})")
            return
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        found = [*sorted((ROOT / "scenarios").rglob("*.yaml")), *sorted((ROOT / "tests").rglob("*.yaml"))]
        for path in found:
            tree = yaml.load(path.read_text(encoding="utf-8"), Loader=text_loader(yaml))
            if not isinstance(tree, dict) or "airesim" not in tree:
                continue
            errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(tree)]
            self.suite.check(f"schema: {path.relative_to(ROOT)}", not errors, "\n".join(errors[:5]))
        for what, old, new, _ in (row for row in BAD if row[0] in SCHEMA_SEES):
            tree = yaml.load(SMALL.replace(old, new, 1), Loader=text_loader(yaml))
            self.suite.check(f"schema rejects: {what}", not validator.is_valid(tree))


SCHEMA_SEES = {"unit missing", "unit of another dimension", "unknown key at the top", "unknown key in an entry",
               "unknown key in a layer"}


def text_loader(yaml: Any) -> Any:
    """A loader that reads YAML 1.2 as editors do: whole and decimal numbers, true, false, null; the rest is text."""

    class Loader(yaml.SafeLoader):
        """Without YAML 1.1's dates, octals and on/off."""

    Loader.yaml_implicit_resolvers = {}
    digits = "-+0123456789"
    for tag, pattern, first in (("bool", r"true|false", "tf"), ("null", r"null|~|", "n~"), ("int", r"[-+]?\d+", digits),
                                ("float", r"[-+]?\d+\.\d*(?:e[-+]?\d+)?", digits)):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
    return Loader


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "airesim", help="the airesim to test")
    parser.add_argument("--test", metavar="NAME", help="only this test (a method's name)")
    options = parser.parse_args()
    if not options.program.is_file():
        parser.error(f"{options.program} is not there")
    suite = Suite()
    with tempfile.TemporaryDirectory(prefix="airesim-cli-") as directory:
        tests = CommandLine(suite, Program(options.program), Path(directory))
        for test in (tests.help, tests.wrong_usage, tests.bad_scenarios, tests.files_that_cannot_be_used, tests.streams,
                     tests.expanded_runs_alike, tests.interrupted, tests.resumed, tests.schema):
            if options.test in (None, test.__name__):
                suite.group(test)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
