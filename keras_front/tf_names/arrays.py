"""What TensorFlow does to the arrangement of elements: shapes, parts, padding, places, and tensors made of shapes.

The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.host_values import when_known
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.errors import ArgumentError, UntraceableError

from .dtypes import dtype_name

__all__ = ["FUNCTIONS"]


# Tensors made of shapes ------------------------------------------------------------------------------


def concat(values: Any, axis: Any) -> Any:
    """Tensors as one, along an axis; TensorFlow before 1.0 named the axis first."""
    return K.concatenate(axis, values) if isinstance(axis, list | tuple) else K.concatenate(values, axis)


def _filled(value: Any, shape: Any) -> Any:
    return K.broadcast_to(value, tuple(shape) if isinstance(shape, Sequence) else shape)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros."""
    return _filled(K.constant(0, dtype_name(dtype, "float32")), shape)


def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones."""
    return _filled(K.constant(1, dtype_name(dtype, "float32")), shape)


def zeros_like(input: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of a tensor."""
    return K.cast(K.zeros_like(input), dtype_name(dtype, K.dtype(as_symbol_or_tensor(input))))


def ones_like(input: Any, dtype: Any = None) -> Any:
    """Ones in the shape of a tensor."""
    return K.cast(K.ones_like(input), dtype_name(dtype, K.dtype(as_symbol_or_tensor(input))))


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:
    """Numbers at the same distance; of a symbolic end there are as many as its shape says."""
    found = K.arange(start, limit, delta)
    return found if dtype is None else K.cast(found, dtype_name(dtype, "int32"))


def linspace(start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    """Numbers at the same distance, the end among them."""
    steps = K.constant(np.linspace(0.0, 1.0, num), "float32")
    return start + (stop - start) * steps


def eye(num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None) -> Any:
    """The identity matrix."""
    rows, columns = (range_(n) for n in (num_rows, num_rows if num_columns is None else num_columns))
    one = K.equal(K.expand_dims(rows, 1), K.expand_dims(columns, 0))
    one = K.cast(one, dtype_name(dtype, "float32"))
    return one if not batch_shape else _filled(one, [*batch_shape, num_rows, num_columns or num_rows])


# Shapes ----------------------------------------------------------------------------------------------


def cast(x: Any, dtype: Any) -> Any:
    """A tensor with another dtype."""
    return K.cast(x, dtype_name(dtype, "float32"))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, **older: Any) -> Any:
    """A tensor with a value, or the tensor that it is."""
    made = K.identity(as_symbol_or_tensor(value))
    return made if dtype is None else cast(made, dtype)


def shape_of(input: Any, out_type: Any = None, optimize: bool = True) -> Any:
    """The shape as a tensor."""
    return K.cast(K.shape(input), dtype_name(out_type, "int32"))


def size(input: Any, out_type: Any = None, optimize: bool = True) -> Any:
    """The number of elements."""
    return K.cast(K.prod(K.shape(input)), dtype_name(out_type, "int32"))


def rank(input: Any) -> Any:
    """The number of axes."""
    return K.constant(K.ndim(input), "int32")


def transpose(a: Any, perm: Any = None, conjugate: bool = False) -> Any:
    """The axes in another order; by default the reverse one."""
    return K.transpose(a) if perm is None else K.permute_dimensions(a, perm)


def squeeze(input: Any, axis: Any = None) -> Any:
    """Without axes of length 1: these, or all."""
    shape = K.int_shape(input)
    axes = [i for i, n in enumerate(shape) if n == 1] if axis is None else np.atleast_1d(axis).tolist()
    for one in sorted((axis % len(shape) for axis in axes), reverse=True):
        input = K.squeeze(input, one)
    return input


def ensure_shape(x: Any, shape: Any) -> Any:
    """The tensor; its shape is known by now."""
    return K.identity(x)


# Parts -----------------------------------------------------------------------------------------------


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> list[Any]:
    """A tensor in parts: how many of one size, or their sizes."""
    parts = num_or_size_splits
    return list(K.split(value, parts if isinstance(parts, int) else np.cumsum(parts)[:-1].tolist(), axis))


def unstack(value: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts of a tensor along an axis, without it."""
    return ops.unstack(value, num, axis)


def gather(params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0) -> Any:
    """Parts of a tensor by number, for each of the first `batch_dims` axes its own."""
    axis = axis if axis is not None else batch_dims
    if not batch_dims:
        return K.gather(params, indices, axis=axis)
    params, indices = as_symbol_or_tensor(params), as_symbol_or_tensor(indices)
    if axis != batch_dims or K.ndim(indices) != batch_dims + 1:
        raise ArgumentError(
            f"tf.gather: expected indices with one axis behind the {batch_dims} of batches, and axis={batch_dims}; "
            f"received indices of {K.ndim(indices)} axes and axis={axis}."
        )
    behind = K.ndim(params) - batch_dims - 1
    for _ in range(behind):
        indices = K.expand_dims(indices, -1)
    if behind:
        tail = K.int_shape(params)[-behind:]
        indices = K.tile(indices, [1] * (batch_dims + 1) + list(tail))
    return K.take_along_axis(params, indices, axis=axis)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, **older: Any) -> Any:
    """Elements or parts by the numbers along the last axis of `indices`."""
    indices = as_symbol_or_tensor(indices)
    depth = K.int_shape(indices)[-1]
    if depth is None:
        raise UntraceableError(
            "tf.gather_nd: the number of axes of its result depends on the last size of the indices, which is not "
            f"known yet: they have the shape {K.int_shape(indices)}."
        )
    sizes, ndim, lead = _sizes_of(params), K.ndim(indices), batch_dims
    places = K.zeros_like(K.getitem(indices, (..., 0))) if depth else K.zeros((1,), K.dtype(indices))
    for axis in range(lead):
        shape = [1] * (ndim - 1)
        shape[axis] = -1
        places = places * sizes[axis] + K.reshape(range_(sizes[axis], dtype=K.dtype(indices)), shape)
    for place in range(depth):
        places = places * sizes[lead + place] + K.getitem(indices, (..., place))
    return K.gather(K.reshape(params, (-1, *sizes[lead + depth :])), places)


def _sizes_of(x: Any) -> list[Any]:
    """The sizes of a tensor: integers, and symbols where they are not known yet."""
    shape = K.shape(x)
    return [shape[i] if size is None else size for i, size in enumerate(K.int_shape(x))]


def slice_(input_: Any, begin: Any, size: Any) -> Any:
    """A part by its beginning and size; -1 is all that is left."""
    key = tuple(slice(b, None if isinstance(n, int) and n == -1 else b + n) for b, n in zip(begin, size, strict=True))
    return K.getitem(input_, key)


def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None,
) -> Any:  # fmt: skip
    """A part by beginnings, ends and strides, as `x[b:e:s]`; the bits of the masks say where there is none of them."""
    key: list[Any] = []
    for place, first in enumerate(begin):
        bit = 1 << place
        if ellipsis_mask & bit or new_axis_mask & bit or shrink_axis_mask & bit:
            key.append(... if ellipsis_mask & bit else None if new_axis_mask & bit else first)
        else:
            last, step = end[place], strides[place] if strides else 1
            key.append(slice(None if begin_mask & bit else first, None if end_mask & bit else last, step))
    return K.getitem(input_, tuple(key))


def boolean_mask(tensor: Any, mask: Any, axis: int | None = None) -> Any:
    """The parts where a mask holds, one behind the other.

    Raises: UntraceableError in a step for many batches, for the size depends on values.
    """
    mask, axis, sizes = as_symbol_or_tensor(mask), axis or 0, _sizes_of(tensor)
    kept = when_known("tf.boolean_mask", np.flatnonzero, [mask], (None,), "int32")
    flat = tensor if K.ndim(mask) == 1 else K.reshape(tensor, (*sizes[:axis], -1, *sizes[axis + K.ndim(mask) :]))
    return K.gather(flat, kept, axis=axis)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = None) -> Any:
    """For each length as many True, and False up to `maxlen`."""
    if maxlen is None:
        raise ArgumentError("tf.sequence_mask: expected maxlen: the size would depend on the values of the lengths.")
    mask = K.less(range_(maxlen), K.cast(K.expand_dims(lengths, -1), "int32"))
    return mask if dtype is None else K.cast(mask, dtype_name(dtype, "bool"))


def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, **older: Any
) -> Any:
    """Each sequence reversed up to its length."""
    axis, batch = seq_axis or older.get("seq_dim", 0), batch_axis or older.get("batch_dim", 0)
    steps, shape = K.int_shape(input)[axis], [1] * K.ndim(input)
    shape[axis], along = steps, [1] * K.ndim(input)
    along[batch] = -1
    place = K.reshape(K.arange(steps), tuple(shape))
    lengths = K.reshape(K.cast(seq_lengths, "int32"), tuple(along))
    places = K.where(K.less(place, lengths), lengths - 1 - place, place)
    return K.take_along_axis(input, K.broadcast_to(places, K.shape(input)), axis=axis)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None
) -> Any:
    """Numbers of classes as vectors with a single 1, along the last axis or another."""
    made = K.one_hot(K.cast(indices, "int32"), depth, dtype=dtype_name(dtype, "float32"))
    on, off = (1 if on_value is None else on_value), off_value or 0
    made = made if (on, off) == (1, 0) else made * (on - off) + off
    return made if axis in (None, -1) else ops.moveaxis(made, -1, axis)


# Order and padding -----------------------------------------------------------------------------------


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    """The elements in their order."""
    return K.sort(values, axis=axis) if direction == "ASCENDING" else K.negative(K.sort(K.negative(values), axis=axis))


def argsort(values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Any:
    """The places of the elements in their order."""
    return K.cast(K.argsort(values if direction == "ASCENDING" else K.negative(values), axis=axis), "int32")


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Any:
    """A tensor with numbers around it: a constant, or itself mirrored at the last element or behind it."""
    paddings = [[int(n) for n in pair] for pair in paddings] if isinstance(paddings, list | tuple) else paddings
    return ops.pad(tensor, paddings, mode.lower(), constant_values)


def repeat(input: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element as often as it says."""
    input = input if axis is not None else K.flatten(input)
    if isinstance(repeats, Sequence | np.ndarray):
        places = np.repeat(np.arange(len(repeats)), repeats)
        return K.gather(input, places, axis=axis or 0)
    return ops.repeat(input, repeats, axis=axis or 0)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """Elements no smaller and no larger than these."""
    return K.minimum(K.maximum(t, clip_value_min), clip_value_max)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
    """A tensor, made shorter where its norm is larger than this."""
    norm = K.square_root(K.sum(K.square(t), axis=axes, keepdims=True))
    return t * clip_norm / K.maximum(norm, clip_norm)


def clip_by_global_norm(t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None) -> tuple[list[Any], Any]:
    """Tensors, made shorter together where the norm of all is larger than this; and that norm."""
    norm = global_norm(t_list) if use_norm is None else use_norm
    return [t * clip_norm / K.maximum(norm, clip_norm) for t in t_list], norm


def global_norm(t_list: Sequence[Any]) -> Any:
    """The norm of several tensors together."""
    squares = [K.sum(K.square(t)) for t in t_list]
    return K.square_root(sum(squares[1:], squares[0]))


def meshgrid(*args: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates on a grid."""
    tensors = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
    return list(ops.meshgrid(*tensors, indexing=indexing))


# Writing into tensors --------------------------------------------------------------------------------


def _array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, Sequence) else value


def scatter_nd(indices: Any, updates: Any, shape: Any, **older: Any) -> Any:
    """A tensor of zeros with these numbers added at these places."""
    return ops.scatter(_array(indices), updates, tuple(shape))


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, **older: Any) -> Any:
    """A tensor with other numbers at these places."""
    return ops.scatter_update(tensor, _array(indices), updates)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, **older: Any) -> Any:
    """A tensor with numbers added at these places."""
    tensor = as_symbol_or_tensor(tensor)
    return tensor + scatter_nd(indices, updates, K.int_shape(tensor))


def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any) -> Any:
    """Blocks of pixels laid out along the batch axis, for convolutions with dilation."""
    x = K.pad(input, ((0, 0), *map(tuple, paddings), (0, 0)))
    (b, c), (_, rows, columns, channels) = block_shape, K.int_shape(x)
    x = K.reshape(x, (-1, rows // b, b, columns // c, c, channels))
    return K.reshape(K.permute_dimensions(x, (2, 4, 0, 1, 3, 5)), (-1, rows // b, columns // c, channels))


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any) -> Any:
    """What `space_to_batch_nd` did, undone."""
    (b, c), (_, rows, columns, channels) = block_shape, K.int_shape(input)
    x = K.permute_dimensions(K.reshape(input, (b, c, -1, rows, columns, channels)), (2, 3, 0, 4, 1, 5))
    x = K.reshape(x, (-1, rows * b, columns * c, channels))
    (top, bottom), (left, right) = crops
    return K.getitem(x, (slice(None), slice(top, rows * b - bottom), slice(left, columns * c - right)))


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """The elements of one tensor where a condition holds, and another's elsewhere; of a condition alone its places.

    Raises: UntraceableError for a condition alone in a step for many batches: how many places there are depends on it.
    """
    if x is not None and y is not None:
        return K.where(condition, x, y)
    condition = as_symbol_or_tensor(condition)
    return when_known("tf.where of a condition alone", np.argwhere, [condition], (None, K.ndim(condition)), "int64")


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = None) -> Any:
    """Where values belong in a sequence that is in order, row by row."""
    compare = K.less if side == "left" else K.less_equal
    below = compare(K.expand_dims(sorted_sequence, -2), K.expand_dims(values, -1))
    return K.sum(K.cast(below, dtype_name(out_type, "int32")), axis=-1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__.rstrip("_"): f for f in (
        argsort, batch_to_space_nd, boolean_mask, cast, clip_by_global_norm, clip_by_norm, clip_by_value,
        convert_to_tensor, ensure_shape, eye, gather, gather_nd, global_norm, linspace, meshgrid, one_hot, ones,
        ones_like, pad, range_, rank, repeat, reverse_sequence, scatter_nd, searchsorted, sequence_mask, size, slice_,
        sort, space_to_batch_nd, split, squeeze, strided_slice, tensor_scatter_nd_add, tensor_scatter_nd_update,
        transpose, unstack, where, zeros, zeros_like,
    )},
    "broadcast_to": lambda input, shape: _filled(input, shape),
    "check_numerics": lambda tensor, message="": K.identity(tensor),
    "concat": concat,
    "expand_dims": lambda input, axis=0: K.expand_dims(input, axis),
    "fill": lambda dims, value: _filled(value, dims),
    "reshape": lambda tensor, shape: K.reshape(tensor, shape),
    "reverse": lambda tensor, axis: K.reverse(tensor, axis),
    "roll": lambda input, shift, axis: K.roll(input, shift, axis),
    "saturate_cast": lambda value, dtype: ops.saturate_cast(value, dtype_name(dtype, "float32")),
    "shape": shape_of,
    "shape_n": lambda input, out_type=None: [shape_of(x, out_type) for x in input],
    "stack": lambda values, axis=0: K.stack(values, axis),
    "tile": lambda input, multiples: K.tile(input, multiples),
    "to_float": lambda x: K.cast(x, "float32"),
    "to_int32": lambda x: K.cast(x, "int32"),
    "where_v2": where,
}  # fmt: skip
