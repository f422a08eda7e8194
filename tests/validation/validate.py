#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the validation cases with the ordinary program and compares them with exact values.

Every case is a scenario in cases/, a row of table.py and its references in reference.json. Each is then run once more
with one wrong assumption, which the same checks with as many replicates must reject.

Examples
--------
  ./validate.py --program build/airesim
  ./validate.py --program build/airesim --case 'A17*' --keep /tmp/results
  ./validate.py --list
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from fnmatch import fnmatchcase
from pathlib import Path

from checks import Results, Verdict
from registry import cases
from table import HERE, Case

SEED = 20260101


class ProgramFailed(Exception):
    """The program did not end with 0; the text is what it said."""


def run(program: Path, case: Case, output: Path, replicates: int, sets: tuple[str, ...] = ()) -> float:
    """Runs a case's scenario; returns the seconds that it took."""
    command = [str(program), "run", str(HERE / "cases" / case.scenario), "-o", str(output), "--replicates",
               str(replicates), "--seed", str(SEED), "--quiet", "--overwrite"]
    for patch in sets:
        command += ["--set", patch]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProgramFailed(f"exit status {done.returncode} of `{' '.join(command)}`:\n{done.stderr.strip()}")
    return time.monotonic() - start


def judge(case: Case, results: Results, full: bool, arms: tuple[str, ...] = ()) -> list[Verdict]:
    """The verdicts of a case's checks (only those on `arms`, where given)."""
    named = [check for check in case.checks if not arms or check.arm in arms]
    return [check.judge(results, full) for check in named]


def row(case: Case, v: Verdict) -> str:
    """One line of the table."""
    verdict = "passed" if v.passed else "FAILED" if not v.agrees else "FAILED (too few replicates)"
    place = f"{case.name}/{v.arm}" if case.arms else case.name
    return (f"{place:30} {v.quantity:32} {v.reference:12.6g} {v.estimate:12.6g} {v.error:10.2g} {v.tolerance:10.2g}  "
            f"{verdict}{'  ' + v.note if v.note else ''}")


SUMMARY_HEAD = """| case | arm | checks | passed | furthest from its reference | reference | estimate | SE | tolerance | off by SE |
|---|---|---|---|---|---|---|---|---|---|
"""


def distance(v: Verdict) -> float:
    """How many standard errors an estimate is off; 0 for what has none (an exact value, a range, a p)."""
    return abs(v.estimate - v.reference) / v.error if v.error > 0 else 0.0


def summary(case: Case, verdicts: list[Verdict]) -> str:
    """Lines of Markdown, one an arm: how many checks passed, and the one that is furthest from its reference."""
    lines = ""
    for arm in dict.fromkeys(v.arm for v in verdicts):
        of_arm = [v for v in verdicts if v.arm == arm]
        v = max(of_arm, key=distance)
        numbers = f"{v.reference:.6g} | {v.estimate:.6g} | {v.error:.2g} | {v.tolerance:.2g} | {distance(v):.1f}"
        quantity = v.quantity.replace("|", "\\|") + (f" ({v.note})" if v.note else "")
        lines += f"| {case.name} | {arm} | {len(of_arm)} | {sum(x.passed for x in of_arm)} | {quantity} | {numbers} |\n"
    return lines


def only_arms(case: Case, kept: tuple[str, ...]) -> tuple[str, ...]:
    """Patches that leave the other arms out; none kept: all stay."""
    dropped = tuple(f"arms.{arm}=null" for arm in case.arms if kept and arm not in kept)
    return dropped + ((f"design.reference={kept[0]}",) if dropped else ())


def check_case(program: Path, case: Case, full: bool, directory: Path, markdown: Path | None) -> tuple[int, int]:
    """Runs a case and its broken variant; prints their rows; returns the numbers that passed and failed."""
    replicates = case.replicates[full]
    arms = () if full else case.quick_arms
    size = () if full else case.quick_sets
    output = directory / f"{case.name}.h5"
    seconds = run(program, case, output, replicates, only_arms(case, arms) + size)
    with Results(output) as results:
        verdicts = judge(case, results, full, arms)
    for verdict in verdicts:
        print(row(case, verdict))
    if markdown:
        with markdown.open("a", encoding="utf-8") as file:
            file.write(summary(case, verdicts))
    print(f"{case.name}: {replicates} replicates of {len(arms) or max(len(case.arms), 1)} arms in {seconds:.1f} s")

    broken, kept = case.broken, case.broken.arms or arms
    output = directory / f"{case.name}-broken.h5"
    run(program, case, output, replicates, only_arms(case, kept) + size + broken.sets)
    with Results(output) as results:
        rejecting = [v for v in judge(case, results, full, kept) if not v.agrees]
    if rejecting:
        print(f"{case.name}: broken variant rejected ({broken.what}: {rejecting[0].quantity} is "
              f"{rejecting[0].estimate:.6g}, not {rejecting[0].reference:.6g})")
    else:
        print(f"{case.name}: FAILED: broken variant accepted ({broken.what})")
    good = sum(v.passed for v in verdicts) + bool(rejecting)
    return good, len(verdicts) + 1 - good


def check_all(program: Path, chosen: list[Case], full: bool, directory: Path, markdown: Path | None) -> bool:
    """Checks the cases; returns whether everything passed."""
    if markdown:
        markdown.write_text(SUMMARY_HEAD, encoding="utf-8")
    passed = failed = 0
    print(f"{'case':30} {'quantity':32} {'reference':>12} {'estimate':>12} {'SE':>10} {'tolerance':>10}  verdict")
    for case in chosen:
        try:
            good, bad = check_case(program, case, full, directory, markdown)
        except (ProgramFailed, KeyError, ValueError, OSError) as error:
            print(f"{case.name}: FAILED: {error}")
            good, bad = 0, 1
        passed, failed = passed + good, failed + bad
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return failed == 0 and passed > 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    program = HERE.parents[1] / "build" / "airesim"
    parser.add_argument("--program", type=Path, default=program, help="the airesim to test")
    parser.add_argument("--tier", choices=("quick", "full"), default="quick", help="quick: minutes; full: 2 hours")
    parser.add_argument("--case", default="*", metavar="GLOB", help="only cases whose name matches")
    parser.add_argument("--list", action="store_true", help="list the cases and their replicates")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table by case and arm there")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the results files there")
    options = parser.parse_args()
    chosen = [case for case in cases() if fnmatchcase(case.name, options.case)]
    if not chosen:
        parser.error(f"no case matches {options.case}")
    if options.list:
        for case in chosen:
            print(f"{case.name:16} {case.scenario:28} quick {case.replicates[0]:6} full {case.replicates[1]:6} "
                  f"{len(case.checks):3} checks; broken variant: {case.broken.what}")
        return 0
    if not options.program.is_file():
        parser.error(f"{options.program} is not there; build it, or name it with --program")
    full = options.tier == "full"
    directory: contextlib.AbstractContextManager[str] = tempfile.TemporaryDirectory(prefix="airesim-validation-")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        directory = contextlib.nullcontext(str(options.keep))
    with directory as path:
        return 0 if check_all(options.program.resolve(), chosen, full, Path(path), options.markdown) else 1


if __name__ == "__main__":
    sys.exit(main())
