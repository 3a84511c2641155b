"""How the learning rate changes during training: a factor for every step, or for every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sparsenn_core.errors import InputError

Schedule = Callable[[int], float]
"""Number of the step (1, 2, ...) -> what the learning rate is multiplied with; wrapped in `by_epoch`, of the epoch."""


@dataclass(frozen=True)
class Cosine:
    """See `cosine`."""

    length: int
    final: float

    def __call__(self, number: int) -> float:
        share = min(number - 1, self.length) / self.length
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * share)) / 2


def cosine(length: int, final: float = 0.0) -> Schedule:
    """The factor falls from 1 to `final` along half a cosine over `length` steps, or epochs if `by_epoch`."""
    if length < 1:
        raise InputError(f"cosine needs a length of 1 or more, not {length}")
    return Cosine(length, final)


@dataclass(frozen=True)
class ByEpoch:
    """See `by_epoch`."""

    schedule: Schedule

    def __call__(self, number: int) -> float:
        return self.schedule(number)


def by_epoch(schedule: Schedule) -> Schedule:
    """The same schedule counted in epochs: its factor changes after each, `torch.optim.lr_scheduler`'s habit."""
    return ByEpoch(schedule)


@dataclass(frozen=True)
class InSteps:
    """A schedule of steps for a fit with so many steps an epoch."""

    schedule: Schedule
    steps_per_epoch: int

    def __call__(self, number: int) -> float:
        if isinstance(self.schedule, ByEpoch):
            return self.schedule((number - 1) // self.steps_per_epoch + 1)
        return self.schedule(number)
