# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Python tests of the program share: running it, writing scenarios, comparing results bit for bit."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Tree = dict[str, Any]  # a scenario: mappings of names to mappings, lists of scalars, or scalars as text
STRUCTURE = {"DIMENSION_LIST", "REFERENCE_LIST"}  # HDF5's own, addresses inside a file: compared as names of dimensions


class Suite:
    """Counts and reports checks."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, what: str, good: bool, detail: str = "") -> bool:
        """Reports one check; `detail` is shown when it failed."""
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'passed' if good else 'FAILED'}: {what}", flush=True)
        if not good and detail:
            print("    " + detail.strip().replace("\n", "\n    "), flush=True)
        return bool(good)

    def group(self, test: Callable[[], None]) -> None:
        """Runs a function of checks; an exception in it is one failed check."""
        try:
            test()
        except (subprocess.SubprocessError, OSError, KeyError, ValueError, IndexError) as error:
            self.check(f"{test.__name__}: {type(error).__name__}: {error}", False)

    def end(self) -> int:
        """Prints the counts; returns the exit status."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1


class Program:
    """The ordinary program, as a person would start it."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None) -> None:
        self.path = path.resolve()
        self.environment = {**os.environ, **(environment or {})}

    def start(self, *arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Starts it and returns at once."""
        return subprocess.Popen([str(self.path), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, text=True, env=self.environment, cwd=cwd)

    def call(self, *arguments: object, cwd: Path | None = None, text: str | None = None,
             timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, with `text` on standard input."""
        return subprocess.run([str(self.path), *map(str, arguments)], capture_output=True, text=True, check=False,
                              env=self.environment, cwd=cwd, input=text or "", timeout=timeout)

    def run(self, scenario: Path, output: Path, *options: object) -> Path:
        """`airesim run`, which must succeed; returns the results file."""
        done = self.call("run", scenario, "-o", output, "--quiet", *options)
        if done.returncode != 0:
            raise ValueError(f"`airesim run {scenario.name} {' '.join(map(str, options))}` ended with "
                             f"{done.returncode}: {done.stderr.strip()}")
        return output


# ---- scenarios ------------------------------------------------------------------------------------------------------


def yaml_text(tree: Tree, order: random.Random | None = None, indent: int = 0) -> str:
    """A tree as YAML in block style; `order` shuffles the keys of every mapping."""
    keys = list(tree)
    if order:
        order.shuffle(keys)
    lines = []
    for key in keys:
        value, pad = tree[key], " " * indent
        if isinstance(value, dict) and value:
            lines.append(f"{pad}{key}:\n{yaml_text(value, order, indent + 2)}")
        elif isinstance(value, dict):
            lines.append(f"{pad}{key}: {{}}\n")
        elif isinstance(value, list):
            lines.append(f"{pad}{key}: [{', '.join(value)}]\n")
        else:
            lines.append(f"{pad}{key}: {value}\n")
    return "".join(lines)


def patched(tree: Tree, **changes: Any) -> Tree:
    """A copy of a tree with further or other values; `a__b` reaches into mappings, None removes."""
    copy = {key: patched(value) if isinstance(value, dict) else value for key, value in tree.items()}
    for path, value in changes.items():
        place, *names = copy, *path.split("__")
        for name in names[:-1]:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(names[-1], None)
        else:
            place[names[-1]] = value
    return copy


# ---- results --------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _bits(value: Any) -> bytes:
    array = np.asarray(value)
    if array.dtype == object:
        return repr([_text(x) for x in array.ravel().tolist()]).encode()
    return f"{array.dtype}{array.shape}".encode() + array.tobytes()


def contents(path: Path, prefixes: Sequence[str] = ("provenance_",),
             names: Sequence[str] = ("scenario",)) -> dict[str, bytes]:
    """Every variable, its dimensions and every attribute of a results file as bytes; NaN is equal to the same NaN.

    Parameters
    ----------
    path
        The results file.
    prefixes
        Names that start with one of these are left out: where and when a run was made.
    names
        These are left out too: the scenario as it was written (as expanded, it is compared).
    """
    found: dict[str, bytes] = {}

    def left_out(name: str) -> bool:
        last = name.rsplit("/", 1)[-1]
        return last.startswith(tuple(prefixes)) or last in names

    def attributes(name: str, node: h5py.HLObject) -> None:
        for key in node.attrs:
            if key not in STRUCTURE and not left_out(key):
                found[f"{name}@{key}"] = _bits(node.attrs[key])

    with h5py.File(path, "r") as file:
        attributes("", file)

        def visit(name: str, node: h5py.HLObject) -> None:
            if any(left_out(part) for part in name.split("/")):
                return
            attributes(name, node)
            if isinstance(node, h5py.Dataset):
                found[name] = _bits(node[()])
                found[f"{name}:dims"] = repr([d[0].name if len(d) else "" for d in node.dims]).encode()

        file.visititems(visit)
    return found


def differences(a: Path, b: Path) -> list[str]:
    """Names of what differs between two results files, apart from provenance."""
    left, right = contents(a), contents(b)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


class Values:
    """Variables of a results file, by name, with their dimensions."""

    def __init__(self, path: Path) -> None:
        with h5py.File(path, "r") as file:
            self.data = {name: node[()] for name, node in file.items() if isinstance(node, h5py.Dataset)}
            self.dims = {name: [d[0].name.rsplit("/", 1)[-1] if len(d) else "" for d in node.dims]
                         for name, node in file.items() if isinstance(node, h5py.Dataset)}
            self.flags = {name: _text(node.attrs["flag_meanings"]).split() for name, node in file.items()
                          if "flag_meanings" in node.attrs}
            self.fill = {name: node.attrs["_FillValue"].ravel()[0] for name, node in file.items()
                         if "_FillValue" in node.attrs}

    def labels(self, dimension: str) -> list[str]:
        """The text coordinates of a dimension."""
        return [_text(x) for x in self.data[dimension]]

    def runs(self) -> list[str]:
        """The variables that have a value for each run."""
        return [name for name, dims in self.dims.items() if "replicate" in dims and len(dims) > 1]

    def of(self, name: str, **at: int) -> np.ndarray:
        """A variable at indices of some of its dimensions (those that it does not have are passed over)."""
        array, dims = self.data[name], list(self.dims[name])
        for dimension, index in at.items():
            if dimension in dims:
                array = np.take(array, index, axis=dims.index(dimension))
                dims.remove(dimension)
        return array

    def element(self, column: str, **at: int) -> tuple[float, str | None]:
        """The value of a column as `airesim replay` names it, variable[dim=label,...], and its flag's meaning."""
        match = re.fullmatch(r"([^\[]+)(?:\[(.*)\])?", column)
        if not match:
            raise ValueError(f"not a column: {column}")
        name, coordinates = match.group(1), match.group(2)
        for pair in coordinates.split(",") if coordinates else []:
            dimension, label = pair.split("=", 1)
            at[dimension] = self._place(dimension, label)
        value = float(self.of(name, **at))
        if value == self.fill.get(name):
            value = math.nan  # missing flags and whole numbers
        meaning = self.flags[name][int(value)] if name in self.flags and value >= 0 else None
        return value, meaning

    def _place(self, dimension: str, label: str) -> int:
        coordinates = self.data[dimension]
        if coordinates.dtype.kind in "SO":
            return self.labels(dimension).index(label)
        return next(i for i, x in enumerate(coordinates) if f"{x:g}" == label)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shape, type and bits."""
    return _bits(a) == _bits(b)
