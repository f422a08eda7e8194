#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""However the work was split, killed and joined, the results are the same: threads, shards, ranks, Slurm, faults.

What the machine does not allow (MPI, Slurm, mounts) is skipped with a message.

Examples
--------
  ./cluster.py --program build/airesim
  ./cluster.py --program build/airesim --only slurm
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from harness import Program, Suite, differences
from slurm import Slurm, why_not

SCENARIO = """\
airesim: 1
question: Are results the same however the work is split?
horizon: 60 days
society:
  people: {people}
  layers:
    net: {{graph: erdos_renyi mean_degree 5}}
incidents:
  case: {{starts: flu, seeds: 3 people, arrivals: day 0}}
hazards:
  flu: {{like: sir, layer: net, transmission: 0.2/day, infectious: exponential mean 4 days (3..5)}}
measures:
  declared:
    ever_infected: {{entries: flu.infectious}}
arms:
  base: {{}}
  worse: {{hazards.flu.transmission: x 2}}
design: {{replicates: {replicates}, seed: 3, reference: base, vary: ["hazards.flu.infectious.mean"], sample: latin_hypercube 3}}
"""
RANKS = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
TCP = ("--mca", "btl", "self,tcp", "--mca", "osc", "^sm")


class Cluster:
    """The tests, with the files they share."""

    def __init__(self, program: Program, directory: Path, seed: int) -> None:
        self.suite = Suite()
        self.program = program
        self.directory = directory
        self.random = random.Random(seed)
        self.small = self.write("small.yaml", 60, 40)
        self.slow = self.write("slow.yaml", 3000, 60)
        self.whole = program.run(self.small, directory / "whole.h5", "--jobs", 1)
        self.whole_slow = program.run(self.slow, directory / "whole_slow.h5")
        self.slowest = self.write("slowest.yaml", 3000, 400) # seconds in each part, for what must come in their midst
        self.whole_slowest = program.run(self.slowest, directory / "whole_slowest.h5")

    def write(self, name: str, people: int, replicates: int) -> Path:
        """Writes a scenario of 6 worlds."""
        path = self.directory / name
        path.write_text(SCENARIO.format(people=people, replicates=replicates))
        return path

    def same(self, what: str, path: Path, reference: Path | None = None) -> None:
        """Checks that a file is there and equals that of the single run."""
        different = differences(path, reference or self.whole) if path.exists() else ["no file"]
        self.suite.check(what, not different, ", ".join(different[:8]))

    def ended(self, what: str, done: subprocess.CompletedProcess[str], status: int, *words: str) -> bool:
        """Checks exit status and words of the message."""
        good = done.returncode == status and all(re.search(word, done.stderr) for word in words)
        return self.suite.check(what, good, f"exit {done.returncode}, wanted {status}: {done.stderr}")

    def skip(self, what: str) -> None:
        """Says that a test cannot be made here."""
        print(f"skipped: {what}", flush=True)

    def shards(self, output: Path, parts: int, scenario: Path | None = None) -> list[Path]:
        """Makes all parts in random order; returns their journals in random order."""
        order = list(range(1, parts + 1))
        self.random.shuffle(order)
        for part in order:
            self.program.run(scenario or self.small, output, "--shard", f"{part}/{parts}", "--jobs", 1)
        journals = sorted(Path(f"{output}.journal").glob("*.journal"))
        self.random.shuffle(journals)
        return journals

    # ---- splitting --------------------------------------------------------------------------------------------------

    def threads(self) -> None:
        """Two threads."""
        self.same("2 threads equal 1", self.program.run(self.small, self.directory / "threads.h5", "--jobs", 2))

    def parts(self) -> None:
        """Shards merged in any order, together, incomplete, as single files, and what else reads them."""
        d = self.directory
        for parts in (1, 3, 7):
            output = d / f"parts{parts}.h5"
            journals = self.shards(output, parts)
            self.suite.check(f"{parts} parts have {parts} journals, no file", len(journals) == parts and
                             not output.exists())
            self.ended(f"merge of {parts}", self.program.call("merge", *journals, "-o", output), 0, "240 of 240")
            self.same(f"{parts} parts merged equal the single run", output)
        both = d / "both.h5"
        done = self.program.call("merge", f"{d}/parts7.h5.journal", f"{d}/parts3.h5.journal", "-o", both)
        self.ended("runs made twice are equal", done, 0)
        self.same("merged from 3 and 7 parts at once", both)
        single = d / "single.h5"
        self.program.call("merge", *Path(f"{d}/parts3.h5.journal").glob("*/w0.db"), "-o", single)
        self.same("merged from single files", single)
        status = self.program.call("status", d / "parts3.h5").stdout
        self.suite.check("status counts the parts", "240 of 240" in status, status)
        again = d / "again.h5"
        shutil.copytree(f"{d}/parts3.h5.journal", f"{again}.journal")
        shutil.rmtree(f"{again}.journal/shard-2-of-3.journal")
        done = self.program.call("merge", f"{again}.journal", "-o", again)
        self.ended("a missing part is counted by arm", done, 1, r"arm base: 40 of 120", r"arm worse: 40 of 120")
        self.suite.check("... and nothing is written", not again.exists())
        done = self.program.call("merge", f"{again}.journal", "-o", d / "partial.h5", "--allow-missing")
        self.ended("... unless allowed", done, 0, "160 of 240")
        with h5py.File(d / "partial.h5") as file:
            asked, missing = int(file.attrs["runs_asked"]), int(file.attrs["runs_not_run"])
        self.suite.check("... and then the file says it", (asked, missing) == (240, 80), f"{asked}, {missing}")
        done = self.program.call("run", self.small, "-o", again)
        self.ended("an ordinary run goes on from parts", done, 0, "160 of them from before")
        self.same("... with equal results", again)
        self.suite.check("... and removes their journals", not Path(f"{again}.journal").exists())
        done = self.program.call("run", self.small, "-o", d / "x.h5", "--shard", "4/3")
        self.ended("a wrong part is refused", done, 2, "--shard")

    def ranks(self) -> None:
        """MPI: 1 to 4 ranks, also over TCP; a rank that dies."""
        if not shutil.which("mpirun") or not self.has_mpi():
            self.skip("ranks: no mpirun, or the program was built without MPI (Debian: libopenmpi-dev openmpi-bin)")
            return
        linked = subprocess.run(["ldd", self.program.path], capture_output=True, text=True, check=False).stdout
        self.suite.check("with MPI there, the HDF5 is still the serial one",
                         "libhdf5_serial" in linked and "libhdf5_openmpi" not in linked, linked)
        for ranks, options in ((1, ()), (2, ()), (3, ()), (4, ()), (2, TCP), (4, TCP)):
            output = self.directory / f"ranks{ranks}{len(options)}.h5"
            done = self.mpirun(ranks, options, "run", self.small, "-o", output)
            what = f"{ranks} ranks{' over TCP' if options else ''}"
            self.ended(what, done, 0)
            self.same(f"{what} equal the single run", output)
            self.suite.check(f"{what} leave no journals", not Path(f"{output}.journal").exists())
        bad = self.mpirun(2, (), "run", self.directory / "none.yaml", "-o", self.directory / "none.h5")
        self.suite.check("a wrong scenario is said once", bad.returncode != 0 and bad.stderr.count("none.yaml:") == 1,
                         bad.stderr)
        output = self.directory / "dying.h5"
        process = subprocess.Popen(self.command(3, (), "run", self.slow, "-o", output), env=RANKS,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for_rows(output, 1)
        children = [pid for pid in Path("/proc").glob("[0-9]*") if self.parent(pid) == process.pid]
        if children:
            os.kill(int(self.random.choice(children).name), signal.SIGKILL)
        self.suite.check("a rank that dies ends the job", process.wait(60) != 0 and not output.exists())
        self.ended("the same command resumes", self.mpirun(3, (), "run", self.slow, "-o", output), 0, "from before")
        self.same("... with equal results", output, self.whole_slow)

    def has_mpi(self) -> bool:
        """Whether the program was built with MPI."""
        done = subprocess.run(["ldd", self.program.path], capture_output=True, text=True, check=False)
        return "libmpi" in done.stdout

    @staticmethod
    def parent(process: Path) -> int:
        """The parent of a process of /proc, or 0."""
        try:
            return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return 0

    def command(self, ranks: int, options: tuple[str, ...], *arguments: object) -> list[str]:
        """A command line of mpirun."""
        return ["mpirun", "--oversubscribe", "-n", str(ranks), *options, str(self.program.path), *map(str, arguments)]

    def mpirun(self, ranks: int, options: tuple[str, ...], *arguments: object) -> subprocess.CompletedProcess[str]:
        """Runs ranks to their end."""
        return subprocess.run(self.command(ranks, options, *arguments), capture_output=True, text=True, check=False,
                              env=RANKS, stdin=subprocess.DEVNULL, timeout=120)

    # ---- ending ------------------------------------------------------------------------------------------------------

    def rows(self, output: Path) -> int:
        """Runs in the journals of an output, as `status` counts them."""
        match = re.search(r"(\d+) of \d+ runs", self.program.call("status", output).stdout)
        return int(match.group(1)) if match else 0

    def wait_for_rows(self, output: Path, rows: int) -> None:
        """Until so many runs are done, or a while."""
        end = time.monotonic() + 20
        while self.rows(output) < rows and time.monotonic() < end:
            time.sleep(0.05)

    def killed(self) -> None:
        """SIGKILL at random moments, 20 times, by turns with and without parts; then to the end."""
        output, before, lost = self.directory / "killed.h5", 0, 0
        for attempt in range(20):
            shard = ("--shard", f"{attempt % 3 + 1}/3") if attempt % 2 else ()
            process = self.program.start("run", self.slowest, "-o", output, "--quiet", *shard)
            time.sleep(self.random.uniform(0.02, 0.25))
            process.kill()
            process.communicate()
            now = self.rows(output) if Path(f"{output}.journal").exists() or output.exists() else 0
            lost += now < before and not output.exists()
            before = now
        self.suite.check("no finished run is lost by 20 kills", lost == 0)
        self.program.run(self.slowest, output)
        self.same("killed 20 times and resumed equals the single run", output, self.whole_slowest)

    def stopped(self) -> None:
        """Signals and --max-time stop cleanly."""
        output = self.directory / "stopped.h5"
        long = self.write("long.yaml", 3000, 2000)
        for name, number in (("SIGUSR1", signal.SIGUSR1), ("SIGTERM", signal.SIGTERM)):
            before = self.rows(output) if Path(f"{output}.journal").exists() else 0
            process = self.program.start("run", long, "-o", output, "--quiet")
            self.wait_for_rows(output, before + 1)
            process.send_signal(number)
            _, error = process.communicate(timeout=20)
            self.suite.check(f"{name}: exit 3 and how to resume", process.returncode == 3 and "goes on from" in error,
                             f"{process.returncode}: {error}")
        done = self.program.call("run", long, "-o", output, "--quiet", "--max-time", "1s")
        self.ended("--max-time: exit 3", done, 3, "goes on from")
        done = self.program.call("run", long, "-o", output, "--quiet", "--max-time", "soon")
        self.ended("a wrong --max-time is refused", done, 2, "--max-time")
        self.suite.check("journals are kept", self.rows(output) > 0)

    # ---- Slurm -------------------------------------------------------------------------------------------------------

    def slurm(self) -> None:
        """A real array job from `airesim slurm`: a task killed, submitted again, merged; an MPI job by srun."""
        if why_not():
            self.skip(f"Slurm: {why_not()}")
            return
        with Slurm(self.directory / "slurm") as cluster:
            if cluster.error:
                self.skip(f"Slurm: {cluster.error}")
                return
            self.array(cluster)
            self.step(cluster)

    def array(self, cluster: Slurm) -> None:
        """Kills one task of an array job; the merge says what is missing; the same script resumes."""
        output, script = self.directory / "array.h5", self.directory / "job.sh"
        made = self.program.call("slurm", self.slowest, "--nodes", 3, "--time", "0:10:00", "-o", output,
                                 cwd=self.directory)
        self.ended("the job script", made, 0)
        script.write_text(made.stdout)
        first = self.submit(cluster, script)
        if not first:
            return
        self.wait_for_rows(output, 1)
        cluster.call("scancel", "--signal=KILL", "--full", f"{first[0]}_1")
        states = cluster.wait(first[0], 40)
        self.suite.check("a task is killed, the others end well",
                         sorted(states.values()).count("COMPLETED") == 2, str(states))
        self.suite.check("the merge refuses", cluster.wait(first[1], 20) == {first[1]: "FAILED"} and
                         not output.exists(), str(cluster.states(first[1])))
        self.requeue(cluster, first[0], output)
        again = self.submit(cluster, script)
        if again:
            states = cluster.wait(again[0], 40)
            self.suite.check("submitted again, all end well", set(states.values()) == {"COMPLETED"}, str(states))
            merged = cluster.wait(again[1], 20)
            self.suite.check("... and are merged", merged == {again[1]: "COMPLETED"}, str(merged))
            self.same("the array job equals the single run", output, self.whole_slowest)

    def requeue(self, cluster: Slurm, array: str, output: Path) -> None:
        """Has Slurm start the killed task again; then its journals are whole."""
        done = cluster.call("scontrol", "requeue", f"{array}_1")
        self.suite.check("the killed task is requeued", done.returncode == 0, done.stderr)
        cluster.call("scontrol", "update", f"JobId={array}_1", "StartTime=now")  # not in two minutes
        end = time.monotonic() + 30
        while set(cluster.states(array).values()) != {"COMPLETED"} and time.monotonic() < end:
            time.sleep(0.2)
        self.suite.check("... and ends well", set(cluster.states(array).values()) == {"COMPLETED"},
                         str(cluster.states(array)))
        merged = self.directory / "requeued.h5"
        self.ended("... and all parts merge", self.program.call("merge", f"{output}.journal", "-o", merged), 0)
        self.same("requeued equals the single run", merged, self.whole_slowest)

    def submit(self, cluster: Slurm, script: Path) -> tuple[str, str] | None:
        """Starts a job script as a person would: numbers of the array and the merge job."""
        done = cluster.call("bash", script)
        match = re.search(r"array (\d+) of 3 parts, then merge (\d+)", done.stdout)
        self.suite.check("the script submits", bool(match), done.stdout + done.stderr)
        return (match.group(1), match.group(2)) if match else None

    def step(self, cluster: Slurm) -> None:
        """An MPI job step, where Slurm and MPI share PMIx."""
        listed = cluster.call("srun", "--mpi=list")
        if not self.has_mpi() or "pmix" not in listed.stdout + listed.stderr:
            self.skip("srun: this Slurm has no PMIx, or the program was built without MPI")
            return
        output = self.directory / "step.h5"
        done = cluster.call("srun", "--mpi=pmix", "-n", 2, self.program.path, "run", self.small, "-o", output)
        self.ended("2 ranks by srun", done, 0)
        self.same("2 ranks by srun equal the single run", output)

    # ---- faults ------------------------------------------------------------------------------------------------------

    @contextmanager
    def mounted(self, name: str, options: str) -> Iterator[Path | None]:
        """A small file system in memory, or None where that is not allowed."""
        place = self.directory / name
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            self.skip(f"{name}: {done.stderr.strip()}")
            yield None
            return
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=False)

    def full_disk(self) -> None:
        """Room for a part of the runs: refused at once, or a message while running; resumed when there is room."""
        with self.mounted("full disk", "size=3m") as place:
            if not place:
                return
            big = self.write("big.yaml", 60, 4000)
            (place / "ballast").write_bytes(bytes(1024 * 1024))
            done = self.program.call("run", big, "-o", place / "r.h5", "--quiet")
            self.ended("a disk too small is refused at once", done, 2, "no room|full")
            filler = place / "filler"
            process = self.program.start("run", self.slow, "-o", place / "s.h5", "--quiet")
            self.wait_for_rows(place / "s.h5", 1)
            try:
                with filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            except OSError:
                pass
            _, error = process.communicate(timeout=60)
            kept = self.rows(place / "s.h5")
            self.suite.check("a disk that fills up is said", process.returncode == 1 and "full" in error.lower(),
                             f"exit {process.returncode}: {error}")
            filler.unlink()
            (place / "ballast").unlink()
            self.suite.check("... and nothing is lost", self.rows(place / "s.h5") >= kept > 0, str(kept))
            done = self.program.call("run", self.slow, "-o", place / "s.h5")
            self.ended("... with room again it goes on", done, 0, "from before")
            self.same("... with equal results", place / "s.h5", self.whole_slow)

    def read_only(self) -> None:
        """A directory that cannot be written."""
        with self.mounted("read only", "ro,size=1m") as place:
            if not place:
                return
            for options in ((), ("--shard", "1/2")):
                done = self.program.call("run", self.small, "-o", place / "r.h5", *options)
                self.ended(f"a read-only directory is said {' '.join(options)}", done, 2, "[Rr]ead-only")

    def damaged(self) -> None:
        """A truncated journal, a flipped bit in a row, one that is none, a run of another value."""
        output = self.directory / "damaged.h5"
        self.shards(output, 2)
        journal = Path(f"{output}.journal")
        pristine = self.directory / "pristine"
        shutil.copytree(journal, pristine)
        one = journal / "shard-1-of-2.journal" / "w0.db"

        def restored(damage: Callable[[], None]) -> subprocess.CompletedProcess[str]:
            shutil.rmtree(journal, ignore_errors=True)
            shutil.copytree(pristine, journal)
            output.unlink(missing_ok=True)
            damage()
            return self.program.call("merge", journal, "-o", output)

        def truncate() -> None:
            os.truncate(one, one.stat().st_size * 2 // 3)

        def flip() -> None:
            with sqlite3.connect(one) as base:
                blob = bytearray(base.execute("SELECT data FROM run WHERE id = 5").fetchone()[0])
                blob[self.random.randrange(len(blob))] ^= 1 << self.random.randrange(8)
                base.execute("UPDATE run SET data = ? WHERE id = 5", (bytes(blob),))

        def overwrite() -> None:
            one.write_bytes(b"no database " * 1000)

        for what, damage in (("truncated", truncate), ("bit flipped", flip), ("not a journal", overwrite)):
            done = restored(damage)
            self.ended(f"{what}: named, and what is missing counted", done, 1, "w0.db is damaged", "runs are missing")
            self.suite.check(f"{what}: nothing written", not output.exists())
            done = self.program.call("run", self.small, "-o", output)
            kept = int(match.group(1)) if (match := re.search(r"(\d+) of them from before", done.stderr)) else 0
            least = {"truncated": 121, "bit flipped": 239, "not a journal": 120}[what]
            self.suite.check(f"{what}: good rows are kept ({kept})", 240 > kept >= least, done.stderr)
            self.same(f"{what}: made again, equal", output)

    def foreign(self) -> None:
        """Journals of another seed, scenario or version are refused by name."""
        mine, other = self.directory / "mine.h5", self.directory / "other.h5"
        self.program.run(self.small, mine, "--shard", "1/2")
        for what, options in (("seed", ("--seed", 4)), ("scenario", ("--set", "horizon=50 days"))):
            self.program.run(self.small, other, "--shard", "2/2", *options, "--overwrite")
            done = self.program.call("merge", f"{mine}.journal", f"{other}.journal", "-o", self.directory / "mix.h5")
            self.ended(f"journals of another {what} are refused", done, 2, f"another {what}")
            shutil.rmtree(f"{other}.journal")
        self.suite.check("nothing is written", not (self.directory / "mix.h5").exists())
        done = self.program.call("merge", self.directory / "nowhere", "-o", self.directory / "mix.h5")
        self.ended("a journal that is not there", done, 2, "nowhere")
        busy = self.write("busy.yaml", 3000, 2000)
        process = self.program.start("run", busy, "-o", other, "--shard", "1/2", "--quiet")
        self.wait_for_rows(other, 1)
        for arguments in (("run", busy, "-o", other), ("merge", f"{other}.journal", "-o", other),
                          ("run", busy, "-o", other, "--shard", "1/2")):
            done = self.program.call(*arguments)
            self.ended(f"`{arguments[0]}` waits for a part that is being made", done, 2, "another process")
        process.kill()
        process.communicate()

    def many(self) -> None:
        """The merge of a hundred parts, with fewer descriptors than journals."""
        output = self.directory / "many.h5"
        self.shards(output, 100)
        command = f"ulimit -n 200 && exec '{self.program.path}' merge '{output}.journal' -o '{output}' --remove"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        self.ended("100 parts merge with 200 descriptors", done, 0)
        self.same("100 parts equal the single run", output)
        self.suite.check("--remove removes the journals", not Path(f"{output}.journal").exists())


def main() -> int:
    """Runs all groups, or one."""
    groups = ("threads", "parts", "ranks", "killed", "stopped", "slurm", "full_disk", "read_only", "damaged", "foreign",
              "many")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the airesim program")
    parser.add_argument("--only", choices=groups, help="one group of tests")
    parser.add_argument("--seed", type=int, default=1, help="of orders and moments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="airesim_cluster_") as directory:
        cluster = Cluster(Program(arguments.program), Path(directory), arguments.seed)
        for name in groups:
            if arguments.only in (None, name):
                cluster.suite.group(getattr(cluster, name))
        return cluster.suite.end()


if __name__ == "__main__":
    sys.exit(main())
