"""The two schedules of the study: as its README says, and as its code has it."""

from __future__ import annotations

from dataclasses import dataclass

from sparsenn_core.errors import unknown


@dataclass(frozen=True)
class StepDecay:
    """A factor on the learning rate, by epoch: `decay` once more after each of the `milestones`."""

    milestones: tuple[int, ...]
    decay: float

    def __call__(self, number: int) -> float:
        return self.decay ** sum(number > milestone for milestone in self.milestones)


@dataclass(frozen=True)
class Schedule:
    """SGD on minibatches of 32 with the mean squared error of one-hot targets."""

    learning_rate: float
    momentum: float
    weight_decay: float
    steps: StepDecay
    batch_size: int = 32


SCHEDULES = {
    "readme": Schedule(0.01, 0.9, 3e-3, StepDecay((60, 120, 160), 0.1)),
    "code": Schedule(0.01, 0.0, 8e-4, StepDecay((60, 100, 300), 0.2)),
}
"""By name. The README trains 500 epochs; the code 510, and stops runs that learn nothing."""


def schedule(name: str) -> Schedule:
    """The schedule called `name`."""
    if name not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    return SCHEDULES[name]
