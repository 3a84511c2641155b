"""The claims of the chapter: functions of its tables and of what the study recorded."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.width_bounds import claims_of_counts, claims_of_proofs, claims_of_training


def claims(tables: Mapping[str, pd.DataFrame]) -> list[Claim]:
    """All claims, in the order of the chapter."""
    return [
        *claims_of_training.claims(tables),
        *claims_of_counts.claims(tables),
        *claims_of_proofs.claims(tables),
    ]
