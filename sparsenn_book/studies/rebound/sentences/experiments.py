"""Sentences under the figures of experiments A, B and C."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.words import interval, number, ten
from sparsenn_book.studies.rebound import measures, scaling, variants
from sparsenn_book.studies.rebound.sentences.words import of, percent


def experiment_a(curves: pd.DataFrame) -> str:
    """Under the figure of A."""
    runs = {p: measures.summary(curves, experiment="A", precision=p) for p in ("float32", "float64")}
    mean = measures.scaled_curves(curves, experiment="A", precision="float32").mean(0)
    theirs = measures.published_distance("A")
    both = [f"{c.min():.2f} at epoch {c.argmin() + 1}, {c[-1]:.2f} at the end" for c in (mean, theirs)]
    return (
        f"In float32 the mean of the scaled distances is least, {both[0]} (published: {both[1]}), and "
        f"{of(runs['float32'].rebounded)} runs rebound. In float64, from the same numbers, "
        f"{of(runs['float64'].rebounded)} do. One run is unlike another: those in float32 are closest to their "
        f"teacher between the epochs {runs['float32'].step.min()} and {runs['float32'].step.max()}."
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
    return (
        f"B's students are closest at the start, in {of(growing['float32'])} runs in float32 and "
        f"{of(growing['float64'])} in float64: they start at the teacher and have nowhere to come from, so this is "
        f"no rebound. The published curve lies within {off:.1f} standard errors of the mean of twenty such runs at "
        "every epoch."
    )


def variants_of_b(rows: pd.DataFrame) -> str:
    """Under the variants of B."""
    target = measures.published_distance("B")
    off = {v: measures.from_variant(rows, v, target) for v in rows.variant.unique()}
    final = {v: measures.summary(rows, variant=v).end for v in off}
    ratio = {v: (final[v] / final[variants.PLAIN]).median() for v in off}
    return (
        f"The DRR penalty of the code moves students {number(float(f'{ratio[variants.CODED]:.2g}'))} times, the "
        f"projection of the description {number(float(f'{ratio[variants.DESCRIBED]:.2g}'))} times as far as the "
        "noise alone (squared distance, median of runs). The published curve is, at its furthest, "
        f"{off[variants.PLAIN]:.1f} standard errors from B without either, {off[variants.CODED]:.0f} from B as coded "
        f"and {off[variants.DESCRIBED]:.0f} from B as described. The one projection of the first code changes the "
        f"final distance by a factor of {ratio[variants.FIRST]:.3f}."
    )


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
    lost = (
        "In float32 steps of small noise are lost, so that it moves a student less than in proportion, and the line is "
        "steeper. "
    )
    steeper = lost if law.low > 2 else ""
    at = np.log10(levels.value).groupby(levels.variant).mean() - measures.published_level()
    return (
        f"In the study's conditions the exponent is {law.value:.3f} "
        f"{interval(round(law.low, 3), round(law.high, 3))}; of the published points it is "
        f"{found['published'].exponent.value:.3f}. In float64 it is {found[scaling.FRESH].exponent.value:.3f} with "
        f"fresh noise and {found[scaling.COMMON].exponent.value:.5f} with the same noise at every size. {steeper}"
        "Where rounding matters little, at noise of 0.1 and more, the closed form lies "
        f"{10 ** at[scaling.PUBLISHED_SETTINGS]:.2f} times as high as the published points for the learning rate in "
        f"the figure's title, and {ten(10 ** at[scaling.COMMITTED_SETTINGS], 0)} times for that of the committed code."
    )
