"""The two losses of `minimise`, each with its value and its Gauss-Newton matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError

Array = np.ndarray


class Criterion(Protocol):
    """A convex loss of outputs [n, out], the mean over samples."""

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss, a scalar."""

    def curvature(self, jacobians: Iterable[Array], outputs: Tensor) -> Iterator[Array]:
        """Matrices [d, d] whose sum is J' H J, H the Hessian in the outputs; `jacobians` gives [n, d] by output."""


class SquaredError:
    """The mean of (output - target)^2 over samples and outputs."""

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().mean()

    def curvature(self, jacobians: Iterable[Array], outputs: Tensor) -> Iterator[Array]:
        for jacobian in jacobians:
            yield 2 * jacobian.T @ jacobian / outputs.numel()


class CrossEntropy:
    """The mean over samples of -log softmax(outputs)[class].

    H = diag(p) - p p' for each sample, with p = softmax(outputs): the generalised Gauss-Newton matrix, which is never
    indefinite (Schraudolph 2002).
    """

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    def curvature(self, jacobians: Iterable[Array], outputs: Tensor) -> Iterator[Array]:
        share = outputs.softmax(1).numpy()
        mean: Array | float = 0.0
        for unit, jacobian in enumerate(jacobians):
            weighted = share[:, unit, None] * jacobian
            mean = mean + weighted
            yield jacobian.T @ weighted / len(share)
        mean = np.asarray(mean)
        yield -mean.T @ mean / len(share)


def criterion_of(loss: object, outputs: Tensor, targets: Tensor) -> Criterion:
    """The criterion of `loss`; refuses what is unknown or does not fit outputs [1, out] and targets [S, n, ...]."""
    shape = tuple(outputs.shape[1:])
    if len(shape) != 1:
        raise InputError(f"minimise needs outputs [n, out]; the network's are [n, {', '.join(map(str, shape))}]")
    if loss is nn.functional.mse_loss:
        if tuple(targets.shape[2:]) != shape or not targets.is_floating_point():
            wanted = f"floating-point targets [n, {shape[0]}] like the outputs"
            raise InputError(f"mse_loss needs {wanted}, not [n, {', '.join(map(str, targets.shape[2:]))}]")
        return SquaredError()
    if loss is nn.functional.cross_entropy:
        if targets.ndim != 2 or targets.dtype != torch.int64:
            raise InputError(
                f"cross_entropy needs classes as integers [n], not {targets.dtype} {list(targets.shape[1:])}"
            )
        if not 0 <= int(targets.min()) <= int(targets.max()) < shape[0]:
            span = f"{int(targets.min())} to {int(targets.max())}"
            raise InputError(f"the network has outputs for classes 0 to {shape[0] - 1}, the targets are {span}")
        return CrossEntropy()
    name = getattr(loss, "__name__", type(loss).__name__)
    raise InputError(f"minimise knows torch.nn.functional.mse_loss and cross_entropy, not {name}")
