"""The rows of all finished runs as one table, the same bytes in whatever order they finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sparsenn_book.records.files import digest
from sparsenn_book.records.tables import read_table, write_table
from sparsenn_book.sweeps.runs import Run
from sparsenn_core.errors import InputError, nearest

FILE = "collected.parquet"
RUN = "run_id"
GIVEN = "set_"
"""Before the names of parameters, as a table may have columns of their names."""


def collect(runs: Sequence[Run], done: set[str]) -> tuple[Path, int] | None:
    """Gather the tables of the `done` runs, in the order of the sweep, and write them whole; the file and its rows.

    Columns: `run_id`, `set_NAME` for each parameter that varies (lists as JSON), then the table's own. None if no run
    is done. `InputError` if a run has no table of that name or one whose columns cannot stand beside.
    """
    chosen = [run for run in runs if run.id in done]
    if not chosen:
        return None
    rows = pd.concat([_rows(run) for run in chosen], ignore_index=True)
    origin = {
        "sweep": runs[0].sweep,
        "runs": len(runs),
        "collected": len(chosen),
        "keys": digest([run.key for run in chosen]),
    }
    path = runs[0].space / FILE
    try:
        write_table(rows, path, origin)
    except (TypeError, ValueError) as error:
        raise InputError(f"{runs[0].sweep}: its runs' tables are not alike: {error}") from None
    return path, len(rows)


def _rows(run: Run) -> pd.DataFrame:
    path = run.folder / f"{run.table}.parquet"
    if not path.is_file():
        hint = nearest(run.table, [one.stem for one in run.folder.glob("*.parquet")])
        raise InputError(f"{run.project.shown(run.folder)}: the run made no table {run.table!r}; {hint}")
    frame = read_table(path)
    frame.attrs = {}
    given = {RUN: run.id, **{f"{GIVEN}{name}": _cell(value) for name, value in run.varied.items()}}
    for name in given:
        if name in frame.columns:
            raise InputError(f"{run.project.shown(path)}: has a column {name} of its own")
    named = pd.DataFrame({name: [value] * len(frame) for name, value in given.items()})
    return pd.concat([named, frame.reset_index(drop=True)], axis=1)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value
