"""Every branch of the verdict, and claims on disk."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest

from sparsenn_book.records import Claim, Estimate, Verdict, exact, quoted, read_claims, wilson, write_claims
from sparsenn_core.errors import InputError


def claim(**fields: Any) -> Claim:
    base = {"key": "toy.rate", "statement": "It is so.", "source": "Someone 2020, section 1"}
    return Claim(**(base | {"said": (0.9, 1.0)} | fields))


def measured(low: float, high: float, count: int = 10) -> Estimate:
    inner = [end for end in (low, high) if math.isfinite(end)]
    return Estimate(sum(inner) / max(len(inner), 1), low, high, count)


SAID, OURS = (0.9, 1.0), (0.2, 0.4)
TESTED = [
    # said, ours, measured, verdict
    (SAID, None, (0.92, 0.99), "reproduced"),
    (SAID, None, (0.9, 1.0), "reproduced"),  # ends belong to the interval
    (SAID, OURS, (0.92, 0.99), "reproduced"),
    (SAID, OURS, (0.25, 0.35), "corrected"),
    (SAID, None, (0.25, 0.35), "refuted"),
    (SAID, OURS, (0.5, 0.6), "refuted"),  # nobody is right
    (SAID, OURS, (0.35, 0.45), "refuted"),  # what was said is false, ours is not shown
    (SAID, None, (0.85, 0.95), "undecided"),
    (SAID, None, (0.5, 0.9), "undecided"),  # touches the edge
    (SAID, None, (0.5, 1.5), "undecided"),  # wider than what was said
    (SAID, (0.8, 0.95), (0.85, 0.93), "undecided"),  # inside ours, but what was said may hold as well
    (SAID, None, (-math.inf, math.inf), "undecided"),
    (None, OURS, (0.25, 0.35), "stated here"),
    (None, OURS, (0.35, 0.45), "undecided"),
    (None, OURS, (0.5, 0.6), "refuted"),
    ((0.5, math.inf), None, (0.6, math.inf), "reproduced"),
    ((0.0, 0.0), None, (0.0, 0.0), "reproduced"),
    ((0.0, 0.0), None, (0.0, 0.1), "undecided"),
]


@pytest.mark.parametrize(("said", "ours", "interval", "verdict"), TESTED)
def test_verdict_follows_from_intervals(said, ours, interval, verdict: str) -> None:
    stated = claim(said=said, ours=ours, measured=measured(*interval))
    assert stated.verdict("laptop") == verdict
    assert stated.verdict("full") == verdict


def test_every_verdict_is_tried() -> None:
    assert {row[3] for row in TESTED} | {"not tested at this profile"} == set(get_args(Verdict))


@pytest.mark.parametrize(("said", "ours", "interval", "verdict"), TESTED)
def test_smoke_no_measurement_and_too_few_runs_are_no_evidence(said, ours, interval, verdict: str) -> None:
    untested = "not tested at this profile"
    assert claim(said=said, ours=ours, measured=measured(*interval)).verdict("smoke") == untested
    assert claim(said=said, ours=ours, measured=measured(*interval)).verdict("custom") == untested
    assert claim(said=said, ours=ours, measured=None).verdict("laptop") == untested
    few = claim(said=said, ours=ours, measured=measured(*interval, count=9), enough=10)
    assert few.verdict("laptop") == untested
    assert claim(said=said, ours=ours, measured=measured(*interval), enough=10).verdict("laptop") == verdict


def test_a_narrower_measurement_never_changes_one_decided_verdict_into_another() -> None:
    grid = [index / 8 for index in range(9)]
    for said, ours in itertools.product([(0.5, 0.75), None], [(0.125, 0.25), (0.25, 0.5)]):
        for a, b, c, d in itertools.combinations_with_replacement(grid, 4):
            wide = claim(said=said, ours=ours, measured=measured(a, d)).verdict("laptop")
            narrow = claim(said=said, ours=ours, measured=measured(b, c)).verdict("laptop")
            # "refuted" speaks of what was said; a sharper number may then also show what we say instead.
            assert narrow == wide or wide == "undecided" or (wide, narrow) == ("refuted", "corrected")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"said": None}, "nothing can be tested"),
        ({"said": (1.0, 0.0)}, "is empty"),
        ({"said": (math.nan, 1.0)}, "is empty"),
        ({"ours": 0.5}, "not a pair"),
        ({"ours": (1, 2, 3)}, "not a pair"),
        ({"key": "no-chapter"}, "chapter.name"),
        ({"key": "Toy.Rate"}, "chapter.name"),
        ({"statement": "two\nlines"}, "statement"),
        ({"source": " "}, "source"),
        ({"enough": 0}, "enough 0"),
        ({"enough": True}, "enough True"),
    ],
)
def test_a_claim_that_cannot_be_tested_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        claim(**fields)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("9.169e-5", 9.1685e-5, 9.1695e-5),
        ("8.7024", 8.70235, 8.70245),
        ("8", 7.5, 8.5),
        ("0.50", 0.495, 0.505),
        ("-1.5", -1.55, -1.45),
        ("0", -0.5, 0.5),
        ("2e3", 1500, 2500),
    ],
)
def test_a_quoted_number_is_known_to_half_a_unit_of_its_last_digit(text: str, low: float, high: float) -> None:
    assert quoted(text) == (low, high)


@pytest.mark.parametrize("text", ["", "about 3", "nan", "inf", "1,5"])
def test_what_is_no_quoted_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="quoted"):
        quoted(text)


def test_claims_survive_the_disk(tmp_path: Path) -> None:
    stated = [
        claim(measured=wilson(19, 20), recorded="19 of 20", enough=5),
        claim(key="toy.open", said=(0.5, math.inf), measured=Estimate(1, -math.inf, math.inf, 1)),
        claim(key="toy.none", said=None, ours=(0, 1), measured=None),
    ]
    path = write_claims(stated, tmp_path, "laptop")
    rows = read_claims(tmp_path)
    assert rows == json.loads(path.read_text(encoding="utf-8"))
    assert [row["key"] for row in rows] == ["toy.rate", "toy.open", "toy.none"]
    assert [row["verdict"] for row in rows] == ["undecided", "undecided", "not tested at this profile"]
    assert rows[0]["measured"]["count"] == 20
    assert rows[1]["said"] == [0.5, None]
    assert rows[1]["measured"] | {"method": ""} == {
        "value": 1.0, "low": None, "high": None, "count": 1, "unit": "", "method": "",
    }  # fmt: skip
    assert "Infinity" not in path.read_text()


def test_no_claims_is_an_empty_list(tmp_path: Path) -> None:
    write_claims([], tmp_path / "new" / "folder", "laptop")
    assert read_claims(tmp_path / "new" / "folder") == []


def test_a_claim_stated_twice_is_refused_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_claims([claim(measured=exact(1.0))], tmp_path, "laptop")
    before = path.read_bytes()
    with pytest.raises(InputError, match="stated twice"):
        write_claims([claim(), claim()], tmp_path, "laptop")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_typed_verdict_is_found_out(tmp_path: Path) -> None:
    path = write_claims([claim(measured=exact(0.3))], tmp_path, "laptop")
    path.write_text(path.read_text().replace('"refuted"', '"reproduced"'))
    with pytest.raises(InputError, match="not what follows, 'refuted'"):
        read_claims(tmp_path)


@pytest.mark.parametrize("text", ["{", "[1]", '[{"key": "a.b"}]', "[NaN]", '"text"'])
def test_broken_files_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "claims.json").write_text(text)
    with pytest.raises(InputError, match=r"claims\.json") as caught:
        read_claims(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"claims\.json: no such file"):
        read_claims(tmp_path)
