"""Workers as Slurm jobs, by dask-jobqueue; what it is told stands in a file of its own, `params/slurm.yaml`.

Every job is one worker with one thread and so one run at a time. Jobs that end, by their time limit or by `scancel`,
are replaced while there are runs left.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.sources.parameters import Parameter, Range, shown
from sparsenn_book.sources.profiles import read_yaml
from sparsenn_book.sources.project import Project
from sparsenn_book.sweeps.runs import Run
from sparsenn_core.errors import InputError, unknown

FILE = "slurm.yaml"
_DECLARED = (
    Parameter("jobs", "int", 4, Range(1, 10_000, False, False), help="at most so many at once"),
    Parameter("queue", "str", "", help="partition; the cluster's own choice where empty, and so below"),
    Parameter("account", "str", ""),
    Parameter("walltime", "str", "01:00:00", help="longer than a run takes"),
    Parameter("memory", "str", "4GB", help="more than a run takes, and half a GB for the worker"),
    Parameter("job_cpu", "int", 1, Range(1, 1024, False, False)),
    Parameter("interface", "str", "", help="network that workers and scheduler share, e.g. ib0"),
    Parameter("host", "str", "", help="address at which workers reach the scheduler"),
    Parameter("local_directory", "str", "", help="scratch of the nodes"),
    Parameter("python", "str", "", help="interpreter on the nodes; this one where empty"),
    Parameter("job_extra_directives", "list[str]", [], help="more lines #SBATCH, e.g. --gres=gpu:1"),
    Parameter("job_script_prologue", "list[str]", [], help="commands before the worker starts, e.g. module load"),
)
OPTIONS = {option.name: option for option in _DECLARED}
"""What the file may say, by the names that dask-jobqueue has, `jobs` and `host` apart."""
OURS = ("jobs", "host", "python", "job_script_prologue")
"""Options that are not handed on as they are."""
_WALLTIME = re.compile(r"(\d+-)?\d{1,2}(:\d{2}){0,2}")
_MEMORY = re.compile(r"\d+(\.\d+)? ?[kMGT]i?B")


def read_options(project: Project, path: Path | None = None) -> dict[str, Any]:
    """The options of a file, `params/slurm.yaml` if none is given, with defaults; only defaults where that is not
    there. `InputError` names file, option, value and the nearest right one.
    """
    chosen = path or project.params / FILE
    if path is not None and not path.is_file():
        raise InputError(f"{path}: no such file of options")
    where = project.shown(chosen)
    options = {name: option.default for name, option in OPTIONS.items()}
    for name, value in (read_yaml(chosen, where) if chosen.is_file() else {}).items():
        if name not in OPTIONS:
            raise unknown("option of Slurm", name, OPTIONS, where=where)
        options[name] = OPTIONS[name].check(value, where)
    for name, form, like in (("walltime", _WALLTIME, "01:30:00"), ("memory", _MEMORY, "4GB")):
        if not form.fullmatch(options[name]):
            raise InputError(f"{where}: {name}: {shown(options[name])} is not written like {like}")
    return options


@contextmanager
def cluster_of(options: dict[str, Any], jobs: int, run: Run) -> Iterator[Any]:
    """A scheduler in this process and so many jobs that work for it, until the block ends."""
    from dask_jobqueue import SLURMCluster

    logs = run.space / ".logs"
    logs.mkdir(parents=True, exist_ok=True)
    names = (
        "queue",
        "account",
        "walltime",
        "memory",
        "job_cpu",
        "interface",
        "local_directory",
        "job_extra_directives",
    )
    given = {name: options[name] for name in names if options[name] not in ("", [])}
    scheduler = {"dashboard_address": ":0"} | ({"host": options["host"]} if options["host"] else {})
    path = f"export PYTHONPATH={shlex.quote(str(INSTALLED))}${{PYTHONPATH:+:$PYTHONPATH}}"
    with SLURMCluster(
        cores=1,
        processes=1,
        python=options["python"] or sys.executable,
        log_directory=str(logs),
        job_name=f"sparsenn-{run.sweep}",
        job_script_prologue=[path, *options["job_script_prologue"]],
        scheduler_options=scheduler,
        **given,
    ) as cluster:
        # `scale` would not replace jobs that ended by their time limit; `adapt` does.
        cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
        yield cluster
