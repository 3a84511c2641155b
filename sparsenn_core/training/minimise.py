"""Stationary points of a stated objective, with the distance to stationarity that proves it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import grad

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import L1, Params, Penalty, SquaredL2, Total, max_runs, per_run
from sparsenn_core.training.curvature import Criterion, criterion_of
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Loss
from sparsenn_core.training.fit import fit
from sparsenn_core.training.gradients import run_losses
from sparsenn_core.training.optimizers import ProximalAdam
from sparsenn_core.training.proximal_newton import Problem, to_stationary_point
from sparsenn_core.training.schedules import cosine

NEAR = 1e-5
"""Stalled relu networks of a dozen units had a sample within 1e-5 to 1e-13 of an edge."""
HALVINGS = 20
"""A smooth gradient's change over `NEAR` shrinks a million times, far below the tenth of the residual looked for."""


class ConvergenceWarning(UserWarning):
    """Some runs of `minimise` end above its tolerance."""


@dataclass(frozen=True)
class Minimum:
    """Where each of R starts ended, in float64.

    `objective` [R] is loss + penalty on all samples, `loss` [R] the loss alone, `residual` [R] the largest entry of
    the shortest subgradient of the objective (0 at a stationary point), `converged` [R] whether it is at most the
    tolerance, `nonzero` [R] counts weights that are not exactly zero. A stationary point of a non-convex objective
    need not be its global minimum: use many starts and report how many agree.

    `residual` takes the loss to be smooth. A relu network's loss has kinks, where a sample lies on the edge of a unit
    and the gradients of the two sides differ. Minima do lie on kinks; neither gradient vanishes there, a residual of
    1e-2 is common, and nothing here tells such a minimum from a point on a kink that is none. `at_kink` [R]: the run
    has not converged and the gradient of the loss jumps, by a tenth of the residual or more, within a relative
    distance of `NEAR` downhill.
    """

    ensemble: Ensemble
    objective: Tensor
    loss: Tensor
    residual: Tensor
    converged: Tensor
    at_kink: Tensor
    nonzero: Tensor
    seconds: float


def minimise(
    ensemble: Ensemble,
    data: Data,
    *,
    loss: Loss = nn.functional.mse_loss,
    penalty: Penalty | None = None,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 0.01,
    first_strength: float | Tensor = 1.0,
    order: Sequence[int] | None = None,
    newton_steps: int = 60,
    tolerance: float = 1e-10,
) -> Minimum:
    """Minimise loss + penalty from every start of `ensemble`, properly.

    `loss` is `torch.nn.functional.mse_loss` or `cross_entropy`, the latter with classes as integer targets [n]; without
    a penalty cross-entropy has no minimum where the classes can be separated, and weights grow until its slope is
    below the tolerance. Two stages: `steps` proximal Adam steps on minibatches in float32, learning rate falling along
    half a cosine to 1 % of `learning_rate`, in two halves; in the first the penalty is multiplied by `first_strength`
    (a number, or one for each run), which helps neurons to merge but can kill weak signals. Then each run by itself,
    on all samples in float64: L-BFGS-B with bounds, up to `newton_steps` proximal Gauss-Newton steps and a quarter as
    many Newton steps, until the residual is at most `tolerance` (see `proximal_newton`). Known penalties: none and all
    sums of `L1` and `SquaredL2`, with any `only`. Cost: the first stage is shared by all runs; the second takes 0.1 to
    2 s a run for networks of 7 to 52 weights and 5,120 samples. With `steps=0` only the second is done.

    Runs that do not converge are warned of in one line (`ConvergenceWarning`), with the largest residual and what to
    try; see `Minimum` for relu networks, which often cannot.
    """
    start = time.perf_counter()
    sharp, smooth = _parts(penalty)
    frozen = ensemble.params.keys() - set(ensemble.trainable)
    if frozen:
        raise InputError(f"minimise moves all parameters, and {sorted(frozen)[0]!r} is frozen")
    seeds = list(order) if order is not None else list(range(len(ensemble)))
    near, rough = ensemble.to(dtype=torch.float32), data.to(dtype=torch.float32)
    with torch.no_grad():
        criterion = criterion_of(loss, near(rough.inputs[0, :1])[0], data.targets)
    half = steps // 2
    for strength in (first_strength, 1.0):
        if half:
            strengths = _scaled(penalty, strength)
            near = _proximal(near, rough, loss, strengths, half, batch_size, learning_rate, seeds)
    exact = data.to(device="cpu", dtype=torch.float64)
    ends = near.to(device="cpu", dtype=torch.float64)
    ends = _second_stage(ends, exact, criterion, sharp, smooth, newton_steps, tolerance)
    found = _report(ends, exact, loss, penalty, tolerance, start)
    if not bool(found.converged.all()):
        warnings.warn(_what_failed(found, tolerance), ConvergenceWarning, stacklevel=2)
    return found


def _parts(penalty: Penalty | None) -> tuple[list[L1], list[SquaredL2]]:
    """The L1 parts and the squared parts of a penalty; anything else, their subclasses included, is refused."""
    parts = penalty.parts if isinstance(penalty, Total) else (() if penalty is None else (penalty,))
    sharp = [p for p in parts if type(p) is L1]
    smooth = [p for p in parts if type(p) is SquaredL2]
    if len(sharp) + len(smooth) != len(parts):
        names = " + ".join(type(p).__name__ for p in parts)
        raise InputError(f"minimise knows L1, SquaredL2 and their sum, not {names}")
    return sharp, smooth


def _scaled(penalty: Penalty | None, factor: float | Tensor) -> Penalty | None:
    if isinstance(penalty, Total):
        return Total(parts=tuple(replace(p, strength=torch.as_tensor(p.strength) * factor) for p in penalty.parts))
    return None if penalty is None else replace(penalty, strength=torch.as_tensor(penalty.strength) * factor)


def _proximal(
    ensemble: Ensemble,
    data: Data,
    loss: Loss,
    penalty: Penalty | None,
    steps: int,
    batch: int,
    rate: float,
    seeds: list[int],
) -> Ensemble:
    batch = min(batch, data.samples)
    epochs = max(1, round(steps / -(-data.samples // batch)))
    optimizer = ProximalAdam(rate, schedule=cosine(steps, 0.01))
    trained = fit(
        ensemble, data, optimizer=optimizer, epochs=epochs, loss=loss, penalty=penalty, batch_size=batch, order=seeds
    ).ensemble.params
    # a start that blew up goes on from where it began: the second stage will say how bad that is
    finite = torch.stack([torch.isfinite(w).flatten(1).all(1) for w in trained.values()]).all(0)
    return ensemble.with_params(
        {k: torch.where(finite.view(-1, *(1,) * (w.ndim - 1)), w, ensemble.params[k]) for k, w in trained.items()}
    )


def _second_stage(
    ensemble: Ensemble,
    data: Data,
    loss: Criterion,
    sharp: list[L1],
    smooth: list[SquaredL2],
    steps: int,
    tolerance: float,
) -> Ensemble:
    shapes = {k: w.shape[1:] for k, w in ensemble.params.items()}
    sizes = [s.numel() for s in shapes.values()]

    def unflatten(w: Tensor) -> Params:
        return {k: part.view(s) for (k, s), part in zip(shapes.items(), w.split(sizes), strict=True)}

    ends = []
    for r in range(len(ensemble)):
        x, y = (t if data.is_shared else t[0] for t in data.select(torch.tensor([r])).whole())
        buffers = {k: v[r] for k, v in ensemble.buffers.items()}

        def model(w: Tensor, x: Tensor, buffers: Params = buffers) -> Tensor:
            return ensemble.one(unflatten(w), buffers, x)

        l1, l2 = (_strengths(parts, ensemble.params, r) for parts in (sharp, smooth))
        problem = Problem(model, x, y, l1, l2, loss)
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


def _report(
    ensemble: Ensemble, data: Data, loss: Loss, penalty: Penalty | None, tolerance: float, start: float
) -> Minimum:
    shared, (x, y) = data.is_shared, data.whole()

    def total(params: Params) -> tuple[Tensor, Tensor]:
        losses = run_losses(ensemble, loss, params, ensemble.buffers, x, y, shared=shared)
        return losses.sum(), losses

    params, slope = ensemble.params, grad(total, has_aux=True)
    gradient, losses = slope(params)
    nonzero = torch.stack([(w != 0).flatten(1).sum(1) for w in params.values()]).sum(0)
    wide = (penalty or SquaredL2(0.0)).strengths(len(ensemble), losses)
    residual = wide.residual(params, gradient)
    pull = grad(lambda p: wide.value(p).sum())(params)
    converged = residual <= tolerance
    uphill = {k: g + pull[k] for k, g in gradient.items()}
    jump = residual * 0 if bool(converged.all()) else _jump(lambda p: slope(p)[0], params, gradient, uphill)
    return Minimum(
        ensemble=ensemble,
        objective=losses + wide.value(params),
        loss=losses,
        residual=residual,
        converged=converged,
        at_kink=~converged & (jump > residual / 10),
        nonzero=nonzero,
        seconds=time.perf_counter() - start,
    )


def _jump(slope: Callable[[Params], Params], params: Params, gradient: Params, uphill: Params) -> Tensor:
    """The largest jump [R] of an entry of the loss gradient over a step downhill of `NEAR` times the largest weight.

    Bisection keeps the half over which the gradient changes more: a jump stays, a smooth change goes to zero.
    """

    def change(a: Params, b: Params) -> Tensor:
        return torch.stack([max_runs((a[k] - b[k]).abs()) for k in a]).amax(0)

    def either(first: Tensor, a: Params, b: Params) -> Params:
        return {k: torch.where(first.view(-1, *(1,) * (a[k].ndim - 1)), a[k], b[k]) for k in a}

    size, steep = (torch.stack([max_runs(w.abs()) for w in ws.values()]).amax(0) for ws in (params, uphill))
    length = NEAR * size / steep.clamp(min=torch.finfo(steep.dtype).tiny)
    low, high = params, {k: w - per_run(length, w) * uphill[k] for k, w in params.items()}
    at_low, at_high = gradient, slope(high)
    for _ in range(HALVINGS):
        middle = {k: (low[k] + high[k]) / 2 for k in low}
        at_middle = slope(middle)
        first = change(at_low, at_middle) >= change(at_middle, at_high)
        low, at_low = either(first, low, middle), either(first, at_low, at_middle)
        high, at_high = either(first, middle, high), either(first, at_middle, at_high)
    return change(at_low, at_high)


def _what_failed(found: Minimum, tolerance: float) -> str:
    failed, kinks = int((~found.converged).sum()), int(found.at_kink.sum())
    said = (
        f"minimise: {failed} of {len(found.residual)} runs end with a residual above {tolerance:g}, at most "
        f"{found.residual.max().item():.1e}"
    )
    if kinks:
        said += f"; {kinks} at a kink of the loss, where it need not vanish even at a minimum (relu)"
    return said + ("; try more newton_steps, steps or an L2 penalty" if failed > kinks else "")
