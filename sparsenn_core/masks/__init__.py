"""Sparse layers: a score, a structure, an allocation over layers and a schedule, for layers of any module."""

from sparsenn_core.masks.allocation import Allocation, erdos_renyi, uniform
from sparsenn_core.masks.fastest import Form, compressed, fastest, forms, least_seconds
from sparsenn_core.masks.layers import SparseLinear
from sparsenn_core.masks.penalized import GateCount, HardConcrete, SoftThreshold
from sparsenn_core.masks.ranks import keep_top
from sparsenn_core.masks.regrowth import SET, RigL, StraightThroughMagnitude
from sparsenn_core.masks.reports import Remaining, make_permanent, masks_of, remaining
from sparsenn_core.masks.schedules import Constant, Cubic, OneShot, Schedule
from sparsenn_core.masks.scores import Learned, Magnitude, Random, SoftSigmoid
from sparsenn_core.masks.semi_structured import semi_structured
from sparsenn_core.masks.smaller import smaller
from sparsenn_core.masks.sparse_weight import LayerRuns, Score, SparseWeight
from sparsenn_core.masks.sparsify import Following, following, sparsify, step
from sparsenn_core.masks.structures import NM, Block, Channel, Structure, Unstructured

__all__ = [
    "NM",
    "SET",
    "Allocation",
    "Block",
    "Channel",
    "Constant",
    "Cubic",
    "Following",
    "Form",
    "GateCount",
    "HardConcrete",
    "LayerRuns",
    "Learned",
    "Magnitude",
    "OneShot",
    "Random",
    "Remaining",
    "RigL",
    "Schedule",
    "Score",
    "SoftSigmoid",
    "SoftThreshold",
    "SparseLinear",
    "SparseWeight",
    "StraightThroughMagnitude",
    "Structure",
    "Unstructured",
    "compressed",
    "erdos_renyi",
    "fastest",
    "following",
    "forms",
    "keep_top",
    "least_seconds",
    "make_permanent",
    "masks_of",
    "remaining",
    "semi_structured",
    "smaller",
    "sparsify",
    "step",
    "uniform",
]
