"""The formulas of the width chapter's page, each checked on numbers: what decay pays, and the proof, step by step."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch

from sparsenn_book.studies.width_bounds.boundary import PAIRS, boundary_problem, sharp_bound
from sparsenn_book.studies.width_bounds.neuron_sharing import problem, student
from sparsenn_book.studies.width_bounds.sentences import AT_RANDOM
from sparsenn_core import lasso
from sparsenn_core.lasso.hyperplane_arrangement import hyperplane_arrangement

RANKS = [(1, 1), (1, 4), (2, 2), (2, 5), (3, 4), (4, 4)]  # (q, p)


def _symmetric(p: int) -> list[np.ndarray]:
    """A basis of the symmetric matrices."""
    basis = []
    for i in range(p):
        for j in range(i, p):
            matrix = np.zeros((p, p))
            matrix[i, j] = matrix[j, i] = 1.0
            basis.append(matrix)
    return basis


def _dual(q: int, p: int, outputs: int, seed: int = 0) -> np.ndarray:
    """L [outputs, p] of rank q."""
    r = np.random.default_rng(seed)
    return r.standard_normal((outputs, q)) @ r.standard_normal((q, p))


def test_sharing_costs_less_than_serving_apart() -> None:
    r = np.random.default_rng(0)
    a, b = r.standard_normal(100), r.standard_normal(100)
    assert (np.hypot(a, b) < np.abs(a) + np.abs(b)).all()


def test_cost_of_sharing_of_weights_as_they_are_drawn() -> None:
    out = torch.cat([student(seed)[2].weight.double() for seed in range(200)], 1).detach()
    share = float(out.norm(dim=0).sum() / out.abs().sum())
    assert share == pytest.approx(AT_RANDOM, abs=2e-3)
    assert math.sqrt(0.5) < AT_RANDOM < 1


def test_one_step_moves_the_imbalance_as_the_page_says() -> None:
    x, y, _ = problem()
    network = student(49, width=7).double()
    x, y, step, strength = x.double(), y.double(), 0.2, 5e-5
    torch.nn.functional.mse_loss(network(x), y).backward()
    incoming = torch.cat([network[0].weight, network[0].bias[:, None]], 1).detach()
    into = torch.cat([network[0].weight.grad, network[0].bias.grad[:, None]], 1)
    outgoing, out_of = network[2].weight.detach().T, network[2].weight.grad.T
    torch.testing.assert_close((incoming * into).sum(1), (outgoing * out_of).sum(1))

    def apart(w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return w.square().sum(1) - v.square().sum(1)

    shrink = 1 - step * strength
    moved = apart(shrink * incoming - step * into, shrink * outgoing - step * out_of)
    told = shrink**2 * apart(incoming, outgoing) + step**2 * apart(into, out_of)
    torch.testing.assert_close(moved, told, rtol=1e-9, atol=1e-15)


def test_square_of_the_dual_function_is_an_eigenvalue_only_at_home() -> None:
    """In a cell: the quadratic form's top eigenvalue bounds g^2, and is reached where the eigenvector lies there."""
    r = np.random.default_rng(3)
    inputs, dual = r.standard_normal((2, 7)), r.standard_normal((2, 7))
    cells = hyperplane_arrangement(inputs)
    somewhere = r.standard_normal((4000, 3))
    somewhere /= np.linalg.norm(somewhere, axis=1)[:, None]
    values, patterns = cells.values(somewhere, dual), somewhere @ cells.normals.T > 0
    home = away = 0
    for pattern in cells.cells:
        half = dual @ (pattern[:, None] * cells.normals)
        largest, vectors = np.linalg.eigh(half.T @ half)
        here = values[(patterns == pattern).all(1)]
        assert (here**2 <= largest[-1] * (1 + 1e-12)).all()
        top = [v for v in (vectors[:, -1], -vectors[:, -1]) if ((v @ cells.normals.T > 0) == pattern).all()]
        home, away = home + bool(top), away + (not top)
        for v in top:
            assert cells.values(v[None], dual)[0] ** 2 == pytest.approx(largest[-1])
    assert home
    assert away
    assert cells.peaks(dual)[1] >= values.max()


@pytest.mark.parametrize(("q", "p"), RANKS)
def test_dimension_of_the_atoms_space_is_the_sharper_bound(q: int, p: int) -> None:
    """Step 3, with more outputs than the rank of the targets."""
    dual = _dual(q, p, outputs=q + 2)
    spanned = np.stack([(dual @ s).ravel() for s in _symmetric(p)])
    assert np.linalg.matrix_rank(spanned) == sharp_bound(q, p)


@pytest.mark.parametrize(("q", "p"), RANKS)
def test_atoms_span_their_space_and_have_inner_product_one_with_the_dual(q: int, p: int) -> None:
    """Steps 4 and 5: <M_k, L> = 1, and dim E atoms drawn at random are independent."""
    r = np.random.default_rng(1)
    dual = _dual(q, p, outputs=q)
    rows = r.standard_normal((sharp_bound(q, p), p))
    rows /= np.linalg.norm(rows @ dual.T, axis=1, keepdims=True)
    atoms = np.stack([np.outer(dual @ x, x) for x in rows])
    np.testing.assert_allclose((atoms * dual).sum((1, 2)), 1)
    assert np.linalg.matrix_rank(atoms.reshape(len(rows), -1)) == sharp_bound(q, p)


@pytest.mark.parametrize(("q", "p"), [(2, 3), (2, 2), (3, 3)])
def test_every_solution_comes_from_one_dual_point(q: int, p: int) -> None:
    """Step 2: two solutions of one problem at the bound, v_k = a_k L x_k with the same L; targets have rank q."""
    features, targets = boundary_problem(q, p, 0, 7)
    dense = lasso.solve(features, targets)
    thin = lasso.sparsify(dense)
    r = np.random.default_rng(7)  # another order of neurons gives another vertex
    order = r.permutation(len(features))
    other = lasso.sparsify(lasso.solve(features[order], targets))
    assert np.linalg.matrix_rank(targets) == q
    for solution, x in ((thin, features), (other, features[order])):
        assert solution.objective == pytest.approx(dense.objective, rel=1e-10)
        used = solution.support
        along = solution.coef[:, used] / np.linalg.norm(solution.coef[:, used], axis=0)
        np.testing.assert_allclose(along, dense.dual @ x[used].T, atol=1e-6)
        assert solution.width == sharp_bound(q, p)


def test_no_fewer_neurons_carry_a_problem_at_the_bound() -> None:
    """Step 5: B lies in no span of fewer atoms; all sets of dim E - 1 atoms of a small problem are tried."""
    r = np.random.default_rng(0)
    q, p, k = 2, 2, 6
    dual = _dual(q, p, outputs=q)
    rows = r.standard_normal((k, p))
    rows /= np.linalg.norm(rows @ dual.T, axis=1, keepdims=True)
    atoms = np.stack([np.outer(dual @ x, x).ravel() for x in rows])
    target = r.uniform(0.1, 1.0, k) @ atoms
    for some in combinations(range(k), sharp_bound(q, p) - 1):
        rest = np.linalg.lstsq(atoms[list(some)].T, target, rcond=None)[1]
        assert rest.size == 0 or rest[0] > 1e-8


def test_bound_grows_with_both_ranks_up_to_that_of_the_samples() -> None:
    for n in range(1, 12):
        values = [sharp_bound(q, p) for p in range(1, n + 1) for q in range(1, p + 1)]
        assert max(values) == sharp_bound(n, n) == n * (n + 1) // 2
    for q, p in PAIRS:
        assert sharp_bound(q, p) >= p
        assert sharp_bound(q, p) <= p * q
