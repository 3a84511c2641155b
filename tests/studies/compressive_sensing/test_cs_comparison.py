"""Tables of the comparison, paired differences from rows with a known answer, and measures of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up import estimates as made_up_estimates
from made_up import objectives as made_up_objectives

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing import baselines
from sparsenn_core.errors import InputError

SNRS = (0.5, 8.0)
REPETITIONS = 2
DRAWS = cs.Draws((30, 40), (8, 40), (2, 3), SNRS, REPETITIONS, 0.35, "first", 1)
GRID = cs.Grid(lambda0_count=4, lambda1_shares=(0.0, 0.1), init_shares=(0.0, 1.0), epochs=50)
PATHS = cs.Paths(20, 10, 5, 10)
CELL = ["family", "snr", "repetition"]
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return cs.compared(DRAWS, GRID, PATHS)


def test_every_regression_has_one_row_of_every_method(tables: Tables) -> None:
    rows = tables["estimates"]
    names = {*cs.METHODS, cs.TOGETHER, cs.ORACLE, cs.STUDY, *cs.VARIANTS}
    names |= {f"{m}, ridge" for m in cs.REFITTED} | {f"{m}{cs.FEW}" for m in (*cs.METHODS, cs.TOGETHER)}
    assert set(rows["method"]) == names
    assert len(rows) == len(names) * 2 * len(SNRS) * REPETITIONS
    assert not rows.duplicated([*CELL, "method"]).any()
    assert (rows.loc[rows["method"] == cs.ORACLE, "asre"] == 0).all()


def test_times_stand_apart_so_that_errors_are_the_same_on_every_machine(tables: Tables) -> None:
    assert "seconds" not in tables["estimates"]
    assert set(tables["times"]["method"]) == set(cs.METHODS)
    assert (tables["times"]["seconds"] > 0).all()


def test_more_candidates_never_have_a_higher_validation_error(tables: Tables) -> None:
    wide = tables["estimates"].pivot(index=CELL, columns="method", values="validation")
    assert (wide[cs.TOGETHER] == wide[list(cs.BASELINES)].min(axis=1)).all()
    few = [f"{name}{cs.FEW}" for name in cs.BASELINES]
    assert (wide[cs.TOGETHER + cs.FEW] == wide[few].min(axis=1)).all()
    assert (wide["EGP, validation error alone"] <= wide["EGP"]).all()
    for name in ("forward stepwise", "IHT"):
        assert (wide[f"{name}, ridge"] <= wide[name] * (1 + 1e-12)).all()


def test_few_validation_samples_choose_from_the_same_candidates(tables: Tables) -> None:
    rows = tables["estimates"]
    candidates = rows.pivot(index=CELL, columns="method", values="candidates")
    for name in (*cs.METHODS, cs.TOGETHER):
        assert (candidates[name] == candidates[f"{name}{cs.FEW}"]).all()
    regression = cs.draw(cs.Family(40, 40, 3), 8.0, 1, 1)
    _, path = cs.lasso_path(regression.design, regression.response, 20)
    rest = regression.validation_response[:40, None] - regression.validation_design[:40] @ path
    best = path[:, int(np.argmin(np.mean(rest**2, axis=0)))]
    some = rows.query("family == 'n = 40, p = 40, s = 3' and snr == 8.0 and repetition == 1")
    found = some.loc[some["method"] == f"lasso{cs.FEW}", "rte"].item()
    assert found == pytest.approx(cs.metrics(regression, best)["rte"])


def test_variants_choose_among_what_egp_proposed(tables: Tables) -> None:
    candidates = tables["estimates"].pivot(index=CELL, columns="method", values="candidates")
    for name in cs.VARIANTS[:-1]:
        assert (candidates[name] <= candidates["EGP"]).all()
    assert (candidates[cs.VARIANTS[-1]] == candidates["EGP"]).all()


def test_objectives_are_residuals_of_supports_plus_their_sizes(tables: Tables) -> None:
    regression = cs.draw(cs.Family(30, 8, 2), 8.0, 1, 1)
    rows = tables["objectives"].query("family == @regression.family.name and snr == 8.0 and repetition == 1")
    moment = regression.design.T @ regression.response
    top = np.max(moment**2 / np.sum(regression.design**2, axis=0))
    fits = cs.refit(regression, baselines.forward_stepwise(regression.design, regression.response, 8))
    for row in rows[rows["method"] == "forward stepwise"].itertuples():
        values = [r + row.lambda0_share * top * len(s) for r, s in zip(fits.residual, fits.supports, strict=True)]
        assert row.objective == pytest.approx(min(values))
    excess = cs.measures.excess_objectives(tables["objectives"])
    assert excess["value"].min() >= 0
    assert set(excess["method"]) == {"EGP", "forward stepwise", "IHT", cs.ORACLE}


def test_searches_count_gates_of_a_column(tables: Tables) -> None:
    rows = tables["searches"]
    p = rows["family"].str.extract(r"p = (\d+)")[0].astype(int)
    assert np.allclose(rows["undecided_gates"], rows["undecided"] * p)
    found = cs.measures.undecided_gates(rows)
    assert len(found) == 2 * REPETITIONS
    first = rows[(rows["family"] == "n = 30, p = 8, s = 2") & (rows["repetition"] == 0)]
    assert found["n = 30, p = 8, s = 2", 0] == pytest.approx(first["undecided_gates"].mean() / 2)


def test_the_comparison_repeats_but_for_time(tables: Tables) -> None:
    alone = cs.Draws((40,), (40,), (3,), (8.0,), 1, 0.35, "first", 1)
    again = cs.compared(alone, GRID, PATHS)
    for name in ("estimates", "objectives", "searches"):
        some = tables[name].query("family == 'n = 40, p = 40, s = 3' and snr == 8.0 and repetition == 0")
        pd.testing.assert_frame_equal(some.reset_index(drop=True), again[name])


def test_differences_of_rows_with_a_known_answer() -> None:
    rows = pd.DataFrame(
        [
            {"family": "a", "snr": snr, "repetition": r, "method": m, "rte": factor * (1 + r / 10)}
            for snr, better in ((0.1, 1.0), (4.0, 0.5))
            for r in range(10)
            for m, factor in (("EGP", better), ("lasso", 1.0))
        ]
    )
    cells = cs.by_cell(rows, "EGP", ["lasso"])
    assert cells["verdict"].tolist() == ["same", "better"]
    assert cells["value"].tolist() == pytest.approx([0.0, np.log(0.5)])
    assert cs.by_cell(rows, "lasso", ["EGP"])["verdict"].tolist() == ["same", "worse"]
    found = cs.overall(rows, "EGP", "lasso", (0.0, np.inf))
    # a draw counts once, however many ratios it was measured at
    assert (found.count, found.value) == (10, pytest.approx(np.log(0.5) / 2))
    other = pd.concat([rows.assign(family="b"), rows])
    assert cs.by_cell(other, "EGP", ["lasso"])["family"].tolist() == ["b", "b", "a", "a"]
    with pytest.raises(InputError, match="did you mean 'lasso'"):
        cs.log_ratios(rows, "EGP", "laso")


def test_percent_says_a_log_ratio_as_people_do() -> None:
    rows = made_up_estimates({"EGP": 0.5})
    found = cs.percent(cs.overall(rows, "EGP", "lasso", (0.0, np.inf)))
    assert found.unit == "%"
    assert found.value == pytest.approx(-50, abs=1)
    assert found.low < found.value < found.high
    assert found.method.startswith("geometric mean")


def test_variants_are_measured_where_there_are_ratios() -> None:
    rows = made_up_estimates({"EGP": 0.9, cs.STUDY: 1.8})
    parts = cs.by_variant(rows)
    assert set(parts["region"]) == {"below 1", "above 1"}
    study = parts[parts["variant"] == cs.STUDY]
    assert study["value"].tolist() == pytest.approx([np.log(0.5)] * 2, abs=0.01)
    assert (parts["count"] == 20).all()
    only_low = cs.by_variant(rows[rows["snr"] < 1])
    assert set(only_low["region"]) == {"below 1"}


def test_the_strongest_rival_is_the_one_that_comes_nearest() -> None:
    rows = made_up_estimates({"EGP": 0.9, "IHT": 0.95, "lasso": 3.0})
    name, found = cs.measures.strongest(rows)
    assert name == "IHT"
    assert found.value == pytest.approx(np.log(0.9 / 0.95), abs=0.02)


def test_misses_are_counted_by_draw() -> None:
    values = {"EGP": 1.0, "forward stepwise": 1.0, "IHT": 1.5}
    rows = made_up_objectives(values, missed=2)
    assert cs.measures.misses(rows, "EGP").sum() == 2
    assert len(cs.measures.misses(rows, "EGP")) == 40
    assert cs.measures.misses(rows, "IHT").all()
    ratios = cs.measures.objective_ratios(rows, "EGP", "IHT")
    assert len(ratios) == 40
    assert np.allclose(ratios, np.log(1 / 1.5))


def test_exact_supports_at_a_ratio_that_was_not_run_are_none() -> None:
    rows = made_up_estimates({}, wrong={"EGP": 2.0})
    hits = cs.measures.exact_supports(rows, 20.0)
    assert hits["EGP"].sum() == 0
    assert hits["IHT"].all()
    assert cs.measures.exact_supports(rows, 7.0).empty
