"""How much memory does a fit take? Of each network of `users.py`, against its weights and the optimizer's state.

Usage: python benchmarks/memory.py [--only A] [--runs 16,64]

Peak resident memory of a process that fits three epochs, less that before the fit and after one of two runs, which
loads what a first fit loads; over the bytes of weights and of Adam's two moments. The ensemble was there before.
Two times is what a fit may take, and with it some minibatches and what one group of runs needs for its gradients.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
from multiprocessing.connection import Connection

import torch
from users import CASES, Case

from sparsenn_core import Data, Ensemble, fit
from sparsenn_core.training import Adam


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(case: Case, ensemble: Ensemble) -> None:
    """Three epochs with Adam."""
    fit(
        ensemble, Data.shared(*case.data()), optimizer=Adam(1e-3), epochs=3, loss=case.loss, batch_size=case.batch,
        order=range(len(ensemble)),
    )  # fmt: skip


def measured(name: str, runs: int, answer: Connection) -> None:
    """In a process of its own: sends MiB of weights and state, and MiB that the fit took."""
    case = next(case for case in CASES if case.name == name)
    torch.set_num_threads(1)
    train(case, Ensemble.of(lambda source: case.build(), 2))
    ensemble = Ensemble.of(lambda source: case.build(), runs)
    weights = sum(w.nbytes for w in ensemble.params.values()) / 2**20
    before = peak_mib()
    train(case, ensemble)
    answer.send((3 * weights, peak_mib() - before))


def main() -> None:
    """Measure each cell in a fresh process, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="ABC", help="the letters of the cases")
    parser.add_argument("--runs", default="16,64", help="numbers of runs")
    options = parser.parse_args()
    print(f"{'case':6}{'runs':>5}{'weights and state MiB':>24}{'taken MiB':>12}{'times':>8}")
    processes = multiprocessing.get_context("spawn")
    for case in (case for case in CASES if case.name in options.only):
        for runs in (int(r) for r in options.runs.split(",")):
            ours, theirs = processes.Pipe()
            process = processes.Process(target=measured, args=(case.name, runs, theirs))
            process.start()
            held, taken = ours.recv()
            process.join()
            print(f"{case.name:6}{runs:5d}{held:24.1f}{taken:12.1f}{taken / held:8.2f}", flush=True)


if __name__ == "__main__":
    main()
