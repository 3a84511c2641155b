"""Waiting for other processes."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE = 120.0  # seconds


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds. The deadline is for what would never come; a busy machine may take its time."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
