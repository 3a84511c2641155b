"""The study's own loop and its faults, as coded.

The study minimises the mean squared error plus lambda sum ||v_k|| by full-batch steps of Adam, each followed by
shrinking every column by mu lambda: max(0, 1 - mu lambda / (||v_k|| + 1e-8)). Adam divides the gradient, entry by
entry, by its running size, and the shrinkage does not know of it; the two together have other fixed points than the
objective's minimum.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_core.compression import LayerProblem
from sparsenn_core.randomness import generator

EPSILON = 1e-8
ACTIVE = 1e-7
"""Columns longer than this count as active, in the study."""


def adam_with_shrinkage(
    problem: LayerProblem, strength: float, rate: float, iterations: Sequence[int], seed: int
) -> pd.DataFrame:
    """The loop from random weights, as PyTorch initialises a linear layer: iteration, objective, active.

    The full-batch gradient is a function of the layer's Gram matrix, so that a step costs nothing of the number of
    samples; in float64, where the study computes in float32.
    """
    gram, cross = torch.from_numpy(problem.gram), torch.from_numpy(problem.cross)
    outputs, width = cross.shape
    weight = torch.empty(outputs, width, dtype=torch.float64)
    weight.uniform_(-(width**-0.5), width**-0.5, generator=generator(seed, "compression", "study"))
    optimizer = torch.optim.Adam([weight], lr=rate)
    rows = []
    for iteration in range(1, max(iterations) + 1):
        weight.grad = 2 * (weight @ gram - cross)
        optimizer.step()
        norms = weight.norm(dim=0)
        weight.mul_((1 - rate * strength / (norms + EPSILON)).clamp(min=0))
        if iteration in iterations:
            norms = weight.norm(dim=0)
            objective = problem.error(weight.numpy()) + strength * float(norms.sum())
            rows.append((iteration, objective, int((norms > ACTIVE).sum())))
    return pd.DataFrame(rows, columns=["iteration", "objective", "active"])


def stored_outputs(model: nn.Module, layer: str, x: Tensor) -> Tensor:
    """What the study's hook stores as the outputs of a layer: the tensor itself, not a copy of it.

    Where the next module is a ReLU in place, this writes over it before anybody reads it.
    """
    stored: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda module, given, output: stored.append(output))
    with torch.no_grad():
        model(x)
    handle.remove()
    return stored[0]
