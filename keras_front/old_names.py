"""Calls in the words and with the defaults of another Keras, for whoever makes objects or offers methods.

Nothing here knows an old name. Constructors and functions that are wrapped here compare the names that they are given
with those that they know, and ask one module, by name, about others: see `docs/decisions/0010-*.md`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.tracebacks import hide_internal_frames, mark_boundary

__all__ = ["argument_names", "forgiving", "forgiving_constructor", "of_old"]

T = TypeVar("T")

# The module that knows what arguments, functions and classes were called once. It is asked by name, when something
# unknown is met, so that modern code costs nothing and nothing is missing if it is not there. Its functions are
# `call(owners, here, known, args, kwargs, target)` for a call with unknown arguments, `config(name, target, arguments)`
# for what a file says, `find(kind, name)` for an unknown name, and for other dialects than ours
# `speak(dialect, owners, here, names, args, kwargs, target)`, `named(dialect, registry, name)` and
# `conventions(dialect)`.
OLD_NAMES = "keras_front.legacy.door"


@functools.cache
def door_module() -> ModuleType | None:
    """The door, or None if there is none; imported when it is first needed."""
    try:
        return import_module(OLD_NAMES)
    except ModuleNotFoundError:
        return None


def of_old(kind: str, name: str) -> Any:
    """The class or function that had this name once, or None."""
    door = door_module()
    return None if door is None else door.find(kind, name)


def forgiving(
    function: Callable[..., T], defaults: bool = True, old_order: Callable[[Any, Any], bool] | None = None
) -> Callable[..., T]:
    """`function`, which also takes the names that its arguments had once, if somebody is there who knows them.

    Args:
        defaults: whether a dialect may have other defaults for it.
        old_order: whether arguments without names are in an order of old, told from `args` and `kwargs`.
    """
    names = tuple(inspect.signature(function).parameters)
    known, owners = frozenset(names), function.__qualname__.split(".")[::-1]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        try:
            if kwargs and not known.issuperset(kwargs) and (door := door_module()) is not None:
                args, kwargs = door.call(owners, 0, known, args, kwargs, function)
            if old_order is not None and old_order(args, kwargs) and (door := door_module()) is not None:
                args, kwargs = (), door.positional(owners[0], args, kwargs, function)
            if defaults and (dialect := config.current_dialect()) != config.NATIVE:
                args, kwargs = speaking(dialect).speak(dialect, owners, 0, names, args, kwargs, function)
            return function(*args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(call)


def forgiving_constructor(owner: type, init: Callable[..., None]) -> Callable[..., None]:
    """The `__init__` of a class, which also takes the names that arguments of the class and its bases had once.

    Where an argument is not given it has the default of the dialect.
    """
    names = tuple(inspect.signature(init).parameters)[1:]
    known: frozenset[str] | None = None

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal known
        try:
            if known is None:
                known = frozenset(argument_names(owner)) | owner._further_arguments  # type: ignore[attr-defined]
            if kwargs and not known.issuperset(kwargs) and (door := door_module()) is not None:
                args, kwargs = door.call(*_owners(self, owner), known, args, kwargs, self)
            if (dialect := config.current_dialect()) != config.NATIVE:
                args, kwargs = speaking(dialect).speak(dialect, *_owners(self, owner), names, args, kwargs, self)
            init(self, *args, **kwargs)
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(construct)


def _owners(self: Any, owner: type) -> tuple[list[str], int]:
    """The names of a class and its bases, those of old first; and which of them has the constructor."""
    bases = type(self).__mro__
    return [c.__dict__.get("_old_name") or c.__name__ for c in bases], bases.index(owner)


def speaking(dialect: str) -> ModuleType:
    """The door, where another dialect than ours is to be spoken. Raises: ArgumentError if it is not there."""
    door = door_module()
    if door is None:
        raise ArgumentError(f"dialect: expected {config.NATIVE!r} without {OLD_NAMES}, received {dialect!r}.")
    return door


def argument_names(cls: type) -> Iterator[str]:
    """Names of the arguments of a class and, where it passes on any others, of its bases."""
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        yield from (p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return
