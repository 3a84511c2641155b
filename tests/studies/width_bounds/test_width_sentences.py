"""Sentences of the width chapter: they follow their tables, and a short run finds nothing."""

from __future__ import annotations

import pandas as pd
import pytest
import width_tables as made

from sparsenn_book.studies.width_bounds import learned, sentences, sentences_of_lasso
from sparsenn_book.studies.width_bounds.learned import COLUMNS, complete

WHOLE, SHORT = 1_000_000, 60
TOO_FEW = "shows only that everything runs"


def test_optimum_says_value_and_what_the_generator_costs() -> None:
    neurons = pd.DataFrame({"v1": [3.0, 0, 0, 0, 1], "v2": [0.0, 2, 1, 1, 0]})
    text = sentences.of_optimum(made.optimum(), neurons)
    assert "4.92214000·10⁻⁵" in text
    assert "carry 94% of" in text
    assert "1.014 times the optimum" in text


def test_training_says_how_well_the_log_is_followed() -> None:
    text = sentences.of_training(made.trace(WHOLE, factor=1.003), made.distance())
    assert "at most 3.0·10⁻³ of it (PathProx)" in text
    assert "up to 990,000" in text
    assert "2.074 times the optimum by PathProx, 1.003 times by SGD with weight decay" in text


@pytest.mark.parametrize(
    "text",
    [
        sentences.of_training(made.trace(SHORT), made.distance()),
        sentences.of_places(made.neurons(), SHORT),
        sentences.of_balance(made.trace(SHORT)),
        sentences.of_needed(made.distance(), SHORT),
        sentences.of_distance(made.distance(), made.optimum(), SHORT),
    ],
)
def test_a_short_run_finds_nothing_about_the_end(text: str) -> None:
    assert TOO_FEW in text
    assert "collapsed" not in text
    assert "no mark" not in text


def test_places_count_what_is_drawn_for_both() -> None:
    text = sentences.of_places(made.neurons({"no decay": 0.9, "PathProx": 1.0}), WHOLE)
    assert "PathProx 10 of 10" in text
    assert "no decay 9 of 10" in text
    assert "without decay 90% or more" in text


def test_distance_counts_arrivals_collapses_and_runs_that_move() -> None:
    rows = made.distance(collapsed=["PathProx 52"])
    rows.loc[rows["method"] == "PathProx", "fell"] = [0.0, 0.02, 0.0, 0.5, 0.0]
    text = sentences.of_distance(rows, made.optimum(), WHOLE)
    assert "2.07 times the optimum" in text
    assert "PathProx takes 0 of 5 students to within 1 % of the optimum" in text
    assert "1 of its students collapsed. Those that fit end at" in text
    assert "times it, 1 of them still moving." in text
    assert "SGD weight decay takes 5 of 5 students" in text


def test_states_stand_in_the_table_of_long_runs_alone() -> None:
    rows = made.distance(collapsed=["PathProx 52"])
    table = sentences.distance_table(rows, WHOLE)
    assert table.loc[("PathProx", 52), "state"] == "collapsed"
    assert table.loc[("PathProx", 49), "state"] == ""
    assert "state" not in sentences.distance_table(rows, SHORT)
    assert sentences.needed_table(rows).loc[("PathProx", 49), "used by cheapest V"] == 60


def test_balance_says_when_it_has_levelled_off() -> None:
    on = sentences.of_balance(made.trace(230_000))
    assert "1.2% of the imbalance" in on
    assert "outweighs" not in on
    trace = made.trace(WHOLE)
    levelled = (trace["name"] == "imbalance") & (trace["method"] == "SGD weight decay") & (trace["step"] == WHOLE)
    trace.loc[levelled, "value"] = 1e-4
    assert "outweighs" in sentences.of_balance(trace)


def test_needed_says_the_range_over_students_that_fit() -> None:
    rows = made.distance()
    rows.loc[rows["method"] == "no decay", "needed"] = [64, 65, 66, 67, 68]
    assert (
        "has 100 neurons; the cheapest outgoing weights with its outputs on the data use 64 to 68 of them"
        in sentences.of_needed(rows, WHOLE)
    )


def test_solutions_above_the_promise_are_said_with_their_condition() -> None:
    assert "promises" not in sentences_of_lasso.of_solutions(made.small())
    loose = made.small().assign(gap=2e-12, condition=5e4)
    assert "50,000 or more" in sentences_of_lasso.of_solutions(loose)


def test_comparison_counts_settings_by_one_rule() -> None:
    settings = (10, 20, 30, 40)
    assert "in 4 of 4." in sentences_of_lasso.of_comparison("dimension", made.solutions("dimension", settings))
    off = sentences_of_lasso.of_comparison("dimension", made.solutions("dimension", settings, 8.0))
    assert "in 0 of 4 and too large by more than that, beyond its 95 % interval" in off
    assert "8.0 neurons at N = 10" in off
    few = sentences_of_lasso.of_comparison("dimension", made.solutions("dimension", settings, count=4))
    assert "no evidence" in few


def test_readable_has_a_row_a_setting() -> None:
    table = sentences_of_lasso.readable("rank", made.solutions("rank", (2, 5)))
    assert list(table.index) == [2, 5]
    assert table.loc[5, "sharper bound"] == 15
    assert table.loc[5, "recorded"].endswith("(7–16)")  # without the failed solves


def test_failures_and_both_readings_are_said() -> None:
    text = sentences_of_lasso.of_failures(made.solutions("rank", (2, 5), versions=("coded", "titled")))
    assert "(110, 184, 200, at r<sub>x</sub> = 5" in text
    assert "for r<sub>x</sub> = 2, 5" in text


def test_thresholds_and_enumeration() -> None:
    assert "in 20 of 20 problems (+1.00 on average)" in sentences_of_lasso.of_thresholds(made.thresholds())
    assert sentences_of_lasso.cuts(made.thresholds(count=3)).shape == (3, 5)
    text = sentences_of_lasso.of_brute_force(made.small(), made.enumeration(wrong=1))
    assert "agrees in 9 of 11 searches" in text
    assert "all 3,733,000 sets" in text


def test_boundary_and_ranks() -> None:
    assert "7 of 7 problems end exactly" in sentences_of_lasso.of_boundary(made.boundary())
    assert sentences_of_lasso.boundary_table(made.boundary()).loc[(3, 3), "after"] == 6
    rows = [
        {"matrix": name, "K": 200, "rtol": t, "r_Phi": p, "r_Psi": 2, "sharp": 2 * p - 1}
        for name in ("rank 5, rounded to float32", "tanh, one input")
        for t, p in ((1e-4, 5), (1e-6, 6), (1e-8, 7), (1e-10, 8), (1e-12, 20))
    ]
    assert "from 9 at 10⁻⁴ into 39 at 10⁻¹²" in sentences_of_lasso.of_ranks(pd.DataFrame(rows))
    assert sentences_of_lasso.rank_table(pd.DataFrame(rows)).iloc[0, 0] == "5, 2 → 9"


def test_learned_is_from_full_tables_where_they_are_and_says_so_where_not() -> None:
    full = made.tables()
    text = learned(full, {}, "laptop")
    assert text.startswith("At full scale")
    assert "PathProx, the study's rule of training, takes 0 of 5 students" in text
    assert "Of 7 problems built that way, 7 end on it" in text
    assert "SGD weight decay leaves" in text
    assert "; the optimum 2, of the 22 that it has without a threshold" in text
    assert text.splitlines()[-1].startswith("- **Take to your own training**")
    own = learned({}, full, "laptop")
    assert "this page's own, profile laptop" in own
    assert own.splitlines()[2:] == text.splitlines()[2:]
    assert "the end of this page" in learned({}, {}, "laptop")


def test_older_full_tables_without_today_s_columns_are_not_read() -> None:
    old = made.tables(distance=made.distance().rename(columns={"relative": "objective / optimum"}))
    assert not complete(old)
    assert complete(made.tables())
    assert set(COLUMNS) <= set(made.tables())
    assert "this page's own" in learned(old, made.tables(), "laptop")


def test_learned_from_a_short_run_finds_nothing_about_training_or_counts() -> None:
    few = {"dimension": made.solutions("dimension", (10,), count=4), "rank": made.solutions("rank", (2,), count=4)}
    text = learned({}, made.tables(trace=made.trace(SHORT), **few), "smoke")
    assert "too few to say where it ends" in text
    assert "Take to your own" not in text
    assert "so few problems say no more" in text
    assert "no mark" not in text


def test_learned_says_how_long_training_was() -> None:
    assert "(230,000 of the study's 1,000,000 steps)" in learned({}, made.tables(trace=made.trace(230_000)), "laptop")


def test_bounds_in_use_say_which_kinds_reach_them() -> None:
    random = pd.concat([made.solutions("dimension", (10, 40)), made.small((3, 4, 5))])
    text = sentences_of_lasso.of_bounds_in_use(random)
    assert "Of 7 kinds of random problems that have more neurons than the sharper bound, 5 reach it (where" in text
    assert "it is 5 or less)" in text
    assert "where it is largest, 355, they use at most 51% of it" in text
    assert "0 reach" in sentences_of_lasso.of_bounds_in_use(made.solutions("dimension", (10, 40)))
    assert sentences_of_lasso.of_bounds_in_use(made.small().assign(neurons=5)) == ""
