"""The derivative of a network's outputs by its parameters, and what follows from it alone.

Parameters are flattened to vectors [P] in the order of `net.parameters()`, outputs to [n * out], sample by sample.
Everything is float64, whatever the network's type.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from sparsenn_core.errors import InputError, unknown

Direction: TypeAlias = Tensor | Sequence[Tensor] | Mapping[str, Tensor]
"""A vector in parameter space: flat [P], or a tensor for each parameter, in order or by name."""

TILE = 1000


def double_copy(net: nn.Module) -> nn.Module:
    """A copy of `net` in float64."""
    return copy.deepcopy(net).to(torch.float64)


def double_inputs(inputs: Tensor) -> Tensor:
    """`inputs` [n, ...] in float64; refused if there are none or some are not finite."""
    x = inputs.detach().to(torch.float64)
    if x.ndim < 2 or len(x) == 0 or not bool(torch.isfinite(x).all()):
        raise InputError(f"inputs must be finite and of shape [n, ...] with n >= 1; got shape {tuple(x.shape)}")
    return x


def flat_direction(direction: Direction, net: nn.Module, name: str) -> Tensor:
    """`direction` as float64 [P]; `InputError` that calls it `name` if it does not fit the parameters of `net`."""
    slots = dict(net.named_parameters())
    count = sum(p.numel() for p in slots.values())
    if isinstance(direction, Tensor):
        parts, fits = [direction], direction.shape == (count,)
    else:
        if isinstance(direction, Mapping):
            for key in direction:
                if key not in slots:
                    raise unknown("parameter", key, slots, where=name)
            parts = [direction[key] for key in slots if key in direction]
        else:
            parts = list(direction)
        fits = [p.shape for p in parts] == [p.shape for p in slots.values()]
    if not fits:
        shapes = ", ".join(str(tuple(p.shape)) for p in slots.values())
        raise InputError(f"{name} must be a vector of {count} numbers or tensors of shapes {shapes}")
    return torch.cat([p.detach().to(torch.float64).flatten() for p in parts])


def jacobian_tiles(net: nn.Module, inputs: Tensor, size: int = TILE) -> Iterator[Tensor]:
    """The rows of `jacobian`, for `size` samples at a time."""
    params = {k: v.detach() for k, v in net.named_parameters()}

    def outputs(params: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(net, params, (x[None],))[0]

    for x in inputs.split(size):
        by_name = vmap(jacrev(outputs), in_dims=(None, 0))(params, x)
        outs = next(iter(by_name.values())).shape[1]
        yield torch.cat([by_name[k].reshape(len(x) * outs, -1) for k in params], dim=1)


def jacobian(net: nn.Module, inputs: Tensor) -> Tensor:
    """d outputs / d parameters, [n * out, P], float64, for `inputs` [n, ...].

    Cost: one backward pass an output; n out P numbers of memory.
    """
    return torch.cat(list(jacobian_tiles(double_copy(net), double_inputs(inputs))))


def spectrum(net: nn.Module, inputs: Tensor) -> Tensor:
    """Eigenvalues of the Gauss-Newton matrix (2 / (n out)) J^T J of the mean squared error, [P], largest first.

    From the singular values of J, so that 30 decades can be told apart, where the eigenvalues of J^T J itself end in
    rounding after 16. At a teacher without noise the matrix is the Hessian. Cost: a QR decomposition of [n * out, P].
    """
    j = jacobian(net, inputs)
    r = torch.linalg.qr(j, mode="r").R
    values = torch.linalg.svdvals(r).square() * (2 / len(j))
    return torch.cat([values, values.new_zeros(j.shape[1] - len(values))])


def fisher_distance(net: nn.Module, inputs: Tensor, displacement: Direction) -> float:
    """(1 / (n out)) ||J d||^2: the squared displacement d weighted with the Fisher information of outputs with unit
    Gaussian noise; to first order the mean squared change of the outputs. Not rooted. Cost: n out backward passes.
    """
    net, x = double_copy(net), double_inputs(inputs)
    flat = flat_direction(displacement, net, "displacement")
    changes = torch.cat([j @ flat for j in jacobian_tiles(net, x)])
    return float(changes.square().mean())
