"""Linear compressive sensing: exact gradient pruning beside lasso, relaxed lasso, forward stepwise and IHT."""

from sparsenn_book.studies.compressive_sensing.baselines import (
    forward_stepwise,
    hard_thresholding,
    lasso_path,
    thresholding_path,
)
from sparsenn_book.studies.compressive_sensing.claims import claims, excess_objectives, identity_error
from sparsenn_book.studies.compressive_sensing.comparison import (
    BASELINES,
    FEW,
    METHODS,
    ORACLE,
    REFITTED,
    STUDY,
    TOGETHER,
    VARIANTS,
    Comparison,
    Paths,
    compare,
)
from sparsenn_book.studies.compressive_sensing.differences import by_cell, log_ratios, overall
from sparsenn_book.studies.compressive_sensing.objective import enumerated_loss, expected_loss, gradients
from sparsenn_book.studies.compressive_sensing.problems import Problem, Setting, draw, metrics, settings
from sparsenn_book.studies.compressive_sensing.pruning import Schedule, train
from sparsenn_book.studies.compressive_sensing.supports import refit

__all__ = [
    "BASELINES",
    "FEW",
    "METHODS",
    "ORACLE",
    "REFITTED",
    "STUDY",
    "TOGETHER",
    "VARIANTS",
    "Comparison",
    "Paths",
    "Problem",
    "Schedule",
    "Setting",
    "by_cell",
    "claims",
    "compare",
    "draw",
    "enumerated_loss",
    "excess_objectives",
    "expected_loss",
    "forward_stepwise",
    "gradients",
    "hard_thresholding",
    "identity_error",
    "lasso_path",
    "log_ratios",
    "metrics",
    "overall",
    "refit",
    "settings",
    "thresholding_path",
    "train",
]
