"""Networks: those of the study, for checkpoints that users bring, and small ones that are trained here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

VGG19: tuple[int | str, ...] = (
    64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool", 512, 512, 512, 512, "pool", 512, 512, 512, 512, "pool"
)  # fmt: skip
"""Channels of configuration E of Simonyan and Zisserman (2015)."""
ALEXNET_CROP, ALEXNET_SIZE = 64, 70
"""The study resizes CIFAR-10 images to 70 pixels and trains on crops of 64."""
NORMALISED = ((125.3 / 255, 123.0 / 255, 113.9 / 255), (63.0 / 255, 62.1 / 255, 66.7 / 255))
"""Mean and standard deviation with which the study normalises the inputs of VGG-19."""


class Vision(nn.Module):
    """`features`, then `classifier` on what they give, flattened; parameter names as in the study's checkpoints."""

    def __init__(self, features: Sequence[nn.Module], classifier: Sequence[nn.Module]) -> None:
        super().__init__()
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(*classifier)

    def forward(self, x: Tensor) -> Tensor:
        """[n, 3, height, width] -> [n, 10]."""
        return self.classifier(self.features(x).flatten(1))


def vgg19(classes: int = 10) -> Vision:
    """VGG-19 with batch norm for CIFAR-10, images of 32 x 32: 16 convolutions, then 512 - 512 - 512 - 10.

    The study compresses what `classifier.6` reads, 512 neurons.
    """
    features: list[nn.Module] = []
    channels = 3
    for width in VGG19:
        if isinstance(width, str):
            features.append(nn.MaxPool2d(2))
        else:
            features += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
    return Vision(features, _classifier(512, 512, classes))


def alexnet(classes: int = 10) -> Vision:
    """AlexNet in one column (Krizhevsky 2014) for CIFAR-10 at 64 x 64: 9216 - 4096 - 4096 - 10 after five convolutions.

    The study compresses what `classifier.6` (4096), `classifier.4` (4096) and `classifier.1` (256 channels of 36
    entries, 9216) read.
    """
    features = [
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.AdaptiveAvgPool2d(6),
    ]  # fmt: skip
    return Vision(features, _classifier(9216, 4096, classes))


def load_checkpoint(model: nn.Module, path: str | Path) -> nn.Module:
    """The model with the weights of a file, in eval mode: a state dictionary, or one under the key "net".

    Only tensors are read (`weights_only=True`). Names may start with "module.", as parallel training writes them.
    `InputError` where the file is not there or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of a checkpoint that torch.save wrote")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever unpickling of an unknown file raises
        raise InputError(f"{path}: is no file of plain tensors: {type(error).__name__}") from error
    found = found.get("net", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path}: holds no dictionary of tensors")
    try:
        model.load_state_dict({name.removeprefix("module."): value for name, value in found.items()})
    except RuntimeError as error:
        raise InputError(f"{path}: does not fit: {' '.join(str(error).split())}") from error
    return model.eval()


def train_alexnet_(model: nn.Module, x: Tensor, y: Tensor, *, epochs: int = 40, seed: int = 1) -> nn.Module:
    """The study's recipe for AlexNet, in place: images x [n, 3, 32, 32] in [0, 1] and classes y [n], CIFAR-10 say.

    Resized to 70 pixels, a random crop of 64 each time, Adam with rate 1e-3 and weight decay 1e-4, batches of 256, 40
    epochs. Cost: hours on CPU for 50,000 images.
    """
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)
    order, crops = generator(seed, "order"), generator(seed, "crops")
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(256):
            large = nn.functional.interpolate(x[batch], size=ALEXNET_SIZE, mode="bilinear", antialias=True)
            top, left = torch.randint(0, ALEXNET_SIZE - ALEXNET_CROP + 1, (2,), generator=crops).tolist()
            crop = large[:, :, top : top + ALEXNET_CROP, left : left + ALEXNET_CROP]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(crop.to(device)), y[batch].to(device)).backward()
            optimizer.step()
    return model.eval()


def perceptron(inputs: int, hidden: int) -> nn.Sequential:
    """inputs - hidden - hidden - 10 on images; layers fc1, fc2, fc3."""
    return nn.Sequential(
        OrderedDict(
            flat=nn.Flatten(),
            fc1=nn.Linear(inputs, hidden),
            relu1=nn.ReLU(),
            fc2=nn.Linear(hidden, hidden),
            relu2=nn.ReLU(),
            fc3=nn.Linear(hidden, 10),
        )
    )


def small_alexnet(side: int, hidden: int) -> nn.Sequential:
    """Three convolutions and three linear layers for grey images of side x side pixels: conv1 to conv3, fc1 to fc3."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(32, 32, 3, padding=1),
            relu3=nn.ReLU(),
            pool3=nn.MaxPool2d(2),
            flat=nn.Flatten(),
            fc1=nn.Linear(32 * (side // 4) ** 2, hidden),
            relu4=nn.ReLU(),
            fc2=nn.Linear(hidden, hidden),
            relu5=nn.ReLU(),
            fc3=nn.Linear(hidden, 10),
        )
    )


def _classifier(inputs: int, hidden: int, classes: int) -> list[nn.Module]:
    return [
        nn.Dropout(), nn.Linear(inputs, hidden), nn.ReLU(inplace=True),
        nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, classes),
    ]  # fmt: skip
