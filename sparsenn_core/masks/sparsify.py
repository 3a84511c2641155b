"""Linear and convolutional layers of any module made sparse, in place, and what must happen after each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.masks.allocation import Allocation, uniform
from sparsenn_core.masks.schedules import Constant, Schedule
from sparsenn_core.masks.sparse_weight import LayerRuns, Score, SparseWeight
from sparsenn_core.masks.structures import NM, Structure, Unstructured
from sparsenn_core.randomness import generator as private
from sparsenn_core.training import Between, Ensemble

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
OF_MASKS = ("mask", "kept", "seed", "step")


def sparsify(
    model: nn.Module,
    score: Score,
    sparsity: float | None = None,
    *,
    structure: Structure | None = None,
    allocation: Allocation = uniform,
    schedule: Schedule | None = None,
    layers: Sequence[str] | None = None,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """Make the weights of linear and convolutional layers sparse: the same model, changed in place.

    `score` says what masks follow, `structure` which weights stay together (default: single ones), `allocation` how
    sparse each layer is, `schedule` when weights go (default: at once). `sparsity` is the share of the layers' weights
    that is removed in the end, rounded in each layer to whole units; N:M and scores with penalties have none to give.
    `layers` names the layers (default: all), `generator` draws masks and scores. Biases stay.

    In a training loop of your own, call `step(model, optimizer)` after `optimizer.step()`, and make the optimizer after
    this, since some scores add parameters:

        sparsify(model, Magnitude(), 0.9, schedule=Cubic(100, 1000))
        optimizer = torch.optim.Adam(model.parameters())
        for x, y in batches:
            optimizer.zero_grad(); loss(model(x), y).backward(); optimizer.step()
            step(model, optimizer)

    In an ensemble, `fit(ensemble, ..., between=[following(ensemble)])`. `make_permanent` ends it. Masks, scores and
    steps are saved with `model.state_dict()` and loaded into a model that was sparsified alike.
    """
    structure, schedule = structure or Unstructured(), schedule or Constant()
    score.check(structure, schedule)
    chosen = list(_chosen(model, layers))
    kept = _kept(chosen, score, structure, allocation, sparsity)
    source = generator or private(0, "masks")
    for (_, layer), count in zip(chosen, kept, strict=True):
        weight = layer.weight
        assert isinstance(weight, nn.Parameter)
        sparse = SparseWeight(weight.detach(), score, structure, schedule, count, source)
        parametrize.register_parametrization(layer, "weight", sparse, unsafe=True)
        weight.requires_grad_(weight.requires_grad and score.trains_weights)
    hook = following(model)
    moment = _alone(model, {})
    for part in hook.parts:
        if part.name in {f"{name}." if name else "" for name, _ in chosen}:
            score.start(part.runs(moment, 0))
    return model


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """What the masks of a model do after a step of its optimizer, whose memory of removed weights is cleared.

    `InputError` for an optimizer that was made before the model was sparsified and lacks parameters of it.
    """
    hook = following(model)
    hook(_alone(model, _memory(model, optimizer)))


def following(model: nn.Module | Ensemble) -> Following:
    """The hook that lets the masks of an ensemble follow its training: `fit(..., between=[following(ensemble)])`."""
    module = model.template if isinstance(model, Ensemble) else model
    parts = tuple(
        Part(name.removesuffix(PARAMETRIZATION), sparse.score, sparse.structure, sparse.schedule)
        for name, sparse in sparse_weights(module)
    )
    if not parts:
        raise InputError(f"{type(module).__name__} has no sparse layers; sparsify makes them")
    return Following(parts)


def sparse_weights(model: nn.Module) -> Iterator[tuple[str, SparseWeight]]:
    """The sparse weights of a model, with the names under which they are registered."""
    return ((name, part) for name, part in model.named_modules() if isinstance(part, SparseWeight))


PARAMETRIZATION = "parametrizations.weight.0"
ORIGINAL = "parametrizations.weight.original"
OWN = f"{PARAMETRIZATION}.tensors."


@dataclass(frozen=True)
class Part:
    """A sparse layer: the beginning of the names of its tensors, and its method."""

    name: str
    score: Score
    structure: Structure
    schedule: Schedule

    def runs(self, moment: Between, done: int) -> LayerRuns:
        """The layer's tensors of all runs between two steps, of which it has made `done`."""
        start = self.name + OWN
        found = {k.removeprefix(start): v for k, v in (moment.params | moment.buffers).items() if k.startswith(start)}
        own = {name: tensor for name, tensor in found.items() if name not in OF_MASKS}
        weight = self.name + ORIGINAL
        moments = [memory[weight] for memory in moment.state.values() if weight in memory]
        masks = {name: found[name] for name in OF_MASKS if name != "step"}
        return LayerRuns(
            moment.params[weight], **masks, own=own, moments=moments, structure=self.structure,
            schedule=self.schedule, step=done,
        )  # fmt: skip


@dataclass(frozen=True)
class Following:
    """See `following`. It holds no numbers: these are in the buffers of the networks."""

    parts: tuple[Part, ...]

    def __call__(self, moment: Between) -> None:
        """Count the step, and let every layer's score do what is due."""
        with torch.no_grad():
            for part in self.parts:
                steps = moment.buffers[f"{part.name}{OWN}step"]
                steps.add_(1)
                done = int(steps[0])
                if not bool((steps == done).all()):
                    raise InputError(f"{part.name}weight: the runs have made different numbers of steps: {steps}"[:200])
                part.score.after_step(part.runs(moment, done))


def _chosen(model: nn.Module, names: Sequence[str] | None) -> Iterator[tuple[str, nn.Module]]:
    """The layers to make sparse, with their names; refuses what cannot be, before anything is changed."""
    found = {name: part for name, part in model.named_modules() if isinstance(part, LAYERS)}
    if isinstance(names, str):
        raise InputError(f"layers is a list of names, such as [{names!r}]")
    for name in names or ():
        if name not in found:
            raise unknown("linear or convolutional layer", name, found, where="sparsify")
    owners = [id(p) for part in model.modules() for p in part._parameters.values() if p is not None]
    chosen = {name: found[name] for name in (found if names is None else names)}
    if not chosen:
        raise InputError(f"{type(model).__name__} has no linear or convolutional layer to make sparse")
    for name, layer in chosen.items():
        where = name or type(layer).__name__
        if parametrize.is_parametrized(layer, "weight"):
            raise InputError(f"the weight of {where} is parametrized already; make_permanent ends an earlier mask")
        weight = layer._parameters.get("weight")
        if weight is None:
            raise InputError(f"the weight of {where} is computed before its forward (pruned?); make it permanent first")
        if owners.count(id(weight)) > 1:
            raise InputError(f"the weight of {where} is shared with another layer; a mask for each would differ")
    return iter(chosen.items())


def _kept(
    chosen: list[tuple[str, nn.Module]],
    score: Score,
    structure: Structure,
    allocation: Allocation,
    sparsity: float | None,
) -> list[int]:
    """How many units of each row stay in each layer; refuses what shapes or the score do not allow."""
    shapes = [tuple(layer.weight.shape) for _, layer in chosen]  # type: ignore[arg-type]
    if not score.has_sparsity:
        if sparsity is not None:
            raise InputError(f"the sparsity of {type(score).__name__} is an outcome of penalties; leave {sparsity} out")
        return [structure.layout(shape)[1] for shape in shapes]
    shares: Sequence[float | None] = [sparsity] * len(shapes)
    if sparsity is not None and not isinstance(structure, NM):
        shares = allocation(shapes, sparsity)
    counts = []
    for (name, layer), shape, share in zip(chosen, shapes, shares, strict=True):
        try:
            counts.append(structure.kept(shape, share))
        except InputError as error:
            raise InputError(f"{name or type(layer).__name__}: {error}") from None
    return counts


def _alone(model: nn.Module, memory: dict[str, dict[str, Tensor]]) -> Between:
    """A model as an ensemble of one run between two steps, in the same memory."""
    params = {name: p.detach().unsqueeze(0) for name, p in model.named_parameters()}
    buffers = {name: b.unsqueeze(0) for name, b in model.named_buffers()}
    return Between(torch.zeros(1, dtype=torch.int64), 0, 0, params, buffers, memory)


def _memory(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Tensor]]:
    """What the optimizer remembers of each parameter, as of one run: by the memory's name, then the parameter's."""
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    found: dict[str, dict[str, Tensor]] = {}
    for name, p in model.named_parameters():
        if f".{PARAMETRIZATION}." in f".{name}" and id(p) not in known:
            raise InputError(f"the optimizer does not know {name}; make it after sparsify")
        for memory, value in optimizer.state.get(p, {}).items():
            if isinstance(value, Tensor) and value.shape == p.shape and p.ndim:
                found.setdefault(memory, {})[name] = value.unsqueeze(0)
    return found
