"""How far a network is from its own symmetric copies: a certificate for an alignment."""

from __future__ import annotations

import numpy as np

from sparsenn_core.recovery.weight_arrays import Array, WeightArrays


def _least_move(vectors: Array, extra: Array | None = None) -> float:
    """A lower bound of sum_j ||s_j v_{P(j)} - v_j||^2 (+ extra[j, P(j)]) over all signed permutations but the identity.

    Either some vector only changes its sign, which costs 4 ||v_j||^2; or at least two take each other's places, each
    at the cost of the nearest pair, up to sign. Equality without `extra` (a flip, or one transposition).
    """
    flip = 4 * float(np.square(vectors).sum(1).min())
    if len(vectors) == 1:
        return flip
    # differences rather than Gram matrices, which would cancel where two vectors are nearly equal
    difference = np.square(vectors[:, None] - vectors[None]).sum(2)
    total = np.square(vectors[:, None] + vectors[None]).sum(2)
    pair = np.minimum(difference, total) + (0.0 if extra is None else extra)
    return min(flip, 2 * float(pair[~np.eye(len(vectors), dtype=bool)].min()))


def _sorted_gap(vectors: Array) -> Array:
    """[n, n] least squared distances of the vectors over all signed permutations of their entries (rearrangement)."""
    ordered = np.sort(np.abs(vectors), axis=1)
    return np.square(ordered[:, None] - ordered[None]).sum(2)


def separation(arrays: WeightArrays) -> float:
    """A lower bound of min ||g theta - theta|| over all symmetries g of a tanh network (one run) but the identity.

    Elements that move one hidden layer only are covered exactly. For the others let l be the first and m > l the last
    layer that moves: P_l moves the rows (w_in, b) of l and P_m the columns (b, w_out) of m, and nothing undoes that.
    In between, the matrix behind l has its columns moved by P_l and its rows rearranged by something else, which costs
    at least the distance of the sorted absolute values of its columns; likewise for the rows of the matrix before m.
    The two may be the same matrix, so each counts half.

    If ||g' theta' - theta|| is below half the separation of theta (or of theta'), then g' is the best element: for any
    other g, ||g theta' - theta|| >= separation - ||g' theta' - theta||.
    """
    first, last, alone = [], [], []
    for layer, units in enumerate(arrays.hidden):
        inward = arrays.weights[layer][0].reshape(units, -1)
        bias = arrays.biases[layer][0][:, None]
        outward = arrays.weights[layer + 1][0].transpose(1, 0, 2).reshape(units, -1)
        alone.append(_least_move(np.concatenate([inward, bias, outward], axis=1)))
        first.append(_least_move(np.concatenate([inward, bias], axis=1), _sorted_gap(outward) / 2))
        last.append(_least_move(np.concatenate([bias, outward], axis=1), _sorted_gap(inward) / 2))
    joint = [first[i] + last[j] for i in range(len(first)) for j in range(i + 1, len(last))]
    return float(np.sqrt(min(alone + joint)))
