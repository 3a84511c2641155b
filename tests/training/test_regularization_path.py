"""Paths over the strength: the lasso's own for one layer, stationary points for all, and what enters and leaves."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import lasso_path
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import baseline_cnn, literal_teacher
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.randomness import generator
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, Path, largest_strength, path, refit

TEACHER = literal_teacher("baseline", "tanh")


def linear_problem() -> tuple[Ensemble, Data, Tensor, Tensor]:
    """Two runs of a linear layer with targets of their own."""
    source = generator(3, "data")
    x = torch.randn(2, 60, 6, generator=source, dtype=torch.float64)
    y = x @ torch.tensor([2.0, -1.0, 0.5, 0.0, 0.0, 0.0], dtype=torch.float64)[:, None]
    y = y + 0.5 * torch.randn(2, 60, 1, generator=source, dtype=torch.float64)
    start = Ensemble.of(lambda g: nn.Linear(6, 1, bias=False), 2)
    return start, Data(x, y, torch.arange(2)), x, y


def tree_problem(runs: int = 2) -> tuple[Ensemble, Data]:
    """Students near the teacher, which fit."""
    x = torch.randn(100, 12, generator=generator(4, "data"), dtype=torch.float64)
    students = Ensemble.of(lambda g: baseline_cnn("tanh", generator=g), runs)
    noise = {k: 0.05 * w.double() for k, w in students.params.items()}
    weights = {k: noise[k] + w for (k, _), w in zip(noise.items(), TEACHER.parameters(), strict=True)}
    return students.with_params(weights), Data.shared(x, TEACHER(x))


@pytest.fixture(scope="module")
def tree() -> tuple[Path, Data]:
    start, data = tree_problem()
    return path(start, data, L1, [1e-3, 1e-2, 0.05, 0.3], first_steps=0), data


@pytest.mark.parametrize("rising", [False, True])
def test_of_one_layer_it_is_the_lasso_path(rising: bool) -> None:
    start, data, x, y = linear_problem()
    strengths = sorted([1.0, 0.5, 0.2, 0.05, 0.01], reverse=not rising)
    found = path(start, data, L1, strengths, first_steps=0)
    for run in range(2):
        # scikit-learn: 1/2n |y - Xw|^2 + alpha |w|_1, strengths from large to small
        alphas = sorted((s / 2 for s in strengths), reverse=True)
        _, coefs, _ = lasso_path(x[run].numpy(), y[run, :, 0].numpy(), alphas=np.array(alphas), tol=1e-13)
        wanted = coefs.T[::-1] if rising else coefs.T
        np.testing.assert_allclose(found.weights["weight"][:, run, 0], wanted, atol=1e-6)
        assert (found.nonzero[:, run].numpy() == (abs(wanted) > 1e-9).sum(1)).all()
    assert bool(found.converged.all())


def test_the_largest_strength_of_one_layer_is_where_zero_becomes_the_minimiser() -> None:
    start, data, x, y = linear_problem()
    most = largest_strength(start, data, L1)
    torch.testing.assert_close(most, 2 / 60 * (x.mT @ y).abs().amax((1, 2)))
    for run in range(2):
        one = start.select([run]), data.select(torch.tensor([run]))
        found = path(*one, L1, [1.001 * float(most[run]), 0.999 * float(most[run])], first_steps=0)
        assert found.nonzero[:, 0].tolist() == [0, 1]


def test_with_hidden_layers_zero_is_stationary_at_every_strength_and_stays() -> None:
    start, data = tree_problem()
    assert largest_strength(start, data, L1).tolist() == [0.0, 0.0]
    zero = start.with_params({k: torch.zeros_like(w) for k, w in start.params.items()})
    down = path(zero, data, L1, [1.0, 1e-3, 1e-6], first_steps=0)
    assert not down.nonzero.any()
    assert bool(down.converged.all())


def test_residuals_are_those_of_the_subgradient_worked_out_weight_by_weight(tree: tuple[Path, Data]) -> None:
    found, data = tree
    x, y = data.inputs[0], data.targets[0]
    for s, strength in enumerate(found.strengths.tolist()):
        for r, network in enumerate(found.at(s)):
            loss = (network(x) - y).square().mean()
            loss.backward()
            value = loss.item()
            worst = 0.0
            for p in network.parameters():
                assert p.grad is not None
                for w, g in zip(p.detach().flatten().tolist(), p.grad.flatten().tolist(), strict=True):
                    worst = max(worst, max(abs(g) - strength, 0.0) if w == 0 else abs(g + strength * np.sign(w)))
            # two ways of summing over samples
            assert abs(worst - float(found.residual[s, r])) < 1e-12
            assert abs(value - float(found.loss[s, r])) < 1e-12
            total = sum(float(p.detach().abs().sum()) for p in network.parameters())
            assert float(found.objective[s, r]) == pytest.approx(value + strength * total)
    assert bool(found.converged.all())


def test_entries_and_exits_are_those_of_exact_zeros(tree: tuple[Path, Data]) -> None:
    found, _ = tree
    seen = []
    for s in range(1, len(found.strengths)):
        for run in range(2):
            for name, w in found.weights.items():
                for place, (a, b) in enumerate(zip(w[s - 1, run].flatten(), w[s, run].flatten(), strict=True)):
                    if bool(a != 0) != bool(b != 0):
                        what = "enters" if bool(b != 0) else "leaves"
                        seen.append((run, name, place, what, *found.strengths[s - 1 : s + 1].tolist()))
    assert seen
    assert sorted(map(tuple, found.events.to_numpy().tolist())) == sorted(seen)
    # no fit pays for its weights any more at 0.3, where zero costs 0.37
    assert not found.nonzero[-1].any()


def test_a_refit_keeps_the_zeros_and_takes_the_bias_away(tree: tuple[Path, Data]) -> None:
    found, data = tree
    assert found.refit_loss is not None
    assert found.refit_weights is not None
    for k, w in found.weights.items():
        assert torch.equal(found.refit_weights[k] == 0, w == 0)
    assert bool((found.refit_loss <= found.loss).all())
    assert bool((found.refit_loss[0] < 1e-12).all())
    # taken over where the support stayed: the same loss as when refitted on the spot
    torch.testing.assert_close(found.refit_loss[1], refit(found.at(1), data).loss, rtol=0, atol=1e-12)


def test_a_refit_of_one_layer_is_least_squares_on_the_support() -> None:
    start, data, x, y = linear_problem()
    kept = torch.tensor([1.0, 0, 1, 0, 0, 1], dtype=torch.float64)
    found = refit(start.to(dtype=torch.float64).with_params({"weight": kept.expand(2, 1, 6).clone()}), data)
    for run in range(2):
        best = torch.linalg.lstsq(x[run][:, kept != 0], y[run]).solution[:, 0]
        torch.testing.assert_close(found.ensemble.params["weight"][run, 0, kept != 0], best)
    assert float(found.residual.max()) <= 1e-10


def test_steps_between_let_units_die_and_another_penalty_is_a_function() -> None:
    start, data, _, _ = linear_problem()
    found = path(start, data, lambda s: L1(s) + SquaredL2(0.1), [0.01, 0.1], first_steps=4, steps=4, refitted=False)
    assert found.refit_loss is None
    assert bool(found.converged.all())
    assert bool((found.nonzero[1] <= found.nonzero[0]).all())


def test_points_that_do_not_converge_are_warned_of_once() -> None:
    start, data = tree_problem(1)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        path(start, data, L1, [1e-3, 1e-2], first_steps=0, newton_steps=0, tolerance=1e-30, refitted=False)
    assert [str(w.message)[:22] for w in said if w.category is ConvergenceWarning] == ["path: 2 of 2 points en"]


@pytest.mark.parametrize(
    ("penalty", "strengths", "said"),
    [
        (L1(1e-3), [1e-3], "a function of the strength, such as L1, not L1"),
        (L1, [], "at least one"),
        (L1, [1e-3, 0.0], "above 0, not 0.0"),
        (L1, [1e-3, float("inf")], "above 0, not inf"),
        (L1, [1e-3, 1e-1, 1e-2], "rise or fall"),
        (L1, "strong", "a list of numbers"),
    ],
)
def test_what_is_no_path_is_refused(penalty: object, strengths: object, said: str) -> None:
    start, data = tree_problem(1)
    with pytest.raises(InputError, match=said):
        path(start, data, penalty, strengths)  # type: ignore[arg-type]
