"""The loss of every run on samples it is not trained on."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from sparsenn_core.training.active_runs import ActiveRuns
from sparsenn_core.training.data import Data
from sparsenn_core.training.evaluation import Evaluation
from sparsenn_core.training.settings import Settings
from sparsenn_core.training.step import cast

SAMPLES = 1_000
"""At a time, of two runs: what they need fits into memory where training does."""


def validation_losses(active_runs: ActiveRuns, data: Data, settings: Settings) -> Tensor:
    """The loss without penalty of the runs in training, in evaluation mode, [places] (float64)."""
    evaluation = Evaluation(copy.deepcopy(active_runs.ensemble.template).eval(), settings.loss)
    device = active_runs.weights.device
    losses = torch.zeros(len(active_runs), dtype=torch.float64, device=device)
    for places in torch.arange(len(active_runs)).split(2):
        rows = slice(int(places[0]), int(places[-1]) + 1)
        own = data.select(active_runs.runs[rows].to(device))
        params = cast({k: v[rows] for k, v in active_runs.params.items()}, settings.arithmetic)
        buffers = {k: v[rows] for k, v in active_runs.buffers.items()}
        for part in torch.arange(own.samples, device=device).split(SAMPLES):
            x, y = (t[0] for t in own.gather(part.expand(1, len(places), -1)))
            found, _ = evaluation.losses(params, buffers, x, y, shared=False)
            losses[rows] += found * (len(part) / own.samples)
    return losses
