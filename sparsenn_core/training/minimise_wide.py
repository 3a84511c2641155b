"""L1 minimisers of wide fully connected networks: most units die, some merge, and what is left is small."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.penalties import L1
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.fit import fit
from sparsenn_core.training.optimizers import ProximalAdam
from sparsenn_core.training.schedules import cosine
from sparsenn_core.training.unit_moves import Weights, fewer_units, without_copies, without_dead
from sparsenn_core.training.wide_objective import WideObjective

Again = Callable[[Weights], Weights]

SEARCH_SAMPLES = 10_000
"""A move is tried on so many samples at most; the ends are polished on all."""

SEARCH, SHORT, LONG, ROUNDS = 80, 100, 300, 10
"""L-BFGS-B iterations after a move, of every end, and of a round of the least end, up to so many rounds."""

FALLS = 1e-4
"""A move counts if the objective falls by this part of itself: more than what unfinished polishes differ by."""


@dataclass(frozen=True)
class WideMinimum:
    """Where each of R starts of `minimise_wide` ended, in float64.

    `ensemble` has the widths of the start, its surplus units zero; `objective` [R] is the mean squared error plus the
    penalty on all samples and `loss` [R] the error alone; `residual` [R] the largest entry of the shortest subgradient
    over all weights of the wide network, zeros included (for relu it takes the loss to be smooth, as `Minimum` does);
    `nonzero` [R] counts weights, `units` [R, hidden layers] the units that are left.
    """

    ensemble: Ensemble
    objective: Tensor
    loss: Tensor
    residual: Tensor
    nonzero: Tensor
    units: Tensor
    seconds: float


def minimise_wide(
    ensemble: Ensemble,
    data: Data,
    *,
    strength: float,
    steps: int = 4000,
    batch_size: int = 256,
    learning_rate: float = 0.01,
    first_strength: float | Sequence[float] = 1.0,
    order: Sequence[int] | None = None,
    moves: int = 8,
) -> WideMinimum:
    """Minimise mean squared error + `strength` sum |w| from every start of `ensemble`, `MLP`s without biases.

    `data` are shared by the runs: inputs [n, in], targets [n, out]. Three stages. `steps` proximal Adam steps on
    minibatches, all runs together, float32, in two halves as in `minimise` (`first_strength`, one number or one a run,
    multiplies the penalty in the first). Then, for each run, in float64 on what is left of it: units that the output
    does not depend on are removed; units of one layer with like incoming weights are merged, and the weakest removed,
    wherever the objective is lower after L-BFGS-B than before (at most `moves` candidates are tried for each success,
    on 10,000 samples); then a quarter as many proximal steps and the same moves once more. Last L-BFGS-B on all
    samples, with bounds, which makes exact zeros; long for the least of the runs alone. relu units are kept balanced,
    as L1 wants them. `steps=0` leaves out the first stage, and `moves=0` the second: so a known network, such as the
    teacher among zeros, is carried to the nearest minimum.

    `minimise` does the same for networks small enough for Newton's method (hundreds of weights), to more digits; here
    the residual of the least run ends near a hundredth of the strength, that of the others higher. As there, a
    stationary point need not be the global minimum: use many starts. Cost for 12-128-128-1 and 100,000 samples: 2 to 4
    ms a step and run, then seconds a run for four units, minutes for twenty. Refused in one line: other networks,
    biases, data of each run's own, a strength that is not positive.
    """
    start = time.perf_counter()
    template = _checked(ensemble, data, strength)
    near = ensemble
    for factor in (first_strength, 1.0):
        if steps:
            scaled = strength * torch.as_tensor(factor, dtype=torch.float64)
            near = _proximal(near, data, scaled, steps // 2, batch_size, learning_rate, order)
    x, y = (t[0].double() for t in (data.inputs, data.targets))
    objective = WideObjective(template, x, y, strength)
    quick = WideObjective(template, x[:SEARCH_SAMPLES], y[:SEARCH_SAMPLES], strength)
    again = partial(_stirred, template, data, strength, steps // 4, batch_size, learning_rate / 3) if steps else None
    ends = [_found(quick, [w[r].double() for w in near.params.values()], moves, again) for r in range(len(near))]
    return _report(ensemble, objective, _polished(objective, ends), time.perf_counter() - start)


def _checked(ensemble: Ensemble, data: Data, strength: float) -> MLP:
    if not isinstance(ensemble.template, MLP) or any(w.ndim != 3 for w in ensemble.params.values()):
        raise InputError("minimise_wide knows ensembles of MLPs without biases; use minimise for others")
    if not (isinstance(strength, int | float) and math.isfinite(strength) and strength > 0):
        raise InputError(f"the strength is a number above 0, not {strength!r}")
    if not data.is_shared:
        raise InputError("minimise_wide wants the same data for all runs: Data.shared(inputs, targets)")
    return ensemble.template


def _proximal(
    ensemble: Ensemble, data: Data, strength: Tensor, steps: int, batch: int, rate: float, order: Sequence[int] | None
) -> Ensemble:
    batch = min(batch, data.samples)
    an_epoch = -(-data.samples // batch)
    epochs = max(1, round(steps / an_epoch))
    return fit(
        ensemble.to(dtype=torch.float32),
        data.to(dtype=torch.float32),
        optimizer=ProximalAdam(rate, schedule=cosine(epochs * an_epoch, 0.01)),
        epochs=epochs,
        penalty=L1(strength),
        batch_size=batch,
        order=list(order) if order is not None else list(range(len(ensemble))),
    ).ensemble


def _stirred(
    template: MLP, data: Data, strength: float, steps: int, batch: int, rate: float, weights: Weights
) -> Weights:
    """Proximal steps on a network of few units: minibatches lead past the kinks at which L-BFGS-B stops."""
    widths = (weights[0].shape[1], *(len(w) for w in weights))
    network = copy.deepcopy(template)
    network.layers = MLP(widths, "relu", bias=False, generator=torch.Generator()).layers
    for p, w in zip(network.parameters(), weights, strict=True):
        p.data.copy_(w)
    near = _proximal(Ensemble.stack([network]), data, torch.tensor(strength), steps, batch, rate, [0])
    return [w[0].double() for w in near.params.values()]


def _found(quick: WideObjective, weights: Weights, moves: int, again: Again | None) -> Weights:
    """Dead units out, moves that pay, and on what is left the first stage and the moves again."""
    weights = without_dead(weights, quick.activation)
    if not moves:
        return weights
    weights = _searched(quick, weights, moves)
    if again is not None:
        trial = _searched(quick, without_dead(again(weights), quick.activation), moves)
        if quick.value(trial) < quick.value(weights):
            weights = trial
    return weights


def _searched(quick: WideObjective, weights: Weights, moves: int) -> Weights:
    """`weights` with fewer units, as long as the objective falls."""
    activation = quick.activation
    weights = without_dead(quick.polished(weights, SEARCH), activation)
    # first all that are nearly the same at once: the proximal steps leave many copies
    together = quick.polished(without_copies(weights, activation), SEARCH)
    if quick.value(together) < quick.value(weights) * (1 + FALLS):
        weights = without_dead(together, activation)
    while (fewer := _one_less(quick, weights, moves)) is not None:
        weights = fewer
    return weights


def _one_less(quick: WideObjective, weights: Weights, moves: int) -> Weights | None:
    """The first of `moves` candidates with a unit less whose objective is lower, or None."""
    value = quick.value(weights)
    for candidate in itertools.islice(fewer_units(weights, quick.activation), moves):
        trial = quick.polished(without_dead(candidate, quick.activation), SEARCH)
        if quick.value(trial) < value * (1 - FALLS):
            return without_dead(trial, quick.activation)
    return None


def _polished(objective: WideObjective, ends: list[Weights]) -> list[Weights]:
    """All ends polished on all samples, the least for longest: the others only say how often it is found."""
    ends = [objective.polished(w, SHORT) for w in ends]
    best = min(range(len(ends)), key=lambda r: objective.value(ends[r]))
    for _ in range(ROUNDS):
        if objective.residual(ends[best]) <= objective.strength / 100:
            break
        ends[best] = objective.polished(ends[best], LONG)
    return ends


def _report(ensemble: Ensemble, objective: WideObjective, ends: list[Weights], seconds: float) -> WideMinimum:
    names = list(ensemble.params)
    whole = [_padded(end, [ensemble.params[k].shape[1:] for k in names]) for end in ends]
    params = {k: torch.stack([w[i] for w in whole]) for i, k in enumerate(names)}
    return WideMinimum(
        ensemble=ensemble.to("cpu", torch.float64).with_params(params),
        objective=torch.tensor([objective.value(w) for w in ends], dtype=torch.float64),
        loss=torch.tensor([float(objective.loss(w)) for w in ends], dtype=torch.float64),
        residual=torch.tensor([objective.residual(w) for w in whole], dtype=torch.float64),
        nonzero=torch.tensor([sum(int((w != 0).sum()) for w in end) for end in ends]),
        units=torch.tensor([_units(end, objective.activation) for end in ends]),
        seconds=seconds,
    )


def _units(weights: Weights, activation: nn.Module) -> list[int]:
    return [len(w) for w in without_dead(weights, activation)[:-1]]


def _padded(weights: Weights, shapes: Sequence[torch.Size]) -> Weights:
    """The same network among zeros, of the given shapes."""
    whole = [torch.zeros(cast("tuple[int, ...]", shape), dtype=torch.float64) for shape in shapes]
    for w, part in zip(whole, weights, strict=True):
        w[: part.shape[0], : part.shape[1]] = part
    return whole
