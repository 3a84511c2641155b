"""What the chapter on compression teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.evidence import TOO_SMALL, FullScale, Tables, evidence
from sparsenn_book.records.words import listed, number
from sparsenn_book.studies.compression import measures
from sparsenn_book.studies.compression.comparison import LASSO, METHODS, RANDOM
from sparsenn_book.studies.compression.measures import LAST

NEEDED = ("networks", "ways", "layers", "descents", "sizes")


def told(full: FullScale, here: Tables, profile: str) -> tuple[Tables, str] | None:
    """The tables to tell findings from, and where they hold; None where this run is no evidence."""
    return evidence(full, here, profile, NEEDED)


def learned(source: tuple[Tables, str] | None) -> str:
    """What we learned, a list; the last entry is for practice."""
    if source is None:
        return TOO_SMALL
    tables, where = source
    entries = [_kept(tables), _refit(tables), _choice(tables), _loop(tables), _bounds(tables), _practice(tables)]
    return "\n".join([f"Measured {where}; medians over networks.\n", *(f"- {entry}" for entry in entries)])


def answer(source: tuple[Tables, str] | None) -> str:
    """The question's answer, and what stays open."""
    open_ends = (
        "Open: the study's own VGG-19 and AlexNet, whose weights and images are not here; large networks, where the "
        "least squares of a layer with thousands of inputs dominate; training on after removal, which everybody does "
        "and nobody here did; other activations."
    )
    if source is None:
        return open_ends
    tables, where = source
    rises, allowed = _rises(tables), _tolerance(tables)
    head = "Smaller, yes; what it computes changes" if rises.max() > 0 else "Yes"
    beyond = "" if allowed is None else f", by more than the {allowed:g} allowed in {_beyond(rises, allowed)}"
    return (
        f"{head}. Measured {where}: whole networks keep {listed(_left(tables))} of their parameters, and loss on fresh "
        f"images changes by {rises.min():+.3f} to {rises.max():+.3f}{beyond}. Is a simpler choice as good? "
        f"{_choice(tables).replace('**', '')}{_hidden(tables['ways'], measures.nearest(tables['ways']['share'], 0.1))}"
        f"\n\n{open_ends}"
    )


def _tolerance(tables: Tables) -> float | None:
    """The rise of loss that whole networks were allowed, as their table's own record says."""
    found = tables["sizes"].attrs.get("provenance", {}).get("parameters", {}).get("tolerance")
    return None if found is None else float(found)


def _rises(tables: Tables) -> pd.Series:
    losses = tables["sizes"][tables["sizes"]["what"] == "loss"]
    return losses["after"] - losses["before"]


def _median(tables: Tables, column: str, share: float, method: str, refit: bool) -> float:
    near = measures.nearest(tables["ways"]["share"], share)
    task = tables["ways"]["task"].iloc[0]
    return float(measures.values(tables["ways"], column, task, LAST, near, method, refit).median())


def _beyond(rises: pd.Series, allowed: float) -> str:
    return f"{(rises > allowed).sum()} of {len(rises)} networks"


def _left(tables: Tables) -> list[str]:
    """The share of parameters that whole networks keep, by task."""
    groups = tables["sizes"].groupby("task", sort=False)
    return [f"{measures.ratios(own, 'parameters').median():.0%} ({task})" for task, own in groups]


def _kept(tables: Tables) -> str:
    parts = []
    for task, own in tables["sizes"].groupby("task", sort=False):
        faster = (1 / measures.ratios(own, "milliseconds")).median()
        accuracy = own[own["what"] == "accuracy"][["before", "after"]].median()
        parts.append(
            f"{task} runs {number(faster, 2)} times as fast, its accuracy goes from {accuracy['before']:.1%} to "
            f"{accuracy['after']:.1%}"
        )
    return (
        f"**Whole networks keep {listed(_left(tables))} of their parameters.** {'; '.join(parts)}. "
        f"{_of_tolerance(tables)} Nothing was trained again."
    )


def _of_tolerance(tables: Tables) -> str:
    """Whether the loss on fresh images stays where it may."""
    rise, allowed = _rises(tables), _tolerance(tables)
    fresh = f"on fresh images it changes by {rise.min():+.3f} to {rise.max():+.3f}"
    if allowed is None:
        return f"The loss has a tolerance on the images that choose the widths; {fresh}."
    return (
        f"The loss may rise by {allowed:g} on the images that choose the widths; {fresh}, by more than {allowed:g} in "
        f"{_beyond(rise, allowed)}."
    )


def _refit(tables: Tables) -> str:
    ways = tables["ways"]
    task, share = ways["task"].iloc[0], measures.nearest(ways["share"], 0.1)
    random, own = _median(tables, "accuracy", 0.1, RANDOM, True), _median(tables, "accuracy", 0.1, LASSO, False)
    first = "refit gains more than the choice" if random > own else "choice gains more than the refit"
    return (
        f"**In the last layer of {task} the {first}.** {share:.0%} of its neurons, drawn at random and refitted by "
        f"least squares, give {random:.1%} accuracy; as many that the lasso chooses, with the lasso's own shrunk "
        f"weights, {own:.1%}.{_difference(tables, task, share)}{_hidden(ways, share)}"
    )


def _difference(tables: Tables, task: str, share: float) -> str:
    which = ((RANDOM, True), (LASSO, False))
    pair = [measures.values(tables["ways"], "accuracy", task, LAST, share, *one) for one in which]
    found = measures.difference(pair[0], pair[1], "")
    if found is None or found.count < 3:
        return ""
    return (
        f" The mean difference is {100 * found.value:.1f} percentage points (95 %: {100 * found.low:.1f} to "
        f"{100 * found.high:.1f}, {found.count} networks)."
    )


def _hidden(ways: pd.DataFrame, share: float) -> str:
    """Where, among the layers before the last, the choice matters most after a refit."""
    spreads = {}
    for task, layer in ways[ways["layer"] != LAST][["task", "layer"]].drop_duplicates().itertuples(index=False):
        losses = measures.medians(ways, "loss", task, layer, share, True)
        spreads[f"{layer} of {task}"] = (losses.iloc[-1] / losses.iloc[0], losses)
    if not spreads:
        return ""
    place = max(spreads, key=lambda name: float(spreads[name][0]))
    losses = spreads[place][1]
    return (
        f" In layers before the last the choice matters after the refit as well, most in {place}: with {share:.0%} of "
        f"the neurons, median test losses go from {losses.iloc[0]:.3f} ({losses.index[0]}) to {losses.iloc[-1]:.3f} "
        f"({losses.index[-1]})."
    )


def _choice(tables: Tables) -> str:
    ways = tables["ways"]
    task, share = ways["task"].iloc[0], measures.nearest(ways["share"], 0.2)
    errors = measures.medians(ways, "error", task, LAST, share, True)
    accuracies = measures.medians(ways, "accuracy", task, LAST, share, True)
    points = 100 * (accuracies.iloc[-1] - accuracies.iloc[0])
    lasso = "" if LASSO in (errors.index[0], errors.index[-1]) else f", the lasso's {errors[LASSO]:.3f}"
    return (
        f"**In the last layer of {task}, refitted, the ways differ by {points:.1f} percentage points of accuracy, and "
        f"by a factor of {errors.iloc[-1] / errors.iloc[0]:.1f} in the layer's error**: at {share:.0%} of its neurons "
        f"the error of its outputs is {errors.iloc[0]:.3f} ({errors.index[0]}) to {errors.iloc[-1]:.3f} "
        f"({errors.index[-1]}){lasso}; accuracies are {accuracies.iloc[0]:.1%} to {accuracies.iloc[-1]:.1%}."
    )


def _loop(tables: Tables) -> str:
    rows = tables["descents"]
    end = rows[rows["iteration"] == rows["iteration"].max()]
    ratio = end["objective"] / end["optimum"]
    return (
        f"**On networks of this book the study's loop does not minimise its objective**: after "
        f"{end['iteration'].iloc[0]} iterations it is "
        f"{ratio.min():.2f} to {ratio.max():.2f} times the certified optimum, over networks and strengths."
    )


def _bounds(tables: Tables) -> str:
    vacuous = tables["layers"]["vacuous"]
    return (
        f"**The theory's bound on width says nothing in {vacuous.sum()} of {len(vacuous)} layers that were looked "
        "at**: it asks for at least as many neurons as there are. That layers can be made smaller is measured, not "
        "implied."
    )


def _practice(tables: Tables) -> str:
    ways = tables["ways"]
    share = measures.nearest(ways["share"], 0.2)
    near, count = dict.fromkeys(METHODS, 0), 0
    for task, layer in ways[["task", "layer"]].drop_duplicates().itertuples(index=False):
        errors = measures.medians(ways, "error", task, layer, share, True)
        count += 1
        for method in errors.index[errors <= 1.25 * errors.iloc[0]]:
            near[method] += 1
    told = [f"{method} in {near[method]}" for method in sorted(METHODS, key=lambda name: -near[name])]
    return (
        "**Take to your own training.** Remove neurons from both sides, refit what reads them by least squares, and "
        f"let held-out data choose the width. Which neurons? With {share:.0%} of them, refitted, a way to choose "
        f"them is good here if the error of the layer's outputs is at most 1.25 times the least. That holds for "
        f"{listed(told)} of {count} layers."
    )
