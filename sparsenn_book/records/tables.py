"""Tables of rows with where they come from inside, and a digest that tells a changed table from the one written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sparsenn_book.records.files import written_whole
from sparsenn_book.records.identity import content_digest
from sparsenn_core.errors import InputError

KEY = b"sparsenn.provenance"


def write_table(frame: pd.DataFrame, path: str | Path, provenance: Mapping[str, Any]) -> pd.DataFrame:
    """Write a long table as parquet, atomically, with `provenance` as JSON in the file's own metadata; returns it as
    `read_table` will.

    The index is not kept: `InputError` if it has a name, and so carries data; also for an empty table and for a
    column twice.
    """
    if any(name is not None for name in frame.index.names):
        raise InputError(f"{path}: the index {list(frame.index.names)} would be lost; call reset_index() first")
    if not frame.columns.is_unique or not len(frame):
        raise InputError(f"{path}: {'no rows' if not len(frame) else 'two columns of one name'}; not worth keeping")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # as it will be read: parquet may turn one type of text or integer into another
    text = json.dumps({**provenance, "content": content_digest(table.to_pandas())}, ensure_ascii=False, allow_nan=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: text.encode()})
    with written_whole(Path(path)) as beside:
        pq.write_table(table, beside, compression="zstd")
    return read_table(path)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote; its provenance is `frame.attrs["provenance"]`.

    `InputError` if the file is missing, is not parquet, has no provenance, or holds other values than were written.
    """
    provenance = read_provenance(path)
    try:
        frame = pq.ParquetFile(path).read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: damaged ({str(error).splitlines()[0]})") from None
    if content_digest(frame) != provenance.get("content"):
        raise InputError(f"{path}: its values are not those that were written; remove it or restore it")
    frame.attrs["provenance"] = provenance
    return frame


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Where the table in `path` comes from, from the file's end alone. `InputError` as for `read_table`."""
    try:
        metadata = pq.ParquetFile(path).schema_arrow.metadata
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a parquet file ({str(error).splitlines()[0]})") from None
    text = (metadata or {}).get(KEY)
    if text is None:
        raise InputError(f"{path}: no provenance inside; write it with sparsenn_book.records.write_table")
    return dict(json.loads(text))
