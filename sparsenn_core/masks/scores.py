"""Masks that follow a number for each weight: random, its size, or one learned beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.masks.sparse_weight import LayerRuns, Score


@dataclass(frozen=True)
class Random(Score):
    """A random mask, drawn once: every set of so many units is as likely as any other. Weights outside stay zero."""

    def buffers(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"scores": drawn(weight, source)}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return own["scores"]


@dataclass(frozen=True)
class Magnitude(Score):
    """The largest weights stay; at the start, at one step (`OneShot`), or with ever fewer (`Cubic`, Zhu & Gupta 2017).

    What is removed is zero from then on and does not come back.
    """

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return weight.abs()


@dataclass(frozen=True)
class Learned(Score):
    """Scores learned with straight-through gradients: edge-popup (Ramanujan et al. 2020, arXiv:1911.13299).

    The layer uses W M with M the mask of the largest |S|; backward, M counts as |S|, so dL/dS = dL/dWeff W sign(S).
    With `absolute=False` S itself is ranked, and dL/dS = dL/dWeff W. The mask is made anew after every step. With
    `weights=False` W is frozen (edge-popup as published), else trained too, with the gradient dL/dWeff M. Scores start
    as Kaiming-uniform numbers, as a linear layer's weights do, or as normal ones where signs count.
    """

    weights: bool = True
    absolute: bool = True

    @property
    def trains_weights(self) -> bool:  # type: ignore[override]
        return self.weights

    def parameters(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        if not self.absolute:
            return {"scores": drawn(weight, source)}
        bound = 1 / math.sqrt(weight[0].numel())
        uniform = torch.rand(weight.shape, generator=source, dtype=torch.float64)
        return {"scores": ((2 * uniform - 1) * bound).to(weight)}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return own["scores"].abs() if self.absolute else own["scores"]

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        scores = self.values(weight, own)
        # the difference is exactly zero; only its derivative is not
        return weight * (mask + (scores - scores.detach()))

    def start(self, layer: LayerRuns) -> None:
        layer.rank(self.values(layer.weight, layer.own))

    def after_step(self, layer: LayerRuns) -> None:
        layer.rank(self.values(layer.weight, layer.own))


@dataclass(frozen=True)
class SoftSigmoid(Score):
    """A soft mask sigmoid((S - t) / T): t lies between the scores that stay and those that go, T falls from `first`
    to `last` as a geometric sequence until step `until`; from then on, and in evaluation mode, the mask is hard.

    The threshold t is made anew after every step and counts as a constant. Soft steps use all weights, so they cost as
    much as dense ones. Scores start normal with standard deviation `spread`.
    """

    until: int
    first: float = 1.0
    last: float = 0.02
    spread: float = 0.1

    def __post_init__(self) -> None:
        if type(self.until) is not int or self.until < 1:
            raise InputError(f"until of SoftSigmoid must be 1 or more steps, not {self.until!r}")
        if not 0 < self.last <= self.first < math.inf:
            raise InputError(f"a temperature falls from first to last, both above 0: {self.first!r} to {self.last!r}")

    def parameters(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"scores": self.spread * drawn(weight, source)}

    def buffers(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"temperature": weight.new_tensor(self.first), "threshold": weight.new_zeros(())}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return own["scores"]

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        if not training:
            return weight * mask
        temperature = own["temperature"]
        soft = temperature > 0
        gates = torch.sigmoid((own["scores"] - own["threshold"]) / torch.where(soft, temperature, 1.0))
        return weight * torch.where(soft, gates, mask)

    def start(self, layer: LayerRuns) -> None:
        self.after_step(layer)

    def after_step(self, layer: LayerRuns) -> None:
        if layer.step <= self.until:
            layer.rank(layer.own["scores"])
            layer.own["threshold"].copy_(between(layer.own["scores"], layer.mask))
            layer.own["temperature"].fill_(self._temperature(layer.step))
        if layer.step == self.until:
            layer.clear()

    def _temperature(self, step: int) -> float:
        if step >= self.until:
            return 0.0
        return self.first * (self.last / self.first) ** (step / self.until)


def between(scores: Tensor, mask: Tensor) -> Tensor:
    """Midway between the least score inside the mask and the largest outside, for each run [R].

    Where all or none stay, the least or the largest score of all.
    """
    flat, kept = scores.flatten(1), mask.flatten(1) > 0
    inside = torch.where(kept, flat, math.inf).amin(1)
    outside = torch.where(kept, -math.inf, flat).amax(1)
    inside, outside = (torch.where(a.isinf(), b, a) for a, b in ((inside, outside), (outside, inside)))
    return (inside + outside) / 2


def drawn(weight: Tensor, source: torch.Generator, **kind: Any) -> Tensor:
    """Normal numbers shaped like `weight`, drawn in float64, so that types of weights share them."""
    return torch.randn(weight.shape, generator=source, dtype=torch.float64, **kind).to(weight)
