"""Penalties on whole neurons."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, sum_runs, total_over


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


@dataclass(frozen=True)
class PathNorm(Penalty):
    """strength * sum over neurons k of ||(w_k, b_k)|| * ||v_k||: the path norm of one hidden layer.

    For homogeneous activations its minima are those of (strength / 2) * sum of squares (weight decay), reached when
    the two norms of every neuron are equal. `incoming` names the weight [neurons, in], `bias` its bias [neurons] or
    None, `outgoing` the weight [out, neurons]. Not convex, and without a prox: PathProx normalises instead.
    """

    incoming: str = "layers.0.weight"
    outgoing: str = "layers.1.weight"
    bias: str | None = None
    convex = False

    def _norms(self, params: Params) -> tuple[Tensor, Tensor]:
        for name in (self.incoming, self.outgoing, *([self.bias] if self.bias else [])):
            if name not in params:
                raise unknown("parameter", name, params, where="PathNorm")
        w = params[self.incoming].flatten(2)
        if self.bias:
            w = torch.cat([w, params[self.bias].unsqueeze(2)], 2)
        return w.norm(dim=2), _norms(params[self.outgoing], 1)

    def value(self, params: Params) -> Tensor:
        incoming, outgoing = self._norms(params)
        return self.strength * sum_runs(incoming * outgoing)

    def residual(self, params: Params, grad: Params) -> Tensor:
        incoming, outgoing = self._norms(params)
        if bool(((incoming == 0) ^ (outgoing == 0)).any()):
            raise InputError("PathNorm: a neuron with one side zero has no unique subgradient; drop it first")
        leaves = {k: w.detach().requires_grad_() for k, w in params.items()}
        own = torch.autograd.grad(self.value(leaves).sum(), list(leaves.values()), allow_unused=True)
        total = [grad[k] if g is None else grad[k] + g for (k, g) in zip(leaves, own, strict=True)]
        return torch.stack([max_runs(t.abs()) for t in total]).amax(0)
