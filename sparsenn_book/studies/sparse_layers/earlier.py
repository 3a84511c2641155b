"""An earlier comparison of the same methods, trained again at its settings; its numbers are in `recorded`."""

from __future__ import annotations

import itertools

import pandas as pd

from sparsenn_book.studies.sparse_layers.methods import METHODS
from sparsenn_book.studies.sparse_layers.settings import RecordedSettings, TrainingSettings
from sparsenn_book.studies.sparse_layers.tasks import task_of
from sparsenn_book.studies.sparse_layers.training import Cell, test_errors, train

RUNS, STEPS, RATE = 3, 2000, 3e-3
"""Its runs of each cell, steps, and learning rate of all methods."""


def again(settings: RecordedSettings, device: str = "cpu") -> pd.DataFrame:
    """Every method at the recorded learning rate: task, method, sparsity, run, steps, error."""
    parts = []
    own = TrainingSettings(settings.recorded_steps, settings.batch_size, settings.seed)
    for name, method in itertools.product(settings.recorded_tasks, METHODS):
        task = task_of(name)
        grid = list(itertools.product(settings.recorded_sparsities, range(RUNS)))
        cells = [Cell(sparsity, RATE, own.run_seed("recorded", run)) for sparsity, run in grid]
        ensemble, _, data = train(task, METHODS[method], cells, own, device)
        rows = pd.DataFrame(grid, columns=["sparsity", "run"]).assign(task=name, method=method, steps=data.steps)
        parts.append(rows.assign(error=test_errors(task, ensemble, data)))
    return pd.concat(parts, ignore_index=True)
