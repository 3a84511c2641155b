"""Neuron sharing, the multi-task lasso and width bounds (Shenouda, Parhi, Lee, Nowak 2023): what the chapter uses."""

from sparsenn_book.studies.width_bounds import figures, sentences, sentences_of_lasso
from sparsenn_book.studies.width_bounds.boundary import BoundarySettings, boundary
from sparsenn_book.studies.width_bounds.claims import claims
from sparsenn_book.studies.width_bounds.distance import DistanceSettings, distances
from sparsenn_book.studies.width_bounds.enumeration import EnumerationSettings, enumerated
from sparsenn_book.studies.width_bounds.learned import learned
from sparsenn_book.studies.width_bounds.numerical_ranks import SpectrumSettings, spectra_and_ranks
from sparsenn_book.studies.width_bounds.placement import placed
from sparsenn_book.studies.width_bounds.random_solutions import (
    DimensionSettings,
    RankSettings,
    SmallSettings,
    dimension,
    rank,
    small,
)
from sparsenn_book.studies.width_bounds.sharing_optimum import certified_optimum
from sparsenn_book.studies.width_bounds.sharing_training import TrainingSettings, trained
from sparsenn_book.studies.width_bounds.thresholds import ThresholdSettings, thresholds

__all__ = [
    "BoundarySettings",
    "DimensionSettings",
    "DistanceSettings",
    "EnumerationSettings",
    "RankSettings",
    "SmallSettings",
    "SpectrumSettings",
    "ThresholdSettings",
    "TrainingSettings",
    "boundary",
    "certified_optimum",
    "claims",
    "dimension",
    "distances",
    "enumerated",
    "figures",
    "learned",
    "placed",
    "rank",
    "sentences",
    "sentences_of_lasso",
    "small",
    "spectra_and_ranks",
    "thresholds",
    "trained",
]
