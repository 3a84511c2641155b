"""A penalised problem at one strength after another: what its strengths share, and how each is approached."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import lapack

from sparsenn_core.lasso.descent import condensed
from sparsenn_core.lasso.gram_matrix import GramMatrix
from sparsenn_core.lasso.interior import Reduced
from sparsenn_core.lasso.newton_on_support import INDEPENDENT, independent_atoms
from sparsenn_core.lasso.working_set import EXACT, Problem, rounds, sweeps_cost

Array = NDArray[np.float64]
# multiply-adds of the interior point method: of any problem, and over K p min(K, pq) for ranks p and q
INTERIOR_LEAST, INTERIOR = 5e7, 50.0
TYPICAL = 10  # sweeps that a strength costs at least, with its certificates


class Penalised:
    """min ||V Phi - Psi||_F^2 / (N D) + t sum_k ||v_k|| on features Phi [K, N], targets Psi [D, N], for any t's.

    Once that would have saved time, the samples are replaced by at most K + 1 with the same objective, made from the
    Gram matrix; what rounding the Gram matrix brings is mended on the data.
    """

    def __init__(self, features: Array, targets: Array) -> None:
        features, targets = np.ascontiguousarray(features), np.ascontiguousarray(targets)
        self.gram = GramMatrix(features)
        self.all_independent = False
        self.stages = [Problem(features, targets, self.gram)]
        self.spent = sweeps_cost(TYPICAL, len(features), features.shape[1], len(targets))

    def condense(self) -> None:
        """Make the stage of fewer samples, once it would have saved what it costs."""
        whole = self.stages[-1]
        (width, samples), targets = whole.features.shape, whole.targets
        everything = np.arange(width)
        cost = self.gram.cost(everything) + self.gram.factor_cost(width)
        if len(self.stages) > 1 or self.spent * (1 - (width + 1) / samples) < cost:
            return
        rows, goal = condensed(self.gram(everything), whole.cross)
        self.all_independent = _independent(self.gram(everything))
        # what no V can fit goes into a sample of its own, where the features are zero
        rest = np.zeros((len(targets), 1))
        rest[0] = np.sqrt(max((targets**2).sum() - (goal**2).sum(), 0.0))
        rows, goal = np.hstack([rows, np.zeros((width, 1))]), np.hstack([goal, rest])
        self.stages.insert(0, Problem(rows, goal, self.gram))

    def largest(self) -> float:
        """The strength from which on V is zero."""
        whole = self.stages[-1]
        return 2 * float(np.linalg.norm(whole.cross, axis=0).max()) / whole.targets.size

    def solve(self, strength: float, coef: Array, start: float) -> Array:
        """V [D, K] at strength t from `coef`, that of a larger strength `start`; its certificate tells how good it is.

        Where the way is too far, by way of strengths each half of the one before.
        """
        self.condense()
        stage, left = self.stages[0], self.interior_cost()
        point, cost = rounds(stage, self.penalty(strength), coef, left)
        self.spent += cost
        while point.gap > EXACT and start > strength:
            start = max(start / 2, strength)
            nearer, cost = rounds(stage, self.penalty(start), coef, left)
            coef, left, self.spent = nearer.coef, left - cost, self.spent + cost
            if nearer.gap > EXACT or left < 0:
                break
            point = nearer if start == strength else point
        return point.coef

    def interior_cost(self) -> float:
        """About what the interior point method costs, in multiply-adds of sweeps: what else is tried may cost this."""
        outputs, (width, samples) = len(self.stages[0].targets), self.stages[0].features.shape
        rank = min(width, samples)
        return INTERIOR_LEAST + INTERIOR * width * rank * min(width, rank * outputs)

    def mended(self, strength: float, coef: Array) -> Array:
        """V [D, K] that was found on fewer samples, made exact on the data."""
        return rounds(self.stages[-1], self.penalty(strength), coef, self.interior_cost())[0].coef

    def penalty(self, strength: float) -> float:
        """lambda = t N D / 2, with which half the squared error is penalised."""
        return strength * self.stages[-1].targets.size / 2

    def unique(self, strength: float, coef: Array, boundary: NDArray[np.bool_]) -> bool:
        """Whether the atoms u_k x_k' of the boundary set are independent, which proves V = `coef` the only solution.

        They are if the x_k are: by Schur's theorem the overlaps (U U') o (X X') have no smaller eigenvalue than X X'.
        """
        columns = np.flatnonzero(boundary)
        if not coef.any() or self.all_independent:
            return True
        gram = self.gram(columns)
        if _independent(gram):
            return True
        features, targets = self.stages[-1].features, self.stages[-1].targets
        rows, goal = condensed(gram, targets @ features[columns].T)
        used = coef[:, columns]
        dual = (goal - used @ rows) / self.penalty(strength)
        ridge = torch.tensor([self.penalty(strength)], dtype=torch.float64)
        problem = Reduced(torch.from_numpy(rows)[None], torch.from_numpy(goal)[None], ridge)
        amplitudes = torch.from_numpy(np.linalg.norm(used, axis=0))[None]
        everywhere = torch.ones_like(amplitudes, dtype=torch.bool)
        return bool(independent_atoms(problem, amplitudes, torch.from_numpy(dual)[None], everywhere)[0])


def _independent(gram: Array) -> bool:
    """Whether columns with this Gram matrix are: least eigenvalue of their cosines above `INDEPENDENT`."""
    size = gram.diagonal()
    if not (size > 0).all():
        return False
    cosines = gram / np.sqrt(size[:, None] * size)
    cosines.flat[:: len(gram) + 1] -= INDEPENDENT
    return bool(lapack.dpotrf(cosines.T, lower=1, overwrite_a=1)[1] == 0)
