"""Training the students of one or many conditions, watching the distance to their teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.func import grad
from torch.nn.functional import mse_loss

from sparsenn_book.studies.rebound.problem import Problem, draw, joined
from sparsenn_book.studies.rebound.settings import Settings
from sparsenn_core import penalties
from sparsenn_core.penalties import Penalty, layer_factors
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import project_generic
from sparsenn_core.training import SGD, Adam, Data, Ensemble, Moment, Observer, Optimizer, every_epochs, fit
from sparsenn_core.training.gradients import run_losses


@dataclass(frozen=True)
class Outcome:
    """A trained condition.

    `curves` maps names to [R, epochs + 1], epoch 0 being the start: `squared_distance` to the teacher, `train_loss`
    (with penalty), and where asked for `test_loss` (noisy targets, as in the study), `test_error` (targets without
    noise), `stalled` (share of parameters); NaN at epochs not looked at. `students` are the trained networks.
    """

    settings: Settings
    problem: Problem
    students: Ensemble
    curves: Mapping[str, Tensor]

    def rows(self, **columns: Any) -> pd.DataFrame:
        """A long table: run, epoch, name, value, and constant `columns` that identify the condition."""
        frames = []
        for name, curve in self.curves.items():
            run, epoch = torch.nonzero(~curve.isnan(), as_tuple=True)
            frames.append(pd.DataFrame({"run": run, "epoch": epoch, "name": name, "value": curve[run, epoch]}))
        return pd.concat(frames, ignore_index=True).assign(**columns)


def squared_distances(students: Ensemble, teachers: Ensemble) -> Tensor:
    """Sum of squared differences over all weights and biases, [R], in float64."""
    parts = [(w.double() - teachers.params[k].double()).square().flatten(1).sum(1) for k, w in students.params.items()]
    return torch.stack(parts).sum(0)


def stalled_share(students: Ensemble, data: Data, learning_rate: float, arithmetic: torch.dtype) -> Tensor:
    """Share of parameters, [R], that a step of gradient descent leaves as they are although their gradient is not 0:
    the step is less than half a unit in the last place of the stored weight. One data set a run. Cost: one gradient.
    """

    def total(params: dict[str, Tensor]) -> Tensor:
        computed = {k: w.to(arithmetic) for k, w in params.items()}
        return run_losses(students, mse_loss, computed, {}, data.inputs, data.targets, shared=False).sum()

    grads = grad(total)(students.params)
    flags = [
        ((w - torch.as_tensor(learning_rate, dtype=w.dtype) * grads[k] == w) & (grads[k] != 0)).flatten(1)
        for k, w in students.params.items()
    ]
    return torch.cat(flags, 1).double().mean(1)


def train(settings: Settings, problem: Problem | None = None, **observing: int) -> Outcome:
    """Train one condition; `train_all` says what may be observed. `problem` replaces the drawn one."""
    return train_all([settings], [problem or draw(settings)], **observing)[0]


def train_all(
    conditions: Sequence[Settings],
    problems: Sequence[Problem] | None = None,
    *,
    test_every: int = 0,
    stalled_every: int = 0,
) -> list[Outcome]:
    """Train conditions, those that can be trained together as one ensemble; outcomes in the order given.

    The distance and the training loss are recorded at every epoch, test errors every `test_every` and the share of
    stalled parameters every `stalled_every` epochs (0: never), counted from the last projection.
    """
    drawn = list(problems) if problems is not None else [draw(s) for s in conditions]
    groups: dict[Settings, list[int]] = {}
    for i, s in enumerate(conditions):
        groups.setdefault(_common(s), []).append(i)
    outcomes: dict[int, Outcome] = {}
    for members in groups.values():
        together = joined([drawn[i] for i in members])
        students, curves = _train_group([conditions[i] for i in members], together, test_every, stalled_every)
        start = 0
        for i in members:
            stop = start + len(drawn[i].teachers)
            own = {name: curve[start:stop] for name, curve in curves.items()}
            outcomes[i] = Outcome(conditions[i], drawn[i], students.select(torch.arange(start, stop)), own)
            start = stop
    return [outcomes[i] for i in range(len(conditions))]


def _common(s: Settings) -> Settings:
    """The settings without what may differ between runs of one ensemble."""
    s = replace(s, perturbation=0.0, noise=0.0, learning_rate=0.0, alpha=0.0, num_runs=1, seed=0, draw=0)
    return replace(s, biases="zero", perturbation_law="gaussian", one_teacher=False)


def _per_run(conditions: Sequence[Settings], problem: Problem, name: str) -> Tensor:
    values = torch.tensor([getattr(s, name) for s in conditions], dtype=torch.float64)
    return values.repeat_interleave(torch.tensor([s.num_runs for s in conditions]))


def penalty_of(settings: Settings, alpha: Tensor | float, students: Ensemble) -> Penalty | None:
    """The penalty of the rule, None for vanilla; DRR with the study's factors of the layers."""
    if settings.rule == "vanilla":
        return None
    if settings.rule == "l1":
        return penalties.L1(alpha)
    factors = layer_factors({k: w[0] for k, w in students.params.items()})
    return penalties.DRR(alpha, beta=settings.beta, rho=settings.rho, factors=factors)


def _train_group(
    conditions: Sequence[Settings], problem: Problem, test_every: int, stalled_every: int
) -> tuple[Ensemble, dict[str, Tensor]]:
    settings = conditions[0]
    rate = _per_run(conditions, problem, "learning_rate")
    optimizer = SGD(rate) if settings.optimizer == "sgd" else Adam(rate)
    penalty = penalty_of(settings, _per_run(conditions, problem, "alpha"), problem.students)
    observers = [every_epochs(_distance_and_loss(problem))]
    if test_every:
        observers.append(every_epochs(_test_errors(problem, settings), test_every))
    if stalled_every:
        observers.append(every_epochs(_stalled(problem, settings), stalled_every))
    cuts = settings.projection_after()
    students = problem.students
    curves: dict[str, Tensor] = {}
    for first, last in zip([0, *cuts], [*cuts, settings.epochs], strict=True):
        if last == first:
            continue
        students, part = _segment(settings, problem, students, optimizer, penalty, observers, last - first)
        curves = {k: torch.cat([curves[k], c[:, 1:]], 1) if curves else c for k, c in part.items()}
        if last in cuts:
            students = project(students, settings, last)
            curves["squared_distance"][:, last] = squared_distances(students, problem.teachers)
    return students, curves


def _segment(
    settings: Settings,
    problem: Problem,
    students: Ensemble,
    optimizer: Optimizer,
    penalty: Penalty | None,
    observers: Sequence[Observer],
    epochs: int,
) -> tuple[Ensemble, dict[str, Tensor]]:
    """Train for `epochs`; curves [R, epochs + 1] of what was observed."""
    runs = len(students)
    result = fit(
        students,
        problem.data,
        optimizer=optimizer,
        epochs=epochs,
        penalty=penalty,
        observe=observers,
        arithmetic=settings.arithmetic,
        compiled=False,
    )
    curves = {}
    for name, rows in result.rows.groupby("name", sort=False):
        curve = torch.full((runs, epochs + 1), torch.nan, dtype=torch.float64)
        curve[torch.tensor(rows.run.to_numpy()), torch.tensor(rows.epoch.to_numpy())] = torch.tensor(
            rows.value.to_numpy()
        )
        curves[str(name)] = curve
    # the loop reports the loss before each step: that of epoch t is seen by step t + 1
    before = curves["train_loss"]
    params = {k: w.to(settings.arithmetic) for k, w in result.ensemble.params.items()}
    end = run_losses(students, mse_loss, params, {}, problem.data.inputs, problem.data.targets, shared=False)
    end = end if penalty is None else end + penalty.value(params)
    curves["train_loss"] = torch.cat([before[:, 1:], end.double()[:, None]], 1)
    return result.ensemble, curves


def project(students: Ensemble, settings: Settings, epoch: int) -> Ensemble:
    """Students after the projection that `settings` name.

    Of the study's projection only its first part is done, which moves every parameter outward: w (1 + 10 U(0, 1) eps),
    eps that of float32, and zeros to +-10 U(0, 1) eps. Its other conditions never act on networks without ties.
    """
    if settings.projection == "generic":
        nets = [project_generic(net, 1e-9, generator(settings.seed, "projection", epoch)) for net in students]
        return Ensemble.stack(nets)
    source = generator(settings.seed, "projection", epoch)
    eps = torch.finfo(torch.float32).eps

    def nudged(w: Tensor) -> Tensor:
        step = 10 * eps * torch.rand(w.shape, generator=source, dtype=w.dtype)
        coin = 2.0 * torch.randint(0, 2, w.shape, generator=source) - 1
        return torch.where(w == 0, step * coin.to(w.dtype), w + w * step)

    return students.with_params({k: nudged(w) for k, w in students.params.items()})


def _distance_and_loss(problem: Problem) -> Any:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        distance = squared_distances(moment.ensemble, problem.teachers)
        return {"squared_distance": distance, "train_loss": moment.epoch_loss}

    return measure


def _test_errors(problem: Problem, settings: Settings) -> Any:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        outputs = moment.ensemble.to(dtype=settings.arithmetic).each(problem.test)
        difference = outputs - problem.test_targets
        errors = {"test_loss": difference - problem.test_noise, "test_error": difference}
        return {name: e.double().square().flatten(1).mean(1) for name, e in errors.items()}

    return measure


def _stalled(problem: Problem, settings: Settings) -> Any:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        return {"stalled": stalled_share(moment.ensemble, problem.data, settings.learning_rate, settings.arithmetic)}

    return measure
