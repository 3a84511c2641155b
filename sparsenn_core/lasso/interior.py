"""Amplitude-space primal-dual interior point method for the multi-task lasso, many problems at once.

Every problem has the reduced form, with rows x_k in R^p, targets B in R^{q x p} and ridge r >= 0,

    minimise  sum_k ||v_k||_2 + (r / 2) ||L||_F^2   subject to  sum_k v_k x_k' + r L = B,
    maximise  <B, L> - (r / 2) ||L||_F^2            subject to  ||L x_k||_2 <= 1 for every k.

r = 0 is the constrained problem; r > 0 the penalised one, whose scaled residual is L. Since ||v|| is the minimum over
a > 0 of (||v||^2 / a + a) / 2, every solution has v_k = a_k L x_k with one amplitude a_k >= 0 for a neuron, and a_k is
the multiplier of s_k = (1 - ||L x_k||^2) / 2 >= 0. A Newton step on

    L G(a) = B  with  G(a) = r I + sum_k a_k x_k x_k',      a_k s_k = mu,

eliminates L and leaves one positive definite system in the amplitudes, with matrix
(U U') o (X G^-1 X') + diag(s / a), U = X L', o the entrywise product.

L stays strictly feasible and V = diag(a) X G^-1 B' satisfies the constraint exactly, so every iterate has a duality
gap. Predictor and corrector follow Mehrotra (1992); the second-order correction is scaled by the predictor's step, as
Colombo and Gondzio (2008) do, without which degenerate problems (orthogonal rows, K = p) stall.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.lasso.amplitude_system import AmplitudeSystem, gram_factor, solve_right

STEP = 0.99  # share of the way to the boundary that a step may go
MOST_STEPS = 80
SMALL = 0.1  # amplitudes below this share of the mean may be set aside
PATIENCE = 5  # steps in which the gap must halve ...
STALLED = 1e-8  # ... once it is below this


@dataclass(frozen=True)
class Reduced:
    """R problems in the reduced form: rows [R, K, p], targets [R, q, p], ridge [R]; float64, p >= q >= 1."""

    rows: Tensor
    targets: Tensor
    ridge: Tensor

    def select(self, index: Tensor) -> Reduced:
        """The problems at `index` (a mask or positions)."""
        return Reduced(self.rows[index], self.targets[index], self.ridge[index])


@dataclass(frozen=True)
class Iterate:
    """amplitudes [R, m] of the columns that are still in play, their numbers columns [R, m], dual [R, q, p]."""

    amplitudes: Tensor
    columns: Tensor
    dual: Tensor


def interior_point(problem: Reduced, tol: float, clear: float) -> list[Iterate]:
    """One iterate for each problem: relative duality gap below `tol`, or where rounding stops progress.

    Columns with ||L x_k|| < `clear` and a small amplitude are set aside on the way (0 keeps all); whoever calls must
    check them against the final dual. Problems that are done leave the batch. Cost of a step:
    O(K p^2 + K^3) or, where pq is well below K, O(K (pq)^2).
    """
    state = _start(problem)
    count = len(problem.ridge)
    position = torch.arange(count)
    history = torch.full((PATIENCE, count), torch.inf, dtype=problem.rows.dtype)
    found: dict[int, Iterate] = {}
    for step in range(MOST_STEPS):
        u = state.rows @ state.dual.mT
        factor = gram_factor(state.rows, state.amplitudes, state.problem.ridge)
        free = solve_right(state.problem.targets, factor)
        gap = _relative_gap(state, free)
        stalled = (gap < STALLED) & (gap > history[step % PATIENCE] / 2)
        done = (gap < tol) | stalled | (step == MOST_STEPS - 1)
        history[step % PATIENCE] = gap
        for i in done.nonzero().flatten().tolist():
            found[int(position[i])] = state.iterate(i)
        if done.all():
            break
        if done.any():
            left = ~done
            state, position, history = state.select(left), position[left], history[:, left]
            u, factor, free = u[left], factor[left], free[left]
        state = _newton_step(state, u, factor, free - state.dual)
        state = state.without_clear_zeros(clear)
    return [found[i] for i in range(count)]


@dataclass(frozen=True)
class _State:
    problem: Reduced
    amplitudes: Tensor
    columns: Tensor
    dual: Tensor

    @property
    def rows(self) -> Tensor:
        return self.problem.rows

    def select(self, index: Tensor) -> _State:
        return _State(self.problem.select(index), self.amplitudes[index], self.columns[index], self.dual[index])

    def iterate(self, i: int) -> Iterate:
        return Iterate(self.amplitudes[i], self.columns[i], self.dual[i])

    def without_clear_zeros(self, clear: float) -> _State:
        """Drop the columns that no problem of the batch needs; at least 3p stay, so that G(a) keeps its rank."""
        norms = (self.rows @ self.dual.mT).norm(dim=-1)
        needed = (self.amplitudes > SMALL * self.amplitudes.mean(-1, keepdim=True)) | (norms >= clear)
        width, p = self.rows.shape[1:]
        keep = max(int(needed.sum(-1).max()), min(width, 3 * p))
        if keep >= 0.9 * width:
            return self
        best = torch.topk(norms + 2.0 * needed, keep, dim=-1).indices
        rows = self.rows.gather(1, best[..., None].expand(-1, -1, p))
        problem = Reduced(rows, self.problem.targets, self.problem.ridge)
        return _State(problem, self.amplitudes.gather(1, best), self.columns.gather(1, best), self.dual)


def _start(problem: Reduced) -> _State:
    """Equal amplitudes, large enough that the dual of the constrained problem has all norms below 0.7."""
    rows, targets = problem.rows, problem.targets
    count, width, _ = rows.shape
    ones = torch.ones(count, width, dtype=rows.dtype)
    dual = solve_right(targets, gram_factor(rows, ones, torch.zeros_like(problem.ridge)))
    level = (rows @ dual.mT).norm(dim=-1).amax(-1) / 0.7
    amplitudes = ones * level[:, None]
    dual = solve_right(targets, gram_factor(rows, amplitudes, problem.ridge))
    worst = (rows @ dual.mT).norm(dim=-1).amax(-1)
    dual = dual * (0.7 / worst).clamp(max=1)[:, None, None]
    columns = torch.arange(width).expand(count, width)
    return _State(problem, amplitudes, columns, dual)


def _relative_gap(state: _State, free: Tensor) -> Tensor:
    """(primal - dual) / primal of the iterate; `free` = B G(a)^-1 gives the feasible V."""
    targets, ridge, dual = state.problem.targets, state.problem.ridge, state.dual
    length = (state.amplitudes * (state.rows @ free.mT).norm(dim=-1)).sum(-1)
    primal = length + ridge / 2 * free.square().sum((-1, -2))
    bound = (targets * dual).sum((-1, -2)) - ridge / 2 * dual.square().sum((-1, -2))
    return (primal - bound) / primal


def _newton_step(state: _State, u: Tensor, factor: Tensor, miss: Tensor) -> _State:
    """Predictor, corrector, one common step length. `miss` = B G^-1 - L is the error of stationarity in L."""
    rows, a = state.rows, state.amplitudes
    norms = u.norm(dim=-1)
    slack = (1 - norms) * (1 + norms) / 2
    system = AmplitudeSystem(rows, u, factor, slack / a)

    def direction(miss: Tensor, centre: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        along = (u * (rows @ miss.mT)).sum(-1)
        da = system.solve(along + centre / a)
        dual = miss - solve_right((u * da[..., None]).mT @ rows, factor)
        return da, dual, rows @ dual.mT

    da, dual, du = direction(miss, -a * slack)
    linear, square = -(u * du).sum(-1), du.square().sum(-1)
    reach = _reach(a, da, u, du, slack).clamp(max=1)[:, None]
    after = (a + reach * da) * (slack + reach * linear - reach**2 * square / 2)
    mean = (a * slack).mean(-1, keepdim=True)
    centring = (after.mean(-1, keepdim=True) / mean) ** 3
    miss = miss - reach[..., None] * solve_right((du * da[..., None]).mT @ rows, factor)
    centre = centring * mean - a * slack - reach * (da * linear - a * square / 2)
    da, dual, du = direction(miss, centre)
    step = (STEP * _reach(a, da, u, du, slack)).clamp(max=1)
    # a factorisation that broke down gives no direction: stay, and be counted as stalled
    sound = torch.isfinite(da).all(-1) & torch.isfinite(dual).flatten(1).all(-1)
    da, dual = torch.where(sound[:, None], da, 0.0), torch.where(sound[:, None, None], dual, 0.0)
    step = torch.where(sound, step, 0.0)
    return _State(state.problem, a + step[:, None] * da, state.columns, state.dual + step[:, None, None] * dual)


def _reach(a: Tensor, da: Tensor, u: Tensor, du: Tensor, slack: Tensor) -> Tensor:
    """Largest step [R] that keeps a >= 0 and ||u_k + t du_k|| <= 1: roots of quadratics, without cancellation."""
    down = torch.where(da < 0, -a / da, torch.inf).amin(-1)
    square, cross = du.square().sum(-1), (u * du).sum(-1)
    root = (cross.square() + 2 * slack * square).sqrt()
    out = torch.where(square > 0, (root - cross) / square, torch.inf)
    out = torch.where(cross > 0, 2 * slack / (cross + root), out)
    return torch.minimum(down, out.amin(-1))
