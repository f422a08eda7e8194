#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""That arms share their draws makes their difference surer; runs of another seed, in the place of an arm's, do not."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "analysis"), str(SOURCE / "tests")]

import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402
from harness import Suite  # noqa: E402

import airesim  # noqa: E402
from airesim import coupling  # noqa: E402
from airesim.__main__ import main as command  # noqa: E402

REPLICATES = 200
SIGMAS = 4.5  # runs are fixed by their seed: a bound either holds for good or not

suite = Suite()
check = suite.check


def run(program: str, output: Path, seed: int) -> Path:
    """The small scenario, with the milder arm near enough to be alike."""
    scenario = SOURCE / "tests" / "program" / "small.yaml"
    subprocess.run([program, "run", str(scenario), "--quiet", "-o", str(output), "--replicates", str(REPLICATES), "--seed", str(seed),
                    "--set", "arms.fewer_contacts={hazards.outbreak.transmission: 0.14/day per contact}"], check=True)
    return output


def surely_pairs(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the variance of the difference is less than the sum of variances: their covariance is surely positive (Fisher 1921)."""
    r = float(np.corrcoef(a, b)[0, 1])
    return float(np.arctanh(r)) * np.sqrt(len(a) - 3) > SIGMAS


def by_hand() -> None:
    """Variances of two points of three replicates, one of them missing, and of measures that do not vary."""
    one, other = np.array([[1.0, 2.0, 6.0], [4.0, np.nan, 8.0]]), np.array([[1.0, 3.0, 5.0], [0.0, 1.0, 2.0]])
    paired, apart = coupling.variances(one, other)
    check("variance of the differences", abs(paired - (2 * 1.0 + 2.0) / 3) < 1e-12, f"{paired}")
    check("sum of variances", abs(apart - (2 * (7.0 + 4.0) + (8.0 + 2.0)) / 3) < 1e-12, f"{apart}")
    check("one replicate says nothing", bool(np.isnan(coupling.variances(one[:, :1], other[:, :1])).all()))
    same = xr.DataArray(np.array([[[1.0, 2.0, 5.0]]] * 2 + [[[3.0] * 3]]), dims=("arm", "point", "replicate"), name="x",
                        coords={"arm": ["a", "b", "flat"]})  # fmt: skip
    gains = coupling.gain(same, same, "a", times=50)
    check("equal arms: no variance is left", float(gains["gain"].sel(arm="b")) == np.inf)
    check("an arm that does not vary gains nothing", abs(float(gains["gain"].sel(arm="flat")) - 1) < 1e-12)


def shared_draws(program: str, here: Path) -> None:
    """The arms of one file against the same arm of another seed."""
    ours, theirs = run(program, here / "ours.h5", 7), run(program, here / "theirs.h5", 8)
    with airesim.open(ours) as ds, airesim.open(theirs) as other:
        size = ds["final_size"].isel(hazard=0, point=0)
        a, b = (size.sel(arm=arm).values.astype(float) for arm in ("fewer_contacts", "base"))
        independent = other["final_size"].isel(hazard=0, point=0).sel(arm="base").values.astype(float)
        check("shared draws reduce the variance of a difference of final sizes", surely_pairs(a, b), f"{np.corrcoef(a, b)}")
        check("broken variant: independent seeds do not", not surely_pairs(a, independent), f"{np.corrcoef(a, independent)}")
        gain = coupling.gain(ds, ds["final_size"].isel(hazard=0), times=500).isel(arm=0)
        ratio = (a.var(ddof=1) + b.var(ddof=1)) / (a - b).var(ddof=1)
        check("gain", abs(float(gain["gain"]) - ratio) < 1e-9 and float(gain["low"]) < ratio < float(gain["high"]), f"{gain}")
        check("gain is surely more than one", float(gain["low"]) > 1, f"{gain}")
        broken = xr.concat([ds["final_size"].sel(arm=["fewer_contacts"]), other["final_size"].sel(arm=["base"])], "arm").isel(hazard=0)
        check("broken variant: its interval holds one", float(coupling.gain(ds, broken, "base", times=500)["low"][0]) < 1)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = command(["coupling", str(ours), "--measure", "final_size"])
    check("a table", status == 0 and "| final_size[hazard=outbreak] | fewer_contacts − base |" in said.getvalue(), said.getvalue())
    with contextlib.redirect_stderr(io.StringIO()) as err:
        status = command(["coupling", str(ours), "--measure", "final_siz"])
        others = command(["coupling", str(ours), "--reference", "none"])
    check("an unknown arm", others == 1 and "no arm named none" in err.getvalue(), err.getvalue())
    check("an unknown measure", status == 1 and "final_siz" in err.getvalue(), err.getvalue())


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(SOURCE / "build" / "airesim"), help="the program")
    program = os.path.abspath(parser.parse_args().program)
    suite.group(by_hand)
    with tempfile.TemporaryDirectory() as directory:
        suite.group(lambda: shared_draws(program, Path(directory)))
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
