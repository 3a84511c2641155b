"""Losses of all runs and their gradients: by automatic differentiation, or written out where that is faster."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import mse_loss

from sparsenn_core.penalties import Penalty
from sparsenn_core.penalties.base import Params
from sparsenn_core.training.backprop import Backprop
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.layers import read_layers

Loss = Callable[[Tensor, Tensor], Tensor]
"""One run's loss: (outputs [n, ...], targets [n, ...]) -> scalar, the mean over its samples."""

Gradient = Callable[[Params, Params, Tensor, Tensor, Penalty | None, bool], tuple[Params, Tensor]]
"""(params, buffers, x, y, penalty, proximal) -> gradients and losses with penalty [R].

The samples x and y are [n, ...] for all runs or [R, n, ...]. The gradients are those of the losses with penalty, or,
if `proximal`, without.
"""


def run_losses(
    ensemble: Ensemble, loss: Loss, params: Params, buffers: Params, x: Tensor, y: Tensor, *, shared: bool
) -> Tensor:
    """The loss of every run without penalty, [R]; x and y are [n, ...] if shared, else [R, n, ...]."""

    def one(params: Params, buffers: Params, x: Tensor, y: Tensor) -> Tensor:
        return loss(ensemble.one(params, buffers, x), y)

    sample_dim = None if shared else 0
    return vmap(one, in_dims=(0, 0, sample_dim, sample_dim))(params, buffers, x, y)


def automatic(ensemble: Ensemble, loss: Loss, *, shared: bool, arithmetic: torch.dtype | None = None) -> Gradient:
    """The gradient by automatic differentiation, for any network and loss; x and y are shared or not."""

    def gradient(
        params: Params, buffers: Params, x: Tensor, y: Tensor, penalty: Penalty | None, proximal: bool
    ) -> tuple[Params, Tensor]:
        def objective(params: Params) -> tuple[Tensor, Tensor]:
            if arithmetic is not None:
                # the gradient passes back through this cast and so arrives in the type of the stored weights
                params = {k: w.to(arithmetic) for k, w in params.items()}
            plain = run_losses(ensemble, loss, params, buffers, x, y, shared=shared)
            full = plain if penalty is None else plain + penalty.value(params)
            # runs do not touch each other, so the gradient of the sum holds every run's own gradient
            return (plain if proximal else full).sum(), full

        return grad(objective, has_aux=True)(params)

    return gradient


def in_tiles(gradient: Gradient, size: int, *, shared: bool) -> Gradient:
    """The same gradient as the mean over tiles of `size` samples, by the share of each tile."""
    samples = 0 if shared else 1

    def mean(
        params: Params, buffers: Params, x: Tensor, y: Tensor, penalty: Penalty | None, proximal: bool
    ) -> tuple[Params, Tensor]:
        grads: Params = {}
        losses = x.new_zeros(())
        for x_tile, y_tile in zip(x.split(size, samples), y.split(size, samples), strict=True):
            share = x_tile.shape[samples] / x.shape[samples]
            tile_grads, tile_losses = gradient(params, buffers, x_tile, y_tile, penalty, proximal)
            losses = losses + share * tile_losses
            grads = {k: share * g + grads.get(k, 0.0) for k, g in tile_grads.items()}
        return grads, losses

    return mean


def written_out(
    ensemble: Ensemble, loss: Loss, *, tile: int | None, arithmetic: torch.dtype | None = None
) -> Gradient | None:
    """The gradient without automatic differentiation; None unless the network is an `MLP` and the loss `mse_loss`.

    For full batches: it keeps a copy of the samples as it needs them, for as long as the same tensors come again.
    """
    layers = read_layers(ensemble.template) if loss is mse_loss else None
    if layers is None:
        return None
    backprop = Backprop(layers, tile)

    def gradient(
        params: Params, buffers: Params, x: Tensor, y: Tensor, penalty: Penalty | None, proximal: bool
    ) -> tuple[Params, Tensor]:
        computed = params if arithmetic is None else {k: w.to(arithmetic) for k, w in params.items()}
        grads, losses = backprop.gradients(computed, x, y)
        if penalty is not None:
            slopes, values = _penalty_gradient(penalty, computed)
            losses = losses + values
            if not proximal:
                grads = {k: g + slopes[k] for k, g in grads.items()}
        return {k: g.to(params[k].dtype) for k, g in grads.items()}, losses

    return gradient


def _penalty_gradient(penalty: Penalty, params: Params) -> tuple[Params, Tensor]:
    def total(params: Params) -> tuple[Tensor, Tensor]:
        values = penalty.value(params)
        return values.sum(), values

    return grad(total, has_aux=True)(params)
