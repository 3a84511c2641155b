"""Which fields of a penalty differ by run: widened to all runs, and selected along with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown


def by_run(penalty: Any) -> dict[str, Any]:
    """The fields of `penalty` that differ by run, name -> value: `strength` and those that it declares.

    Refuses a field with a tensor in it (dicts, tuples and other penalties are searched) that is declared neither in
    `per_run_fields` nor in `shared_fields`: a guess by its shape is wrong where it happens to have R entries.
    """
    kind = type(penalty).__name__
    names = [f.name for f in fields(penalty)]
    for name in (*penalty.per_run_fields, *penalty.shared_fields):
        if name not in names:
            raise unknown("field", name, names, where=kind)
    declared = ["strength", *penalty.per_run_fields]
    for name in names:
        if name not in (*declared, *penalty.shared_fields) and _holds_tensor(getattr(penalty, name)):
            raise InputError(
                f"{kind}: the field {name} holds a tensor; declare in the class whether it differs by run, "
                f"per_run_fields = ({name!r},), or not, shared_fields = ({name!r},)"
            )
    return {name: getattr(penalty, name) for name in declared}


def widened(value: Any, count: int, like: Tensor, where: str) -> Any:
    """`value` with one entry for each of `count` runs, [count, ...], in a dict entry by entry.

    Numbers are repeated; tensors must have `count` entries. Floating-point ones take the type of `like`.
    """
    if isinstance(value, Mapping):
        return {k: widened(v, count, like, f"{where}[{k!r}]") for k, v in value.items()}
    kept = isinstance(value, Tensor) and not value.is_floating_point()
    tensor = torch.as_tensor(value, dtype=None if kept else like.dtype, device=like.device)
    if not tensor.ndim:
        return tensor.expand(count).contiguous()
    if len(tensor) != count:
        raise InputError(f"{where} has {len(tensor)} entries for {count} runs")
    return tensor


def selected(value: Any, index: Tensor) -> Any:
    """The entries of the runs in `index`; what is the same for all runs stays as it is."""
    return _mapped(value, lambda tensor: tensor[index] if tensor.ndim else tensor)


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Mapping):
        return {k: _mapped(v, change) for k, v in value.items()}
    return change(torch.as_tensor(value)) if isinstance(value, (Tensor, np.ndarray, list, tuple)) else value


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim > 0
    if isinstance(value, Mapping):
        return any(_holds_tensor(v) for v in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_holds_tensor(v) for v in value)
    return (
        is_dataclass(value)
        and not isinstance(value, type)
        and any(_holds_tensor(getattr(value, f.name)) for f in fields(value))
    )
