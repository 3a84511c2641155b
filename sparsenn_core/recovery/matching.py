"""The best group element that several searches can find, and whether it is known to be the best there is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.recovery.symmetry import (
    assign,
    descend,
    enumerated_layers,
    exact_search,
    move,
    random_element,
)
from sparsenn_core.recovery.weight_arrays import Array, WeightArrays, hidden_activations

ENUMERATE_UP_TO = 5040  # 7! permutations, or 5! * 2^5 signed ones (3840)
_CHUNK = 5_000_000  # numbers held at once by the copies of a batch
_LARGEST_SEARCH = 20_000_000  # numbers an exact search may hold for one run


def match_activations(
    target: WeightArrays, source: WeightArrays, activation: str, inputs: Array, *, signed: bool
) -> WeightArrays:
    """The source with the units of each hidden layer assigned to the target's by what they compute on `inputs`.

    Each layer's assignment has the least sum of squared differences of the hidden activations (up to sign where
    `signed`), on its own; weights play no part. `source` is moved in place.
    """
    ours, theirs = (hidden_activations(arrays, activation, inputs) for arrays in (target, source))
    for layer, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        move(source, layer, *assign(a @ b.transpose(0, 2, 1), signed=signed))
    return source


def _joined(parts: Sequence[WeightArrays]) -> WeightArrays:
    """The runs of all parts, one part after the other."""
    return WeightArrays(
        [np.concatenate(arrays) for arrays in zip(*(p.weights for p in parts), strict=True)],
        [np.concatenate(arrays) for arrays in zip(*(p.biases for p in parts), strict=True)],
    )


def _started(
    target: WeightArrays, source: WeightArrays, activation: str, *, signed: bool, inputs: Array, starts: int, seed: int
) -> WeightArrays:
    """The best, run by run, of the descents from the source as it is, from the activation match, and from `starts`
    random elements of the group, the same for every run."""
    rng = np.random.default_rng(seed)
    candidates = [source, match_activations(target, source.copy(), activation, inputs, signed=signed)]
    for _ in range(starts):
        shuffled = source.copy()
        for layer, units in enumerate(source.hidden):
            order, sign = random_element(units, rng, signed=signed)
            move(shuffled, layer, np.tile(order, (source.runs, 1)), np.tile(sign, (source.runs, 1)))
        candidates.append(shuffled)
    together, layers = _joined(candidates), range(len(source.hidden))
    # the layer assigned first forgets its own arrangement, so both ends of the network have their turn
    ends = [descend(target, together.copy(), order, signed=signed) for order in (layers, layers[::-1])]
    moved = _joined([source, *ends])
    squared = target.squared_distance(moved).reshape(-1, source.runs)
    return moved.select(squared.argmin(0) * source.runs + np.arange(source.runs))


def matched(
    target: WeightArrays,
    source: WeightArrays,
    activation: str,
    *,
    signed: bool,
    inputs: Array,
    starts: int,
    seed: int,
    enumerate_up_to: int = ENUMERATE_UP_TO,
) -> tuple[WeightArrays, NDArray[np.bool_]]:
    """The source's runs, each moved close to `target` (one run), and whether no group element brings it closer.

    `signed` lets units change sign, as tanh, which is odd, allows. The search is exact, by enumeration, where that
    takes `enumerate_up_to` elements or fewer (and the copies fit into about half a gigabyte), and for one hidden
    layer; otherwise several descents are made, an upper bound of the distance. A run's result does not depend on the
    other runs.
    """
    _, elements = enumerated_layers(source.hidden, signed=signed)
    size = sum(w[0].size for w in source.weights)
    exact = elements == 1 or (elements <= enumerate_up_to and elements * size <= _LARGEST_SEARCH)
    chunk = max(1, _CHUNK // (size * (elements if exact else starts + 2)))
    parts = []
    for first in range(0, source.runs, chunk):
        part = source.select(slice(first, first + chunk))
        if exact:
            parts.append(exact_search(target, part, signed=signed))
        else:
            parts.append(_started(target, part, activation, signed=signed, inputs=inputs, starts=starts, seed=seed))
    moved = _joined(parts)
    return moved, np.full(source.runs, exact) | (target.squared_distance(moved) == 0)
