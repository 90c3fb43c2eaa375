"""Reductions, running sums and padding with the further arguments that Keras 3 gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError

from .arrays import _whole


@full_precision
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest element.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.
        initial: the least value of the result; None for none.

    Example:
        >>> from keras_front import ops
        >>> ops.max(np.array([[1, 5], [4, 2]]), axis=1).tolist()
        [5, 4]
    """
    found = K.max(as_symbol_or_tensor(x), axis=axis, keepdims=keepdims)
    return found if initial is None else K.maximum(found, initial)


@full_precision
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest element.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.
        initial: the largest value of the result; None for none.

    Example:
        >>> from keras_front import ops
        >>> ops.min(np.array([[1, 5], [4, 2]]), axis=1).tolist()
        [1, 2]
    """
    found = K.min(as_symbol_or_tensor(x), axis=axis, keepdims=keepdims)
    return found if initial is None else K.minimum(found, initial)


@full_precision
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product of the elements.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.
        dtype: the type in which they are multiplied, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> int(ops.prod(np.array([2, 3, 4])))
        24
    """
    return K.prod(_cast(x, dtype), axis=axis, keepdims=keepdims)


@full_precision
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sums.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.
        dtype: the type in which they are added, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> ops.cumsum(np.array([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    return numpy_names.cumsum(_cast(x, dtype), axis)


@full_precision
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running products.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.
        dtype: the type in which they are multiplied, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> ops.cumprod(np.array([1, 2, 3])).tolist()
        [1, 2, 6]
    """
    return numpy_names.cumprod(_cast(x, dtype), axis)


@full_precision
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The largest elements along the last axis, and where they stand.

    Args:
        x: tensor.
        k: how many.
        sorted: whether in falling order; they always are.

    Example:
        >>> from keras_front import ops
        >>> values, indices = ops.top_k(np.array([10, 30, 20]), 2)
        >>> values.tolist(), indices.tolist()
        ([30, 20], [1, 2])
    """
    return K.top_k(as_symbol_or_tensor(x), k)


@full_precision
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """A tensor with more elements around it.

    Args:
        x: tensor, array or number.
        pad_width: a number, a pair (before, after) for all axes, or a pair for each axis.
        mode: 'constant'; or what the new elements repeat: 'edge' the last one, 'wrap' those of the other end, 'reflect'
            those before it as in a mirror, 'symmetric' these and the last one.
        constant_values: the value of the new elements with 'constant', by default 0.

    Example:
        >>> from keras_front import ops
        >>> ops.pad(np.array([1, 2]), 1).tolist()
        [0, 1, 2, 0]
    """
    x = as_symbol_or_tensor(x)
    pairs = np.broadcast_to(np.asarray(pad_width), (len(x.shape), 2)).tolist()
    if mode == "constant":
        return K.pad(x, tuple(map(tuple, pairs)), value=0 if constant_values is None else constant_values)
    if mode not in ("edge", "wrap", "reflect", "symmetric"):
        raise ArgumentError(f"pad: expected 'constant', 'edge', 'wrap', 'reflect' or 'symmetric', received {mode!r}.")
    for axis, pair in enumerate(pairs):
        if any(pair):
            places = np.pad(np.arange(_whole(x, axis, "pad")), pair, mode=mode)  # type: ignore[call-overload]
            x = K.gather(x, places.astype("int32"), axis=axis)
    return x


def _cast(x: Any, dtype: Any) -> Any:
    x = as_symbol_or_tensor(x)
    return x if dtype is None else K.cast(x, dtype)
