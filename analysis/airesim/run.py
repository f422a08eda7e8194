# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the program from Python: ``airesim.run`` and ``airesim.scenario``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from airesim.io import open as open_results

_PROGRESS = re.compile(r"(\d+)/(\d+) runs")


def program(path: str | os.PathLike[str] | None = None) -> str:
    """Where the program is: as given, ``$AIRESIM_PROGRAM``, the repository's ``build/airesim``, or on the PATH.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    built = Path(__file__).resolve().parents[2] / "build" / "airesim"
    for candidate in (path, os.environ.get("AIRESIM_PROGRAM"), built, shutil.which("airesim")):
        if candidate and os.access(candidate, os.X_OK):
            return os.fspath(candidate)
    raise FileNotFoundError("the program airesim is not built: ./quickstart.sh builds it, or set AIRESIM_PROGRAM")


def run(
    scenario: str | os.PathLike[str],
    set: Mapping[str, object] | None = None,  # noqa: A002 - as the option is called
    *,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    output: str | os.PathLike[str] | None = None,
    executable: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Run a scenario and open its results.

    Parameters
    ----------
    scenario
        Path of the file, or the scenario itself as text of several lines.
    set
        Paths and values that replace the scenario's, as ``--set`` takes them: ``{"teams.crews.size": 8}``; ``None`` removes.
    replicates, seed, jobs
        As the options of ``airesim run``.
    output
        Where to keep the results file; without it the results are read into memory and the file is removed.
    executable
        The program; see ``program``.
    progress
        Show a bar on standard error.

    Raises
    ------
    ValueError
        With the program's own message, if it refuses the scenario or fails.
    """
    text, source = _source(scenario)
    with tempfile.TemporaryDirectory(prefix="airesim-") as directory:
        kept = os.fspath(output) if output is not None else os.path.join(directory, "results.h5")
        command = [program(executable), "run", source, "--overwrite", "-o", kept]
        for path, value in (set or {}).items():
            command += ["--set", f"{path}={'null' if value is None else value}"]
        for option, value in (("--replicates", replicates), ("--seed", seed), ("--jobs", jobs)):
            if value is not None:
                command += [option, str(value)]
        _watch(command, text, progress)
        ds = open_results(kept)
        return ds if output is not None else _loaded(ds)


def _loaded(ds: xr.Dataset) -> xr.Dataset:
    with ds:
        return ds.load()


def _source(scenario: str | os.PathLike[str]) -> tuple[str | None, str]:
    """Text for standard input, if any, and what to name on the command line."""
    name = os.fspath(scenario)
    return (name, "-") if "\n" in name else (None, name)


def _watch(command: list[str], text: str | None, progress: bool) -> None:
    """Run, drawing a bar from the progress that the program reports on standard error."""
    with tempfile.TemporaryFile("w+") as given:
        given.write(text or "")
        given.seek(0)
        child = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said, line, shown = [], "", False
        with child:
            assert child.stderr is not None
            while letter := child.stderr.read(1):
                if letter not in "\r\n":
                    line += letter
                    continue
                found = _PROGRESS.search(line)
                if not found:
                    said.append(line)
                elif progress:
                    _bar(int(found[1]), int(found[2]))
                    shown = True
                line = ""
        if shown:
            print(file=sys.stderr)
    if child.returncode != 0:
        raise ValueError("\n".join([*said, line]).strip() or f"airesim ended with status {child.returncode}")


def _bar(done: int, total: int, width: int = 40) -> None:
    full = width * done // max(total, 1)
    print(f"\r[{'#' * full}{'.' * (width - full)}] {done}/{total} runs", end="", file=sys.stderr, flush=True)


def scenario(path: str | os.PathLike[str], executable: str | os.PathLike[str] | None = None) -> str:
    """The expanded scenario as text, each value with its origin; what the program would run.

    Parameters
    ----------
    path
        Path of the file, or the scenario itself as text of several lines.
    executable
        The program; see ``program``.

    Raises
    ------
    ValueError
        With the program's own message, if the scenario is wrong.
    """
    text, source = _source(path)
    done = subprocess.run(
        [program(executable), "check", "--expand", source], input=text or "", capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return done.stdout
