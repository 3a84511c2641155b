"""What watches a fit and may change it: functions of a moment of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.training.ensemble import Ensemble


@dataclass(frozen=True)
class Moment:
    """The runs being trained at one moment.

    `ensemble` holds them in evaluation mode, `runs` [r] their places in the whole ensemble, `epoch_loss` [r] the mean
    loss with penalty of the epoch just ended, `validation_loss` [r] the loss on the validation data after it (both NaN
    before the first epoch and within one).
    """

    ensemble: Ensemble
    runs: Tensor
    epoch: int
    step: int
    epoch_loss: Tensor
    validation_loss: Tensor
    stopped: Tensor

    def stop(self, which: Tensor | bool = True) -> None:
        """Ask that the runs in the mask `which` [r] (default: all) stop training at the end of this epoch."""
        mask = torch.as_tensor(which, device=self.stopped.device)
        if mask.dtype != torch.bool or (mask.ndim and mask.shape != self.stopped.shape):
            raise InputError(f"stop takes True or a mask of the {len(self.stopped)} runs at hand, not {which!r}"[:300])
        self.stopped.logical_or_(mask)


Measure = Callable[[Moment], Mapping[str, Any] | None]
"""What an observer calls: quantities by name, each a number for all runs, or one a run ([r], tensor, array or list)."""


@dataclass(frozen=True)
class Observer:
    """A measure, and when to take it. Made with `every_epochs`, `at_steps` or `on_stop`."""

    measure: Measure
    every: int = 0
    steps: frozenset[int] = frozenset()
    stop: bool = False

    def wants_epoch(self, epoch: int) -> bool:
        """Whether it looks at the end of `epoch` (0: before training)."""
        return self.every > 0 and epoch % self.every == 0


def every_epochs(measure: Measure, every: int = 1) -> Observer:
    """Look before training and at the end of every `every`-th epoch."""
    if every < 1:
        raise InputError(f"every must be 1 or more epochs, not {every}")
    return Observer(measure, every=every)


def at_steps(measure: Measure, steps: Iterable[int]) -> Observer:
    """Look after the given numbers of steps (0: before training)."""
    try:
        wanted = frozenset(int(s) for s in steps)
    except TypeError:
        raise InputError(f"steps to observe must be a list of numbers, not {steps!r}") from None
    if not wanted or min(wanted) < 0:
        raise InputError(f"steps to observe must be a non-empty list of numbers from 0, not {sorted(wanted)}")
    return Observer(measure, steps=wanted)


def on_stop(measure: Measure) -> Observer:
    """Look at every run once, when it stops, however it stops."""
    return Observer(measure, stop=True)


def as_observer(given: Observer | Measure) -> Observer:
    """A bare function looks before training and after every epoch."""
    if isinstance(given, Observer):
        return given
    if not callable(given):
        raise InputError(f"an observer is a function of a moment, or made with every_epochs and the like: {given!r}")
    return every_epochs(given)


@dataclass
class Rows:
    """A long table in the making: run, epoch, step, name, value."""

    blocks: list[tuple[Tensor, int, int, str, Tensor]] = field(default_factory=list)

    def take(self, observer: Observer, moment: Moment) -> None:
        """Measure and append one row for each run and quantity."""
        with torch.no_grad():
            measured = observer.measure(moment)
        if measured is None:
            return
        if not isinstance(measured, Mapping):
            raise InputError(f"an observer returns quantities by name, as a dict, not {type(measured).__name__}")
        runs = moment.runs.cpu()
        for name, values in measured.items():
            self.blocks.append((runs, moment.epoch, moment.step, name, _per_run(name, values, len(runs))))

    def frame(self) -> Any:
        """The rows as a pandas DataFrame with columns run, epoch, step, name, value; ordered as measured."""
        import pandas as pd

        if not self.blocks:
            return pd.DataFrame({"run": [], "epoch": [], "step": [], "name": [], "value": []})
        sizes = [len(b[0]) for b in self.blocks]
        return pd.DataFrame(
            {
                "run": torch.cat([b[0] for b in self.blocks]).numpy(),
                "epoch": np.repeat([b[1] for b in self.blocks], sizes),
                "step": np.repeat([b[2] for b in self.blocks], sizes),
                "name": np.repeat(np.array([b[3] for b in self.blocks], dtype=object), sizes),
                "value": torch.cat([b[4] for b in self.blocks]).numpy(),
            }
        )


def _per_run(name: str, values: Any, count: int) -> Tensor:
    """What an observer gave as one float64 number for each run."""
    try:
        found = torch.as_tensor(values).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"an observer gave {name!r} as {type(values).__name__}, which is no number") from None
    if found.ndim and found.shape != (count,):
        raise InputError(f"an observer gave {name!r} of shape {tuple(found.shape)} for {count} runs")
    return found.expand(count).clone()
