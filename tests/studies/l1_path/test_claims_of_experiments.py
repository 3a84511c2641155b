"""Each claim about experiments 3 to 6, pairs and records on made-up tables, with a null that it must not pass."""

import pandas as pd
import pytest

from sparsenn_book.studies.l1_path.all_recorded import all_recorded, literal
from sparsenn_book.studies.l1_path.claims_of_experiments import about_pairs, about_records, about_solved
from sparsenn_book.studies.l1_path.experiments import NEED

ACTIVATIONS = ("relu", "sigmoid", "tanh")
PASSED = ("reproduced", "corrected", "stated here")


def solved_tables(over=1.0, kept=None, extra=5, without=()):
    """The teacher start of every case, as low as the least recorded run over `over`, with `extra` small weights."""
    recorded = literal(all_recorded()).query("same and penalty == 'l1'")
    least = recorded.groupby(["experiment", "student_activation"])["objective"].min()
    tables = {}
    for experiment, need in NEED.items():
        for activation in ACTIVATIONS:
            counts = kept or need
            row = {"experiment": experiment, "activation": activation, "origin": "teacher", "r2": 1.0}
            row["objective"] = least.get((experiment, activation), 1e-3) / over
            row |= {f"kept_{i}_0.01": n for i, n in enumerate(counts, start=1)}
            row |= {f"kept_{i}_0": n + (extra if i == 1 else 0) for i, n in enumerate(counts, start=1)}
            if (experiment, activation) not in without:
                tables[f"solved_{experiment}_{activation}"] = pd.DataFrame([row])
    return tables


def crossed_table(other_same=0.5, other_linear=0.5, starts=12):
    rows = [
        {"teacher_activation": t, "activation": s, "read_out": r, "start": start,
         "r2": 1.0 if t == s else (other_same if r == "same" else other_linear)}
        for t in ACTIVATIONS for s in ACTIVATIONS for r in ("same", "linear") for start in range(1, starts + 1)
    ]  # fmt: skip
    return {"crossed": pd.DataFrame(rows)}


def verdicts(claims):
    return {claim.key.removeprefix("l1."): claim.verdict("full") for claim in claims}


def test_least_found_holds_until_a_recorded_run_lies_below_it():
    assert verdicts(about_solved(solved_tables()))["least-found-3-to-6"] in PASSED
    assert verdicts(about_solved(solved_tables(over=0.99)))["least-found-3-to-6"] == "refuted"


def test_the_tree_is_refuted_by_one_weight_more():
    assert verdicts(about_solved(solved_tables()))["tree-in-fcn"] in PASSED
    assert verdicts(about_solved(solved_tables(kept=(13, 4, 2))))["tree-in-fcn"] == "refuted"


def test_not_the_support_is_refuted_where_nothing_else_is_kept():
    assert verdicts(about_solved(solved_tables()))["not-the-support"] in PASSED
    assert verdicts(about_solved(solved_tables(extra=0)))["not-the-support"] == "refuted"


def test_a_case_that_was_not_solved_leaves_all_untested():
    found = verdicts(about_solved(solved_tables(without=[(6, "tanh")])))
    assert set(found.values()) == {"not tested at this profile"}


def test_pairs_are_refuted_by_a_pair_that_fits_and_untested_from_few_starts():
    assert set(verdicts(about_pairs(crossed_table())).values()) == {"reproduced"}
    assert verdicts(about_pairs(crossed_table(other_same=0.995)))["same-activation"] == "refuted"
    assert verdicts(about_pairs(crossed_table(other_linear=0.995)))["same-activation-free"] == "refuted"
    assert set(verdicts(about_pairs(crossed_table(starts=4))).values()) == {"not tested at this profile"}
    assert set(verdicts(about_pairs({})).values()) == {"not tested at this profile"}


CHANGES = {
    "kept-recorded": {"kept": 0.9},
    "wrong-teacher": {"teacher_is_literal": True},
    "all-or-nothing": {"r2": 0.5, "outcome": "partial"},
    "distance-ranks-collapse-first": {"reference_distance": 0.0},
    "scale-sigmoid-l1": {"outcome": "collapsed"},
    "scale-relu-l2": {"outcome": "collapsed"},
}


@pytest.mark.parametrize("key", CHANGES)
def test_records_that_said_otherwise_would_fail_each_claim(key):
    recorded = all_recorded()
    assert verdicts(about_records(recorded))[key] in PASSED
    change = dict(CHANGES[key])
    if key == "kept-recorded":
        changed = recorded.assign(kept=recorded["kept"].where(recorded["penalty"] != "l1", change["kept"]))
    elif key == "distance-ranks-collapse-first":
        distance = recorded["reference_distance"].where(recorded["outcome"] != "fitted", 0.0)
        changed = recorded.assign(reference_distance=distance)
    else:
        changed = recorded.assign(**change)
    assert verdicts(about_records(changed))[key] == "refuted"
