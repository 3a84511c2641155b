"""One representative for all weights that compute the same function by the known symmetries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from sparsenn_core.recovery.rescaling import balance_
from sparsenn_core.recovery.symmetry import move
from sparsenn_core.recovery.unneeded_units import merge_duplicates_, remove_dead_
from sparsenn_core.recovery.weight_arrays import (
    WeightArrays,
    as_tensors,
    hidden_activation,
    known_activation,
    layer_weights,
    weight_arrays,
)


def reduced(arrays: WeightArrays, activation: str, tolerance: float) -> WeightArrays:
    """A copy without dead units and duplicates and, for relu, with balanced scales (`rescaling.balance_`, power 1).

    Shapes stay: a removed unit keeps its place with zero weights. What is left to choose is the order of the units
    and, for tanh, their signs.
    """
    known_activation(activation)
    arrays = arrays.copy()
    nonzeros = -1
    # a merge can make units of the next layer equal or dead, and a death can make others equal
    while (left := sum(int(np.count_nonzero(w)) for w in arrays.weights)) != nonzeros:
        nonzeros = left
        merge_duplicates_(remove_dead_(arrays, activation), activation, tolerance)
    return balance_(arrays) if activation == "relu" else arrays


def canonical(
    network: nn.Module | Sequence[Tensor], activation: str | None = None, *, tolerance: float = 1e-6
) -> list[Tensor]:
    """The canonical weights of a `TreeCNN` or `MLP` without biases (module or layer weights), float64, same shapes.

    Dead units become zero, duplicates are merged (within `tolerance`, see `merge_duplicates_`); relu: every unit's
    incoming and outgoing weights have the same L1 norm; tanh: a unit's largest incoming weight in absolute value is
    positive; units are sorted by the Euclidean norm of their incoming weights, largest first. The function stays the
    same; two networks that differ by a symmetry get the same weights, up to rounding and ties. Sorting makes the form
    discontinuous where two norms cross: to measure a distance use `aligned`, which searches instead.
    """
    name, like = hidden_activation(network, activation), layer_weights(network)
    arrays = reduced(weight_arrays(like, batched=False), name, tolerance)
    for layer in range(len(arrays.hidden)):
        rows = arrays.weights[layer].reshape(1, arrays.hidden[layer], -1)
        peak = np.take_along_axis(rows, np.abs(rows).argmax(2)[:, :, None], 2)[:, :, 0]
        sign = np.where((peak < 0) & (name == "tanh"), -1.0, 1.0)
        order = np.argsort(-np.linalg.norm(rows, axis=2), axis=1, kind="stable")
        move(arrays, layer, order, np.take_along_axis(sign, order, 1))
    return as_tensors(arrays.weights, like, batched=False)
