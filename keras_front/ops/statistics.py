"""Orders, quantiles, counts and correlations, and reductions that leave out NaN; under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import dtypes, shapes
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError

from .arrays import _dtype, _whole, array

Axis = int | Sequence[int] | None
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


# Order ---------------------------------------------------------------------------------------------------------


@full_precision
def quantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The values below which given parts of the elements lie.

    Args:
        x: tensor, array or number.
        q: the parts, from 0 to 1; a number or several.
        axis: the axis, or axes, over which; None for all elements.
        method: what is returned between two elements: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.
        keepdims: keep the reduced axes, with size 1.

    Shape: that of `q`, then that of `x` without the axes.

    Example:
        >>> from keras_front import ops
        >>> float(ops.quantile(np.array([1.0, 2.0, 5.0]), 0.5))
        2.0
    """
    x = _as_float(x)
    rows, kept = _rows(x, axis)
    ordered = K.sort(rows, axis=-1)
    parts = np.asarray(K.to_numpy(q), "float64")
    places = parts.reshape(-1) * (_whole(rows, -1, "quantile") - 1)
    low, high, weight = _neighbours(method, places, np)
    below, above = (K.gather(ordered, i.astype("int32"), axis=-1) for i in (low, high))
    found = below + (above - below) * array(weight, _dtype(x))
    missing = K.any(K.isnan(rows), axis=-1, keepdims=True)
    return _laid_out(K.where(missing, np.nan, found), parts, kept if keepdims else None)


def _neighbours(method: str, places: Any, xp: Any) -> tuple[Any, Any, Any]:
    """The whole numbers around places, and how much the upper one counts; `xp` is NumPy or K."""
    if method not in METHODS:
        raise ArgumentError(f"quantile: expected a method of {', '.join(METHODS)}, received {method!r}.")
    low, high = xp.floor(places), xp.ceil(places)
    if method == "nearest":
        low = high = xp.round(places)
    return low, high, {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}.get(method, places - low)


def _laid_out(found: Any, parts: np.ndarray, kept: Any) -> Any:
    """Results along the last axis, of which there is one for each part, with the axes of the parts in front."""
    found = numpy_names.moveaxis(found, -1, 0)
    shape = found.shape[1:] if kept is None else kept
    return K.reshape(found, (*parts.shape, *(-1 if n is None else n for n in shape)))


@full_precision
def percentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The values below which given percentages of the elements lie.

    Args:
        x: tensor, array or number.
        q: the percentages, from 0 to 100; a number or several.
        axis: the axis, or axes, over which; None for all elements.
        method: what is returned between two elements; see `quantile`.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.percentile(np.array([1.0, 2.0, 5.0]), 50))
        2.0
    """
    return quantile(x, np.asarray(K.to_numpy(q), "float64") / 100, axis, method, keepdims)


@full_precision
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle one of the elements in order, or the mean of the two in the middle.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, over which; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.median(np.array([1.0, 9.0, 2.0])))
        2.0
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


@full_precision
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Indices that put the `kth` smallest in its place, smaller ones before it and larger ones after it.

    Args:
        x: tensor.
        kth: which.
        axis: along which axis; None: among all elements. The order is that of `argsort`.

    Example:
        >>> from keras_front import ops
        >>> int(ops.argpartition(np.array([3, 1, 2]), 0)[0])
        1
    """
    return numpy_names.argsort(as_symbol_or_tensor(x), axis=axis)


@full_precision
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """The places at which values would keep a vector in order.

    Args:
        sorted_sequence: vector in ascending order.
        values: tensor.
        side: 'left' for the first such place, 'right' for the last.

    Returns: indices of int32.

    Example:
        >>> from keras_front import ops
        >>> ops.searchsorted(np.array([1, 3, 5]), np.array([4])).tolist()
        [2]
    """
    edges, values = as_symbol_or_tensor(sorted_sequence), K.expand_dims(as_symbol_or_tensor(values), -1)
    before = edges < values if side == "left" else edges <= values
    return K.sum(K.cast(before, "int32"), axis=-1)


@full_precision
def digitize(x: Any, bins: Any) -> Any:
    """The bin in which each element lies.

    Args:
        x: tensor.
        bins: vector of the edges of bins in ascending order.

    Returns: indices of int32, 0 below the first edge.

    Example:
        >>> from keras_front import ops
        >>> ops.digitize(np.array([0.5, 2.5]), np.array([1.0, 2.0])).tolist()
        [0, 2]
    """
    return searchsorted(bins, x, "right")


@full_precision
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether elements are among those of another tensor.

    Args:
        x1: tensor.
        x2: tensor, looked at as one axis.
        assume_unique: kept for code written for NumPy; it makes no difference.
        invert: whether to say where they are not.

    Example:
        >>> from keras_front import ops
        >>> ops.isin(np.array([1, 2, 3]), np.array([2])).tolist()
        [False, True, False]
    """
    x2 = K.reshape(as_symbol_or_tensor(x2), (-1,))
    found = K.any(K.equal(K.expand_dims(as_symbol_or_tensor(x1), -1), x2), axis=-1)
    return K.logical_not(found) if invert else found


@full_precision
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements differ by at most `atol + rtol * |x2|`.

    Args:
        x1: tensor, array or number.
        x2: tensor, array or number, with which `x1` is compared.
        rtol: allowed difference in proportion to `x2`.
        atol: allowed difference besides.
        equal_nan: whether two NaN are equal.

    Example:
        >>> from keras_front import ops
        >>> bool(ops.allclose(np.array([1.0]), np.array([1.0 + 1e-9])))
        True
    """
    return K.all(isclose(x1, x2, rtol, atol, equal_nan))


@full_precision
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether two elements differ by at most `atol + rtol * |x2|`.

    Args:
        x1: tensor, array or number.
        x2: tensor, array or number, with which `x1` is compared.
        rtol: allowed difference in proportion to `x2`.
        atol: allowed difference besides.
        equal_nan: whether two NaN are equal.

    Example:
        >>> from keras_front import ops
        >>> ops.isclose(np.array([1.0, 2.0]), np.array([1.0, 2.1])).tolist()
        [True, False]
    """
    x1, x2 = as_symbol_or_tensor(x1), as_symbol_or_tensor(x2)
    near = numpy_names.isclose(x1, x2, rtol, atol)
    return K.logical_or(near, K.logical_and(K.isnan(x1), K.isnan(x2))) if equal_nan else near


# Counts --------------------------------------------------------------------------------------------------------


@full_precision
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number occurs.

    Args:
        x: vector of integers from 0, or rows of them.
        weights: what each counts, by default 1.
        minlength: the least length of the result. It is the length where `x` has no values yet; larger numbers are
            then left out.
        sparse: kept for code written for Keras 3; results are dense.

    Example:
        >>> from keras_front import ops
        >>> ops.bincount(np.array([0, 1, 1, 3])).tolist()
        [1, 2, 0, 1]
    """
    x = as_symbol_or_tensor(x)
    length = minlength
    if not K.is_symbolic(x):
        values = np.asarray(K.to_numpy(x))
        length = max(minlength, int(values.max()) + 1 if values.size else 0)
    hot = K.one_hot(x, length, dtype="int32" if weights is None else _dtype(as_symbol_or_tensor(weights)))
    if weights is not None:
        hot = hot * K.expand_dims(weights, -1)
    return K.sum(hot, axis=-2)


@full_precision
def histogram(x: Any, bins: Any = 10, range: tuple[float, float] | None = None) -> tuple[Any, Any]:
    """How many elements lie in each bin.

    Args:
        x: tensor, read as one axis.
        bins: how many bins of one width, or their edges.
        range: the first edge and the last; None for the smallest element and the largest.

    Returns: the counts, as floats, and the edges.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.histogram(np.array([0.0, 1.0, 1.0, 2.0]), bins=2)]
        [[1.0, 3.0], [0.0, 1.0, 2.0]]
    """
    x = K.reshape(_as_float(x), (-1,))
    if isinstance(bins, int):
        low, high = (K.min(x), K.max(x)) if range is None else range
        low, high = array(low, _dtype(x)), array(high, _dtype(x))
        same = K.equal(low, high)
        low, high = K.where(same, low - 0.5, low), K.where(same, high + 0.5, high)
        parts = array(np.arange(bins + 1) / bins, _dtype(x))
        edges = low + (high - low) * parts
    else:
        edges = array(bins, _dtype(x))
    first, last = K.getitem(edges, slice(None, -1)), K.getitem(edges, slice(1, None))
    column = K.expand_dims(x, -1)
    inside = K.logical_and(column >= first, column < last)
    at_end = K.logical_and(K.equal(column, K.getitem(edges, -1)), K.equal(last, K.getitem(edges, -1)))
    return K.sum(K.cast(K.logical_or(inside, at_end), _dtype(x)), axis=0), edges


# Correlation ---------------------------------------------------------------------------------------------------


@full_precision
def corrcoef(x: Any) -> Any:
    """The coefficients of correlation of the rows.

    Args:
        x: matrix: a variable in each row, an observation in each column.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.corrcoef(np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))).round(3))
        [[1. 1.]
         [1. 1.]]
    """
    x = _as_float(x)
    x = x if len(x.shape) > 1 else K.expand_dims(x, 0)
    off = x - K.mean(x, axis=-1, keepdims=True)
    covariance = K.dot(off, K.transpose(off))
    deviation = K.square_root(K.sum(off * off, axis=-1))
    found = covariance / (K.expand_dims(deviation, -1) * deviation)
    found = K.clip(found, -1.0, 1.0)
    return K.reshape(found, ()) if found.shape == (1, 1) else found


@full_precision
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Sums of products of one vector with another that is moved along it.

    Args:
        x1: vector.
        x2: vector.
        mode: 'valid' where both overlap whole, 'same' for as many as the longer one has, 'full' for every overlap.

    Example:
        >>> from keras_front import ops
        >>> ops.correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0])).tolist()
        [2.0, 3.0]
    """
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"correlate: expected mode 'valid', 'same' or 'full', received {mode!r}.")
    x1, x2 = _as_float(x1), _as_float(x2)
    swapped = x1.shape[0] < x2.shape[0]
    long, short = (x2, x1) if swapped else (x1, x2)
    n, m = _whole(long, 0, "correlate"), _whole(short, 0, "correlate")
    left = m - 1
    if mode != "valid":
        long = K.pad(long, ((left, left),))
    rows = K.gather(long, np.arange(long.shape[0] - m + 1)[:, None] + np.arange(m))
    found = K.sum(rows * short, axis=-1)
    found = numpy_names.flip(found) if swapped else found
    if mode != "same":
        return found
    start = (m - 1) // 2 + (1 if swapped and not m % 2 else 0) if swapped else m // 2
    return K.getitem(found, slice(start, start + n))


@full_precision
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule.

    Args:
        y: values of the function.
        x: where they are; None: at equal distances.
        dx: that distance.
        axis: along which axis.

    Example:
        >>> from keras_front import ops
        >>> float(ops.trapezoid(np.array([1.0, 2.0, 3.0])))
        4.0
    """
    y = numpy_names.moveaxis(_as_float(y), axis, -1)
    means = (K.getitem(y, (..., slice(1, None))) + K.getitem(y, (..., slice(None, -1)))) * 0.5
    if x is None:
        return K.sum(means, axis=-1) * dx
    x = _as_float(x)
    x = x if len(x.shape) == 1 else numpy_names.moveaxis(x, axis, -1)
    return K.sum(means * numpy_names.diff(x), axis=-1)


# Without NaN ---------------------------------------------------------------------------------------------------


@full_precision
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nansum(np.array([np.nan, 1.0, 3.0])))
        4.0
    """
    return K.sum(_filled(x, 0), axis=axis, keepdims=keepdims)


@full_precision
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanprod(np.array([np.nan, 2.0, 3.0])))
        6.0
    """
    return K.prod(_filled(x, 1), axis=axis, keepdims=keepdims)


@full_precision
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest of the elements that are numbers; NaN if there is none.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanmax(np.array([np.nan, 1.0, 3.0])))
        3.0
    """
    return _unless_all_missing(x, K.max(_filled(x, -np.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@full_precision
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest of the elements that are numbers; NaN if there is none.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanmin(np.array([np.nan, 1.0, 3.0])))
        1.0
    """
    return _unless_all_missing(x, K.min(_filled(x, np.inf), axis=axis, keepdims=keepdims), axis, keepdims)


@full_precision
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanmean(np.array([np.nan, 1.0, 3.0])))
        2.0
    """
    return nansum(_as_float(x), axis, keepdims) / _count(x, axis, keepdims)


@full_precision
def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The variance of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanvar(np.array([np.nan, 1.0, 3.0])))
        1.0
    """
    off = _as_float(x) - nanmean(x, axis, True)
    return nanmean(off * off, axis, keepdims)


@full_precision
def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The standard deviation of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, to reduce; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanstd(np.array([np.nan, 1.0, 3.0])))
        1.0
    """
    return K.square_root(nanvar(x, axis, keepdims))


@full_precision
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sums of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.
        dtype: the type in which they are added, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> ops.nancumsum(np.array([2.0, np.nan, 3.0])).tolist()
        [2.0, 2.0, 5.0]
    """
    x = _filled(x, 0)
    return numpy_names.cumsum(x if dtype is None else K.cast(x, dtype), axis)


@full_precision
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running products of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: over all elements, as one axis.
        dtype: the type in which they are multiplied, by default that of `x`.

    Example:
        >>> from keras_front import ops
        >>> ops.nancumprod(np.array([2.0, np.nan, 3.0])).tolist()
        [2.0, 2.0, 6.0]
    """
    x = _filled(x, 1)
    return numpy_names.cumprod(x if dtype is None else K.cast(x, dtype), axis)


@full_precision
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the largest of the elements that are numbers; -1 if there is none.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: among all elements, counted row by row.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> int(ops.nanargmax(np.array([np.nan, 1.0, 3.0])))
        2
    """
    return _place_of(numpy_names.argmax, x, -np.inf, axis, keepdims)


@full_precision
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the smallest of the elements that are numbers; -1 if there is none.

    Args:
        x: tensor, array or number.
        axis: along which axis; None: among all elements, counted row by row.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> int(ops.nanargmin(np.array([np.nan, 1.0, 3.0])))
        1
    """
    return _place_of(numpy_names.argmin, x, np.inf, axis, keepdims)


@full_precision
def nanquantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The values below which given parts of the elements lie that are numbers.

    Args:
        x: tensor, array or number.
        q: the parts, from 0 to 1; a number or several.
        axis: the axis, or axes, over which; None for all elements.
        method: what is returned between two elements; see `quantile`.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanquantile(np.array([np.nan, 1.0, 3.0]), 0.5))
        2.0
    """
    x = _as_float(x)
    rows, kept = _rows(x, axis)
    ordered = K.sort(_filled(rows, np.inf), axis=-1)
    count = K.sum(K.cast(K.logical_not(K.isnan(rows)), _dtype(x)), axis=-1, keepdims=True)
    parts = np.asarray(K.to_numpy(q), "float64")
    places = array(parts.reshape(-1), _dtype(x)) * (count - 1)
    low, high, weight = _neighbours(method, places, K)
    below, above = (K.take_along_axis(ordered, K.cast(K.maximum(i, 0), "int32"), axis=-1) for i in (low, high))
    step = K.where(K.equal(low, high), 0, above - below)
    found = K.where(K.equal(count, 0), np.nan, below + step * weight)
    return _laid_out(found, parts, kept if keepdims else None)


@full_precision
def nanpercentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The values below which given percentages of the elements lie that are numbers.

    Args:
        x: tensor, array or number.
        q: the percentages, from 0 to 100; a number or several.
        axis: the axis, or axes, over which; None for all elements.
        method: what is returned between two elements; see `quantile`.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanpercentile(np.array([np.nan, 1.0, 3.0]), 50))
        2.0
    """
    return nanquantile(x, np.asarray(K.to_numpy(q), "float64") / 100, axis, method, keepdims)


@full_precision
def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle one of the elements that are numbers.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, over which; None for all elements.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.nanmedian(np.array([np.nan, 1.0, 3.0])))
        2.0
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


def _as_float(x: Any) -> Any:
    x = as_symbol_or_tensor(x)
    return x if dtypes.is_float(_dtype(x)) else K.cast(x, dtypes.canonical(None))


def _filled(x: Any, value: float) -> Any:
    x = as_symbol_or_tensor(x)
    return K.where(K.isnan(x), value, x) if dtypes.is_float(_dtype(x)) else x


def _count(x: Any, axis: Axis, keepdims: bool) -> Any:
    x = _as_float(x)
    return K.sum(K.cast(K.logical_not(K.isnan(x)), _dtype(x)), axis=axis, keepdims=keepdims)


def _unless_all_missing(x: Any, found: Any, axis: Axis, keepdims: bool) -> Any:
    x = as_symbol_or_tensor(x)
    if not dtypes.is_float(_dtype(x)):
        return found
    return K.where(K.all(K.isnan(x), axis=axis, keepdims=keepdims), np.nan, found)


def _place_of(find: Callable[..., Any], x: Any, missing: float, axis: int | None, keepdims: bool) -> Any:
    x = as_symbol_or_tensor(x)
    found = find(_filled(x, missing), axis=axis, keepdims=keepdims)
    if not dtypes.is_float(_dtype(x)):
        return found
    return K.where(K.all(K.isnan(x), axis=axis, keepdims=keepdims), K.cast(-1, _dtype(found)), found)


def _rows(x: Any, axis: Axis) -> tuple[Any, tuple[Any, ...]]:
    """The elements over which a function goes as the last axis, and the shape with axes of size 1 in their place."""
    rank = len(x.shape)
    axes = shapes.normalize_axes(axis, rank)
    rest = [i for i in range(rank) if i not in axes]
    moved = K.permute_dimensions(x, (*rest, *axes)) if rank else x
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    outer = tuple(moved.shape[: len(rest)])
    if outer.count(None) > 1:
        outer = tuple(K.getitem(K.shape(moved), i) if n is None else n for i, n in enumerate(outer))
        return K.reshape(moved, (*outer, -1)), kept
    inner = [_whole(x, a, "quantile") for a in axes]
    return K.reshape(moved, (*(-1 if n is None else n for n in outer), int(np.prod(inner, dtype=int)))), kept
