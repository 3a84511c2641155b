"""One pass of all runs over their samples: groups of runs, each for as long as its data stay in the cache."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from sparsenn_core.training.active_runs import ActiveRuns, Group
from sparsenn_core.training.compilation import CompiledStep, compile_limits, worth_compiling
from sparsenn_core.training.data import BatchOrder, Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.evaluation import Evaluation
from sparsenn_core.training.gradients import Gradient, automatic, by_chain_rule, in_tiles, traceable, written_out
from sparsenn_core.training.groups import GATHERED, group_slices
from sparsenn_core.training.hooks import Between, apply
from sparsenn_core.training.members import activation_numbers
from sparsenn_core.training.settings import Settings
from sparsenn_core.training.step import Step, eager_step, traceable_step

Each = Callable[[Callable[[int], None], Iterable[int]], None]


class Epochs:
    """Trains the active runs for an epoch at a time; `prepare` comes first, and again whenever their number changes."""

    def __init__(self, ensemble: Ensemble, data: Data, settings: Settings, *, stacked: bool) -> None:
        self.template = ensemble.template
        self.ensemble = ensemble
        self.data = data
        self.settings = settings
        self.stacked = stacked
        batch = settings.batch_size
        self.order: BatchOrder | None = None
        if batch is not None:
            self.order = BatchOrder(settings.order or (), data.samples, batch, drop_last=settings.drop_last)
        self.steps = self.order.steps if self.order else 1
        self.compiled = False
        self.compiling = False
        self.groups: list[Group] = []

    def prepare(self, active_runs: ActiveRuns, epochs: int) -> None:
        """Lay out groups, their data and their steps, for `epochs` to come."""
        self.compiled = self._can_compile(active_runs) and (
            self.compiled or worth_compiling(epochs * self.steps, active_runs.layout.length, self.settings.compiled)
        )
        self.compiling = self.compiled
        self.active_runs = active_runs
        slices = [slice(0, len(active_runs))] if self.compiled else self._slices(active_runs)
        self.groups = [active_runs.group(places) for places in slices]
        rows = [active_runs.runs[group.places].to(active_runs.weights.device) for group in self.groups]
        self.group_data = [self.data.select(own) for own in rows]
        self.whole = [data.whole() for data in self.group_data] if self.order is None else []
        self.group_steps = [self._step() for _ in self.groups]

    def most_groups(self, runs: int) -> int:
        """An upper bound of the number of groups that ever train at a time."""
        alone = self.compiled or any(hook.steps for hook in self.settings.between)
        return 1 if alone else max(1, runs // 2)

    def train(self, epoch: int, each: Each, look: Callable[[int], None]) -> Tensor:
        """The epoch after `epoch` others; its mean losses with penalty, [places] (float64)."""
        places = len(self.active_runs)
        total = torch.zeros(places, dtype=torch.float64, device=self.active_runs.weights.device)
        order = None if self.order is None else self.order.epoch(self.active_runs.runs.tolist())
        first = epoch * self.steps
        looks = sorted({s - first for o in self.settings.observe for s in o.steps if first < s <= first + self.steps})
        start = 0
        for end in dict.fromkeys([*looks, self.steps]):
            each(partial(self._train_group, epoch, order, start, end, total), range(len(self.groups)))
            if end in looks:
                look(first + end)
            start = end
        self.compiling = False
        return total / self.steps

    def change(self, active_runs: ActiveRuns, epoch: int) -> None:
        """Call the hooks that are due after `epoch` epochs."""
        for hook in self.settings.between:
            if hook.epochs and epoch % hook.epochs == 0:
                whole = active_runs.group(slice(0, len(active_runs)))
                apply(hook, self._between(whole, epoch, epoch * self.steps))

    def _train_group(
        self, epoch: int, order: list[Tensor] | None, start: int, end: int, total: Tensor, number: int
    ) -> None:
        """Steps start + 1 to `end` of an epoch, for one group."""
        group, step = self.groups[number], self.group_steps[number]
        own_total = total[group.places]
        per_step = [hook for hook in self.settings.between if hook.steps]
        with compile_limits() if self.compiled else torch.no_grad():
            for done, (x, y) in enumerate(self._batches(number, order, start, end), epoch * self.steps + start + 1):
                step(group, x, y, own_total, done)
                for hook in per_step:
                    if done % hook.steps == 0:
                        apply(hook, self._between(group, epoch, done))

    def _batches(
        self, number: int, order: list[Tensor] | None, start: int, end: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets of the steps, for one group; many minibatches are gathered at once."""
        if order is None:
            yield from [self.whole[number]] * (end - start)
            return
        data, places = self.group_data[number], self.groups[number].places
        size = max(1, data.sample_bytes * order[0][places].numel())
        together = max(1, GATHERED // size)
        whole = [index[places] for index in order[start:end]]
        while whole:
            block = [index for index in whole[:together] if index.shape == whole[0].shape]
            whole = whole[len(block) :]
            x, y = data.gather(torch.stack(block).to(data.inputs.device))
            yield from zip(x, y, strict=True)

    def _between(self, group: Group, epoch: int, step: int) -> Between:
        state = {part: group.layout.views(values) for part, values in group.state.items()}
        return Between(self.active_runs.runs[group.places], epoch, step, dict(group.params), dict(group.buffers), state)

    def _slices(self, active_runs: ActiveRuns) -> list[slice]:
        """The groups: what a run needs is weights, gradients, state, and activations there and back."""
        batch = self.settings.batch_size or self.settings.tile or self.data.samples
        numbers = active_runs.layout.length * (2 + len(active_runs.state))
        if self._by_hand() is None:
            first = active_runs.ensemble_of(torch.zeros(1, dtype=torch.long), self.template)[0]
            sample = self.data.inputs[0, 0]
            sample = sample.to(active_runs.weights.dtype) if sample.is_floating_point() else sample
            numbers += 2 * batch * activation_numbers(first, sample)
        cores = torch.get_num_threads() if active_runs.weights.device.type == "cpu" else 1
        return group_slices(len(active_runs), numbers * active_runs.weights.element_size(), cores)

    def _can_compile(self, active_runs: ActiveRuns) -> bool:
        """Whether the compiler knows all that a step does."""
        plain = not active_runs.frozen and not active_runs.buffers and active_runs.all_seeds is None
        plain = plain and self._by_hand() is None
        return plain and not active_runs.all_optimizers.clips and self.settings.compiled is not False

    def _by_hand(self) -> Gradient | None:
        shared = self.data.is_shared
        if self.order is not None or self.settings.only is not None or not self.stacked:
            return None
        return written_out(self.ensemble, self.settings.loss, shared=shared, tile=self.settings.tile)

    def _step(self) -> Step:
        """A step for one group, by the fastest way. Threads share no template: evaluating it writes into it."""
        s, shared = self.settings, self.order is None and self.data.is_shared
        by_hand = self._by_hand()
        if by_hand is not None:
            return eager_step(by_hand, s.arithmetic)
        evaluation = Evaluation(copy.deepcopy(self.template), s.loss)
        if not self.stacked:
            evaluation.forward = None
        gradient = automatic(evaluation, self.active_runs.layout.names, shared=shared)
        if self.order is not None and not self.active_runs.frozen:
            gradient = by_chain_rule(evaluation, gradient)
        eager = eager_step(in_tiles(gradient, s.tile, shared=shared) if s.tile else gradient, s.arithmetic)
        if not self.compiled:
            return eager
        graph = traceable(self.ensemble, s.loss, shared=shared)
        step = traceable_step(in_tiles(graph, s.tile, shared=shared) if s.tile else graph, s.arithmetic)
        return CompiledStep(step, eager)
