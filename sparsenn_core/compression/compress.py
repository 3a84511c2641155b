"""A trained network with fewer neurons that computes nearly the same, and a report of what that cost."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from sparsenn_core.compression.candidate import Candidate
from sparsenn_core.compression.layer_problem import LayerProblem, layer_problem
from sparsenn_core.compression.orders import Order
from sparsenn_core.compression.report import LayerReport, Report, Size
from sparsenn_core.compression.samples import HELD_OUT, Samples, samples
from sparsenn_core.compression.scores import Loss, loss_for, score
from sparsenn_core.compression.surgery import with_weights_, without_neurons_
from sparsenn_core.compression.wanted import HeldOut, wanted
from sparsenn_core.errors import InputError
from sparsenn_core.masks import least_seconds
from sparsenn_core.networks import Feed, feed, feeds

TURNS, REPEATS = 5, 4
"""Passes that are timed, in turns; the least counts."""


def compress(
    model: nn.Module,
    data: Any,
    layer: str | Sequence[str] | None = None,
    *,
    tolerance: float | None = None,
    width: int | Sequence[int] | None = None,
    strength: float | None = None,
    refit: bool = True,
    order: Order | None = None,
    held_out: Any = HELD_OUT,
    loss: Loss | None = None,
    progress: bool = False,
) -> tuple[nn.Module, Report]:
    """A smaller network in place of a trained one, and what it cost: `smaller, report = compress(model, data, "fc2")`.

    `layer` is the path of an nn.Linear, nn.Conv1d or nn.Conv2d that reads other units through a ReLU (batch norms,
    pools, dropout and flattening may lie between; `networks.feeds` lists such layers): neurons, or whole channels, that
    it can do without are removed from it and from the layer before. Several paths, or None for all such layers, are
    taken in turn, first one first; each should still give what it gave in the network as given. How small is said by
    one of

    - `tolerance`: the mean loss on held-out data may rise by this much, in units of the loss, after all layers; the
      i-th of m layers may use up i/m of it. The narrowest layer on a path of 30 strengths is taken, narrowed by halving
      the last step; 0 asks for no rise. Data that chose are no judges: on others the loss may rise by more.
    - `width`: at most this many neurons stay, for several layers one number each.
    - `strength`: of the lasso below.

    Neurons are chosen by the multi-task lasso on the layer's inputs Phi [F, N] and outputs without bias Psi [D, N],

        min_V ||V Phi - Psi||_F^2 / (N D) + strength sum_k ||V_k||_F,   bias as it is, all N columns, float64,

    solved with a certified gap (Shenouda, Parhi, Lee and Nowak 2023, arXiv:2305.16534), or by another `order`:
    `magnitude`, `contribution`, `path_norm`, `at_random(seed)`, `matching_pursuit` or a function of your own. `refit`
    then fits the weights of those that stay, and the bias, to Psi by least squares; without it the lasso's own weights
    are taken, which its penalty shrinks, or those as given.

    `data` is a pair of tensors (inputs, targets), a `Dataset`, or a `DataLoader` that gives the same batches each time;
    `held_out` the same, or a share of a pair or `Dataset`. `loss(outputs, targets)` is the mean over a batch; by
    default cross-entropy for integer targets and the mean squared error for others.

    `model` is not altered. The result is a copy in eval mode, of the same class, on the same device, with smaller
    layers; a buffer `kept_inputs` of each layer says which neurons it reads. Save its `state_dict()` and read it with
    `restored`, or export it with `torch.export`. `InputError`, in one line, for layers that do not exist or read no
    ReLU, data that do not fit, batch norms in train mode, and tolerances that are not reached.

    Cost: a pass over the data for each layer and O(F^2) memory; about 30 solves, each from the one before, of at most
    O(F^3), and as many passes over the held-out data.
    """
    named = _chosen_layers(model, layer)
    asked = wanted(tolerance, width, strength, order, refit, len(named))
    _check_norms(model)
    given = copy.deepcopy(model).eval()
    fit, choose = samples(data, held_out, given)
    measure = loss or loss_for(choose.first()[1])
    before = (score(given, fit, measure), score(given, choose, measure))
    now, zeroed, layers = given, copy.deepcopy(given), []
    for number, one in enumerate(named):
        problem = layer_problem(given, now, one, fit, progress=progress)
        with tqdm(desc=f"trying {one.layer}", unit="width", disable=not progress, leave=False) as bar:
            trial = _trial(now, one, choose, measure, bar)
            found = asked.candidate(problem, (number, len(named)), before[1].loss, trial)
        now = without_neurons_(with_weights_(copy.deepcopy(now), one.layer, found), one, found.kept)
        with_weights_(zeroed, one.layer, found)
        layers.append(_layer_report(one, problem, found))
    inputs, _ = choose.first()
    difference = _difference(now, zeroed, inputs)  # first: it refuses a network that cannot be evaluated
    large, small = sizes([given, now], inputs)
    report = Report(
        layers=tuple(layers),
        difference=difference,
        train_before=before[0],
        train_after=score(now, fit, measure),
        held_out_before=before[1],
        held_out_after=score(now, choose, measure),
        before=large,
        after=small,
    )
    return now, report


def sizes(models: Sequence[nn.Module], inputs: Tensor) -> list[Size]:
    """Parameters, bytes of the saved weights, and the least time of twenty passes of `inputs` [n, ...].

    The networks take turns, so that what else the machine does meets all of them.
    """
    seconds = [float("inf")] * len(models)
    with torch.no_grad():
        for _ in range(TURNS):
            now = [least_seconds(lambda model=model: model(inputs), REPEATS) for model in models]  # type: ignore[misc]
            seconds = [min(pair) for pair in zip(seconds, now, strict=True)]
    return [_size(model, 1e3 * each, len(inputs)) for model, each in zip(models, seconds, strict=True)]


def _size(model: nn.Module, milliseconds: float, batch: int) -> Size:
    with io.BytesIO() as file:
        torch.save(model.state_dict(), file)
        stored = file.tell()
    return Size(sum(p.numel() for p in model.parameters()), stored, milliseconds, batch)


def _chosen_layers(model: nn.Module, layer: str | Sequence[str] | None) -> list[Feed]:
    """The layers by name, in the order in which the network uses them; None for all that read a ReLU."""
    known = feeds(model)
    if layer is None:
        found = [one for one in known.values() if isinstance(one, Feed)]
        if not found:
            raise InputError(f"compression: no layer of {type(model).__name__} reads the units of a layer after a ReLU")
        return found
    names = [layer] if isinstance(layer, str) else list(layer)
    if not names or len(set(names)) < len(names):
        raise InputError(f"compression: layers must be named, each once, not {names}")
    return sorted((feed(model, name) for name in names), key=lambda one: list(known).index(one.layer))


def _check_norms(model: nn.Module) -> None:
    """Refuse batch norms whose outputs depend on what else is in a batch: such a network computes no one function."""
    for name, norm in model.named_modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            if norm.running_mean is None:
                raise InputError(f"compression: batch norm {name!r} keeps no running statistics")
            if norm.training:
                raise InputError(f"compression: batch norm {name!r} is in train mode; call model.eval() first")


def _trial(now: nn.Module, one: Feed, choose: Samples, measure: Loss, bar: Any) -> HeldOut:
    """The held-out loss of the network as it is now with other weights in one layer."""
    model = copy.deepcopy(now)

    def held_out(candidate: Candidate) -> float:
        bar.update()
        return score(with_weights_(model, one.layer, candidate), choose, measure).loss

    return held_out


def _layer_report(one: Feed, problem: LayerProblem, found: Candidate) -> LayerReport:
    shift = None if found.bias is None or problem.bias is None else found.bias - problem.bias
    miss = problem.error(found.weight, shift)
    return LayerReport(
        layer=one.layer,
        source=one.source,
        neurons=one.units,
        kept=found.width,
        dead=int((problem.rms == 0).sum()),
        strength=found.strength,
        gap=found.gap,
        error=float(np.sqrt(miss / problem.energy)) if problem.energy else 0.0,
        bounds=problem.bounds(),
        whole=one.size > 1,
    )


def _difference(smaller: nn.Module, zeroed: nn.Module, inputs: Tensor) -> float:
    """The largest difference of outputs as a share of the largest; refused where it is more than rounding.

    Then a size is written into `forward`, or the network looks at its weights otherwise than through its layers.
    """
    with torch.no_grad():
        expected = zeroed(inputs)
        try:
            found = smaller(inputs)
        except Exception as error:  # whatever the user's `forward` makes of smaller layers
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"compression: the smaller network fails; is a size fixed in its forward? {reason}"
            ) from error
    if found.shape != expected.shape:
        raise InputError(f"compression: the smaller network gives {list(found.shape)}; is a size fixed in its forward?")
    largest = float(expected.abs().max()) or 1.0
    difference = float((found - expected).abs().max()) / largest
    if not difference <= torch.finfo(expected.dtype).eps ** 0.5:
        raise InputError(
            f"compression: without its neurons the network differs by {difference:.1g} from one with zeros"
        )
    return difference
