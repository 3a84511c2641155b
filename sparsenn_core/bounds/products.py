"""Bounds by products of norms with no power of the network's size: Golowich et al., Neyshabur et al.

Both are stated for one output. For C outputs with independent signs the head is paid for as sum_c ||w_c||_2; the
first then needs log C more in the logarithm, the second a factor sqrt C (second moments of the peeled process).
"""

from __future__ import annotations

import math

from sparsenn_core.bounds.families import CERTIFICATE, Bound, log_classes, over_all_radii, relu_chain
from sparsenn_core.bounds.measured import Measured, log
from sparsenn_core.bounds.sparse import FIXED

RECALLED = "; recalled, several outputs derived here"


def frobenius_rho(m: Measured) -> float:
    """log of sum_c ||w_c||_2 times the product of the hidden maps' Frobenius norms."""
    return log(m.head_rows) + m.log_product(lambda one: one.frobenius, hidden=True)


def golowich_kappa(m: Measured) -> float:
    """log of (1 + sqrt(2((L - 1) log 2 + log C))) ||X||_F / n."""
    entropy = (m.network.depth - 1) * math.log(2) + log_classes(m)
    return math.log(1 + math.sqrt(2 * entropy)) + log(m.samples.total) / 2 - math.log(m.n)


def neyshabur_kappa(m: Measured) -> float:
    """log of 2^(L - 1) sqrt(C) max_i ||x_i|| / sqrt n."""
    doubled = (m.network.depth - 1) * math.log(2)
    return doubled + (log_classes(m) - math.log(m.n)) / 2 + log(m.samples.largest)


def row_rho(m: Measured) -> float:
    """log of the product of the largest row sums."""
    return m.log_product(lambda one: one.one_inf)


def row_kappa(m: Measured) -> float:
    """log of 2 C sqrt(L + 1 + log d) sqrt(max_j sum_i x_ij^2) / n."""
    inside = m.network.depth + 1 + math.log(m.samples.size)
    return math.log(2 / m.n) + log_classes(m) + (math.log(inside) + log(m.samples.coordinates)) / 2


BOUNDS = (
    Bound(
        "Golowich et al.", CERTIFICATE, lambda m: over_all_radii(m, frobenius_rho(m), golowich_kappa(m)),
        "Frobenius norms of hidden maps; head: sum over outputs of l2", FIXED,
        "Golowich, Rakhlin and Shamir (COLT 2018), Theorem 1" + RECALLED, relu_chain,
    ),
    Bound(
        "Golowich et al., row sums", CERTIFICATE, lambda m: over_all_radii(m, row_rho(m), row_kappa(m)),
        "largest row sums (1, inf) of maps", FIXED,
        "Golowich, Rakhlin and Shamir (COLT 2018), Theorem 2" + RECALLED, relu_chain,
    ),
    Bound(
        "Neyshabur et al.", CERTIFICATE, lambda m: over_all_radii(m, frobenius_rho(m), neyshabur_kappa(m)),
        "Frobenius norms of hidden maps; head: sum over outputs of l2", FIXED,
        "Neyshabur, Tomioka and Srebro (COLT 2015), Corollary 2" + RECALLED, relu_chain,
    ),
)  # fmt: skip
"""Bounds by products of norms."""
