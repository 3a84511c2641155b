"""Whether networks may train as one, and the one without numbers that stands for all of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from sparsenn_core.errors import InputError

TENSORS = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")


def check_alike(modules: Sequence[nn.Module]) -> None:
    """`InputError` unless all modules are of one class, with equal attributes, hooks, and tensors of equal shape.

    Only one of them is evaluated, with the parameters of all; so only parameters and buffers may differ.
    """
    if not modules:
        raise InputError("an ensemble needs at least one module; the list of seeds is empty")
    if not all(isinstance(module, nn.Module) for module in modules):
        raise InputError(
            f"an ensemble is made of modules, not of {type(modules[0]).__name__}; does `build` return one?"
        )
    first = modules[0]
    for name, part in first.named_modules():
        _check_can_be_stacked(name or type(first).__name__, part)
    for number, other in enumerate(modules[1:], start=1):
        for name, one, same in _pairs(first, other, number):
            where = f"module {number} differs from module 0 in {name or 'itself'}"
            if _class(one) != _class(same):
                raise InputError(f"{where}: {type(same).__name__} against {type(one).__name__}")
            for part, found in _parts(one).items():
                if not alike(found, _parts(same).get(part)):
                    text = f"{where}: {part} is {_parts(same).get(part)!r} against {found!r}"
                    raise InputError(" ".join(text.split())[:300])
    if not any(True for _ in first.parameters()):
        raise InputError(f"{type(first).__name__} has no parameters, so there is nothing to train")
    if len({p.dtype for p in first.parameters()}) > 1:
        raise InputError(f"{type(first).__name__} has parameters of several types; convert it with .to(dtype)")


def _check_can_be_stacked(name: str, part: nn.Module) -> None:
    """`InputError` for what PyTorch would do wrongly, or not at all, for several networks at once."""
    if isinstance(part, nn.RNNBase):
        raise InputError(
            f"{name} is {type(part).__name__}, whose kernels PyTorch cannot run for several networks at once; write it "
            "with nn.Linear in a loop, or train them one by one with torch.optim"
        )
    if isinstance(part, nn.Embedding) and (part.padding_idx is not None or part.sparse):
        raise InputError(f"{name}: an embedding's padding_idx and sparse are forgotten for several networks at once")
    tensors = [*part.parameters(recurse=False)]
    if part._backward_hooks or part._backward_pre_hooks or any(_has_gradient_hooks(p) for p in tensors):
        raise InputError(f"{name} has gradient hooks, which an ensemble cannot obey; use only= or a hook between steps")
    if any(isinstance(value, Tensor) and value.requires_grad for value in attributes(part).values()):
        raise InputError(
            f"{name} holds a weight that is computed before its forward (pruned?); make it permanent first"
        )


def _has_gradient_hooks(parameter: nn.Parameter) -> bool:
    return bool(parameter._backward_hooks or getattr(parameter, "_post_accumulate_grad_hooks", None))


def blank(module: nn.Module) -> nn.Module:
    """A copy without numbers (on the meta device); tied parameters stay tied, hooks stay."""
    known: dict[int, Any] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        empty = torch.empty_like(tensor.detach(), device="meta")
        known[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
    return copy.deepcopy(module, known)


def filled(template: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a blank module with the given numbers, by name."""
    known: dict[int, Any] = {}
    for name, parameter in template.named_parameters():
        known[id(parameter)] = nn.Parameter(tensors[name].clone(), parameter.requires_grad)
    for name, buffer in template.named_buffers():
        known[id(buffer)] = tensors[name].clone()
    return copy.deepcopy(template, known)


def alike(one: Any, other: Any) -> bool:
    """Whether two attributes are equal: tensors entry by entry, containers and plain objects part by part."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, torch.Generator):
        return torch.equal(one.get_state(), other.get_state())
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    if callable(one) and hasattr(one, "__code__"):
        return alike(_function(one), _function(other))
    equal = one == other
    if isinstance(equal, bool) and (equal or not hasattr(one, "__dict__")):
        return equal
    return bool(hasattr(one, "__dict__") and vars(one) and alike(vars(one), vars(other)))


def _function(function: Any) -> tuple[Any, ...]:
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    return function.__code__, function.__defaults__, function.__kwdefaults__, cells


def _pairs(first: nn.Module, other: nn.Module, number: int) -> Iterator[tuple[str, nn.Module, nn.Module]]:
    """Submodules of the same name, outermost first; `InputError` where the two have other ones."""
    ours, theirs = (dict(module.named_modules(remove_duplicate=False)) for module in (first, other))
    if _class(first) != _class(other):
        raise InputError(
            f"module {number} differs from module 0: {type(other).__name__} against {type(first).__name__}"
        )
    if ours.keys() != theirs.keys():
        name = sorted(ours.keys() ^ theirs.keys())[0]
        raise InputError(f"module {number} differs from module 0 in its submodules: {name!r} is only in one of them")
    return ((name, module, theirs[name]) for name, module in ours.items())


def _class(module: nn.Module) -> object:
    # parametrize gives every module a class of its own
    return type(module).__bases__ if parametrize.is_parametrized(module) else type(module)


def attributes(module: nn.Module) -> dict[str, Any]:
    """What a module holds beside parameters, buffers and submodules."""
    return {name: value for name, value in vars(module).items() if name not in TENSORS}


def _parts(module: nn.Module) -> dict[str, Any]:
    """What must be equal: attributes and hooks as they are, of tensors only shape, type and whether they train."""
    parts = attributes(module)
    for name, value in (*module._parameters.items(), *module._buffers.items()):
        parts[name] = None if value is None else (tuple(value.shape), value.dtype, value.requires_grad)
    for name, value in parts.items():
        if name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called")) and isinstance(value, Mapping):
            parts[name] = list(value.values())
    return parts


def activation_numbers(network: nn.Module, sample: Tensor) -> int:
    """How many numbers a network computes on the way from one sample [...] to its output; 0 where that is not found.

    The network is called twice, in evaluation mode, and may be written into: give a copy. What its functions return is
    counted, layers among them; views are not. Counted is what a second sample adds, and so no weight that is computed
    anew for a batch, as a mask times a weight is.
    """
    found = []
    try:
        for count in (1, 2):
            samples = torch.stack([sample] * count)
            with torch.no_grad(), _Counter() as counter:
                network.eval()(samples)
            found.append(counter.found)
    except Exception:  # what is wrong is said, in words, where the network is called in earnest
        return 0
    return found[1] - found[0]


class _Counter(TorchFunctionMode):
    """Adds up the numbers of the new tensors that PyTorch's functions return."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        output = function(*arguments, **(keywords or {}))
        if isinstance(output, Tensor) and not output._is_view() and not any(output is given for given in arguments):
            self.found += output.numel()
        return output
