"""Setting small weights to zero: how many are left, and what it does to the error, threshold by threshold."""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.evaluation import fresh_inputs
from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_book.studies.l1_path.students import ensemble_of
from sparsenn_core.networks import literal_teacher
from sparsenn_core.recovery import scores
from sparsenn_core.training import Ensemble

THRESHOLDS = (0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
SAMPLES = 4096


def zeroed(objective: Objective, *tables: pd.DataFrame) -> pd.DataFrame:
    """For every network and threshold: the weights of at least that size, and the share of variance that the network
    with only those leaves unexplained (1 - R2) on fresh inputs.

    `tables`: rows of networks (trained runs or minimisers), then as many tables of their weights.
    """
    half = len(tables) // 2
    parts = []
    for rows, weights in zip(tables[:half], tables[half:], strict=True):
        student, activation = str(rows["student"].iloc[0]), str(rows["activation"].iloc[0])
        ensemble = ensemble_of(weights, student, activation, objective)
        known = [c for c in ("student", "activation", "penalty", "init_scale", "seed", "status", "origin") if c in rows]
        kind = "minimiser" if "residual" in rows else "reference schedule"
        if kind == "minimiser":
            best = rows.groupby("penalty")["objective"].idxmin().to_numpy()
            rows, ensemble = rows.loc[best].reset_index(drop=True), ensemble.select(torch.tensor(best))
        parts += [rows[known].assign(kind=kind, **_errors(ensemble, activation, t)) for t in THRESHOLDS]
    return pd.concat(parts, ignore_index=True)


def _errors(ensemble: Ensemble, activation: str, threshold: float) -> dict[str, object]:
    x = fresh_inputs(SAMPLES)
    large = {k: torch.where(w.abs() >= threshold, w, 0.0) for k, w in ensemble.params.items()}
    with torch.no_grad():
        scored = scores(ensemble.with_params(large)(x)[:, :, 0], literal_teacher("baseline", activation)(x)[:, 0])
    kept = torch.stack([(w != 0).flatten(1).sum(1) for w in large.values()]).sum(0)
    return {"threshold": threshold, "kept": kept.numpy(), "unexplained": (1 - scored.r2).numpy()}
