"""What is read off the curves and the trained networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from torch import Tensor

from sparsenn_book.records import Estimate
from sparsenn_book.studies.rebound.reference import reference_normal_form
from sparsenn_book.studies.rebound.training import Outcome
from sparsenn_core import recovery
from sparsenn_core.errors import InputError
from sparsenn_core.linearized import fisher_distance, turning_point

LEAST_REBOUND = 5e-4
"""A rise of the squared distance above its least value that counts as a rebound: 0.05 %."""


def normalised(curves: Tensor) -> Tensor:
    """Each curve [R, E] shifted and scaled to [0, 1] by its own least and largest value, constants to zero: what the
    study plots the mean of. A run's size and offset are lost.
    """
    low, high = curves.min(1, keepdim=True).values, curves.max(1, keepdim=True).values
    return torch.where(high > low, (curves - low) / torch.where(high > low, high - low, 1), 0)


def rebounds(outcome: Outcome) -> pd.DataFrame:
    """One row a run: `start`, `least`, `end` of the squared distance, `step` of the least, `approach` (1 - least /
    start), `rebound` (end / least - 1), and `rebounded`: it fell below its start and rose by at least 0.05 % again.
    """
    curves = outcome.curves["squared_distance"]
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
        }
    )


def turned_back(outcome: Outcome) -> Tensor:
    """Whether a run's squared distance is least before its last epoch, [R] bool.

    Epochs count from 1, as in the study's log, which leaves the start out; of equal distances the first counts.
    """
    logged = outcome.curves["squared_distance"][:, 1:]
    return logged.argmin(1) < logged.shape[1] - 1


@dataclass(frozen=True)
class PowerLaw:
    """log10 y = exponent log10 x + intercept, by least squares; `r2` of it, `local` slopes between neighbours."""

    exponent: Estimate
    intercept: float
    r2: float
    local: NDArray[np.float64]


def power_law(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> PowerLaw:
    """Fit a power law to positive x and y, three points or more, with Student's t interval of the exponent.

    The interval takes the residuals for independent; where they are rounding the exponent is what it is.
    """
    positive = [np.asarray(a, dtype=float) for a in (x, y)]
    if len(positive[0]) < 3 or any(not (np.isfinite(a) & (a > 0)).all() for a in positive):
        raise InputError("power_law: need three or more points, all positive and finite")
    u, v = np.log10(positive)
    fit = stats.linregress(u, v)
    half = float(stats.t.ppf(0.5 + confidence / 2, len(u) - 2)) * fit.stderr
    estimate = Estimate(
        fit.slope,
        fit.slope - half,
        fit.slope + half,
        len(u),
        "",
        f"least squares, Student t interval, {confidence:.0%}",
    )
    return PowerLaw(estimate, float(fit.intercept), float(fit.rvalue**2), np.diff(v) / np.diff(u))


def quotient_distances(outcome: Outcome) -> pd.DataFrame:
    """One row a run: squared distance of the trained student as it is (`raw`) and up to the symmetries of tanh
    networks (`quotient`), and whether the latter is `certified` to be the least.
    """
    rows = []
    for run, (student, teacher) in enumerate(zip(outcome.students, outcome.problem.teachers, strict=True)):
        found = recovery.quotient_distance(teacher, student)
        rows.append((run, float(outcome.curves["squared_distance"][run, -1]), found.distance**2, found.certified))
    return pd.DataFrame(rows, columns=["run", "raw", "quotient", "certified"])


def normal_form_distances(outcome: Outcome) -> pd.DataFrame:
    """One row a run: squared distance of student and teacher after the study's normal form (`normal_form`)."""
    rows = []
    for run, (student, teacher) in enumerate(zip(outcome.students, outcome.problem.teachers, strict=True)):
        pairs = zip(*(reference_normal_form(net) for net in (student, teacher)), strict=True)
        rows.append((run, sum(float((a.double() - b.double()).square().sum()) for a, b in pairs)))
    return pd.DataFrame(rows, columns=["run", "normal_form"])


def fisher_weighted(outcome: Outcome) -> pd.DataFrame:
    """One row a run: squared distance of the trained student weighted with the Fisher information at its teacher on
    the training inputs (`fisher`), which to first order is its mean squared error there without noise.
    """
    rows = []
    for run, (student, teacher) in enumerate(zip(outcome.students, outcome.problem.teachers, strict=True)):
        steps = [a.double() - b.double() for a, b in zip(student.parameters(), teacher.parameters(), strict=True)]
        rows.append((run, fisher_distance(teacher, outcome.problem.data.inputs[run], steps)))
    return pd.DataFrame(rows, columns=["run", "fisher"])
