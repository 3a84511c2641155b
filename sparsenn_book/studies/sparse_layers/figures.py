"""Figures of the chapter, each from its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import AXIS, SIGNED, Style, style
from sparsenn_book.figures.theme import band, figure, level, line, panels, points
from sparsenn_book.studies.sparse_layers import cells, measures
from sparsenn_book.studies.sparse_layers.methods import DENSE
from sparsenn_book.studies.sparse_layers.original import CODED, LEARNED
from sparsenn_book.studies.sparse_layers.speed import BLOCKS, CHANNELS, CSR, FORWARD, MASKED, STEP, TWO_OF_FOUR
from sparsenn_book.studies.sparse_layers.tasks import TASKS

SIDES = {
    "fixed or by size": ("random", "as in the study", "one-shot", "gradual"),
    "exchanged or learned": ("SET", "RigL", "edge-popup", "straight-through", "soft"),
}
LOOKS: dict[str, Style | str] = {
    "random": style(0), "as in the study": "reference schedule", "one-shot": style(1), "gradual": style(2),
    "SET": style(3), "RigL": style(4), "edge-popup": style(5), "straight-through": style(7), "soft": style(8),
}  # fmt: skip
FORMS = {MASKED: style(0), CSR: style(1), BLOCKS: style(2), CHANNELS: style(3), TWO_OF_FOUR: style(4)}
VERSIONS: dict[str, Style | str] = {CODED: "reference schedule", LEARNED: style(0)}
SPARSITY = "share of weights removed"


def training_loss(trained: pd.DataFrame) -> go.Figure:
    """The study's first output: loss of each step's fresh batch, median over runs with the range of all."""
    fig = figure(
        "Training loss of the study's network", "step", "mean squared error (variance 10)",
        "Loss against steps on a logarithmic axis, two lines with bands over runs: the network as coded and with a "
        "learned mask.",
    )  # fmt: skip
    for version, look in VERSIONS.items():
        wide = trained[trained["version"] == version].pivot(index="step", columns="run", values="loss")
        smooth = wide.rolling(9, center=True, min_periods=1).median()
        band(fig, smooth.index, smooth.min(axis=1), smooth.max(axis=1), version, look)
        line(fig, smooth.index, smooth.median(axis=1), version, look)
    return fig.update_yaxes(type="log", dtick=1)


def sparse_weights(pictures: pd.DataFrame) -> go.Figure:
    """The study's second output: the first layer's weight times mask, before and after training."""
    shown = [(version, moment) for version in VERSIONS for moment in ("start", "end")]
    names = [f"{version}, {moment}" for version, moment in shown]
    fig = panels(
        "Weights of the first sparse layer", names, "input", "unit",
        "Four pictures of 64 units by 10 inputs, coloured where a weight is left: as coded and with a learned mask, "
        "before and after training.", columns=4,
    )  # fmt: skip
    largest = float(pictures["value"].abs().max())
    for place, (version, moment) in enumerate(shown, start=1):
        rows = pictures[(pictures["version"] == version) & (pictures["moment"] == moment)]
        values = rows.pivot(index="unit", columns="input", values="value")
        colours = {"colorscale": SIGNED, "zmid": 0, "zmin": -largest, "zmax": largest, "showscale": place == len(shown)}
        drawn = go.Heatmap(z=values.where(values != 0).to_numpy(), x=values.columns, y=values.index, **colours)
        fig.add_trace(drawn, row=1, col=place)
    return fig.update_layout(height=480)


def predictions(rows: pd.DataFrame) -> go.Figure:
    """The study's third output, on held-out points: prediction against truth."""
    fig = panels(
        "Prediction against truth on held-out points", list(VERSIONS), "truth", "prediction",
        "Two scatter plots of predictions against true sums with the diagonal: as coded and with a learned mask.",
        columns=2,
    )  # fmt: skip
    ends = [float(rows["truth"].min()), float(rows["truth"].max())]
    for place, (version, look) in enumerate(VERSIONS.items(), start=1):
        some = rows[rows["version"] == version]
        points(fig, some["truth"], some["prediction"], version, look, row=1, col=place)
        fig.data[-1].update(marker_size=5, showlegend=False)
        line(fig, ends, ends, "truth", "theory", row=1, col=place)
        fig.data[-1].update(showlegend=place == 1)
    return fig


def against_sparsity(errors: pd.DataFrame, task: str) -> go.Figure:
    """Median test error with the middle 80 % of runs against sparsity; the dense networks' as a level."""
    rows = measures.centre(errors[errors["task"] == task])
    fig = panels(
        f"Test error against sparsity: {task}", list(SIDES), SPARSITY, TASKS[task].unit,
        f"Two panels of median test errors on the task {task} with bands against sparsity, for four methods whose mask "
        "is fixed or follows the size of weights and five whose mask is exchanged or learned.", columns=2,
    )  # fmt: skip
    dense = rows[rows["method"] == DENSE]["middle"]
    for place, methods in enumerate(SIDES.values(), start=1):
        for method in methods:
            some = rows[rows["method"] == method].sort_values("sparsity")
            x = _removed(some["sparsity"])
            band(fig, x, some["low"], some["high"], method, LOOKS[method], row=1, col=place)
            _marked(fig, x, some["middle"], method, LOOKS[method], place)
        if len(dense):
            level(fig, float(dense.iloc[0]), DENSE, row=1, col=place)
    kind = "linear" if TASKS[task].classifies else "log"
    # nine names need two lines above the panels
    fig.update_yaxes(type=kind, matches="y").update_layout(height=500, margin_t=124)
    return _sparsities(fig, rows["sparsity"])


def recorded_cells(rows: pd.DataFrame) -> go.Figure:
    """Mean error of every cell of the earlier comparison: recorded across, measured here upwards."""
    tasks = list(dict.fromkeys(rows["task"]))
    fig = panels(
        "An earlier comparison, cell by cell", tasks, "mean error recorded", "mean error here",
        "A panel for each task: mean errors measured here against those recorded, one mark for each method and "
        "sparsity, at the recorded settings and at this page's, with the diagonal.", columns=len(tasks),
    )  # fmt: skip
    for place, task in enumerate(tasks, start=1):
        own = rows[(rows["task"] == task) & np.isfinite(rows["mean"])]
        for number, how in enumerate((cells.SAME, cells.TUNED)):
            some = own[own["how"] == how]
            points(fig, some["recorded"], some["mean"], how, style(number), row=1, col=place)
            shown = any(trace.name == how and trace.showlegend is not False for trace in fig.data[:-1])
            fig.data[-1].update(marker_size=7, showlegend=len(some) > 0 and not shown)
        ends = [own[["recorded", "mean"]].min().min(), own[["recorded", "mean"]].max().max()]
        line(fig, ends, ends, "equal", "theory", row=1, col=place)
        fig.data[-1].update(showlegend=place == 1)
    return fig.update_xaxes(type="log").update_yaxes(type="log")


def churn(course: pd.DataFrame) -> go.Figure:
    """Share of the mask that changes in fifty steps, median over runs, one panel a sparsity."""
    rows = course[course["name"] == "churn"]
    sparsities = sorted(rows["sparsity"].unique())
    fig = panels(
        "Entries of the mask that change in 50 steps", [f"sparsity {s:g}" for s in sparsities], "step", "share",
        "Share of mask entries that changed in the last fifty steps against steps, one panel a sparsity and one line "
        "for each of five methods.", columns=2,
    )  # fmt: skip
    for place, sparsity in enumerate(sparsities):
        for method in ("gradual", "RigL", "edge-popup", "straight-through", "soft"):
            some = rows[(rows["method"] == method) & (rows["sparsity"] == sparsity)]
            middle = some.groupby("step")["value"].median()
            line(fig, middle.index, middle, method, LOOKS[method], row=place // 2 + 1, col=place % 2 + 1)
            fig.data[-1].update(showlegend=place == 0)
    return fig


def unread(counts: pd.DataFrame, errors: pd.DataFrame) -> go.Figure:
    """Inputs without an edge: the exact expectation for random masks, draws, and what training leaves."""
    shape = (64, 20)
    rows = counts[(counts["units"] == shape[0]) & (counts["inputs"] == shape[1])]
    fig = figure(
        "Inputs that no unit reads any more, of 20", SPARSITY, "inputs",
        "Number of unread inputs of twenty against sparsity: the exact expectation and draws of random masks, and "
        "what trained masks of four methods leave out.",
    )  # fmt: skip
    line(fig, _removed(rows["sparsity"]), rows["expected"], "random masks, exact", "theory")
    points(fig, _removed(rows["sparsity"]), rows["mean"], "random masks, drawn", style(0))
    own = errors[(errors["task"] == "linear") & (errors["method"] != DENSE)]
    for method in ("gradual", "RigL", "straight-through", "soft"):
        some = own[own["method"] == method].groupby("sparsity")["read"].mean()
        _marked(fig, _removed(some.index), shape[1] - some, method, LOOKS[method])
    return _sparsities(fig, pd.concat([rows["sparsity"], own["sparsity"]]))


def found_inputs(errors: pd.DataFrame) -> go.Figure:
    """Share of the five inputs that matter among the five of largest weight, and share of weights on them."""
    rows = errors[(errors["task"] == "nonlinear") & (errors["method"] != DENSE)]
    shares = {"on_true": "weights on inputs that matter", "found": "inputs that matter, found"}
    fig = panels(
        "Five of fifty inputs matter: are they found?", list(shares.values()), SPARSITY, "share",
        "Two panels against sparsity for six methods: the share of kept weights that lie on the five inputs that "
        "matter, and the share of these among the five inputs of largest weight.", columns=2,
    )  # fmt: skip
    for place, column in enumerate(shares, start=1):
        for method in ("random", "gradual", "SET", "RigL", "straight-through", "soft"):
            middle = rows[rows["method"] == method].groupby("sparsity")[column].mean()
            _marked(fig, _removed(middle.index), middle, method, LOOKS[method], place)
    return _sparsities(fig, rows["sparsity"]).update_yaxes(range=[0, 1.05])


def structures(rows: pd.DataFrame) -> go.Figure:
    """Error of each structure against the sparsity that it has."""
    fig = figure(
        f"Structures: {rows['task'].iloc[0]}", SPARSITY, TASKS[rows["task"].iloc[0]].unit,
        "Median error with the middle 80 percent of runs against sparsity for N:M masks, blocks, channels and single "
        "weights.",
    )  # fmt: skip
    groups = {"N:M": rows["structure"].str.contains(":")} | {
        name: rows["structure"] == name for name in ("block 4 x 4", "channel", "gradual")
    }
    for number, (name, chosen) in enumerate(groups.items()):
        # float32 rounds the share of a mask
        some = rows[chosen].assign(sparsity=rows["sparsity"].round(3))
        wide = some.groupby("sparsity")["error"].quantile([0.1, 0.5, 0.9]).unstack()
        shown = "single weights" if name == "gradual" else name
        band(fig, _removed(wide.index), wide[0.1], wide[0.9], shown, style(number))
        _marked(fig, _removed(wide.index), wide[0.5], shown, style(number))
    return _sparsities(fig, rows["sparsity"].round(3))


def outcomes(rows: pd.DataFrame) -> go.Figure:
    """Error against the sparsity that a penalty led to, a mark a run."""
    fig = figure(
        f"Sparsity as an outcome: {rows['task'].iloc[0]}", "sparsity reached", TASKS[rows["task"].iloc[0]].unit,
        "Test error against the sparsity reached for hard-concrete gates and soft thresholds, one mark for each run.",
    )  # fmt: skip
    for number, method in enumerate(dict.fromkeys(rows["method"])):
        some = rows[rows["method"] == method]
        points(fig, some["sparsity"], some["error"], method, style(number))
    kind = "linear" if TASKS[rows["task"].iloc[0]].classifies else "log"
    return fig.update_yaxes(type=kind)


def speedups(speed: pd.DataFrame) -> go.Figure:
    """How many times faster than dense, against sparsity: forward and training step, of the largest layer."""
    rows = measures.speedups(speed)
    rows = rows[rows["size"] == rows["size"].max()]
    batches = sorted(rows["batch"].unique())
    shown = [(phase, batch) for phase in (FORWARD, STEP) for batch in batches]
    fig = panels(
        f"A {rows['size'].iloc[0]} x {rows['size'].iloc[0]} layer: how many times faster than dense",
        [f"{phase}, batch {batch}" for phase, batch in shown], SPARSITY, "times",
        "Speed in dense layers against sparsity for masked, compressed, blocked and smaller layers and the ideal, "
        "forward and in a training step, one panel a batch size.",
        columns=len(batches),
    )  # fmt: skip
    for place, (phase, batch) in enumerate(shown):
        at = {"row": place // len(batches) + 1, "col": place % len(batches) + 1}
        own = rows[(rows["phase"] == phase) & (rows["batch"] == batch)]
        ideal = sorted(own[own["form"] == CHANNELS]["sparsity"].unique())
        line(fig, _removed(ideal), [1 / (1 - s) for s in ideal], "ideal", "theory", **at)
        fig.data[-1].update(showlegend=place == 0)
        for form, look in FORMS.items():
            some = own[own["form"] == form].sort_values("sparsity")
            if len(some):
                line(fig, _removed(some["sparsity"]), some["times"], form, look, **at)
                fig.data[-1].update(mode="lines+markers", marker={"symbol": look.marker, "color": look.color},
                                    showlegend=place == 0)  # fmt: skip
        fig.add_hline(y=1, line={"color": AXIS, "dash": "solid", "width": 1}, **at)
    fig.update_yaxes(type="log", dtick="D1")
    return _sparsities(fig, rows["sparsity"])


def _marked(fig: go.Figure, x: Sequence[float], y: pd.Series, name: str, look: Style | str, col: int = 0) -> None:
    place = {"row": 1, "col": col} if col else {}
    line(fig, x, y, name, look, **place)
    marker = {"size": 6} if isinstance(look, str) else {"symbol": look.marker, "color": look.color, "size": 6}
    shown = not any(trace.name == name and trace.showlegend is not False for trace in fig.data[:-1])
    fig.data[-1].update(mode="lines+markers", marker=marker, showlegend=shown)


def _removed(sparsity: Sequence[float] | pd.Series | pd.Index) -> list[float]:
    """Places on an axis of the share kept, which falls by decades: high sparsities lie far apart on it."""
    return [-float(np.log10(max(1 - s, 1e-4))) for s in sparsity]


def _sparsities(fig: go.Figure, values: pd.Series) -> go.Figure:
    """Ticks at the sparsities there are, as said, that are not too near to each other."""
    ticks: list[float] = []
    for value in sorted({round(float(v), 3) for v in values}):
        if not ticks or _removed([value])[0] - _removed([ticks[-1]])[0] > 0.12:
            ticks.append(value)
    return fig.update_xaxes(tickvals=_removed(ticks), ticktext=[f"{t:g}" for t in ticks])
