"""Fourier transforms and frames of signals, as Keras 3 names them: complex tensors are pairs (real, imag)."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.operands import as_symbol_or_tensor, window_factors
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError

from .arrays import _dtype, _whole, array

Pair = tuple[Any, Any]


def _pair(name: str, x: Any, imag: Any = None) -> Pair:
    """The two parts, given as a pair or one by one."""
    if imag is None and isinstance(x, list | tuple) and len(x) == 2:
        x, imag = x
    if imag is None:
        raise ArgumentError(f"{name}: expected a pair (real, imag), received {type(x).__name__}.")
    return as_symbol_or_tensor(x), as_symbol_or_tensor(imag)


@full_precision
def fft(x: Any, imag: Any = None, axis: int = -1) -> Pair:
    """The discrete Fourier transform along an axis.

    Args:
        x: pair (real, imag), or the real part.
        imag: the imaginary part, if it is not in the pair.
        axis: along which axis.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.fft((np.array([1.0, 0.0]), np.zeros(2)))]
        [[1.0, 1.0], [0.0, 0.0]]
    """
    return tuple(K.fft(*_pair("fft", x, imag), axis=axis))  # type: ignore[return-value]


@full_precision
def ifft(x: Any, imag: Any = None, axis: int = -1) -> Pair:
    """The inverse of `fft`.

    Args:
        x: pair (real, imag), or the real part.
        imag: the imaginary part, if it is not in the pair.
        axis: along which axis.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.ifft((np.array([2.0, 0.0]), np.zeros(2)))]
        [[1.0, 1.0], [0.0, 0.0]]
    """
    return tuple(K.ifft(*_pair("ifft", x, imag), axis=axis))  # type: ignore[return-value]


@full_precision
def fft2(x: Any) -> Pair:
    """The discrete Fourier transform along the last two axes.

    Args:
        x: pair (real, imag).

    Example:
        >>> from keras_front import ops
        >>> [tuple(part.shape) for part in ops.fft2((np.ones((4, 4)), np.zeros((4, 4))))]
        [(4, 4), (4, 4)]
    """
    return tuple(K.fft(*K.fft(*_pair("fft2", x), axis=-1), axis=-2))  # type: ignore[return-value]


@full_precision
def ifft2(x: Any) -> Pair:
    """The inverse of `fft2`.

    Args:
        x: pair (real, imag).

    Example:
        >>> from keras_front import ops
        >>> [tuple(part.shape) for part in ops.ifft2((np.ones((4, 4)), np.zeros((4, 4))))]
        [(4, 4), (4, 4)]
    """
    return tuple(K.ifft(*K.ifft(*_pair("ifft2", x), axis=-1), axis=-2))  # type: ignore[return-value]


def _of_length(x: Any, length: int | None) -> Any:
    """The last axis cut, or filled up with zeros."""
    size = _whole(x, -1, "rfft")
    if length is None or length == size:
        return x
    if length < size:
        return K.getitem(x, (..., slice(0, length)))
    return K.pad(x, (*((0, 0),) * (len(x.shape) - 1), (0, length - size)))


@full_precision
def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """The first half of the Fourier transform of real signals, along the last axis.

    Args:
        x: real tensor.
        fft_length: the length to which signals are cut or filled up with zeros; None: as they are.

    Example:
        >>> from keras_front import ops
        >>> [part.tolist() for part in ops.rfft(np.ones(4))]
        [[4.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return tuple(K.rfft(_of_length(as_symbol_or_tensor(x), fft_length)))  # type: ignore[return-value]


@full_precision
def irfft(x: Any, imag: Any = None, n: int | None = None, axis: int = -1, fft_length: int | None = None) -> Any:
    """The real signals whose `rfft` is given.

    Args:
        x: pair (real, imag), or the real part.
        imag: the imaginary part, if it is not in the pair. A number, or None after a pair, is `fft_length`.
        n: another name of `fft_length`, as `keras_front.backend` has it.
        axis: along which axis.
        fft_length: the length of the signals; None: twice the number of points less 2.

    Example:
        >>> from keras_front import ops
        >>> ops.irfft((np.array([4.0, 0.0, 0.0]), np.zeros(3))).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    if isinstance(imag, int):
        imag, fft_length = None, imag
    real, imag = _pair("irfft", x, imag)
    length = n if fft_length is None else fft_length
    if length is not None and axis in (-1, len(real.shape) - 1):
        real, imag = (_of_length(part, length // 2 + 1) for part in (real, imag))
    return K.irfft(real, imag, n=length, axis=axis)


@full_precision
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Frames of signals along the last axis.

    Args:
        x: tensor (..., samples).
        sequence_length: samples of a frame.
        sequence_stride: samples from one frame to the next.

    Shape: (..., frames, sequence_length)

    Example:
        >>> from keras_front import ops
        >>> ops.extract_sequences(np.arange(5), 3, 1).tolist()
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    """
    x = as_symbol_or_tensor(x)
    frames = (_whole(x, -1, "extract_sequences") - sequence_length) // sequence_stride + 1
    places = np.arange(max(frames, 0))[:, None] * sequence_stride + np.arange(sequence_length)
    return K.gather(x, places.astype("int32"), axis=-1)


def _window(window: Any, length: int, total: int) -> np.ndarray:
    """A window of `length` samples in the middle of `total`."""
    if window is None:
        values = np.ones(length)
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ArgumentError(f"stft: expected a window 'hann', 'hamming', an array or None, received {window!r}.")
        values = (np.hanning if window == "hann" else np.hamming)(length + 1)[:-1]
    else:
        on_host = isinstance(window, np.ndarray | list | tuple)
        values = window_factors(window if on_host else K.to_numpy(window), length)
    left = (total - length) // 2
    return np.pad(values, (left, total - length - left))


@full_precision
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> Pair:
    """The Fourier transforms of the frames of real signals.

    Args:
        x: tensor (..., samples).
        sequence_length: samples of a frame.
        sequence_stride: samples from one frame to the next.
        fft_length: points of a transform, at least as many as samples of a frame.
        window: factors of the samples: 'hann', 'hamming', an array, or None for ones.
        center: whether the first frame is centred on the first sample; signals are mirrored at their ends.

    Shape: twice (..., frames, fft_length // 2 + 1)

    Example:
        >>> from keras_front import ops
        >>> [tuple(part.shape) for part in ops.stft(np.ones(16), 8, 4, 8)]
        [(5, 5), (5, 5)]
    """
    x = as_symbol_or_tensor(x)
    if fft_length < sequence_length:
        raise ArgumentError(f"stft: expected fft_length of at least {sequence_length}, received {fft_length}.")
    if center:
        half, size = fft_length // 2, _whole(x, -1, "stft")
        x = K.gather(x, np.pad(np.arange(size), half, mode="reflect").astype("int32"), axis=-1)
    frames = extract_sequences(x, fft_length, sequence_stride)
    return rfft(frames * array(_window(window, sequence_length, fft_length), _dtype(x)))


@full_precision
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The signals whose `stft` is given: frames are added where they overlap, and divided by the windows.

    Args:
        x: pair (real, imag), each (..., frames, points).
        sequence_length: samples of a frame.
        sequence_stride: samples from one frame to the next.
        fft_length: points of a transform.
        length: how many samples to return; None for all.
        window: factors of the samples; see `stft`.
        center: whether the first frame is centred on the first sample.

    Source: Griffin & Lim (1984).

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.istft(ops.stft(np.ones(16), 8, 4, 8), 8, 4, 8).shape)
        (16,)
    """
    frames = irfft(x, fft_length=fft_length)
    weights = _window(window, sequence_length, fft_length)
    count = _whole(frames, -2, "istft")
    total = fft_length + sequence_stride * (count - 1)
    places = (np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)).reshape(-1).astype("int64")
    norm = np.bincount(places, np.tile(weights**2, count), total)
    weighted = frames * array(weights, _dtype(frames))
    outer = tuple(-1 if n is None else n for n in weighted.shape[:-2])
    added = K.scatter_add(K.reshape(weighted, (*outer, count * fft_length)), places, total, axis=-1)
    signal = added / array(np.where(norm > 1e-10, norm, 1.0), _dtype(frames))
    start = fft_length // 2 if center else 0
    stop = total - start if length is None else start + length
    return K.getitem(signal, (..., slice(start, stop)))
