"""Arrays made, cut, joined and laid out: `linspace`, `meshgrid`, `diag`, windows ..., under NumPy's names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import dtypes, shapes
from keras_front.backend.host_values import on_host
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError, ShapeError

Dims = int | Sequence[int]


def _dtype(x: Any) -> str:
    return x.dtype if isinstance(x.dtype, str) else dtypes.canonical(x.dtype)


def _whole(x: Any, axis: int, what: str) -> int:
    """A size that has to be known."""
    size = x.shape[axis]
    if size is None:
        raise ShapeError(f"{what}: axis {axis} of shape {tuple(x.shape)} must have a known size.")
    return int(size)


# New arrays ----------------------------------------------------------------------------------------------------


@full_precision
def array(x: Any, dtype: Any = None) -> Any:
    """A tensor of the same values.

    Args:
        x: tensor, array, number, or nested list of them.
        dtype: its type; None: floats of Python get `floatx`, others keep theirs.

    Example:
        >>> from keras_front import ops
        >>> ops.array([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """
    if isinstance(x, list | tuple) and any(hasattr(i, "shape") for i in x):
        x = numpy_names.stack(x)
    x = as_symbol_or_tensor(x)
    return x if dtype is None else K.cast(x, dtypes.canonical(dtype))


@full_precision
def copy(x: Any) -> Any:
    """A tensor of the same values in memory of its own.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.copy(np.array([1, 2])).tolist()
        [1, 2]
    """
    x = as_symbol_or_tensor(x)
    return K.identity(x) if K.is_symbolic(x) else K.discovery.active().copy(x)


@full_precision
def full(shape: Dims, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one value.

    Args:
        shape: its sizes.
        fill_value: the value, a number or a tensor that is broadcast.
        dtype: its type, by default that of the value.

    Example:
        >>> from keras_front import ops
        >>> ops.full((2,), 7.0).tolist()
        [7.0, 7.0]
    """
    value = array(fill_value, dtype)
    return K.broadcast_to(value, (shape,) if isinstance(shape, int) else tuple(shape))


@full_precision
def empty(shape: Dims, dtype: Any = None) -> Any:
    """A tensor whose values mean nothing; they are zeros.

    Args:
        shape: its sizes.
        dtype: its type, by default `floatx`.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.empty((2, 3)).shape)
        (2, 3)
    """
    return full(shape, 0, dtypes.canonical(dtype))


@full_precision
def empty_like(x: Any, dtype: Any = None) -> Any:
    """A tensor of the shape of another, whose values mean nothing; they are zeros.

    Args:
        x: tensor, array or number.
        dtype: its type, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.empty_like(np.ones((2, 3))).shape)
        (2, 3)
    """
    return K.zeros_like(as_symbol_or_tensor(x), dtype=dtype)


@full_precision
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on a diagonal, zeros elsewhere.

    Args:
        N: rows.
        M: columns, by default as many.
        k: which diagonal: 0 is the main one, 1 the one above.
        dtype: its type, by default `floatx`.

    Example:
        >>> from keras_front import ops
        >>> ops.eye(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return array(np.eye(N, M, k), dtypes.canonical(dtype))


@full_precision
def identity(n: int, dtype: Any = None) -> Any:
    """A square matrix with ones on the main diagonal, zeros elsewhere.

    Args:
        n: rows and columns.
        dtype: its type, by default `floatx`.

    Example:
        >>> from keras_front import ops
        >>> ops.identity(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


@full_precision
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones up to a diagonal, zeros above.

    Args:
        N: rows.
        M: columns, by default as many.
        k: which diagonal: 0 is the main one, 1 the one above.
        dtype: its type, by default `floatx`.

    Example:
        >>> from keras_front import ops
        >>> ops.tri(2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    return array(np.tri(N, M, k), dtypes.canonical(dtype))


@full_precision
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers at equal distances.

    Args:
        start: the first.
        stop: the last, or with `endpoint=False` the one after it.
        num: how many.
        endpoint: whether `stop` is among them.
        retstep: whether to return the distance as well.
        dtype: their type, by default `floatx`.
        axis: where the numbers stand in the result, if `start` and `stop` are tensors.

    Returns: a tensor, or a pair of it and the distance.

    Example:
        >>> from keras_front import ops
        >>> ops.linspace(0.0, 1.0, 5).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    name = dtypes.canonical(dtype)
    wide = name if dtypes.is_float(name) else "float64"
    start, stop = array(start, wide), array(stop, wide)
    steps = num - 1 if endpoint else num
    step = (stop - start) / max(steps, 1)
    places = array(np.arange(num, dtype="float64").reshape(num, *(1,) * len(step.shape)), wide)
    result = start + places * step
    if endpoint and num > 1:  # the last exactly
        result = K.where(array(places == num - 1), stop, result)
    if axis:
        result = numpy_names.moveaxis(result, 0, axis)
    result = K.cast(result, name)
    return (result, step) if retstep else result


@full_precision
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """Powers of a base at equal ratios, from `base**start` to `base**stop`.

    Args:
        start: the exponent of the first.
        stop: the exponent of the last, or with `endpoint=False` of the one after it.
        num: how many.
        endpoint: whether `base**stop` is among them.
        base: what is raised to the powers.
        dtype: their type, by default `floatx`.
        axis: where the numbers stand in the result, if `start` and `stop` are tensors.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.logspace(0.0, 2.0, 3)).round(3))
        [  1.  10. 100.]
    """
    exponents = linspace(start, stop, num, endpoint, dtype="float64", axis=axis)
    return K.cast(K.power(float(base), exponents), dtypes.canonical(dtype))


@full_precision
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers at equal ratios.

    Args:
        start: the first, not 0.
        stop: the last, of the same sign; or with `endpoint=False` the one after it.
        num: how many.
        endpoint: whether `stop` is among them.
        dtype: their type, by default `floatx`.
        axis: where the numbers stand in the result, if `start` and `stop` are tensors.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.geomspace(1.0, 100.0, 3)).round(3))
        [  1.  10. 100.]
    """
    start, stop = array(start, "float64"), array(stop, "float64")
    exponents = linspace(K.log(K.abs(start)), K.log(K.abs(stop)), num, endpoint, dtype="float64", axis=axis)
    return K.cast(K.sign(start) * K.exp(exponents), dtypes.canonical(dtype))


@full_precision
def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid: a tensor for each of the vectors, all of the shape of the grid.

    Args:
        x: vectors of coordinates.
        indexing: 'xy', in which the first vector runs along the second axis, or 'ij'.

    Example:
        >>> from keras_front import ops
        >>> [grid.tolist() for grid in ops.meshgrid(np.array([1, 2]), np.array([3]))]
        [[[1, 2]], [[3, 3]]]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: expected indexing 'xy' or 'ij', received {indexing!r}.")
    vectors = [K.flatten(as_symbol_or_tensor(v)) for v in x]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    shape = tuple(K.shape(v)[0] if v.shape[0] is None else int(v.shape[0]) for v in (vectors[i] for i in order))
    return [
        K.broadcast_to(K.reshape(v, tuple(-1 if axis == i else 1 for axis in order)), shape)
        for i, v in enumerate(vectors)
    ]


@full_precision
def bartlett(x: int) -> Any:
    """A triangular window.

    Args:
        x: how many points.

    Example:
        >>> from keras_front import ops
        >>> ops.bartlett(5).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return array(np.bartlett(x), dtypes.canonical(None))


@full_precision
def blackman(x: int) -> Any:
    """The window of Blackman.

    Args:
        x: how many points.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.blackman(3)).round(3))
        [-0.  1. -0.]
    """
    return array(np.blackman(x), dtypes.canonical(None))


@full_precision
def hamming(x: int) -> Any:
    """The window of Hamming.

    Args:
        x: how many points.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.hamming(3)).round(3))
        [0.08 1.   0.08]
    """
    return array(np.hamming(x), dtypes.canonical(None))


@full_precision
def hanning(x: int) -> Any:
    """The window of von Hann.

    Args:
        x: how many points.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.hanning(5)).round(3))
        [0.  0.5 1.  0.5 0. ]
    """
    return array(np.hanning(x), dtypes.canonical(None))


@full_precision
def kaiser(x: int, beta: float) -> Any:
    """The window of Kaiser.

    Args:
        x: how many points.
        beta: how narrow it is.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.kaiser(3, 5.0)).round(3))
        [0.037 1.    0.037]
    """
    return array(np.kaiser(x, beta), dtypes.canonical(None))


# Diagonals and triangles ---------------------------------------------------------------------------------------


@full_precision
def diag(x: Any, k: int = 0) -> Any:
    """A matrix with a vector on a diagonal, or a diagonal of a matrix.

    Args:
        x: vector, or matrix.
        k: which diagonal: 0 is the main one, 1 the one above.

    Example:
        >>> from keras_front import ops
        >>> ops.diag(np.array([1, 2])).tolist()
        [[1, 0], [0, 2]]
    """
    x = as_symbol_or_tensor(x)
    if len(x.shape) == 2:
        return diagonal(x, k)
    n = _whole(x, 0, "diag") + abs(k)
    rows, columns = np.arange(n)[:, None], np.arange(n)[None]
    places = np.clip(np.arange(n) - max(-k, 0), 0, max(n - abs(k) - 1, 0))
    values = K.expand_dims(K.gather(x, places), -1)
    return K.where(rows + k == columns, values, K.cast(0, _dtype(x)))


@full_precision
def diagflat(x: Any, k: int = 0) -> Any:
    """A matrix with all elements on a diagonal.

    Args:
        x: tensor, array or number.
        k: which diagonal: 0 is the main one, 1 the one above.

    Example:
        >>> from keras_front import ops
        >>> ops.diagflat(np.array([[1, 2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(K.reshape(as_symbol_or_tensor(x), (-1,)), k)


@full_precision
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A diagonal of matrices.

    Args:
        x: tensor.
        offset: which diagonal: 0 is the main one, 1 the one above.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Shape: the two axes are gone, and the diagonal is the last.

    Example:
        >>> from keras_front import ops
        >>> ops.diagonal(np.array([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    x = as_symbol_or_tensor(x)
    moved = numpy_names.moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = _whole(moved, -2, "diagonal"), _whole(moved, -1, "diagonal")
    count = max(min(rows - max(-offset, 0), columns - max(offset, 0)), 0)
    places = (np.arange(count) + max(-offset, 0)) * columns + np.arange(count) + max(offset, 0)
    flat = K.reshape(moved, (*K.getitem(K.shape(moved), slice(None, -2)), rows * columns)) if None in moved.shape else (
        K.reshape(moved, (*moved.shape[:-2], rows * columns))
    )  # fmt: skip
    return K.gather(flat, places, axis=-1)


@full_precision
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal of matrices.

    Args:
        x: tensor.
        offset: which diagonal: 0 is the main one, 1 the one above.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Example:
        >>> from keras_front import ops
        >>> int(ops.trace(np.array([[1, 2], [3, 4]])))
        5
    """
    return K.sum(diagonal(x, offset, axis1, axis2), axis=-1)


@full_precision
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of the elements of a vector, a row for each.

    Args:
        x: vector.
        N: how many powers, by default as many as there are elements.
        increasing: whether the powers increase from left to right.

    Example:
        >>> from keras_front import ops
        >>> ops.vander(np.array([1, 2, 3]), 3).tolist()
        [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
    """
    x = as_symbol_or_tensor(x)
    powers = np.arange(_whole(x, 0, "vander") if N is None else N)
    return K.power(K.expand_dims(x, -1), array(powers if increasing else powers[::-1].copy(), _dtype(x)))


# Cut and joined ------------------------------------------------------------------------------------------------


@full_precision
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """One tensor after the other.

    Args:
        x1: the first.
        x2: the second.
        axis: along which axis; None: their elements, as one axis.

    Example:
        >>> from keras_front import ops
        >>> ops.append(np.array([1, 2]), np.array([3])).tolist()
        [1, 2, 3]
    """
    return numpy_names.concatenate([x1, x2], axis=axis)


@full_precision
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """A tensor cut into parts, whose sizes differ by at most one.

    Args:
        x: tensor.
        indices_or_sections: how many parts, or the places at which to cut.
        axis: along which axis.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.array_split(np.arange(5), 2)]
        [[0, 1, 2], [3, 4]]
    """
    x = as_symbol_or_tensor(x)
    if not isinstance(indices_or_sections, int):
        return K.split(x, indices_or_sections, axis=axis)
    size, parts = _whole(x, axis, "array_split"), indices_or_sections
    places = itertools.accumulate(size // parts + (i < size % parts) for i in range(parts - 1))
    return K.split(x, list(places), axis=axis)


@full_precision
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """A tensor cut along the second axis, or the first of one that has no second.

    Args:
        x: tensor.
        indices_or_sections: how many equal parts, or the places at which to cut.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.hsplit(np.array([[1, 2, 3, 4]]), 2)]
        [[[1, 2]], [[3, 4]]]
    """
    x = as_symbol_or_tensor(x)
    return K.split(x, indices_or_sections, axis=0 if len(x.shape) == 1 else 1)


@full_precision
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """A tensor cut along the first axis.

    Args:
        x: tensor.
        indices_or_sections: how many equal parts, or the places at which to cut.

    Example:
        >>> from keras_front import ops
        >>> [tuple(part.shape) for part in ops.vsplit(np.ones((4, 2)), 2)]
        [(2, 2), (2, 2)]
    """
    return K.split(as_symbol_or_tensor(x), indices_or_sections, axis=0)


@full_precision
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """A tensor cut along the third axis.

    Args:
        x: tensor.
        indices_or_sections: how many equal parts, or the places at which to cut.

    Example:
        >>> from keras_front import ops
        >>> [tuple(part.shape) for part in ops.dsplit(np.ones((2, 2, 4)), 2)]
        [(2, 2, 2), (2, 2, 2)]
    """
    return K.split(as_symbol_or_tensor(x), indices_or_sections, axis=2)


@full_precision
def dstack(xs: Sequence[Any]) -> Any:
    """Tensors joined along the third axis, which those of fewer axes get.

    Args:
        xs: the tensors.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.dstack([np.ones((2, 3)), np.ones((2, 3))]).shape)
        (2, 3, 2)
    """
    tensors = [as_symbol_or_tensor(x) for x in xs]
    while len(tensors[0].shape) < 2:
        tensors = [K.expand_dims(x, 0) for x in tensors]
    return K.concatenate([K.expand_dims(x, -1) if len(x.shape) == 2 else x for x in tensors], axis=2)


@full_precision
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices along an axis, which is gone.

    Args:
        x: tensor.
        num: how many there are, if the size of the axis is unknown.
        axis: which axis.

    Example:
        >>> from keras_front import ops
        >>> [row.tolist() for row in ops.unstack(np.array([[1, 2], [3, 4]]))]
        [[1, 2], [3, 4]]
    """
    x = as_symbol_or_tensor(x)
    place = shapes.normalize_axis(axis, len(x.shape))
    count = num if num is not None else _whole(x, place, "unstack")
    return [K.getitem(x, (slice(None),) * place + (i,)) for i in range(count)]


@full_precision
def fliplr(x: Any) -> Any:
    """The elements along the second axis in reverse order.

    Args:
        x: tensor of at least two axes.

    Example:
        >>> from keras_front import ops
        >>> ops.fliplr(np.array([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    return numpy_names.flip(as_symbol_or_tensor(x), 1)


@full_precision
def flipud(x: Any) -> Any:
    """The elements along the first axis in reverse order.

    Args:
        x: tensor.

    Example:
        >>> from keras_front import ops
        >>> ops.flipud(np.array([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    return numpy_names.flip(as_symbol_or_tensor(x), 0)


@full_precision
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """A plane turned by a quarter, from the first axis towards the second.

    Args:
        array: tensor of at least two axes.
        k: how many quarters.
        axes: the two axes of the plane.

    Example:
        >>> from keras_front import ops
        >>> ops.rot90(np.array([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
    """
    x = as_symbol_or_tensor(array)
    first, second = axes
    if k % 4 == 2:
        return numpy_names.flip(x, (first, second))
    if k % 4 == 1:
        return numpy_names.swapaxes(numpy_names.flip(x, second), first, second)
    return numpy_names.flip(numpy_names.swapaxes(x, first, second), second) if k % 4 else x


@full_precision
def kron(x1: Any, x2: Any) -> Any:
    """The Kronecker product: the second tensor in place of each element of the first, times it.

    Args:
        x1: tensor.
        x2: tensor.

    Example:
        >>> from keras_front import ops
        >>> ops.kron(np.array([1, 10]), np.array([1, 2])).tolist()
        [1, 2, 10, 20]
    """
    a, b = as_symbol_or_tensor(x1), as_symbol_or_tensor(x2)
    rank = max(len(a.shape), len(b.shape))
    first, second = ((1,) * (rank - len(t.shape)) + tuple(t.shape) for t in (a, b))
    wide = K.reshape(a, tuple(n for size in first for n in (size, 1)))
    product = wide * K.reshape(b, tuple(n for size in second for n in (1, size)))
    return K.reshape(product, tuple(m * n for m, n in zip(first, second, strict=True)))


@full_precision
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors with two or three elements.

    Args:
        x1: tensor of vectors.
        x2: tensor of vectors.
        axisa: the axis of the vectors in `x1`.
        axisb: the axis of the vectors in `x2`.
        axisc: the axis of the vectors in the result.
        axis: all three of them, if given.

    Example:
        >>> from keras_front import ops
        >>> ops.cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (numpy_names.moveaxis(as_symbol_or_tensor(x), i, -1) for x, i in ((x1, axisa), (x2, axisb)))
    sizes = a.shape[-1], b.shape[-1]
    if not {*sizes} <= {2, 3}:
        raise ShapeError(f"cross: expected vectors of 2 or 3 elements, received {sizes[0]} and {sizes[1]}.")

    def parts(v: Any) -> list[Any]:
        found = [K.getitem(v, (..., i)) for i in range(v.shape[-1])]
        return found if len(found) == 3 else [*found, K.zeros_like(found[0])]

    (u1, u2, u3), (v1, v2, v3) = parts(a), parts(b)
    third = u1 * v2 - u2 * v1
    if sizes == (2, 2):
        return third
    return numpy_names.moveaxis(K.stack([u2 * v3 - u3 * v2, u3 * v1 - u1 * v3, third], axis=-1), -1, axisc)


@full_precision
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element that of the first tensor whose condition holds.

    Args:
        condlist: tensors of bools.
        choicelist: as many tensors of values.
        default: the value where no condition holds.

    Example:
        >>> from keras_front import ops
        >>> ops.select([np.array([True, False])], [np.array([1, 2])], 0).tolist()
        [1, 0]
    """
    if len(condlist) != len(choicelist):
        raise ArgumentError(f"select: {len(condlist)} conditions, but {len(choicelist)} choices.")
    result = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        result = numpy_names.where(as_symbol_or_tensor(condition), choice, result)
    return result


@full_precision
def get_item(x: Any, key: Any) -> Any:
    """`x[key]`.

    Args:
        x: tensor.
        key: what stands in the brackets.

    Example:
        >>> from keras_front import ops
        >>> ops.get_item(np.array([10, 20, 30]), slice(1, None)).tolist()
        [20, 30]
    """
    return K.getitem(as_symbol_or_tensor(x), key)


@full_precision
def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """Indices of a flat tensor as those of one of a shape.

    Args:
        indices: integers.
        shape: the sizes.

    Returns: a tensor of indices for each axis.

    Example:
        >>> from keras_front import ops
        >>> [index.tolist() for index in ops.unravel_index(np.array([5]), (2, 3))]
        [[1], [2]]
    """
    rest = as_symbol_or_tensor(indices)
    found = []
    for size in reversed(list(shape)):
        found.append(K.mod(rest, size))
        rest = K.floor_divide(rest, size)
    return tuple(found[::-1])


# Values on the host --------------------------------------------------------------------------------------------


@full_precision
def nonzero(x: Any) -> tuple[Any, ...]:
    """The places of the elements that are not 0, an array of indices for each axis.

    Args:
        x: tensor with a value.

    Example:
        >>> from keras_front import ops
        >>> [places.tolist() for places in ops.nonzero(np.array([0, 3, 5]))]
        [[1, 2]]
    """
    return tuple(array(i) for i in np.nonzero(on_host("nonzero", x)[0]))


@full_precision
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of a tensor.

    Args:
        x: tensor with a value.
        sorted: whether they come in order; they always do.
        return_index: whether to return where each stands first.
        return_inverse: whether to return for each element of `x` its place among the different ones.
        return_counts: whether to return how often each occurs.
        axis: the axis whose slices are compared; None compares elements.
        size: how many to return, cut or filled up.
        fill_value: what they are filled up with, by default the smallest.

    Returns: a tensor, or a tuple if more was asked for.

    Example:
        >>> from keras_front import ops
        >>> ops.unique(np.array([3, 1, 3])).tolist()
        [1, 3]
    """
    values = on_host("unique", x)[0]
    found, index, inverse, counts = np.unique(
        values, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    if size is not None:
        found, index, counts = (
            _resized(a, size, axis if a is found else 0, fill)
            for a, fill in ((found, fill_value), (index, index[:1].sum()), (counts, 0))
        )
    wanted = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
    rest = [array(a.astype("int32")) for flag, a in wanted if flag]
    return (array(found), *rest) if rest else array(found)


def _resized(found: np.ndarray, size: int, axis: int | None, fill: Any) -> np.ndarray:
    axis = axis or 0
    kept = np.take(found, np.arange(min(size, found.shape[axis])), axis)
    pad = [(0, 0)] * found.ndim
    pad[axis] = (0, size - kept.shape[axis])
    return np.pad(kept, pad, constant_values=found.min() if fill is None and found.size else fill or 0)


@full_precision
def nextafter(x1: Any, x2: Any) -> Any:
    """The next float after one number in the direction of another.

    Args:
        x1: tensor with a value.
        x2: tensor with a value.

    Example:
        >>> from keras_front import ops
        >>> bool(ops.nextafter(np.array([1.0]), np.array([2.0]))[0] > 1.0)
        True
    """
    return array(np.nextafter(*on_host("nextafter", as_symbol_or_tensor(x1), as_symbol_or_tensor(x2))))


@full_precision
def view(x: Any, dtype: Any = None) -> Any:
    """The same bytes read as another type.

    Args:
        x: tensor with a value.
        dtype: the type; None: as it is.

    Example:
        >>> from keras_front import ops
        >>> ops.view(np.array([1.0], "float32"), "int32").tolist()
        [1065353216]
    """
    return x if dtype is None else array(np.ascontiguousarray(on_host("view", x)[0]).view(dtypes.canonical(dtype)))


# Arithmetic on values that are real ----------------------------------------------------------------------------


def _of_complex(name: str, function: Callable[[np.ndarray], Any], x: Any, otherwise: Callable[[Any], Any]) -> Any:
    """`function` of complex numbers, which have values and are computed on the host; `otherwise` of real ones."""
    x = as_symbol_or_tensor(x)
    return array(function(on_host(name, x)[0])) if str(_dtype(x)).startswith("complex") else otherwise(x)


@full_precision
def real(x: Any) -> Any:
    """The real part, which is a real tensor itself.

    Args:
        x: tensor, array or number; complex ones with values.

    Example:
        >>> from keras_front import ops
        >>> ops.real(np.array([1.0 + 2.0j])).tolist()
        [1.0]
    """
    return _of_complex("real", np.real, x, lambda x: x)


@full_precision
def imag(x: Any) -> Any:
    """The imaginary part: zeros of a real tensor.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.imag(np.array([1.0 + 2.0j])).tolist()
        [2.0]
    """
    return _of_complex("imag", np.imag, x, K.zeros_like)


@full_precision
def conj(x: Any) -> Any:
    """The complex conjugate, which is a real tensor itself.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.conj(np.array([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """
    return _of_complex("conj", np.conj, x, lambda x: x)


@full_precision
def angle(x: Any) -> Any:
    """The angle of numbers in the complex plane: of real ones 0, or pi where they are negative.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.angle(np.array([1.0 + 1.0j, 1.0j]))).round(3))
        [0.785 1.571]
    """
    return _of_complex("angle", np.angle, x, _angle_of_real)


def _angle_of_real(x: Any) -> Any:
    x = x if dtypes.is_float(_dtype(x)) else K.cast(x, dtypes.canonical(None))
    return K.where(K.isnan(x), x, K.cast(x < 0, _dtype(x)) * math.pi)


@full_precision
def isreal(x: Any) -> Any:
    """Whether elements have no imaginary part: all of a real tensor.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.isreal(np.array([1.0, 2.0])).tolist()
        [True, True]
    """
    return _of_complex("isreal", np.isreal, x, lambda x: K.cast(K.ones_like(x), "bool"))


@full_precision
def isposinf(x: Any) -> Any:
    """Whether elements are infinity.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.isposinf(np.array([-np.inf, np.inf])).tolist()
        [False, True]
    """
    return K.equal(as_symbol_or_tensor(x), math.inf)


@full_precision
def isneginf(x: Any) -> Any:
    """Whether elements are minus infinity.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.isneginf(np.array([-np.inf, np.inf])).tolist()
        [True, False]
    """
    return K.equal(as_symbol_or_tensor(x), -math.inf)


@full_precision
def fabs(x: Any) -> Any:
    """The absolute value, as a float.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.fabs(np.array([-1.5, 2.0])).tolist()
        [1.5, 2.0]
    """
    x = as_symbol_or_tensor(x)
    return K.abs(x if dtypes.is_float(_dtype(x)) else K.cast(x, dtypes.canonical(None)))


# Complex numbers -----------------------------------------------------------------------------------------------


@full_precision
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers by their size and angle; of values only.

    Args:
        abs_: the sizes, a tensor with a value.
        angle: the angles, likewise.

    Returns: a complex tensor.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.polar(np.array([2.0]), np.array([0.0]))).round(3))
        [2.+0.j]
    """
    size, turn = on_host("polar", as_symbol_or_tensor(abs_), as_symbol_or_tensor(angle))
    return array(size * np.exp(1j * turn.astype(size.dtype)).astype(np.result_type(size.dtype, "complex64")))


@full_precision
def view_as_complex(x: Any) -> Any:
    """Pairs of real and imaginary part as complex numbers; of values only.

    Args:
        x: (..., 2), a tensor with a value.

    Example:
        >>> from keras_front import ops
        >>> ops.view_as_complex(np.array([[1.0, 2.0]])).tolist()
        [(1+2j)]
    """
    pairs = on_host("view_as_complex", as_symbol_or_tensor(x))[0]
    if not pairs.ndim or pairs.shape[-1] != 2:
        raise ShapeError(f"view_as_complex: expected a last axis of 2, received shape {pairs.shape}.")
    return array(pairs[..., 0] + np.asarray(1j, "complex64") * pairs[..., 1])


@full_precision
def view_as_real(x: Any) -> Any:
    """Complex numbers as pairs of real and imaginary part; of values only.

    Args:
        x: a complex tensor with a value.

    Example:
        >>> from keras_front import ops
        >>> ops.view_as_real(np.array([1.0 + 2.0j])).tolist()
        [[1.0, 2.0]]
    """
    numbers = on_host("view_as_real", as_symbol_or_tensor(x))[0]
    return array(np.stack([numbers.real, numbers.imag], axis=-1))
