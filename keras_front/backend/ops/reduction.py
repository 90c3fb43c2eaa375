"""Ops that join elements along axes. Over an empty axis a sum is 0, a product 1, `any` False, `all` True."""

from __future__ import annotations

import functools
import math
import operator

from keras_front.backend import shapes
from keras_front.backend.declare import Axes, Axis, Flag, Tensor, composite, primitive
from keras_front.backend.op import over_some_axis
from keras_front.backend.ops.arrangement import _size
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    divide,
    exp,
    isfinite,
    log,
    multiply,
    square_root,
    stop_gradient,
    subtract,
    where,
)


@primitive(shapes.reduce, accumulates=True, fresh=over_some_axis, light=True)
def sum(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The sum over `axis`, in the dtype of x; over nothing it is 0. Floats of 16 bits are added up in float32.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a tensor without these axes, in the dtype of x.

    Example:
        >>> K.sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
        [4.0, 6.0]
    """


@primitive(shapes.reduce, accumulates=True, fresh=False)
def prod(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The product over `axis`, in the dtype of x; over nothing it is 1.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a tensor without these axes, in the dtype of x.

    Example:
        >>> K.prod(np.array([2.0, 3.0])).tolist()
        6.0
    """


@primitive(shapes.reduce_some, fresh=over_some_axis, of_nothing=float("-inf"))
def max(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The maximum over `axis`; NaN if one is. Equal maxima share the gradient evenly.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a tensor without these axes, in the dtype of x.

    Example:
        >>> K.max(np.array([[1.0, 5.0], [3.0, 4.0]]), axis=-1).tolist()
        [5.0, 4.0]
    """


@primitive(shapes.reduce_some, fresh=over_some_axis, of_nothing=float("inf"))
def min(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The minimum over `axis`; NaN if one is. Equal minima share the gradient evenly.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a tensor without these axes, in the dtype of x.

    Example:
        >>> K.min(np.array([[1.0, 2.0], [3.0, 0.0]]), axis=1).tolist()
        [1.0, 0.0]
    """


@primitive(shapes.reduce_bool, fresh=over_some_axis)
def any(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """Whether one element over `axis` is true (not 0); over nothing it is False.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a bool tensor without these axes.

    Example:
        >>> K.any(np.array([[True, False], [False, False]]), axis=1).tolist()
        [True, False]
    """


@primitive(shapes.reduce_bool, fresh=over_some_axis)
def all(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """Whether all elements over `axis` are true (not 0); over nothing it is True.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a bool tensor without these axes.

    Example:
        >>> K.all(np.array([[True, True], [True, False]]), axis=1).tolist()
        [True, False]
    """


@primitive(shapes.reduce_index)
def argmax(x: Tensor, axis: Axis = -1):
    """The index (int64) of the maximum along `axis`, the first among equals.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.

    Returns: an int64 tensor without that axis.

    Example:
        >>> K.argmax(np.array([[1.0, 5.0], [4.0, 3.0]])).tolist()
        [1, 0]
    """


@primitive(shapes.reduce_index)
def argmin(x: Tensor, axis: Axis = -1):
    """The index (int64) of the minimum along `axis`, the first among equals.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.

    Returns: an int64 tensor without that axis.

    Example:
        >>> K.argmin(np.array([[3.0, 1.0, 2.0]])).tolist()
        [1]
    """


@primitive(shapes.along, accumulates=True)
def cumsum(x: Tensor, axis: Axis = 0):
    """Running sums along `axis`. Floats of 16 bits are accumulated in float32.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.cumsum(np.array([1.0, 2.0, 3.0])).tolist()
        [1.0, 3.0, 6.0]
    """


@primitive(shapes.along, accumulates=True)
def cumprod(x: Tensor, axis: Axis = 0):
    """Running products along `axis`. Floats of 16 bits are accumulated in float32.

    Args:
        x: a tensor.
        axis: the axis; negative ones count from the end.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.cumprod(np.array([1.0, 2.0, 3.0])).tolist()
        [1.0, 2.0, 6.0]
    """


def has_none(x, axis):
    """Whether it is known that there are no elements along some of these axes."""
    return 0 in [x.shape[a] for a in shapes.normalize_axes(axis, len(x.shape))]


def count(x, axis=None):
    """How many elements a reduction over `axis` joins, or None if a dimension is unknown."""
    axes = shapes.normalize_axes(axis, len(x.shape))
    dims = [x.shape[a] for a in axes]
    return None if None in dims else math.prod(int(d) for d in dims)


def _count_of_run(x, axis, dtype):
    """The same as a tensor, whose value a run tells that knows the dimensions."""
    joined = [_size(x, a) for a in shapes.normalize_axes(axis, len(x.shape))]
    known = math.prod(size for size in joined if isinstance(size, int))
    unknown = functools.reduce(operator.mul, (size for size in joined if not isinstance(size, int)))
    return cast(unknown if known == 1 else unknown * known, dtype)


@composite(floats=True, accumulates=True, fresh=over_some_axis, light=True)
def mean(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The arithmetic mean over `axis`; integers become floats first. Over nothing it is NaN.

    Floats of 16 bits are added up in float32.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a float tensor without these axes.

    Example:
        >>> K.mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1).tolist()
        [1.5, 3.5]
    """
    n = count(x, axis)
    total = sum(x, axis=axis, keepdims=keepdims)
    if n is None:
        return divide(total, _count_of_run(x, axis, total.dtype))
    return multiply(total, 1 / n) if n else divide(total, 0.0)


@composite(floats=True, accumulates=True, fresh=True)
def var(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The (biased) variance over `axis`: the mean of squared distances from the mean.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a float tensor without these axes.

    Example:
        >>> K.var(np.array([1.0, 3.0])).tolist()
        1.0
    """
    centered = subtract(x, mean(x, axis=axis, keepdims=True))
    return mean(multiply(centered, centered), axis=axis, keepdims=keepdims)


@composite(floats=True, accumulates=True, fresh=True)
def std(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """The (biased) standard deviation over `axis`.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a float tensor without these axes.

    Example:
        >>> K.std(np.array([1.0, 3.0])).tolist()
        1.0
    """
    return square_root(var(x, axis=axis, keepdims=keepdims))


@composite(floats=True, accumulates=True, fresh=over_some_axis)
def logsumexp(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """`log(sum(exp(x)))` over `axis`, without overflow; -inf over nothing but -inf.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: a float tensor without these axes.

    Example:
        >>> K.logsumexp(np.array([1000.0, -1000.0])).tolist()
        1000.0
    """
    if has_none(x, axis):
        return log(sum(exp(x), axis=axis, keepdims=keepdims))
    top = max(x, axis=axis, keepdims=True)
    top = stop_gradient(where(isfinite(top), top, 0))
    result = add(log(sum(exp(subtract(x, top)), axis=axis, keepdims=True)), top)
    if keepdims:
        return result
    return sum(result, axis=axis, keepdims=False)


@composite(floats=True, accumulates=True)
def l2_normalize(x: Tensor, axis: Axes = None):
    """`x` scaled to Euclidean length 1 along `axis`; lengths under 1e-6 count as 1e-6.

    Args:
        x: a tensor; integers become floats first.
        axis: an axis, several, or None for all; negative ones count from the end.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.l2_normalize(np.array([3.0, 4.0])).round(6).tolist()
        [0.6, 0.8]
    """
    from keras_front.backend.ops.elementwise import maximum, rsqrt

    return multiply(x, rsqrt(maximum(sum(multiply(x, x), axis=axis, keepdims=True), 1e-12)))


@composite(promote=())
def count_nonzero(x: Tensor, axis: Axes = None, keepdims: Flag = False):
    """How many elements over `axis` are not 0.

    Args:
        x: a tensor.
        axis: an axis, several, or None for all; negative ones count from the end.
        keepdims: whether the axes stay, with size 1.

    Returns: an int64 tensor without these axes.

    Example:
        >>> K.count_nonzero(np.array([[0, 1], [2, 3]]), axis=1).tolist()
        [1, 2]
    """
    from keras_front.backend.ops.elementwise import not_equal

    return sum(cast(not_equal(x, 0), "int64"), axis=axis, keepdims=keepdims)
