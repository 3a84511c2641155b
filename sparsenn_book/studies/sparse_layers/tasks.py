"""The tasks: data of each run, the network's shape, the loss and the measure of error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.datasets import Images, load
from sparsenn_core.errors import InputError, unknown
from sparsenn_core.randomness import generator

Samples = tuple[Tensor, Tensor, Tensor, Tensor]
"""Training inputs and targets, test inputs and targets."""
TEST_SAMPLES = 2000


@dataclass(frozen=True)
class Task:
    """What is learned, and by what: input - sparse linear layer - ReLU - linear layer, or what `network` makes, with
    the layers `sparse`, the first one first.

    The first `true_inputs` inputs matter; `fresh` tasks see each sample once, as many as the training asks for, the
    others have `samples`. `draw(seed, samples)` gives those of a run; `draw_for_tuning`, where that differs, those on
    which learning rates are tried, so that the test samples of runs that are reported choose nothing. `pictures` says
    that all runs are tested on the same pictures. `error` of outputs and targets of one run is the mean squared error,
    or the share of wrong classes. `inputs` are those of a unit of the first layer.
    """

    name: str
    inputs: int
    hidden: int
    outputs: int
    true_inputs: int
    samples: int
    draw: Callable[[int, int], Samples]
    unit: str
    fresh: bool = False
    pictures: bool = False
    draw_for_tuning: Callable[[int, int], Samples] | None = None
    network: Callable[[], nn.Sequential] | None = None
    sparse: tuple[str, ...] = ("0",)

    def make(self) -> nn.Sequential:
        """The dense network."""
        if self.network is not None:
            return self.network()
        return nn.Sequential(nn.Linear(self.inputs, self.hidden), nn.ReLU(), nn.Linear(self.hidden, self.outputs))

    def for_tuning(self) -> Task:
        """The task as learning rates are tried on it."""
        return self if self.draw_for_tuning is None else replace(self, draw=self.draw_for_tuning)

    @property
    def classifies(self) -> bool:
        """Whether targets are classes."""
        return self.outputs > 1

    @property
    def loss(self) -> Callable[[Tensor, Tensor], Tensor]:
        """What is trained on."""
        return nn.functional.cross_entropy if self.classifies else nn.functional.mse_loss

    def error(self, outputs: Tensor, targets: Tensor) -> float:
        """The measure of error."""
        if self.classifies:
            return float((outputs.argmax(1) != targets).double().mean())
        return float((outputs - targets).square().mean())


def linear(seed: int, samples: int) -> Samples:
    """The sum of 20 standard normal inputs, of variance 20."""
    x = _normal(seed, samples + TEST_SAMPLES, 20)
    return _split(x, x.sum(1, keepdim=True), samples)


def nonlinear(seed: int, samples: int) -> Samples:
    """x1 x2 + |x3| + max(x4, x5) of 50 standard normal inputs, shifted and scaled to mean 0 and variance 1.

    The terms' variances are 1, 1 - 2/pi and 1 - 1/pi, their means 0, sqrt(2/pi) and 1/sqrt(pi).
    """
    x = _normal(seed, samples + TEST_SAMPLES, 50)
    y = x[:, 0] * x[:, 1] + x[:, 2].abs() + torch.maximum(x[:, 3], x[:, 4])
    y = (y - math.sqrt(2 / math.pi) - 1 / math.sqrt(math.pi)) / math.sqrt(3 - 3 / math.pi)
    return _split(x, y.unsqueeze(1), samples)


def digits(seed: int, samples: int) -> Samples:
    """Scikit-learn's 1797 digits of 8 x 8 pixels, in an order of the run's own: the first train, the others test."""
    images, classes = _digits()
    order = torch.randperm(len(images), generator=generator(seed, "digits"))
    x, y = images[order], classes[order]
    return x[:samples], y[:samples], x[samples:], y[samples:]


def fashion(seed: int, samples: int) -> Samples:
    """Pictures of 28 x 28 pixels drawn from Fashion-MNIST's 60,000 for training, and its 10,000 for the test."""
    images = _fashion()
    chosen = _drawn_pictures(seed, samples)
    return images.train_x.flatten(1)[chosen], images.train_y[chosen], images.test_x.flatten(1), images.test_y


def fashion_for_tuning(seed: int, samples: int) -> Samples:
    """The same for training; the test pictures are drawn from those for training, too, and from no others."""
    images = _fashion()
    chosen = _drawn_pictures(seed, samples + TEST_SAMPLES)
    x, y = images.train_x.flatten(1)[chosen], images.train_y[chosen]
    return x[:samples], y[:samples], x[samples:], y[samples:]


def small_convolution() -> nn.Sequential:
    """A convolution 5 x 5 with stride 3, of 8 channels, one 3 x 3 with stride 2, of 16, and a linear layer."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 5, 3), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 3 * 3, 10),
    )  # fmt: skip


WRONG = "share of wrong pictures"
TASKS = {
    task.name: task
    for task in (
        Task("linear", 20, 64, 1, 20, 0, linear, "mean squared error (variance 20)", fresh=True),
        Task("nonlinear", 50, 128, 1, 5, 4096, nonlinear, "mean squared error (variance 1)"),
        Task("digits", 64, 128, 10, 64, 1297, digits, "share of wrong digits"),
        Task("fashion", 784, 128, 10, 784, 0, fashion, WRONG, pictures=True, draw_for_tuning=fashion_for_tuning),
        Task("fashion_cnn", 25, 8, 10, 25, 0, fashion, WRONG, pictures=True, draw_for_tuning=fashion_for_tuning,
             network=small_convolution, sparse=("1", "3")),
    )
}  # fmt: skip


def task_of(name: str) -> Task:
    """The task of that name; `InputError` for another."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """All digits and their classes, parsed once: it takes longer than some trainings."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    x = torch.as_tensor(np.asarray(images), dtype=torch.float32) / 16
    return x, torch.as_tensor(np.asarray(classes), dtype=torch.int64)


@cache
def _fashion() -> Images:
    """All pictures, unpacked once."""
    return load("fashion-mnist")


def _drawn_pictures(seed: int, samples: int) -> Tensor:
    """Places of a run's pictures among those for training."""
    there = len(_fashion().train_x)
    if samples > there:
        raise InputError(f"pictures: {samples} are more than the {there} there are for training")
    return torch.randperm(there, generator=generator(seed, "pictures"))[:samples]


def _normal(seed: int, samples: int, inputs: int) -> Tensor:
    # drawn in float64, so that the numbers are the same whatever the type
    return torch.randn(samples, inputs, generator=generator(seed, "data"), dtype=torch.float64).float()


def _split(x: Tensor, y: Tensor, samples: int) -> Samples:
    return x[:samples], y[:samples], x[samples:], y[samples:]
