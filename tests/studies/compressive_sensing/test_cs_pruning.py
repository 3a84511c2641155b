"""Exact gradient pruning: columns of a batch are runs of their own, precision and threads of randomness."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing.pruning import Proposals, columns, largest_strengths
from sparsenn_core.randomness import generator

SMALL = cs.Family(30, 60, 3)
GRID = cs.Grid(lambda0_count=6, lambda1_shares=(0.0, 0.1), init_shares=(0.0, 1.0), epochs=120, precision="float64")


def trained(regression: cs.Regression, grid: cs.Grid = GRID) -> Proposals:
    return cs.train(regression, grid, generator(0, "init"))


def test_a_batch_of_columns_is_the_plain_loop_on_each_column() -> None:
    regression = cs.draw(SMALL, 4.0, 0, 1)
    grid = replace(GRID, epochs=30, check=30)
    found = trained(regression, grid)
    chosen = columns(regression, grid)
    uniform = torch.rand(60, 24, generator=generator(0, "init"), dtype=torch.float64)
    design, response = torch.tensor(regression.design), torch.tensor(regression.response)
    for i in (0, 7, 23):
        w = (chosen.bound[i] * (2 * uniform[:, [i]] - 1)).requires_grad_()
        gamma = torch.ones(60, 1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([w, gamma], lr=0.1)
        for _ in range(30):
            optimizer.zero_grad()
            cs.expected_loss(design, response, w, gamma, chosen.lambda0[i], chosen.lambda1[i]).sum().backward()
            optimizer.step()
            with torch.no_grad():
                gamma.clamp_(0, 1)
        assert torch.allclose(found.w[:, [i]], w, atol=1e-8)
        assert torch.allclose(found.gamma[:, [i]], gamma, atol=1e-8)


def test_at_high_signal_the_true_support_is_found_and_is_the_best_subset() -> None:
    regression = cs.draw(cs.Family(30, 12, 3), 50.0, 0, 1)
    found = trained(regression)
    fits = cs.refit(regression, found.supports)
    best = fits.best(size_weight=GRID.size_weight)
    assert np.flatnonzero(best.coefficients).tolist() == [0, 1, 2]
    # brute force over all supports of three: no other has a lower residual
    others = cs.refit(regression, combinations(range(12), 3))
    residual = np.sum((regression.response - regression.design @ best.coefficients) ** 2)
    assert residual == pytest.approx(others.residual[1:].min(), rel=1e-10)


def test_float32_chooses_as_well_as_float64() -> None:
    # single gates may flip, as training is not convex; the chosen fits must be equally good on fresh data
    gaps = []
    for repetition in range(6):
        regression = cs.draw(cs.Family(60, 200, 5), 4.0, repetition, 2)
        errors = []
        for kind in ("float32", "float64"):
            fits = cs.refit(regression, trained(regression, replace(GRID, precision=kind)).supports)
            errors.append(cs.metrics(regression, fits.best(size_weight=0.0025).coefficients)["rte"])
        gaps.append(np.log(errors[0] / errors[1]))
    assert np.median(np.abs(gaps)) < 1e-6
    assert np.max(np.abs(gaps)) < 0.1


def test_gates_end_at_vertices_and_training_stops_when_they_are_settled() -> None:
    regression = cs.draw(cs.Family(60, 8, 3), 4.0, 0, 1)
    found = trained(regression, replace(GRID, epochs=2000))
    assert found.epochs < 2000
    assert found.undecided[-1] <= 1e-3
    assert len(found.index) == found.epochs // GRID.check
    assert found.supports[found.index[-1, 5]] == tuple(torch.nonzero(found.gamma[:, 5] > 0.5).flatten().tolist())


def test_at_the_largest_strengths_nothing_pays_for_itself() -> None:
    regression = cs.draw(SMALL, 1.0, 0, 1)
    lambda0, lambda1 = largest_strengths(regression.design, regression.response)
    fits = cs.refit(regression, [(j,) for j in range(60)])
    assert fits.residual[0] - fits.residual[1:].min() == pytest.approx(lambda0)
    path = cs.lasso_path(regression.design, regression.response, 20)
    assert lambda1 / (2 * SMALL.n) == pytest.approx(path[0][0])
    chosen = columns(regression, GRID)
    assert chosen.lambda0.max() == pytest.approx(lambda0)
    assert chosen.lambda0.min() == pytest.approx(GRID.lambda0_least * lambda0)


def test_the_study_s_strengths_are_fixed_numbers_from_zero() -> None:
    for snr in (0.1, 10.0):
        chosen = columns(cs.draw(SMALL, snr, 0, 1), GRID.with_strengths("study"))
        assert (chosen.lambda0.min(), chosen.lambda0.max()) == (0.0, pytest.approx(180.0))
        assert sorted(set(chosen.lambda1)) == [0.0, pytest.approx(10.0)]


def test_training_leaves_global_randomness_alone_and_repeats() -> None:
    regression = cs.draw(SMALL, 1.0, 0, 1)
    before = torch.get_rng_state()
    one, two = trained(regression), trained(regression)
    assert torch.equal(before, torch.get_rng_state())
    assert one.supports == two.supports
    assert torch.equal(one.gamma, two.gamma)
