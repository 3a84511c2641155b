"""Every method on every problem: rows of estimates, of objective values, and of how the search went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sparsenn_book.studies.compressive_sensing import baselines
from sparsenn_book.studies.compressive_sensing.problems import Estimate, Problem, Setting, draw, metrics
from sparsenn_book.studies.compressive_sensing.pruning import Proposals, Schedule, largest_strengths, train
from sparsenn_book.studies.compressive_sensing.supports import Refits, Support, refit
from sparsenn_core.randomness import generator

BASELINES = ("lasso", "relaxed lasso", "forward stepwise", "IHT")
METHODS = ("EGP", *BASELINES)
ORACLE = "true support"  # least squares on it; no method knows it
TOGETHER = "the four together"
FEW = ", n validation samples"
STUDY = "EGP, the study's strengths"
VARIANTS = (
    "EGP, lambda1 = 0",
    "EGP, one size of weights",
    "EGP, half of lambda0",
    "EGP, last gates only",
    "EGP, validation error alone",
)
REFITTED = ("EGP", "forward stepwise", "IHT")  # methods that propose supports, so that ridge can refit them


@dataclass(frozen=True)
class Paths:
    """Sizes of the baselines' paths: lasso penalties, the relaxed lasso's penalties and mixes, IHT's largest k."""

    lasso: int = 100
    relaxed: int = 50
    mixes: int = 10
    thresholding: int = 30


@dataclass(frozen=True)
class Comparison:
    """`estimates`: one row for each problem and method, with the metrics, the validation error, the number of
    candidates and CPU seconds. `objectives`: ||y - F theta||^2 + lambda0 ||theta||_0, least over each method's
    supports. `searches`: how EGP's training of each problem went.
    """

    estimates: pd.DataFrame
    objectives: pd.DataFrame
    searches: pd.DataFrame


def compare(
    settings: Sequence[Setting],
    snrs: Sequence[float],
    repetitions: int,
    schedule: Schedule,
    paths: Paths,
    seed: int,
) -> Comparison:
    """All methods on `repetitions` draws of each setting at each signal-to-noise ratio."""
    # not recorded: what libraries do at their first call must not count as a method's time
    _solve(draw(settings[0], snrs[0], 0, seed), schedule, paths, seed)
    estimates: list[dict[str, Any]] = []
    objectives: list[dict[str, Any]] = []
    searches: list[dict[str, Any]] = []
    for setting in settings:
        for repetition in range(repetitions):
            for snr in snrs:
                problem = draw(setting, snr, repetition, seed)
                where = {"setting": setting.name, "snr": snr, "repetition": repetition}
                rows, fits, proposals = _solve(problem, schedule, paths, seed)
                estimates += [where | row for row in rows]
                values = _objectives(problem, schedule, fits)
                objectives += [where | row for row in values]
                searches.append(where | _search(problem, proposals, values))
    return Comparison(pd.DataFrame(estimates), pd.DataFrame(objectives), pd.DataFrame(searches))


def _solve(
    problem: Problem, schedule: Schedule, paths: Paths, seed: int
) -> tuple[list[dict[str, Any]], dict[str, Refits], Proposals]:
    rows, fits = _baselines(problem, paths)
    rows.append(_together(rows))
    weight = schedule.size_weight
    start = time.process_time()
    proposals = _propose(problem, schedule, seed)
    row, fits["EGP"] = _from_supports(problem, "EGP", lambda: proposals.supports, weight, start)
    rows.append(row)
    studied = _propose(problem, schedule.with_grid("study"), seed)
    rows.append(_from_supports(problem, STUDY, lambda: studied.supports, weight)[0] | {"seconds": np.nan})
    fits[ORACLE] = refit(problem, [tuple(np.flatnonzero(problem.coefficients).tolist())], (0.0,))
    rows.append(_row(problem, ORACLE, fits[ORACLE].estimate(1, 0), 1))
    for name in REFITTED:
        estimate = fits[name].best(ridge=True, size_weight=weight if name == "EGP" else 0.0)
        rows.append(_row(problem, f"{name}, ridge", estimate, fits[name].validation.size, fits[name].supports))
    rows += _variants(problem, schedule, fits["EGP"], proposals)
    rows += _with_few(problem, weight, paths, fits)
    return rows, fits, proposals


def _baselines(problem: Problem, paths: Paths) -> tuple[list[dict[str, Any]], dict[str, Refits]]:
    """A row for each of `BASELINES`, and the refits of those that propose supports."""
    x, y, largest = problem.design, problem.response, problem.setting.largest
    mixed = paths.relaxed * paths.mixes
    rows = [
        _timed(problem, "lasso", paths.lasso, lambda: baselines.lasso(problem, paths.lasso)),
        _timed(
            problem, "relaxed lasso", mixed, lambda: baselines.relaxed_lasso(problem, paths.relaxed, paths.mixes)
        ),
    ]  # fmt: skip
    proposed: dict[str, Callable[[], Iterable[Support]]] = {
        "forward stepwise": lambda: baselines.forward_stepwise(x, y, largest),
        "IHT": lambda: baselines.thresholding_path(x, y, min(paths.thresholding, largest)),
    }
    fits: dict[str, Refits] = {}
    for name, path in proposed.items():
        row, fits[name] = _from_supports(problem, name, path)
        rows.append(row)
    return rows, fits


def _together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One method out of all: the estimate with the least validation error, from all their candidates."""
    best = min(rows, key=lambda row: row["validation"])
    return best | {
        "method": TOGETHER,
        "candidates": sum(row["candidates"] for row in rows),
        "seconds": sum(row["seconds"] for row in rows),
    }


def _with_few(problem: Problem, weight: float, paths: Paths, fits: dict[str, Refits]) -> list[dict[str, Any]]:
    """The comparison when only n validation samples choose, as many as there are for training."""
    n = problem.setting.n
    few = replace(
        problem,
        validation_design=problem.validation_design[:n],
        validation_response=problem.validation_response[:n],
    )
    rows = [
        _row(few, "lasso", baselines.lasso(few, paths.lasso), paths.lasso),
        _row(few, "relaxed lasso", baselines.relaxed_lasso(few, paths.relaxed, paths.mixes), paths.relaxed),
    ]
    for name in REFITTED[1:]:
        rows.append(
            _row(few, name, refit(few, fits[name].supports, (0.0,)).best(ridge=False), len(fits[name].supports))
        )
    rows.append(_together(rows))
    chosen = refit(few, fits["EGP"].supports, (0.0,)).best(ridge=False, size_weight=weight)
    rows.append(_row(few, "EGP", chosen, len(fits["EGP"].supports)))
    return [row | {"method": row["method"] + FEW} for row in rows]


def _propose(problem: Problem, schedule: Schedule, seed: int) -> Proposals:
    setting = problem.setting
    # the same initial weights at every snr, as design and noise are
    return train(problem, schedule, generator(seed, "init", setting.n, setting.p, setting.s, problem.repetition))


def _timed(problem: Problem, name: str, candidates: int, solve: Callable[[], Estimate]) -> dict[str, Any]:
    start = time.process_time()
    estimate = solve()
    seconds = time.process_time() - start
    return _row(problem, name, estimate, candidates) | {"seconds": seconds}


def _from_supports(
    problem: Problem,
    name: str,
    path: Callable[[], Iterable[Support]],
    size_weight: float = 0.0,
    start: float | None = None,
) -> tuple[dict[str, Any], Refits]:
    """Refit the supports of a path; the seconds are those of the path and of one least-squares refit of each."""
    start = time.process_time() if start is None else start
    supports = list(path())
    estimate = refit(problem, supports, (0.0,)).best(ridge=False, size_weight=size_weight)
    seconds = time.process_time() - start
    fits = refit(problem, supports)
    return _row(problem, name, estimate, len(fits.supports), fits.supports) | {"seconds": seconds}, fits


def _row(
    problem: Problem, name: str, estimate: Estimate, candidates: int, supports: Sequence[Support] | None = None
) -> dict[str, Any]:
    truth = tuple(np.flatnonzero(problem.coefficients).tolist())
    return {
        "method": name,
        **metrics(problem, estimate.coefficients),
        "validation": estimate.validation,
        "candidates": candidates,
        "proposed_truth": np.nan if supports is None else float(truth in set(supports)),
        "seconds": np.nan,
    }


def _variants(problem: Problem, schedule: Schedule, fits: Refits, proposals: Proposals) -> list[dict[str, Any]]:
    """EGP with fewer columns or checks, chosen from what it proposed anyway; the empty support always remains."""
    place = {support: i for i, support in enumerate(fits.supports)}
    # supports that are too large to be refitted stand for the empty one
    known = np.array([place.get(support, 0) for support in proposals.supports])
    index = known[proposals.index].reshape(-1, *schedule.shape)
    cuts = (index[:, :, [v == 0 for v in schedule.lambda1]], index[:, :1], index[..., ::2], index[-1:])
    parts = dict(zip(VARIANTS[:-1], cuts, strict=True))
    rows = []
    for name, part in parts.items():
        among = np.unique(np.append(part.ravel(), 0))
        rows.append(
            _row(problem, name, fits.best(ridge=False, size_weight=schedule.size_weight, among=among), len(among))
        )
    rows.append(_row(problem, VARIANTS[-1], fits.best(ridge=False), len(fits.supports)))
    return rows


def _objectives(problem: Problem, schedule: Schedule, fits: dict[str, Refits]) -> list[dict[str, Any]]:
    """The least objective of best subset selection over each method's supports, at each of EGP's lambda0."""
    top = largest_strengths(problem.design, problem.response)[0]
    rows = []
    for name, found in fits.items():
        sizes = np.array([len(support) for support in found.supports])
        for share in np.logspace(np.log10(schedule.lambda0_least), 0, schedule.lambda0_count):
            # the oracle is the true support itself, not the better of it and none
            first = 1 if name == ORACLE else 0
            values = (found.residual + share * top * sizes)[first:]
            best = int(np.argmin(values))
            rows.append(
                {"method": name, "lambda0_share": share, "objective": values[best], "size": sizes[first + best]}
            )
    return rows


def _search(problem: Problem, proposals: Proposals, values: list[dict[str, Any]]) -> dict[str, Any]:
    by_method = {name: np.array([v["objective"] for v in values if v["method"] == name]) for name in ("EGP", ORACLE)}
    # a hair of rounding must not count as a better objective
    return {
        "epochs": proposals.epochs,
        "undecided": proposals.undecided[-1],
        "supports": len(proposals.supports),
        "missed_truth": bool((by_method[ORACLE] < by_method["EGP"] * (1 - 1e-9)).any()),
    }
