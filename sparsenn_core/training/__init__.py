"""Many networks of one shape, trained as one: ensembles, optimizers, observers, the loop, the minimiser."""

from sparsenn_core.training.checkpoint import Checkpoint
from sparsenn_core.training.data import BatchOrder, Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.fit import Fit, fit
from sparsenn_core.training.hooks import Between, Hook, after_epochs, after_steps
from sparsenn_core.training.identity import named
from sparsenn_core.training.minimise import ConvergenceWarning, Minimum, minimise
from sparsenn_core.training.minimise_wide import WideMinimum, minimise_wide
from sparsenn_core.training.observers import Moment, Observer, at_steps, every_epochs, on_stop
from sparsenn_core.training.optimizer import Optimizer, Setting
from sparsenn_core.training.optimizers import SGD, Adam, AdamW, ProximalAdam, ProximalSGD
from sparsenn_core.training.refit import Refit, refit
from sparsenn_core.training.regularization_path import Path, largest_strength, path
from sparsenn_core.training.schedules import Schedule, by_epoch, cosine
from sparsenn_core.training.stopping import EarlyStopping

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BatchOrder",
    "Between",
    "Checkpoint",
    "ConvergenceWarning",
    "Data",
    "EarlyStopping",
    "Ensemble",
    "Fit",
    "Hook",
    "Minimum",
    "Moment",
    "Observer",
    "Optimizer",
    "Path",
    "ProximalAdam",
    "ProximalSGD",
    "Refit",
    "Schedule",
    "Setting",
    "WideMinimum",
    "after_epochs",
    "after_steps",
    "at_steps",
    "by_epoch",
    "cosine",
    "every_epochs",
    "fit",
    "largest_strength",
    "minimise",
    "minimise_wide",
    "named",
    "on_stop",
    "path",
    "refit",
]
