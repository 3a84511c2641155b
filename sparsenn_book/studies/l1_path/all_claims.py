"""Every claim of the L1 chapter."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.l1_path.claims import claims_of_training
from sparsenn_book.studies.l1_path.claims_of_experiments import claims_of_experiments
from sparsenn_book.studies.l1_path.claims_of_schedules import about_schedules


def claims(tables: Mapping[str, pd.DataFrame]) -> list[Claim]:
    """Those about experiments 1 and 2; about all six, pairs and the records; about runs that were cut."""
    return [*claims_of_training(tables), *claims_of_experiments(tables), *about_schedules(tables)]
