"""What a function, class or module of Python consists of, so that it is recognised in another process.

Own functions count by what they compute: bytecode, constants, defaults, what they close over, and the globals that
they read. Functions of Python and of installed packages count by name. Not seen: what a function imports in its own
body, and what it looks up by text (`getattr`, `globals()`).
"""

from __future__ import annotations

import dis
import enum
import functools
import types
from collections.abc import Iterator, Mapping
from typing import Any

from sparsenn_core.training.anatomy import Anatomy, is_library, name_of

NATIVE = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
WITHOUT_MEANING = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__slots__",
    "__slotnames__",  # written into a class when its first instance is copied
    "__annotations__",
    "__annotate__",
    "__annotate_func__",
    "__annotations_cache__",
    "__firstlineno__",
    "__static_attributes__",
    "__abstractmethods__",
    "_abc_impl",
    "__parameters__",
    "__orig_bases__",
    "__type_params__",
    "__match_args__",
    "__dataclass_fields__",
    "__dataclass_params__",
}
"""Members that describe a class to readers or to Python; what a dataclass makes of its fields is in its methods."""

MISSING = object()


def of_code(value: Any) -> Anatomy | None:
    """The anatomy of code in any form; None for anything else."""
    if isinstance(value, types.FunctionType):
        return _function(value)
    if isinstance(value, types.CodeType):
        return _bytecode(value)
    if isinstance(value, type):
        return _class(value)
    if isinstance(value, types.ModuleType):
        return Anatomy(f"python module {value.__name__}")
    return _native(value) or _wrapped(value)


def _function(value: types.FunctionType) -> Anatomy:
    original = vars(value).get("_torchdynamo_orig_callable")
    if original is not None:
        return Anatomy("compiled by torch", [("the function that is compiled", original)])
    # a decorator may have given a library's function the name of ours
    home, name = str(value.__globals__.get("__name__")), value.__code__.co_qualname
    library = is_library(home)
    if library and "<" not in name:
        return Anatomy(f"function {home}.{name}")
    cells = dict(zip(value.__code__.co_freevars, map(_content, value.__closure__ or ()), strict=True))
    parts: list[tuple[str, Any]] = [("default", value.__defaults__), ("default", value.__kwdefaults__)]
    parts.append(("what it closes over", {k: v for k, v in cells.items() if v is not MISSING}))
    if not library or "<lambda>" in name:
        parts += [("code", value.__code__), ("global", dict(_globals_read(value, cells)))]
        parts.append(("attribute", {k: v for k, v in vars(value).items() if k != "__wrapped__"}))
    return Anatomy(f"function {home}.{name}", parts)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return MISSING


def _bytecode(value: types.CodeType) -> Anatomy:
    """Instructions, constants and names; neither the file nor the lines."""
    names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
    counts = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags)
    return Anatomy(
        f"bytecode {names} {counts}", [("constant", value.co_consts)], value.co_code + value.co_exceptiontable
    )


def _globals_read(function: types.FunctionType, cells: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The globals that a function and the functions in it name, and what they take out of modules, by dotted name."""
    for code in _nested(function.__code__):
        name, value = "", MISSING
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                name, value = instruction.argval, function.__globals__.get(instruction.argval, MISSING)
            elif instruction.opname == "LOAD_DEREF":
                name, value = instruction.argval, cells.get(instruction.argval, MISSING)
            elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, types.ModuleType):
                name, value = f"{name}.{instruction.argval}", getattr(value, instruction.argval, MISSING)
            else:
                value = MISSING
            if value is not MISSING:
                yield name, value


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _class(value: type) -> Anatomy:
    """A library's class by name, an own one with its bases and members."""
    name = f"class {name_of(value)}"
    if is_library(value.__module__):
        return Anatomy(name)
    if issubclass(value, enum.Enum):
        return Anatomy(name, [(k, member.value) for k, member in value.__members__.items()])
    members = {k: v for k, v in vars(value).items() if k not in WITHOUT_MEANING}
    return Anatomy(name, [("base", value.__bases__), ("member", members)])


def _native(value: Any) -> Anatomy | None:
    """A function written in C by its name and the object that it belongs to."""
    if not isinstance(value, NATIVE):
        return None
    owners = [getattr(value, name, None) for name in ("__self__", "__objclass__")]
    return Anatomy(f"native {name_of(value)}", [("what it belongs to", owners)])


def _wrapped(value: Any) -> Anatomy | None:
    """What Python wraps around functions."""
    if isinstance(value, types.MethodType):
        return Anatomy("method", [("its function", value.__func__), ("its object", value.__self__)])
    if isinstance(value, staticmethod | classmethod):
        return Anatomy(type(value).__name__, [("its function", value.__func__)])
    if isinstance(value, property):
        return Anatomy("property", [("get", value.fget), ("set", value.fset), ("delete", value.fdel)])
    if isinstance(value, functools.cached_property):
        return Anatomy("cached property", [("its function", value.func)])
    if isinstance(value, functools._lru_cache_wrapper):
        return Anatomy("cached function", [("its function", value.__wrapped__)])
    return None
