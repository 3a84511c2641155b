"""Figures of the rebound chapter: rows in, plotly figure out."""

from sparsenn_book.studies.rebound.figures.causes import (
    fates,
    precision_ledger,
    predicted_curves,
    rebound_map,
    stopping_times,
)
from sparsenn_book.studies.rebound.figures.experiments import (
    b_variants,
    noise_scaling,
    raw_beside_normalised,
    study_curves,
)
from sparsenn_book.studies.rebound.figures.parameters import distances, pruned_by_threshold, spectrum

__all__ = [
    "b_variants",
    "distances",
    "fates",
    "noise_scaling",
    "precision_ledger",
    "predicted_curves",
    "pruned_by_threshold",
    "raw_beside_normalised",
    "rebound_map",
    "spectrum",
    "stopping_times",
    "study_curves",
]
