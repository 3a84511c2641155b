"""What runs cost, gathered from their records into `params/prices.json`, which the heads of the chapters show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sparsenn_book.records.files import write_json
from sparsenn_book.runner.freshness import read_record
from sparsenn_book.sources.notebooks import names
from sparsenn_book.sources.prices import FILE, read_prices
from sparsenn_book.sources.profiles import profiles
from sparsenn_book.sources.project import Project


def price_of(folder: Path, start: datetime, seconds: float) -> dict[str, Any]:
    """What the result in `folder` costs from nothing: the run's seconds, with those of the tables that it only read in
    place of its own; and the device and date.
    """
    from sparsenn_book.records.tables import read_provenance

    tables = [read_provenance(path) for path in sorted(folder.glob("*.parquet"))]
    kept = [table for table in tables if datetime.fromisoformat(table["date"]) < start.replace(microsecond=0)]
    devices = sorted({str(table["device"]) for table in tables})
    return {
        "seconds": round(seconds + sum(table["seconds"] for table in kept), 1),
        "device": ", ".join(devices) or "CPU",
        "date": start.date().isoformat(),
    }


def gather(project: Project) -> Path:
    """Take the prices of all results at hand into `params/prices.json`; those of others stay as they are there."""
    known = read_prices(project)
    found: dict[str, dict[str, Any]] = {}
    for name in names(project):
        found[name] = {}
        for profile in profiles(project):
            price = (read_record(project.results / profile / name) or {}).get("price")
            price = price or known.get(name, {}).get(profile)
            if price:
                found[name][profile] = price
    write_json(project.params / FILE, found)
    return project.params / FILE
