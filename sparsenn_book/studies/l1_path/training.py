"""The study's own training, run again: the reference schedule."""

from __future__ import annotations

import itertools

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_path.settings import PENALTIES, Grid, Length, Objective, Schedule
from sparsenn_book.studies.l1_path.students import data_of, start, strength_of, weights_table
from sparsenn_core.errors import InputError
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.training import SGD, Data, EarlyStopping, Ensemble, Fit, Moment, every_epochs, fit

POINTS = 60  # of a curve


def conditions(student: str, activation: str, grid: Grid) -> pd.DataFrame:
    """One row for each run: every penalty x initial scale x seed 1..seeds."""
    if not (grid.init_scales and grid.seeds > 0):
        raise InputError("the grid of runs is empty: give at least one initial scale and one seed")
    rows = itertools.product([student], [activation], PENALTIES, map(float, grid.init_scales), range(1, grid.seeds + 1))
    return pd.DataFrame(list(rows), columns=["student", "activation", "penalty", "init_scale", "seed"])


def trained(
    student: str,
    activation: str,
    objective: Objective,
    schedule: Schedule,
    length: Length,
    grid: Grid,
    device: str = "cpu",
) -> dict[str, pd.DataFrame]:
    """All runs of one student and activation as one ensemble, float32 as in the study.

    `ended_*` has one row a run: how it stopped, its least epoch loss (`objective`, the study's "final loss") and the
    objective of its last weights in float64; `weights_*` the last weights, which the study saved; `curves_*` the epoch
    loss and the shares of small and of zero weights during training.
    """
    runs = conditions(student, activation, grid)
    data = data_of(runs, objective.samples, torch.float32).to(device)
    result = train(
        start(runs, objective).to(device), data, runs, objective, schedule,
        length.epochs, EarlyStopping(length.patience), max(1, length.epochs // POINTS),
    )  # fmt: skip
    table = runs.assign(epochs=result.epochs.numpy(), status=result.status, objective=result.best_loss.numpy())
    table["objective_of_last_weights"] = full_objective(result.ensemble, data, runs, objective)
    return {
        f"ended_{student}_{activation}": table,
        f"curves_{student}_{activation}": result.rows.merge(runs, left_on="run", right_index=True),
        f"weights_{student}_{activation}": weights_table(result.ensemble),
    }


def train(
    ensemble: Ensemble,
    data: Data,
    runs: pd.DataFrame,
    objective: Objective,
    schedule: Schedule,
    epochs: int,
    early_stopping: EarlyStopping | None,
    every: int,
) -> Fit:
    """The reference schedule from where `ensemble` stands; `runs` says the penalty and the seed of each run."""
    device = data.inputs.device
    l1, l2 = (strength_of(runs, p, objective.strength).to(device) for p in ("l1", "l2"))
    decay = l2 if schedule.doubled_l2 else 0.0
    return fit(
        ensemble,
        data,
        optimizer=SGD(schedule.learning_rate, momentum=schedule.momentum, weight_decay=decay),
        penalty=L1(l1) + SquaredL2(l2),
        epochs=epochs,
        batch_size=schedule.batch_size,
        order=[int(s) for s in runs["seed"]],
        early_stopping=early_stopping,
        observe=[every_epochs(progress_of_weights, every)],
    )


def progress_of_weights(moment: Moment) -> dict[str, Tensor]:
    """The epoch loss, and the shares of weights below 1e-4 and exactly at zero."""
    weights = torch.cat([w.flatten(1) for w in moment.ensemble.params.values()], dim=1)
    return {
        "epoch loss": moment.epoch_loss,
        "share below 1e-4": (weights.abs() < 1e-4).double().mean(1),
        "share exactly zero": (weights == 0).double().mean(1),
    }


def full_objective(ensemble: Ensemble, data: Data, runs: pd.DataFrame, objective: Objective) -> list[float]:
    """Mean squared error on all training samples plus the penalty as it stands in the loss, float64."""
    ensemble, data = ensemble.to("cpu", torch.float64), data.to("cpu", torch.float64)
    values = []
    for r, penalty in enumerate(runs["penalty"]):
        which = 0 if data.of_run is None else int(data.of_run[r])
        params = {k: w[r : r + 1] for k, w in ensemble.params.items()}
        out = ensemble.select([r])(data.inputs[which])[0]
        kind = {"l1": L1(objective.strength), "l2": SquaredL2(objective.strength)}.get(penalty)
        extra = kind.value(params).item() if kind else 0.0
        values.append((out - data.targets[which]).square().mean().item() + extra)
    return values
