"""Gradient rules of reductions and of running sums and products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.gradients.table import GRADIENT, gradient_of, spread
from keras_front.backend.ops import arrangement, reduction
from keras_front.backend.ops.arrangement import concatenate, flip, permute_dimensions, reshape, strided_slice
from keras_front.backend.ops.elementwise import cast, divide, equal, multiply, where
from keras_front.backend.ops.reduction import cumprod, cumsum, sum


@gradient_of("sum")
def sum_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (spread(g, x, axis),)


@gradient_of("mean")
def mean_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (spread(multiply(g, 1 / max(reduction.count(x, axis), 1)), x, axis),)


def _extreme_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The rule of `max` and `min`: equal ones share the gradient evenly."""
    hit = equal(x, spread(out, x, axis))
    count = sum(cast(hit, g.dtype), axis=axis, keepdims=True)
    return (where(hit, divide(spread(g, x, axis), count), 0),)


GRADIENT["max"] = GRADIENT["min"] = _extreme_vjp


@gradient_of("prod")
def prod_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if 0 in x.shape:
        return (spread(g, x, axis),)  # of no elements
    axes = shapes.normalize_axes(axis, len(x.shape))
    rest = tuple(i for i in range(len(x.shape)) if i not in axes)
    moved = permute_dimensions(x, (*rest, *axes))
    flat = reshape(moved, (*(x.shape[i] for i in rest), math.prod(x.shape[i] for i in axes)))
    others = reshape(_product_of_others(flat), moved.shape)
    back = tuple(int(i) for i in np.argsort((*rest, *axes)))
    return (multiply(spread(g, x, axis), permute_dimensions(others, back)),)


def _product_of_others(x: Any) -> Any:
    """For each element the product of all others along the last axis, right also where some are 0."""
    n = x.shape[-1]
    ones = arrangement.filled(1, (*x.shape[:-1], 1), x.dtype)
    head = (None,) * (len(x.shape) - 1)
    step = (1,) * len(x.shape)
    before = concatenate([ones, strided_slice(cumprod(x, -1), (*head, None), (*head, n - 1), step)], axis=-1)
    backwards = flip(x, (len(x.shape) - 1,))
    after = concatenate([ones, strided_slice(cumprod(backwards, -1), (*head, None), (*head, n - 1), step)], axis=-1)
    return multiply(before, flip(after, (len(x.shape) - 1,)))


@gradient_of("cumsum")
def cumsum_vjp(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    place = (shapes.normalize_axis(axis, len(x.shape)),)
    return (flip(cumsum(flip(g, place), axis=axis), place),)


@gradient_of("cumprod")
def cumprod_vjp(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    """Row i of a square holds the running products with x_i taken out; exact where x is 0, quadratic in the length."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    last = permute_dimensions(x, to_last)
    n = last.shape[-1]
    eye = np.eye(n, dtype=bool)
    square = where(eye, 1, arrangement.broadcast_to(arrangement.expand_dims(last, -2), (*last.shape[:-1], n, n)))
    flows = multiply(cumprod(square, axis=-1), arrangement.expand_dims(permute_dimensions(g, to_last), -2))
    flow = sum(where(np.triu(np.ones((n, n), bool)), flows, 0), axis=-1)
    return (permute_dimensions(flow, tuple(int(i) for i in np.argsort(to_last))),)
