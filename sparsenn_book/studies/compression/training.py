"""The tasks, and R networks of one trained as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache

import torch
from torch import Tensor, nn

from sparsenn_book.studies.compression.networks import perceptron, small_alexnet
from sparsenn_book.studies.compression.settings import NetworkSettings
from sparsenn_core.datasets import Images, load
from sparsenn_core.errors import unknown
from sparsenn_core.networks import initialize_default_
from sparsenn_core.randomness import derive_seed, generator
from sparsenn_core.training import Adam, Data, Ensemble, fit

BATCH = 64
RATE, DECAY = 1e-3, 1e-4
"""Of Adam; the study trains its AlexNet so."""
TEST_SAMPLES = 2000
"""Test images of Fashion-MNIST on which networks are compared: one percent of them is a standard error of 0.2 %."""


@dataclass(frozen=True)
class Task:
    """Images and a network for them; `short`: trained for a fifth of the epochs, since there are many more images."""

    name: str
    data: str
    network: Callable[[int], nn.Sequential]
    short: bool = False


TASKS = {
    task.name: task
    for task in (
        Task("digits", "digits", lambda hidden: perceptron(64, hidden)),
        Task("digits_cnn", "digits", lambda hidden: small_alexnet(8, hidden)),
        Task("fashion", "fashion-mnist", lambda hidden: perceptron(784, hidden), short=True),
        Task("fashion_cnn", "fashion-mnist", lambda hidden: small_alexnet(28, hidden), short=True),
    )
}
"""The tasks by name."""


@dataclass(frozen=True)
class Trained:
    """Networks in eval mode, one a run, with the data that they saw and those that they did not."""

    networks: list[nn.Sequential]
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def task_of(name: str) -> Task:
    """The task of that name; `InputError` for another."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]


def trained(name: str, settings: NetworkSettings, device: str = "cpu") -> Trained:
    """The networks of a task, one for each of `settings.runs`: weights and order of minibatches differ, images do not.

    Trained once in a process, however many tables ask for them.
    """
    own = {field.name: getattr(settings, field.name) for field in fields(NetworkSettings)}
    return _trained(name, NetworkSettings(**own), device)


@cache
def _trained(name: str, settings: NetworkSettings, device: str) -> Trained:
    task, runs = task_of(name), settings.runs
    images = _images(task.data)
    count = settings.fashion_samples if task.short else len(images.train_x)
    train = images.train_x[:count].to(device), images.train_y[:count].to(device)
    seeds = [derive_seed(settings.seed, "compression", name, run) for run in range(runs)]

    def build(seed: int) -> nn.Module:
        return initialize_default_(task.network(settings.hidden), generator(seed, "init"))

    found = fit(
        Ensemble.stack([build(seed) for seed in seeds]).to(device),
        Data(train[0][None], train[1][None], torch.zeros(runs, dtype=torch.int64, device=device)),
        optimizer=Adam(RATE, weight_decay=DECAY),
        loss=nn.functional.cross_entropy,
        epochs=max(1, settings.epochs // 5) if task.short else settings.epochs,
        batch_size=BATCH,
        order=seeds,
    )
    networks = [task.network(settings.hidden).to(device) for _ in seeds]
    for network, one in zip(networks, found.ensemble, strict=True):
        network.load_state_dict(one.state_dict())
    test = images.test_x[:TEST_SAMPLES].to(device), images.test_y[:TEST_SAMPLES].to(device)
    return Trained([network.eval() for network in networks], train, test)


@cache
def _images(name: str) -> Images:
    """The images, unpacked once."""
    return load(name)
