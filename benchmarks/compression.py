"""How long does it take to make a layer smaller, and is what is removed what was zeroed?

Usage: python benchmarks/compression.py [--quick] [--threads N]

A trained digits network (64-512-512-10), its last layer at strength 0.1, next to accelerated proximal gradient descent
on the same Gram matrix until its gap is 1e-6 and next to scikit-learn's coordinate descent on the samples; a layer of
512 neurons and 50,000 samples with its pass over the data; a layer of 4096. CPU seconds of one thread, wall seconds of
more.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import MultiTaskLasso
from torch import nn

from sparsenn_core import datasets
from sparsenn_core.compression import LayerProblem, StrengthPath, compress, layer_problem, samples
from sparsenn_core.compression.group_lasso import certificate
from sparsenn_core.networks import feed
from sparsenn_core.randomness import generator

ASKED_SECONDS, ASKED_FISTA, ASKED_STREAMED, ASKED_WIDE, ASKED_DIFFERENCE = 1.0, 8, 2.0, 300.0, 1e-5
STRENGTH, FISTA_GAP = 0.1, 1e-6


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds on one thread, whatever else the machine does; wall seconds on several."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    result = work()
    return clock() - start, result


def trained() -> tuple[nn.Sequential, datasets.Images]:
    """40 epochs of Adam with weight decay 1e-4, as in the notes on the study."""
    data = datasets.load("digits")
    model = drawn(nn.Sequential(nn.Flatten(), *layers(64, 512, 512, 10)))
    order, optimizer = generator(0, "order"), torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-4)
    for _ in range(40):
        for batch in torch.randperm(len(data.train_x), generator=order).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(data.train_x[batch]), data.train_y[batch]).backward()
            optimizer.step()
    return model.eval(), data


def layers(*widths: int) -> list[nn.Module]:
    pairs = itertools.pairwise(widths)
    return [one for i, o in pairs for one in (nn.Linear(i, o), nn.ReLU())][:-1]


def drawn(model: nn.Sequential) -> nn.Sequential:
    """Weights N(0, 2 / inputs), biases 0, from a private generator."""
    source = generator(0, "weights")
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Linear):
                layer.weight.normal_(0, (2 / layer.in_features) ** 0.5, generator=source)
                layer.bias.zero_()
    return model


def problem_of(model: nn.Sequential, layer: str, x: torch.Tensor) -> LayerProblem:
    data, _ = samples((x, x), (x, x), model)
    return layer_problem(model, model, feed(model, layer), data, progress=False)


def fista(problem: LayerProblem, strength: float) -> tuple[np.ndarray, int]:
    """Accelerated proximal gradient descent with restarts, on the Gram matrix."""
    step = 0.5 / float(np.linalg.eigvalsh(problem.gram)[-1])
    features, targets = problem.data
    weight = ahead = np.zeros_like(problem.cross)
    momentum = 1.0
    for iteration in range(1, 200_001):
        moved = ahead - step * 2 * (ahead @ problem.gram - problem.cross)
        new = moved * np.maximum(0, 1 - step * strength / np.maximum(np.linalg.norm(moved, axis=0), 1e-300))
        if float(((ahead - new) * (new - weight)).sum()) > 0:
            momentum = 1.0
        after = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / after * (new - weight)
        weight, momentum = new, after
        if iteration % 50 == 0:
            dual = (targets - weight @ features) * (2 / (targets.size * strength))
            if certificate(weight, dual, features, targets, strength, 1).gap < FISTA_GAP:
                break
    return weight, iteration


def digits_layer() -> None:
    model, data = trained()
    problem = problem_of(model, "5", data.train_x)
    # twice: the first also loads and warms up
    seconds, found = [clocked(lambda: StrengthPath(problem).at(STRENGTH)) for _ in range(2)][1]
    print(
        f"digits, K=512, strength {STRENGTH}: {seconds:.2f} s (asked: {ASKED_SECONDS:g}), {found.width} neurons, "
        f"gap {found.gap:.0e}"
    )
    slow, (weight, iterations) = clocked(lambda: fista(problem, STRENGTH))
    used = int((problem.norms(weight) > 0).sum())
    print(
        f"  FISTA on the Gram matrix to gap {FISTA_GAP:g}: {slow:.2f} s, {iterations} iterations, {used} neurons, "
        f"ratio {slow / seconds:.0f} (asked: {ASKED_FISTA})"
    )
    with torch.no_grad():
        phi = model[:5](data.train_x).double().numpy()
    psi = phi @ problem.weight.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stops before its tolerance
        other = MultiTaskLasso(alpha=STRENGTH * 10 / 2, fit_intercept=False, tol=1e-6, max_iter=3000)
        slow, other = clocked(lambda: other.fit(phi, psi))
    ours, theirs = (problem.error(w) + STRENGTH * problem.norms(w).sum() for w in (found.weight, other.coef_))
    print(
        f"  scikit-learn, {other.n_iter_} sweeps: {slow:.1f} s, ratio {slow / seconds:.0f}; its objective is above by "
        f"{theirs / ours - 1:.0e}"
    )
    for layer in ("3", "5"):
        held_out = (data.test_x, data.test_y)
        seconds, (_, report) = clocked(
            lambda n=layer, h=held_out: compress(model, (data.train_x, data.train_y), n, tolerance=0.01, held_out=h)
        )
        one = report.layers[0]
        print(
            f"  compress, layer {layer}, tolerance 0.01: {seconds:.1f} s, {one.neurons} to {one.kept} neurons, removed "
            f"against zeroed {report.difference:.0e} of the largest output (asked: {ASKED_DIFFERENCE:g})"
        )


def streamed() -> None:
    """A pass over 50,000 samples of ReLU features, the network's own layers included, and a solve."""
    model = drawn(nn.Sequential(*layers(512, 512, 10)))
    x = torch.randn(50_000, 512, generator=generator(0, "data"))
    reading, problem = clocked(lambda: problem_of(model, "2", x))
    # a strength that leaves about a tenth of the neurons of random weights
    solving, found = clocked(lambda: (path := StrengthPath(problem)).at(path.most / 2))
    print(
        f"50,000 x 512 -> 10: pass {reading:.2f} s, solve {solving:.2f} s, together {reading + solving:.2f} s (asked: "
        f"{ASKED_STREAMED:g}), {found.width} neurons, gap {found.gap:.0e}"
    )


def wide(share: float) -> None:
    model = drawn(nn.Sequential(*layers(256, 4096, 10)))
    x = torch.randn(20_000, 256, generator=generator(0, "data"))
    reading, problem = clocked(lambda: problem_of(model, "2", x))
    solving, found = clocked(lambda: (path := StrengthPath(problem)).at(path.most * share))
    print(
        f"K=4096, strength {share:g} of the largest: pass {reading:.1f} s, solve {solving:.1f} s (asked: "
        f"{ASKED_WIDE:g}), {found.width} neurons, gap {found.gap:.0e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the layer of 4096")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch; set OMP_NUM_THREADS for NumPy's")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"load {os.getloadavg()[0]:.1f}, threads {options.threads}, torch {torch.__version__}")
    digits_layer()
    streamed()
    if not options.quick:
        wide(0.3)
        wide(0.1)


if __name__ == "__main__":
    main()
