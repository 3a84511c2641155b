"""Training: R runs as one, each doing what it would do alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparsenn_core.penalties import Penalty
from sparsenn_core.training.checkpoint import Checkpoint
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.gradients import Loss
from sparsenn_core.training.loop import Loop
from sparsenn_core.training.observers import Observer
from sparsenn_core.training.optimizers import Optimizer
from sparsenn_core.training.settings import Settings
from sparsenn_core.training.stopping import STATUS, EarlyStopping


@dataclass(frozen=True)
class Fit:
    """What training gave, runs in the order of the ensemble.

    `ensemble` holds the last weights; `best` those at the end of the epoch with the lowest epoch loss (only with
    early stopping, else None). `epochs` [R] counts the epochs each run trained, `best_loss` and `best_epoch` [R]
    belong to `best`, `status` [R] says how each run ended. `rows` is the observers' table (pandas: run, epoch, step,
    name, value), `seconds` the wall time, `compiled` whether steps were compiled.
    """

    ensemble: Ensemble
    best: Ensemble | None
    epochs: Tensor
    best_loss: Tensor
    best_epoch: Tensor
    status: list[str]
    rows: Any
    seconds: float
    compiled: bool


def fit(
    ensemble: Ensemble,
    data: Data,
    *,
    optimizer: Optimizer,
    epochs: int,
    loss: Loss = nn.functional.mse_loss,
    penalty: Penalty | None = None,
    batch_size: int | None = None,
    order: Sequence[int | torch.Generator] | None = None,
    early_stopping: EarlyStopping | None = None,
    observe: Sequence[Observer] = (),
    tile: int | None = None,
    arithmetic: torch.dtype | None = None,
    compiled: bool | None = None,
    checkpoint: Checkpoint | None = None,
    progress: bool = False,
) -> Fit:
    """Train R runs as one, each doing exactly the arithmetic it would do alone.

    An epoch is one pass over a run's samples: one step on all of them, or, with `batch_size`, steps on minibatches in
    an order of the run's own, drawn from the seeds `order` (one a run) as a shuffling DataLoader draws it. The loss is
    `loss(outputs, targets)`, a mean over samples, plus the penalty; the penalty's subgradient or its prox is used, as
    the optimizer asks. Settings of optimizer and penalty may differ by run. Runs stop by themselves and the others go
    on. `compiled=None` compiles the step where the fit is long enough to pay for it; compiled and eager results
    differ by rounding.

    On full batches, the mean squared error of an `MLP` and its gradient are computed by formulas written out, tile by
    tile in memory that a processor's cache holds and that is used again; only small steps that are compiled are
    compiled whole. Other networks, other losses and minibatches go through automatic differentiation. `tile` cuts full
    batches into so many samples at a time: the same mean over all samples, summed tile by tile, in less memory.
    Without it, the formulas choose their own tiles, and automatic differentiation takes all samples at once.

    `arithmetic` is the floating-point type in which outputs, loss, penalty and gradient are computed (default: that of
    the weights); the weights stay in theirs and are updated in it. So float64 weights with `arithmetic=torch.float32`
    are master weights, and the reverse isolates what storing weights in float32 does.
    """
    settings = Settings(
        optimizer, loss, penalty, batch_size, order, early_stopping, tuple(observe), tile, arithmetic, compiled
    )
    loop = Loop(ensemble, data, settings)
    loop.run(epochs, checkpoint, progress)
    return Fit(
        ensemble=loop.active_runs.whole(),
        best=loop.active_runs.whole_best() if early_stopping else None,
        epochs=loop.progress.epochs,
        best_loss=loop.progress.best,
        best_epoch=loop.progress.best_epoch,
        status=[STATUS[s] for s in loop.progress.status.tolist()],
        rows=loop.rows.frame(),
        seconds=loop.seconds,
        compiled=loop.compiled,
    )
