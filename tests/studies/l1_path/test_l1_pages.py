"""Figures and sentences of the L1 chapter draw and say what their rows do."""

import pandas as pd
import pytest

from sparsenn_book.records.closure import closure
from sparsenn_book.studies.l1_path import figures, sentences
from sparsenn_book.studies.l1_path.arrangement import arranged
from sparsenn_book.studies.l1_path.claims import UNFINISHED, least
from sparsenn_book.studies.l1_path.learned import complete, learned
from sparsenn_book.studies.l1_path.recorded import recorded_runs
from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_book.studies.l1_path.zeroing import THRESHOLDS, zeroed

WIDE = "multi_channel"


def of(table, student=WIDE):
    return table[table["student"] == student]


@pytest.fixture(scope="module")
def cut(made):
    kinds = ("ended", "found", "weights", "minimisers")
    return zeroed(Objective(), *(table for kind in kinds for table in made.of(kind, WIDE)))


@pytest.fixture
def wakes():
    rows = [
        {"penalty": p, "seed": s, "predicted_epoch": 10.0 * s, "dead_layers": 1, "zero_error": 5.0,
         "woke_epoch": 10.0 * s + 1 if p == "l1" and s < 3 else float("nan"),
         "outcome": "recovered" if p == "l1" and s < 3 else "dead"}
        for p in ("none", "l1", "l2") for s in (1, 2, 3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_every_run_is_one_mark_and_unfinished_ones_are_open(made):
    runs = of(made.runs).copy()
    runs.loc[runs.index[:5], "status"] = "stopped early"
    figure = figures.objectives(of(recorded_runs()), runs, of(least(made.minima).reset_index()), "title")
    marks = {t.name: t for t in figure.data if t.mode == "markers"}
    counts = pd.Series({n: sum(len(t.x) for t in figure.data if t.name == n) for n in marks})
    assert counts["recorded"] == len(of(recorded_runs()))
    assert counts["run again, stopped by itself"] == 5
    assert counts["run again, used up its 2 epochs"] == len(runs) - 5
    assert marks["run again, used up its 2 epochs"].marker.symbol == "square-open"
    assert marks["run again, stopped by itself"].marker.symbol == "square"
    assert [t.showlegend is not False for t in figure.data].count(True) == 4


def test_bars_add_up_to_all_runs(made):
    figure = figures.outcomes(of(recorded_runs()), of(made.runs), "title")
    assert figure.layout.barmode == "stack"
    heights = pd.Series(0.0, index=pd.MultiIndex.from_product([range(6), figures.ACTIVATIONS]))
    for bar in figure.data:
        row = int((bar.yaxis or "y").removeprefix("y") or 1)
        if row % 2 == 0:  # the right-hand panels: run again
            for x, y in zip(bar.x, bar.y, strict=True):
                heights[x, figures.ACTIVATIONS[row // 2 - 1]] += y
    assert heights.tolist() == pytest.approx([1.0] * 18)


def test_curves_have_a_median_for_each_penalty_and_activation(made):
    curves = pd.concat(made.of("curves", WIDE))
    figure = figures.training_curves(curves, "epoch loss", "title", "y", log=True)
    assert len([t for t in figure.data if t.mode == "lines" and t.fill is None]) == 9


def test_heat_map_shows_the_teacher_and_six_minimisers(made):
    rows = arranged(Objective(), *made.of("found", WIDE), *made.of("minimisers", WIDE))
    shown = figures.heat_maps(rows).data[0]
    assert len(shown.z) == len(shown.y) == 7
    assert len(shown.z[0]) == 52
    assert "not zero: " in sentences.of_weights(rows)


def test_each_threshold_shows_its_own_marks(cut):
    figure = figures.zeroing(cut)
    (slider,) = figure.layout.sliders
    assert len(slider.steps) == len(THRESHOLDS)
    for number, step in enumerate(slider.steps):
        visible = step.args[0]["visible"]
        assert len(visible) == len(figure.data)
        kept = [k for trace, on in zip(figure.data, visible, strict=True) if on for k in trace.x]
        here = cut[
            (cut["threshold"] == THRESHOLDS[number]) & ~((cut["kind"] == "minimiser") & (cut["penalty"] == "l2"))
        ]
        assert sorted(kept) == sorted(here["kept"])
    assert [bool(t.visible) for t in figure.data] == slider.steps[slider.active].args[0]["visible"]


def test_waking_marks_those_that_woke(wakes):
    curves = pd.DataFrame(
        [(p, s, e, 5.0) for p in ("none", "l1", "l2") for s in (1, 2, 3) for e in (1, 2)],
        columns=["penalty", "seed", "epoch", "value"],
    )
    figure = figures.waking(wakes, curves)
    assert len([t for t in figure.data if t.mode == "lines"]) == 9
    (predicted,) = [t for t in figure.data if t.mode == "markers"]
    assert list(predicted.x) == [10.0, 20.0]
    assert len(figures.waking_time(wakes).data[1].x) == 2
    asleep = wakes.assign(woke_epoch=float("nan"))
    assert len(figures.waking_time(asleep).data[1].x) == 0
    assert "no" in sentences.of_waking_time(asleep).lower()


def test_sentences_count(made, wakes, cut):
    assert f"{len(made.runs)} runs. 0 of them stopped by themselves" in sentences.of_runs(made.runs)
    ended = made.runs.assign(status="stopped early")
    assert f"{len(made.runs)} of them stopped by themselves; the other 0" in sentences.of_runs(ended)
    assert "2 of 3" in sentences.of_waking(wakes, 30)
    assert "none without a penalty or under L2" in sentences.of_waking(wakes, 30)
    assert "2 recovered" in sentences.of_waking(wakes, 30)
    assert "1 never woke; 0 of them had a predicted epoch past the end." in sentences.of_waking(wakes, 30)
    assert "9.1690·10⁻⁵" in sentences.of_bound(1e-5) or "9.169·10⁻⁵" in sentences.of_bound(1e-5)
    assert "7 with relu" in sentences.of_minima(made.minima, 1e-5)
    assert "relu: recorded" in sentences.of_losses(made.runs, made.minima, WIDE)
    assert "none fits" in sentences.of_losses(made.runs, made.minima, WIDE)
    assert "8.7024" in sentences.of_distance(
        pd.DataFrame({"name": ["distance of the copy", "distance of zero"], "value": [8.7024, 7.0249]})
    )
    assert len(sentences.least_table(made.minima)) == 12
    assert sentences.of_zeroing(cut).startswith("No L1 run of this page fits")
    fitting = cut.assign(unexplained=0.001)
    assert sentences.of_zeroing(fitting).startswith("12 L1 runs of 52 weights fit")
    assert f"{made.runs['weights'].sum():,} weights trained here" in sentences.of_sparsity(made.runs)
    assert "72 runs were still training" in sentences.of_fates(made.runs)


def test_what_we_learned_is_of_full_scale_where_that_is_there(made, wakes):
    tables = {"runs": made.runs, "minima": made.minima, "wakes": wakes}
    assert complete(tables)
    assert learned(tables, "", {}, "smoke").startswith("At full scale:")
    assert "made by older code" in learned(tables, "made by older code", {}, "laptop").splitlines()[0]
    assert "profile laptop" in learned({}, "", tables, "laptop")
    assert "the end of this page" in learned({}, "", {}, "laptop")
    assert "trains too little" in learned({}, "", tables, "smoke")
    assert learned({}, "", tables, "full").startswith("At full scale:")
    old = {"runs": made.runs.drop(columns="activation"), "minima": made.minima, "wakes": wakes}
    assert not complete(old)


def test_what_we_learned_follows_its_rows(made, wakes):
    runs = made.runs.assign(status="stopped early", outcome="recovered")
    said = learned({}, "", {"runs": runs, "minima": made.minima, "wakes": wakes}, "laptop")
    assert "12 have found the teacher and 0 fit" in said
    assert "2 of 3" in said
    lost = made.runs.assign(status=UNFINISHED, outcome="collapsed")
    said = learned({}, "", {"runs": lost, "minima": made.minima, "wakes": wakes}, "laptop")
    assert "0 have found the teacher" in said
    assert "0 fit with other weights, 0 of these still training" in said
    late = learned({}, "", {"runs": lost.assign(outcome="fitted"), "minima": made.minima, "wakes": wakes}, "laptop")
    assert "12 fit with other weights, 12 of these still training" in late


def test_no_table_depends_on_claims_figures_or_sentences():
    study = "sparsenn_book.studies.l1_path"
    makers = ("training", "minimisers", "evaluation", "waking", "arrangement", "zeroing", "faults")
    modules = set(closure([f"{study}.{name}" for name in makers]))
    assert not modules & {study, *(f"{study}.{n}" for n in ("claims", "figures", "sentences", "learned", "recorded"))}
    # what a change of one experiment makes old
    trains = closure([f"{study}.training", f"{study}.minimisers", f"{study}.waking"])
    assert "sparsenn_core.recovery" not in trains
    assert f"{study}.waking" not in closure([f"{study}.training", f"{study}.minimisers", f"{study}.evaluation"])
