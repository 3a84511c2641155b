"""Made-up tables of the width chapter, as a run of full length would give them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds import recorded
from sparsenn_book.studies.width_bounds.boundary import PAIRS, sharp_bound
from sparsenn_book.studies.width_bounds.neuron_sharing import STRENGTH
from sparsenn_book.studies.width_bounds.training_rows import balance_law

METHODS = ("PathProx", "SGD weight decay", "no decay")
OPTIMUM = 4.92214e-5
ENDS = {"PathProx": (2.0744, 1.3, 1.2, 1.07, 1.3), "SGD weight decay": (1.003,) * 5, "no decay": (4.3,) * 5}
USED = {"PathProx": 10, "SGD weight decay": 60, "no decay": 100}


def log(steps: int, factor: float = 1.0) -> pd.DataFrame:
    """The study's student as its log has it, losses times `factor`: rows of a trace."""
    rows = recorded.training_log()
    rows = rows[rows["step"] <= steps].assign(seed=49)
    return rows.assign(value=np.where(rows["name"] == "mse", factor, 1.0) * rows["value"])


def trace(steps: int = 1_000_000, factor: float = 1.0, law: float = 1.0, norm: float = 4.27) -> pd.DataFrame:
    """A trace: the log, the objective at the end, the norm beside the printed one, and imbalance to the power `law`."""
    times = sorted({0, min(10_000, steps), min(230_000, steps), int(0.9 * steps), steps})
    rows = [log(steps, factor)]
    for method in METHODS:
        for place, end in enumerate(ENDS[method]):
            run = {"method": method, "seed": 49 + place}
            rows.append(pd.DataFrame({**run, "step": times, "name": "objective", "value": end * OPTIMUM}))
            fallen = balance_law(times, 10_000) ** law if method == "SGD weight decay" else 1.0
            rows.append(pd.DataFrame({**run, "step": times, "name": "imbalance", "value": fallen}))
            last = {"mse": 1e-6, "active": USED[method], "used": USED[method], "vv_norm": norm, "outgoing": 6.853}
            rows += [pd.DataFrame([{**run, "step": steps, "name": n, "value": v}]) for n, v in last.items()]
    steps_of_log = sorted(set(log(steps)["step"]))
    rows.append(
        pd.DataFrame({"method": "no decay", "seed": 49, "step": steps_of_log, "name": "vv_norm", "value": norm})
    )
    return pd.concat(rows).drop_duplicates(["method", "seed", "step", "name"])[
        ["method", "seed", "step", "name", "value"]
    ]


def optimum(objective: float = OPTIMUM) -> pd.DataFrame:
    """The one row of the certified optimum."""
    row = {"strength": STRENGTH, "objective": objective, "bound": objective * (1 - 1e-11), "gap": 1e-11}
    row |= {"peak": 1 + 1e-11, "mse": 5e-7, "vv_norm": 0.974, "neurons": 22, "rounds": 9}
    return pd.DataFrame([row | {"generator_vv_norm": 0.99806368, "target_variance": 0.2}])


def distance(ends: dict[str, Sequence[float]] = ENDS, collapsed: Sequence[str] = ()) -> pd.DataFrame:
    """Distances of runs that end at `ends` times the optimum; `collapsed` names runs as "PathProx 52"."""
    rows = [
        {"method": method, "seed": 49 + place, "relative": end, "fell": 0.0, "mse": 1e-6, "vv_norm": 1.0}
        | {"active": USED[method], "used": float(USED[method]), "collapsed": f"{method} {49 + place}" in collapsed}
        | {"outputs": 0.01, "same_directions": end, "neurons": 100, "needed": 60, "needed_vv_norm": 0.9}
        | {"product": 100, "sharp": 99, "gap": 1e-13}
        for method, values in ends.items()
        for place, end in enumerate(values)
    ]
    return pd.DataFrame(rows)


def neurons(shared: dict[str, float] | None = None) -> pd.DataFrame:
    """Ten drawn neurons a run; the share `shared` of them serves both outputs, the others the first."""
    shared = dict.fromkeys(METHODS, 1.0) | (shared or {})
    rows = [
        {"method": method, "seed": seed, "neuron": k, "theta": 1.0, "offset": 0.1, "output": output}
        | {"size": 0.1 if output == 1 or k < round(10 * shared.get(method, 1.0)) else 0.0}
        for method, seeds in (*((m, range(49, 54)) for m in METHODS), ("optimum", (0,)))
        for seed in seeds
        for k in range(10)
        for output in (1, 2)
    ]
    return pd.DataFrame(rows)


def solutions(
    figure: str, settings: Sequence[int], shift: float = 0.0, count: int = 200, versions: Sequence[str] = ("coded",)
) -> pd.DataFrame:
    """Solutions whose widths are the study's recorded counts, repeated, less `shift` on average."""
    solves = recorded.solves()
    solves = solves[(solves["figure"] == figure) & ~solves["failed"]]
    column = "samples" if figure == "dimension" else "rank"
    parts = []
    for version in versions:
        for setting in settings:
            counts = np.resize(solves[solves[column] == setting]["active"].to_numpy(), count)
            less = np.floor(shift) + (np.arange(count) % 100 < 100 * (shift - np.floor(shift)))
            p, q = setting, min(10, setting) if figure == "dimension" else setting
            costs = np.resize(solves[solves[column] == setting]["objective"].to_numpy(), count)
            parts.append(_solved(counts - less, p, q, 500 if figure == "dimension" else 200, costs, version))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(samples=rows["rank"] if figure == "dimension" else 20)


def _solved(width: np.ndarray, p: int, q: int, neurons: int, costs: np.ndarray, version: str) -> pd.DataFrame:
    least = np.minimum(width, sharp_bound(q, p)).astype(int)  # some recorded counts are above the sharper bound
    values = {"rep": range(len(width)), "width": least, "rank": p, "neurons": neurons, "version": version}
    values |= {"objective": costs, "gap": 1e-14, "residual": 1e-15, "least": 1e-4, "unique": True, "condition": 2.0}
    return pd.DataFrame(values | {"lower": p, "sharp": sharp_bound(q, p), "product": p * q, "caratheodory": 7})


def small(widths: Sequence[int] = (3, 4, 5), count: int = 400) -> pd.DataFrame:
    """Brute-force problems of K = 7 to 11 that need 3, 4 and 5 neurons in turn."""
    parts = [_solved(np.resize(widths, count), 3, 2, k, np.ones(count), "coded") for k in range(7, 12)]
    return pd.concat(parts, ignore_index=True).assign(samples=3)


def boundary(after: int | None = None) -> pd.DataFrame:
    """Problems at the bound that end on it, or with `after` neurons."""
    rows = [
        {"rank_targets": q, "rank_features": p, "neurons": 4 * sharp_bound(q, p), "sharp": sharp_bound(q, p)}
        | {"before": 4 * sharp_bound(q, p), "after": after or sharp_bound(q, p), "span": sharp_bound(q, p)}
        | {"product": p * q, "unique": False, "moved": 1e-16, "residual": 1e-15, "gap": 1e-15}
        for q, p in PAIRS
    ]
    return pd.DataFrame(rows)


def enumeration(wrong: int = 0) -> pd.DataFrame:
    """Ten searches, the first `wrong` of which find another width; the last is of a problem searched twice."""
    rows = [
        {"K": 7 if n < 5 else 11, "by": "certified solver", "problem": n % 5, "sets": 99, "seconds": 0.1}
        | {"width": 3 if n < wrong else 4, "width_loose": 4, "certified": 4, "difference": 1e-12}
        for n in range(10)
    ]
    return pd.DataFrame([*rows, rows[0] | {"by": "study's formulation", "seconds": 1.0}])


def thresholds(off: int = 1, count: int = 20) -> pd.DataFrame:
    """Counts above three cuts, `off` too many at the study's."""
    rows = [
        {"problem": n, "certified": 34, "above": 1e-7, "cut": cut, "count": 34 + extra}
        for n in range(count)
        for cut, extra in ((1e-10, 400), (1e-7, off), (1e-4, 0))
    ]
    return pd.DataFrame(rows)


def tables(**changed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables that the claims read, those named replaced."""
    made = {
        "trace": trace(),
        "optimum": optimum(),
        "optimum_neurons": pd.DataFrame({"v1": [0.5, 0.4, 0.01], "v2": [0.3, 0.0, 0.01]}),
        "distance": distance(),
        "neurons": neurons(),
        "dimension": solutions("dimension", (10, 20, 30, 40)),
        "rank": solutions("rank", (2, 5, 10, 20), versions=("coded", "titled")),
        "small": small(),
        "boundary": boundary(),
        "enumeration": enumeration(),
        "thresholds": thresholds(),
    }
    return made | changed
