"""When a run has trained long enough, decided for each run by itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError

TRAINING, CONVERGED, DIVERGED, EXHAUSTED, ASKED = range(5)
STATUS = ("training", "stopped early", "diverged", "all epochs used", "stopped by an observer")


@dataclass(frozen=True)
class EarlyStopping:
    """Stop a run whose epoch loss has not fallen below its best for `patience` epochs in a row.

    The epoch loss is the mean over the epoch's steps of the training loss with its penalty, as in the L1 study; where
    `fit` has validation data it is the loss on these. Any fall counts, however small (no least improvement).
    """

    patience: int

    def __post_init__(self) -> None:
        if type(self.patience) is not int or self.patience < 1:
            raise InputError(f"patience must be 1 or more, not {self.patience!r}")


class Progress:
    """Best epoch loss, epochs since then, and status of every run; tensors [R] in the order of the ensemble."""

    def __init__(self, count: int, patience: int | None) -> None:
        self.patience = patience
        self.best = torch.full((count,), torch.inf, dtype=torch.float64)
        self.best_epoch = torch.zeros(count, dtype=torch.int64)
        self.waited = torch.zeros(count, dtype=torch.int64)
        self.epochs = torch.zeros(count, dtype=torch.int64)
        self.status = torch.full((count,), TRAINING, dtype=torch.int64)

    def record(self, runs: Tensor, loss: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        """Enter an epoch's losses of `runs`; masks over `runs` of those that improved and those that now stop."""
        improved = loss < self.best[runs]
        self.best[runs] = torch.where(improved, loss, self.best[runs])
        self.best_epoch[runs] = torch.where(improved, epoch, self.best_epoch[runs])
        self.waited[runs] = torch.where(improved, 0, self.waited[runs] + 1)
        self.epochs[runs] = epoch
        diverged = ~torch.isfinite(loss)
        waited_out = self.waited[runs] >= self.patience if self.patience else torch.zeros_like(diverged)
        self.status[runs] = torch.where(diverged, DIVERGED, torch.where(waited_out, CONVERGED, TRAINING))
        return improved, diverged | waited_out

    def ask(self, runs: Tensor, epoch: int) -> None:
        """Enter that observers stopped `runs`."""
        self.status[runs] = ASKED
        self.epochs[runs] = epoch

    def finish(self) -> None:
        """Mark the runs that are still training as out of epochs."""
        self.status[self.status == TRAINING] = EXHAUSTED

    def state(self) -> dict[str, Tensor]:
        """Everything, for a checkpoint."""
        return {k: v for k, v in vars(self).items() if isinstance(v, Tensor)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""
        for k, v in state.items():
            getattr(self, k).copy_(v)
