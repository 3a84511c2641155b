"""Generalization bounds of trained networks, with operator norms, confidence and margin terms; see `table`."""

from sparsenn_core.bounds.chain import Chain, chain
from sparsenn_core.bounds.families import KINDS, Bound
from sparsenn_core.bounds.held_out import clopper_pearson
from sparsenn_core.bounds.layer_norms import LayerNorms
from sparsenn_core.bounds.margins import margin_error, margins, margins_of
from sparsenn_core.bounds.measured import Measured, Samples, measure
from sparsenn_core.bounds.pac_bayes import PacBayes, Posterior, kl_inverse, pac_bayes
from sparsenn_core.bounds.rademacher import FAMILIES, rademacher_lower
from sparsenn_core.bounds.spectral import spectral_lower, spectral_upper
from sparsenn_core.bounds.table import ALL, certificates, operator_norms, table

__all__ = [
    "ALL",
    "FAMILIES",
    "KINDS",
    "Bound",
    "Chain",
    "LayerNorms",
    "Measured",
    "PacBayes",
    "Posterior",
    "Samples",
    "certificates",
    "chain",
    "clopper_pearson",
    "kl_inverse",
    "margin_error",
    "margins",
    "margins_of",
    "measure",
    "operator_norms",
    "pac_bayes",
    "rademacher_lower",
    "spectral_lower",
    "spectral_upper",
    "table",
]
