"""What the chapter on compression teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

from sparsenn_book.records.evidence import TOO_SMALL, FullScale, Tables, evidence
from sparsenn_book.records.words import listed, number
from sparsenn_book.studies.compression import measures
from sparsenn_book.studies.compression.comparison import LASSO, RANDOM
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
    plain = " ".join(entry.replace("**", "") for entry in (_kept(tables), _choice(tables)))
    return f"Yes, up to a width that held-out data tell, {where}. {plain}\n\n{open_ends}"


def _median(tables: Tables, column: str, share: float, method: str, refit: bool) -> float:
    near = measures.nearest(tables["ways"]["share"], share)
    task = tables["ways"]["task"].iloc[0]
    return float(measures.values(tables["ways"], column, task, LAST, near, method, refit).median())


def _kept(tables: Tables) -> str:
    sizes = tables["sizes"]
    losses = sizes[sizes["what"] == "loss"]
    accuracies = sizes[sizes["what"] == "accuracy"]
    left = measures.ratios(sizes, "parameters").median()
    speeds = []
    for task in dict.fromkeys(sizes["task"]):
        faster = (1 / measures.ratios(sizes[sizes["task"] == task], "milliseconds")).median()
        speeds.append(f"{number(faster, 2)} ({task})")
    return (
        f"**Whole networks shrink to {left:.0%} of their parameters** and run {listed(speeds)} times as fast, while "
        f"the test loss changes by {(losses['after'] - losses['before']).median():+.3f} and the accuracy by "
        f"{100 * (accuracies['after'] - accuracies['before']).median():+.1f} percentage points. "
        "Nothing was trained again."
    )


def _refit(tables: Tables) -> str:
    random, own = _median(tables, "accuracy", 0.1, RANDOM, True), _median(tables, "accuracy", 0.1, LASSO, False)
    first = "refit matters more than the choice" if random > own else "choice matters more than the refit"
    return (
        f"**The {first}.** In the last layer, a tenth of the neurons, drawn at random and "
        f"refitted by least squares, gives {random:.1%} accuracy; the tenth that the lasso chooses, with the lasso's "
        f"own shrunk weights, {own:.1%}."
    )


def _choice(tables: Tables) -> str:
    ways = tables["ways"]
    task, share = ways["task"].iloc[0], measures.nearest(ways["share"], 0.2)
    errors = measures.medians(ways, "error", task, LAST, share, True)
    accuracies = measures.medians(ways, "accuracy", task, LAST, share, True)
    points = 100 * (accuracies.iloc[-1] - accuracies.iloc[0])
    return (
        f"**With the refit the ways differ by {points:.1f} percentage points of accuracy, and by a factor of "
        f"{errors.iloc[-1] / errors.iloc[0]:.1f} in the layer's error**: at {share:.0%} of the neurons of the last "
        f"layer the error of its outputs is {errors.iloc[0]:.3f} ({errors.index[0]}) to {errors.iloc[-1]:.3f} "
        f"({errors.index[-1]}), the lasso's {errors[LASSO]:.3f}; accuracies are {accuracies.iloc[0]:.1%} to "
        f"{accuracies.iloc[-1]:.1%}."
    )


def _loop(tables: Tables) -> str:
    rows = tables["descents"]
    end = rows[rows["iteration"] == rows["iteration"].max()]
    ratio = end["objective"] / end["optimum"]
    return (
        f"**The study's loop does not minimise its objective**: after {end['iteration'].iloc[0]} iterations it is "
        f"{ratio.min():.2f} to {ratio.max():.2f} times the certified optimum, over networks and strengths."
    )


def _bounds(tables: Tables) -> str:
    share = tables["layers"]["vacuous"].mean()
    return (
        f"**The theory's bound on width says nothing in {share:.0%} of the layers**: it is no fewer than the neurons "
        "there are. That layers can be made smaller is measured, not implied."
    )


def _practice(tables: Tables) -> str:
    ways = tables["ways"]
    task, share = ways["task"].iloc[0], measures.nearest(ways["share"], 0.2)
    errors = measures.medians(ways, "error", task, LAST, share, True)
    close = [method for method in errors.index if errors[method] <= 1.25 * errors.iloc[0]]
    return (
        "**Take to your own training.** Remove neurons from both sides, refit what reads them by least squares, and "
        f"let held-out data choose the width. Which neurons: here {', '.join(close)} "
        f"{'are' if len(close) > 1 else 'is'} within a quarter of the least error."
    )
