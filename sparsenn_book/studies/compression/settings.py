"""What the chapter's parameters set, a table or a few at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSettings:
    """Networks that are trained and then made smaller."""

    tasks: tuple[str, ...]
    runs: int
    hidden: int
    epochs: int
    fashion_samples: int
    seed: int


@dataclass(frozen=True)
class ComparisonSettings(NetworkSettings):
    """All ways to choose neurons, at equal width."""

    shares: tuple[float, ...]
    path_strengths: int


@dataclass(frozen=True)
class DescentSettings(NetworkSettings):
    """The study's own loop on its own objective."""

    study_strengths: tuple[float, ...]
    study_iterations: tuple[int, ...]
    study_rate: float


@dataclass(frozen=True)
class WholeSettings(NetworkSettings):
    """Whole networks made smaller, all layers in turn, and timed."""

    tolerance: float
    whole_runs: int
