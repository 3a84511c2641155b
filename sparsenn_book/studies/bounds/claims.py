"""Claims of the chapter: what the study's formula says and what holds, with thresholds and their reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact
from sparsenn_book.studies.bounds import recorded
from sparsenn_book.studies.bounds.grid_claims import NETWORKS, of_correlation
from sparsenn_book.studies.bounds.search import CASES
from sparsenn_book.studies.bounds.selected import (
    GOLOWICH,
    PLACE,
    PLAIN,
    REFINED,
    STUDY,
    last,
    norm_certificates,
)
from sparsenn_book.studies.bounds.settings import StudySettings
from sparsenn_book.studies.bounds.student_claims import of_students

FORMULA = "formula implemented in the reference code of Galanti, Xu, Galanti and Poggio (NeurIPS 2023)"
HERE = "this book"
DRAWS = 10  # of the signs: a t interval of fewer says little
CHANCE = 0.9  # the error of a guess among ten classes
DEPTHS = 6  # networks: the study's depths are 3 to 8
GAIN = 10.0  # from one to the deepest: an order of magnitude, so that constants do not decide it

Tables = Mapping[str, pd.DataFrame]


def claims(tables: Tables, settings: StudySettings) -> list[Claim]:
    """All claims of the chapter."""
    return [
        *_of_formula(tables["counterexamples"]),
        *_of_search(tables["counterexamples"], tables["slack"]),
        *_of_training(tables["bounds"], tables["errors"], tables["grid"], settings),
        *_of_depths(tables["deep_bounds"], tables["deep_errors"]),
        *_of_growth(tables["growth"], tables["rescaled"]),
        *of_correlation(tables["grid"]),
        *_of_posterior(tables["posteriors"]),
        *of_students(tables["students"]),
    ]


def ratio(rows: pd.DataFrame) -> Estimate:
    """What the search found over what the bound says, of one row, with the interval over draws."""
    row = rows.iloc[0]
    value, low, high = (max(0.0, row[name]) / row["upper"] for name in ("lower", "low", "high"))
    return Estimate(value, low, high, int(row["draws"]), "of the formula", "Student t interval, 95%")


def _of_formula(found: pd.DataFrame) -> list[Claim]:
    said = {
        CASES[0]: "with one output over 784 positions, constant images",
        CASES[1]: "with 1,000 classes on a single pixel",
        CASES[2]: "in the study's own setting, CONV-3 with ten classes on 28x28 images (enlarged digits)",
    }
    rows = found[found["bound"] == STUDY].set_index("case")
    return [
        Claim(
            f"bounds.formula-{key}",
            f"The formula bounds the complexity of its class {said[case]} (complexity found over formula).",
            FORMULA,
            None,
            ratio(rows.loc[[case]]),
            said=(0.0, 1.0),
            ours=(1.0, math.inf),
            enough=DRAWS,
            headline=case == CASES[2],
        )
        for key, case in zip(("head", "classes", "own"), CASES, strict=True)
    ]


def _of_search(counter: pd.DataFrame, slack: pd.DataFrame) -> list[Claim]:
    both = pd.concat([counter, slack], ignore_index=True)
    sparse = both[both["bound"].isin([REFINED, PLAIN])]
    # both ends of the interval: the whole of it has to lie below
    worst = sparse.assign(share=sparse["high"] / sparse["upper"])["share"].max()
    tight = slack[slack["bound"] == REFINED]
    factor = tight["upper"] / tight["lower"]
    return [
        Claim(
            "bounds.corrected-search",
            "No search exceeds the corrected bound, refined or plain (largest upper end of what was found, over the "
            "bound).",
            HERE,
            None,
            exact(float(worst), len(sparse)),
            ours=(0.0, 1.0),
            enough=8,
        ),
        Claim(
            "bounds.corrected-slack",
            "The corrected bound is at most ten times the complexity that a search finds on digits (largest factor).",
            HERE,
            None,
            exact(float(factor.max()), len(factor)),
            ours=(1.0, 10.0),
            enough=2,
        ),
    ]


def _of_training(
    bounds: pd.DataFrame, errors: pd.DataFrame, grid: pd.DataFrame, settings: StudySettings
) -> list[Claim]:
    trained = norm_certificates(grid)
    cells = len(trained.drop_duplicates(["depth", "width", "n", "decay", "noise"]))
    above = float((trained["total"] - trained["test_error"]).min())
    end = norm_certificates(last(bounds))
    return [
        Claim(
            "bounds.certificates-hold",
            "Every certificate by norms is at least the test error of every network of the grid (least difference).",
            HERE,
            None,
            exact(above, cells),
            ours=(0.0, math.inf),
            enough=NETWORKS,
            check=True,
        ),
        Claim(
            "bounds.vacuous",
            "No certificate by norms is below 1 on a trained network (the smallest, study's networks and grid).",
            HERE,
            None,
            exact(float(min(end["total"].min(), trained["total"].min())), cells + len(end.drop_duplicates(PLACE))),
            ours=(1.0, math.inf),
            enough=NETWORKS,
            headline=True,
        ),
        Claim(
            "bounds.recorded-end",
            "The formula ends training near the square root of two (power of two, CONV-3, the study's widths).",
            FORMULA + ", README, figure 1 read by eye",
            "2^0.5 at 200, 600 and 1,000 channels, a power of two to either side",
            _formulas_end(bounds, errors, settings),
            said=(0.5 - recorded.READING, 0.5 + recorded.READING),
        ),
    ]


def _of_depths(bounds: pd.DataFrame, errors: pd.DataFrame) -> list[Claim]:
    sure = norm_certificates(bounds).merge(errors, on=[*PLACE, "epoch"])
    count = len(errors.drop_duplicates(PLACE))
    return [
        Claim(
            "bounds.deep-hold",
            "From the shallowest to the deepest network of the study's kind, at every look, every certificate by "
            "norms is at least the test error (least difference).",
            HERE,
            None,
            exact(float((sure["total"] - sure["test_error"]).min()), count),
            ours=(0.0, math.inf),
            enough=DEPTHS,
            check=True,
        ),
        Claim(
            "bounds.deep-vacuous",
            "None of them has a certificate by norms below 1 after training (the smallest).",
            HERE,
            None,
            exact(float(norm_certificates(last(bounds))["total"].min()), count),
            ours=(1.0, math.inf),
            enough=DEPTHS,
        ),
    ]


def _formulas_end(bounds: pd.DataFrame, errors: pd.DataFrame, settings: StudySettings) -> Estimate | None:
    """The formula's last power of two over the study's widths; None where images, widths or epochs are others."""
    rows = last(bounds)
    rows = rows[(rows["bound"] == STUDY) & (rows["depth"] == 3) & rows["width"].isin(recorded.WIDTHS)]
    if settings.dataset == "digits" or settings.epochs < recorded.EPOCHS or not len(rows) or not len(errors):
        return None
    powers = rows["log10"] / math.log10(2)
    return Estimate(powers.median(), powers.min(), powers.max(), len(powers), "power of two", "all networks")


def _of_growth(growth: pd.DataFrame, rescaled: pd.DataFrame) -> list[Claim]:
    depth = growth[growth["axis"] == "depth"].pivot(index="at", columns="bound", values="log10")
    lead = depth[GOLOWICH] - depth[REFINED]
    gain = 10 ** float(lead.iloc[-1] - lead.iloc[0])
    width = growth[(growth["axis"] == "width") & (growth["bound"] == REFINED)]["log10"]
    moved = (rescaled["after"] - rescaled["before"]).abs()
    changed = set(rescaled["bound"][moved > 1e-6])
    return [
        Claim(
            "bounds.depth",
            "At equal kernel norms the corrected bound gains on that of Golowich et al. with depth (factor gained from "
            "the shallowest to the deepest).",
            HERE + "; the study says so of its bound",
            None,
            exact(gain, len(lead)),
            ours=(GAIN, math.inf),
            enough=3,
        ),
        Claim(
            "bounds.width",
            "At equal kernel norms the corrected bound does not depend on the width (largest over smallest).",
            HERE,
            None,
            exact(10 ** float(width.max() - width.min()), len(width)),
            # inputs and shapes are the same; only the head's norm, taken node by node, differs by its random spread
            ours=(1.0, 1.1),
            enough=2,
        ),
        Claim(
            "bounds.rescaling",
            "Moving a factor 4 from one layer to another changes two bounds only, whose proofs pay layer by layer.",
            HERE,
            None,
            exact(float(len(changed)), len(rescaled), "bounds changed"),
            ours=(2, 2),
            enough=10,
            check=True,
        ),
    ]


def _of_posterior(found: pd.DataFrame) -> list[Claim]:
    rows = found.set_index("prior")
    return [
        Claim(
            f"bounds.posterior-{key}",
            f"A PAC-Bayes bound with its prior at {said} is below the error of a guess, 0.9.",
            HERE,
            None,
            exact(float(rows.loc[prior, "total"]), int(rows.loc[prior, "n"])),
            ours=(0.0, CHANCE),
            enough=500,
        )
        for key, prior, said in (
            ("initial", "initial weights", "the initial weights"),
            ("half", "half of the data", "weights trained on half of the data"),
        )
    ]
