"""The group of unit permutations and sign flips, and the search for its best element.

A group element g has one (signed) permutation P of the units of each hidden layer and acts as
(W_l, b_l, W_{l+1}) -> (P W_l, P b_l, W_{l+1} P^T); it moves weights and changes no length. With the permutations of
the layers before and after held fixed, the best P for one layer solves a linear assignment problem with gain
G = W_l W'_l^T + b_l b'_l^T + W_{l+1}^T W'_{l+1} (|G| where signs are free): weight matching, Ainsworth, Hayase and
Srinivasa, "Git Re-Basin", ICLR 2023, section 3.2, here with signs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sparsenn_core.recovery.weight_arrays import Array, WeightArrays

Index = NDArray[np.intp]
_ALL_AT_ONCE = 4  # up to so many units, trying all n! permutations of a whole batch beats one solver call a run


def _permutations(n: int) -> Index:
    return np.array(list(itertools.permutations(range(n))), dtype=np.intp)


def assign(gain: Array, *, signed: bool) -> tuple[Index, Array]:
    """The permutations and signs with the largest total gain, for a batch of square gains [runs, n, n].

    `order[r, j]` is the column given to row j and `sign[r, j]` its sign (1 throughout unless `signed`). Exact.
    """
    runs, n, _ = gain.shape
    worth = np.abs(gain) if signed else gain
    if n <= _ALL_AT_ONCE:
        choices = _permutations(n)
        totals = worth[:, np.arange(n), choices].sum(-1)
        order = choices[totals.argmax(1)]
    else:
        order = np.stack([linear_sum_assignment(w, maximize=True)[1] for w in worth])
    chosen = np.take_along_axis(gain, order[:, :, None], 2)[:, :, 0]
    return order, np.where(chosen < 0, -1.0, 1.0) if signed else np.ones((runs, n))


def move(arrays: WeightArrays, layer: int, order: Index, sign: Array) -> None:
    """Put unit order[r, j] of hidden `layer` in place j, with sign[r, j], in every run; in place."""
    w, b, after = arrays.weights[layer], arrays.biases[layer], arrays.weights[layer + 1]
    arrays.weights[layer] = np.take_along_axis(w, order[:, :, None, None], 1) * sign[:, :, None, None]
    arrays.biases[layer] = np.take_along_axis(b, order, 1) * sign
    arrays.weights[layer + 1] = np.take_along_axis(after, order[:, None, :, None], 2) * sign[:, None, :, None]


def gains(target: WeightArrays, source: WeightArrays, layer: int) -> Array:
    """G[r, j, k]: what giving place j of hidden `layer` to the source's unit k adds to the inner product."""

    def rows(arrays: WeightArrays) -> Array:
        w, after = arrays.weights[layer], arrays.weights[layer + 1].transpose(0, 2, 1, 3)
        flat = [w.reshape(*w.shape[:2], -1), arrays.biases[layer][:, :, None], after.reshape(*after.shape[:2], -1)]
        return np.concatenate(flat, axis=2)

    return rows(target) @ rows(source).transpose(0, 2, 1)


def descend(
    target: WeightArrays, source: WeightArrays, layers: Sequence[int], *, signed: bool, sweeps: int = 100
) -> WeightArrays:
    """Alternate exact assignments, hidden layer by hidden layer, until none improves; `source` is moved in place.

    `layers` are all the hidden layers, in the order of the sweeps. The distance never grows; the end is a local
    minimum over the group, and the global one where there is a single hidden layer. A run's result does not depend on
    the others.
    """
    for _ in range(sweeps):
        moved = False
        for layer in layers:
            gain = gains(target, source, layer)
            order, sign = assign(gain, signed=signed)
            before = np.trace(gain, axis1=1, axis2=2)
            after = (np.take_along_axis(gain, order[:, :, None], 2)[:, :, 0] * sign).sum(1)
            # ties must not be taken for progress, or two equal assignments would alternate for ever
            better = after > before + 1e-12 * np.abs(gain).max(axis=(1, 2))
            if better.any():
                moved = True
                stay = np.arange(gain.shape[1])
                move(source, layer, np.where(better[:, None], order, stay), np.where(better[:, None], sign, 1.0))
        if not moved or len(layers) == 1:
            break
    return source


def random_element(units: int, rng: np.random.Generator, *, signed: bool) -> tuple[Index, Array]:
    """A uniform (signed) permutation of `units` units: order [units] and sign [units]."""
    return rng.permutation(units), rng.choice([-1.0, 1.0], units) if signed else np.ones(units)


def enumerated_layers(hidden: list[int], *, signed: bool) -> tuple[list[int], int]:
    """Which layers an exact search has to enumerate, and how many elements that makes.

    With every second hidden layer held fixed the others no longer touch each other, and each is one assignment
    problem; so only the cheaper half of the layers is enumerated, and none of a network with one hidden layer.
    """

    def size(layers: list[int]) -> int:
        return math.prod(math.factorial(hidden[i]) * (2 ** hidden[i] if signed else 1) for i in layers)

    even, odd = list(range(0, len(hidden), 2)), list(range(1, len(hidden), 2))
    best = min(even, odd, key=size)
    return best, size(best)


def exact_search(target: WeightArrays, source: WeightArrays, *, signed: bool) -> WeightArrays:
    """The source's runs moved, each by the group element that brings it closest to the target (one run).

    The layers of `enumerated_layers` are tried out, the others assigned. Cost grows with the number of elements; call
    it where that is a few thousand at most.
    """
    layers, elements = enumerated_layers(source.hidden, signed=signed)
    runs = source.runs
    tiled = source.select(np.repeat(np.arange(runs), elements))
    choices: list[list[tuple[Index, Array]]] = []
    for layer in layers:
        n = source.hidden[layer]
        signs = np.array(list(itertools.product([1.0, -1.0], repeat=n))) if signed else np.ones((1, n))
        choices.append([(order, sign) for order in _permutations(n) for sign in signs])
    for position, layer in enumerate(layers):
        picks = [element[position] for element in itertools.product(*choices)]
        order, sign = np.array([p[0] for p in picks]), np.array([p[1] for p in picks])
        move(tiled, layer, np.tile(order, (runs, 1)), np.tile(sign, (runs, 1)))
    for layer in range(len(source.hidden)):
        if layer not in layers:
            move(tiled, layer, *assign(gains(target, tiled, layer), signed=signed))
    squared = target.squared_distance(tiled).reshape(runs, elements)
    return tiled.select(np.arange(runs) * elements + squared.argmin(1))
