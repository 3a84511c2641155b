"""The certified optimum of weight decay on two-layer networks, and the exact maximum behind it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sparsenn_book.studies.width_bounds import neuron_sharing
from sparsenn_core import lasso, networks
from sparsenn_core.errors import InputError
from sparsenn_core.lasso.hyperplane_arrangement import hyperplane_arrangement


@pytest.fixture(scope="module")
def sharing() -> lasso.ShallowOptimum:
    x, y, _ = neuron_sharing.problem()
    return lasso.shallow_optimum(x.numpy().T, y.numpy().T, neuron_sharing.STRENGTH)


def test_neuron_sharing_optimum(sharing: lasso.ShallowOptimum) -> None:
    assert sharing.gap < 1e-9
    # the data are fixed, so that only the distance to the optimum is left, which the gap bounds, and rounding, 1e-13
    assert sharing.objective == pytest.approx(4.922137677e-5, rel=1e-9)
    assert sharing.peak <= 1 + 1e-9
    # below what an earlier, inexhaustive search called the optimum, and far below what the study's training reached
    assert sharing.objective < 4.92271e-5 < 1.0210e-4 / 2
    assert sharing.coef.shape[1] <= 2 * 50 - 1


def test_the_objective_is_that_of_a_network_one_can_run(sharing: lasso.ShallowOptimum) -> None:
    x, y, teacher = neuron_sharing.problem()
    network = sharing.network()
    with torch.no_grad():
        mse = float(((network(x.double()) - y) ** 2).mean())
    assert mse + neuron_sharing.STRENGTH * networks.vv_norm(network) == pytest.approx(sharing.objective, rel=1e-12)
    assert networks.half_squares(network) == pytest.approx(sharing.vv_norm, rel=1e-12)
    assert sharing.vv_norm < networks.vv_norm(teacher)


def test_no_direction_beats_the_exact_maximum(sharing: lasso.ShallowOptimum) -> None:
    """Attack: random directions, each climbing by shrinking random steps that are taken where they improve."""
    cells = hyperplane_arrangement(neuron_sharing.problem()[0].double().numpy().T)
    rng = np.random.default_rng(0)
    for dual in (sharing.dual, rng.standard_normal(sharing.dual.shape)):
        directions, peak = cells.peaks(dual)
        assert cells.values(directions, dual).max() == pytest.approx(peak, rel=1e-14)
        np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-14)
        w = rng.standard_normal((3000, 3))
        w /= np.linalg.norm(w, axis=1, keepdims=True)
        value = cells.values(w, dual)
        for step in np.geomspace(0.5, 1e-5, 80):
            tried = w + step * rng.standard_normal(w.shape)
            tried /= np.linalg.norm(tried, axis=1, keepdims=True)
            new = cells.values(tried, dual)
            w, value = np.where((new > value)[:, None], tried, w), np.maximum(new, value)
        assert peak * (1 - 1e-4) <= value.max() <= peak * (1 + 1e-13)


def test_all_cells_are_listed() -> None:
    rng = np.random.default_rng(1)
    for count in (2, 5, 9):
        cells = hyperplane_arrangement(rng.standard_normal((count, 2)).T)
        assert len(cells.cells) == count**2 - count + 2
        w = rng.standard_normal((20_000, 3))
        seen = np.unique(w @ cells.normals.T > 0, axis=0)
        assert {row.tobytes() for row in seen} <= {row.tobytes() for row in cells.cells}


def test_points_on_a_line_and_repeated_points() -> None:
    rng = np.random.default_rng(2)
    on_a_line = np.stack([np.arange(6.0), 2 * np.arange(6.0) + 1], 1)
    inputs = np.concatenate([on_a_line, on_a_line[:1], rng.standard_normal((2, 2))])
    cells = hyperplane_arrangement(inputs.T)
    seen = np.unique(rng.standard_normal((50_000, 3)) @ cells.normals.T > 0, axis=0)
    assert {row.tobytes() for row in seen} <= {row.tobytes() for row in cells.cells}
    optimum = lasso.shallow_optimum(inputs.T, rng.standard_normal((9, 2)).T, 0.01)
    assert optimum.gap < 1e-8


def test_one_input_agrees_with_a_fine_grid() -> None:
    rng = np.random.default_rng(3)
    x, y = np.sort(rng.standard_normal((12, 1)), 0), rng.standard_normal((12, 2))
    optimum = lasso.shallow_optimum(x.T, y.T, 0.02)
    assert optimum.gap < 1e-8
    angle = np.linspace(0, 2 * np.pi, 3001)[:-1]
    features = np.maximum(np.stack([np.cos(angle), np.sin(angle)], 1) @ np.stack([x[:, 0], np.ones(12)]), 0)
    grid = lasso.solve(features, y.T, 0.02)
    assert optimum.bound <= grid.objective
    assert grid.objective == pytest.approx(optimum.objective, rel=1e-3)


def test_trained_networks_stay_above_the_bound() -> None:
    """Weight decay by gradient descent from several starts: never below the bound, close to it at best."""
    x, y = (points[:12] for points in neuron_sharing.problem()[:2])
    strength = 1e-2
    optimum = lasso.shallow_optimum(x.numpy().T, y.numpy().T, strength)
    best = np.inf
    for seed in range(2):
        network = neuron_sharing.student(seed, 30)
        optimizer = torch.optim.LBFGS(network.parameters(), max_iter=150, line_search_fn="strong_wolfe")

        def closure(network: torch.nn.Module = network, optimizer: torch.optim.Optimizer = optimizer) -> torch.Tensor:
            optimizer.zero_grad()
            decay = sum((p**2).sum() for p in network.parameters()) / 2
            loss = ((network(x) - y) ** 2).mean() + strength * decay
            loss.backward()
            return loss

        optimizer.step(closure)
        best = min(best, float(closure().detach()))
    assert optimum.bound * (1 - 1e-6) <= best <= 1.5 * optimum.objective


def test_refusals() -> None:
    with pytest.raises(InputError, match="3 dimensions"):
        lasso.shallow_optimum(np.ones((3, 4)), np.ones((1, 4)), 0.1)
    with pytest.raises(InputError, match=r"\[d, N\]"):
        lasso.shallow_optimum(np.ones((2, 4)), np.ones((1, 5)), 0.1)
