"""How ops of K read in PyTensor's own words: functions of its variables, attributes by keyword.

Shapes are known, and operands of one op have one dtype. An op stands here if PyTensor, which interprets these graphs
(see `backend`), makes one call of NumPy of it that means the same; all others are `kernels`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.type import TensorType
from pytensor.tensor.variable import TensorVariable

from keras_front.backend import shapes
from keras_front_numpy.kernels import elementwise
from keras_front_numpy.kernels.indexing import strided_index

from .kernels import cast, kernel

Expression: TypeAlias = Callable[..., TensorVariable]
_LONGEST = 1 << 16  # elements of a sum that is a product with ones; longer ones want NumPy's pairwise order


def _is_float(x: TensorVariable) -> bool:
    return x.dtype.startswith("float")


def _fractions_only(rounded: Expression) -> Expression:
    """A rounding function that leaves integers alone."""
    return lambda x: rounded(x) if _is_float(x) else x


def _over(reduced: Expression) -> Expression:
    def reduction(x: TensorVariable, *, axis: Any, keepdims: bool) -> TensorVariable:
        return reduced(x, axis=shapes.normalize_axes(axis, x.ndim), keepdims=keepdims)

    return reduction


def _power(x: TensorVariable, y: TensorVariable) -> TensorVariable:
    """A power. PyTensor takes an integer to a negative power by NumPy, which refuses it."""
    if _is_float(x):
        return pt.pow(x, y)
    out = TensorType(x.dtype, np.broadcast_shapes(x.type.shape, y.type.shape))
    return kernel("power", elementwise.power, [x, y], [out])[0]


def _prod(x: TensorVariable, *, axis: Any, keepdims: bool) -> TensorVariable:
    return pt.prod(x, shapes.normalize_axes(axis, x.ndim), x.dtype, keepdims, acc_dtype=x.dtype)


def _sum(x: TensorVariable, *, axis: Any, keepdims: bool) -> TensorVariable:
    """A sum in the dtype of x; over the first or last axes as a product with ones, which BLAS does quickly."""
    axes = shapes.normalize_axes(axis, x.ndim)
    kept = [n for i, n in enumerate(x.type.shape) if i not in axes]
    joined = math.prod(x.type.shape[i] for i in axes)
    first, last = axes == tuple(range(len(axes))), axes == tuple(range(len(kept), x.ndim))
    if not axes or not kept or not (first or last) or joined > _LONGEST or x.dtype not in ("float32", "float64"):
        return pt.sum(x, axes, x.dtype, keepdims, acc_dtype=x.dtype)
    ones, rest = np.ones(joined, x.dtype), math.prod(kept)
    total = pt.dot(ones, x.reshape((joined, rest))) if first else pt.dot(x.reshape((rest, joined)), ones)
    return total.reshape([1 if i in axes else n for i, n in enumerate(x.type.shape)] if keepdims else kept)


def _running(added_up: Expression) -> Expression:
    """A running sum or product. NumPy makes one of small integers an int64, which PyTensor does not say."""
    return lambda x, *, axis: added_up(x if _is_float(x) else cast(x, "int64"), axis)


def _strided_slice(x: TensorVariable, *, start: Any, stop: Any, step: Any) -> TensorVariable:
    return x[strided_index(start, stop, step)]


def _flip(x: TensorVariable, *, axes: Any) -> TensorVariable:
    turned = shapes.normalize_axes(axes, x.ndim)
    return x[tuple(slice(None, None, -1 if axis in turned else None) for axis in range(x.ndim))]


EXPRESSIONS: dict[str, Expression] = {
    "add": pt.add,
    "subtract": pt.sub,
    "multiply": pt.mul,
    "divide": pt.true_div,
    "floor_divide": pt.int_div,
    "mod": pt.mod,
    "power": _power,
    "maximum": pt.maximum,
    "minimum": pt.minimum,
    "negative": pt.neg,
    "abs": pt.abs,
    "sign": pt.sign,
    "floor": _fractions_only(pt.floor),
    "ceil": _fractions_only(pt.ceil),
    "round": _fractions_only(lambda x: pt.round(x, mode="half_to_even")),
    "exp": pt.exp,
    "expm1": pt.expm1,
    "log": pt.log,
    "log1p": pt.log1p,
    "square_root": pt.sqrt,
    "sin": pt.sin,
    "cos": pt.cos,
    "tanh": pt.tanh,
    "sigmoid": pt.sigmoid,
    "erf": pt.erf,
    "equal": pt.eq,
    "not_equal": pt.neq,
    "less": pt.lt,
    "less_equal": pt.le,
    "greater": pt.gt,
    "greater_equal": pt.ge,
    "logical_and": pt.and_,
    "logical_or": pt.or_,
    "logical_not": pt.invert,
    "where": pt.switch,
    "isnan": pt.isnan,
    "isfinite": lambda x: pt.invert(pt.or_(pt.isnan(x), pt.isinf(x))),
    "arctan": pt.arctan,
    "arcsin": pt.arcsin,
    "arccos": pt.arccos,
    "arccosh": pt.arccosh,
    "arctan2": pt.arctan2,
    "bitwise_and": pt.and_,
    "bitwise_or": pt.or_,
    "bitwise_xor": pt.xor,
    "bitwise_not": pt.invert,
    "sum": _sum,
    "prod": _prod,
    "max": _over(pt.max),
    "min": _over(pt.min),
    "any": _over(pt.any),
    "all": _over(pt.all),
    "argmax": lambda x, *, axis: pt.argmax(x, axis=axis),
    "argmin": lambda x, *, axis: pt.argmin(x, axis=axis),
    "cumsum": _running(pt.cumsum),
    "cumprod": _running(pt.cumprod),
    "reshape": lambda x, *, shape: pt.reshape(x, [int(d) for d in shape], ndim=len(shape)),
    "permute_dimensions": lambda x, *, pattern: x.dimshuffle(*(axis % x.ndim for axis in pattern)),
    "broadcast_to": lambda x, *, shape: pt.broadcast_to(x, tuple(shape)),
    "concatenate": lambda tensors, *, axis: pt.join(axis, *tensors),
    "strided_slice": _strided_slice,
    "flip": _flip,
    "matmul": pt.matmul,
    "symbolic_shape": lambda x: pt.constant(np.asarray(x.type.shape, "int32")),
}
