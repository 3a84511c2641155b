"""Each claim on made-up tables: what it says of them, and a null that it must not pass."""

import pandas as pd
import pytest

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.l1_path.claims import UNFINISHED, claims_of_training, fate, least

SEEDS = range(1, 11)
PASSED = ("reproduced", "corrected", "stated here")


def minima_table(**changed):
    """A minimiser of every case, as good as they are, and a worse start of each."""
    values = {
        ("relu", "l1"): 9.169027e-5, ("sigmoid", "l1"): 1.00818e-4, ("tanh", "l1"): 1.06501e-4,
        ("relu", "l2"): 1.29e-4, ("sigmoid", "l2"): 1.43e-4, ("tanh", "l2"): 2.02e-4,
    }  # fmt: skip
    rows = [
        {
            "student": student, "activation": activation, "penalty": penalty, "objective": value * factor,
            "residual": 1e-11 * factor**40, "origin": "random", "nonzero": 7 if factor == 1 else 13,
            "outcome": "recovered" if factor == 1 else "fitted",
        }
        for student in ("baseline", "multi_channel")
        for (activation, penalty), value in values.items()
        for factor in (1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changed)


def runs_table(**changed):
    """L1 runs of both students, every activation and both scales, all stopped by themselves and recovered."""
    rows = [
        {
            "student": student, "activation": activation, "penalty": "l1", "init_scale": scale, "seed": seed,
            "status": "stopped early", "outcome": "recovered", "r2": 1.0, "exact_zeros": 0,
            "kept_1_1e-4": 3, "kept_2_1e-4": 2, "kept_3_1e-4": 2,
        }
        for student in ("baseline", "multi_channel")
        for activation in ("relu", "sigmoid", "tanh")
        for scale in (0.2, 1.0)
        for seed in SEEDS
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changed)


def wakes_table(woke_l1=10, woke_l2=0, ratio=1.01, dead=20):
    """`dead` starts under three penalties, of which some woke, at `ratio` of the predicted epoch."""
    rows = []
    for penalty, woken in (("none", 0), ("l1", woke_l1), ("l2", woke_l2)):
        for seed in range(dead):
            predicted = 50.0 + seed
            epoch = ratio * predicted if seed < woken else float("nan")
            rows.append({"penalty": penalty, "seed": seed, "predicted_epoch": predicted, "woke_epoch": epoch})
    return pd.DataFrame(rows)


def faults_table(copy=8.7, nothing=7.0, factor=3.0):
    names = ("distance of the copy", "distance of zero", "l2 gradient factor")
    return pd.DataFrame({"name": names, "value": (copy, nothing, factor)})


def stated(minima=None, runs=None, wakes=None, faults=None) -> dict[str, Claim]:
    tables = {
        "minima": minima_table() if minima is None else minima,
        "runs": runs_table() if runs is None else runs,
        "wakes": wakes_table() if wakes is None else wakes,
        "faults": faults_table() if faults is None else faults,
    }
    return {claim.key: claim for claim in claims_of_training(tables)}


def verdict(key: str, **tables: pd.DataFrame) -> str:
    return stated(**tables)[key].verdict("laptop")


def of(table, **wanted):
    """Mask of the rows with these values."""
    found = pd.Series(True, index=table.index)
    for name, value in wanted.items():
        found &= table[name] == value
    return found


def test_at_smoke_and_custom_nothing_is_tested():
    for profile in ("smoke", "custom"):
        assert {claim.verdict(profile) for claim in stated().values()} == {"not tested at this profile"}


def test_one_or_two_headlines():
    assert sorted(key for key, claim in stated().items() if claim.headline) == ["l1.dead-wakes", "l1.minimiser-support"]


def test_good_tables_pass():
    assert {key for key, claim in stated().items() if claim.verdict("laptop") not in PASSED} == {
        "l1.sigmoid-collapse", "l1.sigmoid-collapse-small",  # none collapses in them
    }  # fmt: skip


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_minimum_half_a_percent_higher_is_not_the_quoted_one(activation):
    minima = minima_table()
    minima.loc[of(minima, activation=activation), "objective"] *= 1.005
    assert verdict(f"l1.{activation}-optimum", minima=minima) == "refuted"


def test_a_recorded_run_below_the_least_found_is_seen():
    minima = minima_table()
    minima.loc[of(minima, activation="sigmoid"), "objective"] = 1.0165e-4  # a local minimum
    assert verdict("l1.least-found", minima=minima) == "refuted"


def test_every_minimiser_shown_is_checked():
    assert stated()["l1.certified"].measured.count == 12
    for student in ("baseline", "multi_channel"):
        for penalty in ("l1", "l2"):
            minima = minima_table()
            one = of(minima, student=student, penalty=penalty, activation="tanh")
            minima.loc[one & (minima["nonzero"] == 7), "residual"] = 2e-7
            assert verdict("l1.certified", minima=minima) == "refuted"


@pytest.mark.parametrize(("column", "value"), [("nonzero", 8), ("nonzero", 6), ("outcome", "fitted")])
def test_one_minimiser_that_is_not_the_teacher_refutes(column, value):
    minima = minima_table()
    minima.loc[of(minima, student="multi_channel", activation="tanh", penalty="l1"), column] = value
    assert verdict("l1.minimiser-support", minima=minima) == "refuted"
    assert stated()["l1.minimiser-support"].measured.count == 3


def test_zeros_are_counted_by_seed():
    claim = stated()["l1.exact-zeros"]
    assert claim.measured.count == len(SEEDS)
    assert claim.verdict("laptop") == "corrected"
    assert verdict("l1.exact-zeros", runs=runs_table(exact_zeros=30)) == "reproduced"
    few = runs_table()
    assert verdict("l1.exact-zeros", runs=few[few["seed"] < 5]) == "not tested at this profile"


@pytest.mark.parametrize("student", ["baseline", "multi_channel"])
def test_collapse_counts_every_run_of_one_experiment(student):
    key = "l1.sigmoid-collapse" + ("-small" if student == "baseline" else "")
    runs = runs_table()
    mine = of(runs, student=student, activation="sigmoid", init_scale=0.2)
    for lost, expected in ((10, "reproduced"), (5, "undecided"), (0, "refuted")):
        runs.loc[mine, "outcome"] = ["collapsed"] * lost + ["fitted"] * (10 - lost)
        claim = stated(runs=runs)[key]
        assert (claim.measured.count, claim.measured.value) == (10, lost / 10)
        assert claim.verdict("laptop") == expected


def test_a_run_that_used_up_its_epochs_is_counted_and_decides_nothing():
    runs = runs_table(status=UNFINISHED, outcome="collapsed")
    claim = stated(runs=runs)["l1.sigmoid-collapse"]
    assert claim.measured.value == 1
    assert claim.verdict("laptop") == "undecided"
    # five that stopped collapsed and five still fitting: between what is and what may come
    half = runs_table(outcome="fitted")
    mine = half.index[of(half, student="multi_channel", activation="sigmoid", init_scale=0.2)]
    half.loc[mine[:5], "outcome"] = "collapsed"
    half.loc[mine[5:], "status"] = UNFINISHED
    found = stated(runs=half)["l1.sigmoid-collapse"].measured
    assert found.low < 0.3
    assert found.high == 1
    assert "5 of 10 runs unfinished: counted both ways" in found.method


def test_no_runs_no_fate():
    assert fate(runs_table().iloc[:0], lambda runs: runs["r2"] > 0) is None


def test_the_support_of_fitted_runs_is_that_of_each_layer():
    assert verdict("l1.relu-support") == "reproduced"
    moved = runs_table(**{"kept_1_1e-4": 2, "kept_2_1e-4": 3})  # 7 in all, in the wrong layers
    assert verdict("l1.relu-support", runs=moved) == "refuted"
    assert verdict("l1.relu-support", runs=runs_table(r2=0.5)) == "not tested at this profile"


@pytest.mark.parametrize(
    ("key", "null"),
    [
        ("l1.dead-stays", wakes_table(woke_l2=1)),
        ("l1.dead-wakes", wakes_table(woke_l1=0)),
        ("l1.dead-wakes", wakes_table(woke_l1=2)),
        ("l1.wake-time", wakes_table(ratio=1.3)),
        ("l1.wake-time", wakes_table(ratio=0.5)),
    ],
)
def test_nulls_of_waking(key, null):
    assert verdict(key) == "stated here"
    assert verdict(key, wakes=null) not in PASSED


def test_dead_starts_are_counted_once():
    found = stated(wakes=wakes_table(dead=15, woke_l1=9))
    assert found["l1.dead-stays"].measured.count == 15
    assert found["l1.dead-wakes"].measured.count == 15
    assert found["l1.wake-time"].measured.count == 9
    few = stated(wakes=wakes_table(dead=5, woke_l1=3))
    assert few["l1.dead-wakes"].verdict("laptop") == "not tested at this profile"


def test_nulls_of_the_studys_code():
    assert verdict("l1.reference-distance", faults=faults_table(copy=7.0)) == "refuted"
    assert verdict("l1.doubled-l2", faults=faults_table(factor=2.0)) == "reproduced"
    assert verdict("l1.doubled-l2", faults=faults_table(factor=2.5)) == "refuted"


def test_the_least_of_every_case():
    best = least(minima_table())
    assert len(best) == 12
    assert (best["nonzero"] == 7).all()
