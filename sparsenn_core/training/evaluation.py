"""Outputs and losses of R runs, each with parameters and buffers of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy, mse_loss

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params
from sparsenn_core.training.stacked_forward import chain_of, stacked_forward
from sparsenn_core.training.streams import Streams, is_random

Loss = Callable[[Tensor, Tensor], Tensor]
"""One run's loss: (outputs [n, ...], targets [n, ...]) -> scalar, the mean over its samples."""


IGNORED = -100
"""The class that PyTorch's cross-entropy leaves out."""


class Evaluation:
    """How the runs of an ensemble are evaluated: operation by operation where the network is a known chain, else by
    `vmap`. `random` says whether dropout is at work, so that `losses` needs the runs' seeds.
    """

    def __init__(self, template: nn.Module, loss: Loss) -> None:
        self.network = _Watched(template)
        self.layers = chain_of(template)
        self.forward = stacked_forward(self.layers) if self.layers else None
        self.random = is_random(template)
        self.loss = loss
        self.stacked_loss = _stacked_loss(loss)
        self.loss_and_slope = _squares_and_slope if self.stacked_loss is _stacked_squares else self._by_autograd

    def losses(
        self,
        params: Params,
        buffers: Params,
        x: Tensor,
        y: Tensor,
        *,
        shared: bool,
        seeds: Tensor | None = None,
        step: int = 0,
    ) -> tuple[Tensor, Params]:
        """The loss of every run [R], and the buffers that the networks replaced by new ones.

        x and y are [n, ...] if shared, else [R, n, ...]; `seeds` [R] and the number of the step are for dropout.
        Buffers that a network writes into in place are changed where they are.
        """
        written: Params = {}
        if self.forward is not None:
            out = self.forward(params, x, shared)
        else:
            out, written = self.by_vmap(params, buffers, x, shared, seeds, step)
        return self.stacked_loss(out, y.expand(len(out), *y.shape) if shared else y), written

    def _by_autograd(self, out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The losses [R] of outputs and targets [R, n, ...], and their slopes in the outputs."""
        leaf = out.detach().requires_grad_()
        with torch.enable_grad():
            losses = self.stacked_loss(leaf, y)
            (slope,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), slope

    def by_vmap(
        self, params: Params, buffers: Params, x: Tensor, shared: bool, seeds: Tensor | None, step: int
    ) -> tuple[Tensor, Params]:
        if self.random and seeds is None:
            raise InputError("dropout needs a seed for each run: give order=, or call the ensemble in .eval() mode")

        def one(params: Params, buffers: Params, x: Tensor, seed: Tensor) -> tuple[Tensor, Params]:
            with Streams(seed, step) if self.random else nullcontext():
                return self.network.evaluated(params, buffers, x)

        count = len(next(iter(params.values())))
        own = torch.zeros(count, dtype=torch.int64) if seeds is None else seeds
        return vmap(one, in_dims=(0, 0, None if shared else 0, 0))(params, buffers, x, own.to(x.device))


class _Watched(nn.Module):
    """A network that also returns the buffers that its `forward` replaced, which PyTorch would drop."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def evaluated(self, params: Params, buffers: Params, x: Tensor) -> tuple[Tensor, Params]:
        tensors = {f"inner.{name}": tensor for name, tensor in (params | buffers).items()}
        out, after = functional_call(self, tensors, (x,))
        return out, {name: tensor for name, tensor in after.items() if tensor is not buffers[name]}

    def forward(self, x: Tensor) -> Any:
        return self.inner(x), dict(self.inner.named_buffers())


def _stacked_loss(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The losses [R] of outputs and targets [R, n, ...]; the two common ones in few operations."""
    if loss is mse_loss or _is_plain(loss, nn.MSELoss()):
        return _stacked_squares
    if loss is cross_entropy or _is_plain(loss, nn.CrossEntropyLoss()):
        return _stacked_cross_entropy
    return vmap(loss)


def _is_plain(loss: Loss, plain: nn.Module) -> bool:
    """Whether `loss` is a module like `plain`, without weights of classes and with the same attributes."""
    if type(loss) is not type(plain) or any(buffer is not None for buffer in loss.buffers()):
        return False
    return all(vars(loss)[k] == v for k, v in vars(plain).items() if not k.startswith("_"))


def _stacked_squares(out: Tensor, y: Tensor) -> Tensor:
    if out.shape != y.shape:  # what one run's loss makes of that is not what all together would
        return vmap(mse_loss)(out, y)
    return (out - y).square().flatten(1).mean(1)


def _squares_and_slope(out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared errors [R] and their slopes in the outputs, without recording them."""
    if out.shape != y.shape:
        raise InputError(f"outputs of shape {list(out.shape[1:])} need targets of that shape, not {list(y.shape[1:])}")
    error = out - y
    return error.square().flatten(1).mean(1), error * (2 / error[0].numel())


def _stacked_cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    if out.ndim != 3 or y.ndim != 2 or y.is_floating_point():
        return vmap(cross_entropy)(out, y)
    own = cross_entropy(out.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)
    return own.sum(1) / (y != IGNORED).sum(1)
