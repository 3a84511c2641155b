"""Losses of all runs and their gradients: by automatic differentiation, or written out where that is faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import mse_loss

from sparsenn_core.penalties import Params
from sparsenn_core.training.backprop import Backprop
from sparsenn_core.training.chain_rule import gradients, is_chain
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Evaluation, Loss
from sparsenn_core.training.stacked_layers import stacked_layers


class Batch(NamedTuple):
    """What one step computes with: samples x and y, [n, ...] for all runs or [R, n, ...]; for dropout the runs' seeds
    [R] and the step's number; and tensors by name into which gradients may be written."""

    x: Tensor
    y: Tensor
    seeds: Tensor | None = None
    number: int = 0
    into: Params | None = None


Gradients = tuple[Params, Tensor, Params]
"""Gradients by name, losses [R], and the buffers that the networks replaced."""

Gradient = Callable[[Params, Params, Batch], Gradients]
"""(params, buffers, batch) -> `Gradients`."""


def run_losses(
    ensemble: Ensemble, loss: Loss, params: Params, buffers: Params, x: Tensor, y: Tensor, *, shared: bool
) -> Tensor:
    """The loss of every run without penalty, [R]; x and y are [n, ...] if shared, else [R, n, ...]."""

    def one(params: Params, buffers: Params, x: Tensor, y: Tensor) -> Tensor:
        return loss(ensemble.one(params, buffers, x), y)

    sample_dim = None if shared else 0
    return vmap(one, in_dims=(0, 0, sample_dim, sample_dim))(params, buffers, x, y)


def automatic(evaluation: Evaluation, names: Sequence[str], *, shared: bool) -> Gradient:
    """The gradient in the parameters `names` by automatic differentiation, for any network and loss."""

    def gradient(params: Params, buffers: Params, batch: Batch) -> Gradients:
        leaves = {name: params[name].detach().requires_grad_() for name in names}
        with torch.enable_grad():
            losses, written = evaluation.losses(
                params | leaves, buffers, batch.x, batch.y, shared=shared, seeds=batch.seeds, step=batch.number
            )
            # runs do not touch each other, so the gradient of the sum holds every run's own gradient
            grads = torch.autograd.grad(losses.sum(), list(leaves.values()), materialize_grads=True)
        return dict(zip(names, grads, strict=True)), losses.detach(), {k: v.detach() for k, v in written.items()}

    return gradient


def traceable(ensemble: Ensemble, loss: Loss, *, shared: bool) -> Gradient:
    """The same gradient of all parameters in a form that the compiler understands."""

    def gradient(params: Params, buffers: Params, batch: Batch) -> Gradients:
        def total(params: Params) -> tuple[Tensor, Tensor]:
            losses = run_losses(ensemble, loss, params, buffers, batch.x, batch.y, shared=shared)
            return losses.sum(), losses

        return *grad(total, has_aux=True)(params), {}

    return gradient


def in_tiles(gradient: Gradient, size: int, *, shared: bool) -> Gradient:
    """The same gradient as the mean over tiles of `size` samples, by the share of each tile.

    For networks that replace no buffers: statistics of a tile are not those of the batch.
    """
    samples = 0 if shared else 1

    def mean(params: Params, buffers: Params, batch: Batch) -> Gradients:
        grads: Params = {}
        losses = batch.x.new_zeros(())
        for x, y in zip(batch.x.split(size, samples), batch.y.split(size, samples), strict=True):
            share = x.shape[samples] / batch.x.shape[samples]
            tile_grads, tile_losses, _ = gradient(params, buffers, batch._replace(x=x, y=y, into=None))
            losses = losses + share * tile_losses
            grads = {k: share * g + grads.get(k, 0.0) for k, g in tile_grads.items()}
        return grads, losses, {}

    return mean


def by_chain_rule(evaluation: Evaluation, otherwise: Gradient) -> Gradient:
    """The gradient on minibatches without automatic differentiation, where the network is a chain of fully connected
    layers that see whole samples; else that of `otherwise`.
    """
    layers = evaluation.layers
    if evaluation.forward is None or not is_chain(layers):
        return otherwise

    def gradient(params: Params, buffers: Params, batch: Batch) -> Gradients:
        if batch.x.ndim != 3 and not layers[0].before:  # samples of several axes, of which the layers see the last
            return otherwise(params, buffers, batch)
        grads = batch.into or {name: torch.empty_like(w) for name, w in params.items()}
        losses = gradients(layers, evaluation.loss_and_slope, params, batch.x, batch.y, grads)
        return grads, losses, {}

    return gradient


def written_out(ensemble: Ensemble, loss: Loss, *, shared: bool, tile: int | None = None) -> Gradient | None:
    """The gradient without automatic differentiation; None unless the network is an `MLP` without hooks and frozen
    parameters and the loss `mse_loss`.

    For full batches: it keeps a copy of the samples as it needs them, for as long as the same tensors come again.
    """
    layers = stacked_layers(ensemble.template) if loss is mse_loss else None
    if layers is None or len(ensemble.trainable) < len(ensemble.params):
        return None
    backprop = Backprop(layers, shared=shared, tile=tile)

    def gradient(params: Params, buffers: Params, batch: Batch) -> Gradients:
        return *backprop.gradients(params, batch.x, batch.y), {}

    return gradient
