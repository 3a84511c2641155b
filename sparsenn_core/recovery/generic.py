"""Generic conditions under which a tanh network's function determines its weights up to symmetry, with margins.

Fefferman and Markel, "Recovering a feed-forward net from its output", NIPS 1993, for tanh networks: (i) biases are
not zero, and their absolute values in a layer differ; (ii) weights are not zero; (iii) for units j, j' of a layer of
D units, w_jk / w_j'k is no fraction of small whole numbers, at most c D^2. Under them equal functions mean equal
weights up to permutations and sign flips of hidden units. The constant c and the form of (iii) follow the rebound
study (c = 1 in its documentation, 100 in its code); the paper's own wording was not checked.

In floating point every ratio is a fraction, so only margins carry information; and by Dirichlet's theorem every
number is within 1 / (q Q) of some p / q with q <= Q, so that no margin of (iii) is larger than that.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, reading
from sparsenn_core.recovery.weight_arrays import Array

_ROUNDING = 1e-15  # moved parameters go so much beyond the tolerance, lest rounding bring them back
_LEAST_TOLERANCE = 1e-14


@dataclass(frozen=True)
class GenericMargins:
    """What `generic_margins` returns: the least margins of each layer, first layer first; inf where nothing is to be
    compared (a layer of one unit), zero for a layer without biases.

    bias      min |b_j|
    bias_gap  min ||b_j| - |b_j'||
    weight    min |w_jk|
    ratio     min |r - p / q|, r = smaller over larger of |w_jk|, |w_j'k|, over fractions with 0 <= p <= q <= bound
    """

    bias: tuple[float, ...]
    bias_gap: tuple[float, ...]
    weight: tuple[float, ...]
    ratio: tuple[float, ...]

    @property
    def least(self) -> float:
        """The smallest of all."""
        return min(itertools.chain(self.bias, self.bias_gap, self.weight, self.ratio))


def nearest_fraction(values: Array, bound: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fractions p / q with q <= `bound` nearest to `values` in [0, 1]: (p, q), elementwise.

    `fractions.Fraction(v).limit_denominator(bound)` for a whole array: the continued fraction is followed until the
    denominator would pass the bound; the nearest is then the last convergent or the last semiconvergent within it.
    """
    x = np.asarray(values, dtype=np.float64)
    one, zero = np.ones(x.shape, np.int64), np.zeros(x.shape, np.int64)
    p, q, before_p, before_q = zero, one, one, zero  # convergents 0/1 and 1/0
    rest, active = x.copy(), x > 0
    semi_p, semi_q = p.copy(), q.copy()
    while active.any():
        # a quotient above the bound ends the expansion, whatever its exact size
        inverse = 1.0 / np.maximum(rest, 0.5 / bound)
        quotient = np.floor(inverse).astype(np.int64)
        ends = active & (before_q + quotient * q > bound)
        steps = (bound - before_q) // q
        semi_p, semi_q = np.where(ends, before_p + steps * p, semi_p), np.where(ends, before_q + steps * q, semi_q)
        goes = active & ~ends
        p, before_p = np.where(goes, before_p + quotient * p, p), np.where(goes, p, before_p)
        q, before_q = np.where(goes, before_q + quotient * q, q), np.where(goes, q, before_q)
        rest = np.where(goes, inverse - quotient, rest)
        exact = goes & (rest <= 0)
        semi_p, semi_q = np.where(exact, p, semi_p), np.where(exact, q, semi_q)
        active = goes & ~exact
    # the convergent wins a tie, as in limit_denominator
    nearer = np.abs(x * semi_q - semi_p) * q < np.abs(x * q - p) * semi_q
    return np.where(nearer, semi_p, p), np.where(nearer, semi_q, q)


def _ratio_margin(x: Array, y: Array, bound: int) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """The margin of |x|, |y| (broadcast) and the nearest fraction p / q of the smaller over the larger."""
    small, large = np.minimum(x, y), np.maximum(x, y)
    ratio = np.where(large > 0, small / np.where(large > 0, large, 1.0), 1.0)
    p, q = nearest_fraction(ratio, bound)
    return np.abs(ratio * q - p) / q, p, q


def _bound(layer: Layer, factor: int) -> int:
    return factor * layer.outputs**2


def _values(parameter: Tensor) -> Array:
    return parameter.detach().cpu().double().numpy().copy()


def generic_margins(net: nn.Module, *, factor: int = 1) -> GenericMargins:
    """How far a fully connected network is from violating the generic conditions.

    `factor` is c in the bound c D^2 of condition (iii), D the units of the layer: 1 or 100. Ratios are compared
    within a column of a weight matrix, all pairs of units; cost about 10 ms for [2, 25, 25, 1].
    """
    if factor < 1:
        raise InputError(f"generic_margins: factor must be a whole number from 1, not {factor!r}")
    columns: dict[str, list[float]] = {"bias": [], "bias_gap": [], "weight": [], "ratio": []}
    for layer in reading(net).require("linear"):
        w = np.abs(_values(layer.weight))
        b = np.abs(_values(layer.bias)) if layer.bias is not None else np.zeros(len(w))
        columns["bias"].append(float(b.min()))
        columns["bias_gap"].append(float(np.diff(np.sort(b)).min(initial=np.inf)))
        columns["weight"].append(float(w.min()))
        i, j = np.triu_indices(len(w), 1)
        margin, _, _ = _ratio_margin(w[i], w[j], _bound(layer, factor))
        columns["ratio"].append(float(margin.min(initial=np.inf)))
    return GenericMargins(**{name: tuple(values) for name, values in columns.items()})


def _away_from_zero(values: Array, tolerance: float, rng: torch.Generator) -> Array:
    """Values below the tolerance moved to it, their sign kept; zeros get a random sign."""
    coin = torch.randint(0, 2, values.shape, generator=rng).numpy() * 2.0 - 1
    sign = np.where(values == 0, coin, np.sign(values))
    return np.where(np.abs(values) < tolerance, sign * (tolerance + _ROUNDING), values)


def _spread(values: Array, tolerance: float) -> Array:
    """Values whose absolute values are too close to another's moved to the nearest free one, one after the other."""
    out = values.copy()
    for j in range(len(out)):
        others, own = np.abs(np.delete(out, j)), abs(out[j])
        if (np.abs(others - own) >= tolerance).all():
            continue
        reach = tolerance + _ROUNDING
        edges = np.concatenate([others + reach, others - reach])
        free = edges[(edges >= tolerance) & (np.abs(edges[:, None] - others) >= tolerance).all(1)]
        out[j] = np.sign(out[j]) * free[np.abs(free - own).argmin()]
    return out


def _forbidden(own: float, others: Array, bound: int, tolerance: float) -> tuple[Array, Array]:
    """The intervals (low, high) around `own` in which a ratio with one of `others` is too close to its fraction.

    The ratio is own / y up to y and y / own from there on. Around the fraction 1 the interval reaches over y.
    """
    margin, p, q = _ratio_margin(np.array(own), others, bound)
    bad = margin < tolerance
    y, c, reach = others[bad], (p / q)[bad], tolerance + _ROUNDING
    below = own <= y
    with np.errstate(divide="ignore"):
        ends = np.where(c > reach, y / np.where(c > reach, c - reach, 1.0), np.inf)
    low = np.where(below | (c == 1), y * (c - reach), y / (c + reach))
    high = np.where(below & (c < 1), y * (c + reach), ends)
    return low, high


def _next_free(own: float, others: Array, bound: int, tolerance: float, *, upward: bool) -> float:
    """The nearest value from `own` upward (or downward) that keeps the tolerance from all `others`; inf if none."""
    while tolerance <= own < np.inf:
        low, high = _forbidden(own, others, bound, tolerance)
        if not len(low):
            return own
        own = float(max(high.max(), np.nextafter(own, np.inf)) if upward else min(low.min(), np.nextafter(own, 0)))
    return np.inf


def _part_ratios_(column: Array, bound: int, tolerance: float) -> None:
    """Move, in place, every weight whose ratio with another of the column is too close to a fraction."""
    i, j = np.triu_indices(len(column), 1)
    close = _ratio_margin(np.abs(column[i]), np.abs(column[j]), bound)[0] < tolerance
    for unit in np.unique(i[close]):
        own, others = abs(column[unit]), np.abs(np.delete(column, unit))
        up, down = (_next_free(own, others, bound, tolerance, upward=upward) for upward in (True, False))
        column[unit] = np.sign(column[unit]) * (up if up - own <= abs(own - down) else down)


def project_generic(net: nn.Module, tolerance: float, generator: torch.Generator, *, factor: int = 1) -> nn.Module:
    """A copy of a fully connected network in which every margin of `generic_margins` is at least `tolerance`.

    Only violators move: each to the nearest value that keeps the tolerance from all others as they are then, so that
    projecting again changes nothing. A pair that is too close is parted by moving its first member. `generator` is
    used for the sign of zeros alone. `InputError` for a network that is not float64 (float32 cannot hold margins that
    small) or has a layer without biases, and for a tolerance below 1e-14 or so large that the fractions of condition
    (iii) leave no room: D Q^2 tolerance <= 1/2 is asked for, Q = factor D^2 (5e-8 for D = 25, factor 1).
    """
    out = copy.deepcopy(net)
    layers = reading(out).require("linear", plain=True)
    for layer in layers:
        if layer.weight.dtype != torch.float64 or layer.bias is None:
            raise InputError(
                f"project_generic: layer {layer.name!r} must be float64 with biases; it is {layer.weight.dtype}"
            )
        largest = 0.5 / (layer.outputs * _bound(layer, factor) ** 2) if layer.outputs > 1 else np.inf
        if not _LEAST_TOLERANCE <= tolerance <= largest:
            raise InputError(
                f"project_generic: tolerance {tolerance!r} is not in [{_LEAST_TOLERANCE}, {largest:.3g}] "
                f"of layer {layer.name!r}"
            )
    for layer in layers:
        bound = _bound(layer, factor)
        bias = layer.bias
        assert bias is not None
        b = _spread(_away_from_zero(_values(bias), tolerance, generator), tolerance)
        w = _away_from_zero(_values(layer.weight), tolerance, generator)
        for column in w.T:
            _part_ratios_(column, bound, tolerance)
        # a layer that was read shares the memory of its parameters
        bias.copy_(torch.from_numpy(b))
        layer.weight.copy_(torch.from_numpy(w))
    return out
