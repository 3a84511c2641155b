"""Differentiable relaxation of the number of non-zero weights (DRR)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import unknown
from sparsenn_core.penalties.base import Params, Penalty, finite, max_runs, per_run, sum_runs


def layer_factors(params: Mapping[str, Tensor]) -> dict[str, float]:
    """The rebound study's factor of each parameter's layer: (all parameters / layers) / parameters of the layer.

    `params` are one network's tensors, names `LAYER.weight` and `LAYER.bias`; for [2, 25, 25, 1] with biases the
    factors are 3.3378, 0.3851 and 9.6282.
    """
    size: dict[str, int] = {}
    for name, w in params.items():
        layer = name.rpartition(".")[0]
        size[layer] = size.get(layer, 0) + w.numel()
    mean = sum(size.values()) / len(size)
    return {name: mean / size[name.rpartition(".")[0]] for name in params}


@dataclass(frozen=True)
class DRR(Penalty):
    """strength * sum of s_l (1 - exp(-beta |w|)) + rho * sum of s_l w^2, with s_l a factor of each parameter's layer.

    As beta grows the first term counts non-zero weights. Not convex, and without a closed-form prox. `factors` maps
    parameter names to s_l (default 1); `layer_factors` gives the rebound study's. Source: the rebound study
    (arXiv 2509.15060), whose training rule uses beta = 10, rho = 0; its gradient at 0 is taken as 0.
    """

    beta: float = 10.0
    rho: float = 0.0
    factors: Mapping[str, float] = field(default_factory=dict)
    convex = False

    def __post_init__(self) -> None:
        super().__post_init__()
        finite(self.beta, "beta of DRR", low=0)
        finite(self.rho, "rho of DRR", low=-1e-300)

    def _factor(self, name: str, params: Params) -> float:
        for known in self.factors:
            if known not in params:
                raise unknown("parameter", known, params, where="DRR(factors=...)")
        return self.factors.get(name, 1.0)

    def value(self, params: Params) -> Tensor:
        count = square = torch.zeros(())
        for k, w in self.covered(params):
            factor = self._factor(k, params)
            count = count + factor * sum_runs(-torch.expm1(-self.beta * w.abs()))
            square = square + factor * sum_runs(w.square())
        return self.strength * count + self.rho * square

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = self._worst_elsewhere(grad)
        for k, w in self.covered(params):
            factor = self._factor(k, params)
            slope = per_run(self.strength, w) * factor * self.beta
            away = grad[k] + slope * torch.exp(-self.beta * w.abs()) * w.sign() + 2 * self.rho * factor * w
            worst.append(max_runs(torch.where(w == 0, (grad[k].abs() - slope).clamp(min=0), away.abs())))
        return torch.stack(worst).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        """The strength above which w = 0 is a local minimum (the penalty is not convex: others may be lower)."""
        slopes = {k: self._factor(k, grad) * self.beta for k, _ in self.covered(grad)}
        return torch.stack([max_runs(g.abs()) / slopes[k] for k, g in self.covered(grad)]).amax(0)
