"""What a value consists of, so that equal values are recognised in another process: numbers, tensors, objects."""

from __future__ import annotations

import copyreg
import enum
import functools
import os
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (type(None), bool, int, float, complex, str, bytes, types.EllipsisType, types.NotImplementedType)
STANDARD_LIBRARY = Path(os.__file__).parent
INSTALLED = {"site-packages", "dist-packages"}
MODULE_INTERNALS = frozenset(vars(nn.Module())) - {"training"}
MODULE_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


class NoAnatomy(Exception):
    """A value whose inside cannot be seen; the message says why."""


@dataclass(frozen=True)
class Anatomy:
    """What a value is by itself, `text` and `data`, and the values that it holds, `parts`, each with a name for errors.

    The names do not belong to what the value is. Parts that are not `ordered` may come in any order.
    """

    text: str
    parts: Sequence[tuple[str, Any]] = ()
    data: bytes | np.ndarray[Any, Any] = b""
    ordered: bool = True


def name_of(kind: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{getattr(kind, '__module__', None)}.{getattr(kind, '__qualname__', repr(type(kind)))}"


def is_library(module: str) -> bool:
    """Whether a module is Python's or an installed package's, this one apart: it counts by its names, not its code."""
    top = module.partition(".")[0]
    if top in ("__main__", "sparsenn_core"):
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None:
        return top in sys.stdlib_module_names
    # by its place: a file of one's own may be called as one of Python's
    return Path(file).is_relative_to(STANDARD_LIBRARY) or not INSTALLED.isdisjoint(Path(file).parts)


def of_data(value: Any) -> Anatomy:
    """The anatomy of a value that is not code; `NoAnatomy` for files, locks, frames and other state of the machine."""
    if type(value) in PLAIN:
        return Anatomy(f"{type(value).__name__} {value!r}")
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), name_of(type(value)))
    return _container(value) or _known_object(value) or _instance(value)


def _tensor(value: Tensor) -> Anatomy:
    """Type, shape and bytes, wherever it lies; on the meta device there are none."""
    if value.layout is not torch.strided:
        raise NoAnatomy(f"its layout is {value.layout}")
    text = f"tensor {name_of(type(value))} {value.dtype} {tuple(value.shape)}"
    if value.is_meta:
        return Anatomy(f"{text} meta")
    flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().flatten()
    return Anatomy(text, data=flat.view(torch.uint8).numpy())


def _array(value: np.ndarray[Any, Any], name: str) -> Anatomy:
    text = f"array {name} {value.dtype.descr} {value.shape}"
    if value.dtype.hasobject:
        return Anatomy(text, [("its entries", value.ravel().tolist())])
    return Anatomy(text, data=np.ascontiguousarray(value).tobytes())


def _container(value: Any) -> Anatomy | None:
    """Lists, tuples, sets and dicts; those of own classes are objects."""
    if type(value) in (list, tuple):
        return Anatomy(type(value).__name__, [(f"entry {n}", entry) for n, entry in enumerate(value)])
    if type(value) in (set, frozenset):
        return Anatomy(type(value).__name__, [("an entry", entry) for entry in value], ordered=False)
    if type(value) in (dict, types.MappingProxyType):
        return Anatomy("dict", [part for key, entry in value.items() for part in (("a key", key), (str(key), entry))])
    return None


def _known_object(value: Any) -> Anatomy | None:
    """Objects whose state is not where Python looks for it, or holds what changes by itself."""
    if isinstance(value, torch.Generator):
        return Anatomy(f"generator {value.device.type}", [("its state", value.get_state())])
    if isinstance(value, enum.Enum):
        return Anatomy(f"enum {name_of(type(value))} {value.name}", [("its value", value.value)])
    if isinstance(value, torch._ops.OpOverload | torch._ops.OpOverloadPacket):
        return Anatomy(f"operator {value}")
    if type(value) is functools.partial:
        keywords = dict(sorted(value.keywords.items()))
        return Anatomy("partial", [("its function", value.func), ("arguments", value.args), ("keywords", keywords)])
    if isinstance(value, nn.Module):
        return _module(value)
    return None


def _module(value: nn.Module) -> Anatomy:
    """Class, attributes, tensors and children of a module, and the hooks that run when it is called."""
    attributes = {k: v for k, v in vars(value).items() if k not in MODULE_INTERNALS}
    hooks = [list(vars(value)[name].values()) for name in MODULE_HOOKS]
    tensors = [dict(vars(value)[name]) for name in ("_parameters", "_buffers")]
    children = dict(vars(value)["_modules"])
    parts = (attributes, tensors, hooks, children)
    names = ("attribute", "tensor", "hook", "module")
    return Anatomy("module", [("its class", type(value)), *zip(names, parts, strict=True)])


def _instance(value: Any) -> Anatomy:
    """Any other object by what Python would need to copy it, and by all of its attributes if it is of an own class."""
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        copied = reduce(value) if reduce else value.__reduce_ex__(4)
    except Exception as error:
        raise NoAnatomy(str(error)) from error
    if isinstance(copied, str):
        return Anatomy(f"object {name_of(type(value))} {getattr(value, '__module__', '')} {copied}")
    make, arguments, state, entries, pairs = (*copied, None, None, None)[:5]
    inside = (arguments, _lasting(value, state), list(entries or ()), list(pairs or ()))
    parts = [("its class", type(value)), ("made by", make), *((name_of(type(value)), part) for part in inside)]
    if not is_library(type(value).__module__):
        # an own class may leave attributes out of what it lets copy
        parts.append(("attribute", _lasting(value, getattr(value, "__dict__", None))))
    return Anatomy("object", parts)


def _lasting(value: Any, state: Any) -> Any:
    """The state of an object without what its class works out from the rest when first asked."""
    if type(state) is tuple and len(state) == 2:
        return tuple(_lasting(value, part) for part in state)
    if type(state) is not dict:
        return state
    members = {name: member for kind in reversed(type(value).__mro__) for name, member in vars(kind).items()}
    return {k: v for k, v in state.items() if not isinstance(members.get(k), functools.cached_property)}
