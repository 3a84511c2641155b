"""A lower bound of the distance of two tanh networks up to permutations and sign flips of their hidden units."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from sparsenn_core.recovery.weight_arrays import Array, WeightArrays

SHARES = np.linspace(0.0, 1.0, 21)
"""How much of a matrix between two hidden layers counts for the columns of the first; any share gives a bound."""


def least_distance(a: WeightArrays, b: WeightArrays) -> float:
    """A number that no ||theta_a - g theta_b|| is below, g any symmetry; one run each, of one shape.

    Let g move unit P(i) of a hidden layer of b, with a sign, to where unit i of a stands. What ties a unit to something
    that no g moves (inputs, its bias, outputs) costs ||e_i - s f_P(i)||^2, at least the lesser of the two signs. A
    matrix between two hidden layers has its columns moved by the one and its rows by the other. Whatever happens to
    its rows, column i against column P(i) costs at least the squared distance of their sorted absolute values
    (rearrangement inequality); likewise for rows. The whole matrix is the sum over its columns and also the sum over
    its rows, so it is at least any mixture of the two bounds. Each hidden layer then has a cost for every pair of
    units, and the cheapest assignment of its units, found by itself, costs no more than g does there. The sum over
    layers, with the output's bias, which nothing moves, is the bound; the best of 21 mixtures is taken.

    Cost: 21 assignments a layer, 10 ms for two hidden layers of 25 units.
    """
    fixed = float(np.square(a.biases[-1] - b.biases[-1]).sum())
    best = max(sum(_layer(a, b, layer, share) for layer in range(len(a.hidden))) for share in SHARES)
    return float(np.sqrt(fixed + best))


def _layer(a: WeightArrays, b: WeightArrays, layer: int, share: float) -> float:
    """The cheapest assignment of one hidden layer's units when nothing else is known."""
    e, f = _tied(a, layer)[:, None], _tied(b, layer)[None]
    cost = np.minimum(np.square(e - f).sum(2), np.square(e + f).sum(2))
    if layer > 0:
        cost += (1 - share) * _sorted_gap(_incoming(a, layer), _incoming(b, layer))
    if layer < len(a.hidden) - 1:
        cost += share * _sorted_gap(_outgoing(a, layer), _outgoing(b, layer))
    return float(cost[linear_sum_assignment(cost)].sum())


def _tied(arrays: WeightArrays, layer: int) -> Array:
    """For each unit its weights to what no symmetry moves: its bias, the inputs, the outputs; [units, ...]."""
    parts = [arrays.biases[layer][0][:, None]]
    if layer == 0:
        parts.append(_incoming(arrays, layer))
    if layer == len(arrays.hidden) - 1:
        parts.append(_outgoing(arrays, layer))
    return np.concatenate(parts, axis=1)


def _incoming(arrays: WeightArrays, layer: int) -> Array:
    return arrays.weights[layer][0].reshape(arrays.hidden[layer], -1)


def _outgoing(arrays: WeightArrays, layer: int) -> Array:
    return arrays.weights[layer + 1][0].transpose(1, 0, 2).reshape(arrays.hidden[layer], -1)


def _sorted_gap(first: Array, second: Array) -> Array:
    """[n, n] least squared distances of rows of `first` and `second` over all signed permutations of their entries."""
    one, two = (np.sort(np.abs(vectors), axis=1) for vectors in (first, second))
    return np.square(one[:, None] - two[None]).sum(2)
