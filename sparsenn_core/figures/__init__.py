"""Rows in, plotly figure out: one theme for every chapter."""

from sparsenn_core.figures.palette import DASHES, MARKERS, PALETTE, ROLES, Style, style
from sparsenn_core.figures.theme import band, figure, level, line, look, panels, points, use

__all__ = [
    "DASHES",
    "MARKERS",
    "PALETTE",
    "ROLES",
    "Style",
    "band",
    "figure",
    "level",
    "line",
    "look",
    "panels",
    "points",
    "style",
    "use",
]
