"""Pictures of the chapter."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book import figures
from sparsenn_book.studies.bounds import recorded
from sparsenn_book.studies.bounds.search import CASES
from sparsenn_book.studies.bounds.selected import GOLOWICH, PLAIN, REFINED, STUDY, last, of_shown, shown
from sparsenn_book.studies.bounds.sentences import NAMES
from sparsenn_book.studies.bounds.students import fitting
from sparsenn_core.bounds.families import KINDS

PLOTTED = (STUDY, REFINED, GOLOWICH, "Graf et al., norms", "Ledent et al.", "Long and Sedghi, shape")
"""The curves of the study's figure, and the corrected bound."""
ERRORS = {"train_error": "training error", "test_error": "test error"}


def all_bounds(bounds: pd.DataFrame) -> go.Figure:
    """Every bound of one trained network, by kind, with a line at 1 and the study's figure beside."""
    place = shown(bounds)
    rows = last(of_shown(bounds, place)).dropna(subset=["log10"]).sort_values("log10", ascending=False)
    fig = _horizontal(
        f"All bounds of one trained network, CONV-{place[1]}-{place[2]}",
        "bound on the gap (logarithmic)",
        "A point for each bound on a logarithmic axis; all bounds by norms lie far to the right of 1.",
    )
    for number, kind in enumerate(KINDS):
        part = rows[rows["kind"] == kind]
        if len(part):
            figures.points(fig, part["value"], part["bound"], kind, number)
    known = [(2 ** c.end[-1], c.bound) for c in recorded.CURVES if c.bound in set(rows["bound"])]
    if known:
        figures.points(fig, [x for x, _ in known], [y for _, y in known], "study's figure, 1,000 channels", "recorded")
    fig.update_yaxes(categoryorder="array", categoryarray=list(rows["bound"]))
    return _with_one(fig).update_layout(height=180 + 26 * len(rows))


def training(bounds: pd.DataFrame, errors: pd.DataFrame) -> go.Figure:
    """Bounds and errors of one network while it trains."""
    place = shown(bounds)
    rows, found = of_shown(bounds, place), of_shown(errors, place)
    fig = figures.figure(
        f"Bounds and errors during training, CONV-{place[1]}-{place[2]}",
        "training time (epochs)",
        "bound on the gap, or error (logarithmic)",
        "Curves of six bounds lie orders of magnitude above 1, the errors and the gap below it.",
    )
    for number, bound in enumerate(PLOTTED):
        part = rows[rows["bound"] == bound]
        figures.line(fig, part["epoch"], part["value"], bound, number)
    for number, (column, name) in enumerate(ERRORS.items()):
        seen = found[found[column] > 0]
        figures.line(fig, seen["epoch"], seen[column], name, len(PLOTTED) + number)
    positive = found[found["gap"] > 0]
    figures.points(fig, positive["epoch"], positive["gap"], "gap, where positive", len(PLOTTED) + 2)
    figures.level(fig, 1.0, "1: says nothing")
    return fig.update_yaxes(type="log").update_layout(height=460)


def depths(bounds: pd.DataFrame, errors: pd.DataFrame) -> go.Figure:
    """Bounds and test errors of trained networks against their depth, a panel a width."""
    rows, found = last(bounds), last(errors)
    widths, first = sorted(rows["width"].unique()), rows["schedule"].iloc[0]
    rows, found = rows[rows["schedule"] == first], found[found["schedule"] == first]
    fig = figures.panels(
        "Trained networks of all depths",
        [f"{width} channels" for width in widths],
        "convolutions",
        "bound on the gap, or error (logarithmic)",
        "A panel for each width: four bounds and the test error against depth, with a line at 1.",
        columns=len(widths),
    )
    for column, width in enumerate(widths, 1):
        for number, bound in enumerate((STUDY, REFINED, GOLOWICH, "Gonon et al., path norm")):
            part = rows[(rows["width"] == width) & (rows["bound"] == bound)].sort_values("depth")
            figures.line(fig, part["depth"], part["value"], bound, number, row=1, col=column)
            fig.data[-1].update(mode="lines+markers", showlegend=column == 1)
        part = found[found["width"] == width].sort_values("depth")
        figures.line(fig, part["depth"], part["test_error"], "test error", 4, row=1, col=column)
        fig.data[-1].update(mode="lines+markers", showlegend=column == 1)
        figures.level(fig, 1.0, "1: says nothing", row=1, col=column)
    return fig.update_yaxes(type="log", matches="y").update_xaxes(dtick=1).update_layout(height=460)


def counterexamples(found: pd.DataFrame) -> go.Figure:
    """What a search finds over what a formula says; right of 1 the formula does not hold."""
    fig = _horizontal(
        "Complexity found over complexity claimed",
        "found / claimed (logarithmic; above 1 the claim fails)",
        "In three cases the study's formula lies right of 1, the corrected bounds left of it.",
    )
    for number, bound in enumerate((STUDY, REFINED, PLAIN)):
        rows = found[found["bound"] == bound].set_index("case").loc[list(CASES)]
        figures.points(fig, rows["lower"] / rows["upper"], list(rows.index), bound, number)
    return _with_one(fig).update_layout(height=320)


def slack(found: pd.DataFrame) -> go.Figure:
    """Upper bounds and what a search finds below them, for the largest number of samples."""
    rows = found[found["n"] == found["n"].max()]
    fig = _horizontal(
        f"Complexity of CONV-2-4 on {int(rows['n'].iloc[0])} digits, norms at most 1",
        "complexity R (logarithmic)",
        "For each bound the value it claims, and the complexity that a search found; two formulas claim too little.",
    )
    figures.points(fig, rows["upper"], rows["bound"], "claimed", "theory")
    figures.points(fig, rows["lower"], rows["bound"], "found by search", 0)
    return fig.update_layout(height=380)


def growth(found: pd.DataFrame) -> go.Figure:
    """Bounds by depth, width and number of samples at equal kernel norms."""
    names = {"depth": "depth", "width": "width (channels)", "n": "samples"}
    fig = figures.panels(
        "Growth at kernel norms of 1",
        list(names.values()),
        "value of what is named above",
        "bound on the gap (logarithmic)",
        "With depth the bound of Golowich et al. grows fastest; with width the corrected bound stays as it is.",
        columns=3,
    )
    kept = (REFINED, GOLOWICH, "Bartlett et al., fixed", "Graf et al., parameters", "Gonon et al., path norm")
    for column, axis in enumerate(names, 1):
        for number, bound in enumerate(kept):
            part = found[(found["axis"] == axis) & (found["bound"] == bound)]
            figures.line(fig, part["at"], 10 ** part["log10"], bound, number, row=1, col=column)
            fig.data[-1].showlegend = column == 1
    fig.update_yaxes(type="log")
    fig.update_xaxes(type="log", col=2)
    fig.update_xaxes(type="log", col=3)
    return fig


def correlations(found: pd.DataFrame) -> go.Figure:
    """Kendall's tau of each bound with the gap."""
    order = found[found["axis"] == "all"].sort_values("tau")["bound"]
    fig = _horizontal(
        "Does a larger bound go with a larger gap?",
        "Kendall's tau with the gap (1: always, 0: as often as not, −1: never)",
        "Rank correlations of the bounds with the gap, over all networks and over pairs that differ in one thing.",
    )
    for number, axis in enumerate(("all", "n", "width", "decay", "noise")):
        part = found[found["axis"] == axis].dropna(subset=["tau"])
        label = "all networks" if axis == "all" else f"only {LABELS[axis]} differs"
        figures.points(fig, part["tau"], part["bound"], label, number)
    fig.update_xaxes(type="linear", range=[-1.05, 1.05])
    fig.update_yaxes(categoryorder="array", categoryarray=list(order))
    return fig.update_layout(height=480)


LABELS = {"n": "number of samples", "width": "width", "decay": "weight decay", "noise": "label noise"}


def students(found: pd.DataFrame) -> go.Figure:
    """The corrected bound of each student that fits, over the weights that it keeps."""
    fig = figures.figure(
        "Students of the L1 chapter: weights kept and the bound",
        "weights above 0.01 in size (of 52)",
        "corrected bound on the gap",
        "Points of students by penalty: L1 and L2 lie at one height, left and right; those without penalty higher.",
    )
    rows = found[found["bound"] == REFINED]
    # those of the smoke profile are hardly trained and do not fit
    rows = fitting(rows) if len(fitting(rows)) else rows
    for number, (penalty, part) in enumerate(rows.groupby("penalty")):
        figures.points(fig, part["kept"], 10 ** part["log10"], NAMES[str(penalty)], number)
    return fig.update_yaxes(type="log")


def _horizontal(title: str, x: str, alt: str) -> go.Figure:
    """An empty figure with names down the side and a logarithmic axis."""
    fig = figures.figure(title, x, "bound", alt)
    fig.update_yaxes(title_text="")
    return fig.update_xaxes(type="log")


def _with_one(fig: go.Figure) -> go.Figure:
    """A line at 1, above which a bound says nothing and a claim fails."""
    return fig.add_vline(x=1, line={"color": figures.look("theory").color, "dash": "longdash", "width": 1.5})
