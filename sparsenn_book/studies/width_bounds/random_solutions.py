"""The study's random problems, solved with a certificate: one row a problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds.problems import Array, dimension_problems, rank_problems, small_problems
from sparsenn_core.lasso import solve_batch, width_bounds

TITLED = 10  # D in the titles of the study's rank figure


@dataclass(frozen=True)
class DimensionSettings:
    """`samples` N of the dimension problems, `repetitions` of each."""

    samples: tuple[int, ...]
    repetitions: int
    seed: int


@dataclass(frozen=True)
class RankSettings:
    """`ranks` r_x of the rank problems, `repetitions` of each."""

    ranks: tuple[int, ...]
    repetitions: int
    seed: int


@dataclass(frozen=True)
class SmallSettings:
    """`widths` K of the brute-force problems, `small_repetitions` of each."""

    widths: tuple[int, ...]
    small_repetitions: int
    seed: int


def dimension(settings: DimensionSettings) -> pd.DataFrame:
    """D = 10 outputs, K = 500 Gaussian features, N samples."""
    parts = [
        solved(*dimension_problems(n, settings.repetitions, settings.seed), rank=n, version="coded")
        for n in settings.samples
    ]
    return pd.concat(parts, ignore_index=True)


def rank(settings: RankSettings) -> pd.DataFrame:
    """N = 20, K = 200, features of rank r_x; `version` coded has D = r_x, titled D = 10."""
    parts = [
        solved(*rank_problems(r, settings.repetitions, settings.seed, outputs), rank=r, version=version)
        for r in settings.ranks
        for version, outputs in (("coded", None), ("titled", TITLED))
    ]
    return pd.concat(parts, ignore_index=True)


def small(settings: SmallSettings) -> pd.DataFrame:
    """D = 2, N = 3, K from 7 to 11: the study's brute force."""
    parts = [
        solved(*small_problems(k, settings.small_repetitions, settings.seed), rank=3, version="coded")
        for k in settings.widths
    ]
    return pd.concat(parts, ignore_index=True)


def solved(features: Array, targets: Array, *, rank: int, version: str) -> pd.DataFrame:
    """One row for each of R problems, features [R, K, N], targets [R, D, N]: width, certificate, bounds.

    `least` is the smallest ||v_k|| in use over the objective; `unique` says that the only solution is proven to be
    that; `condition` is that of the features on their row space.
    """
    batch = solve_batch(features, targets)
    bounds = [width_bounds(phi, psi) for phi, psi in zip(features, targets, strict=True)]
    length = np.linalg.norm(batch.coef, axis=1)
    rows = {
        "samples": features.shape[2],
        "neurons": features.shape[1],
        "outputs": targets.shape[1],
        "rank": rank,
        "version": version,
        "rep": range(len(batch)),
        "objective": batch.objective,
        "width": batch.width,
        "gap": np.abs(batch.gap),
        "residual": batch.residual,
        "least": np.where(batch.support, length, np.inf).min(1) / batch.objective,
        "unique": batch.unique,
        "rank_features": [b.rank_features for b in bounds],
        "rank_targets": [b.rank_targets for b in bounds],
        "lower": [b.least_generic for b in bounds],
        "sharp": [b.sharp for b in bounds],
        "product": [b.product for b in bounds],
        "condition": [b.features_spectrum[0] / b.features_spectrum[b.rank_features - 1] for b in bounds],
        "caratheodory": [b.caratheodory for b in bounds],
    }
    return pd.DataFrame(rows)
