"""Labels and arrays before training, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.compatibility import accept_legacy_arguments, reject_unknown, renamed
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures


@accept_legacy_arguments
@explains_failures
def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32", **kwargs: Any) -> np.ndarray:
    """Class numbers as rows that are 1 at their class and 0 elsewhere.

    Args:
        y: whole numbers from 0.
        num_classes: the length of a row; by default the largest number plus one.
        dtype: of the result.
        **kwargs: older names of these arguments.

    Shape: (...) or (..., 1) -> (..., num_classes)
    Raises: ArgumentError if a number is negative, or too large for `num_classes`.
    Source: Keras 2.3.1, `keras.utils.to_categorical`.
    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    reject_unknown("to_categorical", kwargs, to_categorical)
    try:
        numbers = np.asarray(y).astype("int64")
    except (TypeError, ValueError):
        raise ArgumentError(
            f"to_categorical: expected class numbers, received {y!r:.80}. Texts become numbers by "
            "np.unique(y, return_inverse=True)[1], or by the layer StringLookup."
        ) from None
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    classes = int(num_classes or (numbers.max() + 1 if numbers.size else 0))
    if numbers.size and not (0 <= numbers.min() and numbers.max() < classes):
        raise ArgumentError(
            f"to_categorical: expected class numbers from 0 to {classes - 1}, "
            f"received numbers from {numbers.min()} to {numbers.max()}."
        )
    rows = np.zeros((*numbers.shape, classes), dtype)
    np.put_along_axis(rows, numbers[..., None], 1, axis=-1)
    return rows


@explains_failures
def to_ordinal(y: Any, num_classes: int | None = None, dtype: str = "float32") -> np.ndarray:
    """Class numbers as rows with as many ones as the class says, for ordinal regression.

    Args:
        y: whole numbers from 0.
        num_classes: one more than the length of a row; by default the largest number plus one.
        dtype: of the result.

    Shape: (...) or (..., 1) -> (..., num_classes - 1)
    Raises: ArgumentError if a number is negative, or too large for `num_classes`.
    Source: tf.keras 2.15, `keras/src/utils/np_utils.py`.
    Example:
        >>> to_ordinal([0, 2])
        array([[0., 0.],
               [1., 1.]], dtype=float32)
    """
    rows = to_categorical(y, num_classes, dtype)
    return np.ascontiguousarray(np.cumsum(rows[..., ::-1], axis=-1, dtype=dtype)[..., ::-1][..., 1:])


@renamed
@explains_failures
def normalize(x: Any, axis: int = -1, order: int = 2, **kwargs: Any) -> np.ndarray:
    """An array divided by its norms; where a norm is 0, unchanged.

    Args:
        x: the array.
        axis: the axis along which norms are taken.
        order: of the norm: 2 for the root of the sum of squares, 1 for the sum of sizes.
        **kwargs: older names of these arguments.

    Shape: as `x`; (n,) gives (1, n), as in Keras.
    Source: Keras 2.3.1, `keras.utils.normalize`.
    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    reject_unknown("normalize", kwargs, normalize)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return np.asarray(x) / np.expand_dims(norm, axis)
