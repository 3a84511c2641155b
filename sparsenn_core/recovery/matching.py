"""The best group element that several searches can find, and whether it is known to be the best there is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.recovery.stacks import Array, Stack, hidden_activations
from sparsenn_core.recovery.symmetry import (
    assign,
    descend,
    enumerated_layers,
    exact_search,
    move,
    random_elements,
)

ENUMERATE_UP_TO = 5040  # 7! permutations, or 5! * 2^5 signed ones (3840)
_CHUNK = 5_000_000  # numbers held at once by the copies of a batch


def match_activations(target: Stack, source: Stack, activation: str, inputs: Array, *, signed: bool) -> Stack:
    """The source with the units of each hidden layer assigned to the target's by what they compute on `inputs`.

    Each layer's assignment has the least sum of squared differences of the hidden activations (up to sign where
    `signed`), on its own; weights play no part. `source` is moved in place.
    """
    ours, theirs = (hidden_activations(stack, activation, inputs) for stack in (target, source))
    for layer, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        move(source, layer, *assign(a @ b.transpose(0, 2, 1), signed=signed))
    return source


def _started(
    target: Stack, source: Stack, activation: str, *, signed: bool, inputs: Array, starts: int, rng: np.random.Generator
) -> Stack:
    """The best, run by run, of the descents from the source as it is, from the activation match, and `starts` random
    elements of the group."""
    candidates = [source.select(slice(None))]
    candidates.append(match_activations(target, source.select(slice(None)), activation, inputs, signed=signed))
    for _ in range(starts):
        shuffled = source.select(slice(None))
        for layer, units in enumerate(source.hidden):
            move(shuffled, layer, *random_elements(units, source.runs, rng, signed=signed))
        candidates.append(shuffled)
    best = descend(target, candidates[0], signed=signed)
    least = target.squared_distance(best)
    for candidate in candidates[1:]:
        moved = descend(target, candidate, signed=signed)
        squared = target.squared_distance(moved)
        better = squared < least
        for kept, new in zip(best.weights + best.biases, moved.weights + moved.biases, strict=True):
            kept[better] = new[better]
        least = np.minimum(least, squared)
    return best


def matched(
    target: Stack,
    source: Stack,
    activation: str,
    *,
    inputs: Array,
    starts: int,
    rng: np.random.Generator,
    enumerate_up_to: int = ENUMERATE_UP_TO,
) -> tuple[Stack, NDArray[np.bool_]]:
    """The source's runs, each moved close to `target` (one run), and whether no group element brings it closer.

    Signs are free for tanh, which is odd. The search is exact, by enumeration, where that takes `enumerate_up_to`
    elements or fewer, and for one hidden layer; otherwise several descents are made, an upper bound of the distance.
    """
    signed = activation == "tanh"
    _, elements = enumerated_layers(source.hidden, signed=signed)
    exact = elements <= max(enumerate_up_to, 1)
    size = sum(w[0].size for w in source.weights) * (elements if exact else 1)
    parts = []
    for first in range(0, source.runs, max(1, _CHUNK // size)):
        part = source.select(slice(first, first + max(1, _CHUNK // size)))
        if exact:
            parts.append(exact_search(target, part, signed=signed))
        else:
            parts.append(_started(target, part, activation, signed=signed, inputs=inputs, starts=starts, rng=rng))
    moved = Stack(
        [np.concatenate(arrays) for arrays in zip(*(p.weights for p in parts), strict=True)],
        [np.concatenate(arrays) for arrays in zip(*(p.biases for p in parts), strict=True)],
    )
    return moved, np.full(source.runs, exact) | (target.squared_distance(moved) == 0)
