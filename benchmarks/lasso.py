"""How fast is the multi-task lasso solved, next to the study's cvxpy formulation, and what do its figures cost?

Usage: python benchmarks/lasso.py [--quick] [--rounds N]

One process, one thread, CPU time. The study's formulation (one norm for each column, cvxpy's conic solver) and `solve`
take turns on the same problem; figures are medians over the rounds. Then all 6,200 problems behind the study's figures,
the batch of 1,000 brute-force problems, and the certified optimum of neuron sharing.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from sparsenn_book.studies.width_bounds import neuron_sharing, sharing_training
from sparsenn_book.studies.width_bounds import problems as study
from sparsenn_book.studies.width_bounds.reference import reference_solve
from sparsenn_core import lasso

ASKED_RATIO, ASKED_FIGURES, ASKED_BATCH = 40, 60.0, 0.3


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def against_reference(samples: int, rounds: int) -> None:
    features, targets = (one[0] for one in study.dimension_problems(samples, 1, 0))
    lasso.solve(features, targets)
    theirs, ours = [], []
    for _ in range(rounds):
        seconds, (_, objective) = clocked(lambda: reference_solve(features, targets))
        theirs.append(seconds)
        seconds, solution = clocked(lambda: lasso.solve(features, targets))
        ours.append(seconds)
    slow, fast = statistics.median(theirs), statistics.median(ours)
    asked = f" (asked: {ASKED_RATIO})" if samples == 40 else ""
    print(
        f"D=10 K=500 N={samples}: study {slow:.2f} s, solve {1e3 * fast:.1f} ms, ratio {slow / fast:.0f}{asked}; "
        f"gap {solution.gap:.1e}, residual {solution.residual:.1e}, unique {solution.unique}, "
        f"study's objective above by {objective / solution.objective - 1:.1e}"
    )


def figure_problems(count: int, small: int) -> Iterator[tuple[str, study.Problems]]:
    for samples in (10, 20, 30, 40):
        yield f"dimension, N={samples}", study.dimension_problems(samples, count, 0)
    for rank in (2, 5, 10, 20):
        yield f"rank {rank}, D={rank} as coded", study.rank_problems(rank, count, 0)
        yield f"rank {rank}, D=10 as titled", study.rank_problems(rank, count, 0, outputs=10)
    for width in range(7, 12):
        yield f"brute force, K={width}", study.small_problems(width, small, 0)


def all_figures(count: int, small: int) -> None:
    total, problems, worst = 0.0, 0, 0.0
    for name, (features, targets) in figure_problems(count, small):
        seconds, batch = clocked(lambda x=features, y=targets: lasso.solve_batch(x, y))
        error = max(float(np.abs(batch.gap).max()), float(batch.residual.max()))
        sharp = lasso.width_bounds(features[0], targets[0]).sharp
        width = batch.width
        total, problems, worst = total + seconds, problems + len(batch), max(worst, error)
        print(
            f"  {name}: {1e3 * seconds / len(batch):.2f} ms each, width {width.min()}/{np.median(width):g}/"
            f"{width.mean():.2f}/{width.std():.2f}/{width.max()} (bound {sharp}), "
            f"objective {batch.objective.mean():.3f}, unique {batch.unique.sum()} of {len(batch)}, error {error:.1e}"
        )
    print(f"{problems} problems of the figures: {total:.1f} s (asked: 6200 in {ASKED_FIGURES:g} s), error {worst:.1e}")


def tiny_batch(width: int, rounds: int) -> None:
    features, targets = study.small_problems(width, 1000, 0)
    lasso.solve_batch(features, targets)
    batched = statistics.median(clocked(lambda: lasso.solve_batch(features, targets))[0] for _ in range(rounds))
    some = list(zip(features[:50], targets[:50], strict=True))
    loop = 20 * clocked(lambda: [lasso.solve(x, y) for x, y in some])[0]
    asked = f" (asked: {ASKED_BATCH:g} s)" if width == 7 else ""
    print(f"1000 problems of K={width}: batch {batched:.3f} s{asked}, one by one {loop:.1f} s")


def sharing() -> None:
    x, y, _ = neuron_sharing.problem()
    seconds, found = clocked(lambda: lasso.shallow_optimum(x.numpy().T, y.numpy().T, neuron_sharing.STRENGTH))
    print(
        f"neuron sharing: optimum {found.objective:.8e} (bound {found.bound:.8e}), "
        f"dual at most 1 + {found.peak - 1:.0e}, {found.coef.shape[1]} neurons, {found.rounds} rounds, {seconds:.1f} s"
    )


def sharing_training_steps(steps: int) -> None:
    """Fifteen students by three rules: one compiled ensemble next to torch's own loop, one run at a time."""
    few = 500
    x, y, _ = neuron_sharing.problem()
    network = neuron_sharing.student()
    optimizer = torch.optim.SGD(network.parameters(), lr=neuron_sharing.STEP_SIZE)

    def alone() -> None:
        for _ in range(few):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), y).backward()
            optimizer.step()

    serial = clocked(alone)[0] / few
    # the difference of two lengths leaves compilation out
    short, long = (clocked(lambda n=n: sharing_training.train(range(5), n, [n]))[0] for n in (steps, 3 * steps))
    together = (long - short) / (2 * steps)
    print(
        f"neuron sharing, a step of 15 students: ensemble {1e6 * together:.0f} us, one after another "
        f"{15e6 * serial:.0f} us (torch's loop, no prox), ratio {15 * serial / together:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, N = 10 only, a tenth of the problems")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load = os.getloadavg()
    print(f"load {load[0]:.1f}, torch {torch.__version__}, numpy {np.__version__}")
    for samples in (10,) if options.quick else (10, 40):
        against_reference(samples, 1 if options.quick else options.rounds)
    all_figures(10 if options.quick else 100, 100 if options.quick else 1000)
    for width in (7, 11):
        tiny_batch(width, 3 if options.quick else options.rounds)
    sharing()
    sharing_training_steps(16_000)


if __name__ == "__main__":
    main()
