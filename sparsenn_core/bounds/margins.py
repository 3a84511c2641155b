"""Margins of a classifier, and the share of samples whose margin is below gamma."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sparsenn_core.errors import InputError


def margins(outputs: Tensor, y: Tensor) -> Tensor:
    """The margin [n] of each sample: the output [n, C] of its class minus the largest other one.

    With one output, labels are 0 and 1 or -1 and 1, and the margin is the output times the sign of the label. A sample
    with margin 0 or below counts as an error, ties included.
    """
    if outputs.shape[1] == 1:
        return outputs[:, 0] * (2.0 * (y > 0) - 1.0).to(outputs.dtype)
    own = outputs.gather(1, y[:, None])[:, 0]
    others = outputs.scatter(1, y[:, None], -torch.inf).max(dim=1).values
    return own - others


def margins_of(network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, batch: int = 256) -> Tensor:
    """The margins [n] of a network on samples x [n, ...], evaluated so many at a time."""
    parts = zip(x.split(batch), y.split(batch), strict=True)
    return torch.cat([margins(network(rows), labels) for rows, labels in parts])


def checked_labels(y: Tensor, outputs: int, count: int) -> Tensor:
    """The labels [n] as whole numbers, or an `InputError`: of wrong shape, out of range, or all of one class."""
    y = torch.as_tensor(y)
    if y.ndim != 1 or len(y) != count:
        raise InputError(f"labels must be {count} class numbers [n], one a sample, not {list(y.shape)}")
    if y.dtype.is_floating_point and not bool((y == y.round()).all()):
        raise InputError("labels must be class numbers; these are not whole numbers")
    y = y.long()
    if outputs > 1 and not 0 <= int(y.min()) <= int(y.max()) < outputs:
        raise InputError(f"labels lie in [{int(y.min())}, {int(y.max())}]; the network has classes 0 to {outputs - 1}")
    if outputs == 1 and not set(y.unique().tolist()) <= {-1, 0, 1}:
        raise InputError("one output is a binary classifier: labels are 0 and 1, or -1 and 1")
    if len(y.unique()) < 2:
        raise InputError(f"all {count} labels are {int(y[0])}: with one class there is nothing to tell apart")
    return y


def margin_error(found: Tensor, gamma: float) -> float:
    """The share of margins [n] below gamma; it is at least the ramp loss that the bounds are about."""
    return float((found < gamma).double().mean())


def error(found: Tensor) -> float:
    """The share of margins [n] that are 0 or below."""
    return float((found <= 0).double().mean())
