"""Tables of rows with their provenance inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsenn_book.records.files import written_whole
from sparsenn_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

KEY = b"sparsenn.provenance"


def write_rows(frame: pd.DataFrame, path: str | Path, provenance: Mapping[str, Any]) -> Path:
    """Write a long table as parquet, atomically, with `provenance` as JSON in the file's own metadata.

    The index is not kept: `InputError` if it has a name, and so carries data.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if any(name is not None for name in frame.index.names):
        raise InputError(f"{path}: the index {list(frame.index.names)} would be lost; call reset_index() first")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    text = json.dumps(dict(provenance), ensure_ascii=False, allow_nan=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: text.encode()})
    with written_whole(Path(path)) as beside:
        pq.write_table(table, beside, compression="zstd")
    return Path(path)


def read_rows(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_rows` wrote; its provenance is `frame.attrs["provenance"]`.

    `InputError` if the file is missing, is not parquet, or has no provenance.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a parquet file ({str(error).splitlines()[0]})") from None
    text = (table.schema.metadata or {}).get(KEY)
    if text is None:
        raise InputError(f"{path}: no provenance inside; write it with sparsenn_book.records.write_rows")
    frame = table.to_pandas()
    frame.attrs["provenance"] = json.loads(text)
    return frame
