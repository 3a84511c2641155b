"""Private random generators, one for each axis of variation of a study.

A study has one seed. What should vary by itself (initial weights, data, minibatch order, noise) gets a generator of
its own, seeded by a hash of the study's seed and the axis' name, so that changing how many numbers one axis draws
never changes another. Nothing here or elsewhere in the package reads or sets global random state.
"""

from __future__ import annotations

import hashlib

import torch


def derive_seed(seed: int, *axes: str | int | float) -> int:
    """A 63-bit seed from `seed` and the names of the axes, equal on every machine and Python version."""
    text = "/".join(repr(part) for part in (int(seed), *axes))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *axes: str | int | float, device: str | torch.device = "cpu") -> torch.Generator:
    """A private `torch.Generator` for one axis of a study, e.g. `generator(7, "init")`."""
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *axes))
