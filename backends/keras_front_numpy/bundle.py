"""Collects the source of functions with everything that they need, so that it runs without the packages it is from.

Starting from names in modules, the statements that bind them are taken over one by one, without annotations; a name
that comes from another of the given packages is followed there, all other imports are kept. Nothing is executed.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

__all__ = ["Bundle"]

PACKAGES = ("keras_front", "keras_front_numpy")


class Bundle:
    """Source text that grows with the names that are asked for; see the module."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.parts: list[str] = []
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def text(self) -> str:
        """Imports, then definitions, each after those that it needs."""
        return "\n".join([*sorted(set(self.imports)), "", *self.parts])

    # Names ---------------------------------------------------------------------------------------------------

    def name(self, module: str, name: str) -> str:
        """What a global name of a module is called in the text; its definition is added if it is not there yet.

        Args:
            module: the module in which it is used.
            name: the name.
        """
        key = (module, name)
        if key in self._names:
            return self._names[key]
        statement = _bindings(module).get(name)
        if statement is None:
            if hasattr(builtins, name):
                return name
            raise NotImplementedError(f"{module} uses the name {name!r}, which is not defined there.")
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._names[key] = found = self._imported(module, name, statement)
            return found
        for bound in _names_in(statement):
            self._names[module, bound] = self._free(bound)
        self._add(module, statement)
        return self._names[key]

    def attribute(self, kind: type, name: str) -> str:
        """What an attribute of a class is called in the text, as a function of its own without `self`.

        Args:
            kind: the class.
            name: the attribute.
        """
        owner = next(c for c in kind.__mro__ if name in c.__dict__)
        key = (f"{owner.__module__}.{owner.__qualname__}", name)
        if key not in self._names:
            statement = _class_bindings(owner)[name]
            for bound in _names_in(statement):
                self._names[key[0], bound] = self._free(f"op_{bound.lstrip('_')}")
            self._add(owner.__module__, statement, kind, owner)
        return self._names[key]

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self._taken:
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free

    def _imported(self, module: str, name: str, statement: ast.Import | ast.ImportFrom) -> str:
        alias = next(a for a in statement.names if (a.asname or a.name.partition(".")[0]) == name)
        if isinstance(statement, ast.Import):
            self.imports.append(f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))
            return name
        source = _absolute(module, statement)
        if source.partition(".")[0] in PACKAGES:
            return self.name(source, alias.name)
        self.imports.append(f"from {source} import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))
        return name

    def module_called(self, module: str, name: str) -> str | None:
        """The module of the given packages that a global name stands for; None if it stands for something else.

        Args:
            module: the module in which it is used.
            name: the name.
        """
        value = vars(sys.modules[module]).get(name)
        ours = isinstance(value, ModuleType) and value.__name__.partition(".")[0] in PACKAGES
        return value.__name__ if ours else None  # type: ignore[union-attr]

    # Definitions ---------------------------------------------------------------------------------------------

    def _add(self, module: str, statement: ast.stmt, kind: type | None = None, owner: type | None = None) -> None:
        copied = ast.parse(ast.unparse(statement)).body[0]
        if kind is not None and isinstance(copied, ast.FunctionDef) and copied.args.args[:1]:
            if copied.args.args[0].arg == "self":
                del copied.args.args[0]
        place = module if owner is None else f"{owner.__module__}.{owner.__qualname__}"
        renamed = {name: self._names[place, name] for name in _names_in(statement)}
        written = _Rewriter(self, module, kind, renamed, copied).visit(copied)
        self.parts.append(ast.unparse(ast.fix_missing_locations(written)) + "\n")


class _Rewriter(ast.NodeTransformer):
    """Global names by what they are called in the bundle; no annotations; attributes of `self` as functions."""

    def __init__(self, bundle: Bundle, module: str, kind: type | None, renamed: dict[str, str], statement: ast.stmt):
        self.bundle, self.module, self.kind, self.renamed = bundle, module, kind, renamed
        self.local = _local_names(statement)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.renamed and (node.id not in self.local or isinstance(node.ctx, ast.Store)):
            return ast.copy_location(ast.Name(self.renamed[node.id], node.ctx), node)
        if isinstance(node.ctx, ast.Store) or node.id in self.local:
            return node
        return ast.copy_location(ast.Name(self.bundle.name(self.module, node.id), node.ctx), node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id not in self.local:
            if node.value.id == "self" and self.kind is not None:
                return ast.copy_location(ast.Name(self.bundle.attribute(self.kind, node.attr), node.ctx), node)
            module = self.bundle.module_called(self.module, node.value.id)
            if module is not None:
                return ast.copy_location(ast.Name(self.bundle.name(module, node.attr), node.ctx), node)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.name = self.renamed.get(node.name, node.name)
        node.returns = None
        arguments = node.args
        for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if arg is not None:
                arg.annotation = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.name = self.renamed.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None and not isinstance(node.target, ast.Name):
            return None
        node.annotation = ast.Constant("object")
        if node.value is not None:
            node.value = self.visit(node.value)
        node.target = self.visit(node.target)
        return node


# What modules say ----------------------------------------------------------------------------------------------


@functools.cache
def _bindings(module: str) -> dict[str, ast.stmt]:
    """The statement at the top of a module that binds each name."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {name: statement for statement in tree.body for name in _names_in(statement)}


@functools.cache
def _class_bindings(kind: type) -> dict[str, ast.stmt]:
    tree = _bindings(kind.__module__)[kind.__name__]
    return {name: statement for statement in tree.body for name in _names_in(statement)}  # type: ignore[attr-defined]


def _names_in(statement: ast.stmt) -> list[str]:
    """The names that a statement binds where it stands, in blocks as well."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Try | ast.If | ast.With):
        blocks = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        return list(dict.fromkeys(name for block in blocks for part in block for name in _names_in(part)))
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [n.id for t in targets if t is not None for n in ast.walk(t) if isinstance(n, ast.Name)]


def _local_names(statement: ast.stmt) -> set[str]:
    """Names that functions within a statement bind: arguments, variables, functions in functions."""
    return {name for part in _functions(statement) for name in _bound_by(part)}


def _functions(statement: ast.stmt) -> Iterator[ast.AST]:
    kinds = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return (node for node in ast.walk(statement) if isinstance(node, kinds))


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        a = node.args
        yield from (x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x is not None)
    if isinstance(node, ast.FunctionDef):
        yield from (n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node)
        yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        yield from (n.name for n in ast.walk(node) if isinstance(n, ast.ExceptHandler) and n.name)
    for part in getattr(node, "generators", ()):
        yield from (n.id for n in ast.walk(part.target) if isinstance(n, ast.Name))


def _absolute(module: str, statement: ast.ImportFrom) -> str:
    """The module that an import names, whose dots count from the package of `module`."""
    if not statement.level:
        return statement.module or ""
    found = sys.modules[module]
    package = module if hasattr(found, "__path__") else module.rpartition(".")[0]
    base = package.split(".")[: package.count(".") + 2 - statement.level]
    return ".".join([*base, *([statement.module] if statement.module else [])])
