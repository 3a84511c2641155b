"""A linear layer with a learned mask, as the study of sparse layers describes it."""

from __future__ import annotations

import torch
from torch import nn

from sparsenn_core.masks.scores import Learned
from sparsenn_core.masks.sparse_weight import Score
from sparsenn_core.masks.sparsify import sparsify
from sparsenn_core.randomness import generator as private

SCALE = 0.1
"""Standard deviation of the initial weights, the study's."""


class SparseLinear(nn.Linear):
    """y = x (W M)^T without bias; W starts as 0.1 N(0, 1), the scores S as N(0, 1), M keeps the largest S.

    As himanshuvnm/Sparse_Neural_Network describes it: "the mask is learned". The study's code compares S with a
    threshold, through which no gradient passes, so that its mask never changes; that is `score=Random()`. Here the mask
    learns with straight-through gradients: call `step(model, optimizer)` after each step of the optimizer.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        sparsity: float = 0.5,
        *,
        score: Score | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(in_features, out_features, bias=False)
        source = generator or private(0, "masks")
        with torch.no_grad():
            self.weight.copy_(SCALE * torch.randn(out_features, in_features, generator=source))
        sparsify(self, score or Learned(absolute=False), sparsity, generator=source)
