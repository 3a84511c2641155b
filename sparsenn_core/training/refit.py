"""Weights without the penalty that chose them: the loss alone minimised over the weights that are not zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.training.curvature import Criterion, criterion_of
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Loss
from sparsenn_core.training.proximal_newton import Problem, to_stationary_point


@dataclass(frozen=True)
class Refit:
    """What `refit` found, in float64.

    `ensemble` the networks, zero where they were; `loss` [R] on all samples; `residual` [R] the largest |dL/dw| over
    the support, 0 at a stationary point and for a network without any weight.
    """

    ensemble: Ensemble
    loss: Tensor
    residual: Tensor


def refit(
    ensemble: Ensemble,
    data: Data,
    *,
    loss: Loss = nn.functional.mse_loss,
    newton_steps: int = 60,
    tolerance: float = 1e-10,
) -> Refit:
    """Minimise the loss of every run over its weights that are not exactly zero, from where they are; zeros stay.

    This takes the bias of a penalty away and keeps its choice (the debiased or relaxed lasso: Meinshausen 2007,
    Computational Statistics & Data Analysis 52). `loss` is `torch.nn.functional.mse_loss` or `cross_entropy`. L-BFGS,
    then up to `newton_steps` damped Gauss-Newton steps and a quarter as many Newton steps, run by run in float64 on all
    samples, until the residual is at most `tolerance`: a stationary point, where the problem is not convex no more. A
    support that holds more than it needs has many minimisers, of which this is one. Cost: for s weights on the support
    and n samples O(n s^2) a step.
    """
    if not len(ensemble):
        raise InputError("the ensemble has no runs")
    exact = data.for_runs(len(ensemble)).to(device="cpu", dtype=torch.float64)
    start = ensemble.to(device="cpu", dtype=torch.float64)
    with torch.no_grad():
        criterion = criterion_of(loss, start[0](exact.inputs[0, :1]), exact.targets)
    ends = [_one(start, exact, criterion, r, newton_steps, tolerance) for r in range(len(start))]
    weights, losses, residuals = zip(*ends, strict=True)
    sizes = [w[0].numel() for w in start.params.values()]
    parts = torch.stack(weights).split(sizes, dim=1)
    params = {k: part.view_as(w) for (k, w), part in zip(start.params.items(), parts, strict=True)}
    return Refit(
        start.with_params(params),
        torch.tensor(losses, dtype=torch.float64),
        torch.tensor(residuals, dtype=torch.float64),
    )


def _one(
    ensemble: Ensemble, data: Data, loss: Criterion, run: int, steps: int, tolerance: float
) -> tuple[Tensor, float, float]:
    """All weights [d] of one run after its refit, the loss there and the residual."""
    x, y = (t if data.is_shared else t[0] for t in data.select(torch.tensor([run])).whole())
    buffers = {k: v[run] for k, v in ensemble.buffers.items()}
    shapes = {k: w.shape[1:] for k, w in ensemble.params.items()}
    sizes = [shape.numel() for shape in shapes.values()]
    start = torch.cat([w[run].flatten() for w in ensemble.params.values()])
    support = start.nonzero()[:, 0]

    def model(kept: Tensor, x: Tensor) -> Tensor:
        whole = torch.zeros_like(start).index_put((support,), kept)
        parts = whole.split(sizes)
        params = {k: part.view(shape) for (k, shape), part in zip(shapes.items(), parts, strict=True)}
        return ensemble.one(params, buffers, x)

    nothing = np.zeros(len(support))
    problem = Problem(model, x, y, nothing, nothing, loss)
    if not len(support):
        return start, problem.fit(start[support]).item(), 0.0
    kept = to_stationary_point(problem, start[support].numpy(), steps, tolerance)
    value, gradient = problem.smooth(kept)
    return start.index_put((support,), torch.from_numpy(kept)), value, float(np.abs(gradient).max())
