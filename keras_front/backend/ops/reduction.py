"""Ops that join elements along axes. Over an empty axis a sum is 0, a product 1, `any` False, `all` True."""

from __future__ import annotations

import math

from keras_front.backend import shapes
from keras_front.backend.declare import Axes, Tensor, composite, over_some_axis, primitive
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    divide,
    exp,
    isfinite,
    log,
    multiply,
    sqrt,
    stop_gradient,
    subtract,
    where,
)


@primitive(shapes.reduce, accumulates=True, fresh=over_some_axis)
def sum(x: Tensor, axis: Axes = None, keepdims=False):
    """The sum over `axis`, in the dtype of x."""


@primitive(shapes.reduce, accumulates=True, fresh=over_some_axis)
def prod(x: Tensor, axis: Axes = None, keepdims=False):
    """The product over `axis`, in the dtype of x."""


@primitive(shapes.reduce, fresh=over_some_axis)
def max(x: Tensor, axis: Axes = None, keepdims=False):
    """The maximum over `axis`; NaN if one is. Equal maxima share the gradient evenly."""


@primitive(shapes.reduce, fresh=over_some_axis)
def min(x: Tensor, axis: Axes = None, keepdims=False):
    """The minimum over `axis`; NaN if one is. Equal minima share the gradient evenly."""


@primitive(shapes.reduce_bool, fresh=over_some_axis)
def any(x: Tensor, axis: Axes = None, keepdims=False):
    """Whether one element over `axis` is true (not 0)."""


@primitive(shapes.reduce_bool, fresh=over_some_axis)
def all(x: Tensor, axis: Axes = None, keepdims=False):
    """Whether all elements over `axis` are true (not 0)."""


@primitive(shapes.reduce_index)
def argmax(x: Tensor, axis=-1):
    """The index (int64) of the maximum along `axis`, the first among equals."""


@primitive(shapes.reduce_index)
def argmin(x: Tensor, axis=-1):
    """The index (int64) of the minimum along `axis`, the first among equals."""


@primitive(shapes.along, accumulates=True)
def cumsum(x: Tensor, axis=0):
    """Running sums along `axis`."""


@primitive(shapes.along, accumulates=True)
def cumprod(x: Tensor, axis=0):
    """Running products along `axis`."""


def count(x, axis=None):
    """How many elements a reduction over `axis` joins, or None if a dimension is unknown."""
    axes = shapes.normalize_axes(axis, len(x.shape))
    dims = [x.shape[a] for a in axes]
    return None if None in dims else math.prod(int(d) for d in dims)


@composite(floats=True, accumulates=True, fresh=over_some_axis)
def mean(x: Tensor, axis: Axes = None, keepdims=False):
    """The arithmetic mean over `axis`; integers become floats first. Over nothing it is NaN."""
    n = count(x, axis)
    total = sum(x, axis=axis, keepdims=keepdims)
    if n is None:  # an unknown dimension while a model is being built: the shape is all that matters then
        return total
    return multiply(total, 1 / n) if n else divide(total, 0.0)


@composite(floats=True, accumulates=True, fresh=True)
def var(x: Tensor, axis: Axes = None, keepdims=False):
    """The (biased) variance over `axis`."""
    centered = subtract(x, mean(x, axis=axis, keepdims=True))
    return mean(multiply(centered, centered), axis=axis, keepdims=keepdims)


@composite(floats=True, accumulates=True, fresh=True)
def std(x: Tensor, axis: Axes = None, keepdims=False):
    """The (biased) standard deviation over `axis`."""
    return sqrt(var(x, axis=axis, keepdims=keepdims))


@composite(floats=True, accumulates=True, fresh=over_some_axis)
def logsumexp(x: Tensor, axis: Axes = None, keepdims=False):
    """`log(sum(exp(x)))` over `axis`, without overflow; -inf over nothing but -inf."""
    top = max(x, axis=axis, keepdims=True)
    top = stop_gradient(where(isfinite(top), top, 0))
    result = add(log(sum(exp(subtract(x, top)), axis=axis, keepdims=True)), top)
    if keepdims:
        return result
    return sum(result, axis=axis, keepdims=False)


@composite(floats=True, accumulates=True)
def l2_normalize(x: Tensor, axis: Axes = None):
    """`x` scaled to Euclidean length 1 along `axis`; lengths under 1e-6 count as 1e-6."""
    from keras_front.backend.ops.elementwise import maximum, rsqrt

    return multiply(x, rsqrt(maximum(sum(multiply(x, x), axis=axis, keepdims=True), 1e-12)))


@composite(promote=())
def count_nonzero(x: Tensor, axis: Axes = None, keepdims=False):
    """How many elements over `axis` are not 0, as int64."""
    from keras_front.backend.ops.elementwise import not_equal

    return sum(cast(not_equal(x, 0), "int64"), axis=axis, keepdims=keepdims)
