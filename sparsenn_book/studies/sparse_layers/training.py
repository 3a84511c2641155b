"""Many networks of one task and method at once, one for each sparsity, learning rate and run."""

from __future__ import annotations

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
    """The data of all runs, the place of each run's own, and the number of steps that whole epochs make of them."""

    train: Data
    test_inputs: Tensor
    test_targets: Tensor
    of_run: Tensor
    epochs: int
    steps: int


def batches(task: Task, seeds: Sequence[int], settings: TrainingSettings, device: str) -> Batches:
    """Data for runs with these seeds; runs of one seed share them."""
    samples = settings.steps * settings.batch_size if task.fresh else task.samples
    unique = [seeds[0]] if task.shared else list(dict.fromkeys(seeds))
    drawn = [task.draw(seed, samples) for seed in unique]
    x, y, x_test, y_test = (torch.stack(parts).to(device) for parts in zip(*drawn, strict=True))
    of_run = torch.tensor([0 if task.shared else unique.index(seed) for seed in seeds], device=device)
    each = x.shape[1] // settings.batch_size
    epochs = max(1, round(settings.steps / each))
    return Batches(Data(x, y, of_run), x_test, y_test, of_run, epochs, epochs * each)


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
    with torch.no_grad():
        shared = len(data.test_inputs) == 1
        outputs = ensemble(data.test_inputs[0]) if shared else ensemble.each(data.test_inputs[data.of_run])
    targets = data.test_targets[data.of_run]
    errors = [task.error(out, y) for out, y in zip(outputs, targets, strict=True)]
    return [error if error == error else float("inf") for error in errors]


def masks(ensemble: Ensemble, layer: str = "0") -> Tensor:
    """The masks of a layer of all runs, [R, units, inputs]."""
    return ensemble.buffers[f"{layer}.{PARAMETRIZATION}mask"].flatten(2)


def weights(ensemble: Ensemble, layer: str = "0") -> Tensor:
    """The sparse weights of a layer of all runs, [R, units, inputs]."""
    return torch.stack([net.get_submodule(layer).weight.detach().flatten(1) for net in ensemble])  # type: ignore[operator]
