"""Figures show the numbers of their rows; the look of a method is the same in all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up import GRADIENTS, SNRS, descents, ends, estimates, objectives, sizes, variations

from sparsenn_book.figures.palette import ROLES
from sparsenn_book.studies import compressive_sensing as cs

ALT = "a sentence for readers who cannot see it"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return estimates({"EGP": 0.7, "lasso": 1.3}, wrong={"lasso": 3.0})


def test_methods_do_not_wear_the_colours_of_kinds_of_result() -> None:
    roles = {look.color for look in ROLES.values()}
    for looks in (cs.figures.LOOKS, cs.figures.GRADIENTS):
        assert not roles & {look.color for look in looks.values()}
    assert cs.figures.LOOKS["EGP"] == cs.figures.GRADIENTS["EGP"]
    assert len({look.color for look in cs.figures.LOOKS.values()}) == len(cs.figures.LOOKS)


def test_within_a_panel_of_gradients_each_has_a_look_of_its_own() -> None:
    for methods in cs.figures.SIDES.values():
        looks = [cs.figures.GRADIENTS[method] for method in methods]
        assert len(set(looks)) == len(looks)


def test_one_colour_is_one_estimator() -> None:
    looks = cs.figures.GRADIENTS
    by_colour: dict[str, set[str]] = {}
    for name, look in looks.items():
        by_colour.setdefault(look.color, set()).add(name.split(",")[0].removesuffix(" with weights"))
    assert all(len(names) == 1 for names in by_colour.values())
    assert len(set(looks.values())) == len(looks)


def test_curves_show_medians_and_one_legend(rows: pd.DataFrame) -> None:
    fig = cs.figures.curves(rows, cs.METHODS, "rte", "title", "y", ALT)
    lines = [trace for trace in fig.data if trace.mode == "lines+markers"]
    assert len(lines) == 2 * len(cs.METHODS)
    assert sum(trace.showlegend is not False for trace in lines) == len(cs.METHODS)
    medians = rows[rows["method"] == "EGP"].groupby(["family", "snr"], sort=False)["rte"].median()
    assert list(lines[0].y) == pytest.approx(medians.iloc[: len(SNRS)].tolist())
    assert fig.layout.meta["alt"] == ALT
    assert list(fig.layout.xaxis.tickvals) == list(SNRS)


def test_differences_have_a_panel_for_each_other_method_and_are_in_percent(rows: pd.DataFrame) -> None:
    cells = cs.by_cell(rows, "EGP", list(cs.BASELINES))
    fig = cs.figures.differences(cells, "title", ALT)
    titles = [note.text for note in fig.layout.annotations if note.text]
    assert titles[:4] == [f"EGP against {other}" for other in cs.BASELINES]
    lines = [trace for trace in fig.data if trace.mode == "lines+markers"]
    assert len(lines) == len(cs.BASELINES) * 2
    first = cells[(cells["other"] == "lasso") & (cells["family"] == cells["family"].iloc[0])]
    assert list(lines[0].y) == pytest.approx((100 * np.expm1(first["value"])).tolist())
    # marks stand at their ratios
    assert list(lines[0].x) == list(SNRS)
    assert sum(trace.showlegend is not False for trace in lines) == 2


def test_excess_is_drawn_for_those_that_have_supports() -> None:
    table = cs.measures.excess_objectives(objectives({"EGP": 1.0, "forward stepwise": 1.2, "IHT": 1.3}))
    fig = cs.figures.excess(table[table["method"] != cs.ORACLE], "title", ALT)
    assert len(fig.data) == 2 * 3
    assert fig.data[1].y[0] == pytest.approx(0.2, abs=0.01)


def test_parts_are_changes_in_percent_with_intervals(rows: pd.DataFrame) -> None:
    parts = cs.by_variant(rows)
    fig = cs.figures.parts(parts, "title", ALT)
    assert len(fig.data) == 2
    first = parts[parts["region"] == "below 1"]
    assert list(fig.data[0].x) == pytest.approx((100 * np.expm1(-first["value"])).tolist())
    bars = fig.data[0].error_x
    assert (np.asarray(bars.array) >= 0).all()
    assert (np.asarray(bars.arrayminus) >= 0).all()
    assert list(fig.data[0].y) == first["variant"].tolist()


def test_descents_are_over_the_true_support_s_objective() -> None:
    rows = descents({"EGP": 40, "straight-through": 40, "BitFlip-1": 1000})
    fig = cs.figures.descents(rows, ends([0.0] * 12), "step", "title", "steps", ALT)
    lines = {trace.name: trace for trace in fig.data if trace.fill != "toself"}
    assert set(lines) == set(GRADIENTS)
    assert lines["EGP"].y[0] == pytest.approx(10, rel=0.01)
    assert lines["EGP"].y[-1] == pytest.approx(1, rel=0.01)
    assert min(lines["EGP"].x) > 0
    shown = [trace.name for trace in fig.data if trace.showlegend]
    assert sorted(shown) == sorted(set(shown))
    in_time = cs.figures.descents(rows, ends([0.0] * 12), "seconds", "title", "seconds", ALT)
    assert max(in_time.data[-1].x) == pytest.approx(0.15)


def test_sizes_have_logarithmic_axes_and_a_line_a_method() -> None:
    fig = cs.figures.sizes(sizes(1.0, 2.0), "title", ALT)
    assert [trace.name for trace in fig.data] == list(cs.METHODS)
    assert (fig.layout.xaxis.type, fig.layout.yaxis.type) == ("log", "log")
    assert list(fig.layout.xaxis.ticktext) == ["1,000", "3,000"]


def test_variations_are_geometric_means_in_the_order_of_rows() -> None:
    table = variations({"first, rho = 0": {"EGP": 0.5}, "spread, rho = 0.35": {"EGP": 2.0}})
    fig = cs.figures.variations(table, "title", ALT)
    assert list(fig.data[0].y) == ["ones in front, ρ = 0", "ones spread, ρ = 0.35"]
    assert list(fig.data[0].x) == pytest.approx([0.75, 3.0], rel=0.02)
    assert {trace.name for trace in fig.data} == {*cs.METHODS, cs.ORACLE}
