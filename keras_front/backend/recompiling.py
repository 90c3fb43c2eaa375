"""What changes from call to call where a function is compiled anew again and again, and what to do: told once.

A compiled function has one program for each signature of its arguments: shapes and dtypes. A few are usual, such as the
last batch of an epoch. Where there are many, each costs time and memory, and the user has a choice about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keras_front.errors import HintWarning
from keras_front.tracebacks import warn_user

MANY = 8  # the number of programs at which the user is told


class Change(NamedTuple):
    """What differs between the signatures of one array.

    Attributes:
        argument: number of the argument.
        array: number of the array in it; None for an argument that is one array.
        axis: the axis whose size differs; None where the dtype or the rank does.
        found: the sizes, dtypes or shapes, in the order in which they came.
    """

    argument: int
    array: int | None
    axis: int | None
    found: tuple[Any, ...]


def tell(name: str, keys: Sequence[Any], names: Sequence[str] = ()) -> bool:
    """Warn if the newest of some signatures is the `MANY`th of its kind; whether that was so.

    Args:
        name: what the function is called.
        keys: the signatures, oldest first: (backend, settings, a part for each argument).
        names: what the arrays of the last argument are called.
    """
    newest = keys[-1]
    alike = [key[2:] for key in keys if key[:2] == newest[:2] and len(key) == len(newest)]
    changed = list(changes(alike)) if len(alike) == MANY else []
    if not changed:
        return False
    last = len(alike[0]) - 1
    listed = "; ".join(_said(change, names if change.argument == last else ()) for change in changed[:3])
    remedy = _remedy(changed)
    warn_user(
        f"{name!r} was compiled {MANY} times, for {listed}. Each new one costs a compilation. {remedy}", HintWarning
    )
    return True


def changes(signatures: Sequence[Any]) -> Iterator[Change]:
    """What differs between signatures.

    Args:
        signatures: for each call a part for each argument: (shape, dtype), a tuple of these, or None.

    Example:
        >>> [*changes([(((3, 2), "int32"),), (((4, 2), "int32"),)])]
        [Change(argument=0, array=None, axis=0, found=(3, 4))]
    """
    for argument, parts in enumerate(zip(*signatures, strict=True)):
        if all(_is_array(part) for part in parts):
            yield from _of_array(argument, None, parts)
        elif all(isinstance(part, tuple) and len(part) == len(parts[0]) for part in parts):
            for array, items in enumerate(zip(*parts, strict=True)):
                if all(map(_is_array, items)):
                    yield from _of_array(argument, array, items)


def _is_array(part: Any) -> bool:
    """Whether part of a signature is (shape, dtype); a dtype is the engine's own."""
    if not isinstance(part, tuple) or len(part) != 2 or not isinstance(part[0], tuple):
        return False
    sizes = all(size is None or isinstance(size, int) for size in part[0])
    return sizes and part[1] is not None and not isinstance(part[1], tuple)


def _of_array(argument: int, array: int | None, items: Sequence[Any]) -> Iterator[Change]:
    dtypes, shapes = (tuple(dict.fromkeys(item[i] for item in items)) for i in (1, 0))
    if len(dtypes) > 1:
        yield Change(argument, array, None, dtypes)
    if len({len(shape) for shape in shapes}) > 1:
        yield Change(argument, array, None, shapes)
        return
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        if len(set(sizes)) > 1:
            yield Change(argument, array, axis, tuple(dict.fromkeys(sizes)))


def _said(change: Change, names: Sequence[str]) -> str:
    place = change.array or 0
    which = f"argument {change.argument}" + (f", array {place}" if change.array is not None else "")
    which = repr(names[place]) if place < len(names) else which
    values = ", ".join(map(str, change.found[:4])) + (", ..." if len(change.found) > 4 else "")
    if change.axis is None:
        return f"{which} with {values}"
    return f"{which} with {values} along axis {change.axis}"


def _remedy(changed: Sequence[Change]) -> str:
    if any(change.axis is None for change in changed):
        return "Pass arrays of one dtype and one number of axes."
    if all(change.axis == 0 for change in changed):
        return (
            "Pass batches of one size: leave out what is left over at the end, or fill it up with samples of weight 0."
        )
    return "Pad to one length or to a few, as pad_sequences(maxlen=...) does, or sort batches by length."
