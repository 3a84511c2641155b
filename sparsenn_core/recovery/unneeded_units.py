"""Units that a network does not need: dead ones and duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.recovery.weight_arrays import Array, WeightArrays


def remove_dead_(arrays: WeightArrays, activation: str) -> WeightArrays:
    """Set every weight of dead hidden units to zero, in place; the function stays as it is (no biases).

    A unit is dead without a non-zero outgoing weight; for relu and tanh also without a non-zero incoming one (a
    sigmoid unit then emits the constant 1/2 and is not dead); for relu also, after the first layer, without a
    positive incoming weight, as what comes in is not negative. Removing one may kill another, so it is repeated.
    """
    while True:
        found = False
        for layer in range(len(arrays.weights) - 1):
            w, after = arrays.weights[layer], arrays.weights[layer + 1]
            speaks = (after != 0).any((1, 3))
            hears = np.ones_like(speaks)
            if activation != "sigmoid":
                hears = ((w > 0) if activation == "relu" and layer > 0 else (w != 0)).any((2, 3))
            dead = ~(speaks & hears)
            found |= bool((w != 0).any((2, 3))[dead].any() or speaks[dead].any())
            arrays.weights[layer] = np.where(dead[:, :, None, None], 0.0, w)
            arrays.weights[layer + 1] = np.where(dead[:, None, :, None], 0.0, after)
        if not found:
            return arrays


def _merge_run(w: Array, after: Array, same: NDArray[np.bool_], factor: Array) -> None:
    """Merge the duplicate units of one run, in place: unit j into the first unit that it equals."""
    gone: set[int] = set()
    for j in range(1, len(w)):
        for i in np.flatnonzero(same[j, :j]):
            if i not in gone:
                after[:, i] += factor[i, j] * after[:, j]
                after[:, j], w[j] = 0.0, 0.0
                gone.add(j)
                break


def _duplicates(u: Array, activation: str, tolerance: float) -> tuple[NDArray[np.bool_], Array]:
    """For incoming weights u [runs, units, n]: same[r, j, i] whether units i < j of run r compute multiples of each
    other, and factor[r, i, j] with unit j = factor * unit i."""
    norm = np.linalg.norm(u, axis=2)
    scale = np.maximum(norm[:, :, None], norm[:, None, :])
    factor = np.ones_like(scale)
    if activation == "relu":
        positive = np.where(norm > 0, norm, 1.0)
        u, scale, factor = u / positive[:, :, None], factor, norm[:, None, :] / positive[:, :, None]
    inner = u @ u.transpose(0, 2, 1)
    if activation == "tanh":
        factor = np.where(inner < 0, -1.0, 1.0)
    # the Gram matrix only preselects, as it gives ||u - v||^2 to 1e-16 of the norms and no better
    square = np.diagonal(inner, axis1=1, axis2=2)
    rough = square[:, :, None] + square[:, None, :] - 2 * np.abs(inner)
    same = np.tril(rough <= (2 * tolerance**2 + 1e-14) * scale**2, -1)
    for r, j, i in np.argwhere(same):
        sign = factor[r, i, j] if activation == "tanh" else 1.0
        same[r, j, i] = np.linalg.norm(u[r, i] - sign * u[r, j]) <= tolerance * scale[r, i, j]
    return same, factor


def merge_duplicates_(arrays: WeightArrays, activation: str, tolerance: float) -> WeightArrays:
    """Merge hidden units that compute the same thing, up to the factor the activation lets through, in place.

    relu: incoming weights that are positive multiples of each other; tanh: equal up to sign; sigmoid: equal. The
    outgoing weights are added, times that factor. `tolerance` is the largest difference of the incoming weights,
    relative to the larger one's Euclidean norm (relu: of the unit vectors).
    """
    for layer in range(len(arrays.weights) - 1):
        w, after = arrays.weights[layer], arrays.weights[layer + 1]
        same, factor = _duplicates(w.reshape(*w.shape[:2], -1), activation, tolerance)
        live = (after != 0).any((1, 3))
        same &= live[:, :, None] & live[:, None, :]
        for r in np.flatnonzero(same.any((1, 2))):
            _merge_run(w[r], after[r], same[r], factor[r])
    return arrays
