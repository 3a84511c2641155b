"""What is read off curves of squared distances: the study's scaling, rebounds, turning back."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from sparsenn_core.linearized import turning_point

LEAST_REBOUND = 5e-4
"""A rise of the squared distance above its least value that counts as a rebound: 0.05 %."""


def normalised(curves: Tensor) -> Tensor:
    """Each curve [R, E] shifted and scaled to [0, 1] by its own least and largest value, constants to zero: what the
    study plots the mean of. A run's size and offset are lost.
    """
    low, high = curves.min(1, keepdim=True).values, curves.max(1, keepdim=True).values
    return torch.where(high > low, (curves - low) / torch.where(high > low, high - low, 1), 0)


def rebounds(curves: Tensor) -> pd.DataFrame:
    """One row a run of squared distances [R, epochs + 1] that begin with the start: `start`, `least`, `end`, `step` of
    the least, `approach` (1 - least / start), `rebound` (end / least - 1), and `rebounded`: it fell below its start
    and rose by at least 0.05 % again; `turned`: it is least before the last epoch of the study's log.
    """
    turn = turning_point(curves)
    return pd.DataFrame(
        {
            "run": range(len(curves)),
            "start": curves[:, 0],
            "least": turn.least,
            "end": curves[:, -1],
            "step": turn.step,
            "approach": turn.approach,
            "rebound": turn.rebound,
            "rebounded": (turn.step > 0) & (turn.rebound >= LEAST_REBOUND),
            "turned": turned_back(curves),
        }
    )


def turned_back(curves: Tensor) -> Tensor:
    """Whether a run's squared distance is least before its last epoch, [R] bool.

    Epochs count from 1, as in the study's log, which leaves the start out; of equal distances the first counts.
    """
    logged = curves[:, 1:]
    return logged.argmin(1) < logged.shape[1] - 1


def as_tensor(rows: pd.DataFrame, value: str = "value") -> Tensor:
    """A long table of run, epoch and `value` as curves [R, epochs], runs and epochs in order."""
    wide = rows.pivot(index="run", columns="epoch", values=value)
    return torch.tensor(wide.to_numpy())
