"""Who imports whom, read from the source."""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import ecl

ROOT = Path(ecl.__file__).parent


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package ``ecl``, and its file."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = ("ecl", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree_of(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(modules()[name].read_text())


@cache
def imports(name: str, typing: bool = False) -> frozenset[str]:
    """
    Return the project's modules that a module imports, by statements anywhere in it.

    Args:
        typing: Count what is imported for type checkers only, too.
    """
    return frozenset(found for found in _imports(tree_of(name), typing) if found.split(".")[0] == "ecl")


def _imports(tree: ast.AST, typing: bool) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules() else str(node.module)
        yield from _imports(node, typing)


def module_cycles(prefix: str) -> list[list[str]]:
    """Return circles of modules below *prefix* that import each other at run time: at most one."""
    names = {name for name in modules() if _is_in(name, prefix)}
    return _cycles({name: set(imports(name)) & names - {name} for name in names})


def package_cycles(prefix: str) -> list[list[str]]:
    """
    Return circles among the children of one package, for *prefix* and each package in it: at most one of each.

    A child is a module, or a package with all that is in it. What is imported for type checkers only counts, too. The
    package's own ``__init__`` is a child like the others.
    """
    packages = sorted(name for name, path in modules().items() if path.name == "__init__.py" and _is_in(name, prefix))
    return [cycle for package in packages for cycle in _cycles(_children(package))]


def _children(package: str) -> dict[str, set[str]]:
    """Return each child of *package*, and the other children that it imports from."""
    graph: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        if _is_in(name, package):
            child = _child(name, package)
            graph[child] |= {_child(found, package) for found in imports(name, typing=True) if _is_in(found, package)}
            graph[child].discard(child)
    return graph


def _child(name: str, package: str) -> str:
    rest = name.removeprefix(package).lstrip(".").split(".")[0]
    return f"{package}.{rest or '__init__'}"


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as exc:
        return [exc.args[1]]
    return []
