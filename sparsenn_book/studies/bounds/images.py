"""The images of a run of the chapter, as networks see them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.datasets import load
from sparsenn_core.randomness import generator

NORMAL = {"mnist": (0.1307, 0.3081), "fashion-mnist": (0.1307, 0.3081), "svhn": (0.5, 0.5), "digits": (0.0, 1.0)}
"""Mean and spread that are taken out, as in the study; digits stay between 0 and 1."""


@dataclass(frozen=True)
class Split:
    """Training and test images [n, channels, side, side] with classes [n], and one-hot targets for training."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor

    @property
    def targets(self) -> Tensor:
        """One-hot classes [n, C]."""
        return nn.functional.one_hot(self.y, 10).to(self.x.dtype)


def images(dataset: str, samples: int, seed: int) -> Split:
    """`samples` training images drawn by `seed` (all where there are no more), and all test images."""
    found = load(dataset)
    mean, spread = NORMAL[dataset]
    rows = torch.randperm(len(found.train_y), generator=generator(seed, "samples"))[:samples]
    x, test_x = ((part - mean) / spread for part in (found.train_x[rows], found.test_x))
    return Split(x, found.train_y[rows], test_x, found.test_y)
