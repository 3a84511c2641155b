"""Penalties that act on every weight by itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, step_of, sum_runs, total_over


def soft_threshold(w: Tensor, threshold: Tensor) -> Tensor:
    """Move every entry towards zero by `threshold`, stopping at exactly zero."""
    return w.sign() * (w.abs() - threshold).clamp(min=0)


def l1_subgradient(w: Tensor, grad: Tensor, strength: Tensor) -> Tensor:
    """The shortest of grad + strength * (subgradients of |w|): at w = 0 these are the interval [-1, 1]."""
    return torch.where(w == 0, soft_threshold(grad, strength), grad + strength * w.sign())


@dataclass(frozen=True)
class L1(Penalty):
    """strength * sum |w|. Not normalised by the number of weights.

    Under SGD or Adam its subgradient strength * sign(w), with sign(0) = 0, is used, as the L1 study does: weights
    then hover around zero without reaching it. Under a proximal optimizer they become exactly zero.
    """

    def value(self, params: Params) -> Tensor:
        # |w| as w sign(w): same value and subgradient as w.abs(), whose backward would compile to scalar code
        return self.strength * total_over(sum_runs(w * w.sign().detach()) for _, w in self.covered(params))

    def prox(self, params: Params, step: Step) -> Params:
        new = {k: soft_threshold(w, step_of(step, k, w) * per_run(self.strength, w)) for k, w in self.covered(params)}
        return params | new

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = [max_runs(l1_subgradient(w, grad[k], per_run(self.strength, w)).abs()) for k, w in self.covered(params)]
        return torch.stack([*worst, *self._worst_elsewhere(grad)]).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        return torch.stack([max_runs(g.abs()) for _, g in self.covered(grad)]).amax(0)


@dataclass(frozen=True)
class SquaredL2(Penalty):
    """strength * sum w^2, without the factor 1/2: its gradient is 2 * strength * w."""

    smooth = True

    def value(self, params: Params) -> Tensor:
        return self.strength * total_over(sum_runs(w.square()) for _, w in self.covered(params))

    def prox(self, params: Params, step: Step) -> Params:
        new = {k: w / (1 + 2 * step_of(step, k, w) * per_run(self.strength, w)) for k, w in self.covered(params)}
        return params | new

    def gradient(self, params: Params) -> Params:
        zero = {k: torch.zeros_like(w) for k, w in params.items()}
        return zero | {k: 2 * per_run(self.strength, w) * w for k, w in self.covered(params)}
