#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps that grow, and sweeps in trouble: adaptive replicates, longer batches, status, clocks, memory, sleep.

What the machine does not allow (MPI, a compiler for the shim) is skipped with a message.

Examples
--------
  ./sweeps.py --program build/airesim
  ./sweeps.py --program build/airesim --only memory
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py

from cluster import RANKS, Cluster
from harness import Program

NARROW = "design.precision=difference of resilience_loss width 0.5 floor 6"
WIDE = "design.precision=difference of resilience_loss width 1 floor 6"

# The time of day jumps a day ahead and back from call to call; the monotonic clock goes on, and skips so many seconds
# once. Where a thread waits for a moment by that clock the kernel does not know of the skip: with ranks it is 0, since
# rank 0 would listen to the others once in so long.
SHIM = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static int calls;
static long jump(void) { return (__sync_add_and_fetch(&calls, 1) % 3 - 1) * 86400L; }
int clock_gettime(clockid_t id, struct timespec *t) {
  int ret = (int)syscall(SYS_clock_gettime, id, t);
  if (id == CLOCK_REALTIME) t->tv_sec += jump();
  if (id == CLOCK_MONOTONIC && calls > 40) t->tv_sec += SKIP;
  return ret;
}
time_t time(time_t *out) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *restrict v, void *restrict zone) {
  struct timespec t;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec, v->tv_usec = t.tv_nsec / 1000;
  return 0;
}
"""


INTERRUPTED = -6 # AIRESIM_INTERRUPTED of airesim.h


class LibraryProgress(ctypes.Structure):
    """struct airesim_progress of airesim.h."""

    _fields_ = [("total", ctypes.c_uint64), ("done", ctypes.c_uint64), ("failed", ctypes.c_uint64),
                ("seconds", ctypes.c_double), ("rate", ctypes.c_double)]


ON_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(LibraryProgress))


class LibraryOptions(ctypes.Structure):
    """struct airesim_options of airesim.h."""

    _fields_ = [("size", ctypes.c_size_t), ("output", ctypes.c_char_p), ("jobs", ctypes.c_uint),
                ("replicates", ctypes.c_int64), ("seed", ctypes.c_int64), ("overwrite", ctypes.c_int),
                ("progress", ON_PROGRESS), ("ctx", ctypes.c_void_p)]


class Sweeps(Cluster):
    """The tests, with the files they share."""

    def has_ranks(self, what: str) -> bool:
        """Whether ranks can be started; else says that `what` is skipped."""
        if shutil.which("mpirun") and self.has_mpi():
            return True
        self.skip(f"{what} with ranks: no mpirun, or the program was built without MPI")
        return False

    # ---- growing -----------------------------------------------------------------------------------------------------

    def adaptive(self) -> None:
        """The same answer by threads, ranks, shards, in steps, and killed; what was reached is in the file."""
        d, options = self.directory, ("--set", NARROW, "--replicates", 400)
        whole = self.program.run(self.small, d / "adaptive.h5", "--jobs", 1, *options)
        with h5py.File(whole) as file:
            made, most = file["precision_replicates"][()].tolist(), file["replicate"].shape[0]
            reached, width = file["precision_reached"][()], file["precision_width"][()]
            arms = [x.decode() for x in file["arm"][()]]
        looks = [6]
        while looks[-1] < most:
            looks.append(min(looks[-1] + (looks[-1] + 1) // 2, most))
        self.suite.check("every point stops at a look", all(n in looks for n in made), f"{made}, {looks}")
        self.suite.check("some point stops between floor and ceiling", any(6 < n < most for n in made), str(made))
        worse = width[arms.index("worse")]
        self.suite.check("reached is narrow, and not reached is the ceiling",
                         all((w <= 0.5) == bool(r) and (r or n == most) for w, r, n in zip(worse, reached, made)),
                         f"{worse} {reached} {made}")
        shown = self.program.call("show", whole).stdout
        self.suite.check("`show` says what was reached",
                         f"at {sum(map(bool, reached))} of 3 points, with {min(made)} to {max(made)} replicates" in shown,
                         shown[:800])
        self.same("2 threads", self.program.run(self.small, d / "a2.h5", "--jobs", 2, *options), whole)
        steps = d / "steps.h5"
        self.program.run(self.small, steps, "--set", WIDE, "--replicates", 100)
        self.program.run(self.small, steps, *options)
        self.same("wide, then narrow", steps, whole)
        done = self.program.call("run", self.small, "-o", steps, *options)
        self.ended("asked again, it is complete", done, 0, "complete already")
        done = self.program.call("run", self.small, "-o", steps, "--set", WIDE, "--replicates", 400)
        self.ended("a wider interval does not take runs away", done, 2, "more replicates")
        self.adaptive_parts(whole, options)
        if self.has_ranks("adaptive"):
            output = d / "a_ranks.h5"
            done = self.mpirun(3, (), "run", self.small, "-o", output, *options)
            self.ended("adaptive by 3 ranks", done, 0, "precision")
            self.same("3 ranks", output, whole)

    def adaptive_parts(self, whole: Path, options: tuple[object, ...]) -> None:
        """Parts of whole points; a merge that knows what is missing; more parts than points."""
        output = self.directory / "a_parts.h5"
        for part in (3, 1):
            self.program.run(self.small, output, "--shard", f"{part}/3", "--jobs", 1, *options)
        done = self.program.call("merge", f"{output}.journal", "-o", output)
        self.ended("adaptive: a missing part is missed", done, 1, "runs are missing")
        self.program.run(self.small, output, "--shard", "2/3", *options)
        done = self.program.call("merge", f"{output}.journal", "-o", output)
        self.ended("adaptive: 3 parts merge", done, 0)
        self.same("3 parts", output, whole)
        done = self.program.call("run", self.small, "-o", self.directory / "a7.h5", "--shard", "1/7", *options)
        self.ended("more parts than points are refused", done, 2, "whole design points")
        slurm = ("slurm", self.small, "--time", "1:00:00", "--nodes")
        precision = ("--set", NARROW)
        self.ended("... by `slurm` too", self.program.call(*slurm, 7, *precision), 2, "whole design points")
        done = self.program.call(*slurm, 300)
        self.ended("more tasks than runs: a warning", done, 0, "300 tasks for 240 runs: 60 have nothing to do")
        self.ended("as many: none", self.program.call(*slurm, 240), 0, "^$")
        done = self.program.call("check", self.small, *precision, "--set", "design.replicates=400")
        self.suite.check("`check` says that there may be fewer", "= at most 2400" in done.stdout and
                         re.search("estimated cost: .* to ", done.stdout), done.stdout)
        killed = self.directory / "a_killed.h5"
        for _ in range(6):
            process = self.program.start("run", self.small, "-o", killed, "--quiet", *options)
            time.sleep(self.random.uniform(0.02, 0.3))
            process.kill()
            process.communicate()
        self.program.run(self.small, killed, *options)
        self.same("killed 6 times", killed, whole)

    def longer(self) -> None:
        """More replicates later are the same as all at once, also by parts, ranks and after kills."""
        d = self.directory
        output = self.program.run(self.small, d / "longer.h5", "--replicates", 7)
        done = self.program.call("run", self.small, "-o", output)
        self.ended("a finished file is made longer", done, 0, "42 of them from before")
        self.same("longer equals all at once", output)
        done = self.program.call("run", self.small, "-o", output, "--replicates", 39)
        self.ended("fewer are refused", done, 2, "more replicates")
        parts = self.program.run(self.small, d / "l_parts.h5", "--replicates", 11)
        for part in (2, 3, 1):
            self.program.run(self.small, parts, "--shard", f"{part}/3")
        done = self.program.call("merge", f"{parts}.journal", "-o", parts)
        self.ended("parts that make a file longer merge into it", done, 0, "240 of 240")
        self.same("longer by parts", parts)
        killed = self.program.run(self.slow, d / "l_killed.h5", "--replicates", 5)
        before, stood = killed.read_bytes(), True
        for _ in range(3):
            process = self.program.start("run", self.slow, "-o", killed, "--quiet", "--jobs", 1)
            self.wait_for_rows(killed, 5)
            time.sleep(self.random.uniform(0, 0.1))
            process.kill()
            process.communicate()
            stood = stood and (killed.read_bytes() == before or not Path(f"{killed}.journal").exists())
        self.suite.check("the old file stands while it grows", stood)
        self.program.run(self.slow, killed)
        self.same("killed while growing", killed, self.whole_slow)
        if self.has_ranks("longer"):
            ranks = self.program.run(self.small, d / "l_ranks.h5", "--replicates", 13)
            self.ended("longer by 2 ranks", self.mpirun(2, (), "run", self.small, "-o", ranks), 0, "from before")
            self.same("longer by ranks", ranks)

    # ---- looking on --------------------------------------------------------------------------------------------------

    def table(self, output: Path) -> dict[str, list[str]]:
        """`status`: the lines by their first word."""
        lines = self.program.call("status", output).stdout.splitlines()
        return {line.split("\t")[0]: line.split("\t")[1:] for line in lines}

    def status(self) -> None:
        """From another process, while it runs and after: by arm done, failed, censored, rate, time left."""
        output, long = self.directory / "status.h5", self.write("status.yaml", 3000, 3000)
        process = self.program.start("run", long, "-o", output, "--quiet", "--jobs", 1)
        self.wait_for_rows(output, 2)
        time.sleep(1.2)
        now = self.table(output)
        self.suite.check("running, with rate and time left", {"running", "rate", "left"} <= set(now), str(now))
        self.suite.check("a line for each arm", {"base", "worse"} <= set(now) and len(now["base"]) == 6, str(now))
        done = sum(int(now[arm][0]) for arm in ("base", "worse"))
        self.suite.check("arms add up", now["running"][0].startswith(f"{done} of 18000 runs done"), str(now))
        self.suite.check("an arm's rate is not 0", max(float(now[arm][4]) for arm in ("base", "worse")) > 0, str(now))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        after = self.table(output)
        kept = sum(int(after[arm][0]) for arm in ("base", "worse"))
        self.suite.check("stopped, nothing lost, how to resume", "stopped" in after and "resume" in after and kept >= done,
                         str(after))
        finished = self.table(self.whole)
        self.suite.check("finished: runs, failed, censored by arm", finished.get("base", ["", ""])[:2] == ["120", "0"],
                         str(finished))
        with h5py.File(self.whole) as file:
            meanings = file["status"].attrs["flag_meanings"].decode().split()
            codes = [i for i, word in enumerate(meanings) if word.endswith("censored")]
            state = file["status"][()]
        counted = max(int(sum((state[0, ..., level] == code).sum() for code in codes)) for level in range(state.shape[-1]))
        self.suite.check("censored as the file has it", finished["base"][2] == str(counted), f"{finished} {counted}")

    # ---- trouble -----------------------------------------------------------------------------------------------------

    def clock(self) -> None:
        """The time of day jumps to and fro; a minute passes at once."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            self.skip("a clock that jumps: no C compiler")
            return
        source, shim, steady = (self.directory / name for name in ("clock.c", "clock.so", "steady.so"))
        source.write_text(SHIM)
        for library, skip in ((shim, 60), (steady, 0)):
            subprocess.run([compiler, "-shared", "-fPIC", f"-DSKIP={skip}", "-o", library, source], check=True)
        jumping = Program(self.program.path, {"LD_PRELOAD": str(shim)})
        output = self.directory / "clock.h5"
        done = jumping.call("run", self.slow, "-o", output, "--jobs", 2, timeout=60)
        self.ended("a clock that jumps", done, 0)
        self.same("a clock that jumps changes nothing", output, self.whole_slow)
        process = jumping.start("run", self.slow, "-o", self.directory / "clock2.h5", "--quiet")
        time.sleep(0.3)
        self.suite.check("status by a clock that jumps", jumping.call("status", self.directory / "clock2.h5").returncode
                         in (0, 2))
        process.communicate(timeout=60)
        if self.has_ranks("a clock that jumps"):
            ranks = self.directory / "clock_ranks.h5"
            self.ended("ranks by a clock that jumps",
                       self.mpirun(3, ("-x", f"LD_PRELOAD={steady}"), "run", self.slow, "-o", ranks), 0)
            self.same("... with equal results", ranks, self.whole_slow)
        sources = Path(__file__).resolve().parents[1] / "sim"
        waits = [path.name for path in sources.rglob("*.[ch]") if "CLOCK_REALTIME" in path.read_text()]
        self.suite.check("nothing waits by the time of day", not waits, ", ".join(waits))

    def library(self) -> None:
        """What the C library left when it was stopped: gone on with by the program, and merged with parts of it."""
        path = self.program.path.parent / "libairesim.so"
        if not path.exists():
            self.skip("the C library: not built")
            return
        airesim = ctypes.CDLL(str(path))
        airesim.airesim_free.argtypes = airesim.airesim_scenario_free.argtypes = [ctypes.c_void_p]
        scenario, errors, calls = ctypes.c_void_p(), ctypes.c_void_p(), []

        def leave(_: int | None, progress: Any) -> int:
            calls.append(int(progress.contents.done))
            return calls[-1] >= 20

        def ran(output: Path, progress: Any) -> int:
            options = LibraryOptions(ctypes.sizeof(LibraryOptions), os.fsencode(output), 1, -1, -1, 0, progress, None)
            return int(airesim.airesim_run(scenario, ctypes.byref(options), ctypes.byref(errors)))

        code = airesim.airesim_scenario_load(ctypes.byref(scenario), os.fsencode(self.slow), None, 0,
                                             ctypes.byref(errors))
        self.suite.check("the library loads", code == 0, str(code))
        output, parts = self.directory / "library.h5", self.directory / "library_parts.h5"
        code, kept = ran(output, ON_PROGRESS(leave)), self.rows(output)
        self.suite.check("stopped, the library keeps its runs", code == INTERRUPTED and 20 <= kept < 360,
                         f"{code}, {kept} rows")
        self.program.run(self.slow, parts, "--shard", "2/3")
        merged = self.directory / "library_merged.h5"
        done = self.program.call("merge", f"{parts}.journal", f"{output}.journal", "-o", merged)
        self.ended("what both made is not all", done, 1, "runs are missing")
        for part in (1, 3):
            self.program.run(self.slow, parts, "--shard", f"{part}/3")
        done = self.program.call("merge", f"{output}.journal", f"{parts}.journal", "-o", merged)
        self.ended("journals of the library and of the program merge", done, 0, "360 of 360")
        self.same("... equal to the single run", merged, self.whole_slow)
        copy = self.directory / "library_copy.h5"
        shutil.copytree(f"{output}.journal", f"{copy}.journal")
        self.ended("the program goes on from the library", self.program.call("run", self.slow, "-o", copy), 0,
                   f"{kept} of them from before")
        self.same("... with equal results", copy, self.whole_slow)
        self.suite.check("the library goes on too", ran(output, ON_PROGRESS()) == 0)
        self.same("... with equal results", output, self.whole_slow)
        airesim.airesim_free(errors)
        airesim.airesim_scenario_free(scenario)

    def starts(self, limit: int) -> bool:
        """Whether the program's libraries start in so many MB: some crash or hang there by themselves."""
        command = f"ulimit -c 0 -v {limit * 1024}; exec '{self.program.path}' --version"
        try:
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=5)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0 and not done.stderr

    def memory(self) -> None:
        """Too little of it, more and more: a message, no crash, nothing lost, and the same in the end."""
        output, seen, before = self.directory / "memory.h5", set(), 0
        for limit in range(60, 400, 3):
            if not self.starts(limit):
                continue
            command = f"ulimit -c 0 -v {limit * 1024}; exec '{self.program.path}' run '{self.slow}' -o '{output}' -q -j 1"
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
            if done.returncode == 0:
                break
            said = done.returncode in (1, 2) and re.search("memory", done.stderr, re.IGNORECASE)
            now = self.rows(output) if Path(f"{output}.journal").exists() else 0
            if not said or now < before or output.exists():
                self.suite.check(f"with {limit} MB", False, f"exit {done.returncode}, {now} of {before} rows: {done.stderr}")
            before = max(before, now)
            seen.add(done.stderr.strip().rsplit(":", 1)[-1].strip())
        self.suite.check(f"too little memory is said: {', '.join(sorted(seen))}", len(seen) > 0)
        self.program.run(self.slow, output)
        self.same("with enough memory it goes on, equal", output, self.whole_slow)

    def asleep(self) -> None:
        """A process, and one of several ranks, that are stopped for a while."""
        output = self.directory / "asleep.h5"
        process = self.program.start("run", self.slow, "-o", output, "--quiet", "--jobs", 2)
        self.wait_for_rows(output, 1)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        self.suite.check("a stopped process keeps its output", self.ended(
            "a second one is refused", self.program.call("run", self.slow, "-o", output), 2, "another process"))
        process.send_signal(signal.SIGCONT)
        self.suite.check("it goes on", process.wait(60) == 0)
        process.communicate()
        self.same("... with equal results", output, self.whole_slow)
        if not self.has_ranks("a stopped worker"):
            return
        ranks = self.directory / "asleep_ranks.h5"
        job = subprocess.Popen(self.command(3, (), "run", self.slow, "-o", ranks), env=RANKS, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        self.wait_for_rows(ranks, 1)
        children = [int(pid.name) for pid in Path("/proc").glob("[0-9]*") if self.parent(pid) == job.pid]
        for child in sorted(children)[-2:]: # one after the other, rank 0 perhaps among them
            os.kill(child, signal.SIGSTOP)
            time.sleep(0.7)
            os.kill(child, signal.SIGCONT)
        self.suite.check("ranks go on when one was stopped", job.wait(60) == 0)
        self.same("... with equal results", ranks, self.whole_slow)


def main() -> int:
    """Runs all groups, or one."""
    groups = ("adaptive", "longer", "status", "clock", "library", "memory", "asleep")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the airesim program")
    parser.add_argument("--only", choices=groups, help="one group of tests")
    parser.add_argument("--seed", type=int, default=1, help="of moments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="airesim_sweeps_") as directory:
        sweeps = Sweeps(Program(arguments.program), Path(directory), arguments.seed)
        for name in groups:
            if arguments.only in (None, name):
                sweeps.suite.group(getattr(sweeps, name))
        return sweeps.suite.end()


if __name__ == "__main__":
    sys.exit(main())
