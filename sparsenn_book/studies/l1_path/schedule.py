"""The study's own training, run again: the reference schedule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.networks import baseline_cnn, initialize_study_, literal_teacher, multi_channel_cnn
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Data, EarlyStopping, Ensemble, Fit, Moment, every_epochs, fit

STUDENTS: dict[str, Callable[..., nn.Module]] = {"baseline": baseline_cnn, "multi_channel": multi_channel_cnn}
"""Experiment 1 trains the baseline student (7 weights), experiment 2 the multi-channel one (52 weights)."""

PENALTIES = ("none", "l1", "l2")


@dataclass(frozen=True)
class Schedule:
    """The settings of the study's training, with the values its records show.

    Minibatches of 16, SGD with momentum 0.9, a constant learning rate, and a stop after `patience` epochs without a
    lower epoch loss. Three of the study's choices are options here, named for what they are: `doubled_l2`, the L2 term
    both in the loss and as the optimizer's weight decay (its gradient is then 3 strength w instead of 2 strength w);
    `last_activation`, "same" for the study's own (the activation also after the last layer, which bounds the output)
    or "linear"; and `bias`, which the study leaves out.
    """

    samples: int = 5120
    epochs: int = 100_000
    patience: int = 100
    batch_size: int = 16
    learning_rate: float = 0.01
    momentum: float = 0.9
    strength: float = 1e-5
    doubled_l2: bool = True
    last_activation: str = "same"
    bias: bool = False

    def __post_init__(self) -> None:
        if self.last_activation not in ("same", "linear"):
            raise unknown("last activation", self.last_activation, ("same", "linear"), where="Schedule")

    def build(self, student: str, activation: str, scale: float) -> Callable[[torch.Generator], nn.Module]:
        """What draws one student with the study's initial weights times `scale`."""
        if student not in STUDENTS:
            raise unknown("student", student, STUDENTS)
        last = activation if self.last_activation == "same" else "linear"

        def draw(source: torch.Generator) -> nn.Module:
            net = STUDENTS[student](activation, last_activation=last, bias=self.bias, generator=source)
            return initialize_study_(net, activation, scale, source)

        return draw


def runs_table(
    student: str, pairs: Sequence[tuple[str, str]], penalties: Sequence[str], scales: Sequence[float], seeds: int
) -> pd.DataFrame:
    """One row for each run: every (teacher, student) pair of activations x penalty x initial scale x seed 1..seeds."""
    for p in penalties:
        if p not in PENALTIES:
            raise unknown("penalty", p, PENALTIES)
    if not (pairs and penalties and scales and seeds > 0):
        raise InputError("the grid of runs is empty: give at least one pair, penalty, initial scale and seed")
    grid = itertools.product(pairs, penalties, scales, range(1, seeds + 1))
    rows = [(student, t, s, p, float(scale), seed) for (t, s), p, scale, seed in grid]
    return pd.DataFrame(
        rows, columns=["student", "teacher_activation", "student_activation", "penalty", "init_scale", "seed"]
    )


@dataclass(frozen=True)
class Trained:
    """`runs` of one student activation with the `fit` that trained them, in the same order, and its `data`."""

    runs: pd.DataFrame
    fit: Fit
    data: Data

    @property
    def curves(self) -> pd.DataFrame:
        """The observers' rows with the columns that identify a run."""
        return self.fit.rows.merge(self.runs, left_on="run", right_index=True)


def data_of(runs: pd.DataFrame, samples: int, dtype: torch.dtype) -> Data:
    """Inputs N(0, I) [sets, samples, 12] drawn from each run's seed, and the literal teacher's outputs, no noise.

    Runs with the same seed see the same inputs, whatever teacher, penalty or start they have.
    """
    sets = runs[["teacher_activation", "seed"]].drop_duplicates().reset_index(drop=True)
    inputs, targets = [], []
    for activation, seed in sets.itertuples(index=False):
        x = torch.randn(samples, 12, generator=generator(int(seed), "data"), dtype=torch.float64)
        inputs.append(x)
        targets.append(literal_teacher("baseline", activation)(x))
    number = {tuple(key): i for i, key in enumerate(sets.itertuples(index=False, name=None))}
    of_run = [number[key] for key in runs[["teacher_activation", "seed"]].itertuples(index=False, name=None)]
    return Data(torch.stack(inputs), torch.stack(targets), torch.tensor(of_run)).to(dtype=dtype)


def start(runs: pd.DataFrame, schedule: Schedule) -> Ensemble:
    """The students before training; a seed draws the same weights for every penalty, teacher and scale."""
    builders = [
        (schedule.build(row.student, row.student_activation, row.init_scale), int(row.seed))
        for row in runs.itertuples(index=False)
    ]
    return Ensemble.stack([build(generator(seed, "init")) for build, seed in builders])


def strength_of(runs: pd.DataFrame, penalty: str, strength: float) -> Tensor:
    """`strength` for the runs with this penalty and 0 for the others, [R]."""
    return torch.tensor([strength if p == penalty else 0.0 for p in runs["penalty"]], dtype=torch.float64)


def progress_of_weights(moment: Moment) -> dict[str, Tensor]:
    """The epoch loss, and the shares of weights below 1e-4 and exactly at zero."""
    weights = torch.cat([w.flatten(1) for w in moment.ensemble.params.values()], dim=1)
    return {
        "epoch loss": moment.epoch_loss,
        "share below 1e-4": (weights.abs() < 1e-4).double().mean(1),
        "share exactly zero": (weights == 0).double().mean(1),
    }


def train(runs: pd.DataFrame, schedule: Schedule, device: torch.device | str = "cpu", *, every: int = 10) -> Trained:
    """Train all `runs` of one student activation as one ensemble, float32 as in the study, observed `every` epochs."""
    runs = runs.reset_index(drop=True)
    data = data_of(runs, schedule.samples, torch.float32).to(device)
    l1, l2 = (strength_of(runs, p, schedule.strength).to(device) for p in ("l1", "l2"))
    optimizer = SGD(schedule.learning_rate, momentum=schedule.momentum, weight_decay=l2 if schedule.doubled_l2 else 0.0)
    result = fit(
        start(runs, schedule).to(device),
        data,
        optimizer=optimizer,
        penalty=L1(l1) + SquaredL2(l2),
        epochs=schedule.epochs,
        batch_size=schedule.batch_size,
        order=[int(s) for s in runs["seed"]],
        early_stopping=EarlyStopping(schedule.patience),
        observe=[every_epochs(progress_of_weights, every)],
    )
    return Trained(runs, result, data)
