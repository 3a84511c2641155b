"""The claims of the chapter: functions of its tables.

Thresholds, fixed on pilot runs (seed 7, digits, 128 units) before the draws of the tables:

FAR      five percentage points of accuracy, five times what runs differ by
POINT    one percentage point of 360 digits is 3.6 of them, about one standard deviation between runs
GAIN     the lower end of the gain in squared error that a single network of 512 units showed, 1.3 to 1.9
ABOVE    a tenth above the certified optimum; the certificate leaves 1e-10 open
HALF     half of the parameters: a network that is smaller by less saves little
FASTER   a fifth faster: below that timings on a busy machine tell nothing
ROUNDED  rounding of float32, relative to the largest output
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact
from sparsenn_book.studies.compression import measures
from sparsenn_book.studies.compression.comparison import LASSO, RANDOM
from sparsenn_book.studies.compression.measures import LAST

Tables = Mapping[str, pd.DataFrame]
BOOK = "this book"
STUDY = "joeshenouda/vv-spaces-nn-width, README and scripts"
FAR = (0.05, 1.0)
POINT = (-0.01, 0.01)
GAIN = (1.3, math.inf)
ABOVE = (1.1, math.inf)
HALF = (0.0, 0.5)
FASTER = (1.2, math.inf)
ROUNDED = (0.0, 1e-5)
CERTIFIED = (-1e-6, 1e-6)
ENOUGH = 5
TENTH, FIFTH, TWO_FIFTHS = 0.1, 0.2, 0.4
STRENGTH, SMALL_STRENGTH = 0.1, 0.01
LOOKED_AT = (100, 3000)


def claims(tables: Tables) -> list[Claim]:
    """All claims of the chapter, from the tables of one profile."""
    return [*of_ways(tables), *of_the_study(tables), *of_networks(tables)]


def of_ways(tables: Tables) -> list[Claim]:
    """What the choice of neurons gains, and what the refit gains."""
    ways, networks = tables["ways"], tables["networks"]

    def digits(column: str, share: float, method: str, refit: bool) -> pd.Series:
        return measures.values(ways, column, "digits", LAST, share, method, refit)

    full = networks[networks["task"] == "digits"].set_index("run")["accuracy"]
    pair = [digits("error", FIFTH, method, True) ** 2 for method in ("path norm", LASSO)]
    accuracy = [digits("accuracy", FIFTH, method, True) for method in (LASSO, "path norm")]
    refits = [digits("accuracy", TENTH, *which) for which in ((RANDOM, True), (LASSO, False))]
    path = tables["path"]
    gaps = path[~path["refit"]]["gap"].abs()  # a refit's row repeats its solution's
    return [
        _stated("refit", "Digits, last layer, a tenth of the neurons: neurons drawn at random and refitted are more "
                "accurate than the lasso's with its own weights, by at least five percentage points.",
                measures.difference(refits[0], refits[1], "of all digits"), FAR, headline=True),
        _stated("gain", "Digits, last layer, a fifth of the neurons, all refitted: the squared error of the layer's "
                "outputs with neurons ranked by path norm is at least 1.3 times the lasso's.",
                measures.times(*pair), GAIN),
        _stated("alike", "Digits, last layer, a fifth of the neurons, all refitted: with neurons ranked by path norm "
                "and with the lasso's, test accuracy differs by less than one percentage point.",
                measures.difference(accuracy[0], accuracy[1], "of all digits"), POINT),
        _stated("kept", "Digits, last layer: with two fifths of the neurons, chosen by the lasso and refitted, test "
                "accuracy is that of the whole network to within one percentage point.",
                measures.difference(digits("accuracy", TWO_FIFTHS, LASSO, True), full, "of all digits"), POINT,
                headline=True),
        Claim("compression.certified", "Every solution on every path is optimal up to a relative gap of one millionth: "
              "the largest gap.", BOOK, None, exact(float(gaps.max()), len(gaps)), ours=CERTIFIED, check=True),
    ]  # fmt: skip


def of_the_study(tables: Tables) -> list[Claim]:
    """What the study's code minimises, and what it reads."""
    descents, faults = tables["descents"], tables["faults"].set_index("fault")
    first, last = LOOKED_AT
    end = measures.above_optimum(descents, STRENGTH, last)
    small = [measures.above_optimum(descents, SMALL_STRENGTH, iteration) for iteration in (last, first)]
    stored, distance = (faults.loc[name] for name in faults.index)
    return [
        Claim("compression.minimised", "Adam with shrinkage minimises the study's objective: on this book's networks, "
              f"after {last} iterations at strength {STRENGTH}, it is within a tenth of the certified optimum.", STUDY,
              "the scripts' loop is there to minimise it", _geometric(end), said=(1.0, 1.1), ours=ABOVE,
              enough=ENOUGH),
        _stated("rises", f"The study's objective is larger after {last} of its iterations than after {first}, at "
                f"strength {SMALL_STRENGTH}.", measures.times(*small), (1.0, math.inf)),
        Claim("compression.hook", "What the study's hook stores for a layer before a ReLU in place has no negative "
              "entries, though the layer's outputs have: the least that is stored.", BOOK, None,
              exact(float(stored["coded"])), ours=(0.0, 0.0), check=True),
        Claim("compression.train-mode", "In train mode, as the study reads VGG-19, what arrives at its last layer is "
              "far from that in eval mode: relative distance on random weights, at least a tenth.", BOOK, None,
              exact(float(distance["coded"])), ours=(0.1, math.inf)),
    ]  # fmt: skip


def of_networks(tables: Tables) -> list[Claim]:
    """Bounds, and networks that are really smaller."""
    layers, sizes = tables["layers"], tables["sizes"]
    speed = 1 / measures.ratios(sizes, "milliseconds")
    worst = sizes.groupby(["task", "run"])["difference"].first()
    return [
        Claim("compression.vacuous", "The bound on width from the ranks of the data is no fewer than the neurons there "
              "are, in every layer that was looked at: share of layers where it is fewer.", BOOK, None,
              exact(float(1 - layers["vacuous"].mean()), len(layers), "of layers"), ours=(0.0, 0.0), enough=ENOUGH),
        _range("smaller", "All layers in turn, within the tolerance of held-out loss: less than half of the parameters "
               "are left.", measures.ratios(sizes, "parameters"), HALF, "median and range of the networks"),
        _range("faster", "Networks made smaller in all layers are at least 1.2 times as fast, on the machine that made "
               "the table.", speed, FASTER, "median and range of the networks, one machine"),
        Claim("compression.removed", "A network without its neurons gives what one with zeros in their place gives: "
              "largest difference as a share of the largest output.", BOOK, None,
              exact(float(worst.max()), len(worst)), ours=ROUNDED, check=True),
    ]  # fmt: skip


def _stated(
    key: str, statement: str, measured: Estimate | None, ours: tuple[float, float], *, headline: bool = False
) -> Claim:
    return Claim(
        f"compression.{key}", statement, BOOK, None, measured, None, ours, ENOUGH, headline=headline, prior=True
    )


def _range(key: str, statement: str, values: pd.Series, ours: tuple[float, float], how: str) -> Claim:
    """A claim about all networks: the median with the range."""
    measured = Estimate(values.median(), values.min(), values.max(), len(values), "", how)
    return Claim(f"compression.{key}", statement, BOOK, None, measured, None, ours, 3, prior=True)


def _geometric(ratios: pd.Series) -> Estimate | None:
    return measures.times(ratios, pd.Series(1.0, index=ratios.index))
