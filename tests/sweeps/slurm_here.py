"""A Slurm of one node on the loopback, in a folder of its own, with two processors whatever the machine has."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "sbatch", "scancel", "squeue")
CONFIGURATION = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
SlurmdTimeout=60
SlurmctldTimeout=30
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def missing() -> str:
    """Why there can be no Slurm here; empty if there can."""
    gone = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if gone:
        return f"Slurm is not installed: no {', '.join(gone)}"
    return "" if os.getuid() == 0 else "Slurm's daemons run as root"


class Slurm:
    """Started in `folder`, which is short, as sockets' names are; `configuration` is what SLURM_CONF must name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons, and wait until the node is idle."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        controller, node = _free_ports(2)
        values = {"host": socket.gethostname().split(".")[0], "folder": self.folder}
        self.configuration.write_text(CONFIGURATION.format(controller=controller, node=node, **values))
        files = {name: str(self.folder / f"munge.{name}") for name in ("socket", "pid", "log", "seed")}
        options = [f"--{'socket' if name == 'socket' else name + '-file'}={path}" for name, path in files.items()]
        self._start(["munged", "--foreground", "--force", f"--key-file={key}", *options])
        _wait(lambda: Path(files["socket"]).exists())
        self._start(["slurmctld", "-D", "-f", str(self.configuration)])
        self._start(["slurmd", "-D", "-f", str(self.configuration)])
        _wait(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"))

    def stop(self) -> None:
        """Stop the daemons, the jobs with them."""
        self.ask("scancel", "--user=root")
        _wait(lambda: not self.ask("squeue", "-h"))
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def jobs(self) -> list[str]:
        """Ids of the jobs that run."""
        return self.ask("squeue", "-h", "-t", "R", "-o", "%i").split()

    def ask(self, *command: str) -> str:
        """What a command of Slurm's prints."""
        return subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False).stdout

    def _environment(self) -> dict[str, str]:
        return os.environ | {"SLURM_CONF": str(self.configuration), "PATH": _path()}

    def _start(self, command: Sequence[str]) -> None:
        with (self.folder / f"{command[0]}.out").open("wb") as out:
            self._daemons.append(subprocess.Popen(command, env=self._environment(), stdout=out, stderr=out))


def _path() -> str:
    return f"{os.environ['PATH']}{os.pathsep}/usr/sbin"


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "Slurm does not come up, or does not go"
        time.sleep(0.1)
