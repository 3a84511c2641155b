"""Steps compiled by PyTorch, where that pays, and checked before they are believed."""

from __future__ import annotations

import getpass
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from sparsenn_core.training.active_runs import Group
from sparsenn_core.training.step import Step

WORTHWHILE_STEPS = 20_000
"""Compiling takes 10 to 30 s, and saves a step of a very small network 1 ms and more."""

SMALL = 1_000
"""Weights of a run up to which a step is mostly the calling of operations, which compiling saves."""

AGREE = 0.01
"""By how much of its length the first compiled update may differ from the eager one: rounding is far below, a wrong
update far above."""


def compiler_present() -> bool:
    """Whether torch.compile can build for the CPU: it needs a C++ compiler."""
    names = [os.environ.get("CXX", ""), "g++", "clang++"]
    return any(name and shutil.which(name) for name in names)


def worth_compiling(steps: int, weights: int, wanted: bool | None) -> bool:
    """Whether to compile: `wanted` True or False decides; None lets the number of steps and the size of a run."""
    return (steps >= WORTHWHILE_STEPS and weights <= SMALL) if wanted is None else wanted


class CompiledStep:
    """A step compiled at its first call, whose result is compared with that of the eager step.

    Where the compiler is missing or fails, or where its step does something else, training goes on with the eager
    step, and one warning says why.
    """

    def __init__(self, traceable: Callable[..., None], eager: Step) -> None:
        self.eager = eager
        # dynamic=False: a graph for each number of runs; symbolic sizes were 10 times slower on CPU
        self.compiled = torch.compile(traceable, dynamic=False, fullgraph=True)
        self.checked: set[int] = set()
        self.given_up = False

    def __call__(self, group: Group, x: Tensor, y: Tensor, total: Tensor, number: int) -> None:
        """One step in place."""
        if self.given_up:
            self.eager(group, x, y, total, number)
        elif len(group.weights) in self.checked:
            self._compiled(group, x, y, total, number)
        else:
            self._first(group, x, y, total, number)

    def _compiled(self, group: Group, x: Tensor, y: Tensor, total: Tensor, number: int) -> None:
        state = {part: group.layout.views(values) for part, values in group.state.items()}
        by = group.coefficients(number)
        self.compiled(group.params, group.buffers, state, total, by, x, y, group.penalty, group.optimizer)

    def _first(self, group: Group, x: Tensor, y: Tensor, total: Tensor, number: int) -> None:
        """The first step with so many runs: both ways from the same start."""
        start = group.weights.clone()
        other, other_total = _copy(group), total.clone()
        self.eager(other, x, y, other_total, number)
        reason = ""
        if not (group.weights.is_cuda or compiler_present()):
            reason = "there is no C++ compiler"
        else:
            try:
                with own_cache():
                    self._compiled(group, x, y, total, number)
            except Exception as error:  # whatever the compiler makes of the user's network
                reason = f"PyTorch could not compile it, {type(error).__name__}: {(str(error) or '-').splitlines()[0]}"
        if not reason and not _agree(group.weights - start, other.weights - start, total, other_total):
            reason = "the compiled one does something else"
        self.checked.add(len(group.weights))
        if reason:
            self.given_up = True
            warnings.warn(f"training goes on with steps that are not compiled: {reason[:300]}", stacklevel=2)
            _copy_into(group, other)
            total.copy_(other_total)


def _copy(group: Group) -> Group:
    weights = group.weights.clone()
    views = group.layout.views(weights)
    return replace(
        group,
        weights=weights,
        params={k: views.get(k, w) for k, w in group.params.items()},
        state={part: values.clone() for part, values in group.state.items()},
    )


def _copy_into(group: Group, other: Group) -> None:
    group.weights.copy_(other.weights)
    for part, values in group.state.items():
        values.copy_(other.state[part])


def _agree(compiled: Tensor, eager: Tensor, total: Tensor, other_total: Tensor) -> bool:
    """Whether updates and losses are the same but for rounding; of runs that blow up nothing can be said."""
    finite = torch.isfinite(eager).all(1) & torch.isfinite(other_total)
    apart = (compiled - eager)[finite].norm(dim=1) > AGREE * eager[finite].norm(dim=1)
    far = (total - other_total)[finite].abs() > AGREE * other_total[finite].abs()
    return not bool((apart | far).any())


@contextmanager
def compile_limits() -> Iterator[None]:
    """Room for a graph for each size that stopping runs leave, in place of PyTorch's default of eight."""
    import torch._dynamo

    with torch.no_grad(), torch._dynamo.config.patch(recompile_limit=64):
        yield


@contextmanager
def own_cache() -> Iterator[None]:
    """The compiler's files for this instruction set alone: those of another one can be wrong here."""
    name = "TORCHINDUCTOR_CACHE_DIR"
    before = os.environ.get(name)
    base = before or os.path.join(tempfile.gettempdir(), f"torchinductor_{getpass.getuser()}")
    os.environ[name] = os.path.join(base, torch.backends.cpu.get_cpu_capability().replace(" ", "_"))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
