"""Claims of parameter space: symmetry, curvature, pruning."""

from __future__ import annotations

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import mean_interval, median_interval
from sparsenn_book.studies.rebound import distances, pruning
from sparsenn_book.studies.rebound.claims.common import (
    FEW,
    MOST,
    RUNS,
    STUDY,
    TEACHERS,
    Tables,
    largest,
    near_share,
    new,
    share,
)
from sparsenn_book.studies.rebound.settings import ExperimentSettings


def claims_of_symmetry(tables: Tables) -> list[Claim]:
    """What the distance up to symmetry and the study's normal form say."""
    rows = tables["distances"]
    local = rows[~rows.experiment.isin([distances.FAR, distances.RANDOM])]
    gaps = ((local.raw - local["quotient"]) / local.raw).abs().groupby(local.run).max()
    strangers, at_teacher = rows[rows.experiment == distances.RANDOM], rows[rows.experiment == "B"]
    return [
        new(
            "symmetry-local",
            "Near the teacher the distance up to symmetry is the distance as it is: greatest relative difference, in "
            "all experiments of a run.",
            largest(gaps),
            (0.0, 1e-6),
            RUNS,
            check=True,
        ),
        Claim(
            "rebound.symmetry-random",
            "Random students do not find the teacher's weights, not even up to symmetry: share that may, for all that "
            "is proved, be within a tenth of its norm.",
            STUDY,
            "recovery is not even possible up to symmetries",
            near_share(strangers),
            said=FEW,
            enough=RUNS,
        ),
        new(
            "normal-form",
            "The study's normal form makes most of B's students more than a hundred times further (squared distance).",
            share(at_teacher.normal_form > 100 * at_teacher.raw),
            MOST,
            RUNS,
        ),
    ]


def claims_of_curvature(tables: Tables, settings: ExperimentSettings) -> list[Claim]:
    """How few directions training sees, and how little the conditions of identifiability say in floating point."""
    tiny = tables["spectrum"][tables["spectrum"].biases == "tiny"]
    learned = (tiny.value * settings.learning_rate * settings.epochs > 1).groupby(tiny.run).sum()
    felt = (tiny.value > 1e-10 * tiny.groupby("run").value.transform("max")).groupby(tiny.run).sum()
    parameters = int(tiny["index"].max())
    ratio = tables["margins"].groupby("run").ratio.max()
    return [
        new(
            "sloppy",
            "Fewer than one direction of parameter space in a hundred is learned in the time of A and B (mean share).",
            mean_interval(learned / parameters),
            (0.0, 0.01),
            TEACHERS,
        ),
        new(
            "sloppy-flat",
            "Fewer than one direction in ten has a curvature above 1e-10 of the stiffest (mean share).",
            mean_interval(felt / parameters),
            (0.0, 0.1),
            TEACHERS,
        ),
        new(
            "margins",
            "Most teachers satisfy the condition on ratios of weights by less than the precision of float32, 1.2e-7, "
            "with tiny and with large biases.",
            share(ratio < 2.0**-23),
            MOST,
            RUNS,
        ),
    ]


def claims_of_pruning(tables: Tables) -> list[Claim]:
    """What pruning leaves of wide students."""
    rows = tables["pruning"]
    tuned = rows[rows.variant == pruning.TUNED]
    strong, weak = (tuned[tuned.strength == s] for s in (rows.strength.max(), rows.strength.min()))
    teachers = rows[(rows.variant == pruning.TEACHER) & (rows.strength == rows.strength.min())].set_index("run").weights
    return [
        new(
            "pruning-coded",
            "At the study's strength of DRR the tolerance search removes every weight (median left).",
            median_interval(strong.weights),
            (0.0, 0.5),
            RUNS,
        ),
        new(
            "pruning-small",
            "At a weaker strength it leaves fewer weights than the teacher has (median of the ratios).",
            median_interval(weak.weights.to_numpy() / teachers[weak.run].to_numpy()),
            (0.0, 1.0),
            RUNS,
        ),
        new(
            "pruning-recovery",
            "Most students pruned so have not found the teacher's weights, also not up to symmetry: share of those not "
            "proved to be further away than a tenth of its norm.",
            near_share(weak),
            (0.0, 0.5),
            RUNS,
        ),
    ]
