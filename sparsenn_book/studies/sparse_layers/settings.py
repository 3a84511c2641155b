"""What the chapter's parameters set, a table or a few at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparsenn_book.studies.sparse_layers.tasks import Task
from sparsenn_core.randomness import derive_seed


@dataclass(frozen=True)
class OriginalSettings:
    """The study's notebook: a network of two sparse layers on the sum of ten inputs."""

    original_runs: int
    original_steps: int
    original_sparsity: float
    seed: int


@dataclass(frozen=True)
class TrainingSettings:
    """How every network of the comparison is trained."""

    steps: int
    batch_size: int
    seed: int

    def run_seed(self, purpose: str, run: int) -> int:
        """The seed of run number `run`; runs of another purpose share nothing with it."""
        return derive_seed(self.seed, purpose, run)


@dataclass(frozen=True)
class TaskSettings(TrainingSettings):
    """Tasks, those of pictures with a budget of their own: there are many pictures, and a step on them is dear."""

    tasks: tuple[str, ...]
    pictures: int
    picture_steps: int

    def of(self, task: Task) -> tuple[Task, TrainingSettings]:
        """A task with the samples it has here, and how its networks are trained."""
        if not task.pictures:
            return task, TrainingSettings(self.steps, self.batch_size, self.seed)
        own = TrainingSettings(self.picture_steps, self.batch_size, self.seed)
        return replace(task, samples=self.pictures), own


@dataclass(frozen=True)
class TuningSettings(TaskSettings):
    """Learning rates, tried on runs that are not reported."""

    rates: tuple[float, ...]
    tuning_sparsities: tuple[float, ...]
    tuning_runs: int


@dataclass(frozen=True)
class ComparisonSettings(TaskSettings):
    """The runs that are reported."""

    sparsities: tuple[float, ...]
    picture_sparsities: tuple[float, ...]
    runs: int

    def of_task(self, task: Task) -> tuple[float, ...]:
        """The sparsities that a task is trained at."""
        return self.picture_sparsities if task.pictures else self.sparsities


@dataclass(frozen=True)
class RecordedSettings:
    """An earlier comparison, made again as it was: how much of it. Its steps and rate are its own (`recorded`)."""

    recorded_tasks: tuple[str, ...]
    recorded_sparsities: tuple[float, ...]
    recorded_steps: int
    batch_size: int
    seed: int


@dataclass(frozen=True)
class StructureSettings(TrainingSettings):
    """Structures other than single weights, on one task."""

    structure_task: str
    structure_sparsities: tuple[float, ...]
    structure_runs: int


@dataclass(frozen=True)
class PenaltySettings(TrainingSettings):
    """Methods whose sparsity is an outcome of a penalty, on one task."""

    penalty_task: str
    strengths: tuple[float, ...]
    penalty_runs: int


@dataclass(frozen=True)
class InputSettings:
    """Random masks that are drawn to count the inputs they leave out."""

    mask_draws: int
    seed: int


@dataclass(frozen=True)
class SpeedSettings:
    """Layers that are timed."""

    speed_sizes: tuple[int, ...]
    speed_batches: tuple[int, ...]
    speed_sparsities: tuple[float, ...]
    speed_repeats: int
    seed: int
