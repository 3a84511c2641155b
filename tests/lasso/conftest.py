"""Problems that have broken solvers of this kind: sparse teachers, copies, bad scales, ties, dead features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

Problem = tuple[np.ndarray, np.ndarray]


def _planted(r: np.random.Generator, outputs: int, width: int, used: int) -> Problem:
    features, coef = r.standard_normal((width, 30)), np.zeros((outputs, width))
    coef[:, :used] = r.standard_normal((outputs, used))
    return features, coef @ features


def _copies(r: np.random.Generator) -> Problem:
    x = r.standard_normal((30, 8))
    return np.concatenate([x, x, -2 * x]), r.standard_normal((3, 8))


def _near_copies(r: np.random.Generator) -> Problem:
    x = r.standard_normal((30, 8))
    return np.concatenate([x, x + 1e-6 * r.standard_normal(x.shape)]), r.standard_normal((3, 8))


def _relu(r: np.random.Generator) -> Problem:
    x = np.concatenate([r.standard_normal((50, 2)), np.ones((50, 1))], 1)
    features = np.maximum(r.standard_normal((150, 3)) @ x.T, 0)
    features[7] = 0.0  # a dead neuron
    return features, 0.1 * r.standard_normal((2, 150)) @ features


def boundary_problem(r: np.random.Generator, outputs: int, samples: int, width: int) -> Problem:
    """All columns on the boundary of one dual point L, and targets made from all of them: V = a_k L x_k is optimal."""
    dual = r.standard_normal((outputs, samples))
    x = r.standard_normal((width, samples))
    x /= np.linalg.norm(x @ dual.T, axis=1, keepdims=True)
    return x, dual @ (x.T * r.random(width)) @ x


HARD: dict[str, Callable[[np.random.Generator], Problem]] = {
    "random": lambda r: (r.standard_normal((60, 8)), r.standard_normal((3, 8))),
    "square: one feasible V": lambda r: (r.standard_normal((8, 8)), r.standard_normal((3, 8))),
    "one output": lambda r: (r.standard_normal((60, 8)), r.standard_normal((1, 8))),
    "more outputs than samples": lambda r: (r.standard_normal((60, 8)), r.standard_normal((12, 8))),
    "one teacher neuron": lambda r: _planted(r, 4, 200, 1),
    "five teacher neurons": lambda r: _planted(r, 4, 200, 5),
    "three teacher neurons, one output": lambda r: _planted(r, 1, 200, 3),
    "copies": _copies,
    "near copies": _near_copies,
    "relu features": _relu,
    "all on the boundary": lambda r: boundary_problem(r, 3, 6, 80),
    "small features, large targets": lambda r: (1e-8 * r.standard_normal((20, 5)), 1e5 * r.standard_normal((2, 5))),
    "orthogonal": lambda r: (np.eye(10), r.standard_normal((3, 10))),
    "two orthogonal bases": lambda r: (
        np.concatenate([np.eye(10), np.linalg.qr(r.standard_normal((10, 10)))[0]]),
        r.standard_normal((3, 10)),
    ),
    "signs": lambda r: (np.sign(r.standard_normal((40, 6))), np.sign(r.standard_normal((3, 6)))),
    "small targets": lambda r: (r.standard_normal((60, 8)), np.diag([1, 1e-3, 1e-6]) @ r.standard_normal((3, 8))),
    "rank 3 of 8": lambda r: (
        (m := r.standard_normal((40, 3)) @ r.standard_normal((3, 8))),
        r.standard_normal((4, 40)) @ m,
    ),
    "wide": lambda r: (r.standard_normal((3000, 5)), r.standard_normal((2, 5))),
}


@pytest.fixture(params=list(HARD))
def hard(request: pytest.FixtureRequest) -> Problem:
    return HARD[request.param](np.random.default_rng(abs(hash_name(request.param))))


def hash_name(name: str) -> int:
    return sum(ord(letter) * 31**i for i, letter in enumerate(name)) % 2**32


@pytest.fixture
def make_boundary_problem() -> Callable[[np.random.Generator, int, int, int], Problem]:
    return boundary_problem
