"""Sentences of the chapter, computed from its tables."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.words import listed, number, ten
from sparsenn_book.studies.bounds import recorded
from sparsenn_book.studies.bounds.posterior import PRIORS
from sparsenn_book.studies.bounds.search import CASES
from sparsenn_book.studies.bounds.selected import (
    GOLOWICH,
    HELD_OUT,
    PLACE,
    PLAIN,
    REFINED,
    STUDY,
    last,
    norm_certificates,
    of_shown,
    shown,
)
from sparsenn_book.studies.bounds.settings import DeepSettings
from sparsenn_book.studies.bounds.students import middle, pairs
from sparsenn_core.bounds.families import RADII

IDLE = 0.8
"""A guess among ten classes errs nine times of ten; the study's code stops runs that are right in 15 % only."""
NAMES = {"l1": "L1", "l2": "L2", "none": "no penalty"}


def size(value: float) -> str:
    """A bound as one says it: `1,900`, `2.3·10⁵` or `0.24`."""
    if value >= 1e5:
        return ten(value, 1)
    return f"{value:,.0f}" if value >= 100 else number(value, 2)


def signed(value: float, digits: int = 2) -> str:
    """A number with a minus sign as one prints it."""
    return f"{value:.{digits}f}".replace("-", "−")


def all_bounds(bounds: pd.DataFrame, errors: pd.DataFrame) -> str:
    """What the picture of all bounds shows."""
    place = shown(bounds)
    rows, found = last(of_shown(bounds, place)).set_index("bound"), last(of_shown(errors, place)).iloc[0]
    sure = norm_certificates(rows.reset_index()).sort_values("value")
    promised = rows[rows["kind"] == RADII].dropna(subset=["value"])["value"]
    held_out = rows.loc[HELD_OUT]
    return (
        f"Its training error is {found['train_error']:.1%}, its test error {found['test_error']:.1%}: a gap of "
        f"{signed(100 * found['gap'], 1)} points. The smallest certificate by norms is *{sure['bound'].iloc[0]}* with "
        f"{size(sure['value'].iloc[0])}, the largest *{sure['bound'].iloc[-1]}* with {size(sure['value'].iloc[-1])}. "
        f"With radii promised beforehand bounds reach from {size(promised.min())} to {size(promised.max())}. The "
        f"held-out samples say that the error is at most {held_out['total']:.1%}. At this margin "
        f"{rows.loc[REFINED, 'empirical']:.1%} of the training samples count as errors."
    )


def margins(found: pd.DataFrame) -> str:
    """How large the margins of networks trained on one-hot targets are."""
    rows = last(of_shown(found, shown(found))).set_index("share")["margin"]
    middle = rows.iloc[(rows.index.to_series() - 0.5).abs().argmin()]
    below = max((share for share, value in rows.items() if value < 1), default=0.0)
    text = (
        f"The network's margins on training samples have the median {middle:.2f} and reach {rows.max():.2f}; a perfect "
        f"fit of targets 0 and 1 has margin 1. At least {below:.0%} of the samples have less than 1, and count as "
        "errors at margin 1, where the study draws its bound."
    )
    return text if below < 0.9 else f"{text} Added to the bound, this share alone is nearly all an error can be."


def training(bounds: pd.DataFrame) -> str:
    """How bounds change while a network trains."""
    rows = of_shown(bounds, shown(bounds))
    by_epoch = rows.pivot(index="epoch", columns="bound", values="value")
    first, end = by_epoch.iloc[0], by_epoch.iloc[-1]
    return (
        f"From initial weights to epoch {by_epoch.index[-1]}, the formula of the study's code goes from "
        f"{size(first[STUDY])} to {size(end[STUDY])} and the corrected bound from {size(first[REFINED])} to "
        f"{size(end[REFINED])}, that of Golowich et al. from {size(first[GOLOWICH])} to {size(end[GOLOWICH])}. "
        "On the same data a bound changes only with the norms; those by distances are taken from the initial weights, "
        "and so begin near zero."
    )


def depths(bounds: pd.DataFrame, errors: pd.DataFrame, settings: DeepSettings) -> str:
    """Bounds of trained networks against depth; on what, against the study's."""
    rows, found = last(bounds), last(errors)
    width = int(rows["width"].max())
    ends = (rows["depth"].min(), rows["depth"].max())
    values = rows[(rows["width"] == width) & (rows["schedule"] == rows["schedule"].iloc[0])].set_index(
        ["bound", "depth"]
    )
    told = [
        f"{name} from {size(values.loc[(bound, ends[0]), 'value'])} to {size(values.loc[(bound, ends[1]), 'value'])}"
        for name, bound in (("the corrected bound goes", REFINED), ("that of Golowich et al.", GOLOWICH))
    ]
    idle = int((found["train_error"] > IDLE).sum())
    return (
        f"These are {len(found)} networks on {settings.deep_samples:,} images of {settings.deep_dataset}, with "
        f"{listed([str(w) for w in settings.deep_widths])} channels and {settings.deep_epochs} epochs; the study has "
        f"60,000 images, {listed([str(w) for w in recorded.WIDTHS])} channels and {recorded.EPOCHS} epochs. From "
        f"{ends[0]} to {ends[1]} convolutions of {width} channels {listed(told)}. Test errors lie between "
        f"{found['test_error'].min():.0%} and {found['test_error'].max():.0%}; "
        f"{f'{idle} of the networks have' if idle else 'all have learned something: none has'} a training error above "
        f"{IDLE:.0%}, near that of a guess, 90%."
    )


def counterexamples(found: pd.DataFrame) -> str:
    """By how much the formula fails."""
    rows = found[found["bound"] == STUDY].set_index("case")
    told = [
        f"{rows.loc[case, 'lower'] / rows.loc[case, 'upper']:.1f} times ({words})"
        for case, words in zip(
            CASES,
            ("the nodes that feed the last layer are not paid for", "log C pays for one class only", "its own setting"),
            strict=True,
        )
    ]
    sparse = found[found["bound"].isin([REFINED, PLAIN])]
    return (
        f"The complexity found is {listed(told)} what the formula allows. For either form of the "
        f"corrected bound it is at most {(sparse['lower'] / sparse['upper']).max():.2f} of what that form allows."
    )


def slack(found: pd.DataFrame) -> str:
    """How much of each bound is there."""
    rows = found[found["n"] == found["n"].max()].set_index("bound")
    share = rows["upper"] / rows["lower"]
    return (
        f"On {int(rows['n'].iloc[0])} digits the corrected bound is {share[REFINED]:.1f} times the complexity that a "
        f"search finds, its plain form {share[PLAIN]:.1f} times and that of Golowich et al. {share[GOLOWICH]:.0f} "
        "times. A better proof for these classes can gain at most these factors, and less if the search missed "
        "something. To gain more, a bound has to look at more than these norms."
    )


def growth(found: pd.DataFrame) -> str:
    """Growth with depth and width."""
    depth = found[found["axis"] == "depth"].pivot(index="at", columns="bound", values="log10")
    lead = 10 ** (depth[GOLOWICH] - depth[REFINED])
    one = 10 ** (depth[REFINED].iloc[-1] - depth[REFINED].iloc[0])
    n = found[(found["axis"] == "n") & (found["bound"] == REFINED)].sort_values("at")
    fall, times = 10 ** (n["log10"].iloc[0] - n["log10"].iloc[-1]), n["at"].iloc[-1] / n["at"].iloc[0]
    return (
        f"From depth {depth.index[0]} to {depth.index[-1]} the corrected bound grows {one:.0f} times, and its lead on "
        f"Golowich et al. from {lead.iloc[0]:.1f} to {lead.iloc[-1]:.0f}: a node is fed by four nodes, not by all. "
        f"With {times:g} times the samples it falls {fall:.1f} times; the square root is {times**0.5:.1f}."
    )


def rescaling(found: pd.DataFrame) -> str:
    """Which bounds change when a factor moves between layers."""
    moved = found[(found["after"] - found["before"]).abs() > 1e-6]
    return (
        "Let the first kernel be multiplied by 4 and the second divided by 4. The network's function and all products "
        f"of norms stay as they are. Of {len(found)} bounds and measures {len(moved)} change: "
        f"{listed(list(moved['bound']))}."
    )


def correlation(found: pd.DataFrame, grid: pd.DataFrame) -> str:
    """Whether a larger bound goes with a larger gap."""
    taus = found[found["axis"] == "all"].set_index("bound")["tau"].sort_values(ascending=False)
    n = found[(found["axis"] == "n")].set_index("bound")["tau"]
    others = found[found["axis"].isin(["width", "decay", "noise"]) & (found["bound"] == REFINED)].set_index("axis")[
        "tau"
    ]
    count = len(grid.drop_duplicates(["depth", "width", "n", "decay", "noise"]))
    return (
        f"Over {count} networks the largest rank correlation with the gap is that of *{taus.index[0]}*, "
        f"{signed(taus.iloc[0])}; the corrected bound has {signed(taus[REFINED])}, the least is "
        f"{signed(taus.iloc[-1])} "
        f"(*{taus.index[-1]}*). Where only the number of samples differs the corrected bound has "
        f"{signed(n[REFINED])} (at equal norms every bound falls with it); where only width, weight decay or label "
        f"noise differs {signed(others['width'])}, {signed(others['decay'])} and {signed(others['noise'])}."
    )


def students(found: pd.DataFrame) -> str:
    """Bounds of the L1 chapter's students."""
    rows = middle(found)
    if "none" not in rows.index:
        return "No student without penalty fits here, so there is nothing to compare."
    told = [
        f"{NAMES[str(penalty)]} {row['kept']:.0f} weights and a bound of {size(row['bound'])}"
        for penalty, row in rows.iterrows()
    ]
    free, decayed = pairs(found, REFINED, "l1", "none"), pairs(found, REFINED, "l1", "l2")
    return (
        f"Medians: {'; '.join(told)}. A pair is two students from the same start, trained on the same samples. The "
        f"one with L1 has the smaller bound in {int((free['log10'] < free['other']).sum())} of {len(free)} pairs whose "
        f"other student has no penalty ({free['seed'].nunique()} seeds), and in "
        f"{int((decayed['log10'] < decayed['other']).sum())} of {len(decayed)} pairs whose other student has L2 "
        f"({decayed['seed'].nunique()} seeds). The claims below count seeds."
    )


def posterior(found: pd.DataFrame) -> str:
    """The PAC-Bayes bounds."""
    rows = found.set_index("prior")
    places = {PRIORS[0]: "the initial weights", PRIORS[1]: "weights trained on half of the data"}
    told = [
        f"With its prior at {places[str(prior)]}, the "
        f"bound on the error is {row['total']:.1%} (its error on the {int(row['n']):,} samples used: "
        f"{row['drawn']:.1%}, KL {row['divergence']:.0f} nats; the network it started from has a test error of "
        f"{row['test_error']:.1%}, and held-out samples bound it by {row['held_out']:.1%})"
        for prior, row in rows.iterrows()
    ]
    return f"{told[0]}. {told[1]}."


def smallest(bounds: pd.DataFrame) -> tuple[str, float, int]:
    """The smallest total of a certificate by norms at the end of training, its name, and the number of networks."""
    rows = norm_certificates(last(bounds)).sort_values("total")
    return str(rows["bound"].iloc[0]), float(rows["total"].iloc[0]), len(rows.drop_duplicates(PLACE))


def kinds(bounds: pd.DataFrame) -> str:
    """A table of what each bound is: name, kind, which norm, assumptions and source."""
    lines = ["| bound | kind | norms | assumes | source |", "|---|---|---|---|---|"]
    for row in bounds.drop_duplicates("bound").itertuples():
        lines.append(f"| {row.bound} | {row.kind} | {row.norm} | {row.assumptions} | {row.citation} |")
    return "\n".join(lines)
