"""L1 with a factor for every weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, step_of, sum_runs, total_over
from sparsenn_core.penalties.separable import l1_subgradient, soft_threshold


@dataclass(frozen=True)
class WeightedL1(Penalty):
    """strength * sum of factor |w|: the adaptive lasso and reweighted L1.

    `factors` are not negative, [R, ...] like the parameters they are for; parameters without are not penalised.
    `WeightedL1.reweighted(params, strength, width)` makes width / (|w| + width), 1 at zero and small for large weights:
    trained round after round, each with the factors of the weights before, L1 pays ever less for what is kept (Candès,
    Wakin, Boyd 2008, J. Fourier Analysis and Applications 14).
    """

    factors: Mapping[str, Tensor] = field(default_factory=dict)
    per_run_fields = ("factors",)

    @classmethod
    def reweighted(cls, params: Params, strength: float | Tensor, width: float) -> WeightedL1:
        """Factors width / (|w| + width) from the weights `params`; `width` above 0, of the size of a small weight."""
        if not 0 < width < float("inf"):
            raise InputError(f"width of a reweighted L1 must be above 0 and finite, not {width!r}")
        return cls(strength, factors={k: width / (w.detach().abs() + width) for k, w in params.items()})

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        for name, factor in self.factors.items():
            if name not in params:
                raise unknown("parameter", name, params, where="WeightedL1(factors=...)")
            if factor.shape[1:] != params[name].shape[1:]:
                shapes = f"{list(factor.shape[1:])}, the parameter {list(params[name].shape[1:])}"
                raise InputError(f"WeightedL1(factors=...): the factors of {name} are {shapes}")
        chosen = [(k, w) for k, w in super().covered(params) if k in self.factors]
        if not chosen:
            raise InputError("WeightedL1 needs factors=, e.g. WeightedL1.reweighted(ensemble.params, 1e-3, 0.1)")
        return chosen

    def value(self, params: Params) -> Tensor:
        return self.strength * total_over(sum_runs(self.factors[k] * w.abs()) for k, w in self.covered(params))

    def prox(self, params: Params, step: Step) -> Params:
        new = {k: soft_threshold(w, step_of(step, k, w) * self._pull(k, w)) for k, w in self.covered(params)}
        return params | new

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = [max_runs(l1_subgradient(w, grad[k], self._pull(k, w)).abs()) for k, w in self.covered(params)]
        return torch.stack([*worst, *self._worst_elsewhere(grad)]).amax(0)

    def _pull(self, name: str, w: Tensor) -> Tensor:
        return per_run(self.strength, w) * self.factors[name]
