"""What does a table of bounds cost, after the one pass over the data?

Usage: python benchmarks/bounds.py [--threads N] [--small]

CONV-3-32 (asked: 1 s) and CONV-8-600 (asked: 60 s on two cores) on 28x28 images, random weights: their size does not
matter to the cost. Prints the seconds of the pass, of all norms and bounds, and of the three dearest rows. `--small`
leaves the second network out.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import nn

from sparsenn_core import bounds

CASES = ((3, 32, 1000, 1.0), (8, 600, 64, 60.0))
"""Depth, width, samples in the pass, and the seconds asked for."""


def conv_net(depth: int, width: int) -> nn.Sequential:
    """The study's network, CONV-depth-width, on images of 28x28."""
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Conv2d(width if place else 1, width, 2, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * (28 - depth) ** 2, 10, bias=False))


def measured(depth: int, width: int, samples: int, asked: float) -> None:
    network = conv_net(depth, width)
    x = torch.randn(samples, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    start, used = time.perf_counter(), time.process_time()
    frame = bounds.table(network, x, torch.arange(samples) % 10, margin=1.0)
    whole = time.perf_counter() - start
    dearest = frame.nlargest(3, "seconds")
    told = ", ".join(f"{row.bound} {row.seconds:.2f} s" for row in dearest.itertuples())
    passed, rows, used = frame.attrs["seconds of the pass"], frame["seconds"].sum(), time.process_time() - used
    print(f"CONV-{depth}-{width}: reading and one pass over {samples} samples {passed:.2f} s")
    print(f"  then all rows {rows:.2f} s (asked: {asked:g}); in all {whole:.2f} s, {used:.2f} s of processors")
    print(f"  dearest: {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for case in CASES[: 1 if options.small else None]:
        measured(*case)


if __name__ == "__main__":
    main()
