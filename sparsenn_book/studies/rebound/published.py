"""The study's figures, read off, as they stand in the repository."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.sources.project import data_file

FILES = {"A": "rebound_published_A.csv", "B": "rebound_published_B.csv", "C": "rebound_published_C.csv"}
RUNS = 20
"""Runs in each mean that the study shows."""


def published(experiment: str) -> pd.DataFrame:
    """Experiment A or B: epoch, l2_normalized, train_loss_normalized, test_loss_normalized; C: log10_sigma,
    log10_squared_l2.
    """
    return pd.read_csv(data_file(FILES[experiment]))
