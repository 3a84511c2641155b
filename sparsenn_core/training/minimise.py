"""Stationary points of a stated objective, with the distance to stationarity that proves it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import grad

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import L1, Params, Penalty, SquaredL2, Total
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.fit import fit
from sparsenn_core.training.gradients import run_losses
from sparsenn_core.training.optimizers import ProximalAdam, cosine
from sparsenn_core.training.proximal_newton import Problem, to_stationary_point


@dataclass(frozen=True)
class Minimum:
    """Where each of R starts ended, in float64.

    `objective` [R] is loss + penalty on all samples, `loss` [R] the loss alone, `residual` [R] the largest entry of
    the shortest subgradient of the objective (0 at a stationary point), `nonzero` [R] counts weights that are not
    exactly zero. A stationary point of a non-convex objective need not be its global minimum: use many starts and
    report how many agree.
    """

    ensemble: Ensemble
    objective: Tensor
    loss: Tensor
    residual: Tensor
    nonzero: Tensor
    seconds: float


def minimise(
    ensemble: Ensemble,
    data: Data,
    *,
    penalty: Penalty | None = None,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 0.01,
    first_strength: float | Tensor = 1.0,
    order: Sequence[int] | None = None,
    newton_steps: int = 60,
    tolerance: float = 1e-10,
) -> Minimum:
    """Minimise mean squared error + penalty from every start of `ensemble`, properly.

    Two stages: `steps` proximal Adam steps on minibatches in float32, learning rate falling along half a cosine to 1 %
    of `learning_rate`, in two halves; in the first the penalty is multiplied by `first_strength` (a number, or one for
    each run), which helps neurons to merge but can kill weak signals. Then each run by itself, on all samples in
    float64: L-BFGS-B with bounds, up to `newton_steps` proximal Gauss-Newton steps and a quarter as many Newton steps,
    until the residual is at most `tolerance` (see `proximal_newton`). Known penalties: none, `L1`, `SquaredL2` and
    their sum. Cost: the first stage is shared by all runs; the second takes 0.1 to 2 s a run for networks of 7 to 52
    weights and 5,120 samples. With `steps=0` only the second is done.
    """
    start = time.perf_counter()
    sharp, smooth = _parts(penalty)
    seeds = list(order) if order is not None else list(range(len(ensemble)))
    near, rough = ensemble.to(dtype=torch.float32), data.to(dtype=torch.float32)
    half = steps // 2
    for strength in (first_strength, 1.0):
        if half:
            near = _proximal(near, rough, _scaled(penalty, strength), half, batch_size, learning_rate, seeds)
    exact = data.to(device="cpu", dtype=torch.float64)
    ends = near.to(device="cpu", dtype=torch.float64)
    ends = _second_stage(ends, exact, sharp, smooth, newton_steps, tolerance)
    return _report(ends, exact, penalty, time.perf_counter() - start)


def _parts(penalty: Penalty | None) -> tuple[L1 | None, list[SquaredL2]]:
    """The L1 part and the squared parts of a penalty; anything else is refused."""
    parts = penalty.parts if isinstance(penalty, Total) else (() if penalty is None else (penalty,))
    sharp = [p for p in parts if isinstance(p, L1)]
    smooth = [p for p in parts if isinstance(p, SquaredL2)]
    if len(sharp) + len(smooth) != len(parts) or len(sharp) > 1:
        names = " + ".join(type(p).__name__ for p in parts)
        raise InputError(f"minimise knows L1, SquaredL2 and their sum, not {names}")
    return (sharp[0] if sharp else None), smooth


def _scaled(penalty: Penalty | None, factor: float | Tensor) -> Penalty | None:
    if isinstance(penalty, Total):
        return Total(parts=tuple(replace(p, strength=torch.as_tensor(p.strength) * factor) for p in penalty.parts))
    return None if penalty is None else replace(penalty, strength=torch.as_tensor(penalty.strength) * factor)


def _proximal(
    ensemble: Ensemble, data: Data, penalty: Penalty | None, steps: int, batch: int, rate: float, seeds: list[int]
) -> Ensemble:
    batch = min(batch, data.samples)
    epochs = max(1, round(steps / -(-data.samples // batch)))
    optimizer = ProximalAdam(rate, schedule=cosine(steps, 0.01))
    trained = fit(
        ensemble, data, optimizer=optimizer, epochs=epochs, penalty=penalty, batch_size=batch, order=seeds
    ).ensemble.params
    # a start that blew up goes on from where it began: the second stage will say how bad that is
    finite = torch.stack([torch.isfinite(w).flatten(1).all(1) for w in trained.values()]).all(0)
    return ensemble.with_params(
        {k: torch.where(finite.view(-1, *(1,) * (w.ndim - 1)), w, ensemble.params[k]) for k, w in trained.items()}
    )


def _second_stage(
    ensemble: Ensemble, data: Data, sharp: L1 | None, smooth: list[SquaredL2], steps: int, tolerance: float
) -> Ensemble:
    shapes = {k: w.shape[1:] for k, w in ensemble.params.items()}
    sizes = [s.numel() for s in shapes.values()]

    def unflatten(w: Tensor) -> Params:
        return {k: part.view(s) for (k, s), part in zip(shapes.items(), w.split(sizes), strict=True)}

    ends = []
    for r in range(len(ensemble)):
        which = 0 if data.of_run is None else int(data.of_run[r])
        buffers = {k: v[r] for k, v in ensemble.buffers.items()}

        def model(w: Tensor, x: Tensor, buffers: Params = buffers) -> Tensor:
            return ensemble.one(unflatten(w), buffers, x)

        l1 = _strengths([sharp] if sharp else [], ensemble.params, r)
        problem = Problem(model, data.inputs[which], data.targets[which], l1, _strengths(smooth, ensemble.params, r))
        flat = torch.cat([w[r].flatten() for w in ensemble.params.values()]).numpy()
        ends.append(unflatten(torch.from_numpy(to_stationary_point(problem, flat, steps, tolerance))))
    return ensemble.with_params({k: torch.stack([e[k] for e in ends]) for k in shapes})


def _strengths(parts: Sequence[Penalty], params: Params, run: int) -> np.ndarray:
    """The summed strength of `parts` on every weight of a run, flat."""
    total = {k: torch.zeros(w[run].numel(), dtype=torch.float64) for k, w in params.items()}
    for part in parts:
        strength = torch.as_tensor(part.strength, dtype=torch.float64)
        for k, _ in part.covered(params):
            total[k] += strength[run] if strength.ndim else strength
    return torch.cat(list(total.values())).numpy()


def _report(ensemble: Ensemble, data: Data, penalty: Penalty | None, seconds: float) -> Minimum:
    shared = data.of_run is None
    x = data.inputs[0] if shared else data.inputs[data.of_run]
    y = data.targets[0] if shared else data.targets[data.of_run]

    def total(params: Params) -> tuple[Tensor, Tensor]:
        losses = run_losses(ensemble, nn.functional.mse_loss, params, ensemble.buffers, x, y, shared=shared)
        return losses.sum(), losses

    gradient, losses = grad(total, has_aux=True)(ensemble.params)
    nonzero = torch.stack([(w != 0).flatten(1).sum(1) for w in ensemble.params.values()]).sum(0)
    wide = (penalty or SquaredL2(0.0)).strengths(len(ensemble), losses)
    objective = losses + wide.value(ensemble.params)
    return Minimum(ensemble, objective, losses, wide.residual(ensemble.params, gradient), nonzero, seconds)
