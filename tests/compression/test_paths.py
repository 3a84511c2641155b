"""The lasso's path, whole channels, orders of neurons and the search, each against a slow obvious twin."""

from __future__ import annotations

import compression_nets as nets
import numpy as np
import pytest
from sklearn.linear_model import MultiTaskLasso

from sparsenn_core import lasso
from sparsenn_core.compression import (
    LayerProblem,
    OrderedPath,
    StrengthPath,
    at_random,
    contribution,
    magnitude,
    matching_pursuit,
    narrowest,
    of_width,
    path_norm,
    refitted,
    restricted,
)
from sparsenn_core.compression.group_lasso import certificate, group_norms, solve_groups
from sparsenn_core.errors import InputError


@pytest.fixture(scope="module")
def problem() -> LayerProblem:
    return nets.problem_of(nets.perceptron(widths=(6, 40, 4)), "2", nets.images((6,)))


@pytest.fixture(scope="module")
def channels() -> LayerProblem:
    return nets.problem_of(nets.flattened(), "3", nets.images((1, 5, 5)))


def objective(problem: LayerProblem, weight: np.ndarray, strength: float) -> float:
    return problem.error(weight) + strength * problem.norms(weight).sum()


@pytest.mark.parametrize("strength", [0.3, 0.03, 0.003])
def test_the_penalised_optimum_is_that_of_an_independent_solver(problem: LayerProblem, strength: float) -> None:
    data = nets.images((6,))
    model = nets.perceptron(widths=(6, 40, 4))
    phi = model[:2](data[0]).detach().numpy()
    psi = phi @ problem.weight.T
    other = MultiTaskLasso(alpha=strength * 4 / 2, fit_intercept=False, tol=1e-13, max_iter=200_000).fit(phi, psi)
    found = StrengthPath(problem).at(strength)
    ours, theirs = (objective(problem, weight, strength) for weight in (found.weight, other.coef_))
    assert abs(ours - theirs) < 1e-8 * theirs
    assert ours <= theirs * (1 + 1e-12)
    assert found.gap is not None
    assert abs(found.gap) < 1e-11


@pytest.mark.parametrize("backwards", [False, True])
def test_a_solution_from_the_one_before_is_that_from_nothing(problem: LayerProblem, backwards: bool) -> None:
    path = StrengthPath(problem)
    strengths = path.strengths()
    for strength in strengths[::-5] if backwards else strengths[::5]:
        warm = path.at(float(strength))
        cold = lasso.solve(*problem.data, float(strength))
        np.testing.assert_allclose(warm.weight, cold.coef, atol=1e-9 * np.abs(cold.coef).max())
        check = lasso.certify(warm.weight, *problem.data, float(strength))
        assert abs(check.gap) < 1e-11


def test_all_is_zero_above_the_largest_strength_and_not_below(problem: LayerProblem) -> None:
    path = StrengthPath(problem)
    above, below = path.at(path.most * 1.001), path.at(path.most * 0.999)
    assert not above.weight.any()
    assert above.width == 1
    assert below.weight.any()


@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
def test_neurons_of_one_input_are_the_multi_task_lasso(problem: LayerProblem, strength: float) -> None:
    features, targets = problem.data
    ours, exact = solve_groups(features, targets, strength, 1), lasso.solve(features, targets, strength)
    np.testing.assert_allclose(ours.objective, exact.objective, rtol=1e-9)
    assert ((ours.coef != 0).any(0) == exact.support).all()


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_whole_channels_are_optimal_by_their_own_conditions(channels: LayerProblem, share: float) -> None:
    path = StrengthPath(channels)
    strength = share * path.most
    found = path.at(strength)
    gradient = 2 * (found.weight @ channels.gram - channels.cross)
    norms, size = channels.norms(found.weight), channels.size
    for k in range(channels.neurons):
        own = gradient[:, k * size : (k + 1) * size]
        if norms[k]:
            direction = found.weight[:, k * size : (k + 1) * size] / norms[k]
            np.testing.assert_allclose(own, -strength * direction, atol=1e-4 * strength)
        else:
            assert np.linalg.norm(own) <= strength * (1 + 1e-6)
    assert abs(found.gap or 0.0) < 1e-8
    nudges = np.random.default_rng(0).normal(size=(50, *found.weight.shape)) * 1e-3
    least = objective(channels, found.weight, strength)
    assert all(objective(channels, found.weight + nudge, strength) >= least * (1 - 1e-9) for nudge in nudges)


def test_the_certificate_is_a_lower_bound_for_any_dual(channels: LayerProblem) -> None:
    features, targets = channels.data
    strength = 0.1 * StrengthPath(channels).most
    optimum = solve_groups(features, targets, strength, channels.size).objective
    rng = np.random.default_rng(3)
    for _ in range(20):
        some = certificate(rng.normal(size=(8, 90)), rng.normal(size=targets.shape), features, targets, strength, 9)
        assert some.objective * (1 - some.gap) <= optimum <= some.objective


def test_group_norms_are_those_of_blocks() -> None:
    columns = np.arange(12.0).reshape(2, 6)
    np.testing.assert_allclose(
        group_norms(columns, 3), [np.linalg.norm(columns[:, :3]), np.linalg.norm(columns[:, 3:])]
    )


def slow_matching_pursuit(problem: LayerProblem, count: int) -> list[int]:
    """Refit from the beginning at every step; the correlations with an orthonormal basis of each neuron's inputs."""
    features, targets = problem.data
    blocks = [features[k * problem.size : (k + 1) * problem.size] for k in range(problem.neurons)]
    chosen: list[int] = []
    for _ in range(count):
        left = targets
        if chosen:
            basis = np.linalg.qr(np.vstack([blocks[k] for k in chosen]).T)[0]
            left = targets - (targets @ basis) @ basis.T
        scores = [np.linalg.norm(left @ np.linalg.qr(block.T)[0]) for block in blocks]
        chosen.append(int(np.argmax([-1 if k in chosen else s for k, s in enumerate(scores)])))
    return chosen


@pytest.mark.parametrize("which", ["problem", "channels"])
def test_matching_pursuit_refits_and_correlates(which: str, request: pytest.FixtureRequest) -> None:
    given: LayerProblem = request.getfixturevalue(which)
    assert matching_pursuit(given)[:6].tolist() == slow_matching_pursuit(given, 6)


def test_orders_rank_by_what_they_say() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    given = nets.problem_of(model, "2", data)
    out, h = model[2].weight.detach(), model[:2](data[0]).detach()
    own = [float(np.hypot(w.norm().item(), b.item())) for w, b in zip(model[0].weight, model[0].bias, strict=True)]
    expected = {
        magnitude: out.norm(dim=0).numpy(),
        contribution: (out.norm(dim=0) * h.square().mean(0).sqrt()).numpy(),
        path_norm: out.norm(dim=0).numpy() * np.array(own),
    }
    for order, score in expected.items():
        assert order(given).tolist() == np.argsort(-score).tolist()
    assert at_random(1)(given).tolist() == at_random(1)(given).tolist() != at_random(2)(given).tolist()


@pytest.mark.parametrize("order", [magnitude, contribution, path_norm, at_random(0), matching_pursuit])
def test_orders_name_every_neuron_once_even_dead_and_doubled_ones(order: object) -> None:
    model, data = nets.perceptron(), nets.images((6,))
    model[0].weight.data[3], model[0].bias.data[3] = model[0].weight[4].clone(), model[0].bias[4].clone()
    model[0].weight.data[5], model[0].bias.data[5] = 0.0, -1.0
    path = OrderedPath(nets.problem_of(model, "2", data), order)  # type: ignore[arg-type]
    assert [c.width for c in path][-1] == 20


def test_an_order_that_is_none_is_refused(problem: LayerProblem) -> None:
    with pytest.raises(InputError, match="each of the 40 neurons once"):
        OrderedPath(problem, lambda p: np.zeros(p.neurons, dtype=np.int64))


def test_widths_grow_along_paths_and_end_with_all_neurons(problem: LayerProblem) -> None:
    for path in (StrengthPath(problem), OrderedPath(problem, magnitude)):
        widths = [candidate.width for candidate in path]
        assert widths == sorted(widths)
        assert widths[-1] == problem.neurons


@pytest.mark.parametrize("width", [1, 2, 7, 23, 40])
def test_a_width_is_met(problem: LayerProblem, width: int) -> None:
    assert of_width(OrderedPath(problem, magnitude), width).width == width
    assert of_width(StrengthPath(problem), width).width == width


def test_the_narrowest_good_candidate_is_found_by_halving(problem: LayerProblem) -> None:
    for path in (OrderedPath(problem, magnitude), StrengthPath(problem)):
        found = narrowest(path, lambda candidate: candidate.width >= 19)
        assert found is not None
        assert found.width == 19
    assert narrowest(OrderedPath(problem, magnitude), lambda candidate: False) is None


def test_the_lasso_with_refit_beats_the_weights_as_given_and_its_own(problem: LayerProblem) -> None:
    found = of_width(StrengthPath(problem), 12)
    ways = [refitted(problem, found), found, restricted(problem, found.kept)]
    errors = [problem.error(one.weight, one.bias - problem.bias) for one in ways]
    assert errors[0] < min(errors[1:])
