"""The six experiments of the L1 study: convolutional teachers, convolutional and fully connected students."""

from sparsenn_book.studies.l1_path import (
    figures,
    figures_of_experiments,
    pages_of_schedules,
    sentences,
    sentences_of_experiments,
)
from sparsenn_book.studies.l1_path.all_claims import claims
from sparsenn_book.studies.l1_path.all_recorded import all_recorded, averages
from sparsenn_book.studies.l1_path.arrangement import arranged
from sparsenn_book.studies.l1_path.checkpoints import rescored
from sparsenn_book.studies.l1_path.claims import least
from sparsenn_book.studies.l1_path.claims_of_experiments import solved_of
from sparsenn_book.studies.l1_path.crossed import Crossing, crossed
from sparsenn_book.studies.l1_path.evaluation import judged
from sparsenn_book.studies.l1_path.experiments import Solving, solved
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
from sparsenn_book.studies.l1_path.short_schedules import CELLS, ShortSchedule, shortened
from sparsenn_book.studies.l1_path.training import trained
from sparsenn_book.studies.l1_path.waking import waking
from sparsenn_book.studies.l1_path.zeroing import zeroed

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "STUDENTS",
    "Crossing",
    "DeadStarts",
    "FreshInputs",
    "Grid",
    "Length",
    "MinimiserSettings",
    "Objective",
    "Schedule",
    "ShortSchedule",
    "Solving",
    "all_recorded",
    "arranged",
    "averages",
    "claims",
    "crossed",
    "faults",
    "figures",
    "figures_of_experiments",
    "judged",
    "learned",
    "least",
    "minimisers",
    "pages_of_schedules",
    "recorded_runs",
    "rescored",
    "sentences",
    "sentences_of_experiments",
    "shortened",
    "solved",
    "solved_of",
    "trained",
    "waking",
    "zeroed",
]
