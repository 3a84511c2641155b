"""What is watched while students train: distance to their teachers, errors, parameters that stand still."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import grad
from torch.nn.functional import mse_loss

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_book.studies.rebound.teachers import TeachersAndStudents
from sparsenn_core.training import Data, Ensemble, Moment, Observer, every_epochs
from sparsenn_core.training.gradients import run_losses

Measure = Callable[[Moment], Mapping[str, Tensor]]


def observers(drawn: TeachersAndStudents, condition: Condition, test_every: int, stalled_every: int) -> list[Observer]:
    """Distance and training loss at every epoch, the others every so many (0: never)."""
    watched = [every_epochs(_distance_and_loss(drawn))]
    if test_every:
        watched.append(every_epochs(_test_errors(drawn, condition), test_every))
    if stalled_every:
        watched.append(every_epochs(_stalled(drawn, condition), stalled_every))
    return watched


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


def _distance_and_loss(drawn: TeachersAndStudents) -> Measure:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        distance = squared_distances(moment.ensemble, drawn.teachers)
        return {"squared_distance": distance, "train_loss": moment.epoch_loss}

    return measure


def _test_errors(drawn: TeachersAndStudents, condition: Condition) -> Measure:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        outputs = moment.ensemble.to(dtype=condition.arithmetic).each(drawn.test)
        difference = outputs - drawn.test_targets
        errors = {"test_loss": difference - drawn.test_noise, "test_error": difference}
        return {name: e.double().square().flatten(1).mean(1) for name, e in errors.items()}

    return measure


def _stalled(drawn: TeachersAndStudents, condition: Condition) -> Measure:
    def measure(moment: Moment) -> Mapping[str, Tensor]:
        return {"stalled": stalled_share(moment.ensemble, drawn.data, condition.learning_rate, condition.arithmetic)}

    return measure
