"""What the chapter's parameters set, a table or a few at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StudySettings:
    """The study's networks, trained and followed."""

    dataset: str
    samples: int
    schedules: tuple[str, ...]
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    epochs: int
    every: int
    margin: float
    delta: float
    seed: int


@dataclass(frozen=True)
class DeepSettings:
    """The same networks over all depths, on images of another size."""

    deep_dataset: str
    deep_samples: int
    deep_tests: int
    deep_schedules: tuple[str, ...]
    deep_depths: tuple[int, ...]
    deep_widths: tuple[int, ...]
    deep_epochs: int
    margin: float
    delta: float
    seed: int

    @property
    def study(self) -> StudySettings:
        """As settings of the study's networks, looked at five times."""
        every = max(1, self.deep_epochs // 4)
        return StudySettings(
            self.deep_dataset, self.deep_samples, self.deep_schedules, self.deep_depths, self.deep_widths,
            self.deep_epochs, every, self.margin, self.delta, self.seed,
        )  # fmt: skip


@dataclass(frozen=True)
class GridSettings:
    """Many small networks that differ in width, depth, samples, weight decay and label noise."""

    grid_depths: tuple[int, ...]
    grid_widths: tuple[int, ...]
    grid_samples: tuple[int, ...]
    grid_decays: tuple[float, ...]
    grid_noises: tuple[float, ...]
    grid_epochs: int
    margin: float
    delta: float
    seed: int


@dataclass(frozen=True)
class SearchSettings:
    """The search for signs that a network fits well, under every bound."""

    search_draws: int
    search_steps: int
    search_samples: tuple[int, ...]
    counter_draws: int
    seed: int


@dataclass(frozen=True)
class GrowthSettings:
    """How bounds grow with depth, width and number of samples at equal norms."""

    growth_depths: tuple[int, ...]
    growth_widths: tuple[int, ...]
    growth_samples: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class PosteriorSettings:
    """PAC-Bayes with a prior from no data and from half of the data."""

    dataset: str
    samples: int
    posterior_width: int
    posterior_epochs: int
    posterior_steps: int
    posterior_draws: int
    margin: float
    delta: float
    seed: int


@dataclass(frozen=True)
class StudentSettings:
    """Bounds of the L1 chapter's students, on samples as many as they were trained on."""

    student_samples: int
    margin: float
