"""What the chapter found: under its question, and at its end."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.chapter import Chapter
from sparsenn_book.records.words import interval, ten
from sparsenn_book.studies.rebound import distances, measures, rules, scaling
from sparsenn_book.studies.rebound.claims.common import COUNTED, RUNS
from sparsenn_book.studies.rebound.counting import MASTER
from sparsenn_book.studies.rebound.sentences.words import Tables, bounds, finding, largest, of, percent, standing

NEEDED = ("curves", "students", "turned_back", "spread", "map", "ledger", "prediction", "scaling", "distances")
"""Tables that the summary is computed from."""
TOO_FEW = "Too few runs on this page to say: the profiles laptop and full have enough."


def source(chapter: Chapter) -> tuple[Tables, str]:
    """The tables that the summary is from, and a line that says so: those of the full profile where all are there."""
    tables, full = chapter.tables, chapter.full
    if chapter.profile == "full":
        return tables, ""
    if set(NEEDED) <= set(full.tables):
        return full.tables, "*Numbers at full scale" + (f", from tables {full.age}" if full.age else "") + ".*"
    return tables, "*Numbers of this page's tables; those of the full profile are not there yet.*"


def learned(tables: Tables) -> str:
    """What the chapter found, a sentence or a few for each finding, the last for practice."""
    if _too_few(tables):
        return TOO_FEW
    lines = [_rebound(tables), _causes(tables), _stopping(tables), _power(tables), _weights(tables), _practice(tables)]
    return "\n".join(f"- {line}" for line in lines)


def answer(tables: Tables) -> str:
    """The question answered, longer than in `learned`."""
    if _too_few(tables):
        return TOO_FEW
    turned = tables["turned_back"]
    size = turned.perturbation[turned.precision == MASTER].iloc[0]
    here = turned[turned.perturbation == size].groupby("precision").rebounded
    counts = {precision: of(flags) for precision, flags in here}
    so = "" if here.any()[MASTER] else "So it is no property of noise-free gradient descent near a teacher. "
    adam = largest(tables, "Adam")
    pulled = "; ".join(f"{r}: {of(largest(tables, r))}" for r in (*rules.SCALES, rules.PROJECTED) if r != "Adam")
    runs = of(_runs_of_a(tables, "float32").rebounded)
    strangers = _strangers(tables)
    return (
        f"In float32 and in the study's settings, {runs} students come nearer to their teacher and leave again while "
        f"the loss falls: they rebound. Of more runs, on fewer samples, {counts['float32']} rebound. With weights "
        f"stored in float64, and all arithmetic in float32 as before, {counts[MASTER]} do. {so}This close to the "
        f"teacher, the last step in float32 leaves {percent(standing(tables['ledger'], 'float32'), 0)} of the "
        "parameters as they are.\n\n"
        "Other rules of training were tried in float64. Noise, penalties and the projection pull a student elsewhere "
        f"than to its teacher. Of their runs these rebound: {pulled}. Adam has no such pull, and {of(adam)} runs "
        "rebound with it"
        + ("; why was not examined here" if adam.any() else "")
        + ". For noise that is known a closed form says beforehand when a student is closest. In experiment B it only "
        "leaves, because it starts at the teacher.\n\nStudents that start at random learn the function, to a mean "
        "squared error of "
        f"{ten(strangers.function.median(), 0)}, and do not find the teacher's weights, as the study "
        f"says: after the best rearrangement of units the squared distance is {bounds(strangers)}."
    )


def _too_few(tables: Tables) -> bool:
    """Whether there are fewer runs of A, or counted ones, than the claims ask for."""
    counted = tables["turned_back"].groupby(["perturbation", "precision"]).run.nunique().min()
    return bool(tables["curves"].run.nunique() < RUNS or counted < COUNTED)


def _runs_of_a(tables: Tables, precision: str) -> pd.DataFrame:
    return measures.summary(tables["curves"], experiment="A", precision=precision)


def _from_least(tables: Tables) -> dict[str, pd.Series]:
    """Which runs of plain gradient descent from the least displacement rebound, by precision."""
    rows = tables["map"][tables["map"].rule == rules.PLAIN]
    rows = rows[rows.perturbation == rows.perturbation.min()]
    return {str(precision): own.rebounded for precision, own in rows.groupby("precision")}


def _strangers(tables: Tables) -> pd.DataFrame:
    return tables["distances"][tables["distances"].experiment == distances.RANDOM]


def _rebound(tables: Tables) -> str:
    runs = {p: _runs_of_a(tables, p) for p in ("float32", "float64")}
    rates = {p: float(r.rebounded.mean()) for p, r in runs.items()}
    least = _from_least(tables)
    stored, computed = least["float32 weights, float64 arithmetic"], least[MASTER]
    head = finding(
        rates["float32"] > 0.5 and rates["float64"] == 0 and stored.mean() > 0.5 and not computed.any(),
        "Storing weights in float32 makes the rebound.",
        "Does storing weights in float32 make the rebound?",
    )
    return (
        f"{head} Trained as in the study, {of(runs['float32'].rebounded)} students come nearer to their teacher and "
        f"leave again. The same students in float64: {of(runs['float64'].rebounded)}. On fewer "
        f"samples, {of(stored)} rebound where only the weights are float32, and {of(computed)} where only the "
        "arithmetic is. The rise is "
        f"{percent(runs['float32'].rebound.median())} of the least squared distance (median); the published figure "
        "scales each run to [0, 1]."
    )


def _causes(tables: Tables) -> str:
    flags = {rule: largest(tables, rule) for rule in ("noise", "Adam", "L1", "DRR", rules.PLAIN)}
    head = finding(
        all(own.any() for rule, own in flags.items() if rule != rules.PLAIN) and not flags[rules.PLAIN].any(),
        "Noise, Adam and penalties make students rebound in float64 too.",
        "What makes students rebound in float64?",
    )
    size = tables["map"].perturbation.max()
    strong = {}
    for rule, scale in rules.SCALES.items():
        what, comma, rest = scale.sets.partition(",")
        strong[rule] = f"{rule} ({what} {scale.factor * size:g}{comma}{rest})"
    parts = "; ".join(f"{strong.get(rule, f'{rule} alone')}: {of(own)}" for rule, own in flags.items())
    return (
        f"{head} Students start displaced by {size:g} times N(0, 1) in every weight. Of each rule's "
        f"students these rebound: {parts}."
    )


def _stopping(tables: Tables) -> str:
    flags, blind = (_predicted(tables["prediction"], name) for name in ("predicted", "expected"))
    head = finding(
        flags.mean() > 0.5,
        "With noise that is known, so is the epoch at which a student is closest.",
        "With noise that is known, is the epoch known at which a student is closest?",
    )
    return (
        f"{head} In the experiment with noise and a displacement a closed form predicts it from teacher, start and the "
        f"noise drawn, within 1 % of all epochs, in {of(flags)} runs; from the noise's standard deviation alone, in "
        f"{of(blind)}."
    )


def _power(tables: Tables) -> str:
    laws = measures.laws(tables["scaling"])
    law, fresh, common = (laws[name].exponent for name in (scaling.STUDY, scaling.FRESH, scaling.COMMON))
    return (
        f"**The squared distance grows as a power of the noise.** The exponent is {law.value:.2f} "
        f"{interval(round(law.low, 2), round(law.high, 2))} in the study's conditions (its points: "
        f"{laws['published'].exponent.value:.2f}). In float64 it is {fresh.value:.2f} "
        f"{interval(round(fresh.low, 2), round(fresh.high, 2))} with fresh noise as there, and {common.value:.4f} with "
        "the same noise at every size."
    )


def _weights(tables: Tables) -> str:
    strangers = _strangers(tables)
    head = finding(
        bool((strangers.quotient_lower > 0.01 * strangers.teacher).all()),
        "Learning the function does not find the weights.",
        "Does learning the function find the weights?",
    )
    return (
        f"{head} Random students end with a mean squared error of {ten(strangers.function.median(), 0)} on test inputs "
        f"(median). Their squared distance to the teacher, after the best rearrangement of units, is "
        f"{bounds(strangers)}; the teacher's own squared norm is {strangers.teacher.median():.0f}."
    )


def _practice(tables: Tables) -> str:
    return (
        "**Take to your own training.** Before you read a meaning into small changes of weights, store them in "
        "float64: in float32, this close to the teacher, the last step left "
        f"{percent(standing(tables['ledger'], 'float32'), 0)} of the parameters as they were. "
        "Look at distances before you scale them. And compare what networks compute, not how far apart their weights "
        "are."
    )


def _predicted(prediction: pd.DataFrame, column: str) -> pd.Series:
    closest = measures.closest_epochs(prediction).query("experiment != 'B'")
    return (closest[column] - closest.simulated).abs() <= max(1, prediction.epoch.max() // 100)
