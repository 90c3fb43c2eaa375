"""Fourier transforms. Complex numbers travel as pairs (real part, imaginary part) of real tensors.

The bodies are products with the matrix of the transform, which any engine can do; those with a fast transform override
them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.backend.declare import Axis, Tensor, composite
from keras_front.backend.ops.arrangement import concatenate, flip, pad, permute_dimensions, strided_slice, zeros_like
from keras_front.backend.ops.elementwise import add, multiply, negative, subtract
from keras_front.backend.ops.linear import dot
from keras_front.errors import ShapeError


def length(x: Any, axis: int) -> int:
    """The number of points along `axis`. Raises: ShapeError if it is unknown."""
    n = x.shape[shapes.normalize_axis(axis, len(x.shape))]
    if n is None:
        raise ShapeError(f"a Fourier transform needs a known length; axis {axis} of {tuple(x.shape)} has none.")
    return int(n)


def _matrices(x: Any, axis: int) -> tuple[np.ndarray, np.ndarray]:
    n, dtype = length(x, axis), dtypes.canonical(x.dtype)
    turns = 2 * np.pi * (np.outer(np.arange(n), np.arange(n)) % max(n, 1)) / max(n, 1)
    return np.cos(turns).astype(dtype), -np.sin(turns).astype(dtype)


def _along_last(x: Any, axis: int) -> Any:
    place, n = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    return x if place == n - 1 else permute_dimensions(x, (*(i for i in range(n) if i != place), place))


def _back(x: Any, axis: int) -> Any:
    place, n = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    return x if place == n - 1 else permute_dimensions(x, (*range(place), n - 1, *range(place, n - 1)))


@composite(floats=True)
def fft(real: Tensor, imag: Tensor, axis: Axis = -1):
    """The discrete Fourier transform along `axis`: (real, imag) of `sum_k x_k exp(-2 pi i j k / n)`.

    Args:
        real: the real parts; integers become floats first.
        imag: the imaginary parts.
        axis: the axis of the points, whose number must be known.

    Returns: two float tensors of the shape of `real`.

    Raises:
        ShapeError: the number of points is unknown.

    Example:
        >>> real, imag = K.fft(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4))
        >>> real.tolist(), imag.tolist()
        ([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0])
    """
    cosines, sines = _matrices(real, axis)
    a, b = _along_last(real, axis), _along_last(imag, axis)
    return (
        _back(subtract(dot(a, cosines), dot(b, sines)), axis),
        _back(add(dot(a, sines), dot(b, cosines)), axis),
    )


@composite(floats=True)
def ifft(real: Tensor, imag: Tensor, axis: Axis = -1):
    """The inverse of `fft`, with the factor 1/n: (real, imag).

    Args:
        real: the real parts; integers become floats first.
        imag: the imaginary parts.
        axis: the axis of the points, whose number must be known.

    Returns: two float tensors of the shape of `real`.

    Example:
        >>> real, imag = K.ifft(np.array([4.0, 0.0, 0.0, 0.0]), np.zeros(4))
        >>> real.tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    n = length(real, axis)
    a, b = fft(real, negative(imag), axis=axis)
    return multiply(a, 1 / n), multiply(b, -1 / n)


@composite(floats=True)
def rfft(x: Tensor, axis: Axis = -1):
    """The first n // 2 + 1 points of the Fourier transform of a real signal: (real, imag).

    Args:
        x: the signal; integers become floats first.
        axis: the axis of the points, whose number must be known.

    Returns: two float tensors, of size n // 2 + 1 along `axis`.

    Example:
        >>> real, imag = K.rfft(np.array([1.0, 1.0, 1.0, 1.0]))
        >>> real.tolist()
        [4.0, 0.0, 0.0]
    """
    n = length(x, axis)
    real, imag = fft(x, zeros_like(x), axis=axis)
    return _cut(real, axis, 0, n // 2 + 1), _cut(imag, axis, 0, n // 2 + 1)


@composite(floats=True)
def irfft(real: Tensor, imag: Tensor, n=None, axis: Axis = -1):
    """The real signal whose `rfft` is (real, imag).

    Args:
        real: the real parts of the points.
        imag: their imaginary parts; those at the ends that no real signal has are ignored.
        n: the number of points of the signal; None: an even number, 2 (m - 1) for m points.
        axis: the axis of the points, whose number must be known.

    Returns: a float tensor, of size n along `axis`.

    Example:
        >>> K.irfft(np.array([4.0, 0.0, 0.0]), np.zeros(3)).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    m = length(real, axis)
    n = 2 * (m - 1) if n is None else int(n)
    kept = min(m, n // 2 + 1)
    real, imag = _cut(real, axis, 0, kept), _cut(imag, axis, 0, kept)
    if kept < n // 2 + 1:
        place = shapes.normalize_axis(axis, len(real.shape))
        more = tuple((0, n // 2 + 1 - kept if i == place else 0) for i in range(len(real.shape)))
        real, imag = pad(real, more), pad(imag, more)
    place = shapes.normalize_axis(axis, len(real.shape))
    mirror_real, mirror_imag = (flip(_cut(t, axis, 1, (n + 1) // 2), (place,)) for t in (real, imag))
    edges = np.ones(n // 2 + 1, dtypes.canonical(imag.dtype))
    edges[[0, -1] if n % 2 == 0 else [0]] = 0  # an imaginary part at the ends cannot come from a real signal
    wide = edges.reshape([-1 if i == place else 1 for i in range(len(real.shape))])
    whole = concatenate([real, mirror_real], axis=axis)
    return ifft(whole, concatenate([multiply(imag, wide), negative(mirror_imag)], axis=axis), axis=axis)[0]


def _cut(x: Any, axis: int, start: int, stop: int) -> Any:
    place, n = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    head = tuple(start if i == place else None for i in range(n))
    return strided_slice(x, head, tuple(stop if i == place else None for i in range(n)), (1,) * n)
