"""One training step of a whole ensemble: the gradient, and the advance along it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad

from sparsenn_core.penalties import Params, Penalty
from sparsenn_core.training.gradients import Gradient
from sparsenn_core.training.optimizers import Coefficients, Optimizer, State

StepFunction = Callable[..., None]


def cast(params: Params, dtype: torch.dtype | None) -> Params:
    """`params` in the type of the arithmetic; None is their own."""
    return params if dtype is None else {k: w.to(dtype) for k, w in params.items()}


def advance(
    params: Params,
    computed: Params,
    grads: Params,
    losses: Tensor,
    state: State,
    total: Tensor,
    by: Coefficients,
    penalty: Penalty | None,
    optimizer: Optimizer,
) -> None:
    """Write the new parameters and state in place and add each run's loss with penalty to `total` [R] (float64).

    `grads` and `losses` [R] are those of the loss without penalty at `computed`, the parameters in the type of the
    arithmetic; `by` are the optimizer's coefficients.
    """
    if penalty is not None:
        slopes, values = _penalty_slopes(penalty, computed)
        losses = losses + values
        if not optimizer.proximal:
            grads = {k: g + slopes[k] for k, g in grads.items()}
    grads = {k: g.to(params[k].dtype) for k, g in grads.items()}
    new, new_state, size = optimizer.update(params, grads, state, by)
    if optimizer.proximal and penalty is not None:
        new = penalty.prox(new, size)
    # written in place: fresh tensors of this size would cost a page fault for every 4 kB of every step
    total += losses
    for old, now in [(params, new), *((state[part], new_state[part]) for part in state)]:
        for k, w in old.items():
            w.copy_(now[k])


def _penalty_slopes(penalty: Penalty, params: Params) -> tuple[Params, Tensor]:
    def total(params: Params) -> tuple[Tensor, Tensor]:
        values = penalty.value(params)
        return values.sum(), values

    return grad(total, has_aux=True)(params)


def make_step(
    gradient: Gradient, advance: StepFunction = advance, arithmetic: torch.dtype | None = None
) -> StepFunction:
    """The function that takes all runs one step further.

    `step(params, buffers, state, total, by, x, y, penalty, optimizer)` works out `gradient` in the type `arithmetic`
    and hands it to `advance`, which may be a compiled one. The samples x and y are as `gradient` wants them.
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
        computed = cast(params, arithmetic)
        grads, losses = gradient(computed, buffers, x, y)
        advance(params, computed, grads, losses, state, total, by, penalty, optimizer)

    return step
