"""What became of the students: fit, sparsity, recovery, and the study's own distance beside ours."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_path.reference import reference_distance
from sparsenn_book.studies.l1_path.schedule import Schedule, Trained
from sparsenn_core import recovery
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.penalties.base import Params
from sparsenn_core.randomness import generator
from sparsenn_core.training import Ensemble

THRESHOLDS = (1e-4, 1e-3, 1e-2)
NEED = (3, 2, 2)  # the teacher's non-zero weights in its three layers


def fresh_inputs(samples: int) -> Tensor:
    """Test inputs N(0, I) [samples, 12], float64, that no run was trained on."""
    return torch.randn(samples, 12, generator=generator(0, "test data"), dtype=torch.float64)


def evaluate(trained: Trained, schedule: Schedule, test_samples: int) -> pd.DataFrame:
    """One row a run: how it stopped, its objective, error on fresh inputs, sparsity, distances and outcome.

    Judged are the last weights, as the study saved them; `objective` is the study's "final loss", the least epoch
    loss. Everything is computed in float64.
    """
    ensemble = trained.fit.ensemble.to("cpu", torch.float64)
    table = trained.runs.copy()
    table["epochs"] = trained.fit.epochs.numpy()
    table["status"] = trained.fit.status
    table["objective"] = trained.fit.best_loss.numpy()
    table["objective_of_last_weights"] = full_objective(trained, ensemble, schedule)
    return pd.concat([table, describe(ensemble, trained.runs, test_samples)], axis=1)


def full_objective(trained: Trained, ensemble: Ensemble, schedule: Schedule) -> list[float]:
    """Mean squared error on all training samples plus the penalty as it stands in the loss, float64."""
    data = trained.data.to("cpu", torch.float64)
    values = []
    for r, row in enumerate(trained.runs.itertuples(index=False)):
        which = 0 if data.of_run is None else int(data.of_run[r])
        params = {k: w[r : r + 1] for k, w in ensemble.params.items()}
        out = ensemble.select([r])(data.inputs[which])[0]
        kind = {"l1": L1(schedule.strength), "l2": SquaredL2(schedule.strength)}.get(row.penalty)
        extra = kind.value(params).item() if kind else 0.0
        values.append((out - data.targets[which]).square().mean().item() + extra)
    return values


def describe(ensemble: Ensemble, runs: pd.DataFrame, test_samples: int) -> pd.DataFrame:
    """One row a network: error and R2 on fresh inputs, weights kept, distances, outcome."""
    x = fresh_inputs(test_samples)
    teachers = {a: literal_teacher("baseline", a) for a in runs["teacher_activation"].unique()}
    targets = torch.stack([teachers[a](x)[:, 0] for a in runs["teacher_activation"]])
    with torch.no_grad():
        outputs = ensemble(x)[:, :, 0]
    scored = recovery.scores(outputs, targets)
    table = pd.DataFrame({"mse": scored.mse.numpy(), "r2": scored.r2.numpy()})
    table = table.join(_kept(ensemble.params))
    table["reference_distance"] = [_reference(ensemble.params, row, r) for r, row in enumerate(runs.itertuples())]
    distance, shape = _aligned(ensemble.params, runs)
    table["aligned_distance"], table["shape_distance"] = distance.numpy(), shape.numpy()
    table["outcome"] = recovery.outcome(scored, shape)
    return table


def _layers(params: Params) -> list[Tensor]:
    return [w for name, w in params.items() if name.endswith("weight")]


def _kept(params: Params) -> pd.DataFrame:
    """How many weights are exactly zero, and how many are kept in each layer at each threshold."""
    layers = _layers(params)
    columns = {"exact_zeros": sum((w == 0).flatten(1).sum(1) for w in layers), "weights": layers_size(layers)}
    for threshold in THRESHOLDS:
        for i, w in enumerate(layers, start=1):
            columns[f"kept_{i}_{threshold:.0e}".replace("e-0", "e-")] = (w.abs() >= threshold).flatten(1).sum(1)
    return pd.DataFrame({k: v.numpy() if isinstance(v, Tensor) else v for k, v in columns.items()})


def layers_size(layers: list[Tensor]) -> int:
    """The number of weights of one network."""
    return sum(w[0].numel() for w in layers)


def _reference(params: Params, row: object, run: int) -> float:
    activations = (row.teacher_activation, row.student_activation)  # type: ignore[attr-defined]
    teacher = [w.detach() for w in literal_teacher("baseline", activations[0]).parameters()]
    tanh = activations == ("tanh", "tanh")
    return reference_distance(teacher, [w[run] for w in _layers(params)], tanh=tanh)


def _aligned(params: Params, runs: pd.DataFrame) -> tuple[Tensor, Tensor]:
    """Distance up to symmetry of every run, plain and by shape; infinite where the activations differ.

    Mirror images of sigmoid units count as recovered, because this teacher's hardly differ from it.
    """
    distance = torch.full((len(runs),), torch.inf, dtype=torch.float64)
    shape = distance.clone()
    same = runs["teacher_activation"] == runs["student_activation"]
    for activation in runs.loc[same, "student_activation"].unique():
        rows = torch.tensor(runs.index[same & (runs["student_activation"] == activation)].to_numpy())
        students = [w[rows] for w in _layers(params)]
        found = recovery.aligned(
            literal_teacher("baseline", activation), students, signed=True if activation == "sigmoid" else None
        )
        distance[rows], shape[rows] = found.relative, found.relative_shape
    return distance, shape


def weights_table(params: Params, runs: pd.DataFrame) -> pd.DataFrame:
    """The weights of `runs` (one activation) arranged like the teacher's, one row a weight."""
    activation = str(runs["student_activation"].iloc[0])
    found = recovery.aligned(
        literal_teacher("baseline", activation), _layers(params), signed=True if activation == "sigmoid" else None
    )
    rows = []
    for layer, (student, teacher) in enumerate(zip(found.weights, found.teacher, strict=True), start=1):
        for run in range(len(student)):
            for (o, i, t), value in zip(_places(teacher), student[run].flatten().tolist(), strict=True):
                rows.append((run, layer, o, i, t, value, float(teacher[o, i, t])))
    return pd.DataFrame(rows, columns=["run", "layer", "output", "input", "tap", "student", "teacher"])


def _places(weight: Tensor) -> list[tuple[int, int, int]]:
    return [(o, i, t) for o in range(weight.shape[0]) for i in range(weight.shape[1]) for t in range(weight.shape[2])]
