"""Rules of reductions and of running sums and products."""

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
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (spread(g, x, axis),)


@gradient_of("mean")
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (spread(multiply(g, 1 / max(reduction.count(x, axis), 1)), x, axis),)


def _extreme(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    hit = cast(equal(x, spread(out, x, axis)), g.dtype)
    share = divide(hit, sum(hit, axis=axis, keepdims=True))
    return (multiply(spread(g, x, axis), share),)


GRADIENT["max"] = GRADIENT["min"] = _extreme


@gradient_of("prod")
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
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
def _(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    place = (shapes.normalize_axis(axis, len(x.shape)),)
    return (flip(cumsum(flip(g, place), axis=axis), place),)


@gradient_of("cumprod")
def _(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    """Row i of a square holds the running products with x_i taken out; exact where x is 0, quadratic in the length."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    last = permute_dimensions(x, to_last)
    n = last.shape[-1]
    eye = np.eye(n, dtype=bool)
    square = where(eye, 1, arrangement.broadcast_to(arrangement.expand_dims(last, -2), (*last.shape[:-1], n, n)))
    products = multiply(cumprod(square, axis=-1), cast(np.triu(np.ones((n, n))), x.dtype))
    flow = sum(multiply(products, arrangement.expand_dims(permute_dimensions(g, to_last), -2)), axis=-1)
    return (permute_dimensions(flow, tuple(int(i) for i in np.argsort(to_last))),)
