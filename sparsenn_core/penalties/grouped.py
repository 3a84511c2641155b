"""Penalties on whole neurons."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, step_of, total_over
from sparsenn_core.penalties.group_prox import group_norms, shrink_groups, spread


def group_subgradient(w: Tensor, grad: Tensor, strength: Tensor, axis: int) -> Tensor:
    """The shortest of grad + strength * (subgradients of the norms of the groups), [R, ...] like w.

    A zero group's subdifferential is the ball of radius `strength` (broadcastable to w, the same within a group).
    """
    tiny = torch.finfo(w.dtype).tiny
    norms, grad_norms = (spread(group_norms(x, axis), w, axis) for x in (w, grad))
    active = grad + w * (strength / norms.clamp(min=tiny))
    resting = grad * (1 - strength / grad_norms.clamp(min=tiny)).clamp(min=0)
    return torch.where(norms == 0, resting, active)


@dataclass(frozen=True)
class GroupL2(Penalty):
    """strength * sum over groups of ||w_group||_2: the (2,1) norm, which switches whole groups off.

    `groups` maps a parameter's name to the axis of its groups: `{"layers.1.weight": 1}` groups a weight [out, in] by
    input neuron (the columns of the multi-task lasso), axis 0 by output neuron, or by channel of a convolution.
    Parameters not named are not penalised; `only` and `weights_only` choose among those that are. With `L1` on the
    same weights, `L1(a) + GroupL2(b, groups=...)`, it is the sparse group lasso. The prox is a closed form, but with
    a step per weight (`ProximalAdam`) one equation for each group (see `group_prox`), some tens of passes over the
    weights.
    """

    groups: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.groups:
            raise InputError("GroupL2 needs groups, e.g. groups={'layers.1.weight': 1}")
        for name in self.only or ():
            if name not in self.groups:
                raise unknown("group", name, self.groups, where="GroupL2(only=...)")

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        for name, axis in self.groups.items():
            if name not in params:
                raise unknown("parameter", name, params, where="GroupL2(groups=...)")
            if not 0 <= axis < params[name].ndim - 1:
                raise InputError(f"GroupL2(groups=...): {name} has no axis {axis}")
        allowed = dict(super().covered(params))
        chosen = [(k, params[k]) for k in self.groups if k in allowed]
        if not chosen:
            raise InputError(f"GroupL2(weights_only=True): none of its groups, {', '.join(self.groups)}, is a weight")
        return chosen

    def value(self, params: Params) -> Tensor:
        return self.strength * total_over(group_norms(w, self.groups[k]).sum(1) for k, w in self.covered(params))

    def prox(self, params: Params, step: Step) -> Params:
        new = {
            k: shrink_groups(w, step_of(step, k, w) * per_run(self.strength, w), self.groups[k])
            for k, w in self.covered(params)
        }
        return params | new

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = [
            max_runs(group_subgradient(w, grad[k], per_run(self.strength, w), self.groups[k]).abs())
            for k, w in self.covered(params)
        ]
        return torch.stack([*worst, *self._worst_elsewhere(grad)]).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        return torch.stack([max_runs(group_norms(g, self.groups[k])) for k, g in self.covered(grad)]).amax(0)
