"""Can an L1 penalty find a teacher? Paths over its strength, dual certificates, phase diagrams, other ways."""

from sparsenn_book.studies.l1_phases import certificates, paths, phases, sparsifiers, trees
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
    "paths",
    "phases",
    "sparsifiers",
    "trees",
]
