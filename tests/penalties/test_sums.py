"""Sums of penalties against their definition: prox, residual, and what is refused."""

from dataclasses import dataclass

import pytest
import torch
from draws import GROUPS, STRENGTH, R, draw, steps_of

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import DRR, L1, FixedSupport, GroupL2, PathProx, Penalty, SquaredL2, Total, sum_runs

WEIGHT, BIAS, OUT = ("a.weight",), ("a.bias",), ("b.weight",)
MASKS = {k: draw("mask", zeros=False)[k] > -0.5 for k in ("a.weight", "b.weight")}


@dataclass(frozen=True)
class Fourth(Penalty):
    """strength * sum w^4, with nothing but its value."""

    smooth = True

    def value(self, params):
        return self.strength * sum(sum_runs(w**4) for _, w in self.covered(params))


SUMS = {
    "l1 by layer": L1(STRENGTH, only=WEIGHT) + L1(0.2, only=OUT) + L1(0.1, only=BIAS),
    "l1 twice": L1(STRENGTH) + L1(0.2),
    "l1 and l2 apart": L1(STRENGTH, only=WEIGHT) + SquaredL2(0.4, only=BIAS),
    "l1 and l2 overlapping": L1(STRENGTH, only=("a.weight", "a.bias")) + SquaredL2(0.4, only=("a.bias", "b.weight")),
    "l2 twice": SquaredL2(STRENGTH) + SquaredL2(0.3, weights_only=True),
    "group and l2": GroupL2(STRENGTH, groups=GROUPS) + SquaredL2(0.4),
    "group twice": GroupL2(STRENGTH, groups=GROUPS) + GroupL2(0.2, groups={"a.weight": 0}),
    "sparse group lasso": L1(0.2, weights_only=True) + GroupL2(STRENGTH, groups=GROUPS),
    "all three": L1(STRENGTH / 2) + GroupL2(STRENGTH, groups=GROUPS) + SquaredL2(STRENGTH),
}
DELEGATED = {
    "l1 and a mask": L1(STRENGTH) + FixedSupport(masks=MASKS),
    "a mask, groups and l2": FixedSupport(masks=MASKS) + GroupL2(STRENGTH, groups=GROUPS) + SquaredL2(0.2),
}


def nudges(params, count=30):
    for trial in range(count):
        noise = draw(f"nudge {trial}", zeros=False)
        for size in (1e-4, 1e-2, 0.3):
            yield {k: params[k] + size * noise[k] for k in params}


@pytest.mark.parametrize("steps", ["one", "by weight"])
@pytest.mark.parametrize("name", list(SUMS))
def test_the_prox_of_a_sum_beats_every_nearby_point(name, steps):
    params = draw()
    step = 0.7 if steps == "one" else steps_of()
    found = SUMS[name].prox(params, step)

    def objective(u):
        scale = step if isinstance(step, dict) else dict.fromkeys(params, step)
        return sum(((u[k] - params[k]).square() / (2 * scale[k])).flatten(1).sum(1) for k in u) + SUMS[name].value(u)

    best = objective(found)
    for nudged in nudges(found):
        assert (objective(nudged) >= best - 1e-13).all()


@pytest.mark.parametrize("steps", ["one", "by weight"])
@pytest.mark.parametrize("name", list(SUMS | DELEGATED))
def test_the_residual_of_a_sum_is_zero_exactly_at_fixed_points_of_its_prox(name, steps):
    """u = prox(w) means that (w - u) / step is a subgradient at u."""
    penalty, params = (SUMS | DELEGATED)[name], draw(zeros=False)
    if "mask" in name:
        params = {k: w * MASKS.get(k, 1) for k, w in params.items()}
    step = dict.fromkeys(params, 0.4) if steps == "one" else steps_of()
    u = penalty.prox(params, 0.4 if steps == "one" else step)
    grad = {k: (u[k] - params[k]) / step[k] for k in u}
    assert penalty.residual(u, grad).max() < 1e-12
    assert (penalty.residual(u, {k: g + 0.01 for k, g in grad.items()}) > 1e-3).all()


def test_the_residual_of_the_sparse_group_lasso_is_the_shortest_subgradient():
    """At a zero group, an active group with zeros and one without: against the projection found by many small steps."""
    l1, group = 0.3, 0.8
    w = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 2.0, -1.0], [1.0, 0.5, -2.0]]], dtype=torch.float64)
    grad = 2 * torch.randn(w.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    penalty = L1(l1) + GroupL2(group, groups={"w": 0})
    a, b = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for _ in range(3000):  # alternating projections onto box and ball
        a = (-grad[0, 0] - b).clamp(-l1, l1)
        b = -grad[0, 0] - a
        b = b * min(1.0, group / b.norm().item())
    zero_group = (grad[0, 0] + a + b).abs().max()
    others = []
    for g in (1, 2):
        for i in range(3):
            slope = grad[0, g, i] + group * w[0, g, i] / w[0, g].norm()
            here = w[0, g, i]
            others.append((slope.abs() - l1).clamp(min=0) if here == 0 else (slope + l1 * here.sign()).abs())
    expected = max(zero_group, *others)
    torch.testing.assert_close(penalty.residual({"w": w}, {"w": grad})[0], expected)
    only_zero = {"w": grad * torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)[None, :, None]}
    resting = penalty.residual({"w": torch.zeros_like(w)}, only_zero)[0]
    torch.testing.assert_close(resting, zero_group)


def test_sums_agree_with_their_parts_where_these_are_apart():
    params, grad = draw(), draw("gradient", zeros=False)
    penalty = L1(STRENGTH, only=WEIGHT) + SquaredL2(0.4, only=BIAS) + L1(0.3, only=OUT)
    for part, name in zip(penalty.parts, (*WEIGHT, *BIAS, *OUT), strict=True):
        assert torch.equal(penalty.prox(params, 0.3)[name], part.prox(params, 0.3)[name])
    alone = [p.residual(params, {k: g if k in p.only else 0 * g for k, g in grad.items()}) for p in penalty.parts]
    assert torch.equal(penalty.residual(params, grad), torch.stack(alone).amax(0))


def test_l1_twice_is_l1_with_the_sum_of_the_strengths():
    params, grad = draw(), draw("gradient", zeros=False)
    twice, once = L1(STRENGTH) + L1(0.2), L1(STRENGTH + 0.2)
    torch.testing.assert_close(twice.prox(params, 0.3), once.prox(params, 0.3))
    torch.testing.assert_close(twice.residual(params, grad), once.residual(params, grad))
    assert (twice.covered(params) == once.covered(params)) is True


def test_a_masked_sum_stays_on_its_mask_and_solves_the_smaller_problem():
    params = draw()
    found = DELEGATED["l1 and a mask"].prox(params, 0.3)
    plain = L1(STRENGTH).prox(params, 0.3)
    for k, w in found.items():
        assert torch.equal(w, plain[k] * MASKS.get(k, 1))


def test_smooth_penalties_of_ones_own_join_any_residual():
    params, grad = draw(), draw("gradient", zeros=False)
    halves = Fourth(STRENGTH * 0 + 0.3, only=WEIGHT) + Fourth(STRENGTH * 0 + 0.3, only=(*BIAS, *OUT))
    penalty = L1(STRENGTH) + halves + GroupL2(0.1, groups=GROUPS)
    moved = {k: grad[k] + 4 * 0.3 * w**3 for k, w in params.items()}
    expected = (L1(STRENGTH) + GroupL2(0.1, groups=GROUPS)).residual(params, moved)
    torch.testing.assert_close(penalty.residual(params, grad), expected)
    assert not penalty.smooth
    both = SquaredL2(0.1) + Fourth(0.3)
    assert both.smooth
    torch.testing.assert_close(both.gradient(params), {k: 0.2 * w + 1.2 * w**3 for k, w in params.items()})


def test_other_penalties_may_join_where_they_are_alone():
    params, grad = draw(), draw("gradient", zeros=False)
    drr = DRR(STRENGTH, beta=2.0, only=WEIGHT)
    mixed = drr + L1(0.2, only=BIAS)
    parts = [
        drr.residual(params, {k: g * (k in WEIGHT) for k, g in grad.items()}),
        L1(0.2, only=BIAS).residual(params, {k: g * (k not in WEIGHT) for k, g in grad.items()}),
    ]
    assert torch.equal(mixed.residual(params, grad), torch.stack(parts).amax(0))
    path = PathProx(STRENGTH, "a.weight", "a.bias", "b.weight")
    more = {**params, "c": params["a.bias"] + 1}
    found = (path + SquaredL2(0.5, only=("c",))).prox(more, 0.2)
    alone = path.prox(more, 0.2)
    assert all(torch.equal(found[k], alone[k]) for k in params)
    torch.testing.assert_close(found["c"], more["c"] / 1.2)


@dataclass(frozen=True)
class Halved(L1):
    """A subclass with a value and prox of its own, which no sum may take for L1."""

    def value(self, params):
        return super().value(params) / 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (DRR(1.0) + L1(1.0)).residual(draw(), draw()), r"residual of DRR \+ L1 on a.weight is not known"),
        (lambda: (Halved(1.0) + L1(1.0)).prox(draw(), 0.1), r"prox of Halved \+ L1 on a.weight is not known"),
        (
            lambda: (PathProx(1.0, "a.weight", "a.bias", "b.weight") + SquaredL2(1.0)).prox(draw(), 0.1),
            r"prox of PathProx \+ SquaredL2 on a.weight",
        ),
        (lambda: (Fourth(1.0) + L1(1.0)).prox(draw(), 0.1), r"prox of Fourth \+ L1 on a.weight"),
        (lambda: (Fourth(1.0, only=WEIGHT) + L1(1.0, only=BIAS)).prox(draw(), 0.1), "Fourth has no closed-form prox"),
        (
            lambda: (GroupL2(1.0, groups=GROUPS) + GroupL2(1.0, groups={"a.weight": 1})).prox(draw(), 0.1),
            r"GroupL2 \+ GroupL2 on a.weight is not known: the groups lie along different axes",
        ),
        (lambda: (L1(1.0) + SquaredL2(1.0)).strength_max(draw()), "ask its parts"),
        (lambda: Total(strength=2.0, parts=(L1(1.0),)), r"make sums with \+"),
        (lambda: (L1(torch.ones(2)) + SquaredL2(1.0)).strengths(R, torch.ones(1)), "2 strengths for 3 runs"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
