"""One layer as `reading` sees it, and the operations of a chain grouped into layers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.cnn import DisjointConv1d
from sparsenn_core.networks.operations import Activation, Affine, Operation, Piece


@dataclass(frozen=True)
class Layer:
    """One layer with a weight, and what follows it.

    name           dotted path of its module ("" if the module that was read is this layer)
    kind           "linear", "conv" (nn.Conv1d, nn.Conv2d) or "disjoint conv" (`DisjointConv1d`)
    weight         [out, in] or [out, in / groups, *kernel], detached; in the memory of the parameter if it is one
    bias           [out] or None, detached in the same way
    weight_name    its name in `named_parameters`; None where it is computed from other parameters, as by weight norm
    bias_name      the same of the bias; None also where there is none
    activation     relu, sigmoid, tanh, gelu or linear (none)
    before, after  operations without weights since the layer before (or the input), and up to the next (or the output);
                   the activation comes first of what follows
    input_shape, output_shape  of one sample, as the layer takes it and gives it; () on the meta device
    stride, padding, dilation  of a convolution, one number an axis; () of a linear layer
    groups         of a convolution; else 1
    """

    name: str
    kind: str
    weight: Tensor
    bias: Tensor | None
    weight_name: str | None
    bias_name: str | None
    activation: str = "linear"
    before: tuple[Operation, ...] = ()
    after: tuple[Operation, ...] = ()
    input_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def inputs(self) -> int:
        """Number of input features or channels."""
        return self.weight.shape[1] * self.groups

    @property
    def outputs(self) -> int:
        """Number of units or output channels."""
        return self.weight.shape[0]

    @property
    def plain(self) -> bool:
        """Whether weight and bias are parameters themselves, so that writing into them changes the module."""
        return self.weight_name is not None and (self.bias is None) == (self.bias_name is None)

    def affine(self, h: Tensor) -> Tensor:
        """What the layer does to samples [n, *input_shape], before the activation."""
        if self.kind == "linear":
            return nn.functional.linear(h, self.weight, self.bias)
        convolve = nn.functional.conv1d if self.weight.ndim == 3 else nn.functional.conv2d
        return convolve(h, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def grouped(module: nn.Module, found: list[Piece]) -> tuple[Layer, ...]:
    """The pieces of `module` grouped by layer, shapes not known yet; `InputError` where a layer is used twice."""
    names = {id(p): name for name, p in module.named_parameters()}
    layers: list[Layer] = []
    before: list[Operation] = []
    for piece in found:
        if isinstance(piece, Affine):
            earlier = tuple(before) if not layers else layers[-1].after
            layers.append(_layer(piece, names, earlier))
        elif not layers:
            if isinstance(piece, Activation):
                raise InputError(f"the activation {piece.where!r} comes before the first layer")
            before.append(piece)
        elif isinstance(piece, Activation):
            layers[-1] = _activated(layers[-1], piece)
        else:
            layers[-1] = replace(layers[-1], after=(*layers[-1].after, piece))
    if not layers:
        raise InputError("it has no layer with a weight")
    _check_once(module, [p for p in found if isinstance(p, Affine)], layers)
    return tuple(layers)


def _layer(piece: Affine, names: dict[int, str], before: tuple[Operation, ...]) -> Layer:
    module = piece.module
    if any(nn.parameter.is_lazy(p) for p in module.parameters()):
        raise InputError(f"layer {piece.name!r} has no weight yet: call the module once")
    weight, bias = module.weight, module.bias
    assert isinstance(weight, Tensor)
    layer = Layer(
        piece.name,
        "linear",
        weight.detach(),
        bias.detach() if isinstance(bias, Tensor) else None,
        names.get(id(weight)),
        names.get(id(bias)),
        before=before,
    )
    if isinstance(module, DisjointConv1d):
        return replace(layer, kind="disjoint conv", stride=(module.kernel,), padding=(0,), dilation=(1,))
    if isinstance(module, nn.Linear):
        return layer
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    return replace(
        layer,
        kind="conv",
        stride=module.stride,
        padding=_padding(piece.name, module),
        dilation=module.dilation,
        groups=module.groups,
    )


def _padding(name: str, module: nn.Conv1d | nn.Conv2d) -> tuple[int, ...]:
    """Zeros added at either end of each axis."""
    if module.padding_mode != "zeros":
        raise InputError(f"layer {name!r} pads with {module.padding_mode!r}; only zeros are read")
    if module.padding == "valid":
        return (0,) * len(module.kernel_size)
    if module.padding != "same":
        return tuple(int(p) for p in module.padding)
    reach = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
    if any(r % 2 for r in reach):
        raise InputError(f"layer {name!r} pads one end more than the other ('same' with an even kernel)")
    return tuple(r // 2 for r in reach)


def _activated(layer: Layer, activation: Activation) -> Layer:
    if layer.activation != "linear":
        raise InputError(f"two activations follow layer {layer.name!r}: {layer.activation} and {activation.where!r}")
    for between in layer.after:
        if not between.commutes(activation.name):
            raise InputError(f"the activation {activation.where!r} follows {between.name}, not a layer")
    return replace(layer, activation=activation.name)


def _check_once(module: nn.Module, used: list[Affine], layers: list[Layer]) -> None:
    """Every layer is used once, and every parameter belongs to a layer."""
    first: dict[object, str] = {}
    for piece, layer in zip(used, layers, strict=True):
        for key in (piece.module, layer.weight_name, layer.bias_name):
            if key in first:
                raise InputError(f"layer {layer.name!r} is used twice, or shares its weight with {first[key]!r}")
            if key is not None:
                first[key] = layer.name
    known = {id(p) for piece in used for p in piece.module.parameters()}
    for name, p in module.named_parameters():
        if id(p) not in known:
            raise InputError(f"the parameter {name!r} belongs to none of the layers that were read")
