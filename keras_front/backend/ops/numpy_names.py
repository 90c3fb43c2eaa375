"""NumPy's spelling of K's ops, for `keras_front.ops` and for NumPy functions called on symbolic tensors.

The names and arguments are NumPy's; what they compute are K's ops, so they are recorded, differentiated and compiled
alike. `np.mean(x)` of a symbolic tensor arrives here by NumPy's own protocols (NEP 13 and NEP 18).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.backend.op import OPS, provides
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import (  # noqa: F401 - two of them for their declarations
    arrangement,
    elementary,
    elementwise,
    functions,
    linalg,
    linear,
    reduction,
    sorting,
    subscript,
)
from keras_front.backend.ops.linalg import einsum
from keras_front.backend.ops.splitting import split
from keras_front.tracebacks import api_boundary

# Ops with the name of a function of NumPy, and those with another one.
SAME = [name for name in OPS if isinstance(getattr(np, name, None), np.ufunc)] + ["expand_dims", "roll", "squeeze"]
RENAMED = {
    "absolute": "abs", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "bitwise_invert": "bitwise_not", "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift", "concat": "concatenate", "invert": "bitwise_not", "pow": "power",
    "remainder": "mod", "rint": "round", "sinc": "sinc", "sqrt": "square_root", "true_divide": "divide",
}  # fmt: skip


def _op(name: str) -> Callable[..., Any]:
    return OPS[name].function


_NUMBERS, _TRUTHS = "np.array([[1.0, 3.0], [5.0, 9.0]])", "np.array([[True, False], [True, True]])"
_EXAMPLES = {
    "sum": (_NUMBERS, "[4.0, 14.0]"),
    "prod": (_NUMBERS, "[3.0, 45.0]"),
    "max": (_NUMBERS, "[3.0, 9.0]"),
    "min": (_NUMBERS, "[1.0, 5.0]"),
    "mean": (_NUMBERS, "[2.0, 7.0]"),
    "var": (_NUMBERS, "[1.0, 4.0]"),
    "std": (_NUMBERS, "[1.0, 2.0]"),
    "any": (_TRUTHS, "[True, True]"),
    "all": (_TRUTHS, "[False, True]"),
}


def _reduction(name: str) -> Callable[..., Any]:
    run = _op(name)

    def reduce(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return run(a, axis=axis, keepdims=keepdims)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"""{str(run.__doc__).strip().splitlines()[0]}

    Args:
        a: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> ops.{name}({_EXAMPLES[name][0]}, axis=-1).tolist()
        {_EXAMPLES[name][1]}
    """
    return api_boundary(reduce)


@api_boundary
def argmax(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the largest element.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: among all elements, counted row by row.
        keepdims: keep the reduced axes, with size 1.

    Returns: indices of int64; of equal elements the first.
    Example:
        >>> import numpy as np
        >>> int(argmax(np.array([1.0, 3.0, 2.0])))
        1
    """
    return _found("argmax", a, axis, keepdims)


@api_boundary
def argmin(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the smallest element.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: among all elements, counted row by row.
        keepdims: keep the reduced axes, with size 1.

    Returns: indices of int64; of equal elements the first.

    Example:
        >>> from keras_front import ops
        >>> ops.argmin(np.array([[3, 1, 2]]), axis=-1).tolist()
        [1]
    """
    return _found("argmin", a, axis, keepdims)


def _found(name: str, a: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None:
        result = _op(name)(arrangement.flatten(a), axis=0)
        return arrangement.reshape(result, (1,) * len(a.shape)) if keepdims else result
    result = _op(name)(a, axis=axis)
    return arrangement.expand_dims(result, axis=axis) if keepdims else result


@api_boundary
def argsort(a: Any, axis: Any = -1, kind: Any = None) -> Any:
    """The indices that sort the elements; equal ones keep their order.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: all elements, counted row by row.
        kind: kept for code written for NumPy; sorting is always stable.

    Example:
        >>> from keras_front import ops
        >>> ops.argsort(np.array([3, 1, 2])).tolist()
        [1, 2, 0]
    """
    return sorting.argsort(arrangement.flatten(a) if axis is None else a, axis=-1 if axis is None else axis)


@api_boundary
def sort(a: Any, axis: Any = -1, kind: Any = None) -> Any:
    """The elements in ascending order.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: all elements, as one axis.
        kind: kept for code written for NumPy; sorting is always stable.

    Example:
        >>> from keras_front import ops
        >>> ops.sort(np.array([3, 1, 2])).tolist()
        [1, 2, 3]
    """
    return sorting.sort(arrangement.flatten(a) if axis is None else a, axis=-1 if axis is None else axis)


@api_boundary
def clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    """The elements cut to an interval.

    Args:
        a: tensor, array or number.
        a_min: the smallest value; None for no limit.
        a_max: the largest value; None for no limit.

    Example:
        >>> from keras_front import ops
        >>> ops.clip(np.array([-3, 0, 3]), -1, 1).tolist()
        [-1, 0, 1]
    """
    return elementwise.clip(a, a_min, a_max)


def cumsum(a: Any, axis: Any = None) -> Any:
    """Running sums.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.

    Example:
        >>> import numpy as np
        >>> np.asarray(cumsum(np.array([1.0, 2.0, 3.0]))).tolist()
        [1.0, 3.0, 6.0]
    """
    return reduction.cumsum(arrangement.flatten(a) if axis is None else a, axis=0 if axis is None else axis)


def cumprod(a: Any, axis: Any = None) -> Any:
    """Running products.

    Args:
        a: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.
    """
    return reduction.cumprod(arrangement.flatten(a) if axis is None else a, axis=0 if axis is None else axis)


@api_boundary
def concatenate(arrays: Any, axis: Any = 0) -> Any:
    """Arrays joined along an axis that they have.

    Args:
        arrays: tensors whose other sizes are equal.
        axis: the axis; None: their elements, as one axis.

    Example:
        >>> from keras_front import ops
        >>> ops.concatenate([np.array([1, 2]), np.array([3])]).tolist()
        [1, 2, 3]
    """
    arrays = [as_symbol_or_tensor(a) for a in arrays]
    if axis is None:
        return arrangement.concatenate([arrangement.flatten(a) for a in arrays], axis=0)
    return arrangement.concatenate(arrays, axis=axis)


@api_boundary
def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays joined along a new axis.

    Args:
        arrays: tensors of one shape.
        axis: where the new axis stands in the result.

    Example:
        >>> from keras_front import ops
        >>> ops.stack([np.array([1, 2]), np.array([3, 4])]).tolist()
        [[1, 2], [3, 4]]
    """
    return arrangement.stack([as_symbol_or_tensor(a) for a in arrays], axis=axis)


def vstack(arrays: Any) -> Any:
    """Rows, or blocks of rows, one below the other.

    Args:
        arrays: tensors; those of one axis are rows.

    Example:
        >>> from keras_front import ops
        >>> ops.vstack([np.array([1, 2]), np.array([3, 4])]).tolist()
        [[1, 2], [3, 4]]
    """
    arrays = [as_symbol_or_tensor(a) for a in arrays]
    return concatenate([arrangement.expand_dims(a, axis=0) if len(a.shape) == 1 else a for a in arrays])


def hstack(arrays: Any) -> Any:
    """Arrays side by side: along the second axis, or the first of those that have one only.

    Args:
        arrays: tensors.

    Example:
        >>> from keras_front import ops
        >>> ops.hstack([np.array([[1], [2]]), np.array([[3], [4]])]).tolist()
        [[1, 3], [2, 4]]
    """
    arrays = [as_symbol_or_tensor(a) for a in arrays]
    return concatenate(arrays, axis=0 if len(arrays[0].shape) == 1 else 1)


def dot(a: Any, b: Any) -> Any:
    """NumPy's `dot`, which is K's: the last axis of the first with the second-last of the second.

    Args:
        a: tensor.
        b: tensor.

    Example:
        >>> from keras_front import ops
        >>> float(ops.dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
        11.0
    """
    return linear.dot(a, b)


def vdot(a: Any, b: Any) -> Any:
    """The sum of the products of all elements.

    Args:
        a: tensor.
        b: tensor with as many elements.

    Example:
        >>> from keras_front import ops
        >>> float(ops.vdot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
        11.0
    """
    return reduction.sum(elementwise.multiply(arrangement.flatten(a), arrangement.flatten(b)))


def inner(a: Any, b: Any) -> Any:
    """Sums of products over the last axes of both.

    Args:
        a: tensor.
        b: tensor whose last axis is as long.

    Example:
        >>> from keras_front import ops
        >>> float(ops.inner(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
        11.0
    """
    if not len(a.shape) or not len(b.shape):
        return elementwise.multiply(a, b)
    return tensordot(a, b, axes=([-1], [-1]))


def outer(a: Any, b: Any) -> Any:
    """Every element of one times every element of the other.

    Args:
        a: tensor, read as one axis.
        b: tensor, read as one axis.

    Shape: (elements of a, elements of b)

    Example:
        >>> from keras_front import ops
        >>> ops.outer(np.array([1, 2]), np.array([3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    a, b = arrangement.flatten(a), arrangement.flatten(b)
    return elementwise.multiply(arrangement.expand_dims(a, axis=-1), arrangement.expand_dims(b, axis=0))


@api_boundary
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sums of products over several axes of both.

    Args:
        a: tensor.
        b: tensor.
        axes: a number n, for the last n axes of `a` and the first n of `b`; or a pair of lists of axes.

    Example:
        >>> import numpy as np
        >>> np.asarray(tensordot(np.ones((2, 3)), np.ones((3, 4)), axes=1)).shape
        (2, 4)
    """
    na, nb = len(a.shape), len(b.shape)
    if isinstance(axes, int):
        left, right = list(range(na - axes, na)), list(range(axes))
    else:
        left, right = ([side] if isinstance(side, int) else list(side) for side in axes)
    letters = "abcdefghijklmnopqrstuvwxyz"
    first, second = list(letters[:na]), list(letters[na : na + nb])
    for i, j in zip(left, right, strict=True):
        second[shapes.normalize_axis(j, nb)] = first[shapes.normalize_axis(i, na)]
    rest = [c for c in first if c not in second] + [c for c in second if c not in first]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", a, b)


def reshape(a: Any, shape: Any) -> Any:
    """The elements in order, in another shape.

    Args:
        a: tensor, array or number.
        shape: the new sizes; one may be -1, and follows from the others.

    Example:
        >>> from keras_front import ops
        >>> ops.reshape(np.arange(4), (2, 2)).tolist()
        [[0, 1], [2, 3]]
    """
    return arrangement.reshape(a, shape)


def ravel(a: Any) -> Any:
    """The elements in order, as one axis.

    Args:
        a: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.ravel(np.array([[1, 2], [3, 4]])).tolist()
        [1, 2, 3, 4]
    """
    return arrangement.flatten(a)


@api_boundary
def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order.

    Args:
        a: tensor, array or number.
        axes: for each axis of the result, which axis of `a` it is; None reverses them.

    Example:
        >>> from keras_front import ops
        >>> ops.transpose(np.array([[1, 2], [3, 4]])).tolist()
        [[1, 3], [2, 4]]
    """
    return arrangement.transpose(a) if axes is None else arrangement.permute_dimensions(a, tuple(axes))


def permute_dims(a: Any, axes: Any) -> Any:
    """The axes in another order.

    Args:
        a: tensor, array or number.
        axes: for each axis of the result, which axis of `a` it is.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.permute_dims(np.ones((2, 3, 4)), (2, 0, 1)).shape)
        (4, 2, 3)
    """
    return transpose(a, axes)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Args:
        a: tensor, array or number.
        axis1: one of them.
        axis2: the other.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.swapaxes(np.ones((2, 3, 4)), 0, 2).shape)
        (4, 3, 2)
    """
    order = list(range(len(a.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return arrangement.permute_dimensions(a, tuple(order))


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places; the others keep their order.

    Args:
        a: tensor, array or number.
        source: an axis, or a list of them.
        destination: where each goes.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.moveaxis(np.ones((2, 3, 4)), 0, -1).shape)
        (3, 4, 2)
    """
    n = len(a.shape)
    sources, places = (
        [shapes.normalize_axis(i, n) for i in ([s] if isinstance(s, int) else s)] for s in (source, destination)
    )
    order = [i for i in range(n) if i not in sources]
    for place, axis in builtins.sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return arrangement.permute_dimensions(a, tuple(order))


@api_boundary
def flip(m: Any, axis: Any = None) -> Any:
    """The elements in reverse order.

    Args:
        m: tensor, array or number.
        axis: along which axis, or axes; None for all.

    Example:
        >>> from keras_front import ops
        >>> ops.flip(np.array([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    return arrangement.reverse(m, shapes.normalize_axes(axis, len(m.shape)))


def broadcast_to(array: Any, shape: Any) -> Any:
    """The elements repeated to a larger shape by NumPy's rule.

    Args:
        array: tensor, array or number.
        shape: the sizes of the result.

    Example:
        >>> from keras_front import ops
        >>> ops.broadcast_to(np.array([1, 2]), (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    return arrangement.broadcast_to(array, shape)


@api_boundary
def repeat(a: Any, repeats: int, axis: Any = None) -> Any:
    """Each element several times, one after the other.

    Args:
        a: tensor, array or number.
        repeats: how many times.
        axis: along which axis; None: all elements, as one axis.

    Example:
        >>> from keras_front import ops
        >>> ops.repeat(np.array([1, 2]), 2).tolist()
        [1, 1, 2, 2]
    """
    return arrangement.repeat_elements(arrangement.flatten(a) if axis is None else a, repeats, axis=axis or 0)


def tile(a: Any, reps: Any) -> Any:
    """The whole several times.

    Args:
        a: tensor, array or number.
        reps: how many times, a number or one for each axis.

    Example:
        >>> from keras_front import ops
        >>> ops.tile(np.array([1, 2]), 2).tolist()
        [1, 2, 1, 2]
    """
    return arrangement.tile(a, reps)


def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    """The array with values around it.

    Args:
        array: tensor, array or number.
        pad_width: a number, a pair (before, after) for all axes, or a pair for each axis.
        mode: 'constant', the only one.
        constant_values: the value around it.

    Raises: ArgumentError for another mode.
    """
    from keras_front.errors import ArgumentError

    if mode != "constant":
        raise ArgumentError(f"pad: expected mode 'constant', received {mode!r}.")
    pairs = np.broadcast_to(np.asarray(pad_width), (len(array.shape), 2)).tolist()
    return arrangement.pad(array, tuple(tuple(p) for p in pairs), value=constant_values)


@api_boundary
def take(a: Any, indices: Any, axis: Any = None) -> Any:
    """The elements at some places.

    Args:
        a: tensor, array or number.
        indices: integers; negative ones count from the end.
        axis: along which axis; None: of all elements, counted row by row.

    Example:
        >>> from keras_front import ops
        >>> ops.take(np.array([10, 20, 30]), np.array([2, 0])).tolist()
        [30, 10]
    """
    return OPS["gather"].function(arrangement.flatten(a) if axis is None else a, indices, axis=axis or 0)


@api_boundary
def take_along_axis(arr: Any, indices: Any, axis: int = -1) -> Any:
    """For each place of the result, the element whose index along an axis is given there.

    Args:
        arr: tensor.
        indices: integers, with as many axes as `arr`.
        axis: the axis.

    Example:
        >>> from keras_front import ops
        >>> ops.take_along_axis(np.array([[10, 20], [30, 40]]), np.array([[1], [0]]), axis=1).tolist()
        [[20], [30]]
    """
    return OPS["take_along_axis"].function(arr, indices, axis=axis)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Elements of one where a condition holds, else of the other.

    Args:
        condition: tensor of bools.
        x: tensor or number.
        y: tensor or number.

    Example:
        >>> from keras_front import ops
        >>> ops.where(np.array([True, False]), np.array([1, 2]), np.array([10, 20])).tolist()
        [1, 20]
    """
    return elementwise.where(elementwise.cast(condition, "bool"), x, y)


@api_boundary
def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The number of elements that are not zero.

    Args:
        a: tensor, array or number.
        axis: along which axis, or axes; None: among all.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> int(ops.count_nonzero(np.array([0, 1, 2])))
        2
    """
    return reduction.count_nonzero(a, axis=axis, keepdims=keepdims)


def reciprocal(x: Any) -> Any:
    """One divided by each element.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.reciprocal(np.array([2.0, 4.0])).tolist()
        [0.5, 0.25]
    """
    return elementwise.divide(1.0, x)


@api_boundary
def zeros_like(a: Any, dtype: Any = None) -> Any:
    """Zeros of the same shape.

    Args:
        a: tensor, array or number.
        dtype: their type, by default that of `a`.

    Example:
        >>> from keras_front import ops
        >>> ops.zeros_like(np.array([2.0, 3.0])).tolist()
        [0.0, 0.0]
    """
    return arrangement.zeros_like(a, dtype=dtype)


@api_boundary
def ones_like(a: Any, dtype: Any = None) -> Any:
    """Ones of the same shape.

    Args:
        a: tensor, array or number.
        dtype: their type, by default that of `a`.

    Example:
        >>> from keras_front import ops
        >>> ops.ones_like(np.array([2.0, 3.0])).tolist()
        [1.0, 1.0]
    """
    return arrangement.ones_like(a, dtype=dtype)


@api_boundary
def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the same shape.

    Args:
        a: tensor, array or number.
        fill_value: the value.
        dtype: its type, by default that of `a`.

    Example:
        >>> from keras_front import ops
        >>> ops.full_like(np.zeros((1, 2)), 7.0).tolist()
        [[7.0, 7.0]]
    """
    ones = arrangement.ones_like(a, dtype=dtype)
    return elementwise.cast(elementwise.multiply(ones, fill_value), ones.dtype)


def tril(m: Any, k: int = 0) -> Any:
    """The lower triangle of matrices; zeros above.

    Args:
        m: tensor (..., rows, columns).
        k: the diagonal up to which elements stay; 0 is the main one, 1 the one above.

    Example:
        >>> from keras_front import ops
        >>> ops.tril(np.ones((2, 2))).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    return elementwise.where(np.tril(np.ones(m.shape[-2:], bool), k), m, 0)


def triu(m: Any, k: int = 0) -> Any:
    """The upper triangle of matrices; zeros below.

    Args:
        m: tensor (..., rows, columns).
        k: the diagonal from which elements stay; 0 is the main one, -1 the one below.

    Example:
        >>> from keras_front import ops
        >>> ops.triu(np.ones((2, 2))).tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    return elementwise.where(np.triu(np.ones(m.shape[-2:], bool), k), m, 0)


@api_boundary
def round(a: Any, decimals: int = 0) -> Any:
    """The elements rounded; halves go to the even neighbour.

    Args:
        a: tensor, array or number.
        decimals: how many decimals stay; negative ones round to tens, hundreds ...

    Example:
        >>> from keras_front import ops
        >>> ops.round(np.array([1.26, 2.5]), 1).tolist()
        [1.3, 2.5]
    """
    if not decimals:
        return elementwise.round(a)
    scale = 10.0 ** builtins.abs(decimals)
    up, down = (elementwise.multiply, elementwise.divide)[:: 1 if decimals > 0 else -1]
    return down(elementwise.round(up(a, scale)), scale)


@api_boundary
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours.

    Args:
        a: tensor, array or number.
        n: how many times.
        axis: along which axis.

    Example:
        >>> from keras_front import ops
        >>> ops.diff(np.array([1, 4, 9])).tolist()
        [3, 5]
    """
    for _ in range(n):
        place = shapes.normalize_axis(axis, len(a.shape))
        head = (slice(None),) * place
        a = elementwise.subtract(
            subscript.getitem(a, (*head, slice(1, None))), subscript.getitem(a, (*head, slice(None, -1)))
        )
    return a


@api_boundary
def average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """The mean, weighted if weights are given.

    Args:
        a: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        weights: one for each element, or for each place along `axis`; None weighs all alike.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.average(np.array([1.0, 3.0]), weights=np.array([3.0, 1.0])))
        1.5
    """
    if weights is None:
        return reduction.mean(a, axis=axis, keepdims=keepdims)
    total = reduction.sum(elementwise.multiply(a, weights), axis=axis, keepdims=keepdims)
    return elementwise.divide(total, reduction.sum(as_symbol_or_tensor(weights), axis=axis, keepdims=keepdims))


@api_boundary
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest.

    Args:
        a: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> int(ops.ptp(np.array([3, 9, 5])))
        6
    """
    top, least = (_op(name)(a, axis=axis, keepdims=keepdims) for name in ("max", "min"))
    return elementwise.subtract(top, least)


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8) -> Any:
    """Whether two elements differ by at most `atol + rtol * |b|`.

    Args:
        a: tensor, array or number.
        b: tensor, array or number, with which `a` is compared.
        rtol: allowed difference in proportion to `b`.
        atol: allowed difference besides.
    """
    room = elementwise.add(elementwise.multiply(elementwise.abs(b), rtol), atol)
    near = elementwise.less_equal(elementwise.abs(elementwise.subtract(a, b)), room)
    both = elementwise.logical_and(elementwise.isfinite(b), near)
    return elementwise.logical_or(both, elementwise.equal(a, b))


@api_boundary
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """The elements with numbers in place of NaN and infinities.

    Args:
        x: tensor, array or number.
        nan: for NaN.
        posinf: for infinity; by default the largest number of the dtype.
        neginf: for minus infinity; by default the smallest.

    Example:
        >>> from keras_front import ops
        >>> ops.nan_to_num(np.array([np.nan, 1.0]), nan=9.0).tolist()
        [9.0, 1.0]
    """
    x = as_symbol_or_tensor(x)
    name = x.dtype if isinstance(x.dtype, str) else dtypes.canonical(x.dtype)
    if not dtypes.is_float(name):
        return x
    largest = float(np.finfo("float32" if name == "bfloat16" else name).max)
    largest = 3.3895313892515355e38 if name == "bfloat16" else largest
    x = elementwise.where(elementwise.isnan(x), nan, x)
    x = elementwise.where(elementwise.equal(x, np.inf), largest if posinf is None else posinf, x)
    return elementwise.where(elementwise.equal(x, -np.inf), -largest if neginf is None else neginf, x)


def trace(a: Any) -> Any:
    """The sum of the main diagonal of a matrix.

    Args:
        a: tensor (rows, columns).
    """
    return einsum("ii->", a)


LINALG = {
    "cholesky": linalg.cholesky,
    "det": linalg.det,
    "inv": linalg.inv,
    "norm": lambda x, ord=None, axis=None, keepdims=False: linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims),
    "qr": linalg.qr,
    "solve": linalg.solve,
}
REDUCTIONS = {name: _reduction(name) for name in "sum prod max min any all mean var std".split()}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _op(name) for name in SAME},
    **{new: _op(old) for new, old in RENAMED.items()},
    **REDUCTIONS,
    **{f"a{name}": REDUCTIONS[name] for name in ("max", "min")},
    "einsum": einsum,
    "split": split,
    **{
        fn.__name__: fn
        for fn in (
            argmax,
            argmin,
            argsort,
            sort,
            clip,
            cumsum,
            cumprod,
            concatenate,
            stack,
            vstack,
            hstack,
            dot,
            vdot,
            inner,
            outer,
            tensordot,
            reshape,
            ravel,
            transpose,
            permute_dims,
            swapaxes,
            moveaxis,
            flip,
            broadcast_to,
            repeat,
            tile,
            pad,
            take,
            take_along_axis,
            where,
            count_nonzero,
            reciprocal,
            zeros_like,
            ones_like,
            full_like,
            tril,
            triu,
            round,
            diff,
            average,
            ptp,
            isclose,
            nan_to_num,
            trace,
        )
    },
}
FUNCTIONS["concat"] = concatenate
FUNCTIONS["around"] = round


# NumPy's protocols ---------------------------------------------------------------------------------------------


def _called(name: str, function: Callable[..., Any] | None, args: Any, kwargs: dict[str, Any]) -> Any:
    if function is None:
        raise TypeError(f"np.{name} has no counterpart among K's ops, so it cannot take a symbolic tensor.")
    dtype = kwargs.pop("dtype", None)
    given = {k: v for k, v in kwargs.items() if v is not np._NoValue and (v is not None or k == "axis")}
    result = function(*args, **given)
    return result if dtype is None else elementwise.cast(result, dtype)


@provides("array_ufunc")
def array_ufunc(self: Any, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """A NumPy ufunc that met a symbolic tensor or a variable (NEP 13); `array += symbol` makes `array` a symbol."""
    if method != "__call__":
        return NotImplemented
    (target,) = kwargs.pop("out", None) or (None,)
    if target is not None and target is not args[0]:
        raise TypeError(f"np.{ufunc.__name__}: the result is symbolic and cannot be written into `out`; leave it away.")
    return _called(ufunc.__name__, FUNCTIONS.get(ufunc.__name__), args, kwargs)


@provides("array_function")
def array_function(self: Any, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """A NumPy function that met a symbolic tensor or a variable (NEP 18)."""
    module = func.__module__ or ""
    table: dict[str, Any] = LINALG if module.startswith("numpy.linalg") else FUNCTIONS
    if func.__name__ in ("shape", "ndim", "size"):
        return getattr(args[0], func.__name__)
    return _called(func.__name__, table.get(func.__name__), args, dict(kwargs))
