"""Figures of the compressive sensing chapter, each from its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import ROLES, Style, style
from sparsenn_book.figures.theme import band, figure, level, line, panels, points

LOOKS: dict[str, Style] = {
    "EGP": style(0),
    "lasso": style(1),
    "relaxed lasso": style(3),
    "forward stepwise": style(4),
    "IHT": style(5),
    "true support": ROLES["theory"],
}
BAND = (0.3, 0.7)
SNR = "signal-to-noise ratio"


def curves(
    rows: pd.DataFrame, methods: Sequence[str], column: str, title: str, y: str, alt: str, *, from_zero: bool = True
) -> go.Figure:
    """Median over repetitions of one metric against the signal-to-noise ratio, with the 30 to 70 % band.

    `rows` have columns setting, snr, method and `column`; one panel a setting, each with its own vertical axis,
    which starts at 0 unless `from_zero` is off.
    """
    names = list(dict.fromkeys(rows["setting"]))
    fig = panels(title, names, SNR, y, alt)
    for place, setting in enumerate(names, start=1):
        for method in methods:
            some = rows[(rows["setting"] == setting) & (rows["method"] == method)]
            wide = some.groupby("snr")[column]
            low, middle, high = wide.quantile(BAND[0]), wide.median(), wide.quantile(BAND[1])
            look = LOOKS[method]
            band(fig, middle.index, low, high, method, look, row=place, col=1)
            line(fig, middle.index, middle, method, look, row=place, col=1)
            fig.data[-1].update(mode="lines+markers", marker={"symbol": look.marker, "color": look.color, "size": 6})
            fig.data[-1].update(showlegend=place == 1)
    fig.update_yaxes(matches=None, rangemode="tozero" if from_zero else "normal")
    return _ratios(fig, rows["snr"])


def differences(cells: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """Median of the paired log ratios with its interval, against the signal-to-noise ratio, one panel a setting.

    `cells` have columns setting, snr, other, value, low, high. Methods stand side by side at each ratio.
    """
    names, others = list(dict.fromkeys(cells["setting"])), list(dict.fromkeys(cells["other"]))
    fig = panels(title, names, SNR, "ln(error of EGP / error of the other)", alt)
    for place, setting in enumerate(names, start=1):
        for i, other in enumerate(others):
            some = cells[(cells["setting"] == setting) & (cells["other"] == other)]
            x = some["snr"] * 1.12 ** (i - (len(others) - 1) / 2)
            points(fig, x, some["value"], other, LOOKS[other], low=some["low"], high=some["high"], row=place, col=1)
            fig.data[-1].update(showlegend=place == 1)
        level(fig, 0.0, "same error", row=place, col=1)
    fig.update_yaxes(matches=None, title_text="ln of the ratio")
    # room on the right for the name of the line
    ends = np.log10([cells["snr"].min() / 1.6, cells["snr"].max() * 3])
    return _ratios(fig, cells["snr"]).update_xaxes(range=list(ends))


def excess(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """How far each method's best objective is above the best known, against lambda0, one panel a setting.

    `rows` have columns setting, method, lambda0_share, value.
    """
    names = list(dict.fromkeys(rows["setting"]))
    fig = panels(title, names, "λ<sub>0</sub> / largest useful λ<sub>0</sub>", "excess", alt)
    for place, setting in enumerate(names, start=1):
        for method in dict.fromkeys(rows["method"]):
            some = rows[(rows["setting"] == setting) & (rows["method"] == method)]
            look = LOOKS[method]
            line(fig, some["lambda0_share"], some["value"], method, look, row=place, col=1)
            fig.data[-1].update(mode="lines+markers", marker={"symbol": look.marker, "color": look.color, "size": 6})
            fig.data[-1].update(showlegend=place == 1)
    fig.update_yaxes(tickformat=".2~p", rangemode="tozero", matches=None)
    return fig.update_xaxes(type="log", dtick=1)


def parts(rows: pd.DataFrame, title: str, alt: str) -> go.Figure:
    """Mean log ratio of EGP's error and that of its variants, with intervals, below and above a ratio of 1.

    `rows` have columns variant, region, value, low, high.
    """
    variants = list(dict.fromkeys(rows["variant"]))
    fig = figure(title, "ln(error of EGP / error of the variant)", "variant", alt)
    for i, (region, some) in enumerate(rows.groupby("region", sort=False)):
        place = [variants.index(variant) + (0.12 if i else -0.12) for variant in some["variant"]]
        points(fig, some["value"], place, region, i)
        bars = {
            "type": "data", "symmetric": False, "array": some["high"] - some["value"],
            "arrayminus": some["value"] - some["low"], "thickness": 1.5, "width": 4,
        }  # fmt: skip
        fig.data[-1].update(error_x=bars)
    fig.add_vline(x=0, line={"color": ROLES["theory"].color, "dash": ROLES["theory"].dash, "width": 1.5})
    ticks = {"tickvals": list(range(len(variants))), "ticktext": variants}
    return fig.update_yaxes(**ticks, range=[len(variants) - 0.5, -0.5])


def _ratios(fig: go.Figure, snr: pd.Series) -> go.Figure:
    """A logarithmic axis whose ticks are the ratios that were measured."""
    values = sorted(set(snr))
    return fig.update_xaxes(type="log", tickvals=values, ticktext=[f"{v:g}" for v in values])
