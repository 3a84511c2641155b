"""Penalised problems: whole paths, and the parts that make them fast, each beside a slow twin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sparsenn_core import lasso
from sparsenn_core.errors import InputError
from sparsenn_core.lasso import penalised, solver
from sparsenn_core.lasso.batch import solve_batch
from sparsenn_core.lasso.certificate import evaluate
from sparsenn_core.lasso.descent import condensed, descend, descend_on_gram
from sparsenn_core.lasso.gram_matrix import GramMatrix
from sparsenn_core.lasso.newton_on_columns import newton_on_columns
from sparsenn_core.lasso.working_set import Point, Problem

Data = tuple[np.ndarray, np.ndarray]


def gaussian(width: int, samples: int, outputs: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((width, samples)), rng.standard_normal((outputs, samples))


def relu_layer(width: int, samples: int, outputs: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    features = np.maximum(rng.standard_normal((width, 6)) @ rng.standard_normal((6, samples)), 0)
    features[3] = 0.0
    return features, rng.standard_normal((outputs, width)) @ features / np.sqrt(width)


def largest(features: np.ndarray, targets: np.ndarray) -> float:
    return 2 / targets.size * float(np.linalg.norm(targets @ features.T, axis=0).max())


def swept(features: np.ndarray, targets: np.ndarray, penalty: float, coef: np.ndarray, sweeps: int) -> np.ndarray:
    """Coordinate descent as the textbooks have it: one column after another, each to its optimum."""
    coef = coef.copy()
    for _ in range(sweeps):
        for k in range(len(features)):
            square = features[k] @ features[k]
            if square == 0:
                continue
            coef[:, k] = 0.0
            pull = (targets - coef @ features) @ features[k]
            length = np.linalg.norm(pull)
            coef[:, k] = pull * max(0.0, 1 - penalty / length) / square
    return coef


KINDS: dict[str, Callable[[], Data]] = {
    "tall": lambda: gaussian(30, 400, 4, 0),
    "wide": lambda: gaussian(90, 20, 3, 1),
    "one output": lambda: gaussian(40, 60, 1, 2),
    "one output, wide": lambda: gaussian(80, 25, 1, 3),
    "more outputs than samples": lambda: gaussian(30, 12, 20, 4),
    "relu": lambda: relu_layer(60, 150, 4, 5),
    "relu, many samples": lambda: relu_layer(40, 3000, 3, 6),
    "copies": lambda: (lambda x, y: (np.concatenate([x, x]), y))(*gaussian(20, 70, 3, 7)),
}
SHARES = (1.5, 0.8, 0.3, 0.1, 0.03, 0.003)


@pytest.mark.parametrize("kind", KINDS)
def test_every_point_of_a_path_is_what_the_interior_point_method_finds(kind: str) -> None:
    features, targets = KINDS[kind]()
    strengths = [share * largest(features, targets) for share in SHARES]
    for strength, found in zip(strengths, lasso.path(features, targets, strengths), strict=True):
        other = solve_batch(features[None], targets[None], strength)[0]
        assert found.strength == strength
        assert abs(found.gap) < 1e-12
        assert found.objective == pytest.approx(other.objective, rel=1e-12)
        assert found.unique == other.unique
        assert (found.boundary == other.boundary).all()
        if found.unique:
            np.testing.assert_allclose(found.coef, other.coef, atol=1e-7 * max(np.abs(other.coef).max(), 1e-30))
        norms = np.linalg.norm(found.dual @ features.T, axis=0)
        assert norms.max() <= 1 + 1e-13
        assert (norms[found.support] > 1 - 1e-9).all()


def test_the_order_of_the_strengths_does_not_matter() -> None:
    features, targets = relu_layer(50, 80, 3, 8)
    strengths = np.array([0.02, 0.7, 0.1, 0.1, 0.3]) * largest(features, targets)
    for strength, found in zip(strengths, lasso.path(features, targets, strengths), strict=True):
        alone = lasso.solve(features, targets, float(strength))
        assert found.objective == pytest.approx(alone.objective, rel=1e-12)
        assert (found.support == alone.support).all()


@pytest.mark.parametrize("kind", ["tall", "wide", "one output", "relu"])
def test_the_optimum_is_that_of_many_plain_sweeps(kind: str) -> None:
    features, targets = KINDS[kind]()
    strength = 0.3 * largest(features, targets)
    slow = swept(features, targets, strength * targets.size / 2, np.zeros((len(targets), len(features))), 300)
    found = lasso.solve(features, targets, strength)
    judged = lasso.certify(slow, features, targets, strength, dual=found.dual)
    assert 0 <= judged.objective / found.objective - 1 + 1e-14 < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_sweeps_are_the_plain_ones(kind: str) -> None:
    features, targets = KINDS[kind]()
    penalty = 0.2 * largest(features, targets) * targets.size / 2
    start = 0.01 * np.random.default_rng(9).standard_normal((len(targets), len(features)))
    start[:, ~features.any(1)] = 0.0
    before = start.copy()
    found = descend(features, targets, penalty, start, 3)
    np.testing.assert_allclose(found, swept(features, targets, penalty, start, 3), atol=1e-12)
    assert (start == before).all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("one output")])
def test_sweeps_on_the_gram_matrix_are_the_plain_ones(kind: str) -> None:
    features, targets = KINDS[kind]()
    penalty = 0.2 * largest(features, targets) * targets.size / 2
    start = 0.01 * np.random.default_rng(9).standard_normal((1, len(features)))
    before = start.copy()
    found = descend_on_gram(features @ features.T, targets @ features.T, targets, penalty, start, 3)
    np.testing.assert_allclose(found, swept(features, targets, penalty, start, 3), atol=1e-12)
    assert (start == before).all()


def test_a_fit_that_is_at_hand_is_that_of_the_values_asked_for() -> None:
    features, targets = gaussian(9, 14, 2, 13)
    problem, coef = Problem(features, targets, GramMatrix(features)), np.zeros((2, 9))
    for column in (4, 7, 4):
        # the same array, changed in place between two calls
        coef[:, column] += 1.0
        fit = problem.fit(coef)
        np.testing.assert_allclose(fit.pull, (targets - coef @ features) @ features.T, atol=1e-12)
        assert problem.fit(coef.copy()) is fit
        assert fit.length == pytest.approx(np.linalg.norm(coef, axis=0).sum())


def test_samples_are_condensed_once_sweeps_have_cost_as_much() -> None:
    features, targets = gaussian(40, 60, 1, 2)
    problem = penalised.Penalised(features, targets)
    problem.condense()
    assert len(problem.stages) == 1
    problem.spent = 1e9
    problem.condense()
    assert [stage.features.shape[1] for stage in problem.stages] == [41, 60]
    coef = 0.1 * np.random.default_rng(14).standard_normal((1, 40))
    few, all_ = (stage.fit(coef) for stage in problem.stages)
    assert few.square == pytest.approx(all_.square, rel=1e-10)
    np.testing.assert_allclose(few.pull, all_.pull, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_condensed_data_have_the_same_products(kind: str) -> None:
    features, targets = KINDS[kind]()
    gram, cross = features @ features.T, targets @ features.T
    rows, goal = condensed(gram, cross)
    assert rows.shape[1] == goal.shape[1] == np.linalg.matrix_rank(features, tol=1e-6)
    np.testing.assert_allclose(rows @ rows.T, gram, atol=1e-11 * gram.max())
    np.testing.assert_allclose(goal @ rows.T, cross, atol=1e-10 * np.abs(cross).max())


def test_the_gram_matrix_grows_as_it_is_asked() -> None:
    features, _ = gaussian(12, 7, 1, 10)
    gram = GramMatrix(features)
    for columns in ([3, 5], [5, 2, 11], list(range(12)), [7, 0]):
        np.testing.assert_allclose(gram(np.array(columns)), features[columns] @ features[columns].T, atol=1e-13)
    assert gram.cost(np.arange(12)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_gap_of_the_rounds_is_that_of_the_certificate(kind: str) -> None:
    features, targets = KINDS[kind]()
    strength = 0.2 * largest(features, targets)
    penalty = strength * targets.size / 2
    for sweeps in (0, 1, 4):
        coef = swept(features, targets, penalty, np.zeros((len(targets), len(features))), sweeps)
        point = Point.at(Problem(features, targets, GramMatrix(features)), penalty, coef)
        dual = (targets - coef @ features) / penalty
        values = evaluate(coef[None], dual[None], features[None], targets[None], np.array([strength]))
        assert point.gap == pytest.approx(float(values.gap[0]), rel=1e-9)


def plain_newton(features: np.ndarray, targets: np.ndarray, penalty: float, coef: np.ndarray) -> np.ndarray:
    """Newton's method in all entries of V at once, from a near guess whose columns are those of the optimum."""
    outputs, used = coef.shape
    v = coef.copy()
    for _ in range(20):
        length = np.linalg.norm(v, axis=0)
        gradient = (v @ features - targets) @ features.T + penalty * v / length
        hessian = np.kron(features @ features.T, np.eye(outputs))
        for k in range(used):
            u = v[:, k] / length[k]
            at = slice(k * outputs, (k + 1) * outputs)
            hessian[at, at] += penalty / length[k] * (np.eye(outputs) - np.outer(u, u))
        v -= np.linalg.solve(hessian, gradient.T.reshape(-1)).reshape(used, outputs).T
    return v


@pytest.mark.parametrize(("outputs", "samples"), [(3, 40), (1, 40), (4, 5)])
def test_newtons_method_on_columns_is_newtons_method(outputs: int, samples: int) -> None:
    features, targets = gaussian(12, samples, outputs, 11)
    penalty = 0.3 * largest(features, targets) * targets.size / 2
    optimum = swept(features, targets, penalty, np.zeros((outputs, 12)), 2000)
    used = np.flatnonzero(np.linalg.norm(optimum, axis=0) > 1e-6)
    exact = plain_newton(features[used], targets, penalty, optimum[:, used])

    def refined(columns: np.ndarray, guess: np.ndarray) -> np.ndarray:
        few = features[columns]
        rows = few if samples < guess.any(0).sum() else None
        return newton_on_columns(few @ few.T, rows, (targets - guess @ few) @ few.T, penalty, guess)

    near = exact * (1 + 0.02 * np.random.default_rng(12).standard_normal(exact.shape))
    np.testing.assert_allclose(refined(used, near), exact, atol=1e-9)
    # one column too many leaves, one that is missing joins
    everything = np.zeros((outputs, 12))
    everything[:, used] = near
    wrong = everything.copy()
    wrong[:, np.setdiff1d(np.arange(12), used)[0]] = 1e-3
    smallest = used[np.linalg.norm(exact, axis=0).argmin()]
    missing = everything.copy()
    missing[:, smallest] = 0.0
    # with fewer samples than neurons a guess with another support is not near
    for guess in (wrong, missing) if samples > 12 else ():
        found = refined(np.arange(12), guess)
        assert (np.flatnonzero(found.any(0)) == used).all()
        np.testing.assert_allclose(found[:, used], exact, atol=1e-9)


@pytest.mark.parametrize("kind", ["tall", "relu, many samples", "one output"])
def test_where_the_rounds_fail_the_interior_point_method_answers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    features, targets = KINDS[kind]()
    strength = 0.05 * largest(features, targets)
    expected = lasso.solve(features, targets, strength)

    def lost(problem: Problem, penalty: float, coef: np.ndarray, budget: float) -> tuple[Point, float]:
        return Point.at(problem, penalty, np.zeros_like(coef)), 0.0

    asked = []

    def interior(*problem: np.ndarray) -> lasso.Batch:
        asked.append(problem)
        return solve_batch(*problem)

    monkeypatch.setattr(penalised, "rounds", lost)
    monkeypatch.setattr(solver, "solve_batch", interior)
    found = lasso.solve(features, targets, strength)
    assert asked
    assert abs(found.gap) < 1e-12
    assert found.objective == pytest.approx(expected.objective, rel=1e-12)


def test_copies_and_dependent_features_are_not_called_unique() -> None:
    features, targets = gaussian(10, 60, 2, 13)
    strength = 0.1 * largest(features, targets)
    assert lasso.solve(features, targets, strength).unique
    assert not lasso.solve(np.concatenate([features, -features[:1]]), targets, strength).unique
    # dependent features whose atoms are independent: proven by the atoms alone
    wide, few = gaussian(40, 8, 3, 14)
    found = lasso.solve(wide, few, 0.05 * largest(wide, few))
    assert found.width > 8
    assert found.unique


@pytest.mark.parametrize("exponent", [-700, -300, 300, 700])
def test_paths_at_extreme_sizes(exponent: int) -> None:
    features, targets = gaussian(15, 30, 2, 15)
    strengths = np.array([0.5, 0.1]) * largest(features, targets)
    plain = lasso.path(features, targets, strengths)
    scaled = lasso.path(np.ldexp(features, exponent), targets, np.ldexp(strengths, exponent))
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(np.ldexp(other.coef, exponent), one.coef, atol=1e-13)
        assert abs(other.gap) < 1e-12


@pytest.mark.parametrize("strengths", [[], [[0.1, 0.2]], [0.1, 0.0], [0.1, np.nan], 0.1])
def test_strengths_that_are_no_list_of_positive_numbers_are_refused(strengths: object) -> None:
    features, targets = gaussian(5, 8, 2, 16)
    with pytest.raises(InputError) as refusal:
        lasso.path(features, targets, strengths)  # type: ignore[arg-type]
    assert "positive number" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_one_problem_takes_one_strength() -> None:
    features, targets = gaussian(5, 8, 2, 17)
    with pytest.raises(InputError, match="`path` takes a list"):
        lasso.solve(features, targets, [0.1, 0.2])  # type: ignore[arg-type]
