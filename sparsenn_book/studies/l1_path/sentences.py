"""Sentences of the L1 chapter, computed from its tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.estimates import Estimate, wilson
from sparsenn_book.records.words import ten
from sparsenn_book.studies.l1_path.claims import UNFINISHED, least, recorded_over_least
from sparsenn_book.studies.l1_path.recorded import recorded_runs
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS, STUDENTS
from sparsenn_core.networks import literal_teacher
from sparsenn_core.recovery import relu_l1_optimum

WIDE = "multi_channel"


def of_bound(strength: float) -> str:
    """The least penalty at exact fit, from the teacher's three sums."""
    teacher = literal_teacher("baseline", "relu")
    sums = [float(w.abs().sum()) for w in teacher.parameters()]
    return (
        f"Here $a_1, a_2, a_3$ are {', '.join(f'{a:.2f}' for a in sums)}: as given, the teacher costs {sum(sums):.2f} "
        f"times the strength, and no relu student that computes its function costs less than "
        f"{relu_l1_optimum(teacher):.4f} times, which is {ten(relu_l1_optimum(teacher) * strength)}."
    )


def of_runs(runs: pd.DataFrame) -> str:
    """How many runs trained, and how many stopped by themselves."""
    ended = int((runs["status"] != UNFINISHED).sum())
    epochs = int(runs["epochs"].max())
    return (
        f"{len(runs)} runs. {ended} of them stopped by themselves; the other {len(runs) - ended} used up the "
        f"{epochs:,} epochs that this page allows. The study allowed 10,000 epochs without a penalty and 100,000 with "
        f"one; {_recorded_lengths()}"
    )


def _recorded_lengths() -> str:
    stops = recorded_runs().query("experiment == 2 and penalty == 'l1'")["stop_epoch"].dropna()
    return (
        f"its L1 runs of experiment 2 stopped after {int(stops.min()):,} to {int(stops.max()):,} epochs (the "
        f"{len(stops)} whose epoch is recorded)."
    )


def least_table(minima: pd.DataFrame) -> pd.DataFrame:
    """The least value found in each case, for display."""
    best = least(minima)
    random = minima[minima["origin"] == "random"]
    share = {
        key: f"{int((rows['objective'] <= 1.01 * best.loc[key, 'objective']).sum())} of {len(rows)}"
        for key, rows in random.groupby(["student", "activation", "penalty"])
    }
    table = pd.DataFrame(
        {
            "least found": best["objective"].map("{:.4e}".format),
            "residual": best["residual"].map("{:.0e}".format),
            "kept": best["nonzero"].astype(int),
            "outcome": best["outcome"],
            "random starts within 1 %": pd.Series(share),
        }
    )
    table = table.rename(index={"baseline": "7", "multi_channel": "52", "l1": "L1", "l2": "L2"})
    return table.rename_axis(["weights", "activation", "penalty"])


def of_minima(minima: pd.DataFrame, strength: float) -> str:
    """The least values found against the bound, and the weights they keep."""
    wide = least(minima).loc[WIDE].xs("l1", level="penalty")
    bound = relu_l1_optimum(literal_teacher("baseline", "relu")) * strength
    value = wide.loc["relu", "objective"]
    kept = ", ".join(f"{int(wide.loc[a, 'nonzero'])} with {a}" for a in ACTIVATIONS)
    return (
        f"With relu the least value found is {ten(value, 5)}, {ten(abs(value / bound - 1), 1)} of it "
        f"{'below' if value < bound else 'above'} the bound for exact fits, {ten(bound, 5)}: the fit gives way a "
        f"little to save penalty. Of its 52 weights the best L1 minimiser keeps {kept}; all others are exactly zero."
    )


def of_losses(runs: pd.DataFrame, minima: pd.DataFrame, student: str) -> str:
    """How far above the least value found the L1 runs that fit have ended, recorded and run again."""
    best = least(minima).loc[student].xs("l1", level="penalty")["objective"]
    both = {"recorded": recorded_runs(), "run again": runs}
    parts = []
    for activation in ACTIVATIONS:
        floor = float(best[activation])
        said = [f"{kind} {_excess(table, student, activation, floor)}" for kind, table in both.items()]
        parts.append(f"{activation}: {', '.join(said)}")
    lowest = recorded_over_least(minima).loc[student].min()
    return (
        "L1 runs that fit, loss above the least found (median): "
        + "; ".join(parts)
        + f". The least recorded loss is {_above(lowest)} the least found, on other draws of the data."
    )


def _excess(table: pd.DataFrame, student: str, activation: str, floor: float) -> str:
    here = table.query("student == @student and activation == @activation and penalty == 'l1' and r2 >= 0.99")
    if here.empty:
        return "none fits"
    open_ = int((here["status"] == UNFINISHED).sum()) if "status" in here else 0
    counted = f"{len(here)} runs" + (f", {open_} of them unfinished" if open_ else "")
    return f"{_percent(here['objective'].median() / floor)} ({counted})"


def _percent(ratio: float) -> str:
    return f"{abs(ratio - 1):.1%} {'above' if ratio >= 1 else 'below'}".replace("%", " %")


def _above(ratio: float) -> str:
    return "within 0.05 % of" if abs(ratio - 1) < 5e-4 else _percent(ratio)


def of_fates(runs: pd.DataFrame) -> str:
    """How the runs of both experiments ended, all of them counted."""
    epochs = int(runs["epochs"].max())
    parts = []
    for student in STUDENTS:
        here = runs[(runs["student"] == student) & (runs["penalty"] == "l1")]
        counts = here["outcome"].value_counts()
        said = ", ".join(f"{counts[o]} {o}" for o in counts.index)
        parts.append(f"of {len(here)} L1 runs with {int(here['weights'].iloc[0])} weights: {said}")
    open_ = int((runs["status"] == UNFINISHED).sum())
    keys = ["student", "activation", "penalty", "init_scale"]
    bars = [table.groupby(keys).size() for table in (recorded_runs(), runs)]
    sizes = [f"{b.min()} to {b.max()}" if b.min() < b.max() else str(b.min()) for b in bars]
    return (
        f"A recorded bar stands for {sizes[0]} runs, one run again for {sizes[1]}. After at most {epochs:,} epochs, "
        + "; ".join(parts)
        + f". {open_} of all {len(runs)} runs were still training then, so their fate is that of {epochs:,} epochs, "
        "not their last."
    )


def of_sparsity(runs: pd.DataFrame) -> str:
    """How many weights SGD leaves small, and how many it makes zero."""
    l1 = runs[(runs["penalty"] == "l1") & (runs["student"] == WIDE)]
    small = l1[[f"kept_{i}_1e-4" for i in (1, 2, 3)]].sum(axis=1)
    zeros, weights = int(runs["exact_zeros"].sum()), int(runs["weights"].sum())
    return (
        f"Under L1 a student of experiment 2 keeps {small.median():.0f} of 52 weights of at least 1e-4 (median of "
        f"{len(l1)} runs) when this schedule ends. Of all {weights:,} weights trained here, {zeros:,} are exactly "
        "zero: a subgradient step carries a weight across zero and back, it does not stop there. Zeros of a minimiser "
        "are exact."
    )


def of_zeroing(zeroed: pd.DataFrame) -> str:
    """What a threshold of 0.01 leaves of the runs that fit."""
    runs = zeroed[(zeroed["kind"] == "reference schedule") & (zeroed["penalty"] == "l1")]
    keys = ["activation", "init_scale", "seed"]
    fits = runs[(runs["threshold"] == 0) & (runs["unexplained"] <= 0.01)][keys]
    cut = runs[runs["threshold"] == 0.01].merge(fits, on=keys)
    if cut.empty:
        return "No L1 run of this page fits, so a threshold has nothing to keep."
    still = int((cut["unexplained"] <= 0.01).sum())
    return (
        f"{len(cut)} L1 runs of 52 weights fit. Without their weights below 0.01 they keep {cut['kept'].min():.0f} to "
        f"{cut['kept'].max():.0f} weights, {cut['kept'].median():.0f} in the median, and {still} still fit. The "
        "teacher has 7."
    )


def of_weights(arranged: pd.DataFrame) -> str:
    """How many weights minimisers have where the teacher has none."""
    off = arranged[(arranged["teacher"] == 0) & (arranged["student"] != 0)]
    counts = off.groupby(["penalty", "activation"]).size()

    def said(penalty: str) -> str:
        return ", ".join(f"{counts.get((penalty, a), 0)} with {a}" for a in ACTIVATIONS)

    return (
        f"Off the teacher's seven places the L1 minimiser has this many weights that are not zero: {said('l1')}; the "
        f"L2 minimiser: {said('l2')}."
    )


def of_waking(wakes: pd.DataFrame, epochs: int) -> str:
    """How many dead starts woke under each penalty, when, and what became of them."""
    l1 = wakes[wakes["penalty"] == "l1"]
    woke = l1[l1["woke_epoch"].notna()]
    rate = wilson(len(woke), len(l1))
    others = wakes[(wakes["penalty"] != "l1") & wakes["woke_epoch"].notna()]["seed"].nunique()
    ends = ", ".join(f"{n} {name}" for name, n in woke["outcome"].value_counts().items())
    told = f"The first woke after {woke['woke_epoch'].min():.0f} epochs, the last after " \
           f"{woke['woke_epoch'].max():.0f}; at the end they are {ends}." if len(woke) else ""  # fmt: skip
    asleep = l1[l1["woke_epoch"].isna()]
    later = int((asleep["predicted_epoch"] > epochs).sum())
    rest = f" {len(asleep)} never woke; {later} of them had a predicted epoch past the end." if len(asleep) else ""
    return (
        f"{share(rate)} students that are dead before training woke under L1 within {epochs:,} epochs, "
        f"{others or 'none'} without a penalty or under L2. {told}{rest}"
    )


def of_waking_time(wakes: pd.DataFrame) -> str:
    """How well the epoch of waking is predicted."""
    woke = wakes[(wakes["penalty"] == "l1") & wakes["woke_epoch"].notna()]
    if woke.empty:
        return "No student woke on this page, so there is nothing to compare."
    ratio = woke["woke_epoch"] / woke["predicted_epoch"]
    return (
        f"The measured epoch is {ratio.median():.3f} times the predicted one in the median of {len(woke)} students, "
        f"from {ratio.min():.3f} to {ratio.max():.3f}."
    )


def of_distance(faults: pd.DataFrame) -> str:
    """The study's distance of the exact copy and of nothing."""
    value = faults.set_index("name")["value"]
    return (
        f"Exact copy of the teacher: {value['distance of the copy']:.4f}. All weights zero: "
        f"{value['distance of zero']:.4f}. Up to symmetry the first is 0 and the second the teacher's norm, which is "
        "what this book uses."
    )


def share(rate: Estimate) -> str:
    """`17 of 20 (85 %, 64 to 95 %)`."""
    hits = round(rate.value * rate.count)
    return f"{hits} of {rate.count} ({rate.value:.0%}, {rate.low:.0%} to {rate.high:.0%})".replace("%", " %")
