"""Small sparse networks and methods that several tests train."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparsenn_core import masks
from sparsenn_core.randomness import generator
from sparsenn_core.training import Data

METHODS: dict[str, tuple[masks.Score, masks.Schedule, masks.Structure, float | None]] = {
    "random": (masks.Random(), masks.Constant(), masks.Unstructured(), 0.7),
    "one-shot": (masks.Magnitude(), masks.OneShot(6), masks.Unstructured(), 0.7),
    "gradual": (masks.Magnitude(), masks.Cubic(2, 10, 2), masks.Unstructured(), 0.7),
    "block": (masks.Magnitude(), masks.Cubic(2, 10, 2), masks.Block(2, 2), 0.7),
    "channel": (masks.Magnitude(), masks.Cubic(2, 10, 2), masks.Channel(), 0.5),
    "SET": (masks.SET(every=3), masks.Constant(), masks.Unstructured(), 0.7),
    "RigL": (masks.RigL(every=3, until=12), masks.Constant(), masks.Unstructured(), 0.7),
    "edge-popup": (masks.Learned(weights=False), masks.Constant(), masks.Unstructured(), 0.7),
    "straight-through": (masks.Learned(), masks.Constant(), masks.Unstructured(), 0.7),
    "signed scores": (masks.Learned(absolute=False), masks.Cubic(2, 10), masks.Unstructured(), 0.7),
    "soft": (masks.SoftSigmoid(until=9), masks.Constant(), masks.Unstructured(), 0.7),
    "2:4": (masks.StraightThroughMagnitude(), masks.Constant(), masks.NM(2, 4), None),
    "L0": (masks.HardConcrete(), masks.Constant(), masks.Unstructured(), None),
    "STR": (masks.SoftThreshold(), masks.Constant(), masks.Unstructured(), None),
}
WITH_COUNT = [name for name, (score, *_) in METHODS.items() if score.has_sparsity]


def net(seed: int, method: str = "random", dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """8-6-1 with a sparse first layer, weights and masks drawn from `seed`."""
    source = generator(seed, "init")
    model = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 1)).to(dtype)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=source, dtype=torch.float64))
    score, schedule, structure, sparsity = METHODS[method]
    masks.sparsify(model, score, sparsity, structure=structure, schedule=schedule, layers=["0"], generator=source)
    return model


def samples(seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """24 samples of 8 inputs and 1 target."""
    source = generator(seed, "data")
    x = torch.randn(24, 8, generator=source, dtype=torch.float64)
    return x.to(dtype), x[:, :3].sum(1, keepdim=True).to(dtype)


def data() -> Data:
    """The same for an ensemble."""
    return Data.shared(*samples())


def mask(model: nn.Module) -> Tensor:
    """The mask of the first layer."""
    return masks.masks_of(model)["0"]


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """The loop of one's own that the docstring shows, on all samples."""
    x, y = samples()
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()
        masks.step(model, optimizer)
