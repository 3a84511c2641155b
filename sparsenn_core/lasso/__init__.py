"""Multi-task lasso: certified solutions, sparsification, how wide a layer need be, and what weight decay pays."""

from sparsenn_core.lasso.batch import solve_batch
from sparsenn_core.lasso.certificate import Certificate
from sparsenn_core.lasso.certify import certify
from sparsenn_core.lasso.gram_form import data_from_gram
from sparsenn_core.lasso.shallow import ShallowOptimum, shallow_optimum
from sparsenn_core.lasso.solution import Batch, Solution
from sparsenn_core.lasso.solver import path, solve
from sparsenn_core.lasso.sparsify import atom_rank, sparsify
from sparsenn_core.lasso.width import WidthBounds, width_bounds

__all__ = [
    "Batch",
    "Certificate",
    "ShallowOptimum",
    "Solution",
    "WidthBounds",
    "atom_rank",
    "certify",
    "data_from_gram",
    "path",
    "shallow_optimum",
    "solve",
    "solve_batch",
    "sparsify",
    "width_bounds",
]
