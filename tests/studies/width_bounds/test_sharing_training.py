"""PathProx, the three rules trained as one ensemble, and the enumeration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sparsenn_book.studies.width_bounds import neuron_sharing
from sparsenn_book.studies.width_bounds import problems as study
from sparsenn_book.studies.width_bounds.enumeration import enumerate_supports
from sparsenn_book.studies.width_bounds.reference import reference_objectives
from sparsenn_book.studies.width_bounds.sharing_training import study_steps, train
from sparsenn_book.studies.width_bounds.students import as_rows, on_the_sphere
from sparsenn_core import lasso, networks
from sparsenn_core.errors import InputError
from sparsenn_core.penalties.path_prox import PathProx

STRENGTH, RATE = neuron_sharing.STRENGTH, neuron_sharing.STEP_SIZE
NAMES = ("0.weight", "0.bias", "2.weight")


def _twin(method: str, seed: int, steps: int) -> nn.Sequential:
    """One run the obvious way: torch's own optimizer, then a loop over neurons."""
    x, y, _ = neuron_sharing.problem()
    network = neuron_sharing.student(seed)
    decay = STRENGTH if method == "SGD weight decay" else 0.0
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x), y).backward()
        optimizer.step()
        if method == "PathProx":
            with torch.no_grad():
                for k in range(100):
                    length = (network[0].weight[k].square().sum() + network[0].bias[k] ** 2).sqrt()
                    network[0].weight[k] /= length
                    network[0].bias[k] /= length
                    v = network[2].weight[:, k]
                    v *= max(0.0, 1 - RATE * STRENGTH / float(v.norm()))
    return network


@pytest.fixture(scope="module")
def short() -> tuple[pd.DataFrame, object]:
    sharing = train([49, 7], 40, [0, 1, 40])
    names = pd.DataFrame(sharing.runs, columns=["method", "seed"]).rename_axis("run").reset_index()
    return sharing.fit.rows.merge(names, on="run"), sharing


@pytest.mark.parametrize("place", range(6))
def test_each_run_does_what_it_would_do_alone(short: tuple, place: int) -> None:
    _, sharing = short
    method, seed = sharing.runs[place]
    alone, together = _twin(method, seed, 40), sharing.fit.ensemble[place]
    for ours, theirs in zip(together.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)


def test_first_lines_of_the_recorded_log(short: tuple) -> None:
    rows = short[0]
    for method, norm in (("PathProx", 7.808854103088379), ("no decay", 7.8098530769348145)):
        chosen = rows[(rows.method == method) & (rows.seed == 49)].set_index(["step", "name"]).value
        assert chosen[0, "mse"] == pytest.approx(0.2194146364927292, rel=1e-6)
        assert chosen[1, "outgoing"] == pytest.approx(norm, rel=1e-6)
        assert chosen[1, "active"] == 100


def test_weight_decay_pays_at_least_the_vv_norm(short: tuple) -> None:
    table = short[0].pivot_table(index=["method", "seed", "step"], columns="name", values="value")
    assert (table.half_squares >= table.vv_norm * (1 - 1e-12)).all()
    assert (table.half_squares - table.vv_norm <= table.imbalance / 2 + 1e-9).all()
    last = table.xs(40, level="step")
    for i, run in enumerate(short[1].runs):
        network = short[1].fit.ensemble[i]
        assert last.vv_norm[run] == pytest.approx(networks.vv_norm(network), rel=1e-12)
        assert last.half_squares[run] == pytest.approx(networks.half_squares(network), rel=1e-12)
        assert last.used[run] <= 100


def test_steps_to_look_at() -> None:
    steps = study_steps(25_000)
    assert {0, 1, 10_000, 10_001, 20_000, 20_001, 25_000} <= set(steps)
    assert steps == sorted(set(steps))
    assert max(steps) == 25_000
    assert study_steps(20)[-1] == 20


def test_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="PathProx"):
        train([1], 1, [1], methods=["PathProxy"])


def _params(rng: np.random.Generator, runs: int = 2, width: int = 4) -> dict[str, torch.Tensor]:
    shapes = {"0.weight": (runs, width, 2), "0.bias": (runs, width), "2.weight": (runs, 3, width)}
    return {k: torch.from_numpy(rng.standard_normal(shape)) for k, shape in shapes.items()}


def test_prox_minimises_its_definition() -> None:
    """Against many feasible points near and far: 1/2 ||u - w||^2 / step + strength sum ||v||, unit incoming weights."""
    rng = np.random.default_rng(0)
    params, strength, step = _params(rng), 0.7, 0.9
    penalty = PathProx(strength, *NAMES)
    near = penalty.prox(params, step)
    incoming, outgoing = penalty.norms(near)
    torch.testing.assert_close(incoming, torch.ones_like(incoming))
    assert (outgoing == 0).any()
    assert (outgoing > 0).any()

    def cost(point: dict[str, torch.Tensor]) -> torch.Tensor:
        apart = sum((point[k] - params[k]).square().flatten(1).sum(1) for k in params)
        return apart / (2 * step) + strength * penalty.norms(point)[1].sum(1)

    least = cost(near)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(50):
            moved = {k: t + size * torch.from_numpy(rng.standard_normal(t.shape)) for k, t in near.items()}
            length = penalty.norms(moved)[0]
            moved["0.weight"] = moved["0.weight"] / length[..., None]
            moved["0.bias"] = moved["0.bias"] / length
            assert (cost(moved) >= least - 1e-12).all()


def test_strength_zero_leaves_a_run_alone_and_zero_neurons_stay() -> None:
    params = _params(np.random.default_rng(1))
    for tensor in params.values():
        tensor[..., 0] = 0.0
    params["0.weight"][:, 0] = 0.0
    params["0.bias"][:, 0] = 0.0
    new = PathProx(torch.tensor([0.0, 0.3]), *NAMES).prox(params, 0.1)
    for k, tensor in params.items():
        assert torch.equal(new[k][0], tensor[0])
        assert torch.isfinite(new[k]).all()


def test_value_does_not_depend_on_how_units_are_scaled() -> None:
    params = _params(np.random.default_rng(2))
    scale = torch.rand(2, 4, dtype=torch.float64) + 0.5
    moved = {
        "0.weight": params["0.weight"] * scale[..., None],
        "0.bias": params["0.bias"] * scale,
        "2.weight": params["2.weight"] / scale[:, None, :],
    }
    torch.testing.assert_close(PathProx(0.3, *NAMES).value(moved), PathProx(0.3, *NAMES).value(params))


def test_networks_on_the_sphere_are_lasso_problems() -> None:
    x, y = (points[:12] for points in neuron_sharing.problem()[:2])
    optimum = lasso.shallow_optimum(x.numpy().T, y.numpy().T, 1e-2)
    directions, coef = on_the_sphere(as_rows(optimum.network(), "optimum", 0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-12)
    assert np.linalg.norm(coef, axis=0).sum() == pytest.approx(optimum.vv_norm, rel=1e-12)
    features = np.maximum(np.concatenate([x.double().numpy(), np.ones((12, 1))], 1) @ directions.T, 0).T
    assert lasso.solve(features, y.numpy().T, 1e-2).objective == pytest.approx(optimum.objective, rel=1e-9)


def test_residual_vanishes_where_gradient_descent_with_the_prox_rests() -> None:
    """A smooth toy loss, 1/2 ||params - target||^2, whose minimiser on the constraint set is the prox itself."""
    target = _params(np.random.default_rng(3))
    penalty = PathProx(0.4, *NAMES)
    rest = penalty.prox(target, 1.0)
    grad = {k: rest[k] - target[k] for k in rest}
    assert (penalty.residual(rest, grad) < 1e-12).all()
    away = penalty.prox(_params(np.random.default_rng(4)), 1.0)
    assert (penalty.residual(away, {k: away[k] - target[k] for k in away}) > 0.1).all()


@pytest.mark.parametrize("width", [4, 6, 7])
def test_enumeration_agrees_with_the_certificate(width: int) -> None:
    features, targets = study.small_problems(width, 4, 3)
    batch = lasso.solve_batch(features, targets)
    for i in range(4):
        found = enumerate_supports(features[i], targets[i])
        assert found.width(1e-10) == batch.width[i]
        assert found.objective == pytest.approx(batch.objective[i], rel=1e-12)
        assert found.patterns == {4: 5, 6: 42, 7: 99}[width]


def test_the_studys_tolerance_can_drop_a_small_neuron() -> None:
    features, targets = (one[26] for one in study.small_problems(7, 27, 0))
    found, solution = enumerate_supports(features, targets), lasso.solve(features, targets)
    assert solution.unique
    assert found.width(1e-10) == solution.width == 4
    assert found.width(1e-6) == 3
    assert 0 < found.best[3] - found.objective < 1e-6


def test_enumeration_by_the_conic_solver_and_its_refusals() -> None:
    features, targets = (one[0] for one in study.small_problems(4, 1, 5))
    theirs, ours = enumerate_supports(features, targets, reference_objectives), enumerate_supports(features, targets)
    assert theirs.width(1e-6) == ours.width(1e-10)
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-6)
    with pytest.raises(InputError, match="sets"):
        enumerate_supports(np.ones((30, 3)), np.ones((2, 3)))
