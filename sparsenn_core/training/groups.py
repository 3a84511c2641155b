"""Runs trained in groups that a processor's cache holds, and groups spread over its cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

CACHE = 2**24
"""Bytes of weights, gradients, optimizer state and activations that a group may have."""

GATHERED = 2**20
"""Bytes of minibatches that are gathered together: of small ones many, since a gather for every step would cost more
than it copies, and no more than stay in the cache until they are used."""


def group_slices(runs: int, run_bytes: int, cores: int) -> list[slice]:
    """`runs` places in groups of about equal size, each of two or more where there are as many.

    So many groups as the cache and the cores ask for. A run's result does not depend on its group.
    """
    least = 2
    wanted = max(cores, -(-runs * run_bytes // CACHE))
    count = max(1, min(wanted, runs // least))
    ends = [i * runs // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


@contextmanager
def spread(groups: int) -> Iterator[Callable[[Callable[[int], None], Iterable[int]], None]]:
    """A function that calls `work(number of the group)` for each: on as many threads as PyTorch may use.

    Each thread computes on one core, which PyTorch is told for as long as this lasts.
    """
    threads = min(torch.get_num_threads(), groups)
    if threads < 2:
        yield _one_by_one
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:

            def run(work: Callable[[int], None], numbers: Iterable[int]) -> None:
                for done in [pool.submit(_without_gradients, work, number) for number in numbers]:
                    done.result()

            yield run
    finally:
        torch.set_num_threads(before)


def _one_by_one(work: Callable[[int], None], numbers: Iterable[int]) -> None:
    for number in numbers:
        work(number)


def _without_gradients(work: Callable[[int], None], number: int) -> None:
    # whether gradients are recorded is a setting of each thread
    with torch.no_grad():
        work(number)
