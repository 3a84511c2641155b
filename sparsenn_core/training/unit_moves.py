"""Fewer units in a fully connected network: which are dead, which may merge, which may go."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

Weights = list[Tensor]
"""One matrix [out, in] a layer, first layer first; no biases."""

ALIKE = 0.6
"""Cosine of incoming weights from which two units are candidates to become one."""

COPIES = 0.95
"""Cosine from which they are taken for copies."""


SWEEPS = 30
"""Over the layers: balancing one unbalances its neighbours a little."""


def without_dead(weights: Weights, activation: nn.Module) -> Weights:
    """A copy without the units that the output does not depend on, or that are zero on every input; one stays at least.

    A unit without incoming weights is zero if the activation is zero there (relu, tanh), and a constant if not
    (sigmoid); a constant that something reads stays.
    """
    silent = float(activation(torch.zeros(1))) == 0.0
    weights = [w.clone() for w in weights]
    widths: list[int] = []
    while widths != (widths := [len(w) for w in weights]):
        for layer in range(len(weights) - 1):
            alive = (weights[layer + 1] != 0).any(0)
            if silent:
                alive &= (weights[layer] != 0).any(1)
            if not bool(alive.any()):
                alive[0] = True
            weights[layer], weights[layer + 1] = weights[layer][alive], weights[layer + 1][:, alive]
    return weights


def balanced(weights: Weights, activation: nn.Module) -> Weights:
    """A copy in which every relu unit's incoming and outgoing weights have the same L1 norm: scaling a unit, c > 0 in
    and 1/c out, leaves its function, and no L1 sum is less. Other activations: as it is.
    """
    weights = [w.clone() for w in weights]
    if not isinstance(activation, nn.ReLU):
        return weights
    for _ in range(SWEEPS):
        for w, after in itertools.pairwise(weights):
            into, out = w.abs().sum(1), after.abs().sum(0)
            factor = torch.where((into > 0) & (out > 0), (out / into).sqrt(), 1.0)
            w *= factor[:, None]
            after /= factor
    return weights


def without_copies(weights: Weights, activation: nn.Module) -> Weights:
    """A copy in which units of nearly the same direction are merged, most alike first, until none are left."""
    while pairs := [p for p in _pairs(weights, activation) if abs(p[0]) > COPIES]:
        weights = _merged(weights, activation, *max(pairs, key=lambda pair: abs(pair[0])))
    return weights


def fewer_units(weights: Weights, activation: nn.Module) -> Iterator[Weights]:
    """Networks with one unit less each: two alike merged, most alike first, in turn with the weakest removed."""
    merges = sorted(_pairs(weights, activation), key=lambda pair: -abs(pair[0]))
    removals = sorted(_sizes(weights))
    for pair, unit in itertools.zip_longest(merges, removals):
        if pair is not None:
            yield _merged(weights, activation, *pair)
        if unit is not None:
            yield _removed(weights, *unit[1:])


def _pairs(weights: Weights, activation: nn.Module) -> Iterator[tuple[float, int, int, int]]:
    """(cosine, layer, unit, unit) of candidates; the activation's symmetry decides whether opposite ones count."""
    odd = isinstance(activation, nn.Tanh)
    for layer, w in enumerate(weights[:-1]):
        # units without incoming weights are alike: all of them are constants
        length = w.norm(dim=1, keepdim=True)
        direction = torch.where(length > 0, w / length.clamp(min=1e-300), 0.0)
        cosine = direction @ direction.T
        constant = length[:, 0] == 0
        cosine[constant[:, None] & constant] = 1.0
        for i, j in itertools.combinations(range(len(w)), 2):
            if cosine[i, j] > ALIKE or (odd and cosine[i, j] < -ALIKE):
                yield float(cosine[i, j]), layer, i, j


def _sizes(weights: Weights) -> Iterator[tuple[float, int, int]]:
    """(size, layer, unit): the unit's incoming times its outgoing norm."""
    for layer, (w, after) in enumerate(itertools.pairwise(weights)):
        if len(w) > 1:
            for i, size in enumerate((w.norm(dim=1) * after.norm(dim=0)).tolist()):
                yield size, layer, i


def _merged(weights: Weights, activation: nn.Module, cosine: float, layer: int, i: int, j: int) -> Weights:
    """Unit j put into unit i: incoming weights averaged by what each passes on, outgoing ones added.

    tanh units of opposite direction: one is turned first. relu units: j is rescaled to i's length first.
    """
    weights = [w.clone() for w in weights]
    w, after = weights[layer], weights[layer + 1]
    factor = -1.0 if cosine < 0 else 1.0
    if isinstance(activation, nn.ReLU):
        factor = float(w[j].norm() / w[i].norm())
    passed = after[:, i].norm(), after[:, j].norm() * abs(factor)
    share = float(passed[0] / (passed[0] + passed[1])) if float(passed[0] + passed[1]) > 0 else 0.5
    w[i] = share * w[i] + (1 - share) * w[j] / factor
    after[:, i] += factor * after[:, j]
    return _removed(weights, layer, j)


def _removed(weights: Weights, layer: int, unit: int) -> Weights:
    """A copy without one unit."""
    keep = torch.arange(len(weights[layer])) != unit
    weights = [w.clone() for w in weights]
    weights[layer], weights[layer + 1] = weights[layer][keep], weights[layer + 1][:, keep]
    return weights
