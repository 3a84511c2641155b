"""One training step of a whole ensemble as one function."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from sparsenn_core.penalties import Penalty
from sparsenn_core.penalties.base import Params
from sparsenn_core.training.gradients import Gradient
from sparsenn_core.training.optimizers import Coefficients, Optimizer, State

StepFunction = Callable[..., None]


def make_step(gradient: Gradient) -> StepFunction:
    """The function that takes all runs one step further along `gradient`.

    `step(params, buffers, state, total, by, x, y, penalty, optimizer)` writes the new parameters and state in place and
    adds each run's loss with penalty before the step to `total` [R] (float64). `by` are the optimizer's coefficients.
    The samples x and y are [n, ...] for all runs or [R, n, ...], as `gradient` wants them.
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
        grads, losses = gradient(params, buffers, x, y, penalty, optimizer.proximal)
        new, new_state, size = optimizer.update(params, grads, state, by)
        if optimizer.proximal and penalty is not None:
            new = penalty.prox(new, size)
        # written in place: fresh tensors of this size would cost a page fault for every 4 kB of every step
        total += losses
        for old, now in [(params, new), *((state[part], new_state[part]) for part in state)]:
            for k, w in old.items():
                w.copy_(now[k])

    return step
