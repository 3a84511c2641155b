"""Losses of all runs and their gradients: by automatic differentiation, or written out where that is faster."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import mse_loss

from sparsenn_core.penalties import Params
from sparsenn_core.training.backprop import Backprop
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.stacked_layers import stacked_layers

Loss = Callable[[Tensor, Tensor], Tensor]
"""One run's loss: (outputs [n, ...], targets [n, ...]) -> scalar, the mean over its samples."""

LARGE = 15_000
"""From about so many activations of the widest layer of a run on; measured for widths of 25 and 100."""

Gradient = Callable[[Params, Params, Tensor, Tensor], tuple[Params, Tensor]]
"""(params, buffers, x, y) -> gradients by name and losses [R]; the samples x and y are [n, ...] or [R, n, ...]."""


def run_losses(
    ensemble: Ensemble, loss: Loss, params: Params, buffers: Params, x: Tensor, y: Tensor, *, shared: bool
) -> Tensor:
    """The loss of every run without penalty, [R]; x and y are [n, ...] if shared, else [R, n, ...]."""

    def one(params: Params, buffers: Params, x: Tensor, y: Tensor) -> Tensor:
        return loss(ensemble.one(params, buffers, x), y)

    sample_dim = None if shared else 0
    return vmap(one, in_dims=(0, 0, sample_dim, sample_dim))(params, buffers, x, y)


def automatic(ensemble: Ensemble, loss: Loss, *, shared: bool) -> Gradient:
    """The gradient by automatic differentiation, for any network and loss; x and y are shared or not."""

    def gradient(params: Params, buffers: Params, x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
        def total(params: Params) -> tuple[Tensor, Tensor]:
            losses = run_losses(ensemble, loss, params, buffers, x, y, shared=shared)
            # runs do not touch each other, so the gradient of the sum holds every run's own gradient
            return losses.sum(), losses

        return grad(total, has_aux=True)(params)

    return gradient


def in_tiles(gradient: Gradient, size: int, *, shared: bool) -> Gradient:
    """The same gradient as the mean over tiles of `size` samples, by the share of each tile."""
    samples = 0 if shared else 1

    def mean(params: Params, buffers: Params, x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
        grads: Params = {}
        losses = x.new_zeros(())
        for x_tile, y_tile in zip(x.split(size, samples), y.split(size, samples), strict=True):
            share = x_tile.shape[samples] / x.shape[samples]
            tile_grads, tile_losses = gradient(params, buffers, x_tile, y_tile)
            losses = losses + share * tile_losses
            grads = {k: share * g + grads.get(k, 0.0) for k, g in tile_grads.items()}
        return grads, losses

    return mean


def is_large(ensemble: Ensemble, samples: int) -> bool:
    """Whether a full batch is so large that the gradient written out beats a step compiled whole."""
    return samples * max((w.shape[1] for w in ensemble.params.values() if w.ndim > 1), default=1) >= LARGE


def written_out(ensemble: Ensemble, loss: Loss, *, shared: bool, tile: int | None = None) -> Gradient | None:
    """The gradient without automatic differentiation; None unless the network is an `MLP` and the loss `mse_loss`.

    For full batches: it keeps a copy of the samples as it needs them, for as long as the same tensors come again.
    """
    layers = stacked_layers(ensemble.template) if loss is mse_loss else None
    if layers is None:
        return None
    backprop = Backprop(layers, shared=shared, tile=tile)

    def gradient(params: Params, buffers: Params, x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
        return backprop.gradients(params, x, y)

    return gradient
