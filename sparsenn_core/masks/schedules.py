"""When weights are removed: at once, at one step, or more and more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sparsenn_core.errors import InputError


class Schedule(ABC):
    """How much of the sparsity is reached after a number of steps."""

    @abstractmethod
    def progress(self, step: int) -> float:
        """Share of the removals that are done after `step` steps, from 0 to 1."""

    @abstractmethod
    def due(self, step: int) -> bool:
        """Whether a mask that follows the weights is made anew after `step` steps."""


@dataclass(frozen=True)
class Constant(Schedule):
    """Full sparsity from the start."""

    def progress(self, step: int) -> float:
        return 1.0

    def due(self, step: int) -> bool:
        return False


@dataclass(frozen=True)
class OneShot(Schedule):
    """Dense until `at` steps are made; then full sparsity, and training goes on with what is left."""

    at: int

    def __post_init__(self) -> None:
        _check_step("at", self.at)

    def progress(self, step: int) -> float:
        return float(step >= self.at)

    def due(self, step: int) -> bool:
        return step == self.at


@dataclass(frozen=True)
class Cubic(Schedule):
    """Gradual pruning (Zhu & Gupta 2017, arXiv:1710.01878): dense until step `start`, full sparsity from `stop` on.

    Between, sparsity is s (1 - (1 - (t - start) / (stop - start))^3), taken every `every` steps and at `stop`.
    """

    start: int
    stop: int
    every: int = 1

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            _check_step(name, getattr(self, name))
        if self.stop <= self.start:
            raise InputError(f"Cubic ends before it starts: start={self.start}, stop={self.stop}")
        if type(self.every) is not int or self.every < 1:
            raise InputError(f"every of Cubic must be 1 or more steps, not {self.every!r}")

    def progress(self, step: int) -> float:
        if step >= self.stop:
            return 1.0
        taken = max(0, (step - self.start) // self.every * self.every)
        return 1.0 - (1.0 - taken / (self.stop - self.start)) ** 3

    def due(self, step: int) -> bool:
        return step == self.stop or (self.start < step < self.stop and (step - self.start) % self.every == 0)


def _check_step(name: str, value: int) -> None:
    if type(value) is not int or value < 0:
        raise InputError(f"{name} of a schedule is a number of steps, 0 or more, not {value!r}")
