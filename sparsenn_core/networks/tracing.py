"""A module's operations in order, found by following one symbolic batch through its `forward` (torch.fx)."""

from __future__ import annotations

from typing import Any

from torch import fx, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.operations import Piece, is_affine, modules_in_order, piece_of_module, piece_of_operation


class _Tracer(fx.Tracer):
    """Follows `forward` down to the modules that `reading` knows and to PyTorch's own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = is_affine(m) or modules_in_order(m) is not None
        return known or super().is_leaf_module(m, module_qualified_name)


def pieces(module: nn.Module) -> list[Piece]:
    """The operations of `module`, first one first; `InputError` unless they form one chain of known ones."""
    if _Tracer().is_leaf_module(module, ""):
        return _of_module(module, "", _paths(module))
    return _Walk(module, graph_of(module)).pieces


def graph_of(module: nn.Module) -> fx.Graph:
    """What `forward` does as a graph, down to modules that are known; `InputError` where it depends on data."""
    try:
        return _Tracer().trace(module)
    except Exception as error:  # whatever the user's `forward` makes of a symbolic value
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"its forward cannot be followed without data: {reason}") from error


def _paths(root: nn.Module) -> dict[nn.Module, str]:
    return {module: name for name, module in root.named_modules()}


def _of_module(module: nn.Module, name: str, paths: dict[nn.Module, str]) -> list[Piece]:
    inside = modules_in_order(module)
    if inside is None:
        piece = piece_of_module(name, module)
        return [] if piece is None else [piece]
    return [piece for one in inside for piece in _of_module(one, paths.get(one, type(one).__name__), paths)]


class _Walk:
    """Follows the one value that a chain hands on from operation to operation."""

    def __init__(self, root: nn.Module, graph: fx.Graph) -> None:
        self.root = root
        self.paths = _paths(root)
        self.pieces: list[Piece] = []
        self.current: fx.Node | None = None
        self.shapes: set[fx.Node] = set()  # values that only hold sizes
        for node in graph.nodes:
            self._visit(node)

    def _visit(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self._enter(node)
        elif node.op == "output":
            if node.args[0] is not self.current:
                raise InputError(f"its output is not the result of its last operation but {node.args[0]}")
        elif self._asks_for_sizes(node):
            self.shapes.add(node)
        elif node.op != "get_attr":  # a parameter's use is refused where it is used
            self._follow(node)
            self.current = node

    def _enter(self, node: fx.Node) -> None:
        if self.current is None:
            self.current = node
        elif node.users:
            raise InputError(f"its forward takes more than one input: {self.current.name}, {node.name}")

    def _asks_for_sizes(self, node: fx.Node) -> bool:
        name = _name(node)
        if name in ("size", "dim", "numel", "len") or (name == "getattr" and node.args[1] in ("shape", "ndim")):
            return True
        return name == "getitem" and node.args[0] in self.shapes

    def _follow(self, node: fx.Node) -> None:
        name = str(node.target) if node.op == "call_module" else _name(node)
        sources = [source for source in node.all_input_nodes if source not in self.shapes]
        if sources != [self.current]:
            seen = ", ".join(_title(source) for source in sources) or "nothing"
            raise InputError(
                f"{name!r} takes {seen}; only a chain can be read, each taking what the one before it gives"
            )
        if node.op == "call_module":
            self.pieces += _of_module(self.root.get_submodule(name), name, self.paths)
            return
        target: Any = node.target
        piece = piece_of_operation(name, target, node.args[1:], dict(node.kwargs))
        self.pieces += [] if piece is None else [piece]


def _name(node: fx.Node) -> str:
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


def _title(node: fx.Node) -> str:
    if node.op == "placeholder":
        return f"the input {node.name!r}"
    return f"the {'parameter' if node.op == 'get_attr' else 'result of'} {_name(node)!r}"
