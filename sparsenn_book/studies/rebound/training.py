"""Training the students of one or many conditions while watching the distance to their teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_book.studies.rebound.projection import project
from sparsenn_book.studies.rebound.teachers import TeachersAndStudents, draw, joined
from sparsenn_book.studies.rebound.watching import observers
from sparsenn_core import penalties
from sparsenn_core.penalties import Penalty, layer_factors
from sparsenn_core.training import SGD, Adam, Between, Ensemble, Fit, Hook, after_epochs, fit
from sparsenn_core.training.gradients import run_losses


@dataclass(frozen=True)
class Trained:
    """A trained condition.

    `curves` maps names to [R, epochs + 1], epoch 0 being the start: `squared_distance` to the teacher, `train_loss`
    (with penalty), and where asked for `test_loss` (noisy targets, as in the study), `test_error` (targets without
    noise), `stalled` (share of parameters); NaN at epochs not looked at. `students` are the trained networks, `drawn`
    is what they started from.
    """

    condition: Condition
    drawn: TeachersAndStudents
    students: Ensemble
    curves: Mapping[str, Tensor]

    def rows(self, **columns: Any) -> pd.DataFrame:
        """A long table: run, epoch, name, value, and constant `columns` that identify the condition."""
        frames = []
        for name, curve in self.curves.items():
            run, epoch = torch.nonzero(~curve.isnan(), as_tuple=True)
            frames.append(pd.DataFrame({"run": run, "epoch": epoch, "name": name, "value": curve[run, epoch]}))
        return pd.concat(frames, ignore_index=True).assign(**columns)


def train(condition: Condition, drawn: TeachersAndStudents | None = None, **options: Any) -> Trained:
    """Train one condition; `train_all` names the options. `drawn` replaces what is drawn for it."""
    return train_all([condition], [drawn or draw(condition)], **options)[0]


def train_all(
    conditions: Sequence[Condition],
    drawn: Sequence[TeachersAndStudents] | None = None,
    *,
    test_every: int = 0,
    stalled_every: int = 0,
    device: str = "cpu",
) -> list[Trained]:
    """Train conditions, those that can be trained together as one ensemble; results in the order given, on the CPU.

    The distance and the training loss are recorded at every epoch, test errors every `test_every` and the share of
    stalled parameters every `stalled_every` epochs (0: never). Where an epoch ends with a projection they are those
    after it.
    """
    given = list(drawn) if drawn is not None else [draw(c) for c in conditions]
    groups: dict[Condition, list[int]] = {}
    for i, c in enumerate(conditions):
        groups.setdefault(_common(c), []).append(i)
    found: dict[int, Trained] = {}
    for members in groups.values():
        together = joined([given[i] for i in members]).to(device)
        students, curves = _train_group([conditions[i] for i in members], together, test_every, stalled_every)
        students, curves = students.to("cpu"), {name: curve.cpu() for name, curve in curves.items()}
        start = 0
        for i in members:
            stop = start + len(given[i].teachers)
            own = {name: curve[start:stop] for name, curve in curves.items()}
            found[i] = Trained(conditions[i], given[i], students.select(torch.arange(start, stop)), own)
            start = stop
    return [found[i] for i in range(len(conditions))]


def _common(c: Condition) -> Condition:
    """The condition without what may differ between runs of one ensemble."""
    c = replace(c, perturbation=0.0, noise=0.0, learning_rate=0.0, alpha=0.0, num_runs=1, seed=0, draw=0)
    return replace(c, biases="zero", perturbation_law="gaussian", one_teacher=False)


def _per_run(conditions: Sequence[Condition], name: str) -> Tensor:
    values = torch.tensor([getattr(c, name) for c in conditions], dtype=torch.float64)
    return values.repeat_interleave(torch.tensor([c.num_runs for c in conditions]))


def penalty_of(condition: Condition, alpha: Tensor | float, students: Ensemble) -> Penalty | None:
    """The penalty of the rule, None for vanilla; DRR with the study's factors of the layers."""
    if condition.rule == "vanilla":
        return None
    if condition.rule == "l1":
        return penalties.L1(alpha)
    factors = layer_factors({k: w[0] for k, w in students.params.items()})
    return penalties.DRR(alpha, beta=condition.beta, rho=condition.rho, factors=factors)


def _train_group(
    conditions: Sequence[Condition], drawn: TeachersAndStudents, test_every: int, stalled_every: int
) -> tuple[Ensemble, dict[str, Tensor]]:
    condition = conditions[0]
    rate = _per_run(conditions, "learning_rate")
    optimizer = SGD(rate) if condition.optimizer == "sgd" else Adam(rate)
    penalty = penalty_of(condition, _per_run(conditions, "alpha").to(drawn.noise.device), drawn.students)
    watched = observers(drawn, condition, test_every, stalled_every)
    result = fit(
        drawn.students,
        drawn.data,
        optimizer=optimizer,
        epochs=condition.epochs,
        penalty=penalty,
        observe=watched,
        between=_projections(condition, drawn.students),
        arithmetic=condition.arithmetic,
        compiled=False,
    )
    return result.ensemble, _curves(condition, drawn, penalty, result)


def _projections(condition: Condition, students: Ensemble) -> list[Hook]:
    """The study's projection after the epochs at which `condition` asks for it."""
    cuts = set(condition.projection_after())

    def change(moment: Between) -> None:
        if moment.epoch in cuts:
            moment.params.update(project(students.with_params(dict(moment.params)), condition, moment.epoch).params)

    return [after_epochs(change)] if cuts else []


def _curves(
    condition: Condition, drawn: TeachersAndStudents, penalty: Penalty | None, result: Fit
) -> dict[str, Tensor]:
    """Curves [R, epochs + 1] of what was observed."""
    device, count = drawn.noise.device, len(drawn.students)
    curves = {str(name): _curve(rows, count, condition.epochs).to(device) for name, rows in result.rows.groupby("name")}
    # the loop reports the loss before each step: that of epoch t is seen by step t + 1
    before = curves["train_loss"]
    params = {k: w.to(condition.arithmetic) for k, w in result.ensemble.params.items()}
    end = run_losses(drawn.students, mse_loss, params, {}, drawn.data.inputs, drawn.data.targets, shared=False)
    end = end if penalty is None else end + penalty.value(params)
    curves["train_loss"] = torch.cat([before[:, 1:], end.double()[:, None]], 1)
    return curves


def _curve(rows: pd.DataFrame, runs: int, epochs: int) -> Tensor:
    """The observations of one name as [runs, epochs + 1], NaN where none was made."""
    curve = torch.full((runs, epochs + 1), torch.nan, dtype=torch.float64)
    run, epoch, value = (torch.tensor(rows[name].to_numpy()) for name in ("run", "epoch", "value"))
    curve[run, epoch] = value
    return curve
