"""Small networks and data with features of known structure, in float64, for the tests of compression."""

from __future__ import annotations

import itertools
from collections import OrderedDict

import torch
from torch import Tensor, nn

from sparsenn_core.compression import LayerProblem, layer_problem, samples
from sparsenn_core.networks import feed
from sparsenn_core.randomness import generator


def drawn(module: nn.Module, seed: int) -> nn.Module:
    """The module in float64 and eval mode, with parameters and running statistics from a private generator."""
    module = module.double().eval()
    source = generator(seed, "weights")
    with torch.no_grad():
        for name, values in [*module.named_parameters(), *module.named_buffers()]:
            if values.dtype.is_floating_point:
                fan = values[0].numel() if values.ndim > 1 else 1
                new = torch.randn(values.shape, generator=source, dtype=torch.float64) / fan**0.5
                values.copy_(new.abs() + 0.5 if name.endswith("running_var") else new)
    return module


def perceptron(seed: int = 0, widths: tuple[int, ...] = (6, 20, 15, 3), bias: bool = True) -> nn.Sequential:
    """Linear layers "0", "2", "4", ... with ReLUs between."""
    modules: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        modules += [nn.Linear(inputs, outputs, bias), nn.ReLU()]
    return drawn(nn.Sequential(*modules[:-1]), seed)


def convolutional(seed: int = 0) -> nn.Sequential:
    """Convolutions with batch norm and pools, then linear layers; inputs [n, 2, 8, 8]."""
    return drawn(
        nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(2, 8, 3, padding=1),
                norm1=nn.BatchNorm2d(8),
                relu1=nn.ReLU(inplace=True),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(8, 6, 3, stride=2, padding=(1, 0), bias=False),
                relu2=nn.ReLU(),
                pool2=nn.AvgPool2d((2, 1)),
                flat=nn.Flatten(),
                norm2=nn.BatchNorm1d(6),
                drop=nn.Dropout(),
                fc1=nn.Linear(6, 7),
                relu3=nn.ReLU(),
                fc2=nn.Linear(7, 3),
            )
        ),
        seed,
    )


def flattened(seed: int = 0) -> nn.Sequential:
    """A convolution whose channels are flattened, 9 entries each; inputs [n, 1, 5, 5]."""
    return drawn(
        nn.Sequential(nn.Conv2d(1, 10, 3), nn.ReLU(), nn.Flatten(), nn.Linear(90, 8), nn.ReLU(), nn.Linear(8, 3)), seed
    )


def images(shape: tuple[int, ...], seed: int = 0, count: int = 300) -> tuple[Tensor, Tensor]:
    """Normal inputs [count, *shape] in float64 and three classes."""
    source = generator(seed, "data")
    x = torch.randn(count, *shape, generator=source, dtype=torch.float64)
    return x, torch.randint(0, 3, (count,), generator=source)


def problem_of(model: nn.Module, layer: str, data: tuple[Tensor, Tensor]) -> LayerProblem:
    """The problem of one layer on all of the data."""
    whole, _ = samples(data, data, model)
    return layer_problem(model, model, feed(model, layer), whole, progress=False)
