"""Nested lists, tuples and dicts: the structures that arguments and results of layers and ops come in.

Everything else is a leaf. Order is that of the items; that of a dict is the order in which its keys were set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = [
    "flatten",
    "flatten_as",
    "is_nested",
    "map_structure",
    "nesting_of",
    "pack_like",
    "paths",
    "unique",
    "unpack",
]

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


def nesting_of(structure: Any) -> Any:
    """The structure with None for each leaf, if lists, tuples or dicts stand in each other; otherwise None.

    Args:
        structure: a leaf, or any nesting of lists, tuples and dicts.

    Example:
        >>> nesting_of({"a": 1, "b": [2, 3]}), nesting_of([1, 2]), nesting_of(1)
        ({'a': None, 'b': [None, None]}, None, None)
    """
    return map_structure(lambda _: None, structure) if is_nested(structure) else None


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


def flatten_as(form: Any, structure: Any, partial: bool = False) -> list[Any] | None:
    """What a structure has in the places of the leaves of another one; whatever is there counts as one leaf.

    Args:
        form: nested lists, tuples and dicts.
        structure: nested as `form`, perhaps deeper; a list may stand for a tuple.
        partial: whether what a dict lacks is None.

    Returns: one item for each leaf of `form`, in the order of `flatten`; None if the structure is another one.

    Example:
        >>> flatten_as({"a": [0, 0], "b": 0}, {"b": [3, 4], "a": [1, 2]})
        [1, 2, [3, 4]]
        >>> flatten_as({"a": [0, 0], "b": 0}, [1, 2, 3]) is None
        True
    """
    if structure is None and partial:
        return [None] * len(flatten(form))
    if not isinstance(form, dict | list | tuple):
        return [structure]
    parts = _parts_as(form, structure, partial)
    found = None if parts is None else [flatten_as(*pair, partial) for pair in parts]
    if found is None or any(part is None for part in found):
        return None
    return [leaf for part in found for leaf in part]  # type: ignore[union-attr]


def _parts_as(form: Any, structure: Any, partial: bool) -> list[tuple[Any, Any]] | None:
    if isinstance(form, dict):
        fits = (
            isinstance(structure, Mapping) and set(structure) <= set(form) and (partial or len(structure) == len(form))
        )
        return [(item, structure.get(key)) for key, item in form.items()] if fits else None
    fits = isinstance(structure, list | tuple) and len(structure) == len(form)
    return list(zip(form, structure, strict=True)) if fits else None


def is_nested(structure: Any) -> bool:
    """Whether lists, tuples or dicts stand in a list, tuple or dict.

    Args:
        structure: anything.

    Example:
        >>> is_nested([1, [2]]), is_nested({"a": 1})
        (True, False)
    """
    items = structure.values() if isinstance(structure, dict) else structure
    return isinstance(structure, list | tuple | dict) and any(isinstance(i, list | tuple | dict) for i in items)


def paths(structure: Any, prefix: str, separator: str = "_") -> list[str]:
    """A name for each leaf, made of the keys and of the places, counted from 1, that lead to it.

    Args:
        structure: nested lists, tuples and dicts.
        prefix: what names begin with that lead through a list first.
        separator: what stands between the parts of a name.

    Source: tf_keras 2.21, `tf_keras/src/engine/compile_utils.py`, `create_pseudo_names`.

    Example:
        >>> paths({"a": [0, 0], "b": 0}, "output"), paths([0, 0], "output")
        (['a_1', 'a_2', 'b'], ['output_1', 'output_2'])
    """

    def walk(item: Any, path: list[Any]) -> Iterator[list[Any]]:
        if not isinstance(item, dict | list | tuple):
            yield path
            return
        for key, part in item.items() if isinstance(item, dict) else enumerate(item, 1):
            yield from walk(part, [*path, key])

    found = [path if path and isinstance(path[0], str) else [prefix, *path] for path in walk(structure, [])]
    return [separator.join(map(str, path)) for path in found]


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
