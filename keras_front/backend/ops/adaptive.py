"""Windows of which an axis has a given number: window i from `floor(i * n / size)` to `ceil((i + 1) * n / size)`."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import dtypes
from keras_front.backend.ops.arrangement import permute_dimensions
from keras_front.backend.ops.elementwise import cast, maximum
from keras_front.backend.ops.indexing import gather
from keras_front.backend.ops.linear import dot
from keras_front.backend.ops.reduction import max, mean


def _windows(size: int, new: int) -> tuple[Any, Any]:
    """Where each window begins, and how long it is."""
    places = np.arange(new)
    starts = places * size // new
    return starts, -(-(places + 1) * size // new) - starts


def average_windows(x: Any, axis: int, new: int) -> Any:
    """The means of windows along an axis: a product with a matrix of weights.

    Args:
        x: a tensor.
        axis: the axis, of known size, unless there is one window.
        new: how many windows.
    """
    if new == 1:
        return mean(x, axis=axis, keepdims=True)
    size, name = x.shape[axis], dtypes.canonical(x.dtype)
    weights = np.zeros((size, new), "float32" if name == "bfloat16" else name)
    for place, (start, length) in enumerate(zip(*_windows(size, new), strict=True)):
        weights[start : start + length, place] = 1 / length
    order = [i for i in range(len(x.shape)) if i != axis] + [axis]
    moved = dot(permute_dimensions(x, tuple(order)), cast(weights, name))
    return permute_dimensions(moved, tuple(int(i) for i in np.argsort(order)))


def largest_of_windows(x: Any, axis: int, new: int) -> Any:
    """The maxima of windows along an axis; shorter windows name their last element more than once.

    Args:
        x: a tensor.
        axis: the axis, of known size, unless there is one window.
        new: how many windows.
    """
    if new == 1:
        return max(x, axis=axis, keepdims=True)
    starts, lengths = _windows(x.shape[axis], new)
    steps = np.arange(lengths.max())[:, None]
    places = (starts + np.minimum(steps, lengths - 1)).astype("int32")
    result = gather(x, places[0], axis=axis)
    for row in places[1:]:
        result = maximum(result, gather(x, row, axis=axis))
    return result
