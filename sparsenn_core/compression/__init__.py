"""Trained layers made smaller, physically, without changing what they compute; certified, and measured.

smaller, report = compress(model, (x, y), "fc2", tolerance=0.01)
print(report)
torch.save(smaller.state_dict(), "smaller.pt")
again = restored(MyModel(), torch.load("smaller.pt", weights_only=True))
"""

from sparsenn_core.compression.candidate import Candidate, refitted, restricted
from sparsenn_core.compression.compress import compress, sizes
from sparsenn_core.compression.layer_problem import LayerProblem, layer_problem
from sparsenn_core.compression.orders import (
    Order,
    OrderedPath,
    at_random,
    contribution,
    magnitude,
    matching_pursuit,
    path_norm,
)
from sparsenn_core.compression.report import LayerReport, Report, Size
from sparsenn_core.compression.samples import Samples, samples
from sparsenn_core.compression.scores import Loss, Score, loss_for, score
from sparsenn_core.compression.search import Path, narrowest, of_width
from sparsenn_core.compression.strength_path import StrengthPath
from sparsenn_core.compression.surgery import restored, with_weights_, without_neurons_

__all__ = [
    "Candidate",
    "LayerProblem",
    "LayerReport",
    "Loss",
    "Order",
    "OrderedPath",
    "Path",
    "Report",
    "Samples",
    "Score",
    "Size",
    "StrengthPath",
    "at_random",
    "compress",
    "contribution",
    "layer_problem",
    "loss_for",
    "magnitude",
    "matching_pursuit",
    "narrowest",
    "of_width",
    "path_norm",
    "refitted",
    "restored",
    "restricted",
    "samples",
    "score",
    "sizes",
    "with_weights_",
    "without_neurons_",
]
