"""Bounds that count how few nodes feed each node, and the formula that the study's code implements.

The theorem with its proof is on the chapter's page. Nodes carry all channels of a position, deg_l is the number of
nodes that feed one of layer l, P the number of patches of the first layer:

    R_vec <= rho kappa,   kappa = (1 + sqrt(2 N)) sqrt(D) / n

refined: N = (L - 1) log 2 + log C + log P, D = prod_{l=2}^{L-1} deg_l  max_patch sum_i ||patch||^2,
         rho = sum_c sum_j ||w^L_{c,j}||_2  prod_{l<L} ||w^l||_F
plain:   N = (L - 1) log 2 + log C + log d_0, D = |pred(L)| prod_{l=1}^{L-1} deg_l  max_pixel sum_i ||pixel||^2,
         rho = sum_c ||w^L_c||_2  prod_{l<L} ||w^l||_F
"""

from __future__ import annotations

import math

from sparsenn_core.bounds.families import (
    CERTIFICATE,
    INVALID,
    Bound,
    hidden_chain,
    log_classes,
    over_all_radii,
    over_geometric_radii,
)
from sparsenn_core.bounds.measured import Measured, log

HERE = "derived here, proof in chapter 7, after Galanti, Xu, Galanti and Poggio (NeurIPS 2023; text not read)"
STUDY = "Galanti, Xu, Galanti and Poggio (NeurIPS 2023), "
FIXED = "margin fixed before training"


def refined_rho(m: Measured) -> float:
    """log rho with the head taken node by node."""
    return log(m.head_nodes) + m.log_product(lambda one: one.kernel, hidden=True)


def refined_kappa(m: Measured) -> float:
    """log kappa with patches."""
    hidden = m.network.depth - 1
    data = sum(math.log(m.network.degree(place)) for place in range(1, hidden)) + log(m.samples.patch)
    return _kappa(m, hidden * math.log(2) + log_classes(m) + math.log(m.samples.patches), data)


def plain_rho(m: Measured) -> float:
    """log rho with the head's rows as a whole."""
    return log(m.head_rows) + m.log_product(lambda one: one.kernel, hidden=True)


def plain_kappa(m: Measured) -> float:
    """log kappa with pixels."""
    hidden = m.network.depth - 1
    degrees = _degrees(m) + math.log(m.network.positions(hidden))
    return _kappa(m, hidden * math.log(2) + log_classes(m) + math.log(m.samples.nodes), degrees + log(m.samples.pixel))


def frobenius_rho(m: Measured) -> float:
    """log rho as the study has it: the head's Frobenius norm."""
    return log(m.head.kernel) + m.log_product(lambda one: one.kernel, hidden=True)


def study_kappa(m: Measured) -> float:
    """log kappa as the study's code computes it, for inputs as the network sees them; the code has raw ones."""
    degree = max(m.network.degree(place) for place in range(m.network.depth - 1))
    return _kappa(m, m.network.depth * math.log(2 * degree) + log_classes(m), _degrees(m) + log(m.samples.pixel))


def recalled_kappa(m: Measured) -> float:
    """log kappa of the theorem as it is recalled: a sum of log degrees instead of the largest."""
    return _kappa(m, m.network.depth * math.log(2) + _degrees(m) + log_classes(m), _degrees(m) + log(m.samples.pixel))


def _degrees(m: Measured) -> float:
    return sum(math.log(m.network.degree(place)) for place in range(m.network.depth - 1))


def _kappa(m: Measured, entropy: float, log_data: float) -> float:
    return math.log(1 + math.sqrt(2 * entropy)) + log_data / 2 - math.log(m.n)


KERNELS = "Frobenius norms of hidden kernels"
BOUNDS = (
    Bound(
        "sparse, refined", CERTIFICATE, lambda m: over_all_radii(m, refined_rho(m), refined_kappa(m)),
        f"{KERNELS}; head: sum over outputs and nodes of l2", FIXED, HERE, hidden_chain,
    ),
    Bound(
        "sparse, geometric radii", CERTIFICATE,
        lambda m: over_geometric_radii(m, refined_rho(m), refined_kappa(m)),
        f"{KERNELS}; head: sum over outputs and nodes of l2", FIXED, HERE, hidden_chain,
    ),
    Bound(
        "sparse, plain", CERTIFICATE, lambda m: over_all_radii(m, plain_rho(m), plain_kappa(m)),
        f"{KERNELS}; head: sum over outputs of l2", FIXED, HERE, hidden_chain,
    ),
    Bound(
        "formula of the study's code", INVALID,
        lambda m: over_all_radii(m, frobenius_rho(m), study_kappa(m), 2 * math.sqrt(2)),
        f"{KERNELS}; head: Frobenius", "margin 1, whatever the margin asked for", STUDY + "public code", hidden_chain,
    ),
    Bound(
        "theorem as recalled", INVALID,
        lambda m: over_all_radii(m, frobenius_rho(m), recalled_kappa(m), 2 * math.sqrt(2) / m.gamma),
        f"{KERNELS}; head: Frobenius", FIXED, STUDY + "recalled, not read", hidden_chain,
    ),
)  # fmt: skip
"""The corrected bounds, and the two formulas they correct."""
