"""What the chapter learned, in a few sentences computed from its tables: of full scale where they are there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.width_bounds import recorded, training_rows
from sparsenn_book.studies.width_bounds.claims_of_counts import ENOUGH_SOLVES
from sparsenn_book.studies.width_bounds.claims_of_training import AGREE, DECAY, NONE, PROX, recorded_over_optimum
from sparsenn_book.studies.width_bounds.comparison import compared, mean_excess, verdicts
from sparsenn_book.studies.width_bounds.sentences import sizes
from sparsenn_book.studies.width_bounds.sentences_of_lasso import of_bounds_in_use
from sparsenn_book.studies.width_bounds.sharing_training import ACTIVE

COLUMNS = {
    "trace": {"method", "seed", "step", "name", "value"},
    "optimum": {"objective", "bound", "strength", "neurons", "generator_vv_norm"},
    "optimum_neurons": {"v1", "v2"},
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
        points.append(_of_practice(tables["distance"], tables["optimum"], tables["optimum_neurons"]))
    return "\n".join([f"{where}:", "", *(f"- {point}" for point in points)])


def _of_optimum(optimum: pd.DataFrame) -> str:
    best = optimum.iloc[0]
    return (
        "**What weight decay asks for is known, with a proof**: the objective is the mean squared error plus "
        r"$\lambda \sum_k \lVert v_k \rVert \lVert \bar w_k \rVert$, with incoming weights $\bar w_k$ and outgoing "
        rf"weights $v_k$ of each neuron and $\lambda$ = {ten(best['strength'], 0)}. On the data of Shenouda et al. "
        f"(the study) its least value over two-layer ReLU networks of any width is {ten(best['objective'], 5)}. "
        f"The study's solution costs {recorded_over_optimum(best):.2f} times that."
    )


def _of_training(distance: pd.DataFrame, steps: int) -> str:
    told = []
    for rule in (PROX, DECAY):
        rows = distance[distance["method"] == rule]
        alive, near = rows[~rows["collapsed"]], int((rows["relative"] <= 1 + AGREE).sum())
        gone = f" {len(rows) - len(alive)} of its students collapsed (no fit)." if len(alive) < len(rows) else ""
        off = alive["relative"][alive["relative"] > 1 + AGREE]
        others = "The other that fits ends" if len(off) == 1 else f"The {len(off)} others that fit end"
        ends = f" {others} at {over(off)} times it." if len(off) else ""
        who = f"{rule}, the study's rule of training," if rule == PROX else rule
        told.append(f"{who} takes {near} of {len(rows)} students to within 1 % of that value.{ends}{gone}")
    length = "" if steps >= training_rows.WHOLE else f" ({steps:,} of the study's 1,000,000 steps)"
    return f"**Training need not find it**{length}: {' '.join(told)}"


def over(values: pd.Series) -> str:
    """The range of some objectives, over the optimum."""
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return low if low == high else f"{low} to {high}"


def _of_sharing(tables: Tables) -> str:
    shares = training_rows.sharing(tables["neurons"])
    none = shares[shares["method"] == NONE]["share"]
    used = tables["distance"][~tables["distance"]["collapsed"]].groupby("method")["used"].agg(["min", "max"])
    told = ", ".join(
        f"{rule} {used.loc[rule, 'min']:.0f} to {used.loc[rule, 'max']:.0f}" for rule in (PROX, DECAY, NONE)
    )
    return (
        f"**Neurons shared by both outputs are no mark of weight decay**: without any decay {none.min():.0%} or more "
        r"of the neurons that serve an output, $|v_{dk}| \lVert w_k \rVert > 10^{-3}$, serve both. What differs is how "
        r"many of 100 stay in use, "
        r"$\lVert v_k \rVert \lVert \bar w_k \rVert > 10^{-3}$: "
        f"{told} (collapsed runs left out)."
    )


def _of_width(tables: Tables) -> str:
    boundary, random = tables["boundary"], pd.concat([tables[name] for name in ("dimension", "rank", "small")])
    hit = int((boundary["after"] == boundary["sharp"]).sum())
    return (
        r"**The cheapest outgoing weights of a layer need never use more than $r_\Phi r_\Psi - r_\Psi(r_\Psi - 1)/2$ "
        r"neurons** (derived here; the literature was not searched), where the study has $r_\Phi r_\Psi$; $r_\Phi$ and "
        r"$r_\Psi$ are the ranks of what a layer gives and what the next one must receive. No bound made of these two "
        f"ranks alone can be lower: step 5 of the proof. Of {len(boundary)} problems built that way, {hit} end on it "
        f"when they are solved and their solutions thinned out by step 4. {of_bounds_in_use(random)}"
    )


def _of_counts(tables: Tables) -> str:
    solves = recorded.solves()
    rows = pd.concat([compared(figure, tables[figure], solves) for figure in ("dimension", "rank")])
    failed = f"{int(solves['failed'].sum())} of {len(solves)} recorded counts are above the study's own bound"
    if not len(rows) or rows["count"].min() < ENOUGH_SOLVES:
        return f"**Of the study's counts**, {failed}; so few problems say no more."
    within, beyond = (int(which.sum()) for which in verdicts(rows))
    undecided = len(rows) - within - beyond
    mean = mean_excess(rows)
    assert mean is not None  # there are rows
    return (
        f"**The study's mean counts of neurons hold in {within} of {len(rows)} settings**, to within one bar of its "
        f"histograms. In {beyond} they are too large by more than that, beyond the 95 % interval; "
        f"{undecided or 'none'} {'are' if undecided > 1 else 'is'} undecided. Over all settings the recorded "
        f"mean less the certified one is {mean.value:.1f} neurons on average [{mean.low:.1f}, {mean.high:.1f}], "
        f"and {failed}."
    )


def _of_practice(distance: pd.DataFrame, optimum: pd.DataFrame, optimum_neurons: pd.DataFrame) -> str:
    alive = distance[~distance["collapsed"]].groupby("method")
    used, cheapest = alive["used"].agg(["min", "max"]), alive["needed"].agg(["min", "max"])
    above = int((sizes(optimum_neurons) > ACTIVE).sum())
    left = {rule: f"{used.loc[rule, 'min']:.0f} to {used.loc[rule, 'max']:.0f}" for rule in (PROX, DECAY)}
    return (
        "**Take to your own training**: how few neurons weight decay leaves depends on how it is trained. SGD weight "
        f"decay leaves {left[DECAY]} of 100 neurons in use, PathProx {left[PROX]}; the optimum "
        f"{above}, of the {optimum.iloc[0]['neurons']:.0f} that it has without a threshold. "
        "To drop neurons and keep the outputs on the data, solve for the cheapest outgoing weights (`lasso.solve`, "
        "then `lasso.sparsify`): those of a student "
        f"trained without any decay use {cheapest.loc[NONE, 'min']} to {cheapest.loc[NONE, 'max']} of its 100."
    )
