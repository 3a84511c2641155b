"""How far the teachers are from violating the generic conditions of identifiability."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from sparsenn_book.studies.rebound.settings import MarginSettings
from sparsenn_book.studies.rebound.teachers import draw
from sparsenn_core.recovery import generic_margins


def margins(settings: MarginSettings) -> pd.DataFrame:
    """Least margins over the layers of each teacher: biases (tiny, uniform), run, bias, bias_gap, weight, ratio."""
    rows = []
    for biases in ("tiny", "uniform"):
        drawn = draw(settings.condition(num_runs=settings.num_runs, dataset_size=1, biases=biases))
        for run, teacher in enumerate(drawn.teachers):
            least = {name: min(values) for name, values in asdict(generic_margins(teacher)).items()}
            rows.append({"biases": biases, "run": run, **least})
    return pd.DataFrame(rows)
