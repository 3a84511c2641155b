"""What the figures of this chapter share: one look for one thing, bands of runs, one legend entry for a name."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import ROLES, Style, style
from sparsenn_book.figures.theme import band, line
from sparsenn_book.studies.rebound import scaling

PRECISIONS: dict[str, Style] = {
    "float32": style(0),
    "float64": style(1),
    "float64 weights, float32 arithmetic": style(2),
    "float32 weights, float64 arithmetic": style(3),
}
"""Precisions look the same in every figure of the chapter; what else is compared takes the looks after them."""

OTHERS = 4
EXPECTED = Style(ROLES["theory"].color, "dot", "triangle-up-open")
VARIANTS_OF_C: dict[str, Style] = {
    scaling.STUDY: PRECISIONS["float32"],
    scaling.FRESH: style(OTHERS),
    scaling.COMMON: PRECISIONS["float64"],
}


def wide(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """One column a run, one row an epoch from 1 on, as the study logs them."""
    chosen = rows[(rows.name == name) & (rows.epoch > 0)]
    return chosen.pivot(index="epoch", columns="run", values="value").dropna()


def normalised(table: pd.DataFrame) -> pd.DataFrame:
    """Runs (columns) scaled to [0, 1] over epochs, each by itself; constant runs to zero."""
    span = table.max() - table.min()
    return (table - table.min()) / span.where(span > 0, 1.0)


def mean_and_band(fig: go.Figure, table: pd.DataFrame, name: str, which: Style, **place: int) -> None:
    """The mean over runs, and a band that holds the middle 80 % of them."""
    band(fig, table.index, table.quantile(0.1, axis=1), table.quantile(0.9, axis=1), name, which, **place)
    line(fig, table.index, table.mean(axis=1), name, which, **place)


def one_legend(fig: go.Figure) -> go.Figure:
    """Every name once in the legend."""
    seen: set[str] = set()
    for trace in fig.data:
        if trace.showlegend is False:
            continue
        trace.showlegend = trace.name not in seen
        seen.add(trace.name)
    return fig
