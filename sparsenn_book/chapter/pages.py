"""What a chapter shows of itself, as Markdown that JupyterLab and the book both render."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import HTML, Markdown

from sparsenn_book.records import words
from sparsenn_book.records.claims import Claim
from sparsenn_book.records.provenance import versions
from sparsenn_book.sources.notebooks import FILLED_IN, NEEDS, Source
from sparsenn_book.sources.prices import read_prices
from sparsenn_book.sources.project import Project

if TYPE_CHECKING:
    from sparsenn_book.chapter.full import FullScale

MOST_NAMED = 3  # tables of one age
CELL = "|"


def head(source: Source, parameters: Mapping[str, Any], project: Project) -> HTML:
    """What a run costs, as runs recorded it, and the parameters with the values of this page; folded."""
    prices = read_prices(project).get(source.name, {})
    rows = [
        f"<tr><td>{profile}</td><td>{words.duration(p['seconds'])}</td><td>{p['memory'] / 1024:.1f} GB</td>"
        f"<td>{html.escape(p['device'])}, {p['date']}</td></tr>"
        for profile, p in prices.items()
    ]
    costs = (
        "<table><tr><th>profile</th><th>time</th><th>memory</th><th>measured on</th></tr>" + "".join(rows) + "</table>"
        if rows
        else "<p>No run of this chapter has recorded its price yet.</p>"
    )
    values = [
        f"<tr><td><code>{name}</code></td><td>{html.escape(_short(parameters[name]))}</td>"
        f"<td>{html.escape(_short(p.default))}</td><td>{html.escape(p.help)}</td></tr>"
        for name, p in source.parameters.items()
        if name not in (*FILLED_IN, NEEDS)
    ]
    table = "<table><tr><th>parameter</th><th>here</th><th>default</th><th>meaning</th></tr>" + "".join(values)
    count = f"{len(values)} parameter{'' if len(values) == 1 else 's'}"
    return HTML(
        f'<details class="chapter-head"><summary>What this chapter costs to run, and its {count}'
        f'</summary><div class="wide">{costs}{table}</table></div></details>'
    )


def wide(frame: pd.DataFrame | pd.Series) -> HTML:
    """A table that scrolls inside itself where it is wider than the page; a named index becomes columns."""
    table = frame.to_frame() if isinstance(frame, pd.Series) else frame
    named = any(name is not None for name in table.index.names)
    table = table.reset_index() if named else table
    return HTML(f'<div class="wide">{table.to_html(border=0, na_rep="–", index=not named)}</div>')


def claims(stated: Sequence[Claim], profile: str, full: Sequence[Claim], full_age: str) -> Markdown:
    """One row a claim: what is said and by whom, what was recorded, what was measured with its verdict, and beside it
    the same at full scale. Each row links to its place in the ledger, which links back.
    """
    beside = {claim.key: claim for claim in full}
    here = {"full": "Measured at full scale", "smoke": "Smoke run, no evidence"}.get(profile, f"Measured ({profile})")
    lines = [f"| Claim | Recorded | {here} |" + (" Full scale |" if beside else "")]
    lines += ["|---|---|---|" + ("---|" if beside else "")]
    for claim in stated:
        slug = words.slug(claim.key)
        ledger = f'<a href="../ledger.html#claim-{slug}">in the ledger</a>'
        mark = f'<span class="claim" id="measured-{slug}"></span>'
        cells = [
            f'{mark}{claim.statement} <span class="source">{words.source(claim)}; {ledger}</span>',
            claim.recorded or "–",
            _judgement(claim, profile),
        ]
        if beside:
            cells.append(_full_cell(claim, beside.get(claim.key)))
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    age = [f"*Full scale:* {full_age}.", ""] if full_age else []
    return Markdown("\n".join(['<div class="claims">', "", *lines, "", "</div>", "", *age]))


def colophon(tables: Mapping[str, pd.DataFrame], ages: Mapping[str, str], full: FullScale) -> Markdown:
    """Seconds, device and date of each table, and the versions that are installed."""
    lines = ["| Table | Rows | Seconds | Device | Made (UTC) |", "|---|---|---|---|---|"] if tables else []
    for name, frame in tables.items():
        origin = frame.attrs["provenance"]
        made = origin["date"][:16].replace("T", " ") + (f", {ages[name]}" if ages.get(name) else "")
        lines.append(f"| `{name}` | {len(frame):,} | {origin['seconds']:.1f} | {_cell(origin['device'])} | {made} |")
    lines += ["", ", ".join(f"{library} {version}" for library, version in versions().items()) + "."]
    if full.age:
        lines += ["", f"Tables of the full profile: {full.age}."]
    return Markdown("\n".join(lines))


def age_of(old: Mapping[str, pd.DataFrame], ages: Mapping[str, str]) -> str:
    """In words, how old tables are: `made by older code, 2026-10-21 (curves, map)`, of many only their number; empty if
    none is old.
    """
    said: dict[str, list[str]] = {}
    for name, frame in old.items():
        date = frame.attrs["provenance"].get("date", "")[:10]
        said.setdefault(f"{ages[name]}, {date}", []).append(name)
    return "; ".join(
        f"{text} ({', '.join(names) if len(names) <= MOST_NAMED else f'{len(names)} tables'})"
        for text, names in said.items()
    )


def _full_cell(here: Claim, full: Claim | None) -> str:
    """The verdict at full scale; with its own words where its settings make the claim another one."""
    if full is None:
        return "–"
    same = all(getattr(here, name) == getattr(full, name) for name in ("statement", "recorded", "said", "ours"))
    return _judgement(full, "full") + ("" if same else f' <span class="source">there: {full.statement}</span>')


def _judgement(claim: Claim, profile: str) -> str:
    return f"{words.badge(claim.verdict(profile))} {words.measured(claim.measured)}".rstrip()


def _cell(text: str) -> str:
    return words.line(text).replace(CELL, rf"\{CELL}")


def _short(value: Any) -> str:
    return ", ".join(str(entry) for entry in value) if isinstance(value, list | tuple) else str(value)
