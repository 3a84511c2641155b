"""What one condition of the rebound study is, and the conditions that its figures, code and description name."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import torch

from sparsenn_core.errors import InputError, unknown

PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype]] = {
    "float32": (torch.float32, torch.float32),
    "float64": (torch.float64, torch.float64),
    "float64 weights, float32 arithmetic": (torch.float64, torch.float32),
    "float32 weights, float64 arithmetic": (torch.float32, torch.float64),
}
"""Names of (type of the stored weights, type of outputs, loss and gradients)."""

BIASES = ("tiny", "zero", "uniform")
PERTURBATIONS = ("gaussian", "uniform")
RULES = ("vanilla", "l1", "drr")
OPTIMIZERS = ("sgd", "adam")
PROJECTIONS = ("none", "reference", "generic")
PROJECTION_EPOCHS = ("described", "coded")


@dataclass(frozen=True)
class Condition:
    """One condition to train students in; names as in the study's code where it has one. The defaults are those of
    its figure B.

    dimensions            widths of teacher and student, tanh after every hidden layer
    biases                of the teacher. tiny: +-10 U(0, 1) eps of float32, which is what the study's projection makes
                          of its zero biases; zero; uniform: U(-1, 1)
    perturbation          size of the student's random displacement from the teacher
    perturbation_law      gaussian: N(0, 1) times `perturbation`, as coded; uniform: U(-1, 1) times it, as described
    noise                 standard deviation of the Gaussian noise of the targets, train and test
    learning_rate, epochs every epoch is one step on all samples
    num_runs, seed        runs have teachers, data, noise and displacement of their own
    dataset_size, test_set_size  samples a run
    rule                  vanilla; l1: alpha sum |w|; drr: alpha sum s_l (1 - exp(-beta |w|)) + rho sum s_l w^2
    optimizer             sgd (plain) or adam
    precision             one of `PRECISIONS`
    projection            reference: the study's own, which moves every weight outward; generic: `project_generic`
    projection_frequency  0: never. f: after every f-th epoch (`projection_epochs` described), or after the epochs
                          that divide f (coded: the study has the remainder the wrong way round)
    one_teacher           all runs share the teacher of run 0, as in experiment C
    draw                  conditions with equal `draw` and seed share data and (scaled) noise: common random numbers
    """

    dimensions: tuple[int, ...] = (2, 25, 25, 1)
    biases: str = "tiny"
    perturbation: float = 0.0
    perturbation_law: str = "gaussian"
    noise: float = 1e-3
    learning_rate: float = 1e-2
    epochs: int = 500
    num_runs: int = 20
    dataset_size: int = 10_000
    test_set_size: int = 1000
    rule: str = "vanilla"
    alpha: float = 0.0
    beta: float = 10.0
    rho: float = 0.0
    optimizer: str = "sgd"
    precision: str = "float32"
    projection: str = "none"
    projection_frequency: int = 0
    projection_epochs: str = "described"
    one_teacher: bool = False
    draw: int = 0
    seed: int = 42

    def __post_init__(self) -> None:
        choices: Mapping[str, Collection[str]] = {
            "biases": BIASES, "perturbation_law": PERTURBATIONS, "rule": RULES, "optimizer": OPTIMIZERS,
            "precision": PRECISIONS, "projection": PROJECTIONS, "projection_epochs": PROJECTION_EPOCHS,
        }  # fmt: skip
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, where="Condition")
        for name in ("perturbation", "noise", "learning_rate", "alpha", "beta", "rho"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"Condition: {name} must be finite and not negative, not {getattr(self, name)!r}")
        for name in ("epochs", "num_runs", "dataset_size", "test_set_size"):
            if getattr(self, name) < 1:
                raise InputError(f"Condition: {name} must be 1 or more, not {getattr(self, name)!r}")
        if self.projection_frequency < 0 or (self.projection_frequency > 0) != (self.projection != "none"):
            raise InputError(
                f"Condition: projection {self.projection!r} does not go with projection_frequency "
                f"{self.projection_frequency}; 0 means none"
            )

    @property
    def stored(self) -> torch.dtype:
        """The type of the weights."""
        return PRECISIONS[self.precision][0]

    @property
    def arithmetic(self) -> torch.dtype:
        """The type of outputs, loss and gradients."""
        return PRECISIONS[self.precision][1]

    def projection_after(self) -> list[int]:
        """The epochs after which students are projected."""
        f = self.projection_frequency
        if f == 0:
            return []
        if self.projection_epochs == "coded":
            return [e for e in range(1, min(f, self.epochs) + 1) if f % e == 0]
        return list(range(f, self.epochs + 1, f))


_SCALING = Condition(one_teacher=True, learning_rate=1e-3, epochs=100, num_runs=10)

PRESETS: dict[str, Condition] = {
    "A": Condition(perturbation=1e-6, noise=0.0),
    "B": Condition(),
    "C": replace(_SCALING, learning_rate=1e-5, num_runs=20),
    "B as coded": Condition(rule="drr", alpha=1e-4, num_runs=10),
    "B as described": Condition(projection="reference", projection_frequency=1),
    "B as first coded": Condition(projection="reference", projection_frequency=1, projection_epochs="coded"),
    "C as coded": _SCALING,
    "C as once coded": replace(_SCALING, learning_rate=1e-5, epochs=500),
    "pruning as coded": Condition(rule="drr", alpha=0.1, optimizer="adam", epochs=5000, num_runs=1),
}
"""Conditions by name. A, B, C: those of the three figures, as their titles name them (which the page that shows the
figures crops). *As coded* at the study's last commit, *as described* in its text, and earlier versions.
"""

DATASET_SIZE = 10_000
"""Training samples of the study."""


def noise_for(noise: float, samples: int) -> float:
    """The noise of that many samples that pulls a student as strongly as `noise` does on the study's 10,000.

    The pull is the mean over samples, so its size goes as noise / sqrt(samples).
    """
    return noise * math.sqrt(samples / DATASET_SIZE)
