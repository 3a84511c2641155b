"""Does the student need its teacher's activation? Every pair, with and without what bounds its output."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn

from sparsenn_book.studies.l1_path.settings import ACTIVATIONS
from sparsenn_core import networks, recovery
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties import L1
from sparsenn_core.randomness import generator
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, minimise

READ_OUTS = ("same", "linear")
"""The study's own, the activation also after the last layer; and a linear last layer of teacher and student, with
biases in the student: then nothing bounds its output, and it can be shifted."""


@dataclass(frozen=True)
class Crossing:
    """How pairs of activations are solved: random starts of each pair and read-out, and their proximal steps."""

    cross_starts: int = 12
    cross_steps: int = 2000


def crossed(strength: float, samples: int, settings: Crossing, test_samples: int) -> pd.DataFrame:
    """The L1 objective of multi-channel students (52 weights) of the baseline teacher, one row a start.

    Every pair of activations, with each of the read-outs: objective, residual, error and R2 on fresh inputs, and
    `range_floor`, the error that no output in the range of the student's last activation can beat.
    """
    rows = [
        _pair(teacher, activation, read_out, strength, samples, settings, test_samples)
        for teacher in ACTIVATIONS
        for activation in ACTIVATIONS
        for read_out in READ_OUTS
    ]
    return pd.concat(rows, ignore_index=True)


def teacher_with(activation: str, read_out: str) -> nn.Module:
    """The baseline teacher with its literal weights and the last layer that the read-out says, float64."""
    literal = literal_teacher("baseline", activation)
    if read_out == "same":
        return literal
    teacher = networks.baseline_cnn(activation, last_activation="linear", generator=torch.Generator()).double()
    teacher.load_state_dict(literal.state_dict())
    return teacher.requires_grad_(False)


def _pair(
    teacher_activation: str,
    activation: str,
    read_out: str,
    strength: float,
    samples: int,
    settings: Crossing,
    test_samples: int,
) -> pd.DataFrame:
    teacher = teacher_with(teacher_activation, read_out)
    x = torch.randn(samples, 12, generator=generator(1, "data"), dtype=torch.float64)
    last = activation if read_out == "same" else "linear"
    free = last == "linear"
    students = [
        networks.student(
            "multi_channel", activation, 1.0, generator(s, "init", "crossed"), last_activation=last, bias=free
        )
        for s in range(1, settings.cross_starts + 1)
    ]
    with warnings.catch_warnings():
        # the residual of each start is in the table
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = minimise(
            Ensemble.stack(students), Data.shared(x, teacher(x)), penalty=L1(strength, weights_only=True),
            steps=settings.cross_steps, newton_steps=4,
        )  # fmt: skip
    fresh = torch.randn(test_samples, 12, generator=generator(0, "test data"), dtype=torch.float64)
    targets = teacher(fresh)[:, 0]
    with torch.no_grad():
        scored = recovery.scores(found.ensemble(fresh), targets)
    return pd.DataFrame(
        {
            "teacher_activation": teacher_activation,
            "activation": activation,
            "read_out": read_out,
            "start": range(1, settings.cross_starts + 1),
            "objective": found.objective.numpy(),
            "residual": found.residual.numpy(),
            "nonzero": found.nonzero.numpy(),
            "mse": scored.mse.numpy(),
            "r2": scored.r2.numpy(),
            "range_floor": float(recovery.range_floor(targets, last)),
        }
    )
