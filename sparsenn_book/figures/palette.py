"""Colours, dashes and markers: every series is told apart by colour and by a second cue.

The hues keep a contrast of at least 3:1 against white and against the dark page (W3C WCAG 2.1, criterion 1.4.11), and
stay apart under the simulated colour-vision deficiencies of Machado, Oliveira and Fernandes (2009); the tests compute
both. The first four are those of Okabe and Ito (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

PALETTE: tuple[str, ...] = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#9966FF", "#666666")
"""Blue, vermilion, green, pink, violet, grey, in the order in which series take them."""

DASHES: tuple[str, ...] = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Line patterns, in the same order."""

MARKERS: tuple[str, ...] = ("circle", "square", "diamond", "triangle-up", "x", "cross")
"""Marker symbols, in the same order."""

GRID = "rgba(128, 128, 128, 0.22)"
AXIS = "rgba(128, 128, 128, 0.65)"
TEXT = "#5A5A5A"
"""Text where no page sets its own colour, as in JupyterLab; the book replaces it with the page's text colour."""


@dataclass(frozen=True)
class Style:
    """How one series looks: a colour, a line pattern and a marker symbol."""

    color: str
    dash: str
    marker: str

    def fill(self, opacity: float = 0.16) -> str:
        """The colour as a translucent fill, for interval bands; `opacity` in [0, 1]."""
        red, green, blue = (int(self.color[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red}, {green}, {blue}, {opacity:g})"


def style(index: int) -> Style:
    """The look of series number `index` >= 0; colour and second cue change together.

    From the seventh series on colours come back with another pattern and marker; a figure with so many series is
    better split.
    """
    lap, place = divmod(index, len(PALETTE))
    cue = (place + lap) % len(PALETTE)
    return Style(PALETTE[place], DASHES[cue], MARKERS[cue])


ROLES: dict[str, Style] = {
    "recorded": Style("#666666", "dot", "diamond-open"),
    "reference schedule": Style("#D55E00", "dash", "square"),
    "minimiser": Style("#0072B2", "solid", "circle"),
    "theory": Style("#009E73", "longdash", "triangle-up"),
}
"""Kinds of result that look the same in every chapter: what a study recorded, what its schedule gives when it is run
again, a certified minimiser of the stated objective, and a value known in closed form."""
