"""Figures of the compressive sensing chapter, each from its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import AXIS, Style, style
from sparsenn_book.figures.theme import band, figure, line, panels, points
from sparsenn_book.studies.compressive_sensing.differences import DRAW
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING
from sparsenn_book.studies.compressive_sensing.measures import spoken
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, ORACLE

LOOKS: dict[str, Style] = {name: style(i) for i, name in enumerate(("EGP", *BASELINES, ORACLE))}
GRADIENTS: dict[str, Style] = {
    "EGP": style(0),
    "EGP, descent": style(6),
    **{name: style(1 + i) for i, name in enumerate(REFITTING)},
    "REINFORCE with weights": style(7),
    "straight-through": style(5),
}
"""One colour an estimator; EGP by another optimiser, and REINFORCE with weights, have another pattern."""
SIDES = {
    "gates alone, refitted at every sample": ("EGP", "EGP, descent", *REFITTING),
    "weights and gates together, Adam": ("EGP", "straight-through", "REINFORCE with weights"),
}
BAND = (0.3, 0.7)
SNR = "signal-to-noise ratio"
ZERO = {"color": AXIS, "dash": "solid", "width": 1.5}


def curves(
    rows: pd.DataFrame, methods: Sequence[str], column: str, title: str, y: str, alt: str, *, from_zero: bool = True
) -> go.Figure:
    """Median over draws of one metric against the signal-to-noise ratio, with the 30 to 70 % band.

    `rows` have columns family, snr, method and `column`; one panel a family, each with its own vertical axis,
    which starts at 0 unless `from_zero` is off.
    """
    names = list(dict.fromkeys(rows["family"]))
    fig = panels(title, names, SNR, y, alt)
    for place, family in enumerate(names, start=1):
        for method in methods:
            some = rows[(rows["family"] == family) & (rows["method"] == method)]
            wide = some.groupby("snr")[column]
            low, middle, high = wide.quantile(BAND[0]), wide.median(), wide.quantile(BAND[1])
            band(fig, middle.index, low, high, method, LOOKS[method], row=place, col=1)
            _marked_line(fig, middle.index, middle, method, LOOKS[method], place)
    fig.update_yaxes(matches=None, rangemode="tozero" if from_zero else "normal")
    return _ratios(fig, rows["snr"])


def differences(cells: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """Median of the paired ratios of errors in percent with its interval, against the signal-to-noise ratio.

    `cells` have columns family, snr, other, value, low, high, in logarithms; one panel for each other method.
    """
    others, families = list(dict.fromkeys(cells["other"])), list(dict.fromkeys(cells["family"]))
    fig = panels(title, [f"EGP against {other}" for other in others], SNR, "difference (%)", alt, columns=2)
    for place, other in enumerate(others):
        at = {"row": place // 2 + 1, "col": place % 2 + 1}
        for i, family in enumerate(families):
            some = cells[(cells["other"] == other) & (cells["family"] == family)]
            value, low, high = (100 * np.expm1(some[name]) for name in ("value", "low", "high"))
            band(fig, some["snr"], low, high, family, style(i), **at)
            _marked_line(fig, some["snr"], value, family, style(i), **at)
            fig.data[-1].update(showlegend=place == 0)
        fig.add_hline(y=0, line=ZERO, **at)
    return _ratios(fig, cells["snr"]).update_yaxes(ticksuffix=" %", title_text="difference")


def excess(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """How far each method's best objective is above the best known, against lambda0, one panel a family.

    `rows` have columns family, method, lambda0_share, value.
    """
    names = list(dict.fromkeys(rows["family"]))
    fig = panels(title, names, "λ<sub>0</sub> / largest useful λ<sub>0</sub>", "excess", alt)
    for place, family in enumerate(names, start=1):
        for method in dict.fromkeys(rows["method"]):
            some = rows[(rows["family"] == family) & (rows["method"] == method)]
            _marked_line(fig, some["lambda0_share"], some["value"], method, LOOKS[method], place)
    fig.update_yaxes(tickformat=".2~p", rangemode="tozero", matches=None)
    return fig.update_xaxes(type="log", dtick=1)


def parts(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """What changing a part of EGP does to its error in percent, with intervals, one panel for each region of ratios.

    `rows` have columns variant, region, value, low, high: the mean of ln(error of EGP / error of the variant).
    """
    regions, variants = list(dict.fromkeys(rows["region"])), list(dict.fromkeys(rows["variant"]))
    fig = panels(title, [f"ratios {region}" for region in regions], "change of the error (%)", "variant", alt,
                 columns=len(regions))  # fmt: skip
    for column, region in enumerate(regions, start=1):
        some = rows[rows["region"] == region].set_index("variant").reindex(variants)
        value, high, low = (100 * np.expm1(-some[name]) for name in ("value", "low", "high"))
        points(fig, value, variants, region, style(0), row=1, col=column)
        bars = {"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "width": 4}
        fig.data[-1].update(error_x=bars, showlegend=False)
        fig.add_vline(x=0, line=ZERO, row=1, col=column)
    fig.update_xaxes(ticksuffix=" %", matches=None)
    return fig.update_yaxes(autorange="reversed", title_text="", type="category").update_layout(height=440)


def descents(rows: pd.DataFrame, ends: pd.DataFrame, column: str, title: str, x: str, alt: str) -> go.Figure:
    """Objective over that of the true support, a median over draws with the 30 to 70 % band, against steps or seconds.

    `rows` have columns family, repetition, method, step, seconds, objective, of one family; `ends` those of the true
    support. The study's sampled gradients on one side, those with weights on the other.
    """
    truth = ends[ends["method"] == ORACLE].set_index(DRAW)["objective"].rename("truth")
    some = rows[rows["step"] > 0].join(truth, on=DRAW)
    some = some.assign(value=some["objective"] / some["truth"])
    fig = panels(title, list(SIDES), x, "objective / that of the true support", alt, columns=2)
    shown = next(iter(SIDES.values()))
    for place, methods in enumerate(SIDES.values(), start=1):
        for method in methods:
            wide = some[some["method"] == method].groupby("step")
            at, low, high = wide[column].median(), wide["value"].quantile(BAND[0]), wide["value"].quantile(BAND[1])
            band(fig, at, low, high, method, GRADIENTS[method], row=1, col=place)
            line(fig, at, wide["value"].median(), method, GRADIENTS[method], row=1, col=place)
            fig.data[-1].update(showlegend=place == 1 or method not in shown)
    return fig.update_xaxes(type="log").update_yaxes(type="log", dtick="D2").update_layout(height=460)


def sizes(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """CPU seconds of each method against the number of coefficients, medians over draws, both axes logarithmic."""
    fig = figure(title, "coefficients p", "seconds", alt)
    for method in ("EGP", *BASELINES):
        middle = rows[rows["method"] == method].groupby("p")["seconds"].median()
        line(fig, middle.index, middle, method, LOOKS[method])
        fig.data[-1].update(mode="lines+markers", marker=_marker(LOOKS[method]))
    values = sorted(set(rows["p"]))
    fig.update_xaxes(type="log", tickvals=values, ticktext=[f"{value:,}" for value in values])
    return fig.update_yaxes(type="log", dtick=1)


def variations(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """Relative test error of each method in each family, geometric means over draws and ratios."""
    families = list(dict.fromkeys(rows["family"]))
    fig = figure(title, "relative test error (error / σ<sup>2</sup>)", "predictors and coefficients", alt)
    for method in ("EGP", *BASELINES, ORACLE):
        some = rows[rows["method"] == method]
        means = np.exp(np.log(some["rte"]).groupby(some["family"]).mean()).reindex(families)
        points(fig, means, [spoken(family) for family in families], method, LOOKS[method])
    fig.update_yaxes(autorange="reversed", title_text="", type="category")
    return fig.update_xaxes(type="log", tickvals=[1, 1.2, 1.5, 2, 3, 4, 6]).update_layout(height=440)


def _marked_line(fig: go.Figure, x: pd.Series, y: pd.Series, name: str, look: Style, row: int, col: int = 1) -> None:
    line(fig, x, y, name, look, row=row, col=col)
    fig.data[-1].update(mode="lines+markers", marker=_marker(look), showlegend=row == col == 1)


def _marker(look: Style) -> dict[str, object]:
    return {"symbol": look.marker, "color": look.color, "size": 6}


def _ratios(fig: go.Figure, snr: pd.Series) -> go.Figure:
    """A logarithmic axis whose ticks are ratios that were measured, as many as have room for a label."""
    measured = sorted(set(snr))
    apart = (measured[-1] / measured[0]) ** (1 / 12)
    values = measured[:1]
    for value in measured[1:]:
        if value >= apart * values[-1]:
            values.append(value)
    return fig.update_xaxes(type="log", tickvals=values, ticktext=[f"{v:g}" for v in values])
