"""The claims of the chapter: functions of its tables and of the study's figures, nothing else."""

from __future__ import annotations

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.rebound.claims.causes import claims_of_closed_form, claims_of_rules
from sparsenn_book.studies.rebound.claims.common import Tables
from sparsenn_book.studies.rebound.claims.experiments import claims_of_a, claims_of_b, claims_of_c
from sparsenn_book.studies.rebound.claims.parameters import claims_of_curvature, claims_of_pruning, claims_of_symmetry
from sparsenn_book.studies.rebound.settings import ExperimentSettings


def claims(tables: Tables, settings: ExperimentSettings) -> list[Claim]:
    """All claims of the chapter, from the tables of one profile and the settings of A and B at it."""
    return [
        *claims_of_a(tables, settings),
        *claims_of_b(tables),
        *claims_of_rules(tables),
        *claims_of_closed_form(tables, settings),
        *claims_of_c(tables),
        *claims_of_symmetry(tables),
        *claims_of_curvature(tables, settings),
        *claims_of_pruning(tables),
    ]
