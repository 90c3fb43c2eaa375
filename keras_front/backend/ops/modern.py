"""What models of today use and classic K lacks: sorting, functions, attention, group normalization, control flow."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import scopes, shapes, symbolic
from keras_front.backend.declare import Maybe, Tensor, as_symbol_or_tensor, composite, primitive
from keras_front.backend.ops.arrangement import (
    _sizes,
    concatenate,
    permute_dimensions,
    reshape,
    strided_slice,
)
from keras_front.backend.ops.elementwise import (
    abs,
    add,
    cast,
    cos,
    divide,
    equal,
    exp,
    expm1,
    floor,
    greater,
    isfinite,
    isnan,
    less,
    log,
    log1p,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    relu,
    rsqrt,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    subtract,
    tanh,
    where,
)
from keras_front.backend.ops.folding import map_fn
from keras_front.backend.ops.indexing import take_along_axis
from keras_front.backend.ops.linear import matmul
from keras_front.backend.ops.neural import softmax
from keras_front.backend.ops.recurrence import scan
from keras_front.backend.ops.reduction import mean
from keras_front.errors import ArgumentError, ShapeError, UntraceableError


def _order(x: Any, *, axis: int = -1, **_: Any) -> shapes.Spec:
    shapes.normalize_axis(axis, len(x.shape))
    return x.shape, "int64"


# Sorting -------------------------------------------------------------------------------------------------------


@primitive(_order)
def argsort(x: Tensor, axis=-1, descending=False):
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
def sort(x: Tensor, axis=-1, descending=False):
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


# Elementwise ---------------------------------------------------------------------------------------------------


@composite
def isinf(x: Tensor):
    """Whether x is plus or minus infinity.

    Args:
        x: a tensor.

    Returns: a bool tensor of the shape of x.
    """
    return logical_not(logical_or(isfinite(x), isnan(x)))


@composite(promote=())
def logical_xor(x: Tensor, y: Tensor):
    """Whether exactly one is true (not 0).

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.
    """
    return not_equal(cast(x, "bool"), cast(y, "bool"))


@composite(floats=True)
def tan(x: Tensor):
    """The tangent.

    Args:
        x: angles in radians; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return divide(sin(x), cos(x))


@composite(floats=True)
def sinh(x: Tensor):
    """The hyperbolic sine, exact for small x.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return multiply(subtract(expm1(x), expm1(negative(x))), 0.5)


@composite(floats=True)
def cosh(x: Tensor):
    """The hyperbolic cosine.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    grown = exp(abs(x))
    return multiply(add(grown, divide(1, grown)), 0.5)


@composite(floats=True)
def arcsinh(x: Tensor):
    """The inverse of `sinh`, exact for small x; no square overflows for large ones.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    below = less(x, 0)  # not by `abs` and `sign`, whose gradients at 0 are 0
    size = where(below, negative(x), x)
    large = greater(size, 1)
    near, wide = where(large, 1, size), where(large, size, 1)
    far = divide(1, wide)
    square = multiply(near, near)
    close = log1p(add(near, divide(square, add(1, sqrt(add(square, 1))))))
    away = add(log(add(1, sqrt(add(1, multiply(far, far))))), log(wide))
    result = where(large, away, close)
    return where(below, negative(result), result)


@composite(floats=True)
def arctanh(x: Tensor):
    """The inverse of `tanh`; infinite at -1 and 1, NaN beyond.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return multiply(0.5, subtract(log1p(x), log1p(negative(x))))


@composite(floats=True)
def log2(x: Tensor):
    """The logarithm to base 2.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return multiply(log(x), 1 / math.log(2))


@composite(floats=True)
def log10(x: Tensor):
    """The logarithm to base 10.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return multiply(log(x), 1 / math.log(10))


@composite(floats=True)
def logaddexp(x: Tensor, y: Tensor):
    """`log(exp(x) + exp(y))`, without overflow.

    Args:
        x: a tensor; integers become floats first.
        y: a tensor that broadcasts to x.

    Returns: a float tensor of the broadcast shape.
    """
    same = equal(x, y)  # also where both are infinite
    apart = subtract(where(same, 0, x), where(same, 0, y))
    return add(maximum(x, y), log1p(exp(negative(abs(apart)))))


@composite
def trunc(x: Tensor):
    """`x` without its fraction, toward zero.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.
    """
    return multiply(sign(x), floor(abs(x)))


@composite(floats=True)
def mish(x: Tensor):
    """`x * tanh(softplus(x))`.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Source: Misra (2019).
    """
    return multiply(x, tanh(softplus(x)))


@composite(floats=True)
def relu6(x: Tensor):
    """The rectifier, cut at 6; NaN stays NaN.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.
    """
    return minimum(relu(x), 6.0)


@composite(floats=True)
def glu(x: Tensor, axis=-1):
    """The gated linear unit: the first half along `axis` times the sigmoid of the second.

    Args:
        x: a tensor; integers become floats first.
        axis: the axis that is cut in halves; its size is even.

    Returns: a float tensor of half the size along `axis`.

    Raises:
        ShapeError: the size is odd or unknown.

    Source: Dauphin et al. (2017).
    """
    first, second = split(x, 2, axis=axis)
    return multiply(first, sigmoid(second))


# Arrangement ---------------------------------------------------------------------------------------------------


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`x` cut along `axis` into equal parts, or at given places.

    Args:
        x: a tensor.
        indices_or_sections: the number of parts, or the indices at which parts begin.
        axis: the axis that is cut.

    Returns: a list of tensors.

    Raises:
        ShapeError: the parts cannot be equal.

    Example:
        >>> import numpy as np
        >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
        [[1.0], [2.0, 3.0]]
    """
    place = shapes.normalize_axis(axis, len(x.shape))
    size = x.shape[place]
    if isinstance(indices_or_sections, int | np.integer):
        parts = int(indices_or_sections)
        if size is None or parts < 1 or size % parts:
            raise ShapeError(f"split: axis {axis} of shape {tuple(x.shape)} cannot be cut into {parts} equal parts.")
        edges: list[Any] = [int(size) // parts * i for i in range(1, parts)]
    else:
        edges = [int(i) for i in indices_or_sections]
    rank = len(x.shape)

    def part(start: Any, stop: Any) -> Any:
        head, tail = ([end if i == place else None for i in range(rank)] for end in (start, stop))
        return strided_slice(x, tuple(head), tuple(tail), (1,) * rank)

    return [part(a, b) for a, b in zip([None, *edges], [*edges, None], strict=True)]


@composite
def roll(x: Tensor, shift, axis=None):
    """Elements moved along `axis`, those that fall out coming in at the other end.

    Args:
        x: a tensor.
        shift: by how many places, toward the end; one number, or one for each axis.
        axis: an axis or several; None moves them in the order of all elements.

    Returns: a tensor of the shape of x.

    Example:
        >>> K.roll(np.array([1.0, 2.0, 3.0]), 1).tolist()
        [3.0, 1.0, 2.0]
    """
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, axis=0), tuple(_sizes(x)))
    places = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(places) if isinstance(shift, int) else list(shift)
    for place, step in zip(places, shifts, strict=True):
        size = x.shape[shapes.normalize_axis(place, len(x.shape))]
        step = step if size is None else step % size if size else 0
        if step:
            head, tail = split(x, [-step], axis=place)
            x = concatenate([tail, head], axis=place)
    return x


# Networks ------------------------------------------------------------------------------------------------------


@composite(promote=("query", "key", "value"), floats=True)
def dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Maybe = None, mask: Maybe = None, scale=None, is_causal=False
):
    """Means of `value`, weighted by the softmax of `scale * query . key + bias`.

    Args:
        query: what asks.
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
def group_normalization(x: Tensor, gamma: Maybe = None, beta: Maybe = None, groups=32, axis=-1, epsilon=1e-3):
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


# Control flow --------------------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions; where `pred` has a value only that one is called, else both.

    Args:
        pred: a bool, or a scalar tensor of bool.
        true_fn: a function without arguments, whose result is taken where `pred` is true.
        false_fn: the same for false; its results have the shapes of those of `true_fn`.

    Returns: a tensor, or a list or tuple of them.

    Example:
        >>> cond(True, lambda: 1.0, lambda: 2.0)
        1.0
    """
    if not symbolic.is_symbolic(pred) and not hasattr(pred, "symbol"):
        return true_fn() if bool(pred) else false_fn()
    from keras_front.backend.classic import switch

    then, other = true_fn(), false_fn()
    if isinstance(then, list | tuple):
        return type(then)(switch(pred, a, b) for a, b in zip(then, other, strict=True))
    return switch(pred, then, other)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)`.

    Args:
        cond: takes the loop's tensors, returns a scalar bool.
        body: takes the loop's tensors, returns them for the next round, with the same shapes.
        loop_vars: a tensor, or a list or tuple of them.
        maximum_iterations: the most rounds, None for no limit. On symbolic tensors it must be given: the loop then runs
            that often, and stops changing when it is done.

    Returns: the last tensors, in the structure of `loop_vars`.

    Raises:
        UntraceableError: tensors are symbolic and there is no maximum.
    """
    single = not isinstance(loop_vars, list | tuple)
    carry = [as_symbol_or_tensor(t) for t in ([loop_vars] if single else loop_vars)]
    if scopes.tracing() or builtins.any(map(symbolic.is_symbolic, carry)):
        carry = _bounded_loop(cond, body, carry, maximum_iterations)
    else:
        done = 0
        while (maximum_iterations is None or done < maximum_iterations) and bool(cond(*carry)):
            carry, done = [as_symbol_or_tensor(t) for t in _listed(body(*carry))], done + 1
    return carry[0] if single else type(loop_vars)(carry)


def _listed(items: Any) -> list[Any]:
    return list(items) if isinstance(items, list | tuple) else [items]


def _bounded_loop(cond: Any, body: Any, carry: Sequence[Any], limit: int | None) -> list[Any]:
    if limit is None:
        raise UntraceableError(
            "while_loop: on symbolic tensors give `maximum_iterations`, so that the loop has an end."
        )

    def step(now: list[Any], _: list[Any]) -> tuple[list[Any], list[Any]]:
        going = cast(cond(*now), "bool")
        return [where(going, cast(n, t.dtype), t) for n, t in zip(_listed(body(*now)), now, strict=True)], []

    return list(scan(step, list(carry), [], length=limit)[0])


def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """`function` of each row of `elements`, stacked.

    Args:
        function: takes a row, or a list of rows.
        elements: a tensor, or a list of tensors of equal length, of whose rows the function gets a list.

    Returns: a tensor, or a list of them if the function returns a list.
    """
    return map_fn(function, elements)
