"""Tensor functions of the stand-in: each is one call of K, with TensorFlow's names and order of arguments.

They take values and symbolic tensors, so they work in a `Lambda`, in `call` of a layer, in losses and metrics.
Source: the signatures of TensorFlow 1.15 and 2.15, `tf` and `tf.math`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.errors import ArgumentError

# Functions of one or two tensors, with `name` as the only other argument.
_SAME = {
    "abs": "abs", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "ceil": "ceil", "cos": "cos", "cosh": "cosh", "erf": "erf", "exp": "exp",
    "expm1": "expm1", "floor": "floor", "identity": "identity", "is_finite": "isfinite", "is_inf": "isinf",
    "is_nan": "isnan", "log": "log", "log1p": "log1p", "log_sigmoid": "log_sigmoid", "logical_not": "logical_not",
    "negative": "negative", "reciprocal": "reciprocal", "round": "round", "rsqrt": "rsqrt", "sigmoid": "sigmoid",
    "sign": "sign", "sin": "sin", "sinh": "sinh", "softplus": "softplus", "sqrt": "square_root", "square": "square",
    "stop_gradient": "stop_gradient", "tan": "tan", "tanh": "tanh",
    "add": "add", "divide": "divide", "equal": "equal", "floordiv": "floor_divide", "floormod": "mod",
    "greater": "greater", "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal",
    "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor", "maximum": "maximum",
    "minimum": "minimum", "mod": "mod", "multiply": "multiply", "not_equal": "not_equal", "pow": "power",
    "subtract": "subtract", "truediv": "divide", "div": "divide",
}  # fmt: skip
_REDUCTIONS = {
    "reduce_all": "all", "reduce_any": "any", "reduce_logsumexp": "logsumexp", "reduce_max": "max",
    "reduce_mean": "mean", "reduce_min": "min", "reduce_prod": "prod", "reduce_std": "std", "reduce_sum": "sum",
    "reduce_variance": "var", "count_nonzero": "count_nonzero",
}  # fmt: skip


def _elementwise(name: str) -> Callable[..., Any]:
    def function(x: Any, *others: Any, name: str | None = None, **named: Any) -> Any:
        return op(x, *others, *named.values())  # `y=`

    op = getattr(K, name)
    function.__doc__ = f"K.{name}."
    return function


def _reduction(name: str) -> Callable[..., Any]:
    def function(
        input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None,
        reduction_indices: Any = None, keep_dims: bool | None = None,
    ) -> Any:  # fmt: skip
        axis = reduction_indices if axis is None else axis
        return op(input_tensor, axis=axis, keepdims=bool(keepdims or keep_dims))

    op = getattr(K, name)
    function.__doc__ = f"K.{name}."
    return function


def __getattr__(name: str) -> Any:
    if name in _SAME and hasattr(K, _SAME[name]):
        return _elementwise(_SAME[name])
    if name in _REDUCTIONS and hasattr(K, _REDUCTIONS[name]):
        return _reduction(_REDUCTIONS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Making tensors -----------------------------------------------------------------------------------------------


def _dtype_of(value: Any, dtype: Any) -> str:
    """TensorFlow's dtype for a value: of Python numbers, 32 bits."""
    if dtype is not None:
        return str(np.dtype(dtype)) if isinstance(dtype, type | np.dtype) else str(getattr(dtype, "name", dtype))
    found = np.asarray(value).dtype
    if isinstance(value, np.ndarray | np.generic):
        return found.name
    return {"float64": "float32", "int64": "int32"}.get(found.name, found.name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor with a value.

    Args:
        value: a number, nested lists or an array.
        dtype: its dtype; of Python numbers float32 or int32.
        shape: its shape; one number fills it.
        name: not used.
    """
    return K.constant(value, _dtype_of(value, dtype), shape)


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """A tensor with a value, or the tensor that it is.

    Args:
        value: a tensor, a number, nested lists or an array.
        dtype: its dtype.
        dtype_hint: not used.
        name: not used.
    """
    if isinstance(value, Tensor | Variable):
        return value if dtype is None else cast(value, dtype)
    return constant(value, dtype)


class _Kind(type):
    """A class to ask `isinstance` with."""

    def __instancecheck__(cls, value: Any) -> bool:
        return cls.holds(value)  # type: ignore[attr-defined]


class Tensor(metaclass=_Kind):
    """What tensors are instances of: those of any engine, and symbolic ones."""

    holds = staticmethod(lambda value: K.is_symbolic(value) or discovery.active().is_tensor(value))


class Variable(metaclass=_Kind):
    """A variable of K.

    Args:
        initial_value: its value.
        trainable: not used: a layer says which of its weights are trained.
        validate_shape: not used.
        caching_device: not used.
        name: its name.
        variable_def: not used.
        dtype: its dtype; of Python numbers float32 or int32.
        options: not used.
    """

    holds = staticmethod(K.is_variable)

    def __new__(
        cls, initial_value: Any = None, trainable: bool | None = None, validate_shape: bool = True,
        caching_device: Any = None, name: str | None = None, variable_def: Any = None, dtype: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        value = initial_value() if callable(initial_value) else initial_value
        return K.variable(value, _dtype_of(value, dtype), name)


def is_tensor(x: Any) -> bool:
    """Whether something is a tensor.

    Args:
        x: anything.
    """
    return isinstance(x, Tensor)


def placeholder(dtype: Any = "float32", shape: Any = None, name: str | None = None) -> Any:
    """A symbolic tensor whose value is given later.

    Args:
        dtype: its dtype.
        shape: its shape, with None for what is not known yet.
        name: its name.
    """
    return K.placeholder(shape, dtype=str(dtype), name=name)


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of zeros.

    Args:
        shape: its shape.
        dtype: its dtype.
        name: not used.
    """
    return K.constant(0, _dtype_of(0, dtype), shape)


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of ones.

    Args:
        shape: its shape.
        dtype: its dtype.
        name: not used.
    """
    return K.constant(1, _dtype_of(1, dtype), shape)


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """A tensor with the same number everywhere.

    Args:
        dims: its shape.
        value: the number.
        name: not used.
    """
    return K.constant(value, _dtype_of(value, None), dims)


def _like(make: Callable[..., Any]) -> Callable[..., Any]:
    def like(input: Any, dtype: Any = None, name: str | None = None) -> Any:
        """A tensor of zeros or ones of the shape of another.

        Args:
            input: the other.
            dtype: its dtype; by default that of the other.
            name: not used.
        """
        return make(input) if dtype is None else cast(make(input), dtype)

    return like


zeros_like, ones_like = _like(K.zeros_like), _like(K.ones_like)


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: str | None = None) -> Any:
    """The identity matrix.

    Args:
        num_rows: its rows.
        num_columns: its columns, by default as many.
        dtype: its dtype.
        name: not used.
    """
    return constant(np.eye(num_rows, num_columns), str(dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Numbers at the same distance.

    Args:
        start: the first, or with one argument the end.
        limit: the end, which is not among them.
        delta: the distance.
        dtype: their dtype.
        name: not used.
    """
    numbers = np.arange(start) if limit is None else np.arange(start, limit, delta)
    return constant(numbers, _dtype_of(numbers.tolist() or [0], dtype))


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Any:
    """Numbers at the same distance, the end among them.

    Args:
        start: the first.
        stop: the last.
        num: how many.
        name: not used.
    """
    return constant(np.linspace(start, stop, num), "float32")


# Shapes, parts and arrangement --------------------------------------------------------------------------------


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """A tensor with another dtype.

    Args:
        x: the tensor.
        dtype: the dtype.
        name: not used.
    """
    return K.cast(x, _dtype_of(0, dtype))


def to_float(x: Any) -> Any:
    """A tensor of float32.

    Args:
        x: the tensor.
    """
    return cast(x, "float32")


def shape(input: Any, out_type: Any = "int32", name: str | None = None) -> Any:
    """The shape as a tensor.

    Args:
        input: the tensor.
        out_type: not used.
        name: not used.
    """
    return K.shape(input)


def rank(input: Any, name: str | None = None) -> int:
    """The number of axes.

    Args:
        input: the tensor.
        name: not used.
    """
    return K.ndim(input)


def size(input: Any, out_type: Any = "int32", name: str | None = None) -> Any:
    """The number of elements.

    Args:
        input: the tensor.
        out_type: not used.
        name: not used.
    """
    return K.size(input)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The same elements in another shape.

    Args:
        tensor: the tensor.
        shape: the shape; one -1 is found out.
        name: not used.
    """
    return K.reshape(tensor, shape)


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Any:
    """The axes in another order.

    Args:
        a: the tensor.
        perm: the order; by default the reverse one.
        conjugate: not used.
        name: not used.
    """
    return K.transpose(a) if perm is None else K.permute_dimensions(a, perm)


def expand_dims(input: Any, axis: int = 0, name: str | None = None, dim: int | None = None) -> Any:
    """A further axis of length 1.

    Args:
        input: the tensor.
        axis: its place.
        name: not used.
        dim: former name of `axis`.
    """
    return K.expand_dims(input, axis if dim is None else dim)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """Without axes of length 1.

    Args:
        input: the tensor.
        axis: which of them; by default all.
        name: not used.
        squeeze_dims: former name of `axis`.
    """
    axes = axis if squeeze_dims is None else squeeze_dims
    for one in sorted(axes, reverse=True) if isinstance(axes, Sequence) else [axes]:
        input = K.squeeze(input, one)
    return input


def concat(values: Any, axis: int, name: str | None = None) -> Any:
    """Tensors one after the other.

    Args:
        values: the tensors.
        axis: along which axis.
        name: not used.
    """
    return K.concatenate(values, axis)


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Tensors along a new axis.

    Args:
        values: the tensors.
        axis: its place.
        name: not used.
    """
    return K.stack(values, axis)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> list[Any]:
    """The parts of a tensor along an axis, without it.

    Args:
        value: the tensor.
        num: how many there are, where the shape does not say.
        axis: the axis.
        name: not used.
    """
    parts = K.split(value, num or K.int_shape(value)[axis], axis)
    return [K.squeeze(part, axis) for part in parts]


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str | None = None) -> list[Any]:
    """A tensor in parts.

    Args:
        value: the tensor.
        num_or_size_splits: how many parts of one size, or their sizes.
        axis: along which axis.
        num: not used.
        name: not used.
    """
    parts = num_or_size_splits
    return K.split(value, parts if isinstance(parts, int) else np.cumsum(parts)[:-1].tolist(), axis)


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """A tensor several times along each axis.

    Args:
        input: the tensor.
        multiples: how often, for each axis.
        name: not used.
    """
    return K.tile(input, multiples)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0, name: str | None = None) -> Any:
    """A tensor with numbers around it.

    Args:
        tensor: the tensor.
        paddings: how many before and after, for each axis.
        mode: 'CONSTANT'.
        constant_values: the number.
        name: not used.

    Raises: ArgumentError for another mode.
    """
    if mode.upper() != "CONSTANT":
        raise ArgumentError(f"tf.pad: expected mode 'CONSTANT' without TensorFlow, received {mode!r}.")
    return K.pad(tensor, tuple(map(tuple, paddings)), value=constant_values)


def gather(params: Any, indices: Any, validate_indices: Any = None, axis: int | None = None, **options: Any) -> Any:
    """Parts of a tensor by number.

    Args:
        params: the tensor.
        indices: the numbers.
        validate_indices: not used.
        axis: along which axis; by default the first.
        options: `name`, which is not used.
    """
    return K.gather(params, indices, axis=axis or 0)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """One tensor's elements where a condition holds, and another's elsewhere.

    Args:
        condition: the condition.
        x: the one.
        y: the other.
        name: not used.

    Raises: ArgumentError without both: how many places there are is not known beforehand.
    """
    if x is None or y is None:
        raise ArgumentError("tf.where: expected x and y; the places where a condition holds need the real TensorFlow.")
    return K.where(condition, x, y)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Elements no smaller and no larger than these.

    Args:
        t: the tensor.
        clip_value_min: the smallest.
        clip_value_max: the largest.
        name: not used.
    """
    return K.minimum(K.maximum(t, clip_value_min), clip_value_max)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Numbers of classes as vectors with a single 1.

    Args:
        indices: the numbers.
        depth: how many classes.
        on_value: what stands instead of 1.
        off_value: what stands instead of 0.
        axis: only the last axis, -1 or None.
        dtype: the dtype, by default float32.
        name: not used.

    Raises: ArgumentError for another axis.
    """
    if axis not in (None, -1):
        raise ArgumentError(f"tf.one_hot: expected axis -1 without TensorFlow, received {axis}.")
    made = K.one_hot(K.cast(indices, "int32"), depth, dtype=_dtype_of(0.0, dtype))
    on, off = (1 if on_value is None else on_value), off_value or 0
    return made if (on, off) == (1, 0) else made * (on - off) + off


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """The elements in reverse order.

    Args:
        tensor: the tensor.
        axis: along which axes.
        name: not used.
    """
    return K.reverse(tensor, axis)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """The elements moved round.

    Args:
        input: the tensor.
        shift: by how many places.
        axis: along which axis.
        name: not used.
    """
    return K.roll(input, shift, axis)


# Reductions and products --------------------------------------------------------------------------------------


def _place_of(op: Callable[..., Any]) -> Callable[..., Any]:
    def place(
        input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None,
        dimension: int | None = None,
    ) -> Any:  # fmt: skip
        """The place of the largest or smallest element.

        Args:
            input: the tensor.
            axis: along which axis; by default the first.
            output_type: the dtype of the places.
            name: not used.
            dimension: former name of `axis`.
        """
        return cast(op(input, (axis if dimension is None else dimension) or 0), output_type)

    return place


argmax, argmin = _place_of(K.argmax), _place_of(K.argmin)


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Sums up to each element.

    Args:
        x: the tensor.
        axis: along which axis.
        exclusive: whether each element is left out of its own sum.
        reverse: whether they begin at the end.
        name: not used.
    """
    turned = K.reverse(x, axis) if reverse else x
    sums = K.cumsum(turned, axis) - turned if exclusive else K.cumsum(turned, axis)
    return K.reverse(sums, axis) if reverse else sums


def add_n(inputs: Sequence[Any], name: str | None = None) -> Any:
    """The sum of several tensors.

    Args:
        inputs: the tensors.
        name: not used.
    """
    total = inputs[0]
    for one in inputs[1:]:
        total = total + one
    return total


def squared_difference(x: Any, y: Any, name: str | None = None) -> Any:
    """The square of a difference.

    Args:
        x: a tensor.
        y: a tensor.
        name: not used.
    """
    return K.square(x - y)


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **options: Any) -> Any:
    """The product of matrices, or of stacks of them.

    Args:
        a: the left one.
        b: the right one.
        transpose_a: whether the last two axes of the left one change places.
        transpose_b: whether those of the right one do.
        options: `name` and hints, which are not used.
    """
    return K.matmul(_turned(a) if transpose_a else a, _turned(b) if transpose_b else b)


def _turned(x: Any) -> Any:
    axes = list(np.arange(K.ndim(x)))
    return K.permute_dimensions(x, [*axes[:-2], axes[-1], axes[-2]])


def einsum(equation: str, *inputs: Any, **options: Any) -> Any:
    """Sums of products, as the equation says.

    Args:
        equation: such as 'ij,jk->ik'.
        inputs: the tensors.
        options: `name` and hints, which are not used.
    """
    return K.einsum(equation, *inputs)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The norm of vectors or matrices.

    Args:
        tensor: the tensor.
        ord: 'euclidean' or a number.
        axis: along which axes.
        keepdims: whether the axes stay, with length 1.
        name: not used.
    """
    return K.norm(tensor, None if ord == "euclidean" else ord, axis, keepdims)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Any:
    """Vectors of length 1.

    Args:
        x: the tensor.
        axis: along which axes.
        epsilon: the smallest square of a length that is divided by.
        name: not used.
        dim: former name of `axis`.
    """
    squares = K.sum(K.square(x), axis=axis if dim is None else dim, keepdims=True)
    return x * K.rsqrt(K.maximum(squares, epsilon))


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> Any:
    """The largest elements along the last axis, and their places.

    Args:
        input: the tensor.
        k: how many.
        sorted: not used: they are.
        name: not used.
    """
    return K.top_k(input, k)


# Control and gradients ----------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None, **old: Any) -> Any:
    """What one of two functions returns.

    Args:
        pred: which: a truth value.
        true_fn: the function if it is true.
        false_fn: the function if it is false.
        name: not used.
        old: `fn1` and `fn2`, former names of the functions.
    """
    return K.cond(pred, old.get("fn1", true_fn), old.get("fn2", false_fn))


def map_fn(fn: Any, elems: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    """What a function returns for each part of a tensor along its first axis.

    Args:
        fn: the function.
        elems: the tensor.
        dtype: the dtype of what it returns.
        args: not used.
        options: not used.
    """
    return K.map_fn(fn, elems, dtype=None if dtype is None else str(dtype))


def gradients(ys: Any, xs: Any, *args: Any, **options: Any) -> list[Any]:
    """Derivatives of symbolic tensors.

    Args:
        ys: what is differentiated; of several the sum.
        xs: the tensors or variables.
        args: not used.
        options: not used.
    """
    total = add_n([K.sum(y) for y in ys]) if isinstance(ys, list | tuple) else ys
    return K.gradients(total, list(xs) if isinstance(xs, list | tuple) else [xs])
