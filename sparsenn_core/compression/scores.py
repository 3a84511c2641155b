"""Loss and accuracy of a network on data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.compression.samples import Samples
from sparsenn_core.errors import InputError

Loss = Callable[[Tensor, Tensor], Tensor]
"""A loss: outputs [n, ...] and targets [n, ...] to their mean loss, a scalar."""


@dataclass(frozen=True)
class Score:
    """Mean loss and share of right classes over `samples` samples; accuracy is None where targets are no classes."""

    loss: float
    accuracy: float | None
    samples: int


def loss_for(targets: Tensor) -> Loss:
    """Cross-entropy for classes (integer targets [n]), else the mean squared error."""
    if targets.dtype.is_floating_point:
        return _mean_squared_error
    return nn.functional.cross_entropy


def score(model: nn.Module, data: Samples, loss: Loss) -> Score:
    """The scores of a network in the mode it is in; sums over batches in float64. One pass."""
    total, right, count, classes = 0.0, 0, 0, True
    with torch.no_grad():
        for x, y in data:
            outputs, value = evaluated(model, x, y, loss)
            total += float(value) * len(x)
            count += len(x)
            classes &= not y.dtype.is_floating_point and outputs.ndim == 2 and y.ndim == 1
            right += int((outputs.argmax(1) == y).sum()) if classes else 0
    if not count:
        raise InputError("compression: there are no data")
    return Score(total / count, right / count if classes else None, count)


def evaluated(model: nn.Module, x: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """Outputs and loss on a batch; `InputError` if the data do not fit the network or the loss, or are not finite."""
    try:
        outputs = model(x)
    except Exception as error:  # whatever the user's `forward` makes of these inputs
        raise InputError(
            f"compression: inputs {['n', *x.shape[1:]]} do not fit the network: {_first(error)}"
        ) from error
    if not isinstance(outputs, Tensor):
        raise InputError(f"compression: the network gives {type(outputs).__name__}; one tensor is needed")
    try:
        value = loss(outputs, y)
    except Exception as error:  # whatever the loss makes of these targets
        shapes = f"targets {['n', *y.shape[1:]]} do not fit outputs {['n', *outputs.shape[1:]]}"
        raise InputError(f"compression: {shapes}: {_first(error)}") from error
    if value.ndim or not math.isfinite(float(value)):
        raise InputError(f"compression: the loss must be one finite number; it is {value.tolist()}")
    return outputs, value


def _first(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    if outputs.shape != targets.shape:
        # PyTorch would broadcast them, and only warn
        raise InputError("shapes differ")
    return nn.functional.mse_loss(outputs, targets)
