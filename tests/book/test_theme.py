"""Figures: told apart without colour vision, readable on light and dark pages, described in words."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from sparsenn_book import figures
from sparsenn_book.figures.palette import DASHES, MARKERS, PALETTE, ROLES
from sparsenn_book.figures.theme import NAME, NAME_LETTERS, NAME_LINE, panels
from sparsenn_core.errors import InputError

LIGHT, DARK = "#ffffff", "#121212"
# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
# Ottosson (2020): linear RGB to OKLab, where equal distances look about equally different.
TO_CONES = [
    [0.41222147, 0.53633254, 0.05144599],
    [0.2119035, 0.68069955, 0.10739696],
    [0.08830246, 0.28171884, 0.6299787],
]
TO_LAB = [
    [0.21045426, 0.79361779, -0.00407205],
    [1.9779985, -2.4285922, 0.45059371],
    [0.02590404, 0.78277177, -0.80867577],
]


def linear(color: str) -> np.ndarray:
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    return np.array(TO_LAB) @ np.cbrt(np.array(TO_CONES) @ np.clip(rgb, 0, 1))


def contrast(one: str, other: str) -> float:
    """W3C contrast ratio of two colours."""
    dark, light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] + 0.05 for c in (one, other))
    return light / dark


def test_contrast_knows_the_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


@pytest.mark.parametrize("color", PALETTE)
def test_colours_can_be_seen_on_light_and_dark_pages(color: str) -> None:
    assert contrast(color, LIGHT) >= 3
    assert contrast(color, DARK) >= 3


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart_for_every_vision(vision: str) -> None:
    seen = {color: lab(np.array(VISION[vision]) @ linear(color)) for color in PALETTE}
    apart = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(PALETTE, 2)}
    assert min(apart.values()) > 0.07, min(apart, key=lambda pair: apart[pair])


@pytest.mark.parametrize("vision", VISION)
def test_no_category_looks_like_a_role(vision: str) -> None:
    """For full vision they differ as categories do among themselves, for others at least a little, and by marker."""
    seen = {
        color: lab(np.array(VISION[vision]) @ linear(color)) for color in (*PALETTE, *(s.color for s in ROLES.values()))
    }
    apart = {
        (one, role.color): np.linalg.norm(seen[one] - seen[role.color]) for one in PALETTE for role in ROLES.values()
    }
    assert min(apart.values()) > (0.09 if vision == "full" else 0.04), min(apart, key=lambda pair: apart[pair])
    assert not set(MARKERS) & {role.marker for role in ROLES.values()}


@pytest.mark.parametrize("role", ROLES)
def test_roles_can_be_seen_on_light_and_dark_pages(role: str) -> None:
    assert contrast(ROLES[role].color, LIGHT) >= 3
    assert contrast(ROLES[role].color, DARK) >= 3


def test_series_differ_in_colour_and_in_a_second_cue() -> None:
    styles = [figures.style(i) for i in range(36)]
    assert len({(s.color, s.dash) for s in styles}) == 36
    assert len({(s.color, s.marker) for s in styles}) == 36
    first = styles[: len(PALETTE)]
    assert {s.dash for s in first} == set(DASHES)
    assert {s.marker for s in first} == set(MARKERS)
    for one, other in itertools.combinations(ROLES.values(), 2):
        assert one.color != other.color
        assert one.dash != other.dash
        assert one.marker != other.marker


def test_the_import_changes_no_default() -> None:
    code = (
        "import plotly.io as p; a = p.templates.default; import sparsenn_book.figures; assert p.templates.default == a"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert NAME in pio.templates


def test_every_text_of_a_figure_is_asked_for() -> None:
    good = {"title": "Loss", "x": "time (epochs)", "y": "loss", "alt": "The loss falls."}
    for name in good:
        with pytest.raises(InputError, match=f"{name} is empty"):
            figures.figure(**good | {name: " "})
    fig = figures.figure(**good)
    assert fig.layout.meta["alt"] == "The loss falls."
    assert fig.layout.xaxis.title.text == "time (epochs)"
    assert fig.layout.template.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


def test_series_bands_and_levels_share_one_legend_entry_and_survive_json() -> None:
    fig = figures.figure("Loss", "time (epochs)", "loss", "It falls.")
    figures.line(fig, np.arange(3), np.array([3.0, 2.0, 1.0]), "run", 0)
    figures.band(fig, np.arange(3), [2, 1, 0], [4, 3, 2], "run", 0)
    figures.points(fig, [0, 1], [3, 2], "recorded", "recorded", low=[2, 1.5], high=[5, 2.5])
    figures.level(fig, 1.0, "minimum")
    back = pio.from_json(fig.to_json())
    band, points = back.data[1], back.data[2]
    assert [trace.showlegend for trace in back.data] == [None, False, None]
    assert band.legendgroup == back.data[0].legendgroup
    assert list(band.x) == [0, 1, 2, 2, 1, 0]
    assert list(band.y) == [4, 3, 2, 0, 1, 2]
    assert list(points.error_y.array) == [2, 0.5]
    assert list(points.error_y.arrayminus) == [1, 0.5]
    assert back.layout.shapes[0].label.text == "minimum"


def test_unequal_lengths_and_unknown_roles_are_refused() -> None:
    fig = figures.figure("Loss", "time", "loss", "It falls.")
    with pytest.raises(InputError, match="did you mean 'minimiser'"):
        figures.line(fig, [1], [1], "a", "minimizer")
    with pytest.raises(ValueError, match="shorter"):
        figures.points(fig, [1, 2], [1, 2], "a", low=[0, 0], high=[3])


def test_panels_side_by_side_keep_a_least_width_and_stacked_ones_none() -> None:
    texts = {"title": "T", "x": "x", "y": "y", "alt": "A."}
    row = figures.panels(names=["a", "b", "c"], columns=3, **texts)
    column = figures.panels(names=["a", "b", "c"], columns=1, **texts)
    assert row.layout.meta["min_width"] > 390
    assert "min_width" not in column.layout.meta
    assert row.layout.meta["alt"] == column.layout.meta["alt"] == "A."
    assert [axis.title.text for axis in row.select_yaxes()].count("y") == 1
    figures.line(row, [1], [1], "a", row=1, col=3)
    assert isinstance(row.data[0], go.Scatter)
    assert row.data[0].xaxis == "x3"
    with pytest.raises(InputError, match="at least 1"):
        figures.panels(names=[], columns=1, **texts)


def test_long_names_of_panels_side_by_side_are_set_in_lines_and_make_room() -> None:
    short, long = "one name", "a name that is far too long for half the width of a telephone"
    grids = [
        panels("A title", names, "x", "y", "What is seen.", columns=2) for names in ([short] * 4, [short, long] * 2)
    ]
    names = [annotation.text for annotation in grids[1].layout.annotations]
    assert names[0] == short
    assert names[1].replace("<br>", " ") == long
    assert max(len(part) for part in names[1].split("<br>")) <= NAME_LETTERS
    assert grids[1].layout.height > grids[0].layout.height
    gaps = [(fig.layout.yaxis.domain[0] - fig.layout.yaxis3.domain[1]) * (fig.layout.height - 152) for fig in grids]
    assert gaps[1] - gaps[0] > NAME_LINE
    alone = panels("A title", [long], "x", "y", "What is seen.")
    assert alone.layout.annotations[0].text == long
