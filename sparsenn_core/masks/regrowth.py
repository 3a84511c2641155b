"""Masks of a constant number of weights that are exchanged while they are trained: SET, RigL; and dense gradients."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.masks.ranks import keep_top
from sparsenn_core.masks.schedules import Schedule
from sparsenn_core.masks.scores import drawn
from sparsenn_core.masks.sparse_weight import LayerRuns, Score, require_constant
from sparsenn_core.masks.structures import Structure, Unstructured
from sparsenn_core.randomness import generator


@dataclass(frozen=True)
class _Regrowth(Score, ABC):
    """What SET and RigL share: the mask starts random; every `every` steps some of the smallest weights are dropped and
    as many others, until then inactive, take their place at zero, with the optimizer's memory of them cleared.
    """

    every: int = 100
    fraction: float = 0.3

    def __post_init__(self) -> None:
        if type(self.every) is not int or self.every < 1:
            raise InputError(f"every of {type(self).__name__} must be 1 or more steps, not {self.every!r}")
        if not 0 <= self.fraction <= 1:
            raise InputError(f"fraction of {type(self).__name__} is a share from 0 to 1, not {self.fraction!r}")

    def check(self, structure: Structure, schedule: Schedule) -> None:
        if not isinstance(structure, Unstructured):
            raise InputError(f"{type(self).__name__} exchanges single weights: structure is Unstructured, nothing else")
        require_constant(self, schedule)

    def buffers(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"first_scores": drawn(weight, source)}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return own["first_scores"]

    @abstractmethod
    def after_step(self, layer: LayerRuns) -> None: ...

    def _exchange(self, layer: LayerRuns, growth: Tensor, share: float) -> None:
        """Drop the `share` of active weights that are smallest; grow where `growth` [R, *shape] is largest."""
        active = layer.mask.flatten(1) > 0
        dropped = (layer.kept * share).long().minimum((~active).sum(1))
        sizes = layer.weight.flatten(1).abs()
        stay = keep_top(torch.where(active, sizes, -math.inf), layer.kept - dropped)
        grown = keep_top(torch.where(active, -math.inf, growth.flatten(1)), dropped)
        layer.mask.copy_(stay.view_as(layer.mask))
        layer.clear()
        layer.mask.add_(grown.view_as(layer.mask))


@dataclass(frozen=True)
class SET(_Regrowth):
    """Sparse evolutionary training (Mocanu et al. 2018, arXiv:1707.04780): as many as were dropped grow at random.

    Here a weight that is dropped is not drawn again at once. The last exchange is at step `until`, if given.
    """

    until: int | None = None

    def after_step(self, layer: LayerRuns) -> None:
        if layer.step % self.every == 0 and (self.until is None or layer.step <= self.until):
            self._exchange(layer, _uniform(layer), self.fraction)


@dataclass(frozen=True)
class RigL(_Regrowth):
    """Rigged lottery (Evci et al. 2020, arXiv:1911.11134): weights grow where the gradient of the dense weight is
    largest. `fraction` falls along half a cosine to 0 at step `until`, three quarters of training in the paper.

    That gradient is taken at every step and read from what the optimizer keeps of it, which is cleared outside the mask
    after each; plain gradient descent keeps nothing, so there the weight itself tells it.
    """

    until: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.until) is not int or self.until < 1:
            raise InputError(f"until of RigL must be 1 or more steps, not {self.until!r}")

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        return dense_gradient(weight, mask)

    def after_step(self, layer: LayerRuns) -> None:
        if layer.step % self.every == 0 and layer.step < self.until:
            share = self.fraction / 2 * (1 + math.cos(math.pi * layer.step / self.until))
            self._exchange(layer, next(iter(layer.moments), layer.weight).abs(), share)
        layer.clear()


@dataclass(frozen=True)
class StraightThroughMagnitude(Score):
    """The largest weights stay, and the gradient passes to all, so that removed ones may come back; SR-STE (Zhou et al.
    2021, arXiv:2102.04010) for N:M: dL/dW = dL/dWeff + decay (1 - M) W.

    The mask is made anew after every step.
    """

    decay: float = 2e-4

    def __post_init__(self) -> None:
        if not 0 <= self.decay < math.inf:
            raise InputError(f"decay of StraightThroughMagnitude must not be negative: {self.decay!r}")

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        return weight.abs()

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        through: Callable[..., Tensor] = _Through.apply
        return through(weight, mask, self.decay)

    def start(self, layer: LayerRuns) -> None:
        layer.rank(layer.weight.abs())

    def after_step(self, layer: LayerRuns) -> None:
        layer.rank(layer.weight.abs())


def dense_gradient(weight: Tensor, mask: Tensor) -> Tensor:
    """weight * mask, whose gradient counts as that of the weight everywhere."""
    # the difference is exactly zero; only its derivative is not
    return weight * mask + (1 - mask) * (weight - weight.detach())


class _Through(torch.autograd.Function):
    """(weight, mask, decay) -> weight * mask, with gradient g + decay (1 - mask) weight."""

    generate_vmap_rule = True

    @staticmethod
    def forward(weight: Tensor, mask: Tensor, decay: float) -> Tensor:
        return weight * mask

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        weight, mask, ctx.decay = inputs
        ctx.save_for_backward(weight, mask)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        weight, mask = ctx.saved_tensors
        return grads[0] + ctx.decay * (1 - mask) * weight, None, None


def _uniform(layer: LayerRuns) -> Tensor:
    """Uniform numbers shaped like the weight, for each run from its seed and the step."""
    sources = [generator(seed, "growth", layer.step) for seed in layer.seed.tolist()]
    drawn = [torch.rand(layer.weight.shape[1:], generator=source, dtype=torch.float64) for source in sources]
    return torch.stack(drawn).to(layer.weight)
