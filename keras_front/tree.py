"""`keras.tree` of Keras 3: functions of nested structures for programs; keras_front itself has `nest`.

Structures are lists, tuples (named ones too) and dicts in any nesting; everything else is a leaf. A dict is gone
through in the order of its sorted keys, an `OrderedDict` in its own.
Source: Keras 3.15.1, `keras/tree`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras_front.errors import ArgumentError, WrongKindError

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip


class MAP_TO_NONE:  # noqa: N801  (the name of Keras)
    """What a function gives `traverse` where the result shall be None, which means there that nothing is replaced."""


def is_nested(structure: Any) -> bool:
    """Whether something is a list, a tuple or a dict.

    Args:
        structure: anything.

    Example:
        >>> is_nested((1, 2)), is_nested("ab")
        (True, False)
    """
    return isinstance(structure, list | tuple | dict)


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """(key or number, item) of a nested structure, in order."""
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    if isinstance(structure, OrderedDict):
        return list(structure.items())
    try:
        return sorted(structure.items(), key=lambda item: item[0])
    except TypeError:  # keys of several kinds
        return list(structure.items())


def _remade(structure: Any, items: dict[Any, Any]) -> Any:
    """A structure of the kind of another one with items by key or number."""
    if isinstance(structure, dict):
        filled = [(key, items[key]) for key in structure]
        return type(structure)(filled) if isinstance(structure, OrderedDict) else dict(filled)
    values = list(items.values())
    if hasattr(structure, "_fields"):
        return type(structure)(*values)
    return values if isinstance(structure, list) else tuple(values)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of the path to each leaf and the leaf, in order.

    Args:
        structure: any structure.

    Example:
        >>> flatten_with_path({"a": [1, 2]})
        [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, item in _items(structure) for path, leaf in flatten_with_path(item)]


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    Args:
        structure: any structure.

    Example:
        >>> flatten({"b": 1, "a": [2, 3]})
        [2, 3, 1]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Leaves in the nesting of a structure.

    Args:
        structure: the structure.
        flat_sequence: as many leaves as it has, in the order of `flatten`.

    Raises: ArgumentError for another number of leaves.
    Example:
        >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
        {'b': 3, 'a': [1, 2]}
    """
    count = len(flatten(structure))
    if count != len(flat_sequence):
        raise ArgumentError(f"pack_sequence_as: expected {count} leaves, received {len(flat_sequence)}.")
    leaves = iter(flat_sequence)
    return map_structure(lambda _: next(leaves), structure)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure of what a function makes of the leaves.

    Args:
        func: a function of a leaf of each structure.
        structures: one or more structures of one form.
        none_is_leaf: whether it is given None as well. False: None stays.

    Raises: ArgumentError if the forms differ or there is no structure; WrongKindError for what cannot be called.
    Example:
        >>> map_structure(lambda a, b: a + b, [1, (2,)], [3, (4,)])
        [4, (6,)]
    """
    if not callable(func):
        raise WrongKindError(f"map_structure: expected a function, received {func!r}.")
    if not structures:
        raise ArgumentError("map_structure: expected at least one structure, received none.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)

    def leaf_or_none(*leaves: Any) -> Any:
        return None if leaves[0] is None and not none_is_leaf else func(*leaves)

    return map_structure_up_to(structures[0], leaf_or_none, *structures)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """What a function makes of the parts of structures that lie where another one has its leaves.

    Args:
        shallow_structure: the form of the result.
        func: a function of a part of each structure.
        structures: structures that are as this one, or deeper.

    Raises: ArgumentError if they are not.
    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    if not is_nested(shallow_structure):
        return func(*structures)
    for structure in structures:
        _check_node(shallow_structure, structure)
    rows = [dict(_items(structure)) for structure in structures]
    found = {
        key: map_structure_up_to(item, func, *(row[key] for row in rows)) for key, item in _items(shallow_structure)
    }
    return _remade(shallow_structure, found)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of what a function makes of the shapes in it: lists and tuples of sizes and None.

    Args:
        func: a function of a shape.
        structure: any structure of shapes.

    Example:
        >>> map_shape_structure(len, {"a": (None, 2)})
        {'a': 2}
    """
    if isinstance(structure, list | tuple) and all(item is None or isinstance(item, int) for item in structure):
        return func(tuple(structure))
    if not is_nested(structure):
        raise ArgumentError(f"map_shape_structure: expected shapes, received {structure!r}.")
    return _remade(structure, {key: map_shape_structure(func, item) for key, item in _items(structure)})


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of its lists.

    Args:
        structure: any structure.

    Example:
        >>> lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    if not is_nested(structure):
        return structure
    found = _remade(structure, {key: lists_to_tuples(item) for key, item in _items(structure)})
    return tuple(found) if isinstance(found, list) else found


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """A structure in which a function has replaced parts.

    Args:
        func: gets every part, the whole and the leaves too; it returns None for what shall stay, `MAP_TO_NONE` for what
            shall become None, else what takes its place.
        structure: any structure.
        top_down: whether the whole comes before its parts; parts of what was replaced are then passed over.

    Example:
        >>> traverse(lambda part: sum(part) if isinstance(part, tuple) else None, [(1, 2), 3])
        [3, 3]
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    if is_nested(structure):
        items = {key: traverse(func, item, top_down) for key, item in _items(structure)}
        structure = _remade(structure, items)
    if top_down:
        return structure
    found = func(structure)
    return structure if found is None else None if found is MAP_TO_NONE else found


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Nothing, if two structures have one form, and lists where the other has lists.

    Args:
        a: a structure.
        b: another one.
        check_types: not used, as in Keras 3.15; `assert_same_paths` does not look at kinds.

    Raises: ArgumentError if they have not.
    """
    if is_nested(a) != is_nested(b):
        raise ArgumentError(f"Structures don't have the same nested structure: received {a!r:.80} and {b!r:.80}.")
    if is_nested(a):
        _check_node(a, b)
        second = dict(_items(b))
        for key, item in _items(a):
            assert_same_structure(item, second[key])


def _check_node(a: Any, b: Any) -> None:
    kind = dict if isinstance(a, dict) else type(a)
    if not isinstance(b, kind):
        raise ArgumentError(f"Expected an instance of {kind.__name__}, received {b!r:.80}.")
    first, second = ({key for key, _ in _items(structure)} for structure in (a, b))
    if first != second:
        raise ArgumentError(f"Expected items {_named(first)}, received {_named(second)}.")


def _named(keys: Iterable[Any]) -> list[Any]:
    return sorted(keys, key=repr)


def assert_same_paths(a: Any, b: Any) -> None:
    """Nothing, if the paths to the leaves of two structures are the same.

    Args:
        a: a structure.
        b: another one.

    Raises: ArgumentError if they are not.
    """
    first, second = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if first != second:
        raise ArgumentError(
            f"`a` and `b` don't have the same paths: {_named(first - second)} are in `a` alone, "
            f"{_named(second - first)} in `b` alone."
        )
