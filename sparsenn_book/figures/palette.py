"""Colours, dashes and markers: every series is told apart by colour and by a second cue.

Two palettes that share no colour and no marker. Roles are kinds of result and look the same in every chapter: what a
study recorded, its schedule run again, a certified minimiser, a closed form. Categories are all else that a figure
compares, such as penalties, precisions, outputs and methods.

The hues keep a contrast of at least 3:1 against white and against the dark page (W3C WCAG 2.1, criterion 1.4.11), and
stay apart under the simulated colour-vision deficiencies of Machado, Oliveira and Fernandes (2009); the tests compute
both. Those of the roles are from Okabe and Ito (2008), and grey.
"""

from __future__ import annotations

from dataclasses import dataclass

PALETTE: tuple[str, ...] = ("#6A46D8", "#979749", "#B8148F", "#81640E", "#6C82EF", "#CC66A1")
"""Colours of categories, in the order in which series take them: violet, olive, magenta, brown, periwinkle, rose."""

DASHES: tuple[str, ...] = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Line patterns of categories, in the same order."""

MARKERS: tuple[str, ...] = ("triangle-down", "x", "star", "cross", "hourglass", "pentagon")
"""Marker symbols of categories, in the same order."""

GRID = "rgba(128, 128, 128, 0.22)"
AXIS = "rgba(128, 128, 128, 0.65)"
SIGNED = ((0.0, "#B2182B"), (0.5, "#9A9A9A"), (1.0, "#2166AC"))
"""Colour scale of numbers with a sign: around zero a grey that is seen on light and on dark pages."""

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
    """The look of category number `index` >= 0; colour and second cue change together.

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

OUTCOMES: dict[str, tuple[str, str]] = {
    "recovered": (PALETTE[4], ""),
    "fitted": (PALETTE[4], "/"),
    "partial": (PALETTE[5], ""),
    "collapsed": (PALETTE[3], ""),
    "dead": (PALETTE[3], "x"),
    "diverged": (PALETTE[5], "x"),
}
"""Colour and pattern of how a run ended, in every chapter that counts outcomes."""
