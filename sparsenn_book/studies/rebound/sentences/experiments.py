"""Sentences under the figures of experiments A, B and C."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.words import interval, listed, number, ten
from sparsenn_book.studies.rebound import measures, scaling, variants
from sparsenn_book.studies.rebound.claims.common import CHANCE
from sparsenn_book.studies.rebound.claims.experiments import difference
from sparsenn_book.studies.rebound.sentences.words import of, percent

SPOKEN = {
    variants.PLAIN: "B without either",
    variants.CODED: "B as coded",
    variants.DESCRIBED: "B as described",
    variants.FIRST: "B as first coded",
}


def experiment_a(curves: pd.DataFrame) -> str:
    """Under the figure of A."""
    runs = {p: measures.summary(curves, experiment="A", precision=p) for p in ("float32", "float64")}
    mean = measures.scaled_curves(curves, experiment="A", precision="float32").mean(0)
    theirs = measures.published_distance("A")
    when = runs["float32"].step
    both = [f"{c.min():.2f} at epoch {c.argmin() + 1}, {c[-1]:.2f} at the end" for c in (mean, theirs)]
    return (
        f"In float32 the mean of the scaled distances is least, {both[0]} (published: {both[1]}), and "
        f"{of(runs['float32'].rebounded)} runs rebound. In float64, from the same numbers, "
        f"{of(runs['float64'].rebounded)} do. One run is unlike another: in float32 the epoch at which a student is "
        f"closest to its teacher is {when.median():.0f} in the median, {when.min()} at the earliest and {when.max()} "
        "at the latest."
    )


def raw(curves: pd.DataFrame) -> str:
    """Under A on two scales."""
    runs = measures.summary(curves, experiment="A", precision="float32")
    return (
        f"Unscaled, the squared distance of the students in float32 falls by {percent(runs.approach.median())} and "
        f"rises again by {percent(runs.rebound.median())} (medians). The scaling to [0, 1] makes a valley of it."
    )


def experiment_b(curves: pd.DataFrame, spread: pd.DataFrame) -> str:
    """Under the figure of B."""
    runs = {p: measures.summary(curves, experiment="B", precision=p) for p in ("float32", "float64")}
    growing = {p: runs[p].step == 0 for p in runs}
    off = measures.from_spread(spread, "B", measures.published_distance("B"))
    own = spread[spread.experiment == "B"]
    return (
        f"B's students are closest at the start, in {of(growing['float32'])} runs in float32 and "
        f"{of(growing['float64'])} in float64: they start at the teacher and have nowhere to come from, so this is "
        f"no rebound. The published curve lies within {off:.1f} standard errors of the mean of twenty such runs in "
        f"float32 at every epoch; mean and scatter are those of {int(own.runs.min())} runs."
    )


def variants_of_b(rows: pd.DataFrame) -> str:
    """Under the variants of B."""
    target = measures.published_distance("B")
    off = {v: measures.from_variant(rows, v, target) for v in rows.variant.unique()}
    final = {v: measures.summary(rows, variant=v).end for v in off}
    ratio = {v: (final[v] / final[variants.PLAIN]).median() for v in off}
    far = [f"{off[v]:.{0 if off[v] >= 10 else 1}f} from {name}" for v, name in SPOKEN.items()]
    near = {flag: [name for v, name in SPOKEN.items() if (off[v] <= CHANCE) == flag] for flag in (True, False)}
    said = {True: "it agrees with {}", False: "it does not agree with {}"}
    parts = [said[flag].format(listed(names)) for flag, names in near.items() if names]
    return (
        "The DRR penalty of the code makes the final squared distance "
        f"{number(float(f'{ratio[variants.CODED]:.2g}'))} times that with noise alone, the projection of the "
        f"description {number(float(f'{ratio[variants.DESCRIBED]:.2g}'))} times, the one projection of the first code "
        f"{ratio[variants.FIRST]:.3f} times (medians over {rows.run.nunique()} runs, here in float64). At its "
        f"furthest, the published curve is off by this many standard errors: {listed(far)}. By chance alone one curve "
        f"in twenty at most is off by more than {CHANCE:.1f} at any of the epochs, so {'; '.join(parts)}."
    )


def _three(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def law_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Exponents with interval and R², a variant of C a row."""
    return pd.DataFrame(
        {
            name: {
                "exponent": f"{law.exponent.value:.4f}",
                "95 % interval": f"{law.exponent.low:.4f} to {law.exponent.high:.4f}",
                "R²": f"{law.r2:.5f}",
            }
            for name, law in measures.laws(rows).items()
        }
    ).T


def scaling_of_c(rows: pd.DataFrame, levels: pd.DataFrame) -> str:
    """Under C."""
    found = measures.laws(rows)
    law = found[scaling.STUDY].exponent
    fresh = found[scaling.FRESH].exponent
    apart = difference(found[scaling.STUDY], found[scaling.FRESH])
    told = apart.low is not None and apart.low > 0
    verdict = "leaves out 0" if told else "holds 0, so these fits do not tell the two apart"
    lost = (
        "In float32 steps of small noise are lost, so that it moves a student less than in proportion; this can make "
        f"the line steeper. With fresh noise the exponents in float32 and float64 differ by {apart.value:.3f} "
        f"{interval(_three(apart.low), _three(apart.high))}; the 95 % interval, of independent fits, {verdict}. "
    )
    steeper = lost if law.low > 2 else ""
    at = np.log10(levels.value).groupby(levels.variant).mean() - measures.published_level()
    return (
        f"In the study's conditions the exponent is {law.value:.3f} "
        f"{interval(round(law.low, 3), round(law.high, 3))}; of the published points it is "
        f"{found['published'].exponent.value:.3f}. In float64 it is {fresh.value:.3f} "
        f"{interval(round(fresh.low, 3), round(fresh.high, 3))} with fresh noise and "
        f"{found[scaling.COMMON].exponent.value:.5f} with the same noise at every size. {steeper}"
        "Where rounding matters little, at noise of 0.1 and more, the closed form lies "
        f"{10 ** at[scaling.PUBLISHED_SETTINGS]:.2f} times as high as the published points for the learning rate in "
        f"the figure's title, and {ten(10 ** at[scaling.COMMITTED_SETTINGS], 0)} times for that of the committed code."
    )
