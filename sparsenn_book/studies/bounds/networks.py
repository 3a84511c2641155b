"""The study's networks: CONV-L-H, L convolutions of 2x2 without padding or bias, H channels, weight norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError

KERNEL = 2


class OneLength(nn.Module):
    """A weight as one length times a direction: `weight_norm(dim=None)`, in operations that many runs share."""

    def forward(self, length: Tensor, direction: Tensor) -> Tensor:
        """length v / ||v||."""
        return length * direction / direction.square().sum().sqrt()

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length of a weight, and the weight as its direction."""
        return weight.norm(), weight


def conv_net(
    depth: int, width: int, shape: tuple[int, ...], classes: int, generator: torch.Generator, *, normed: bool = True
) -> nn.Sequential:
    """CONV-depth-width on images of `shape` [channels, side, side], with PyTorch's initial spread (uniform).

    With `normed` each kernel is its direction times one length, as in the study; the length starts at the kernel's own.
    """
    channels, side = shape[0], shape[1]
    if depth >= side:
        raise InputError(f"depth {depth}: so many convolutions of 2x2 leave nothing of {side}x{side} images; at most "
                         f"{side - 1}")  # fmt: skip
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Conv2d(width if place else channels, width, KERNEL, bias=False), nn.ReLU()]
    positions = (side - depth * (KERNEL - 1)) ** 2
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * positions, classes, bias=False))
    with torch.no_grad():
        for layer in [*layers, network[-1]]:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                fan_in = layer.weight[0].numel()
                layer.weight.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=generator)
    if normed:
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.utils.parametrize.register_parametrization(layer, "weight", OneLength())
    return network
