"""The ledger is a pure function of the claims."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sparsenn_book.records import Claim, exact, mean_interval, wilson, write_claims
from sparsenn_book.runner.ledger import VERDICTS, badge, claims_of, interval, ledger, measured, number
from sparsenn_core.errors import InputError

SAID = Claim("a.rate", "a", "Most runs fit.", "the study, Table 1", "9 of 10", wilson(60, 64), said=(0.8, 1.0))
OURS = Claim("a.new", "a", "The rate $p$ is small.", "this book", None, wilson(0, 64), ours=(0.0, 0.2))
WIDE = Claim("a.wide", "a", "Half of the runs fit.", "the study", "50 %", wilson(5, 10), said=(0.45, 0.55))
NONE = Claim("a.none", "a", "It holds at scale.", "the study", None, None, said=(0.0, 1.0))


def written(folder: Path, claims: list[Claim], profile: str) -> list[dict[str, Any]]:
    write_claims(claims, folder, profile)
    return claims_of(folder, profile)


def test_each_claim_has_a_row_and_each_verdict_a_count(tmp_path: Path) -> None:
    claims = written(tmp_path / "01_a", [SAID, OURS, WIDE, NONE], "laptop")
    text = ledger(claims, "laptop", {"01_a": "First", "02_b": "Second"})
    assert len(re.findall(r"^\* - \[.*\.statement", text, flags=re.MULTILINE)) == 4
    assert "4 claims" in text
    for verdict in ("reproduced", "new", "undecided", "not tested at this profile"):
        assert badge(verdict, f"1 {verdict}") in text
    assert badge("refuted", "1 refuted") not in text
    assert "### [First](notebooks/01_a.ipynb)" in text
    assert "### [Second]" not in text


def test_profiles_never_share_a_column(tmp_path: Path) -> None:
    laptop = written(tmp_path / "laptop" / "01_a", [SAID, NONE], "laptop")
    full = written(tmp_path / "full" / "01_a", [NONE, OURS], "full")
    text = ledger(laptop, "laptop", {"01_a": "First"}, full)
    head, *rows = re.split(r"^\* - ", text.split(":header-rows: 1")[1].split(":::")[0], flags=re.MULTILINE)[1:]
    assert head.split("\n  - ")[2:] == ["Measured here (laptop)", "Full scale\n"]
    cells = {row.split("]")[0]: row.rstrip().split("\n  - ")[2:] for row in rows}
    assert "reproduced" in cells["[Most runs fit."][0]
    assert cells["[Most runs fit."][1] == "[Full scale]{.where} –"
    assert cells["[The rate $p$ is small."][0] == "[Measured here (laptop)]{.where} –"
    assert "new" in cells["[The rate $p$ is small."][1]
    assert text.count("claims [") == 2


def test_the_full_profile_shows_its_own_claims_once(tmp_path: Path) -> None:
    full = written(tmp_path / "01_a", [SAID], "full")
    assert ledger(full, "full", {"01_a": "First"}, full).count("Full scale") == 3  # count, head, cell


def test_smoke_is_never_evidence(tmp_path: Path) -> None:
    text = ledger(written(tmp_path / "01_a", [SAID, OURS], "smoke"), "smoke", {"01_a": "First"})
    assert "never evidence" in text
    assert badge("not tested at this profile", "2 not tested at this profile") in text


def test_claims_of_another_profile_or_with_a_typed_verdict_are_refused(tmp_path: Path) -> None:
    write_claims([SAID], tmp_path, "smoke")
    with pytest.raises(InputError, match="profile 'smoke', not 'laptop'"):
        claims_of(tmp_path, "laptop")
    rows = json.loads((tmp_path / "claims.json").read_text())
    (tmp_path / "claims.json").write_text(json.dumps([rows[0] | {"verdict": "refuted"}]))
    with pytest.raises(InputError, match="refuted"):
        claims_of(tmp_path, "smoke")
    assert claims_of(tmp_path / "nothing", "laptop") == []


def test_measured_values_show_interval_count_unit_and_method() -> None:
    rate = {"value": 0.9375, "low": 0.85, "high": 0.9754, "count": 64, "unit": "", "method": "Wilson"}
    assert measured(rate).replace("\u00a0", " ") == r"0.9375 [\[0.85, 0.9754\]]{.interval}, n = 64 [Wilson]{.source}"
    assert measured(vars(exact(9.169e-5, unit="nats"))) == "9.169·10⁻⁵ nats [exact]{.source}"
    open_ends = vars(mean_interval([2.0])) | {"low": None, "high": None}
    assert measured(open_ends).replace("\u00a0", " ").startswith("2 [(−∞, ∞)]{.interval} [")
    assert measured(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (-3.0, "−3"),
        (0.04688, "0.04688"),
        (123456.7, "1.235·10⁵"),
        (-1.5e-7, "−1.5·10⁻⁷"),
        (2e6, "2·10⁶"),
        (0.0, "0"),
    ],
)
def test_numbers_are_printed_as_in_a_text(value: float, text: str) -> None:
    assert number(value) == text


def test_open_ends_are_round_and_closed_ends_escaped() -> None:
    assert interval(None, 3) == r"[(−∞, 3\]]{.interval}"
    assert interval(0.5, None) == r"[\[0.5, ∞)]{.interval}"


def test_every_verdict_has_a_symbol_of_its_own() -> None:
    symbols = [symbol for symbol, _ in VERDICTS.values()]
    assert len(set(symbols)) == len(symbols) == 6


def test_text_that_would_open_a_block_stays_a_line(tmp_path: Path) -> None:
    claim = Claim("a.odd", "a", "1. of [0, 1) is a number", "- a study", "# one", None, said=(0, 1))
    text = ledger(written(tmp_path / "01_a", [claim], "laptop"), "laptop", {"01_a": "First"})
    assert r"[1\. of \[0, 1) is a number]{#claim-a-odd .statement}" in text
    assert r"[\- a study]{.source}" in text
    assert r"{.where} \# one" in text
