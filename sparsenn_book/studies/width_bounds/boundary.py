"""Problems that need as many neurons as the sharper bound allows: built by the proof, solved, then thinned out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sparsenn_core.lasso import atom_rank, solve, sparsify
from sparsenn_core.randomness import derive_seed

Array = NDArray[np.float64]
PAIRS = ((1, 7), (2, 2), (2, 5), (3, 3), (3, 6), (5, 5), (4, 8))  # (r_Psi, r_Phi)
CROWD = 4  # neurons for each dimension of the atoms' space


@dataclass(frozen=True)
class BoundarySettings:
    """`boundary_draws` problems for each pair of ranks."""

    boundary_draws: int
    seed: int


def sharp_bound(q: int, p: int) -> int:
    """pq - q(q-1)/2, for rank Psi = q and rank Phi = p."""
    return p * q - q * (q - 1) // 2


def boundary_problem(q: int, p: int, draw: int, seed: int) -> tuple[Array, Array]:
    """Features [K, p] and targets [q, p] with every neuron on the boundary of one dual point of rank q."""
    r = np.random.default_rng(derive_seed(seed, "boundary", q, p, draw))
    size = CROWD * sharp_bound(q, p)
    dual = r.standard_normal((q, p))
    rows = r.standard_normal((size, p))
    rows /= np.linalg.norm(rows @ dual.T, axis=1, keepdims=True)
    amplitudes = r.uniform(0.1, 1.0, size)
    return rows, dual @ (rows.T * amplitudes) @ rows


def boundary(settings: BoundarySettings) -> pd.DataFrame:
    """One row a problem: neurons before and after `sparsify`, what the atoms span, and the certificate."""
    draws = [(q, p, draw) for q, p in PAIRS for draw in range(settings.boundary_draws)]
    return pd.DataFrame([_thinned(q, p, draw, settings.seed) for q, p, draw in draws])


def _thinned(q: int, p: int, draw: int, seed: int) -> dict[str, float]:
    features, targets = boundary_problem(q, p, draw, seed)
    dense = solve(features, targets)
    thin = sparsify(dense)
    return {
        "rank_targets": q,
        "rank_features": p,
        "neurons": len(features),
        "on_boundary": int(dense.boundary.sum()),
        "unique": dense.unique,
        "before": dense.width,
        "span": atom_rank(dense),
        "after": thin.width,
        "sharp": sharp_bound(q, p),
        "product": p * q,
        "moved": abs(thin.objective / dense.objective - 1),
        "residual": thin.residual,
        "gap": abs(thin.gap),
    }
