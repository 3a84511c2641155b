"""Runs with a reader's own values: what the study does not have is left out, and nothing breaks."""

from __future__ import annotations

import pandas as pd
import pytest
import width_tables as made

from sparsenn_book.records.claims import write_claims
from sparsenn_book.studies.width_bounds import (
    BoundarySettings,
    DimensionSettings,
    DistanceSettings,
    EnumerationSettings,
    RankSettings,
    SmallSettings,
    SpectrumSettings,
    ThresholdSettings,
    TrainingSettings,
    boundary,
    certified_optimum,
    claims,
    dimension,
    distances,
    enumerated,
    figures,
    learned,
    placed,
    rank,
    sentences,
    sentences_of_lasso,
    small,
    spectra_and_ranks,
    thresholds,
    trained,
)

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """A whole run with one student, ranks and samples that the study does not have, and small K."""
    made = trained(TrainingSettings(steps=12, students=1)) | certified_optimum()
    made["neurons"] = placed(made["weights"], made["optimum_neurons"])
    made["distance"] = distances(DistanceSettings(seed=1), *[made[n] for n in ("trace", "weights", "optimum")],
                                 made["optimum_neurons"])  # fmt: skip
    made["dimension"] = dimension(DimensionSettings(samples=(3, 5), repetitions=2, seed=1))
    made["rank"] = rank(RankSettings(ranks=(1, 3), repetitions=2, seed=1))
    made["small"] = small(SmallSettings(widths=(4, 5), small_repetitions=3, seed=1))
    made["thresholds"] = thresholds(ThresholdSettings(samples=(3, 5), conic=1, seed=1), made["dimension"])
    plan = EnumerationSettings(widths=(4, 5), enumerated=1, enumerated_conic=1, seed=1)
    made["enumeration"] = enumerated(plan, made["small"])
    made["boundary"] = boundary(BoundarySettings(boundary_draws=1, seed=1))
    return made | spectra_and_ranks(SpectrumSettings(samples=(3, 5), seed=1), made["weights"])


def test_claims_can_be_stated_and_written_and_test_nothing(tables: dict, tmp_path) -> None:
    stated = claims(tables)
    write_claims(stated, tmp_path, "custom")
    assert {claim.verdict("custom") for claim in stated} == {"not tested at this profile"}
    assert {claim.key for claim in stated} == {claim.key for claim in claims(made.tables())}


def test_every_figure_can_be_drawn_and_is_described(tables: dict) -> None:
    random = pd.concat([tables[name] for name in ("dimension", "rank", "small")])
    drawn = [
        figures.training(tables["trace"], tables["optimum"]),
        figures.neurons(tables["neurons"]),
        figures.balance(tables["trace"]),
        figures.histograms("dimension", tables["dimension"]),
        figures.histograms("rank", tables["rank"]),
        figures.brute_force(tables["small"]),
        figures.bounds(random, tables["boundary"]),
        figures.spectra(tables["spectra"]),
    ]
    assert all(len(figure.layout.meta["alt"]) > 40 for figure in drawn)


def test_every_sentence_can_be_said(tables: dict) -> None:
    said = [
        sentences.of_optimum(tables["optimum"], tables["optimum_neurons"]),
        sentences.of_training(tables["trace"], tables["distance"]),
        sentences.of_places(tables["neurons"], 12),
        sentences.of_distance(tables["distance"], tables["optimum"], 12),
        sentences.of_balance(tables["trace"]),
        sentences.of_needed(tables["distance"], 12),
        sentences_of_lasso.of_solutions(tables["dimension"], tables["rank"], tables["small"]),
        sentences_of_lasso.of_comparison("dimension", tables["dimension"]),
        sentences_of_lasso.of_comparison("rank", tables["rank"]),
        sentences_of_lasso.of_failures(tables["rank"]),
        sentences_of_lasso.of_thresholds(tables["thresholds"]),
        sentences_of_lasso.of_brute_force(tables["small"], tables["enumeration"]),
        sentences_of_lasso.of_boundary(tables["boundary"]),
        sentences_of_lasso.of_bounds_in_use(tables["dimension"]),
        sentences_of_lasso.of_ranks(tables["ranks"]),
        learned({}, tables, "custom"),
    ]
    assert all(text and "nan" not in text.lower().split() for text in said)


def test_settings_that_the_study_does_not_have_leave_the_comparison_empty(tables: dict) -> None:
    assert sentences_of_lasso.readable("rank", tables["rank"]).empty
    assert "no evidence" in sentences_of_lasso.of_comparison("rank", tables["rank"])


def test_tables_for_the_page_have_a_row_a_run(tables: dict) -> None:
    assert len(sentences.distance_table(tables["distance"], 12)) == 3
    assert len(sentences.needed_table(tables["distance"])) == 3
    assert len(sentences_of_lasso.cuts(tables["thresholds"])) == 1
    assert len(sentences_of_lasso.boundary_table(tables["boundary"])) == 7
    assert sentences_of_lasso.rank_table(tables["ranks"]).shape == (7, 5)
