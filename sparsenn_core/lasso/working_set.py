"""The penalised problem by coordinate descent on a working set and Newton's method on the support, in turns.

A round sweeps the columns in use and those nearest to the boundary ||L phi_k|| = 1; then Newton's method takes the
columns that the sweeps left in use; then the duality gap over all columns judges. Easy problems are done after a round
or two. Where the rate of the sweeps says that they will not get near enough for less than an interior point method
costs, the rounds end above the gap asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.lasso.descent import condensed, descend, descend_on_gram
from sparsenn_core.lasso.gram_matrix import GramMatrix
from sparsenn_core.lasso.newton_on_columns import newton_on_columns, step_cost

Array = NDArray[np.float64]
EXACT = 5e-13  # gap at which the rounds end: half of what the certificate asks for
ON_BOUNDARY = 1e-10  # and the distance from 1 of the norms in use, a tenth of what counts as boundary
FIRST_SWEEPS = 5  # of a problem; doubled from round to round
MORE, LEAST = 0.25, 10  # a working set has this share more columns than are in use, and at least so many more
MOST = 0.5  # and where it would be more than this share of all, it is all
HOPEFUL = 0.9  # gap from which Newton's method may bring something
NEAR = 1e-2  # gap from which, as a rule, it finds the support
RELIABLE = 20  # sweeps whose rate says something about the next
USUAL_STEPS = 4  # of Newton's method
EAGER = 4  # with one output, from a guess, it is tried once sweeps have cost a quarter of a step


@dataclass(frozen=True)
class Fit:
    """What V [D, K] leaves of the targets, at any penalty: rest R = Psi - V Phi [D, N].

    pull [D, K] = R Phi'; sizes [K] = ||pull_k||; square = ||R||_F^2; reward = <Psi, R>; length = sum_k ||v_k||.
    """

    coef: Array
    rest: Array
    pull: Array
    sizes: Array
    square: float
    reward: float
    length: float


class Problem:
    """features Phi [K, N], targets Psi [D, N], and their Gram matrix as far as it is known."""

    def __init__(self, features: Array, targets: Array, gram: GramMatrix) -> None:
        self.features, self.targets, self.gram = features, targets, gram
        self.last = self._fit(np.zeros((len(targets), len(features))))
        self.cross = self.last.pull  # Psi Phi' [D, K]

    def fit(self, coef: Array) -> Fit:
        """The fit of V [D, K]; that of the last one is at hand, as a strength begins where another ended."""
        if not np.array_equal(self.last.coef, coef):
            self.last = self._fit(coef)
        return self.last

    def _fit(self, coef: Array) -> Fit:
        """Cost O(DKN)."""
        used = np.flatnonzero(coef.any(0))
        length = float(np.sqrt((coef[:, used] ** 2).sum(0)).sum())
        few = 2 * len(used) < len(self.features)
        rest = self.targets - (coef[:, used] @ self.features[used] if few else coef @ self.features)
        pull = rest @ self.features.T
        square, reward = float((rest * rest).sum()), float((self.targets * rest).sum())
        return Fit(coef.copy(), rest, pull, np.sqrt((pull**2).sum(0)), square, reward, length)


@dataclass(frozen=True)
class Point:
    """coef V [D, K]; pull [D, K] = (Psi - V Phi) Phi'; norms [K] = ||pull_k|| / lambda; gap, over the objective."""

    coef: Array
    pull: Array
    norms: Array
    gap: float

    @classmethod
    def at(cls, problem: Problem, penalty: float, coef: Array) -> Point:
        """The point of V, with the dual (Psi - V Phi) / lambda made feasible by its largest norm. Cost O(DKN)."""
        fit = problem.fit(coef)
        norms, objective = fit.sizes / penalty, fit.square / 2 + penalty * fit.length
        shrink = min(1 / max(norms.max(), 1.0), fit.reward / fit.square if fit.square > 0 else 1.0)
        bound = shrink * fit.reward - shrink**2 * fit.square / 2
        return cls(coef, fit.pull, norms, float(abs(objective - bound) / objective) if objective > 0 else 0.0)

    @property
    def used(self) -> NDArray[np.bool_]:
        """The columns in use [K]."""
        return np.any(self.coef, axis=0)

    @property
    def exact(self) -> bool:
        return self.gap < EXACT and bool((np.abs(1 - self.norms[self.used]) < ON_BOUNDARY).all())

    @property
    def size(self) -> int:
        """Columns of the working set: those in use and some more; all, where nothing is in use or it would be many."""
        used = int(self.used.sum())
        count = int((1 + MORE) * used) + LEAST
        return count if used and count <= MOST * len(self.norms) else len(self.norms)

    def working_set(self) -> NDArray[np.int64]:
        """The columns in use and those with the largest norms, sorted."""
        if self.size == len(self.norms):
            return np.arange(self.size)
        rank = self.norms + 2 * self.norms.max() * self.used
        return np.sort(np.argpartition(-rank, self.size - 1)[: self.size])


def rounds(problem: Problem, penalty: float, coef: Array, budget: float) -> tuple[Point, float]:
    """The point of least gap that was met, from a guess V [D, K], and the cost; below `EXACT` if within the budget."""
    outputs, samples = problem.targets.shape
    best = point = Point.at(problem, penalty, coef)
    sweeps, spent, eager = FIRST_SWEEPS, 0.0, EAGER if outputs == 1 and coef.any() else 1
    unrefined = sweeps_cost(sweeps, point.size, min(samples, point.size), outputs)
    step = step_cost(int(point.used.sum()), samples, outputs)
    if coef.any() and not point.exact and unrefined >= step:
        # from a near guess Newton's method gets there at once
        spent, unrefined = USUAL_STEPS * step, 0.0
        best = point = _refined(problem, penalty, point)
    while not point.exact:
        before, (point, cost) = point, _swept(problem, penalty, point, point.working_set(), sweeps)
        spent, unrefined = spent + cost, unrefined + cost
        ahead = cost * _ratio(point.gap, NEAR) / max(_ratio(before.gap, point.gap), 1e-9)
        near, step = point.gap < EXACT, step_cost(int(point.used.sum()), samples, outputs)
        if not point.exact and (near or (point.gap < HOPEFUL and eager * unrefined >= step)):
            spent, unrefined = spent + USUAL_STEPS * step, 0.0
            point = _refined(problem, penalty, point)
        best = point if point.gap < best.gap else best
        # what Newton's method cannot bring nearer to the boundary is up to rounding
        if near or spent + max(2 * cost, ahead if sweeps >= RELIABLE else 0.0) > budget:
            break
        sweeps = 2 * sweeps
    return best, spent


def _ratio(above: float, below: float) -> float:
    """log(above / below), 0 where there is nothing to go."""
    return float(np.log(above / max(below, EXACT))) if above > below else 0.0


def sweeps_cost(sweeps: int, width: int, samples: int, outputs: int) -> float:
    """Multiply-adds of so many sweeps, each of which looks at every column and changes it."""
    return 2.0 * sweeps * width * samples * outputs


def _swept(
    problem: Problem, penalty: float, point: Point, columns: NDArray[np.int64], sweeps: int
) -> tuple[Point, float]:
    """The point after so many sweeps of `columns`, and their cost; from their Gram matrix where that is less."""
    outputs, samples, gram = len(problem.targets), problem.features.shape[1], problem.gram
    start, targets = point.coef[:, columns], problem.targets
    cost = sweeps_cost(sweeps, len(columns), samples, outputs)
    shorter = sweeps_cost(sweeps, len(columns), len(columns), outputs)
    shorter = shorter / 2 if outputs == 1 else shorter + gram.factor_cost(len(columns))
    coef = np.zeros_like(point.coef)
    if shorter + gram.cost(columns) >= cost:
        coef[:, columns] = descend(problem.features[columns], targets, penalty, start, sweeps)
    else:
        cost, known, cross = shorter, gram(columns), problem.cross[:, columns]
        if outputs == 1:
            coef[:, columns] = descend_on_gram(known, cross, targets, penalty, start, sweeps)
        else:
            coef[:, columns] = descend(*condensed(known, cross), penalty, start, sweeps)
    return Point.at(problem, penalty, coef), cost


def _refined(problem: Problem, penalty: float, point: Point) -> Point:
    """The point that Newton's method finds on the working set, if it is better."""
    columns = point.working_set()
    rows = problem.features[columns] if problem.features.shape[1] < point.used.sum() else None
    coef = np.zeros_like(point.coef)
    coef[:, columns] = newton_on_columns(
        problem.gram(columns), rows, point.pull[:, columns], penalty, point.coef[:, columns]
    )
    refined = Point.at(problem, penalty, coef)
    return refined if refined.gap < point.gap else point
