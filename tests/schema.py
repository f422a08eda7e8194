# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema passes every scenario of the repository, as written and as expanded, and refuses wrong ones.

Scenarios are read with every scalar as text, as the language reads them (YAML 1.1's own typing is not used). Exit 77,
"skipped", where PyYAML or jsonschema is not installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent
TOWN = "airesim: 1\nhorizon: 9 days\nsociety: {people: 9, layers: {c: {graph: complete}}}\n"
WRONG = {
    "unit missing": "airesim: 1\nhorizon: 14\n",
    "wrong unit": "airesim: 1\nhorizon: 14 people\n",
    "unknown key": "airesim: 1\nhorizn: 14 days\n",
    "unknown key of a model": TOWN + "teams: {t: {siz: 3}}\n",
    "unknown key of a preset's model": TOWN + "hazards: {f: {like: sir, layr: c}}\n",
    "unknown key of an action": TOWN + "actions: {v: {like: vaccination, agianst: f}}\n",
    "unknown law": TOWN + "hazards: {f: {like: sir, infectious: gama mean 2 days}}\n",
    "unknown graph": "airesim: 1\nhorizon: 9 days\nsociety: {layers: {c: {graph: compleat}}}\n",
    "unknown choice": TOWN + "repair: {r: {order: best}}\n",
    "bad name": TOWN + "teams: {Crew: {size: 3}}\n",
    "no version": "horizon: 9 days\n",
}
RIGHT = {
    "dotted keys": TOWN + "teams.t: {size: 3, hours: 8 h/day}\nmeasures.recovery.hold: 3 days\n",
    "references and factors": TOWN + "teams: {a: {size: 3}, b: {size: $teams.a.size}}\narms: {x: {teams.*.size: x 2, teams.b: null}}\n",
    "written out": TOWN + "teams: {a: {size: {value: 3, range: 1..4, source: elicited}}, b: {size: {day 0: 1, day 3: 4}}}\n",
    "like of a sibling": TOWN + "actions: {a: {like: b}, b: {like: isolation}}\n",
}


def main() -> int:
    """Runs the checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, required=True)
    program = str(parser.parse_args().program)

    def output(*arguments: str) -> str:
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout

    schema = json.loads(output("schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def faults(text: str) -> list[str]:
        tree = yaml.load(text, Loader=yaml.BaseLoader)
        return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:120]}" for e in validator.iter_errors(tree)]

    failed = checked = 0

    def check(what: str, good: bool, detail: object = "") -> None:
        nonlocal failed, checked
        checked, failed = checked + 1, failed + (not good)
        if not good:
            print(f"FAILED: {what} {detail}")

    files = [*ROOT.glob("scenarios/*.yaml"), *ROOT.glob("tests/validation/cases/*.yaml"), *ROOT.glob("tests/program/*.yaml")]
    for path in sorted(files):
        check(f"{path.name} as written", not (found := faults(path.read_text())), found)
        check(f"{path.name} expanded", not (found := faults(output("check", "--expand", str(path)))), found)
    for what, text in WRONG.items():
        check(f"refused: {what}", bool(faults(text)))
    for what, text in RIGHT.items():
        check(f"passed: {what}", not (found := faults(text)), found)
    print(f"{checked - failed} passed, {failed} failed")
    return 0 if failed == 0 and files else 1


if __name__ == "__main__":
    sys.exit(main())
