"""What `fit` was asked for, and whether that fits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties import Penalty
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Loss
from sparsenn_core.training.hooks import Hook
from sparsenn_core.training.observers import Observer
from sparsenn_core.training.optimizer import Optimizer
from sparsenn_core.training.stopping import EarlyStopping


@dataclass(frozen=True)
class Settings:
    """What `fit` was asked for; its arguments explain each."""

    optimizer: Optimizer
    loss: Loss
    penalty: Penalty | None = None
    batch_size: int | None = None
    order: Sequence[int | torch.Generator] | None = None
    drop_last: bool = False
    only: Sequence[str] | None = None
    early_stopping: EarlyStopping | None = None
    validation: Data | None = None
    observe: tuple[Observer, ...] = ()
    between: tuple[Hook, ...] = ()
    tile: int | None = None
    arithmetic: torch.dtype | None = None
    compiled: bool | None = None

    def check(self, count: int) -> None:
        """Refuse settings that do not fit together or do not fit `count` runs."""
        if count == 0:
            raise InputError("the ensemble has no runs")
        kinds: dict[str, Any] = {
            "optimizer": Optimizer,
            "penalty": Penalty | None,
            "validation": Data | None,
            "early_stopping": EarlyStopping | None,
            "arithmetic": torch.dtype | None,
            "compiled": bool | None,
        }
        for name, kind in kinds.items():
            if not isinstance(getattr(self, name), kind):
                wanted = str(getattr(kind, "__name__", kind)).replace("sparsenn_core.training.", "")
                raise InputError(f"{name} is {_short(getattr(self, name))}, not {wanted}")
        if not callable(self.loss):
            raise InputError(f"loss is a function of outputs and targets, not {self.loss!r}")
        if self.batch_size is not None and self.order is None:
            raise InputError("give both batch_size and order (a seed for each run), or neither for full batches")
        if self.order is not None:
            _check_seeds(self.order, count)
        if self.drop_last and self.batch_size is None:
            raise InputError("drop_last is about minibatches; give batch_size and order")
        if self.tile is not None and (type(self.tile) is not int or self.tile < 1):
            raise InputError(f"tile must be a whole number of samples, 1 or more, not {self.tile!r}")
        if self.tile is not None and self.batch_size is not None:
            raise InputError(f"tile cuts full batches, not minibatches: tile={self.tile}, batch_size={self.batch_size}")

    def trained(self, ensemble: Ensemble) -> tuple[str, ...]:
        """The names of the parameters to train, in the order of the ensemble."""
        if self.only is None:
            names = ensemble.trainable
        else:
            wanted = [self.only] if isinstance(self.only, str) else list(self.only)
            for name in wanted:
                if not any(k == name or k.startswith(f"{name}.") for k in ensemble.params):
                    raise unknown("parameter or module", name, ensemble.params, where="only=")
            names = tuple(k for k in ensemble.params if any(k == w or k.startswith(f"{w}.") for w in wanted))
        if not names:
            raise InputError("nothing is left to train: every parameter is frozen")
        return names

    def identity(self) -> dict[str, Any]:
        """The settings that decide the result, by the names under which a checkpoint speaks of them."""
        seeds = None if self.order is None else [s if isinstance(s, torch.Generator) else int(s) for s in self.order]
        validation = self.validation
        return {
            "optimizer": replace(self.optimizer, schedule=None),
            "schedule": self.optimizer.schedule,
            "loss": self.loss,
            "penalty": self.penalty,
            "batch size": (self.batch_size, self.drop_last),
            "order (seeds)": seeds,
            "trained parameters": None if self.only is None else tuple(self.only),
            "early stopping": self.early_stopping,
            "validation data": None if validation is None else tuple(vars(validation).values()),
            "observers": self.observe,
            "hooks between steps": self.between,
            "tile": self.tile,
            "arithmetic": self.arithmetic,
        }


def _short(value: Any) -> str:
    """A value in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def _check_seeds(order: Sequence[int | torch.Generator], count: int) -> None:
    try:
        seeds = list(order)
    except TypeError:
        raise InputError(f"order is a list of seeds, one a run, not {order!r}") from None
    if len(seeds) != count:
        raise InputError(f"order has {len(seeds)} seeds for {count} runs")
    for seed in seeds:
        if not isinstance(seed, int | torch.Generator) or isinstance(seed, bool):
            raise InputError(f"order: a seed is a whole number or a torch.Generator, not {seed!r}")


def listed(name: str, given: Any) -> tuple[Any, ...]:
    """A list of observers or hooks as a tuple."""
    if not isinstance(given, list | tuple):
        raise InputError(f"{name} is a list, such as [{getattr(given, '__name__', 'function')}], not {_short(given)}")
    return tuple(given)
