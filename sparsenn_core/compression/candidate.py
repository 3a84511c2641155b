"""A layer with fewer neurons: which are kept, and the weights that go on from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sparsenn_core.compression.layer_problem import Array, LayerProblem

DEPENDENT = 1e-12
"""Share of the largest eigenvalue of the kept neurons' Gram matrix below which a direction keeps its weights."""


@dataclass(frozen=True)
class Candidate:
    """One way to make a layer smaller.

    kept [k]       indices of neurons, ascending; k >= 1
    weight [D, F]  zero in the columns of all others
    bias [D]       None where the layer has none
    strength, gap  of the lasso: the penalty, and the certified relative duality gap; None for other ways
    """

    kept: NDArray[np.int64]
    weight: Array
    bias: Array | None
    strength: float | None = None
    gap: float | None = None

    @property
    def width(self) -> int:
        """The number of neurons that are kept."""
        return len(self.kept)


def restricted(problem: LayerProblem, kept: NDArray[np.int64]) -> Candidate:
    """The layer as given without the other neurons: their columns are dropped, nothing else changes."""
    kept = np.sort(kept)
    weight = np.zeros_like(problem.weight)
    columns = problem.inputs_of(kept)
    weight[:, columns] = problem.weight[:, columns]
    return Candidate(kept, weight, problem.bias)


def refitted(problem: LayerProblem, candidate: Candidate) -> Candidate:
    """The same neurons with the weights, and the bias where there is one, of least squares to the layer as given.

    Minimises ||V Phi + b 1' - Psi||^2 over the kept columns. Where these are dependent on the data, the solution
    nearest to the given weights is taken, so that nothing changes if nothing is removed. Cost O(k^3).
    """
    columns = problem.inputs_of(candidate.kept)
    gram, cross = problem.gram[np.ix_(columns, columns)], problem.cross[:, columns]
    if problem.bias is not None:
        mean = problem.mean[columns] / problem.outputs
        gram = gram - np.outer(mean, problem.mean[columns])
        cross = cross - np.outer(problem.target_mean, mean)
    start = problem.weight[:, columns]
    found = start + _least_change(gram, cross - start @ gram)
    weight = np.zeros_like(problem.weight)
    weight[:, columns] = found
    bias = None
    if problem.bias is not None:
        bias = problem.bias + problem.target_mean - found @ problem.mean[columns]
    return replace(candidate, weight=weight, bias=bias)


def _least_change(gram: Array, miss: Array) -> Array:
    """The least X [D, k] with X gram = miss, in the directions that the data tell apart."""
    values, vectors = scipy.linalg.eigh(gram)
    told = values > DEPENDENT * max(float(values[-1]), 0.0)
    if not told.any():
        return np.zeros_like(miss)
    chosen = vectors[:, told]
    return np.asarray((miss @ chosen / values[told]) @ chosen.T)
