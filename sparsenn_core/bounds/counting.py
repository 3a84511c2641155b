"""Path norm, parameter counts, and what else is drawn beside bounds."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from sparsenn_core.bounds.chain import Chain
from sparsenn_core.bounds.families import MEASURE, RADII, UNSPECIFIED, Bound, log_classes, of_class, relu_chain
from sparsenn_core.bounds.measured import Measured, log
from sparsenn_core.networks import Reading

LEAST = 5.0  # Long and Sedghi's first form asks for chi lambda beta e^beta of at least this


def path_norm(network: Chain) -> float:
    """The sum over all paths from an input, or a bias, to an output of the product of absolute weights: one forward
    pass of the network of absolute values on ones.
    """
    layers = tuple(
        replace(
            one,
            weight=one.weight.double().cpu().abs(),
            bias=None if one.bias is None else one.bias.double().cpu().abs(),
        )
        for one in network.layers
    )
    ones = torch.ones(1, *network.sample_shape, dtype=torch.float64)
    outputs: Tensor = Reading(layers, network.reading.of)(ones)
    return float(outputs.sum())


def gonon(m: Measured) -> float:
    """4 / sqrt n  B sqrt(D log 3 + log(3 (d_in + 1) d_out)) ||Phi||_1 sqrt(2) / gamma + 3 sqrt(log(2/delta) / 2n).

    B = max(1, max |x|), D the depth.
    """
    entropy = m.network.depth * math.log(3) + math.log(3 * (m.samples.size + 1)) + log_classes(m)
    lipschitz = (math.sqrt(2) if m.classes > 1 else 1.0) / m.gamma
    scale = 2 / math.sqrt(m.n) * max(1.0, m.samples.largest_entry) * math.sqrt(entropy) * lipschitz
    return of_class(m, math.log(scale) + log(path_norm(m.network)))


def long_sedghi(m: Measured) -> float:
    """sqrt((W (beta + nu L + log(chi lambda beta)) + log(1 / delta)) / n) with the constant taken as 1."""
    beta, weights = _beta(m), m.network.parameters
    inside = weights * (beta + _nu(m) * m.network.depth + math.log(_chi_lambda(m) * beta)) + math.log(1 / m.delta)
    return log(inside / m.n) / 2


def _beta(m: Measured) -> float:
    """Sum over layers of ||A - A0||_2."""
    return sum(one.moved_spectral for one in m.layers)


def _nu(m: Measured) -> float:
    """By how much a map of the reference stretches beyond 1."""
    return max(0.0, *(one.reference_spectral - 1 for one in m.layers))


def _chi_lambda(m: Measured) -> float:
    return m.samples.largest * math.sqrt(2) / m.gamma


def _long_sedghi_covers(m: Measured) -> str:
    reason = m.network.uncovered()
    if reason:
        return reason
    size = _chi_lambda(m) * _beta(m)
    if size <= 1 or size * math.exp(_beta(m)) < LEAST:
        return "the network moved too little for this form of the theorem"
    return ""


BOUNDS = (
    Bound(
        "Gonon et al., path norm", RADII, gonon, "path norm of the network",
        "margin and path norm promised before training",
        "Gonon, Brisebarre, Riccietti and Gribonval (ICLR 2024), Theorem 3.1; from its code, gap constants recalled",
        relu_chain,
    ),
    Bound(
        "Long and Sedghi, shape", UNSPECIFIED, long_sedghi,
        "certified spectral norms of moved maps; number of weights", "the theorem's constant taken as 1",
        "Long and Sedghi (ICLR 2020), Theorem 3.1", _long_sedghi_covers,
    ),
    Bound(
        "parameters over samples", MEASURE, lambda m: math.log(m.network.parameters / m.n) / 2,
        "number of weights and biases", "none: no theorem", "sqrt(number of parameters / n)", lambda m: "",
    ),
)  # fmt: skip
"""Path norm, a shape without its constant, and a count."""
