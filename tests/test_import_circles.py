"""No module imports another in a circle, imports within functions included.

An import is an edge from a module to the one that it names; `from package import name` names the submodule if there is
one, else the package. What stands under TYPE_CHECKING is not imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "keras_front": ROOT,
    **{path.name: ROOT / "backends" for path in sorted((ROOT / "backends").glob("keras_front_*"))},
}


def modules_of(package: str) -> dict[str, Path]:
    root = PACKAGES[package]
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        names = path.relative_to(root).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from statements(child)


def base_of(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The absolute name of what stands between `from` and `import`."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, node.module] if node.module else parts)


def imports(module: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in statements(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            base = base_of(node, module, path.name == "__init__.py")
            named = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else base for name in named if name in modules or base in modules)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module (Kosaraju's two passes)."""
    order: list[str] = []
    for start in graph:
        visit(start, graph, set(order), order)
    against: dict[str, set[str]] = {module: set() for module in graph}
    for module, targets in graph.items():
        for target in targets:
            against[target].add(module)
    found, seen = [], set()
    for start in reversed(order):
        component: list[str] = []
        visit(start, against, seen, component)
        seen.update(component)
        found += [sorted(component)] if len(component) > 1 else []
    return found


def visit(start: str, graph: dict[str, set[str]], seen: set[str], order: list[str]) -> None:
    """Append the modules that are reached from `start` and were not seen, each after those that it leads to."""
    if start in seen:
        return
    seen = {*seen, start}
    stack = [(start, iter(sorted(graph[start])))]
    while stack:
        targets = stack[-1][1]
        following = next((t for t in targets if t not in seen), None)
        if following is None:
            order.append(stack.pop()[0])
        else:
            seen.add(following)
            stack.append((following, iter(sorted(graph[following]))))


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"e"}, "e": {"f"}, "f": {"d"}, "g": {"a"}}
    assert sorted(circles(graph)) == [["b", "c"], ["d", "e", "f"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_circles(package):
    modules = modules_of(package)
    graph = {module: set(imports(module, path, modules)) - {module} for module, path in modules.items()}
    assert circles(graph) == []
