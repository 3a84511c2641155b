"""What the chapter's parameters set, a table or a few at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sparsenn_core.randomness import derive_seed


@dataclass(frozen=True)
class Draws:
    """Whose draws they are: nothing is shared between tables, nor between runs of one."""

    seed: int

    def run_seed(self, purpose: str, *run: int) -> int:
        """The seed of one run of a table."""
        return derive_seed(self.seed, purpose, *run)


@dataclass(frozen=True)
class PathSettings(Draws):
    """Regularization paths: of how many draws of data, on how many samples, and how fine."""

    path_draws: int
    path_samples: int
    path_decades: int
    path_per_decade: int
    path_starts: int


@dataclass(frozen=True)
class CertificateSettings(Draws):
    """Dual certificates: of which teachers, on which data, at which strengths."""

    certified_teachers: tuple[str, ...]
    certified_samples: tuple[int, ...]
    certified_strengths: tuple[float, ...]
    certified_draws: int


@dataclass(frozen=True)
class PhaseSettings(Draws):
    """Phase diagrams of recovery: axes, runs of a cell and steps of a run."""

    phase_activations: tuple[str, ...]
    phase_strengths: tuple[float, ...]
    phase_scales: tuple[float, ...]
    phase_samples: tuple[int, ...]
    phase_channels: tuple[int, ...]
    phase_runs: int
    phase_steps: int


@dataclass(frozen=True)
class TreeSettings(Draws):
    """The fully connected students whose least minimiser is drawn as a tree."""

    tree_samples: int
    tree_strength: float
    tree_starts: int
    tree_steps: int


@dataclass(frozen=True)
class SparsifierSettings(Draws):
    """Ways to sparse students: reported runs, runs on which each way's strength is tuned, samples and steps of each."""

    sparsifier_runs: int
    sparsifier_tuning_runs: int
    sparsifier_samples: int
    sparsifier_steps: int
