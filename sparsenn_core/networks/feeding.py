"""Which units a layer reads: the layer before it, and what lies between, so that units can leave on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import parametrize

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.networks.operations import (
    Activation,
    Affine,
    Operation,
    Piece,
    is_affine,
    modules_in_order,
    piece_of_module,
    piece_of_operation,
)
from sparsenn_core.networks.tracing import graph_of

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True)
class Feed:
    """The units that a layer reads.

    layer   dotted path of an nn.Linear, nn.Conv1d or nn.Conv2d
    source  path of the layer of the same kinds whose units (channels) it reads through a ReLU, and nobody else reads
    norms   paths of the batch norms between, nearest to `layer` first
    units   their number
    size    inputs of `layer` that belong to one unit: entries of a flattened channel and of a kernel; they lie together
    """

    layer: str
    source: str
    norms: tuple[str, ...]
    units: int
    size: int


@dataclass(frozen=True)
class _Link:
    """One operation: what it does (None if not known), the places of those it follows, and how many follow it."""

    title: str
    piece: Piece | nn.Module | None
    inputs: tuple[int, ...]
    readers: int


def feeds(module: nn.Module) -> dict[str, Feed | InputError]:
    """For every linear and convolutional layer, in order of use: the units it reads, or why they cannot be told.

    Works for any module that torch.fx can follow, with branches and additions elsewhere. Between a layer and its source
    may lie a ReLU (it must), batch norms, pools, dropout and flattening, all of which keep units apart.
    """
    links = _links(module)
    found: dict[str, Feed | InputError] = {}
    for place, link in enumerate(links):
        if isinstance(link.piece, Affine):
            try:
                found[link.piece.name] = _feed(module, links, place)
            except InputError as error:
                found[link.piece.name] = error
    return found


def feed(module: nn.Module, layer: str) -> Feed:
    """The units that the layer at the dotted path `layer` reads; `InputError` where there is none, or not after a ReLU.

    Cost: a trace.
    """
    found = feeds(module)
    if layer not in found:
        if layer in dict(module.named_modules()) and is_affine(module.get_submodule(layer)):
            raise InputError(f"layer {layer!r} lies inside a module that cannot be followed, or is never used")
        raise unknown("layer", layer, found)
    one = found[layer]
    if isinstance(one, InputError):
        raise one
    return one


def layer_inputs(module: nn.Module, layers: list[str], x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The outputs of `module` on `x`, and what arrives at each of the `layers` [n, ...]. One pass, no gradients."""
    caught: dict[str, Tensor] = {}

    def catch(name: str) -> torch.utils.hooks.RemovableHandle:
        # a copy: an activation in place may write over it
        return module.get_submodule(name).register_forward_pre_hook(
            lambda _, given: caught.__setitem__(name, given[0].detach().clone())
        )

    inside = modules_in_order(module)
    # such a network holds features first and calls no layer as a module
    runs = module if inside is None else nn.Sequential(*inside)
    handles = [catch(name) for name in dict.fromkeys(layers)]
    try:
        with torch.no_grad():
            outputs = runs(x)
    finally:
        for handle in handles:
            handle.remove()
    return outputs, [caught[name] for name in layers]


def _links(module: nn.Module) -> list[_Link]:
    if modules_in_order(module) is not None or is_affine(module):
        chain = _modules(module, "", {one: name for name, one in module.named_modules()})
        return [
            _Link(name, _piece(name, one), (place - 1,) if place else (), int(place < len(chain) - 1))
            for place, (name, one) in enumerate(chain)
        ]
    nodes = [node for node in graph_of(module).nodes if node.op not in ("output", "get_attr")]
    places = {node: place for place, node in enumerate(nodes)}
    return [_of_node(module, node, places) for node in nodes]


def _modules(module: nn.Module, name: str, paths: dict[nn.Module, str]) -> list[tuple[str, nn.Module]]:
    inside = modules_in_order(module)
    if inside is None:
        return [(name, module)]
    return [pair for one in inside for pair in _modules(one, paths.get(one, type(one).__name__), paths)]


def _of_node(module: nn.Module, node: fx.Node, places: dict[fx.Node, int]) -> _Link:
    readers = sum(not _only_sizes(user) for user in node.users)
    inputs = tuple(places[source] for source in node.all_input_nodes if source in places and not _only_sizes(source))
    title = str(node.target)
    if node.op == "placeholder":
        return _Link(title, None, (), readers)
    if node.op == "call_module":
        return _Link(title, _piece(title, module.get_submodule(title)), inputs, readers)
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", title)
    try:
        piece = piece_of_operation(name, node.target, node.args[1:], dict(node.kwargs))
        known: Piece | None = piece or Operation("identity", lambda h: h)
    except InputError:
        known = None
    return _Link(name, known, inputs, readers)


def _only_sizes(node: fx.Node) -> bool:
    """Whether a node holds sizes, not values."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if name in ("size", "dim", "numel", "len") or (name == "getattr" and node.args[1] in ("shape", "ndim")):
        return True
    if name in ("getitem", "mul", "floordiv", "add", "sub"):
        return bool(node.all_input_nodes) and all(_only_sizes(source) for source in node.all_input_nodes)
    return False


def _piece(name: str, module: nn.Module) -> Piece | nn.Module | None:
    """The piece that a module is, a batch norm itself, or None for what cannot be read."""
    if isinstance(module, NORMS):
        return module
    try:
        return piece_of_module(name, module) or Operation("identity", lambda h: h)
    except InputError:
        return None


def _feed(module: nn.Module, links: list[_Link], place: int) -> Feed:
    """Walk back from the layer at `place` to the one before it."""
    layer = _layer(module, links, place)
    seen: set[str] = set()
    norms: list[str] = []
    link = _before(links, links[place], layer)
    while not isinstance(link.piece, Affine):
        if isinstance(link.piece, Activation) and link.piece.name != "relu":
            raise InputError(f"layer {layer!r} comes after {link.piece.name}, not after a ReLU")
        if isinstance(link.piece, NORMS):
            norms.append(link.title)
        elif isinstance(link.piece, Activation | Operation):
            seen.add(link.piece.name)
        else:
            raise InputError(f"layer {layer!r} comes after {link.title!r}, through which units cannot be followed")
        link = _before(links, link, layer)
    if "relu" not in seen:
        raise InputError(f"layer {layer!r} comes after layer {link.title!r}, not after a ReLU")
    return _checked(module, layer, _layer(module, links, links.index(link)), tuple(norms), seen)


def _before(links: list[_Link], link: _Link, layer: str) -> _Link:
    """The one operation that `link` follows, if nothing else follows it and it is not the input."""
    if len(link.inputs) > 1:
        raise InputError(f"layer {layer!r} comes after {link.title!r}, through which units cannot be followed")
    if not link.inputs or (links[link.inputs[0]].piece is None and not links[link.inputs[0]].inputs):
        raise InputError(f"layer {layer!r} reads the network's inputs; it must read the units of a layer after a ReLU")
    before = links[link.inputs[0]]
    if before.readers > 1:
        raise InputError(f"layer {layer!r} is not the only one that reads {before.title!r}")
    return before


def _layer(module: nn.Module, links: list[_Link], place: int) -> str:
    """The name of the layer at `place`, if its weight is plain and used once."""
    piece = links[place].piece
    assert isinstance(piece, Affine)
    name, layer = piece.name, piece.module
    if not isinstance(layer, _LAYERS) or getattr(layer, "groups", 1) != 1:
        raise InputError(f"layer {name!r} is {layer}; Linear, and Conv1d or Conv2d with groups=1 can lose units")
    if parametrize.is_parametrized(layer) or not isinstance(layer.weight, nn.Parameter):
        raise InputError(f"the weight of layer {name!r} is computed, not a parameter itself; end its parametrization")
    if nn.parameter.is_lazy(layer.weight):
        raise InputError(f"layer {name!r} has no weight yet: call the module once")
    used = sum(isinstance(link.piece, Affine) and link.piece.module is layer for link in links)
    shared = Counter(id(p) for _, p in module.named_parameters(remove_duplicate=False))
    modules = sum(one is layer for _, one in module.named_modules(remove_duplicate=False))
    if used > 1 or any(shared[id(p)] > modules for p in layer.parameters()):
        raise InputError(f"layer {name!r} is used twice, or shares its weight")
    return name


def _checked(module: nn.Module, name: str, before: str, norms: tuple[str, ...], seen: set[str]) -> Feed:
    """The feed, if what lies between keeps the units apart for these kinds of layers."""
    layer, source = module.get_submodule(name), module.get_submodule(before)
    assert isinstance(layer.weight, Tensor)
    assert isinstance(source.weight, Tensor)
    units, inputs = len(source.weight), layer.weight[0].numel()
    pair = (isinstance(source, nn.Linear), isinstance(layer, nn.Linear))
    pools = any("pool" in one for one in seen)
    fits = {
        (True, True): inputs == units and not pools,
        (False, True): "flatten" in seen and inputs % units == 0,
        (False, False): layer.weight.shape[1] == units and layer.weight.ndim == source.weight.ndim,
        (True, False): False,
    }[pair]
    widths = [module.get_submodule(norm).num_features for norm in norms]
    if not fits or "unflatten" in seen or any(width % units for width in widths):  # type: ignore[operator]
        raise InputError(f"the {units} units of layer {before!r} are not the inputs of layer {name!r}, one by one")
    return Feed(name, before, norms, units, inputs // units)
