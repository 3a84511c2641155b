"""The claims of the chapter: functions of its tables.

Thresholds, fixed before the draws of the tables (pilot runs had seed 7):

SEVERAL  a learned mask is worth its trouble at high sparsity if it makes the error several times smaller
POINT    one percentage point of 500 digits is 5 of them, about one standard deviation between runs
MUCH     five points of 10,000 pictures are some ten standard deviations between runs
MOST     three of four cells: means of three runs lie apart by chance in one of twenty, other draws come on top
CELLS    fewer are no comparison, nor are fewer RUNS
WHOLE_EPOCHS  training ends with an epoch, which may be a few steps early: 1,984 of 2,000
SIGMAS   a mean of draws is further than four standard errors from its expectation once in 16,000 times
NEAR     whole channels removed are near the ideal factor 1 / (1 - sparsity) if within a factor of two of it
ALIKE    predicting 0 has the error of the targets' variance; an untrained network's is within a tenth of it
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact, mean_interval
from sparsenn_book.studies.sparse_layers import cells, earlier, measures
from sparsenn_book.studies.sparse_layers.methods import DENSE
from sparsenn_book.studies.sparse_layers.original import CODED, FROZEN, LEARNED
from sparsenn_book.studies.sparse_layers.speed import CHANNELS, CSR, FORWARD, MASKED, STEP

Tables = Mapping[str, pd.DataFrame]
STUDY = "himanshuvnm/Sparse_Neural_Network, README"
BOOK = "this book"
SAID = "pruning a fixed fraction of weights based on learned importance scores"
SEVERAL = (3.0, math.inf)
POINT = 0.01
MUCH = 0.05
MOST = (0.75, 1.0)
CELLS = 20
RUNS = 3
WHOLE_EPOCHS = 0.98
SIGMAS = 4.0
NEAR = (0.5, 2.0)
ALIKE = (0.9, 1.1)
VARIANCE = 10.0
"""Of the study's targets, a sum of ten standard normal inputs."""
ENOUGH = 10
HIGH, LOW = 0.95, 0.9


def claims(tables: Tables) -> list[Claim]:
    """All claims of the chapter, from the tables of one profile."""
    return [
        *of_the_original(tables),
        *of_methods(tables["errors"]),
        *of_pictures(tables["errors"]),
        *of_the_earlier(tables["again"], tables["errors"]),
        *of_inputs(tables),
        *of_speed(tables["speed"]),
    ]


def of_the_original(tables: Tables) -> list[Claim]:
    """What the study's code does, and what it would do as described."""
    ends, trained = tables["ends"], tables["trained"]
    by = {version: ends[ends["version"] == version].set_index("run") for version in (CODED, FROZEN, LEARNED)}
    losses = {v: trained[trained["version"] == v].set_index(["run", "step"])["loss"] for v in (CODED, FROZEN)}
    count = len(by[CODED])
    ratio = measures.geometric_mean(np.log(by[CODED]["test_loss"] / by[LEARNED]["test_loss"]))
    return [
        Claim(
            "masks.scores-learned",
            "The study's layer prunes by scores that are learned: at least one score in a hundred changes in training.",
            STUDY, SAID, exact(float(by[CODED]["scores_moved"].max()), count, "of the scores"),
            said=(0.01, 1.0), ours=(0.0, 0.0),
        ),
        Claim(
            "masks.fixed-random",
            "The study's network trains exactly as one with a fixed random mask: largest difference of any loss.",
            BOOK, None, exact(float((losses[CODED] - losses[FROZEN]).abs().max()), count),
            ours=(0.0, 0.0), check=True,
        ),
        Claim(
            "masks.as-described",
            "With the mask learned as described, all else equal, the study's network ends with a lower test error.",
            BOOK, None, ratio, ours=(1.0, math.inf), enough=5,
        ),
        Claim(
            "masks.evaluate",
            "The study's evaluate.py measures an untrained network: its error is the variance of the targets.",
            BOOK, "evaluate.py builds a new model and loads no weights",
            mean_interval(by[CODED]["untrained"] / VARIANCE, unit="of the variance"), ours=ALIKE, enough=5,
        ),
    ]  # fmt: skip


def of_methods(errors: pd.DataFrame) -> list[Claim]:
    """What learned masks gain over random ones, and over dense networks."""
    ratios = {
        (task, method): measures.times_better(errors, task, measures.RANDOM, method, HIGH)
        for task in measures.REGRESSIONS
        for method in ("soft", "RigL")
    }
    dense = measures.times_better(errors, "nonlinear", DENSE, "soft", HIGH)
    same = measures.times_better(errors, "linear", "as in the study", measures.RANDOM, HIGH)
    return [
        _stated("gain-linear", f"Sum of 20 inputs, sparsity {HIGH}: a soft learned mask has less than a third of the "
                "error of a random one.", ratios["linear", "soft"], SEVERAL, headline=True),
        _stated("gain-nonlinear", f"5 of 50 inputs matter, sparsity {HIGH}: a soft learned mask has less than a third "
                "of the error of a random one.", ratios["nonlinear", "soft"], SEVERAL, headline=True),
        _stated("gain-rigl-linear", f"Sum of 20 inputs, sparsity {HIGH}: a mask of RigL has less than a third of the "
                "error of a random one.", ratios["linear", "RigL"], SEVERAL),
        _stated("gain-rigl-nonlinear", f"5 of 50 inputs matter, sparsity {HIGH}: a mask of RigL has less than a third "
                "of the error of a random one.", ratios["nonlinear", "RigL"], SEVERAL),
        _stated("sparse-beats-dense", f"5 of 50 inputs matter: a soft learned mask of sparsity {HIGH} has less than a "
                "third of the error of the dense network.", dense, SEVERAL),
        _stated("study-is-random", f"Sum of 20 inputs, sparsity {HIGH}: the study's mask and weights are within a "
                "factor of three of a random mask's with usual weights.", same, (1 / 3, 3.0)),
        _stated("digits-alike", f"Digits, sparsity {LOW}: soft and random masks differ by less than one percentage "
                "point.", _difference(errors, "digits", LOW), (-POINT, POINT)),
    ]  # fmt: skip


def of_pictures(errors: pd.DataFrame) -> list[Claim]:
    """What learned masks gain on pictures: of a wide layer little, of small convolutions much."""
    return [
        _stated("gain-fashion", f"Fashion-MNIST, a layer of 784 inputs, sparsity {HIGH}: a soft learned mask has a "
                "lower error than a random one.", _difference(errors, "fashion", HIGH), (0.0, 1.0)),
        _stated("gain-fashion-cnn", f"Fashion-MNIST, two small convolutions, sparsity {HIGH}: a soft learned mask is "
                "better than a random one by more than five percentage points.",
                _difference(errors, "fashion_cnn", HIGH), (MUCH, 1.0)),
    ]  # fmt: skip


def of_the_earlier(again: pd.DataFrame, errors: pd.DataFrame) -> list[Claim]:
    """Whether an earlier comparison's numbers come out again."""
    whole = again[again["steps"] > WHOLE_EPOCHS * earlier.STEPS]
    statement = (
        f"At the {earlier.STEPS} steps and the learning rate of an earlier comparison, mean errors are within its "
        "spread or better: share of its cells."
    )
    share = _not_worse(whole, errors)
    return [Claim("masks.earlier", statement, BOOK, None, share, None, MOST, RUNS, prior=True)]


def _not_worse(again: pd.DataFrame, errors: pd.DataFrame) -> Estimate | None:
    """The share of cells, and its jackknife interval over runs: all cells share the runs' seeds."""

    def verdicts(table: pd.DataFrame) -> pd.Series:
        found = cells.beside(table, errors)
        return found.loc[found["how"] == cells.SAME, "verdict"]

    def share(table: pd.DataFrame) -> float:
        return float((verdicts(table) != cells.WORSE).mean())

    runs = again["run"].unique()
    if len(runs) < RUNS or len(verdicts(again)) < CELLS:
        return None
    value = share(again)
    # Tukey's pseudo-values, whose mean has about a t distribution
    pseudo = [len(runs) * value - (len(runs) - 1) * share(again[again["run"] != run]) for run in runs]
    spread = mean_interval(pseudo)
    half = (spread.high - spread.low) / 2
    low, high = max(value - half, 0.0), min(value + half, 1.0)
    return Estimate(value, low, high, len(runs), "of all", "jackknife over runs, 95%")


def of_inputs(tables: Tables) -> list[Claim]:
    """Which inputs masks leave out, and which they find."""
    counts, errors, course = tables["unread"], tables["errors"], tables["course"]
    rows = errors[(errors["task"] == "nonlinear") & np.isclose(errors["sparsity"], HIGH)]
    share = {m: rows[rows["method"] == m].set_index("run")["on_true"] for m in (measures.RANDOM, "soft")}
    more = None if share["soft"].empty else mean_interval(share["soft"] - share[measures.RANDOM])
    moving = course[(course["name"] == "gradient") & (course["method"] == "as in the study")]
    return [
        Claim(
            "masks.unread-formula",
            "The mean number of inputs that random masks leave out is that of the formula: largest distance in "
            "standard errors over all shapes and sparsities.",
            BOOK, None, exact(float(measures.scored(counts).abs().max()), int(counts["draws"].min())),
            ours=(0.0, SIGMAS), enough=1000, check=True,
        ),
        Claim(
            "masks.no-gradient", "No gradient reaches the scores of the study's mask.", BOOK, None,
            exact(float(moving["value"].max()), int(moving["run"].nunique())), ours=(0.0, 0.0), check=True,
        ),
        _stated("finds-inputs", f"5 of 50 inputs matter, sparsity {HIGH}: of a soft mask's weights a larger share lies "
                "on these than of a random mask's (difference of the shares).", more, (0.0, 1.0)),
    ]  # fmt: skip


def of_speed(speed: pd.DataFrame) -> list[Claim]:
    """Whether sparse is faster, on the machine that made the table."""
    rows = measures.speedups(speed)
    masked = rows[(rows["form"] == MASKED) & (rows["phase"] == FORWARD)]
    csr = rows[(rows["form"] == CSR) & (rows["phase"] == FORWARD) & np.isclose(rows["sparsity"], LOW)]
    steps = rows[(rows["form"] == CSR) & (rows["phase"] == STEP) & np.isclose(rows["sparsity"], LOW)]
    large = rows["size"] == rows["size"].max()
    removed = rows[(rows["form"] == CHANNELS) & large & np.isclose(rows["sparsity"], LOW)]
    return [
        _one_machine("masked-slower", "Forward, a layer with weight times mask is slower than the dense one: its speed "
                     "as a share of the dense one's. Decided only if all timed cases agree.", masked["times"],
                     (0.0, 1.0), prior=False),
        _one_machine("csr-forward", f"At sparsity {LOW} compressed rows have less than half of the ideal speed-up of "
                     f"{1 / (1 - LOW):.0f} in the forward pass.", csr["times"] * (1 - LOW), (0.0, 0.5)),
        _one_machine("csr-step", f"At sparsity {LOW} compressed rows have less than half of the ideal speed-up in a "
                     "training step.", steps["times"] * (1 - LOW), (0.0, 0.5)),
        _one_machine("channels", "The largest layer without nine tenths of its channels is within a factor of two of "
                     "ten times as fast.", removed["times"] * (1 - LOW), NEAR),
    ]  # fmt: skip


def _stated(key: str, statement: str, measured: Estimate | None, ours: tuple[float, float], **more: bool) -> Claim:
    return Claim(f"masks.{key}", statement, BOOK, None, measured, None, ours, ENOUGH, prior=True, **more)


def _one_machine(
    key: str, statement: str, values: pd.Series, ours: tuple[float, float], *, prior: bool = True
) -> Claim:
    """A claim about the cases timed on one machine: the median with the range of all of them."""
    if values.empty:
        return Claim(f"masks.{key}", statement, BOOK, ours=ours, prior=prior)
    how = "median and range of the cases, one machine"
    measured = Estimate(values.median(), values.min(), values.max(), len(values), "", how)
    return Claim(f"masks.{key}", statement, BOOK, None, measured, None, ours, 2, prior=prior)


def _difference(errors: pd.DataFrame, task: str, sparsity: float) -> Estimate | None:
    """The share of wrong answers of a random mask less that of a soft one, run by run."""
    pair = [measures.errors_of(errors, task, method, sparsity) for method in (measures.RANDOM, "soft")]
    difference = (pair[0] - pair[1]).dropna()
    return None if difference.empty else mean_interval(difference, unit="of all answers")
