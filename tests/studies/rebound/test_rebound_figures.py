"""What the figures of the chapter draw, from tiny or made-up rows."""

import numpy as np
import pandas as pd
import pytest
from test_rebound_curves import rows_of

from sparsenn_book.studies.rebound import figures, scaling
from sparsenn_book.studies.rebound.counting import MASTER
from sparsenn_book.studies.rebound.figures.looks import PRECISIONS, VARIANTS_OF_C, one_legend


def made_curves():
    names, epochs, runs = ("squared_distance", "train_loss", "test_loss"), range(6), range(3)
    rows = [
        (experiment, precision, run, epoch, name, 1 + 0.1 * run + abs(epoch - 3))
        for experiment in "AB"
        for precision in ("float32", "float64")
        for name in names
        for run in runs
        for epoch in epochs
    ]
    return pd.DataFrame(rows, columns=["experiment", "precision", "run", "epoch", "name", "value"])


def named(fig, name):
    return [trace for trace in fig.data if trace.name == name and trace.fill is None]


@pytest.mark.parametrize("experiment", ["A", "B"])
def test_the_published_curve_lies_over_the_mean(experiment):
    fig = figures.study_curves(made_curves(), experiment)
    # epochs 1 to 5 of |epoch - 3|, scaled
    assert [list(t.y) for t in named(fig, "float32")] == [[1.0, 0.5, 0.0, 0.5, 1.0]] * 3
    assert len(named(fig, "published")) == 3
    assert len(named(fig, "published")[0].x) == 500
    assert sum(bool(t.showlegend) for t in fig.data) == 3


def test_two_scales_of_the_same_runs():
    rows = made_curves()
    fig = figures.raw_beside_normalised(rows[rows.experiment == "A"])
    raw, scaled = named(fig, "float64")
    starts = np.array([4.0, 4.1, 4.2])
    assert raw.y[2] == pytest.approx(((starts - 3) / starts).mean())
    assert list(scaled.y) == [1.0, 0.5, 0.0, 0.5, 1.0]


def test_variants_have_a_panel_each():
    rows = pd.concat([rows_of([[1, 2, 3], [1, 2, 4]], variant=v) for v in ("one", "two", "three")])
    fig = figures.b_variants(rows)
    assert len(named(fig, "float64")) == 3
    assert [t.text for t in fig.layout.annotations][:3] == ["one", "two", "three"]


def test_noise_scaling_is_divided_by_the_square_of_the_noise():
    sigma = np.array([0.1, 1.0])
    rows = pd.concat(
        [pd.DataFrame({"variant": v, "sigma": sigma, "run": r, "value": sigma**2 * (1 + r)}) for v in VARIANTS_OF_C
         for r in (0, 2)]
    )  # fmt: skip
    levels = pd.DataFrame({"variant": [scaling.PUBLISHED_SETTINGS], "run": 0, "value": [1e-3]})
    fig = figures.noise_scaling(rows, levels)
    assert list(named(fig, scaling.STUDY)[0].y) == pytest.approx([2.0, 2.0])
    assert list(named(fig, "closed form")[0].y) == [1e-3, 1e-3]
    published = named(fig, "published")[0]
    assert len(published.x) == 25
    assert published.y[-1] == pytest.approx(2.5e-9, rel=0.1)


def map_rows(rebounded):
    rows = [
        (rule, "float64", size, run, run < rebounded)
        for rule in ("gradient descent", "L1")
        for size in (1e-6, 1e-2)
        for run in range(4)
    ]
    return pd.DataFrame(rows, columns=["rule", "precision", "perturbation", "run", "rebounded"])


def test_the_map_shows_rates_with_intervals_over_displacements_as_names():
    fig = figures.rebound_map(map_rows(2))
    bar = fig.data[0]
    assert list(bar.x) == ["1e-06", "0.01"]
    assert list(bar.y) == [0.5, 0.5]
    assert 0 < 0.5 - bar.error_y.arrayminus[0] < 0.2
    assert fig.layout.xaxis.type == "category"
    assert [t.text for t in fig.layout.annotations] == ["gradient descent", "L1"]


def test_fates_are_shares_that_sum_to_one():
    turned = [True, True, False, False]
    rows = pd.DataFrame(
        {
            "perturbation": 1e-6,
            "precision": "float32",
            "run": range(4),
            "turned": turned,
            "rebounded": [True] + [False] * 3,
        }
    )
    fig = figures.fates(pd.concat([rows, rows.assign(precision=MASTER, turned=False, rebounded=False)]))
    shares = {trace.name: list(trace.y) for trace in fig.data}
    assert shares == {
        "only comes nearer": [0.5, 1.0],
        "turns back, no rebound": [0.25, 0.0],
        "rebounds": [0.25, 0.0],
    }
    assert fig.layout.barmode == "stack"


def test_the_ledger_draws_the_mean_of_runs():
    rows = pd.DataFrame(
        {"precision": "float64", "run": [0, 1] * 2, "epoch": [0, 0, 5, 5], "value": [0.2, 0.4, 1.0, 0.0]}
    )
    assert list(named(figures.precision_ledger(rows), "float64")[0].y) == pytest.approx([0.3, 0.5])


def prediction_rows():
    t = np.arange(4)
    rows = [
        pd.DataFrame({"experiment": "B", "run": r, "epoch": t, "simulated": t + r, "predicted": t + r}) for r in (0, 1)
    ]
    return pd.concat(rows).assign(expected=1.0)


def test_predicted_curves_show_a_few_runs_without_their_start():
    fig = figures.predicted_curves(prediction_rows(), runs=1)
    assert [list(t.y) for t in named(fig, "simulated")] == [[1, 2, 3]]
    assert len(named(fig, "closed form, mean over noise")) == 1


def test_stopping_times_are_the_epochs_of_least_distance():
    stops = pd.DataFrame({"run": [0, 1], "simulated": [3, 8], "predicted": [3, 9], "expected": [7, 7]})
    fig = figures.stopping_times(stops)
    assert list(named(fig, "with the noise drawn")[0].x) == [4, 10]
    assert list(named(fig, "with the noise drawn")[0].y) == [4, 9]
    assert list(named(fig, "mean over noise")[0].x) == [8, 8]


def test_a_spectrum_is_the_median_of_teachers():
    rows = pd.DataFrame({"biases": "tiny", "run": [0, 0, 1, 1], "index": [1, 2, 1, 2], "value": [4.0, 1.0, 4.0, 1.0]})
    assert list(named(figures.spectrum(rows, 5.0), "tiny biases")[0].y) == pytest.approx([4, 1])


def test_distances_are_medians_and_ranges_by_what_is_compared():
    rows = pd.DataFrame(
        {"experiment": ["A"] * 3, "run": range(3), "raw": [1.0, 2.0, 9.0], "quotient": 1.0, "quotient_lower": 0.0,
         "normal_form": 50.0}
    )  # fmt: skip
    fig = figures.distances(rows)
    raw = named(fig, "as it is")[0]
    assert list(raw.y) == [2.0]
    assert list(raw.error_y.array) == [7.0]
    # a bound of zero has no place on a logarithmic axis
    assert len(named(fig, "up to symmetry, at least")[0].y) == 0


def test_the_slider_shows_one_threshold_at_a_time():
    rows = [(s, t, r, 100 - r, 0.1) for s in (0.1, 1e-4) for t in (1e-4, 1e-3, 1e-2) for r in (0, 1)]
    frame = pd.DataFrame(rows, columns=["strength", "threshold", "run", "weights", "error"])
    fig = figures.pruned_by_threshold(frame, 91)
    assert [t.visible for t in fig.data] == [False, False, True, True, False, False]
    slider = fig.layout.sliders[0]
    assert slider.active == 1
    assert [sum(step.args[1]) for step in slider.steps] == [2, 2, 2]
    assert slider.steps[0].args[1] == (True, True, False, False, False, False)


def test_one_look_for_one_precision_in_every_figure():
    rows = made_curves()
    look = PRECISIONS["float64"]
    curves = named(figures.study_curves(rows, "A"), "float64")[0]
    ledger = rows[(rows.name == "train_loss") & (rows.experiment == "A")]
    others = named(figures.precision_ledger(ledger), "float64")[0]
    assert curves.line.color == others.line.color == look.color
    bar = figures.rebound_map(map_rows(1)).data[0]
    assert bar.marker.color == look.color
    assert VARIANTS_OF_C[scaling.STUDY] == PRECISIONS["float32"]


def test_a_name_stands_once_in_the_legend():
    fig = figures.study_curves(made_curves(), "A")
    for trace in fig.data:
        trace.showlegend = None if trace.fill is None else False
    shown = [t.name for t in one_legend(fig).data if t.showlegend]
    assert sorted(shown) == ["float32", "float64", "published"]


def test_every_figure_draws_the_tables_of_a_tiny_run(tables):
    a = tables["curves"][tables["curves"].experiment == "A"]
    stops = pd.DataFrame({"run": [0], "simulated": [1], "predicted": [2], "expected": [3]})
    drawn = [
        figures.study_curves(tables["curves"], "A"),
        figures.raw_beside_normalised(a),
        figures.b_variants(tables["b_variants"]),
        figures.rebound_map(tables["map"]),
        figures.precision_ledger(tables["ledger"]),
        figures.fates(tables["turned_back"]),
        figures.predicted_curves(tables["prediction"]),
        figures.stopping_times(stops),
        figures.spectrum(tables["spectrum"], 0.1),
        figures.noise_scaling(tables["scaling"], tables["levels"]),
        figures.distances(tables["distances"]),
        figures.pruned_by_threshold(tables["sweep"], 15),
    ]
    for fig in drawn:
        assert len(fig.data) > 0
        assert fig.layout.meta["alt"]
        assert fig.layout.title.text
