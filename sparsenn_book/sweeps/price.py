"""What a sweep will cost, told before it starts: so many runs, each as long as the nearest one on record."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from sparsenn_book.records.tables import read_provenance
from sparsenn_book.records.words import duration
from sparsenn_book.runner.freshness import read_record
from sparsenn_book.sources.prices import read_prices
from sparsenn_book.sweeps.runs import Run
from sparsenn_core.errors import InputError


@dataclass(frozen=True)
class Record:
    """Something that was computed once: seconds, parameters, and where it lies, as messages name it."""

    seconds: float
    parameters: Mapping[str, Any]
    what: str


def price(runs: Sequence[Run], workers: int) -> str:
    """The price of runs to do, in words; `workers` at once, 0 if unknown."""
    many = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    nearest = min(_records(runs[0]), key=lambda record: _differences(record, runs[0]), default=None)
    if nearest is None:
        return f"price: {many}; nothing alike is on record, the first will tell"
    total = nearest.seconds * len(runs)
    beside = f", on {workers} workers {duration(total / workers)}" if workers > 1 else ""
    other = _differences(nearest, runs[0])
    alike = f", {other} parameter{'s' * (other > 1)} other" if other else ""
    each = f"{many} of about {duration(nearest.seconds)} (as {nearest.what}{alike})"
    return f"price: {each}: {duration(total)} one after another{beside}"


def _records(run: Run) -> Iterator[Record]:
    """Runs of this sweep, also those of older source; then chapters; the nearest is the first of the least other."""
    for path in sorted(run.space.glob("*")):
        record = read_record(path) or {}
        if _is_number(record.get("seconds")) and isinstance(record.get("parameters"), dict):
            yield Record(record["seconds"], record["parameters"], f"run {path.name}")
    yield from _tables(run) if run.function else _chapters(run)


def _chapters(run: Run) -> Iterator[Record]:
    for path in sorted(run.project.results.glob(f"*/{run.notebook}*")):
        record = read_record(path) or {}
        price, parameters = record.get("price"), record.get("parameters")
        if isinstance(price, dict) and _is_number(price.get("seconds")) and isinstance(parameters, dict):
            yield Record(price["seconds"], parameters, run.project.shown(path))
    profile = str(run.parameters["profile"])
    known = read_prices(run.project).get(run.notebook, {}).get(profile)
    if known:
        yield Record(known["seconds"], {}, f"the profile {profile}")


def _tables(run: Run) -> Iterator[Record]:
    """Calls of the function that made tables of the chapters: those of one chapter and profile by their mean."""
    paths = sorted(run.project.results.glob("*/*/*.parquet"))
    for folder, group in itertools.groupby(paths, key=lambda path: path.parent):
        found = [record for path in group if (record := _table(path, run.function))]
        if found:
            # the tables of one call have its arguments, and each of them its share of the time
            calls: dict[object, float] = {}
            for record in found:
                call = record["identity"].get("arguments")
                calls[call] = calls.get(call, 0.0) + record["seconds"]
            yield Record(fmean(calls.values()), found[0]["parameters"], run.project.shown(folder))


def _table(path: Path, function: str) -> dict[str, Any] | None:
    """Where a table comes from, if the function made it and says how long that took."""
    try:
        found = read_provenance(path)
    except InputError:
        return None
    identity = found.get("identity")
    made = str(identity.get("function")).partition(":")[0] if isinstance(identity, dict) else ""
    told = _is_number(found.get("seconds")) and isinstance(found.get("parameters"), dict)
    return found if made == function and told else None


def _differences(record: Record, run: Run) -> int:
    return sum(record.parameters.get(name) != value for name, value in run.parameters.items())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
