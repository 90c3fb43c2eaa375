"""Gathering rows and adding them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend.ops.indexing import check_range


def gather(reference: np.ndarray, indices: np.ndarray, axis: int, out: np.ndarray | None = None) -> np.ndarray:
    """Slices of `reference` at `indices`; NumPy's own check would copy the result once more."""
    check_range(indices, reference.shape[axis])
    return reference.take(indices, axis, out, "clip")


def scatter_add(updates: np.ndarray, indices: np.ndarray, axis: int, out: np.ndarray) -> np.ndarray:
    """Zeros, to whose slices at `indices` the updates are added: sorted, joined run by run, then placed once.

    `np.add.at` takes twice as long on the embedding of a text model.
    """
    check_range(indices, out.shape[axis])
    out.fill(0)
    count = indices.size
    if not count or not updates.size:
        return out
    lead, rest = updates.shape[:axis], updates.shape[axis + indices.ndim :]
    rows = updates.reshape(*lead, count, *rest)
    order = indices.reshape(-1).argsort(kind="stable")
    ordered = indices.reshape(-1)[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sums = np.add.reduceat(rows.take(order, axis), starts, axis=axis, dtype=out.dtype)
    out[(slice(None),) * axis + (ordered[starts],)] = sums
    return out


def strided_index(start: Any, stop: Any, step: Any) -> tuple[slice, ...]:
    """The slices of a `strided_slice`."""
    return tuple(slice(a, b, s) for a, b, s in zip(start, stop, step, strict=True))


def pad_places(shape: Any, padding: Any, interior: Any) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """(target, source): where the elements of an array of `shape` lie in the padded one. Negative amounts cut off."""
    target, source = [], []
    for n, (low, high), gap in zip(shape, padding, interior or (0,) * len(shape), strict=True):
        step = 1 + gap
        size = low + max(0, (n - 1) * step + 1 if n else 0) + high
        first = max(0, -(low // step)) if low < 0 else 0
        start = low + first * step
        if first >= n or start >= size:
            return (slice(0, 0),) * len(shape), (slice(0, 0),) * len(shape)
        count = min(n - first, (size - 1 - start) // step + 1)
        target.append(slice(start, start + (count - 1) * step + 1, step))
        source.append(slice(first, first + count))
    return tuple(target), tuple(source)


def pad(x: np.ndarray, padding: Any, interior: Any, out: np.ndarray) -> np.ndarray:
    """`x` placed in `out`, which is filled already."""
    target, source = pad_places(x.shape, padding, interior)
    out[target] = x[source]
    return out
