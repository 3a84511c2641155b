"""Experiments 1 and 2 of the L1 study: a convolutional teacher, students of the same kind, three kinds of penalty."""

from sparsenn_book.studies.l1_path.claims import claims, reference_distances
from sparsenn_book.studies.l1_path.evaluation import evaluate, weights_table
from sparsenn_book.studies.l1_path.minima import minima
from sparsenn_book.studies.l1_path.schedule import STUDENTS, Schedule, Trained, runs_table, train

__all__ = [
    "STUDENTS",
    "Schedule",
    "Trained",
    "claims",
    "evaluate",
    "minima",
    "reference_distances",
    "runs_table",
    "train",
    "weights_table",
]
