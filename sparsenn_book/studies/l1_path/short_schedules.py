"""The study's own training in experiments 3 to 5, stopped after a stated number of epochs, long before it ends."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_path.experiments import PAIRS, judgement
from sparsenn_book.studies.l1_path.settings import Length, Schedule
from sparsenn_core import networks
from sparsenn_core.errors import unknown
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties import L1
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Data, EarlyStopping, Ensemble, Moment, every_epochs, fit


@dataclass(frozen=True)
class Cell:
    """What a recorded group of L1 runs has in common beside teacher and student."""

    activation: str
    init_scale: float
    learning_rate: float


CELLS = {3: Cell("tanh", 0.2, 0.01), 4: Cell("tanh", 0.2, 0.005), 5: Cell("relu", 0.2, 0.005)}
"""One group of each experiment that has several recorded runs of the right teacher: 5, 4 and 5 runs at these rates."""


@dataclass(frozen=True)
class ShortSchedule:
    """Where the study's schedule is cut: epochs, seeds from 1, and inputs of each run (the study's 100,000)."""

    short_epochs: int = 16
    short_seeds: int = 5
    short_samples: int = 100_000


def shortened(
    experiment: int, strength: float, settings: ShortSchedule, test_samples: int, device: str = "cpu"
) -> dict[str, pd.DataFrame]:
    """All seeds of one cell as one ensemble, float32, by the reference schedule with L1; none is trained to its end.

    `short_*` has one row a run: its least epoch loss so far (`objective`, what the study calls the final loss), error
    and penalty of the last weights on all its samples in float64 (`loss`, `penalty_value`), and their judgement on
    fresh inputs; `short_curves_*` the epoch loss and the penalty after every epoch.
    """
    if experiment not in CELLS:
        raise unknown("experiment", str(experiment), [str(e) for e in CELLS], where="shortened")
    cell, (teacher_name, _) = CELLS[experiment], PAIRS[experiment]
    teacher = literal_teacher(teacher_name, cell.activation)
    runs = runs_of(experiment, settings)
    x = torch.stack([_inputs(seed, settings.short_samples) for seed in runs["seed"]])  # [R, samples, 12]
    y = torch.stack([teacher(one) for one in x])  # [R, samples, 1]
    schedule, penalty = Schedule(learning_rate=cell.learning_rate), L1(strength)
    result = fit(
        start_of(runs).to(device),
        Data(x, y, torch.arange(len(runs))).to(dtype=torch.float32).to(device),
        optimizer=SGD(schedule.learning_rate, momentum=schedule.momentum),
        penalty=penalty,
        epochs=settings.short_epochs,
        batch_size=schedule.batch_size,
        order=runs["seed"].tolist(),
        early_stopping=EarlyStopping(Length().patience),
        observe=[every_epochs(lambda moment: _progress(moment, penalty))],
    )
    ended = result.ensemble.to("cpu", torch.float64)
    ends = [[w[r] for w in ended.params.values()] for r in range(len(runs))]
    fresh = torch.randn(test_samples, 12, generator=generator(0, "test data"), dtype=torch.float64)
    judged = pd.DataFrame([judgement(teacher, end, cell.activation, fresh) for end in ends])
    table = runs.assign(
        epochs=result.epochs.numpy(),
        status=result.status,
        objective=result.best_loss.numpy(),
        loss=[_error(ended.select([r]), x[r], y[r]) for r in range(len(runs))],
        penalty_value=penalty.value(ended.params).numpy(),
    )
    return {
        f"short_{experiment}": pd.concat([table, judged], axis=1),
        f"short_curves_{experiment}": result.rows.merge(runs, left_on="run", right_index=True),
    }


def _progress(moment: Moment, penalty: L1) -> dict[str, Tensor]:
    return {"epoch loss": moment.epoch_loss, "penalty": penalty.value(moment.ensemble.params)}


def _error(one: Ensemble, x: Tensor, y: Tensor) -> float:
    """Mean squared error of an ensemble of one network on inputs [n, 12] and targets [n, 1]."""
    with torch.no_grad():
        return float((one(x)[0] - y).square().mean())


def runs_of(experiment: int, settings: ShortSchedule) -> pd.DataFrame:
    """One row a seed: what the runs of a cell have in common, and their seed."""
    cell, (teacher, student) = CELLS[experiment], PAIRS[experiment]
    same = {
        "experiment": experiment, "teacher": teacher, "student": student, "activation": cell.activation,
        "penalty": "l1", "init_scale": cell.init_scale, "learning_rate": cell.learning_rate,
        "samples": settings.short_samples,
    }  # fmt: skip
    return pd.DataFrame([{**same, "seed": seed} for seed in range(1, settings.short_seeds + 1)])


def start_of(runs: pd.DataFrame) -> Ensemble:
    """Students before training, drawn as the minimiser's random starts of the same experiment and seed."""
    return Ensemble.stack(
        [
            networks.student(row.student, row.activation, row.init_scale, generator(row.seed, "init", row.experiment))
            for row in runs.itertuples(index=False)
        ]
    )


def _inputs(seed: int, samples: int) -> Tensor:
    """Inputs N(0, I) [samples, 12] of one run, float64."""
    return torch.randn(samples, 12, generator=generator(int(seed), "data"), dtype=torch.float64)
