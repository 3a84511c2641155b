"""Plain `nn.Module`s of the studies, their initial weights, literal teachers and embeddings; reading any network."""

from sparsenn_core.networks.cnn import DisjointConv1d, SplitFilterCNN, TreeCNN, baseline_cnn, multi_channel_cnn
from sparsenn_core.networks.embedding import embed
from sparsenn_core.networks.feeding import Feed, feed, feeds, layer_inputs
from sparsenn_core.networks.initialization import activation_module, initialize_default_, initialize_study_
from sparsenn_core.networks.layers import Layer
from sparsenn_core.networks.mlp import MLP
from sparsenn_core.networks.operations import Operation
from sparsenn_core.networks.path_norm import balance, half_squares, shallow_relu_layers, vv_norm
from sparsenn_core.networks.reading import Reading, reading
from sparsenn_core.networks.students import student
from sparsenn_core.networks.teachers import literal_teacher

__all__ = [
    "MLP",
    "DisjointConv1d",
    "Feed",
    "Layer",
    "Operation",
    "Reading",
    "SplitFilterCNN",
    "TreeCNN",
    "activation_module",
    "balance",
    "baseline_cnn",
    "embed",
    "feed",
    "feeds",
    "half_squares",
    "initialize_default_",
    "initialize_study_",
    "layer_inputs",
    "literal_teacher",
    "multi_channel_cnn",
    "reading",
    "shallow_relu_layers",
    "student",
    "vv_norm",
]
