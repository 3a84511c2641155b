"""Training the students of the neuron-sharing study: PathProx, SGD with weight decay, and no decay, as one ensemble.

The study trains with PathProx where it says weight decay, full batches and plain gradient steps in float32. Here the
three rules share every step: `PathProx` with strength zero does nothing, and weight decay is the optimizer's, which
adds strength * weights to the gradient, that is, pays strength / 2 times the sum of squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sparsenn_book.studies.width_bounds.neuron_sharing import STEP_SIZE, STRENGTH, problem, student
from sparsenn_core.errors import unknown
from sparsenn_core.penalties.path_prox import PathProx
from sparsenn_core.training import Data, Ensemble, Fit, Moment, ProximalSGD, at_steps, fit

METHODS = ("PathProx", "SGD weight decay", "no decay")
ACTIVE = 1e-3  # the study counts neurons with ||v_k|| above this
Run = tuple[str, int]  # (method, seed)


@dataclass(frozen=True)
class Sharing:
    """What training gave: `runs` names method and seed of each run, in the order of `fit.ensemble`."""

    runs: list[Run]
    fit: Fit
    inputs: Tensor
    targets: Tensor


def train(
    seeds: Sequence[int], steps: int, look: Iterable[int], methods: Sequence[str] = METHODS, strength: float = STRENGTH
) -> Sharing:
    """Train one student for each method and seed for `steps` steps; `fit.rows` has `measures` after the steps `look`.

    A seed is that of the student's initial weights (the study's is 49); the data are the study's for all. Cost: about
    0.2 ms a step and 0.02 ms a step and run, compiled; 7 times more where no C++ compiler is found.
    """
    for method in methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    inputs, targets, _ = problem()
    runs = [(method, seed) for method in methods for seed in seeds]
    pays = {"PathProx": (strength, 0.0), "SGD weight decay": (0.0, strength), "no decay": (0.0, 0.0)}
    penalty = PathProx(torch.tensor([pays[method][0] for method, _ in runs]))
    decay = torch.tensor([pays[method][1] for method, _ in runs], dtype=torch.float64)
    data = Data.shared(inputs, targets)
    done = fit(
        Ensemble.stack([student(seed) for _, seed in runs]),
        data,
        optimizer=ProximalSGD(STEP_SIZE, weight_decay=decay),
        epochs=steps,
        penalty=penalty,
        observe=[at_steps(lambda moment: measures(moment, data), look)],
    )
    return Sharing(runs, done, inputs, targets)


def measures(moment: Moment, data: Data) -> Mapping[str, Tensor]:
    """What is watched, [R] each, in float64.

    mse; active: neurons with ||v_k|| > 1e-3, the study's count, which depends on how units are scaled; used: those
    with ||v_k|| ||wbar_k|| > 1e-3, which does not; outgoing = sum ||v_k||; vv_norm; half_squares, what weight decay
    pays; imbalance = sum_k | ||wbar_k||^2 - ||v_k||^2 |.
    """
    ensemble = moment.ensemble.to(dtype=torch.float64)
    incoming, outgoing = PathProx(0.0).norms(ensemble.params)
    miss = ensemble(data.inputs[0].double()) - data.targets[0]
    return {
        "mse": miss.square().mean((1, 2)),
        "active": (outgoing > ACTIVE).sum(1),
        "used": (incoming * outgoing > ACTIVE).sum(1),
        "outgoing": outgoing.sum(1),
        "vv_norm": (incoming * outgoing).sum(1),
        "half_squares": (incoming.square() + outgoing.square()).sum(1) / 2,
        "imbalance": (incoming.square() - outgoing.square()).abs().sum(1),
    }


def study_steps(last: int, every: int = 10_000, early: int = 12) -> list[int]:
    """The steps to look at: 0, 1 and every 10,000 as the study logs, one after each, `early` before that, and `last`.

    At its iteration i the study prints the loss after i steps and the norms after i + 1.
    """
    logged = [step + after for step in range(0, last, every) for after in (0, 1)]
    before = np.unique(np.geomspace(10, min(every, last), early).astype(int)).tolist()
    return sorted({*logged, *before, last})


def on_the_sphere(network: nn.Module) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(directions wbar_k / ||wbar_k|| [K', d + 1], v_k ||wbar_k|| [D, K']) of a student, float64; without dead units.

    Together they are the network as the multi-task lasso sees it: features relu(Xbar wbar), coefficients V.
    """
    tensors = {name: tensor.detach().double() for name, tensor in network.state_dict().items()}
    wbar = torch.cat([tensors["0.weight"], tensors["0.bias"][:, None]], 1)
    length = wbar.norm(dim=1)
    coef = tensors["2.weight"] * length
    kept = (length > 0) & (coef.norm(dim=0) > 0)
    return (wbar / length[:, None])[kept].numpy(), coef[:, kept].numpy()
