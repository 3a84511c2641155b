"""What the study's README shows: its first figure, CONV-3-H on MNIST, read off by eye to about a factor of two."""

from __future__ import annotations

from dataclasses import dataclass

READING = 1.0  # a power of two to either side


@dataclass(frozen=True)
class Curve:
    """A curve of the figure: powers of two at its start and its end, for 200, 600 and 1,000 channels."""

    bound: str
    start: tuple[float, float, float]
    end: tuple[float, float, float]


EPOCHS = 500
"""Where its curves end."""
WIDTHS = (200, 600, 1000)
"""Channels of the three panels."""
CURVES = (
    Curve("formula of the study's code", (8.5, 11.0, 12.5), (0.5, 0.5, 0.5)),
    Curve("Golowich et al.", (24.0, 26.0, 28.0), (16.0, 16.0, 16.0)),
    Curve("Graf et al., norms", (23.0, 24.5, 26.0), (17.5, 18.5, 19.0)),
    Curve("Ledent et al.", (24.0, 24.0, 24.0), (22.0, 22.0, 22.0)),
    Curve("Long and Sedghi, shape", (5.0, 5.7, 6.5), (4.0, 5.0, 5.7)),
)
"""Where only the range over the panels could be read, the middle one is half-way. The code behind the curves other than
the first computes something else than the theorems say; see the page.
"""
