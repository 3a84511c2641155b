"""Fine-tuning on a mask, written as a penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsenn_core.errors import unknown
from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs


@dataclass(frozen=True)
class FixedSupport(Penalty):
    """The indicator of the networks whose weights are zero outside masks: its prox sets them to zero.

    With a proximal optimizer this is fine-tuning on a mask: it is applied after every step. `masks` are
    boolean, [R, ...] like the parameters; parameters without one are free. `strength` has no meaning.
    """

    strength: float | Tensor = 0.0
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    per_run_fields = ("masks",)

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        for name in self.masks:
            if name not in params:
                raise unknown("parameter", name, params, where="FixedSupport(masks=...)")
        return [(k, w) for k, w in super().covered(params) if k in self.masks]

    def value(self, params: Params) -> Tensor:
        first = next(iter(params.values()))
        return first.new_zeros(len(first))

    def prox(self, params: Params, step: Step) -> Params:
        return params | {k: w * self.masks[k] for k, w in self.covered(params)}

    def residual(self, params: Params, grad: Params) -> Tensor:
        worst = [max_runs((grad[k] * self.masks[k]).abs()) for k, _ in self.covered(params)]
        return torch.stack([*worst, *self._worst_elsewhere(grad)]).amax(0)
