"""How numbers, intervals and verdicts are said on a page, in Markdown with inline HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate

VERDICTS: dict[str, tuple[str, str]] = {
    "reproduced": ("✓", "the measured interval lies inside what was said"),
    "corrected": (
        "≈",
        "no value in the measured interval agrees with what was said; all agree with what this book says instead",
    ),
    "refuted": ("✗", "no value in the measured interval agrees with what was said"),
    "stated here": (
        "★",
        "stated by this book, and it holds: the measured interval lies inside what it says; whether others said it "
        "before was not searched",
    ),
    "undecided": ("?", "the measured interval reaches across the edge of what was said, and so decides nothing"),
    "not tested at this profile": ("–", "no measurement, or too few runs to be one"),
}
"""Each verdict with its symbol and its meaning, in the order in which pages count them."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 4) -> str:
    """So many significant digits, as printed in a text: `9.169·10⁻⁵`; whole numbers below a million as they are."""
    if float(value).is_integer() and abs(value) < 1e6:
        return str(int(value)).replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits}g}".replace("-", "−").partition("e")
    return mantissa + (f"·{power_of_ten(int(exponent.replace('−', '-')))}" if exponent else "")


def ten(value: float, digits: int = 3) -> str:
    """A number with so many digits after the point, in powers of ten: 4.92e-05 as `4.920·10⁻⁵`."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.replace('-', '−')}·{power_of_ten(int(exponent))}"


def power_of_ten(exponent: int) -> str:
    """`10⁻⁵`."""
    return "10" + str(exponent).translate(SUPERSCRIPT)


def interval(low: float | None, high: float | None) -> str:
    """A closed interval, `[0.75, 0.89]`, as one piece; an end that is None or infinite is open, and its side round.

    Ends that differ are shown with as many digits as tell them apart.
    """
    digits = 4
    while low is not None and high is not None and low != high and digits < 12:
        if number(low, digits) != number(high, digits):
            break
        digits += 1
    left = "(−∞" if low is None or low == float("-inf") else f"[{number(low, digits)}"
    right = "∞)" if high is None or high == float("inf") else f"{number(high, digits)}]"
    return f'<span class="interval">{left}, {right}</span>'


def measured(estimate: Estimate | Mapping[str, Any] | None) -> str:
    """A measured value with unit, interval, number of runs and method, e.g. `0.83 [0.75, 0.89], n = 64`.

    An exact number shows no interval; no measurement is an empty text.
    """
    if estimate is None:
        return ""
    values = asdict(estimate) if isinstance(estimate, Estimate) else estimate
    unit = str(values.get("unit") or "").strip()
    text = number(values["value"]) + (f" {unit}" if unit else "")
    if values["low"] != values["high"] or values["low"] is None:
        text += f" {interval(values['low'], values['high'])}"
    text += f", n\u00a0=\u00a0{values['count']}" if values["count"] > 1 else ""
    method = str(values.get("method") or "")
    return text + (f' <span class="source">{method}</span>' if method else "")


def badge(verdict: str, text: str | None = None) -> str:
    """A verdict as coloured text with a symbol; `text` replaces its name."""
    symbol, _ = VERDICTS[verdict]
    return f'<span class="verdict verdict-{verdict.split()[0]}">{symbol} {text or verdict}</span>'


def source(claim: Claim | Mapping[str, Any]) -> str:
    """Who said it; for a claim of this book also whether it stood before the draws that test it."""
    values = claim if isinstance(claim, Mapping) else asdict(claim)
    return line(values["source"]) + (", before the draws that test it" if values.get("prior") else "")


def line(text: object) -> str:
    """A text as one line; spaces that hold words together are kept."""
    return re.sub(r"[ \t\r\n]+", " ", str(text)).strip(" ")


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def duration(seconds: float) -> str:
    """`8 s`, `3 min`, `1.5 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def slug(key: str) -> str:
    """A claim's key as part of an address: `l1.relu-optimum` as `l1-relu-optimum`."""
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
