"""How fast is the penalised multi-task lasso, next to scikit-learn and skglm, at the same certified gap?

Usage: python benchmarks/lasso_libraries.py [--quick] [--rounds N] [--only kinds|paths|layers]

skglm is no dependency of this project: `pip install skglm` into the environment that runs this (it compiles with numba
on its first call, which is not counted), else its columns say that it is absent.

One process, one thread, CPU time, medians. Every answer is judged by `lasso.certify` with the dual that its residual
is. A library's tolerance is lowered until its gap is below 1e-12, and the time is that of the run that got there (~ in
front: it did not; "not run": a looser tolerance took too long already). Asked: at most 1.2 times the faster library and
2 ms; a path of 30 strengths within twice scikit-learn's; a layer of 512 ReLU neurons within 1 s, 8 times faster than
FISTA and 50 times than skglm; 50,000 samples within 2 s.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Lasso, MultiTaskLasso, enet_path

from sparsenn_core import lasso

try:
    from skglm import Lasso as SkglmLasso
    from skglm.estimators import MultiTaskLasso as SkglmMultiTaskLasso
except ImportError:
    SkglmLasso = SkglmMultiTaskLasso = None

Array = NDArray[np.float64]
Problem = tuple[Array, Array]
SAME_GAP = 1e-12
TOLERANCES = (1e-8, 1e-10, 1e-12, 1e-13, 1e-14)
PATIENCE = 3.0  # seconds after which a library is not asked for more


def gaussian(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    return r.standard_normal((k, n)), r.standard_normal((d, n))


def planted(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    """A twentieth of the features make the targets, with noise."""
    features, coef = r.standard_normal((k, n)), np.zeros((d, k))
    coef[:, ::20] = r.standard_normal((d, len(range(0, k, 20))))
    return features, coef @ features + 0.5 * r.standard_normal((d, n))


def correlated(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    """Neighbours have correlation 0.9."""
    features, targets = planted(k, n, d, r)
    for i in range(1, k):
        features[i] = 0.9 * features[i - 1] + np.sqrt(0.19) * features[i]
    return features, targets


def relu(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    """A layer of a random network, and the outputs it feeds."""
    features = np.maximum(r.standard_normal((k, 30)) @ r.standard_normal((30, n)), 0)
    return features, r.standard_normal((d, k)) @ features / np.sqrt(k)


def duplicates(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    features, targets = planted(k // 2, n, d, r)
    return np.concatenate([features, features]), targets


def dead(k: int, n: int, d: int, r: np.random.Generator) -> Problem:
    features, targets = relu(k, n, d, r)
    features[::5] = 0.0
    return features, targets


KINDS: dict[str, tuple[Callable[[int, int, int, np.random.Generator], Problem], tuple[int, int, int]]] = {
    "Gaussian, tall": (gaussian, (500, 2000, 10)),
    "Gaussian, wide": (gaussian, (1000, 200, 10)),
    "Gaussian, one output": (gaussian, (500, 1000, 1)),
    "Gaussian, small": (gaussian, (50, 200, 10)),
    "planted": (planted, (500, 1000, 10)),
    "planted, one output": (planted, (500, 1000, 1)),
    "planted, 100 outputs": (planted, (200, 1000, 100)),
    "planted, 2000 neurons": (planted, (2000, 1000, 10)),
    "correlated": (correlated, (500, 1000, 10)),
    "correlated, 100 outputs": (correlated, (200, 500, 100)),
    "ReLU": (relu, (300, 500, 10)),
    "ReLU, one output": (relu, (300, 500, 1)),
    "duplicates": (duplicates, (300, 500, 10)),
    "ReLU, dead neurons": (dead, (300, 500, 10)),
}


def largest(features: Array, targets: Array) -> float:
    """The strength from which on V is zero."""
    return 2 / targets.size * float(np.linalg.norm(targets @ features.T, axis=0).max())


def gap(coef: Array, features: Array, targets: Array, strength: float) -> float:
    dual = 2 * (targets - coef @ features) / (targets.size * strength)
    return lasso.certify(coef, features, targets, strength, dual=dual).gap


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def by_sklearn(features: Array, targets: Array, strength: float, tol: float) -> Array:
    options = {"alpha": strength * len(targets) / 2, "fit_intercept": False, "tol": tol, "max_iter": 20_000}
    if len(targets) == 1:
        return Lasso(**options).fit(features.T, targets[0]).coef_[None]
    return MultiTaskLasso(**options).fit(features.T, targets.T).coef_


def by_skglm(features: Array, targets: Array, strength: float, tol: float) -> Array:
    options = {"alpha": strength * len(targets) / 2, "fit_intercept": False, "tol": tol, "max_iter": 50}
    if len(targets) == 1:
        return SkglmLasso(**options).fit(features.T, targets[0]).coef_[None]
    return SkglmMultiTaskLasso(**options).fit(features.T, targets.T).coef_


def library(solver: Callable[..., Array], problem: Problem, strength: float, rounds: int) -> tuple[float, str]:
    """Seconds to the same gap (inf where that was not reached), and how to print them."""
    seconds, reached = 0.0, np.inf
    for tol in TOLERANCES:
        if seconds > PATIENCE:
            return np.inf, f">{1e3 * seconds:8.0f} {reached:6.0e}"
        seconds, coef = clocked(lambda tol=tol: solver(*problem, strength, tol))
        reached = gap(coef, *problem, strength)
        if abs(reached) < SAME_GAP:
            more = [clocked(lambda tol=tol: solver(*problem, strength, tol))[0] for _ in range(rounds)]
            seconds = statistics.median(more) if seconds < PATIENCE else seconds
            return seconds, f" {1e3 * seconds:8.1f} {abs(reached):6.0e}"
    return np.inf, f"~{1e3 * seconds:8.1f} {reached:6.0e}"


def kinds(rounds: int, shares: tuple[float, ...]) -> None:
    print(f"{'ms and gap':<42}{'ours':>17}{'scikit-learn':>17}{'skglm':>17}   width, ratio to the faster")
    for name, (make, sizes) in KINDS.items():
        problem = make(*sizes, np.random.default_rng(0))
        for share in shares:
            strength = share * largest(*problem)
            runs = [clocked(lambda p=problem, t=strength: lasso.solve(*p, t)) for _ in range(rounds)]
            ours, found = statistics.median(one[0] for one in runs), runs[0][1]
            theirs, shown = library(by_sklearn, problem, strength, rounds)
            other, shown_too = (np.inf, "absent")
            if SkglmLasso is not None:
                other, shown_too = library(by_skglm, problem, strength, rounds)
            fastest = min(theirs, other)
            over = "  OVER" if ours > 1.2 * fastest + 2e-3 else ""
            print(
                f"{name + ' ' + 'x'.join(map(str, sizes)):<36}{share:<6g}{1e3 * ours:10.1f} {abs(found.gap):6.0e}"
                f"{shown:>17}{shown_too:>17}   {found.width:4d} {ours / fastest:6.2f}{over}",
                flush=True,
            )


def paths(rounds: int) -> None:
    print(
        "paths of 30 strengths down to a hundredth of the largest, s and worst gap; scikit-learn's tolerance as above"
    )
    for name in ("planted", "planted, one output", "Gaussian, one output", "Gaussian, tall", "correlated"):
        make, sizes = KINDS[name]
        features, targets = make(*sizes, np.random.default_rng(0))
        strengths = largest(features, targets) * np.logspace(0, -2, 31)[1:]
        runs = [clocked(lambda x=features, y=targets, t=strengths: lasso.path(x, y, t)) for _ in range(rounds)]
        ours, found = statistics.median(one[0] for one in runs), runs[0][1]
        goal = targets[0] if len(targets) == 1 else targets.T
        for tol in TOLERANCES:
            work = partial(
                enet_path,
                *(features.T, goal),
                l1_ratio=1.0,
                alphas=strengths * len(targets) / 2,
                tol=tol,
                max_iter=20_000,
            )
            theirs, (_, coef, _) = clocked(work)
            coef = np.moveaxis(coef if coef.ndim == 3 else coef[None], -1, 0)
            worst = max(
                gap(np.ascontiguousarray(v), features, targets, t) for v, t in zip(coef, strengths, strict=True)
            )
            if worst < SAME_GAP or theirs > 3 * PATIENCE:
                break
        if theirs < PATIENCE:
            theirs = statistics.median(clocked(work)[0] for _ in range(rounds))
        print(
            f"  {name} {'x'.join(map(str, sizes))}: ours {ours:.3f} ({max(abs(s.gap) for s in found):.0e}), "
            f"scikit-learn {theirs:.3f} ({worst:.0e}), ratio {ours / theirs:.2f} (asked: 2)",
            flush=True,
        )


def layer(neurons: int, samples: int) -> Problem:
    """The second hidden layer of a random ReLU network on inputs with a decaying spectrum, feeding ten outputs."""
    r = np.random.default_rng(0)
    inputs = r.standard_normal((64, samples)) * np.exp(-np.arange(64) / 16)[:, None]
    hidden = np.maximum(r.standard_normal((neurons, 64)) @ inputs / 4 + 0.1 * r.standard_normal((neurons, 1)), 0)
    features = np.maximum(r.standard_normal((neurons, neurons)) @ hidden / np.sqrt(neurons / 2) - 0.3, 0)
    return features, r.standard_normal((10, neurons)) @ features / np.sqrt(neurons)


def fista(features: Array, targets: Array, strength: float, wanted: float, most: float) -> tuple[float, float]:
    """Seconds and gap of accelerated proximal gradient steps on the Gram matrix, to a wanted gap or `most` seconds."""
    start = time.process_time()
    gram, cross = (2 / targets.size * m @ features.T for m in (features, targets))
    step = 1 / np.linalg.norm(gram, 2)
    coef = ahead = np.zeros_like(cross)
    momentum, reached = 1.0, np.inf
    while reached > wanted and time.process_time() - start < most:
        for _ in range(100):
            moved = ahead - step * (ahead @ gram - cross)
            length = np.linalg.norm(moved, axis=0)
            moved *= np.maximum(1 - step * strength / np.maximum(length, 1e-300), 0)
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = moved + (momentum - 1) / following * (moved - coef)
            coef, momentum = moved, following
        reached = gap(coef, features, targets, strength)
    return time.process_time() - start, reached


def layers(neurons: int, sizes: tuple[int, ...], shares: tuple[float, ...]) -> Iterator[str]:
    for samples in sizes:
        problem = layer(neurons, samples)
        for share in shares:
            strength = share * largest(*problem)
            ours, found = clocked(lambda p=problem, t=strength: lasso.solve(*p, t))
            line = f"layer of {neurons}, {samples} samples, {share:g}: {ours:.2f} s ({abs(found.gap):.0e})"
            if samples < 10_000:
                slow, reached = fista(*problem, strength, 1e-6, 30.0)
                line += f", {found.width} neurons left; FISTA {slow:.2f} s ({reached:.0e}), ratio {slow / ours:.0f}"
                if SkglmLasso is not None and share >= 0.01:
                    slow, coef = clocked(lambda p=problem, t=strength: by_skglm(*p, t, 1e-8))
                    line += f"; skglm {slow:.1f} s ({gap(coef, *problem, strength):.0e}), ratio {slow / ours:.0f}"
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, one strength, no large layers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("kinds", "paths", "layers"))
    options = parser.parse_args()
    asked = (options.only,) if options.only else ("kinds", "paths", "layers")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # libraries that do not converge: their gap says so
    rounds = 1 if options.quick else options.rounds
    print(
        f"load {os.getloadavg()[0]:.1f}, numpy {np.__version__}, skglm {'absent' if SkglmLasso is None else 'present'}"
    )
    for outputs in (1, 3):
        small = gaussian(30, 60, outputs, np.random.default_rng(0))
        lasso.path(*small, [0.1, 0.05])
        if SkglmLasso is not None:
            by_skglm(*small, 0.1, 1e-6)
    if "kinds" in asked:
        kinds(rounds, (0.1,) if options.quick else (0.5, 0.1, 0.01))
    if "paths" in asked:
        paths(rounds)
    if "layers" in asked:
        for line in layers(512, (1437,) if options.quick else (1437, 50_000), (0.1, 0.01, 0.001)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
