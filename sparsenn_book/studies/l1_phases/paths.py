"""Regularization paths of three students of the baseline teacher, from weak penalties to strong ones, and one back."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_phases.settings import PathSettings
from sparsenn_book.studies.l1_phases.students import BASELINE, FULL, MULTI, data_of, holding, tree
from sparsenn_core import recovery
from sparsenn_core.networks import embed, literal_teacher
from sparsenn_core.penalties import L1
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, Path, minimise, path

STUDENTS = (BASELINE, MULTI, FULL)
ACTIVATIONS = ("tanh", "relu")
STRONGEST = 1.0
"""All outputs lie within a few units: no weight is worth a strength of 1 with tanh, and hardly one with relu."""
STEPS = 2000  # proximal, of each random start
NEWTON_STEPS = 20  # at most, at each strength: the start is near
UP, BACK = "up", "back"
Case = dict[str, object]
Tables = dict[str, pd.DataFrame]


def walked(settings: PathSettings) -> Tables:
    """`paths` has a row for each point, `path_weights` the weights there in the teacher's arrangement, `path_events`
    every entry and exit.

    Students of 7 weights and 12-4-2-1 start from the teacher, which is the minimum without penalty; that of 52 weights
    from the least of `path_starts` random starts at the weakest strength. The path of 12-4-2-1 with tanh also goes back
    from the last strength at which a weight is left.
    """
    parts: list[Tables] = []
    for draw in range(settings.path_draws):
        for activation in ACTIVATIONS:
            seed = settings.run_seed("paths", draw)
            data = data_of(activation, settings.path_samples, [seed])
            for student in STUDENTS:
                case = {"draw": draw, "student": student, "activation": activation}
                parts += _of_student(case, data, seed, settings)
    names = ("paths", "path_weights", "path_events")
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in names}


def strengths(settings: PathSettings) -> list[float]:
    """From 10^-`path_decades` to 1, `path_per_decade` in each power of ten."""
    count = settings.path_decades * settings.path_per_decade
    return [float(s) for s in STRONGEST * 10.0 ** np.linspace(-settings.path_decades, 0, count + 1)]


def _of_student(
    case: dict[str, object], data: Data, seed: int, settings: PathSettings
) -> list[dict[str, pd.DataFrame]]:
    student, activation = str(case["student"]), str(case["activation"])
    along = strengths(settings)
    with warnings.catch_warnings():
        # a residual stands beside each point
        warnings.simplefilter("ignore", ConvergenceWarning)
        first = _start(student, activation, data, along[0], seed, settings.path_starts)
        up = path(first, data, L1, along, first_steps=0, newton_steps=NEWTON_STEPS)
        found = [(UP, up)]
        alive = int((up.nonzero[:, 0] > 0).sum())
        if (student, activation) == (FULL, "tanh") and alive > 1:
            back = path(up.at(alive - 1), data, L1, along[: alive - 1][::-1], first_steps=0, newton_steps=NEWTON_STEPS)
            found.append((BACK, back))
    return [_tables(case | {"direction": direction}, each, data) for direction, each in found]


def _start(student: str, activation: str, data: Data, weakest: float, seed: int, starts: int) -> Ensemble:
    if student == FULL:
        return Ensemble.stack([holding("baseline", activation)])
    if student == BASELINE:
        return Ensemble.stack([literal_teacher("baseline", activation).requires_grad_(True)])
    drawn = Ensemble.stack([tree(activation, 4, 1.0, seed + start) for start in range(starts)])
    shared = Data.shared(data.inputs[0], data.targets[0])
    # without Newton steps: this only finds the start that fits best
    found = minimise(drawn, shared, penalty=L1(weakest), steps=STEPS, newton_steps=0)
    return found.ensemble.select([int(found.objective.argmin())])


def _tables(case: Case, found: Path, data: Data) -> Tables:
    activation = str(case["activation"])
    teacher = literal_teacher("baseline", activation)
    like = embed(teacher) if case["student"] == FULL else [p.detach() for p in teacher.parameters()]
    arranged = recovery.aligned(like, [w[:, 0] for w in found.weights.values()], activation)
    needed = [(w != 0).flatten() for w in arranged.teacher]
    kept = [(w != 0).flatten(1) for w in arranged.weights]
    assert found.refit_loss is not None
    columns = ("objective", "loss", "residual", "converged", "at_kink", "nonzero")
    points = pd.DataFrame({name: getattr(found, name)[:, 0].numpy() for name in columns})
    points = points.assign(
        strength=found.strengths.numpy(),
        refit_loss=found.refit_loss[:, 0].numpy(),
        zero_objective=float(data.targets.square().mean()),
        needed=int(sum(n.sum() for n in needed)),
        needed_kept=_total(k & n for k, n in zip(kept, needed, strict=True)),
        others_kept=_total(k & ~n for k, n in zip(kept, needed, strict=True)),
        exact=recovery.support_scores(arranged, [0.0]).exact[:, 0].numpy(),
    )
    weights = _weights(found.strengths, arranged)
    return {
        "paths": points.assign(**case),
        "path_weights": weights.assign(**case),
        "path_events": found.events.drop(columns="run").assign(**case),
    }


def _total(parts: object) -> np.ndarray:
    counts: Tensor = torch.stack([part.sum(1) for part in parts])  # type: ignore[attr-defined]
    return counts.sum(0).numpy()


def _weights(along: Tensor, arranged: recovery.Alignment) -> pd.DataFrame:
    """Every weight at every strength, arranged like the teacher's; places count row by row."""
    parts = []
    for layer, (student, teacher) in enumerate(zip(arranged.weights, arranged.teacher, strict=True), start=1):
        size = teacher.numel()
        parts.append(
            pd.DataFrame(
                {
                    "strength": along.repeat_interleave(size).numpy(),
                    "layer": layer,
                    "place": torch.arange(size).repeat(len(along)).numpy(),
                    "value": student.flatten().numpy(),
                    "teacher": teacher.flatten().repeat(len(along)).numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
