"""The ledger: every claim of every chapter as one page of MyST text, a pure function of the claims.

A claim is a dictionary with the fields of `sparsenn_book.records.Claim`, its verdict and its profile, as `claims.json`
holds them; `notebook`, added on reading, names the chapter's notebook. Statements are MyST text, so formulas may be
written between dollar signs. Profiles never share a column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparsenn_book.records.claims import FILE, read_claims
from sparsenn_core.errors import InputError

Claim = Mapping[str, Any]

VERDICTS: dict[str, tuple[str, str]] = {
    "reproduced": ("✓", "the measured interval lies inside what was said"),
    "corrected": ("≈", "the measured interval lies apart from what was said, and inside what this book says instead"),
    "refuted": ("✗", "the measured interval lies apart from what was said"),
    "new": ("★", "nobody said it before, and the measured interval lies inside what this book says"),
    "undecided": ("?", "the measured interval reaches across the edge of what was said: more runs are needed"),
    "not tested at this profile": ("–", "no measurement, or too few runs to be one"),
}
"""Each verdict with its symbol and its meaning, in the order in which the page counts them."""

PROFILES: dict[str, str] = {
    "smoke": "**This is the `smoke` profile: seconds-long runs that check that everything works. "
    "Its numbers are never evidence.**",
    "laptop": "The numbers below are from the `laptop` profile: two cores and minutes, at a reduced scale where a "
    "chapter says so.",
    "full": "The numbers below are from the `full` profile: the scale of the studies.",
}
"""What a profile's numbers are worth, in words."""


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def claims_of(folder: Path, profile: str, file: str = FILE) -> list[dict[str, Any]]:
    """The claims of one executed notebook, from `folder/claims.json`; none where the notebook stated none.

    Raises `InputError` for a broken file, a verdict that does not follow from its fields, or another profile's claim.
    """
    if not (folder / file).exists():
        return []
    claims = read_claims(folder, file)
    for claim in claims:
        if claim["profile"] != profile:
            raise InputError(f"{folder}: claim {claim['key']!r} is of profile {claim['profile']!r}, not {profile!r}")
    return [{**claim, "notebook": folder.name} for claim in claims]


def ledger(claims: Sequence[Claim], profile: str, titles: Mapping[str, str], committed: Sequence[Claim] = ()) -> str:
    """The ledger page's generated part.

    `claims` are those of `profile`; `titles` maps each notebook of the book to its chapter's title, in order;
    `committed` are full-scale claims that come with the repository, shown beside the others in a column of their own.
    """
    columns = {profile: list(claims)}
    if committed and profile != "full":
        columns["full"] = list(committed)
    lines = [PROFILES.get(profile, f"The numbers below are from the `{profile}` profile."), ""]
    if "full" in columns and profile != "full":
        lines += ["Numbers at the scale of the studies come with the repository and have their own column.", ""]
    for name, rows in columns.items():
        lines += [f"**{_scale(name)}:** {_counts(rows)}", ""]
    if not any(columns.values()):
        lines += ["No chapter has stated a claim yet.", ""]
    notebooks = [*titles, *sorted({_notebook(c) for rows in columns.values() for c in rows} - set(titles))]
    for notebook in notebooks:
        own = {name: [c for c in rows if _notebook(c) == notebook] for name, rows in columns.items()}
        if any(own.values()):
            lines += _chapter(notebook, titles.get(notebook), own)
    return "\n".join([*lines, *_key()])


def badge(verdict: str, text: str | None = None) -> str:
    """A verdict as coloured text with a symbol, in MyST; `text` replaces its name."""
    symbol, _ = VERDICTS[verdict]
    return f"[{symbol} {text or verdict}]{{.verdict .verdict-{verdict.split()[0]}}}"


def measured(values: Mapping[str, Any] | None) -> str:
    """A measured value with unit, interval, number of runs and method, e.g. `0.83 [0.75, 0.89], n = 64`.

    An end that is None is open. An exact number shows no interval; no measurement is an empty text.
    """
    if not values:
        return ""
    unit = str(values.get("unit") or "").strip()
    text = number(values["value"]) + (f" {unit}" if unit else "")
    if values["low"] != values["high"] or values["low"] is None:
        text += f" {interval(values['low'], values['high'])}"
    text += f", n\u00a0=\u00a0{values['count']}" if values["count"] > 1 else ""
    method = _inline(values.get("method") or "")
    return text + (f" [{method}]{{.source}}" if method else "")


def interval(low: float | None, high: float | None) -> str:
    """A closed interval, `[0.75, 0.89]`, in MyST as one piece; an end that is None is infinite, and its side round."""
    left = "(−∞" if low is None else rf"\[{number(low)}"
    right = "∞)" if high is None else rf"{number(high)}\]"
    return f"[{left}, {right}]{{.interval}}"


def number(value: float) -> str:
    """Four significant digits, as printed in a text: `9.169·10⁻⁵`; whole numbers below a million as they are."""
    if float(value).is_integer() and abs(value) < 1e6:
        return str(int(value)).replace("-", "−")
    digits, _, exponent = f"{value:.4g}".replace("-", "−").partition("e")
    if exponent:
        digits += "·10" + str(int(exponent.replace("−", "-"))).translate(SUPERSCRIPT)
    return digits


def _chapter(notebook: str, title: str | None, own: Mapping[str, Sequence[Claim]]) -> list[str]:
    """One chapter: a heading that links to it and a table with one column for each profile."""
    heading = f"[{title}](notebooks/{notebook}.ipynb)" if title else notebook
    lines = [
        f"### {heading}",
        "",
        ":::{list-table}",
        ":header-rows: 1",
        ":class: ledger",
        "",
        "* - Claim",
        "  - Recorded",
    ]
    lines += [f"  - {_scale(name)}" for name in own]
    shown: list[str] = list(dict.fromkeys(claim["key"] for rows in own.values() for claim in rows))
    for key in shown:
        by_profile = {name: next((c for c in rows if c["key"] == key), None) for name, rows in own.items()}
        claim = next(c for c in by_profile.values() if c is not None)
        lines += [f"* - [{_inline(claim['statement'])}]{{#claim-{_slug(key)} .statement}}"]
        lines += [f"    [{_inline(claim['source'])}]{{.source}}"] if claim["source"] else []
        lines += [f"  - {_where('Recorded')} {_inline(claim['recorded'] or '–')}{_holds(claim)}"]
        for name, found in by_profile.items():
            text = f"{badge(found['verdict'])} {measured(found['measured'])}".rstrip() if found else "–"
            lines += [f"  - {_where(_scale(name))} {text}"]
    return [*lines, ":::", ""]


def _where(column: str) -> str:
    """The column's name inside its cell: shown on phones, where each row is a card without a head."""
    return f"[{column}]{{.where}}"


def _holds(claim: Claim) -> str:
    """For which measured values the claim counts as true, in small print."""
    ends = claim.get("said") or claim.get("ours")
    return f" [holds in {interval(*ends)}]{{.source}}" if ends else ""


def _counts(claims: Sequence[Claim]) -> str:
    count = Counter(claim["verdict"] for claim in claims)
    total = f"{len(claims)} claim{'' if len(claims) == 1 else 's'}"
    return " ".join([total, *(badge(v, f"{count[v]} {v}") for v in VERDICTS if count[v])])


def _key() -> list[str]:
    """What the verdicts mean, folded away below the tables."""
    meanings = [f"* - {badge(name)}\n  - {meaning}" for name, (_, meaning) in VERDICTS.items()]
    return [":::{list-table} What the verdicts mean", ":class: meanings", "", *meanings, ":::", ""]


def _scale(profile: str) -> str:
    return {"full": "Full scale", "smoke": "Smoke run, no evidence"}.get(profile, f"Measured here ({profile})")


def _notebook(claim: Claim) -> str:
    return str(claim.get("notebook") or claim["chapter"])


def _slug(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")


def _inline(text: str) -> str:
    """One line of MyST; a first character that would open a block and brackets without a partner are escaped."""
    line = " ".join(str(text).split())
    if line.count("[") != line.count("]"):
        line = re.sub(r"(?<!\\)([\[\]])", r"\\\1", line)
    return re.sub(r"^(\d*)([#>+*.)-])(?=\s)", r"\1\\\2", line)
