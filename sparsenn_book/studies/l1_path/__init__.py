"""Experiments 1 and 2 of the L1 study: a convolutional teacher, students of the same kind, three kinds of penalty."""

from sparsenn_book.studies.l1_path import figures, sentences
from sparsenn_book.studies.l1_path.arrangement import arranged
from sparsenn_book.studies.l1_path.claims import claims, least
from sparsenn_book.studies.l1_path.evaluation import judged
from sparsenn_book.studies.l1_path.faults import faults
from sparsenn_book.studies.l1_path.learned import learned
from sparsenn_book.studies.l1_path.minimisers import minimisers
from sparsenn_book.studies.l1_path.recorded import recorded_runs
from sparsenn_book.studies.l1_path.settings import (
    ACTIVATIONS,
    STUDENTS,
    DeadStarts,
    FreshInputs,
    Grid,
    Length,
    MinimiserSettings,
    Objective,
    Schedule,
)
from sparsenn_book.studies.l1_path.training import trained
from sparsenn_book.studies.l1_path.waking import waking
from sparsenn_book.studies.l1_path.zeroing import zeroed

__all__ = [
    "ACTIVATIONS",
    "STUDENTS",
    "DeadStarts",
    "FreshInputs",
    "Grid",
    "Length",
    "MinimiserSettings",
    "Objective",
    "Schedule",
    "arranged",
    "claims",
    "faults",
    "figures",
    "judged",
    "learned",
    "least",
    "minimisers",
    "recorded_runs",
    "sentences",
    "trained",
    "waking",
    "zeroed",
]
