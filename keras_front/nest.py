"""Nested lists, tuples and dicts: the structures that arguments and results of layers and ops come in.

Everything else is a leaf. Order is that of the items; that of a dict is the order in which its keys were set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

__all__ = ["flatten", "map_structure", "pack_like", "unique", "unpack"]

T = TypeVar("T")


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure, in order.

    Args:
        structure: a leaf, or any nesting of lists, tuples and dicts.

    Example:
        >>> flatten([1, (2, {"a": 3})])
        [1, 2, 3]
    """
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(fn: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of the same form with `fn` applied to each leaf.

    Args:
        fn: a function of one leaf.
        structure: a leaf, or any nesting of lists, tuples (named ones too) and dicts.

    Example:
        >>> map_structure(lambda leaf: leaf + 1, [1, (2, {"a": 3})])
        [2, (3, {'a': 4})]
    """
    if isinstance(structure, list):
        return [map_structure(fn, item) for item in structure]
    if isinstance(structure, tuple):
        items = [map_structure(fn, item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    if isinstance(structure, dict):
        return {key: map_structure(fn, item) for key, item in structure.items()}
    return fn(structure)


def unique(items: Iterable[T]) -> list[T]:
    """The items without repetitions, in order of first appearance; two items are one only if they are the same object.

    Args:
        items: objects of any kind.

    Example:
        >>> first, second = [1], [1]
        >>> len(unique([first, second, first]))
        2
    """
    return list({id(item): item for item in items}.values())


def unpack(items: list[Any]) -> Any:
    """The only item of a list of one; otherwise the list, as Keras gives results.

    Args:
        items: a list.

    Example:
        >>> unpack([1]), unpack([1, 2])
        (1, [1, 2])
    """
    return items[0] if len(items) == 1 else items


def pack_like(structure: Any, flat: Iterable[Any]) -> Any:
    """Items in the nesting of a structure, in the order of `flatten`.

    Args:
        structure: nested lists, tuples and dicts.
        flat: as many items as it has leaves.

    Example:
        >>> pack_like({"a": [0, 0], "b": 0}, [1, 2, 3])
        {'a': [1, 2], 'b': 3}
    """
    items = iter(flat)
    return map_structure(lambda _: next(items), structure)
