"""Every claim on made-up tables: what bears it out, the null that fails it, and too few runs."""

from dataclasses import replace

import conftest as tiny
import numpy as np
import pandas as pd
import pytest

from sparsenn_book.studies.rebound import claims, distances, measures, pruning, rules, scaling, variants
from sparsenn_book.studies.rebound.counting import MASTER

EPOCHS = np.arange(501)
SETTINGS = replace(tiny.AB, epochs=500, learning_rate=0.01, perturbation=1e-6)
RUNS, COUNTED, TEACHERS = 20, 100, 10
STORED = ("float32", "float32 weights, float64 arithmetic")
OTHER = ("float64", MASTER)


def curve_rows(curves, **columns):
    """Curves [runs, epochs + 1] as rows of squared distance."""
    curves = np.asarray(curves, float)
    run, epoch = (a.ravel() for a in np.indices(curves.shape))
    frame = pd.DataFrame({"run": run, "epoch": epoch, "name": "squared_distance", "value": curves.ravel()})
    return frame.assign(**columns)


FALLING = 1 + np.exp(-EPOCHS / 50.0)
VALLEY = 1.5 + 0.005 * (EPOCHS / 500) - 0.01 * (1 - np.exp(-EPOCHS / 20.0)) + 0.01 * (EPOCHS / 500)
GROWING = EPOCHS.astype(float) ** 0.7


def runs_of(curve, count=RUNS):
    """Runs that differ a little."""
    return np.stack([curve * (1 + 1e-3 * r) for r in range(count)])


def spread_of(target_a, target_b, deviation=0.1, runs=COUNTED):
    frames = [
        pd.DataFrame({"epoch": range(1, 501), "mean": target, "deviation": deviation, "runs": runs}).assign(
            experiment=experiment, precision="float32"
        )
        for experiment, target in (("A", target_a), ("B", target_b))
    ]
    return pd.concat(frames, ignore_index=True)


def flags(rate, count):
    return [r < round(rate * count) for r in range(count)]


def map_rows(rates, count=RUNS):
    """`rates`: (rule, precision, perturbation) to the share of runs that rebound."""
    frames = [
        pd.DataFrame(
            {"rule": rule, "precision": p, "perturbation": size, "run": range(count), "rebounded": flags(rate, count)}
        )
        for (rule, p, size), rate in rates.items()
    ]
    return pd.concat(frames, ignore_index=True)


def good_rates():
    rates = {(rules.PLAIN, p, size): float(p in STORED) for p in (*STORED, *OTHER) for size in (1e-6, 1e-2)}
    rates |= {(rule, "float64", size): 0.8 for rule in rules.SCALES for size in (1e-6, 1e-2)}
    return rates | {(rules.PROJECTED, "float64", 1e-3): 0.9}


def prediction_rows(error=0.0, missed=0):
    t = np.arange(501)
    frames = []
    for experiment in ("B", "noise and displacement"):
        for run in range(RUNS):
            turn = 100 + 10 * run
            simulated = 1 + (t - turn) ** 2 / 1e4
            predicted = (1 + (t - turn - missed) ** 2 / 1e4) * (1 + error)
            columns = {"epoch": t, "simulated": simulated, "predicted": predicted, "expected": 1 + (t - 7) ** 2 / 1e4}
            frames.append(pd.DataFrame(columns).assign(experiment=experiment, run=run))
    return pd.concat(frames, ignore_index=True)


def scaling_rows(study=2.07, fresh=2.0, common=2.0, wiggle=0.05, bend=0.0):
    sigma = 1e-5 * 1.615 ** np.arange(25)
    wave = wiggle * np.sin(np.arange(25) * 2.1) + bend * (np.arange(25) - 12) ** 2
    frames = []
    for variant, exponent in ((scaling.STUDY, study), (scaling.FRESH, fresh), (scaling.COMMON, common)):
        noise = 0.0 if variant == scaling.COMMON else wave
        value = 10 ** (-8.5 + exponent * np.log10(sigma) + noise)
        frames.append(pd.DataFrame({"variant": variant, "sigma": sigma, "run": 0, "value": value}))
    return pd.concat(frames, ignore_index=True)


def level_rows(title=-8.48, code=-4.5):
    frames = [
        pd.DataFrame({"variant": variant, "run": range(TEACHERS), "value": 10 ** (level + 0.01 * np.arange(TEACHERS))})
        for variant, level in ((scaling.PUBLISHED_SETTINGS, title), (scaling.COMMITTED_SETTINGS, code))
    ]
    return pd.concat(frames, ignore_index=True)


def distance_rows(lower=1.0, gap=0.0, normal_form=60.0):
    frame = pd.DataFrame({"run": range(RUNS), "raw": 1e-9, "quotient_lower": 1e-9, "teacher": 30.0})
    near = [
        frame.assign(experiment=e, quotient=1e-9 * (1 - gap), normal_form=normal_form)
        for e in ("A", "B", "noise and displacement")
    ]
    far = [
        frame.assign(experiment=e, raw=60.0, quotient=29.0, quotient_lower=lower, normal_form=70.0)
        for e in (distances.FAR, distances.RANDOM)
    ]
    return pd.concat(near + far, ignore_index=True)


def spectrum_rows(values):
    frames = [
        pd.DataFrame({"biases": "tiny", "run": run, "index": range(1, len(values) + 1), "value": values})
        for run in range(TEACHERS)
    ]
    return pd.concat(frames, ignore_index=True)


def pruning_rows(strong=0, weak=20, lower=2.0):
    frames = []
    for strength, left in ((0.1, strong), (1e-4, weak)):
        for variant, weights in ((pruning.TEACHER, 91), (pruning.FIXED, 300), (pruning.TUNED, left)):
            columns = {"run": range(RUNS), "weights": weights, "quotient_lower": lower, "teacher": 10.0}
            frames.append(pd.DataFrame(columns).assign(strength=strength, variant=variant))
    return pd.concat(frames, ignore_index=True)


def b_rows(plain, coded, described):
    """Runs of B's variants, scattered about their curve."""
    frames = []
    for variant, curve in ((variants.PLAIN, plain), (variants.CODED, coded), (variants.DESCRIBED, described)):
        frames.append(curve_rows(runs_of(curve), variant=variant))
    return pd.concat(frames, ignore_index=True)


def published_with_start(name):
    """The published curve with an epoch 0 before it."""
    return np.concatenate([[0.0], measures.published_distance(name)])


def counted_rows(stored=0.9, master=0.0, count=COUNTED):
    frames = [
        pd.DataFrame({"run": range(count), "turned": flags(rate, count), "precision": p, "perturbation": 1e-6})
        for p, rate in (("float32", stored), (MASTER, master))
    ]
    other = pd.DataFrame({"run": range(count), "turned": True, "precision": "float32", "perturbation": 3e-6})
    rows = pd.concat([*frames, other], ignore_index=True)
    return rows.assign(rebounded=rows.turned)


def good():
    """Tables that bear every claim out."""
    curves = [
        curve_rows(runs_of(VALLEY), experiment="A", precision="float32"),
        curve_rows(runs_of(FALLING), experiment="A", precision="float64"),
        curve_rows(runs_of(GROWING), experiment="B", precision="float64"),
    ]
    ledger = pd.DataFrame({"run": range(RUNS), "epoch": 500, "value": 0.9 + 0.001 * np.arange(RUNS)})
    b = published_with_start("B")
    values = np.concatenate([[10.0, 5, 3], np.full(20, 1e-4), np.full(700, 1e-14)])
    ratio = pd.DataFrame({"run": range(RUNS), "ratio": 1e-10})
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "spread": spread_of(measures.published_distance("A"), measures.published_distance("B")),
        "turned_back": counted_rows(),
        "map": map_rows(good_rates()),
        "ledger": pd.concat([ledger.assign(precision="float32"), ledger.assign(precision="float64", value=0.0)]),
        "prediction": prediction_rows(),
        "b_variants": b_rows(1e-3 * b, 1 - np.exp(-EPOCHS / 5.0), EPOCHS / 500.0),
        "scaling": scaling_rows(),
        "levels": level_rows(),
        "distances": distance_rows(),
        "spectrum": spectrum_rows(values),
        "margins": pd.concat([ratio.assign(biases="tiny"), ratio.assign(biases="uniform")]),
        "pruning": pruning_rows(),
    }


GOOD = good()


def found(**changes):
    """The claims by the last part of their keys, of good tables with some replaced."""
    return {c.key.removeprefix("rebound."): c for c in claims(GOOD | changes, SETTINGS)}


def verdict(key, **changes):
    return found(**changes)[key].verdict("laptop")


KEYS = {
    "a-float32": "reproduced", "a-float64": "corrected", "a-curve": "reproduced", "a-size": "stated here",
    "a-turned": "stated here", "a-master-turned": "stated here", "a-storage": "stated here",
    "a-stalled": "stated here", "b-grows": "stated here", "b-curve": "reproduced", "b-variants": "stated here",
    "b-penalty": "stated here", "b-projection": "stated here", "exact-descent": "stated here", "adam": "stated here",
    "noise": "stated here", "l1": "stated here", "drr": "stated here", "projection": "stated here",
    "closed-form": "stated here", "closed-form-turn": "stated here", "stopping": "stated here",
    "c-line": "reproduced", "c-exponent": "reproduced", "c-float32": "stated here", "c-exact": "stated here",
    "c-level": "reproduced", "c-settings": "corrected", "symmetry-local": "stated here",
    "symmetry-random": "reproduced", "normal-form": "stated here", "sloppy": "stated here",
    "sloppy-flat": "stated here", "margins": "stated here", "pruning-coded": "stated here",
    "pruning-small": "stated here", "pruning-recovery": "stated here",
}  # fmt: skip


def test_tables_that_bear_all_claims_out():
    assert {key: claim.verdict("laptop") for key, claim in found().items()} == KEYS


def test_smoke_and_custom_runs_test_nothing():
    for profile in ("smoke", "custom"):
        assert {claim.verdict(profile) for claim in found().values()} == {"not tested at this profile"}


def test_two_claims_stand_on_the_first_page():
    assert [key for key, claim in found().items() if claim.headline] == ["a-float64", "stopping"]


def swapped(precision):
    """Curves of A where float64 behaves as float32 did, or the other way round."""
    curve = VALLEY if precision == "float64" else FALLING
    rest = GOOD["curves"][~((GOOD["curves"].experiment == "A") & (GOOD["curves"].precision == precision))]
    return pd.concat([rest, curve_rows(runs_of(curve), experiment="A", precision=precision)], ignore_index=True)


def scaled(curve):
    return (curve - curve.min()) / (curve.max() - curve.min())


SQUARE_ROOT = scaled(np.sqrt(np.arange(1, 501)))
MONOTONE = scaled(FALLING[1:])
EARLY = pd.DataFrame(
    {"epoch": range(1, 501), "deviation": 0.4 * measures.published_distance("B") ** 0.7, "runs": COUNTED}
)


def b_spread(mean):
    """B's spread as it is: small at first, when no run has moved."""
    own = EARLY.assign(mean=mean, experiment="B", precision="float32")
    return pd.concat([GOOD["spread"][GOOD["spread"].experiment == "A"], own], ignore_index=True)


def rates_with(rule, precision, rate):
    return {key: rate if key[:2] == (rule, precision) else value for key, value in good_rates().items()}


NULLS = {
    "a-float32: only nearer": ("a-float32", lambda: {"curves": swapped("float32")}, "refuted"),
    "a-float64: as float32": ("a-float64", lambda: {"curves": swapped("float64")}, "reproduced"),
    "a-curve: a fall": ("a-curve", lambda: {"spread": spread_of(MONOTONE, SQUARE_ROOT)}, "refuted"),
    "a-size: the rise of noise": (
        "a-size",
        lambda: {"curves": pd.concat([swapped("float64"), curve_rows(
            runs_of(1 + (EPOCHS / 100.0 - 1) ** 2), experiment="A", precision="float32")]).drop_duplicates(
                ["experiment", "precision", "run", "epoch"], keep="last")},
        "refuted",
    ),
    "a-turned: few": ("a-turned", lambda: {"turned_back": counted_rows(stored=0.3)}, "refuted"),
    "a-turned: half": ("a-turned", lambda: {"turned_back": counted_rows(stored=0.5)}, "undecided"),
    "a-master-turned: as float32": ("a-master-turned", lambda: {"turned_back": counted_rows(master=0.9)}, "refuted"),
    "a-storage: none": (
        "a-storage", lambda: {"map": map_rows(rates_with(rules.PLAIN, STORED[1], 0.0))}, "refuted",
    ),
    "a-stalled: as float64": ("a-stalled", lambda: {"ledger": GOOD["ledger"].assign(value=0.01)}, "refuted"),
    "b-grows: an approach": (
        "b-grows", lambda: {"curves": pd.concat([GOOD["curves"][GOOD["curves"].experiment == "A"], curve_rows(
            runs_of(VALLEY), experiment="B", precision="float64")])}, "refuted",
    ),
    "b-curve: the square root of time": ("b-curve", lambda: {"spread": b_spread(SQUARE_ROOT)}, "refuted"),
    "b-variants: without either": (
        "b-variants", lambda: {"b_variants": b_rows(*[published_with_start("B")] * 3)}, "refuted",
    ),
    "b-penalty: noise alone": ("b-penalty", lambda: {"b_variants": b_rows(*[GROWING] * 3)}, "refuted"),
    "b-projection: noise alone": ("b-projection", lambda: {"b_variants": b_rows(*[GROWING] * 3)}, "refuted"),
    "exact-descent: half": (
        "exact-descent", lambda: {"map": map_rows(rates_with(rules.PLAIN, "float64", 0.5))}, "refuted",
    ),
    "adam: as gradient descent": ("adam", lambda: {"map": map_rows(rates_with("Adam", "float64", 0.0))}, "refuted"),
    "adam: one in ten": ("adam", lambda: {"map": map_rows(rates_with("Adam", "float64", 0.1))}, "undecided"),
    "noise: as without": ("noise", lambda: {"map": map_rows(rates_with("noise", "float64", 0.0))}, "refuted"),
    "l1: few": ("l1", lambda: {"map": map_rows(rates_with("L1", "float64", 0.2))}, "refuted"),
    "drr: few": ("drr", lambda: {"map": map_rows(rates_with("DRR", "float64", 0.2))}, "refuted"),
    "projection: few": (
        "projection", lambda: {"map": map_rows(rates_with(rules.PROJECTED, "float64", 0.2))}, "refuted",
    ),
    "closed-form: 1 % off": ("closed-form", lambda: {"prediction": prediction_rows(error=0.01)}, "refuted"),
    "closed-form-turn: 3 % off": ("closed-form-turn", lambda: {"prediction": prediction_rows(error=0.03)}, "refuted"),
    "stopping: 20 epochs late": ("stopping", lambda: {"prediction": prediction_rows(missed=20)}, "refuted"),
    "stopping: the mean over noise": (
        "stopping",
        lambda: {"prediction": GOOD["prediction"].assign(predicted=GOOD["prediction"].expected)},
        "refuted",
    ),
    "c-line: a curve": ("c-line", lambda: {"scaling": scaling_rows(bend=0.02)}, "refuted"),
    "c-exponent: linear": ("c-exponent", lambda: {"scaling": scaling_rows(study=1.0)}, "refuted"),
    "c-float32: as float64": ("c-float32", lambda: {"scaling": scaling_rows(study=2.0)}, "undecided"),
    "c-float32: below": ("c-float32", lambda: {"scaling": scaling_rows(study=1.9)}, "refuted"),
    "c-exact: 2.055": ("c-exact", lambda: {"scaling": scaling_rows(common=2.055)}, "refuted"),
    "c-level: the code's": ("c-level", lambda: {"levels": level_rows(title=-4.5)}, "refuted"),
    "c-settings: as the title's": ("c-settings", lambda: {"levels": level_rows(code=-8.5)}, "reproduced"),
    "symmetry-local: shuffled": ("symmetry-local", lambda: {"distances": distance_rows(gap=0.5)}, "refuted"),
    "symmetry-random: found": ("symmetry-random", lambda: {"distances": distance_rows(lower=0.0)}, "refuted"),
    "normal-form: harmless": ("normal-form", lambda: {"distances": distance_rows(normal_form=1e-9)}, "refuted"),
    "sloppy: all alike": ("sloppy", lambda: {"spectrum": spectrum_rows(np.full(700, 1.0))}, "refuted"),
    "sloppy-flat: all alike": ("sloppy-flat", lambda: {"spectrum": spectrum_rows(np.full(700, 1e-3))}, "refuted"),
    "margins: of a small layer": ("margins", lambda: {"margins": GOOD["margins"].assign(ratio=1e-3)}, "refuted"),
    "pruning-coded: some left": ("pruning-coded", lambda: {"pruning": pruning_rows(strong=20)}, "refuted"),
    "pruning-small: as coded": ("pruning-small", lambda: {"pruning": pruning_rows(weak=300)}, "refuted"),
    "pruning-recovery: found": ("pruning-recovery", lambda: {"pruning": pruning_rows(lower=0.0)}, "refuted"),
}  # fmt: skip


@pytest.mark.parametrize("name", NULLS)
def test_a_null_fails_its_claim(name):
    key, tables, expected = NULLS[name]
    assert verdict(key, **tables()) == expected


def test_every_claim_has_a_null():
    assert {key for key, _, _ in NULLS.values()} == set(KEYS)


def fewer(frame, runs):
    return frame[frame.run < runs]


@pytest.mark.parametrize(
    ("key", "table"),
    [("a-float64", "curves"), ("b-grows", "curves"), ("exact-descent", "map"), ("stopping", "prediction"),
     ("a-turned", "turned_back"), ("symmetry-random", "distances"), ("sloppy", "spectrum"), ("margins", "margins"),
     ("pruning-small", "pruning"), ("c-level", "levels"), ("b-penalty", "b_variants"), ("a-stalled", "ledger")],
)  # fmt: skip
def test_too_few_runs_test_nothing(key, table):
    runs = {"turned_back": COUNTED, "spectrum": TEACHERS, "levels": TEACHERS}.get(table, RUNS)
    assert verdict(key) != "not tested at this profile"
    assert verdict(key, **{table: fewer(GOOD[table], runs - 1)}) == "not tested at this profile"


def test_too_few_counted_runs_test_no_curve():
    few = {"spread": GOOD["spread"].assign(runs=COUNTED - 1)}
    assert {verdict(key, **few) for key in ("a-curve", "b-curve")} == {"not tested at this profile"}


def test_counts_are_of_independent_runs():
    counts = {key: claim.measured.count for key, claim in found().items()}
    # two displacements and three experiments of twenty runs each
    assert counts["exact-descent"] == RUNS
    assert counts["symmetry-local"] == RUNS
    assert counts["a-turned"] == COUNTED
    assert counts["margins"] == RUNS
    assert counts["c-exponent"] == 25


def test_a_run_that_rebounds_from_one_displacement_counts():
    rates = good_rates() | {(rules.PLAIN, "float64", 1e-6): 0.3, (rules.PLAIN, "float64", 1e-2): 0.4}
    assert found(map=map_rows(rates))["exact-descent"].measured.value == 0.4


def test_a_distance_of_at_least_so_much_comes_from_the_lower_bound():
    """The upper bound of random students is far above a tenth of the norm, and does not count."""
    rows = distance_rows(lower=0.29)
    assert (rows["quotient"][rows.experiment == distances.RANDOM] > 0.3).all()
    assert found(distances=rows)["symmetry-random"].measured.value == 1
    assert found(distances=distance_rows(lower=0.31))["symmetry-random"].measured.value == 0


def test_the_published_figures_exponent_is_a_fit_made_here():
    assert found()["c-exponent"].recorded == "2.055, fitted here to the 25 points"
    assert found()["c-exact"].said is None
    assert "title" in found()["c-settings"].statement
