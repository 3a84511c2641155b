"""All methods on all tasks: learning rates tuned on other runs, then test errors, inputs still read, true inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.sparse_layers.course import watching
from sparsenn_book.studies.sparse_layers.methods import DENSE, METHODS
from sparsenn_book.studies.sparse_layers.settings import ComparisonSettings, TuningSettings
from sparsenn_book.studies.sparse_layers.tasks import Task, task_of
from sparsenn_book.studies.sparse_layers.training import Cell, masks, test_errors, train, weights

RANDOM = "random"
ALL = (DENSE, *METHODS)


def tuned(settings: TuningSettings, device: str = "cpu") -> pd.DataFrame:
    """Every learning rate for every method with the same budget, on runs that are not reported: task, method,
    learning_rate, sparsity, run, error.
    """
    parts = []
    for name, method in itertools.product(settings.tasks, ALL):
        task, own = settings.of(task_of(name).for_tuning())
        sparsities = (0.0,) if method == DENSE else settings.tuning_sparsities
        grid = list(itertools.product(settings.rates, sparsities, range(settings.tuning_runs)))
        cells = [Cell(sparsity, rate, settings.run_seed("tuning", run)) for rate, sparsity, run in grid]
        ensemble, _, data = train(task, METHODS.get(method, METHODS[RANDOM]), cells, own, device)
        rows = pd.DataFrame(grid, columns=["learning_rate", "sparsity", "run"])
        parts.append(rows.assign(task=name, method=method, error=test_errors(task, ensemble, data)))
    return pd.concat(parts, ignore_index=True)[["task", "method", "learning_rate", "sparsity", "run", "error"]]


def chosen_rates(tuning: pd.DataFrame) -> pd.DataFrame:
    """The learning rate of least error for each task and method: of the mean logarithm of squared errors, or of the
    mean share of wrong classes: task, method, learning_rate, edge (whether it is the least or largest that was tried).
    """
    rows = tuning.assign(score=_score(tuning))
    means = rows.groupby(["task", "method", "learning_rate"], sort=False)["score"].mean()
    best = means.groupby(["task", "method"], sort=False).idxmin()
    found = pd.DataFrame(best.tolist(), columns=["task", "method", "learning_rate"])
    ends = (tuning["learning_rate"].min(), tuning["learning_rate"].max())
    return found.assign(edge=found["learning_rate"].isin(ends).astype("float64"))


def compared(settings: ComparisonSettings, tuning: pd.DataFrame, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Every method at its rate.

    errors  task, method, sparsity, run, learning_rate, error, kept (weights of the first layer), read (inputs that
            still reach a unit), on_true (share of kept weights on inputs that matter), found (share of the inputs that
            matter among as many of largest weight)
    course  of the linear task: method, sparsity, run, step, name (churn, gradient: see `course.watching`), value
    """
    rates = chosen_rates(tuning).set_index(["task", "method"])["learning_rate"]
    errors, courses = [], []
    for name, method in itertools.product(settings.tasks, ALL):
        (task, own), rate = settings.of(task_of(name)), float(rates[name, method])
        sparsities = (0.0,) if method == DENSE else settings.of_task(task)
        grid = list(itertools.product(sparsities, range(settings.runs)))
        cells = [Cell(sparsity, rate, settings.run_seed("reported", run)) for sparsity, run in grid]
        ensemble, seen, data = train(task, METHODS.get(method, METHODS[RANDOM]), cells, own, device, watching)
        places = pd.DataFrame(grid, columns=["sparsity", "repetition"])
        courses.append(seen.join(places, on="run").assign(method=method))
        rows = pd.DataFrame(grid, columns=["sparsity", "run"]).assign(task=name, method=method, learning_rate=rate)
        measured = of_masks(task, masks(ensemble, task.sparse[0]), weights(ensemble, task.sparse[0]))
        errors.append(rows.assign(error=test_errors(task, ensemble, data), **measured))
    course = pd.concat([seen for seen in courses if len(seen)] or courses, ignore_index=True)
    course = course.drop(columns=["run", "epoch"]).rename(columns={"repetition": "run"})
    course = course[course["method"] != DENSE][["method", "sparsity", "run", "step", "name", "value"]]
    return {"errors": pd.concat(errors, ignore_index=True), "course": course}


def of_masks(task: Task, mask: Tensor, weight: Tensor) -> dict[str, np.ndarray]:
    """What masks and sparse weights [R, hidden, inputs] say of inputs, a number for each run."""
    true = torch.arange(task.inputs, device=mask.device) < task.true_inputs
    kept = mask.sum((1, 2))
    best = weight.norm(dim=1).topk(task.true_inputs).indices
    numbers = {
        "kept": kept,
        "read": (mask.sum(1) > 0).sum(1),
        "on_true": mask[:, :, true].sum((1, 2)) / kept.clamp(min=1),
        "found": (best < task.true_inputs).double().mean(1),
    }
    return {name: value.double().cpu().numpy() for name, value in numbers.items()}


def _score(rows: pd.DataFrame) -> pd.Series:
    squared = ~rows["task"].map(lambda name: task_of(name).classifies)
    floored = rows["error"].clip(lower=np.finfo(float).tiny)
    return rows["error"].where(~squared, np.log(floored))
