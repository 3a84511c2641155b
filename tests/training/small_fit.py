"""Six small tree CNNs, their data, and settings under which they stop at different times."""

import torch

from sparsenn_core import Data, Ensemble, penalties
from sparsenn_core.networks import baseline_cnn, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.training import EarlyStopping, ProximalAdam

SEEDS = list(range(6))


def ensemble(dtype=torch.float64):
    return Ensemble.of(lambda source: baseline_cnn("tanh", generator=source).to(dtype), SEEDS)


def data(samples=40, dtype=torch.float64):
    x = torch.randn(samples, 12, generator=generator(0, "data"), dtype=dtype)
    return Data.shared(x, literal_teacher("baseline", "tanh", dtype=dtype)(x))


SETTINGS = {
    "optimizer": ProximalAdam(torch.tensor([0.3, 0.01, 0.02, 1.0, 0.05, 0.1])),
    "penalty": penalties.L1(1e-3),
    "batch_size": 16,
    "order": SEEDS,
    "early_stopping": EarlyStopping(3),
}


def loss_rows(moment):
    return {"epoch loss": moment.epoch_loss}
