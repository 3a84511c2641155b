"""The rebound study's normal form and its projection, as coded: baselines to show beside the others."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import reading
from sparsenn_core.recovery.quotient import tanh_layers

_ATTEMPTS = 100


def _with_biases(net: nn.Module, caller: str) -> list[nn.Linear]:
    layers = [cast(nn.Linear, net.get_submodule(one.name)) for one in reading(net).require("linear", plain=True)]
    if any(layer.bias is None for layer in layers):
        raise InputError(f"{caller}: a layer of the network has no biases")
    return layers


def reference_normal_form(net: nn.Module) -> list[Tensor]:
    """The rebound study's normal form of a tanh network with biases: its parameters, rearranged. A baseline.

    Units whose incoming weights and bias are all zero are dropped; the units of each hidden layer are sorted by the
    absolute value of their bias, largest first, equal ones by their incoming weights, input after input; then every
    unit is flipped so that its bias is positive (for a zero bias the first non-zero incoming, else outgoing, weight).
    Returned as in `net.parameters()`: weight, bias, layer by layer.

    It is ill-conditioned: biases decide order and sign, and where they are about 1e-6, as in the study's teachers, a
    disturbance of that size reshuffles the whole network. Two networks 6e-5 apart then have normal forms about 8
    apart. To measure a distance use `quotient_distance`.
    """
    tanh_layers(net)
    layers = _with_biases(net, "reference_normal_form")
    weights = [layer.weight.detach().clone() for layer in layers]
    biases = [layer.bias.detach().clone() for layer in layers]
    for i in range(len(layers) - 1):
        w, b, after = weights[i], biases[i], weights[i + 1]
        kept = [j for j in range(len(w)) if bool((w[j] != 0).any() or b[j] != 0)]
        rows = torch.cat([b[:, None], w], dim=1).abs().tolist()
        order = sorted(kept, key=lambda j: [-value for value in rows[j]])
        lead = torch.cat([b[:, None], w, after.T], dim=1)[order]
        first = (lead != 0).int().argmax(dim=1, keepdim=True)
        sign = lead.gather(1, first).squeeze(1).sign()
        weights[i], biases[i] = w[order] * sign[:, None], b[order] * sign
        weights[i + 1] = after[:, order] * sign
    return [p for pair in zip(weights, biases, strict=True) for p in pair]


def _nudged(value: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """A scalar multiplied by 1 + temperature * U(0, 1) * eps; zero becomes +-temperature * U(0, 1) * eps."""
    eps = torch.finfo(value.dtype).eps
    for attempt in range(_ATTEMPTS):
        factor = (temperature + attempt) * eps * torch.rand((), generator=generator, dtype=value.dtype)
        coin = 2 * torch.randint(0, 2, (), generator=generator).to(value.dtype) - 1
        moved = factor * coin if value == 0 else value + value * factor
        if moved != value:
            return moved
    raise InputError(f"reference_projection: cannot move the value {float(value)!r}")


def _ratio_is_simple(a: float, others: Sequence[float], bound: int) -> bool:
    """Whether `a` equals one of `others`, or has with one a ratio whose numerator or denominator is at most `bound`."""
    for b in others:
        if a == b or a == 0 or b == 0:
            return True
        ratio = abs(Fraction(a) / Fraction(b))
        if ratio.numerator <= bound or ratio.denominator <= bound:
            return True
    return False


def reference_projection(net: nn.Module, generator: torch.Generator) -> nn.Module:
    """A copy of a fully connected network after the rebound study's projection, as coded. A baseline.

    Every parameter is moved: a zero to +-10 U(0, 1) eps, others times 1 + 10 U(0, 1) eps, eps that of the parameters'
    precision. Then biases that equal another of their layer, and weights whose ratio with another of their column has
    a numerator or denominator of at most 100 D^2, are moved again until they do not.

    Unlike a projection it changes what already satisfies the conditions, and more with every call, always outward.
    The rest is as the study has it: D is the number of outputs of the network, not of the layer's units; biases are
    compared without taking absolute values; the ratio is that of the two floating-point numbers, whose numerator and
    denominator are nearly always large, so that the third condition never acts; each weight is compared with the
    others as they were. The study draws from an unseeded generator, here `generator` is used. For the conditions with
    a tolerance use `project_generic`. Cost: about 0.1 s for [2, 25, 25, 1].
    """
    out = copy.deepcopy(net)
    layers = _with_biases(out, "reference_projection")
    bound = 100 * layers[-1].out_features ** 2
    with torch.no_grad():
        for parameter in (p for layer in layers for p in (layer.weight, layer.bias)):
            flat = parameter.view(-1)
            for k in range(len(flat)):
                flat[k] = _nudged(flat[k].clone(), 10, generator)
        for layer in layers:
            before = layer.bias.clone()
            for j in range(len(before)):
                for attempt in range(_ATTEMPTS):
                    if not bool((torch.cat([before[:j], before[j + 1 :]]) == layer.bias[j]).any()):
                        break
                    layer.bias[j] = _nudged(layer.bias[j].clone(), 10 + attempt, generator)
            _part_columns_(layer.weight, bound, generator)
    return out


def _part_columns_(weight: Tensor, bound: int, generator: torch.Generator) -> None:
    """Move, in place, the weights whose exact ratio with another of their column is simple."""
    for k in range(weight.shape[1]):
        column = weight[:, k].tolist()
        for j in range(len(column)):
            others = column[:j] + column[j + 1 :]
            for attempt in range(_ATTEMPTS):
                if not _ratio_is_simple(weight[j, k].item(), others, bound):
                    break
                coin = torch.randint(0, 2, (), generator=generator)
                step = _nudged(weight[j, k].clone(), 10 + attempt, generator) - weight[j, k]
                weight[j, k] += step if coin else -step
