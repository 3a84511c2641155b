"""What the chapter learned, in a few sentences computed from its tables: of full scale where they are there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.width_bounds import recorded, training_rows
from sparsenn_book.studies.width_bounds.claims_of_counts import ENOUGH_SOLVES
from sparsenn_book.studies.width_bounds.claims_of_training import AGREE, DECAY, NONE, PROX, recorded_over_optimum
from sparsenn_book.studies.width_bounds.comparison import compared, mean_excess, verdicts
from sparsenn_book.studies.width_bounds.sentences_of_lasso import of_bounds_in_use

COLUMNS = {
    "trace": {"method", "seed", "step", "name", "value"},
    "optimum": {"objective", "bound", "strength", "neurons", "generator_vv_norm"},
    "neurons": {"method", "seed", "neuron", "output", "size"},
    "distance": {"method", "seed", "relative", "collapsed", "used", "needed", "neurons"},
    "dimension": {"samples", "neurons", "rank", "version", "width", "sharp", "product", "objective"},
    "rank": {"samples", "neurons", "rank", "version", "width", "sharp", "product", "objective"},
    "small": {"samples", "neurons", "rank", "version", "width", "sharp"},
    "boundary": {"after", "sharp"},
}
"""The tables and columns that are read here."""

Tables = Mapping[str, pd.DataFrame]


def complete(tables: Tables) -> bool:
    """Whether all that is read here is there."""
    return all(name in tables and columns <= set(tables[name].columns) for name, columns in COLUMNS.items())


def learned(full: Tables, here: Tables, profile: str) -> str:
    """The answer to the chapter's question: from the tables of the full profile, else from those of this page."""
    if complete(full):
        date = full["distance"].attrs.get("provenance", {}).get("date", "")[:10]
        return _points(full, "At full scale" + (f" (tables of {date})" if date else ""))
    if complete(here):
        return _points(here, f"No tables of full scale are kept, so this is from this page's own, profile {profile}")
    return "No tables of full scale are kept; the end of this page answers from its own."


def _points(tables: Tables, where: str) -> str:
    steps = training_rows.length(tables["trace"])
    points = [_of_optimum(tables["optimum"])]
    if steps >= training_rows.LONG:
        points += [_of_training(tables["distance"], steps), _of_sharing(tables)]
    else:
        points.append(f"{steps:,} steps of training are too few to say where it ends.")
    points += [_of_width(tables), _of_counts(tables)]
    if steps >= training_rows.LONG:
        points.append(_of_practice(tables["distance"]))
    return "\n".join([f"{where}:", "", *(f"- {point}" for point in points)])


def _of_optimum(optimum: pd.DataFrame) -> str:
    best = optimum.iloc[0]
    return (
        f"**What weight decay asks for is known exactly**: the least objective of any network on the study's data is "
        f"{ten(best['objective'], 5)}, with a proof. The study's solution costs "
        f"{recorded_over_optimum(best):.2f} times that."
    )


def _of_training(distance: pd.DataFrame, steps: int) -> str:
    told = []
    for rule in (PROX, DECAY):
        rows = distance[distance["method"] == rule]
        alive, near = rows[~rows["collapsed"]], int((rows["relative"] <= 1 + AGREE).sum())
        gone = f", {len(rows) - len(alive)} collapsed" if len(alive) < len(rows) else ""
        ends = f"; the others that fit end up to {alive['relative'].max():.2f} times it" if near < len(alive) else ""
        who = f"{rule}, the study's rule," if rule == PROX else rule
        told.append(f"{who} takes {near} of {len(rows)} students to within 1 % of that objective{gone}{ends}")
    length = "" if steps >= training_rows.WHOLE else f" ({steps:,} of the study's 1,000,000 steps)"
    return f"**Training need not find it**{length}: {'. '.join(told)}."


def _of_sharing(tables: Tables) -> str:
    shares = training_rows.sharing(tables["neurons"])
    none = shares[shares["method"] == NONE]["share"]
    used = tables["distance"][~tables["distance"]["collapsed"]].groupby("method")["used"].agg(["min", "max"])
    told = ", ".join(
        f"{rule} {used.loc[rule, 'min']:.0f} to {used.loc[rule, 'max']:.0f}" for rule in (PROX, DECAY, NONE)
    )
    return (
        f"**Neurons shared by both outputs are no mark of weight decay**: without any decay {none.min():.0%} or more "
        f"of the drawn neurons serve both. What differs is how many of 100 stay in use: {told} (collapsed runs left "
        "out)."
    )


def _of_width(tables: Tables) -> str:
    boundary, random = tables["boundary"], pd.concat([tables[name] for name in ("dimension", "rank", "small")])
    hit = int((boundary["after"] == boundary["sharp"]).sum())
    return (
        r"**At most $r_\Phi r_\Psi - r_\Psi(r_\Psi - 1)/2$ neurons are needed** (derived here; the literature was not "
        r"searched), where the study has $r_\Phi r_\Psi$; $r_\Phi$ and $r_\Psi$ are the ranks of what a layer gives "
        "and what the next one must receive. No bound made of these two ranks alone can be lower: "
        f"{hit} of {len(boundary)} problems built for it end on it. {of_bounds_in_use(random)}"
    )


def _of_counts(tables: Tables) -> str:
    solves = recorded.solves()
    rows = pd.concat([compared(figure, tables[figure], solves) for figure in ("dimension", "rank")])
    failed = f"{int(solves['failed'].sum())} of {len(solves)} recorded counts are above the study's own bound"
    if not len(rows) or rows["count"].min() < ENOUGH_SOLVES:
        return f"**Of the study's counts**, {failed}; so few problems say no more."
    within, beyond = (int(which.sum()) for which in verdicts(rows))
    mean = mean_excess(rows)
    assert mean is not None  # there are rows
    return (
        f"**The study's mean counts of neurons hold in {within} of {len(rows)} settings**, to within one bar of its "
        f"histograms; in {beyond} they are certainly too large. Over all settings they are too large by "
        f"{mean.value:.1f} neurons on average [{mean.low:.1f}, {mean.high:.1f}], and {failed}."
    )


def _of_practice(distance: pd.DataFrame) -> str:
    needed = distance[(distance["method"] == NONE) & ~distance["collapsed"]]["needed"]
    used = distance[(distance["method"] == DECAY) & ~distance["collapsed"]]["used"]
    return (
        "**Take to your own training**: Weight decay does not leave few neurons "
        f"({used.min():.0f} to {used.max():.0f} of 100 were still in use). To drop neurons and keep the outputs on the "
        f"data, solve for the outgoing weights (`lasso.solve`, then `lasso.sparsify`): a student trained without any "
        f"decay then needs {needed.min()} to {needed.max()} of its 100."
    )
