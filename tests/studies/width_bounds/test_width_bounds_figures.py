"""Figures of the width chapter from small made-up rows: what is drawn where, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds import figures as draw


def _trace() -> pd.DataFrame:
    rows = [
        {"method": method, "seed": seed, "step": step, "name": name, "value": 1.0 + step + seed}
        for method in ("PathProx", "no decay")
        for seed in (49, 50)
        for step in (0, 1, 10, 100)
        for name in draw.TRACE
    ]
    return pd.DataFrame(rows)


def test_training_draws_every_run_once_a_panel_and_names_each_method_once() -> None:
    recorded = pd.DataFrame({"method": "PathProx", "step": [1, 11], "name": "active", "value": [100.0, 90.0]})
    fig = draw.training(_trace(), recorded, 49, "words")
    lines = [t for t in fig.data if t.mode == "lines"]
    assert len(lines) == 3 * 4
    assert all(min(t.x) > 0 for t in fig.data)  # step 0 has no place on a log axis
    named = [t.name for t in fig.data if t.showlegend]
    assert sorted(named) == ["PathProx", "no decay", "recorded"]
    diamonds = next(t for t in fig.data if t.name == "recorded")
    assert list(diamonds.y) == [100.0, 90.0]
    assert fig.layout.meta["alt"] == "words"


def test_neurons_below_the_studys_size_are_not_drawn_and_area_follows_size() -> None:
    rows = pd.DataFrame(
        {
            "method": "PathProx",
            "output": [1, 1, 1, 2],
            "theta": [0.1, 1.0, 2.0, 1.0],
            "offset": [0.0, 0.5, 1.0, 0.5],
            "size": [1e-4, 0.04, 0.16, 0.01],
        }
    )
    fig = draw.neurons(rows, "words")
    first, second = fig.data
    assert list(first.x) == [1.0, 2.0]
    assert list(second.x) == [1.0]
    area = np.square(first.marker.size)
    assert area[1] / area[0] == 4


def test_histograms_count_every_repetition_within_its_panel() -> None:
    certified = pd.DataFrame(
        {"rank": [2] * 4 + [20] * 4, "width": [2, 3, 3, 3, 70, 80, 81, 90]}
        | {"lower": [2] * 4 + [20] * 4, "sharp": [3] * 4 + [210] * 4, "product": [4] * 4 + [400] * 4}
    )
    recorded = pd.DataFrame({"rank": [2] * 3, "active": [2, 3, 200]})
    fig = draw.histograms(
        certified,
        recorded,
        [{"name": "two", "where": {"rank": 2}}, {"name": "twenty", "where": {"rank": 20}}],
        [{"name": "", "where": {}}],
        "title",
        "words",
    )
    bars = [t for t in fig.data if t.type == "bar"]
    assert [sum(b.y) for b in bars] == [1, 1]
    assert list(bars[0].x) == [2, 3]
    outline = next(t for t in fig.data if t.name == "recorded")
    assert sum(outline.y) == 1  # the count far off the axis is drawn at its end, not dropped
    bounds = {t.name: t.x[0] for t in fig.data if t.name and t.name.startswith("r<sub>")}
    assert sorted(bounds.values()) == [210, 400]
    assert sum(bool(t.showlegend) for t in fig.data) == 5


def test_balance_and_shares_and_spectra_hold_their_rows() -> None:
    rows = pd.DataFrame({"method": "no decay", "seed": [1, 1, 2, 2], "step": [0, 9, 0, 9], "value": [1.0, 0.9, 1, 0.8]})
    law = pd.DataFrame({"step": [0, 9], "value": [1.0, 0.5]})
    fig = draw.balance(rows, law, "words")
    assert [list(t.y) for t in fig.data] == [[1.0, 0.9], [1.0, 0.8], [1.0, 0.5]]
    shares = pd.DataFrame({"width": [7, 8], "neurons": 3, "value": [0.4, 0.5], "low": [0.3, 0.4], "high": [0.5, 0.6]})
    marks = draw.brute_force(shares, "words").data[0]
    np.testing.assert_allclose(marks.error_y.array, 0.1)
    spectrum = pd.DataFrame({"matrix": "a", "index": [1, 2, 3], "value": [1.0, 1e-3, 0.0]})
    drawn = draw.spectra(spectrum, (1e-4,), "words")
    assert min(drawn.data[0].y) > 0  # a zero singular value stays on the log axis
    assert len(drawn.layout.shapes) == 1
