"""The study of norm-based bounds: Galanti, Xu, Galanti and Poggio (NeurIPS 2023), by its public code.

Its text was not read; what is said of its theorem is recalled, and of its formula as the code has it.
"""

from sparsenn_book.studies.bounds import (
    correlation,
    figures,
    growth,
    learned,
    posterior,
    recorded,
    search,
    selected,
    sentences,
    students,
    training,
)
from sparsenn_book.studies.bounds.claims import claims
from sparsenn_book.studies.bounds.images import images
from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.schedules import SCHEDULES, Schedule
from sparsenn_book.studies.bounds.settings import (
    DeepSettings,
    GridSettings,
    GrowthSettings,
    PosteriorSettings,
    SearchSettings,
    StudentSettings,
    StudySettings,
)

__all__ = [
    "SCHEDULES",
    "DeepSettings",
    "GridSettings",
    "GrowthSettings",
    "PosteriorSettings",
    "Schedule",
    "SearchSettings",
    "StudentSettings",
    "StudySettings",
    "claims",
    "conv_net",
    "correlation",
    "figures",
    "growth",
    "images",
    "learned",
    "posterior",
    "recorded",
    "search",
    "selected",
    "sentences",
    "students",
    "training",
]
