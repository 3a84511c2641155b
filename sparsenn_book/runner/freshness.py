"""When is a result what its notebook would give today?

A result is keyed by everything that can change what it shows: the notebook's text, all resolved parameters, the source
that the notebook imports, figures and all, the pinned libraries, the data files that this source names, the chapters
whose tables it reads, and the committed tables of the full profile. The parts are kept beside the key, so that a stale
result can say why. Its own tables are keyed by themselves, and more finely: a new caption shows the old tables again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.closure import closure, code_digest, imported, strings
from sparsenn_book.records.files import digest, read_json
from sparsenn_book.sources.notebooks import Source
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

SCHEMA = 2  # raise it when results of older runners should count as stale
RECORD = "run.json"
EXECUTED = "executed.ipynb"

State = Literal["fresh", "stale", "missing", "failed"]


def key_parts(
    project: Project, source: Source, parameters: dict[str, Any], needed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What a result depends on, each part as a digest; `needed` has the digests of the chapters that are read."""
    code = closure(_imports(project, source), project.root, computing=False)
    named = strings([*code.values(), source.path])
    data = [path for path in project.data.iterdir() if path.name in named] if project.data.is_dir() else []
    pins = [project.root / name for name in ("requirements.txt", "constraints.txt")]
    full = [] if parameters["profile"] == "full" else (project.results / "full" / source.name).glob("*.parquet")
    return {
        "schema": str(SCHEMA),
        "notebook": source.digest,
        "parameters": digest(parameters),
        "code": code_digest(code.items()),
        "pinned libraries": digest(hashes(project.root, pins)),
        "data": digest(hashes(project.root, data)),
        "needed chapters": digest(dict(needed or {})),
        "full tables": digest(hashes(project.root, full)),
    }


def data_names(project: Project, source: Source) -> set[str]:
    """Every text that a notebook and the source that it imports name, names of data files among them."""
    return set(strings([*closure(_imports(project, source), project.root, computing=False).values(), source.path]))


def hashes(base: Path, paths: Iterable[Path]) -> dict[str, str]:
    """sha256 of the bytes of each file that is there, by its name relative to `base`."""
    there = sorted(path for path in paths if path.is_file())
    return {path.relative_to(base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in there}


def read_record(folder: Path) -> dict[str, Any] | None:
    """The `run.json` of a result, None where there is none that can be read."""
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def state(folder: Path, failures: Path, parts: dict[str, str]) -> tuple[State, str]:
    """State of the result in `folder` for today's `parts`, and the reason in a few words.

    A result counts by its files' content; files that it did not make do not matter. `failures` holds failed attempts;
    an attempt counts as failed if it was of exactly today's parts.
    """
    record = read_record(folder)
    if record is not None and record.get("key") == digest(parts):
        harmed = _harmed(folder, record)
        return ("stale", harmed) if harmed else ("fresh", "")
    if any((read_record(path) or {}).get("key") == digest(parts) for path in failures.glob("*")):
        return "failed", ""
    if record is None:
        return "missing", ""
    changed = differences(record.get("parts"), parts)
    return "stale", f"changed: {changed}" if changed else "changed while it ran"


def differences(old: object, parts: Mapping[str, str]) -> str:
    """The names of today's `parts` that were others or not known in `old`."""
    return ", ".join(name for name, value in parts.items() if not isinstance(old, dict) or old.get(name) != value)


def _harmed(folder: Path, record: Mapping[str, Any]) -> str:
    """What is wrong with the files of a result, empty if they are those that were made."""
    made = record.get("files")
    if not isinstance(made, dict) or EXECUTED not in made:
        return f"{RECORD} names no files"
    if not all((folder / name).is_relative_to(folder) for name in made):
        return f"{RECORD} names files elsewhere"
    found = hashes(folder, (folder / name for name in made))
    for name, content in made.items():
        if name not in found:
            return f"{name} is gone"
        if found[name] != content:
            return f"{name} is not the file that was made"
    return ""


def _imports(project: Project, source: Source) -> list[str]:
    try:
        return imported(source.text, project.root)
    except SyntaxError as error:
        raise InputError(f"{project.shown(source.path)}, line {error.lineno}: {error.msg}") from None
