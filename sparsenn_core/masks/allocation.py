"""How sparse each layer is made, so that all of them together are as sparse as asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sparsenn_core.masks.structures import Shape, checked_sparsity

Allocation: TypeAlias = Callable[[Sequence[Shape], float], list[float]]
"""(shapes of the weights, sparsity of all together) -> the sparsity of each."""


def uniform(shapes: Sequence[Shape], sparsity: float) -> list[float]:
    """The same sparsity everywhere."""
    return [checked_sparsity(sparsity)] * len(shapes)


def erdos_renyi(shapes: Sequence[Shape], sparsity: float) -> list[float]:
    """Density in proportion to (sum of the sides) / (product of the sides), so that large layers are sparser
    (Mocanu et al. 2018, arXiv:1707.04780; for convolutions Evci et al. 2020, arXiv:1911.11134).

    Layers for which that would be more than all weights stay dense, and the others share what is left.
    """
    sizes = [math.prod(shape) for shape in shapes]
    wanted = (1 - checked_sparsity(sparsity)) * sum(sizes)
    dense: set[int] = set()
    while True:
        rest = [i for i in range(len(shapes)) if i not in dense]
        left = wanted - sum(sizes[i] for i in dense)
        # density times size is the sum of the sides
        scale = left / sum(sum(shapes[i]) for i in rest) if rest else 0.0
        full = {i for i in rest if scale * sum(shapes[i]) > sizes[i]}
        if not full:
            break
        dense |= full
    density = [1.0 if i in dense else scale * sum(shapes[i]) / sizes[i] for i in range(len(shapes))]
    return [min(1.0, max(0.0, 1 - d)) for d in density]
