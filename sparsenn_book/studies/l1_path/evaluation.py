"""What became of the students: fit, sparsity, recovery, and the study's own distance beside ours."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_path.reference import reference_distance
from sparsenn_book.studies.l1_path.settings import FreshInputs, Objective
from sparsenn_book.studies.l1_path.students import ensemble_of
from sparsenn_core import recovery
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties.base import Params
from sparsenn_core.randomness import generator
from sparsenn_core.training import Ensemble

THRESHOLDS = (1e-4, 1e-3, 1e-2)


def judged(objective: Objective, fresh: FreshInputs, *tables: pd.DataFrame) -> pd.DataFrame:
    """Rows of runs, each with error on fresh inputs, sparsity, distances and outcome; everything in float64.

    `tables` are first those with one row a network (one student and activation each), then as many tables of their
    weights, in the same order.
    """
    half = len(tables) // 2
    parts = []
    for rows, weights in zip(tables[:half], tables[half:], strict=True):
        student, activation = str(rows["student"].iloc[0]), str(rows["activation"].iloc[0])
        ensemble = ensemble_of(weights, student, activation, objective)
        judgement = describe(ensemble, activation, fresh_inputs(fresh.test_samples))
        parts.append(pd.concat([rows.reset_index(drop=True), judgement], axis=1))
    return pd.concat(parts, ignore_index=True)


def fresh_inputs(samples: int) -> Tensor:
    """Test inputs N(0, I) [samples, 12], float64, that no run was trained on."""
    return torch.randn(samples, 12, generator=generator(0, "test data"), dtype=torch.float64)


def describe(ensemble: Ensemble, activation: str, x: Tensor) -> pd.DataFrame:
    """One row a network: error and R2 on inputs `x`, weights kept, distances, outcome.

    Also the error of the best constant (`variance`), that of the output zero (`zero_error`), and the sum of |w|.
    """
    targets = literal_teacher("baseline", activation)(x)[:, 0]
    with torch.no_grad():
        outputs = ensemble(x)[:, :, 0]
    scored = recovery.scores(outputs, targets)
    layers = layers_of(ensemble.params)
    table = pd.DataFrame({"mse": scored.mse.numpy(), "r2": scored.r2.numpy()})
    table["variance"], table["zero_error"] = float(targets.var(correction=0)), float(targets.square().mean())
    table = table.join(_kept(layers))
    table["reference_distance"] = [_reference(layers, activation, r) for r in range(len(ensemble))]
    found = aligned(layers, activation)
    table["aligned_distance"], table["shape_distance"] = found.relative.numpy(), found.relative_shape.numpy()
    return table.assign(outcome=recovery.outcome(scored, found.relative_shape))


def layers_of(params: Params) -> list[Tensor]:
    """The layers' weights [R, ...] without biases, first layer first."""
    return [w for name, w in params.items() if name.endswith("weight")]


def aligned(layers: list[Tensor], activation: str) -> recovery.Alignment:
    """Students arranged like the teacher.

    Mirror images of sigmoid units count as recovered, because this teacher's hardly differ from it.
    """
    signed = True if activation == "sigmoid" else None
    return recovery.aligned(literal_teacher("baseline", activation), layers, signed=signed)


def _kept(layers: list[Tensor]) -> pd.DataFrame:
    """How many weights are exactly zero, and how many are kept in each layer at each threshold."""
    columns: dict[str, Tensor | int] = {
        "exact_zeros": torch.stack([(w == 0).flatten(1).sum(1) for w in layers]).sum(0),
        "weights": sum(w[0].numel() for w in layers),
        "absolute_sum": torch.stack([w.abs().flatten(1).sum(1) for w in layers]).sum(0),
    }
    for threshold in THRESHOLDS:
        for i, w in enumerate(layers, start=1):
            columns[f"kept_{i}_{threshold:.0e}".replace("e-0", "e-")] = (w.abs() >= threshold).flatten(1).sum(1)
    return pd.DataFrame({k: v.numpy() if isinstance(v, Tensor) else v for k, v in columns.items()})


def _reference(layers: list[Tensor], activation: str, run: int) -> float:
    teacher = [w.detach() for w in literal_teacher("baseline", activation).parameters()]
    return reference_distance(teacher, [w[run] for w in layers], tanh=activation == "tanh")
