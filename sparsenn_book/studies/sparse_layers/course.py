"""What masks do while they are learned: how many entries change, and what gradient reaches the scores."""

from __future__ import annotations

import torch
from torch import Tensor

from sparsenn_book.studies.sparse_layers.tasks import Task
from sparsenn_book.studies.sparse_layers.training import OWN, Batches, masks
from sparsenn_core.training import Ensemble, Moment, Observer, at_steps

EVERY = 50
SAMPLES = 256
"""Samples on which the gradient is taken."""
TASK = "linear"


def watching(task: Task, data: Batches) -> list[Observer]:
    """What watches the linear task every 50 steps, and nothing else: churn, the share of the mask's entries that differ
    from those 50 steps before, and gradient, the norm of the loss's gradient in the scores, 0 where there is none.
    """
    if task.name != TASK:
        return []
    x, y = (torch.stack([data.tests[place][part][:SAMPLES] for place in data.of_run.tolist()]) for part in (0, 1))
    look = Looking(task, x, y)
    return [at_steps(look, range(0, data.steps + 1, EVERY))]


class Looking:
    """An observer that remembers the masks it saw last."""

    def __init__(self, task: Task, x: Tensor, y: Tensor) -> None:
        self.task, self.x, self.y = task, x, y
        self.before: Tensor | None = None

    def __call__(self, moment: Moment) -> dict[str, Tensor]:
        """Churn since the last look, and the gradient in the scores now."""
        mask = masks(moment.ensemble).clone()
        found = {"gradient": score_gradients(self.task, moment.ensemble, self.x, self.y)}
        if self.before is not None:
            found["churn"] = (mask != self.before).flatten(1).double().mean(1)
        self.before = mask
        return found


def score_gradients(task: Task, ensemble: Ensemble, x: Tensor, y: Tensor) -> Tensor:
    """The norm of each run's gradient of the loss in the scores of its mask [R], on samples x [R, n, ...], in training
    mode; 0 where scores are no parameters, or no gradient reaches them.
    """
    name = f"{OWN}scores"
    if name not in ensemble.params:
        return torch.zeros(len(ensemble), dtype=torch.float64)
    with torch.enable_grad():
        scores = ensemble.params[name].detach().requires_grad_()
        outputs = ensemble.train().with_params(ensemble.params | {name: scores}).each(x)
        losses = torch.stack([task.loss(out, target) for out, target in zip(outputs, y, strict=True)])
        (slopes,) = torch.autograd.grad(losses.sum(), scores, materialize_grads=True)
    return slopes.flatten(1).double().norm(dim=1)
