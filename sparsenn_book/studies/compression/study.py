"""What the study did with its own objective, and whole networks made smaller here."""

from __future__ import annotations

import pandas as pd
import torch
from torch import nn

from sparsenn_book.studies.compression.comparison import layers_of
from sparsenn_book.studies.compression.networks import vgg19
from sparsenn_book.studies.compression.reference import adam_with_shrinkage, stored_outputs
from sparsenn_book.studies.compression.settings import DescentSettings, WholeSettings
from sparsenn_book.studies.compression.training import trained
from sparsenn_core.compression import StrengthPath, compress, samples, score
from sparsenn_core.networks import layer_inputs
from sparsenn_core.randomness import generator

RECORDED = pd.DataFrame(
    [
        ("VGG-19", "classifier.6", 512, 10, 0.03, 0.01, None, None),
        ("AlexNet", "classifier.6", 4096, 10, 0.07, 0.05, 797, 1400),
        ("AlexNet", "classifier.4", 4096, 4096, 0.07, 0.5, 677, 1100),
        ("AlexNet", "classifier.1", 9216, 4096, 0.07, 0.5, 4896, 800),
    ],
    columns=["network", "layer", "inputs", "outputs", "rate", "strength", "active", "iteration"],
)
"""The study's layers with mu, lambda, and the active inputs at the iteration at which it was stopped by hand."""


def descents(settings: DescentSettings, device: str = "cpu") -> pd.DataFrame:
    """The study's loop on the last layer of the first task's networks, next to the certified optimum: run, strength,
    iteration, objective, active, optimum, width, gap, neurons.
    """
    parts = []
    data = trained(settings.tasks[0], settings, device)
    for run, network in enumerate(data.networks):
        problem = layers_of(network, data)[-1].problem
        path = StrengthPath(problem)
        for strength in settings.study_strengths:
            best = path.at(strength)
            optimum = problem.error(best.weight) + strength * float(problem.norms(best.weight).sum())
            rows = adam_with_shrinkage(problem, strength, settings.study_rate, settings.study_iterations, run)
            own = {"run": run, "strength": strength, "optimum": optimum, "width": best.width, "gap": best.gap}
            parts.append(rows.assign(**own, neurons=problem.neurons))
    return pd.concat(parts, ignore_index=True)


def faults(seed: int) -> pd.DataFrame:
    """What the study's code reads of a network, next to what is there: fault, coded, right.

    Of VGG-19 with random weights on 16 random images: the least of the stored outputs of `classifier.4`, and the
    relative distance of what arrives at `classifier.6` between train and eval mode (dropout, batch norm), which should
    be 0.
    """
    model, source = vgg19(), generator(seed, "compression", "faults")
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.normal_(0, (2 / module.weight[0].numel()) ** 0.5, generator=source)
                module.bias.zero_()  # type: ignore[union-attr]
    x = torch.randn(16, 3, 32, 32, generator=source)
    model.eval()
    outputs, arriving = _outputs(model, "classifier.4", x), layer_inputs(model, ["classifier.6"], x)[1][0]
    stored = stored_outputs(model, "classifier.4", x)
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global stream
        torch.manual_seed(seed)
        training = layer_inputs(model.train(), ["classifier.6"], x)[1][0]
    distance = float((training - arriving).norm() / arriving.norm())
    rows = [
        ("least stored output", float(stored.min()), float(outputs.min())),
        ("distance of features from those in eval mode", distance, 0.0),
    ]
    return pd.DataFrame(rows, columns=["fault", "coded", "right"])


def whole(settings: WholeSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Whole networks within a tolerance of held-out loss, all layers in turn: one half of the test images chooses the
    widths, loss and accuracy are those on the other half.

    sizes  task, run, what (loss, accuracy, parameters, bytes, milliseconds), before, after; difference: of outputs from
           the network with zeroed neurons, as a share of the largest
    kept   task, run, layer, neurons, kept, dead, gap
    """
    sizes, kept = [], []
    for task in settings.tasks:
        data = trained(task, settings, device)
        for run, network in enumerate(data.networks[: settings.whole_runs]):
            choose, judge = ((data.test[0][half::2], data.test[1][half::2]) for half in (0, 1))
            smaller, report = compress(network, data.train, tolerance=settings.tolerance, held_out=choose)
            unseen, _ = samples(judge, judge, network)
            was, now = (score(one, unseen, nn.functional.cross_entropy) for one in (network, smaller))
            pairs = {
                "loss": (was.loss, now.loss),
                "accuracy": (was.accuracy, now.accuracy),
                "parameters": (report.before.parameters, report.after.parameters),
                "bytes": (report.before.bytes, report.after.bytes),
                "milliseconds": (report.before.milliseconds, report.after.milliseconds),
            }
            sizes += [(task, run, what, *pair, report.difference) for what, pair in pairs.items()]
            kept += [(task, run, one.layer, one.neurons, one.kept, one.dead, one.gap) for one in report.layers]
    return {
        "sizes": pd.DataFrame(sizes, columns=["task", "run", "what", "before", "after", "difference"]),
        "kept": pd.DataFrame(kept, columns=["task", "run", "layer", "neurons", "kept", "dead", "gap"]),
    }


def _outputs(model: nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    """The outputs of a linear layer, computed from what arrives at it."""
    module = model.get_submodule(layer)
    with torch.no_grad():
        outputs: torch.Tensor = module(layer_inputs(model, [layer], x)[1][0])
    return outputs
