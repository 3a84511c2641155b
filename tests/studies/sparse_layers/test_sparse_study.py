"""The study's network, the tasks, the tables, the claims and the figures of the chapter on sparse layers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies.sparse_layers import (
    cells,
    comparison,
    earlier,
    figures,
    inputs,
    lessons,
    measures,
    original,
    recorded,
    sentences,
    speed,
)
from sparsenn_book.studies.sparse_layers import structured as structures
from sparsenn_book.studies.sparse_layers.claims import claims
from sparsenn_book.studies.sparse_layers.methods import DENSE, METHODS, build
from sparsenn_book.studies.sparse_layers.reference import ThresholdedLinear, network
from sparsenn_book.studies.sparse_layers.settings import (
    ComparisonSettings,
    InputSettings,
    OriginalSettings,
    PenaltySettings,
    RecordedSettings,
    SpeedSettings,
    StructureSettings,
    TuningSettings,
)
from sparsenn_book.studies.sparse_layers.tasks import TASKS, nonlinear, task_of
from sparsenn_core import masks
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

SEED = 11
FEW = {"steps": 50, "batch_size": 32, "seed": SEED}
LINEAR = {**FEW, "tasks": ("linear",), "pictures": 96, "picture_steps": 6}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """All tables of the chapter, as small as they may be."""
    found = original.run_again(OriginalSettings(2, 12, 0.75, SEED))
    found["tuning"] = comparison.tuned(TuningSettings(**LINEAR, rates=(0.01, 0.03), tuning_sparsities=(0.9,),
                                                      tuning_runs=1))  # fmt: skip
    settings = ComparisonSettings(**LINEAR, sparsities=(0.9, 0.95), picture_sparsities=(0.5,), runs=2)
    found |= comparison.compared(settings, found["tuning"])
    found["again"] = earlier.again(RecordedSettings(("linear",), (0.95,), 10, 32, SEED))
    found["unread"] = inputs.counted(InputSettings(200, SEED))
    found["speed"] = speed.timed(SpeedSettings((64,), (4,), (0.5, 0.9), 1, SEED))
    return found


def test_the_study_is_a_fixed_random_mask_bit_for_bit(tables):
    trained, ends = tables["trained"], tables["ends"]
    wide = trained.pivot(index=["run", "step"], columns="version", values="loss")
    assert (wide[original.CODED] == wide[original.FROZEN]).all()
    assert (wide[original.CODED] != wide[original.LEARNED]).any()
    coded = ends[ends["version"] == original.CODED]
    assert not coded["scores_moved"].any()
    assert not coded["has_gradient"].any()
    assert not coded["flips"].any()
    described = ends[ends["version"] == original.LEARNED]
    assert described["scores_moved"].gt(0).all()
    assert described["has_gradient"].all()


def test_the_librarys_random_mask_is_the_studys_layer():
    """The same weights and scores: the mask of the core's layer with random scores is that of the study's code."""
    layer = ThresholdedLinear(10, 64, 0.75, generator(0, "layer"))
    ours = masks.SparseLinear(10, 64, 0.75, score=masks.Random())
    state = ours.state_dict()
    state["parametrizations.weight.0.tensors.scores"].copy_(layer.scores.detach())
    values = layer.scores.detach().unsqueeze(0)
    found = masks.Unstructured().mask(values, torch.tensor([160]))[0]
    assert torch.equal(found, layer.mask() > 0)
    assert int(ours.state_dict()["parametrizations.weight.0.tensors.kept"]) == 160


def test_faults_of_the_studys_threshold():
    layer = ThresholdedLinear(4, 4, 0.5, generator(0, "layer"))
    layer.scores.data.fill_(1.0)
    assert layer.mask().sum() == 0
    assert ThresholdedLinear(4, 4, 1.0, generator(0, "layer")).mask().sum() == 1


def test_the_studys_network_has_two_sparse_layers():
    model = network(0.75, generator(0, "net"))
    assert [int(model[i].mask().sum()) for i in (0, 2)] == [160, 16]


def test_the_nonlinear_target_has_mean_0_and_variance_1():
    _, y, _, _ = nonlinear(0, 400_000)
    # four standard errors: fourth moments of the terms are below 20
    assert abs(float(y.mean())) < 4 / math.sqrt(len(y))
    assert abs(float(y.var()) - 1) < 4 * math.sqrt(20 / len(y))


def test_an_unknown_task_is_refused():
    with pytest.raises(InputError, match="unknown task 'digit'; did you mean 'digits'"):
        task_of("digit")


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("as in the study", "edge-popup")])
def test_methods_start_at_the_same_weights(method):
    task = TASKS["linear"]
    ours, dense = (build(task, METHODS[m], s, 5, 100) for m, s in ((method, 0.9), ("random", 0.0)))
    weight = ours[0].parametrizations.weight.original.detach()
    kept = weight != 0
    assert torch.equal(weight[kept], dense[0].weight.detach()[kept])
    assert torch.equal(ours[2].weight, dense[2].weight)


def test_edge_popup_starts_at_signed_constants():
    weight = build(TASKS["linear"], METHODS["edge-popup"], 0.9, 5, 100)[0].parametrizations.weight.original
    assert not weight.requires_grad
    torch.testing.assert_close(weight.abs(), torch.full_like(weight, math.sqrt(2 / (20 * 0.1))))


def test_unread_inputs_by_enumeration():
    """3 units, 2 inputs, 2 edges: of the 15 places 6 lie in one column each way, so 6 of 15 leave an input out."""
    from itertools import combinations

    places = [(unit, i) for unit in range(3) for i in range(2)]
    left_out = [2 - len({i for _, i in chosen}) for chosen in combinations(places, 2)]
    assert inputs.expected_unread(3, 2, 2) == pytest.approx(np.mean(left_out))
    assert inputs.expected_unread(3, 2, 6) == 0.0
    assert inputs.expected_unread(3, 2, 0) == 2.0


@pytest.mark.parametrize(("sparsity", "expected"), [(0.9, 0.008), (0.95, 0.31), (0.98, 2.51)])
def test_unread_inputs_of_the_studys_layer(sparsity, expected):
    kept = masks.Unstructured().kept((64, 10), sparsity)
    assert inputs.expected_unread(64, 10, kept) == pytest.approx(expected, rel=0.02)


def test_draws_agree_with_the_formula(tables):
    assert measures.scored(tables["unread"]).abs().max() < 4


def test_random_masks_leave_out_what_the_formula_says(tables):
    """Every input that is left out costs at least its variance."""
    errors = tables["errors"]
    rows = errors[errors["method"] == "random"]
    assert (rows["error"] > (20 - rows["read"]) * 0.8).all()


def test_rows_of_the_comparison(tables):
    errors, course = tables["errors"], tables["course"]
    assert set(errors["method"]) == {DENSE, *METHODS}
    kept = errors[errors["method"] != DENSE].groupby("sparsity")["kept"].unique()
    assert kept[0.9].tolist() == [128.0]
    assert kept[0.95].tolist() == [64.0]
    still = course[(course["name"] == "churn") & course["method"].isin(["random", "as in the study"])]
    assert len(still)
    assert not still["value"].any()
    reach = course[course["name"] == "gradient"].groupby("method")["value"].mean()
    assert reach[["edge-popup", "straight-through", "soft"]].gt(0).all()
    assert not reach.drop(["edge-popup", "straight-through", "soft"]).any()


def test_tuning_takes_the_rate_of_least_error():
    rows = pd.DataFrame({
        "task": "linear", "method": "soft", "learning_rate": [0.1, 0.1, 0.2, 0.2, 0.3, 0.3], "sparsity": 0.9,
        "run": [0, 1] * 3, "error": [1.0, 1.0, 0.1, 0.2, 0.05, math.inf],
    })  # fmt: skip
    found = comparison.chosen_rates(rows)
    assert found.loc[0, "learning_rate"] == 0.2
    assert found.loc[0, "edge"] == 0.0


def test_penalties_and_structures_are_tables():
    rows = structures.structured(
        StructureSettings(**FEW, structure_task="digits", structure_sparsities=(0.75,), structure_runs=2)
    )
    shares = rows.groupby("structure")["sparsity"].mean().round(3)
    assert shares["1:4"] == shares["channel"] == shares["block 4 x 4"] == 0.75
    assert shares["1:16"] == 0.938
    rows = structures.penalized(PenaltySettings(120, 32, SEED, "linear", (0.0, 1.0), 2))
    gates = rows[rows["method"] == "L0"].groupby("strength")["sparsity"].mean()
    assert gates[1.0] > gates[0.0]
    for text in (sentences.outcomes(rows), figures.outcomes(rows).layout.title.text):
        assert text


def test_timed_forms_agree(tables):
    rows = tables["speed"]
    assert set(rows["form"]) >= {"masked", "CSR", "removed channels"}
    assert rows["difference"].max() < 1e-3
    assert rows["seconds"].gt(0).all()


def test_every_claim_follows_from_the_tables(tables):
    stated = claims(tables)
    assert len({claim.key for claim in stated}) == len(stated)
    verdicts = {claim.key: claim.verdict("laptop") for claim in stated}
    assert verdicts["masks.scores-learned"] == "corrected"
    assert verdicts["masks.fixed-random"] == "stated here"
    assert verdicts["masks.no-gradient"] == "stated here"
    assert "not tested" in verdicts["masks.earlier"]  # of ten steps
    for key in (
        "masks.gain-fashion",
        "masks.gain-fashion-cnn",
        "masks.gain-linear",
        "masks.gain-nonlinear",
        "masks.digits-alike",
    ):
        assert verdicts[key] == "not tested at this profile"


def test_a_claim_can_fail(tables):
    """Scores that move would reproduce what the study says; a soft mask no better than random refutes the gain."""
    moved = tables["ends"].assign(scores_moved=0.5)
    verdicts = {c.key: c.verdict("laptop") for c in claims({**tables, "ends": moved})}
    assert verdicts["masks.scores-learned"] == "reproduced"
    source = np.random.default_rng(0)
    rows = [
        {"task": "linear", "method": m, "sparsity": s, "run": r, "error": float(source.uniform(0.9, 1.1)),
         "on_true": 0.5, "read": 20.0, "kept": 64.0, "found": 1.0, "learning_rate": 0.01}
        for m in (*METHODS, DENSE) for s in (0.9, 0.95) for r in range(12)
    ]  # fmt: skip
    verdicts = {c.key: c.verdict("laptop") for c in claims({**tables, "errors": pd.DataFrame(rows)})}
    assert verdicts["masks.gain-linear"] == "refuted"
    pictures = pd.concat([pd.DataFrame(rows).assign(task=task, error=0.2) for task in ("fashion", "fashion_cnn")])
    verdicts = {c.key: c.verdict("laptop") for c in claims({**tables, "errors": pictures})}
    assert verdicts["masks.gain-fashion-cnn"] == "refuted"
    again = [
        {"task": t, "method": m, "sparsity": s, "run": r, "steps": 1984, "error": 50.0 + r}
        for t in recorded.MEANS for m in METHODS for s in (0.9, 0.95) for r in range(3)
    ]  # fmt: skip
    verdicts = {c.key: c.verdict("laptop") for c in claims({**tables, "again": pd.DataFrame(again)})}
    assert verdicts["masks.earlier"] == "refuted"
    one_good = pd.DataFrame(again).assign(error=lambda rows: np.where(rows["run"] == 0, 1e-6, 50.0 + rows["run"]))
    [cell] = [c for c in claims({**tables, "again": one_good}) if c.key == "masks.earlier"]
    # three seeds, of which the verdict hangs on one, decide nothing, however many cells share them
    assert cell.measured.count == 3
    assert cell.verdict("laptop") == "undecided"


def test_figures_and_sentences_are_made_from_the_tables(tables):
    drawn = [
        figures.training_loss(tables["trained"]), figures.sparse_weights(tables["pictures"]),
        figures.predictions(tables["predictions"]), figures.against_sparsity(tables["errors"], "linear"),
        figures.recorded_cells(cells.beside(tables["again"], tables["errors"])), figures.churn(tables["course"]),
        figures.unread(tables["unread"], tables["errors"]),
        figures.speedups(tables["speed"]),
    ]  # fmt: skip
    assert all(fig.data and fig.layout.meta["alt"] for fig in drawn)
    told = (tables, "in a test")
    said = [
        lessons.learned(told), lessons.answer(told), sentences.original(tables["ends"], tables["trained"]),
        sentences.untrained(tables["ends"]), sentences.tuning(tables["tuning"]),
        sentences.compared(tables["errors"], "linear"),
        sentences.recorded_cells(cells.beside(tables["again"], tables["errors"]), tables["again"],
                                 ComparisonSettings(**LINEAR, sparsities=(), picture_sparsities=(), runs=2)),
        sentences.course(tables["course"]),
        sentences.unread(tables["unread"], tables["errors"]), sentences.speed(tables["speed"]),
    ]  # fmt: skip
    assert all(text and "nan" not in text for text in said)
    assert "no finding" in lessons.learned(None)
