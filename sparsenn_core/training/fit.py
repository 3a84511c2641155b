"""Training: R runs as one, each doing what it would do alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Penalty
from sparsenn_core.training.checkpoint import Checkpoint
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Loss
from sparsenn_core.training.hooks import Change, Hook, as_hook
from sparsenn_core.training.loop import Loop
from sparsenn_core.training.observers import Measure, Observer, as_observer
from sparsenn_core.training.optimizer import Optimizer
from sparsenn_core.training.settings import Settings, listed
from sparsenn_core.training.stopping import STATUS, EarlyStopping

ONE_AT_A_TIME = threading.RLock()
"""Fits in several threads wait for each other; one within another's observer does not."""


@dataclass(frozen=True)
class Fit:
    """What training gave, runs in the order of the ensemble.

    `ensemble` holds the last weights; `best` those at the end of the epoch with the lowest epoch loss, or validation
    loss where there are validation data (without these and without early stopping None). `epochs` [R] counts the epochs
    each run trained, `best_loss` and `best_epoch` [R] belong to `best`, `status` [R] says how each run ended. `rows` is
    the observers' table (pandas: run, epoch, step, name, value), `seconds` the wall time, `compiled` whether steps were
    compiled.
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
    drop_last: bool = False,
    only: Sequence[str] | None = None,
    validation: Data | None = None,
    early_stopping: EarlyStopping | None = None,
    observe: Sequence[Observer | Measure] = (),
    between: Sequence[Hook | Change] = (),
    tile: int | None = None,
    arithmetic: torch.dtype | None = None,
    compiled: bool | None = None,
    checkpoint: Checkpoint | None = None,
    progress: bool = False,
) -> Fit:
    """Train R runs as one, each doing the arithmetic it would do alone.

    An epoch is one pass over a run's samples: one step on all of them, or, with `batch_size`, steps on minibatches in
    an order of the run's own, drawn from the seeds `order` (one a run) as a shuffling DataLoader draws it; `drop_last`
    leaves out a smaller last batch. The loss is `loss(outputs, targets)`, a mean over samples, plus the penalty; the
    penalty's subgradient or its prox is used, as the optimizer asks. Settings of optimizer and penalty may differ by
    run. Parameters that do not ask for gradients stay as they are; `only` names the parameters, or modules, to train
    instead. Runs stop by themselves and the others go on.

    `validation` holds samples on which the loss is taken after every epoch, without penalty and in evaluation mode;
    early stopping and `Fit.best` then go by it. Observers look on (see `every_epochs`, `at_steps`, `on_stop`; a bare
    function looks after every epoch) and may stop runs; hooks `between` steps (see `after_steps`, `after_epochs`; a
    bare function is called after every step) may change weights, buffers and the optimizer's memory.

    Dropout draws from a stream of each run's own, seeded by `order`; batch norm keeps statistics of each run. What
    cannot be evaluated for several runs at once is refused before training.

    Chains of known layers are evaluated by batched products, other networks by `torch.func.vmap`. Runs are trained in
    groups that a processor's cache holds, spread over the threads that PyTorch may use; `tile` cuts full batches into
    so many samples at a time, in less memory, for losses that are means over samples. A result depends on none of that,
    but for the last bits of a run that is trained all alone. `compiled=None` compiles the steps of very long fits of
    very small networks (20,000 steps, 1,000 weights); compiled and eager results differ by rounding. Memory: at most
    twice weights and optimizer state, some minibatches, and what one group needs.

    `arithmetic` is the floating-point type in which outputs, loss, penalty and gradient are computed (default: that of
    the weights); the weights stay in theirs and are updated in it. So float64 weights with `arithmetic=torch.float32`
    are master weights, and the reverse isolates what storing weights in float32 does.

    Where fit and `torch.optim` differ: parameters that the loss does not depend on are still shrunk by weight decay. On
    full batches each run's own samples are copied once; data that a hook changes are not looked at again.

    Raises `InputError`, in one line, for whatever does not fit together. With a `checkpoint` the fit goes on from its
    file where there is one.
    """
    for name, given, kind in (("ensemble", ensemble, Ensemble), ("data", data, Data)):
        if not isinstance(given, kind):
            raise InputError(f"{name} is {type(given).__name__}, and a {kind.__name__} is needed")
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        raise InputError(f"checkpoint is {checkpoint!r}; give Checkpoint({str(checkpoint)!r})")
    if torch.is_inference_mode_enabled():
        raise InputError("training needs gradients: leave torch.inference_mode()")
    settings = Settings(
        optimizer=optimizer,
        loss=loss,
        penalty=penalty,
        batch_size=batch_size,
        order=order,
        drop_last=drop_last,
        only=only,
        early_stopping=early_stopping,
        validation=validation,
        observe=tuple(as_observer(one) for one in listed("observe", observe)),
        between=tuple(as_hook(one) for one in listed("between", between)),
        tile=tile,
        arithmetic=arithmetic,
        compiled=compiled,
    )
    # one at a time: reading networks changes PyTorch for the whole process while it lasts
    with ONE_AT_A_TIME:
        loop = Loop(ensemble, data, settings)
        loop.run(epochs, checkpoint, progress)
    return Fit(
        ensemble=loop.active_runs.whole(),
        best=loop.active_runs.whole_best() if loop.tracking else None,
        epochs=loop.progress.epochs,
        best_loss=loop.progress.best,
        best_epoch=loop.progress.best_epoch,
        status=[STATUS[s] for s in loop.progress.status.tolist()],
        rows=loop.rows.frame(),
        seconds=loop.seconds,
        compiled=loop.epochs.compiled,
    )
