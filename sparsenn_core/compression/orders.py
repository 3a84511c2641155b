"""Simpler ways to choose the neurons that stay: by an order, the best first, for comparison at equal width."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from sparsenn_core.compression.candidate import Candidate, restricted
from sparsenn_core.compression.layer_problem import Array, LayerProblem
from sparsenn_core.compression.strength_path import unchanged
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

Order = Callable[[LayerProblem], NDArray[np.int64]]
"""A way to order the neurons of a layer: its problem -> indices [K], the first to stay first."""

STEP = 1.25
"""Each width that is tried is a quarter above the one before; between two of them the search halves."""
EXHAUSTED = 1e-12
"""Share of a neuron's energy below which what others do not tell of it is rounding."""


def magnitude(problem: LayerProblem) -> NDArray[np.int64]:
    """By ||v_k||, the weights that go on from a neuron (Li et al. 2017 rank filters so, by their own weights)."""
    return _largest_first(problem.norms(problem.weight))


def contribution(problem: LayerProblem) -> NDArray[np.int64]:
    """By ||v_k|| times the root mean square of what the neuron gives on the data."""
    return _largest_first(problem.norms(problem.weight) * problem.rms)


def path_norm(problem: LayerProblem) -> NDArray[np.int64]:
    """By ||v_k|| ||w_k||, w_k the neuron's own weights with its bias: its part of the path norm."""
    return _largest_first(problem.norms(problem.weight) * problem.incoming)


def at_random(seed: int) -> Order:
    """An order drawn from a private generator."""

    def random(problem: LayerProblem) -> NDArray[np.int64]:
        return torch.randperm(problem.neurons, generator=generator(seed, "compression", "order")).numpy()

    return random


def matching_pursuit(problem: LayerProblem) -> NDArray[np.int64]:
    """Simultaneous orthogonal matching pursuit (Tropp, Gilbert and Strauss 2006), for all outputs at once.

    The next neuron is the one whose inputs correlate most with what the neurons before it, refitted, leave of the
    outputs. From where these tell everything, the others follow by `contribution`. Cost O(K F^2) for all K.
    """
    gram, left, size = problem.gram.copy(), problem.cross.copy(), problem.size
    roots = np.stack([_inverse_root(gram[s : s + size, s : s + size]) for s in range(0, len(gram), size)])
    told = EXHAUSTED * np.diag(gram).reshape(-1, size).sum(1)
    enough = EXHAUSTED * float(np.linalg.norm(left))
    order: list[int] = []
    remaining = np.ones(problem.neurons, dtype=bool)
    while remaining.any() and float(np.linalg.norm(left)) > enough:
        along = np.einsum("dks,kst->dkt", left.reshape(len(left), -1, size), roots)
        unknown = remaining & (np.diag(gram).reshape(-1, size).sum(1) > told)
        score = np.where(unknown, np.linalg.norm(along, axis=(0, 2)), 0.0)
        k = int(score.argmax())
        if not score[k]:
            break
        order.append(k)
        remaining[k] = False
        columns = slice(k * size, (k + 1) * size)
        explained = np.linalg.pinv(gram[columns, columns], rcond=EXHAUSTED, hermitian=True) @ gram[columns]
        left = left - left[:, columns] @ explained
        gram = gram - gram[:, columns] @ explained
    rest = [k for k in contribution(problem) if remaining[k]]
    return np.array([*order, *rest], dtype=np.int64)


def _inverse_root(block: Array) -> Array:
    """R with R R' the pseudo-inverse of a neuron's Gram matrix."""
    values, vectors = np.linalg.eigh(block)
    told = values > EXHAUSTED * max(float(values[-1]), 0.0)
    root = np.zeros_like(values)
    root[told] = 1 / np.sqrt(values[told])
    return np.asarray(vectors * root)


def _largest_first(score: Array) -> NDArray[np.int64]:
    return np.argsort(-score, kind="stable")


class OrderedPath:
    """The layers that one order of the neurons gives, from narrow to wide."""

    def __init__(self, problem: LayerProblem, order: Order) -> None:
        found = np.asarray(order(problem))
        if sorted(found.tolist()) != list(range(problem.neurons)):
            raise InputError(f"compression: an order must name each of the {problem.neurons} neurons once")
        self.problem, self.order = problem, found

    def of_width(self, width: int) -> Candidate:
        """The first `width` neurons, with the weights as given."""
        return restricted(self.problem, self.order[:width])

    def __iter__(self) -> Iterator[Candidate]:
        width = 1
        while width < self.problem.neurons:
            yield self.of_width(width)
            width = max(width + 1, int(width * STEP))
        yield unchanged(self.problem)

    def between(self, narrow: Candidate | None, wide: Candidate) -> Candidate | None:
        """That of the width halfway; None if there is none."""
        low = 0 if narrow is None else narrow.width
        return None if wide.width - low < 2 else self.of_width((low + wide.width) // 2)
