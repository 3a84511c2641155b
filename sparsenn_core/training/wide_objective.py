"""Mean squared error plus L1 of one fully connected network, layers of any widths, and L-BFGS-B on it."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from sparsenn_core.networks import MLP
from sparsenn_core.training.unit_moves import Weights, balanced


class WideObjective:
    """mean squared error of an MLP on x [n, in], y [n, out] + strength sum |w|, float64, for layers of any widths."""

    def __init__(self, template: MLP, x: Tensor, y: Tensor, strength: float) -> None:
        self.activation, self.last_activation = template.activation, template.last_activation
        # features first: the products of a wide layer then run over samples in memory order
        self.x, self.y, self.strength = x.T.contiguous(), y.T.contiguous(), strength

    def loss(self, weights: Weights) -> Tensor:
        """The mean squared error."""
        h = self.x
        for w in weights[:-1]:
            h = self.activation(w @ h)
        return (self.last_activation(weights[-1] @ h) - self.y).square().mean(1).mean()

    def value(self, weights: Weights) -> float:
        """Error and penalty."""
        with torch.no_grad():
            return float(self.loss(weights)) + self.strength * float(sum(w.abs().sum() for w in weights))

    def slopes(self, weights: Weights) -> tuple[float, list[Tensor]]:
        """The error and its gradient, layer by layer."""
        leaves = [w.detach().clone().requires_grad_() for w in weights]
        with torch.enable_grad():
            loss = self.loss(leaves)
            return float(loss.detach()), list(torch.autograd.grad(loss, leaves))

    def residual(self, weights: Weights) -> float:
        """The largest entry of the shortest subgradient."""
        largest = 0.0
        for w, g in zip(weights, self.slopes(weights)[1], strict=True):
            at_zero = (g.abs() - self.strength).clamp(min=0)
            largest = max(largest, float(torch.where(w == 0, at_zero, (g + self.strength * w.sign()).abs()).max()))
        return largest

    def polished(self, weights: Weights, iterations: int) -> Weights:
        """L-BFGS-B on the positive and negative parts of the weights, which ends with exact zeros.

        relu scales are balanced first: along them the objective is so flat that L-BFGS would crawl.
        """
        weights = balanced(weights, self.activation)
        shapes, sizes = [w.shape for w in weights], [w.numel() for w in weights]

        def layers(flat: np.ndarray) -> Weights:
            parts = torch.from_numpy(flat).split(sizes)
            return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

        def split(parts: np.ndarray) -> tuple[float, np.ndarray]:
            p, q = np.split(parts, 2)
            loss, slopes = self.slopes(layers(p - q))
            g = torch.cat([s.flatten() for s in slopes]).numpy()
            return loss + self.strength * float(parts.sum()), np.concatenate([g + self.strength, self.strength - g])

        flat = torch.cat([w.flatten() for w in weights]).numpy()
        start = np.concatenate([np.maximum(flat, 0), np.maximum(-flat, 0)])
        # the projected gradient is the residual of the network; with ftol 0 nothing else ends the search early
        options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 0.0, "gtol": self.strength / 1000}
        found = minimize(split, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options=options)
        p, q = np.split(found.x, 2)
        return [w.clone() for w in layers(p - q)]
