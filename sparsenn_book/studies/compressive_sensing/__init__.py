"""Linear compressive sensing: exact gradient pruning beside lasso, relaxed lasso, forward stepwise and IHT."""

from sparsenn_book.studies.compressive_sensing import figures, findings, lessons, measures
from sparsenn_book.studies.compressive_sensing.baselines import (
    forward_stepwise,
    hard_thresholding,
    lasso,
    lasso_path,
    thresholding_path,
)
from sparsenn_book.studies.compressive_sensing.claims import claims
from sparsenn_book.studies.compressive_sensing.comparison import FEW, STUDY, TOGETHER, VARIANTS, compared
from sparsenn_book.studies.compressive_sensing.descents import GateRuns, descents
from sparsenn_book.studies.compressive_sensing.differences import by_cell, log_ratios, overall, percent
from sparsenn_book.studies.compressive_sensing.identity import identity
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, METHODS, ORACLE, REFITTED
from sparsenn_book.studies.compressive_sensing.objective import enumerated_loss, expected_loss, gradients
from sparsenn_book.studies.compressive_sensing.pruning import Grid, propose, train
from sparsenn_book.studies.compressive_sensing.regressions import Family, Regression, Selected, draw, families, metrics
from sparsenn_book.studies.compressive_sensing.settings import Draws, Paths
from sparsenn_book.studies.compressive_sensing.sizes import Sizes, sizes
from sparsenn_book.studies.compressive_sensing.speedups import speedups
from sparsenn_book.studies.compressive_sensing.supports import refit
from sparsenn_book.studies.compressive_sensing.variants import by_variant
from sparsenn_book.studies.compressive_sensing.variations import Variations, variations

__all__ = [
    "BASELINES",
    "FEW",
    "METHODS",
    "ORACLE",
    "REFITTED",
    "STUDY",
    "TOGETHER",
    "VARIANTS",
    "Draws",
    "Family",
    "GateRuns",
    "Grid",
    "Paths",
    "Regression",
    "Selected",
    "Sizes",
    "Variations",
    "by_cell",
    "by_variant",
    "claims",
    "compared",
    "descents",
    "draw",
    "enumerated_loss",
    "expected_loss",
    "families",
    "figures",
    "findings",
    "forward_stepwise",
    "gradients",
    "hard_thresholding",
    "identity",
    "lasso",
    "lasso_path",
    "lessons",
    "log_ratios",
    "measures",
    "metrics",
    "overall",
    "percent",
    "propose",
    "refit",
    "sizes",
    "speedups",
    "thresholding_path",
    "train",
    "variations",
]
