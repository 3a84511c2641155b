"""The regularization path: minimisers for many strengths of a penalty, each found from the one before."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import grad

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params, Penalty
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Loss
from sparsenn_core.training.gradients import run_losses
from sparsenn_core.training.minimise import ConvergenceWarning, Minimum, minimise
from sparsenn_core.training.refit import refit

PenaltyOf = Callable[[float], Penalty]
"""strength -> penalty: `L1` itself, or for an elastic net `lambda s: L1(s) + SquaredL2(1e-6)`."""


@dataclass(frozen=True)
class Path:
    """What `path` found for S strengths and R runs, float64; the first axis follows `strengths` as given.

    strengths   [S]
    objective   [S, R] loss + penalty on all samples; `loss` [S, R] the loss alone
    residual    [S, R] the largest entry of the shortest subgradient; `converged` whether it is at most the tolerance,
                `at_kink` whether it need not be, as `Minimum` explains
    nonzero     [S, R] weights that are not exactly zero
    weights     name -> [S, R, ...]
    refit_loss  [S, R] the loss after a refit of the weights that are not zero, without penalty; `refit_weights`
                name -> [S, R, ...]. Both are None if no refit was asked for
    """

    strengths: Tensor
    objective: Tensor
    loss: Tensor
    residual: Tensor
    converged: Tensor
    at_kink: Tensor
    nonzero: Tensor
    weights: Params
    refit_loss: Tensor | None
    refit_weights: Params | None
    template: Ensemble

    def at(self, index: int) -> Ensemble:
        """The networks at strength number `index`."""
        return self.template.with_params({k: w[index] for k, w in self.weights.items()})

    @functools.cached_property
    def events(self) -> pd.DataFrame:
        """Every entry and exit, in the order in which the path was walked.

        Columns run, parameter, place (row-major), event ("enters" or "leaves": zero before, or after), strength_before
        and strength, between which it lies. Told by exact zeros; a weight that comes and goes between two neighbouring
        strengths is not seen.
        """
        rows = []
        for name, values in self.weights.items():
            kept = (values != 0).flatten(2)
            for step, run, place in (kept[1:] != kept[:-1]).nonzero().tolist():
                event = "enters" if bool(kept[step + 1, run, place]) else "leaves"
                rows.append((step, run, name, place, event, *self.strengths[step : step + 2].tolist()))
        columns = ["step", "run", "parameter", "place", "event", "strength_before", "strength"]
        table = pd.DataFrame(rows, columns=columns).sort_values("step", kind="stable", ignore_index=True)
        return table.drop(columns="step")


def path(
    ensemble: Ensemble,
    data: Data,
    penalty: PenaltyOf,
    strengths: Sequence[float],
    *,
    loss: Loss = nn.functional.mse_loss,
    first_steps: int = 2000,
    steps: int = 0,
    refitted: bool = True,
    order: Sequence[int] | None = None,
    batch_size: int = 256,
    learning_rate: float = 0.01,
    newton_steps: int = 60,
    tolerance: float = 1e-10,
) -> Path:
    """Minimisers of loss + penalty(strength) for each of `strengths`, in the order given, for every run of `ensemble`.

    At the first strength `minimise` starts from the ensemble with `first_steps` proximal steps, at each later one from
    the minimisers before with `steps` of them: 0 follows one branch of stationary points as closely as the strengths
    allow; some hundreds let units die or merge that L-BFGS would leave where they are. `refitted`: whether the loss is
    also minimised on each support alone (see `refit`; a support that did not change is not refitted again). The other
    arguments are those of `minimise`; for a network without hidden layer and the mean squared error, `path` gives the
    lasso path (Efron, Hastie, Johnstone, Tibshirani 2004, Annals of Statistics 32) at the given strengths.

    The direction matters where there are hidden layers. A unit whose incoming and outgoing weights are all zero has no
    gradient, unless its activation is not zero at zero: on a path towards weaker penalties it does not come back, so
    such paths go up from a fit. Runs that do not converge are warned of once, in one line (`ConvergenceWarning`).
    Cost: S R times that of the second stage of `minimise`.
    """
    values = _checked(penalty, strengths)
    found: list[Minimum] = []
    refits: list[tuple[Params, Tensor]] = []
    now = ensemble
    for index, strength in enumerate(values):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said once for the whole path
            end = minimise(
                now, data, loss=loss, penalty=penalty(strength), steps=steps if index else first_steps, order=order,
                batch_size=batch_size, learning_rate=learning_rate, newton_steps=newton_steps, tolerance=tolerance,
            )  # fmt: skip
        if refitted:
            before = (found[-1].ensemble.params, *refits[-1]) if refits else None
            refits.append(_refitted(end.ensemble, data, loss, before, newton_steps, tolerance))
        found.append(end)
        now = end.ensemble
    result = _gathered(values, found, refits)
    if not bool(result.converged.all()):
        warnings.warn(_what_failed(result, tolerance), ConvergenceWarning, stacklevel=2)
    return result


def largest_strength(
    ensemble: Ensemble, data: Data, penalty: PenaltyOf, *, loss: Loss = nn.functional.mse_loss
) -> Tensor:
    """The least strength [R] at which the network with all weights zero is stationary.

    For a network without hidden layer and a convex loss it is the least at which zero is the minimiser: a path down
    starts there. With hidden layers whose activation is zero at zero, and without biases, no gradient reaches any
    weight of the zero network: the answer is 0, zero is stationary at every strength, and this says nothing of the
    strength at which a fit stops paying. What then holds: every minimiser w has penalty(w) <= loss(0) - loss(w), as
    zero is one of its rivals.
    """
    exact = data.for_runs(len(ensemble)).to(device="cpu", dtype=torch.float64)
    zero = ensemble.to(device="cpu", dtype=torch.float64)
    params = {k: torch.zeros_like(w) for k, w in zero.params.items()}
    x, y = exact.whole()

    def total(params: Params) -> Tensor:
        return run_losses(zero, loss, params, zero.buffers, x, y, shared=exact.is_shared).sum()

    return penalty(1.0).strength_max(grad(total)(params))


def _checked(penalty: PenaltyOf, strengths: Sequence[float]) -> list[float]:
    if isinstance(penalty, Penalty) or not callable(penalty):
        raise InputError(f"penalty of a path is a function of the strength, such as L1, not {type(penalty).__name__}")
    try:
        values = [float(s) for s in strengths]
    except (TypeError, ValueError):
        raise InputError(f"strengths of a path must be a list of numbers, not {strengths!r}") from None
    if not values:
        raise InputError("a path needs at least one strength")
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"strengths of a path must be finite and above 0, not {value!r}")
    falls = [b < a for a, b in itertools.pairwise(values)]
    rises = [b > a for a, b in itertools.pairwise(values)]
    if not (all(falls) or all(rises)):
        raise InputError(f"strengths of a path must rise or fall from one to the next, not {values}"[:300])
    return values


def _refitted(
    ensemble: Ensemble,
    data: Data,
    loss: Loss,
    before: tuple[Params, Params, Tensor] | None,
    newton_steps: int,
    tolerance: float,
) -> tuple[Params, Tensor]:
    """Weights and losses of the refits; those of runs with the same support as `before` are taken over."""
    changed = torch.ones(len(ensemble), dtype=torch.bool)
    if before is not None:
        same = [((w != 0) == (before[0][k] != 0)).flatten(1).all(1) for k, w in ensemble.params.items()]
        changed = ~torch.stack(same).all(0)
    params, losses = (before[1], before[2]) if before is not None else ({}, torch.zeros(0))
    rows = changed.nonzero()[:, 0]
    if not len(rows):
        return params, losses
    again = refit(ensemble.select(rows), data.select(rows), loss=loss, newton_steps=newton_steps, tolerance=tolerance)
    if before is None:
        return again.ensemble.params, again.loss
    new = {k: w.index_copy(0, rows, again.ensemble.params[k]) for k, w in params.items()}
    return new, losses.index_copy(0, rows, again.loss)


def _gathered(strengths: list[float], found: list[Minimum], refits: list[tuple[Params, Tensor]]) -> Path:
    last = found[-1].ensemble
    return Path(
        strengths=torch.tensor(strengths, dtype=torch.float64),
        **{
            name: torch.stack([getattr(end, name) for end in found])
            for name in ("objective", "loss", "residual", "converged", "at_kink", "nonzero")
        },
        weights={k: torch.stack([end.ensemble.params[k] for end in found]) for k in last.params},
        refit_loss=torch.stack([losses for _, losses in refits]) if refits else None,
        refit_weights={k: torch.stack([p[k] for p, _ in refits]) for k in last.params} if refits else None,
        template=last,
    )


def _what_failed(found: Path, tolerance: float) -> str:
    failed, kinks = int((~found.converged).sum()), int(found.at_kink.sum())
    return (
        f"path: {failed} of {found.converged.numel()} points end with a residual above {tolerance:g}, at most "
        f"{found.residual.max().item():.1e}, {kinks} of them at a kink of the loss; see residual, at_kink"
    )
