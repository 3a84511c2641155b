"""Fine-tuning on a mask, written as a penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from sparsenn_core.penalties.base import Params, Penalty, Step


@dataclass(frozen=True)
class FixedSupport(Penalty):
    """The indicator of the networks whose weights are zero outside masks: its prox sets them to zero.

    With a proximal optimizer this is fine-tuning on a mask: it is applied after every step. `masks` are
    boolean, [R, ...] like the parameters; `strength` has no meaning.
    """

    strength: float | Tensor = 0.0
    masks: Mapping[str, Tensor] = field(default_factory=dict)

    def value(self, params: Params) -> Tensor:
        return torch.zeros((), dtype=next(iter(params.values())).dtype)

    def prox(self, params: Params, step: Step) -> Params:
        return {k: w * self.masks[k] for k, w in params.items()}

    def residual(self, params: Params, grad: Params) -> Tensor:
        return torch.stack([(g * self.masks[k]).abs().flatten(1).amax(1) for k, g in grad.items()]).amax(0)

    def select(self, index: Tensor) -> Penalty:
        return replace(self, masks={k: m[index] for k, m in self.masks.items()})
