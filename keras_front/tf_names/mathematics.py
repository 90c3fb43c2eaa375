"""`tf.math` and what of it stands in `tf` itself: elementwise functions, reductions, sums along an axis, segments.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.symbolic import asks_for_values

from .dtypes import dtype_name

__all__ = ["FUNCTIONS"]

# Functions of one or two tensors that have another name, or the same, in `keras_front.ops`.
SAME = {
    "abs": "abs", "acos": "arccos", "acosh": "arccosh", "angle": "angle", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh", "bessel_i0": "i0", "bitwise_and": "bitwise_and",
    "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor", "ceil": "ceil", "conj": "conj", "cos": "cos",
    "cosh": "cosh", "div": "divide", "divide": "divide", "divide_no_nan": "divide_no_nan", "equal": "equal",
    "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp": "exp", "expm1": "expm1", "floor": "floor",
    "floor_div": "floor_divide", "floordiv": "floor_divide", "floormod": "mod", "greater": "greater",
    "greater_equal": "greater_equal", "imag": "imag", "invert": "bitwise_not",
    "is_finite": "isfinite", "is_inf": "isinf", "is_nan": "isnan", "left_shift": "left_shift", "less": "less",
    "less_equal": "less_equal", "log": "log", "log1p": "log1p", "log_sigmoid": "log_sigmoid",
    "logical_and": "logical_and", "logical_not": "logical_not", "logical_or": "logical_or",
    "logical_xor": "logical_xor", "maximum": "maximum", "minimum": "minimum", "mod": "mod", "multiply": "multiply",
    "negative": "negative", "nextafter": "nextafter", "not_equal": "not_equal", "pow": "power", "real": "real",
    "realdiv": "divide", "reciprocal": "reciprocal", "right_shift": "right_shift", "rint": "round", "round": "round",
    "rsqrt": "rsqrt", "sigmoid": "sigmoid", "sign": "sign", "sin": "sin", "sinh": "sinh", "softplus": "softplus",
    "sqrt": "square_root", "square": "square", "stop_gradient": "stop_gradient", "subtract": "subtract", "tan": "tan",
    "tanh": "tanh", "truediv": "divide", "truncatemod": "fmod",
}  # fmt: skip
REDUCTIONS = {
    "reduce_all": "all", "reduce_any": "any", "reduce_logsumexp": "logsumexp", "reduce_max": "max",
    "reduce_mean": "mean", "reduce_min": "min", "reduce_prod": "prod", "reduce_std": "std", "reduce_sum": "sum",
    "reduce_variance": "var",
}  # fmt: skip


def _same(name: str) -> Callable[..., Any]:
    def function(x: Any, /, *others: Any, **named: Any) -> Any:
        return getattr(ops, name)(x, *others, *named.values())  # the second is called `y`, `b`, `exponent` ...

    function.__doc__ = f"keras_front.ops.{name}."
    return function


def _reduction(name: str) -> Callable[..., Any]:
    def function(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(K, name)(input_tensor, axis=axis, keepdims=bool(keepdims))

    function.__doc__ = f"K.{name}."
    return function


def _float(x: Any) -> Any:
    """`x` as a tensor of floats."""
    x = as_symbol_or_tensor(x)
    return x if "float" in K.dtype(x) else K.cast(x, K.floatx())


def _place_of(op: Callable[..., Any]) -> Callable[..., Any]:
    def place(input: Any, axis: int | None = None, output_type: Any = None) -> Any:
        return K.cast(op(input, axis or 0), dtype_name(output_type, "int64"))

    return place


def count_nonzero(input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """How many elements are not 0."""
    return K.cast(K.count_nonzero(input, axis=axis, keepdims=bool(keepdims)), dtype_name(dtype, "int64"))


def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The root of the sum of squares."""
    return K.square_root(K.sum(K.square(input_tensor), axis=axis, keepdims=bool(keepdims)))


def _along(op: Callable[..., Any], undo: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
        x = K.reverse(x, axis) if reverse else x
        result = undo(op, x, axis) if exclusive else op(x, axis)
        return K.reverse(result, axis) if reverse else result

    return function


def _shifted(op: Callable[..., Any], x: Any, axis: int, start: float) -> Any:
    """Up to each element without it: the neutral number first, then the others."""
    first, rest = (_part(x, axis, part) for part in (slice(0, 1), slice(0, -1)))
    return K.concatenate([K.zeros_like(first) + start, op(rest, axis)], axis)


def _part(x: Any, axis: int, part: slice) -> Any:
    axis %= K.ndim(x)
    return K.getitem(x, (*[slice(None)] * axis, part))


def cumulative_logsumexp(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """Logarithms of the sums of exponentials up to each element."""
    top = K.stop_gradient(K.max(x, axis=axis, keepdims=True))
    return K.log(FUNCTIONS["cumsum"](K.exp(x - top), axis, exclusive, reverse)) + top


def add_n(inputs: Sequence[Any]) -> Any:
    """The sum of several tensors."""
    return functools.reduce(K.add, inputs)


def _unless_zero(x: Any, value: Any) -> Any:
    """`value` where `x` is not 0, and 0 elsewhere."""
    return K.where(K.equal(x, 0), K.zeros_like(value), value)


def xlogy(x: Any, y: Any) -> Any:
    """`x * log(y)`, and 0 where `x` is."""
    return _unless_zero(x, x * K.log(K.where(K.equal(x, 0), K.ones_like(y), y)))


def xlog1py(x: Any, y: Any) -> Any:
    """`x * log1p(y)`, and 0 where `x` is."""
    return _unless_zero(x, x * K.log1p(K.where(K.equal(x, 0), K.zeros_like(y), y)))


def xdivy(x: Any, y: Any) -> Any:
    """`x / y`, and 0 where `x` is."""
    return _unless_zero(x, x / K.where(K.equal(x, 0), K.ones_like(y), y))


def multiply_no_nan(x: Any, y: Any) -> Any:
    """`x * y`, and 0 where `y` is, whatever `x` is."""
    zero = K.equal(y, 0)
    return K.where(zero, K.zeros_like(y), K.where(zero, K.zeros_like(x), x) * y)


def zero_fraction(value: Any) -> Any:
    """Which share of the elements is 0."""
    return K.mean(K.cast(K.equal(value, 0), K.floatx()))


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = None) -> Any:
    """The largest elements along the last axis, and their places."""
    size, k = K.int_shape(input)[-1], int(k) if asks_for_values() or not K.is_symbolic(k) else k
    values, places = K.top_k(input, size if K.is_symbolic(k) else k)
    if K.is_symbolic(k):
        values, places = (K.getitem(found, (..., slice(None, k))) for found in (values, places))
    return values, K.cast(places, dtype_name(index_type, "int32"))


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether each class is among the likeliest."""
    return K.in_top_k(predictions, K.cast(targets, "int32"), k)


def _segments(reduce: str) -> Callable[..., Any]:
    def function(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
        return getattr(ops, reduce)(data, segment_ids, num_segments)

    return function


def bincount(
    arr: Any, weights: Any = None, minlength: int | None = None, maxlength: int | None = None, dtype: Any = None
) -> Any:
    """How often each number occurs."""
    return K.cast(ops.bincount(arr, weights=weights, minlength=maxlength or minlength or 0), dtype_name(dtype, "int32"))


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, dtype: Any = None
) -> Any:  # fmt: skip
    """How often each class was taken for each."""
    true, taken = (K.one_hot(K.cast(t, "int32"), num_classes) for t in (labels, predictions))
    true = true if weights is None else true * K.expand_dims(_float(weights), -1)
    return K.cast(K.matmul(K.transpose(true), taken), dtype_name(dtype, "int32"))


def truncatediv(x: Any, y: Any) -> Any:
    """The quotient, cut towards 0."""
    return K.cast(ops.trunc(_float(x) / _float(y)), K.dtype(as_symbol_or_tensor(x)))


def invert_permutation(x: Any) -> Any:
    """Where each number stands."""
    return K.cast(K.argsort(x), K.dtype(as_symbol_or_tensor(x)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "identity": lambda input: K.identity(input),
    **{name: _same(op) for name, op in SAME.items()},
    **{name: _reduction(op) for name, op in REDUCTIONS.items()},
    **{f.__name__: f for f in (
        add_n, bincount, confusion_matrix, count_nonzero, cumulative_logsumexp, in_top_k, invert_permutation,
        multiply_no_nan, reduce_euclidean_norm, top_k, truncatediv, xdivy, xlog1py, xlogy, zero_fraction,
    )},
    "accumulate_n": lambda inputs, shape=None, tensor_dtype=None: add_n(inputs),
    "approx_top_k": lambda operand, k, **hints: top_k(operand, k),
    "argmax": _place_of(K.argmax),
    "argmin": _place_of(K.argmin),
    "cumprod": _along(K.cumprod, lambda op, x, axis: _shifted(op, x, axis, 1.0)),
    "cumsum": _along(K.cumsum, lambda op, x, axis: op(x, axis) - x),
    "eq": lambda self, other: K.equal(self, other),
    "ne": lambda self, other: K.not_equal(self, other),
    "ndtri": lambda p: math.sqrt(2.0) * K.erfinv(2.0 * _float(p) - 1.0),
    "reciprocal_no_nan": lambda x: K.divide_no_nan(K.ones_like(x), x),
    "scalar_mul": lambda scalar, x: scalar * x,
    "segment_sum": _segments("segment_sum"),
    "segment_max": _segments("segment_max"),
    "squared_difference": lambda x, y: K.square(K.subtract(x, y)),
    "unsorted_segment_sum": _segments("segment_sum"),
    "unsorted_segment_max": _segments("segment_max"),
    "unsorted_segment_prod": _segments("segment_prod"),
}  # fmt: skip
