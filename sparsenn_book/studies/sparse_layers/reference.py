"""The study's layer, network and training as coded, with their faults (himanshuvnm/Sparse_Neural_Network, notebook).

The scores are a parameter, but the mask is a comparison, through which no gradient passes: they never move. Both
layers of the notebook's network are sparse; its script `train.py` has one, and no ReLU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SCALE = 0.1
INPUTS, HIDDEN, OUTPUTS = 10, 64, 1
BATCH = 256
LEARNING_RATE = 1e-3


class ThresholdedLinear(nn.Module):
    """y = x (W M)^T with M = 1[S > t], t the largest of the k = int(s * size) smallest scores S."""

    def __init__(self, in_features: int, out_features: int, sparsity: float, source: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(SCALE * torch.randn(out_features, in_features, generator=source))
        self.scores = nn.Parameter(torch.randn(out_features, in_features, generator=source))
        self.sparsity = sparsity

    def mask(self) -> Tensor:
        """The mask as coded: one weight stays at sparsity 1, and none where all scores are equal."""
        size = self.scores.numel()
        k = min(max(int(self.sparsity * size), 0), size - 1)
        if k == 0:
            return torch.ones_like(self.scores)
        threshold = self.scores.flatten().topk(k, largest=False).values.max()
        return (self.scores > threshold).float()

    def forward(self, x: Tensor) -> Tensor:
        """[n, in] -> [n, out]."""
        return x @ (self.weight * self.mask()).T


class FrozenLinear(nn.Module):
    """The same with the mask taken once, before training, and no scores."""

    kept: Tensor

    def __init__(self, layer: ThresholdedLinear) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach().clone())
        self.register_buffer("kept", layer.mask())

    def forward(self, x: Tensor) -> Tensor:
        """[n, in] -> [n, out]."""
        return x @ (self.weight * self.kept).T


def network(sparsity: float, source: torch.Generator) -> nn.Sequential:
    """The notebook's 10-64-1, both layers sparse."""
    first = ThresholdedLinear(INPUTS, HIDDEN, sparsity, source)
    return nn.Sequential(first, nn.ReLU(), ThresholdedLinear(HIDDEN, OUTPUTS, sparsity, source))


def batch(source: torch.Generator, samples: int = BATCH) -> tuple[Tensor, Tensor]:
    """Fresh points, x ~ N(0, I) and y the sum of the inputs."""
    x = torch.randn(samples, INPUTS, generator=source)
    return x, x.sum(1, keepdim=True)
