"""Ops that pick and place elements by index.

Indices outside the range are an error where the engine can tell, and never read other memory (decision D9): the NumPy
and torch backends raise, compiled JAX and TensorFlow programs clip.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import discovery, dtypes, shapes
from keras_front.backend.declare import Axis, DType, Tensor, composite, primitive
from keras_front.backend.ops.arrangement import expand_dims
from keras_front.backend.ops.elementwise import cast, equal
from keras_front.errors import ArgumentError, WrongPlaceError


def _check_indices(reference: Any, indices: Any, axis: int = 0) -> None:
    """Raises: WrongPlaceError if an index is not one of the axis; asked after a call has failed."""
    check_range(discovery.host_value(indices), reference.shape[axis])


def check_range(indices: np.ndarray, size: int) -> None:
    """Raise WrongPlaceError unless all indices are from 0 up to `size`, exclusive."""
    if indices.size and not (indices.min() >= 0 and indices.max() < size):
        raise WrongPlaceError(
            f"expected indices from 0 to {size - 1} for an axis of size {size}, received indices from "
            f"{indices.min()} to {indices.max()}. For an Embedding, input_dim must exceed the largest index."
        )


@primitive(shapes.gather, promote=(), check_values=_check_indices)
def gather(reference: Tensor, indices: Tensor, axis: Axis = 0):
    """Slices of `reference` along `axis`, at integer `indices` of any shape, which replaces that axis.

    Args:
        reference: the tensor that is read, such as a table of vectors.
        indices: integers from 0 up to the size of the axis.
        axis: the axis that is indexed; Keras 2 has the first one alone.

    Shape: reference.shape[:axis] + indices.shape + reference.shape[axis + 1:].

    Raises:
        WrongPlaceError: an index lies outside. Compiled JAX programs clip instead.

    Example:
        >>> K.gather(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 1])).tolist()
        [[3.0, 4.0], [3.0, 4.0]]
    """


@primitive(
    shapes.scatter_add,
    promote=(),
    check_values=lambda updates, indices, size, axis: check_range(discovery.host_value(indices), size),
    accumulates=True,
)
def scatter_add(updates: Tensor, indices: Tensor, size, axis: Axis = 0):
    """The gradient of `gather`: zeros with `size` slices along `axis`, to which `updates` are added at `indices`.

    Args:
        updates: the slices that are added; floats of 16 bits are added up in float32.
        indices: integers, one for each slice; those that occur twice are added up.
        size: how many slices the result has.
        axis: the axis of the result along which they lie.

    Shape: the axes of indices in updates become one axis of `size`.

    Example:
        >>> K.scatter_add(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]), 3).tolist()
        [5.0, 0.0, 2.0]
    """


@primitive(shapes.take_along_axis, promote=(), check_values=_check_indices)
def take_along_axis(x: Tensor, indices: Tensor, axis: Axis = -1):
    """Elements of `x` along `axis` at `indices`, a tensor of as many dimensions as x.

    Args:
        x: a tensor.
        indices: integers, which broadcast to x but along `axis`.
        axis: the axis that is indexed.

    Shape: that of the broadcast, with the size of indices along `axis`.

    Example:
        >>> K.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]])).tolist()
        [[2.0], [3.0]]
    """


@composite(promote=(), fresh=True, renamed=True)
def one_hot(indices: Tensor, num_classes, dtype: DType = "float32"):
    """Vectors of zeros with a one at `indices`, in a new last axis. An index outside gives zeros alone.

    Args:
        indices: integers of any shape.
        num_classes: the length of the vectors.
        dtype: that of the result.

    Shape: (...) -> (..., num_classes).

    Example:
        >>> K.one_hot(np.array([1, 0]), 3).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if not isinstance(num_classes, int | np.integer) or num_classes < 0:
        raise ArgumentError(f"one_hot: expected num_classes to be an integer of at least 0, received {num_classes!r}.")
    classes = np.arange(num_classes, dtype=dtypes.canonical(indices.dtype))
    return cast(equal(expand_dims(indices, axis=-1), classes), dtype)


@composite(promote=())
def in_top_k(predictions: Tensor, targets: Tensor, k):
    """Whether the class of each sample is among those with the `k` largest predictions.

    Classes that tie with the target's count as below it; a prediction that is not finite is in no top.

    Args:
        predictions: scores of the classes.
        targets: the number of the right class of each sample.
        k: how many of the largest count.

    Shape: predictions (batch, classes), targets (batch,) -> (batch,) of bool.

    Example:
        >>> K.in_top_k(np.array([[0.1, 0.7, 0.2]]), np.array([2]), 2).tolist()
        [True]
    """
    from keras_front.backend.ops.arrangement import squeeze
    from keras_front.backend.ops.elementwise import greater, isfinite, less, logical_and
    from keras_front.backend.ops.reduction import sum

    chosen = take_along_axis(predictions, expand_dims(cast(targets, "int64"), axis=-1), axis=-1)
    above = sum(cast(greater(predictions, chosen), "int32"), axis=-1)
    return logical_and(less(above, k), isfinite(squeeze(chosen, axis=-1)))
