"""The runs still in training, stacked; finished runs leave and the stack is compacted."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sparsenn_core.penalties import Params, Penalty
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.optimizers import Coefficients, Optimizer, State


class ActiveRuns:
    """Parameters, optimizer state and settings of the runs in training, and the finished runs' weights.

    Place p of the stack trains run `runs[p]`; a place that is not `busy` idles: it is computed along and its result is
    dropped. Because runs do not touch each other, leaving or idling changes nothing for the others. There are always
    two places or more: a batched product of a single matrix takes another path, which differs in the last bit. Index
    tensors live on the CPU.
    """

    def __init__(self, ensemble: Ensemble, optimizer: Optimizer, penalty: Penalty | None) -> None:
        self.ensemble = ensemble
        self.count = len(ensemble)
        self.params: Params = {k: v.clone() for k, v in ensemble.params.items()}
        self.buffers = ensemble.buffers
        self.optimizer = self.all_optimizers = optimizer
        self.penalty = self.all_penalties = penalty
        self.state: State = optimizer.init(self.params)
        self.steady: Coefficients | None = None
        self.runs = torch.arange(self.count)
        self.busy = torch.ones(self.count, dtype=torch.bool)
        self.last: Params = {k: v.clone() for k, v in ensemble.params.items()}
        self.best: Params = {k: v.clone() for k, v in ensemble.params.items()}
        if self.count == 1:
            self._double()

    def __len__(self) -> int:
        return len(self.runs)

    def coefficients(self, step: int) -> Coefficients:
        """The optimizer's coefficients at `step` in the type of the weights."""
        if self.steady is None or not self.optimizer.steady:
            dtype = next(iter(self.last.values())).dtype
            self.steady = {k: v.to(dtype) for k, v in self.optimizer.coefficients(step).items()}
        return self.steady

    def ensemble_of(self, places: Tensor) -> Ensemble:
        """The networks in `places` as they are now."""
        rows = places.to(self._device)
        buffers = {k: v[rows] for k, v in self.buffers.items()}
        return Ensemble(self.ensemble.template, {k: v[rows] for k, v in self.params.items()}, buffers)

    def keep_best(self, places: Tensor) -> None:
        """Remember the present weights of `places` as their runs' best."""
        self._copy(self.best, places)

    def store(self, places: Tensor) -> None:
        """Remember the present weights of `places` as their runs' last."""
        self._copy(self.last, places)

    def retire(self, places: Tensor) -> None:
        """Store the weights of `places` and let them idle."""
        self.store(places)
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
        self._narrow(keep)
        return True

    @property
    def training(self) -> bool:
        """Whether any run is still in training."""
        return bool(self.busy.any())

    def _double(self) -> None:
        """Give a lonely run an idle copy of itself."""
        self._narrow(torch.tensor([0, 0]))
        self.busy[1] = False

    def _narrow(self, keep: Tensor) -> None:
        rows = keep.to(self._device)
        self.params = {k: v[rows] for k, v in self.params.items()}
        self.buffers = {k: v[rows] for k, v in self.buffers.items()}
        self.state = {name: {k: v[rows] for k, v in part.items()} for name, part in self.state.items()}
        self.runs, self.busy = self.runs[keep], self.busy[keep]
        self._select_settings()

    def _select_settings(self) -> None:
        runs = self.runs.to(self._device)
        self.optimizer = self.all_optimizers.select(runs)
        self.steady = None
        self.penalty = None if self.all_penalties is None else self.all_penalties.select(runs)

    @property
    def _device(self) -> torch.device:
        return next(iter(self.last.values())).device

    def _copy(self, store: Params, places: Tensor) -> None:
        runs, rows = self.runs[places].to(self._device), places.to(self._device)
        for k, v in store.items():
            v[runs] = self.params[k][rows]

    def whole(self) -> Ensemble:
        """All runs with their last weights."""
        return self.ensemble.with_params(self.last)

    def whole_best(self) -> Ensemble:
        """All runs with their best weights."""
        return self.ensemble.with_params(self.best)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, for a checkpoint."""
        names = ("params", "state", "runs", "busy", "last", "best")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, saved: dict[str, Any], device: torch.device) -> None:
        """Put back what `state_dict` gave."""
        self.runs, self.busy = saved["runs"], saved["busy"]
        for name in ("params", "last", "best"):
            setattr(self, name, {k: v.to(device) for k, v in saved[name].items()})
        self.state = {name: {k: v.to(device) for k, v in part.items()} for name, part in saved["state"].items()}
        self.buffers = {k: v[self.runs.to(device)] for k, v in self.ensemble.buffers.items()}
        self._select_settings()
