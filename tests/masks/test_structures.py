"""Units, ranks, schedules and allocation: exact counts, whatever the scores."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsenn_core.errors import InputError
from sparsenn_core.masks import (
    NM,
    Block,
    Channel,
    Cubic,
    OneShot,
    Structure,
    Unstructured,
    erdos_renyi,
    keep_top,
    uniform,
)
from sparsenn_core.randomness import generator

FEW = settings(max_examples=40, deadline=None)


@FEW
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, -2.0, math.nan, math.inf, -math.inf]), min_size=5, max_size=5),
                min_size=1, max_size=4), st.data())  # fmt: skip
def test_exactly_so_many_are_kept_and_none_is_beaten(rows, data):
    values = torch.tensor(rows, dtype=torch.float64)
    count = torch.tensor([data.draw(st.integers(0, 5)) for _ in rows])
    kept = keep_top(values, count)
    assert kept.sum(-1).tolist() == count.tolist()
    for row, own, k in zip(rows, kept, count.tolist(), strict=True):
        # the obvious twin: a stable sort, NaN as the least of all
        order = sorted(range(5), key=lambda i: -row[i] if row[i] == row[i] else math.inf)
        assert sorted(order[:k]) == own.nonzero()[:, 0].tolist()


def test_the_case_that_failed_equal_scores():
    """A threshold keeps 0 of 16 equal scores where 8 are asked for, and 1 at sparsity 1."""
    equal = torch.ones(1, 4, 4)
    for sparsity, kept in ((0.5, 8), (1.0, 0), (0.0, 16)):
        count = torch.tensor([Unstructured().kept((4, 4), sparsity)])
        assert int(Unstructured().mask(equal, count).sum()) == kept


@FEW
@given(st.sampled_from([(8, 16), (8, 8, 3), (16, 4, 2, 2)]), st.floats(0, 1), st.integers(0, 99))
def test_counts_of_every_structure(shape, sparsity, seed):
    values = torch.randn(3, *shape, generator=generator(seed, "values"), dtype=torch.float64)
    for structure in (Unstructured(), Block(4, 2), Channel()):
        rows, units = structure.layout(shape)
        kept = structure.kept(shape, sparsity)
        mask = structure.mask(values, torch.full((3,), kept))
        assert abs(kept - (1 - sparsity) * units) <= 0.5
        size = math.prod(shape) // (rows * units)
        assert mask.flatten(1).sum(1).tolist() == [rows * kept * size] * 3


@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 4), (1, 2), (3, 8)])
@pytest.mark.parametrize("shape", [(6, 16), (5, 8, 3, 3)])
def test_n_of_every_m_inputs(n, m, shape):
    values = torch.randn(2, *shape, generator=generator(n, "values"))
    mask = NM(n, m).mask(values.abs(), torch.full((2,), n))
    groups = mask.movedim(2, -1).reshape(-1, m)
    assert bool((groups.sum(1) == n).all())
    chosen = values.abs().movedim(2, -1).reshape(-1, m)
    assert bool(
        (torch.where(groups, chosen, torch.inf).amin(1) >= torch.where(groups, -torch.inf, chosen).amax(1)).all()
    )


def test_blocks_are_whole_and_those_of_largest_norm():
    values = torch.randn(1, 8, 12, generator=generator(1, "values"), dtype=torch.float64)
    mask = Block(4, 3).mask(values, torch.tensor([3]))[0]
    norms = {(i, j): float(values[0, 4 * i : 4 * i + 4, 3 * j : 3 * j + 3].norm()) for i in range(2) for j in range(4)}
    best = sorted(norms, key=lambda place: -norms[place])[:3]
    expected = torch.zeros(8, 12, dtype=torch.bool)
    for i, j in best:
        expected[4 * i : 4 * i + 4, 3 * j : 3 * j + 3] = True
    assert torch.equal(mask, expected)


def test_channels_are_whole_rows():
    values = torch.tensor([[[3.0, 0.0], [2.0, 2.5], [0.1, 0.1]]])
    assert Channel().mask(values, torch.tensor([1]))[0].tolist() == [[False] * 2, [True] * 2, [False] * 2]


def test_the_count_may_differ_by_run():
    values = torch.randn(3, 4, 5, generator=generator(0, "values"))
    mask = Unstructured().mask(values, torch.tensor([0, 7, 20]))
    assert mask.flatten(1).sum(1).tolist() == [0, 7, 20]


@FEW
@given(st.integers(0, 50), st.integers(1, 100), st.integers(1, 30))
def test_cubic_sparsity_grows_from_nothing_to_all(start, length, every):
    schedule = Cubic(start, start + length, every)
    shares = [schedule.progress(step) for step in range(start + length + 5)]
    assert shares[: start + 1] == [0.0] * (start + 1)
    assert shares[start + length :] == [1.0] * 5
    assert all(a <= b for a, b in itertools.pairwise(shares))
    changed = [step for step in range(1, len(shares)) if shares[step] != shares[step - 1]]
    assert all(schedule.due(step) for step in changed)


def test_cubic_is_zhu_and_guptas_formula():
    schedule = Cubic(10, 110)
    for step in (10, 35, 60, 110):
        expected = 0.9 + (0.0 - 0.9) * (1 - (step - 10) / 100) ** 3
        assert 0.9 * schedule.progress(step) == pytest.approx(expected)


def test_one_shot_is_one_event():
    schedule = OneShot(7)
    assert [schedule.progress(s) for s in (0, 6, 7, 8)] == [0, 0, 1, 1]
    assert [s for s in range(20) if schedule.due(s)] == [7]


@FEW
@given(
    st.lists(st.sampled_from([(64, 20), (1, 64), (128, 64), (16, 3, 3, 3)]), min_size=1, max_size=4), st.floats(0, 1)
)
def test_allocations_keep_the_asked_share_of_all_weights(shapes, sparsity):
    sizes = [math.prod(shape) for shape in shapes]
    for allocation in (uniform, erdos_renyi):
        shares = allocation(shapes, sparsity)
        assert all(0 <= share <= 1 for share in shares)
        kept = sum((1 - share) * size for share, size in zip(shares, sizes, strict=True))
        assert kept == pytest.approx((1 - sparsity) * sum(sizes), abs=1e-6 * sum(sizes))


def test_erdos_renyi_makes_large_layers_sparser():
    small, large = erdos_renyi([(16, 16), (256, 256)], 0.9)
    assert large > 0.9 > small


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Unstructured().kept((4, 4), 1.5), "from 0 to 1, not 1.5; 1.5 % is 0.015"),
        (lambda: Unstructured().kept((4, 4), -0.1), "the nearest is 0"),
        (lambda: Unstructured().kept((4, 4), math.nan), "not nan"),
        (lambda: Unstructured().kept((4, 4), None), "needs a sparsity"),
        (lambda: NM(5, 4), "1 <= n <= m"),
        (lambda: NM(2, 4).layout((3, 10)), "2:4 does not divide 10 inputs; 8 inputs it would"),
        (lambda: NM(2, 4).kept((3, 8), 0.9), "sparsity of 2:4 is 0.5, not 0.9"),
        (lambda: Block(4, 4).layout((6, 8)), "blocks 4 x 4 do not divide 6 outputs x 8 inputs"),
        (lambda: Block(0, 4), "sides of 1 or more"),
        (lambda: Cubic(10, 10), "ends before it starts: start=10, stop=10"),
        (lambda: Cubic(10, 5), "ends before it starts"),
        (lambda: Cubic(0, 5, 0), "every of Cubic must be 1 or more"),
        (lambda: OneShot(-1), "a number of steps, 0 or more, not -1"),
        (lambda: uniform([(2, 2)], 2.0), "from 0 to 1, not 2.0"),
    ],
)
def test_refusals(make, text):
    with pytest.raises(InputError, match=re.escape(text)) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_structure_of_ones_own_needs_three_methods():
    class Columns(Structure):
        """Whole inputs."""

        def layout(self, shape):
            return 1, shape[1]

        def ranked(self, values):
            return values.flatten(3).norm(dim=1).unsqueeze(1) if values.ndim > 3 else values.norm(dim=1).unsqueeze(1)

        def spread(self, units, shape):
            return units.reshape(-1, 1, shape[1]).expand(-1, *shape).clone()

    mask = Columns().mask(torch.tensor([[[1.0, 5.0, 2.0], [1.0, 0.0, 2.0]]]), torch.tensor([1]))
    assert mask[0].tolist() == [[False, True, False]] * 2
