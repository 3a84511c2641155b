"""What runs cost, from the records of runs: `params/prices.json`, by notebook and profile."""

from __future__ import annotations

import json
from typing import Any

from sparsenn_book.sources.project import Project

FILE = "prices.json"


def read_prices(project: Project) -> dict[str, dict[str, dict[str, Any]]]:
    """For each notebook and profile: seconds, memory (largest resident size in MB), device, date. Empty if none."""
    path = project.params / FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
