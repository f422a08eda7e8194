# SPDX-License-Identifier: GPL-3.0-or-later
"""A Slurm cluster of this one machine, for the time of a test: munge, slurmctld and slurmd in a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "squeue", "sinfo", "scontrol")
FINAL = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL"}

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={directory}/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
KillWait=5
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why this machine cannot run it; empty if it can try."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root here"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in NEEDED if not shutil.which(name, path=path)]
    return f"not installed: {', '.join(missing)} (Debian: slurm-wlm munge)" if missing else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Slurm:
    """The running cluster; a context manager. `error` says why it did not come up."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.daemons: list[subprocess.Popen[bytes]] = []
        self.error = ""
        self.environment = {**os.environ, "SLURM_CONF": str(directory / "slurm.conf"),
                            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
                            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def _start(self, *command: object) -> None:
        log = (self.directory / f"{command[0]}.log").open("wb")
        with log:
            self.daemons.append(subprocess.Popen([str(x) for x in command], stdout=log, stderr=subprocess.STDOUT,
                                                 stdin=subprocess.DEVNULL, env=self.environment))

    def __enter__(self) -> Slurm:
        d = self.directory
        for name in ("munge", "state", "spool"):
            (d / name).mkdir(parents=True)
            (d / name).chmod(0o755)
        key = d / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        host = socket.gethostname().split(".")[0]
        (d / "slurm.conf").write_text(CONFIGURATION.format(host=host, port=_free_port(), node_port=_free_port(),
                                                           directory=d))
        self._start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={d}/munge/socket",
                    f"--pid-file={d}/munge/pid", f"--log-file={d}/munge/log", f"--seed-file={d}/munge/seed",
                    "--num-threads=1")
        self._wait(lambda: (d / "munge" / "socket").exists(), 10)
        self._start("slurmctld", "-D")
        self._start("slurmd", "-D")
        if not self._wait(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T").stdout, 30):
            logs = [f"{path.name}: {path.read_text(errors='replace').strip()[-300:]}" for path in d.glob("*.log")]
            self.error = "the node did not come up; " + "; ".join(logs)
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    @staticmethod
    def _wait(ready: object, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if callable(ready) and ready():
                return True
            time.sleep(0.1)
        return False

    def call(self, *command: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs one of Slurm's commands, or a script that uses them."""
        return subprocess.run([str(x) for x in command], capture_output=True, text=True, check=False,
                              env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL, timeout=timeout)

    def states(self, job: str) -> dict[str, str]:
        """State of each task of a job (of an array: by its number; else under its own)."""
        text = self.call("scontrol", "--oneliner", "show", "job", job).stdout
        found = {}
        for line in text.splitlines():
            fields = dict(re.findall(r"(\S+?)=(\S*)", line))
            found[fields.get("ArrayTaskId", job)] = fields.get("JobState", "")
        return found

    def wait(self, job: str, seconds: float) -> dict[str, str]:
        """States of a job's tasks when all have ended, or after `seconds`."""
        self._wait(lambda: set(self.states(job).values()) <= FINAL, seconds)
        return self.states(job)
