"""The minimiser against closed forms, and its certificate."""

import numpy as np
import pytest
import torch

from sparsenn_core import Data, Ensemble, minimise, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, baseline_cnn, initialize_study_, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.training.proximal_newton import lasso_step


def study(activation, starts, samples=5120):
    x = torch.randn(samples, 12, generator=generator(1, "data"), dtype=torch.float64)
    ensemble = Ensemble.of(
        lambda source: initialize_study_(baseline_cnn(activation, generator=source), activation, 0.2, source),
        range(starts),
    )
    return ensemble, Data.shared(x, literal_teacher("baseline", activation)(x))


# 9.169e-5 is 3 (6.29 * 2.67 * 1.70)^(1/3) * 1e-5; the loss it trades for the penalty is second order in the strength
@pytest.mark.parametrize(("activation", "optimum"), [("relu", 9.169e-5), ("tanh", 1.0650e-4)])
def test_the_known_optima_of_the_l1_objective(activation, optimum):
    ensemble, data = study(activation, 4)
    found = minimise(ensemble, data, penalty=penalties.L1(1e-5), steps=800)
    best = int(found.objective.argmin())
    assert found.objective[best].item() == pytest.approx(optimum, rel=1e-3)
    assert found.residual[best] < 1e-9
    assert found.nonzero[best] == 7


def test_linear_least_squares_with_l2_is_solved_in_closed_form():
    x = torch.randn(60, 5, generator=generator(2, "data"), dtype=torch.float64)
    y = torch.randn(60, 1, generator=generator(3, "data"), dtype=torch.float64)
    ensemble = Ensemble.of(lambda g: MLP([5, 1], "linear", bias=False, generator=g).double(), range(2))
    found = minimise(ensemble, Data.shared(x, y), penalty=penalties.SquaredL2(0.1), steps=0)
    expected = torch.linalg.solve(x.T @ x / 60 + 0.1 * torch.eye(5, dtype=torch.float64), x.T @ y / 60).T
    torch.testing.assert_close(found.ensemble.params["layers.0.weight"], expected.expand(2, 1, 5), rtol=0, atol=1e-10)
    assert found.residual.max() < 1e-10


def test_a_lasso_is_solved_with_exact_zeros_and_its_residual_is_honest():
    x = torch.randn(60, 8, generator=generator(4, "data"), dtype=torch.float64)
    y = x[:, :2] @ torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    ensemble = Ensemble.of(lambda g: MLP([8, 1], "linear", bias=False, generator=g).double(), range(2))
    strength = torch.tensor([0.3, 100.0], dtype=torch.float64)
    found = minimise(ensemble, Data.shared(x, y), penalty=penalties.L1(strength), steps=40, batch_size=20)
    w = found.ensemble.params["layers.0.weight"]
    assert found.nonzero[1] == 0
    assert 2 <= found.nonzero[0] < 8
    gradient = 2 * (w @ x.T - y.T) @ x / 60
    wide = strength.view(2, 1, 1)
    at_zero, elsewhere = (gradient.abs() - wide).clamp(min=0), (gradient + wide * w.sign()).abs()
    subgradient = torch.where(w == 0, at_zero, elsewhere)
    torch.testing.assert_close(subgradient.amax((1, 2)), found.residual, rtol=0, atol=1e-14)
    assert found.residual.max() < 1e-10


def test_lasso_step_satisfies_its_optimality_conditions():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((12, 12))
    matrix, gradient, w = root @ root.T + 0.1 * np.eye(12), rng.standard_normal(12), rng.standard_normal(12)
    l1 = np.where(np.arange(12) < 8, 2.0, 0.0)
    u = lasso_step(matrix, gradient, w, l1)
    slope = gradient + matrix @ (u - w)
    assert ((u != 0) | (np.abs(slope) <= l1 + 1e-12)).all()
    assert np.abs(slope + l1 * np.sign(u))[u != 0].max() < 1e-9
    assert (u == 0).any()


def test_other_penalties_are_refused():
    ensemble, data = study("tanh", 2, samples=30)
    with pytest.raises(InputError, match="minimise knows L1, SquaredL2 and their sum, not DRR"):
        minimise(ensemble, data, penalty=penalties.DRR(1.0))
