"""Tiny tables of every kind, made once."""

from dataclasses import dataclass

import pandas as pd
import pytest

from sparsenn_book.studies.l1_path.evaluation import judged
from sparsenn_book.studies.l1_path.minimisers import minimisers
from sparsenn_book.studies.l1_path.settings import (
    ACTIVATIONS,
    STUDENTS,
    FreshInputs,
    Grid,
    Length,
    MinimiserSettings,
    Objective,
    Schedule,
)
from sparsenn_book.studies.l1_path.training import trained

TINY = Objective(samples=64)
FRESH = FreshInputs(500)


@dataclass(frozen=True)
class Made:
    """Tables of every student and activation, by their names, and the judged ones."""

    parts: dict[str, pd.DataFrame]
    runs: pd.DataFrame
    minima: pd.DataFrame

    def of(self, kind: str, *students: str) -> list[pd.DataFrame]:
        """The tables of a kind, students and activations in order."""
        return [self.parts[f"{kind}_{s}_{a}"] for s in students or STUDENTS for a in ACTIVATIONS]


@pytest.fixture(scope="session")
def made() -> Made:
    parts: dict[str, pd.DataFrame] = {}
    for student in STUDENTS:
        for activation in ACTIVATIONS:
            parts |= trained(student, activation, TINY, Schedule(), Length(2, 100), Grid(2))
            parts |= minimisers(student, activation, TINY, MinimiserSettings(1, 0))
    tables = Made(parts, pd.DataFrame(), pd.DataFrame())
    runs = judged(TINY, FRESH, *tables.of("ended"), *tables.of("weights"))
    minima = judged(TINY, FRESH, *tables.of("found"), *tables.of("minimisers"))
    return Made(parts, runs, minima)
