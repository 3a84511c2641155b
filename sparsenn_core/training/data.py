"""The samples an ensemble is trained on, and the order in which minibatches visit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator


@dataclass(frozen=True)
class Data:
    """S data sets of n samples and which of them each run sees.

    `inputs` [S, n, ...], `targets` [S, n, ...], `of_run` [R] with entries below S. Runs that share a data set share
    its memory. `Data.shared(x, y)` is one set for all runs.
    """

    inputs: Tensor
    targets: Tensor
    of_run: Tensor | None = None

    def __post_init__(self) -> None:
        if self.inputs.shape[:2] != self.targets.shape[:2]:
            raise InputError(
                f"inputs {tuple(self.inputs.shape)} and targets {tuple(self.targets.shape)} differ in sets or samples"
            )
        if self.inputs.shape[1] == 0:
            raise InputError("the data has no samples")
        if not bool(torch.isfinite(self.inputs).all() and torch.isfinite(self.targets.to(torch.float64)).all()):
            raise InputError("the data contains NaN or infinite values")
        if self.of_run is None and len(self.inputs) != 1:
            raise InputError(f"{len(self.inputs)} data sets need `of_run`, which names the set of each run")
        if self.of_run is not None and not 0 <= int(self.of_run.min()) <= int(self.of_run.max()) < len(self.inputs):
            raise InputError(f"of_run names data sets outside 0..{len(self.inputs) - 1}")

    @classmethod
    def shared(cls, inputs: Tensor, targets: Tensor) -> Data:
        """One data set, inputs [n, ...] and targets [n, ...], for every run."""
        return cls(inputs.unsqueeze(0), targets.unsqueeze(0))

    @property
    def samples(self) -> int:
        """n, the number of samples each run sees in an epoch."""
        return self.inputs.shape[1]

    def select(self, index: Tensor) -> Data:
        """The data of the runs in `index`."""
        return self if self.of_run is None else Data(self.inputs, self.targets, self.of_run[index])

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The samples index [steps, R, batch] of each run's own set: inputs and targets [steps, R, batch, ...]."""
        which = 0 if self.of_run is None else self.of_run[None, :, None]
        return self.inputs[which, index], self.targets[which, index]

    def for_runs(self, count: int) -> Data:
        """The same data, refused if it was laid out for another number of runs."""
        if self.of_run is not None and len(self.of_run) != count:
            raise InputError(f"the data names the sets of {len(self.of_run)} runs, the ensemble has {count}")
        return self

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Data:
        """A copy on another device or in another floating-point type; integer targets keep theirs."""
        float_targets = self.targets.is_floating_point()
        return Data(
            self.inputs.to(device=device, dtype=dtype),
            self.targets.to(device=device, dtype=dtype if float_targets else None),
            None if self.of_run is None else self.of_run.to(device),
        )


class BatchOrder:
    """Each run's own minibatch order, equal to that of a shuffling `torch.utils.data.DataLoader`.

    Run r draws from `generator(seeds[r], "order")` exactly what a DataLoader with `shuffle=True` and that generator
    draws in an epoch: one integer (the workers' base seed), the permutation, and a second permutation that it
    discards. The last, smaller batch is kept.
    """

    def __init__(self, seeds: Sequence[int | torch.Generator], samples: int, batch_size: int) -> None:
        if not 1 <= batch_size <= samples:
            raise InputError(f"batch_size must be from 1 to the number of samples, {samples}, not {batch_size}")
        self.generators = [s if isinstance(s, torch.Generator) else generator(s, "order") for s in seeds]
        self.samples = samples
        self.batch_size = batch_size

    def epoch(self, runs: Sequence[int]) -> list[Tensor]:
        """The sample indices of one epoch for the given runs: one tensor [R, batch] for each step."""
        drawn = {r: self._permutation(self.generators[r]) for r in dict.fromkeys(runs)}
        order = torch.stack([drawn[r] for r in runs])
        return [batch.contiguous() for batch in order.split(self.batch_size, dim=1)]

    def _permutation(self, source: torch.Generator) -> Tensor:
        torch.empty((), dtype=torch.int64).random_(generator=source)
        order = torch.randperm(self.samples, generator=source)
        torch.randperm(self.samples, generator=source)
        return order

    def state(self) -> Tensor:
        """All generators' states [R, bytes], for a checkpoint."""
        return torch.stack([g.get_state() for g in self.generators])

    def restore(self, state: Tensor) -> None:
        """Put the generators back where `state` was taken."""
        for g, s in zip(self.generators, state, strict=True):
            g.set_state(s.clone())  # a row of a larger tensor is not accepted
