"""What each rule and bound looks like in this chapter: one colour has one meaning."""

from __future__ import annotations

from sparsenn_book.figures.palette import ROLES, Style, style

METHODS: dict[str, Style] = {
    "PathProx": ROLES["reference schedule"],
    "SGD weight decay": style(0),
    "no decay": style(1),
    "optimum": ROLES["minimiser"],
}
"""The study's own rule, which it ran, two rules beside it, and the certified optimum."""

BOUNDS: dict[str, tuple[str, Style]] = {
    "lower": ("at least, r<sub>Φ</sub>", Style(ROLES["theory"].color, "dot", "triangle-up")),
    "sharp": ("sharper bound", ROLES["theory"]),
    "product": ("r<sub>Φ</sub>r<sub>Ψ</sub>", Style(ROLES["theory"].color, "solid", "triangle-up")),
    "drawn": ("study's upper line", ROLES["recorded"]),
}
"""Column of the tables, name and look of each bound: proven, so in the colour of theory, each with its own dashes."""

PATTERNS = ("", "/", "x", ".", "|")
"""Fillings of bars for counts from 3 on, all certified and so in one colour."""
