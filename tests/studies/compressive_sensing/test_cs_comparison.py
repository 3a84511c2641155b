"""Rows of the comparison, paired differences and claims from rows with a known answer, and figures from rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing import figures as draw
from sparsenn_book.studies.compressive_sensing.claims import objective_ratios
from sparsenn_core.errors import InputError

SNRS = [0.5, 8.0]
REPETITIONS = 2


@pytest.fixture(scope="module")
def compared() -> cs.Comparison:
    schedule = cs.Schedule(lambda0_count=4, lambda1=(0.0, 0.1), init=(0.0, 1.0), epochs=50)
    families = cs.settings([30, 40], [8, 40], [2, 3], 0.35, "first")
    return cs.compare(families, SNRS, REPETITIONS, schedule, cs.Paths(20, 10, 5, 10), 1)


def test_every_problem_has_one_row_of_every_method(compared: cs.Comparison) -> None:
    rows = compared.estimates
    names = {*cs.METHODS, cs.TOGETHER, cs.ORACLE, cs.STUDY, *cs.VARIANTS}
    names |= {f"{m}, ridge" for m in cs.REFITTED} | {f"{m}{cs.FEW}" for m in (*cs.METHODS, cs.TOGETHER)}
    assert set(rows["method"]) == names
    assert len(rows) == len(names) * 2 * len(SNRS) * REPETITIONS
    assert not rows.duplicated(["setting", "snr", "repetition", "method"]).any()
    assert (rows.loc[rows["method"].isin(cs.METHODS), "seconds"] > 0).all()
    assert (rows.loc[rows["method"] == cs.ORACLE, "asre"] == 0).all()


def test_more_candidates_never_have_a_higher_validation_error(compared: cs.Comparison) -> None:
    wide = compared.estimates.pivot(index=["setting", "snr", "repetition"], columns="method", values="validation")
    assert (wide[cs.TOGETHER] == wide[list(cs.BASELINES)].min(axis=1)).all()
    # EGP is refitted alone and with ridge strengths beside it, which rounds differently
    assert (wide["EGP, validation error alone"] <= wide["EGP"] * (1 + 1e-12)).all()
    for name in ("forward stepwise", "IHT"):
        assert (wide[f"{name}, ridge"] <= wide[name] * (1 + 1e-12)).all()


def test_objectives_are_residuals_of_supports_plus_their_sizes(compared: cs.Comparison) -> None:
    problem = cs.draw(cs.Setting(30, 8, 2), 8.0, 1, 1)
    rows = compared.objectives.query("setting == @problem.setting.name and snr == 8.0 and repetition == 1")
    moment = problem.design.T @ problem.response
    top = np.max(moment**2 / np.sum(problem.design**2, axis=0))
    fits = cs.refit(problem, cs.forward_stepwise(problem.design, problem.response, 8))
    for row in rows[rows["method"] == "forward stepwise"].itertuples():
        values = [r + row.lambda0_share * top * len(s) for r, s in zip(fits.residual, fits.supports, strict=True)]
        assert row.objective == pytest.approx(min(values))
    excess = cs.excess_objectives(compared.objectives)
    assert excess["value"].min() >= 0
    assert set(excess["method"]) == {"EGP", "forward stepwise", "IHT", cs.ORACLE}


def test_differences_of_rows_with_a_known_answer() -> None:
    rows = pd.DataFrame(
        [
            {"setting": "a", "snr": snr, "repetition": r, "method": m, "rte": factor * (1 + r / 10)}
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
    other = pd.concat([rows.assign(setting="b"), rows])
    assert cs.by_cell(other, "EGP", ["lasso"])["setting"].tolist() == ["b", "b", "a", "a"]
    with pytest.raises(InputError, match="did you mean 'lasso'"):
        cs.log_ratios(rows, "EGP", "laso")


def test_claims_say_what_the_rows_say(compared: cs.Comparison) -> None:
    found = {claim.key: claim for claim in cs.claims(compared)}
    assert found["cs.identity"].verdict("laptop") == "reproduced"
    assert found["cs.search"].measured.count == len(compared.searches)
    measured = found["cs.high-lasso"].measured
    assert measured == cs.overall(compared.estimates, "EGP", "lasso", (1.0, np.inf))
    ratios = objective_ratios(compared.objectives, "EGP", "IHT")
    assert len(ratios) == 2 * REPETITIONS
    assert found["cs.objective-iht"].measured.value == pytest.approx(ratios.mean())
    assert all(claim.verdict("smoke") == "not tested at this profile" for claim in found.values())


def test_the_comparison_repeats_but_for_time(compared: cs.Comparison) -> None:
    schedule = cs.Schedule(lambda0_count=4, lambda1=(0.0, 0.1), init=(0.0, 1.0), epochs=50)
    again = cs.compare(cs.settings([40], [40], [3], 0.35, "first"), [8.0], 1, schedule, cs.Paths(20, 10, 5, 10), 1)
    first = compared.estimates.query("setting == 'n = 40, p = 40, s = 3' and snr == 8.0 and repetition == 0")
    columns = [c for c in first if c != "seconds"]
    pd.testing.assert_frame_equal(first[columns].reset_index(drop=True), again.estimates[columns])


def test_figures_show_medians_bands_and_intervals(compared: cs.Comparison) -> None:
    rows = compared.estimates
    curves = draw.curves(rows, cs.METHODS, "rte", "t", "y", "alt text")
    lines = [trace for trace in curves.data if trace.mode == "lines+markers"]
    assert len(lines) == 2 * len(cs.METHODS)
    assert sum(trace.showlegend is not False for trace in lines) == len(cs.METHODS)
    medians = rows[rows["method"] == "EGP"].groupby(["setting", "snr"], sort=False)["rte"].median()
    assert list(lines[0].y) == pytest.approx(medians.iloc[:2].tolist())
    cells = cs.by_cell(rows, "EGP", list(cs.BASELINES)).assign(low=-1.0, high=1.0)
    differences = draw.differences(cells, "t", "alt text")
    assert differences.layout.meta["alt"] == "alt text"
    assert sum(trace.mode == "markers" for trace in differences.data) == 2 * len(cs.BASELINES)
    table = pd.DataFrame({"variant": ["a", "b"], "region": "low", "value": 0.0, "low": -1.0, "high": 1.0})
    assert draw.parts(table, "t", "alt text").data[0].error_x.array.tolist() == [1.0, 1.0]
    assert len(draw.excess(cs.excess_objectives(compared.objectives), "t", "alt text").data) == 8
