"""The prox of group norms with a step for each weight, against a slow scalar solver and its limits."""

import pytest
import torch
from draws import GROUPS, STRENGTH, R, draw, steps_of
from scipy.optimize import brentq

from sparsenn_core.penalties import L1, GroupL2
from sparsenn_core.penalties.group_prox import shrink_groups
from sparsenn_core.randomness import generator


def slow(w, d):
    """One group, w and d = strength * step as lists: the root of sum (w_i / (t + d_i))^2 = 1 by bisection."""

    def excess(t):
        return sum((a / (t + b)) ** 2 for a, b in zip(w, d, strict=True)) - 1

    if excess(0.0) <= 0:
        return [0.0] * len(w)
    t = brentq(excess, 0.0, 2 * sum(abs(a) for a in w), xtol=1e-300, rtol=1e-15, maxiter=2000)
    return [a * t / (t + b) for a, b in zip(w, d, strict=True)]


def test_every_group_is_that_of_the_slow_solver():
    params, steps = draw(), steps_of()
    found = GroupL2(STRENGTH, groups=GROUPS).prox(params, steps)
    zeros = 0
    for r in range(R):
        for name, axis in GROUPS.items():
            w, s, u = (x[name][r].movedim(axis, 0) for x in (params, steps, found))
            for group in range(len(w)):
                expected = (
                    slow(w[group].tolist(), (STRENGTH[r] * s[group]).tolist()) if STRENGTH[r] else w[group].tolist()
                )
                assert u[group].tolist() == pytest.approx(expected, rel=1e-12, abs=1e-14)
                zeros += not u[group].any()
    assert zeros > 2 * R  # the groups of zeros, and some that were shrunk to zero
    assert torch.equal(found["a.bias"], params["a.bias"])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("decades", [0, 1, 4, 12, 18])
def test_thresholds_of_many_sizes_are_solved_to_full_precision(decades, dtype):
    """1,000 groups, thresholds and weights of the same many powers of ten, which is hardest: the equation is met."""
    source = generator(1, "steps")
    d = 10 ** (decades * torch.rand(1, 1000, 8, generator=source, dtype=torch.float64))
    w = 0.7 * d * torch.randn(d.shape, generator=source, dtype=torch.float64)
    u = shrink_groups(w.to(dtype), d.to(dtype), 0).to(torch.float64)[0]
    w, d = w.to(dtype).to(torch.float64)[0], d.to(dtype).to(torch.float64)[0]
    active = (w / d).norm(dim=1) > 1
    assert torch.equal(u.any(1), active)
    t = u.norm(dim=1, keepdim=True)
    miss = u - w * t / (t + d)
    size = torch.finfo(dtype).eps * 20
    assert (miss.abs()[active] <= size * w.abs()[active] + size * u.abs().amax(1, keepdim=True)[active]).all()


def test_equal_steps_give_the_closed_form():
    params, penalty = draw(), GroupL2(STRENGTH, groups=GROUPS)
    equal = {k: torch.full_like(w, 0.7) for k, w in params.items()}
    torch.testing.assert_close(penalty.prox(params, equal), penalty.prox(params, 0.7), rtol=1e-14, atol=1e-15)
    nearly = {k: s * (1 + 1e-9 * draw("noise")[k]) for k, s in equal.items()}
    torch.testing.assert_close(penalty.prox(params, nearly), penalty.prox(params, 0.7), rtol=1e-7, atol=1e-8)


def test_groups_of_one_are_soft_thresholded_with_their_own_steps():
    params = {"b.weight": draw()["b.weight"][:, :1], "a.bias": draw()["a.bias"]}
    steps = {"b.weight": steps_of()["b.weight"][:, :1], "a.bias": steps_of()["a.bias"]}
    found = GroupL2(STRENGTH, groups={"b.weight": 1, "a.bias": 0}).prox(params, steps)
    torch.testing.assert_close(found, L1(STRENGTH).prox(params, steps))


def test_zero_steps_and_zero_weights_stay_where_they_are():
    w = torch.tensor([[[0.0, 0.0], [1.0, -2.0], [1e-30, 0.0]]], dtype=torch.float64)
    assert torch.equal(shrink_groups(w, torch.zeros_like(w), 0), w)
    partly = shrink_groups(w, torch.tensor([[[1.0, 0.0]] * 3], dtype=torch.float64), 0)
    assert partly[0, 1, 1] == -2.0
    assert 0 < partly[0, 1, 0] < 1.0
    assert not partly[0, 0].any()


def test_it_compiles_without_a_break_and_computes_the_same():
    penalty = (L1(0.1) + GroupL2(STRENGTH, groups=GROUPS)).strengths(R, STRENGTH)
    params, steps = draw(), steps_of()
    compiled = torch.compile(lambda p, w, s: p.prox(w, s), fullgraph=True, dynamic=False, backend="eager")
    torch.testing.assert_close(compiled(penalty, params, steps), penalty.prox(params, steps))
