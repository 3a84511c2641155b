"""B as its code, its description and its first version have it."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.rebound.settings import VariantSettings
from sparsenn_book.studies.rebound.training import train_all

PLAIN = "no penalty, no projection"
CODED = "as coded: DRR penalty"
DESCRIBED = "as described: projection every epoch"
FIRST = "as first coded: projection at epoch 1"


def variants(settings: VariantSettings, device: str = "cpu") -> pd.DataFrame:
    """Squared distances of B's students in float64: variant, run, epoch, name, value.

    As first coded, the remainder of epoch and frequency is the wrong way round: the projection comes at the epochs that
    divide the frequency, and so at epoch 1 alone where the frequency is 1.
    """
    frequency = settings.projection_frequency
    projected = {"projection": "reference", "projection_frequency": frequency}
    changes: dict[str, dict[str, object]] = {
        PLAIN: {},
        CODED: {"rule": "drr", "alpha": settings.alpha},
        DESCRIBED: projected,
        FIRST: {**projected, "projection_epochs": "coded"},
    }
    conditions = [settings.small(noise=settings.noise, **change) for change in changes.values()]
    found = zip(changes, train_all(conditions, device=device), strict=True)
    rows = pd.concat([trained.rows(variant=name) for name, trained in found], ignore_index=True)
    return rows[rows.name == "squared_distance"]
