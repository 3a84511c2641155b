"""The table functions on tiny settings: what a row holds, and that it is what its name says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies.width_bounds import (
    BoundarySettings,
    DimensionSettings,
    DistanceSettings,
    EnumerationSettings,
    RankSettings,
    SmallSettings,
    SpectrumSettings,
    ThresholdSettings,
    TrainingSettings,
    boundary,
    certified_optimum,
    dimension,
    distances,
    enumerated,
    placed,
    rank,
    small,
    spectra_and_ranks,
    thresholds,
    trained,
    training_rows,
)
from sparsenn_book.studies.width_bounds import problems as study
from sparsenn_book.studies.width_bounds.boundary import PAIRS, boundary_problem
from sparsenn_book.studies.width_bounds.neuron_sharing import STRENGTH, problem, student
from sparsenn_book.studies.width_bounds.sharing_training import METHODS
from sparsenn_book.studies.width_bounds.students import as_rows, network, on_the_sphere, runs
from sparsenn_core import lasso, networks

pytestmark = pytest.mark.acceptance  # the study's optimum is certified and its students are trained


@pytest.fixture(scope="module")
def training() -> dict[str, pd.DataFrame]:
    return trained(TrainingSettings(steps=30, students=2))


@pytest.fixture(scope="module")
def optimum() -> dict[str, pd.DataFrame]:
    return certified_optimum()


def test_a_network_is_its_rows() -> None:
    x, _, _ = problem()
    there = student(49)
    back = network(as_rows(there, "PathProx", 49))
    assert torch.equal(back[0].weight.float(), there[0].weight)
    torch.testing.assert_close(back(x.double()).float(), there(x), rtol=1e-5, atol=1e-6)


def test_on_the_sphere_leaves_out_dead_neurons_and_keeps_the_function() -> None:
    rows = as_rows(student(49, width=6), "no decay", 49)
    rows.loc[2, ["v1", "v2"]] = 0.0
    rows.loc[4, ["w1", "w2", "b"]] = 0.0
    directions, coef = on_the_sphere(rows)
    assert directions.shape == (4, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-12)
    x = np.array([[0.3, -1.0]])
    ours = coef @ np.maximum(directions @ np.append(x, 1.0), 0)
    np.testing.assert_allclose(ours, network(rows)(torch.from_numpy(x)).detach().numpy()[0], atol=1e-12)


def test_training_gives_a_trace_and_the_weights_it_ends_with(training: dict) -> None:
    trace, weights = training["trace"], training["weights"]
    assert [(m, s) for m, s, _ in runs(weights)] == [(m, s) for m in METHODS for s in (49, 50)]
    assert (weights.groupby(["method", "seed"]).size() == 100).all()
    end = trace[trace["step"] == 30].pivot(index=["method", "seed"], columns="name", values="value")
    for method, seed, rows in runs(weights):
        assert end.loc[(method, seed), "vv_norm"] == pytest.approx(networks.vv_norm(network(rows)), rel=1e-9)
    np.testing.assert_allclose(end["objective"], end["mse"] + STRENGTH * end["vv_norm"], rtol=1e-12)


def test_optimum_is_certified_and_its_neurons_have_its_cost(optimum: dict) -> None:
    row, neurons = optimum["optimum"].iloc[0], optimum["optimum_neurons"]
    assert row["objective"] == pytest.approx(4.92214e-5, rel=1e-5)
    assert 0 <= row["gap"] < 1e-9
    x, y, _ = problem()
    found = network(neurons)
    mse = float((found(x.double()) - y.double()).square().mean().detach())
    assert mse + STRENGTH * networks.vv_norm(found) == pytest.approx(row["objective"], rel=1e-8)
    assert row["target_variance"] == pytest.approx(float(y.var()))


def test_places_are_angles_offsets_and_sizes(training: dict, optimum: dict) -> None:
    rows = placed(training["weights"], optimum["optimum_neurons"])
    assert set(rows["method"]) == {*METHODS, "optimum"}
    assert rows["theta"].between(0, 2 * np.pi).all()
    first = rows[(rows["method"] == "PathProx") & (rows["seed"] == 49) & (rows["neuron"] == 0)].set_index("output")
    weight = training["weights"].iloc[0]
    length = np.hypot(weight["w1"], weight["w2"])
    assert first.loc[2, "size"] == pytest.approx(abs(weight["v2"]) * length)
    assert first.loc[1, "offset"] == pytest.approx(weight["b"] / length)
    assert np.cos(first.loc[1, "theta"]) == pytest.approx(weight["w1"] / length)


def test_distances_split_what_a_run_lacks(training: dict, optimum: dict) -> None:
    rows = distances(DistanceSettings(seed=0), training["trace"], training["weights"], *optimum.values())
    assert len(rows) == 6
    assert (rows["relative"] >= rows["same_directions"] * (1 - 1e-9)).all()
    assert (rows["same_directions"] >= 1 - 1e-9).all()
    assert (rows["needed"] <= rows["sharp"]).all()
    assert (rows["needed_vv_norm"] <= rows["vv_norm"] * (1 + 1e-9)).all()
    assert (rows["gap"] < 1e-9).all()
    assert rows["collapsed"].dtype == bool


def test_the_optimum_is_at_no_distance_from_itself(optimum: dict) -> None:
    row = optimum["optimum"].iloc[0]
    ends = {"objective": row["objective"], "mse": row["mse"], "vv_norm": row["vv_norm"], "active": 22, "used": 16}
    trace = [
        {"method": "optimum", "seed": 0, "step": t, "name": n, "value": v} for t in (0, 9) for n, v in ends.items()
    ]
    found = distances(
        DistanceSettings(seed=1), pd.DataFrame(trace), optimum["optimum_neurons"], *optimum.values()
    ).iloc[0]  # fmt: skip
    assert found["outputs"] == 0
    assert found["relative"] == 1
    assert found["same_directions"] == pytest.approx(1, abs=1e-8)
    assert found["fell"] == 0
    assert not found["collapsed"]


def test_random_solutions_are_those_of_the_solver() -> None:
    rows = dimension(DimensionSettings(samples=(4, 6), repetitions=3, seed=2))
    assert list(rows["samples"]) == [4] * 3 + [6] * 3
    features, targets = (m[1] for m in study.dimension_problems(6, 3, 2))
    solution = lasso.solve(features, targets)
    row = rows[rows["samples"] == 6].iloc[1]
    assert row["width"] == solution.width
    assert row["objective"] == pytest.approx(solution.objective, rel=1e-12)
    length = np.linalg.norm(solution.coef, axis=0)
    assert row["least"] == pytest.approx(length[length > 0].min() / solution.objective, rel=1e-6)
    assert (rows["width"] <= rows["sharp"]).all()
    assert rows[["gap", "residual"]].max().max() < 1e-12


def test_rank_problems_are_read_both_ways() -> None:
    rows = rank(RankSettings(ranks=(2, 5), repetitions=2, seed=0))
    outputs = rows.groupby(["rank", "version"])["outputs"].first()
    assert outputs.to_dict() == {(2, "coded"): 2, (2, "titled"): 10, (5, "coded"): 5, (5, "titled"): 10}
    assert (rows["rank_features"] == rows["rank"]).all()


def test_thresholds_count_above_each_cut() -> None:
    known = dimension(DimensionSettings(samples=(5,), repetitions=2, seed=0))
    rows = thresholds(ThresholdSettings(samples=(5,), conic=5, seed=0), known)
    assert len(rows) == 2 * 3  # no more problems than are solved
    counts = rows.pivot(index="problem", columns="cut", values="count")
    assert (counts[1e-10] >= counts[1e-7]).all()
    assert (counts[1e-7] >= counts[1e-4]).all()
    assert (rows["above"].abs() < 1e-4).all()


def test_searches_find_the_certified_width() -> None:
    known = small(SmallSettings(widths=(4, 5), small_repetitions=3, seed=0))
    rows = enumerated(EnumerationSettings(widths=(4, 5), enumerated=2, enumerated_conic=9, seed=0), known)
    assert rows.groupby(["K", "by"]).size().to_dict() == {
        (4, "certified solver"): 2,
        (4, "study's formulation"): 3,
        (5, "certified solver"): 2,
    }
    assert (rows["width"] == rows["certified"]).all()
    assert set(rows["sets"]) == {5, 16}
    assert rows["difference"].max() < 1e-6


def test_boundary_problems_have_their_ranks_and_end_on_the_bound() -> None:
    rows = boundary(BoundarySettings(boundary_draws=1, seed=5))
    assert (rows["after"] == rows["sharp"]).all()
    assert (rows["span"] == rows["sharp"]).all()
    assert (rows["on_boundary"] == rows["neurons"]).all()
    assert not rows["unique"].any()
    for q, p in PAIRS:
        features, targets = boundary_problem(q, p, 0, 5)
        assert np.linalg.matrix_rank(features) == p
        assert np.linalg.matrix_rank(targets) == q  # as G is positive definite


def test_spectra_fall_from_one_and_ranks_grow_with_finer_tolerances(training: dict) -> None:
    found = spectra_and_ranks(SpectrumSettings(samples=(4, 6), seed=0), training["weights"])
    spectra, ranks = found["spectra"], found["ranks"]
    assert (spectra.groupby("matrix")["value"].first() == 1).all()
    assert "Gaussian, N = 6" in set(spectra["matrix"])
    assert {f"student, {m}" for m in METHODS} <= set(spectra["matrix"])
    for _, some in ranks.sort_values("rtol", ascending=False).groupby("matrix"):
        assert some["r_Phi"].is_monotonic_increasing


def test_training_rows_of_a_real_trace(training: dict) -> None:
    trace = training["trace"]
    assert training_rows.length(trace) == 30
    relative = training_rows.with_relative(trace, 2.0)
    assert set(relative["name"]) - set(trace["name"]) == {"relative"}
    ratio = training_rows.imbalance(trace)
    assert set(ratio["method"]) == {"SGD weight decay", "no decay"}
    np.testing.assert_allclose(ratio["value"], ratio["law"])  # from its only step on
