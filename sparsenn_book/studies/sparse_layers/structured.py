"""Structures other than single weights, and sparsity as an outcome of penalties."""

from __future__ import annotations

import itertools

import pandas as pd

from sparsenn_book.studies.sparse_layers.methods import PENALIZED, STRUCTURED
from sparsenn_book.studies.sparse_layers.settings import PenaltySettings, StructureSettings
from sparsenn_book.studies.sparse_layers.tasks import task_of
from sparsenn_book.studies.sparse_layers.training import Cell, masks, test_errors, train
from sparsenn_core.masks import NM

RATE = 3e-3
"""The learning rate of all, which is that of most methods after tuning."""
DECAY_SHARE = 10.0
"""Weight decay of STR in strengths of L0: so both become sparse within the strengths tried (pilot runs)."""


def structured(settings: StructureSettings, device: str = "cpu") -> pd.DataFrame:
    """N:M, blocks and channels beside single weights: task, structure, sparsity, run, error, kept."""
    task, parts = task_of(settings.structure_task), []
    for name, method in STRUCTURED.items():
        fixed = isinstance(method.structure, NM)
        sparsities: tuple[float | None, ...] = (None,) if fixed else settings.structure_sparsities
        grid = list(itertools.product(sparsities, range(settings.structure_runs)))
        cells = [Cell(sparsity, RATE, settings.run_seed("reported", run)) for sparsity, run in grid]
        ensemble, _, data = train(task, method, cells, settings, device)
        left = masks(ensemble).double().mean((1, 2)).cpu().numpy()
        rows = pd.DataFrame({"run": [run for _, run in grid], "sparsity": 1 - left})
        parts.append(rows.assign(structure=name, task=task.name, error=test_errors(task, ensemble, data)))
    return pd.concat(parts, ignore_index=True)


def penalized(settings: PenaltySettings, device: str = "cpu") -> pd.DataFrame:
    """L0 gates and soft thresholds over strengths: task, method, strength, run, sparsity, error."""
    task, parts = task_of(settings.penalty_task), []
    for name, method in PENALIZED.items():
        by_gates = name == "L0"
        grid = list(itertools.product(settings.strengths, range(settings.penalty_runs)))
        share = 1.0 if by_gates else DECAY_SHARE
        seeds = [settings.run_seed("reported", run) for _, run in grid]
        cells = [Cell(None, RATE, seed, share * s) for (s, _), seed in zip(grid, seeds, strict=True)]
        kind = "gates" if by_gates else "decay"
        ensemble, _, data = train(task, method, cells, settings, device, penalized=kind)
        left = masks(ensemble).double().mean((1, 2)).cpu().numpy()
        rows = pd.DataFrame(grid, columns=["strength", "run"]).assign(sparsity=1 - left)
        parts.append(rows.assign(method=name, task=task.name, error=test_errors(task, ensemble, data)))
    return pd.concat(parts, ignore_index=True)
