"""The slow obvious twin of the rebound study: one network, autograd and torch.optim, one step after the other."""

import copy

import torch
from torch import nn


def drr(parameters, strength, beta, rho):
    """The study's penalty, layer by layer: every layer weighs as if it had the mean number of parameters."""
    layers = [parameters[i : i + 2] for i in range(0, len(parameters), 2)]
    sizes = [sum(p.numel() for p in layer) for layer in layers]
    total = 0.0
    for layer, size in zip(layers, sizes, strict=True):
        factor = sum(sizes) / len(sizes) / size
        for p in layer:
            total = total + factor * (strength * (1 - torch.exp(-beta * p.abs())).sum() + rho * p.square().sum())
    return total


def train(student, teacher, x, y, settings):
    """Squared distances at epochs 0 .. epochs and training losses with penalty at the same."""
    net = copy.deepcopy(student)
    parameters = list(net.parameters())
    star = [p.detach().double() for p in teacher.parameters()]
    kind = torch.optim.SGD if settings.optimizer == "sgd" else torch.optim.Adam
    optimizer = kind(parameters, lr=settings.learning_rate)
    distances, losses = [], []
    for epoch in range(settings.epochs + 1):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        if settings.rule == "l1":
            loss = loss + settings.alpha * sum(p.abs().sum() for p in parameters)
        elif settings.rule == "drr":
            loss = loss + drr(parameters, settings.alpha, settings.beta, settings.rho)
        distances.append(
            sum(float((p.detach().double() - s).square().sum()) for p, s in zip(parameters, star, strict=True))
        )
        losses.append(loss.item())
        if epoch < settings.epochs:
            loss.backward()
            optimizer.step()
    return torch.tensor(distances, dtype=torch.float64), torch.tensor(losses, dtype=torch.float64)
