"""Many supports of one problem: least squares or ridge on each, and the best of them on validation samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparsenn_book.studies.compressive_sensing.problems import Array, Estimate, Problem

RIDGE = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Ridge strengths, each times the number of samples; 0 is ordinary least squares."""

Support = tuple[int, ...]


@dataclass(frozen=True)
class Refits:
    """Every support refitted: mean squared validation errors [supports, strengths], training residual sums [supports]
    of ordinary least squares, and the coefficients on each support [strengths, k].
    """

    problem: Problem
    supports: list[Support]
    coefficients: list[Array]
    validation: Array
    residual: Array

    def estimate(self, index: int, strength: int) -> Estimate:
        """The refit of support `index` at ridge strength number `strength`, as p coefficients."""
        full = np.zeros(self.problem.setting.p)
        full[list(self.supports[index])] = self.coefficients[index][strength]
        return Estimate(full, float(self.validation[index, strength]))

    def best(
        self, *, ridge: bool, size_weight: float = 0.0, among: Sequence[int] | NDArray[np.int64] | None = None
    ) -> Estimate:
        """The refit with the least ln(validation error) + `size_weight` times its size, over ridge strengths too or by
        least squares alone.

        `among` are the supports to choose from; None takes all.
        """
        rows = np.arange(len(self.supports)) if among is None else np.asarray(among)
        errors = self.validation[rows] if ridge else self.validation[rows, :1]
        sizes = np.array([len(self.supports[row]) for row in rows])
        rank = np.log(errors) + size_weight * sizes[:, None]
        index, strength = np.unravel_index(int(np.argmin(rank)), rank.shape)
        return self.estimate(int(rows[index]), int(strength))


def refit(problem: Problem, supports: Iterable[Support], strengths: Sequence[float] = RIDGE) -> Refits:
    """Refit distinct supports of at most `setting.largest` entries; the empty one is always among them, first.

    `strengths` starts with 0. In float64 by the eigenvalues of F_S'F_S, of which all strengths follow; the design has
    at least twice as many rows as the support columns, so squaring its condition number is harmless.
    """
    chosen = [(), *dict.fromkeys(s for s in supports if 0 < len(s) <= problem.setting.largest)]
    rows = problem.validation_response
    coefficients, residual = [np.zeros((len(strengths), 0))], [float(problem.response @ problem.response)]
    validation = np.full((len(chosen), len(strengths)), float(rows @ rows) / len(rows))
    add = np.asarray(strengths) * problem.setting.n
    for i, support in enumerate(chosen[1:], start=1):
        at = list(support)
        columns = problem.design[:, at]
        moment = columns.T @ problem.response
        values, vectors = np.linalg.eigh(columns.T @ columns)
        solved = (vectors @ ((vectors.T @ moment)[:, None] / (values[:, None] + add))).T
        coefficients.append(solved)
        residual.append(float(np.sum((problem.response - columns @ solved[0]) ** 2)))
        errors = rows[:, None] - problem.validation_design[:, at] @ solved.T
        validation[i] = np.mean(errors**2, axis=0)
    return Refits(problem, chosen, coefficients, validation, np.array(residual))
