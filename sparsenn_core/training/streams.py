"""Dropout with a stream of random numbers for each run, the same alone and among others.

Whether an entry is kept follows from a hash of the run's seed, the number of the step, the place of the dropout in the
network and the place of the entry in the sample: numbers by counter instead of a state that grows (Salmon, Moraes, Dror
& Shaw 2011, Parallel random numbers: as easy as 1, 2, 3). So no run can disturb another, and a resumed fit goes on
where it was. The hash is the finaliser of SplitMix64 (Steele, Lea & Flood 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

MULTIPLIERS = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)  # of SplitMix64, as signed numbers of 64 bits
SHIFTS = (30, 27, 31)
GOLDEN = -0x61C8864680B583EB
DRAWING = ("alpha_dropout", "feature_alpha_dropout", "rrelu", "bernoulli", "rand_like", "randn_like", "multinomial")
"""Functions that draw and have no stream here; what is not in this list `vmap` refuses itself."""


def seeds_of(order: list[int | torch.Generator]) -> Tensor:
    """One seed of dropout for each run, [R] int64, from the seeds of its order."""
    sources = [s if isinstance(s, torch.Generator) else generator(s, "dropout") for s in order]
    states = [torch.Generator().set_state(source.get_state()) for source in sources]
    return torch.stack([torch.randint(2**62, (), generator=state) for state in states])


def is_random(net: nn.Module) -> bool:
    """Whether dropout is at work in the network."""
    return any(isinstance(m, nn.modules.dropout._DropoutNd) and m.training and m.p > 0 for m in net.modules())


class Streams(TorchFunctionMode):
    """While it is entered, `dropout` draws from the stream of the run with this seed [] at this step."""

    def __init__(self, seed: Tensor, step: int) -> None:
        super().__init__()
        self.seed = seed
        self.step = step
        self.calls = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Every function of PyTorch that the network calls comes by here."""
        options = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in ("dropout", "dropout1d", "dropout2d", "dropout3d"):
            return self._dropped(int(name[7:8] or 0), *args, **options)
        if name.rstrip("_") in DRAWING:
            raise InputError(f"the network draws random numbers with {name!r}; only dropout has a stream for each run")
        if name == "multi_head_attention_forward" and options.get("training") and args[10] > 0:
            raise InputError("attention drops entries inside; set its dropout to 0 and put nn.Dropout after it")
        return func(*args, **options)

    def _dropped(self, axes: int, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Entries, or with `axes` > 0 whole channels, kept with probability 1 - p and divided by it."""
        if not training or p == 0:
            return x
        if p == 1:
            return x * 0
        axes = min(axes, x.ndim - 2)  # dropout2d of [n, channels, length] drops channels, too
        shape = x.shape[: x.ndim - axes]
        place = torch.arange(x[(...,) + (0,) * axes].numel(), device=x.device).view(shape)
        self.calls += 1
        key = mixed(mixed(self.seed + self.step) + self.calls)
        # the upper 53 bits as a number in [0, 1)
        uniform = (mixed(key + place * GOLDEN) >> 11 & (2**53 - 1)).to(torch.float64) * 2.0**-53
        kept = (uniform >= p).to(x.dtype)[(...,) + (None,) * axes] / (1 - p)
        return x * kept  # never in place: the layer before may need its output for its gradient


def mixed(numbers: Tensor) -> Tensor:
    """The finaliser of SplitMix64 of int64 numbers; products overflow, as they must."""
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        # a shift of signed numbers copies the sign; the mask takes the copies away
        numbers = (numbers ^ (numbers >> shift & (2 ** (64 - shift) - 1))) * multiplier
    return numbers
