"""What is left of whole networks: the lasso with refit, next to what Torch-Pruning removes, at equal width.

Usage: python benchmarks/pruning_libraries.py [--runs N]

Torch-Pruning (Fang, Ma, Song, Mi and Wang 2023, DepGraph) is no dependency of this project: `pip install --no-deps
torch-pruning` into the environment that runs this. It follows dependencies through a network and removes the groups of
weights that matter least by a score; it refits nothing, and its users train on afterwards. So each of its choices is
shown as it stands and, by the same weights kept, with the least-squares refit of this library: what is left between two
refitted rows is the choice of neurons alone. Nothing is trained on.

Networks trained on digits, every hidden layer and convolution at the same share; medians over the runs, each with
initial weights and order of its own, on test images that nobody chose by.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Sequence

import numpy as np
import torch_pruning
from torch import nn

from sparsenn_book.studies.compression.settings import NetworkSettings
from sparsenn_book.studies.compression.training import Trained, trained
from sparsenn_core.compression import Order, compress
from sparsenn_core.compression.layer_problem import LayerProblem
from sparsenn_core.networks import Feed, feeds

TASKS = ("digits", "digits_cnn")
SHARES = (0.5, 0.25, 0.1)
IMPORTANCES = {
    "magnitude": torch_pruning.importance.GroupMagnitudeImportance(p=2),
    "Taylor": torch_pruning.importance.GroupTaylorImportance(),
}


def layers_of(model: nn.Module) -> list[Feed]:
    """The layers that can be made smaller, each with the one before it."""
    return [one for one in feeds(model).values() if isinstance(one, Feed)]


def pruned(model: nn.Module, data: Trained, share: float, score: str) -> nn.Module:
    """What Torch-Pruning makes of a copy."""
    smaller = copy.deepcopy(model)
    pruner = torch_pruning.pruner.BasePruner(
        smaller,
        data.train[0][:1],
        importance=IMPORTANCES[score],
        pruning_ratio=1 - share,
        ignored_layers=[list(smaller.children())[-1]],  # the classes stay
    )
    # Taylor's score is made of gradients; the other does not look at them
    nn.functional.cross_entropy(smaller(data.train[0]), data.train[1]).backward()
    pruner.step()
    return smaller


def kept_units(model: nn.Module, smaller: nn.Module) -> list[list[int]]:
    """The units of each layer that are left, told by their biases, which are not changed."""
    kept = []
    for one in layers_of(model):
        before, after = (network.get_submodule(one.source).bias.detach().numpy() for network in (model, smaller))
        rows = np.flatnonzero(np.isin(before, after)).tolist()
        assert len(rows) == len(after), "two units have the same bias"
        kept.append(rows)
    return kept


def those_first(kept: Sequence[Sequence[int]]) -> Order:
    """An order for `compress`, which asks once a layer, first one first."""
    layers = iter(kept)

    def order(problem: LayerProblem) -> np.ndarray:
        first = np.array(next(layers))
        return np.concatenate([first, np.setdiff1d(np.arange(problem.neurons), first)])

    return order


def losses(model: nn.Module, data: Trained, share: float) -> dict[str, tuple[float, float]]:
    """Test loss and accuracy of one network, as given and made smaller in every way."""
    ends = {"as given": model}
    for score in IMPORTANCES:
        smaller = pruned(model, data, share, score)
        kept = kept_units(model, smaller)
        width = [len(rows) for rows in kept]
        ends[f"Torch-Pruning, {score}"] = smaller
        ends[f"  the same units, refitted ({score})"] = compress(
            model, data.train, width=width, order=those_first(kept), held_out=data.test
        )[0]
    for refit in (False, True):
        name = f"lasso, {'refitted' if refit else 'its own weights'}"
        ends[name] = compress(model, data.train, width=width, refit=refit, held_out=data.test)[0]
    return {name: tested(network, data) for name, network in ends.items()}


def tested(network: nn.Module, data: Trained) -> tuple[float, float]:
    """Cross-entropy and accuracy on test images."""
    outputs = network(data.test[0]).detach()
    right = (outputs.argmax(1) == data.test[1]).double().mean()
    return float(nn.functional.cross_entropy(outputs, data.test[1])), float(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="networks of each task")
    runs = parser.parse_args().runs
    settings = NetworkSettings(tasks=TASKS, runs=runs, hidden=128, epochs=30, fashion_samples=0, seed=2026)
    print(f"Torch-Pruning {torch_pruning.__version__}; medians of {runs}, least and most in brackets")
    for task in TASKS:
        data = trained(task, settings)
        for share in SHARES:
            found = [losses(network, data, share) for network in data.networks]
            print(f"{task}, {share:.0%} of every layer's units left: test loss, accuracy")
            for name in found[0]:
                loss, right = zip(*(run[name] for run in found), strict=True)
                print(
                    f"  {name:<42} {statistics.median(loss):7.3f} [{min(loss):.3f}, {max(loss):.3f}]"
                    f"   {statistics.median(right):.3f} [{min(right):.3f}, {max(right):.3f}]"
                )


if __name__ == "__main__":
    main()
