"""Is the teacher found again? Canonical forms, distances up to symmetry, support and whether L1 can keep it, scores."""

from sparsenn_core.recovery.alignment import Alignment, aligned
from sparsenn_core.recovery.canonical import canonical
from sparsenn_core.recovery.certificate import SupportCertificate, support_certificate
from sparsenn_core.recovery.generic import GenericMargins, generic_margins, project_generic
from sparsenn_core.recovery.quotient import QuotientDistance, quotient_distance
from sparsenn_core.recovery.rescaling import relu_l1_optimum, relu_l2_optimum
from sparsenn_core.recovery.scores import OUTCOMES, Scores, outcome, range_floor, scores
from sparsenn_core.recovery.support import SupportScores, support_scores

__all__ = [
    "OUTCOMES",
    "Alignment",
    "GenericMargins",
    "QuotientDistance",
    "Scores",
    "SupportCertificate",
    "SupportScores",
    "aligned",
    "canonical",
    "generic_margins",
    "outcome",
    "project_generic",
    "quotient_distance",
    "range_floor",
    "relu_l1_optimum",
    "relu_l2_optimum",
    "scores",
    "support_certificate",
    "support_scores",
]
