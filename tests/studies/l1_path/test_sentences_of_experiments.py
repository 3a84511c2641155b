"""What is said of experiments 3 to 6, pairs and records, on tables whose numbers are known."""

import pandas as pd
import pytest

from sparsenn_book.studies.l1_path import sentences_of_experiments as said
from sparsenn_book.studies.l1_path.all_recorded import all_recorded, literal
from sparsenn_book.studies.l1_path.experiments import NEED
from sparsenn_book.studies.l1_path.figures_of_experiments import distances, least_and_recorded, pairs
from sparsenn_book.studies.l1_path.learned import of_pairs, of_wider

ACTIVATIONS = ("relu", "sigmoid", "tanh")


def solved_rows(over=1.25, worse=2.0, extra=5):
    """A teacher start of every case, the least recorded run `over` times as high, and a worse random start."""
    recorded = literal(all_recorded()).query("same and penalty == 'l1'")
    least = recorded.groupby(["experiment", "student_activation"])["objective"].min()
    rows = []
    for experiment, need in NEED.items():
        for activation in ACTIVATIONS:
            for origin, factor in (("teacher", 1.0), ("random", worse)):
                row = {"experiment": experiment, "activation": activation, "origin": origin, "r2": 0.999}
                row |= {"objective": factor * least.get((experiment, activation), 1e-3) / over, "residual": 1e-8}
                row |= {f"kept_{i}_0.01": n for i, n in enumerate(need, start=1)}
                row |= {f"kept_{i}_0": n + (extra if i == 1 else 0) for i, n in enumerate(need, start=1)}
                rows.append(row)
    return pd.DataFrame(rows)


def crossed_rows(linear=0.999, starts=2):
    rows = [
        {"teacher_activation": t, "activation": s, "read_out": r, "start": start,
         "range_floor": 0.2 if r == "same" and t == "tanh" and s != "tanh" else 0.0,
         "r2": 1.0 if t == s else (0.3 if r == "same" else linear)}
        for t in ACTIVATIONS for s in ACTIVATIONS for r in ("same", "linear") for start in range(1, starts + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_table_has_a_row_a_case_and_the_sentence_the_span():
    rows = solved_rows()
    table = said.solved_table(rows)
    assert len(table) == 12
    assert set(table["recorded / least"]) == {"1.250"}
    assert set(table["starts within 1 %"]) == {"0 of 1"}
    assert table.loc[(4, "relu"), "kept ≥ 0.01"] == "12/4/2"
    assert table.loc[(4, "relu"), "kept"] == "17/4/2"
    text = said.of_solved(rows)
    assert "12 cases are solved here. The least recorded loss is 1.250 to 1.250 times" in text
    assert "In 0 of 12 cases the least came from a random start" in text
    assert "12 of these minimisers have as many weights" in text
    assert text.endswith("without a threshold 0 do.")


def test_the_fit_is_said_by_activation():
    rows = solved_rows()
    rows.loc[(rows["activation"] == "sigmoid") & (rows["experiment"] == 5), "r2"] = 0.97
    assert said.of_fit(rows).endswith("0.9990 with relu, 0.9700 with sigmoid, 0.9990 with tanh.")


def test_a_better_random_start_is_named():
    assert "In 12 of 12 cases the least came from a random start" in said.of_solved(solved_rows(worse=0.5))


@pytest.mark.parametrize(("linear", "count"), [(0.999, 6), (0.5, 0)])
def test_pairs_are_counted_by_read_out(linear, count):
    text = said.of_pairs(crossed_rows(linear))
    assert "0 of 6 pairs of different activations fit, and 2 of them cannot" in text
    assert f"{count} of 6 fit, R² at least {linear:.4f} (pairs of one activation: 3 of 3 and 3 of 3)" in text
    assert text.endswith("Each pair had 2 starts.")


def test_records_are_counted():
    text = said.of_records(all_recorded())
    assert "Of 1,356 recorded runs 469 did not see the study's teacher" in text
    assert "8 of experiment 2, 168 of experiment 3, 137 of experiment 4, 156 of experiment 5" in text
    assert "2 are left" in text
    assert "smaller for the collapsed" in said.of_distances(all_recorded())


def test_what_is_shown_is_named():
    own, full = solved_rows().query("experiment == 4"), solved_rows()
    assert said.of_source(own, full, "full").startswith("Shown is what this page solved, profile full")
    assert said.of_source(own, full.iloc[:0], "laptop").startswith("Shown is what this page solved, profile laptop")
    text = said.of_source(own, full, "laptop")
    assert text.startswith("Shown are the tables of the full profile: experiments 3, 4, 5, 6 with 1 random starts")
    assert "This page itself solved experiments 4" in text


def test_lessons_name_the_tree_and_the_last_layer_where_they_were_solved():
    (wider,) = of_wider(solved_rows())
    assert "tree of 12/4/2 weights" in wider
    assert "in 6 of 6 cases; 5 to 5 smaller ones are not zero" in wider
    assert of_wider(solved_rows().query("experiment == 4")) == of_wider(pd.DataFrame()) == []
    (freed,) = of_pairs(crossed_rows())
    assert "none fit with the study's bounded last layer, and 6 where last layers are linear" in freed
    (bound,) = of_pairs(crossed_rows(0.5))
    assert "doing of the last layer" not in bound
    assert of_pairs(crossed_rows(starts=1)) == of_pairs(pd.DataFrame()) == []


def test_figures_hold_every_run_they_are_about():
    records = all_recorded()
    fig = least_and_recorded(solved_rows(), records)
    better = literal(records).query("same and penalty == 'l1' and not collapsed and experiment > 2")
    assert sum(len(t.x) for t in fig.data if t.name == "recorded") == len(better)
    assert sum(len(t.x) for t in fig.data if t.name == "random start") == 12
    assert [len(t.x) for t in pairs(crossed_rows(), records).data[:3]] == [9, 9, 9]
    shown = sum(len(t.x) for t in distances(records).data)
    assert shown == len(records.query("same and experiment in (3, 4, 5)"))
