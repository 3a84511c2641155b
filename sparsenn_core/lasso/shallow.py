"""Certified global optimum of weight decay on a two-layer ReLU network with one- or two-dimensional inputs.

With any number of hidden units, the least (1/ND) ||f(X) - Y||^2 + (strength/2) sum_k (||wbar_k||^2 + ||v_k||^2) is
that of (1/ND) ||f(X) - Y||^2 + strength sum_k ||v_k|| with unit wbar_k: a penalised multi-task lasso whose features
relu(Xbar wbar) run over the whole sphere. Column generation solves it on finitely many directions and adds those
where the dual exceeds 1, found exactly by `hyperplane_arrangement`; the scaled dual bounds the optimum over all
networks from below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.certificate import evaluate
from sparsenn_core.lasso.hyperplane_arrangement import HyperplaneArrangement, hyperplane_arrangement
from sparsenn_core.lasso.solver import solve
from sparsenn_core.lasso.sparsify import sparsify

Array = NDArray[np.float64]
ROUNDS = 60
ON_FACE = 1e-9  # |xbar . w| / ||xbar|| below this: the neuron lies on the plane


@dataclass(frozen=True)
class ShallowOptimum:
    """The optimum over two-layer ReLU networks of every width, f(x) = sum_k v_k relu(w_k . x + b_k).

    Attributes:
        directions: unit wbar_k = (w_k, b_k), [K, d + 1].
        coef: v_k, [D, K].
        objective: mean squared error + strength vv_norm.
        bound: a proven lower bound on the objective of every such network; `gap` = (objective - bound) / objective.
        mse, vv_norm: its parts.
        dual: L [D, N]; `peak` = max over all unit wbar of ||L relu(Xbar wbar)||, 1 at the optimum.
        rounds: rounds of column generation.
    """

    directions: Array
    coef: Array
    objective: float
    bound: float
    gap: float
    mse: float
    vv_norm: float
    dual: Array
    peak: float
    rounds: int

    def network(self) -> nn.Sequential:
        """The balanced network Linear, ReLU, Linear (no output bias) in float64."""
        scale = np.sqrt(np.linalg.norm(self.coef, axis=0))
        width, inputs = self.directions.shape
        hidden = nn.utils.skip_init(nn.Linear, inputs - 1, width, dtype=torch.float64)
        output = nn.utils.skip_init(nn.Linear, width, len(self.coef), bias=False, dtype=torch.float64)
        with torch.no_grad():
            hidden.weight.copy_(torch.from_numpy(self.directions[:, :-1] * scale[:, None]))
            hidden.bias.copy_(torch.from_numpy(self.directions[:, -1] * scale))
            output.weight.copy_(torch.from_numpy(self.coef / scale))
        return nn.Sequential(hidden, nn.ReLU(), output)


def shallow_optimum(inputs: ArrayLike, targets: ArrayLike, strength: float, *, tol: float = 1e-9) -> ShallowOptimum:
    """The certified optimum for inputs [1 or 2, N], targets Psi [D, N] and a positive strength.

    A column is a sample, as in `solve`: the inputs take the place of the features, which are optimised here.

    Stops where the dual exceeds 1 nowhere by more than `tol` (or after `ROUNDS` rounds; the gap tells). O(N^3) for the
    cells and some tens of solves with a few hundred columns; meant for N up to about 100.
    """
    x, y = np.asarray(inputs, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(f"inputs {x.shape} and targets {y.shape} must be finite [d, N] and [D, N]")
    cells = hyperplane_arrangement(x)
    directions = _unit(cells.vertices)
    for round_ in range(1, ROUNDS + 1):
        features = _features(cells, directions)
        solution = solve(features, y, strength)
        new, peak = cells.peaks(solution.dual)
        if peak <= 1 + tol or round_ == ROUNDS:
            break
        near = np.linalg.norm(solution.dual @ features.T, axis=0) > 0.999
        moved = _slide(cells.normals, directions[solution.support], solution.coef[:, solution.support], y.T, strength)
        directions = _distinct(np.concatenate([directions[near], moved, new]))
    solution = sparsify(solution)
    directions, coef = directions[solution.support], solution.coef[:, solution.support]
    return _certified(cells, directions, coef, solution.dual / max(1.0, peak), peak, y, strength, round_)


def _slide(normals: Array, directions: Array, coef: Array, targets: Array, strength: float) -> Array:
    """Directions after local descent of the weight-decay objective over all weights of the neurons in use.

    Here samples come first, as in the normals: targets [N, D].

    Moving neurons makes column generation converge fast where adding peaks alone only brackets them. A neuron stays
    in its face: where the optimum puts it on planes xbar_n . w = 0, the objective has a kink across them.
    """
    width, inputs = directions.shape
    active = np.abs(directions @ normals.T) > ON_FACE * np.linalg.norm(normals, axis=1)
    face = np.stack([_projector(normals[~row]) for row in active])
    scale = np.sqrt(np.linalg.norm(coef, axis=0))[:, None]
    start = np.concatenate([directions * scale, coef.T / scale], 1)

    def objective(flat: Array) -> tuple[float, Array]:
        both = flat.reshape(width, -1)
        w, v = (face @ both[:, :inputs, None])[..., 0], both[:, inputs:]
        hidden = np.maximum(normals @ w.T, 0.0) * active.T
        miss = hidden @ v - targets
        pull = 2 / (targets.size * strength) * miss
        value = (miss * pull).sum() / 2 + (flat * flat).sum() / 2
        into = ((pull @ v.T) * (hidden > 0)).T @ normals
        slope = np.concatenate([(face @ into[..., None])[..., 0], hidden.T @ pull], 1)
        return float(value), (slope + both).ravel()

    options = {"maxiter": 3000, "maxfun": 6000, "maxcor": 50, "ftol": 0.0, "gtol": 1e-13}
    moved = scipy.optimize.minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options=options).x
    moved = (face @ moved.reshape(width, -1)[:, :inputs, None])[..., 0]
    return _unit(moved[np.linalg.norm(moved, axis=1) > 1e-12])


def _projector(normals: Array) -> Array:
    """Orthogonal projector [d + 1, d + 1] onto the vectors orthogonal to the rows of `normals`."""
    return np.eye(normals.shape[1]) - np.linalg.pinv(normals) @ normals


def _distinct(directions: Array) -> Array:
    """One of each set of directions that agree to ten digits."""
    _, first = np.unique(np.round(directions, 10), axis=0, return_index=True)
    return directions[np.sort(first)]


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


def _features(cells: HyperplaneArrangement, directions: Array) -> Array:
    return np.maximum(directions @ cells.normals.T, 0.0)


def _certified(
    cells: HyperplaneArrangement,
    directions: Array,
    coef: Array,
    dual: Array,
    peak: float,
    targets: Array,
    strength: float,
    rounds: int,
) -> ShallowOptimum:
    features = _features(cells, directions)
    values = evaluate(coef[None], dual[None], features[None], targets[None], np.array([strength]))
    miss = targets - coef @ features
    return ShallowOptimum(
        directions=directions,
        coef=coef,
        objective=float(values.objective[0]),
        bound=float(values.bound[0]),
        gap=float(values.gap[0]),
        mse=float((miss**2).mean()),
        vv_norm=float(np.linalg.norm(coef, axis=0).sum()),
        dual=dual,
        peak=peak,
        rounds=rounds,
    )
