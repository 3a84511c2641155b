"""Which weights go: thresholds, masks, the search that a tolerance allows, and dead weights.

As coded, the study zeroes weights below a fixed threshold and stops there. The search for the largest threshold that
a tolerance allows, the removal of dead weights and the fine-tuning on the mask are those of its sister study
("Efficient compression of neural networks and datasets", arXiv 2505.17469).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad
from torch.nn.functional import mse_loss

from sparsenn_core.errors import InputError
from sparsenn_core.penalties.base import per_run
from sparsenn_core.training import Ensemble
from sparsenn_core.training.gradients import run_losses


def pruned(students: Ensemble, thresholds: Tensor | float) -> Ensemble:
    """Students without the weights and biases below a threshold (one number, or one a run [R]) in absolute value."""
    return students.with_params({k: w * (w.abs() >= per_run(thresholds, w)) for k, w in students.params.items()})


def support_of(students: Ensemble) -> dict[str, Tensor]:
    """Which weights are not zero, by name."""
    return {k: w != 0 for k, w in students.params.items()}


def tolerance_thresholds(
    students: Ensemble, loss: Callable[[Ensemble], Tensor], tolerance: float, *, resolution: float = 1e-7
) -> Tensor:
    """By bisection in [0, 2 max |w|], for each run a threshold t with loss(pruned at t) <= (1 + tolerance) loss, [R].

    It is within `resolution` of one that is too high; where the loss is not monotone in the threshold, a still higher
    one may be good again. `loss` gives the loss of every run [R]. Cost: about 25 evaluations of the loss.
    """
    if tolerance < 0 or resolution <= 0:
        raise InputError(f"tolerance must be from 0 and resolution above 0, not {tolerance!r} and {resolution!r}")
    allowed = (1 + tolerance) * loss(students)
    largest = torch.stack([w.abs().flatten(1).amax(1) for w in students.params.values()]).amax(0).double()
    low, high = torch.zeros_like(largest), 2 * largest
    while bool((high - low > resolution).any()):
        middle = (low + high) / 2
        good = loss(pruned(students, middle)) <= allowed
        low, high = torch.where(good, middle, low), torch.where(good, high, middle)
    return low


def dead_weights(students: Ensemble, sources: list[torch.Generator]) -> dict[str, Tensor]:
    """Weights that cannot matter, by name: the gradient of a squared error on one random Gaussian sample of input and
    target is exactly zero. They lead nowhere or come from nowhere. One generator a run.
    """
    widths = [w.shape for k, w in students.params.items() if k.endswith("weight")]
    x = torch.stack([torch.randn(1, widths[0][-1], generator=s, dtype=torch.float64) for s in sources])
    y = torch.stack([torch.randn(1, widths[-1][-2], generator=s, dtype=torch.float64) for s in sources])
    params = {k: w.double() for k, w in students.params.items()}
    grads = grad(lambda p: run_losses(students, mse_loss, p, {}, x, y, shared=False).sum())(params)
    return {k: g == 0 for k, g in grads.items()}
