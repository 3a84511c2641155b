"""2:4 sparse layers on graphics processors that know them."""

from __future__ import annotations

import copy

import torch
from torch import nn

from sparsenn_core.errors import InputError


def semi_structured(model: nn.Module) -> nn.Module:
    """A copy whose linear layers keep their weights in NVIDIA's 2:4 layout, with two of every four inputs stored.

    `model` has plain weights (`make_permanent`) of which two of every four are zero, in half precision, on a CUDA
    device of compute capability 8.0 or more; only layers of 32 and more, in multiples of 32 x 64, are changed, and
    `InputError` if there is none. For evaluation: outputs are those of half precision.
    """
    if not torch.cuda.is_available():
        raise InputError("the 2:4 layout is for CUDA devices, and none is here")
    changed = copy.deepcopy(model).eval()
    count = 0
    for layer in changed.modules():
        if isinstance(layer, nn.Linear) and _fits(layer.weight):
            packed = torch.sparse.to_sparse_semi_structured(layer.weight.detach())
            layer.weight = nn.Parameter(packed, requires_grad=False)
            count += 1
    if not count:
        raise InputError(f"{type(model).__name__}: no linear layer in half precision on CUDA is 2:4 sparse")
    return changed


def _fits(weight: torch.Tensor) -> bool:
    if weight.dtype not in (torch.float16, torch.bfloat16) or not weight.is_cuda:
        return False
    if weight.shape[0] % 32 or weight.shape[1] % 64:
        return False
    return bool(((weight.unflatten(1, (-1, 4)) != 0).sum(-1) <= 2).all())
