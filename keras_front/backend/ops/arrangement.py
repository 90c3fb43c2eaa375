"""Ops that move elements: shapes, axes, joining, cutting, padding."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from keras_front.backend import dtypes, scopes, shapes, symbolic
from keras_front.backend.declare import Axis, Dims, Tensor, Tensors, composite, primitive
from keras_front.backend.op import Operation, register
from keras_front.backend.ops import sparse
from keras_front.backend.ops.elementwise import cast
from keras_front.errors import ArgumentError, ShapeError


class ShapeOf(Operation):
    """The op behind `symbolic_shape`: recorded only where dimensions are unknown, a host array once they are known."""

    name, kind = "symbolic_shape", "host"

    def __call__(self, x: Any) -> Any:
        if None not in x.shape:
            return np.asarray([int(d) for d in x.shape], "int32")
        origin = symbolic.OpCall(self, (x,), {})
        origin.outputs.append(symbolic.SymbolicTensor((len(x.shape),), "int32", origin))
        return origin.outputs[0]

    def again(self, args: Any, attrs: Any) -> list[Any]:
        return [self(args[0])]


symbolic_shape = register(ShapeOf())


class ShapeOnly(Operation):
    """The op of a tensor that has a shape and no value.

    While a model is built sizes may be unknown on which values depend; then only the shape of a result matters. No
    backend can compute it: a program in which it is still needed is one whose sizes must be given.
    """

    name, kind = "shape_only", "host"

    def __call__(self, x: Any, shape: Any, dtype: str, what: str) -> Any:
        origin = symbolic.OpCall(self, (x,), {"shape": tuple(shape), "dtype": dtype, "what": what})
        return origin.add_output(tuple(shape), dtype)

    def again(self, args: Any, attrs: Any) -> list[Any]:
        return [self(args[0], **attrs)]


shape_only = register(ShapeOnly())


@primitive(shapes.reshape, fresh=False, keeps_elements=True, light=True)
def reshape(x: Tensor, shape: Dims):
    """The elements of `x` in order, in another shape.

    Args:
        x: a tensor.
        shape: the new dimensions, with the same product; one of them may be -1 and follows from the others.

    Returns: a tensor of that shape, which may share memory with x.

    Raises:
        ShapeError: the numbers of elements differ.

    Example:
        >>> K.reshape(np.array([1.0, 2.0, 3.0, 4.0]), (2, -1)).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """


@primitive(shapes.permute, fresh=False, light=True)
def permute_dimensions(x: Tensor, pattern: Dims):
    """The axes of `x` in another order: axis i of the result is axis `pattern[i]` of x.

    Args:
        x: a tensor.
        pattern: the axes of x, each once.

    Returns: a tensor, which may share memory with x.

    Example:
        >>> K.permute_dimensions(np.array([[1.0, 2.0], [3.0, 4.0]]), (1, 0)).tolist()
        [[1.0, 3.0], [2.0, 4.0]]
    """


@primitive(shapes.broadcast_to, fresh=False, keeps_elements=True)
def broadcast_to(x: Tensor, shape: Dims):
    """`x` repeated to a larger shape by NumPy's rule.

    Args:
        x: a tensor.
        shape: the new dimensions; those of x are equal to the last ones, or 1.

    Returns: a tensor of that shape, which may share memory with x.

    Raises:
        ShapeError: x does not broadcast to it.

    Example:
        >>> K.broadcast_to(np.array([1, 2]), (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """


@primitive(shapes.concatenate, sparse=sparse.concatenate)
def concatenate(tensors: Tensors, axis: Axis = -1):
    """Tensors joined along `axis`.

    Args:
        tensors: a list of tensors, whose other dimensions are equal; they are promoted to one dtype.
        axis: the axis along which they are joined; the last one as in Keras 2.

    Returns: one tensor.

    Example:
        >>> K.concatenate([np.array([[1.0]]), np.array([[2.0]])]).tolist()
        [[1.0, 2.0]]
    """


@primitive(shapes.pad, fresh=False)
def pad(x: Tensor, padding, interior=None, value=0.0):
    """`x` with `value` around it and between its elements.

    Args:
        x: a tensor.
        padding: a pair (before, after) for each axis; how many values are added there.
        interior: for each axis how many values go between neighbours; None for none.
        value: what is added.

    Returns: a larger tensor of the dtype of x.

    Example:
        >>> K.pad(np.array([1.0]), ((1, 2),)).tolist()
        [0.0, 1.0, 0.0, 0.0]
    """


@primitive(shapes.strided_slice, fresh=False)
def strided_slice(x: Tensor, start: Dims, stop: Dims, step: Dims):
    """`x[start:stop:step]` on every axis.

    Args:
        x: a tensor.
        start: for each axis where to begin; None for its beginning, negative numbers count from the end.
        stop: for each axis where to end, exclusive; None for its end.
        step: for each axis the distance of the elements taken; positive.

    Returns: a tensor, which may share memory with x.

    Example:
        >>> K.strided_slice(np.arange(6), (1,), (6,), (2,)).tolist()
        [1, 3, 5]
    """


@primitive(shapes.flip, fresh=False)
def flip(x: Tensor, axes: Dims):
    """`x` read backwards along `axes`; `K.reverse` is the name that Keras 2 has.

    Args:
        x: a tensor.
        axes: the axes, not negative.

    Returns: a tensor of the shape of x.

    Example:
        >>> K.flip(np.array([[1, 2], [3, 4]]), 0).tolist()
        [[3, 4], [1, 2]]
    """


# Composites ----------------------------------------------------------------------------------------------------


def _size(x: Any, axis: int) -> Any:
    """One dimension of x: an int where it is known, otherwise a symbolic scalar."""
    size = x.shape[axis]
    return symbolic_shape(x)[axis] if size is None else int(size)


def _sizes(x: Any) -> list[Any]:
    """The dimensions of x: ints where known, otherwise symbolic scalars."""
    if None not in x.shape:
        return [int(d) for d in x.shape]
    vector = symbolic_shape(x)
    return [vector[i] if d is None else d for i, d in enumerate(x.shape)]


@composite
def transpose(x: Tensor):
    """`x` with its axes in reverse order.

    Args:
        x: a tensor.

    Returns: a tensor, which may share memory with x.

    Example:
        >>> K.transpose(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [[1.0, 3.0], [2.0, 4.0]]
    """
    return permute_dimensions(x, tuple(range(len(x.shape)))[::-1])


@composite(renamed=True)
def expand_dims(x: Tensor, axis: Axis = -1):
    """`x` with a new axis of size 1.

    Args:
        x: a tensor.
        axis: the place of the new axis; negative ones count from the end, -1 puts it last.

    Returns: a tensor of one dimension more, which may share memory with x.

    Example:
        >>> K.expand_dims(np.array([1.0, 2.0])).tolist()
        [[1.0], [2.0]]
    """
    place = shapes.normalize_axis(axis, len(x.shape) + 1)
    dims = _sizes(x)
    return reshape(x, (*dims[:place], 1, *dims[place:]))


@composite
def squeeze(x: Tensor, axis=None):
    """`x` without axes of size 1.

    Args:
        x: a tensor.
        axis: the axis or axes that go; None for all of size 1.

    Returns: a tensor of fewer dimensions, which may share memory with x.

    Raises:
        ShapeError: an axis has another size.

    Example:
        >>> K.squeeze(np.array([[1.0, 2.0]]), 0).tolist()
        [1.0, 2.0]
    """
    axes = (
        tuple(i for i, d in enumerate(x.shape) if d == 1) if axis is None else shapes.normalize_axes(axis, len(x.shape))
    )
    wrong = [a for a in axes if x.shape[a] not in (1, None)]
    if wrong:
        raise ShapeError(f"squeeze: axis {wrong[0]} of shape {tuple(x.shape)} has not size 1.")
    return reshape(x, tuple(d for i, d in enumerate(_sizes(x)) if i not in axes))


@composite
def flatten(x: Tensor):
    """All elements of `x` in one axis.

    Args:
        x: a tensor.

    Shape: any -> (n,).

    Example:
        >>> K.flatten(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    return reshape(x, (-1,))


@composite
def batch_flatten(x: Tensor):
    """`x` as a matrix: the first axis stays, all others become one.

    Args:
        x: a tensor of one or more dimensions.

    Shape: (batch, ...) -> (batch, n).

    Example:
        >>> K.batch_flatten(np.ones((2, 3, 4))).shape
        (2, 12)
    """
    rest = x.shape[1:]
    size = shapes.size(rest)
    if size is not None and (size == 0 or x.shape[0] is not None):
        return reshape(x, (_size(x, 0), size))
    return reshape(x, (-1, size) if size is not None else (_size(x, 0), -1))


@composite(fresh=True)
def stack(x: Tensors, axis: Axis = 0):
    """Tensors of one shape joined along a new axis.

    Args:
        x: a list of tensors of one shape.
        axis: the place of the new axis.

    Returns: a tensor of one dimension more.

    Raises:
        ArgumentError: the list is empty.

    Example:
        >>> K.stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])]).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    if not x:
        raise ArgumentError("stack: expected at least one tensor, received none.")
    return concatenate([expand_dims(t, axis=axis) for t in x], axis=axis)


@composite
def repeat(x: Tensor, n):
    """The rows of a matrix, each `n` times along a new axis in the middle.

    Args:
        x: a matrix.
        n: how often.

    Shape: (batch, d) -> (batch, n, d).

    Raises:
        ShapeError: x has not two dimensions.

    Example:
        >>> K.repeat(np.array([[1.0, 2.0]]), 2).tolist()
        [[[1.0, 2.0], [1.0, 2.0]]]
    """
    if len(x.shape) != 2:
        raise ShapeError(f"repeat: expected a tensor of 2 dimensions, received shape {tuple(x.shape)}.")
    if isinstance(n, int) and n < 0:
        raise ArgumentError(f"repeat: expected n to be an integer of at least 0, received {n}.")
    batch, width = _sizes(x)
    return broadcast_to(expand_dims(x, axis=1), (batch, n, width))


@composite
def repeat_elements(x: Tensor, rep, axis):
    """Each slice along `axis` repeated `rep` times, one beside the other.

    Args:
        x: a tensor.
        rep: how often.
        axis: the axis that grows.

    Returns: a tensor whose size along `axis` is `rep` times that of x.

    Example:
        >>> K.repeat_elements(np.array([1.0, 2.0]), 2, 0).tolist()
        [1.0, 1.0, 2.0, 2.0]
    """
    place = shapes.normalize_axis(axis, len(x.shape))
    dims = _sizes(x)
    wide = broadcast_to(expand_dims(x, axis=place + 1), (*dims[: place + 1], rep, *dims[place + 1 :]))
    joined = dims[place] * rep if isinstance(dims[place], int) else -1
    return reshape(wide, (*dims[:place], joined, *dims[place + 1 :]))


@composite
def tile(x: Tensor, n: Dims):
    """`x` laid out several times along each axis.

    Args:
        x: a tensor.
        n: how often along each axis, a number or several; fewer numbers than axes count for the last ones.

    Returns: a larger tensor.

    Example:
        >>> K.tile(np.array([1.0, 2.0]), 2).tolist()
        [1.0, 2.0, 1.0, 2.0]
    """
    ndim = builtins.max(len(x.shape), len(n))
    counts = (1,) * (ndim - len(n)) + tuple(n)
    dims = [1] * (ndim - len(x.shape)) + _sizes(x)
    pairs = [p for d in dims for p in (1, d)]
    wide = [p for d, count in zip(dims, counts, strict=True) for p in (count, d)]
    total = [d * c if isinstance(d, int) and isinstance(c, int) else -1 for d, c in zip(dims, counts, strict=True)]
    if total.count(-1) > 1:
        total = [t if t != -1 else d * c for t, d, c in zip(total, dims, counts, strict=True)]
    return reshape(broadcast_to(reshape(x, tuple(pairs)), tuple(wide)), tuple(total))


@composite
def reverse(x: Tensor, axes: Dims):
    """`x` read backwards along `axes`.

    Args:
        x: a tensor.
        axes: an axis or several; negative ones count from the end.

    Returns: a tensor of the shape of x.

    Example:
        >>> K.reverse(np.array([1.0, 2.0, 3.0]), 0).tolist()
        [3.0, 2.0, 1.0]
    """
    return flip(x, tuple(shapes.normalize_axis(a, len(x.shape)) for a in axes))


@composite
def slice(x: Tensor, start: Dims, size: Dims):
    """The block of `x` that begins at `start` and has dimensions `size`.

    Args:
        x: a tensor.
        start: where it begins along each axis.
        size: how long it is along each axis; -1: to the end.

    Returns: a tensor of shape `size`.

    Example:
        >>> K.slice(np.array([1.0, 2.0, 3.0]), (1,), (2,)).tolist()
        [2.0, 3.0]
    """
    if not len(start) == len(size) == len(x.shape):
        raise ShapeError(f"slice: expected {len(x.shape)} starts and sizes, received start={start}, size={size}.")
    stop = tuple(None if n == -1 else a + n for a, n in zip(start, size, strict=True))
    return strided_slice(x, tuple(start), stop, (1,) * len(start))


@composite
def temporal_padding(x: Tensor, padding=(1, 1)):
    """Zeros before and after the steps of sequences.

    Args:
        x: sequences.
        padding: how many steps before and after.

    Shape: (batch, steps, features) -> (batch, steps + sum(padding), features).

    Raises:
        ArgumentError: `padding` has not two numbers.

    Example:
        >>> tuple(K.temporal_padding(np.ones((1, 4, 3)), (2, 0)).shape)
        (1, 6, 3)
    """
    if len(x.shape) != 3:
        raise ShapeError(f"temporal_padding: expected a tensor of 3 dimensions, received shape {tuple(x.shape)}.")
    if isinstance(padding, str) or len(padding) != 2:
        raise ArgumentError(f"temporal_padding: expected the amounts before and after, received {padding!r}.")
    return pad(x, ((0, 0), tuple(padding), (0, 0)))


def _spatial_padding(x: Any, padding: Any, data_format: Any) -> Any:
    from keras_front import config

    pairs = tuple(tuple(p) for p in padding)
    if not builtins.all(isinstance(n, int | np.integer) and n >= 0 for p in pairs for n in p):
        raise ArgumentError(f"Expected integers of at least 0 as padding, received {padding!r}.")
    if len(x.shape) != len(pairs) + 2:
        raise ShapeError(
            f"Expected a tensor of {len(pairs) + 2} dimensions for this padding, received {tuple(x.shape)}."
        )
    if config.normalize_data_format(data_format) == "channels_first":
        return pad(x, ((0, 0), (0, 0), *pairs))
    return pad(x, ((0, 0), *pairs, (0, 0)))


@composite(renamed=True)
def spatial_2d_padding(x: Tensor, padding=((1, 1), (1, 1)), data_format=None):
    """Zeros around images.

    Args:
        x: images.
        padding: pairs (before, after) for rows and columns.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Returns: images of larger spatial dimensions.

    Example:
        >>> tuple(K.spatial_2d_padding(np.ones((1, 4, 4, 3))).shape)
        (1, 6, 6, 3)
    """
    return _spatial_padding(x, padding, data_format)


@composite(renamed=True)
def spatial_3d_padding(x: Tensor, padding=((1, 1), (1, 1), (1, 1)), data_format=None):
    """Zeros around volumes.

    Args:
        x: volumes.
        padding: pairs (before, after) for the three spatial axes.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Returns: volumes of larger spatial dimensions.

    Example:
        >>> tuple(K.spatial_3d_padding(np.ones((1, 4, 4, 4, 3))).shape)
        (1, 6, 6, 6, 3)
    """
    return _spatial_padding(x, padding, data_format)


@composite(promote=())
def zeros_like(x: Tensor, dtype=None, name=None):
    """Zeros of the shape of `x`.

    Args:
        x: a tensor or variable.
        dtype: that of the result; None: as x.
        name: ignored; Keras 2 named the node.

    Returns: a tensor.

    Example:
        >>> K.zeros_like(np.array([1.0, 2.0])).tolist()
        [0.0, 0.0]
    """
    return _filled_like(x, 0, dtype)


@composite(promote=())
def ones_like(x: Tensor, dtype=None, name=None):
    """Ones of the shape of `x`.

    Args:
        x: a tensor or variable.
        dtype: that of the result; None: as x.
        name: ignored; Keras 2 named the node.

    Returns: a tensor.

    Example:
        >>> K.ones_like(np.array([1.0, 2.0])).tolist()
        [1.0, 1.0]
    """
    return _filled_like(x, 1, dtype)


def _filled_like(x: Any, value: int, dtype: Any) -> Any:
    return filled(value, tuple(_sizes(x)), dtypes.canonical(x.dtype if dtype is None else dtype))


def filled(value: float, shape: tuple[Any, ...], dtype: str) -> Any:
    """A tensor of one value everywhere; recorded while tracing or where a dimension is symbolic, real otherwise."""
    scalar = np.asarray(value, "float32" if dtype == "bfloat16" else dtype)
    if scopes.tracing() or builtins.any(isinstance(d, symbolic.SymbolicTensor) for d in shape):
        return broadcast_to(symbolic.constant(scalar, dtype), shape)
    return broadcast_to(cast(scalar, dtype), shape)
