"""One training step: the gradient, and the advance along it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad

from sparsenn_core.penalties import Params, Penalty
from sparsenn_core.training.active_runs import ALL, Group
from sparsenn_core.training.gradients import Batch, Gradient
from sparsenn_core.training.optimizer import Coefficients, Optimizer, State

Step = Callable[[Group, Tensor, Tensor, Tensor, int], None]
"""(group, samples x, targets y, total [r], number of the step): takes the group's runs one step further in place and
adds their losses with penalty to `total` (float64)."""


def cast(params: Params, dtype: torch.dtype | None) -> Params:
    """`params` in the type of the arithmetic; None is their own."""
    return params if dtype is None else {k: w.to(dtype) for k, w in params.items()}


def eager_step(gradient: Gradient, arithmetic: torch.dtype | None = None) -> Step:
    """The step operation by operation, with `gradient` and penalty worked out in the type `arithmetic`."""

    def step(group: Group, x: Tensor, y: Tensor, total: Tensor, number: int) -> None:
        computed = cast(group.params, arithmetic)
        into = group.grad_views if arithmetic is None else None
        grads, losses, written = gradient(computed, group.buffers, Batch(x, y, group.seeds, number, into))
        for name, view in group.grad_views.items():
            if grads[name] is not view:
                view.copy_(grads[name])
        if group.penalty is not None:
            losses = losses + _add_slopes(group, group.penalty, computed)
        total += losses
        for name, value in written.items():
            group.buffers[name].copy_(value)
        _shorten(group)
        _move(group, number)

    return step


def _add_slopes(group: Group, penalty: Penalty, computed: Params) -> Tensor:
    """The values of the penalty [r]; its slopes are added to the group's gradients unless they are left to a prox."""
    if group.optimizer.proximal:
        return penalty.value(computed)
    leaves = {name: computed[name].detach().requires_grad_() for name in group.layout.names}
    with torch.enable_grad():
        values = penalty.value(computed | leaves)
        if not values.requires_grad:  # it covers none of the trained parameters
            return values
        slopes = torch.autograd.grad(values.sum(), list(leaves.values()), materialize_grads=True)
    for view, slope in zip(group.grad_views.values(), slopes, strict=True):
        view.add_(slope)
    return values.detach()


def _shorten(group: Group) -> None:
    """Shorten the gradients to the optimizer's `clip_norm`."""
    if group.optimizer.clips:
        group.grads.copy_(group.optimizer.clipped({ALL: group.grads})[ALL])


def _move(group: Group, number: int) -> None:
    """Update weights and state from the gradients, in place."""
    optimizer = group.optimizer
    if optimizer.in_place:
        for rows, settings in group.rows:
            state = {part: values[rows] for part, values in group.state.items()}
            optimizer.update_(group.weights[rows], group.grads[rows], state, number, settings)
        return
    memory = {part: {ALL: values} for part, values in group.state.items()}
    new, new_state, size = optimizer.update(
        {ALL: group.weights}, {ALL: group.grads}, memory, group.coefficients(number)
    )
    for part, values in group.state.items():
        values.copy_(new_state[part][ALL])
    if optimizer.proximal and group.penalty is not None:
        _move_to_prox(group, group.penalty, new[ALL], size)
    else:
        group.weights.copy_(new[ALL])


def _move_to_prox(group: Group, penalty: Penalty, weights: Tensor, size: object) -> None:
    layout = group.layout
    steps = size
    if isinstance(size, dict):  # one a weight; frozen ones do not move
        frozen = {k: torch.zeros_like(w) for k, w in group.params.items() if k not in layout.names}
        steps = layout.views(size[ALL]) | frozen
    moved = penalty.prox(group.params | layout.views(weights), steps)  # type: ignore[arg-type]
    for name, view in layout.views(group.weights).items():
        view.copy_(moved[name])


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
    """The same in a form that the compiler understands: parameter by parameter, with coefficients as tensors."""
    if penalty is not None:
        slopes, values = _penalty_slopes(penalty, computed)
        losses = losses + values
        if not optimizer.proximal:
            grads = {k: g + slopes[k] for k, g in grads.items()}
    grads = {k: g.to(params[k].dtype) for k, g in grads.items()}
    new, new_state, size = optimizer.update(params, grads, state, by)
    if optimizer.proximal and penalty is not None:
        new = penalty.prox(new, size)
    total += losses
    for old, now in [(params, new), *((state[part], new_state[part]) for part in state)]:
        for k, w in old.items():
            w.copy_(now[k])


def _penalty_slopes(penalty: Penalty, params: Params) -> tuple[Params, Tensor]:
    def total(params: Params) -> tuple[Tensor, Tensor]:
        values = penalty.value(params)
        return values.sum(), values

    return grad(total, has_aux=True)(params)


def traceable_step(gradient: Gradient, arithmetic: torch.dtype | None = None) -> Callable[..., None]:
    """The whole step as a function of tensors, for the compiler."""

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
        grads, losses, _ = gradient(computed, buffers, Batch(x, y))
        advance(params, computed, grads, losses, state, total, by, penalty, optimizer)

    return step
