"""Steps compiled by PyTorch, where that pays and as far as it manages."""

from __future__ import annotations

import os
import shutil
import warnings
from typing import Any

import torch

from sparsenn_core.training.step import StepFunction

# Compiling costs 3 to 20 s a shape; a compiled step saves 1 ms and more, however few the runs.
WORTHWHILE_STEPS = 15_000


def compiler_present() -> bool:
    """Whether torch.compile can build for the CPU: it needs a C++ compiler."""
    names = [os.environ.get("CXX", ""), "g++", "clang++"]
    return any(name and shutil.which(name) for name in names)


class CompiledStep:
    """A step compiled at its first call, by the best backend that manages.

    PyTorch's default backend, inductor, fuses the whole step into C++ loops. Where there is no compiler, or where it
    stumbles over a shape, `aot_eager` at least takes the Python out of the step, and a warning says so.
    """

    def __init__(self, step: StepFunction, device: torch.device) -> None:
        self.step = step
        able = device.type != "cpu" or compiler_present()
        if not able:
            warnings.warn("no C++ compiler found: training takes two to five times longer", stacklevel=5)
        self._compile("inductor" if able else "aot_eager")

    def _compile(self, backend: str) -> None:
        self.backend = backend
        # dynamic=False: a graph for each number of runs; symbolic sizes were 10 times slower on CPU
        self.compiled = torch.compile(self.step, dynamic=False, fullgraph=True, backend=backend)

    def __call__(self, *state: Any) -> None:
        """One step in place; a compilation that fails has not touched the state, so it can be tried otherwise."""
        from torch._dynamo.exc import BackendCompilerFailed

        try:
            self.compiled(*state)
        except BackendCompilerFailed as error:
            if self.backend == "aot_eager":
                raise
            reason = f"{type(error.inner_exception).__name__}: {error.inner_exception}"
            warnings.warn(f"PyTorch could not compile this step ({reason}); it goes on slower", stacklevel=2)
            self._compile("aot_eager")
            self.compiled(*state)


def worth_compiling(steps: int, wanted: bool | None) -> bool:
    """Whether to compile: `wanted` True or False decides, None lets the number of steps decide."""
    return steps >= WORTHWHILE_STEPS if wanted is None else wanted
