"""The ledger: every claim of every chapter as one page of MyST text, a pure function of the claims.

Statements are MyST text, so formulas may be written between dollar signs. Profiles never share a column. Checks of the
book's own computations stand folded under the claims of their chapter.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from sparsenn_book.records import words
from sparsenn_book.records.words import line
from sparsenn_book.runner.entries import FULL, NOT_TESTED, Claim, Entry, differs

PROFILES: dict[str, str] = {
    "smoke": "**This copy is from the `smoke` profile: seconds-long runs that check that everything works. Their "
    "numbers are never evidence.**",
    "laptop": "This copy is from the `laptop` profile: two cores and minutes, at a reduced scale where a chapter says "
    "so.",
    FULL: "This copy is from the `full` profile, the largest scale of each chapter.",
}
"""What a profile's numbers are worth, in words."""


def verdicts(found: Sequence[Entry], profile: str) -> str:
    """The head of the ledger page: a sentence that counts, what the numbers are worth, what the verdicts mean."""
    lines = [opening(found, profile), "", PROFILES.get(profile, f"This copy is from the `{profile}` profile."), ""]
    return "\n".join([*lines, *(_key(found) if found else [])])


def ledger(found: Sequence[Entry], profile: str, titles: Mapping[str, str]) -> str:
    """The claims `found` in a copy of `profile`: a place for filters, and a table for each chapter.

    `titles` maps each notebook of the book to its chapter's title, in order.
    """
    columns = [profile] if profile == FULL or not any(entry.full for entry in found) else [profile, FULL]
    kinds = "|".join(words.VERDICTS)
    lines = [f'<div class="ledger-filters" data-verdicts="{kinds}"></div>', ""] if found else []
    for notebook in dict.fromkeys([*titles, *(entry.claim["notebook"] for entry in found)]):
        own = [entry for entry in found if entry.claim["notebook"] == notebook]
        lines += _chapter(notebook, titles.get(notebook, notebook), own, columns) if own else []
    return "\n".join(lines)


def opening(found: Sequence[Entry], profile: str) -> str:
    """How many claims hold or do not: others', this book's from before the draws that test them, its other ones."""
    if not found:
        return "No chapter has stated a claim yet."
    others = Counter(entry.judged["verdict"] for entry in found if entry.judged["said"])
    ours = [entry.judged for entry in found if not entry.judged["said"] and not entry.is_check]
    before = Counter(claim["verdict"] for claim in ours if claim.get("prior"))
    own = Counter(claim["verdict"] for claim in ours if not claim.get("prior"))
    checks = Counter(entry.judged["verdict"] for entry in found if entry.is_check)
    counts = {"stated here": "hold", "refuted": "fail", "undecided": "undecided"}
    parts = []
    if others:
        said = {verdict: verdict for verdict in ("reproduced", "corrected", "refuted", "undecided")}
        parts.append(f"of {_number_of(others)} that others made, {_shares(others, said)}")
    if before:
        fixed = "of this book's own, fixed before the draws that test them"
        parts.append(f"of {_number_of(before)} {fixed}, {_shares(before, counts)}")
    if own:
        other = "other claim" if before else "claim"
        parts.append(f"of {_number_of(own, other)} of this book's own, {_shares(own, counts)}")
    if checks:
        parts.append(f"of {_number_of(checks, 'check')} of its computations, {_shares(checks, counts)}")
    text = "; ".join(parts)
    where = (
        ""
        if profile == FULL or not any(e.full for e in found)
        else (f" A claim counts with its verdict at full scale, or at `{profile}` where it was not tested there.")
    )
    return f"{text[0].upper()}{text[1:]}.{where}"


def _number_of(count: Counter[str], name: str = "claim") -> str:
    total = count.total()
    return f"{total} {name}{'' if total == 1 else 's'}"


def _shares(count: Counter[str], said: Mapping[str, str]) -> str:
    """`3 are reproduced, 1 is refuted and 2 are not tested`; the first is said even where it is none."""
    first = next(iter(said)) if count.total() > count[NOT_TESTED] else ""
    parts = [_counted(count[verdict], text) for verdict, text in said.items() if count[verdict] or verdict == first]
    if count[NOT_TESTED]:
        parts.append(_counted(count[NOT_TESTED], "not tested"))
    return words.listed(parts)


def _counted(count: int, text: str) -> str:
    number = str(count) if count else "none"
    if text in ("hold", "fail"):
        return f"{number} {text}{'s' if count == 1 else ''}"
    return f"{number} {'is' if count == 1 else 'are'} {text}"


def _key(found: Sequence[Entry]) -> list[str]:
    """What the verdicts mean, and how many claims have each."""
    count = Counter(entry.judged["verdict"] for entry in found)
    lines = ["## The verdicts", "", ":::{list-table}", ":header-rows: 1", ":class: meanings", ""]
    lines += ["* - Verdict", "  - Claims and checks", "  - Meaning"]
    for verdict, (_, meaning) in words.VERDICTS.items():
        lines += [f"* - {words.badge(verdict)}", f"  - {count[verdict]}", f"  - {meaning}"]
    return [*lines, ":::", ""]


def _chapter(notebook: str, title: str, own: Sequence[Entry], columns: Sequence[str]) -> list[str]:
    """One chapter: a heading, the table of its claims, and folded the table of its checks."""
    claims, checks = [entry for entry in own if not entry.is_check], [entry for entry in own if entry.is_check]
    lines = [f"### {title}", "", f"[Read the chapter](notebooks/{notebook}.ipynb).", ""]
    lines += _table(claims, title, columns) if claims else []
    if checks:
        lines += [f"::::{{dropdown}} Checks of this chapter's computations ({len(checks)})", ""]
        lines += [*_table(checks, title, columns), "::::", ""]
    return lines


def _table(own: Sequence[Entry], title: str, columns: Sequence[str]) -> list[str]:
    """One row a claim, one column for each profile."""
    lines = [":::{list-table}", ":header-rows: 1", ":class: ledger", "", "* - Claim", "  - Recorded"]
    lines += [f"  - {_scale(name)}" for name in columns]
    for entry in own:
        lines += _row(entry, title, columns)
    return [*lines, ":::", ""]


def _row(entry: Entry, title: str, columns: Sequence[str]) -> list[str]:
    claim, slug = entry.claim, words.slug(entry.claim["key"])
    mark = (
        f'<span class="claim" id="claim-{slug}" data-verdict="{entry.judged["verdict"]}" '
        f'data-chapter="{html.escape(_plain(title))}"></span>'
    )
    place = f'<a href="notebooks/{claim["notebook"]}.html#measured-{slug}">where it is measured</a>'
    lines = [f"* - {mark}{line(claim['statement'])}"]
    links = f'{place}, <a href="#claim-{slug}">link to this row</a>'
    lines += [f'    <span class="source">{words.source(claim)}; {links}</span>']
    lines += [f"  - {_where('Recorded')} {line(claim['recorded'] or '–')}{_holds(claim)}"]
    for name in columns:
        found = entry.full if name == FULL and len(columns) > 1 else entry.here
        text = _judgement(found) if found else "–"
        if found and entry.here and found is entry.full and differs(entry.here, found):
            text += f' <span class="source">there: {line(found["statement"])}{_recorded(found)}</span>{_holds(found)}'
        lines += [f"  - {_where(_scale(name))} {text}"]
    return lines


def _judgement(claim: Claim) -> str:
    """Verdict and measurement, and how old the tables are where they are not today's."""
    text = f"{words.badge(claim['verdict'])} {line(words.measured(claim['measured']))}".rstrip()
    return text + (f' <span class="source age">{line(claim["age"])}</span>' if claim.get("age") else "")


def _holds(claim: Claim) -> str:
    """For which measured values the claim counts as true, and which this book states instead; in small print."""
    said, ours = claim["said"], claim["ours"]
    text = f"holds {_in(said or ours)}"
    text += f"; this book says {_in(ours)}" if said and ours else ""
    return f' <span class="source">{text}</span>'


def _in(ends: Sequence[float | None]) -> str:
    low, high = ends
    return f"at {words.number(low)}" if low is not None and low == high else f"in {words.interval(low, high)}"


def _recorded(claim: Claim) -> str:
    return f" Recorded: {line(claim['recorded'])}." if claim["recorded"] else ""


def _where(column: str) -> str:
    """The column's name inside its cell: shown on phones, where each row is a card without a head."""
    return f'<span class="where">{column}</span>'


def _scale(profile: str) -> str:
    return {FULL: "Full scale", "smoke": "Smoke run, no evidence"}.get(profile, f"Measured here ({profile})")


def _plain(title: str) -> str:
    """A title without the marks of Markdown."""
    return re.sub(r"[*_`$\\]", "", title)
