"""Minimisers: certified, from random starts and from the teacher, and the bound that the page proves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsenn_book.studies.l1_path.minimisers import _near_starts, _teachers
from sparsenn_book.studies.l1_path.settings import MinimiserSettings, Objective
from sparsenn_book.studies.l1_path.students import ensemble_of
from sparsenn_core.networks import literal_teacher, multi_channel_cnn
from sparsenn_core.recovery import relu_l1_optimum


def test_random_starts_and_the_teacher_are_told_apart(made):
    found = made.parts["found_baseline_sigmoid"]
    assert found.groupby(["penalty", "origin"]).size().to_dict() == {
        ("l1", "random"): 1, ("l1", "teacher"): 4, ("l2", "random"): 1,
    }  # fmt: skip
    assert MinimiserSettings().starts > 1
    weights = made.parts["minimisers_baseline_sigmoid"]
    assert sorted(weights["run"].unique()) == list(found.index)


def test_the_least_value_is_stationary_and_below_the_bound_with_relu(made):
    best = made.minima.sort_values("objective").groupby(["student", "activation", "penalty"]).first()
    l1 = best.xs("l1", level="penalty")
    assert (l1["residual"] < 1e-7).all()
    bound = relu_l1_optimum(literal_teacher("baseline", "relu")) * 1e-5
    for student in ("baseline", "multi_channel"):
        assert 0.999 * bound < l1.loc[(student, "relu"), "objective"] < bound


def test_values_belong_to_the_weights(made):
    found = made.parts["found_baseline_tanh"]
    networks = ensemble_of(made.parts["minimisers_baseline_tanh"], "baseline", "tanh", Objective())
    nonzero = torch.stack([(w != 0).flatten(1).sum(1) for w in networks.params.values()]).sum(0)
    assert nonzero.tolist() == found["nonzero"].tolist()


def test_mirror_images_of_a_sigmoid_teacher_turn_whole_layers():
    near = _near_starts("multi_channel", "sigmoid")
    starts = _teachers(near, Objective())
    first, second, third = (starts.params[f"layers.{i}.weight"] for i in range(3))
    teacher = [w.detach().float() for w in literal_teacher("baseline", "sigmoid").parameters()]
    for n, (a, b, c) in enumerate([(1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1)]):
        torch.testing.assert_close(first[n, :1], a * teacher[0])
        torch.testing.assert_close(second[n, :1, :1], b * teacher[1])
        torch.testing.assert_close(third[n, :, :1], c * teacher[2])
    assert sum(int((w != 0).sum()) for w in starts.params.values()) == 4 * 7
    assert len(_near_starts("baseline", "tanh")) == 1


def gradient_sum(net, x):
    """The sum of absolute derivatives of the output by the inputs, for each row of x."""
    x = x.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(net(x).sum(), x)
    return gradient.abs().sum(1)


def layer_sums(net):
    return [float(w.detach().abs().sum()) for w in net.parameters()]


def test_the_teachers_gradient_reaches_the_product_of_its_sums():
    teacher = literal_teacher("baseline", "relu")
    a, b, c = layer_sums(teacher)
    x = torch.randn(20_000, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert float(gradient_sum(teacher, x).max()) == pytest.approx(a * b * c, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_students_gradient_exceeds_the_product_of_its_sums(seed):
    source = torch.Generator().manual_seed(seed)
    net = multi_channel_cnn("relu", generator=source).double()
    with torch.no_grad():
        for w in net.parameters():
            w.copy_(torch.randn(w.shape, generator=source, dtype=torch.float64))
    a, b, c = layer_sums(net)
    largest = float(gradient_sum(net, torch.randn(500, 12, generator=source, dtype=torch.float64)).max())
    assert largest <= a * b * c <= ((a + b + c) / 3) ** 3 * (1 + 1e-12)
