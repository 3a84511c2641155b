"""Claims of where students rebound, and of the closed form."""

from __future__ import annotations

from sparsenn_book.records.claims import Claim
from sparsenn_book.studies.rebound import measures, rules
from sparsenn_book.studies.rebound.claims.common import FEW, MORE, MOST, RUNS, Tables, cell, largest, new, share
from sparsenn_book.studies.rebound.settings import ExperimentSettings

BEYOND = " rebounds in float64, from the largest displacement, in more than one run in five."


def claims_of_rules(tables: Tables) -> list[Claim]:
    """Which rules of training make students rebound in float64."""
    own = tables["map"][(tables["map"].rule == rules.PLAIN) & (tables["map"].precision == "float64")]
    shares = {rule: share(cell(tables, rule, "float64", largest=True)) for rule in (*rules.SCALES, rules.PROJECTED)}
    return [
        new(
            "exact-descent",
            "In float64, gradient descent without noise rebounds from some displacement in fewer than one run in five "
            "(a run counts once for all displacements).",
            share(measures.ever(own.rebounded, own.run)),
            FEW,
            RUNS,
        ),
        new("adam", "Adam" + BEYOND, shares["Adam"], MORE, RUNS),
        new("noise", "Noise beside a displacement" + BEYOND, shares["noise"], MORE, RUNS),
        new("l1", "An L1 penalty makes most runs rebound in float64.", shares["L1"], MOST, RUNS),
        new("drr", "The DRR penalty makes most runs rebound in float64.", shares["DRR"], MOST, RUNS),
        new(
            "projection",
            "The study's projection after every epoch makes most runs rebound in float64.",
            shares[rules.PROJECTED],
            MOST,
            RUNS,
        ),
    ]


def claims_of_closed_form(tables: Tables, settings: ExperimentSettings) -> list[Claim]:
    """Whether training near the teacher is known before it is done."""
    errors = measures.closed_form_errors(tables["prediction"]).set_index("experiment").error
    closest = measures.closest_epochs(tables["prediction"]).query("experiment != 'B'")
    missed = (closest.predicted - closest.simulated).abs()
    return [
        new(
            "closed-form",
            "The closed form is within 0.1 %, less than a line's width in a figure, of B's squared distance at every "
            "epoch of every run.",
            largest(errors[["B"]]),
            (0.0, 1e-3),
            RUNS,
        ),
        new(
            "closed-form-turn",
            "With noise and a displacement the closed form is within 2 %, a line's width, at every epoch of every run.",
            largest(errors.drop("B")),
            (0.0, 0.02),
            RUNS,
        ),
        new(
            "stopping",
            "From teacher, start and the noise drawn, the epoch at which a student is closest to its teacher is "
            "predicted within 1 % of all epochs in most runs.",
            share(missed <= max(1, settings.epochs // 100)),
            MOST,
            RUNS,
            headline=True,
        ),
    ]
