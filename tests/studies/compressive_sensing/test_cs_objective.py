"""The expected objective: against the sum over all gates, autograd, finite differences, and its own vertices."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

Data = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def drawn(n: int = 5, p: int = 6, columns: int = 3) -> Data:
    source = generator(1, "objective")
    shapes = ((n, p), (n,), (p, columns))
    design, response, w = (torch.randn(*shape, generator=source, dtype=torch.float64) for shape in shapes)
    return design, response, w, torch.rand(p, columns, generator=source, dtype=torch.float64)


def test_the_closed_form_is_the_sum_over_all_gates_to_12_digits() -> None:
    found = cs.identity(20, 3)
    assert len(found) == 20
    assert 0 < found["difference"].max() < 1e-12
    assert (found["enumerated"] > 0).all()


def test_without_the_variance_of_the_gates_the_closed_form_would_be_wrong() -> None:
    design, response, w, gamma = drawn(columns=1)
    mean_only = (response - design @ (w * gamma)[:, 0]).square().sum()
    assert cs.enumerated_loss(design, response, w[:, 0], gamma[:, 0], 0.0, 0.0) > 1.01 * mean_only


def test_columns_do_not_touch_each_other() -> None:
    design, response, w, gamma = drawn()
    lambda0, lambda1 = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.0, 0.5, 1.0])
    together = cs.expected_loss(design, response, w, gamma, lambda0, lambda1)
    for i in range(3):
        alone = cs.enumerated_loss(design, response, w[:, i], gamma[:, i], float(lambda0[i]), float(lambda1[i]))
        assert together[i].item() == pytest.approx(alone.item(), rel=1e-12)


def test_gradients_are_those_of_autograd() -> None:
    design, response, w, gamma = drawn()
    lambda0 = torch.tensor([0.1, 0.7, 2.0], dtype=torch.float64)
    lambda1 = torch.tensor([0.0, 0.5, 3.0], dtype=torch.float64)
    w, gamma = w.requires_grad_(), gamma.requires_grad_()
    loss = cs.expected_loss(design, response, w, gamma, lambda0, lambda1).sum()
    expected = torch.autograd.grad(loss, (w, gamma))
    with torch.no_grad():
        power = design.square().sum(0)[:, None]
        found = cs.gradients(design, design.T.contiguous(), power, response, w, gamma, lambda0, lambda1)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_gradients_are_finite_differences_of_the_enumeration() -> None:
    design, response, w, gamma = drawn(columns=1)
    lambda0, lambda1 = torch.tensor([0.4], dtype=torch.float64), torch.tensor([0.9], dtype=torch.float64)
    power = design.square().sum(0)[:, None]
    found = cs.gradients(design, design.T.contiguous(), power, response, w, gamma, lambda0, lambda1)
    step = 1e-5
    for which, gradient in enumerate(found):
        for j in range(len(w)):
            ends = []
            for sign in (1, -1):
                moved = [w[:, 0].clone(), gamma[:, 0].clone()]
                moved[which][j] += sign * step
                ends.append(cs.enumerated_loss(design, response, moved[0], moved[1], 0.4, 0.9))
            assert float(gradient[j, 0]) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-7)


def test_in_each_gate_the_objective_is_linear_so_no_gates_beat_the_best_vertex() -> None:
    design, response, w, gamma = drawn(columns=1)

    def loss(gates: torch.Tensor) -> float:
        return float(cs.expected_loss(design, response, w, gates, 0.3, 0.2)[0])

    for j in range(len(w)):
        ends = []
        for value in (0.0, 0.5, 1.0):
            moved = gamma.clone()
            moved[j] = value
            ends.append(loss(moved))
        assert ends[1] == pytest.approx((ends[0] + ends[2]) / 2, rel=1e-13)
    vertices = [torch.tensor(v, dtype=torch.float64)[:, None] for v in product((0.0, 1.0), repeat=len(w))]
    best = min(loss(v) for v in vertices)
    source = generator(2, "gates")
    inside = [loss(torch.rand(len(w), 1, generator=source, dtype=torch.float64)) for _ in range(200)]
    assert min(inside) > best


def test_too_many_gates_are_refused_before_work_starts() -> None:
    many = torch.ones(40)
    with pytest.raises(InputError, match=r"40 gates .* at most 20"):
        cs.enumerated_loss(torch.ones(2, 40), torch.ones(2), many, many, 0.0, 0.0)
