"""Figures of the multi-task lasso: how many neurons solutions use, the brute-force problems, and spectra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import ROLES, Style
from sparsenn_book.figures.theme import figure, level, line, panels, points
from sparsenn_book.records.words import ten
from sparsenn_book.studies.width_bounds import recorded
from sparsenn_book.studies.width_bounds.claims_of_proofs import distinct
from sparsenn_book.studies.width_bounds.comparison import COLUMN
from sparsenn_book.studies.width_bounds.figures.looks import BOUNDS, METHODS, PATTERNS
from sparsenn_book.studies.width_bounds.numerical_ranks import STUDENT, TOLERANCES

NAMES = {"dimension": "N = {}", "rank": "r<sub>x</sub> = {}"}
VERSIONS = {"coded": "D = r<sub>x</sub>, as coded", "titled": "D = 10, as titled"}
MADE_UP = range(2, 6)  # categories of the features that no rule trained


def histograms(which: str, certified: pd.DataFrame) -> go.Figure:
    """Neurons used by certified solutions (bars) and recorded counts (outline), one panel for each setting of the
    study's figure `which` and reading of its code; vertical lines at the bounds and at the study's upper line.
    """
    column = COLUMN[which]
    solves = recorded.solves()
    solves = solves[solves["figure"] == which]
    settings, versions = certified[column].unique(), certified["version"].unique()
    names = [_named(which, s, v, len(versions)) for s in settings for v in versions]
    reps = certified.groupby([column, "version"]).size().max()
    title = f"Neurons used by the sparsest solution, {reps} problems each"
    fig = panels(title, names, "neurons used", "share of problems", _told(which, certified), columns=len(versions))
    for i, setting in enumerate(settings, start=1):
        for j, version in enumerate(versions, start=1):
            ours = certified[(certified[column] == setting) & (certified["version"] == version)]
            theirs = solves[solves[column] == setting] if version == "coded" else solves[:0]
            drawn = 10.0 * setting + 1 if which == "dimension" else 10.0 * setting
            _panel(fig, ours, theirs, drawn, {"row": i, "col": j})
    fig.update_xaxes(title_text="")
    for j in range(1, len(versions) + 1):
        fig.update_xaxes(title_text="neurons used", row=len(settings), col=j)
    fig.update_yaxes(tickformat=".0%")
    # room for a legend of two lines above the names of the first panels
    fig.update_layout(height=176 + 200 * len(settings), margin_t=112, legend_y=1 + 0.13 / len(settings))
    return fig.update_layout(bargap=0.0)


def _named(which: str, setting: int, version: str, versions: int) -> str:
    return NAMES[which].format(setting) + (f" · {VERSIONS[version]}" if versions > 1 else "")


def _told(which: str, certified: pd.DataFrame) -> str:
    """Least, mean and largest count of each panel, and its bounds."""
    told = [
        f"{_named(which, setting, version, 2 if which == 'rank' else 1)}: {some['width'].min()} to "
        f"{some['width'].max()} neurons, mean {some['width'].mean():.1f}, bounds {some['lower'].iloc[0]}, "
        f"{some['sharp'].iloc[0]} and {some['product'].iloc[0]}"
        for (setting, version), some in certified.groupby([COLUMN[which], "version"], sort=False)
    ]
    text = f"Histograms of neurons used. {'; '.join(told)}."
    return text.replace("<sub>", "").replace("</sub>", "")


def _panel(fig: go.Figure, ours: pd.DataFrame, theirs: pd.DataFrame, drawn: float, place: dict[str, int]) -> None:
    """One histogram; `drawn` is where the study draws its upper line."""
    bounds = {name: float(ours[name].iloc[0]) for name in ("lower", "sharp", "product")} | {"drawn": drawn}
    edges = _edges(max(bounds["product"], bounds["drawn"]))
    _bars(fig, ours["width"], edges, place)
    if len(theirs):
        _outline(fig, theirs["active"], edges, place)
    _limits(fig, bounds, place)
    fig.update_xaxes(matches=None, showticklabels=True, range=[0, 1.01 * edges[-1]], **place)


def _edges(largest: float) -> np.ndarray:
    """Bin edges between whole numbers, so wide that about 100 bins reach from 0 past the largest bound."""
    wide = max(1, int(np.ceil(largest / 100)))
    return np.arange(0, 1.02 * largest + 2 * wide, wide) - 0.5


def _new(fig: go.Figure, name: str) -> bool:
    """Whether a series of that name has no place in the legend yet."""
    return all(trace.legendgroup != name for trace in fig.data)


def _bars(fig: go.Figure, counts: pd.Series, edges: np.ndarray, place: dict[str, int]) -> None:
    found, _ = np.histogram(counts, edges)
    used = found > 0
    middle = (edges[1:] + edges[:-1]) / 2
    bar = go.Bar(
        x=middle[used],
        y=found[used] / len(counts),
        width=edges[1] - edges[0],
        name="certified",
        legendgroup="certified",
        showlegend=_new(fig, "certified"),
        marker={"color": ROLES["minimiser"].color, "opacity": 0.85, "line": {"width": 0}},
    )
    fig.add_trace(bar, **place)


def _outline(fig: go.Figure, counts: pd.Series, edges: np.ndarray, place: dict[str, int]) -> None:
    """A stepped outline; counts beyond the axis stand in its last bin."""
    inside = np.clip(counts, None, edges[-1] - 0.5)
    found, _ = np.histogram(inside, edges)
    last = int(found.nonzero()[0].max()) + 2
    first = max(int(found.nonzero()[0].min()) - 1, 0)
    share = np.append(found, 0)[first : last + 1] / len(counts)
    new = _new(fig, "recorded")
    line(fig, edges[first : last + 1], share, "recorded", "recorded", **place)
    fig.data[-1].update(line={"shape": "hv", "dash": "solid", "width": 2}, showlegend=new)


def _limits(fig: go.Figure, bounds: dict[str, float], place: dict[str, int]) -> None:
    """Vertical lines at the bounds as traces, so that the legend can name them once for all panels."""
    top = max(np.max(trace.y) for trace in fig.data if trace.xaxis == fig.data[-1].xaxis)
    for name, (text, look) in BOUNDS.items():
        new = _new(fig, text)
        line(fig, [bounds[name]] * 2, [0, float(top)], text, look, **place)
        fig.data[-1].update(showlegend=new, hovertemplate=f"{text}: {bounds[name]:g}<extra></extra>")


def bounds(random: pd.DataFrame, boundary: pd.DataFrame) -> go.Figure:
    """Neurons used against the sharper bound: random problems (least to largest of each kind), problems built at the
    bound, and the recorded counts that no solution can have; kinds whose bound is no less than K are left out.
    """
    random = distinct(random)
    kinds = random[random["sharp"] < random["neurons"]].groupby(["samples", "neurons", "rank", "version"])
    some = kinds.agg(sharp=("sharp", "first"), low=("width", "min"), middle=("width", "median"), high=("width", "max"))
    failed = recorded.solves().query("failed")
    least = failed["rank"] * failed["outputs"] - failed["outputs"] * (failed["outputs"] - 1) / 2
    on, below = int((boundary["after"] == boundary["sharp"]).sum()), int((some["high"] <= some["sharp"]).sum())
    alt = (
        f"Neurons used against the sharper bound, logarithmic axes. {on} of {len(boundary)} problems built at the "
        f"bound lie on the diagonal, {below} of {len(some)} kinds of random problems do not pass it, and "
        f"{int((failed['active'] > least).sum())} recorded counts do."
    )
    fig = figure("Neurons used, and the sharper bound", "sharper bound", "neurons used", alt)
    ends = np.array([2.0, 1.2 * float(pd.concat([some["sharp"], boundary["sharp"]]).max())])
    line(fig, ends, ends, "as many as the bound", "theory")
    points(fig, some["sharp"], some["middle"], "random problems", 0, low=some["low"], high=some["high"])
    points(fig, boundary["sharp"], boundary["after"], "built at the bound, thinned out", "minimiser")
    points(fig, least, failed["active"], "recorded, impossible", "recorded")
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)


def brute_force(small: pd.DataFrame) -> go.Figure:
    """Stacked shares of problems by the number of neurons of their sparsest solution, one bar for each K."""
    shares = small.groupby("neurons")["width"].value_counts(normalize=True).unstack(fill_value=0.0)
    told = "; ".join(
        f"K = {k}: " + ", ".join(f"{n} neurons {share:.0%}" for n, share in row.items()) for k, row in shares.iterrows()
    )
    title, x = "The brute-force problems, by certificate", "neurons to choose from, K"
    fig = figure(title, x, "share of problems", f"Stacked bars. {told}.")
    for place, (count, column) in enumerate(shares.items()):
        pattern = {"shape": PATTERNS[place % len(PATTERNS)], "fillmode": "replace", "size": 7}
        marker = {"color": ROLES["minimiser"].color, "pattern": pattern, "line": {"width": 0}}
        fig.add_bar(x=column.index, y=column, name=f"{count} neurons", marker=marker)
        fig.data[-1].update(hovertemplate=f"K %{{x}}: {count} neurons %{{y:.1%}}<extra></extra>")
    fig.update_layout(barmode="stack", legend_traceorder="normal")
    return fig.update_yaxes(tickformat=".0%").update_xaxes(dtick=1)


def spectra(values: pd.DataFrame) -> go.Figure:
    """Singular values over the largest, on a log axis, one line for each `matrix`; levels at the tolerances."""
    ends = values.groupby("matrix", sort=False)["value"].last()
    told = ", ".join(f"{name} {end:.0e}" for name, end in ends.items())
    alt = f"Singular values of feature matrices over the largest; the least of each: {told}."
    fig = figure("Numerical rank is a count above a tolerance", "index", "singular value / largest", alt)
    looks = iter(MADE_UP)
    for name, some in values.groupby("matrix", sort=False):
        look = METHODS[name.removeprefix(STUDENT)] if name.startswith(STUDENT) else next(looks)
        line(fig, some["index"], some["value"].clip(lower=1e-18), name, look)
    for tolerance in TOLERANCES:
        level(fig, tolerance, f"tolerance {ten(tolerance, 0)[2:]}", Style("#666666", "dot", "circle"))
    # the names of the levels stand right of the lines
    fig.update_xaxes(range=[0, 1.15 * float(values["index"].max())]).update_layout(margin_t=112)
    return fig.update_yaxes(type="log", dtick=2, range=[-18, 0.3])
