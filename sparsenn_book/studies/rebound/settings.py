"""What the chapter's parameters set, a table or a few at a time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sparsenn_book.studies.rebound.conditions import Condition, noise_for

SHARED = ("dimensions", "biases", "seed", "num_runs", "dataset_size", "test_set_size", "epochs", "learning_rate",
          "beta", "rho")  # fmt: skip
"""What a condition takes over from settings; the rest is what an experiment is about."""


@dataclass(frozen=True)
class Networks:
    """Shape and biases of the teachers, and the seed of all draws."""

    dimensions: tuple[int, ...]
    biases: str
    seed: int

    def condition(self, **changes: Any) -> Condition:
        """A condition in float64 and without noise, with the `SHARED` fields and `changes`.

        A `noise` is that of the study, on its 10,000 samples; on fewer it is smaller in proportion.
        """
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name in SHARED}
        values: dict[str, Any] = {"precision": "float64", "noise": 0.0, "test_set_size": 1} | own | changes
        if "dataset_size" in values:
            values["noise"] = noise_for(values["noise"], values["dataset_size"])
        return Condition(**values)


@dataclass(frozen=True)
class ExperimentSettings(Networks):
    """The study's experiments A and B."""

    num_runs: int
    dataset_size: int
    test_set_size: int
    epochs: int
    learning_rate: float
    noise: float
    perturbation: float

    def conditions(self) -> dict[str, Condition]:
        """A and B, in float64."""
        return {"A": self.condition(perturbation=self.perturbation), "B": self.condition(noise=self.noise)}


@dataclass(frozen=True)
class TurningSettings(Networks):
    """Noise beside a displacement, which makes students turn back in exact arithmetic too."""

    num_runs: int
    dataset_size: int
    test_set_size: int
    epochs: int
    learning_rate: float
    turning_noise: float
    turning_perturbation: float

    def conditions(self) -> dict[str, Condition]:
        """The one condition, in float64, by its name."""
        changes = {"noise": self.turning_noise, "perturbation": self.turning_perturbation}
        return {"noise and displacement": self.condition(**changes)}


@dataclass(frozen=True)
class SmallSettings(Networks):
    """Runs on few samples, where their number hardly matters."""

    map_runs: int
    map_size: int
    epochs: int
    learning_rate: float

    def small(self, **changes: Any) -> Condition:
        """A condition of so many runs and samples, in float64."""
        return self.condition(num_runs=self.map_runs, dataset_size=self.map_size, **changes)


@dataclass(frozen=True)
class VariantSettings(SmallSettings):
    """B as coded and as described."""

    noise: float
    alpha: float
    beta: float
    rho: float
    projection_frequency: int


@dataclass(frozen=True)
class MapSettings(SmallSettings):
    """Rules of training, precisions and displacements."""

    beta: float
    rho: float
    map_perturbations: tuple[float, ...]


@dataclass(frozen=True)
class CountSettings(Networks):
    """How many of many students turn back, and how much their curves vary."""

    counted_runs: int
    map_size: int
    epochs: int
    learning_rate: float
    noise: float
    perturbation: float
    counted_perturbations: tuple[float, ...]


@dataclass(frozen=True)
class SpectrumSettings(Networks):
    """Curvature at teachers with tiny and with large biases."""

    spectrum_runs: int
    spectrum_size: int


@dataclass(frozen=True)
class ScalingSettings(Networks):
    """Experiment C."""

    scaling_runs: int
    scaling_size: int
    exact_size: int
    scaling_points: int
    scaling_rate: float
    scaling_epochs: int

    @property
    def sigmas(self) -> list[float]:
        """The study's sizes of the noise."""
        return [1e-5 * 1.615**i for i in range(self.scaling_points)]


@dataclass(frozen=True)
class MarginSettings(Networks):
    """Margins of the teachers."""

    num_runs: int


@dataclass(frozen=True)
class LevelSettings(Networks):
    """C in closed form, for several teachers."""

    spectrum_runs: int
    scaling_rate: float
    scaling_epochs: int


@dataclass(frozen=True)
class PruningSettings(Networks):
    """The pruning of wide students."""

    pruning_runs: int
    pruning_size: int
    test_set_size: int
    pruning_epochs: int
    pruning_alphas: tuple[float, ...]
    pruning_teacher: tuple[int, ...]
    beta: float
    tolerance: float
