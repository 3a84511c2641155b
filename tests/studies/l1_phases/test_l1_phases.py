"""The chapter's tables at a tiny scale, against definitions, and its claims on made-up tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.l1_phases import certificates as certified
from sparsenn_book.studies.l1_phases import (
    figures,
    lessons,
    measures,
    paths,
    phases,
    sentences,
    sentences_of_ways,
    sparsifiers,
    trees,
)
from sparsenn_book.studies.l1_phases.certificates import CHANNELS, CONNECTED
from sparsenn_book.studies.l1_phases.claims import claims
from sparsenn_book.studies.l1_phases.settings import (
    CertificateSettings,
    PathSettings,
    PhaseSettings,
    SparsifierSettings,
    TreeSettings,
)
from sparsenn_book.studies.l1_phases.students import FULL, MULTI, data_of, holding, in_channels, inputs, tree
from sparsenn_core.networks import literal_teacher
from sparsenn_core.training import Ensemble


@pytest.fixture(scope="module")
def walked() -> dict[str, pd.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "ACTIVATIONS", ("tanh",))
        patch.setattr(paths, "STEPS", 20)
        settings = PathSettings(
            seed=7, path_draws=1, path_samples=200, path_decades=2, path_per_decade=1, path_starts=1
        )
        return paths.walked(settings)


@pytest.fixture(scope="module")
def certificates() -> pd.DataFrame:
    settings = CertificateSettings(
        seed=7, certified_teachers=("baseline",), certified_samples=(200,), certified_strengths=(1e-3,),
        certified_draws=1,
    )  # fmt: skip
    return certified.certified(settings)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    settings = PhaseSettings(
        seed=7, phase_activations=("tanh",), phase_strengths=(0.03, 0.1), phase_scales=(1.0,), phase_samples=(20, 40),
        phase_channels=(1, 2), phase_runs=2, phase_steps=4,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phases, "SAMPLES", 40)
        return phases.phases(settings)


@pytest.mark.parametrize("teacher", ["baseline", "split_filter", "multi_channel"])
def test_a_teacher_in_a_larger_network_computes_what_it_does_alone(teacher: str) -> None:
    x = inputs(50, 3)
    alone = literal_teacher(teacher, "tanh")(x)
    torch.testing.assert_close(holding(teacher, "tanh")(x), alone)
    if teacher == "baseline":
        torch.testing.assert_close(in_channels("tanh")(x), alone)


def test_runs_have_data_and_starts_of_their_own() -> None:
    data = data_of("relu", 5, [1, 2])
    assert not torch.equal(data.inputs[0], data.inputs[1])
    torch.testing.assert_close(data.targets[1], literal_teacher("baseline", "relu")(data.inputs[1]))
    first, again, other = (tree("relu", 2, 0.5, seed) for seed in (1, 1, 2))
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) and not torch.equal(a, c) for a, b, c in pairs)


def test_a_path_has_every_point_and_counts_the_weights_of_the_teacher(walked: dict[str, pd.DataFrame]) -> None:
    rows = walked["paths"]
    assert set(rows["student"]) == set(paths.STUDENTS)
    up = rows[rows["direction"] == "up"]
    assert up.groupby("student")["strength"].apply(list).map(lambda s: s == pytest.approx([1e-2, 0.1, 1.0])).all()
    assert (rows["objective"] + 1e-12 >= rows["loss"]).all()
    assert (rows["refit_loss"] <= rows["loss"] + 1e-12).all()
    weights = walked["path_weights"]
    kept = weights[(weights["value"] != 0) & (weights["teacher"] != 0)].groupby(["student", "direction", "strength"])
    counted = rows.set_index(["student", "direction", "strength"])["needed_kept"]
    assert kept.size().reindex(counted.index, fill_value=0).equals(counted.astype("int64"))
    exact = rows[rows["exact"]]
    assert ((exact["needed_kept"] == exact["needed"]) & (exact["others_kept"] == 0)).all()
    # zero is stationary, and all that is left at strength 1
    assert (up.loc[up["strength"] == 1.0, "nonzero"] == 0).all()


def test_the_longest_row_of_strengths_is_found() -> None:
    path = pd.DataFrame({"strength": 10.0 ** np.arange(-6, 0), "exact": [True, False, True, True, True, False]})
    assert measures.exact_decades(path) == pytest.approx((2.0, 1e-4, 1e-2))
    assert measures.exact_decades(path.assign(exact=False)) == (0.0, 0.0, 0.0)


def test_certificates_are_of_every_student(certificates: pd.DataFrame) -> None:
    assert set(zip(certificates["student"], certificates["activation"], strict=True)) == {
        (s, a) for s in (CONNECTED, CHANNELS) for a in ("tanh", "relu", "sigmoid")
    }
    assert set(certificates["support"]) == {7, 18}
    tanh = certificates[certificates["activation"] == "tanh"].set_index("student")
    assert tanh.loc[CONNECTED, "largest"] > 1
    assert not tanh.loc[CONNECTED, "holds"]
    # no gradient reaches a channel that is wholly zero
    assert tanh.loc[CHANNELS, "largest"] == 0
    assert tanh.loc[CHANNELS, "holds"]


def test_a_draw_whose_support_loses_a_weight_is_not_kept(certificates: pd.DataFrame) -> None:
    case = {"teacher": "baseline", "student": CONNECTED, "activation": "sigmoid"}
    found = measures.violated(certificates, **case)
    assert found is not None
    # at this strength nothing pays with sigmoid: all 18 weights go, and no slope is above 1
    row = measures.of_case(certificates, **case).iloc[0]
    assert (row["dropped"], found.value) == (18, 1.0)
    assert measures.violated(certificates.assign(reached=False), **case) is None


def test_every_cell_has_its_runs_and_runs_share_nothing(cells: pd.DataFrame) -> None:
    rows = cells
    counts = rows.groupby(["diagram", "strength", "scale", "samples", "channels"]).size()
    assert len(counts) == 2 * 1 + 2 * 2 + 2 * 2
    assert (counts == 2).all()
    assert rows["mse"].nunique() == len(rows)
    found = measures.cells(rows, "strength x samples", "tanh")
    assert (found["runs"] == 2).all()
    assert ((found["low"] <= found["share"]) & (found["share"] <= found["high"])).all()


def test_the_largest_weights_are_those_that_sorting_gives() -> None:
    students = Ensemble.stack([tree("tanh", 2, 1.0, seed) for seed in range(3)])
    counts = torch.tensor([1.0, 5.0, 30.0])
    masks = sparsifiers.masks_of(students.params, counts)
    for run in range(3):
        flat = torch.cat([w[run].abs().flatten() for w in students.params.values()])
        kept = torch.cat([m[run].flatten() for m in masks.values()])
        assert int(kept.sum()) == min(int(counts[run]), len(flat))
        assert float(flat[kept].min()) >= float(flat[~kept].max()) if bool((~kept).any()) else True


def test_every_way_is_tuned_and_reported_on_runs_of_its_own() -> None:
    settings = SparsifierSettings(
        seed=7, sparsifier_runs=2, sparsifier_tuning_runs=1, sparsifier_samples=32, sparsifier_steps=6
    )
    tables = sparsifiers.sparsified(settings)
    reported, tuning = tables["sparsifiers"], tables["sparsifier_tuning"]
    assert set(reported["way"]) == set(tuning["way"]) == set(sparsifiers.WAYS)
    assert (tuning.groupby("way")["knob"].nunique() == 5).all()
    counted = reported[reported["way"].isin(["magnitude", "hard thresholding"])]
    assert (counted["nonzero"] <= counted["knob"]).all()
    assert set(sentences_of_ways.table(reported).index) == set(sparsifiers.WAYS)
    assert sentences_of_ways.of_ways(reported, tuning).endswith(".")


def test_a_tree_is_arranged_and_drawn() -> None:
    settings = TreeSettings(seed=7, tree_samples=60, tree_strength=0.1, tree_starts=2, tree_steps=4)
    tables = trees.trees(settings)
    weights, runs = tables["tree_weights"], tables["tree_runs"]
    assert len(weights) == 2 * (12 * 8 + 8 * 4 + 4)
    assert ((weights["teacher"] != 0).sum(), runs["least"].sum()) == (36, 1)
    assert figures.tree(weights).layout.meta["alt"]
    assert len(figures.maps(weights).data) == 6
    assert "random starts" in sentences.of_tree(runs, weights)


def made_up(count: int) -> dict[str, pd.DataFrame]:
    """Tables in which everything is as the claims say, from `count` draws."""
    cases = [
        (t, s, a)
        for t in ("baseline", "split_filter", "multi_channel")
        for s in (CONNECTED, CHANNELS)
        for a in ("tanh", "relu", "sigmoid")
    ]
    rows = [
        {"teacher": t, "student": s, "activation": a, "samples": 100, "strength": 1e-5, "draw": d, "largest": 4.0,
         "holds": s == CHANNELS, "reached": True, "dropped": 0}
        for t, s, a in cases for d in range(count)
    ]  # fmt: skip
    points = [
        {"draw": d, "student": s, "activation": a, "direction": "up", "strength": 10.0**-k, "exact": s == MULTI,
         "refit_loss": 1e-20, "objective": 0.1, "zero_objective": 0.2}
        for d in range(2) for s in (MULTI, FULL) for a in ("tanh", "relu") for k in range(5)
    ]  # fmt: skip
    runs = [
        {"diagram": "strength x scale", "activation": a, "strength": s, "scale": z, "run": r, "outcome": "fitted",
         "nonzero": 9, "exact": (a, s, z) == ("tanh", 0.03, 1.0)}
        for a in ("tanh", "relu") for s in (1e-3, 0.03) for z in (0.1, 1.0) for r in range(count)
    ]  # fmt: skip
    ways = [
        {"way": w, "run": r, "exact": w == "reweighted L1", "mse": 1e-5 if w == "reweighted L1" else 1e-3,
         "nonzero": 7, "knob": 20.0}
        for w in sparsifiers.WAYS for r in range(count)
    ]  # fmt: skip
    names = ("certificates", "paths", "phases", "sparsifiers")
    return dict(zip(names, map(pd.DataFrame, (rows, points, runs, ways)), strict=True))


def verdicts(found: list[Claim]) -> set[str]:
    return {claim.verdict("full") for claim in found}


def test_claims_hold_on_tables_that_say_so_and_fail_on_the_opposite() -> None:
    tables = made_up(12)
    assert verdicts(claims(tables)) == {"stated here"}
    opposite = {
        "certificates": tables["certificates"].assign(holds=~tables["certificates"]["holds"]),
        "paths": tables["paths"].assign(exact=~tables["paths"]["exact"]),
        "phases": tables["phases"].assign(exact=~tables["phases"]["exact"]),
        "sparsifiers": tables["sparsifiers"].assign(
            exact=~tables["sparsifiers"]["exact"], mse=tables["sparsifiers"]["mse"].rdiv(1e-9)
        ),
    }
    assert verdicts(claims(opposite)) == {"refuted"}
    assert {claim.verdict("smoke") for claim in claims(tables)} == {"not tested at this profile"}


def test_lessons_follow_the_tables() -> None:
    tables = made_up(12)
    said = lessons.learned((tables, "here"))
    assert "L1 cannot keep exactly this teacher's weights, at strength 1·10⁻⁵ and with 100 samples" in said
    assert "over 4.0 powers of ten of the strength or more**, on 4 of 4 paths" in said
    assert "tanh 1·10⁻⁴ to 1·10⁰ and relu" in said
    assert "(strength 0.001), with 9 weights left in the median; 0 of 48 students are dead" in said
    kept = tables["certificates"].assign(holds=~tables["certificates"]["holds"])
    path = tables["paths"][tables["paths"]["strength"] > 1e-3]
    other = lessons.learned(({**tables, "certificates": kept, "paths": path}, "here"))
    assert "L1 may or may not keep exactly this teacher's weights" in other
    assert "however long" in said
    assert "however long" not in other
    assert "over 2.0 powers of ten" in other


def test_ways_are_told_apart_by_intervals_and_weights_without_effect_are_said() -> None:
    runs = made_up(12)["sparsifiers"]
    runs.loc[runs["way"] == "reweighted L1", "nonzero"] = 13
    tuning = runs.assign(exact=False)
    said = sentences_of_ways.of_ways(runs, tuning)
    assert "more than half: reweighted L1; fewer than half: L1" in said
    assert "12 runs of reweighted L1 find it with 13 weights left in the median: all but 7" in said
    assert "Tuned, hard thresholding keeps 20 and magnitude keeps 20 weights, where the teacher has 7" in said
    half = runs.assign(exact=runs["run"] < 6)
    assert "undecided: L1, reweighted L1" in sentences_of_ways.of_ways(half, tuning)


def test_few_draws_test_nothing() -> None:
    few = [claim for claim in claims(made_up(3)) if "path" not in claim.key]
    assert verdicts(few) == {"not tested at this profile"}


def test_pictures_and_sentences_are_made_from_any_tables(
    walked: dict[str, pd.DataFrame], certificates: pd.DataFrame, cells: pd.DataFrame
) -> None:
    rows = cells
    shown = [
        figures.kept(walked["paths"]), figures.lifelines(walked["path_weights"]), figures.refits(walked["paths"]),
        figures.slopes(certificates), figures.outcomes(rows),
        *(figures.diagram(rows, which) for which in measures.DIAGRAMS),
    ]  # fmt: skip
    assert all(fig.layout.meta["alt"] for fig in shown)
    said = [
        sentences.of_paths(walked["paths"]), sentences.of_collapse(walked["paths"]),
        sentences.of_way_back(walked["paths"]), sentences.of_events(walked["path_events"], walked["paths"]),
        sentences.of_refits(walked["paths"]), sentences.of_slopes(certificates), sentences.of_samples(certificates),
        sentences.of_outcomes(rows), *(sentences.of_diagram(rows, which) for which in measures.DIAGRAMS),
    ]  # fmt: skip
    assert all(text.endswith(".") and "nan" not in text for text in said)
    tables = made_up(12) | {"paths": walked["paths"]}
    told = (tables, "on made-up tables")
    assert "Take to your own training" in lessons.learned(told)
    assert "Open:" in lessons.answer(told)
    assert lessons.learned(None) != lessons.answer(None)
