"""Can an L1 penalty find a teacher? Paths over its strength, dual certificates, phase diagrams, other ways."""

from sparsenn_book.studies.l1_phases import (
    certificates,
    figures,
    lessons,
    measures,
    paths,
    phases,
    sentences,
    sparsifiers,
    trees,
)
from sparsenn_book.studies.l1_phases.claims import claims
from sparsenn_book.studies.l1_phases.settings import (
    CertificateSettings,
    PathSettings,
    PhaseSettings,
    SparsifierSettings,
    TreeSettings,
)

__all__ = [
    "CertificateSettings",
    "PathSettings",
    "PhaseSettings",
    "SparsifierSettings",
    "TreeSettings",
    "certificates",
    "claims",
    "figures",
    "lessons",
    "measures",
    "paths",
    "phases",
    "sentences",
    "sparsifiers",
    "trees",
]
