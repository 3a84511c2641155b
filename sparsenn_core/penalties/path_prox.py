"""PathProx: training with the path norm of one hidden layer, every neuron's incoming weights kept at length one.

Weight decay pays strength * sum_k ||v_k|| ||wbar_k|| (see `path_norm`), and a network does not change when wbar_k is
scaled to length one and v_k by the inverse. So its minima are those of loss + strength * sum_k ||v_k|| over networks
with ||wbar_k|| = 1. That penalty is a sum over wbar_k and over v_k, and its prox is known in closed form: wbar_k goes
to wbar_k / ||wbar_k||, v_k to max(0, 1 - step * strength / ||v_k||) v_k. Together with a gradient step of the loss this
is PathProx (Yang, Zhang, Shenouda, Papailiopoulos, Lee, Nowak 2022, arXiv:2210.03069).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.networks import shallow_relu_layers
from sparsenn_core.penalties.base import Params, Penalty, Step, Strength, max_runs, per_run, sum_runs
from sparsenn_core.penalties.grouped import GroupL2


@dataclass(frozen=True)
class PathProx(Penalty):
    """strength * sum_k ||v_k||_2 over networks with ||(w_k, b_k)||_2 = 1; train it with `ProximalSGD`.

    `incoming` names the hidden weight [K, in], `bias` its bias [K] (None: none), `outgoing` the next weight [out, K];
    `PathProx.of(network, strength)` takes the names from a network. `value` is the scaled path norm strength *
    sum_k ||v_k|| ||wbar_k||, which is the penalty where the constraint holds and does not depend on how a unit is
    scaled where it does not. Runs of strength zero have no penalty and no constraint: `prox` leaves them as they are.
    Not convex (the sphere is not).
    """

    incoming: str
    bias: str | None
    outgoing: str
    convex = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.only is not None or self.weights_only:
            raise InputError("PathProx acts on the three tensors it names together; leave out only= and weights_only=")

    @classmethod
    def of(cls, network: nn.Module, strength: Strength) -> PathProx:
        """The penalty for networks like this one, linear(relu(linear(x))); `InputError` for any other."""
        hidden, output = shallow_relu_layers(network, plain=True)
        assert hidden.weight_name is not None
        assert output.weight_name is not None
        return cls(strength, hidden.weight_name, hidden.bias_name, output.weight_name)

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        names = [name for name in (self.incoming, self.bias, self.outgoing) if name is not None]
        for name in names:
            if name not in params:
                raise unknown("parameter", name, params, where="PathProx")
        return [(name, params[name]) for name in names]

    def norms(self, params: Params) -> tuple[Tensor, Tensor]:
        """||wbar_k|| and ||v_k||, [R, K] each."""
        return self._wbar(params).norm(dim=2), params[self.outgoing].norm(dim=1)

    def value(self, params: Params) -> Tensor:
        incoming, outgoing = self.norms(params)
        return self.strength * sum_runs(incoming * outgoing)

    def prox(self, params: Params, step: Step) -> Params:
        if isinstance(step, dict):
            raise InputError("PathProx has no closed-form prox for a step per weight; use ProximalSGD")
        incoming, outgoing = self.norms(params)
        tiny = torch.finfo(outgoing.dtype).tiny
        threshold = per_run(step, outgoing) * per_run(self.strength, outgoing)
        # a neuron of length zero stays zero; the clamp only avoids 0 / 0
        kept = (1 - threshold / outgoing.clamp(min=tiny)).clamp(min=0)
        length = torch.where(per_run(self.strength, incoming) > 0, incoming.clamp(min=tiny), 1.0)
        new = {
            self.incoming: params[self.incoming] / length[..., None],
            self.outgoing: params[self.outgoing] * kept[:, None, :],
        }
        if self.bias is not None:
            new[self.bias] = params[self.bias] / length
        return params | new

    def residual(self, params: Params, grad: Params) -> Tensor:
        """The normal cone of the sphere is the line through wbar_k, so only the tangential part of its gradient counts.

        Meant for networks on the constraint set, as `prox` leaves them. Parameters that it does not name have no
        penalty: there the gradient counts.
        """
        wbar, g = self._wbar(params), self._wbar(grad)
        radial = (g * wbar).sum(2, keepdim=True) * wbar
        into = g - torch.where(per_run(self.strength, wbar) > 0, radial, 0.0)
        out = GroupL2(self.strength, groups={self.outgoing: 1})
        rest = out.residual({self.outgoing: params[self.outgoing]}, {self.outgoing: grad[self.outgoing]})
        return torch.stack([max_runs(into.abs()), rest, *self._worst_elsewhere(grad)]).amax(0)

    def _wbar(self, params: Params) -> Tensor:
        weight = params[self.incoming]
        return weight if self.bias is None else torch.cat([weight, params[self.bias][..., None]], 2)
