"""Is an ensemble ever slower than the loop it replaces? Three networks as users write them, by number of runs.

Usage: python benchmarks/users.py [--only A] [--runs 1,4,16] [--seconds 4] [--threads 1] [--save FILE.parquet]

A  784-300-100-10, batches of 128, Adam, cross-entropy
B  20-64-64-1, batches of 32, Adam, squared error
C  a small convolutional network on 28 x 28 pixels, batches of 64, Adam, cross-entropy

Each cell is the time of the loop that research code writes (one network at a time, torch.optim.Adam as it comes,
which is not the fused one, an index tensor for the minibatches) over the time of `fit` with no setting, both per step
and run; above 1 the ensemble wins. Beside it a vmap over all runs, written by hand with Adam(fused=True). The fit
knows that it will train for 10,000 steps, so that it decides as in a long fit, and is stopped by an observer when
`seconds` are over; its first epoch, with all that is made once, is spread over 10,000 steps, and over 2,000 for a short
fit. One process, in turns; CPU time, because other work on the machine inflates wall time; with several threads wall
time.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from sparsenn_core import Data, Ensemble, fit
from sparsenn_core.randomness import generator
from sparsenn_core.training import Adam, Moment, every_epochs

STEPS, SHORT = 10_000, 2_000
STEPS_PER_EPOCH = 20


@dataclass(frozen=True)
class Case:
    """A network, its data and its loss."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    batch: int
    loss: Callable[[Tensor, Tensor], Tensor]
    classes: int

    def data(self) -> tuple[Tensor, Tensor]:
        """Samples for an epoch of twenty steps."""
        source, count = generator(0, "data"), self.batch * STEPS_PER_EPOCH
        x = torch.randn(count, *self.shape, generator=source)
        if self.classes:
            return x, torch.randint(self.classes, (count,), generator=source)
        return x, torch.randn(count, 1, generator=source)


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    pairs = list(itertools.pairwise(widths))
    layers = [module for i, o in pairs[:-1] for module in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(*pairs[-1]))


def convolutional() -> nn.Sequential:
    """Two convolutions with pools, and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10),
    )  # fmt: skip


CASES = [
    Case("A", lambda: mlp(784, 300, 100, 10), (784,), 128, nn.functional.cross_entropy, 10),
    Case("B", lambda: mlp(20, 64, 64, 1), (20,), 32, nn.functional.mse_loss, 0),
    Case("C", convolutional, (1, 28, 28), 64, nn.functional.cross_entropy, 10),
]


def loop_seconds(case: Case, clock: Callable[[], float], seconds: float) -> float:
    """Seconds a step of one network in the loop that research code writes."""
    x, y = case.data()
    net = case.build()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    total, steps, start = 0.0, 0, clock()
    while steps < STEPS_PER_EPOCH or clock() - start < seconds:
        for index in torch.randperm(len(x)).split(case.batch):
            optimizer.zero_grad()
            loss = case.loss(net(x[index]), y[index])
            loss.backward()
            optimizer.step()
            total += loss.item()
            steps += 1
    return (clock() - start) / steps


def vmap_seconds(case: Case, runs: int, clock: Callable[[], float], seconds: float) -> float:
    """Seconds a step and run of a vmap over all runs, with the fused Adam."""
    x, y = case.data()
    nets = [case.build() for _ in range(runs)]
    stacked, _ = stack_module_state(nets)
    params = {k: nn.Parameter(v.detach()) for k, v in stacked.items()}
    optimizer = torch.optim.Adam(params.values(), lr=1e-3, fused=True)

    def losses(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        def one(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return case.loss(functional_call(nets[0], params, (x,)), y)

        return vmap(one)(params, x, y).sum()

    steps, start = 0, clock()
    while steps < 2 or clock() - start < seconds:
        orders = torch.stack([torch.randperm(len(x)) for _ in range(runs)])
        for index in orders.split(case.batch, 1):
            found = grad(losses)({k: v.detach() for k, v in params.items()}, x[index], y[index])
            for name, parameter in params.items():
                parameter.grad = found[name]
            optimizer.step()
            steps += 1
            if steps >= 2 and clock() - start >= seconds:
                break
    return (clock() - start) / steps / runs


def fit_seconds(case: Case, runs: int, clock: Callable[[], float], seconds: float) -> tuple[float, float]:
    """Seconds a step and run of `fit`, and the seconds that it takes once."""
    times: list[float] = []

    def look(moment: Moment) -> None:
        times.append(clock())
        # three epochs at least: the first holds what is done once
        moment.stop(len(times) > 4 and times[-1] - times[1] > seconds)

    ensemble = Ensemble.of(lambda source: case.build(), runs)
    data = Data.shared(*case.data())
    start = clock()
    fit(
        ensemble, data, optimizer=Adam(1e-3), epochs=STEPS // STEPS_PER_EPOCH, loss=case.loss, batch_size=case.batch,
        order=range(runs), observe=[every_epochs(look)],
    )  # fmt: skip
    steady = statistics.median(b - a for a, b in itertools.pairwise(times[1:]))
    once = max(0.0, times[1] - start - steady)
    return steady / STEPS_PER_EPOCH / runs, once


def measure(case: Case, runs: int, seconds: float, clock: Callable[[], float]) -> dict[str, object]:
    """One cell of the table: the loop before and after, and the two others between."""
    before = loop_seconds(case, clock, seconds)
    by_hand = vmap_seconds(case, runs, clock, seconds)
    steady, once = fit_seconds(case, runs, clock, seconds)
    loop = statistics.mean([before, loop_seconds(case, clock, seconds)])
    return {
        "case": case.name,
        "runs": runs,
        "loop_us": 1e6 * loop,
        "vmap_us": 1e6 * by_hand,
        "fit_us": 1e6 * steady,
        "once_s": once,
        "vmap_by_hand": loop / by_hand,
        "long_fit": loop / (steady + once / STEPS / runs),
        "short_fit": loop / (steady + once / SHORT / runs),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="ABC", help="the letters of the cases")
    parser.add_argument("--runs", default="1,4,16,64,256", help="numbers of runs")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--threads", type=int, default=1, help="that PyTorch may use")
    parser.add_argument("--save", type=Path, help="also write the rows as parquet")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    rows = []
    print(f"{'case':6}{'runs':>5}{'loop us':>10}{'vmap us':>10}{'fit us':>10}{'once s':>8}"
          f"{'vmap by hand':>14}{'10,000 steps':>14}{'2,000 steps':>13}")  # fmt: skip
    for case, runs in itertools.product(CASES, [int(r) for r in options.runs.split(",")]):
        if case.name not in options.only:
            continue
        r = measure(case, runs, options.seconds, clock)
        rows.append(r)
        print(f"{r['case']:6}{r['runs']:5d}{r['loop_us']:10.1f}{r['vmap_us']:10.1f}{r['fit_us']:10.1f}{r['once_s']:8.2f}"
              f"{r['vmap_by_hand']:14.2f}{r['long_fit']:14.2f}{r['short_fit']:13.2f}", flush=True)  # fmt: skip
    if options.save:
        import pandas as pd

        from sparsenn_book.records import provenance, write_rows

        write_rows(pd.DataFrame(rows), options.save, provenance({"seconds": options.seconds}, 0.0, "cpu"))


if __name__ == "__main__":
    main()
