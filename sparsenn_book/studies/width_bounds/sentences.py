"""Sentences about neuron sharing, computed from tables; Markdown."""

from __future__ import annotations

import math

import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.width_bounds import recorded, training_rows
from sparsenn_book.studies.width_bounds.claims_of_training import AGREE, DECAY, NONE, PROX, recorded_over_optimum
from sparsenn_book.studies.width_bounds.neuron_sharing import STUDENT_SEED
from sparsenn_book.studies.width_bounds.sharing_training import ACTIVE

AT_RANDOM = (math.sqrt(2) + math.asinh(1)) / 3
"""The cost of sharing of independent uniform weights: mean distance from the corner of a square, over the mean sum."""


def at_most(value: float, digits: int = 1) -> str:
    """A bound on a size, rounded up; with so many digits after the point, in powers of ten."""
    if not value > 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(value)) - digits)
    # a step of rounding is not a step of the last digit
    return ten(math.ceil(value / step - 1e-6) * step, digits)


def sizes(optimum_neurons: pd.DataFrame) -> pd.Series:
    """The size ||v|| ||wbar|| of each neuron of the certified optimum, which is balanced."""
    return optimum_neurons[["v1", "v2"]].pow(2).sum(axis=1)


def of_optimum(optimum: pd.DataFrame, optimum_neurons: pd.DataFrame) -> str:
    """What the certified optimum is, and what the generating network costs."""
    best = optimum.iloc[0]
    outgoing = sizes(optimum_neurons)
    largest = outgoing.nlargest(4).sum() / outgoing.sum()
    generator = best["strength"] * best["generator_vv_norm"]
    return (
        f"The optimum is {ten(best['objective'], 8)}, and no network of any width is below {ten(best['bound'], 8)} "
        f"(relative gap {ten(best['gap'], 0)}; the dual function exceeds 1 by at most {at_most(best['peak'] - 1)} over "
        f"all directions): mean squared error {ten(best['mse'])}, VV norm {best['vv_norm']:.6f}, "
        f"{best['neurons']:.0f} neurons, counted without a threshold. Of these {int((outgoing > ACTIVE).sum())} "
        f"are above 10⁻³ in ‖v‖‖w̄‖, and the four largest carry {largest:.0%} of the VV norm. The network "
        f"that made the data fits them exactly, has VV norm {best['generator_vv_norm']:.6f} and so costs "
        f"{ten(generator)}, {generator / best['objective']:.3f} times the optimum."
    )


def of_training(trace: pd.DataFrame, distance: pd.DataFrame) -> str:
    """Whether the study's run repeats, and where it ends."""
    steps, log = training_rows.length(trace), recorded.training_log()
    if steps < training_rows.LONG:
        return _too_short(steps)
    loss = training_rows.largest_deviation(trace, log)
    active = training_rows.deviations(trace, log, "active")
    reached = int(log[(log["name"] == "mse") & (log["step"] <= steps)]["step"].max())
    ends = distance[distance["seed"] == STUDENT_SEED].set_index("method")["relative"]
    return (
        f"Strong lines are the study's student, faint ones the others. The study's runs repeat: at the logged "
        f"iterations up to {reached:,} the loss of the run again differs from "
        f"the recorded one by at most {at_most(loss[PROX])} of it (PathProx) and {at_most(loss[NONE])} (no decay), and "
        f"the number of active neurons by at most {int((active['value'] - active['recorded']).abs().max())}. After "
        f"{steps:,} steps the study's student costs {ends[PROX]:.3f} times the optimum by PathProx, "
        f"{ends[DECAY]:.3f} times by SGD with weight decay."
    )


def _too_short(steps: int) -> str:
    return (
        f"This page trains {steps:,} steps, which shows only that everything runs: before {training_rows.LONG:,} "
        "steps nothing is said of where training ends."
    )


def of_places(neurons: pd.DataFrame, steps: int) -> str:
    """What the scatter shows, and what it does not."""
    if steps < training_rows.LONG:
        return _too_short(steps)
    rows = training_rows.sharing(neurons).set_index("method")
    first = rows[(rows["seed"] == STUDENT_SEED) | (rows.index == "optimum")]
    counts = ", ".join(f"{method} {row['both']:.0f} of {row['drawn']:.0f}" for method, row in first.iterrows())
    costs = ", ".join(f"{method} {row['cost']:.3f}" for method, row in first.iterrows())
    drawn = rows.groupby(level=0)["drawn"].agg(["min", "max"])
    few = "; ".join(f"{m} {_range(*drawn.loc[m])}" for m in (PROX, DECAY, NONE))
    cost = rows.groupby(level=0)["cost"].agg(["min", "max"])
    spans = ", ".join(f"{m} {cost.loc[m, 'min']:.3f} to {cost.loc[m, 'max']:.3f}" for m in (DECAY, NONE))
    return (
        f"Drawn neurons that are drawn for both outputs: {counts}. **The same place in both columns is no mark of "
        f"weight decay**: without decay {rows.loc[[NONE], 'share'].min():.0%} or more serve both outputs, too. The "
        f"cost of sharing, Σ‖v‖‖w‖ over Σ(|v₁| + |v₂|)‖w‖, is 1 where every neuron serves one output, 0.707 where all "
        f"serve both equally, {AT_RANDOM:.3f} for weights as they are drawn before training, and here: {costs}; over "
        f"all students {spans}. The rules differ most in how few neurons they leave; drawn over all students: {few}."
    )


def _range(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def of_distance(distance: pd.DataFrame, optimum: pd.DataFrame, steps: int) -> str:
    """How far from the optimum the rules end, which runs collapsed, and how many still move."""
    best = optimum.iloc[0]
    ratio = recorded_over_optimum(best)
    text = (
        f"The solution that the study printed costs {ten(ratio * best['objective'], 4)}, **{ratio:.2f} times the "
        f"optimum**; its VV norm, {recorded.PRINTED['outgoing']}, is above that of the network that made the data, "
        f"{best['generator_vv_norm']:.3f}. "
    )
    if steps < training_rows.LONG:
        return text + _too_short(steps)
    study = distance[(distance["seed"] == STUDENT_SEED) & (distance["method"] == PROX)].iloc[0]
    parts = [_of_rule(distance[distance["method"] == rule], rule) for rule in (PROX, DECAY)]
    return text + (
        f"In that run, repeated here, the outgoing weights are the best for their directions, to within "
        f"{ten(study['relative'] / study['same_directions'] - 1, 0)} of the cost: the directions are wrong. After "
        f"{steps:,} steps: {' '.join(parts)} "
        + ("" if steps >= training_rows.WHOLE else "These are not ends: the study trained 1,000,000 steps. ")
        + "That two objectives have the same least value does not mean that two rules find it."
    )


def _of_rule(rows: pd.DataFrame, rule: str) -> str:
    alive = rows[~rows["collapsed"]]
    near = int((rows["relative"] <= 1 + AGREE).sum())
    moving = int((alive["fell"] > AGREE).sum())
    text = f"{rule} takes {near} of {len(rows)} students to within 1 % of the optimum."
    gone = len(rows) - len(alive)
    text += f" {gone} of its students collapsed." if gone else ""
    if len(alive):
        text += f" Those that fit end at {alive['relative'].min():.3f} to {alive['relative'].max():.3f} times it, "
        text += f"{moving or 'none'} of them still moving."
    return text


def distance_table(distance: pd.DataFrame, steps: int) -> pd.DataFrame:
    """How far each run is from the optimum, as a table for the page; whether it collapsed after a long run only."""
    names = {"relative": "objective / optimum", "same_directions": "same directions", "vv_norm": "VV norm"}
    rows = distance[["method", "seed", *names]].round(3).rename(columns=names)
    rows = rows.assign(**{"in use": distance["used"].astype(int), "MSE": [ten(v, 2) for v in distance["mse"]]})
    rows = rows.assign(outputs=distance["outputs"].round(4)).set_index(["method", "seed"])
    if steps < training_rows.LONG:
        return rows
    return rows.assign(state=["collapsed" if g else "moving" if f > AGREE else "" for g, f in _states(distance)])


def _states(distance: pd.DataFrame) -> list[tuple[bool, float]]:
    return list(distance[["collapsed", "fell"]].itertuples(index=False, name=None))


def of_balance(trace: pd.DataFrame) -> str:
    """Whether the imbalance follows the law, and where it stops."""
    rows = training_rows.imbalance(trace)
    start, end = int(rows["step"].min()), int(rows["step"].max())
    if end < training_rows.LONG:
        return _too_short(end)
    ratio = training_rows.balance_ratios(trace)
    left = float(training_rows.balance_law([training_rows.BALANCE_TO], start)[0])
    last = rows[rows["step"] == end].groupby("method")["value"].agg(["min", "max"])
    law = float(rows["law"].min())
    text = (
        f"By step {min(end, training_rows.BALANCE_TO):,} the law leaves {left:.1%} of the imbalance at step "
        f"{start:,}; in the runs with weight decay it is that to within {100 * (ratio - 1).abs().max():.2g} %. "
    )
    if last.loc[DECAY, "min"] > 2 * law:
        text += (
            f"At step {end:,} the runs have {ten(last.loc[DECAY, 'min'], 1)} or more left where the law says "
            f"{ten(law, 1)}: the last term, or the rounding of float32 weights, outweighs what is left (the two are "
            "not told apart here). "
        )
    change = max(abs(last.loc[NONE, "min"] - 1), abs(last.loc[NONE, "max"] - 1))
    return text + f"Without decay it changes by at most {100 * change:.2g} %."


def of_needed(distance: pd.DataFrame, steps: int) -> str:
    """How many of a student's neurons the cheapest outgoing weights with its outputs on the data use."""
    if steps < training_rows.LONG:
        return _too_short(steps)
    rows = distance[~distance["collapsed"]]
    least = rows.groupby("method")["needed"].agg(["min", "max"])
    none = rows[rows["method"] == NONE]
    return (
        f"A student trained without decay has {none['neurons'].max()} neurons; the cheapest outgoing weights with its "
        f"outputs on the data use {_range(*least.loc[NONE])} of them. The sharper bound allows "
        f"{none['sharp'].max()}, the product {none['product'].max()}. For students trained by SGD with weight decay "
        f"the cheapest use {_range(*least.loc[DECAY])}, for those of PathProx {_range(*least.loc[PROX])}; collapsed "
        "students are left out. These counts have no threshold, so they may be above *in use*, which leaves out "
        "neurons below 10⁻³."
    )


def needed_table(distance: pd.DataFrame) -> pd.DataFrame:
    """How many neurons each student has, and its cheapest outgoing weights use, as a table for the page."""
    names = {"needed": "used by cheapest V", "vv_norm": "VV norm", "needed_vv_norm": "VV norm of cheapest V"}
    names |= {"sharp": "sharper bound", "product": "r_Φ r_Ψ"}
    rows = distance[["method", "seed", "neurons", *names]].round(3).rename(columns=names)
    return rows.assign(gap=[ten(v, 0) if v else "0" for v in distance["gap"]]).set_index(["method", "seed"])
