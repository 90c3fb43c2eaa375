"""Elements of a `Dataset`: nested arrays that answer `numpy()`, functions called with them, and stacks of them."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend.creation import to_numpy
from keras_front.backend.shapes import TensorShape
from keras_front.errors import ShapeError

__all__ = ["TensorSpec", "Values", "values_of"]

_TEXT = "OSU"  # kinds of arrays that hold texts


class Values(np.ndarray):
    """An array that also answers what programs ask the tensors that tf.data gives them."""

    def numpy(self) -> Any:
        """The same values as NumPy has them; texts as bytes, as in TensorFlow."""
        plain = self.view(np.ndarray)
        if plain.dtype.kind in _TEXT:
            encoded = [
                t.encode("utf-8", "surrogateescape") if isinstance(t, str) else t for t in plain.ravel().tolist()
            ]
            plain = np.array([*encoded, None], object)[:-1].reshape(plain.shape)
        return plain if plain.ndim else plain[()]

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found if isinstance(found, np.ndarray) else values_of(found)

    def get_shape(self) -> TensorShape:
        """The shape, which can be asked as those of TensorFlow are."""
        return TensorShape(self.shape)

    def set_shape(self, shape: Any) -> None:
        """Nothing: the shape is known.

        Args:
            shape: what TensorFlow would be told.

        Raises: ShapeError if it is another one.
        """
        wanted = tuple(shape)
        fits = len(wanted) == self.ndim and all(
            n in (None, m) for n, m in builtins.zip(wanted, self.shape, strict=True)
        )
        if not fits:
            raise ShapeError(f"set_shape: expected a shape that {self.shape} has, received {wanted}.")


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of a tensor, as `input_signature` and `output_signature` take them.

    Args:
        shape: the shape; None for any.
        dtype: the dtype.
        name: what the tensor is called.
    """

    shape: Any = None
    dtype: Any = "float32"
    name: str | None = None

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", TensorShape(self.shape))


def values_of(array: Any) -> Values:
    """An array that also answers `numpy()`.

    Args:
        array: an array, number or text.
    """
    return (np.array(array, object) if isinstance(array, bytes) else np.asarray(array)).view(Values)


def spec_of(array: Any, is_open: bool) -> TensorSpec:
    """Shape and dtype of an array.

    Args:
        array: the array.
        is_open: whether other elements may have another number of rows.
    """
    array = np.asarray(array)
    shape = (None, *array.shape[1:]) if is_open and array.ndim else array.shape
    return TensorSpec(shape, "string" if array.dtype.kind in _TEXT else array.dtype.name)


# Nesting ---------------------------------------------------------------------------------------------


def over(function: Callable[[Any], Any], element: Any) -> Any:
    """What a function makes of each array of an element."""
    if isinstance(element, dict):
        return {key: over(function, part) for key, part in element.items()}
    if isinstance(element, tuple | list):
        parts = [over(function, part) for part in element]
        return type(element)(*parts) if hasattr(element, "_fields") else type(element)(parts)
    return function(element)


def leaves(element: Any) -> list[Any]:
    """The arrays of an element in a list."""
    found: list[Any] = []
    over(found.append, element)
    return found


def lists_as_arrays(tensors: Any) -> Any:
    """Tuples, lists and dicts of arrays, in which lists of numbers, of texts and of such lists became arrays."""
    if isinstance(tensors, dict):
        return {key: lists_as_arrays(part) for key, part in tensors.items()}
    if isinstance(tensors, tuple):
        return over(lambda part: part, tuple(lists_as_arrays(part) for part in tensors))
    if isinstance(tensors, list) and tensors and not any(hasattr(part, "shape") for part in leaves(tensors)):
        return np.asarray(tensors)
    return tensors


def typed(element: Any, kinds: Any) -> Any:
    """An element of a generator as arrays of the dtypes that were named, in the structure of those."""
    if isinstance(kinds, dict):
        return {key: typed(element[key], kind) for key, kind in kinds.items()}
    if isinstance(kinds, tuple | list):
        return tuple(typed(part, kind) for part, kind in builtins.zip(element, kinds, strict=True))
    if kinds is None:
        return over(values_of, element)
    kind = getattr(kinds, "dtype", kinds)  # of a `TensorSpec`
    name = str(getattr(kind, "name", kind))
    return values_of(np.asarray(element, object if name == "string" else name))


# Functions -------------------------------------------------------------------------------------------


def call(function: Callable[..., Any], element: Any) -> Any:
    """What a function says of an element, one that is a tuple as several arguments."""
    return function(*element) if isinstance(element, tuple) else function(element)


def mapped(function: Callable[..., Any], element: Any) -> Any:
    """What a function made of an element, as arrays."""
    made = call(function, element)
    return over(on_host, made)


def on_host(part: Any) -> Any:
    """What a function made, which may be a tensor of an engine, as an array; all else, sparse tensors too, as it is."""
    if isinstance(part, np.ndarray | np.generic | str | bytes | int | float):
        return values_of(part)
    is_array = hasattr(part, "shape") and not getattr(part, "is_composite", False)
    return values_of(to_numpy(part)) if is_array else part


# Stacks ----------------------------------------------------------------------------------------------


def stacked(elements: list[Any]) -> Any:
    """Elements as one, with a new first axis."""
    return joined(elements, lambda arrays: values_of(np.stack(arrays)))


def joined(elements: list[Any], function: Callable[[list[np.ndarray]], Any]) -> Any:
    """What a function makes of the arrays that stand at the same place in several elements."""
    rows = iter(list(builtins.zip(*map(leaves, elements), strict=True)))
    return over(lambda _: function([np.asarray(array) for array in next(rows)]), elements[0])


def padded(arrays: list[np.ndarray], shape: Any, value: Any) -> Values:
    """Arrays of different sizes stacked, filled up at their ends.

    Args:
        arrays: the arrays.
        shape: the size of each axis; None or -1 for the largest, and None for all of them.
        value: what they are filled with; None for 0, and for texts the empty one.

    Raises: ShapeError for an array that is larger.
    """
    wanted = [None] * arrays[0].ndim if shape is None else [None if n in (None, -1) else int(n) for n in shape]
    if any(array.ndim != len(wanted) for array in arrays):
        raise ShapeError(f"Dataset.padded_batch: expected arrays of {len(wanted)} axes, received {arrays[0].ndim}.")
    sizes = [max(a.shape[i] for a in arrays) if n is None else n for i, n in enumerate(wanted)]
    too_large = [a.shape for a in arrays if any(m > n for m, n in builtins.zip(a.shape, sizes, strict=True))]
    if too_large:
        raise ShapeError(
            f"Dataset.padded_batch: expected arrays no larger than {tuple(sizes)}, received {too_large[0]}."
        )
    texts = arrays[0].dtype.kind in _TEXT
    filling = (
        ("" if texts else 0) if value is None else np.asarray(to_numpy(value) if hasattr(value, "shape") else value)
    )
    whole = np.full((len(arrays), *sizes), filling, object if texts else arrays[0].dtype)
    for number, array in builtins.enumerate(arrays):
        part: Any = (number, *(slice(n) for n in array.shape))
        whole[part] = array
    return values_of(whole)
