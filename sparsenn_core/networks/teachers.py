"""The literal teachers of the L1 study: fixed weights, given to two decimals."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from sparsenn_core.errors import unknown
from sparsenn_core.networks.cnn import SplitFilterCNN, baseline_cnn, multi_channel_cnn

BASELINE = ([[[2.59, -2.83, 0.87]]], [[[-1.38, 1.29]]], [[[0.86, -0.84]]])

MULTI_CHANNEL = (
    [[[-0.78, -0.12, 0.70]], [[-1.16, 0.47, 0.05]], [[-0.73, 1.96, -1.01]], [[-0.32, 0.21, 0.63]]],
    [
        [[0.00, 0.04], [0.68, 0.34], [0.54, -0.22], [-0.14, -0.33]],
        [[-0.14, 1.59], [1.48, -0.52], [-1.26, 0.30], [-0.40, -1.09]],
        [[-0.71, 0.44], [-0.02, -0.14], [0.37, -0.70], [-0.83, -0.38]],
        [[0.89, -0.48], [-0.27, -0.81], [1.76, -0.41], [0.15, 0.49]],
    ],
    [[[-0.54, 0.16], [-0.74, -0.46], [0.08, 0.18], [-0.22, 0.81]]],
)

SPLIT_FILTER = (
    [[2.59, -2.83, 0.87], [-1.22, 0.45, 0.88]],
    [[-1.38, 1.29], [0.35, -0.73]],
    [[0.86, -0.84]],
)

TEACHERS: dict[str, tuple[Callable[..., nn.Module], tuple[list, ...]]] = {
    "baseline": (baseline_cnn, BASELINE),
    "multi_channel": (multi_channel_cnn, MULTI_CHANNEL),
    "split_filter": (SplitFilterCNN, SPLIT_FILTER),
}


def literal_teacher(name: str, activation: str, *, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The teacher `name` (baseline, multi_channel or split_filter) with the weights the L1 study gives it.

    Its parameters do not require gradients. Source of the weights: the study's teacher definitions.
    """
    if name not in TEACHERS:
        raise unknown("teacher", name, TEACHERS)
    build, weights = TEACHERS[name]
    # the drawn weights are overwritten at once; the constructor only wants a generator
    module = build(activation, generator=torch.Generator()).to(dtype).requires_grad_(False)
    for parameter, values in zip(module.parameters(), weights, strict=True):
        parameter.copy_(torch.tensor(values, dtype=dtype))
    return module
