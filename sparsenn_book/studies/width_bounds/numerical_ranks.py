"""Spectra of feature matrices, and the ranks and bounds that follow at several tolerances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds.neuron_sharing import problem
from sparsenn_book.studies.width_bounds.problems import Array, dimension_problems, rank_problems
from sparsenn_book.studies.width_bounds.students import on_the_sphere, runs
from sparsenn_core.lasso import width_bounds
from sparsenn_core.randomness import derive_seed

TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
ROUNDED = "rank 5, rounded to float32"
TANH = "tanh, one input"
STUDENT = "student, "  # before the name of a rule


@dataclass(frozen=True)
class SpectrumSettings:
    """The largest N in `samples` is that of the Gaussian matrix."""

    samples: tuple[int, ...]
    seed: int


def spectra_and_ranks(settings: SpectrumSettings, weights: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `spectra` (matrix, index, value over the largest) and `ranks` (matrix, K, rtol, both ranks, bound),
    of three kinds of made-up features and of the first student of each rule.
    """
    spectra, ranks = [], []
    for name, (phi, psi) in (_made_up(settings) | _of_students(weights)).items():
        bounds = width_bounds(phi, psi)
        value = bounds.features_spectrum / bounds.features_spectrum[0]
        spectra.append(pd.DataFrame({"matrix": name, "index": range(1, len(value) + 1), "value": value}))
        ranks += [
            {"matrix": name, "K": len(phi), "rtol": t, "r_Phi": p, "r_Psi": q, "sharp": p * q - q * (q - 1) // 2}
            for t, (p, q) in bounds.ranks(TOLERANCES).items()
        ]
    return {"spectra": pd.concat(spectra, ignore_index=True), "ranks": pd.DataFrame(ranks)}


def _made_up(settings: SpectrumSettings) -> dict[str, tuple[Array, Array]]:
    largest, seed = settings.samples[-1], settings.seed
    gaussian, five = (
        [m[0] for m in some] for some in (dimension_problems(largest, 1, seed), rank_problems(5, 1, seed))
    )
    r = np.random.default_rng(derive_seed(seed, "tanh"))
    tanh = np.tanh(np.outer(r.standard_normal(200), np.linspace(-1, 1, 40)) + r.standard_normal((200, 1)))
    return {
        f"Gaussian, N = {largest}": (gaussian[0], gaussian[1]),
        "rank 5": (five[0], five[1]),
        ROUNDED: (five[0].astype(np.float32).astype(float), five[1].astype(np.float32).astype(float)),
        TANH: (tanh, r.standard_normal((2, 200)) @ tanh),
    }


def _of_students(weights: pd.DataFrame) -> dict[str, tuple[Array, Array]]:
    x, _, _ = problem()
    extended = np.concatenate([x.double().numpy(), np.ones((len(x), 1))], 1)
    first = weights[weights["seed"] == weights["seed"].min()]
    found = {}
    for method, _, rows in runs(first):
        directions, coef = on_the_sphere(rows)
        features = np.maximum(directions @ extended.T, 0.0)
        found[STUDENT + method] = (features, coef @ features)
    return found
