"""Pooling in jax.numpy, with gradients that cost less than those of `lax.reduce_window`."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_front.backend import shapes


def max_pool(x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
    """The op `max_pool`."""
    return _max_pool(x, *_windows(x, pool_size, strides, padding, data_format))


def average_pool(x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
    """The op `average_pool`."""
    windows = _windows(x, pool_size, strides, padding, data_format)
    if pool_size == strides and padding == "valid":  # much cheaper to differentiate than lax.reduce_window
        return _block_mean(x, windows[0])
    zero = np.zeros((), x.dtype)
    total = lax.reduce_window(x, zero, lax.add, *windows)
    if all(pair == (0, 0) for pair in windows[-1]):
        return total / np.asarray(np.prod(pool_size), x.dtype)
    channel = x.ndim - 1 if data_format == "channels_last" else 1
    ones = np.ones([1 if axis in (0, channel) else size for axis, size in enumerate(x.shape)], x.dtype)
    return total / lax.reduce_window(ones, zero, lax.add, *windows)


def _windows(x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
    """Window, strides and padding over all axes of a batch of images."""
    space, ones = shapes.spatial(x.shape, data_format), (1,) * len(pool_size)
    pairs = shapes.resolve_padding(padding, space, pool_size, strides, ones)
    head = 1 if data_format == "channels_last" else 2
    tail = x.ndim - len(pool_size) - head
    return (
        (*(1,) * head, *pool_size, *(1,) * tail),
        (*(1,) * head, *strides, *(1,) * tail),
        (*((0, 0),) * head, *pairs, *((0, 0),) * tail),
    )


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def _max_pool(x: Any, window: Any, strides: Any, pairs: Any) -> Any:
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, window, strides, pairs)


@_max_pool.defjvp
def _max_pool_tangent(window: Any, strides: Any, pairs: Any, primals: Any, tangents: Any) -> Any:
    """A choice between slices, whose gradient costs a twentieth of that of `lax.reduce_window` on a CPU.

    The values do not come from there: XLA would compute what stands before the slices once for each of them.
    """
    tangent = jax.jvp(lambda x: _max_of_slices(x, window, strides, pairs), primals, tangents)[1]
    return _max_pool(*primals, window, strides, pairs), tangent


def _max_of_slices(x: Any, window: Any, strides: Any, pairs: Any) -> Any:
    """One axis after the other, the last one first, so that the gradient goes to the first of equal maxima."""
    for axis, (size, step) in reversed(list(enumerate(zip(window, strides)))):
        if (size, step) != (1, 1):
            x = _first_largest(_window_parts(x, axis, size, step, pairs[axis], _lowest(x.dtype)))
    return x


def _lowest(dtype: Any) -> np.ndarray:
    return np.asarray(-np.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min, dtype)


def _window_parts(x: Any, axis: int, window: int, step: int, pair: Any, filling: Any) -> list[Any]:
    """The first, second, ... elements of the windows along an axis."""
    out = shapes.windows(x.shape[axis], window, step, pair)
    missing = (out - 1) * step + window - x.shape[axis] - pair[0]  # below 0: what no window reaches is cut off
    if pair[0] or missing:
        x = lax.pad(x, filling, [(pair[0], missing, 0) if i == axis else (0, 0, 0) for i in range(x.ndim)])
    if step == window:
        blocks = x.reshape(*x.shape[:axis], out, window, *x.shape[axis + 1 :])
        return [lax.index_in_dim(blocks, i, axis + 1, keepdims=False) for i in range(window)]
    return [lax.slice_in_dim(x, i, i + (out - 1) * step + 1, step, axis) for i in range(window)]


def _first_largest(parts: list[Any]) -> Any:
    """The maximum of several tensors, NaN if one is; equal ones count for the first."""
    largest, *others = parts
    for part in others:
        largest = jnp.where((largest >= part) | (largest != largest), largest, part)
    return largest


def _block_mean(x: Any, window: Any) -> Any:
    whole = lax.slice(x, [0] * x.ndim, [n // w * w for n, w in zip(x.shape, window)])
    blocks = whole.reshape([d for n, w in zip(x.shape, window) for d in (n // w, w)])
    return jnp.mean(blocks, tuple(range(1, blocks.ndim, 2)), x.dtype)
