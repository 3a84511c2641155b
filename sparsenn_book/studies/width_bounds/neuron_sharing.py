"""The data of the neuron-sharing study: 50 points in the plane, two outputs of a 2-5-2 ReLU network.

The study (Shenouda, Parhi, Lee, Nowak 2023) seeds one global generator with 43, draws the inputs, then builds the
generating network with PyTorch's default initial weights; its student has 100 units and seed 49. The same numbers come
here from private generators: x ~ N(0, I), weights and biases uniform on +-1/sqrt(fan_in), the output without a bias.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

DATA_SEED = 43
STUDENT_SEED = 49
STUDENT_WIDTH = 100
STRENGTH = 5e-5
STEP_SIZE = 0.2


def relu_network(inputs: int, width: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Linear, ReLU, Linear without output bias; PyTorch's default initial weights, drawn in its order, float32."""
    hidden = nn.utils.skip_init(nn.Linear, inputs, width)
    output = nn.utils.skip_init(nn.Linear, width, outputs, bias=False)
    with torch.no_grad():
        for parameter, fan_in in ((hidden.weight, inputs), (hidden.bias, inputs), (output.weight, width)):
            parameter.uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=generator)
    return nn.Sequential(hidden, nn.ReLU(), output)


def problem(seed: int = DATA_SEED, samples: int = 50, width: int = 5) -> tuple[Tensor, Tensor, nn.Sequential]:
    """(x [samples, 2], y [samples, 2], the generating network), float32 as in the study; noiseless."""
    stream = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 2, generator=stream)
    teacher = relu_network(2, width, 2, stream)
    with torch.no_grad():
        return x, teacher(x), teacher


def student(seed: int = STUDENT_SEED, width: int = STUDENT_WIDTH) -> nn.Sequential:
    """The study's student before training."""
    return relu_network(2, width, 2, torch.Generator().manual_seed(seed))
