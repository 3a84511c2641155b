"""Files that are whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an `OSError` that names no file name this one: a disk that is full says so without."""
    try:
        yield
    except OSError as error:
        # Without a number, Python would say the file and leave the message out.
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to. It is flushed to disk and renamed to `path` when the block ends well, and
    removed when it does not, so that a reader finds the old file or the new one, never a part. Makes the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(0o644)  # mkstemp makes files that only their owner can read
        sync(beside)
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == name:
            error.filename = None  # nobody knows that name
        with naming(path):
            raise
    sync(path.parent)


def digest(value: Any) -> str:
    """sha256 of a JSON value, the same for every order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def sync(path: Path) -> None:
    """Force a file or folder to disk, so that a rename after it survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write strict, readable JSON, atomically. `ValueError` for NaN and infinities, which JSON does not have."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read strict JSON. `ValueError` for NaN and infinities, `OSError` if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
