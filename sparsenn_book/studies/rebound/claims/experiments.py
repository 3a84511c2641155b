"""Claims of experiments A, B and C."""

from __future__ import annotations

import numpy as np

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, mean_interval, median_interval
from sparsenn_book.studies.rebound import measures, rules, scaling, variants
from sparsenn_book.studies.rebound.claims.common import (
    CHANCE,
    COUNTED,
    FEW,
    MOST,
    RARE,
    RUNS,
    STUDY,
    TEACHERS,
    Tables,
    cell,
    known,
    new,
    share,
)
from sparsenn_book.studies.rebound.counting import MASTER
from sparsenn_book.studies.rebound.power_law import PowerLaw
from sparsenn_book.studies.rebound.settings import ExperimentSettings

SAID_OF_A = "initially converge but subsequently diverge"
FIGURE = "the study's figure {}, settings from its title"
POINTS = 25
AGAINST = "largest over epochs, in standard errors of a mean of twenty runs"


def claims_of_a(tables: Tables, settings: ExperimentSettings) -> list[Claim]:
    """Experiment A: does a student without noise come nearer and leave again?"""
    runs = {p: measures.summary(tables["curves"], experiment="A", precision=p) for p in ("float32", "float64")}
    curve = measures.from_spread(tables["spread"], "A", measures.published_distance("A"))
    counted = int(tables["spread"].runs.min())
    return [
        Claim(
            "rebound.a-float32",
            "Experiment A in float32, as in the study: most students come nearer to their teacher and leave again.",
            STUDY,
            SAID_OF_A,
            share(runs["float32"].rebounded),
            said=MOST,
            enough=RUNS,
        ),
        Claim(
            "rebound.a-float64",
            "In float64, too, students come nearer to their teacher and leave again; here: they only come nearer.",
            STUDY,
            SAID_OF_A,
            share(runs["float64"].rebounded),
            said=MOST,
            ours=FEW,
            enough=RUNS,
            headline=True,
        ),
        Claim(
            "rebound.a-curve",
            "The published curve of A is the mean of twenty runs like these in float32: largest difference over "
            "epochs, in standard errors of such a mean.",
            FIGURE.format("A"),
            "the curve",
            known(curve, counted, AGAINST),
            said=(0.0, CHANCE),
            enough=COUNTED,
        ),
        new(
            "a-size",
            "In float32 the squared distance of A rises by less than 2 % of its least value (median): the scaling of "
            "each run to [0, 1] magnifies it more than fifty times.",
            median_interval(runs["float32"].rebound),
            (0.0, 0.02),
            RUNS,
        ),
        *_storage(tables, settings),
    ]


def _storage(tables: Tables, settings: ExperimentSettings) -> list[Claim]:
    """What storing weights in float32 does, and arithmetic in float32 does not."""
    turned = tables["turned_back"][tables["turned_back"].perturbation == settings.perturbation]
    ledger = tables["ledger"]
    end = ledger[(ledger.epoch == ledger.epoch.max()) & (ledger.precision == "float32")].value
    return [
        new(
            "a-turned",
            "Experiment A in float32, with more runs than the study's twenty: most students turn back.",
            share(turned.turned[turned.precision == "float32"]),
            MOST,
            COUNTED,
        ),
        new(
            "a-master-turned",
            "With weights stored in float64 and all arithmetic in float32, at most one in twenty of these students "
            "turns back.",
            share(turned.turned[turned.precision == MASTER]),
            RARE,
            COUNTED,
        ),
        new(
            "a-storage",
            "With weights stored in float32 and all arithmetic in float64, most students rebound.",
            share(cell(tables, rules.PLAIN, "float32 weights, float64 arithmetic")),
            MOST,
            RUNS,
        ),
        new(
            "a-stalled",
            "In float32 more than half of the parameters stand still at the end (mean share).",
            mean_interval(end),
            MOST,
            RUNS,
        ),
    ]


def claims_of_b(tables: Tables) -> list[Claim]:
    """Experiment B: a student that starts at its teacher, with noise."""
    rows = measures.distances(tables["curves"], experiment="B", precision="float64")
    falls = (rows.pivot(index="epoch", columns="run", values="value").diff() < 0).any()
    target, b = measures.published_distance("B"), tables["b_variants"]
    final = {v: measures.summary(b, variant=v).end for v in b.variant.unique()}
    others = [measures.from_variant(b, v, target) for v in (variants.CODED, variants.DESCRIBED)]
    ratios = {v: median_interval(final[v] / final[variants.PLAIN]) for v in (variants.CODED, variants.DESCRIBED)}
    return [
        new(
            "b-grows",
            "In B in float64 some student comes nearer to its teacher at some epoch, in fewer than one run in five: "
            "a rebound needs an approach, and there is none.",
            share(falls),
            FEW,
            RUNS,
        ),
        Claim(
            "rebound.b-curve",
            "The published curve of B is the mean of twenty runs like these in float32, without penalty or "
            "projection: largest difference over epochs, in standard errors of such a mean.",
            FIGURE.format("B"),
            "the curve",
            known(measures.from_spread(tables["spread"], "B", target), int(tables["spread"].runs.min()), AGAINST),
            said=(0.0, CHANCE),
            enough=COUNTED,
        ),
        new(
            "b-variants",
            "Neither B as coded nor B as described gives the published curve: the lesser of their largest "
            "differences, in standard errors.",
            known(min(others), len(final[variants.PLAIN]), AGAINST),
            (CHANCE, np.inf),
            RUNS,
        ),
        new(
            "b-penalty",
            "As coded, the DRR penalty moves B's students, not the noise: their squared distance is more than ten "
            "times that of noise alone (median).",
            ratios[variants.CODED],
            (10.0, np.inf),
            RUNS,
        ),
        new(
            "b-projection",
            "As described, the projection moves B's students, not the noise: their squared distance is more than ten "
            "times that of noise alone (median).",
            ratios[variants.DESCRIBED],
            (10.0, np.inf),
            RUNS,
        ),
    ]


def claims_of_c(tables: Tables) -> list[Claim]:
    """Experiment C: how the final distance grows with the noise, and from which level."""
    laws = measures.laws(tables["scaling"])
    study, figure = laws[scaling.STUDY], laws["published"].exponent
    return [
        Claim(
            "rebound.c-line",
            "In the study's conditions the final distance against the noise is nearly linear on logarithmic axes: "
            "R² of a line, 0.99 or more.",
            "the study's description of experiment C",
            "nearly linear (log-log)",
            known(study.r2, study.exponent.count, "least squares"),
            said=(0.99, 1.0),
            enough=POINTS,
        ),
        Claim(
            "rebound.c-exponent",
            "In the study's conditions, float32 and fresh noise, the exponent is that of its points: difference, "
            "within a tenth, which over the five decades of noise would be half a decade.",
            "the study's figure C",
            f"{figure.value:.3f}, fitted here to the 25 points",
            difference(study, laws["published"]),
            said=(-0.1, 0.1),
            enough=POINTS,
        ),
        new(
            "c-float32",
            "In the study's conditions the exponent is above 2, by a fifth at most.",
            study.exponent,
            (2.0, 2.2),
            POINTS,
        ),
        new(
            "c-exact",
            "In float64, with the same noise at every size, the exponent is 2 within 0.001.",
            laws[scaling.COMMON].exponent,
            (1.999, 2.001),
            POINTS,
        ),
        *_levels(tables),
    ]


def difference(ours: PowerLaw, theirs: PowerLaw) -> Estimate:
    """The difference of two fitted exponents, from points drawn independently."""
    one, two = ours.exponent, theirs.exponent
    apart, half = one.value - two.value, float(np.hypot(one.high - one.value, two.high - two.value))
    return Estimate(apart, apart - half, apart + half, one.count, "", "difference of two fits, 95 %")


def _levels(tables: Tables) -> list[Claim]:
    level = measures.published_level()
    by_rate = {name: np.log10(part) for name, part in tables["levels"].groupby("variant").value}
    near = (level - 0.3, level + 0.3)
    return [
        Claim(
            "rebound.c-level",
            "The level of figure C follows from the settings in its title, learning rate 1e-5 and 100 epochs: log10 of "
            "the squared distance at noise 1, within a factor of 2, by which the points scatter about their line.",
            "the title of the study's figure C",
            f"{level:.2f}, read off its points",
            mean_interval(by_rate[scaling.PUBLISHED_SETTINGS]),
            said=near,
            enough=TEACHERS,
        ),
        Claim(
            "rebound.c-settings",
            "The level of figure C follows from the settings in the committed code, learning rate 1e-3 and 100 epochs; "
            "its title names 1e-5. Here: they put it a thousandfold higher or more.",
            "the study's code",
            f"{level:.2f}, read off its points",
            mean_interval(by_rate[scaling.COMMITTED_SETTINGS]),
            said=near,
            ours=(level + 3, np.inf),
            enough=TEACHERS,
        ),
    ]
