"""R networks of one shape, stacked: called, indexed and compacted as one."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import overload

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.randomness import generator
from sparsenn_core.training.devices import usable
from sparsenn_core.training.members import activation_numbers, blank, check_alike, filled
from sparsenn_core.training.streams import is_random

Build = Callable[[torch.Generator], nn.Module]

ONE_AT_A_TIME = threading.RLock()
"""Who seeds PyTorch's global generators, since they are those of all threads."""

CHUNK_BYTES = 2**28
"""Outputs and intermediate values of about so many bytes at a time, where an ensemble is called."""


class Ensemble:
    """R modules of one shape as one object.

    `params` and `buffers` map each name of the module to a tensor [R, *shape]; parameters that the module uses in
    several places (tied ones) have one name. An ensemble is a value: its methods return new ensembles and never write
    into the tensors it was made from.
    """

    def __init__(
        self, template: nn.Module, params: dict[str, Tensor], buffers: dict[str, Tensor] | None = None
    ) -> None:
        # a template on the meta device holds no numbers; ensembles made from one another share it
        on_meta = all(t.is_meta for t in (*template.parameters(), *template.buffers()))
        self.template = template if on_meta else blank(template)
        self.params = params
        self.buffers = buffers or {}

    @classmethod
    def of(cls, build: Build, seeds: int | Iterable[int | torch.Generator]) -> Ensemble:
        """One module for each seed: `build(generator)` is called with a private generator of the axis "init".

        `seeds` may be a number R, for the seeds 0 to R - 1; a seed may also be a `torch.Generator`, used as it is.
        While `build` runs, PyTorch's global generators are seeded from the same seed, so that stock layers, which draw
        from them, follow it too; the caller's state is put back. Cost: R calls of `build` and one copy of the weights.
        """
        wanted: Iterable[int | torch.Generator] = range(seeds) if isinstance(seeds, int) else seeds
        generators = [s if isinstance(s, torch.Generator) else generator(s, "init") for s in wanted]
        return cls.stack([_built(build, source) for source in generators])

    @classmethod
    def stack(cls, modules: Sequence[nn.Module]) -> Ensemble:
        """The ensemble of the given modules; their weights are copied.

        They must agree in everything but the numbers in their parameters and buffers: class, attributes, submodules,
        hooks, shapes. `InputError` names the first thing that differs.
        """
        modules = list(modules)
        check_alike(modules)
        params, buffers = (
            {k: torch.stack([tensors[k].detach() for tensors in each]) for k in each[0]}
            for each in ([dict(m.named_parameters()) for m in modules], [dict(m.named_buffers()) for m in modules])
        )
        return cls(modules[0], params, buffers)

    def __len__(self) -> int:
        return len(next(iter(self.params.values())))

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, run: int) -> nn.Module: ...
    @overload
    def __getitem__(self, run: slice) -> Ensemble: ...
    def __getitem__(self, run: int | slice) -> nn.Module | Ensemble:
        """The network of one run as a module of its own, weights copied; of a slice the ensemble of these runs."""
        if isinstance(run, slice):
            return self.select(torch.arange(len(self))[run])
        if not -len(self) <= run < len(self):
            raise IndexError(f"run {run} of an ensemble of {len(self)}")
        return filled(self.template, {k: v[run] for k, v in (self.params | self.buffers).items()})

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k} {list(v.shape[1:])}" for k, v in self.params.items())
        return f"Ensemble of {len(self)} x {type(self.template).__name__}({shapes})"

    @property
    def trainable(self) -> tuple[str, ...]:
        """The names of the parameters that ask for gradients; the others are frozen."""
        return tuple(name for name, p in self.template.named_parameters() if p.requires_grad)

    def one(self, params: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        """The output of one run with its own (unstacked) tensors: what `vmap` maps over runs."""
        return functional_call(self.template, (params, buffers), (x,))

    def __call__(self, x: Tensor) -> Tensor:
        """Every run's output for the same inputs: [n, ...] -> [R, n, ...]; so many runs at a time as memory allows."""
        self._check_calm()
        if not len(self):
            raise InputError("the ensemble has no runs")
        size = max(x.numel(), len(x) * activation_numbers(self[0], x[0])) if x.ndim and len(x) else 1
        chunk = max(1, CHUNK_BYTES // (8 * max(1, size)))
        calm = Ensemble(copy.deepcopy(self.template), self.params, self.buffers)  # a forward may write into its module
        outputs = vmap(calm.one, in_dims=(0, 0, None), chunk_size=min(chunk, len(self)))
        with plain_attention():
            return outputs(self.params, self._copied(), x)

    def each(self, x: Tensor) -> Tensor:
        """Every run's output for inputs of its own: [R, n, ...] -> [R, n, ...]."""
        # of the class itself: a subclass may have a forward of its own; vmap refuses inputs of other runs or shapes
        if vars(type(self.template)).get("takes_stacks", False) and x.ndim == 3 and len(x) == len(self):
            return self.one(self.params, self.buffers, x)
        self._check_calm()
        calm = Ensemble(copy.deepcopy(self.template), self.params, self.buffers)
        with plain_attention():
            return vmap(calm.one)(self.params, self._copied(), x)

    def _check_calm(self) -> None:
        if is_random(self.template):
            raise InputError("dropout is at work, and only a fit has a stream of it for each run; call .eval() first")

    def _copied(self) -> dict[str, Tensor]:
        """The buffers, as copies where the network may write into them: batch norm counts while it trains."""
        return {k: v.clone() for k, v in self.buffers.items()} if self.template.training else self.buffers

    def select(self, index: Tensor | Sequence[int]) -> Ensemble:
        """The runs in `index`, in that order."""
        rows = torch.as_tensor(index, device=next(iter(self.params.values())).device)
        return Ensemble(
            self.template, {k: v[rows] for k, v in self.params.items()}, {k: v[rows] for k, v in self.buffers.items()}
        )

    def with_params(self, params: dict[str, Tensor]) -> Ensemble:
        """The same networks with other parameters (same names and shapes)."""
        return Ensemble(self.template, params, self.buffers)

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, [R, *shape] each, for `torch.save`; `load_state_dict` takes them back."""
        return self.params | self.buffers

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Ensemble:
        """The same networks with the parameters and buffers of `state`; the number of runs may be another one."""
        own = self.state_dict()
        for name in state:
            if name not in own:
                raise unknown("tensor", name, own)
        for name in own:
            if name not in state:
                raise InputError(f"the state has no {name!r}")
        for name, tensor in state.items():
            if tensor.shape[1:] != own[name].shape[1:]:
                raise InputError(f"{name} is {list(tensor.shape[1:])} in the state, {list(own[name].shape[1:])} here")
        return Ensemble(self.template, {k: state[k] for k in self.params}, {k: state[k] for k in self.buffers})

    def train(self, mode: bool = True) -> Ensemble:
        """The same networks in training mode, in which dropout and batch norm are at work; as they were built."""
        return Ensemble(copy.deepcopy(self.template).train(mode), self.params, self.buffers)

    def eval(self) -> Ensemble:
        """The same networks in evaluation mode."""
        return self.train(False)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Ensemble:
        """A copy on another device or in another floating-point type; `InputError` for a device that is not there."""
        device = usable(device)
        return Ensemble(
            self.template,
            {k: v.to(device=device, dtype=dtype) for k, v in self.params.items()},
            {k: v.to(device=device, dtype=dtype if v.is_floating_point() else None) for k, v in self.buffers.items()},
        )


def plain_attention() -> AbstractContextManager[None]:
    """Attention as products and a softmax, which `vmap` knows; its fused kernels would be called run by run."""
    return sdpa_kernel(SDPBackend.MATH)


def _built(build: Build, source: torch.Generator) -> nn.Module:
    """`build(source)`, while the global generators draw what follows from the same state and are put back after."""
    draws = torch.Generator().set_state(source.get_state()) if source.device.type == "cpu" else source
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with ONE_AT_A_TIME, torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(torch.randint(2**62, (), generator=draws, device=draws.device)))
        return build(source)
