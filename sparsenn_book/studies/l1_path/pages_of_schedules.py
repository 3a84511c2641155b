"""Picture and sentences of the study's schedule where it is cut, computed from tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.theme import line, panels, points
from sparsenn_book.records.words import listed, ten
from sparsenn_book.studies.l1_path.all_recorded import FITS
from sparsenn_book.studies.l1_path.claims_of_experiments import least_solved
from sparsenn_book.studies.l1_path.claims_of_schedules import above_least, recorded_beside, short_of
from sparsenn_book.studies.l1_path.figures import one_legend
from sparsenn_book.studies.l1_path.settings import Schedule

Tables = Mapping[str, pd.DataFrame]


def shown(own: Tables, full: Tables, profile: str) -> Tables:
    """The tables that are shown: of the full profile where there are any."""
    return own if profile == "full" or short_of(full).empty else full


def cut_runs(tables: Tables, solved: pd.DataFrame) -> go.Figure:
    """Loss with penalty by epoch of each run until it was cut, its penalty, recorded ends, and the least found.

    One panel an experiment, from the tables of `short_schedules.shortened`.
    """
    short, curves = short_of(tables), short_of(tables, "short_curves")
    cases = list(short[["experiment", "activation"]].drop_duplicates().itertuples(index=False, name=None))
    cut, recorded = int(short["epochs"].max()), recorded_beside(short)
    title = f"The study's schedule, cut after {cut} epochs, and where recorded runs ended"
    alt = (
        f"{title}: loss with penalty against epochs, both axes logarithmic, one panel an experiment; vermilion lines "
        f"for runs that end at epoch {cut} because they were cut, a violet line for their median penalty, grey "
        "diamonds where recorded runs stopped (dotted lines where that epoch is not known), a blue line at the least "
        "found."
    )
    fig = panels(title, [f"experiment {e}, {a}" for e, a in cases], "epochs", "loss with penalty", alt)
    last = max(10 * cut, int(recorded["stop_epoch"].max()) + 1)
    least = least_solved(solved)["objective"] if len(solved) else pd.Series(dtype=float)
    for row, case in enumerate(cases, start=1):
        here = curves[(curves["experiment"] == case[0]) & (curves["epoch"] > 0)]
        for _, run in here[here["name"] == "epoch loss"].groupby("seed"):
            line(fig, run["epoch"], run["value"], "this schedule, cut", "reference schedule", row=row, col=1)
        penalty = here[here["name"] == "penalty"].groupby("epoch")["value"].median()
        line(fig, penalty.index, penalty, "of it penalty, median", 0, row=row, col=1)
        old = recorded[recorded["experiment"] == case[0]]
        ended = old.dropna(subset="stop_epoch")
        if len(ended):  # a series without points would take the legend's entry and not show it
            points(fig, ended["stop_epoch"] + 1, ended["objective"], "recorded", "recorded", row=row, col=1)
        for value in old.loc[old["stop_epoch"].isna(), "objective"]:
            line(fig, [1, last], [value, value], "recorded, epochs unknown", "recorded", row=row, col=1)
        if case in least.index:
            line(fig, [1, last], [least[case]] * 2, "least found", "minimiser", row=row, col=1)
    return one_legend(fig.update_xaxes(type="log").update_yaxes(type="log", exponentformat="power"))


def of_cut(tables: Tables, solved: pd.DataFrame) -> str:
    """Where the runs were cut, beside the recorded lengths; how many fit; how far above the least found, and why."""
    short = short_of(tables)
    stops = recorded_beside(short)["stop_epoch"].dropna() + 1
    cut, samples = int(short["epochs"].max()), int(short["samples"].max())
    steps = cut * -(-samples // Schedule().batch_size)
    fits = int((short["r2"] >= FITS).sum())
    text = (
        f"All {len(short)} runs were cut after {cut} epochs ({steps:,} steps on {samples:,} inputs), while still "
        f"training; recorded runs of these groups took {int(stops.min()):,} to {int(stops.max()):,} epochs (the "
        f"{len(stops)} whose epoch is recorded). At the cut {fits} of {len(short)} fit (R² ≥ {FITS})."
    )
    runs = above_least(short, solved) if len(solved) else pd.DataFrame()
    return f"{text} {_above(runs)}" if len(runs) else text


def _above(runs: pd.DataFrame) -> str:
    said = []
    for (experiment, activation), rows in runs.groupby(["experiment", "activation"]):
        part = rows["penalty_above"] / (rows["penalty_above"] + rows["error_above"])
        said.append(
            f"{rows['times'].min():.1f} to {rows['times'].max():.1f} times in experiment {experiment} with "
            f"{activation} ({part.min():.0%} to {part.max():.0%} of what is left is penalty)".replace("%", " %")
        )
    larger = int((runs["penalty_above"] > runs["error_above"]).sum())
    return (
        f"Their objective is then this many times the least found: {'; '.join(said)}. Penalty is the larger part of "
        f"what is left in {larger} of {len(runs)} runs."
    )


def of_source(own: Tables, full: Tables, profile: str) -> str:
    """Whose runs are shown, those of the full profile or this page's, and how far this page's own got."""
    if shown(own, full, profile) is own:
        return f"Shown are this page's own runs, profile {profile}."
    here = short_of(own)
    ends = listed([f"{ten(rows['objective'].min(), 2)} in experiment {e}" for e, rows in here.groupby("experiment")])
    return (
        f"Shown are the runs of the full profile. This page itself trained for {int(here['epochs'].max())} epochs on "
        f"{int(here['samples'].max()):,} inputs, and its least losses with penalty were then {ends}."
    )
