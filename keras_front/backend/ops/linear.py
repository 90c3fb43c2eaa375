"""Products of matrices."""

from __future__ import annotations

from typing import Any

from keras_front import conventions
from keras_front.backend import shapes
from keras_front.backend.declare import Tensor, composite, primitive
from keras_front.backend.ops import sparse_dot
from keras_front.backend.ops.arrangement import _sizes, expand_dims, permute_dimensions, reshape, squeeze
from keras_front.backend.ops.elementwise import add, multiply
from keras_front.backend.ops.reduction import sum
from keras_front.errors import ShapeError


@primitive(shapes.matmul, light=True)
def matmul(x: Tensor, y: Tensor):
    """Products of matrices over the last two axes; the axes before them are broadcast.

    Floats of 16 bits are accumulated in float32.

    Args:
        x: the left matrices.
        y: the right matrices.

    Shape: (..., n, k) and (..., k, m) -> (..., n, m).

    Raises:
        ShapeError: the inner dimensions differ.

    Example:
        >>> K.matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
        [[11.0]]
    """


@composite(fresh=True, light=True)
def linear(x: Tensor, kernel: Tensor, bias: Tensor):
    """`dot(x, kernel) + bias`, what a Dense layer computes of a matrix.

    Args:
        x: the inputs.
        kernel: the weights.
        bias: what is added to each row.

    Shape: x (batch, n), kernel (n, units), bias (units,) -> (batch, units).

    Example:
        >>> K.linear(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]), np.array([0.5])).tolist()
        [[21.5]]
    """
    return add(matmul(x, kernel), bias)


@composite(sparse=sparse_dot.dot)
def dot(x: Tensor, y: Tensor):
    """The last axis of `x` against the second-last of `y` (its only one if it has one).

    Args:
        x: a tensor, or a sparse matrix of SciPy.
        y: a tensor, or a sparse matrix of SciPy.

    Shape: (..., n) and (n, m) -> (..., m); in general x.shape[:-1] + y.shape[:-2] + y.shape[-1:].

    Raises:
        ShapeError: the contracted dimensions differ.

    Example:
        >>> K.dot(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
        [[11.0]]
    """
    if 0 in (len(x.shape), len(y.shape)):  # a shape of TensorFlow is true even if it is empty
        return multiply(x, y)
    _check_inner("dot", x, y, x.shape[-1], y.shape[-1 if len(y.shape) == 1 else -2])
    if len(y.shape) == 1:
        return sum(multiply(x, y), axis=-1)
    if len(x.shape) == 1:
        return squeeze(dot(expand_dims(x, axis=0), y), axis=0)
    if len(x.shape) == len(y.shape) == 2:
        return matmul(x, y)
    dims_x, dims_y = _sizes(x), _sizes(y)
    if len(y.shape) > 2:  # bring the contracted axis of y to the front
        last = len(y.shape) - 1
        y = reshape(permute_dimensions(y, (last - 1, *range(last - 1), last)), (dims_y[-2], -1))
    product = matmul(reshape(x, (-1, dims_x[-1])), y)
    return reshape(product, (*dims_x[:-1], *dims_y[:-2], dims_y[-1]))


_KEPT_AXES = " Keras up to 2.2 multiplied the last two axes here; so does `keras-front run --dialect keras2.2`."


def _check_inner(name: str, x: Any, y: Any, a: Any, b: Any) -> None:
    if a is not None and b is not None and a != b:
        raise ShapeError(
            f"{name}: the contracted dimensions of {tuple(x.shape)} and {tuple(y.shape)} differ: {a} and {b}."
            + (_KEPT_AXES if name == "batch_dot" and max(len(x.shape), len(y.shape)) > 3 else "")
        )


@composite
def batch_dot(x: Tensor, y: Tensor, axes=None):
    """For each sample, an axis of `x` against one of `y`.

    Args:
        x: a tensor whose first axis is the batch.
        y: a tensor whose first axis is the batch.
        axes: the axis of x and that of y, counted with the batch axis; one number stands for both, None for the last of
            x and the second-last of y (its last one, if it is a matrix).

    Shape: (batch, ...) and (batch, ...) -> (batch, other axes of x, other axes of y); (batch, 1) if there are none.

    Raises:
        ShapeError: the dimensions do not fit, or `axes` names the batch axis.

    Source: Keras 2.3.1, `backend/tensorflow_backend.py`. With more than three axes Keras up to 2.2 gave something else,
    see `keras_front.conventions`.

    Example:
        >>> K.batch_dot(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), axes=1).tolist()
        [[11.0]]
    """
    nx, ny = len(x.shape), len(y.shape)
    if nx < 2 or ny < 2:
        raise ShapeError(f"batch_dot: expected tensors of 2 or more dimensions, received {x.shape} and {y.shape}.")
    if axes is None:
        axes = (nx - 1, ny - 1 if ny == 2 else ny - 2)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if len(pair) != 2 or not all_ints(pair):
        raise ShapeError(f"batch_dot: `axes` is one axis for each tensor, received {axes!r}.")
    a, b = shapes.normalize_axis(pair[0], nx), shapes.normalize_axis(pair[1], ny)
    if 0 in (a, b):
        raise ShapeError("batch_dot: axis 0 is the batch axis and cannot be contracted.")
    if max(nx, ny) > 3 and conventions.current().batch_dot_keeps_axes:
        return _products_of_last_axes(x, y, a, b)
    _check_inner("batch_dot", x, y, x.shape[a], y.shape[b])
    rest_x, rest_y = [i for i in range(1, nx) if i != a], [i for i in range(1, ny) if i != b]
    dims_x, dims_y = _sizes(x), _sizes(y)
    left = reshape(_moved(x, (0, *rest_x, a)), (dims_x[0], _product(dims_x, rest_x), dims_x[a]))
    right = reshape(_moved(y, (0, b, *rest_y)), (dims_y[0], dims_y[b], _product(dims_y, rest_y)))
    product = matmul(left, right)
    shape = (dims_x[0], *(dims_x[i] for i in rest_x), *(dims_y[i] for i in rest_y))
    return reshape(product, shape if len(shape) > 1 else (dims_x[0], 1))


def _products_of_last_axes(x: Any, y: Any, a: int, b: int) -> Any:
    """`batch_dot` as `matmul` has it: the last two axes are multiplied, those before them belong to the batch.

    The tensor with fewer axes has axes of size 1 behind it for this, which go afterwards.
    Source: Keras 2.2.4, `backend/tensorflow_backend.py`, `batch_dot`.
    """
    nx, ny = len(x.shape), len(y.shape)
    rank = max(nx, ny)
    for _ in range(rank - nx):
        x = expand_dims(x, -1)
    for _ in range(rank - ny):
        y = expand_dims(y, -1)
    behind = (*range(rank - 2), rank - 1, rank - 2)
    left = x if a == rank - 1 else permute_dimensions(x, behind)
    right = permute_dimensions(y, behind) if b == rank - 1 else y
    _check_inner("batch_dot", left, right, left.shape[-1], right.shape[-2])
    product, first = matmul(left, right), nx + ny - 3 if nx > ny else nx - 1
    for _ in range(abs(nx - ny)):
        product = squeeze(product, first)
    return product


def all_ints(values: Any) -> bool:
    """Whether every one is an int of Python's: no None, no bool, no symbol."""
    return {type(v) for v in values} == {int}


def _moved(x: Any, pattern: tuple[int, ...]) -> Any:
    return x if pattern == tuple(range(len(pattern))) else permute_dimensions(x, pattern)


def _product(dims: list[Any], axes: list[int]) -> Any:
    result: Any = 1
    for i in axes:
        if not isinstance(dims[i], int):
            return -1 if len(axes) == 1 else _symbolic_product(dims, axes)
        result *= dims[i]
    return result


def _symbolic_product(dims: list[Any], axes: list[int]) -> Any:
    result: Any = 1
    for i in axes:
        result = result * dims[i]
    return result
