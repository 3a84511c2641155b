"""The first page: what the book found, as a list of claims with pictures, and what to take to one's own training.

Claims choose themselves by their field `headline`. A figure whose `layout.meta.headline` names such a claim stands
beside it in a compact form. What to take along are the sentences that chapters compute under a phrase of their own.
"""

from __future__ import annotations

import copy
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from sparsenn_book.records import words
from sparsenn_book.records.words import line
from sparsenn_book.runner.entries import FULL, Claim, Entry

PLOTLY = "application/vnd.plotly.v1+json"
HEIGHT, ROW = 210, 60  # pixels: a picture with one row of panels, and each further row
LINE, ROW_OF_MAP = 14, 22  # pixels: a further line of a panel's head, and a row of a heat map
HEAD, TITLE = 20, 26  # letters that fit above one of two panels, and beside an axis
ACROSS = 50  # letters side by side under a picture on a phone
MOST_NAMED, MOST_TICKS = 4, 4  # entries of a legend, and labels of an axis
PRACTICE = re.compile(r"\*\*Take to your own training[.:]?\*\*[.:]?\s+(.+?)(?=\n\s*\n|\n\s*[-*] |\Z)", re.DOTALL)
"""How a chapter marks the sentence that says what its finding is good for."""
BEFORE = {
    "corrected": "Did not hold as stated",
    "refuted": "Refuted",
    "undecided": "Undecided",
    "not tested at this profile": "Not tested",
}
"""Said before a statement that was not found true, so that it is not read as a finding."""
KEY = {
    "reproduced": "the study's statement holds",
    "corrected": "the study's statement did not hold as given, and its chapter corrects it",
    "refuted": "a statement, this book's or another's, that did not hold",
    "stated here": "this book's own statement, and it held",
    "undecided": "the measured interval decides neither way",
    "not tested at this profile": "not tested, or in too few runs",
}
"""Each verdict in a few words; the ledger has them in full."""
AGE = (
    "*Made by older code* means that code behind a table has changed since the table was computed. The number is what "
    "the older code measured; it was not computed again, so today's code may give another."
)


def headlines(found: Sequence[Entry]) -> list[Entry]:
    """Entries whose claim is for the first page."""
    return [entry for entry in found if entry.claim["headline"]]


def pictures(notebooks: Mapping[str, Mapping[str, Any]], found: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """A compact copy of the figure of each headline that has one, by the claim's key.

    Raises `RuntimeError`, one line, for a figure of a claim that its chapter does not state or that is no headline.
    """
    known = {entry.claim["key"]: entry.claim["notebook"] for entry in headlines(found)}
    made = {}
    for name, notebook in notebooks.items():
        for data in _outputs(notebook):
            figure = data.get(PLOTLY, {})
            key = (figure.get("layout", {}).get("meta") or {}).get("headline")
            if key and known.get(key) != name:
                raise RuntimeError(f"{name}: a figure is the picture of {key!r}, which is no headline of this chapter")
            if key:
                made[key] = compact(figure)
    return made


def compact(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A figure as a small picture: low, without title, tools, colour scale and a long legend, with few tick labels, and
    as narrow as its place.

    It reads best with one row of panels.
    """
    small = copy.deepcopy({"data": figure["data"], "layout": figure["layout"]})
    layout = small["layout"]
    layout.pop("title", None)
    rows = len({tuple(axis.get("domain", (0, 1))) for axis in _axes(layout, "y")})
    columns = len({tuple(axis.get("domain", (0, 1))) for axis in _axes(layout, "x")})
    heads = [
        _wrapped(head, HEAD if columns > 1 else 2 * HEAD)
        for head in layout.get("annotations", [])
        if head.get("yref") == "paper"
    ]
    taller = LINE * (max(heads, default=1) - 1)
    layout["height"] = min(HEIGHT + taller + (ROW + taller) * (rows - 1), int(layout.get("height") or HEIGHT))
    layout["margin"] = {"t": 32 + taller} if taller else {}
    for direction in "xy":
        axes = _axes(layout, direction)
        _title_once(axes)
        for axis in axes:
            _wrapped(axis.get("title") or {}, TITLE)
            _calm(axis)
            if direction == "x" and _letters(axis) * columns > ACROSS:
                axis["showticklabels"] = False  # the names would lie on each other; the chapter has them
    _name_rows(small)
    layout["meta"] = {"alt": layout["meta"]["alt"], "compact": True}
    named = {trace.get("name") for trace in small["data"] if trace.get("showlegend") is not False}
    layout["showlegend"] = layout.get("showlegend", True) and 1 < len(named) <= MOST_NAMED
    return small


def _axes(layout: Mapping[str, Any], direction: str) -> list[dict[str, Any]]:
    return [axis for name, axis in layout.items() if re.fullmatch(rf"{direction}axis\d*", name)]


def _wrapped(text: dict[str, Any], width: int) -> int:
    """Break a head or a title into lines of so many characters, in smaller letters; the number of lines."""
    lines = textwrap.wrap(text.get("text") or "", width, break_long_words=False)
    if lines:
        text["text"] = "<br>".join(lines)
        text["font"] = {**text.get("font", {}), "size": 11}
    return len(lines)


def _calm(axis: dict[str, Any]) -> None:
    """Few tick labels, none of them turned."""
    axis |= {"tickangle": 0, "nticks": MOST_TICKS}
    places = axis.get("tickvals")
    if places is not None and len(places) > MOST_TICKS:
        kept = [0, len(places) // 2, len(places) - 1]
        for name in ("tickvals", "ticktext"):
            if axis.get(name) is not None:
                axis[name] = [axis[name][place] for place in kept]


def _letters(axis: Mapping[str, Any]) -> int:
    """How many letters the names of places need side by side, as much for each as for the longest."""
    names = [str(name) for name in axis.get("ticktext") or []]
    return len(names) * max((len(part) for name in names for part in name.split("<br>")), default=0)


def _name_rows(small: dict[str, Any]) -> None:
    """Every row of a heat map with its name; the colours' scale is in the chapter."""
    for trace in small["data"]:
        if trace["type"] == "heatmap":
            trace["showscale"] = False
            small["layout"]["height"] = max(HEIGHT, ROW_OF_MAP * len(trace["y"]) + 70)
            for axis in _axes(small["layout"], "y"):
                axis |= {"dtick": 1, "tickfont": {"size": 11}}


def _title_once(axes: Sequence[dict[str, Any]]) -> None:
    """Keep one of several equal axis titles, the middle one: side by side they would not fit."""
    titled = [axis for axis in axes if (axis.get("title") or {}).get("text")]
    if len({axis["title"]["text"] for axis in titled}) == 1:
        for axis in [*titled[: len(titled) // 2], *titled[len(titled) // 2 + 1 :]]:
            axis["title"] = {"text": ""}


def findings(found: Sequence[Entry], profile: str, titles: Mapping[str, str], shown: Mapping[str, str]) -> str:
    """The headlines as MyST: verdict, statement and number beside the picture, and where to read on.

    `shown` maps a claim's key to the file of its picture.
    """
    if not headlines(found):
        return "No chapter has a headline yet.\n"
    own = [entry.judged for entry in headlines(found)]
    lines = [_key(own), "", ":::::{container} findings", ""]
    for entry in headlines(found):
        claim = entry.judged
        key = claim["key"]
        lines += ["::::{container} finding", "", ":::{container} finding-text", ""]
        lines += [words.badge(claim["verdict"]), "", f"{_before(claim)}**{line(claim['statement'])}**", ""]
        lines += [_number(claim, profile), "", _further(entry, titles), "", ":::", ""]
        lines += [f":::{{plotly-figure}} {shown[key]}", ":::", ""] if key in shown else []
        lines += ["::::", ""]
    return "\n".join([*lines, ":::::", ""])


def _before(claim: Claim) -> str:
    """What to read before a statement that the measurement does not bear out."""
    said = BEFORE.get(claim["verdict"])
    return f"{said}: " if said else ""


def _key(claims: Sequence[Claim]) -> str:
    """One line on the symbols that occur, and one on tables made by older code where there are any."""
    there = {claim["verdict"] for claim in claims}
    said = [f"{words.VERDICTS[verdict][0]} {text}" for verdict, text in KEY.items() if verdict in there]
    lines = [f"Key: {'; '.join(said)}."]
    if any("older code" in claim.get("age", "") for claim in claims):
        lines.append(AGE)
    return "\n\n".join(lines)


def practice(notebooks: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """What chapters say one can take along, each sentence with its chapter; computed there, repeated here."""
    lines = []
    for name, notebook in notebooks.items():
        said = [match[1] for data in _outputs(notebook) for match in PRACTICE.finditer(_text(data))]
        said = [text[:1].upper() + text[1:] for text in said]  # after a colon a chapter may go on in small letters
        lines += [f"- {line(text)} ([{titles[name]}](notebooks/{name}.ipynb))" for text in dict.fromkeys(said)]
    return "\n".join(["## Take to your own training", "", *lines, ""]) if lines else ""


def _number(claim: Claim, profile: str) -> str:
    """What was measured, at which scale, and by code of what age."""
    worth = "no evidence" if profile == "smoke" else "a reduced scale"
    where = "at full scale" if claim["profile"] == FULL else f"at the `{profile}` profile, {worth}"
    if not claim["measured"]:
        return "Not measured yet."
    recorded = f"Recorded: {line(claim['recorded'])}. " if claim["recorded"] else ""
    text = f"{recorded}Measured: {line(words.measured(claim['measured'] | {'method': ''}))}, {where}"
    return f"{text}; {line(claim['age'])}." if claim.get("age") else f"{text}."


def _further(entry: Entry, titles: Mapping[str, str]) -> str:
    name, slug = entry.claim["notebook"], words.slug(entry.claim["key"])
    chapter = f"[{titles.get(name, name)}](notebooks/{name}.ipynb)"
    return f'Chapter: {chapter}. <a href="ledger.html#claim-{slug}">In the ledger</a>.'


def _outputs(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return [output["data"] for output in outputs if "data" in output]


def _text(data: Mapping[str, Any]) -> str:
    text = data.get("text/markdown", "")
    return text if isinstance(text, str) else "".join(text)
