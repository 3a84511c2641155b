"""One training loop for every study."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from sparsenn_core.errors import InputError
from sparsenn_core.training.active_runs import ActiveRuns
from sparsenn_core.training.checkpoint import Checkpoint
from sparsenn_core.training.compilation import CompiledStep, worth_compiling
from sparsenn_core.training.data import BatchOrder, Data
from sparsenn_core.training.ensemble import Ensemble
from sparsenn_core.training.gradients import automatic, in_tiles, is_large, written_out
from sparsenn_core.training.identity import Identity, identity_of
from sparsenn_core.training.observers import Moment, Observer, Rows
from sparsenn_core.training.settings import Settings
from sparsenn_core.training.step import StepFunction, advance, make_step
from sparsenn_core.training.stopping import Progress

GATHERED = 64  # steps whose minibatches are gathered together


class Loop:
    """The state of a fit and the steps that move it."""

    def __init__(self, ensemble: Ensemble, data: Data, settings: Settings) -> None:
        count = len(ensemble)
        first = next(iter(ensemble.params.values()))
        self.device = first.device
        settings.check(count)
        if data.inputs.device != self.device:
            raise InputError(f"the ensemble is on {self.device}, the data on {data.inputs.device}; move one with .to()")
        self.settings = settings
        self.observe = settings.observe
        self.data = data.for_runs(count).to(dtype=settings.arithmetic)
        batch = settings.batch_size
        self.order = None if batch is None else BatchOrder(settings.order or (), data.samples, batch)
        self.steps_per_epoch = 1 if batch is None else -(-data.samples // batch)
        penalty = settings.penalty
        self.active_runs = ActiveRuns(
            ensemble,
            settings.optimizer.for_runs(count, self.device),
            None if penalty is None else penalty.strengths(count, first),
        )
        patience = settings.early_stopping.patience if settings.early_stopping else None
        self.progress = Progress(count, patience)
        self.tracking = patience is not None
        self.rows = Rows()
        self.final_looks: int | None = None
        self.epoch = 0
        self.epoch_loss = torch.full((count,), torch.nan, dtype=torch.float64, device=self.device)
        self.seconds = 0.0
        self.compiled = False

    def run(self, epochs: int, checkpoint: Checkpoint | None, bar: bool) -> None:
        """Train until every run has stopped or `epochs` are used up; goes on from the checkpoint where there is one."""
        if epochs < 1:
            raise InputError(f"epochs must be 1 or more, not {epochs}")
        with checkpoint.held() if checkpoint else nullcontext():
            self._run(epochs, checkpoint, bar)

    def _run(self, epochs: int, checkpoint: Checkpoint | None, bar: bool) -> None:
        start = time.perf_counter()
        identity = self._identity() if checkpoint else {}
        saved = checkpoint.load(identity, epochs) if checkpoint else None
        if saved:
            self._restore(saved)
        else:
            self._look(0, [o for o in self.observe if o.wants_epoch(0) or 0 in o.steps])
        spent = self.seconds
        with torch.no_grad(), self._compile_limits(), tqdm(total=epochs, initial=self.epoch, disable=not bar) as meter:
            self._prepare(epochs)
            while self.epoch < epochs and self.active_runs.training:
                self._epoch()
                self._settle(epochs)
                meter.update(1)
                if bar and self.epoch % 10 == 0:
                    meter.set_postfix(runs=int(self.active_runs.busy.sum()))
                self.seconds = spent + time.perf_counter() - start
                if checkpoint and self.epoch % checkpoint.every == 0:
                    checkpoint.save(identity, self._state())
            self._finish()
        if checkpoint and not (saved and self.seconds == spent):
            checkpoint.save(identity, self._state())
        self.progress.finish()

    def _compile_limits(self) -> Any:
        """Room for a graph for each size that stopping runs leave, in place of PyTorch's default of eight."""
        if self.settings.compiled is False:
            return nullcontext()
        import torch._dynamo

        return torch._dynamo.config.patch(recompile_limit=64)

    def _prepare(self, epochs: int) -> None:
        """Lay out the data of the runs still in training and choose the step for their number."""
        data = self.data.select(self.active_runs.runs.to(self.device))
        shared = data.of_run is None
        self.present = data
        if self.order is None:
            which = 0 if shared else data.of_run
            self.full_batch = (data.inputs[which], data.targets[which])
        steps = (epochs - self.epoch) * self.steps_per_epoch
        compiled = worth_compiling(steps, self.settings.compiled)
        self.step = self._make_step(shared=shared and self.order is None, compiled=compiled)
        self.can_idle = compiled
        self.compiled |= compiled

    def _make_step(self, *, shared: bool, compiled: bool) -> StepFunction:
        """The step by the fastest way: small ones compiled whole, on large batches the gradient written out."""
        s, ensemble = self.settings, self.active_runs.ensemble
        if self.order is None and (s.tile or not compiled or is_large(ensemble, self.data.samples)):
            by_hand = written_out(ensemble, s.loss, shared=shared, tile=s.tile)
            if by_hand:
                return make_step(by_hand, CompiledStep(advance, self.device) if compiled else advance, s.arithmetic)
        gradient = automatic(ensemble, s.loss, shared=shared)
        step = make_step(in_tiles(gradient, s.tile, shared=shared) if s.tile else gradient, advance, s.arithmetic)
        return CompiledStep(step, self.device) if compiled else step

    def _epoch(self) -> None:
        active_runs = self.active_runs
        total = torch.zeros(len(active_runs), dtype=torch.float64, device=self.device)
        done = self.epoch * self.steps_per_epoch
        wanted = [o for o in self.observe if o.steps]
        for number, (x, y) in enumerate(self._batches(), start=done + 1):
            self.step(
                active_runs.params,
                active_runs.buffers,
                active_runs.state,
                total,
                active_runs.coefficients(number),
                x,
                y,
                active_runs.penalty,
                active_runs.optimizer,
            )
            if wanted:
                self._look(number, [o for o in wanted if number in o.steps])
        self.epoch += 1
        self.epoch_loss = total / self.steps_per_epoch

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The inputs and targets of each step of an epoch."""
        if self.order is None:
            yield self.full_batch
            return
        indices = self.order.epoch(self.active_runs.runs.tolist())
        whole, rest = (indices, []) if len(indices[-1][0]) == len(indices[0][0]) else (indices[:-1], indices[-1:])
        # many steps gathered at once: a gather inside the step would not compile to vector code
        for block in [*(whole[i : i + GATHERED] for i in range(0, len(whole), GATHERED)), rest]:
            if block:
                x, y = self.present.gather(torch.stack(block).to(self.device))
                yield from zip(x, y, strict=True)

    def _look(
        self, step: int, observers: list[Observer], only: Tensor | None = None, loss: Tensor | None = None
    ) -> None:
        """Let `observers` measure the runs in training, or those in the places `only`."""
        chosen = self.active_runs.busy.nonzero()[:, 0] if only is None else only
        if not observers or not len(chosen):
            return
        nothing = torch.full((len(chosen),), torch.nan, dtype=torch.float64, device=self.device)
        moment = Moment(
            self.active_runs.ensemble_of(chosen),
            self.active_runs.runs[chosen],
            self.epoch,
            step,
            nothing if loss is None else loss[chosen.to(self.device)],
        )
        for observer in observers:
            self.rows.take(observer, moment)

    def _settle(self, epochs: int) -> None:
        """What happens between epochs: stopping, looking, compacting."""
        step = self.epoch * self.steps_per_epoch
        self._look(step, [o for o in self.observe if o.wants_epoch(self.epoch)], loss=self.epoch_loss)
        if not self.tracking:
            return
        busy = self.active_runs.busy.nonzero()[:, 0]
        improved, stopped = self.progress.record(self.active_runs.runs[busy], self.epoch_loss.cpu()[busy], self.epoch)
        self.active_runs.keep_best(busy[improved])
        if bool(stopped.any()):
            self._look(step, [o for o in self.observe if o.stop], only=busy[stopped], loss=self.epoch_loss)
            self.active_runs.retire(busy[stopped])
            if self.active_runs.compact(idle_allowed=self.can_idle) and self.active_runs.training:
                self._prepare(epochs)

    def _finish(self) -> None:
        """Retire the runs that used all their epochs, once."""
        busy = self.active_runs.busy.nonzero()[:, 0]
        if not self.tracking and len(busy):
            self.progress.record(self.active_runs.runs[busy], self.epoch_loss.cpu()[busy], self.epoch)
        self.active_runs.store(busy)
        self.final_looks = len(self.rows.blocks)
        self._look(self.epoch * self.steps_per_epoch, [o for o in self.observe if o.stop], loss=self.epoch_loss)

    def _identity(self) -> Identity:
        return identity_of(self.active_runs.ensemble, self.data, self.settings.identity())

    def _state(self) -> dict[str, Any]:
        # the rows of the runs that merely ran out of epochs are left out: a longer fit takes them later
        blocks = self.rows.blocks[: self.final_looks]
        return {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "compiled": self.compiled,
            "active_runs": self.active_runs.state_dict(),
            "progress": self.progress.state(),
            "order": None if self.order is None else self.order.state(),
            "epoch_loss": self.epoch_loss.cpu(),
            "rows": [list(block) for block in blocks],
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        self.epoch, self.seconds, self.compiled = saved["epoch"], saved["seconds"], saved["compiled"]
        self.active_runs.load_state_dict(saved["active_runs"], self.device)
        self.progress.restore(saved["progress"])
        if self.order is not None:
            self.order.restore(saved["order"])
        self.epoch_loss = saved["epoch_loss"].to(self.device)
        self.rows.blocks = [tuple(block) for block in saved["rows"]]
