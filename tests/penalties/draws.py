"""Random stacked parameters of three runs, with groups of zeros."""

import torch

from sparsenn_core.randomness import generator

R = 3
STRENGTH = torch.tensor([0.3, 0.0, 1.1], dtype=torch.float64)
GROUPS = {"a.weight": 0, "b.weight": 1}


def draw(name="w", zeros=True):
    source = generator(5, name)
    params = {
        "a.weight": torch.randn(R, 4, 3, generator=source, dtype=torch.float64),
        "a.bias": torch.randn(R, 4, generator=source, dtype=torch.float64),
        "b.weight": torch.randn(R, 2, 4, generator=source, dtype=torch.float64),
    }
    if zeros:
        params["a.weight"][:, 1] = 0
        params["b.weight"][:, :, 2] = 0
    return params


def steps_of(name="steps"):
    """A step for each weight, from 0.01 to some 10."""
    return {k: v.exp().clamp(min=0.01) for k, v in draw(name, zeros=False).items()}
