"""The lasso's way to smaller layers: solutions along falling strengths, each found from the one before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sparsenn_core import lasso
from sparsenn_core.compression.candidate import Candidate, restricted
from sparsenn_core.compression.group_lasso import GroupSolution, certificate, group_norms, solve_groups
from sparsenn_core.compression.layer_problem import Array, LayerProblem

STRENGTHS = 30
"""Strengths on a path."""
DECADES = 4.0
"""From the strength at which all is zero a path goes down by this many powers of ten."""
NEAR = 0.9
"""Neurons with ||L Phi_k'|| above this may come into use at the next strength."""
FEASIBLE = 1e-9
"""How far above 1 a norm may be that no longer counts as violated; the certificate counts it in full."""
WHOLE = 0.7
"""Share of the neurons from which working on some of them no longer pays."""


class StrengthPath:
    """Solutions of one layer's penalised problem, min ||V Phi - Psi||^2 / (ND) + strength sum_k ||V_k||.

    A working set of neurons goes from strength to strength: the problem is solved on it, neurons outside it that
    violate the optimality conditions of the whole problem come in, until there are none. The certificate is that of the
    whole problem. The bias is not fitted.
    """

    def __init__(self, problem: LayerProblem) -> None:
        self.problem = problem
        self.features, self.targets = problem.data
        self.most = 2 * float(group_norms(problem.cross, problem.size).max(initial=0.0))
        """The least strength at which V = 0 is the solution."""
        self._near = np.zeros(problem.neurons, dtype=bool)

    def strengths(self, count: int = STRENGTHS) -> Array:
        """A geometric row, from where all but a few neurons are zero down."""
        if not self.most:
            return np.ones(1)  # the layer gives zero throughout, and so does the solution for any strength
        return self.most * np.logspace(0, -DECADES, count + 1)[1:]

    def at(self, strength: float) -> Candidate:
        """The solution for a strength; one neuron stays where all are zero."""
        solution = self._solved(strength)
        kept = np.flatnonzero(self.problem.norms(solution.coef))
        if not len(kept):
            kept = np.array([int(self.problem.norms(self.problem.cross).argmax())])
        return Candidate(kept, solution.coef, self.problem.bias, strength, solution.gap)

    def __iter__(self) -> Iterator[Candidate]:
        """Along falling strengths, few neurons first; then, with the weights as given, all that are alive, and all."""
        for strength in self.strengths():
            yield self.at(float(strength))
        alive = np.flatnonzero(self.problem.rms)
        if 0 < len(alive) < self.problem.neurons:
            yield restricted(self.problem, alive)
        yield unchanged(self.problem)

    def between(self, narrow: Candidate | None, wide: Candidate) -> Candidate | None:
        """The solution halfway, on a logarithm of the strength, between two of the path; None if there is none."""
        high = self.most if narrow is None else narrow.strength
        low = wide.strength
        if not high or low is None:
            return None
        return self.at(float(np.sqrt(high * low)))

    def _solved(self, strength: float) -> GroupSolution:
        size = self.problem.size
        working = self._near.copy()
        if not working.any():
            working = self._norms(self.targets * (2 / (self.targets.size * strength))) > NEAR
        while True:
            if working.mean() > WHOLE:
                working[:] = True
            solution = self._restricted(working, strength)
            norms = self._norms(solution.dual)
            missing = (norms > 1 + FEASIBLE) & ~working
            if not missing.any():
                break
            # those near come along: one more round costs more than some neurons
            working |= norms > NEAR
        self._near = norms > NEAR
        return certificate(solution.coef, solution.dual, self.features, self.targets, strength, size)

    def _norms(self, dual: Array) -> Array:
        return group_norms(dual @ self.features.T, self.problem.size)

    def _restricted(self, working: NDArray[np.bool_], strength: float) -> GroupSolution:
        """The solution on the neurons of the working set."""
        coef = np.zeros((len(self.targets), len(self.features)))
        if not working.any():
            return GroupSolution(coef, self.targets * (2 / (self.targets.size * strength)), 0.0, 0.0)
        columns = self.problem.inputs_of(np.flatnonzero(working))
        if self.problem.size == 1:
            found = lasso.solve(self.features[columns], self.targets, strength)
            some = GroupSolution(found.coef, found.dual, found.objective, found.gap)
        else:
            some = solve_groups(self.features[columns], self.targets, strength, self.problem.size)
        coef[:, columns] = some.coef
        return GroupSolution(coef, some.dual, some.objective, some.gap)


def unchanged(problem: LayerProblem) -> Candidate:
    """All neurons, with the weights as given."""
    return restricted(problem, np.arange(problem.neurons))
