"""Which module imports which, read from the sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

Imports = dict[str, set[str]]


def module_names(root: Path, package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(module, names) of every import, wherever it stands; those for type checkers alone are left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for one in node.body
        for inner in ast.walk(one)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield node.module or "", [alias.name for alias in node.names]


def _defined(path: Path) -> set[str]:
    """The names that the imports of a package's face give it."""
    return {name for _, names in imported_names(path) for name in names}


def import_graph(modules: dict[str, Path]) -> Imports:
    """The modules among `modules` that each of them imports, with the packages these run on the way."""
    graph: Imports = {}
    for name, path in modules.items():
        wanted: set[str] = set()
        for module, names in imported_names(path):
            if module not in modules:
                continue
            wanted.add(module)
            face = _defined(modules[module]) if modules[module].name == "__init__.py" else set()
            wanted |= {f"{module}.{n}" for n in names if f"{module}.{n}" in modules and n not in face}
        parents = {one.rsplit(".", k)[0] for one in wanted for k in range(1, one.count(".") + 1)}
        # a package's face is run before its modules anyway
        graph[name] = {one for one in wanted | parents if one != name and not f"{name}.".startswith(f"{one}.")}
    return graph
