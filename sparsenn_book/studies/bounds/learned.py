"""What the chapter learned, in a few sentences computed from its tables: of full scale where they are there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.studies.bounds.grid_claims import COUNT, FOLLOWS
from sparsenn_book.studies.bounds.posterior import PRIORS
from sparsenn_book.studies.bounds.search import CASES
from sparsenn_book.studies.bounds.selected import GOLOWICH, REFINED, STUDY, norm_certificates
from sparsenn_book.studies.bounds.sentences import size, smallest
from sparsenn_book.studies.bounds.student_claims import NO_SMALLER
from sparsenn_book.studies.bounds.students import middle

Tables = Mapping[str, pd.DataFrame]
NEEDED = (
    "bounds",
    "errors",
    "deep_bounds",
    "counterexamples",
    "growth",
    "correlations",
    "grid",
    "posteriors",
    "students",
)
"""The tables that are read here."""


def learned(full: Tables, here: Tables, profile: str) -> str:
    """The answer to the chapter's question: from the tables of the full profile, else from those of this page."""
    if profile == "full":
        return _points(here, "At full scale")
    if all(name in full for name in NEEDED):
        date = full["bounds"].attrs.get("provenance", {}).get("date", "")[:10]
        return _points(full, f"At full scale (tables of {date})")
    if profile == "smoke":
        return "No tables of full scale are kept, and this page trains too little to learn from (profile smoke)."
    return _points(here, f"No tables of full scale are kept, so this is from this page's own, profile {profile}")


def _points(tables: Tables, where: str) -> str:
    points = [
        _of_size(tables["bounds"], tables["deep_bounds"], tables["grid"]),
        _of_formula(tables["counterexamples"]),
        _of_depth(tables["growth"]),
        _of_gap(tables["correlations"], tables["bounds"]),
        _of_students(tables["students"]),
        _of_practice(tables["posteriors"]),
    ]
    return "\n".join([f"{where}:", "", *(f"- {point}" for point in points)])


def _of_size(bounds: pd.DataFrame, deep: pd.DataFrame, grid: pd.DataFrame) -> str:
    name, least, count = smallest(bounds)
    _, deepest, others = smallest(deep)
    also = float(norm_certificates(grid)["total"].min())
    vacuous = min(least, deepest, also) > 1
    head = "No certificate by norms says anything" if vacuous else "Few certificates by norms say anything"
    return (
        f"**{head}**: the smallest bound on the error of {count} networks of the study's kind is "
        f"{size(least)} (*{name}*), of {others} more with {deep['depth'].min()} to {deep['depth'].max()} convolutions "
        f"{size(deepest)}, on the grid of small networks {size(also)}. An error is at most 1."
    )


def _of_formula(found: pd.DataFrame) -> str:
    row = found[(found["bound"] == STUDY) & (found["case"] == CASES[2])].iloc[0]
    return (
        "**The formula implemented in the reference code does not hold in general**: in its own setting the "
        f"complexity that a search finds is {row['lower'] / row['upper']:.1f} times what it allows (95 %: "
        f"{row['low'] / row['upper']:.1f} to {row['high'] / row['upper']:.1f}). The corrected bound, proved "
        "in this chapter, pays for the nodes that feed the last layer and for the number of classes."
    )


def _of_depth(found: pd.DataFrame) -> str:
    depth = found[found["axis"] == "depth"].pivot(index="at", columns="bound", values="log10")
    lead = 10 ** (depth[GOLOWICH] - depth[REFINED])
    return (
        "**That few nodes feed each node does help**: at equal kernel norms the corrected bound is "
        f"{lead.iloc[0]:.1f} times smaller than that of Golowich et al. at depth {depth.index[0]} and "
        f"{lead.iloc[-1]:.0f} times at depth {depth.index[-1]}."
    )


def _of_gap(found: pd.DataFrame, bounds: pd.DataFrame) -> str:
    taus = found[found["axis"] == "all"].set_index("bound")["tau"]
    counting = set(bounds.loc[bounds["norm"].str.contains("number of weights"), "bound"]) | {COUNT}
    alone, both = taus[~taus.index.isin(counting)], taus[taus.index.isin(counting - {COUNT})]
    head = "Norms follow the gap little" if taus[REFINED] < FOLLOWS else "Norms follow the gap, most of the time"
    return (
        f"**{head}**: Kendall's tau of the corrected bound with the gap is {taus[REFINED]:.2f}, and "
        f"{alone.max():.2f} for the best that has norms alone (*{alone.idxmax()}*). "
        + (
            f"Of those that count weights, too, the best has {both.max():.2f} (*{both.idxmax()}*). "
            if len(both)
            else ""
        )
        + f"The plain number of parameters over samples has {taus[COUNT]:.2f}."
    )


def _of_students(found: pd.DataFrame) -> str:
    rows = middle(found)
    if not {"l1", "l2"} <= set(rows.index):
        return "**Sparser students**: none with L1 or none with L2 fits here."
    factor = rows.loc["l1", "bound"] / rows.loc["l2", "bound"]
    head = "A bound by norms does not see zeros" if factor > NO_SMALLER else "Sparser students have smaller bounds"
    return (
        f"**{head}**: students of the L1 chapter keep {rows.loc['l1', 'kept']:.0f} of 52 weights with L1 and "
        f"{rows.loc['l2', 'kept']:.0f} with L2, and their corrected bounds are {size(rows.loc['l1', 'bound'])} and "
        f"{size(rows.loc['l2', 'bound'])} (medians)."
    )


def _of_practice(posteriors: pd.DataFrame) -> str:
    rows = posteriors.set_index("prior")
    all_data, half = rows.loc[PRIORS[0]], rows.loc[PRIORS[1]]
    head = "keep samples back" if (rows["held_out"] < rows["total"]).all() else "compare bounds on your own samples"
    return (
        f"**For your own network**: {head}. They bound the error of a network trained on all other samples by "
        f"{all_data['held_out']:.1%}; PAC-Bayes bounds that of weights drawn around the trained ones by "
        f"{all_data['total']:.1%}. If only half of the samples train and the other half is for PAC-Bayes, the two are "
        f"{half['held_out']:.1%} and {half['total']:.1%}."
    )
