"""The claims of the width chapter on made-up tables: the verdict of each, and a null that fails each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import width_tables as made

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.width_bounds import claims, recorded
from sparsenn_book.studies.width_bounds.claims_of_counts import SETTINGS
from sparsenn_book.studies.width_bounds.random_solutions import solved

EXPECTED = {
    "generator-norm": "reproduced",
    "log": "reproduced",
    "pathprox-active": "reproduced",
    "no-decay-active": "reproduced",
    "printed-norm": "corrected",
    "pathprox-shared": "reproduced",
    "sharing-without-decay": "stated here",
    "decay-keeps-more": "stated here",
    "sharing-optimum": "stated here",
    "recorded-not-optimal": "stated here",
    "rerun-not-optimal": "stated here",
    "pathprox-end": "stated here",
    "decay-end": "stated here",
    "decay-closer": "stated here",
    "balance": "stated here",
    **{f"excess-{'rank-' if figure == 'rank' else ''}{value}": "reproduced" for figure, value in SETTINGS},
    "excess-all": "undecided",  # the made-up widths are the recorded ones
    "threshold": "stated here",
    "failed-solves": "corrected",
    "rank-lines": "corrected",
    "product-bound": "reproduced",
    "sharp-bound": "stated here",
    "sharp-attained": "stated here",
    "lower-bound": "reproduced",
    "unique": "stated here",
    "certified": "stated here",
    "countable": "stated here",
    "brute-force-line": "reproduced",
    "brute-force-sharp": "stated here",
    "enumeration": "stated here",
}


def stated(profile: str = "full", **changed: pd.DataFrame) -> dict[str, str]:
    return {c.key.removeprefix("width."): c.verdict(profile) for c in claims(made.tables(**changed))}


def one(key: str, **changed: pd.DataFrame) -> Claim:
    return next(c for c in claims(made.tables(**changed)) if c.key == f"width.{key}")


def test_every_claim_has_the_verdict_of_its_tables() -> None:
    assert stated() == EXPECTED


def test_nothing_is_claimed_from_a_smoke_or_custom_run() -> None:
    for profile in ("smoke", "custom"):
        assert set(stated(profile).values()) == {"not tested at this profile"}


def test_two_claims_go_to_the_first_page() -> None:
    shown = {c.key for c in claims(made.tables()) if c.headline}
    assert shown == {"width.recorded-not-optimal", "width.sharp-bound"}


def _rank(**changed: float) -> pd.DataFrame:
    return made.solutions("rank", (2, 5, 10, 20), versions=("coded", "titled")).assign(**changed)


def _small(**changed: object) -> pd.DataFrame:
    return made.small().assign(**changed)


def _active(count: int) -> pd.DataFrame:
    rows = made.trace()
    return rows.assign(value=rows["value"].where(rows["name"] != "active", count))


HALF = dict.fromkeys(("PathProx", "SGD weight decay", "no decay"), (1.002, 1.002, 1.002, 1.3, 1.4))
SWAPPED = {"PathProx": (1.003,) * 5, "SGD weight decay": (1.3,) * 5, "no decay": (4.0,) * 5}

NULLS = {
    # another network's norm, another run's log, another number of neurons
    "generator-norm": ({"optimum": made.optimum().assign(generator_vv_norm=0.9973)}, "refuted"),
    "log": ({"trace": made.trace(factor=1.02)}, "refuted"),
    "pathprox-active": ({"trace": _active(11)}, "refuted"),
    "no-decay-active": ({"trace": _active(99)}, "refuted"),
    # what is printed is the VV norm
    "printed-norm": ({"trace": made.trace(norm=6.853042)}, "reproduced"),
    # some neurons serve one output only; without decay few serve both; as many neurons in use
    "pathprox-shared": ({"neurons": made.neurons({"PathProx": 0.9})}, "refuted"),
    "sharing-without-decay": ({"neurons": made.neurons({"no decay": 0.2})}, "refuted"),
    "decay-keeps-more": ({"distance": made.distance().assign(used=50.0)}, "refuted"),
    # a network below the certified optimum; the generating network's cost; the study's solution as the optimum
    "sharing-optimum": ({"optimum": made.optimum(4.92271e-5)}, "refuted"),
    "recorded-not-optimal": ({"optimum": made.optimum(1.0210e-4)}, "refuted"),
    "rerun-not-optimal": ({"distance": made.distance(HALF)}, "refuted"),
    # half the students reach the optimum, the rules end the other way round
    "pathprox-end": ({"distance": made.distance(HALF)}, "undecided"),
    "decay-end": ({"distance": made.distance(HALF)}, "undecided"),
    "decay-closer": ({"distance": made.distance(SWAPPED)}, "refuted"),
    # (1 - eta lambda) a step in place of its square
    "balance": ({"trace": made.trace(law=0.5)}, "refuted"),
    # counts that are a bar and a half off
    "excess-10": ({"dimension": made.solutions("dimension", (10, 20, 30, 40), 5.25)}, "corrected"),
    "excess-40": ({"dimension": made.solutions("dimension", (10, 20, 30, 40), 5.25)}, "corrected"),
    "excess-rank-20": ({"rank": made.solutions("rank", (2, 5, 10, 20), 6.6)}, "corrected"),
    "threshold": ({"thresholds": made.thresholds(off=0)}, "refuted"),
    "rank-lines": ({"rank": _rank(product=200)}, "reproduced"),
    # the counts of the study's solver where it failed; a solution of a sparser problem
    "product-bound": ({"rank": _rank(width=184, product=100, sharp=55)}, "refuted"),
    "sharp-bound": ({"small": _small(width=6)}, "refuted"),
    "sharp-attained": ({"boundary": made.boundary(after=2)}, "refuted"),
    "lower-bound": ({"small": _small(width=2)}, "refuted"),
    "unique": ({"small": _small(unique=False)}, "refuted"),
    "certified": ({"small": _small(gap=2e-12)}, "refuted"),
    # a conic solver: gap 1e-8 beside neurons of 1e-7
    "countable": ({"small": _small(gap=1e-8, least=1e-7)}, "refuted"),
    "brute-force-line": ({"small": _small(width=8)}, "refuted"),
    "brute-force-sharp": ({"small": _small(width=6)}, "refuted"),
    "enumeration": ({"enumeration": made.enumeration(wrong=1)}, "refuted"),
}  # fmt: skip


@pytest.mark.parametrize("key", NULLS)
def test_a_null_fails_the_claim(key: str) -> None:
    changed, verdict = NULLS[key]
    assert EXPECTED[key] != verdict
    assert stated(**changed)[key] == verdict


def test_counts_too_large_everywhere_are_found_and_equal_ones_are_not() -> None:
    shifted = {f: made.solutions(f, s, 1.6) for f, s in (("dimension", (10, 20, 30, 40)), ("rank", (2, 5, 10, 20)))}
    assert stated(**shifted)["excess-all"] == "stated here"
    assert one("excess-all", **shifted).measured.value == pytest.approx(1.6, abs=0.05)
    assert stated(dimension=made.solutions("dimension", (10, 20)))["excess-all"] == "not tested at this profile"


def test_failed_solves_are_counted_apart_and_enter_no_mean() -> None:
    found = one("excess-rank-5").measured
    assert abs(found.value) < 0.2  # with the three failures it would be about 4.6
    assert found.count == 97 + 200


def test_a_setting_with_few_problems_or_none_is_not_tested() -> None:
    few = made.solutions("dimension", (10,), count=20)
    found = stated(dimension=few)
    assert found["excess-10"] == found["excess-20"] == "not tested at this profile"


def test_short_training_tests_nothing_of_its_end() -> None:
    at_laptop = stated(trace=made.trace(230_000))
    assert at_laptop["pathprox-end"] == at_laptop["decay-end"] == "not tested at this profile"
    assert at_laptop["pathprox-active"] == "reproduced"
    assert at_laptop["balance"] == "stated here"
    at_less = stated(trace=made.trace(60_000))
    about_training = [*list(EXPECTED)[1:8], "rerun-not-optimal", "decay-closer", "balance"]
    assert {at_less[key] for key in about_training} == {"not tested at this profile"}


def test_collapsed_runs_make_no_pairs_but_count_as_not_having_arrived() -> None:
    distance = made.distance(collapsed=["PathProx 52", "PathProx 53"])
    closer, end = one("decay-closer", distance=distance), one("pathprox-end", distance=distance)
    assert closer.measured.count == 3
    assert closer.verdict("full") == "not tested at this profile"  # three pairs cannot decide a majority
    assert end.measured.count == 5


def test_counts_are_of_independent_runs() -> None:
    assert one("log").measured.count == 2
    assert one("pathprox-shared").measured.count == 1
    assert one("sharing-without-decay").measured.count == 5
    assert one("enumeration").measured.count == 10  # a problem searched twice counts once


def test_bounds_that_nothing_could_exceed_are_left_out() -> None:
    assert (
        one("sharp-bound").measured.count == 800 + 2000 + 600 + 400
    )  # at rank 10 both readings are the same problems; at rank 20 the bound is 210, of 200 neurons
    wide = made.solutions("rank", (2, 5, 10, 20)).assign(neurons=5)
    assert one("sharp-bound", rank=wide).measured.count == 800 + 2000 + 200  # rank 2 alone is left


def test_boundary_problems_are_the_null_of_uniqueness_and_sparse_targets_of_the_lower_bound() -> None:
    """On solved problems: targets made from two neurons need fewer than rank Phi = 3."""
    r = np.random.default_rng(0)
    features = np.concatenate([np.eye(3), 0.1 * r.standard_normal((5, 3))])
    sparse = r.standard_normal((2, 2)) @ features[:2]
    row = solved(features[None], sparse[None], rank=3, version="coded").iloc[0]
    assert row["width"] < row["lower"]
    assert not made.boundary()["unique"].any()


def test_without_failures_in_the_record_the_study_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The null of `failed-solves`, and of the bounds: no recorded count above the product."""
    solves = recorded.solves()
    monkeypatch.setattr(recorded, "solves", lambda: solves[~solves["failed"]])
    assert stated()["failed-solves"] == "reproduced"
    assert one("failed-solves").measured.count == 397


def test_every_claim_but_repeated_ones_has_a_null() -> None:
    """The eight settings of the histograms share one rule, whose null is tried at three of them."""
    shared = {f"excess-{n}" for n in (20, 30)} | {f"excess-rank-{r}" for r in (2, 5, 10)}
    elsewhere = {"excess-all", "failed-solves"}
    assert set(EXPECTED) - set(NULLS) == shared | elsewhere


def test_statements_are_sentences_with_a_source() -> None:
    for claim in claims(made.tables()):
        assert claim.statement.rstrip(")").endswith((".", "tolerance"))
        assert claim.source.startswith(
            ("Shenouda et al. 2023", "this book", "derived here; the literature was not searched")
        )
        assert claim.said is None or "this book" not in claim.source
        assert claim.said is not None or not claim.source.startswith("Shenouda")


def test_a_majority_takes_four_runs() -> None:
    for runs, verdict in ((3, "not tested at this profile"), (4, "stated here")):
        some = made.distance()
        some = some[some["seed"] < 49 + runs]
        assert stated(distance=some)["decay-closer"] == stated(distance=some)["decay-keeps-more"] == verdict


def test_the_recorded_objective_over_the_optimum_is_the_studys_own_arithmetic() -> None:
    ratio = one("recorded-not-optimal").measured
    assert ratio.value == pytest.approx((2.92865e-5 + 5e-5 * 1.456323) / made.OPTIMUM)
    assert ratio.low == ratio.high
    assert "1.456323" in one("recorded-not-optimal").recorded
