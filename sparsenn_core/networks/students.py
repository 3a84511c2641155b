"""The students of the L1 study by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from sparsenn_core.errors import unknown
from sparsenn_core.networks.cnn import baseline_cnn, multi_channel_cnn
from sparsenn_core.networks.initialization import initialize_study_
from sparsenn_core.networks.mlp import MLP


def _fully_connected(*hidden: int) -> Callable[..., nn.Module]:
    def build(activation: str, *, last_activation: str, bias: bool, generator: torch.Generator) -> nn.Module:
        widths = (12, *hidden, 1)
        return MLP(widths, activation, last_activation=last_activation, bias=bias, generator=generator)

    return build


STUDENTS: dict[str, Callable[..., nn.Module]] = {
    "baseline": baseline_cnn,
    "multi_channel": multi_channel_cnn,
    "fcn_128_128": _fully_connected(128, 128),
    "fcn_256_32": _fully_connected(256, 32),
    "fcn_1024_128": _fully_connected(1024, 128),
}
"""7, 52, 18,048, 11,296 and 143,488 weights; 12 inputs, one output."""


def student(
    name: str,
    activation: str,
    init_scale: float,
    generator: torch.Generator,
    *,
    last_activation: str | None = None,
    bias: bool = False,
) -> nn.Module:
    """A student of the L1 study before training, float32, with the study's initial weights drawn from `generator`.

    `name`: baseline, multi_channel, fcn_128_128, fcn_256_32 or fcn_1024_128, each of [n, 12] -> [n, 1] without biases.
    `activation`: relu, sigmoid, tanh or gelu, after every layer; `last_activation` is one of its own after the last,
    e.g. "linear". `init_scale` > 0 multiplies the initial weights (`initialize_study_`). `bias=True` adds biases, zero
    at first. `InputError` for an unknown name.
    """
    if name not in STUDENTS:
        raise unknown("student", name, STUDENTS)
    last = last_activation or activation
    network = STUDENTS[name](activation, last_activation=last, bias=bias, generator=generator)
    return initialize_study_(network, activation, init_scale, generator)
