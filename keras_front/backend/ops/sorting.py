"""Ops that put elements in order."""

from __future__ import annotations

from typing import Any

from keras_front.backend import shapes
from keras_front.backend.declare import Axis, Flag, Tensor, composite, primitive
from keras_front.backend.ops.arrangement import (
    strided_slice,
)
from keras_front.backend.ops.indexing import take_along_axis
from keras_front.errors import ArgumentError


def _order(x: Any, *, axis: int = -1, **_: Any) -> shapes.Spec:
    shapes.normalize_axis(axis, len(x.shape))
    return x.shape, "int64"


@primitive(_order)
def argsort(x: Tensor, axis: Axis = -1, descending: Flag = False):
    """The indices (int64) that sort `x` along `axis`; equal elements stay in their order.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.
        descending: whether the largest comes first.

    Returns: an int64 tensor of the shape of x.

    Example:
        >>> K.argsort(np.array([3.0, 1.0, 2.0])).tolist()
        [1, 2, 0]
    """


@composite
def sort(x: Tensor, axis: Axis = -1, descending: Flag = False):
    """`x` sorted along `axis`.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.
        descending: whether the largest comes first.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.sort(np.array([3.0, 1.0, 2.0])).tolist()
        [1.0, 2.0, 3.0]
    """
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)


@composite
def top_k(x: Tensor, k):
    """The `k` largest elements along the last axis, falling; the first of equals comes first.

    Args:
        x: a tensor.
        k: how many, from 0 to the size of the last axis.

    Returns: (values, indices), of the shape (..., k).

    Raises:
        ArgumentError: `k` is out of range.

    Example:
        >>> [t.tolist() for t in K.top_k(np.array([3.0, 1.0, 2.0]), 2)]
        [[3.0, 2.0], [0, 2]]
    """
    size = x.shape[-1]
    if size is not None and not 0 <= k <= size:
        raise ArgumentError(f"top_k: expected k from 0 to {size} for shape {tuple(x.shape)}, received {k}.")
    head = (None,) * (len(x.shape) - 1)
    order = strided_slice(argsort(x, axis=-1, descending=True), (*head, None), (*head, k), (1,) * len(x.shape))
    return take_along_axis(x, order, axis=-1), order
