"""How far trained students are from the certified optimum, and how many of their neurons their outputs need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparsenn_book.studies.width_bounds.neuron_sharing import STRENGTH, problem
from sparsenn_book.studies.width_bounds.students import network, on_the_sphere, runs
from sparsenn_core.lasso import solve, sparsify, width_bounds
from sparsenn_core.randomness import derive_seed

Array = NDArray[np.float64]
FRESH = 10_000  # inputs on which outputs are compared
COLLAPSED = 0.1  # a student whose mean squared error is above this share of the targets' variance learned nothing
LATE = 0.9  # `fell` is the share of its objective that a run loses after this share of its steps


@dataclass(frozen=True)
class DistanceSettings:
    """`seed` of the fresh inputs."""

    seed: int


def distances(
    settings: DistanceSettings,
    trace: pd.DataFrame,
    weights: pd.DataFrame,
    optimum: pd.DataFrame,
    optimum_neurons: pd.DataFrame,
) -> pd.DataFrame:
    """One row a run: objective over the optimum (`relative`), the same with the run's own directions and the best
    outgoing weights (`same_directions`), difference of outputs from the optimum's on fresh inputs, and the width and
    cost of the cheapest network on the run's directions with its outputs on the data (`needed`, `needed_vv_norm`).
    """
    best = optimum.iloc[0]
    fresh = torch.from_numpy(np.random.default_rng(derive_seed(settings.seed, "fresh")).standard_normal((FRESH, 2)))
    wanted = network(optimum_neurons)(fresh).detach()
    ends = _ends(trace)
    rows = []
    for method, seed, of_run in runs(weights):
        end = ends.loc[(method, seed)]
        row = {"method": method, "seed": seed, "relative": end["objective"] / best["objective"], "fell": end["fell"]}
        row |= {name: end[name] for name in ("mse", "vv_norm", "active", "used")}
        row["collapsed"] = bool(end["mse"] > COLLAPSED * best["target_variance"])
        row["outputs"] = _root_mean_square(network(of_run)(fresh).detach() - wanted) / _scale(fresh)
        rows.append(row | _on_own_directions(of_run, float(best["objective"])))
    return pd.DataFrame(rows)


def _ends(trace: pd.DataFrame) -> pd.DataFrame:
    """The last row of each run, and `fell`."""
    wide = trace.pivot_table(index=["method", "seed", "step"], columns="name", values="value").reset_index("step")
    last = int(wide["step"].max())
    end = wide[wide["step"] == last]
    before = wide[wide["step"] <= LATE * last].groupby(level=["method", "seed"])["objective"].last()
    return end.assign(fell=1 - end["objective"] / before)


def _on_own_directions(rows: pd.DataFrame, optimum: float) -> dict[str, float]:
    x, y, _ = problem()
    directions, coef = on_the_sphere(rows)
    features = np.maximum(directions @ np.concatenate([x.double().numpy(), np.ones((len(x), 1))], 1).T, 0.0)
    fitted = coef @ features
    same = solve(features, y.double().numpy().T, STRENGTH)
    kept = sparsify(solve(features, fitted))
    bounds = width_bounds(features, fitted)
    return {
        "same_directions": same.objective / optimum,
        "neurons": len(directions),
        "needed": kept.width,
        "needed_vv_norm": kept.objective,
        "rank_features": bounds.rank_features,
        "rank_targets": bounds.rank_targets,
        "product": bounds.product,
        "sharp": bounds.sharp,
        "gap": max(abs(same.gap), abs(kept.gap), kept.residual),
    }


def _scale(fresh: Tensor) -> float:
    """Root mean square of the generating network's outputs."""
    return _root_mean_square(problem()[2].double()(fresh).detach())


def _root_mean_square(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
