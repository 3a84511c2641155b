"""Penalties on the weights of an ensemble: value, prox, distance to stationarity, largest useful strength."""

from sparsenn_core.penalties.base import Params, Penalty, Step, max_runs, per_run, step_of, sum_runs
from sparsenn_core.penalties.drr import DRR, layer_factors
from sparsenn_core.penalties.fixed_support import FixedSupport
from sparsenn_core.penalties.grouped import GroupL2
from sparsenn_core.penalties.path_prox import PathProx
from sparsenn_core.penalties.separable import L1, SquaredL2
from sparsenn_core.penalties.total import Total
from sparsenn_core.penalties.weighted import WeightedL1

__all__ = [
    "DRR",
    "L1",
    "FixedSupport",
    "GroupL2",
    "Params",
    "PathProx",
    "Penalty",
    "SquaredL2",
    "Step",
    "Total",
    "WeightedL1",
    "layer_factors",
    "max_runs",
    "per_run",
    "step_of",
    "sum_runs",
]
