"""What `fit` was asked for, and whether that fits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Penalty
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

    def identity(self) -> dict[str, Any]:
        """The settings that decide the result, by the names under which a checkpoint speaks of them."""
        seeds = None if self.order is None else [s if isinstance(s, torch.Generator) else int(s) for s in self.order]
        return {
            "optimizer": replace(self.optimizer, schedule=None),
            "schedule": self.optimizer.schedule,
            "loss": self.loss,
            "penalty": self.penalty,
            "batch size": self.batch_size,
            "order (seeds)": seeds,
            "early stopping": self.early_stopping,
            "observers": self.observe,
            "tile": self.tile,
            "arithmetic": self.arithmetic,
        }
