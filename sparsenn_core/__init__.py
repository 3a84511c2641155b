"""Sparsity in neural networks: train thousands of small networks as one, certify what they find, measure recovery.

Names are imported when first used, so that a caller who needs one room does not wait for the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Ensemble": "sparsenn_core.training",
    "Data": "sparsenn_core.training",
    "fit": "sparsenn_core.training",
    "minimise": "sparsenn_core.training",
}
_ROOMS = (
    "bounds",
    "compression",
    "datasets",
    "lasso",
    "linearized",
    "masks",
    "networks",
    "penalties",
    "recovery",
    "training",
)

__all__ = [
    "Data",
    "Ensemble",
    "bounds",
    "compression",
    "datasets",
    "fit",
    "lasso",
    "linearized",
    "masks",
    "minimise",
    "networks",
    "penalties",
    "recovery",
    "training",
]

if TYPE_CHECKING:
    from sparsenn_core import (
        bounds,
        compression,
        datasets,
        lasso,
        linearized,
        masks,
        networks,
        penalties,
        recovery,
        training,
    )
    from sparsenn_core.training import Data, Ensemble, fit, minimise


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"sparsenn_core.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'sparsenn_core' has no attribute {name!r}")
