"""One training step of a whole ensemble as one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap

from sparsenn_core.penalties import Penalty
from sparsenn_core.penalties.base import Params
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.optimizers import Coefficients, Optimizer, State

Loss = Callable[[Tensor, Tensor], Tensor]
"""One run's loss: (outputs [n, ...], targets [n, ...]) -> scalar, the mean over its samples."""

StepFunction = Callable[..., None]


def run_losses(
    ensemble: Ensemble, loss: Loss, params: Params, buffers: Params, x: Tensor, y: Tensor, *, shared: bool
) -> Tensor:
    """The loss of every run without penalty, [R]; x and y are [n, ...] if shared, else [R, n, ...]."""

    def one(params: Params, buffers: Params, x: Tensor, y: Tensor) -> Tensor:
        return loss(ensemble.one(params, buffers, x), y)

    sample_dim = None if shared else 0
    return vmap(one, in_dims=(0, 0, sample_dim, sample_dim))(params, buffers, x, y)


def _mean_over_tiles(gradient: Callable[..., Any], x: Tensor, y: Tensor, size: int, samples: int) -> Any:
    """The mean of `gradient(x, y) -> (gradients, losses)` over tiles of `size` samples, by the share of each tile.

    `samples` is the dimension of x and y that counts them.
    """
    grads: Params = {}
    losses: Tensor | float = 0.0
    for x_tile, y_tile in zip(x.split(size, samples), y.split(size, samples), strict=True):
        share = x_tile.shape[samples] / x.shape[samples]
        tile_grads, tile_losses = gradient(x_tile, y_tile)
        losses = losses + share * tile_losses
        grads = {k: share * g + grads.get(k, 0.0) for k, g in tile_grads.items()}
    return grads, losses


def make_step(
    ensemble: Ensemble,
    loss: Loss,
    *,
    shared: bool,
    tile: int | None = None,
    arithmetic: torch.dtype | None = None,
) -> StepFunction:
    """The function that takes all runs one step further.

    `step(params, buffers, state, total, by, x, y, penalty, optimizer)` writes the new parameters and state in place and
    adds each run's loss with penalty before the step to `total` [R] (float64). `by` are the optimizer's coefficients.
    The samples x and y are [n, ...] for all runs if `shared`, else [R, n, ...]. `tile` and `arithmetic` are those of
    `fit`.
    """

    def step(
        params: Params,
        buffers: Params,
        state: State,
        total: Tensor,
        by: Coefficients,
        x: Tensor,
        y: Tensor,
        penalty: Penalty | None,
        optimizer: Optimizer,
    ) -> None:
        def objective(params: Params, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            if arithmetic is not None:
                # the gradient passes back through this cast and so arrives in the type of the stored weights
                params = {k: w.to(arithmetic) for k, w in params.items()}
            plain = run_losses(ensemble, loss, params, buffers, x, y, shared=shared)
            full = plain if penalty is None else plain + penalty.value(params)
            # runs do not touch each other, so the gradient of the sum holds every run's own gradient
            return (plain if optimizer.proximal else full).sum(), full

        def gradient(x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
            return grad(objective, has_aux=True)(params, x, y)

        grads, losses = gradient(x, y) if tile is None else _mean_over_tiles(gradient, x, y, tile, 0 if shared else 1)
        new, new_state, size = optimizer.update(params, grads, state, by)
        if optimizer.proximal and penalty is not None:
            new = penalty.prox(new, size)
        # written in place: fresh tensors of this size would cost a page fault for every 4 kB of every step
        total += losses
        for old, now in [(params, new), *((state[part], new_state[part]) for part in state)]:
            for k, w in old.items():
                w.copy_(now[k])

    return step
