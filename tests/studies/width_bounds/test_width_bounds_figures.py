"""Figures of the width chapter from made-up tables: what is drawn where, that nothing is lost, and what is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import width_tables as made

from sparsenn_book.figures.palette import ROLES
from sparsenn_book.studies.width_bounds import figures
from sparsenn_book.studies.width_bounds.figures.looks import BOUNDS, METHODS
from sparsenn_book.studies.width_bounds.figures.sharing import TRACE


def _trace() -> pd.DataFrame:
    rows = [
        {"method": method, "seed": seed, "step": step, "name": name, "value": 1.0 + step + seed}
        for method in ("PathProx", "no decay")
        for seed in (49, 50)
        for step in (0, 1, 10, 30_000)
        for name in ("objective", "active", "outgoing", "imbalance")
    ]
    return pd.DataFrame(rows)


def test_training_draws_every_run_once_a_panel_and_names_each_method_once() -> None:
    fig = figures.training(_trace(), made.optimum(2.0))
    lines = [t for t in fig.data if t.mode == "lines"]
    assert len(lines) == len(TRACE) * 4
    assert all(min(t.x) > 0 for t in fig.data)  # step 0 has no place on a log axis
    named = [t.name for t in fig.data if t.showlegend]
    assert sorted(named) == ["PathProx", "no decay", "recorded"]
    diamonds = [t for t in fig.data if t.name == "recorded"]
    assert len(diamonds) == 3
    assert all(max(t.x) <= 30_001 for t in diamonds)  # the log is shown as far as this run goes
    assert "PathProx: 1.502e+04 times the optimum, 30050 active neurons" in fig.layout.meta["alt"]


def test_neurons_below_the_studys_size_are_not_drawn_and_area_follows_size() -> None:
    rows = pd.DataFrame(
        {
            "method": "PathProx",
            "seed": [49, 49, 49, 49, 50],
            "output": [1, 1, 1, 2, 1],
            "theta": [0.1, 1.0, 2.0, 1.0, 3.0],
            "offset": [0.0, 0.5, 1.0, 0.5, 0.0],
            "size": [1e-4, 0.04, 0.16, 0.01, 1.0],
        }
    )
    fig = figures.neurons(rows)
    first, second = fig.data
    assert list(first.x) == [1.0, 2.0]  # of the study's student alone
    assert list(second.x) == [1.0]
    area = np.square(first.marker.size)
    assert area[1] / area[0] == 4
    assert "PathProx 2 and 1" in fig.layout.meta["alt"]


def test_histograms_count_every_repetition_within_its_panel() -> None:
    certified = made.solutions("rank", (2, 5), versions=("coded", "titled"))
    fig = figures.histograms("rank", certified)
    bars = [t for t in fig.data if t.type == "bar"]
    assert len(bars) == 4
    np.testing.assert_allclose([sum(b.y) for b in bars], 1)
    outlines = [t for t in fig.data if t.name == "recorded"]
    np.testing.assert_allclose([sum(t.y) for t in outlines], 1)  # counts far off the axis are drawn at its end
    for name, drawn in (("sharp", [3, 3, 15, 15]), ("product", [4, 4, 25, 25]), ("drawn", [20, 20, 50, 50])):
        assert [t.x[0] for t in fig.data if t.name == BOUNDS[name][0]] == drawn
    assert sum(bool(t.showlegend) for t in fig.data) == 2 + len(BOUNDS)
    assert "r_x = 5" in fig.layout.meta["alt"].replace("rx", "r_x")


def test_the_dimension_figure_has_the_studys_upper_lines() -> None:
    fig = figures.histograms("dimension", made.solutions("dimension", (10, 40)))
    assert [t.x[0] for t in fig.data if t.name == BOUNDS["drawn"][0]] == [101, 401]


def test_bounds_lie_on_the_diagonal_and_vacuous_ones_are_left_out() -> None:
    random = pd.concat([made.solutions("rank", (5, 20)), made.small()])
    fig = figures.bounds(random, made.boundary())
    by_name = {t.name: t for t in fig.data}
    assert list(by_name["random problems"].x) == [5] * 5 + [15]  # at rank 20 the bound is 210, of 200 neurons
    assert list(by_name["built at the bound, thinned out"].x) == list(by_name["built at the bound, thinned out"].y)
    assert sorted(by_name["recorded, impossible"].y) == [110, 184, 200]
    assert set(by_name["recorded, impossible"].x) == {15}
    assert "7 of 7" in fig.layout.meta["alt"]


def test_balance_holds_its_runs_and_the_law() -> None:
    fig = figures.balance(made.trace(400_000))
    lines = [t for t in fig.data if t.mode == "lines"]
    assert len(lines) == 2 * 5
    law = fig.data[-1]
    assert law.y[0] == 1
    decay = next(t for t in lines if t.name == "SGD weight decay")
    np.testing.assert_allclose(decay.y[-1], law.y[-1], rtol=1e-6)


def test_brute_force_bars_add_up_to_one() -> None:
    fig = figures.brute_force(made.small((3, 4, 5, 5)))
    np.testing.assert_allclose(sum(np.asarray(t.y) for t in fig.data), 1)
    assert [t.name for t in fig.data] == ["3 neurons", "4 neurons", "5 neurons"]
    assert {t.marker.color for t in fig.data} == {ROLES["minimiser"].color}
    assert len({t.marker.pattern.shape for t in fig.data}) == 3


def test_spectra_keep_a_zero_on_the_axis_and_students_their_colours() -> None:
    rows = pd.DataFrame(
        {"matrix": ["a"] * 3 + ["student, PathProx"], "index": [1, 2, 3, 1], "value": [1, 1e-3, 0, 1.0]}
    )
    fig = figures.spectra(rows)
    assert min(fig.data[0].y) > 0
    assert fig.data[1].line.color == METHODS["PathProx"].color
    assert len(fig.layout.shapes) == 5


def test_no_rule_has_the_colour_of_another_meaning() -> None:
    colours = [look.color for look in METHODS.values()]
    assert len(set(colours)) == len(colours)
    assert METHODS["optimum"].color == ROLES["minimiser"].color
    assert not {METHODS[m].color for m in ("SGD weight decay", "no decay")} & {look.color for look in ROLES.values()}
