"""The distance up to symmetry: zero on the orbit, equal to brute force where it says so, sound elsewhere."""

import itertools

import numpy as np
import pytest
import torch
from recovery_orbits import ACTIVATIONS, FAMILIES, acted, network

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, baseline_cnn, embed, literal_teacher, multi_channel_cnn
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import aligned, canonical, support_scores


def norm(weights) -> float:
    return sum(float(w.square().sum()) for w in weights) ** 0.5


def brute_force(teacher: list[torch.Tensor], student: list[torch.Tensor], activation: str) -> float:
    """The least distance over every signed permutation of both hidden layers, one after the other."""
    sizes = [len(w) for w in student[:-1]]
    signs = [list(itertools.product([1.0, -1.0], repeat=n)) if activation == "tanh" else [(1.0,) * n] for n in sizes]
    elements = [list(itertools.product(itertools.permutations(range(n)), s)) for n, s in zip(sizes, signs, strict=True)]
    t, (a, b, c) = [w.numpy() for w in teacher], [w.numpy() for w in student]
    least = np.inf
    for p, s in elements[0]:
        first = (a[list(p)].T * s).T
        middle = (
            (b[:, list(p)].swapaxes(1, -1) * s).swapaxes(1, -1) if b.ndim == 2 else b[:, list(p)] * np.array(s)[:, None]
        )
        rest = ((first - t[0]) ** 2).sum()
        for q, r in elements[1]:
            u = (middle[list(q)].T * r).T
            v = c[:, list(q)] * (np.array(r) if c.ndim == 2 else np.array(r)[:, None])
            least = min(least, rest + ((u - t[1]) ** 2).sum() + ((v - t[2]) ** 2).sum())
    return float(np.sqrt(least))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_orbit_of_the_teacher_has_distance_zero(family, activation):
    net = network(family, activation)
    for seed in range(5):
        result = aligned(net, acted(net, activation, seed))
        assert float(result) < 1e-9 * result.norm
        for w, t in zip(result.weights, result.teacher, strict=True):
            torch.testing.assert_close(w[0], t, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_distance_is_that_of_the_orbits(family, activation):
    teacher, student = network(family, activation, 0), network(family, activation, 1)
    expected = aligned(teacher, student)
    result = aligned(acted(teacher, activation, 2), acted(student, activation, 3), activation)
    assert bool(expected.exact) == (family != "deep mlp" or activation != "tanh") == bool(result.exact)
    if expected.exact:
        assert float(result) == pytest.approx(float(expected), rel=1e-9)
    assert float(expected) <= norm(w - v for w, v in zip(canonical(teacher), canonical(student), strict=True)) + 1e-12


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("widths", [None, (2, 3, 3, 1)])
def test_exact_search_is_brute_force(widths, activation):
    def build(seed: int) -> list[torch.Tensor]:
        g = generator(seed, "init")
        net = (
            multi_channel_cnn(activation, generator=g)
            if widths is None
            else MLP(widths, activation, bias=False, generator=g)
        )
        # three channels of four: two hidden layers of 48 signed permutations each, tried one by one
        weights = [p.detach().double() for p in net.parameters()]
        return [weights[0][:3], weights[1][:3, :3], weights[2][:, :3]] if widths is None else weights

    for seed in range(3):
        teacher, student = canonical(build(seed), activation), canonical(build(100 + seed), activation)
        result = aligned(teacher, student, activation)
        assert bool(result.exact)
        assert float(result) == pytest.approx(brute_force(teacher, student, activation), rel=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_zero_network_and_wider_students(activation):
    teacher = literal_teacher("baseline", activation)
    zero = [torch.zeros_like(p) for p in multi_channel_cnn(activation, generator=generator(0, "i")).parameters()]
    result = aligned(teacher, zero)
    assert float(result) == pytest.approx(result.norm, rel=1e-12)
    assert float(result.relative_shape) == 1
    wide = [z.double() for z in zero]
    for w, t in zip(wide, (p.detach() for p in teacher.parameters()), strict=True):
        w[-1, -1] = t[0, 0]
    assert float(aligned(teacher, wide)) == pytest.approx(0, abs=1e-12)
    # and the teacher may be the wider of the two
    assert float(aligned(wide, [p.detach() for p in teacher.parameters()], activation)) == pytest.approx(0, abs=1e-12)


def test_a_batch_is_its_runs():
    teacher = literal_teacher("multi_channel", "tanh")
    nets = [multi_channel_cnn("tanh", generator=generator(s, "init")) for s in range(6)]
    together = [torch.stack([p.detach() for p in ps]) for ps in zip(*(n.parameters() for n in nets), strict=True)]
    result = aligned(teacher, together)
    for run, net in enumerate(nets):
        alone = aligned(teacher, net)
        assert float(alone) == pytest.approx(float(result.distance[run]), rel=1e-12)
        for w, v in zip(alone.weights, result.weights, strict=True):
            torch.testing.assert_close(w[0], v[run])
    by_name = aligned(teacher, dict(zip(["a", "b", "c"], together, strict=True)))
    torch.testing.assert_close(by_name.distance, result.distance, rtol=0, atol=0)


def test_wide_runs_do_not_depend_on_their_neighbours():
    teacher = embed(literal_teacher("baseline", "relu"))
    nets = [MLP((12, 9, 8, 1), "relu", bias=False, generator=generator(s, "init")) for s in range(4)]
    together = [torch.stack([p.detach() for p in ps]) for ps in zip(*(n.parameters() for n in nets), strict=True)]
    result = aligned(teacher, together, "relu")
    assert not bool(result.exact.any())
    for run, net in enumerate(nets):
        assert float(aligned(teacher, net, "relu")) == pytest.approx(float(result.distance[run]), rel=1e-12)


def test_mirror_images_of_sigmoid_networks():
    """sigma(-z) = 1 - sigma(z): a flip is exact where the taps that read the unit sum to zero."""
    teacher = baseline_cnn("sigmoid", generator=generator(0, "init")).double().requires_grad_(False)
    mirror = baseline_cnn("sigmoid", generator=generator(0, "init")).double().requires_grad_(False)
    weights = [[[[2.59, -2.83, 0.87]]], [[[-1.3, 1.3]]], [[[0.85, -0.85]]]]
    for p, q, w, sign in zip(teacher.parameters(), mirror.parameters(), weights, (-1, -1, 1), strict=True):
        p.copy_(torch.tensor(w, dtype=torch.float64))
        q.copy_(sign * p)
    x = torch.randn(50, 12, generator=generator(0, "data"), dtype=torch.float64)
    torch.testing.assert_close(mirror(x), teacher(x))
    assert float(aligned(teacher, mirror)) > 1
    assert float(aligned(teacher, mirror, signed=True)) == 0


def test_diverged_students_get_no_distance_and_disturb_no_other():
    teacher = [p.detach() for p in literal_teacher("multi_channel", "tanh").parameters()]
    students = [torch.stack([w, w, w]) for w in teacher]
    students[1][1, 0, 0] = float("nan")
    result = aligned(teacher, students, "tanh")
    assert result.distance[[0, 2]].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert result.distance.isnan().tolist() == [False, True, False]
    assert result.exact.tolist() == [True, False, True]


def test_shape_distance_forgives_a_factor_a_layer_and_no_more():
    teacher = [p.detach() for p in literal_teacher("multi_channel", "tanh").parameters()]
    shrunk = [c * w for c, w in zip((0.9, 0.8, 0.7), teacher, strict=True)]
    result = aligned(teacher, shrunk, "tanh")
    assert float(result.relative_shape) < 1e-12 < 0.1 < float(result.relative)
    bent = aligned(teacher, [teacher[0] + 0.3, *teacher[1:]], "tanh")
    assert 0.01 < float(bent.relative_shape) <= float(bent.relative)


def test_wide_students_are_found_by_what_they_compute():
    teacher = embed(literal_teacher("multi_channel", "tanh"))
    student = MLP((12, 40, 20, 1), "tanh", bias=False, generator=generator(0, "init")).double().requires_grad_(False)
    g = generator(1, "noise")
    for p, w in zip(student.parameters(), teacher, strict=True):
        p.normal_(generator=g).mul_(1e-3)
        p[: w.shape[0], : w.shape[1]] += w
    result = aligned(teacher, acted(student, "tanh", 4), "tanh")
    perturbation = norm(p - torch.nn.functional.pad(w, (0, p.shape[1] - w.shape[1], 0, p.shape[0] - w.shape[0]))
                        for p, w in zip(student.parameters(), teacher, strict=True))  # fmt: skip
    assert float(result) <= perturbation
    assert not bool(result.exact)


def test_support_scores_by_hand():
    teacher = [torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 1.0]])]
    student = [torch.tensor([[1.0, 3e-3], [0.0, 2.0]]), torch.tensor([[1.0, 5e-2]])]
    result = support_scores(aligned(teacher, student, "tanh"), thresholds=(0.0, 1e-2, 1e-1, 5.0))
    assert result.needed.tolist() == [2, 2]
    assert result.kept[0].tolist() == [[3, 2], [2, 2], [2, 1], [0, 0]]
    assert result.precision[0, :3].tolist() == [4 / 5, 1, 1]
    assert result.recall[0].tolist() == [1, 1, 3 / 4, 0]
    assert result.f1[0].tolist() == pytest.approx([8 / 9, 1, 6 / 7, 0])
    assert result.exact[0].tolist() == [False, True, False, False]
    assert bool(result.precision[0, 3].isnan())
    with pytest.raises(InputError, match="thresholds"):
        support_scores(aligned(teacher, student, "tanh"), thresholds=(-1.0,))


def test_refusals():
    teacher = literal_teacher("baseline", "tanh")
    dense = MLP((12, 4, 1), "tanh", bias=False, generator=generator(0, "init"))
    with pytest.raises(InputError, match="name the activation"):
        aligned([p.detach() for p in teacher.parameters()], teacher)
    with pytest.raises(InputError, match="embed"):
        aligned(baseline_cnn("tanh", generator=generator(0, "init")), dense)
