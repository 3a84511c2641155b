"""The rebound study: students that start at or near their teacher, and their distance to it during training.

Source: Barth and von Petersenn, "Probabilistic and nonlinear compressive sensing" (arXiv 2509.15060) and its public
code, as of October 2025. Distances are squared Euclidean distances of all weights and biases, as in the study.
"""

from sparsenn_book.studies.rebound import (
    closed_form,
    counting,
    distances,
    experiments,
    figures,
    margins,
    pruning,
    rules,
    scaling,
    sentences,
    spectra,
    variants,
)
from sparsenn_book.studies.rebound.claims import claims
from sparsenn_book.studies.rebound.conditions import PRECISIONS, PRESETS, Condition
from sparsenn_book.studies.rebound.settings import (
    CountSettings,
    ExperimentSettings,
    LevelSettings,
    MapSettings,
    MarginSettings,
    PruningSettings,
    ScalingSettings,
    SmallSettings,
    SpectrumSettings,
    TurningSettings,
    VariantSettings,
)
from sparsenn_book.studies.rebound.teachers import TeachersAndStudents, draw, draw_unrelated
from sparsenn_book.studies.rebound.training import Trained, train, train_all

__all__ = [
    "PRECISIONS",
    "PRESETS",
    "Condition",
    "CountSettings",
    "ExperimentSettings",
    "LevelSettings",
    "MapSettings",
    "MarginSettings",
    "PruningSettings",
    "ScalingSettings",
    "SmallSettings",
    "SpectrumSettings",
    "TeachersAndStudents",
    "Trained",
    "TurningSettings",
    "VariantSettings",
    "claims",
    "closed_form",
    "counting",
    "distances",
    "draw",
    "draw_unrelated",
    "experiments",
    "figures",
    "margins",
    "pruning",
    "rules",
    "scaling",
    "sentences",
    "spectra",
    "train",
    "train_all",
    "variants",
]
