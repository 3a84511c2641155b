"""Masks whose sparsity is an outcome of penalties: hard-concrete gates, learned soft thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.masks.schedules import Schedule
from sparsenn_core.masks.scores import drawn
from sparsenn_core.masks.sparse_weight import LayerRuns, Score, per_layer, require_constant
from sparsenn_core.masks.structures import Structure, Unstructured
from sparsenn_core.penalties import Params, Penalty, sum_runs
from sparsenn_core.randomness import generator

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1
"""Temperature and stretch of the hard-concrete distribution, as its paper and its authors' code have them."""
CLAMP = math.log(0.01), math.log(100)
EPS = 1e-6
GATES = "log_alpha"


@dataclass(frozen=True)
class HardConcrete(Score):
    """L0 regularization by random gates (Louizos, Welling & Kingma 2018, arXiv:1712.01312).

    In training the layer uses W z with z = min(1, max(0, s (zeta - gamma) + gamma)), s = sigmoid((log u - log(1 - u) +
    log a) / beta), u uniform, drawn anew after every step from the layer's seed; in evaluation mode z with s =
    sigmoid(log a). Sparsity is an outcome: train with the penalty `GateCount`. log a starts near log(open / (1 - open))
    and is kept between log 0.01 and log 100. The parameter that is trained is log a / `rate`: under Adam the gates
    then move `rate` times as fast as weights.
    """

    open: float = 0.5
    rate: float = 10.0
    has_sparsity = False

    def __post_init__(self) -> None:
        if not 0 < self.open < 1:
            raise InputError(f"open of HardConcrete is a share inside (0, 1), not {self.open!r}")
        if not 0 < self.rate < math.inf:
            raise InputError(f"rate of HardConcrete must be above 0, not {self.rate!r}")

    def check(self, structure: Structure, schedule: Schedule) -> None:
        _check_single(self, structure, schedule)

    def parameters(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        start = math.log(self.open / (1 - self.open))
        return {GATES: (start + 0.01 * drawn(weight, source)) / self.rate}

    def buffers(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"noise": torch.full_like(weight, 0.5)}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        """The gates of evaluation mode, from 0 to 1."""
        return stretched(torch.sigmoid(self.rate * own[GATES]))

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        if not training:
            return weight * self.values(weight, own)
        u = own["noise"]
        return weight * stretched(torch.sigmoid((u.log() - (-u).log1p() + self.rate * own[GATES]) / BETA))

    def start(self, layer: LayerRuns) -> None:
        self.after_step(layer)

    def after_step(self, layer: LayerRuns) -> None:
        layer.own[GATES].clamp_(CLAMP[0] / self.rate, CLAMP[1] / self.rate)
        layer.mask.copy_(self.values(layer.weight, layer.own) > 0)
        sources = [generator(seed, "gates", layer.step) for seed in layer.seed.tolist()]
        shape = layer.weight.shape[1:]
        noise = torch.stack([torch.rand(shape, generator=source, dtype=torch.float64) for source in sources])
        layer.own["noise"].copy_(EPS + (1 - 2 * EPS) * noise)


def stretched(s: Tensor) -> Tensor:
    """The hard-concrete gate of a concrete number s in (0, 1)."""
    return (s * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


@dataclass(frozen=True)
class GateCount(Penalty):
    """strength * the expected number of open hard-concrete gates: sum sigmoid(log a - beta log(-gamma / zeta)).

    `rate` is that of the `HardConcrete` whose gates are counted.
    """

    rate: float = 10.0
    smooth = True

    def value(self, params: Params) -> Tensor:
        gates = [p for name, p in self.covered(params) if name.rpartition(".")[2] == GATES]
        if not gates:
            raise InputError("GateCount: no hard-concrete gates among the parameters; sparsify with HardConcrete()")
        shift = BETA * math.log(-GAMMA / ZETA)
        first, *rest = (sum_runs(torch.sigmoid(self.rate * g - shift)) for g in gates)
        return self.strength * sum(rest, first)


@dataclass(frozen=True)
class SoftThreshold(Score):
    """Soft-threshold reparameterisation, STR (Kusupati et al. 2020, arXiv:2002.03231): the layer uses sign(W) max(0,
    |W| - sigmoid(r)) with one trained r a layer. Sparsity is an outcome of weight decay on W and r.

    `start_at` is r at the start: sigmoid(-5) = 0.0067. A gradient reaches W only where |W| is above the threshold.
    """

    start_at: float = -5.0
    has_sparsity = False

    def check(self, structure: Structure, schedule: Schedule) -> None:
        _check_single(self, structure, schedule)

    def parameters(self, weight: Tensor, source: torch.Generator) -> dict[str, Tensor]:
        return {"threshold": weight.new_tensor(self.start_at)}

    def values(self, weight: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        """How far weights are above the threshold."""
        return weight.abs() - per_layer(own["threshold"].sigmoid(), weight)

    def effective(self, weight: Tensor, mask: Tensor, own: Mapping[str, Tensor], training: bool) -> Tensor:
        return weight.sign() * (weight.abs() - own["threshold"].sigmoid()).relu()

    def start(self, layer: LayerRuns) -> None:
        self.after_step(layer)

    def after_step(self, layer: LayerRuns) -> None:
        layer.mask.copy_(self.values(layer.weight, layer.own) > 0)


def _check_single(score: Score, structure: Structure, schedule: Schedule) -> None:
    if not isinstance(structure, Unstructured):
        raise InputError(f"{type(score).__name__} acts on single weights: structure is Unstructured, nothing else")
    require_constant(score, schedule)
