"""The methods that are compared: a score and a schedule each, for a number of training steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_book.studies.sparse_layers.tasks import Task
from sparsenn_core.masks import (
    NM,
    SET,
    Block,
    Channel,
    Constant,
    Cubic,
    HardConcrete,
    Learned,
    Magnitude,
    OneShot,
    Random,
    RigL,
    Schedule,
    Score,
    SoftSigmoid,
    SoftThreshold,
    StraightThroughMagnitude,
    Structure,
    Unstructured,
    sparsify,
)
from sparsenn_core.networks import initialize_default_
from sparsenn_core.randomness import generator

STUDY_SCALE = 0.1
EXCHANGES = 20
"""So many times SET and RigL exchange weights, and gradual pruning prunes: every hundred of 2000 steps, say."""


@dataclass(frozen=True)
class Method:
    """`score(steps)` and `schedule(steps)` for a training of so many steps; `scale` of the study's initial weights."""

    score: Callable[[int], Score]
    schedule: Callable[[int], Schedule] = lambda steps: Constant()
    structure: Structure = Unstructured()  # noqa: RUF009 - it is frozen
    scale: float | None = None


def _cubic(steps: int) -> Schedule:
    # dense for a fifth, full sparsity for the last three tenths
    start, stop = steps // 5, max(steps // 5 + 1, int(0.7 * steps))
    return Cubic(start, stop, max(1, (stop - start) // EXCHANGES))


def _every(steps: int) -> int:
    return max(1, steps // EXCHANGES)


METHODS: dict[str, Method] = {
    "as in the study": Method(lambda steps: Random(), scale=STUDY_SCALE),
    "random": Method(lambda steps: Random()),
    "one-shot": Method(lambda steps: Magnitude(), lambda steps: OneShot(steps // 2)),
    "gradual": Method(lambda steps: Magnitude(), _cubic),
    "SET": Method(lambda steps: SET(every=_every(steps), until=int(0.75 * steps))),
    "RigL": Method(lambda steps: RigL(every=_every(steps), until=max(1, int(0.75 * steps)))),
    "edge-popup": Method(lambda steps: Learned(weights=False)),
    "straight-through": Method(lambda steps: Learned()),
    "soft": Method(lambda steps: SoftSigmoid(until=max(1, int(0.7 * steps)))),
}
"""Single weights, with the sparsity asked for."""
DENSE = "dense"
STRUCTURED: dict[str, Method] = {
    **{f"1:{m}": Method(lambda steps: StraightThroughMagnitude(), structure=NM(1, m)) for m in (4, 8, 16)},
    "2:4": Method(lambda steps: StraightThroughMagnitude(), structure=NM(2, 4)),
    "block 4 x 4": Method(lambda steps: Magnitude(), _cubic, Block(4, 4)),
    "channel": Method(lambda steps: Magnitude(), _cubic, Channel()),
    "gradual": METHODS["gradual"],
}
PENALIZED: dict[str, Method] = {
    "L0": Method(lambda steps: HardConcrete()),
    "STR": Method(lambda steps: SoftThreshold()),
}


def build(task: Task, method: Method, sparsity: float | None, seed: int, steps: int) -> nn.Sequential:
    """A network of the task with its sparse layers; weights and mask from `seed`, the same weights for all methods
    but edge-popup, which starts at +-sqrt(2 / (inputs * share kept)), and the study's, which starts smaller.
    """
    model = task.make()
    initialize_default_(model, generator(seed, "init"))
    score = method.score(steps)
    for name in task.sparse:
        layer = model.get_submodule(name)
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        assert layer.bias is not None
        if method.scale is not None:
            _start_as_the_study(layer.weight, layer.bias, method.scale, generator(seed, "study's init", name))
        if not score.trains_weights and sparsity is not None:
            _start_at_constants(layer.weight, sparsity)
    sparsify(
        model, score, sparsity, structure=method.structure, schedule=method.schedule(steps), layers=task.sparse,
        generator=generator(seed, "masks"),
    )  # fmt: skip
    return model


def _start_as_the_study(weight: Tensor, bias: Tensor, scale: float, source: torch.Generator) -> None:
    with torch.no_grad():
        weight.copy_(scale * torch.randn(weight.shape, generator=source, dtype=torch.float64))
        bias.zero_()  # the study's layer has none


def _start_at_constants(weight: Tensor, sparsity: float) -> None:
    kept = max(1 - sparsity, 1 / weight.numel())
    with torch.no_grad():
        weight.copy_(math.sqrt(2 / (weight[0].numel() * kept)) * weight.sign())
