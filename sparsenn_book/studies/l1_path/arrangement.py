"""Weights of minimisers arranged like the teacher's, for a picture."""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.evaluation import aligned, layers_of
from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_book.studies.l1_path.students import ensemble_of


def arranged(objective: Objective, *tables: pd.DataFrame) -> pd.DataFrame:
    """The weights of the least L1 and L2 minimiser of each activation, up to symmetry as close to the teacher's as they
    come, one row a weight: activation, penalty, layer, output, input, tap, student, teacher.

    `tables`: those of the networks found, then as many of their weights.
    """
    half = len(tables) // 2
    parts = []
    for found, weights in zip(tables[:half], tables[half:], strict=True):
        student, activation = str(found["student"].iloc[0]), str(found["activation"].iloc[0])
        ensemble = ensemble_of(weights, student, activation, objective)
        best = found.groupby("penalty")["objective"].idxmin()
        layers = layers_of(ensemble.select(torch.tensor(best.to_numpy())).params)
        rows = _rows(layers, activation)
        parts.append(rows.assign(activation=activation, penalty=rows["run"].map(dict(enumerate(best.index)))))
    return pd.concat(parts, ignore_index=True).drop(columns="run")


def _rows(layers: list[torch.Tensor], activation: str) -> pd.DataFrame:
    found = aligned(layers, activation)
    rows = []
    for layer, (student, teacher) in enumerate(zip(found.weights, found.teacher, strict=True), start=1):
        for run in range(len(student)):
            for place in torch.cartesian_prod(*(torch.arange(n) for n in teacher.shape)).tolist():
                rows.append((run, layer, *place, float(student[run][tuple(place)]), float(teacher[tuple(place)])))
    return pd.DataFrame(rows, columns=["run", "layer", "output", "input", "tap", "student", "teacher"])
