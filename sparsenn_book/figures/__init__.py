"""Rows in, plotly figure out: one theme for every chapter."""

from sparsenn_book.figures.palette import DASHES, MARKERS, PALETTE, ROLES, Style, style
from sparsenn_book.figures.theme import band, figure, level, line, look, panels, points, use

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
