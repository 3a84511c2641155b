"""The rebound study: students that start at or near their teacher, and their distance to it during training.

Source: Barth and von Petersenn, "Probabilistic and nonlinear compressive sensing" (arXiv 2509.15060) and its public
code, as of October 2025. Distances are squared Euclidean distances of all weights and biases, as in the study.
"""

from sparsenn_book.studies.rebound.analysis import (
    PowerLaw,
    fisher_weighted,
    normal_form_distances,
    normalised,
    power_law,
    quotient_distances,
    rebounds,
    turned_back,
)
from sparsenn_book.studies.rebound.problem import Problem, draw
from sparsenn_book.studies.rebound.pruning import (
    dead_weights,
    pruned,
    pruning_problem,
    support_of,
    tolerance_thresholds,
)
from sparsenn_book.studies.rebound.settings import PRECISIONS, PRESETS, Settings
from sparsenn_book.studies.rebound.training import Outcome, stalled_share, train, train_all

__all__ = [
    "PRECISIONS",
    "PRESETS",
    "Outcome",
    "PowerLaw",
    "Problem",
    "Settings",
    "dead_weights",
    "draw",
    "fisher_weighted",
    "normal_form_distances",
    "normalised",
    "power_law",
    "pruned",
    "pruning_problem",
    "quotient_distances",
    "rebounds",
    "stalled_share",
    "support_of",
    "tolerance_thresholds",
    "train",
    "train_all",
    "turned_back",
]
