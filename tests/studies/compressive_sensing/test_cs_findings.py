"""Sentences say what their tables hold, in numbers as people say them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pytest
from made_up import GOOD, WORSE, descents, ends, estimates, objectives, sizes, tables, variations

from sparsenn_book.records import Estimate
from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing import recorded
from sparsenn_core.errors import InputError


@dataclass
class Full:
    """What a chapter knows of the full profile."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    age: str = ""


class Damaged(dict[str, pd.DataFrame]):
    """Tables that are there and cannot be read."""

    def __getitem__(self, name: str) -> pd.DataFrame:
        raise InputError(f"{name}: damaged")


@pytest.mark.parametrize(
    ("ends_of", "said"),
    [
        ((-0.1, -0.2, -0.05), "9.5 % lower (4.9 to 18.1 %)"),
        ((0.1, 0.05, 0.2), "10.5 % higher (5.1 to 22.1 %)"),
        ((0.01, -0.05, 0.07), "1.0 % higher (between 4.9 % lower and 7.3 % higher)"),
    ],
)
def test_changes_are_said_with_a_side(ends_of: tuple[float, float, float], said: str) -> None:
    assert cs.findings.change(Estimate(ends_of[0], ends_of[1], ends_of[2], 10)) == said


def test_findings_are_told_from_full_tables_where_they_are_legible() -> None:
    here, full = tables(), tables()
    told = cs.lessons.quotable(Full(full), here, "laptop")
    assert told == (full, "at full scale")
    aged = cs.lessons.quotable(Full(full, "made by older code, 2026-01-01"), here, "smoke")
    assert aged is not None
    assert aged[1] == "at full scale (made by older code, 2026-01-01)"


def test_findings_are_told_from_this_page_where_full_tables_are_missing_older_or_damaged() -> None:
    here = tables()
    older = {name: frame.rename(columns={"family": "setting"}) for name, frame in tables().items()}
    for full in ({}, older, Damaged(tables())):
        told = cs.lessons.quotable(Full(full), here, "laptop")
        assert told is not None
        assert told[0] is here
        assert told[1] == "on this page's draws (profile laptop)"


@pytest.mark.parametrize("profile", ["smoke", "custom"])
def test_a_run_that_is_no_evidence_tells_nothing(profile: str) -> None:
    told = cs.lessons.quotable(Full(), tables(), profile)
    assert told is None
    for text in (cs.lessons.lessons(told), cs.lessons.answer(told)):
        assert "no finding" in text
        assert not re.search(r"\d", text)


def test_lessons_have_numbers_and_end_with_practice() -> None:
    text = cs.lessons.lessons((tables(), "at full scale"))
    entries = text.split("\n- ")
    assert len(entries) == 7
    assert "at full scale" in entries[0]
    assert "Take to your own training" in entries[-1]
    assert "better than each of the four others" in entries[1]
    assert "% lower" in entries[1]
    assert "one sampled gradient does as well as the exact one" in entries[5]
    assert all(re.search(r"\d", entry) for entry in entries[1:])


def test_lessons_follow_the_tables() -> None:
    worse = cs.lessons.lessons((tables(estimates=estimates(WORSE)), "here"))
    assert "% higher" in worse.split("\n- ")[1]
    assert "better than none of the others beyond its 95 % interval" in worse
    slow = cs.lessons.lessons((tables(descents=descents({"EGP, descent": 500, "BitFlip-1": 1000})), "here"))
    assert "2 times fewer" in slow
    rough = cs.lessons.lessons((tables(descents=descents({"EGP": 40, "EGP, descent": 90, "BitFlip-1": 1000})), "here"))
    assert "there the exact gradient does better" in rough


def test_the_answer_says_what_stays_open() -> None:
    text = cs.lessons.answer((tables(), "at full scale"))
    assert "Open:" in text
    assert "at full scale" in text


def test_errors_count_cells_with_the_lowest_median() -> None:
    text = cs.findings.errors(estimates({"EGP": 0.5}))
    assert "Of 6 cells" in text
    assert "EGP in 6, lasso in 0" in text


def test_wins_and_losses_name_where_egp_loses() -> None:
    better = cs.by_cell(estimates({"EGP": 0.5}), "EGP", cs.BASELINES)
    text = cs.findings.wins(better)
    assert "Of 24 comparisons, each of 10 draws" in text
    assert "lower beyond the interval in 24 and higher in 0;" in text
    worse = cs.findings.wins(cs.by_cell(estimates({"IHT": 0.5}), "EGP", cs.BASELINES))
    assert "against IHT at n = 100, p = 10, s = 5, ν = 0.5, by" in worse
    assert "% higher" in worse


def test_tables_of_words_have_a_column_for_each_region_and_number_of_validation_samples() -> None:
    found = cs.findings.against(estimates(GOOD))
    assert found.shape == (5, 4)
    assert found.loc["lasso", "ratios above 1, 500 validation samples"].endswith("%)")
    low_only = estimates(GOOD)
    assert cs.findings.against(low_only[low_only["snr"] < 1]).shape == (5, 2)
    assert cs.findings.ridged(estimates(GOOD)).shape == (4, 2)


def test_supports_are_told_at_the_ratio_of_20_whatever_the_highest() -> None:
    loud = estimates({}, wrong={"EGP": 1.0}, snrs=(6.0, 20.0, 60000.0))
    text = cs.findings.supports(loud)
    assert "$\\nu$ = 20" in text
    assert "EGP 0% (0% to 16%)" in text
    assert "of 20 draws" in text
    assert "$\\nu$ = 6 " in cs.findings.supports(loud[loud["snr"] < 10])


def test_search_counts_draws_and_says_what_happened_on_the_others() -> None:
    values = {"EGP": 1.0, "forward stepwise": 0.9, "IHT": 1.5}
    text = cs.findings.search(objectives(values, missed=3), estimates({"EGP": 0.5}))
    assert "forward stepwise has the lowest objective and EGP the lowest test error" in text
    assert "of 40 draws" in text
    assert "supports with no higher objective" in text


def test_parts_say_what_leaving_something_out_does() -> None:
    text = cs.findings.parts(cs.by_variant(estimates({"EGP": 0.9, "EGP, ridge": 0.45})))
    assert "At ratios above 1" in text
    assert re.search(r"with a ridge refit (49|50|51)\.\d % lower", text)


def test_gradients_say_who_never_comes_there() -> None:
    rows = descents({"EGP, descent": 90, "EGP": 40, "BitFlip-1": 1000}, {"EGP": 1.5})
    text = cs.findings.gradients(rows, ends([0.0] * 12))
    assert "10 times fewer steps (10 to 15)" in text
    assert "By Adam EGP gets there on 0 of 12 draws" in text
    assert "On 12 draws of n = 60, p = 200, s = 3" in text
    assert "EGP, descent on 12 draws" in text
    assert "EGP on 0 draws" in text


def test_sizes_name_the_slowest_of_the_others() -> None:
    rows = sizes(1.0, 2.0)
    slow = rows.assign(seconds=rows["seconds"].where(rows["method"] != "IHT", rows["seconds"] * 1.5))
    text = cs.findings.sizes(slow)
    assert "With 3,000 coefficients EGP takes" in text
    assert "1.3 times as long as IHT" in text
    assert "EGP 1.00" in text
    assert "With 3,000 coefficients EGP's test error is" in text
    assert "144 columns" in text


def test_variations_are_told_against_the_nearest_rival() -> None:
    text = cs.findings.variations(variations({"first, rho = 0": {"EGP": 0.5, "IHT": 0.6}}))
    assert "than that of IHT (ones in front, ρ = 0)" in text
    assert "6 draws of each" in text


def test_recorded_losses_on_one_scale() -> None:
    found = cs.findings.recorded_gradients()
    assert found.loc["EGP", "final loss as printed"] == 2.167
    assert found.loc["EGP", "on one scale"] == pytest.approx(4.167)
    assert found.loc["UGC", "on one scale"] == 5.163
    assert found.loc["REINFORCE", "epochs to convergence"] == "never"


def test_the_open_gates_of_recorded_losses_agree_with_the_recorded_support_errors() -> None:
    # a support of k entries differs from the true s in k + s - 2 (those in both), so k + s + the error is even
    for problem in (recorded.SMALL, recorded.LARGE):
        row = next(row for row in problem.rows if row.method == "EGP")
        gates = int(row.loss)
        assert (gates + problem.s + row.support_error) % 2 == 0
        assert gates <= problem.s + row.support_error
    assert recorded.loss_on_one_scale(recorded.LARGE, "EGP") == pytest.approx(0.931 + 15 * 22)


def test_recorded_speedups() -> None:
    assert recorded.recorded_speedup(recorded.SMALL, "EGP") == 50
    assert recorded.recorded_speedup(recorded.SMALL, "EGP, descent") == 6
    assert recorded.recorded_speedup(recorded.LARGE, "EGP") == 35
    with pytest.raises(ValueError, match="no epochs"):
        recorded.recorded_speedup(recorded.SMALL, "REINFORCE")
