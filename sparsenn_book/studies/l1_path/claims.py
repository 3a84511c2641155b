"""The findings of the L1 chapter as claims, computed from its rows."""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.records import Claim, Estimate, exact, quoted, wilson
from sparsenn_book.studies.l1_path.evaluation import NEED
from sparsenn_book.studies.l1_path.reference import reference_distance
from sparsenn_core.networks import MLP, embed, literal_teacher
from sparsenn_core.penalties import SquaredL2
from sparsenn_core.training import SGD, Data, Ensemble, fit

CHAPTER = "01_l1_path"
STUDY = "laschulz/investigating_sparseNN"


def claims(runs: pd.DataFrame, minima: pd.DataFrame) -> list[Claim]:
    """Every claim of the chapter; rates count only runs that stopped by themselves.

    `runs` is the table of `evaluate` for both experiments, `minima` that of `minima`. A run that used up a shortened
    schedule says nothing about where the schedule leads, so it is left out, and a claim with too few runs left is not
    tested.
    """
    ended = runs[runs["status"] != "all epochs used"]
    return [*optima(minima), *about_zeros(runs, minima), *about_fate(runs, ended), *about_methods()]


def optima(minima: pd.DataFrame) -> list[Claim]:
    """The least values of the L1 objective, and how well they are certified."""
    best = minima.sort_values("objective").groupby(["student_activation", "penalty"]).first()
    found = []
    for activation, digits, source, recorded in (
        ("relu", "9.169e-5", "closed form by rescaling of layers", "9.16911e-5, least of 10 runs of experiment 2"),
        ("tanh", "1.065e-4", STUDY, "1.065e-4, least run of experiments 1 and 2"),
    ):
        value = float(best.loc[(activation, "l1"), "objective"])
        same = minima.query("student_activation == @activation and penalty == 'l1'")
        agree = int((same["objective"] <= value * (1 + 1e-4)).sum())
        found.append(
            Claim(
                key=f"l1.{activation}-optimum", chapter=CHAPTER,
                statement=f"The least value of mean squared error + 1e-5 sum |w| with {activation} is {digits}.",
                source=source,
                recorded=recorded, measured=exact(value, agree), said=quoted(digits),
            )
        )  # fmt: skip
    worst = float(best["residual"].max())
    found.append(
        Claim(
            key="l1.certified", chapter=CHAPTER,
            statement="Every minimiser shown is stationary: no entry of its shortest subgradient exceeds 1e-7.",
            source="this book", measured=exact(worst, len(best)), ours=(0.0, 1e-7),
        )
    )  # fmt: skip
    return found


def about_zeros(runs: pd.DataFrame, minima: pd.DataFrame) -> list[Claim]:
    """Does L1 make weights zero, and which ones?"""
    l1 = runs[runs["penalty"] == "l1"]
    found = [
        Claim(
            key="l1.exact-zeros", chapter=CHAPTER,
            statement="Trained with SGD on the L1 term, networks reach weights that are exactly zero.",
            source=f"{STUDY}, README: \"reliably drives weights exactly to zero\"",
            recorded="0 of 11,131,261 saved weights are exactly zero",
            measured=wilson(int((l1["exact_zeros"] > 0).sum()), len(l1)), said=(0.5, 1.0), ours=(0.0, 0.5), enough=20,
        )
    ]  # fmt: skip
    wide = minima.query("student == 'multi_channel' and penalty == 'l1' and student_activation != 'sigmoid'")
    best = wide.sort_values("objective").groupby("student_activation").first()
    if len(best):
        found.append(
            Claim(
                key="l1.minimiser-support", chapter=CHAPTER,
                statement="The best L1 minimiser with 52 weights (relu, tanh) keeps exactly 7, as many as the teacher.",
                source="this book", measured=exact(float(best["nonzero"].max()), len(wide), "weights"), ours=(7.0, 7.0),
            )
        )  # fmt: skip
    return found


def about_fate(runs: pd.DataFrame, ended: pd.DataFrame) -> list[Claim]:
    """Which runs fit, which collapse, which die?"""
    small = ended.query("penalty == 'l1' and init_scale == 0.2 and student_activation == 'sigmoid'")
    wide = ended.query("student == 'multi_channel' and penalty == 'l1' and student_activation == 'relu'")
    wide = wide[wide["r2"] >= 0.99]
    kept = wide[[f"kept_{i}_1e-4" for i in (1, 2, 3)]]
    return [
        Claim(
            key="l1.sigmoid-collapse", chapter=CHAPTER,
            statement="L1 students with sigmoid and initial scale 0.2 collapse to a constant more often than not.",
            source=f"{STUDY}, its records", recorded="23 of 26 runs of experiments 2 to 6",
            measured=_rate(small["outcome"] == "collapsed"), said=(0.5, 1.0), enough=8,
        ),
        Claim(
            key="l1.relu-support", chapter=CHAPTER,
            statement="Fitted relu students of 52 weights under L1 keep exactly 3, 2 and 2 weights of at least 1e-4.",
            source=f"{STUDY}, its records", recorded="10 of 10 runs of experiment 2",
            measured=_rate((kept == list(NEED)).all(axis=1)), said=(0.5, 1.0), enough=8,
        ),
        Claim(
            key="l1.relu-death", chapter=CHAPTER,
            statement="Whether a relu student dies is decided by its initial weights: none, L1 and L2 share its fate.",
            source="this book", measured=_same_fate(runs), ours=(0.75, 1.0), enough=10,
        ),
    ]  # fmt: skip


def _rate(hits: pd.Series) -> Estimate | None:
    return wilson(int(hits.sum()), len(hits)) if len(hits) else None


def _same_fate(runs: pd.DataFrame) -> Estimate | None:
    relu = runs[runs["student_activation"] == "relu"]
    dead = (relu["outcome"] == "dead").groupby([relu["student"], relu["init_scale"], relu["seed"]])
    together = dead.nunique()[dead.size() >= 3]
    return _rate(together == 1)


def about_methods() -> list[Claim]:
    """Faults of the study's code that any reader can check in a second."""
    perfect, zero = reference_distances()
    return [
        Claim(
            key="l1.reference-distance", chapter=CHAPTER,
            statement="The study's distance ranks the zero network above the exact copy of the teacher in fcn_128_128.",
            source="this book; the study prints the distance without this check",
            recorded="collapsed runs 7.026 to 7.033, recovered tanh runs of experiment 4 8.671",
            measured=exact(perfect - zero), ours=(0.0, float("inf")),
        ),
        Claim(
            key="l1.doubled-l2", chapter=CHAPTER,
            statement="The gradient of the study's L2 term is 2 strength w.",
            source=f"{STUDY}, its loss; the weight decay of its optimizer adds strength w",
            measured=exact(l2_gradient_factor(1e-3)), said=(1.999, 2.001), ours=(2.999, 3.001),
        ),
    ]  # fmt: skip


def reference_distances() -> tuple[float, float]:
    """The study's distance of the teacher to its exact copy in a 12-128-128-1 network, and to the zero network."""
    teacher = literal_teacher("baseline", "relu")
    copy = [torch.zeros(o, i, dtype=torch.float64) for o, i in ((128, 12), (128, 128), (1, 128))]
    zero = [w.clone() for w in copy]
    for whole, part in zip(copy, embed(teacher), strict=True):
        whole[: part.shape[0], : part.shape[1]] = part
    weights = [w.detach() for w in teacher.parameters()]
    return reference_distance(weights, copy), reference_distance(weights, zero)


def l2_gradient_factor(strength: float) -> float:
    """The c in gradient = c strength w that one step of the study's training takes when the loss is already zero."""
    net = MLP([3, 1], "linear", bias=False, generator=torch.Generator().manual_seed(0)).double()
    ensemble = Ensemble.stack([net])
    x = torch.eye(3, dtype=torch.float64)
    data = Data.shared(x, ensemble(x)[0].detach())
    moved = fit(ensemble, data, optimizer=SGD(1.0, weight_decay=strength), penalty=SquaredL2(strength), epochs=1)
    w, new = ensemble.params["layers.0.weight"], moved.ensemble.params["layers.0.weight"]
    return float(((w - new) / (strength * w)).mean())
