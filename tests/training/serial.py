"""The slow obvious twin: one network at a time, written as research code writes it."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from sparsenn_core.randomness import generator


def soft(w, threshold):
    return w.sign() * (w.abs() - threshold).clamp(min=0)


def penalty_term(parameters, l1, l2):
    return sum(l1 * p.abs().sum() + l2 * (p * p).sum() for p in parameters)


def proximal_step(parameters, optimizer, kind, lr, l1, l2):
    """The prox after a torch.optim step, with the step size that the optimizer used."""
    with torch.no_grad():
        for p in parameters:
            size = torch.tensor(lr, dtype=p.dtype)
            if kind == "adam":
                state = optimizer.state[p]
                group = optimizer.param_groups[0]
                correction = (1 - group["betas"][1] ** state["step"].item()) ** 0.5
                size = lr / (state["exp_avg_sq"].sqrt() / correction + group["eps"])
            p.copy_(soft(p, size * l1) / (1 + 2 * size * l2))


def train(
    module, x, y, *, kind, lr, steps, seed, batch_size, l1=0.0, l2=0.0, momentum=0.0, weight_decay=0.0, proximal=False
):
    """`steps` steps of torch.optim on `module`, in place; the losses (with penalty) before each step."""
    parameters = list(module.parameters())
    if kind == "sgd":
        optimizer = torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)
    else:
        optimizer = torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay)
    if batch_size is None:
        batches = [(x, y)]
    else:
        order = generator(seed, "order")
        batches = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True, generator=order)
    losses = []
    while len(losses) < steps:
        for bx, by in batches:
            if len(losses) == steps:
                break
            optimizer.zero_grad()
            plain = torch.nn.functional.mse_loss(module(bx), by)
            full = plain + penalty_term(parameters, l1, l2)
            (plain if proximal else full).backward()
            optimizer.step()
            if proximal:
                proximal_step(parameters, optimizer, kind, lr, l1, l2)
            losses.append(full.item())
    return losses
