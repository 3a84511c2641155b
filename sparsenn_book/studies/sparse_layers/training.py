"""Many networks of one task and method at once, one for each sparsity, learning rate and run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.sparse_layers.methods import Method, build
from sparsenn_book.studies.sparse_layers.settings import TrainingSettings
from sparsenn_book.studies.sparse_layers.tasks import Task
from sparsenn_core.masks import GateCount, following
from sparsenn_core.training import Adam, Data, Ensemble, Observer, fit

PARAMETRIZATION = "parametrizations.weight.0.tensors."
OWN = f"0.{PARAMETRIZATION}"
"""Of the first layer, where that is the sparse one."""
Trained = tuple[Ensemble, pd.DataFrame, "Batches"]


@dataclass(frozen=True)
class Cell:
    """One network: `seed` draws weights, mask, data and order; `strength` is that of a penalty, if there is one."""

    sparsity: float | None
    learning_rate: float
    seed: int
    strength: float = 0.0


@dataclass(frozen=True)
class Batches:
    """The training data of all runs, test inputs and targets of each of them, the place of each run's own, and the
    number of steps that whole epochs make of them.
    """

    train: Data
    tests: tuple[tuple[Tensor, Tensor], ...]
    of_run: Tensor
    epochs: int
    steps: int


def batches(task: Task, seeds: Sequence[int], settings: TrainingSettings, device: str) -> Batches:
    """Data for runs with these seeds; runs of one seed share them."""
    samples = settings.steps * settings.batch_size if task.fresh else task.samples
    unique = list(dict.fromkeys(seeds))
    drawn = [task.draw(seed, samples) for seed in unique]
    of_run = torch.tensor([unique.index(seed) for seed in seeds], device=device)
    x, y = (torch.stack([one[part] for one in drawn]).to(device) for part in (0, 1))
    tests = tuple((inputs.to(device), targets.to(device)) for _, _, inputs, targets in drawn)
    each = x.shape[1] // settings.batch_size
    epochs = max(1, round(settings.steps / each))
    return Batches(Data(x, y, of_run), tests, of_run, epochs, epochs * each)


def train(
    task: Task,
    method: Method,
    cells: Sequence[Cell],
    settings: TrainingSettings,
    device: str,
    observe: Callable[[Task, Batches], list[Observer]] | None = None,
    penalized: str = "",
) -> Trained:
    """The trained networks in evaluation mode, what observers saw, and the data. float32, as the study; Adam."""
    data = batches(task, [cell.seed for cell in cells], settings, device)
    nets = [build(task, method, cell.sparsity, cell.seed, data.steps) for cell in cells]
    ensemble = Ensemble.stack(nets).to(device)
    strengths = torch.tensor([cell.strength for cell in cells], dtype=torch.float64)
    decay = strengths if penalized == "decay" else 0.0
    found = fit(
        ensemble,
        data.train,
        optimizer=Adam(torch.tensor([cell.learning_rate for cell in cells]), weight_decay=decay),
        loss=task.loss,
        epochs=data.epochs,
        batch_size=settings.batch_size,
        order=[cell.seed for cell in cells],
        drop_last=True,
        between=[following(ensemble)],
        observe=[] if observe is None else observe(task, data),
        penalty=GateCount(strengths) if penalized == "gates" else None,
    )
    return found.ensemble.eval(), found.rows, data


def test_errors(task: Task, ensemble: Ensemble, data: Batches) -> list[float]:
    """The error of every run on its test samples; infinite where training diverged."""
    errors = [math.inf] * len(ensemble)
    for place, (x, y) in enumerate(data.tests):
        runs = (data.of_run == place).nonzero().flatten()
        with torch.no_grad():
            outputs = ensemble.select(runs)(x)
        for run, out in zip(runs.tolist(), outputs, strict=True):
            found = task.error(out, y)
            errors[run] = math.inf if math.isnan(found) else found
    return errors


def masks(ensemble: Ensemble, layer: str = "0") -> Tensor:
    """The masks of a layer of all runs, [R, units, inputs]."""
    return ensemble.buffers[f"{layer}.{PARAMETRIZATION}mask"].flatten(2)


def weights(ensemble: Ensemble, layer: str = "0") -> Tensor:
    """The sparse weights of a layer of all runs, [R, units, inputs]."""
    return torch.stack([net.get_submodule(layer).weight.detach().flatten(1) for net in ensemble])  # type: ignore[operator]
