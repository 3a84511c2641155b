"""Sentences say what the rows say, and nothing more."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_rebound_claims import (
    COUNTED,
    GOOD,
    RUNS,
    counted_rows,
    distance_rows,
    good_rates,
    level_rows,
    map_rows,
    prediction_rows,
    pruning_rows,
    scaling_rows,
    spectrum_rows,
    swapped,
)

from sparsenn_book.studies.rebound import rules, sentences, variants
from sparsenn_book.studies.rebound.sentences import words

FULL = GOOD | {
    "curves": GOOD["curves"],
    "distances": distance_rows().assign(function=4e-6, fisher=1e-6, certified=True),
    "students": pd.DataFrame({"run": [0]}),
}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123, "12.3 %"), (0.004, "0.4 %"), (0.00004, "0.004 %"), (0.0, "0.0 %"), (4e-16, "less than 10⁻⁶ %"),
     (1.0, "100.0 %")],
)  # fmt: skip
def test_percentages_show_a_digit_that_is_not_zero(value, text):
    assert words.percent(value) == text


def test_counts_and_findings():
    assert words.of(pd.Series([True, False, True])) == "2 of 3"
    assert words.finding(True, "It does.", "Does it?") == "**It does.**"
    assert words.finding(False, "It does.", "Does it?") == "**Does it?**"


def test_a_sentence_of_a_smoke_run_says_that_it_is_none():
    assert sentences.marked("A finding.", "smoke").startswith("*(smoke: not evidence)*")
    assert sentences.marked("A finding.", "laptop") == "A finding."


def test_what_was_learned_has_a_line_for_each_finding_with_its_number():
    lines = sentences.learned(FULL).splitlines()
    assert len(lines) == 6
    assert "**Storing weights in float32 makes the rebound.**" in lines[0]
    assert "20 of 20 students come nearer" in lines[0]
    assert "float64: 0 of 20" in lines[0]
    assert "where only the arithmetic is" in lines[0]
    assert "L1 (strength 0.001): 16 of 20" in lines[1]
    assert "gradient descent alone: 0 of 20" in lines[1]
    assert "in 20 of 20 runs" in lines[2]
    assert "2.0000 with the same noise at every size" in lines[3]
    assert "between 1 and 29" in lines[4]
    assert lines[5].startswith("- **Take to your own training.**")
    assert "91 %" in lines[5]


def test_a_finding_that_the_numbers_do_not_bear_out_is_a_question():
    other = sentences.learned(FULL | {"curves": swapped("float64")})
    assert "**Does storing weights in float32 make the rebound?**" in other
    same = sentences.learned(FULL | {"map": map_rows(good_rates() | {("L1", "float64", 1e-2): 0.0})})
    assert "**What makes students rebound in float64?**" in same
    late = sentences.learned(FULL | {"prediction": prediction_rows(missed=50)})
    assert "**With noise that is known, is the epoch known at which a student is closest?**" in late
    near = FULL["distances"].assign(quotient_lower=0.0)
    assert "**Does learning the function find the weights?**" in sentences.learned(FULL | {"distances": near})


@pytest.mark.parametrize("say", [sentences.learned, sentences.answer])
def test_too_few_runs_say_nothing(say):
    few = {"curves": GOOD["curves"][GOOD["curves"].run < RUNS - 1]}
    assert say(FULL | few).startswith("Too few runs")
    assert say(FULL | {"turned_back": counted_rows(count=COUNTED - 1)}).startswith("Too few runs")


def test_the_answer_draws_its_conclusion_only_where_none_turns_back():
    assert "So it is no property of noise-free gradient descent" in sentences.answer(FULL)
    assert "0 of 100 do" in sentences.answer(FULL)
    other = sentences.answer(FULL | {"turned_back": counted_rows(master=0.1)})
    assert "10 of 100 do" in other
    assert "So it is no property" not in other


def chapter(profile="laptop", full=None, age=""):
    return SimpleNamespace(profile=profile, tables={"own": 1}, full=SimpleNamespace(tables=full or {}, age=age))


def test_the_summary_is_of_full_tables_where_all_are_there():
    tables, origin = sentences.source(chapter(full=FULL))
    assert tables is not None
    assert "at full scale" in origin
    assert "from tables made by older code" in sentences.source(chapter(full=FULL, age="made by older code"))[1]
    some = {name: frame for name, frame in FULL.items() if name != "spread"}
    tables, origin = sentences.source(chapter(full=some))
    assert tables == {"own": 1}
    assert "this page's tables" in origin
    assert sentences.source(chapter("full", FULL)) == ({"own": 1}, "")


def test_experiments_a_and_b():
    text = sentences.experiment_a(GOOD["curves"])
    assert "20 of 20 runs rebound" in text
    assert "0 of 20 do" in text
    assert "0.12 at epoch 32" in text
    assert "falls by 0." in sentences.raw(GOOD["curves"])
    b = GOOD["curves"][GOOD["curves"].experiment == "B"]
    both = pd.concat([b, b.assign(precision="float32")])
    assert "20 of 20 runs in float32 and 20 of 20 in float64" in sentences.experiment_b(both, GOOD["spread"])
    assert "within 0.0 standard errors" in sentences.experiment_b(both, GOOD["spread"])


def test_variants_are_told_apart_by_distance_and_shape():
    plain = GOOD["b_variants"][GOOD["b_variants"].variant == variants.PLAIN]
    text = sentences.variants_of_b(pd.concat([GOOD["b_variants"], plain.assign(variant=variants.FIRST)]))
    assert "1000 times" in text
    assert "the one projection of the first code 1.000 times" in text


def test_the_map_in_words_and_in_a_table():
    text = sentences.rebound_map(GOOD)
    assert "20 of 20 runs rebound in float32" in text
    assert "From any displacement, 0 of 20 runs rebound in float64" in text
    assert "Projection every epoch, from 0.001: 18 of 20" in text
    rises = GOOD["map"].assign(rebound=0.034)
    table = sentences.rise_table(rises)
    assert table.loc["L1", "float64"] == "3.4 %"
    assert table.loc["L1", "float32"] == ""
    assert list(sentences.scale_table().index) == list(rules.SCALES)
    assert sentences.scale_table().loc["noise", "for displacement d"] == "1000 d"


def test_what_stands_still_and_what_turns_back():
    assert "float32: 91 %" in sentences.ledger(GOOD["ledger"])
    rows = GOOD["turned_back"].assign(rebounded=False)
    assert "from 1·10⁻⁶ in float32, 90 of 100 turn back and 0 of 100 rebound" in sentences.counted(rows)


def test_the_closed_form_and_the_stopping_times():
    assert "1.00 % in B" in sentences.closed_form(prediction_rows(error=0.01))
    text = sentences.stopping(prediction_rows(missed=2))
    assert "off by 2 epochs in the median and by 2 at most" in text
    assert "From its standard deviation alone the prediction is off by" in text


def test_spectrum_and_scaling():
    rows = pd.concat([spectrum_rows(np.array([10.0, 5.0, 1e-9])).assign(biases=b) for b in ("tiny", "uniform")])
    assert "Of 3 directions 2.0 are learned" in sentences.spectrum(rows, 5.0)
    steeper = sentences.scaling_of_c(scaling_rows(), level_rows())
    assert "can make the line steeper" in steeper
    assert "leaves out 0" in steeper
    assert "so these fits do not tell the two apart" in sentences.scaling_of_c(scaling_rows(2.02, 2.015), level_rows())
    assert "2.00000 with the same noise" in steeper
    assert "the line steeper" not in sentences.scaling_of_c(scaling_rows(study=1.9), level_rows())
    table = sentences.law_table(scaling_rows())
    assert table.loc["published", "exponent"] == "2.0552"


def test_margins_beside_the_precision_of_float32():
    rows = pd.DataFrame({"biases": ["tiny", "uniform"], "run": 0, "bias": [1e-8, 1e-2], "ratio": [2e-10, 5e-10]})
    text = sentences.margins(rows)
    assert "5·10⁻¹⁰ or less from a simple fraction" in text
    assert "1·10⁻⁷" in text
    assert "1·10⁻⁸ or less in size" in text
    assert "the theorem does not say" in text
    assert "the theorem does not say" not in sentences.margins(rows.assign(ratio=1e-3))


def test_symmetry_and_pruning():
    text = sentences.symmetry(FULL["distances"])
    assert "between 1 and 29 (medians of a lower and of an upper bound)" in text
    assert "differ by 0.0 %" in text
    table = sentences.distance_table(FULL["distances"])
    assert table.loc["A", "share certified"] == 1
    rows = pruning_rows().assign(error=2e-5, norm=1.0, quotient=8.0)
    assert "leaves 0 weights: the penalty has taken the function away" in sentences.pruned(rows)
    assert "the penalty has taken" not in sentences.pruned(rows.assign(weights=5))
    assert "leaves 20, of a teacher with 91" in sentences.pruned(rows)
    assert len(sentences.pruning_table(rows)) == 6


def test_every_sentence_can_be_said_of_a_tiny_run(tables):
    said = [
        sentences.learned(tables), sentences.answer(tables), sentences.experiment_a(tables["curves"]),
        sentences.raw(tables["curves"]), sentences.experiment_b(tables["curves"], tables["spread"]),
        sentences.variants_of_b(tables["b_variants"]), sentences.rebound_map(tables),
        sentences.ledger(tables["ledger"]), sentences.counted(tables["turned_back"]),
        sentences.closed_form(tables["prediction"]), sentences.stopping(tables["prediction"]),
        sentences.spectrum(tables["spectrum"], 0.1), sentences.scaling_of_c(tables["scaling"], tables["levels"]),
        sentences.symmetry(tables["distances"]), sentences.margins(tables["margins"]),
        sentences.pruned(tables["pruning"]),
    ]  # fmt: skip
    for text in said:
        assert text.strip()
        assert "nan" not in text
        assert "  " not in text.replace("\n", " ").strip()
