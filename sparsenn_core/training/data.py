"""The samples an ensemble is trained on, and the order in which minibatches visit them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.training.devices import usable


@dataclass(frozen=True)
class Data:
    """S data sets of n samples and which of them each run sees.

    `inputs` [S, n, ...], `targets` [S, n, ...], `of_run` [R] with entries below S. Runs that share a data set share
    its memory. `Data.shared(x, y)` is one set for all runs. With `rows` [F, m] there is one set (S = 1) of which run r
    sees the m samples rows[of_run[r]]; `Data.folds` makes such.
    """

    inputs: Tensor
    targets: Tensor
    of_run: Tensor | None = None
    rows: Tensor | None = None

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            given = getattr(self, name)
            if not isinstance(given, Tensor):
                raise InputError(f"{name} are {type(given).__name__}, not a tensor; torch.as_tensor makes one")
        if self.inputs.ndim < 2 or self.targets.ndim < 2 or self.inputs.shape[:2] != self.targets.shape[:2]:
            raise InputError(
                f"inputs {tuple(self.inputs.shape)} and targets {tuple(self.targets.shape)} differ in sets or samples"
            )
        if self.samples == 0:
            raise InputError("the data has no samples")
        if not bool(torch.isfinite(self.inputs).all() and torch.isfinite(self.targets.to(torch.float64)).all()):
            raise InputError("the data contains NaN or infinite values")
        sets = len(self.inputs) if self.rows is None else len(self.rows)
        if self.of_run is None and (sets != 1 or self.rows is not None):
            raise InputError(f"{sets} data sets need `of_run`, which names the set of each run")
        self._check_index("of_run", 1, sets)
        self._check_index("rows", 2, self.inputs.shape[1])
        if self.rows is not None and len(self.inputs) != 1:
            raise InputError(f"rows choose from one set of samples, and there are {len(self.inputs)}")

    def _check_index(self, name: str, axes: int, size: int) -> None:
        index = getattr(self, name)
        if index is None:
            return
        if not isinstance(index, Tensor) or index.ndim != axes or index.is_floating_point() or not index.numel():
            raise InputError(f"{name} must be a tensor of whole numbers with {axes} axes, not {index!r}"[:300])
        if not 0 <= int(index.min()) <= int(index.max()) < size:
            what = "data sets" if name == "of_run" else "samples"
            raise InputError(f"{name} names {what} outside 0..{size - 1}")

    @classmethod
    def shared(cls, inputs: Tensor, targets: Tensor) -> Data:
        """One data set, inputs [n, ...] and targets [n, ...], for every run."""
        for name, given in (("inputs", inputs), ("targets", targets)):
            if not isinstance(given, Tensor):
                raise InputError(f"{name} are {type(given).__name__}, not a tensor; torch.as_tensor makes one")
        return cls(inputs.unsqueeze(0), targets.unsqueeze(0))

    @classmethod
    def folds(cls, inputs: Tensor, targets: Tensor, of_run: Sequence[int], *, seed: int = 0) -> tuple[Data, Data]:
        """Training and validation data of runs that leave out one fold each, without copies of the samples.

        Run r is trained on all samples [n, ...] but those of fold of_run[r], on which it is validated. There are
        max(of_run) + 1 folds of equal size, drawn from `seed`; what n leaves over is always trained on.
        """
        count, n = max(of_run, default=0) + 1, len(inputs)
        if count < 2 or n < count:
            raise InputError(f"folds need at least 2 folds and a sample for each, not {count} of {n} samples")
        order = torch.randperm(n, generator=generator(seed, "folds")).to(inputs.device)
        left_out = order[: n // count * count].view(count, -1)
        kept = torch.stack([order[~torch.isin(order, fold)] for fold in left_out])
        which = torch.as_tensor(of_run, device=inputs.device)
        one = (inputs.unsqueeze(0), targets.unsqueeze(0), which)
        return cls(*one, kept), cls(*one, left_out)

    @property
    def samples(self) -> int:
        """The number of samples each run sees in an epoch."""
        return self.inputs.shape[1] if self.rows is None else self.rows.shape[1]

    @property
    def is_shared(self) -> bool:
        """Whether all runs see the same samples."""
        return self.of_run is None and self.rows is None

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample with its targets."""
        parts = (self.inputs[0, 0], self.targets[0, 0])
        return sum(max(1, part.numel()) * part.element_size() for part in parts)

    def select(self, index: Tensor) -> Data:
        """The data of the runs in `index`."""
        if self.of_run is None:
            return self
        chosen = copy.copy(self)  # not checked again
        object.__setattr__(chosen, "of_run", self.of_run[index])
        return chosen

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The samples index [steps, R, batch] of each run's own set: inputs and targets [steps, R, batch, ...]."""
        which: Tensor | int = 0 if self.of_run is None else self.of_run[None, :, None]
        if self.rows is not None:
            index, which = self.rows[which, index], 0
        return self.inputs[which, index], self.targets[which, index]

    def whole(self) -> tuple[Tensor, Tensor]:
        """All samples: [n, ...] where all runs see the same, else [R, n, ...]."""
        if self.is_shared:
            return self.inputs[0], self.targets[0]
        if self.rows is None:
            return self.inputs[self.of_run], self.targets[self.of_run]
        rows = self.rows[self.of_run if self.of_run is not None else 0]
        return self.inputs[0][rows], self.targets[0][rows]

    def for_runs(self, count: int) -> Data:
        """The same data, refused if it was laid out for another number of runs."""
        if self.of_run is not None and len(self.of_run) != count:
            raise InputError(f"the data names the sets of {len(self.of_run)} runs, the ensemble has {count}")
        return self

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Data:
        """A copy on another device or in another floating-point type; whole numbers keep theirs. `InputError` for a
        device that is not there.
        """
        device = usable(device)
        inputs, targets = (
            t.to(device=device, dtype=dtype if t.is_floating_point() else None) for t in (self.inputs, self.targets)
        )
        of_run, rows = (None if t is None else t.to(device) for t in (self.of_run, self.rows))
        return Data(inputs, targets, of_run, rows)


class BatchOrder:
    """Each run's own minibatch order, equal to that of a shuffling `torch.utils.data.DataLoader`.

    Run r draws from `generator(seeds[r], "order")` exactly what a DataLoader with `shuffle=True` and that generator
    draws in an epoch: one integer (the workers' base seed), the permutation, and a second permutation that it
    discards. The last, smaller batch is kept unless `drop_last`.
    """

    def __init__(
        self, seeds: Sequence[int | torch.Generator], samples: int, batch_size: int, *, drop_last: bool = False
    ) -> None:
        if type(batch_size) is not int or not 1 <= batch_size <= samples:
            raise InputError(f"batch_size must be from 1 to the number of samples, {samples}, not {batch_size!r}")
        self.steps = samples // batch_size if drop_last else -(-samples // batch_size)
        self.generators = [s if isinstance(s, torch.Generator) else generator(s, "order") for s in seeds]
        self.samples = samples
        self.batch_size = batch_size

    def epoch(self, runs: Sequence[int]) -> list[Tensor]:
        """The sample indices of one epoch for the given runs: one tensor [R, batch] for each step."""
        drawn = {r: self._permutation(self.generators[r]) for r in dict.fromkeys(runs)}
        order = torch.stack([drawn[r] for r in runs])
        return [batch.contiguous() for batch in order.split(self.batch_size, dim=1)][: self.steps]

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
