"""Multi-task lasso: certified solutions, sparsification, and how wide a layer need be."""

from .solution import Batch, Solution
from .solver import solve, solve_batch

__all__ = ["Batch", "Solution", "solve", "solve_batch"]
