"""One training loop for every study."""

from __future__ import annotations

import copy
import time
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from sparsenn_core.errors import InputError
from sparsenn_core.training import probe
from sparsenn_core.training.active_runs import ActiveRuns
from sparsenn_core.training.checkpoint import Checkpoint
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble, plain_attention
from sparsenn_core.training.epochs import Epochs
from sparsenn_core.training.evaluation import Evaluation
from sparsenn_core.training.groups import spread
from sparsenn_core.training.identity import Identity, identity_of
from sparsenn_core.training.observers import Moment, Observer, Rows
from sparsenn_core.training.settings import Settings
from sparsenn_core.training.stopping import Progress
from sparsenn_core.training.streams import seeds_of
from sparsenn_core.training.validation import validation_losses


class Loop:
    """The state of a fit and what moves it from epoch to epoch."""

    def __init__(self, ensemble: Ensemble, data: Data, settings: Settings) -> None:
        count = len(ensemble)
        first = next(iter(ensemble.params.values()))
        self.device = first.device
        settings.check(count)
        for given in (data, settings.validation):
            if given is not None and given.inputs.device != self.device:
                raise InputError(
                    f"the ensemble is on {self.device}, the data on {given.inputs.device}; move one with .to()"
                )
        self.settings = settings
        self.data = data.for_runs(count).to(dtype=settings.arithmetic)
        self.validation = settings.validation and settings.validation.for_runs(count).to(dtype=settings.arithmetic)
        names = settings.trained(ensemble)
        # once: copying a module takes as long as a step of a small network
        self.quiet = copy.deepcopy(ensemble.template).eval()
        probed = ensemble if settings.arithmetic is None else ensemble.to(dtype=settings.arithmetic)
        evaluation = Evaluation(copy.deepcopy(ensemble.template), settings.loss)
        probe.check(probed, self.data, evaluation, names)
        if self.validation is not None:
            quiet = probed.eval()
            probe.check(quiet, self.validation, Evaluation(quiet.template, settings.loss), names)
        if settings.tile is not None and (ensemble.buffers or evaluation.random):
            raise InputError("tile cuts batches, and batch norm, other buffers and dropout need whole ones")
        if settings.arithmetic is not None and any(b.is_floating_point() for b in ensemble.buffers.values()):
            raise InputError("arithmetic of another type is for networks without buffers such as batch norm's")
        if evaluation.random and settings.order is None:
            raise InputError("dropout draws random numbers: give order, a seed for each run, or ensemble.eval()")
        self.epochs = Epochs(ensemble, self.data, settings, stacked=evaluation.forward is not None)
        penalty = None if settings.penalty is None else settings.penalty.strengths(count, first)
        if penalty is not None:
            probe.check_penalty(penalty, ensemble)
        self.active_runs = ActiveRuns(
            ensemble,
            settings.optimizer.for_runs(count, self.device, self.epochs.steps),
            penalty,
            names,
            seeds_of(list(settings.order)) if evaluation.random and settings.order else None,
        )
        self.progress = Progress(count, settings.early_stopping.patience if settings.early_stopping else None)
        self.tracking = settings.early_stopping is not None or settings.validation is not None
        self.rows = Rows()
        self.final_looks: int | None = None
        self.epoch = 0
        self.epoch_loss = torch.full((count,), torch.nan, dtype=torch.float64, device=self.device)
        self.validation_loss = self.epoch_loss.clone()
        self.asked = torch.zeros(count, dtype=torch.bool)
        self.seconds = 0.0

    def run(self, epochs: int, checkpoint: Checkpoint | None, bar: bool) -> None:
        """Train until every run has stopped or `epochs` are used up; goes on from the checkpoint where there is one."""
        if type(epochs) is not int or epochs < 1:
            raise InputError(f"epochs must be 1 or more, not {epochs!r}")
        with checkpoint.held() if checkpoint else nullcontext():
            self._run(epochs, checkpoint, bar)

    def _run(self, epochs: int, checkpoint: Checkpoint | None, bar: bool) -> None:
        start = time.perf_counter()
        identity = self._identity() if checkpoint else {}
        saved = checkpoint.load(identity, epochs) if checkpoint else None
        if saved:
            self._restore(saved)
        spent = self.seconds
        with torch.no_grad(), plain_attention(), tqdm(total=epochs, initial=self.epoch, disable=not bar) as meter:
            if not saved:
                self._look(0, [o for o in self.settings.observe if o.wants_epoch(0) or 0 in o.steps])
            if self.active_runs.training:
                self.epochs.prepare(self.active_runs, epochs - self.epoch)
            with spread(self.epochs.most_groups(len(self.progress.status))) as each:
                while self.epoch < epochs and self.active_runs.training:
                    if bar and self.epochs.compiling:
                        meter.set_description("compiling")
                    self.epoch_loss = self.epochs.train(self.epoch, each, self._look_within)
                    self.epoch += 1
                    meter.set_description("")
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

    def _look_within(self, step: int) -> None:
        """Let observers look that asked for this step."""
        self._look(step, [o for o in self.settings.observe if step in o.steps])

    def _look(
        self, step: int, observers: list[Observer], only: Tensor | None = None, *, after_epoch: bool = False
    ) -> None:
        """Let `observers` measure the runs in training, or those in the places `only`."""
        chosen = self.active_runs.busy.nonzero()[:, 0] if only is None else only
        if not observers or not len(chosen):
            return
        rows, nothing = chosen.to(self.device), torch.full((len(chosen),), torch.nan, dtype=torch.float64)
        moment = Moment(
            self.active_runs.ensemble_of(chosen, self.quiet),
            self.active_runs.runs[chosen],
            self.epoch,
            step,
            self.epoch_loss[rows] if after_epoch else nothing,
            self.validation_loss[rows] if after_epoch else nothing,
            torch.zeros(len(chosen), dtype=torch.bool),
        )
        for observer in observers:
            self.rows.take(observer, moment)
        self.asked[moment.runs] |= moment.stopped

    def _settle(self, epochs: int) -> None:
        """What happens between epochs: hooks, validation, looking, stopping, compacting."""
        active_runs, step = self.active_runs, self.epoch * self.epochs.steps
        self.epochs.change(active_runs, self.epoch)
        if self.validation is not None:
            self.validation_loss = validation_losses(active_runs, self.validation, self.settings)
        observe = self.settings.observe
        self._look(step, [o for o in observe if o.wants_epoch(self.epoch)], after_epoch=True)
        busy = active_runs.busy.nonzero()[:, 0]
        stopped = self._recorded(busy) if self.tracking else torch.zeros(len(busy), dtype=torch.bool)
        asked = self.asked[active_runs.runs[busy]]
        if bool(asked.any()):
            self.progress.ask(active_runs.runs[busy[asked]], self.epoch)
            stopped = stopped | asked
        if bool(stopped.any()):
            self._look(step, [o for o in observe if o.stop], only=busy[stopped], after_epoch=True)
            active_runs.retire(busy[stopped])
            if active_runs.compact(idle_allowed=self.epochs.compiled) and active_runs.training:
                self.epochs.prepare(active_runs, epochs - self.epoch)

    def _recorded(self, busy: Tensor) -> Tensor:
        """Enter the losses of the places `busy` into the progress; a mask of those that now stop."""
        watched = self.epoch_loss if self.validation is None else self.validation_loss
        runs = self.active_runs.runs[busy]
        improved, stopped = self.progress.record(runs, watched.cpu()[busy], self.epoch)
        self.active_runs.keep_best(busy[improved])
        return stopped

    def _finish(self) -> None:
        """What is due when the epochs are used up."""
        busy = self.active_runs.busy.nonzero()[:, 0]
        if not self.tracking and len(busy):
            self.progress.record(self.active_runs.runs[busy], self.epoch_loss.cpu()[busy], self.epoch)
        self.final_looks = len(self.rows.blocks)
        last = [o for o in self.settings.observe if o.stop]
        self._look(self.epoch * self.epochs.steps, last, after_epoch=True)

    def _identity(self) -> Identity:
        return identity_of(self.active_runs.ensemble, self.data, self.settings.identity())

    def _state(self) -> dict[str, Any]:
        # the rows of the runs that merely ran out of epochs are left out: a longer fit takes them later
        blocks = self.rows.blocks[: self.final_looks]
        return {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "compiled": self.epochs.compiled,
            "active_runs": self.active_runs.state_dict(),
            "progress": self.progress.state(),
            "order": None if self.epochs.order is None else self.epochs.order.state(),
            "epoch_loss": self.epoch_loss.cpu(),
            "validation_loss": self.validation_loss.cpu(),
            "asked": self.asked,
            "rows": [list(block) for block in blocks],
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        self.epoch, self.seconds = saved["epoch"], saved["seconds"]
        self.epochs.compiled = saved["compiled"]
        self.active_runs.load_state_dict(saved["active_runs"])
        self.progress.restore(saved["progress"])
        if self.epochs.order is not None:
            self.epochs.order.restore(saved["order"])
        self.epoch_loss, self.validation_loss = (saved[k].to(self.device) for k in ("epoch_loss", "validation_loss"))
        self.asked = saved["asked"]
        self.rows.blocks = [tuple(block) for block in saved["rows"]]
