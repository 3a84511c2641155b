"""Masked models in the forms in which they compute the same faster, compared and timed on the machine at hand."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparsenn_core.errors import InputError
from sparsenn_core.masks.reports import make_permanent, remaining
from sparsenn_core.masks.smaller import smaller
from sparsenn_core.masks.sparsify import sparse_weights

BLOCKS = (32, 16, 8, 4)
"""Sides of blocks that are tried, largest first: large ones are faster."""


@dataclass(frozen=True)
class Form:
    """A model that computes the same in another way: `seconds` of one forward pass on the example (the least of some),
    `difference` of its outputs from the masked model's, the largest as a share of the largest output.
    """

    name: str
    module: nn.Module
    seconds: float
    difference: float


def fastest(model: nn.Module, example: Tensor, *, repeats: int = 10) -> Form:
    """The fastest of `forms`, on inputs such as `example` [n, ...]; another batch may have another winner."""
    return min(forms(model, example, repeats=repeats), key=lambda form: form.seconds)


def forms(model: nn.Module, example: Tensor, *, repeats: int = 10) -> list[Form]:
    """The model in evaluation mode in all forms that can be made of it, timed; `masked`, as trained, comes first.

    masked    weight times mask at every pass
    dense     the product once and for all (`make_permanent`)
    csr, bsr  sparse layers compressed by rows or by blocks, where blocks are empty (`compressed`)
    smaller   units left out (`smaller`), for chains

    Every form is compared with the masked model on the example and on normal inputs of its shape. `InputError` if one
    differs by more than half of the digits of the type: it would be another model. Cost: some passes of each form.
    """
    if not any(True for _ in sparse_weights(model)):
        raise InputError(f"{type(model).__name__} has no sparse layers; sparsify makes them")
    masked = copy.deepcopy(model).eval()
    made: list[tuple[str, nn.Module]] = [("masked", masked), ("dense", make_permanent(copy.deepcopy(masked)))]
    for name, make in _makers(example).items():
        try:
            made.append((name, make(masked)))
        except InputError:  # this form does not exist of this model
            continue
    with torch.no_grad():
        found = [Form(name, form, 0.0, _difference(name, form, masked, example)) for name, form in made]
        times = [least_seconds(lambda form=form.module: form(example), repeats) for form in found]  # type: ignore[misc]
    return [Form(form.name, form.module, t, form.difference) for form, t in zip(found, times, strict=True)]


def compressed(model: nn.Module, layout: str = "csr") -> nn.Module:
    """A copy with its sparse linear layers compressed: zeros are neither stored nor multiplied. For evaluation.

    `layout` is "csr", compressed rows, or "bsr", blocks of the largest of the sides 32, 16, 8 and 4 with which fewer
    numbers are stored than in the dense weight; `InputError` where no linear layer is sparse, or no block empty.
    """
    if layout not in ("csr", "bsr"):
        raise InputError(f"layout is csr or bsr, not {layout!r}")
    names = [name for name, left in remaining(model).items() if left.kept < left.size]
    plain = make_permanent(copy.deepcopy(model).eval())
    linear = [name for name in names if isinstance(plain.get_submodule(name), nn.Linear)]
    if not linear:
        raise InputError(f"{type(model).__name__} has no sparse linear layer; convolutions are not compressed")
    for name in linear:
        layer = plain.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        plain = _replaced(plain, name, Compressed(layer, layout))
    return plain


class Compressed(nn.Module):
    """x W^T + b with W in a compressed layout; inputs [..., in]."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear, layout: str) -> None:
        super().__init__()
        weight = layer.weight.detach()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse (CSR|BSR)")  # of PyTorch: support is in beta state
            self.register_buffer("weight", weight.to_sparse_csr() if layout == "csr" else blocked(weight))
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """The layer's outputs [..., out]."""
        # the product from the left: `linear` with a compressed weight is ten times slower
        out = (self.weight @ x.reshape(-1, x.shape[-1]).T).T
        if self.bias is not None:
            out = out + self.bias
        return out.reshape(*x.shape[:-1], -1)


def blocked(weight: Tensor) -> Tensor:
    """The weight in blocks of the largest side that stores fewer numbers than the dense weight."""
    for side in BLOCKS:
        if weight.shape[0] % side == weight.shape[1] % side == 0:
            found = weight.to_sparse_bsr((side, side))
            if found.values().numel() < weight.numel():
                return found
    raise InputError(f"no blocks of sides {', '.join(map(str, BLOCKS))} of the weight {list(weight.shape)} are empty")


def least_seconds(work: Callable[[], object], repeats: int = 10) -> float:
    """Wall seconds of one call, the least of `repeats` after one to warm up: what else runs only adds to it."""
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more, not {repeats!r}")
    work()
    times = []
    for _ in range(repeats):
        _wait()
        start = time.perf_counter()
        work()
        _wait()
        times.append(time.perf_counter() - start)
    return min(times)


def _wait() -> None:
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _makers(example: Tensor) -> dict[str, Callable[[nn.Module], nn.Module]]:
    return {
        "csr": compressed,
        "bsr": lambda model: compressed(model, "bsr"),
        "smaller": lambda model: smaller(make_permanent(copy.deepcopy(model)), example),
    }


def _difference(name: str, form: nn.Module, masked: nn.Module, example: Tensor) -> float:
    """The largest difference from the masked model's outputs, as a share of the largest; refused if it is large."""
    source = torch.Generator(device=example.device).manual_seed(0)
    normal = torch.randn(example.shape, generator=source, device=example.device, dtype=example.dtype)
    worst = 0.0
    for x in (example, normal):
        expected, found = masked(x), form(x)
        if found.shape != expected.shape:
            raise InputError(f"the form {name} gives outputs {list(found.shape)}, the model {list(expected.shape)}")
        scale = max(float(expected.abs().max()), torch.finfo(expected.dtype).tiny)
        worst = max(worst, float((found - expected).abs().max()) / scale)
    if not worst <= torch.finfo(example.dtype).eps ** 0.5:
        raise InputError(f"the form {name} does not compute what the model does: outputs differ by {worst:.1e}")
    return worst


def _replaced(model: nn.Module, name: str, by: nn.Module) -> nn.Module:
    """The model with another module in the place `name`; that itself where the name is empty."""
    if not name:
        return by
    parent, _, child = name.rpartition(".")
    holder = model.get_submodule(parent)
    assert not parametrize.is_parametrized(holder)
    setattr(holder, child, by)
    return model
