"""What sentences of the L1 chapter say of tables whose numbers are known."""

import pandas as pd
import pytest

from sparsenn_book.records.estimates import wilson
from sparsenn_book.studies.l1_path import sentences
from sparsenn_book.studies.l1_path.claims import UNFINISHED
from sparsenn_book.studies.l1_path.learned import learned
from sparsenn_book.studies.l1_path.recorded import recorded_runs

CASES = [(s, a) for s in ("baseline", "multi_channel") for a in ("relu", "sigmoid", "tanh")]


def minima_at(factor: float) -> pd.DataFrame:
    """L1 minimisers of every case at `factor` times the least recorded value."""
    least = recorded_runs().query("penalty == 'l1'").groupby(["student", "activation"])["objective"].min()
    rows = [
        {"student": s, "activation": a, "penalty": "l1", "objective": factor * least[s, a], "nonzero": 7,
         "outcome": "recovered", "origin": origin, "residual": 1e-11}
        for s, a in CASES for origin in ("random", "teacher")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def runs_at(objective: float, status: str = "stopped early", outcome: str = "fitted") -> pd.DataFrame:
    """Three L1 runs of every case that fit, at one loss."""
    rows = [
        {"student": s, "activation": a, "penalty": "l1", "init_scale": 0.2, "seed": seed, "r2": 1.0, "epochs": 50,
         "objective": objective, "status": status, "outcome": outcome, "weights": 7 if s == "baseline" else 52,
         "exact_zeros": 0, "kept_1_1e-4": 3, "kept_2_1e-4": 2, "kept_3_1e-4": 2}
        for s, a in CASES for seed in (1, 2, 3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def wakes_of(outcomes: list[str], asleep: int, late: int = 0) -> pd.DataFrame:
    """L1 runs of dead starts: some that woke, with their ends, and some that slept on, `late` of them to come."""
    rows = [
        {"penalty": "l1", "seed": n, "predicted_epoch": 10.0, "woke_epoch": 11.0 + n, "outcome": outcome}
        for n, outcome in enumerate(outcomes)
    ]
    rows += [
        {"penalty": "l1", "seed": 100 + n, "predicted_epoch": 900.0 if n < late else 20.0,
         "woke_epoch": float("nan"), "outcome": "dead"}
        for n in range(asleep)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("factor", "words"), [(1.0, "within 0.05 % of"), (1.01, "1.0 % below"), (0.98, "2.0 % above")])
def test_the_least_recorded_loss_is_placed(factor, words):
    said = sentences.of_losses(runs_at(1e-4), minima_at(factor), "baseline")
    assert f"The least recorded loss is {words} the least found" in said


def test_losses_are_said_over_the_least_found_with_what_is_unfinished():
    minima = minima_at(1.0)
    floor = minima.loc[(minima["student"] == "baseline") & (minima["activation"] == "tanh"), "objective"].iloc[0]
    ended = sentences.of_losses(runs_at(1.5 * floor), minima, "baseline")
    assert "run again 50.0 % above (3 runs)" in ended
    going = sentences.of_losses(runs_at(1.5 * floor, UNFINISHED), minima, "baseline")
    assert "run again 50.0 % above (3 runs, 3 of them unfinished)" in going
    none = sentences.of_losses(runs_at(1.0).assign(r2=0.5), minima, "baseline")
    assert "run again none fits" in none


def test_fates_name_every_outcome_and_the_size_of_bars():
    said = sentences.of_fates(runs_at(1e-4, outcome="dead"))
    assert "of 9 L1 runs with 7 weights: 9 dead" in said
    assert "of 9 L1 runs with 52 weights: 9 dead" in said
    assert "one run again for 3." in said
    assert "A recorded bar stands for 1 to 5 runs" in said
    assert "0 of all 18 runs were still training" in said
    assert "18 of all 18 runs were still training" in sentences.of_fates(runs_at(1e-4, UNFINISHED))


def test_waking_tells_first_last_and_ends():
    said = sentences.of_waking(wakes_of(["recovered", "dead", "recovered"], asleep=2, late=1), 300)
    assert said.startswith("3 of 5 (60 %")
    assert "within 300 epochs, none without a penalty" in said
    assert "The first woke after 11 epochs, the last after 13; at the end they are 2 recovered, 1 dead." in said
    assert "2 never woke; 1 of them had a predicted epoch past the end." in said


def test_where_all_or_none_woke_nothing_is_said_of_the_others():
    assert "slept on" not in sentences.of_waking(wakes_of(["recovered"], asleep=0), 300)
    none = sentences.of_waking(wakes_of([], asleep=3), 300)
    assert none.startswith("0 of 3")
    assert "first woke" not in none


def test_the_time_of_waking_is_a_ratio():
    wakes = wakes_of(["recovered", "recovered", "recovered"], asleep=1).assign(predicted_epoch=10.0)
    assert "1.200 times the predicted one in the median of 3 students, from 1.100 to 1.300" in (
        sentences.of_waking_time(wakes)
    )


def test_sparsity_counts_weights_and_zeros():
    said = sentences.of_sparsity(runs_at(1e-4))
    assert "keeps 7 of 52 weights" in said
    assert f"Of all {9 * 7 + 9 * 52:,} weights trained here, 0 are exactly zero" in said


def test_weights_off_the_teachers_places():
    rows = pd.DataFrame(
        [(p, a, t, s) for p, s in (("l1", 0.0), ("l2", 0.3)) for a in ("relu", "sigmoid", "tanh") for t in (0.0, 2.0)],
        columns=["penalty", "activation", "teacher", "student"],
    )
    said = sentences.of_weights(rows)
    assert "not zero: 0 with relu, 0 with sigmoid, 0 with tanh; the L2 minimiser: 1 with relu" in said


def test_a_share_has_its_count_and_interval():
    assert sentences.share(wilson(17, 20)) == "17 of 20 (85 %, 64 % to 95 %)"


@pytest.mark.parametrize(
    ("woke", "words"), [(["recovered", "dead"], "these 2 are 1 recovered, 1 dead, as"), ([], "No dead relu")]
)
def test_what_we_learned_of_waking(woke, words):
    tables = {"runs": runs_at(1e-4), "minima": minima_at(1.0), "wakes": wakes_of(woke, asleep=2)}
    said = learned({}, "", tables, "laptop")
    assert words in said
    assert "Without a penalty or under L2, none wakes" in said


def test_what_we_learned_of_sigmoid_is_at_the_small_scale_alone():
    tables = {"runs": runs_at(1e-4, outcome="collapsed"), "minima": minima_at(1.0), "wakes": wakes_of(["dead"], 1)}
    assert "after at most 50 epochs, sigmoid students that start small have collapsed to a constant in 3 of 3" in (
        learned({}, "", tables, "laptop")
    )
    other = tables | {"runs": tables["runs"].assign(init_scale=1.0)}
    assert "small starts" not in learned({}, "", other, "laptop")


def test_a_single_zero_is_counted():
    runs = runs_at(1e-4)
    runs.loc[0, "exact_zeros"] = 1
    said = learned({}, "", {"runs": runs, "minima": minima_at(1.0), "wakes": wakes_of(["dead"], 1)}, "laptop")
    assert "1 of all 531 trained weights are exactly zero" in said
