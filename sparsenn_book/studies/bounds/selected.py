"""Rows of the chapter's tables that several figures, sentences and claims look at."""

from __future__ import annotations

import pandas as pd

from sparsenn_core.bounds.families import CERTIFICATE

REFINED, PLAIN, STUDY = "sparse, refined", "sparse, plain", "formula of the study's code"
RECALLED, HELD_OUT, POSTERIOR = "theorem as recalled", "held-out samples", "PAC-Bayes, optimised"
GOLOWICH = "Golowich et al."
PLACE = ["schedule", "depth", "width"]


def shown(bounds: pd.DataFrame) -> tuple[str, int, int]:
    """The network that figures show: the first schedule and depth, and the largest width."""
    first = bounds.iloc[0]
    same = bounds[(bounds["schedule"] == first["schedule"]) & (bounds["depth"] == first["depth"])]
    return str(first["schedule"]), int(first["depth"]), int(same["width"].max())


def of_shown(table: pd.DataFrame, place: tuple[str, int, int]) -> pd.DataFrame:
    """The rows of one network."""
    schedule, depth, width = place
    return table[(table["schedule"] == schedule) & (table["depth"] == depth) & (table["width"] == width)]


def last(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last epoch."""
    return table[table["epoch"] == table["epoch"].max()]


def norm_certificates(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that are certificates by norms: not the one from held-out samples, nor PAC-Bayes."""
    sure = (table["kind"] == CERTIFICATE) & ~table["bound"].isin([HELD_OUT, POSTERIOR])
    return table[sure & table["total"].notna()]
