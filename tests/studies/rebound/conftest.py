"""Lets the tests of this folder import their slow twin, and makes all tables of the chapter once, very small."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sparsenn_book.studies import rebound

NETS = {"dimensions": (2, 4, 3, 1), "biases": "tiny", "seed": 5}
TRAINED = {"epochs": 8, "learning_rate": 0.01}
AB = rebound.ExperimentSettings(
    **NETS, **TRAINED, num_runs=3, dataset_size=20, test_set_size=10, noise=1e-3, perturbation=1e-3
)
BOTH = rebound.TurningSettings(
    **NETS, **TRAINED, num_runs=3, dataset_size=20, test_set_size=10, turning_noise=0.1, turning_perturbation=1e-3
)
FEW = rebound.SmallSettings(**NETS, **TRAINED, map_runs=2, map_size=10)
VARIANTS = rebound.VariantSettings(
    **NETS, **TRAINED, map_runs=2, map_size=10, noise=1e-3, alpha=1e-4, beta=10.0, rho=0.0, projection_frequency=1
)
MAP = rebound.MapSettings(
    **NETS, **TRAINED, map_runs=2, map_size=10, beta=10.0, rho=0.0, map_perturbations=(1e-6, 1e-2)
)
COUNTS = rebound.CountSettings(
    **NETS, **TRAINED, counted_runs=4, map_size=10, noise=1e-3, perturbation=1e-6, counted_perturbations=(1e-6, 1e-5)
)
SPECTRUM = rebound.SpectrumSettings(**NETS, spectrum_runs=2, spectrum_size=50)
MARGINS = rebound.MarginSettings(**NETS, num_runs=2)
SCALING = rebound.ScalingSettings(
    **NETS, scaling_runs=2, scaling_size=20, exact_size=20, scaling_points=4, scaling_rate=1e-3, scaling_epochs=5
)
LEVELS = rebound.LevelSettings(**NETS, spectrum_runs=1, scaling_rate=1e-5, scaling_epochs=10)
PRUNING = rebound.PruningSettings(
    **NETS, pruning_runs=2, pruning_size=10, test_set_size=10, pruning_epochs=10, pruning_alphas=(0.1, 1e-4),
    pruning_teacher=(2, 2, 2, 1), beta=10.0, tolerance=0.05,
)  # fmt: skip


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    """Every table of the chapter, by name, from settings so small that nothing is found; 3 seconds."""
    made = {**rebound.experiments.published(AB), **rebound.experiments.turning(BOTH)}
    made |= rebound.counting.counted(COUNTS) | rebound.rules.mapped(MAP) | rebound.pruning.pruned_students(PRUNING)
    made["prediction"] = rebound.closed_form.predicted(made["curves"], made["turning"], AB, BOTH)
    made["scaling"] = rebound.scaling.scaled(SCALING)
    made["levels"] = rebound.scaling.levels(LEVELS)
    made["distances"] = rebound.distances.compared(made["students"], made["turned_students"], AB, BOTH, FEW)
    made["b_variants"] = rebound.variants.variants(VARIANTS)
    made["spectrum"] = rebound.spectra.spectra(SPECTRUM)
    made["margins"] = rebound.margins.margins(MARGINS)
    return made
