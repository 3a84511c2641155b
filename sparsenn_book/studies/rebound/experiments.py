"""The study's experiments A and B, and one with both noise and displacement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_book.studies.rebound.settings import ExperimentSettings, TurningSettings
from sparsenn_book.studies.rebound.training import train_all
from sparsenn_book.studies.rebound.weights import weight_rows

TEST_EVERY = 5


def published(settings: ExperimentSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """A and B, each with weights and arithmetic in float32, as in the study, and in float64.

    curves    experiment, precision, run, epoch, name (squared_distance, train_loss, test_loss, test_error), value
    students  the students that float64 gave: experiment, run, layer, index, value
    """
    parts = [_trained(settings.conditions(), p, TEST_EVERY, device) for p in ("float32", "float64")]
    return {
        "curves": pd.concat([part["curves"] for part in parts], ignore_index=True),
        "students": parts[1]["students"],
    }


def turning(settings: TurningSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Noise and displacement in float64; tables as those of `published`, called turning and turned_students."""
    found = _trained(settings.conditions(), "float64", 0, device)
    return {"turning": found["curves"], "turned_students": found["students"]}


def _trained(
    conditions: Mapping[str, Condition], precision: str, test_every: int, device: str
) -> dict[str, pd.DataFrame]:
    chosen = [replace(c, precision=precision) for c in conditions.values()]
    found = dict(zip(conditions, train_all(chosen, test_every=test_every, device=device), strict=True))
    curves = [trained.rows(experiment=name, precision=precision) for name, trained in found.items()]
    students = [weight_rows(trained.students, experiment=name) for name, trained in found.items()]
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "students": pd.concat(students, ignore_index=True),
    }
