"""When is a result what its notebook would give today?

A result is keyed by everything that can change it: the notebook's source, all resolved parameters, the source of the
core, the pinned libraries, and the data files. The parts are kept beside the key, so that a stale result can say why.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.files import read_json
from sparsenn_book.records.provenance import hash_files, source_hash
from sparsenn_book.sources.notebooks import Source
from sparsenn_book.sources.project import Project

SCHEMA = 1  # raise it when results of older runners should count as stale
RECORD = "run.json"
EXECUTED = "executed.ipynb"

State = Literal["fresh", "stale", "missing", "failed"]


def key_parts(project: Project, source: Source, parameters: dict[str, Any]) -> dict[str, str]:
    """What a result depends on, each part as a digest."""
    pins = [project.root / name for name in ("requirements.txt", "constraints.txt")]
    return {
        "schema": str(SCHEMA),
        "notebook": source.digest,
        "parameters": digest(parameters),
        "core": source_hash(project.core),
        "pinned libraries": hash_files(project.root, pins),
        "data": hash_files(project.root, project.data.rglob("*")),
    }


def digest(value: Any) -> str:
    """sha256 of a JSON value, the same for every order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def read_record(folder: Path) -> dict[str, Any] | None:
    """The `run.json` of a result, None where there is none that can be read."""
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def state(folder: Path, failures: Path, parts: dict[str, str]) -> tuple[State, str]:
    """State of the result in `folder` for today's `parts`, and the reason in a few words.

    `failures` holds failed attempts; an attempt counts as failed if it was of exactly today's parts.
    """
    record = read_record(folder)
    if record is not None and record.get("key") == digest(parts):
        gone = [name for name in record.get("files", []) if not (folder / name).is_file()]
        if not gone:
            return "fresh", ""
        return "stale", f"{gone[0]} is gone"
    if any((read_record(path) or {}).get("key") == digest(parts) for path in failures.glob("*")):
        return "failed", ""
    if record is None:
        return "missing", ""
    old = record.get("parts", {})
    changed = [name for name, value in parts.items() if old.get(name) != value]
    return "stale", f"changed: {', '.join(changed)}" if changed else "changed while it ran"
