"""Attention, and normalization by groups of channels."""

from __future__ import annotations

import math

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.declare import Axis, Maybe, Tensor, composite
from keras_front.backend.ops.arrangement import (
    _sizes,
    permute_dimensions,
    reshape,
)
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    multiply,
    rsqrt,
    subtract,
    where,
)
from keras_front.backend.ops.linear import matmul
from keras_front.backend.ops.neural import softmax
from keras_front.backend.ops.reduction import mean
from keras_front.errors import ShapeError


@composite(promote=("query", "key", "value"), floats=True)
def dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Maybe = None, mask: Maybe = None, scale=None, is_causal=False
):
    """Means of `value`, weighted by the softmax of `scale * query . key + bias`.

    Args:
        query: what is compared with the keys.
        key: what is compared with it.
        value: what is averaged.
        bias: added to the scores, None for none.
        mask: bools; weights are 0 where it is False. A query that may see nothing gets the mean of all values.
        scale: the factor of the products, None for 1 / sqrt(d).
        is_causal: whether the weights of later places (s > t) are 0.

    Shape: query (batch, t, heads, d), key (batch, s, heads, d), value (batch, s, heads, e) -> (batch, t, heads, e);
    bias and mask broadcast to (batch, heads, t, s).

    Raises:
        ShapeError: a dimension that is needed is unknown.

    Source: Vaswani et al. (2017), section 3.2.

    Example:
        >>> tuple(K.dot_product_attention(np.ones((2, 4, 1, 3)), np.ones((2, 5, 1, 3)), np.ones((2, 5, 1, 3))).shape)
        (2, 4, 1, 3)
    """
    q, k, v = (permute_dimensions(t, (0, 2, 1, 3)) for t in (query, key, value))
    depth = query.shape[-1]
    if scale is None and depth is None:
        raise ShapeError(f"expected a known last dimension, received query {tuple(query.shape)}; or give `scale`.")
    scores = matmul(multiply(q, 1 / math.sqrt(depth) if scale is None else scale), permute_dimensions(k, (0, 1, 3, 2)))
    if bias is not None:
        scores = add(scores, bias)
    if mask is not None:
        scores = where(cast(mask, "bool"), scores, -1e4 if query.dtype == "float16" else -1e30)
    if is_causal:
        t, s = scores.shape[-2:]
        if None in (t, s):
            raise ShapeError(f"a causal mask needs known lengths, received scores of shape {tuple(scores.shape)}.")
        scores = where(np.tril(np.ones((t, s), bool)), scores, -1e4 if query.dtype == "float16" else -1e30)
    return permute_dimensions(matmul(softmax(scores), v), (0, 2, 1, 3))


@composite(promote=("x", "gamma", "beta"), floats=True, accumulates=True)
def group_normalization(x: Tensor, gamma: Maybe = None, beta: Maybe = None, groups=32, axis: Axis = -1, epsilon=1e-3):
    """`x` centred and scaled over each of `groups` groups of channels of each sample, then `* gamma + beta`.

    Args:
        x: a tensor with a batch axis.
        gamma: the scale of each channel, None for none.
        beta: the shift of each channel, None for none.
        groups: how many groups; they divide the channels evenly.
        axis: the axis of the channels.
        epsilon: keeps the root from 0.

    Shape: x (batch, ...), gamma and beta (channels,) -> as x.

    Raises:
        ShapeError: the channels cannot be divided.

    Source: Wu & He (2018).

    Example:
        >>> print(np.asarray(K.group_normalization(np.array([[1.0, 3.0, 2.0, 6.0]]), groups=2)).round(3))
        [[-1.  1. -1.  1.]]
    """
    place, rank = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    depth = x.shape[place]
    if depth is None or depth % groups:
        raise ShapeError(f"{depth} channels of shape {tuple(x.shape)} cannot be cut into {groups} groups.")
    sizes = _sizes(x)
    grouped = reshape(x, (*sizes[:place], groups, depth // groups, *sizes[place + 1 :]))
    axes = tuple(i for i in range(1, rank + 1) if i != place)
    off = subtract(grouped, mean(grouped, axis=axes, keepdims=True))
    spread = mean(multiply(off, off), axis=axes, keepdims=True)
    result = reshape(multiply(off, rsqrt(add(spread, epsilon))), tuple(sizes))
    wide = tuple(depth if i == place else 1 for i in range(rank))
    if gamma is not None:
        result = multiply(result, reshape(gamma, wide))
    return result if beta is None else add(result, reshape(beta, wide))
