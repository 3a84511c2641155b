"""What happens between steps: projections, masks, and whatever else changes weights while they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params


@dataclass
class Between:
    """Some runs between two steps. What is written into the tensors, or put into the dicts, is what training goes on
    with.

    `runs` [r] are the places in the whole ensemble; `params` all parameters [r, *shape], `buffers` likewise; `state`
    the optimizer's memory, `{"momentum": {name: [r, *shape]}}` of SGD, `{"first": ..., "second": ...}` of Adam. A mask
    must be laid on the memory as well as on the weights: momentum carries a weight on after its gradient is gone.
    """

    runs: Tensor
    epoch: int
    step: int
    params: Params
    buffers: Params
    state: dict[str, Params]


Change = Callable[[Between], None]


@dataclass(frozen=True)
class Hook:
    """A change, and after how many steps or epochs it is made. Made with `after_steps` or `after_epochs`."""

    change: Change
    steps: int = 0
    epochs: int = 0


def after_steps(change: Change, every: int = 1) -> Hook:
    """Change the runs after every `every`-th step, counted from the start of training."""
    if every < 1:
        raise InputError(f"every must be 1 or more steps, not {every}")
    return Hook(change, steps=every)


def after_epochs(change: Change, every: int = 1) -> Hook:
    """Change the runs at the end of every `every`-th epoch, before observers look."""
    if every < 1:
        raise InputError(f"every must be 1 or more epochs, not {every}")
    return Hook(change, epochs=every)


def as_hook(given: Hook | Change) -> Hook:
    """A bare function is called after every step."""
    if isinstance(given, Hook):
        return given
    if not callable(given):
        raise InputError(f"a hook is a function of what is between two steps, or made with after_epochs: {given!r}")
    return after_steps(given)


def apply(hook: Hook, moment: Between) -> None:
    """Call the hook; what it put into the dicts is written into the tensors that were there."""
    before = _parts(moment)
    own = {name: dict(part) for name, part in before.items()}
    hook.change(moment)
    after = _parts(moment)
    if after.keys() != before.keys() or any(after[name].keys() != own[name].keys() for name in own):
        raise InputError("a hook between steps may change the tensors in its dicts, not add or remove any")
    replaced = [(own[part][name], after[part][name], name) for part in own for name in own[part]]
    replaced = [(old, new, name) for old, new, name in replaced if new is not old]
    for old, new, name in replaced:
        if not isinstance(new, Tensor) or new.shape != old.shape:
            found = list(new.shape) if isinstance(new, Tensor) else type(new).__name__
            raise InputError(f"a hook gave {name!r} as {found}, not as a tensor {list(old.shape)}")
    # copied first: what is put in one place may be a view of another
    for (old, _, _), value in zip(replaced, [new.clone() for _, new, _ in replaced], strict=True):
        old.copy_(value)


def _parts(moment: Between) -> dict[str, Params]:
    return {"params": moment.params, "buffers": moment.buffers, **moment.state}
