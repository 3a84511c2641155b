"""Trained students beside their teachers: as they are, up to symmetry, in the study's normal form, as functions."""

from __future__ import annotations

import pandas as pd
from torch import Tensor, nn

from sparsenn_book.studies.rebound.reference import reference_normal_form
from sparsenn_book.studies.rebound.settings import ExperimentSettings, SmallSettings, TurningSettings
from sparsenn_book.studies.rebound.symmetry import up_to_symmetry
from sparsenn_book.studies.rebound.teachers import TeachersAndStudents, draw, draw_unrelated
from sparsenn_book.studies.rebound.training import train_all
from sparsenn_book.studies.rebound.watching import squared_distances
from sparsenn_book.studies.rebound.weights import networks_of
from sparsenn_core.linearized import fisher_distance
from sparsenn_core.training import Ensemble

FAR = "displaced by 0.3"
RANDOM = "random student"


def compared(
    students: pd.DataFrame,
    turned_students: pd.DataFrame,
    ab: ExperimentSettings,
    both: TurningSettings,
    settings: SmallSettings,
    device: str = "cpu",
) -> pd.DataFrame:
    """Squared distances after training in float64: experiment, run and what `between` gives.

    The experiments' students come from the tables of weights; students displaced by 0.3 N(0, 1), and random ones that
    Adam trains, are trained here.
    """
    rows = pd.concat([students, turned_students])
    frames = []
    for name, condition in {**ab.conditions(), **both.conditions()}.items():
        drawn = draw(condition)
        found = networks_of(rows[rows.experiment == name], drawn.teachers)
        frames.append(between(drawn, found).assign(experiment=name))
    size = {"test_set_size": ab.test_set_size}
    far = settings.small(perturbation=0.3, **size)
    random = settings.small(optimizer="adam", learning_rate=1e-2, **size)
    starts = {FAR: draw(far), RANDOM: draw_unrelated(random, settings.dimensions)}
    for name, trained in zip(starts, train_all([far, random], list(starts.values()), device=device), strict=True):
        frames.append(between(trained.drawn, trained.students).assign(experiment=name))
    return pd.concat(frames, ignore_index=True)


def between(drawn: TeachersAndStudents, students: Ensemble) -> pd.DataFrame:
    """One row a run, distances squared: `raw`; up to the symmetries of tanh networks, at most (`quotient`) and at
    least (`quotient_lower`), and whether the former is `certified` to be the least; in the study's `normal_form`;
    `fisher`, weighted with the Fisher information on the training inputs, which to first order is the mean squared
    error there without noise; `function`, that error on test inputs; and `teacher`, the teacher's squared norm.
    """
    away = (students.each(drawn.test) - drawn.test_targets).square().flatten(1).mean(1)
    frame = pd.DataFrame(
        {"run": range(len(students)), "raw": squared_distances(students, drawn.teachers), "function": away}
    )
    pairs = list(zip(drawn.teachers, students, strict=True))
    frame = frame.join(up_to_symmetry(pairs))
    frame["normal_form"] = [_normal_form_distance(*pair) for pair in pairs]
    frame["fisher"] = [_fisher(*pair, drawn.data.inputs[run]) for run, pair in enumerate(pairs)]
    return frame


def _normal_form_distance(teacher: nn.Module, student: nn.Module) -> float:
    pairs = zip(reference_normal_form(student), reference_normal_form(teacher), strict=True)
    return sum(float((a.double() - b.double()).square().sum()) for a, b in pairs)


def _fisher(teacher: nn.Module, student: nn.Module, inputs: Tensor) -> float:
    pairs = zip(student.parameters(), teacher.parameters(), strict=True)
    return fisher_distance(teacher, inputs, [a.double() - b.double() for a, b in pairs])
