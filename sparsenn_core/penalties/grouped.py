"""Penalties on whole neurons."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, total_over


def _norms(w: Tensor, axis: int) -> Tensor:
    """The Euclidean norm of each group, [R, groups], where `axis` of one run's tensor counts the groups."""
    return w.movedim(axis + 1, 1).flatten(2).norm(dim=2)


def _spread(per_group: Tensor, w: Tensor, axis: int) -> Tensor:
    """[R, groups] -> broadcastable to w [R, ...]."""
    shape = [len(w), *(1,) * (w.ndim - 1)]
    shape[axis + 1] = w.shape[axis + 1]
    return per_group.reshape(shape)


@dataclass(frozen=True)
class GroupL2(Penalty):
    """strength * sum over groups of ||w_group||_2: the (2,1) norm, which switches whole groups off.

    `groups` maps a parameter's name to the axis of its groups: {"layers.1.weight": 1} groups a weight [out, in] by
    input neuron (the columns of the multi-task lasso), axis 0 by output neuron, or by channel of a convolution.
    Parameters not named are not penalised.
    """

    groups: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.groups:
            raise InputError("GroupL2 needs groups, e.g. groups={'layers.1.weight': 1}")

    def _covered(self, params: Params) -> list[tuple[str, Tensor, int]]:
        for name, axis in self.groups.items():
            if name not in params:
                raise unknown("parameter", name, params, where="GroupL2(groups=...)")
            if not 0 <= axis < params[name].ndim - 1:
                raise InputError(f"GroupL2(groups=...): {name} has no axis {axis}")
        return [(k, params[k], axis) for k, axis in self.groups.items()]

    def value(self, params: Params) -> Tensor:
        return self.strength * total_over(_norms(w, axis).sum(1) for _, w, axis in self._covered(params))

    def prox(self, params: Params, step: Step) -> Params:
        if isinstance(step, dict):
            raise InputError("GroupL2 has no closed-form prox for a step per weight; use ProximalSGD")
        new = {}
        for k, w, axis in self._covered(params):
            norms = _norms(w, axis)
            threshold = per_run(step, norms) * per_run(self.strength, norms)
            # a group of norm zero stays zero; the clamp only avoids 0 / 0
            scale = (1 - threshold / norms.clamp(min=torch.finfo(w.dtype).tiny)).clamp(min=0)
            new[k] = w * _spread(scale, w, axis)
        return params | new

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = [max_runs(g.abs()) for k, g in grad.items() if k not in self.groups]
        for k, w, axis in self._covered(params):
            tiny = torch.finfo(w.dtype).tiny
            norms, grad_norms = _norms(w, axis), _norms(grad[k], axis)
            strength = per_run(self.strength, norms).expand_as(norms)
            active = grad[k] + w * _spread(strength / norms.clamp(min=tiny), w, axis)
            # a zero group's subdifferential is the ball of radius strength
            resting = grad[k] * _spread((1 - strength / grad_norms.clamp(min=tiny)).clamp(min=0), w, axis)
            worst.append(max_runs(torch.where(_spread(norms == 0, w, axis), resting, active).abs()))
        return torch.stack(worst).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        return torch.stack([max_runs(_norms(g, axis)) for _, g, axis in self._covered(grad)]).amax(0)
