"""Generic conditions: continued fractions are limit_denominator, the projection is one, the study's is not."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from tanh_networks import build, copied, vector
from torch import nn

from sparsenn_book.studies.rebound.reference import reference_normal_form, reference_projection
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import generic_margins, project_generic, quotient_distance
from sparsenn_core.recovery.generic import nearest_fraction


@pytest.mark.parametrize("bound", [1, 2, 7, 625, 62_500])
def test_nearest_fraction_is_limit_denominator(bound):
    rng = np.random.default_rng(bound)
    q = rng.integers(1, 2 * bound + 2, 500)
    simple = rng.integers(0, q + 1) / q
    x = np.concatenate([rng.random(1500), rng.random(500) ** 8, simple, np.nextafter(simple, 0.5), [0, 1, 0.5, 1e-300]])
    p, q = nearest_fraction(x, bound)
    for value, numerator, denominator in zip(x.tolist(), p.tolist(), q.tolist(), strict=True):
        expected = Fraction(value).limit_denominator(bound)
        # at a tie of two fractions, up to rounding, either is nearest
        if (numerator, denominator) != expected.as_integer_ratio():
            exact = Fraction(value)
            off = abs(Fraction(numerator, denominator) - exact) - abs(expected - exact)
            assert 0 <= off < Fraction(1, 10**17)
            assert denominator <= bound


def slow_margins(net: MLP, factor: int) -> dict[str, list[float]]:
    """The conditions, one pair after the other, ratios in exact arithmetic."""
    out: dict[str, list[float]] = {"bias": [], "bias_gap": [], "weight": [], "ratio": []}
    for layer in net.layers:
        b, w = layer.bias.tolist(), layer.weight.tolist()
        units = range(len(b))
        out["bias"].append(min(abs(x) for x in b))
        out["bias_gap"].append(
            min((abs(abs(b[i]) - abs(b[j])) for i in units for j in units if i < j), default=math.inf)
        )
        out["weight"].append(min(abs(x) for row in w for x in row))
        least = math.inf
        for k in range(len(w[0])):
            for i in units:
                for j in range(i):
                    x, y = sorted([abs(Fraction(w[i][k])), abs(Fraction(w[j][k]))])
                    least = min(least, float(abs(x / y - (x / y).limit_denominator(factor * len(b) ** 2))))
        out["ratio"].append(least)
    return out


@pytest.mark.parametrize(("widths", "factor"), [([2, 5, 4, 1], 1), ([3, 6, 2], 100)])
def test_margins_against_the_slow_twin(widths, factor):
    net = build(widths, 0)
    margins, slow = generic_margins(net, factor=factor), slow_margins(net, factor)
    for name, values in slow.items():
        assert getattr(margins, name) == pytest.approx(values, abs=1e-15)
    assert margins.least == pytest.approx(min(min(values) for values in slow.values()), abs=1e-15)


def test_margins_see_each_violation():
    net = build([2, 4, 3, 1], 0)
    assert generic_margins(net).least > 0
    net.layers[0].bias[1] = -net.layers[0].bias[0]
    net.layers[1].bias[2] = 0.0
    net.layers[1].weight[0, 2] = 0.0
    net.layers[0].weight[3, 1] = net.layers[0].weight[2, 1] * -0.75
    margins = generic_margins(net)
    assert margins.bias_gap[0] == margins.bias[1] == margins.weight[1] == 0
    assert margins.ratio[0] < 1e-16


TOLERANCE = 1e-8


@pytest.mark.parametrize("widths", [[2, 25, 25, 1], [3, 7, 6, 5, 2]])
def test_projection_is_idempotent_and_touches_only_violators(widths):
    net = build(widths, 1)
    assert torch.equal(*(m.layers[1].weight for m in (net, project_generic(net, 1e-14, generator(0, "p")))))
    first, second = net.layers[:2]
    first.weight[3, 1] = 0.5 * first.weight[0, 1]
    first.weight[2, 0] = 0.0
    second.weight[4, 2] = -second.weight[1, 2]
    second.bias[2] = -second.bias[0] + 1e-10
    second.bias[1] = 0.0
    before = generic_margins(net)
    out = project_generic(net, TOLERANCE, generator(0, "p"))
    assert before.least < TOLERANCE <= generic_margins(out).least
    assert np.array_equal(vector(project_generic(out, TOLERANCE, generator(1, "p"))), vector(out))
    assert np.abs(vector(out) - vector(net)).max() < 200 * TOLERANCE
    # a parameter moves only if it violates a condition with some other as they stand
    for layer, moved in zip(net.layers, out.layers, strict=True):
        w, bound = layer.weight.numpy(), layer.out_features**2
        for j, k in np.argwhere(w != moved.weight.numpy()):
            x, y = abs(w[j, k]), np.abs(np.delete(w[:, k], j))
            ratios = np.minimum(x, y) / np.maximum(x, y)
            p, q = nearest_fraction(ratios, bound)
            assert x < TOLERANCE or (np.abs(ratios - p / q) < TOLERANCE).any()
        changed = np.flatnonzero(layer.bias.numpy() != moved.bias.numpy())
        assert set(changed) <= ({0, 1, 2} if layer is second else set())


def test_projection_moves_no_further_than_needed():
    net = build([2, 3, 1], 0)
    w = net.layers[0].weight
    w.copy_(torch.tensor([[0.3, 0.9], [0.6 + 1e-10, 0.31], [0.41, 0.123]], dtype=torch.float64))
    out = project_generic(net, 1e-6, generator(0, "p")).layers[0].weight
    # 0.3 / (0.6 + 1e-10) is 1/2 - 8.3e-11: down to 1/2 - 1e-6 is nearer than up to 1/2 + 1e-6
    assert float(out[0, 0]) == pytest.approx((0.5 - 1e-6) * (0.6 + 1e-10), abs=1e-14)
    moved = (out != w).numpy()
    assert moved.sum() == 1


def test_projection_is_reproducible_and_refuses_what_it_cannot_do():
    net = build([2, 5, 1], 0, bias=0.0)
    one, two = (project_generic(net, 1e-6, generator(7, "p")) for _ in range(2))
    assert np.array_equal(vector(one), vector(two))
    with pytest.raises(InputError, match="is not in"):
        project_generic(net, 1e-2, generator(0, "p"))
    with pytest.raises(InputError, match="must be float64 with biases"):
        project_generic(net.float(), 1e-8, generator(0, "p"))
    with pytest.raises(InputError, match="factor must be"):
        generic_margins(net, factor=0)


def test_the_studys_projection_is_none():
    net = build([2, 25, 25, 1], 0, bias=0.0).float()
    once = reference_projection(net, generator(0, "p"))
    eps = torch.finfo(torch.float32).eps
    for layer, moved in zip(net.layers, once.layers, strict=True):
        assert 0 < float(moved.bias.abs().min()) <= float(moved.bias.abs().max()) <= 10 * eps
        ratio = moved.weight / layer.weight - 1
        assert float(ratio.min()) >= 0
        assert 4 * eps < float(ratio.mean() if ratio.numel() > 100 else 5 * eps) < 6 * eps
        assert float(ratio.max()) <= 11 * eps
    # a second call moves every weight again, outward again
    twice = reference_projection(once, generator(1, "p"))
    assert all(bool((b.weight.abs() >= a.weight.abs()).all()) for a, b in zip(once.layers, twice.layers, strict=True))
    assert float((twice.layers[1].weight / net.layers[1].weight - 1).mean()) > 8 * eps


def test_the_studys_projection_parts_simple_ratios_of_floats():
    net = build([2, 3, 1], 0)
    net.layers[0].weight.fill_(0.5)
    out = reference_projection(net, generator(0, "p")).layers[0].weight
    assert len(torch.unique(out[:, 0])) == 3
    ratio = abs(Fraction(out[0, 0].item()) / Fraction(out[1, 0].item()))
    assert min(ratio.as_integer_ratio()) > 100


def test_the_studys_normal_form_is_the_same_on_the_orbit_and_ill_conditioned():
    net = build([2, 25, 25, 1], 0, bias=1.0)
    for p, q in zip(reference_normal_form(net), reference_normal_form(copied(net, 1)), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=0)

    jumps = []
    for seed in range(5):
        teacher = build([2, 25, 25, 1], seed, bias=1e-6)
        student = build([2, 25, 25, 1], seed, bias=1e-6)
        for p in student.parameters():
            p.add_(2e-6 * torch.randn(p.shape, generator=generator(seed, "noise"), dtype=p.dtype))
        raw = np.linalg.norm(vector(teacher) - vector(student))
        forms = [torch.cat([p.flatten() for p in reference_normal_form(net)]) for net in (teacher, student)]
        jumps.append(float((forms[0] - forms[1]).norm()) / raw)
        assert float(quotient_distance(teacher, student, starts=0)) == pytest.approx(raw, rel=1e-12)
    assert min(jumps) > 1e4


def test_the_normal_form_drops_dead_units_and_computes_the_same():
    net = build([2, 4, 3, 1], 0)
    net.layers[0].weight[1], net.layers[0].bias[1] = 0.0, 0.0
    net.layers[1].bias[0] = 0.0
    form = reference_normal_form(net)
    assert [tuple(p.shape) for p in form[:3]] == [(3, 2), (3,), (3, 3)]
    assert form[3].tolist()[-1] == 0
    assert bool((form[1] > 0).all())
    assert bool((form[1].diff() <= 0).all())
    twin = build([2, 3, 3, 1], 0)
    for p, q in zip(twin.parameters(), form, strict=True):
        p.copy_(q)
    x = torch.rand(20, 2, generator=generator(0, "x"), dtype=torch.float64)
    torch.testing.assert_close(twin(x), net(x))
    with pytest.raises(InputError, match="no biases"):
        reference_normal_form(nn.Sequential(nn.Linear(2, 3, bias=False), nn.Tanh(), nn.Linear(3, 1)))
