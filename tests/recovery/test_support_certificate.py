"""Whether L1 can keep a support: of a linear layer the condition of the lasso, and the teacher in a full network."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import Lasso
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, embed, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import support_certificate
from sparsenn_core.training import ConvergenceWarning

STRENGTH = 1e-5


def linear(weights: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weights), 1, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weights]))
    return layer


def data(n: int, width: int, mixed: float = 0.0) -> Tensor:
    """Normal inputs; the last coordinate holds a share `mixed` of the sum of the first two."""
    x = torch.randn(n, width, generator=generator(5, "data"), dtype=torch.float64)
    x[:, -1] += mixed * x[:, :2].sum(1)
    return x


def teacher_network(activation: str) -> tuple[nn.Module, nn.Module]:
    """The literal baseline teacher, and the fully connected network with its weights among zeros."""
    teacher = literal_teacher("baseline", activation)
    source = generator(0, "init")
    network = MLP((12, 4, 2, 1), activation, last_activation=activation, bias=False, generator=source).double()
    with torch.no_grad():
        for p, w in zip(network.parameters(), embed(teacher), strict=True):
            p.copy_(w)
    return teacher, network


@pytest.mark.parametrize(("mixed", "holds"), [(0.0, True), (2.0, False)])
def test_of_a_linear_layer_it_is_the_condition_of_the_lasso(mixed: float, holds: bool) -> None:
    x, strength = data(400, 6, mixed), 0.1
    teacher = linear([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    y = teacher(x).detach()
    found = support_certificate(teacher, x, y, strength)
    assert found.converged
    assert found.holds is holds
    # scikit-learn: 1/2n |y - Xw|^2 + alpha |w|_1
    lasso = Lasso(strength / 2, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(x.numpy(), y.numpy().ravel())
    assert bool((abs(lasso.coef_[2:]) < 1e-9).all()) is holds
    if holds:
        torch.testing.assert_close(found.network.weight.detach()[0], torch.tensor(lasso.coef_), rtol=0, atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_teacher_in_a_full_network_is_no_minimiser_of_l1(activation: str) -> None:
    teacher, network = teacher_network(activation)
    x = data(2000, 12)
    before = [p.detach().clone() for p in network.parameters()]
    found = support_certificate(network, x, teacher(x), STRENGTH)
    assert found.converged
    assert not found.holds
    assert 3 < found.largest["layers.0.weight"] < 8  # 4.2 to 4.8 with 5,120 samples and more
    assert all(torch.equal(p, b) for p, b in zip(network.parameters(), before, strict=True))
    moved = [p for p, b in zip(found.network.parameters(), before, strict=True) if not torch.equal(p, b)]
    assert len(moved) == 3
    for p, b in zip(found.network.parameters(), before, strict=True):
        assert torch.equal(p == 0, b == 0)


def test_slopes_are_those_of_the_loss_where_weights_are_zero() -> None:
    teacher, network = teacher_network("tanh")
    x = data(500, 12)
    found = support_certificate(network, x, teacher(x), STRENGTH)
    (found.network(x) - teacher(x).detach()).square().mean().backward()
    for name, p in found.network.named_parameters():
        zero = p.detach() == 0
        assert torch.equal(found.slopes[name].isnan(), ~zero)
        assert p.grad is not None
        torch.testing.assert_close(found.slopes[name][zero], p.grad[zero].abs() / STRENGTH, rtol=1e-9, atol=1e-9)
        # on the support the slope balances the penalty
        torch.testing.assert_close(p.grad[~zero], -STRENGTH * p.detach()[~zero].sign(), rtol=0, atol=1e-3 * STRENGTH)


def test_a_weight_that_does_not_pay_is_dropped() -> None:
    x = data(400, 3)
    y = linear([1.0, 0.0, 0.0])(x).detach()
    found = support_certificate(linear([1.0, 0.01, 0.0]), x, y, 0.2)
    assert found.dropped == 1
    assert found.holds
    assert float(found.network.weight.detach()[0, 1]) == 0.0


def test_an_optimum_that_is_not_reached_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparsenn_core.recovery.certificate.STEPS", 1)
    teacher, network = teacher_network("tanh")
    x = data(500, 12)
    with pytest.warns(ConvergenceWarning, match="of the strength"):
        found = support_certificate(network, x, teacher(x), STRENGTH)
    assert not found.holds


@pytest.mark.parametrize(
    ("weights", "strength", "shape", "said"),
    [
        ([1.0, 0.0], 0.0, (9, 1), "above 0"),
        ([1.0, 0.0], float("nan"), (9, 1), "above 0"),
        ([1.0, 2.0], 0.1, (9, 1), "weights that are zero"),
        ([0.0, 0.0], 0.1, (9, 1), "some that are not"),
        ([1.0, 0.0], 0.1, (9,), r"the targets are \[9\]"),
    ],
    ids=["no strength", "no number", "no zero", "nothing else", "another shape"],
)
def test_what_cannot_be_certified_is_refused(
    weights: list[float], strength: float, shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        support_certificate(linear(weights), data(9, 2), torch.zeros(shape), strength)
