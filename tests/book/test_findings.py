"""The first page: headlines with their pictures, and what to take along, all from what chapters computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparsenn_book import figures
from sparsenn_book.records import Claim, wilson, write_claims
from sparsenn_book.records.estimates import Estimate
from sparsenn_book.runner.entries import Entry, claims_of, entries
from sparsenn_book.runner.findings import PLOTLY, compact, findings, pictures, practice

RATE = Claim("a.rate", "Most *runs* fit.", "the study", "9 of 10", wilson(60, 64), said=(0.8, 1.0), headline=True)
PLAIN = Claim("a.plain", "Nothing to see.", "this book", None, wilson(0, 64), ours=(0.0, 0.2))


def found(folder: Path, here: list[Claim], full: list[Claim] | None = None) -> list[Entry]:
    write_claims(here, folder / "01_a", "laptop")
    write_claims(full or [], folder / "01_a", "full", file="full_claims.json", age="made by older code, 2026-10-21")
    return entries(claims_of(folder / "01_a", "laptop"), claims_of(folder / "01_a", "full", file="full_claims.json"))


def chapter(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "outputs": [{"data": data} for data in outputs]}]}


def picture(key: str, columns: int = 2) -> dict[str, Any]:
    fig = figures.panels("Rates", ["one", "two"], "time", "rate", "It rises.", columns=columns)
    for column in range(columns):
        figures.line(fig, [1, 2], [1, 2], f"run {column}", row=1, col=column + 1)
    fig.layout.meta = {**fig.layout.meta, "headline": key}
    return {PLOTLY: fig.to_plotly_json()}


def test_headlines_are_shown_with_verdict_number_scale_picture_and_links(tmp_path: Path) -> None:
    text = findings(found(tmp_path, [RATE, PLAIN]), "laptop", {"01_a": "First"}, {"a.rate": "generated/a-rate.json"})
    assert "\n**Most *runs* fit.**" in text
    assert text.startswith("Key: ✓ the study's statement holds.\n")
    assert "Recorded: 9 of 10. Measured: 0.9375" in text
    assert "at the `laptop` profile, a reduced scale." in text
    assert ":::{plotly-figure} generated/a-rate.json" in text
    assert "[First](notebooks/01_a.ipynb)" in text
    assert 'href="ledger.html#claim-a-rate"' in text
    assert "Nothing to see" not in text


def test_full_scale_comes_first_where_it_was_measured(tmp_path: Path) -> None:
    better = replace(RATE, measured=wilson(600, 640))
    text = findings(found(tmp_path, [RATE], [better]), "laptop", {"01_a": "First"}, {})
    assert "at full scale; made by older code, 2026-10-21." in text
    assert "640" in text
    assert text.count("code behind a table has changed") == 1
    untested = replace(RATE, measured=None)
    assert "reduced scale" in findings(found(tmp_path, [RATE], [untested]), "laptop", {"01_a": "First"}, {})
    assert "Not measured yet." in findings(found(tmp_path, [untested]), "laptop", {"01_a": "First"}, {})
    assert "has a headline yet" in findings(found(tmp_path, [PLAIN]), "laptop", {"01_a": "First"}, {})


@pytest.mark.parametrize(
    ("measured", "ours", "before"),
    [
        (wilson(0, 64), None, "Refuted"),
        (wilson(0, 64), (0.0, 0.2), "Did not hold as stated"),
        (wilson(51, 64), None, "Undecided"),
        (None, None, "Not tested"),
    ],
)
def test_what_was_not_found_true_says_so_before_its_statement(
    tmp_path: Path, measured: Estimate | None, ours: tuple[float, float] | None, before: str
) -> None:
    text = findings(found(tmp_path, [replace(RATE, measured=measured, ours=ours)]), "laptop", {"01_a": "First"}, {})
    assert f"\n{before}: **Most *runs* fit.**" in text
    assert "code behind a table" not in text


def test_a_picture_is_low_untitled_and_says_each_axis_once(tmp_path: Path) -> None:
    made = pictures({"01_a": chapter(picture("a.rate"))}, found(tmp_path, [RATE]))["a.rate"]
    layout = made["layout"]
    assert layout["height"] < 300
    assert "title" not in layout
    assert layout["meta"] == {"alt": "It rises.", "compact": True}
    assert layout["showlegend"]
    assert [layout[axis]["title"]["text"] for axis in ("xaxis", "xaxis2")] == ["", "time"]
    many = picture("a.rate")[PLOTLY]
    many["data"] = [dict(many["data"][0], name=str(n)) for n in range(9)]
    assert not compact(many)["layout"]["showlegend"]


@pytest.mark.parametrize(("names", "shown"), [(["a", "b", "c"], True), (["all connected,<br>one channel"] * 3, False)])
def test_names_of_places_are_left_out_where_they_would_lie_on_each_other(names: list[str], shown: bool) -> None:
    figure = picture("a.rate")[PLOTLY]
    figure["layout"]["xaxis"] |= {"tickvals": [0, 1, 2], "ticktext": names}
    assert compact(figure)["layout"]["xaxis"].get("showticklabels", True) is shown


@pytest.mark.parametrize("key", ["a.plain", "b.gone"])
def test_a_picture_of_no_headline_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(RuntimeError, match=f"01_a: a figure is the picture of '{key}'"):
        pictures({"01_a": chapter(picture(key))}, found(tmp_path, [RATE, PLAIN]))


def test_what_to_take_along_is_what_chapters_say() -> None:
    said = "- First.\n- **Take to your own training**: use\n  less $\\lambda$.\n- Last."
    books = {"01_a": chapter({"text/markdown": said}), "02_b": chapter({"text/plain": "nothing"})}
    text = practice(books, {"01_a": "First", "02_b": "Second"})
    assert "- Use less $\\lambda$. ([First](notebooks/01_a.ipynb))" in text
    assert "Last" not in text
    assert practice({"02_b": books["02_b"]}, {"02_b": "Second"}) == ""
