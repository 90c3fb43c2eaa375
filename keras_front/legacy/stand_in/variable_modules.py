"""`tf.Module`: an object that knows the variables among its attributes.

Source: TensorFlow 2.15, `tensorflow/python/module/module.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from keras_front import backend as K
from keras_front import nest


class Module:
    """An object that knows the variables, modules and layers among its attributes.

    Args:
        name: what it is called; by default its class.

    Example:
        >>> module = Module()
        >>> module.w = K.variable([1.0, 2.0])
        >>> [tuple(v.shape) for v in module.trainable_variables]
        [(2,)]
    """

    def __init__(self, name: str | None = None):
        self._name = name or type(self).__name__.lower()

    @property
    def name(self) -> str:
        """What it is called."""
        return getattr(self, "_name", type(self).__name__.lower())

    @property
    def name_scope(self) -> Any:
        """A block that changes nothing."""
        return contextlib.nullcontext(self.name)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """The method as it is, for a decorator.

        Args:
            method: the method.
        """
        return method

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables of it and of what is in it, by the names of the attributes."""
        found = {id(v): v for v in _variables(self, set())}
        return tuple(found.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those that are trained."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """Those that are not trained."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers among the attributes, and in them."""
        inner = [item for item in _attributes(self) if isinstance(item, Module) or _has_variables(item)]
        return tuple(inner) + tuple(m for item in inner for m in getattr(item, "submodules", ()))


def _attributes(module: Any) -> list[Any]:
    return [item for name in sorted(vars(module)) for item in nest.flatten(vars(module)[name])]


def _has_variables(item: Any) -> bool:
    return hasattr(type(item), "weights") and hasattr(type(item), "trainable_weights")


def _variables(module: Any, seen: set[int]) -> Iterator[Any]:
    seen.add(id(module))
    for item in _attributes(module):
        if K.is_variable(item):
            yield item
        elif isinstance(item, Module) and id(item) not in seen:
            yield from _variables(item, seen)
        elif _has_variables(item):
            yield from item.weights
