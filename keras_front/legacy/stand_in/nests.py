"""`tf.nest`: nested lists, tuples and dicts of tensors, dicts in the order of their keys.

Source: TensorFlow 2.15, `tensorflow/python/util/nest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keras_front.errors import ArgumentError


def is_nested(structure: Any) -> bool:
    """Whether something holds parts: a list, a tuple or a dict.

    Args:
        structure: anything.
    """
    return isinstance(structure, list | tuple | Mapping)


is_sequence = is_nested_or_composite = is_nested


def _parts(structure: Any) -> list[Any]:
    return [structure[key] for key in sorted(structure)] if isinstance(structure, Mapping) else list(structure)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves as a list.

    Args:
        structure: nested lists, tuples and dicts, or one leaf.
        expand_composites: not used: there are no ragged or sparse tensors.
    """
    if not is_nested(structure):
        return [structure]
    return [leaf for part in _parts(structure) for leaf in flatten(part)]


def _rebuilt(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        made = {key: _rebuilt(structure[key], leaves) for key in sorted(structure)}
        return type(structure)((key, made[key]) for key in structure)  # type: ignore[call-arg]
    if not is_nested(structure):
        return next(leaves)
    parts = [_rebuilt(part, leaves) for part in structure]
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """A structure with other leaves.

    Args:
        structure: nested lists, tuples and dicts.
        flat_sequence: the leaves, as many and in the order as `flatten` gives them.
        expand_composites: not used.

    Raises: ArgumentError for another number of leaves.
    """
    leaves, wanted = list(flat_sequence), len(flatten(structure))
    if len(leaves) != wanted:
        raise ArgumentError(f"tf.nest.pack_sequence_as: expected {wanted} leaves, received {len(leaves)}.")
    return _rebuilt(structure, iter(leaves))


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Nothing, where two structures hold their leaves in the same places.

    Args:
        nest1: a structure.
        nest2: another one.
        check_types: whether a list and a tuple differ.
        expand_composites: not used.

    Raises: ArgumentError for another number of parts or other keys; TypeError for other types.
    """
    if is_nested(nest1) != is_nested(nest2) or (is_nested(nest1) and len(nest1) != len(nest2)):
        raise ArgumentError(f"tf.nest: expected the same structure twice, received {nest1!r:.80} and {nest2!r:.80}.")
    if not is_nested(nest1):
        return
    if check_types and type(nest1) is not type(nest2):
        raise TypeError(f"tf.nest: expected the same types, received {type(nest1).__name__}, {type(nest2).__name__}.")
    if isinstance(nest1, Mapping) and set(nest1) != set(nest2):
        raise ArgumentError(f"tf.nest: expected the same keys, received {sorted(nest1)} and {sorted(nest2)}.")
    for one, other in zip(_parts(nest1), _parts(nest2), strict=True):
        assert_same_structure(one, other, check_types)


def map_structure(
    func: Callable[..., Any], *structure: Any, check_types: bool = True, expand_composites: bool = False
) -> Any:
    """What a function makes of the leaves, in the same structure.

    Args:
        func: takes a leaf of each structure.
        structure: one structure, or several that are alike.
        check_types: whether a list and a tuple differ.
        expand_composites: not used.
    """
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    leaves = zip(*map(flatten, structure), strict=True)
    return pack_sequence_as(structure[0], [func(*each) for each in leaves])
