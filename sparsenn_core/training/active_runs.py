"""The runs still in training, stacked; finished runs leave and the stack is compacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparsenn_core.penalties import Params, Penalty
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.flat import Layout
from sparsenn_core.training.optimizer import Coefficients, Optimizer

ALL = "all"
"""The name under which an optimizer sees the rows of all trained parameters."""


@dataclass
class Group:
    """Some places of the stack that are trained together; tensors are views, so writing here trains the runs.

    `weights` and the parts of `state` are rows [r, length] of trained parameters, `params` all parameters by name.
    """

    places: slice
    layout: Layout
    weights: Tensor
    params: Params
    buffers: Params
    state: dict[str, Tensor]
    optimizer: Optimizer
    penalty: Penalty | None
    seeds: Tensor | None
    steady: Coefficients | None = None

    def __post_init__(self) -> None:
        self.grads = torch.zeros_like(self.weights)
        self.grad_views = self.layout.views(self.grads)
        self.rows = list(self.optimizer.rows())

    def coefficients(self, step: int) -> Coefficients:
        """The optimizer's coefficients at `step` in the type of the weights."""
        if self.steady is None or not self.optimizer.steady:
            self.steady = {k: v.to(self.weights.dtype) for k, v in self.optimizer.coefficients(step).items()}
        return self.steady


class ActiveRuns:
    """Parameters, optimizer state and settings of the runs in training, and the finished runs' weights.

    Place p of the stack trains run `runs[p]`; a place that is not `busy` idles: it is computed along and its result is
    dropped. Because runs do not touch each other, leaving or idling changes nothing for the others. Of several runs at
    least two places stay: a batched product of a single matrix takes another path, which differs in the last bit. Index
    tensors live on the CPU.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        optimizer: Optimizer,
        penalty: Penalty | None,
        names: Sequence[str],
        seeds: Tensor | None = None,
    ) -> None:
        self.ensemble = ensemble
        self.count = len(ensemble)
        self.layout = Layout.of(ensemble.params, names)
        self.weights = self.layout.flat(ensemble.params)
        # copies: hooks may write into them
        self.frozen = {k: v.clone() for k, v in ensemble.params.items() if k not in names}
        self.buffers = {k: v.clone() for k, v in ensemble.buffers.items()}
        self.all_optimizers, self.all_penalties, self.all_seeds = optimizer, penalty, seeds
        self.state = {part: rows[ALL] for part, rows in optimizer.init({ALL: self.weights}).items()}
        self.runs = torch.arange(self.count)
        self.busy = torch.ones(self.count, dtype=torch.bool)
        # of runs that have left, and of all runs at their best; made when they are needed
        self.last: tuple[Tensor, Params] | None = None
        self.best: tuple[Tensor, Params] | None = None

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def training(self) -> bool:
        """Whether any run is still in training."""
        return bool(self.busy.any())

    @property
    def params(self) -> Params:
        """All parameters by name, in the order of the ensemble: views of the rows, and the frozen ones."""
        views = self.layout.views(self.weights)
        return {k: views[k] if k in views else self.frozen[k] for k in self.ensemble.params}

    def group(self, places: slice) -> Group:
        """The places as one group.

        `.data` gives the views version numbers of their own: groups in other threads write into the same memory, and
        automatic differentiation would take that for a change of theirs.
        """
        rows = self.runs[places].to(self.weights.device)
        weights = self.weights[places].data
        views = self.layout.views(weights)
        return Group(
            places,
            self.layout,
            weights,
            {k: views[k] if k in views else self.frozen[k][places] for k in self.ensemble.params},
            {k: v[places].data for k, v in self.buffers.items()},
            {k: v[places] for k, v in self.state.items()},
            self.all_optimizers.select(rows),
            None if self.all_penalties is None else self.all_penalties.select(rows),
            None if self.all_seeds is None else self.all_seeds[rows],
        )

    def ensemble_of(self, places: Tensor, template: nn.Module) -> Ensemble:
        """The networks in `places` as they are now, as modules like `template`."""
        rows = places.to(self.weights.device)
        return Ensemble(
            template, {k: v[rows] for k, v in self.params.items()}, {k: v[rows] for k, v in self.buffers.items()}
        )

    def keep_best(self, places: Tensor) -> None:
        """Remember the present weights of `places` as their runs' best."""
        if len(places):
            self.best = self._kept(self.best, places)

    def retire(self, places: Tensor) -> None:
        """Remember the weights of `places` as their runs' last and let them idle."""
        self.last = self._kept(self.last, places)
        self.busy[places] = False

    def compact(self, *, idle_allowed: bool) -> bool:
        """Drop idle places; with `idle_allowed` only once half of them idle (each size costs a compilation)."""
        working = int(self.busy.sum())
        if working == len(self) or (idle_allowed and working > len(self) / 2):
            return False
        keep = self.busy.nonzero()[:, 0]
        if working == 1:
            keep = torch.cat([keep, (~self.busy).nonzero()[:1, 0]])
        if len(keep) == len(self):
            return False
        rows = keep.to(self.weights.device)
        self.weights = self.weights[rows]
        self.frozen, self.buffers, self.state = (
            {k: v[rows] for k, v in part.items()} for part in (self.frozen, self.buffers, self.state)
        )
        self.runs, self.busy = self.runs[keep], self.busy[keep]
        return True

    def whole(self) -> Ensemble:
        """All runs with their last weights."""
        if self.last is None:
            return self._ensemble(self.weights, self.frozen | self.buffers)
        return self._ensemble(*self._kept(self.last, self.busy.nonzero()[:, 0]))

    def whole_best(self) -> Ensemble:
        """All runs with their best weights."""
        return self._ensemble(*(self.best or self._first()))

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, for a checkpoint."""
        return {name: getattr(self, name) for name in self._changing()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Put back what `state_dict` gave."""
        device = self.weights.device
        for name in self._changing():
            setattr(self, name, saved[name] if name in ("runs", "busy") else _moved(saved[name], device))

    @staticmethod
    def _changing() -> tuple[str, ...]:
        return ("weights", "frozen", "buffers", "state", "runs", "busy", "last", "best")

    def _first(self) -> tuple[Tensor, Params]:
        others = {k: v for k, v in self.ensemble.params.items() if k in self.frozen} | self.ensemble.buffers
        return self.layout.flat(self.ensemble.params), {k: v.clone() for k, v in others.items()}

    def _kept(self, store: tuple[Tensor, Params] | None, places: Tensor) -> tuple[Tensor, Params]:
        """`store`, trained weights and all other tensors, with those of `places` written over those of their runs."""
        weights, others = store or self._first()
        now = self.frozen | self.buffers
        runs, rows = self.runs[places].to(self.weights.device), places.to(self.weights.device)
        weights[runs] = self.weights[rows]
        for k, v in others.items():
            v[runs] = now[k][rows]
        return weights, others

    def _ensemble(self, weights: Tensor, others: Params) -> Ensemble:
        own, now = self.ensemble, self.layout.views(weights) | others
        params, buffers = ({k: now[k].clone() for k in part} for part in (own.params, own.buffers))
        return Ensemble(own.template, params, buffers)


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _moved(v, device) for k, v in value.items()}
    return None if value is None else tuple(_moved(v, device) for v in value)
