"""What the study does to students between epochs, so that their weights stay generic."""

from __future__ import annotations

import torch
from torch import Tensor

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import project_generic
from sparsenn_core.training import Ensemble


def project(students: Ensemble, condition: Condition, epoch: int) -> Ensemble:
    """Students after the projection that `condition` names.

    Of the study's projection only its first part is done, which moves every parameter outward: w (1 + 10 U(0, 1) eps),
    eps that of float32, and zeros to +-10 U(0, 1) eps. Its other conditions never act on networks without ties.
    """
    if condition.projection == "generic":
        nets = [project_generic(net, 1e-9, generator(condition.seed, "projection", epoch)) for net in students]
        return Ensemble.stack(nets)
    source = generator(condition.seed, "projection", epoch)
    eps = torch.finfo(torch.float32).eps

    def nudged(w: Tensor) -> Tensor:
        step = 10 * eps * torch.rand(w.shape, generator=source, dtype=w.dtype).to(w.device)
        coin = 2.0 * torch.randint(0, 2, w.shape, generator=source) - 1
        return torch.where(w == 0, step * coin.to(w), w + w * step)

    return students.with_params({k: nudged(w) for k, w in students.params.items()})
