"""Devices by name, refused in one line where they are not there."""

from __future__ import annotations

import torch

from sparsenn_core.errors import InputError


def usable(device: torch.device | str | None) -> torch.device | None:
    """The device, or None for None; `InputError` for one that this machine or this PyTorch does not have."""
    if device is None:
        return None
    try:
        return torch.empty(0, device=device).device
    except (AssertionError, RuntimeError, NotImplementedError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {str(device)!r} cannot be used here ({reason[:120]}); 'cpu' always can") from None
