"""Every penalty against the definitions of its prox, its gradient and its distance to stationarity."""

import pytest
import torch
from draws import GROUPS, STRENGTH, R, draw
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.penalties import DRR, L1, FixedSupport, GroupL2, PathProx, SquaredL2, layer_factors
from sparsenn_core.randomness import generator

ALL = {
    "l1": L1(STRENGTH),
    "l1 of weights": L1(STRENGTH, only=("a.weight", "b.weight")),
    "squared l2": SquaredL2(STRENGTH),
    "group": GroupL2(STRENGTH, groups=GROUPS),
    "drr": DRR(STRENGTH, beta=2.0, rho=0.1, factors={"a.weight": 2.0}),
    "elastic": L1(STRENGTH) + SquaredL2(0.2),
}
WITH_PROX = ["l1", "l1 of weights", "squared l2", "group", "elastic"]


def loop_value(name, params, r):
    """The penalty of one run, written as its formula reads."""
    s, w = STRENGTH[r].item(), {k: v[r] for k, v in params.items()}
    weights = (w["a.weight"], w["b.weight"])
    if name == "l1":
        return s * sum(v.abs().sum() for v in w.values())
    if name == "l1 of weights":
        return s * sum(v.abs().sum() for v in weights)
    if name == "squared l2":
        return s * sum((v**2).sum() for v in w.values())
    if name == "group":
        return s * (sum(row.norm() for row in weights[0]) + sum(column.norm() for column in weights[1].T))
    if name == "drr":
        factor = {"a.weight": 2.0}
        count = sum(factor.get(k, 1.0) * (1 - torch.exp(-2.0 * v.abs())).sum() for k, v in w.items())
        return s * count + 0.1 * sum(factor.get(k, 1.0) * (v**2).sum() for k, v in w.items())
    return s * sum(v.abs().sum() for v in w.values()) + 0.2 * sum((v**2).sum() for v in w.values())


@pytest.mark.parametrize("name", list(ALL))
def test_value_is_the_formula_of_each_run(name):
    params = draw()
    expected = torch.stack([torch.as_tensor(loop_value(name, params, r)) for r in range(R)])
    torch.testing.assert_close(ALL[name].value(params), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", WITH_PROX)
def test_prox_beats_every_nearby_point(name):
    """The prox minimises 1/2 |u - w|^2 / step + penalty: nudging it in any direction never helps."""
    params, step = draw(), 0.7
    found = ALL[name].prox(params, step)

    def objective(u):
        distance = sum((u[k] - params[k]).square().flatten(1).sum(1) for k in params)
        return distance / (2 * step) + ALL[name].value(u)

    best = objective(found)
    for trial in range(40):
        noise = draw(f"nudge {trial}", zeros=False)
        for size in (1e-4, 1e-2, 0.3):
            nudged = {k: found[k] + size * noise[k] for k in found}
            assert (objective(nudged) >= best - 1e-14).all()


@pytest.mark.parametrize("name", ["l1", "squared l2", "elastic"])
def test_prox_with_a_step_for_each_weight(name):
    """Separable penalties take one step size per weight: the same as one weight at a time."""
    params = draw(zeros=False)
    steps = {k: v.abs() + 0.1 for k, v in draw("steps", zeros=False).items()}
    found = ALL[name].prox(params, steps)
    for r in range(R):
        one = ALL[name].select(torch.tensor([r])) if name != "elastic" else L1(STRENGTH[r : r + 1]) + SquaredL2(0.2)
        alone = one.prox({"w": params["a.bias"][r : r + 1, 2:3]}, float(steps["a.bias"][r, 2]))
        torch.testing.assert_close(found["a.bias"][r, 2], alone["w"][0, 0])


@pytest.mark.parametrize("name", WITH_PROX)
def test_residual_is_zero_exactly_at_fixed_points_of_the_prox(name):
    """u = prox(w) means that (w - u) / step is a subgradient at u: with grad = (u - w) / step it is stationary."""
    params, step = draw(zeros=False), 0.4
    u = ALL[name].prox(params, step)
    grad = {k: (u[k] - params[k]) / step for k in u}
    assert ALL[name].residual(u, grad).abs().max() < 1e-14
    off = {k: g + 0.01 for k, g in grad.items()}
    assert (ALL[name].residual(u, off) > 1e-3).all()


@pytest.mark.parametrize("name", ["squared l2", "drr", "l1", "group"])
def test_residual_is_the_gradient_where_the_penalty_is_smooth(name):
    params = draw(zeros=False)
    leaves = {k: v.clone().requires_grad_() for k, v in params.items()}
    own = torch.autograd.grad(ALL[name].value(leaves).sum(), list(leaves.values()), allow_unused=True)
    loss_gradient = draw("loss gradient", zeros=False)
    total = [loss_gradient[k] + (0 if g is None else g) for k, g in zip(leaves, own, strict=True)]
    expected = torch.stack([t.abs().flatten(1).amax(1) for t in total]).amax(0)
    torch.testing.assert_close(ALL[name].residual(params, loss_gradient), expected)


@pytest.mark.parametrize(("name", "make"), [("l1", L1), ("group", lambda s: GroupL2(s, groups=GROUPS)), ("drr", DRR)])
def test_largest_useful_strength_is_where_zero_becomes_stationary(name, make):
    grad = draw("gradient", zeros=False)
    if name == "group":
        grad = {k: grad[k] for k in GROUPS}
    zero = {k: torch.zeros_like(g) for k, g in grad.items()}
    largest = make(1.0).strength_max(grad)
    assert (make(largest * 1.0001).residual(zero, grad) == 0).all()
    assert (make(largest * 0.99).residual(zero, grad) > 0).all()


def test_group_of_one_is_l1():
    params = {"b.weight": draw()["b.weight"][:, :1]}
    group, l1 = GroupL2(STRENGTH, groups={"b.weight": 1}), L1(STRENGTH)
    torch.testing.assert_close(group.value(params), l1.value(params))
    torch.testing.assert_close(group.prox(params, 0.5), l1.prox(params, 0.5))


def test_layer_factors_of_the_rebound_study():
    net = MLP((2, 25, 25, 1), "tanh", generator=generator(0, "init"))
    factors = layer_factors(dict(net.named_parameters()))
    assert [round(factors[f"layers.{i}.weight"], 4) for i in range(3)] == [3.3378, 0.3851, 9.6282]
    assert factors["layers.1.bias"] == factors["layers.1.weight"]


def test_the_l1_term_reaches_the_gradient():
    """The study's first runs detached it; its gradient must be strength * sign(w), and 0 at 0."""
    w = torch.tensor([[1.5, 0.0, -2.0]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(L1(0.25).value({"w": w}).sum(), w)
    assert gradient.tolist() == [[0.25, 0.0, -0.25]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L1(-1.0), "strength of L1 must be finite and not negative"),
        (lambda: SquaredL2(float("nan")), "strength of SquaredL2"),
        (lambda: GroupL2(1.0), "GroupL2 needs groups"),
        (lambda: L1(1.0, only=("a.wieght",)).value(draw()), "did you mean 'a.weight'"),
        (lambda: GroupL2(1.0, groups={"a.bias": 1}).value(draw()), "has no axis 1"),
        (lambda: L1(torch.ones(2)).strengths(3, torch.ones(1)), "2 strengths for 3 runs"),
        (lambda: DRR(1.0).prox(draw(), 0.1), "DRR has no closed-form prox"),
        (lambda: L1(1.0).gradient(draw()), "L1 is not smooth"),
        (lambda: DRR(1.0, beta=0.0), "beta of DRR"),
        (lambda: SquaredL2(1.0).strength_max(draw()), "no largest useful strength"),
        (lambda: L1(1.0, only="a.weight"), "only must be names"),
        (lambda: L1(1.0, only=()), "only must be names"),
        (lambda: L1(1.0, only=("a.weight",), weights_only=True), "not both"),
        (lambda: L1(1.0, weights_only=True).value({"a.bias": draw()["a.bias"]}), "no parameter has two dimensions"),
        (lambda: GroupL2(1.0, groups=GROUPS, only=("a.bias",)), "unknown group 'a.bias'"),
        (lambda: GroupL2(1.0, groups={"a.bias": 0}, weights_only=True).value(draw()), "none of its groups"),
        (lambda: PathProx(1.0, "a.weight", None, "b.weight", weights_only=True), "leave out only= and weights_only="),
        (lambda: FixedSupport(masks={"a.wieght": torch.ones(R, 4, 3)}).prox(draw(), 0.1), "did you mean 'a.weight'"),
        (lambda: FixedSupport(masks={"a.bias": torch.ones(2, 4)}).strengths(3, torch.ones(1)), "2 entries for 3 runs"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_path_prox_takes_its_names_from_the_network():
    net = MLP((2, 4, 3), "relu", generator=generator(0, "init"))
    found = PathProx.of(net, 0.3)
    assert (found.incoming, found.bias, found.outgoing) == ("layers.0.weight", "layers.0.bias", "layers.1.weight")
    for wrong in (MLP((2, 4, 3), "tanh", generator=generator(0, "init")), nn.Sequential(nn.Linear(2, 3))):
        with pytest.raises(InputError, match="needs linear, relu, linear"):
            PathProx.of(wrong, 0.3)


def test_path_prox_without_biases():
    net = MLP((2, 4, 3), "relu", bias=False, generator=generator(0, "init"))
    params = {name: p.detach()[None] for name, p in net.named_parameters()}
    penalty = PathProx.of(net, 0.3)
    near = penalty.prox(params, 0.1)
    incoming, outgoing = penalty.norms(near)
    torch.testing.assert_close(incoming, torch.ones_like(incoming))
    torch.testing.assert_close(outgoing, (penalty.norms(params)[1] - 0.03).clamp(min=0))
    assert near.keys() == params.keys()
