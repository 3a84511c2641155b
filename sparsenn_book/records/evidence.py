"""From which tables a chapter may tell what it found: those of the full profile, else its own where they are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pandas as pd

Tables = Mapping[str, pd.DataFrame]
NO_EVIDENCE = ("smoke", "custom")
TOO_SMALL = "*This run is too small, or too much its reader's own, to learn from: it reports no finding.*"


class FullScale(Protocol):
    """What a chapter knows of the full profile: its tables, and in words how old they are."""

    tables: Tables

    @property
    def age(self) -> str:
        """Empty if they are as today's code would make them."""


def evidence(full: FullScale, here: Tables, profile: str, needed: Sequence[str]) -> tuple[Tables, str] | None:
    """The tables to tell findings from, with all that are `needed`, and where they hold; None where there are none."""
    if all(name in full.tables for name in needed):
        return full.tables, "at full scale" + (f" ({full.age})" if full.age else "")
    return None if profile in NO_EVIDENCE else (here, f"on this page's runs (profile {profile})")
