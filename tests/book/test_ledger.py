"""The ledger is a pure function of the claims."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparsenn_book.records import Claim, wilson, write_claims
from sparsenn_book.records.words import badge
from sparsenn_book.runner.entries import claims_of, entries
from sparsenn_book.runner.ledger import ledger, opening, verdicts
from sparsenn_core.errors import InputError

SAID = Claim("a.rate", "Most runs fit.", "the study, Table 1", "9 of 10", wilson(60, 64), said=(0.8, 1.0))
OURS = Claim("a.ours", "The rate $p$ is small.", "this book", None, wilson(0, 64), ours=(0.0, 0.2))
WIDE = Claim("a.wide", "Half of the runs fit.", "the study", "50 %", wilson(5, 10), said=(0.45, 0.55))
NONE = Claim("a.none", "It holds at scale.", "the study", None, None, said=(0.0, 1.0))


def written(folder: Path, claims: list[Claim], profile: str, age: str = "") -> list[dict[str, Any]]:
    write_claims(claims, folder, profile, age=age)
    return claims_of(folder, profile)


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each claim's row, by the end of its anchor; the first row of the table is its head."""
    parts = re.split(r"^\* - ", text.split(":header-rows: 1")[1].split(":::")[0], flags=re.MULTILINE)[1:]
    return {re.findall(r'id="claim-a-(\w+)"', part)[0]: part.rstrip().split("\n  - ") for part in parts[1:]}


def test_each_claim_has_a_row_and_each_verdict_a_count(tmp_path: Path) -> None:
    found = entries(written(tmp_path / "01_a", [SAID, OURS, WIDE, NONE], "laptop"))
    text = ledger(found, "laptop", {"01_a": "First", "02_b": "Second"})
    assert list(rows(text)) == ["rate", "ours", "wide", "none"]
    assert "### First" in text
    assert "[Read the chapter](notebooks/01_a.ipynb)" in text
    assert "Second" not in text
    assert 'href="notebooks/01_a.html#measured-a-rate"' in text
    assert "holds in" in rows(text)["rate"][1]
    head = verdicts(found, "laptop")
    for verdict, count in (("reproduced", 1), ("refuted", 0), ("stated here", 1), ("undecided", 1)):
        assert f"{badge(verdict)}\n  - {count}\n" in head


def test_the_opening_sentence_tells_others_claims_from_the_books_own(tmp_path: Path) -> None:
    found = entries(written(tmp_path / "01_a", [SAID, OURS, WIDE, NONE], "laptop"))
    assert opening(found, "laptop") == (
        "Of 3 claims that others made, 1 is reproduced, 1 is undecided and 1 is not tested; "
        "of 1 claim of this book's own, 1 holds."
    )
    assert opening([], "laptop") == "No chapter has stated a claim yet."
    only = entries(written(tmp_path / "02_b", [WIDE, NONE], "laptop"))
    assert opening(only, "laptop") == (
        "Of 2 claims that others made, none are reproduced, 1 is undecided and 1 is not tested."
    )


def test_checks_are_folded_and_counted_apart_and_what_was_stated_before_says_so(tmp_path: Path) -> None:
    check = replace(OURS, key="a.check", check=True)
    found = entries(written(tmp_path / "01_a", [SAID, check, replace(OURS, prior=True)], "laptop"))
    text = ledger(found, "laptop", {"01_a": "First"})
    claims, checks = text.split("{dropdown} Checks of this chapter's computations (1)")
    assert list(rows(claims)) == ["rate", "ours"]
    assert list(rows(checks)) == ["check"]
    assert ["before the draws that test it" in cells[0] for cells in rows(claims).values()] == [False, True]
    assert opening(found, "laptop") == (
        "Of 1 claim that others made, 1 is reproduced; "
        "of 1 claim of this book's own, fixed before the draws that test them, 1 holds; "
        "of 1 check of its computations, 1 holds."
    )


def test_profiles_never_share_a_column_and_a_tested_full_scale_counts(tmp_path: Path) -> None:
    laptop = written(tmp_path / "laptop" / "01_a", [SAID, NONE, WIDE], "laptop")
    full = written(tmp_path / "full" / "01_a", [replace(WIDE, measured=wilson(500, 1000)), NONE, OURS], "full")
    found = entries(laptop, full)
    cells = rows(ledger(found, "laptop", {"01_a": "First"}))
    assert [badge("reproduced") in cell for cell in cells["rate"][2:]] == [True, False]
    assert cells["rate"][3].endswith("–")
    assert cells["ours"][2].endswith("–")
    assert badge("stated here") in cells["ours"][3]
    assert [verdict in cells["wide"][n] for n, verdict in ((2, "undecided"), (3, "reproduced"))] == [True, True]
    marks = {key: re.findall(r'data-verdict="([^"]+)"', cell[0])[0] for key, cell in cells.items()}
    assert marks["wide"] == "reproduced"
    assert marks["none"] == "not tested at this profile"
    assert "full scale" in opening(found, "laptop")


def test_a_claim_that_full_scale_states_otherwise_is_shown_in_its_own_words(tmp_path: Path) -> None:
    laptop = written(tmp_path / "laptop" / "01_a", [SAID, OURS], "laptop")
    other = replace(SAID, statement="Nearly all runs fit.", said=(0.9, 1.0))
    full = written(tmp_path / "full" / "01_a", [other, OURS], "full", age="made by older code, 2026-10-21 (curves)")
    cells = rows(ledger(entries(laptop, full), "laptop", {"01_a": "First"}))
    assert "there: Nearly all runs fit. Recorded: 9 of 10." in cells["rate"][3]
    assert "[0.9, 1]" in cells["rate"][3]
    assert "there:" not in cells["ours"][3]
    assert "made by older code, 2026-10-21 (curves)" in cells["ours"][3]
    assert "older code" not in cells["ours"][2]


def test_the_full_profile_shows_its_own_claims_once(tmp_path: Path) -> None:
    full = written(tmp_path / "01_a", [SAID], "full")
    text = ledger(entries(full), "full", {"01_a": "First"})
    assert text.count("Full scale") == 2  # head, cell


def test_smoke_is_never_evidence(tmp_path: Path) -> None:
    found = entries(written(tmp_path / "01_a", [SAID, OURS], "smoke"))
    assert "never evidence" in verdicts(found, "smoke")
    assert f"{badge('not tested at this profile')}\n  - 2\n" in verdicts(found, "smoke")


def test_claims_of_another_profile_with_a_typed_verdict_or_stated_twice_are_refused(tmp_path: Path) -> None:
    write_claims([SAID], tmp_path, "smoke")
    with pytest.raises(InputError, match="profile 'smoke', not 'laptop'"):
        claims_of(tmp_path, "laptop")
    claims = json.loads((tmp_path / "claims.json").read_text())
    (tmp_path / "claims.json").write_text(json.dumps([claims[0] | {"verdict": "refuted"}]))
    with pytest.raises(InputError, match=r"refuted.*; `sparsenn run .* --force` makes it again"):
        claims_of(tmp_path, "smoke")
    assert claims_of(tmp_path / "nothing", "laptop") == []
    twice = [*written(tmp_path / "01_a", [SAID], "laptop"), *written(tmp_path / "02_b", [SAID], "laptop")]
    with pytest.raises(InputError, match=r"a\.rate.*01_a.*02_b"):
        entries(twice)


def test_text_that_would_open_a_block_or_close_an_attribute_does_not(tmp_path: Path) -> None:
    claim = Claim("a.odd", "1. of [0, 1) is a number", "- a study", "# one", None, said=(0, 0))
    text = ledger(entries(written(tmp_path / "01_a", [claim], "laptop")), "laptop", {"01_a": 'The "first" $x$'})
    assert "</span>1. of [0, 1) is a number" in text
    assert "</span> # one" in text
    assert "holds at 0" in text
    assert 'data-chapter="The &quot;first&quot; x"' in text
