"""The study of sparse layers: masks that should be learned, what learning them gains, and whether sparse is faster.

Source: the public repository himanshuvnm/Sparse_Neural_Network, its README, notebook and scripts.
"""

from sparsenn_book.studies.sparse_layers import (
    cells,
    comparison,
    course,
    earlier,
    figures,
    inputs,
    lessons,
    original,
    sentences,
    speed,
    structured,
)
from sparsenn_book.studies.sparse_layers.claims import claims
from sparsenn_book.studies.sparse_layers.settings import (
    ComparisonSettings,
    InputSettings,
    OriginalSettings,
    PenaltySettings,
    RecordedSettings,
    SpeedSettings,
    StructureSettings,
    TuningSettings,
)

__all__ = [
    "ComparisonSettings",
    "InputSettings",
    "OriginalSettings",
    "PenaltySettings",
    "RecordedSettings",
    "SpeedSettings",
    "StructureSettings",
    "TuningSettings",
    "cells",
    "claims",
    "comparison",
    "course",
    "earlier",
    "figures",
    "inputs",
    "lessons",
    "original",
    "sentences",
    "speed",
    "structured",
]
