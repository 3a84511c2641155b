"""What `fit` was asked for, and whether that fits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Penalty
from sparsenn_core.training.checkpoint import describe
from sparsenn_core.training.gradients import Loss
from sparsenn_core.training.observers import Observer
from sparsenn_core.training.optimizers import Optimizer
from sparsenn_core.training.stopping import EarlyStopping


@dataclass(frozen=True)
class Settings:
    """What `fit` was asked for; its arguments explain each."""

    optimizer: Optimizer
    loss: Loss
    penalty: Penalty | None
    batch_size: int | None
    order: Sequence[int | torch.Generator] | None
    early_stopping: EarlyStopping | None
    observe: tuple[Observer, ...]
    tile: int | None
    arithmetic: torch.dtype | None
    compiled: bool | None

    def check(self, count: int) -> None:
        """Refuse settings that do not fit together or do not fit `count` runs."""
        if (self.batch_size is None) != (self.order is None):
            raise InputError("give both batch_size and order (a seed for each run), or neither for full batches")
        if self.order is not None and len(self.order) != count:
            raise InputError(f"order has {len(self.order)} seeds for {count} runs")
        if self.tile is not None and (type(self.tile) is not int or self.tile < 1):
            raise InputError(f"tile must be a whole number of samples, 1 or more, not {self.tile!r}")
        if self.tile is not None and self.batch_size is not None:
            raise InputError(f"tile cuts full batches, not minibatches: tile={self.tile}, batch_size={self.batch_size}")

    def identity(self) -> list[str]:
        """The settings that decide the result, as text."""
        decisive = (self.optimizer, self.loss, self.penalty, self.batch_size, self.early_stopping, self.tile)
        return [describe(s) for s in (*decisive, self.arithmetic)]
