"""Units that a network does not need: dead ones and duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.recovery.stacks import Array, Stack, read_module, stacked


def as_stack(network: nn.Module | Sequence[Tensor | Array]) -> Stack:
    """The stack, of one run, of a network or of its layer weights; `InputError` if it has a non-zero bias."""
    stack = read_module(network) if isinstance(network, nn.Module) else stacked(network, batched=False)
    if any(b.any() for b in stack.biases):
        raise InputError("only networks without biases are put into canonical form; set their biases to zero")
    return stack


def remove_dead_(stack: Stack, activation: str) -> Stack:
    """Set every weight of dead hidden units to zero, in place; the function stays as it is (no biases).

    A unit is dead without a non-zero outgoing weight; for relu and tanh also without a non-zero incoming one (a
    sigmoid unit then emits the constant 1/2 and is not dead); for relu also, after the first layer, without a
    positive incoming weight, as what comes in is not negative. Removing one may kill another, so it is repeated.
    """
    while True:
        found = False
        for layer in range(len(stack.weights) - 1):
            w, after = stack.weights[layer], stack.weights[layer + 1]
            speaks = (after != 0).any((1, 3))
            hears = np.ones_like(speaks)
            if activation != "sigmoid":
                hears = ((w > 0) if activation == "relu" and layer > 0 else (w != 0)).any((2, 3))
            dead = ~(speaks & hears)
            found |= bool((w != 0).any((2, 3))[dead].any() or speaks[dead].any())
            stack.weights[layer] = np.where(dead[:, :, None, None], 0.0, w)
            stack.weights[layer + 1] = np.where(dead[:, None, :, None], 0.0, after)
        if not found:
            return stack


def _merge_run(w: Array, after: Array, same: Array, factor: Array) -> None:
    """Merge the duplicate units of one run, in place: unit j into the first unit that it equals."""
    gone: set[int] = set()
    for j in range(1, len(w)):
        for i in np.flatnonzero(same[j, :j]):
            if i not in gone:
                after[:, i] += factor[i, j] * after[:, j]
                after[:, j], w[j] = 0.0, 0.0
                gone.add(j)
                break


def merge_duplicates_(stack: Stack, activation: str, tolerance: float) -> Stack:
    """Merge hidden units that compute the same thing, up to the factor the activation lets through, in place.

    relu: incoming weights that are positive multiples of each other; tanh: equal up to sign; sigmoid: equal. The
    outgoing weights are added, times that factor. `tolerance` is the largest difference of the incoming weights,
    relative to the larger one's Euclidean norm (relu: of the unit vectors).
    """
    for layer in range(len(stack.weights) - 1):
        w, after = stack.weights[layer], stack.weights[layer + 1]
        u = w.reshape(*w.shape[:2], -1)
        norm = np.linalg.norm(u, axis=2)
        live = (after != 0).any((1, 3))
        if activation == "relu":
            u = u / np.where(norm > 0, norm, 1.0)[:, :, None]
            factor = norm[:, None, :] / np.where(norm > 0, norm, 1.0)[:, :, None]
            scale = np.ones_like(factor)
        else:
            scale = np.maximum(norm[:, :, None], norm[:, None, :])
            factor = np.ones_like(scale)
        inner = u @ u.transpose(0, 2, 1)
        if activation == "tanh":
            factor = np.where(inner < 0, -1.0, 1.0)
        # the Gram matrix only preselects: ||u - v||^2 from it is accurate to about 1e-16 of the norms, not to 1e-32
        square = np.diagonal(inner, axis1=1, axis2=2)
        rough = square[:, :, None] + square[:, None, :] - 2 * np.abs(inner)
        near = (rough <= (2 * tolerance**2 + 1e-14) * scale**2) & live[:, :, None] & live[:, None, :]
        for r, j, i in np.argwhere(np.tril(near, -1)):
            sign = factor[r, i, j] if activation == "tanh" else 1.0
            near[r, j, i] = np.linalg.norm(u[r, i] - sign * u[r, j]) <= tolerance * scale[r, i, j]
        near = np.tril(near, -1)
        for r in np.flatnonzero(near.any((1, 2))):
            _merge_run(w[r], after[r], near[r], factor[r])
    return stack
