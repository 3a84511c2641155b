"""The data of the neuron-sharing study: 50 points in the plane, two outputs of a 2-5-2 ReLU network.

The study (Shenouda, Parhi, Lee, Nowak 2023) seeds one global generator with 43, draws the inputs, then builds the
generating network with PyTorch's default initial weights; its student has 100 units and seed 49. The same numbers come
here from private generators: x ~ N(0, I), weights and biases uniform on +-1/sqrt(fan_in), the output without a bias.
The last bits of such a draw depend on the processor, so the data are read from files; `drawn_problem` made them.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_book.sources.project import data_file

DATA_SEED = 43
STUDENT_SEED = 49
STUDENT_WIDTH = 100
STRENGTH = 5e-5
STEP_SIZE = 0.2


def problem() -> tuple[Tensor, Tensor, nn.Sequential]:
    """(x [50, 2], y [50, 2], the generating network), float32 as in the study; noiseless. Read from the data files."""
    points = _read("neuron_sharing_points.csv")  # x1, x2, y1, y2
    neurons = _read("neuron_sharing_network.csv")  # w1, w2, b, v1, v2
    network = _network(2, len(neurons), 2)
    with torch.no_grad():
        for parameter, values in zip(
            network.parameters(), (neurons[:, :2], neurons[:, 2], neurons[:, 3:].T), strict=True
        ):
            parameter.copy_(values)
    return points[:, :2].contiguous(), points[:, 2:].contiguous(), network


def drawn_problem() -> tuple[Tensor, Tensor, nn.Sequential]:
    """The same by the study's recipe; on another processor equal to the files up to float32 rounding."""
    stream = torch.Generator().manual_seed(DATA_SEED)
    x = torch.randn(50, 2, generator=stream)
    teacher = relu_network(2, 5, 2, stream)
    with torch.no_grad():
        return x, teacher(x), teacher


def student(seed: int = STUDENT_SEED, width: int = STUDENT_WIDTH) -> nn.Sequential:
    """The study's student before training; the same bits on every machine."""
    return relu_network(2, width, 2, torch.Generator().manual_seed(seed))


def relu_network(inputs: int, width: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Linear, ReLU, Linear without output bias; PyTorch's default initial weights, drawn in its order, float32.

    PyTorch scales each draw in float32, rounding once or twice as the processor has it. Here it is scaled in float64
    and rounded once: what PyTorch gives where multiply and add are one instruction, and the same everywhere.
    """
    network = _network(inputs, width, outputs)
    with torch.no_grad():
        for parameter, fan_in in zip(network.parameters(), (inputs, inputs, width), strict=True):
            bound = float(np.float32(1 / math.sqrt(fan_in)))
            unit = torch.rand(parameter.shape, generator=generator).double()  # 24 bits each, exact
            parameter.copy_(2 * bound * unit - bound)
    return network


def _network(inputs: int, width: int, outputs: int) -> nn.Sequential:
    hidden = nn.utils.skip_init(nn.Linear, inputs, width)
    return nn.Sequential(hidden, nn.ReLU(), nn.utils.skip_init(nn.Linear, width, outputs, bias=False))


def _read(name: str) -> Tensor:
    """A data file, float32; its decimals are those of float32 numbers and come back bit for bit."""
    return torch.from_numpy(np.loadtxt(data_file(name), np.float32, delimiter=",", skiprows=1))
