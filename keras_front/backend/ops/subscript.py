"""`x[key]`: a tensor indexed as NumPy indexes, by slices, reshapes and at most one gather."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import dtypes, scopes, symbolic
from keras_front.backend.op import Operation, register
from keras_front.backend.ops.arrangement import _sizes, flip, reshape, strided_slice
from keras_front.backend.ops.indexing import gather
from keras_front.errors import ArgumentError, ShapeError, WrongPlaceError


def getitem(x: Any, key: Any) -> Any:
    """`x[key]`, which is how it is written.

    Args:
        x: a tensor.
        key: ints, slices, None for a new axis, Ellipsis, and one tensor or list of integers; a tuple of them, one for
            each axis from the first one on.

    Returns: a tensor, which may share memory with x.

    Raises:
        ShapeError: more keys than axes.
        WrongPlaceError: an index out of range, or of a kind that is none.
        ArgumentError: a mask of bools, or several tensors of indices at once.

    Example:
        >>> K.getitem(np.arange(6).reshape(2, 3), (slice(None), 1)).tolist()
        [1, 4]
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    ndim = len(x.shape)
    if builtins.any(k is Ellipsis for k in keys):
        place = next(i for i, k in enumerate(keys) if k is Ellipsis)
        named = builtins.sum(k is not None and k is not Ellipsis for k in keys)
        keys[place : place + 1] = [builtins.slice(None)] * (ndim - named)
    keys += [builtins.slice(None)] * (ndim - builtins.sum(k is not None for k in keys))
    if builtins.sum(k is not None for k in keys) > ndim:
        raise ShapeError(f"Index {key!r} names more dimensions than shape {tuple(x.shape)} has.")
    return _cut(x, keys)


def _integers(key: Any) -> Any:
    dtype = getattr(key, "dtype", None)
    if isinstance(key, str | float) or (dtype is not None and dtypes.canonical(dtype) in dtypes.FLOATS):
        raise WrongPlaceError(f"getitem: expected integers, slices, None or Ellipsis as index, received {key!r:.60}.")
    if isinstance(key, bool) or (dtype is not None and dtypes.canonical(dtype) == "bool"):
        raise ArgumentError(
            "getitem: a mask of bools cannot be an index, since the shape of the result would depend on its values. "
            "Use K.where(mask, x, 0), or the indices where it is true."
        )
    return key


def _cut(x: Any, keys: list[Any]) -> Any:
    """Slices first, all at once; then the axes that ints drop and None adds; then at most one gather."""
    spans, flips, gathers, kept = _read_keys(x, keys)
    if len(gathers) > 1:
        raise ArgumentError("Indexing with several tensors at once: use K.gather on one axis at a time.")
    cut = x
    if builtins.any(span != (None, None, 1) for span in spans):
        cut = strided_slice(cut, *map(tuple, zip(*spans, strict=True)))
    if flips:
        cut = flip(cut, tuple(flips))
    if gathers:
        cut = gather(cut, gathers[0][1], axis=gathers[0][0])
    if builtins.all(isinstance(k, int) or k == "gather" for k in kept):
        return cut
    return reshape(cut, tuple(_indexed_dims(cut, kept)))


def _read_keys(x: Any, keys: list[Any]) -> tuple[list[Any], list[int], list[Any], list[Any]]:
    """For each axis (start, stop, step); the axes to flip; (axis, indices) to gather; and what becomes of each key."""
    spans: list[Any] = []
    flips: list[int] = []
    gathers: list[Any] = []
    kept: list[Any] = []
    for k in keys:
        axis = len(spans)
        if k is None:
            kept.append("new")
        elif isinstance(k, builtins.slice):
            *span, back = _forward(k, x.shape[axis])
            spans.append(tuple(span))
            flips += [axis] if back else []
            kept.append(axis)
        elif isinstance(k, int | np.integer) and not isinstance(k, bool):
            _check_index(int(k), x.shape[axis], axis)
            spans.append((int(k), (int(k) + 1) or None, 1))
            kept.append("drop")
        else:
            spans.append((None, None, 1))
            gathers.append((axis, _integers(k)))
            kept.append("gather" if len(getattr(k, "shape", (0,))) else "drop_gather")
    return spans, flips, gathers, kept


def _indexed_dims(cut: Any, kept: list[Any]) -> list[Any]:
    dims, sizes, axis = [], _sizes(cut), 0
    extra = len(sizes) - builtins.sum(k not in ("new", "drop_gather") for k in kept)
    for k in kept:
        if k == "new":
            dims.append(1)
        elif k == "drop":
            axis += 1
        elif k == "gather":
            dims.extend(sizes[axis : axis + extra + 1])
            axis += extra + 1
        elif k != "drop_gather":
            dims.append(sizes[axis])
            axis += 1
    return dims


def _check_index(k: int, size: Any, axis: int) -> None:
    if size is not None and not -size <= k < size:
        raise WrongPlaceError(f"Index {k} is out of range for axis {axis} of size {size}.")


def _forward(key: Any, size: Any) -> tuple[Any, Any, int, bool]:
    """A slice as one with a positive step, and whether the result is to be flipped."""
    step = 1 if key.step is None else int(key.step)
    start, stop = (v if v is None or isinstance(v, symbolic.SymbolicTensor) else int(v) for v in (key.start, key.stop))
    if step > 0:
        return start, stop, step, False
    if size is None:
        if start is None and stop is None and step == -1:
            return None, None, 1, True
        raise ShapeError("A slice with a negative step needs a dimension of known size.")
    indices = range(*builtins.slice(start, stop, step).indices(size))
    if not len(indices):
        return 0, 0, 1, False
    return indices[-1], indices[0] + 1, -step, True


class GetItem(Operation):
    """The op behind `x[key]` on symbols: recorded whole outside a trace, so that a model shows it as one layer."""

    name, kind = "getitem", "host"

    def __call__(self, x: Any, key: Any) -> Any:
        result = getitem(x, key)
        if scopes.tracing() or not symbolic.is_symbolic(x) or _has_symbolic_bounds(key):
            return result
        key = np.asarray(key) if isinstance(key, list) and not builtins.any(map(symbolic.is_symbolic, key)) else key
        origin = symbolic.OpCall(self, (x,), {"key": nest.map_structure(_kept_key, key)})
        return symbolic.outputs_like(origin, result)

    def again(self, args: Any, attrs: Any) -> list[Any]:
        keys = attrs["key"] if isinstance(attrs["key"], list | tuple) else (attrs["key"],)
        return [getitem(args[0], tuple(Ellipsis if isinstance(k, str) else k for k in keys))]  # "Ellipsis" in files


def _kept_key(key: Any) -> Any:
    return key.copy() if isinstance(key, np.ndarray) else key


def _has_symbolic_bounds(key: Any) -> bool:
    """Whether a slice among the keys begins or ends at a symbol."""
    slices = [k for k in (key if isinstance(key, tuple) else (key,)) if isinstance(k, builtins.slice)]
    return builtins.any(symbolic.is_symbolic(bound) for k in slices for bound in (k.start, k.stop, k.step))


register(GetItem())
