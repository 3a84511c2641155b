"""Multi-task lasso: certified solutions, sparsification, how wide a layer need be, and what weight decay pays."""

from .certificate import Certificate
from .certify import certify
from .moments import data_from_moments
from .path_norm import balance, half_squares, vv_norm
from .shallow import ShallowOptimum, shallow_optimum
from .solution import Batch, Solution
from .solver import solve, solve_batch
from .sparsify import atom_rank, sparsify
from .width import WidthBounds, width_bounds

__all__ = [
    "Batch",
    "Certificate",
    "ShallowOptimum",
    "Solution",
    "WidthBounds",
    "atom_rank",
    "balance",
    "certify",
    "data_from_moments",
    "half_squares",
    "shallow_optimum",
    "solve",
    "solve_batch",
    "sparsify",
    "vv_norm",
    "width_bounds",
]
