"""R networks of one shape, stacked: called, indexed and compacted as one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

Build = Callable[[torch.Generator], nn.Module]


class Ensemble:
    """R modules of one shape as one object.

    `params` and `buffers` map each name of the module to a tensor [R, *shape]. An ensemble is a value: its methods
    return new ensembles and never write into the tensors it was made from.
    """

    def __init__(
        self, template: nn.Module, params: dict[str, Tensor], buffers: dict[str, Tensor] | None = None
    ) -> None:
        # a template on the meta device holds no numbers; ensembles made from one another share it
        on_meta = all(t.is_meta for t in (*template.parameters(), *template.buffers()))
        self.template = template if on_meta else copy.deepcopy(template).to("meta")
        self.params = params
        self.buffers = buffers or {}

    @classmethod
    def of(cls, build: Build, seeds: Iterable[int | torch.Generator]) -> Ensemble:
        """One module for each seed: `build(generator)` is called with a private generator of the axis "init".

        A seed may also be a `torch.Generator`, used as it is. Cost: R calls of `build` and one copy of the weights.
        """
        generators = [s if isinstance(s, torch.Generator) else generator(s, "init") for s in seeds]
        return cls.stack([build(g) for g in generators])

    @classmethod
    def stack(cls, modules: Sequence[nn.Module]) -> Ensemble:
        """The ensemble of the given modules, which must have the same class and shapes; their weights are copied."""
        if not modules:
            raise InputError("an ensemble needs at least one module; the list of seeds is empty")
        shapes = [{k: tuple(v.shape) for k, v in m.state_dict().items()} for m in modules]
        for i, (module, shape) in enumerate(zip(modules, shapes, strict=True)):
            if shape != shapes[0] or type(module) is not type(modules[0]):
                raise InputError(f"module {i} differs from module 0 in class or in the shapes of its tensors")
        params, buffers = stack_module_state(list(modules))
        return cls(modules[0], {k: v.detach() for k, v in params.items()}, {k: v.detach() for k, v in buffers.items()})

    def __len__(self) -> int:
        return len(next(iter(self.params.values())))

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, run: int) -> nn.Module:
        """The network of one run as a module of its own, weights copied."""
        if not -len(self) <= run < len(self):
            raise IndexError(f"run {run} of an ensemble of {len(self)}")
        device = next(iter(self.params.values())).device
        module = copy.deepcopy(self.template).to_empty(device=device)
        tensors = {k: v[run] for k, v in (self.params | self.buffers).items()}
        for name, slot in [*module.named_parameters(), *module.named_buffers()]:
            slot.data = tensors[name].clone()  # also takes over the dtype
        return module

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k} {list(v.shape[1:])}" for k, v in self.params.items())
        return f"Ensemble of {len(self)} x {type(self.template).__name__}({shapes})"

    def one(self, params: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        """The output of one run with its own (unstacked) tensors: what `vmap` maps over runs."""
        return functional_call(self.template, (params, buffers), (x,))

    def __call__(self, x: Tensor) -> Tensor:
        """Every run's output for the same inputs: [n, ...] -> [R, n, ...]."""
        return vmap(self.one, in_dims=(0, 0, None))(self.params, self.buffers, x)

    def each(self, x: Tensor) -> Tensor:
        """Every run's output for inputs of its own: [R, n, ...] -> [R, n, ...]."""
        # of the class itself: a subclass may have a forward of its own; vmap refuses inputs of other runs or shapes
        if vars(type(self.template)).get("takes_stacks", False) and x.ndim == 3 and len(x) == len(self):
            return self.one(self.params, self.buffers, x)
        return vmap(self.one)(self.params, self.buffers, x)

    def select(self, index: Tensor | Sequence[int]) -> Ensemble:
        """The runs in `index`, in that order."""
        rows = torch.as_tensor(index, device=next(iter(self.params.values())).device)
        return Ensemble(
            self.template, {k: v[rows] for k, v in self.params.items()}, {k: v[rows] for k, v in self.buffers.items()}
        )

    def with_params(self, params: dict[str, Tensor]) -> Ensemble:
        """The same networks with other parameters (same names and shapes)."""
        return Ensemble(self.template, params, self.buffers)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Ensemble:
        """A copy on another device or in another floating-point type."""
        return Ensemble(
            self.template,
            {k: v.to(device=device, dtype=dtype) for k, v in self.params.items()},
            {k: v.to(device=device, dtype=dtype if v.is_floating_point() else None) for k, v in self.buffers.items()},
        )
