"""Training the students of the neuron-sharing study: PathProx, SGD with weight decay, and no decay, as one ensemble.

The study trains with PathProx where it says weight decay, full batches and plain gradient steps in float32. Here the
three rules share every step: `PathProx` with strength zero does nothing, and weight decay is the optimizer's, which
adds strength * weights to the gradient, that is, pays strength / 2 times the sum of squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.width_bounds.neuron_sharing import STEP_SIZE, STRENGTH, STUDENT_SEED, problem, student
from sparsenn_book.studies.width_bounds.students import as_rows
from sparsenn_core.errors import unknown
from sparsenn_core.penalties.path_prox import PathProx
from sparsenn_core.training import Data, Ensemble, Fit, Moment, ProximalSGD, at_steps, fit

METHODS = ("PathProx", "SGD weight decay", "no decay")
ACTIVE = 1e-3  # the study counts neurons with ||v_k|| above this
Run = tuple[str, int]  # (method, seed)


@dataclass(frozen=True)
class TrainingSettings:
    """`steps` of training and the number of `students` for each rule; the first has the study's initial weights."""

    steps: int
    students: int


@dataclass(frozen=True)
class Sharing:
    """What training gave: `runs` names method and seed of each run, in the order of `fit.ensemble`."""

    runs: list[Run]
    fit: Fit


def trained(settings: TrainingSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """The tables `trace` (method, seed, step, name, value; names are those of `measures`, and `objective`, which is
    mse + strength * VV norm) and `weights` (final weights, rows of `students`).
    """
    seeds = [STUDENT_SEED + i for i in range(settings.students)]
    sharing = train(seeds, settings.steps, study_steps(settings.steps), device=device)
    names = pd.DataFrame(sharing.runs, columns=["method", "seed"]).rename_axis("run").reset_index()
    rows = sharing.fit.rows.merge(names, on="run")
    at = ["method", "seed", "step"]
    wide = rows.pivot_table(index=at, columns="name", values="value", sort=False).reset_index()
    wide["objective"] = wide["mse"] + STRENGTH * wide["vv_norm"]
    trace = wide.melt(id_vars=at, var_name="name", value_name="value")
    weights = [as_rows(sharing.fit.ensemble[i], *run) for i, run in enumerate(sharing.runs)]
    return {"trace": trace, "weights": pd.concat(weights, ignore_index=True)}


def train(
    seeds: Sequence[int],
    steps: int,
    look: Iterable[int],
    methods: Sequence[str] = METHODS,
    strength: float = STRENGTH,
    device: str = "cpu",
) -> Sharing:
    """Train one student for each method and seed for `steps` steps; `fit.rows` has `measures` after the steps `look`.

    A seed is that of the student's initial weights (the study's is 49); the data are the study's for all. Cost: about
    0.2 ms a step and 0.02 ms a step and run, compiled; 7 times more where no C++ compiler is found.
    """
    for method in methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    inputs, targets, _ = problem()
    runs = [(method, seed) for method in methods for seed in seeds]
    pays = {"PathProx": (strength, 0.0), "SGD weight decay": (0.0, strength), "no decay": (0.0, 0.0)}
    penalty = PathProx.of(student(), torch.tensor([pays[method][0] for method, _ in runs]))
    decay = torch.tensor([pays[method][1] for method, _ in runs], dtype=torch.float64)
    data = Data.shared(inputs, targets).to(device)
    done = fit(
        Ensemble.stack([student(seed) for _, seed in runs]).to(device),
        data,
        optimizer=ProximalSGD(STEP_SIZE, weight_decay=decay),
        epochs=steps,
        penalty=penalty,
        observe=[at_steps(lambda moment: measures(moment, data), look)],
    )
    return Sharing(runs, done)


def measures(moment: Moment, data: Data) -> Mapping[str, Tensor]:
    """What is watched, [R] each, in float64.

    mse; active: neurons with ||v_k|| > 1e-3, the study's count, which depends on how units are scaled; used: those
    with ||v_k|| ||wbar_k|| > 1e-3, which does not; outgoing = sum ||v_k||; vv_norm; half_squares, what weight decay
    pays; imbalance = sum_k | ||wbar_k||^2 - ||v_k||^2 |.
    """
    ensemble = moment.ensemble.to(dtype=torch.float64)
    incoming, outgoing = PathProx.of(ensemble.template, 0.0).norms(ensemble.params)
    miss = ensemble(data.inputs[0].double()) - data.targets[0]
    return {
        "mse": miss.square().mean((1, 2)),
        "active": (outgoing > ACTIVE).sum(1),
        "used": (incoming * outgoing > ACTIVE).sum(1),
        "outgoing": outgoing.sum(1),
        "vv_norm": (incoming * outgoing).sum(1),
        "half_squares": (incoming.square() + outgoing.square()).sum(1) / 2,
        "imbalance": (incoming.square() - outgoing.square()).abs().sum(1),
    }


def study_steps(last: int, every: int = 10_000, early: int = 12) -> list[int]:
    """The steps to look at: 0, 1 and every 10,000 as the study logs, one after each, `early` before that, and `last`.

    At its iteration i the study prints the loss after i steps and the norms after i + 1.
    """
    logged = [step + after for step in range(0, last, every) for after in (0, 1)]
    before = np.unique(np.geomspace(10, min(every, last), early).astype(int)).tolist()
    return sorted({*logged, *before, last})
