"""Compute the tables of one function, as a chapter would, and keep them with where they come from."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sparsenn_book.records.closure import closure, strings
from sparsenn_book.records.identity import identity
from sparsenn_book.records.provenance import provenance
from sparsenn_book.records.tables import write_table
from sparsenn_book.runner.table_functions import DEVICE, TableFunction, find
from sparsenn_book.sources.project import Project, data_files_asked_for
from sparsenn_core.errors import InputError


def compute(root: Path, job: Mapping[str, Any]) -> None:
    """Call the `function` of a job with its `parameters`; each table becomes `<name>.parquet` in `output`, named by
    the function where it makes one alone. `InputError` if what comes back is no table.
    """
    found, project = find(job["function"]), Project(root)
    arguments = found.filled(job["parameters"])
    device = _device(found, job["parameters"].get(DEVICE, "auto"))
    started = time.perf_counter()
    with data_files_asked_for() as asked:
        made = found.function(*arguments, **({DEVICE: device} if device else {}))
    seconds = time.perf_counter() - started
    named = strings(closure([found.module], root).values())
    for file in sorted(set(asked) - named):
        raise InputError(f"{found.module}: reads the data file {file!r} without naming it in full")
    for name, frame in _tables(found, made).items():
        origin = identity(found.function, arguments, project.data, root, name if found.several else "")
        record = provenance(
            job["parameters"], seconds, device or "cpu", table=name, identity=origin.__dict__, key=origin.key
        )
        write_table(frame.reset_index(drop=True), root / job["output"] / f"{name}.parquet", record)


def _tables(found: TableFunction, made: Any) -> dict[str, pd.DataFrame]:
    tables = made if found.several else {found.function.__name__: made}
    if not isinstance(tables, Mapping) or not all(isinstance(frame, pd.DataFrame) for frame in tables.values()):
        raise InputError(f"{found.name}: gave a {type(made).__name__}, not what its signature says")
    for name in tables:
        if not str(name).isidentifier():
            raise InputError(f"{found.name}: {name!r} is no name for a table; letters, digits and _ only")
    return dict(tables)


def _device(found: TableFunction, wanted: str) -> str:
    """Where the function computes; empty where it does not ask."""
    if DEVICE not in inspect.signature(found.function).parameters:
        return ""
    if wanted == "cpu":
        return wanted
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda is asked for and not available here; auto or cpu would run")
    return "cuda" if torch.cuda.is_available() else "cpu"
