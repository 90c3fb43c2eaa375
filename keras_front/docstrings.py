"""Docstrings as data: which arguments one documents, and classes whose help also shows what their bases document.

A docstring is in Google style: sections `Args:`, `Shape:`, `Returns:`, `Raises:`, `Source:`, `Example:`. A class
derived from `Documented` documents its own arguments only; those that its bases take are added when a user reads
`__doc__`, so that defining a class costs nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["Documented", "arguments_of", "documented_arguments", "undocumented_arguments"]

# A heading such as `Args:`, "Args of `Layer`:" or, where the fields of a record are its arguments, `Attributes:`; and
# an entry such as `units: ...` or `rows, columns (int): ...`.
_HEADING = re.compile(r"(?:Arg(?:ument)?s(?: of `\w+`)?|Attributes):\s*$")
_ENTRY = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \([^)]*\))?:(?:\s|$)")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def argument_entries(doc: str | None) -> dict[str, list[str]]:
    """The lines that document each argument, by name; names that share an entry share its lines.

    Args:
        doc: a docstring in Google style, or None.
    """
    found: dict[str, list[str]] = {}
    for block in _argument_blocks(inspect.cleandoc(doc or "").splitlines()):
        margin, entry = _indent(block[0]), []
        for line in block:
            match = _ENTRY.match(line.strip()) if _indent(line) == margin else None
            if match:
                entry = [line[margin:]]
                found.update((name.lstrip("*"), entry) for name in match.group(1).split(", "))
            else:
                entry.append(line[margin:])
    return found


def _argument_blocks(lines: list[str]) -> Iterator[list[str]]:
    """The indented lines below each heading of arguments."""
    for start, heading in enumerate(lines):
        if not _HEADING.match(heading):
            continue
        block: list[str] = []
        for line in lines[start + 1 :]:
            if line.strip() and not _indent(line):
                break
            block.append(line)
        while block and not block[-1].strip():
            block.pop()
        if block and block[0].strip():
            yield block


def documented_arguments(doc: str | None) -> set[str]:
    r"""Names of the arguments that a docstring documents.

    Args:
        doc: a docstring in Google style, or None.

    Example:
        >>> sorted(documented_arguments("Sum.\n\nArgs:\n    x, y: numbers.\n    axis: where."))
        ['axis', 'x', 'y']
    """
    return set(argument_entries(doc))


def arguments_of(target: Any) -> list[str]:
    """Names of the arguments that a function takes, or that a class takes to make an object.

    `self`, `*args` and `**kwargs` do not count; what a class passes on to its bases by `**kwargs` does.

    Args:
        target: a function, a method or a class.
    """
    if not inspect.isclass(target):
        return [name for name in _named(_signature(target)) if name not in ("self", "cls")]
    found: list[str] = []
    for base in target.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        signature = _signature(init)
        found += _named(signature)[1:]
        if not any(p.kind is p.VAR_KEYWORD for p in signature.values()):
            return list(dict.fromkeys(found))
    return list(dict.fromkeys([*found, *sorted(getattr(target, "_further_arguments", ()))]))


def _signature(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C
        return {}


def _named(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    return [name for name, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def undocumented_arguments(target: Any) -> list[str]:
    """Names of the arguments about which `help(target)` says nothing.

    Args:
        target: a function, a method or a class.
    """
    known = documented_arguments(inspect.getdoc(target))
    return [name for name in arguments_of(target) if name not in known]


class Documented:
    """Base of classes whose `help` also shows the arguments that their own bases document.

    A subclass documents under `Args:` what it adds; below that follows, for each base that documents arguments which
    the subclass takes as well, a section "Args of `Base`:". A subclass that adds none has an `Args:` with those
    that its constructor names, in their order.

    Example:
        >>> class Shape(Documented):
        ...     '''A shape.
        ...
        ...     Args:
        ...         name: what it is called.
        ...     '''
        ...     def __init__(self, name=None):
        ...         self.name = name
        >>> class Circle(Shape):
        ...     '''A round shape.
        ...
        ...     Args:
        ...         radius: half its width.
        ...     '''
        ...     def __init__(self, radius, **kwargs):
        ...         super().__init__(**kwargs)
        >>> sorted(documented_arguments(Circle.__doc__))
        ['name', 'radius']
    """

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("__doc__")
        if isinstance(own, str):
            cls.__doc__ = _ClassDocstring(own)  # type: ignore[assignment]


class _ClassDocstring:
    """The docstring of a class: its own text, and what its bases say about arguments that it takes too."""

    def __init__(self, own: str):
        self.own = own
        self._whole: dict[type, str] = {}

    def __get__(self, instance: Any, owner: type | None = None) -> str:
        owner = type(instance) if owner is None else owner
        if owner not in self._whole:
            self._whole[owner] = "\n\n".join([inspect.cleandoc(self.own), *_inherited_sections(owner, self.own)])
        return self._whole[owner]


def _inherited_sections(cls: type, own: str) -> Iterator[str]:
    missing = set(arguments_of(cls)) - documented_arguments(own)
    if not documented_arguments(own):
        first = _of_signature(cls, missing)
        missing -= set(first)
        yield from _section("Args", first)
    for base in cls.__mro__[1:]:
        entries = _entries_of(base)
        shown = {name: lines for name, lines in entries.items() if name in missing}
        missing -= set(entries)
        yield from _section(f"Args of `{base.__name__}`", shown)


def _of_signature(cls: type, missing: set[str]) -> dict[str, list[str]]:
    """What the bases say about arguments that the constructor names, in its order: these are what users look for."""
    known: dict[str, list[str]] = {}
    for base in reversed(cls.__mro__[1:]):
        known |= _entries_of(base)
    return {name: known[name] for name in _named(_signature(cls)) if name in missing and name in known}


def _entries_of(base: type) -> dict[str, list[str]]:
    doc = None if base is object else base.__dict__.get("__doc__")
    return argument_entries(doc.own if isinstance(doc, _ClassDocstring) else doc)


def _section(heading: str, entries: dict[str, list[str]]) -> Iterator[str]:
    shown = {id(lines): lines for lines in entries.values()}.values()  # names may share an entry
    text = "\n".join(f"    {line}".rstrip() for lines in shown for line in lines)
    if text:
        yield f"{heading}:\n{text.rstrip()}"
