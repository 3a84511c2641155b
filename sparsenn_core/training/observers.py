"""What watches a fit: functions of a moment of training that append rows."""

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

    `ensemble` holds them, `runs` [r] their places in the whole ensemble, `epoch_loss` [r] the mean loss with penalty
    of the epoch just ended (NaN before the first and within an epoch).
    """

    ensemble: Ensemble
    runs: Tensor
    epoch: int
    step: int
    epoch_loss: Tensor


Measure = Callable[[Moment], Mapping[str, Tensor]]


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
    wanted = frozenset(int(s) for s in steps)
    if not wanted or min(wanted) < 0:
        raise InputError(f"steps to observe must be a non-empty list of numbers from 0, not {sorted(wanted)}")
    return Observer(measure, steps=wanted)


def on_stop(measure: Measure) -> Observer:
    """Look at every run once, when it stops, however it stops."""
    return Observer(measure, stop=True)


@dataclass
class Rows:
    """A long table in the making: run, epoch, step, name, value."""

    blocks: list[tuple[Tensor, int, int, str, Tensor]] = field(default_factory=list)

    def take(self, observer: Observer, moment: Moment) -> None:
        """Measure and append one row for each run and quantity."""
        with torch.no_grad():
            measured = observer.measure(moment)
        for name, values in measured.items():
            if values.shape != moment.runs.shape:
                raise InputError(
                    f"an observer gave {name!r} of shape {tuple(values.shape)} for {len(moment.runs)} runs"
                )
            block = (moment.runs.cpu(), moment.epoch, moment.step, name, values.detach().to("cpu", torch.float64))
            self.blocks.append(block)

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
