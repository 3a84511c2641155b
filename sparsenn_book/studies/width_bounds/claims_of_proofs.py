"""Claims about bounds and certificates: how many neurons solutions use, and how sure the counts are.

A bound that is no less than the number of neurons cannot be exceeded; such problems are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact
from sparsenn_book.studies.width_bounds.boundary import PAIRS
from sparsenn_book.studies.width_bounds.claims_of_training import within
from sparsenn_book.studies.width_bounds.random_solutions import TITLED

STUDY = "Shenouda et al. 2023"
DERIVED = "derived here; the literature was not searched"
HERE = "this book"
MANY = 1000
PROMISED = 1e-12  # the error below which the solver calls a solution final
CLEAR = 1e-3  # an error this much smaller than the least neuron used cannot make or hide one

Tables = Mapping[str, pd.DataFrame]


def claims(tables: Tables) -> list[Claim]:
    """Claims of the tables dimension, rank, small, boundary and enumeration."""
    solutions = distinct(pd.concat([tables[name] for name in ("dimension", "rank", "small")], ignore_index=True))
    return [
        *_of_bounds(solutions, tables["boundary"]),
        *_of_certificates(solutions, tables["boundary"]),
        *_of_brute_force(tables["small"], tables["enumeration"]),
    ]


def distinct(solutions: pd.DataFrame) -> pd.DataFrame:
    """The random problems, each once: at r_x = 10 D = r_x and D = 10 are the same."""
    return solutions[~((solutions["version"] == "titled") & (solutions["rank"] == TITLED))]


def share_of(solutions: pd.DataFrame, bound: str) -> Estimate | None:
    """The largest share of an upper bound that any problem uses, over the problems where the bound is below K."""
    some = solutions[solutions[bound] < solutions["neurons"]]
    return exact((some["width"] / some[bound]).max(), len(some)) if len(some) else None


def _of_bounds(solutions: pd.DataFrame, boundary: pd.DataFrame) -> list[Claim]:
    return [
        Claim(
            "width.product-bound",
            r"The sparsest solution has at most $r_\Phi r_\Psi$ neurons (largest share of the bound, random "
            "problems with K above it).",
            f"{STUDY}, abstract and brute_cvx_multi_task_lasso.py; theorem recalled, proof not read",
            None,
            share_of(solutions, "product"),
            said=(0.0, 1.0),
            enough=MANY,
        ),
        Claim(
            "width.sharp-bound",
            r"The sparsest solution has at most $r_\Phi r_\Psi - r_\Psi (r_\Psi - 1)/2$ neurons, with ranks "
            r"$r_\Phi$ of the features and $r_\Psi$ of the outputs (largest share of the bound, random problems with "
            "K above it).",
            DERIVED,
            None,
            share_of(solutions, "sharp"),
            ours=(0.0, 1.0),
            enough=MANY,
            headline=True,
        ),
        Claim(
            "width.sharp-attained",
            "Problems built to need it end exactly on the sharper bound when thinned out (width over bound).",
            DERIVED,
            None,
            within(boundary["after"] / boundary["sharp"]),
            ours=(1.0, 1.0),
            enough=len(PAIRS),
        ),
        Claim(
            "width.lower-bound",
            r"For targets in general position a solution has at least $r_\Phi$ neurons (smallest width over bound, "
            "random problems).",
            f"{STUDY}, lower lines of the figures; proof here",
            None,
            exact((solutions["width"] / solutions["lower"]).min(), len(solutions)),
            said=(1.0, math.inf),
            enough=MANY,
        ),
    ]


def _of_certificates(solutions: pd.DataFrame, boundary: pd.DataFrame) -> list[Claim]:
    error = solutions[["gap", "residual"]].max(axis=1)
    worst = max(error.max(), boundary["gap"].max(), boundary["residual"].max())
    return [
        Claim(
            "width.unique",
            "All random problems of the study's kind have one solution, by proof, so that no search is needed.",
            HERE,
            None,
            exact(float((~solutions["unique"]).sum()), len(solutions), "not proven unique"),
            ours=(0, 0),
            enough=MANY,
        ),
        Claim(
            "width.certified",
            r"The solver keeps its promise: a relative duality gap and a residual below $10^{-12}$ on every random "
            "problem and every one at the bound (the largest).",
            HERE,
            None,
            exact(worst, len(solutions) + len(boundary)),
            ours=(0.0, PROMISED),
            enough=MANY,
            check=True,
        ),
        Claim(
            "width.countable",
            "Every solution is exact enough to count its neurons: gap and residual are below a thousandth of the "
            "least neuron used (largest error over least neuron, random problems).",
            HERE,
            None,
            exact((error / solutions["least"]).max(), len(solutions)),
            ours=(0.0, CLEAR),
            enough=MANY,
            check=True,
        ),
    ]


def _of_brute_force(small: pd.DataFrame, enumeration: pd.DataFrame) -> list[Claim]:
    beyond = small[small["neurons"] > small["caratheodory"]]
    agree = (enumeration["width"] == enumeration["certified"]).groupby([enumeration["K"], enumeration["problem"]]).all()
    return [
        Claim(
            "width.brute-force-line",
            "No solution of a brute-force problem uses more than ND + 1 = 7 neurons (the largest count, K > 7).",
            f"{STUDY}, lines in plotting_cvx_experiments.ipynb, which was not executed",
            None,
            exact(float(beyond["width"].max()), len(beyond), "neurons") if len(beyond) else None,
            said=(3, 7),
            enough=MANY,
        ),
        Claim(
            "width.brute-force-sharp",
            "Some solutions of brute-force problems use 5 neurons, the sharper bound, and none uses 6 (the largest "
            "count).",
            HERE,
            None,
            exact(float(small["width"].max()), len(small), "neurons"),
            ours=(5, 5),
            enough=MANY,
        ),
        Claim(
            "width.enumeration",
            "Trying all sets of neurons gives the certified width (share of the problems tried).",
            HERE,
            None,
            exact(float(agree.mean()), len(agree)),
            ours=(1.0, 1.0),
            enough=8,
            check=True,
        ),
    ]
