"""The minimiser against closed forms, and its certificate."""

import importlib

import numpy as np
import pytest
import torch
from torch import nn

from sparsenn_core import Data, Ensemble, minimise, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, baseline_cnn, initialize_study_, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.training import ConvergenceWarning
from sparsenn_core.training.curvature import CrossEntropy, SquaredError
from sparsenn_core.training.proximal_newton import Problem, descend, lasso_step


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


CLASSES = 3


def classes(samples=60, inputs=4):
    x = torch.randn(samples, inputs, generator=generator(5, "data"), dtype=torch.float64)
    noise = torch.randn(samples, CLASSES, generator=generator(6, "data"), dtype=torch.float64)
    return x, (x[:, :CLASSES] + noise).argmax(1)


def slow_gradient(w, x, y):
    """Of the mean cross-entropy of x @ w' [n, classes], sample by sample."""
    gradient = torch.zeros_like(w)
    for sample, label in zip(x, y, strict=True):
        share = (w @ sample).exp()
        share = share / share.sum()
        share[label] -= 1
        gradient += torch.outer(share, sample) / len(x)
    return gradient


def test_multinomial_regression_by_cross_entropy_reaches_the_conditions_of_its_minimum():
    """Convex: a point that meets the conditions is the minimum. Both starts must find the same one."""
    x, y = classes()
    ensemble = Ensemble.of(lambda g: MLP([4, CLASSES], "linear", bias=False, generator=g).double(), range(2))
    l1 = 0.03
    penalty = penalties.L1(l1) + penalties.SquaredL2(0.01)
    found = minimise(
        ensemble, Data.shared(x, y), loss=nn.functional.cross_entropy, penalty=penalty, steps=20, batch_size=30
    )
    w = found.ensemble.params["layers.0.weight"]
    torch.testing.assert_close(w[0], w[1], rtol=0, atol=1e-8)
    gradient = slow_gradient(w[0], x, y) + 0.02 * w[0]
    zero = w[0] == 0
    assert 0 < int(zero.sum()) < w[0].numel()
    assert (gradient[zero].abs() <= l1).all()
    assert (gradient + l1 * w[0].sign())[~zero].abs().max() < 1e-8
    assert found.converged.all()
    torch.testing.assert_close(found.loss, nn.functional.cross_entropy(x @ w[0].T, y).expand(2))


def test_a_hidden_layer_learns_classes_to_a_small_residual():
    x, y = classes(40, 3)
    ensemble = Ensemble.of(lambda g: MLP([3, 3, CLASSES], "tanh", generator=g).double(), range(2))
    found = minimise(
        ensemble,
        Data.shared(x, y),
        loss=nn.functional.cross_entropy,
        penalty=penalties.SquaredL2(0.01),
        steps=40,
        batch_size=20,
    )
    assert found.residual.max() < 1e-8


@pytest.mark.parametrize("loss", ["mse", "cross entropy"])
def test_the_gauss_newton_matrix_is_j_h_j(loss):
    """Against the Hessians of the loss in the outputs and the Jacobian by automatic differentiation."""
    x, y = classes(7, 3)
    criterion = CrossEntropy() if loss == "cross entropy" else SquaredError()
    y = y if loss == "cross entropy" else torch.randn(7, CLASSES, generator=generator(8, "data"), dtype=torch.float64)
    w = torch.randn(2 * CLASSES * 3, generator=generator(7, "init"), dtype=torch.float64)

    def model(w, x):
        return torch.tanh(x @ w[:9].view(3, 3)) @ w[9:].view(3, CLASSES)

    found = Problem(model, x, y, np.zeros(18), np.full(18, 0.1), criterion).gauss_newton(w.numpy())
    jacobian = torch.func.jacrev(lambda w: model(w, x).flatten())(w)
    curvature = torch.func.hessian(lambda o: criterion.value(o.view(7, CLASSES), y))(model(w, x).flatten())
    expected = jacobian.T @ curvature @ jacobian + 0.2 * torch.eye(18, dtype=torch.float64)
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-14)


def test_strengths_of_several_parts_add_up_by_parameter():
    x = torch.randn(60, 5, generator=generator(2, "data"), dtype=torch.float64)
    y = torch.randn(60, 1, generator=generator(3, "data"), dtype=torch.float64)
    ensemble = Ensemble.of(lambda g: MLP([5, 1], "linear", generator=g).double(), range(2))
    parts = penalties.L1(0.05, weights_only=True) + penalties.L1(0.03, only=("layers.0.weight",))
    split = minimise(ensemble, Data.shared(x, y), penalty=parts + penalties.SquaredL2(0.1), steps=0)
    whole = penalties.L1(0.08, weights_only=True) + penalties.SquaredL2(0.1)
    whole = minimise(ensemble, Data.shared(x, y), penalty=whole, steps=0)
    torch.testing.assert_close(split.ensemble.params, whole.ensemble.params, rtol=0, atol=1e-9)
    assert split.converged.all()


def at_the_kink(activation):
    """f(x) = relu(b) with targets -|x|, b just above 0: every sample lies on the edge, and b wants to be smaller."""
    ensemble = Ensemble.of(lambda g: MLP([1, 1, 1], activation, generator=g).double(), range(2))
    params = {k: torch.zeros_like(p) for k, p in ensemble.params.items()}
    params["layers.1.weight"] += 1
    params["layers.0.bias"] += 1e-9
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)[:, None]
    return ensemble.with_params(params), Data.shared(x, -x.abs())


@pytest.mark.parametrize(("activation", "kinks", "said"), [("relu", 2, "2 at a kink"), ("tanh", 0, "newton_steps")])
def test_runs_that_do_not_converge_are_warned_of_in_one_line(activation, kinks, said, monkeypatch):
    """The second stage is left out, so that the runs end where they start."""
    module = importlib.import_module("sparsenn_core.training.minimise")
    monkeypatch.setattr(module, "to_stationary_point", lambda problem, w, *rest: w)
    ensemble, data = at_the_kink(activation)
    if activation == "tanh":  # so steep that its gradient changes by all of itself over the distance looked at
        ensemble = ensemble.with_params(
            {**ensemble.params, "layers.0.weight": ensemble.params["layers.0.weight"] + 1e6}
        )
    with pytest.warns(ConvergenceWarning, match="2 of 2 runs end with a residual above 1e-10") as caught:
        found = minimise(ensemble, data, steps=0)
    (message,) = (str(w.message) for w in caught)
    assert said in message
    assert "\n" not in message
    assert int(found.at_kink.sum()) == kinks
    assert not found.converged.any()


def test_an_indefinite_hessian_does_not_stop_newtons_method():
    """From the saddle side of w^4 / 4 - w^2 / 2 + ... : mean((w^2 - 1)^2) has its minima at w = 1 and w = -1."""
    x, y = torch.ones(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    problem = Problem(lambda w, x: (w**2).view(1, 1) * x, x, y, np.zeros(1), np.zeros(1), SquaredError())
    assert problem.hessian(np.array([0.1]))[0, 0] < 0
    found = descend(problem, np.array([0.1]), problem.hessian, 15, 1e-10)
    assert found[0] == pytest.approx(1.0, abs=1e-10)


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


def integers(targets):
    return torch.zeros(30, dtype=torch.int64) + targets


@pytest.mark.parametrize(
    ("targets", "arguments", "message"),
    [
        (None, {"penalty": penalties.DRR(1.0)}, "minimise knows L1, SquaredL2 and their sum, not DRR"),
        (None, {"loss": nn.functional.l1_loss}, "mse_loss and cross_entropy, not l1_loss"),
        (None, {"loss": nn.MSELoss()}, "mse_loss and cross_entropy, not MSELoss"),
        (torch.zeros(30), {}, "floating-point targets"),
        (integers(0)[:, None], {}, "floating-point targets"),
        (None, {"loss": nn.functional.cross_entropy}, "classes as integers"),
        (integers(2), {"loss": nn.functional.cross_entropy}, "classes 0 to 0, the targets are 2 to 2"),
    ],
)
def test_refusals(targets, arguments, message):
    ensemble, data = study("tanh", 2, samples=30)
    data = data if targets is None else Data.shared(data.inputs[0], targets)
    with pytest.raises(InputError, match=message):
        minimise(ensemble, data, **arguments)
