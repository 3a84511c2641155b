"""Bounds by covering numbers: Bartlett et al., Graf et al., Ledent et al. Spectral norms are those of maps.

All but one hold for networks whose norms were promised beforehand ("a-priori radii"); distances are taken from the
reference, or from zero. C_l of Graf et al. is (4 / gamma) (||X||_F / sqrt n) prod_k s_k  b_l / s_l.
"""

from __future__ import annotations

import math

from scipy.special import zeta

from sparsenn_core.bounds.families import CERTIFICATE, RADII, Bound, add, of_class, relu_chain
from sparsenn_core.bounds.measured import LayerNorms, Measured, log

PROMISED = "margin and all norms promised before training"
GRAF = "Graf, Zeng, Rieck, Niethammer and Kwitt (NeurIPS 2022), Theorem 3.5, "


def two_thirds(logs: list[float]) -> float:
    """log of (sum_l exp(logs_l)^(2/3))^(3/2)."""
    return 1.5 * add(*(2 / 3 * one for one in logs))


def ratios(m: Measured) -> list[float]:
    """log of ||(A_l - A0_l)^T||_{2,1} / ||A_l||_2."""
    return [log(one.moved_rows) - log(one.spectral) for one in m.layers]


def widest(m: Measured) -> int:
    """The largest side of a layer's matrix."""
    return max(max(math.prod(one.layer.input_shape), math.prod(one.layer.output_shape)) for one in m.layers)


def bartlett_fixed(m: Measured) -> float:
    """R <= 4 / n^1.5 + 18 log(n) / n (2 / gamma) ||X||_F sqrt(log 2W^2) prod s (sum (b/s)^(2/3))^1.5."""
    capacity = log(m.samples.total) / 2 + m.log_product(lambda one: one.spectral) + two_thirds(ratios(m))
    main = math.log(18 * math.log(m.n) / m.n * 2 / m.gamma * math.sqrt(math.log(2 * widest(m) ** 2))) + capacity
    return of_class(m, add(math.log(4) - 1.5 * math.log(m.n), main))


def bartlett_all(m: Measured) -> float:
    """Lemma A.9, for all norms and margins at once."""
    depth, n = m.network.depth, m.n
    size = math.sqrt(m.samples.total)
    steps = [1 / depth + one.spectral for one in m.layers]
    whole = sum(math.log(step) for step in steps)
    parts = [
        math.log(1 / depth + one.moved_rows) + whole - math.log(step) for one, step in zip(m.layers, steps, strict=True)
    ]
    main = math.log(144 * math.log(n) * math.log(2 * widest(m)) / (m.gamma * n) * (1 + size)) + two_thirds(parts)
    inside = math.log(1 / m.delta) + math.log(2 * n / m.gamma) + 2 * math.log(2 + size)
    inside += 2 * sum(math.log(2 + depth * one.moved_rows) + math.log(2 + depth * one.spectral) for one in m.layers)
    return add(math.log(8 / n), main, (math.log(9 / (2 * n)) + log(inside)) / 2)


def graf_capacities(m: Measured) -> list[float]:
    """log C_l."""
    scale = math.log(4 / m.gamma) + (log(m.samples.total) - math.log(m.n)) / 2
    product = m.log_product(lambda one: one.spectral)
    return [scale + product + log(one.moved_taps) - log(one.spectral) for one in m.layers]


def graf_norms(m: Measured) -> float:
    """R <= 4 / n + 12 H_{n-1} / sqrt n  sqrt(log 2W) (sum ceil(C_l^(2/3)))^1.5."""
    harmonic = sum(1 / k for k in range(1, m.n))
    entries = max(one.entries for one in m.layers)
    ceilings = add(*(_log_ceil(2 / 3 * one) for one in graf_capacities(m)))
    main = math.log(12 * harmonic / math.sqrt(m.n) * math.sqrt(math.log(2 * entries))) + 1.5 * ceilings
    return of_class(m, add(math.log(4 / m.n), main))


def graf_parameters(m: Measured) -> float:
    """R <= 12 / sqrt n  sqrt(sum_l 2 W_l (log(1 + ceil(L^2 C_l^2)) + psi(ceil(L^2 C_l^2))))."""
    total = 0.0
    for one, capacity in zip(m.layers, graf_capacities(m), strict=True):
        ceiling = _log_ceil(2 * math.log(m.network.depth) + 2 * capacity)
        total += 2 * one.entries * (add(0.0, ceiling) + psi(ceiling))
    return of_class(m, math.log(12 / math.sqrt(m.n)) + log(total) / 2)


def psi(log_x: float) -> float:
    """zeta(3/2, 1)^(1/3) zeta(3/2, 1 + 1/x)^(2/3), below 2.7; from log x, which may be -inf."""
    if math.isinf(log_x):
        return 0.0
    return float(zeta(1.5, 1) ** (1 / 3) * zeta(1.5, 1 + math.exp(-log_x)) ** (2 / 3))


def ledent_fixed(m: Measured) -> float:
    """Rad <= 4 / n + 768 R sqrt(log2(32 Gamma n^2 + 7 Wbar n)) log(n) / sqrt n, R = (sum r_l^(2/3))^1.5.

    r_l = (X0 / gamma) prod s / s_l  a_l sqrt(O_l), Gamma = max r_l O_l m_l, Wbar = max O_l m_l.
    """
    lengths = [*(one.spectral for one in m.hidden), m.head.largest_row]
    product = sum(log(one) for one in lengths)
    distances = [*(one.moved_filters for one in m.hidden), m.head.moved_kernel]
    scale = log(m.samples.one_patch) - math.log(m.gamma) + product
    parts = [
        scale - log(length) + log(distance) + math.log(one.positions) / 2
        for one, length, distance in zip(m.layers, lengths, distances, strict=True)
    ]
    sizes = [math.log(_neurons(one)) for one in m.layers]
    largest = max(part + size for part, size in zip(parts, sizes, strict=True))
    inside = add(math.log(32) + largest + 2 * math.log(m.n), math.log(7 * m.n) + max(sizes))
    main = math.log(768 * math.log(m.n) / math.sqrt(m.n)) + two_thirds(parts) + math.log(inside / math.log(2)) / 2
    return of_class(m, add(math.log(4 / m.n), main))


def _neurons(one: LayerNorms) -> int:
    return math.prod(one.layer.output_shape)


def _log_ceil(log_x: float) -> float:
    """log of the whole number at or above x. Above 2^52 every number is whole; a rounding above one is none."""
    return log(math.ceil(math.exp(log_x) * (1 - 1e-12))) if log_x < 36 else log_x


def _proper(m: Measured) -> str:
    zero = next((one.layer.name for one in m.layers if one.spectral == 0.0), None)
    return m.network.uncovered() or (f"layer {zero!r} is zero" if zero is not None else "")


def _unpooled(m: Measured) -> str:
    return _proper(m) or ("pooling between layers: the theorem's text was not read" if m.network.pooled else "")


SPECTRAL = "certified spectral norms of maps; "
BOUNDS = (
    Bound(
        "Bartlett et al., fixed", RADII, bartlett_fixed,
        SPECTRAL + "(2, 1) norms of moved maps", PROMISED,
        "Bartlett, Foster and Telgarsky (NeurIPS 2017), Theorem 3.3, Lemma 3.1; Dudley's constants derived",
        _proper,
    ),
    Bound(
        "Bartlett et al., for all norms", CERTIFICATE, bartlett_all,
        SPECTRAL + "(2, 1) norms of moved maps", "reference chosen before training",
        "Bartlett, Foster and Telgarsky (NeurIPS 2017), Lemma A.9; constants recalled", relu_chain,
    ),
    Bound(
        "Graf et al., norms", RADII, graf_norms,
        SPECTRAL + "(2, 1) norms of moved kernels over input channels",
        PROMISED + "; circular convolutions in the paper",
        GRAF + "norms", _proper,
    ),
    Bound(
        "Graf et al., parameters", RADII, graf_parameters,
        SPECTRAL + "(2, 1) norms of moved kernels, in a logarithm; number of weights",
        PROMISED + "; circular convolutions in the paper", GRAF + "parameters", _proper,
    ),
    Bound(
        "Ledent et al.", RADII, ledent_fixed,
        SPECTRAL + "sums over filters of l2 of moved kernels; head: Frobenius, largest row", PROMISED,
        "Ledent, Mustafa, Lei and Kloft (AAAI 2021), Theorem 11; from another's code, text not read", _unpooled,
    ),
)  # fmt: skip
"""Bounds by covering numbers."""
