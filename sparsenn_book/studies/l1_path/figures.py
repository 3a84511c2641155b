"""Figures of the L1 chapter, each from its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import OUTCOMES, ROLES, SIGNED
from sparsenn_book.figures.theme import band, figure, level, line, panels, points
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS, PENALTIES

LABELS = {"none": "no penalty", "l1": "L1", "l2": "L2"}
COLOURS = {p: i for i, p in enumerate(PENALTIES)}
UNFINISHED = "all epochs used"


def group_name(penalty: str, scale: float) -> str:
    """`L1, 0.2`."""
    return f"{'none' if penalty == 'none' else LABELS[penalty]}, {scale:g}"


def groups_of(*tables: pd.DataFrame) -> list[tuple[str, float]]:
    """Every penalty at every initial scale that the tables have, in order."""
    scales = sorted({float(s) for table in tables for s in table["init_scale"].unique()})
    return [(p, s) for p in PENALTIES for s in scales]


def objectives(recorded: pd.DataFrame, runs: pd.DataFrame, least: pd.DataFrame, title: str) -> go.Figure:
    """Each run's final loss with penalty: recorded, run again, and the least found, one panel an activation.

    Columns activation, penalty, init_scale, objective of `recorded` and `runs`, and status and variance of `runs`;
    `least` has the least objective by activation and penalty. A run that used up its epochs is an open mark.
    """
    epochs, groups = int(runs["epochs"].max()), groups_of(recorded, runs)
    alt = (
        f"{title}, on a logarithmic axis, by penalty and initial scale, one panel for each activation: recorded runs, "
        "runs of the reference schedule (open marks: used up their epochs), and the least value found by the minimiser."
    )
    fig = panels(title, ACTIVATIONS, "penalty, initial scale", "loss with penalty", alt)
    square = ROLES["reference schedule"]
    open_ = runs["status"] == UNFINISHED
    kinds = (
        ("recorded", recorded, ROLES["recorded"], -0.18),
        ("run again, stopped by itself", runs[~open_], square, 0.05),
        (f"run again, used up its {epochs:,} epochs", runs[open_], replace(square, marker="square-open"), 0.2),
    )
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for kind, table, look, shift in kinds:
            here = table[table["activation"] == activation]
            x = [groups.index((p, s)) + shift for p, s in zip(here["penalty"], here["init_scale"], strict=True)]
            points(fig, x, here["objective"], kind, look, row=row, col=1)
        best = least[least["activation"] == activation].set_index("penalty")["objective"]
        line(fig, *_steps(best, groups), "least found", "minimiser", row=row, col=1)
        variance = runs.loc[runs["activation"] == activation, "variance"]
        level(fig, float(variance.iloc[0]), "best constant", row=row, col=1)
    names = [group_name(*g) for g in groups]
    fig.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5])
    fig.update_yaxes(type="log", exponentformat="power", dtick=2)
    return one_legend(fig)


def _steps(best: pd.Series, groups: list[tuple[str, float]]) -> tuple[list[float], list[float]]:
    """A short horizontal line at the least objective under each group that has one."""
    x: list[float] = []
    y: list[float] = []
    for i, (penalty, _) in enumerate(groups):
        if penalty in best.index:
            x += [i - 0.35, i + 0.35, np.nan]  # a gap in the line
            y += [float(best[penalty]), float(best[penalty]), np.nan]
    return x, y


def outcomes(recorded: pd.DataFrame, runs: pd.DataFrame, title: str) -> go.Figure:
    """How many runs have each outcome, as stacked bars by penalty and initial scale; recorded beside run again.

    Columns activation, penalty, init_scale, outcome.
    """
    alt = (
        f"{title}: stacked bars of the number of runs that are recovered, fitted, partial, collapsed or dead, by "
        "penalty and initial scale, a row of panels for each activation, recorded left and run again right."
    )
    groups = groups_of(recorded, runs)
    names = [f"{a}, {kind}" for a in ACTIVATIONS for kind in ("recorded", "run again")]
    fig = panels(title, names, "penalty, scale", "share of runs", alt, columns=2)
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for column, table in enumerate((recorded, runs), start=1):
            counts = _counts(table[table["activation"] == activation], groups)
            for name, (colour, pattern) in OUTCOMES.items():
                if name in counts:
                    fig.add_trace(_bar(counts, name, colour, pattern), row=row, col=column)
    fig.update_layout(barmode="stack", bargap=0.25)
    ticks = [group_name(*g) for g in groups]
    fig.update_xaxes(tickvals=list(range(len(ticks))), ticktext=ticks, tickangle=60)
    fig.update_yaxes(tickformat=".0%", range=[0, 1])
    return one_legend(fig)


def _counts(table: pd.DataFrame, groups: list[tuple[str, float]]) -> pd.DataFrame:
    """Runs by group (rows are places in `groups`) and outcome."""
    group = [groups.index(g) for g in zip(table["penalty"], table["init_scale"], strict=True)]
    return pd.crosstab(pd.Series(group, dtype=int), table["outcome"].to_numpy())


def _bar(counts: pd.DataFrame, name: str, colour: str, pattern: str) -> go.Bar:
    shares = counts[name] / counts.sum(axis=1)
    return go.Bar(
        x=counts.index.tolist(), y=shares.tolist(), name=name, legendgroup=name,
        customdata=np.stack([counts[name], counts.sum(axis=1)], axis=1),
        hovertemplate=f"{name}: %{{customdata[0]}} of %{{customdata[1]}}<extra></extra>",
        marker={"color": colour, "pattern": {"shape": pattern}}, legendrank=list(OUTCOMES).index(name),
    )  # fmt: skip


def training_curves(curves: pd.DataFrame, quantity: str, title: str, y: str, *, log: bool) -> go.Figure:
    """Median over runs of `quantity` during training with its quartiles as a band, one panel an activation.

    `curves` are long rows with columns activation, penalty, epoch, name, value. A run that stopped keeps its last
    value, so that the median is always over all runs.
    """
    alt = f"{title}: median and quartiles over all runs, for no penalty, L1 and L2, one panel an activation."
    fig = panels(title, ACTIVATIONS, "epoch", y, alt)
    rows = curves[(curves["name"] == quantity) & curves["value"].notna()]
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for penalty in PENALTIES:
            here = rows[(rows["activation"] == activation) & (rows["penalty"] == penalty)]
            wide = here.pivot_table(index="epoch", columns=["init_scale", "seed"], values="value").ffill()
            low, mid, high = (wide.quantile(q, axis=1) for q in (0.25, 0.5, 0.75))
            band(fig, wide.index, low, high, LABELS[penalty], COLOURS[penalty], row=row, col=1)
            line(fig, wide.index, mid, LABELS[penalty], COLOURS[penalty], row=row, col=1)
    if log:
        fig.update_yaxes(type="log", exponentformat="power")
    return one_legend(fig)


def heat_maps(arranged: pd.DataFrame) -> go.Figure:
    """The teacher's weights and below them each least minimiser's, arranged alike; exact zeros are blank."""
    order = ["layer", "output", "input", "tap"]
    networks = [(a, p) for a in ACTIVATIONS for p in ("l1", "l2")]
    rows = {n: t.sort_values(order) for n, t in arranged.groupby(["activation", "penalty"])}
    first = rows[networks[0]]
    labels = [f"layer {r.layer}: {r.output + 1}←{r.input + 1}, tap {r.tap + 1}" for r in first.itertuples()]
    values = np.array([first["teacher"].to_numpy(), *(rows[n]["student"].to_numpy() for n in networks)])
    shown = np.where(values == 0, np.nan, values)
    kept = {p: [int((rows[a, p]["student"] != 0).sum()) for a in ACTIVATIONS] for p in ("l1", "l2")}
    counts = {p: ", ".join(map(str, counts)) for p, counts in kept.items()}
    title = f"Weights of the least minimisers: L1 keeps {counts['l1']}, L2 {counts['l2']} of {len(first)}"
    alt = (
        f"Heat map of {len(first)} weights: the teacher's seven, padded with blanks, and below it the least L1 and L2 "
        f"minimisers for relu, sigmoid and tanh; L1 minimisers have {counts['l1']} weights and blanks elsewhere, L2 "
        f"minimisers {counts['l2']}."
    )
    fig = figure(title, "weight (layer: to←from, tap)", "network", alt)
    fig.add_trace(
        go.Heatmap(
            z=shown, x=list(range(len(labels))), y=["teacher", *(f"{LABELS[p]}, {a}" for a, p in networks)], zmid=0,
            zmin=-3, zmax=3, colorscale=SIGNED, xgap=1, ygap=3, customdata=np.broadcast_to(labels, shown.shape),
            hoverongaps=False, hovertemplate="%{y}<br>%{customdata}: %{z:.4f}<extra></extra>",
            colorbar={"title": {"text": "weight"}, "thickness": 12},
        )
    )  # fmt: skip
    ends = first["layer"].ne(first["layer"].shift()).to_numpy().nonzero()[0].tolist()
    fig.update_xaxes(tickvals=ends, ticktext=["layer 1", "2", "3"])
    fig.update_yaxes(autorange="reversed")
    return fig.update_layout(margin_t=48)


def zeroing(zeroed: pd.DataFrame) -> go.Figure:
    """Weights kept against the variance left unexplained, one mark a network, with a threshold to slide.

    Columns kind, activation, penalty, threshold, kept, unexplained.
    """
    title = "Weights kept against error when small weights are set to zero"
    alt = (
        f"{title}: one mark a run of 52 weights, by penalty, one panel an activation, and the L1 minimiser; a slider "
        "sets the threshold below which weights become zero."
    )
    fig = panels(title, ACTIVATIONS, "weights kept", "variance unexplained (1 − R²)", alt)
    thresholds = sorted(zeroed["threshold"].unique())
    start = int(np.argmin(np.abs(np.log(np.maximum(thresholds, 1e-12)) - np.log(1e-3))))
    owner = []
    for number, threshold in enumerate(thresholds):
        for row, activation in enumerate(ACTIVATIONS, start=1):
            here = zeroed[(zeroed["threshold"] == threshold) & (zeroed["activation"] == activation)]
            for name, table, look in _series(here):
                points(fig, table["kept"], table["unexplained"].clip(lower=1e-9), name, look, row=row, col=1)
                fig.data[-1].visible = number == start
                owner.append(number)
    one_legend(fig, owner)
    steps = [
        {"method": "update", "label": f"{t:g}", "args": [{"visible": [n == number for n in owner]}]}
        for number, t in enumerate(thresholds)
    ]
    slider = {"active": start, "currentvalue": {"prefix": "threshold "}, "pad": {"t": 48}, "steps": steps}
    fig.update_layout(sliders=[slider], height=fig.layout.height + 90, margin_b=130)
    fig.update_yaxes(type="log", exponentformat="power", range=[-9.3, 1.3])
    return fig.update_xaxes(range=[-1, 54], tickvals=[0, 7, 20, 40, 52])


def _series(here: pd.DataFrame) -> list[tuple[str, pd.DataFrame, int | str]]:
    runs, best = here[here["kind"] == "reference schedule"], here[here["kind"] == "minimiser"]
    series: list[tuple[str, pd.DataFrame, int | str]] = [
        (LABELS[p], runs[runs["penalty"] == p], COLOURS[p]) for p in PENALTIES
    ]
    return [*series, ("L1, least minimiser", best[best["penalty"] == "l1"], "minimiser")]


def waking(wakes: pd.DataFrame, wake_curves: pd.DataFrame) -> go.Figure:
    """Loss of students that start dead, over the loss of the output zero, by penalty; the same starts in each panel."""
    woke = wakes[wakes["woke_epoch"].notna()].groupby("penalty").size()
    counts = [int(woke.get(p, 0)) for p in PENALTIES]
    l1 = wakes[(wakes["penalty"] == "l1") & wakes["woke_epoch"].notna()]
    fit = int(l1["outcome"].isin(["recovered", "fitted"]).sum())
    title = (
        f"Of {wakes['seed'].nunique()} dead students {counts[1]} wake under L1, {fit} of them fit at the end; "
        f"{counts[0] + counts[2]} without it"
    )
    alt = (
        f"{title}: loss during training of relu students that start dead, one line a student and a panel for no "
        "penalty, L1 and L2. A line stays flat while a student is dead and falls when it wakes."
    )
    fig = panels(title, [LABELS[p] for p in PENALTIES], "epoch", "loss with penalty", alt)
    for row, penalty in enumerate(PENALTIES, start=1):
        here = wake_curves[wake_curves["penalty"] == penalty]
        for _, one in here.groupby("seed"):
            line(fig, one["epoch"], one["value"], "a student", COLOURS[penalty], row=row, col=1)
            fig.data[-1].update(showlegend=False, opacity=0.6, line_dash="solid", line_width=1.5)
        woken = wakes[(wakes["penalty"] == penalty) & wakes["woke_epoch"].notna()]
        if len(woken):
            top = float(wakes["zero_error"].iloc[0])
            points(fig, woken["predicted_epoch"], [top] * len(woken), "predicted to wake", "theory", row=row, col=1)
    fig.update_yaxes(type="log", exponentformat="power")
    return one_legend(fig)


def waking_time(wakes: pd.DataFrame) -> go.Figure:
    """Epoch at which each dead start woke under L1 against the predicted one, with the line of equality."""
    woken = wakes[(wakes["penalty"] == "l1") & wakes["woke_epoch"].notna()]
    title = "When a dead student wakes can be told from its start"
    alt = f"{title}: epoch of waking under L1 against the predicted epoch, one mark a student, near the diagonal."
    fig = figure(title, "predicted epoch", "epoch at which it woke", alt)
    end = float(woken[["predicted_epoch", "woke_epoch"]].max().max()) if len(woken) else 1.0
    line(fig, [0, end], [0, end], "prediction", "theory")
    return points(fig, woken["predicted_epoch"], woken["woke_epoch"], "a student", COLOURS["l1"])


def one_legend(fig: go.Figure, owner: list[int] | None = None) -> go.Figure:
    """Show every legend entry once, though its series is drawn in several panels; once for each `owner` of traces."""
    seen: set[tuple[int, str]] = set()
    for trace, mine in zip(fig.data, owner or [0] * len(fig.data), strict=True):
        if (mine, trace.name) in seen:
            trace.showlegend = False
        elif trace.showlegend is not False:
            seen.add((mine, trace.name))
    return fig
