"""Where runs are executed: one after another here, or by Dask's workers here or elsewhere. All call `execute`."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparsenn_book.sweeps.execute import Outcome, execute
from sparsenn_book.sweeps.runs import Run
from sparsenn_core.errors import InputError, nearest

if TYPE_CHECKING:
    from distributed import Client

SERIAL, LOCAL, SLURM = "serial", "local", "slurm"
_LOCAL = re.compile(r"local(?::([1-9]\d{0,3}))?")
_ADDRESS = re.compile(r"(tcp|tls)://[^\s/:]+:\d{1,5}")
PATIENCE = 20  # seconds to find a scheduler that should be there


@dataclass(frozen=True)
class Engine:
    """Where runs are executed: `kind` is serial, local, slurm, or the address of a scheduler.

    workers   how many runs at once, 0 where others decide
    options   of Slurm, see `sparsenn_book.sweeps.slurm`
    """

    kind: str
    workers: int
    options: dict[str, Any]


def engine(on: str, options: Callable[[], dict[str, Any]], runs: int) -> Engine:
    """The engine that `on` names, for so many runs. `InputError` if it names none, or Dask is not installed."""
    match = _LOCAL.fullmatch(on)
    if not (match or on in (SERIAL, SLURM) or _ADDRESS.fullmatch(on)):
        hint = nearest(on, (SERIAL, LOCAL, SLURM))
        raise InputError(f"--on: {on!r} is not one of serial, local, local:N, tcp://HOST:PORT, slurm; {hint}")
    if on == SERIAL:
        return Engine(SERIAL, 1, {})
    _need("distributed", on)
    if match:
        return Engine(LOCAL, min(int(match[1] or len(os.sched_getaffinity(0))), max(runs, 1)), {})
    if on == SLURM:
        _need("dask_jobqueue", on)
        if shutil.which("sbatch") is None:
            raise InputError("--on slurm: there is no sbatch here; call this where jobs are submitted")
        found = options()
        return Engine(SLURM, min(found["jobs"], max(runs, 1)), found)
    return Engine(on, 0, {})


def outcomes(runs: Sequence[Run], engine: Engine, say: Callable[[str], None]) -> Generator[Outcome]:
    """Execute runs and give what became of each, as it ends. `OSError` if a scheduler is not there or goes away."""
    if engine.kind == SERIAL:
        yield from map(execute, runs)
        return
    _quiet()
    from distributed import as_completed

    with _client(engine, runs[0]) as client:
        say(f"Dask's dashboard: {client.dashboard_link}")
        # By its key a scheduler knows a run that two callers want, and gives it to one worker.
        keys = [f"{run.sweep}-{run.key}" for run in runs]
        futures = client.map(execute, runs, key=keys, pure=False)
        by_key = {future.key: run for future, run in zip(futures, runs, strict=True)}
        for future in as_completed(futures):
            if future.status == "finished":
                yield future.result()
            elif future.status == "error":
                why = " ".join(str(future.exception()).split())
                yield Outcome(by_key[future.key].id, "lost", f"run {by_key[future.key].id}: {why[:200]}")
            else:
                raise OSError("the scheduler is gone; what its workers are at comes to its end, the next call goes on")


@contextmanager
def _client(engine: Engine, run: Run) -> Iterator[Client]:
    from distributed import Client

    if engine.kind == LOCAL:
        with _local(engine.workers) as cluster, Client(cluster) as client:
            yield client
    elif engine.kind == SLURM:
        from sparsenn_book.sweeps.slurm import cluster_of

        with cluster_of(engine.options, engine.workers, run) as cluster, Client(cluster) as client:
            yield client
    else:
        try:
            client = Client(engine.kind, timeout=PATIENCE)
        except (OSError, TimeoutError):
            raise OSError(f"no scheduler answers at {engine.kind}") from None
        with client:
            yield client


def _quiet() -> None:
    """Keep Dask's own log out of the way: what went wrong is told in one line. Before `distributed` is imported."""
    import dask

    loggers = ("distributed", "distributed.client", "distributed.deploy.adaptive", "distributed.nanny")
    dask.config.set({"logging": dict.fromkeys(loggers, "critical")})


def _local(workers: int) -> Any:
    """Workers here, one thread each: a `LocalCluster` whose workers each see one GPU where there are several."""
    from distributed import Nanny, Scheduler, SpecCluster

    devices = _devices()
    seen = [{"CUDA_VISIBLE_DEVICES": devices[n % len(devices)]} if devices else {} for n in range(workers)]
    # No limit of memory: a run is a process of its own, and a worker holds nothing.
    common = {"nthreads": 1, "memory_limit": 0, "host": "127.0.0.1", "dashboard": False, "silence_logs": logging.ERROR}
    return SpecCluster(
        workers={n: {"cls": Nanny, "options": {**common, "env": seen[n]}} for n in range(workers)},
        scheduler={"cls": Scheduler, "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": ":0"}},
        silence_logs="error",
    )


def _devices() -> list[str]:
    """Names of the GPUs that may be used here, as CUDA_VISIBLE_DEVICES has them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name]
    if shutil.which("nvidia-smi") is None:
        return []
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return [str(n) for n, line in enumerate(done.stdout.splitlines()) if line.startswith("GPU ")]


def _need(module: str, on: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise InputError(f"--on {on}: needs Dask, which `pip install .[cluster]` brings; serial needs nothing")
