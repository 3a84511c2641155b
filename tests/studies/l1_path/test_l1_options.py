"""A reader's own values: every option of the chapter goes from training to its figures and claims."""

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies.l1_path import figures, sentences
from sparsenn_book.studies.l1_path.claims import claims_of_training
from sparsenn_book.studies.l1_path.evaluation import judged
from sparsenn_book.studies.l1_path.faults import faults
from sparsenn_book.studies.l1_path.minimisers import minimisers
from sparsenn_book.studies.l1_path.recorded import recorded_runs
from sparsenn_book.studies.l1_path.settings import (
    DeadStarts,
    FreshInputs,
    Grid,
    Length,
    MinimiserSettings,
    Objective,
    Schedule,
)
from sparsenn_book.studies.l1_path.students import ensemble_of
from sparsenn_book.studies.l1_path.training import trained
from sparsenn_book.studies.l1_path.waking import waking
from sparsenn_book.studies.l1_path.zeroing import zeroed

pytestmark = pytest.mark.acceptance

FRESH = FreshInputs(300)


def one_case(objective, activation="tanh", grid=None, schedule=None):
    """Trained and minimised baseline students, judged: runs, minima, and all tables by name."""
    parts = trained("baseline", activation, objective, schedule or Schedule(), Length(2, 100), grid or Grid(1, (1.0,)))
    parts |= minimisers("baseline", activation, objective, MinimiserSettings(1, 0))
    runs = judged(objective, FRESH, parts[f"ended_baseline_{activation}"], parts[f"weights_baseline_{activation}"])
    minima = judged(objective, FRESH, parts[f"found_baseline_{activation}"], parts[f"minimisers_baseline_{activation}"])
    return runs, minima, parts


@pytest.mark.parametrize(
    "objective",
    [
        Objective(samples=64, bias=True),
        Objective(samples=64, last_activation="linear"),
        Objective(samples=64, strength=0.0),
        Objective(samples=16, strength=1e-3),
    ],
    ids=["bias", "linear output", "no strength", "few samples"],
)
def test_an_objective_goes_through_every_table(objective):
    runs, minima, parts = one_case(objective)
    assert len(runs) == 3
    assert np.isfinite(runs[["objective", "mse", "r2"]].to_numpy()).all()
    assert np.isfinite(minima[["objective", "residual"]].to_numpy()).all()
    table = zeroed(objective, parts["found_baseline_tanh"], parts["minimisers_baseline_tanh"])
    assert np.isfinite(table["unexplained"]).all()


def test_biases_are_kept_with_the_weights():
    objective = Objective(samples=64, bias=True)
    _, _, parts = one_case(objective)
    names = set(parts["weights_baseline_tanh"]["parameter"])
    assert {"layers.0.weight", "layers.0.bias"} <= names
    networks = ensemble_of(parts["weights_baseline_tanh"], "baseline", "tanh", objective)
    assert sum(w[0].numel() for w in networks.params.values()) == 7 + 3


def test_without_strength_the_minimum_is_the_teacher():
    _, minima, _ = one_case(Objective(samples=64, strength=0.0))
    assert minima.loc[minima["origin"] == "teacher", "objective"].item() == pytest.approx(0, abs=1e-12)


def test_a_stronger_penalty_costs_more_and_fits_less():
    weak = one_case(Objective(samples=64, strength=1e-5))[1]
    strong = one_case(Objective(samples=64, strength=1e-3))[1]
    for minima in (weak, strong):
        assert (minima["objective"] >= minima["loss"]).all()
    best = [m[m["penalty"] == "l1"].sort_values("objective").iloc[0] for m in (weak, strong)]
    assert best[0]["objective"] < best[1]["objective"]
    assert best[0]["loss"] < best[1]["loss"]
    assert best[0]["absolute_sum"] > best[1]["absolute_sum"]


def test_training_repeats_to_the_last_bit():
    first, _, _ = one_case(Objective(samples=64))
    again, _, _ = one_case(Objective(samples=64))
    pd.testing.assert_frame_equal(first, again)


def test_runs_do_not_depend_on_how_many_are_trained_beside_them():
    alone, _, _ = one_case(Objective(samples=64), grid=Grid(1, (1.0,)))
    beside, _, _ = one_case(Objective(samples=64), grid=Grid(3, (0.5, 1.0)))
    same = beside[(beside["init_scale"] == 1.0) & (beside["seed"] == 1)].reset_index(drop=True)
    assert alone["objective"].tolist() == pytest.approx(same["objective"].tolist(), rel=1e-6)


def test_figures_take_the_scales_that_are_there():
    runs, minima, _ = one_case(Objective(samples=64), grid=Grid(2, (0.1, 0.5)))
    others = [runs.assign(activation=a) for a in ("relu", "sigmoid")]
    every = pd.concat([runs, *others])
    recorded = recorded_runs()
    assert [s for p, s in figures.groups_of(recorded, every) if p == "l1"] == [0.1, 0.2, 0.5, 1.0]
    least = minima.groupby(["activation", "penalty"], as_index=False)["objective"].min()
    drawn = figures.objectives(recorded, every, least, "title")
    assert list(drawn.layout.xaxis.ticktext[:4]) == ["none, 0.1", "none, 0.2", "none, 0.5", "none, 1"]
    bars = figures.outcomes(recorded, every, "title")
    assert len(bars.layout.xaxis.ticktext) == 12


def test_claims_of_other_scales_say_that_nothing_was_measured(made):
    runs = made.runs.assign(init_scale=0.5)
    strong = waking(Objective(samples=64, strength=1e-2), Schedule(), DeadStarts(2, 1))
    wakes = judged(Objective(samples=64), FRESH, strong["woken"], strong["wake_weights"])
    stated = {
        c.key: c for c in claims_of_training({"runs": runs, "minima": made.minima, "wakes": wakes, "faults": faults()})
    }
    for key in ("l1.sigmoid-collapse", "l1.sigmoid-collapse-small", "l1.relu-support", "l1.wake-time"):
        assert stated[key].measured is None
        assert stated[key].verdict("laptop") == "not tested at this profile"
    assert stated["l1.doubled-l2"].verdict("laptop") == "corrected"


def test_with_a_linear_output_dead_students_have_a_dead_second_layer():
    objective = Objective(samples=64, last_activation="linear", strength=1e-2)
    woken = waking(objective, Schedule(), DeadStarts(2, 1))["woken"]
    assert (woken["dead_layers"] == 1).all()
    assert (woken["predicted_epoch"] > 0).all()


def test_the_kept_weights_of_dead_students_are_theirs():
    objective = Objective(samples=64, strength=1e-2)
    tables = waking(objective, Schedule(), DeadStarts(2, 2))
    networks = ensemble_of(tables["wake_weights"], "baseline", "relu", objective)
    assert len(networks) == len(tables["woken"]) == 6
    # under no penalty the weights of a dead student have not moved, under L2 all by one factor
    by_penalty = {
        p: torch.cat([w[tables["woken"].index[tables["woken"]["penalty"] == p]].flatten(1) for w in
                      networks.params.values()], 1) for p in ("none", "l1", "l2")
    }  # fmt: skip
    ratio = by_penalty["l2"] / by_penalty["none"]
    assert (ratio < 1).all()
    assert float(ratio.max() - ratio.min()) < 1e-5
    step = by_penalty["none"].abs() - by_penalty["l1"].abs()
    alive = (by_penalty["none"].sign() == by_penalty["l1"].sign()).all(1)
    assert float(step[alive].max() - step[alive].min()) < 1e-5


def test_sentences_speak_of_the_epochs_that_were_run():
    runs, _, _ = one_case(Objective(samples=64))
    assert "used up the 2 epochs" in sentences.of_runs(runs)
