"""What a relu network may gain by rescaling its units, and where a penalty stops gaining.

For c > 0, relu(c z) = c relu(z): multiplying the incoming weights of a hidden unit by c and dividing its outgoing
weights by c leaves the function as it is. A penalty sum |w|^p is not left as it is. Over all rescalings, unit j
scaled by exp(s_j), it is F(s) = sum over weights of |w|^p exp(p (s_out - s_in)), with s = 0 at inputs and outputs: a
sum of exponentials of linear forms, hence convex. If every unit lies on a path of non-zero weights from an input to
an output, F is coercive (a direction d along which it stays bounded has d_out <= d_in on each non-zero weight, so
d <= 0 going down from an input and d >= 0 going up from an output) and strictly convex, and its minimiser is unique.
There the derivative by each s_j is zero: ||w_in,j||_p = ||w_out,j||_p. For a filter that positions share, a weight
counts once, as in the penalty: the balance is between a channel's filter and the taps that read the channel.
With p = 2 this is equi-normalization: Stock, Graham, Gribonval and Jégou, ICLR 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from sparsenn_core.recovery.unneeded_units import remove_dead_
from sparsenn_core.recovery.weight_arrays import WeightArrays, layer_weights, weight_arrays

_SWEEPS = 10_000


def balance_(arrays: WeightArrays, power: int = 1) -> WeightArrays:
    """Scale the units of relu networks without biases so that incoming and outgoing weights have equal p-norms.

    The unique balanced point of the rescaling orbit and the minimiser of sum |w|^p on it, p = `power`. In place,
    layer after layer until no log-factor exceeds 1e-13. Units without an incoming or without an outgoing weight stay
    as they are; remove dead units first.
    """
    for _ in range(_SWEEPS):
        largest = 0.0
        for layer in range(len(arrays.weights) - 1):
            w, after = arrays.weights[layer], arrays.weights[layer + 1]
            inward, outward = (np.abs(w) ** power).sum((2, 3)), (np.abs(after) ** power).sum((1, 3))
            live = (inward > 0) & (outward > 0)
            log = np.log(np.where(live, outward, 1.0) / np.where(live, inward, 1.0)) / (2 * power)
            arrays.weights[layer] = w * np.exp(log)[:, :, None, None]
            arrays.weights[layer + 1] = after * np.exp(-log)[:, None, :, None]
            largest = max(largest, float(np.abs(log).max(initial=0.0)))
        if largest < 1e-13:
            break
    return arrays


def _rescaled_minimum(network: nn.Module | Sequence[Tensor], power: int) -> float:
    arrays = balance_(remove_dead_(weight_arrays(layer_weights(network), batched=False), "relu"), power)
    return float(sum((np.abs(w) ** power).sum() for w in arrays.weights))


def relu_l1_optimum(network: nn.Module | Sequence[Tensor]) -> float:
    """The least sum of |w| over all unit rescalings of a relu network without biases (module or layer weights).

    With one unit in every hidden layer it is L (a_1 ... a_L)^(1/L), where a_l is the L1 norm of layer l, by the
    inequality of the arithmetic and geometric means: 9.169 for the baseline teacher. Times a small strength it is,
    to first order, the value of the L1-penalised objective at its minimum near this function; always an upper bound
    of the minimum over students that can represent the network.
    """
    return _rescaled_minimum(network, 1)


def relu_l2_optimum(network: nn.Module | Sequence[Tensor]) -> float:
    """The least sum of w^2 over all unit rescalings; with one unit a hidden layer, L (b_1 ... b_L)^(1/L), where b_l is
    the sum of squares of layer l. Otherwise as `relu_l1_optimum`."""
    return _rescaled_minimum(network, 2)
