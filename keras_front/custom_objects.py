"""The user's own classes and functions: names that come before those of the registries when configs are read.

Source: Keras 2.3.1, `keras/utils/generic_utils.py`; tf_keras 2.21, `tf_keras/saving/object_registration.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from keras_front.errors import ArgumentError

__all__ = [
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "name_of",
    "register_keras_serializable",
]

T = TypeVar("T")

# What users register for good, as Keras promises it; and the name in configs of each known class or function.
_GLOBAL_OBJECTS: dict[str, Any] = {}
_SCOPE: ContextVar[dict[str, Any] | None] = ContextVar("custom_objects", default=None)
NAMES: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def get_custom_objects() -> dict[str, Any]:
    """The live dictionary of the user's own classes and functions; change it to add to it.

    Inside a `custom_object_scope` it is the scope's dictionary, and what is added there ends with the scope.
    Source: Keras 2.3.1, `keras/utils/generic_utils.py`.

    Example:
        >>> type(get_custom_objects()).__name__
        'dict'
    """
    scope = _SCOPE.get()
    return _GLOBAL_OBJECTS if scope is None else scope


@contextmanager
def custom_object_scope(*objects: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Context in which the given names are known to every registry.

    Args:
        objects: dictionaries from name to class or function; later ones win.

    Example:
        >>> with custom_object_scope({"answer": 42}) as known:
        ...     known["answer"]
        42
    """
    merged = dict(get_custom_objects())
    for mapping in objects:
        if mapping is not None and not isinstance(mapping, Mapping):
            raise ArgumentError(f"custom_object_scope: expected a dict of names, received {mapping!r:.60}.")
        merged.update(mapping or {})
    token = _SCOPE.set(merged)
    try:
        yield merged
    finally:
        _SCOPE.reset(token)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator that makes a class or function known for good, under the name `package>name`.

    Args:
        package: whose it is, so that names of several authors do not meet.
        name: what it is called; by default its own name.

    Raises: ArgumentError for a class without `get_config`, which could never be written to a config.
    Source: tf_keras 2.21, `tf_keras/saving/object_registration.py`.

    Example:
        >>> @register_keras_serializable(package="mine")
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'mine>double'
    """

    def decorate(target: Any) -> Any:
        if not callable(target):
            raise ArgumentError(
                f"register_keras_serializable: expected a class or a function, received {target!r:.60}."
            )
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ArgumentError(
                "register_keras_serializable: expected a class with a get_config method, "
                f"received {target.__name__}.\n"
                "  Add get_config, or derive from Configurable, which derives it from the constructor."
            )
        registered = f"{package}>{name or target.__name__}"
        _GLOBAL_OBJECTS[registered] = target
        NAMES[target] = registered
        return target

    return decorate


def get_registered_name(target: Any) -> str:
    """Name under which a class or function is written to configs.

    Args:
        target: a class or function.

    Example:
        >>> get_registered_name(len)
        'len'
    """
    return name_of(target)


def name_of(target: Any) -> str:
    """Name of a class or function in configs: the registered one, or its own.

    Args:
        target: a class or function, or an object that has a name.
    """
    try:
        return NAMES.get(target) or target.__name__
    except (TypeError, AttributeError):
        return getattr(target, "name", None) or type(target).__name__


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The user's class or function of that name, or None; 'package>name' is also found under the bare name.

    Args:
        name: the name, with or without `package>`.
        custom_objects: further names, which come first.

    Example:
        >>> get_registered_object("nobody>knows") is None
        True
    """
    for key in (name, name.rpartition(">")[2]):
        for known in (custom_objects or {}, get_custom_objects(), _GLOBAL_OBJECTS):
            if key in known:
                return known[key]
    return None
