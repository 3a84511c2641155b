"""The sparse weight of a layer: what stands between the weight that is trained and the one that the layer uses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.masks.schedules import Constant, Schedule
from sparsenn_core.masks.structures import Structure


@dataclass
class LayerRuns:
    """One sparse layer of R runs after a step. Methods of scores write into its tensors.

    `weight` [R, *shape] is the trained weight, `mask` its mask, `kept` [R] how many units of a row stay in the end,
    `seed` [R] that of the layer's draws; `own` the further parameters and buffers of the score, `moments` what the
    optimizer remembers of the weight.
    """

    weight: Tensor
    mask: Tensor
    kept: Tensor
    seed: Tensor
    own: dict[str, Tensor]
    moments: list[Tensor]
    structure: Structure
    schedule: Schedule
    step: int

    def rank(self, values: Tensor) -> None:
        """Make the mask anew: the largest `values` [R, *shape] stay, as many as the schedule says by now."""
        self.mask.copy_(self.structure.mask(values, self.kept, self.schedule.progress(self.step)))

    def clear(self) -> None:
        """Set the weight and the optimizer's memory of it to zero outside the mask."""
        for tensor in (self.weight, *self.moments):
            tensor.mul_(self.mask)


class Score(ABC):
    """A method: what a mask follows, and how it enters the weight. A method of your own is a frozen dataclass with
    `values` (what is ranked), and whichever of the others differ; see `Magnitude`.
    """

    trains_weights: bool = True
    """Whether the weight itself is trained; else it is frozen where it starts."""
    has_sparsity: bool = True
    """Whether sparsity is asked for; else it is an outcome of penalties."""

    def check(self, structure: Structure, schedule: Schedule) -> None:
        """`InputError` for a structure or schedule that the method does not go with; by default it goes with all."""
        return None

    def parameters(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        """Further parameters that are trained, by name, at their start."""
        return {}

    def buffers(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        """Further numbers that are kept, by name, at their start."""
        return {}

    @abstractmethod
    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        """What is ranked, a number for each weight, [R, *shape]."""

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        """The weight that the layer uses, of one run [*shape]."""
        return weight * mask

    def start(self, layer: LayerRuns) -> None:
        """The first mask, before training."""
        layer.rank(self.values(layer.weight, layer.own))
        layer.clear()

    def after_step(self, layer: LayerRuns) -> None:
        """What happens after a step of the optimizer: here the mask is made anew where the schedule says so, and what
        is removed stays zero.
        """
        if layer.schedule.due(layer.step):
            layer.rank(self.values(layer.weight, layer.own))
            layer.clear()


class SparseWeight(nn.Module):
    """The parametrization that `sparsify` registers: trained weight in, sparse weight out.

    Mask, counts, step and whatever else the score keeps are buffers, so they are saved, loaded and copied with the
    model. Score, structure and schedule are values.
    """

    def __init__(
        self, weight: Tensor, score: Score, structure: Structure, schedule: Schedule, kept: int, source: torch.Generator
    ) -> None:
        super().__init__()
        self.score, self.structure, self.schedule = score, structure, schedule
        seed = torch.randint(2**62, (), generator=source)
        numbers = {"kept": torch.tensor(kept), "step": torch.tensor(0), "seed": seed}
        buffers = {"mask": torch.ones_like(weight)} | {name: n.to(weight.device) for name, n in numbers.items()}
        # in a module of their own, where `by_name` finds parameters and buffers alike
        self.tensors = Tensors(score.parameters(weight, source), buffers | score.buffers(weight, source))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight that the layer uses."""
        own = self.tensors.by_name()
        return self.score.effective(weight, own["mask"], own, self.training)

    def extra_repr(self) -> str:
        """The parts of the method."""
        return f"{self.score}, {self.structure}, {self.schedule}"


class Tensors(nn.Module):
    """Parameters and buffers by name."""

    def __init__(self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in parameters.items():
            self.register_parameter(name, nn.Parameter(tensor.detach().clone()))
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor.detach().clone())

    def by_name(self) -> dict[str, Tensor]:
        """All of them."""
        found: dict[str, Any] = {**self._parameters, **self._buffers}
        return found


def require_constant(score: Score, schedule: Schedule) -> None:
    """`InputError` unless the schedule is `Constant`: the method has a course of its own."""
    if not isinstance(schedule, Constant):
        raise InputError(f"{type(score).__name__} has a course of its own and takes no {type(schedule).__name__}")


def per_layer(values: Tensor, like: Tensor) -> Tensor:
    """One number a run [R], shaped to go with `like` [R, ...]."""
    return values.view(-1, *(1,) * (like.ndim - 1))
