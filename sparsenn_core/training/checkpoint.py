"""Saving a fit in the middle, so that an interrupted one goes on as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparsenn_core.errors import InputError

FORMAT = 2


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit saves its whole state, and every how many epochs.

    If the file exists when a fit starts, the fit goes on from it; the result is bit for bit that of an uninterrupted
    fit (on CPU). A file made by a fit with other data, starting weights or settings is refused, except for the number
    of epochs, which may grow. The file is written beside and renamed, so a kill leaves the older one.
    """

    path: Path | str
    every: int = 50

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"a checkpoint every {self.every} epochs is not possible; give 1 or more")
        if not Path(self.path).resolve().parent.is_dir():
            raise InputError(f"the folder of the checkpoint {self.path} does not exist")

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` (tensors, numbers, strings, lists and dicts of them)."""
        path = Path(self.path)
        beside = path.with_name(path.name + ".partial")
        with beside.open("wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def load(self, fingerprint: str) -> dict[str, Any] | None:
        """The saved state, or None where there is none yet."""
        path = Path(self.path)
        if not path.exists():
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise InputError(f"{path} is not a readable checkpoint ({type(error).__name__}); move it away") from error
        if not isinstance(state, dict) or state.get("format") != FORMAT or state.get("fingerprint") != fingerprint:
            raise InputError(f"{path} was made by a fit with other data, weights or settings; move it away")
        return state


def describe(setting: Any) -> str:
    """A setting as text: dataclasses field by field, tensors in full, functions by name."""
    if isinstance(setting, Tensor):
        return repr(setting.tolist())
    if is_dataclass(setting):
        inside = ", ".join(f"{f.name}={describe(getattr(setting, f.name))}" for f in fields(setting))
        return f"{type(setting).__name__}({inside})"
    if isinstance(setting, tuple):
        return "(" + ", ".join(describe(s) for s in setting) + ")"
    return getattr(setting, "__qualname__", None) or repr(setting)


def fingerprint(tensors: list[Tensor], settings: list[str]) -> str:
    """A hash of the bytes of `tensors` and of `settings`."""
    digest = hashlib.sha256()
    for t in tensors:
        digest.update(f"{t.dtype}{tuple(t.shape)}".encode())
        digest.update(t.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    for s in settings:
        digest.update(s.encode() + b"\0")
    return digest.hexdigest()
