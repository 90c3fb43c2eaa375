"""The API reference as pages: what `help` says about every public name, as Markdown.

`docs/hooks.py` makes these pages while the site is built; nothing of them is kept in the repository. They come from the
live objects, so that the page of a layer shows what `help` shows: also the arguments of the bases.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

# Public modules, in the order of the site's navigation.
MODULES = (
    "models", "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "activations",
    "initializers", "regularizers", "constraints", "backend", "ops", "random", "preprocessing.image",
    "preprocessing.sequence", "preprocessing.text", "datasets", "applications", "utils", "wrappers", "saving", "export",
    "distribution", "config", "errors",
)  # fmt: skip

_SECTION = re.compile(r"^([A-Z][\w ]*(?: of `\w+`)?):[ \t]*(.*)$")
_ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \(([^)]*)\))?:[ \t]*(.*)$")
_HEADINGS = {"Args", "Arguments", "Attributes", "Shape", "Weights", "Returns", "Raises", "Source", "Example", "Yields"}


def page(module: str) -> str:
    """The page of a module.

    Args:
        module: its name below `keras_front`.
    """
    found = import_module(f"keras_front.{module}")
    lines = [f"# keras_front.{module}", "", _text(inspect.getdoc(found) or ""), ""]
    for name in public_names(module):
        lines += entry(name, getattr(found, name))
    return "\n".join(lines) + "\n"


def public_names(module: str) -> list[str]:
    """What of a module the reference describes: its public functions and classes, and data sets, which are modules.

    Args:
        module: its name below `keras_front`.
    """
    found = import_module(f"keras_front.{module}")
    names = getattr(found, "__all__", None) or [n for n in dir(found) if not n.startswith("_")]
    return [name for name in names if _has_entry(getattr(found, name))]


def _has_entry(value: Any) -> bool:
    ours = (getattr(value, "__module__", None) or getattr(value, "__name__", "")).startswith("keras_front")
    return ours and (callable(value) or inspect.ismodule(value))


def _is_own(module: Any, name: str, value: Any) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", None) == module.__name__


def entry(name: str, target: Any, level: int = 2) -> list[str]:
    """The lines about one name: its signature, its docstring, and for a class its public methods.

    Args:
        name: what it is called on the page.
        target: the function, class or module.
        level: depth of its heading.
    """
    if inspect.ismodule(target):
        functions = [n for n in getattr(target, "__all__", ()) if callable(getattr(target, n))]
        functions = functions or [n for n, v in vars(target).items() if _is_own(target, n, v)]
        lines = [f"{'#' * level} {name}", "", _text(inspect.getdoc(target) or ""), ""]
        return lines + [line for n in functions for line in entry(f"{name}.{n}", getattr(target, n), level + 1)]
    lines = [f"{'#' * level} {name}", "", *_signature(name.split(".")[-1], target), *body(inspect.getdoc(target) or "")]
    for method, function in _methods(target):
        lines += [f"{'#' * (level + 1)} {name}.{method} {{ #{name}.{method} }}", ""]
        lines += [*_signature(method, function), *body(inspect.getdoc(function) or "")]
    return lines


def _methods(target: Any) -> Iterator[tuple[str, Any]]:
    """The documented public methods of a class; those of a base that has an entry of its own stand there."""
    if not inspect.isclass(target):
        return
    seen: set[str] = set()
    for base in target.__mro__:
        if base is not target and (base is object or base in _described()):
            seen |= set(vars(base))
    for name, value in ((n, v) for base in target.__mro__ for n, v in vars(base).items()):
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if not name.startswith("_") and name not in seen and inspect.isfunction(function) and function.__doc__:
            seen.add(name)
            yield name, function


@cache
def _described() -> frozenset[type]:
    """The classes that have entries."""
    modules = {module: import_module(f"keras_front.{module}") for module in MODULES}
    found = (getattr(modules[module], name) for module in MODULES for name in public_names(module))
    return frozenset(target for target in found if inspect.isclass(target))


def _signature(name: str, target: Any) -> list[str]:
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return []
    if parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    plain = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
    text = f"{name}{plain}"
    if len(text) > 100:
        inner = ",\n    ".join(str(plain)[1:-1].split(", ")) if "(" not in str(plain)[1:-1] else str(plain)[1:-1]
        text = f"{name}(\n    {inner},\n)"
    return ["```python", text, "```", ""]


def body(doc: str) -> list[str]:
    """A docstring in Google style as Markdown.

    Args:
        doc: the docstring, without the margin of the code around it.
    """
    lines, found = [], doc.splitlines()
    while found:
        line = found.pop(0)
        match = _SECTION.match(line)
        if not match or match.group(1).split(" of ")[0] not in _HEADINGS:
            lines.append(_escape(line))
            continue
        block = []
        while found and (not found[0].strip() or found[0].startswith(" ")):
            block.append(found.pop(0))
        lines += ["", *_section(match.group(1), match.group(2), inspect.cleandoc("\n" + "\n".join(block)).splitlines())]
    return [*lines, ""]


def _section(heading: str, first: str, block: list[str]) -> Iterator[str]:
    if heading.startswith("Example"):
        yield from (f"**{heading}**", "", "```pycon", *([first] if first else []), *block, "```", "")
    elif heading == "Args of `Layer`":  # the same for every layer: folded
        yield from ('??? note "Args of Layer"', "", *(f"    {line}" for line in _list(block)), "")
    elif heading.startswith(("Arg", "Attributes")):
        yield from (f"**{heading}**", "", *_list(block), "")
    else:
        yield from (f"**{heading}**: {_escape(' '.join([first, *map(str.strip, block)]).strip())}", "")


def _list(block: list[str]) -> Iterator[str]:
    """One item of a list for each argument; what goes on in the next lines belongs to the item."""
    for line in block:
        match = _ENTRY.match(line)
        if match:
            names = ", ".join(f"`{name}`" for name in match.group(1).split(", "))
            yield f"- {names}: {_escape(match.group(3))}"
        else:
            yield f"    {_escape(line.strip())}" if line.strip() else ""


def _escape(line: str) -> str:
    """A line of text in which Markdown sees no emphasis or HTML that was not meant."""
    parts = line.split("`")
    parts[::2] = [re.sub(r"([*_<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _text(doc: str) -> str:
    return "\n".join(map(_escape, doc.splitlines()))
