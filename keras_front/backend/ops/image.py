"""Images: resizing and patches.

Resizing maps pixel centres (the "half pixel" convention of TensorFlow 2, PyTorch's `align_corners=False` and JAX):
output i looks at `(i + 0.5) * size / new_size - 0.5`. Along each axis it is one product with a matrix of weights, so it
needs no primitive and has the same numbers on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import config
from keras_front.backend import dtypes, shapes
from keras_front.backend.declare import Dims, Tensor, composite
from keras_front.backend.ops.arrangement import (
    _size,
    _sizes,
    broadcast_to,
    concatenate,
    pad,
    permute_dimensions,
    reshape,
    shape_only,
    strided_slice,
)
from keras_front.backend.ops.elementwise import cast
from keras_front.backend.ops.indexing import gather
from keras_front.backend.ops.linear import dot, matmul
from keras_front.errors import ArgumentError, ShapeError

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _linear(distance: np.ndarray) -> np.ndarray:
    return np.maximum(0.0, 1 - distance)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """The interpolation kernel of Keys (1981) with a = -0.5."""
    d = distance
    near = ((1.5 * d - 2.5) * d) * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _lanczos(distance: np.ndarray, radius: int) -> np.ndarray:
    """A sinc windowed by a wider one.

    Source: Duchon (1979).
    """
    return np.where(distance < radius, np.sinc(distance) * np.sinc(distance / radius), 0.0)


def _mitchell(distance: np.ndarray) -> np.ndarray:
    """The kernel of Mitchell and Netravali (1988) with B = C = 1 / 3, which smooths."""
    d = distance
    near = ((7 / 6 * d - 2) * d) * d + 8 / 9
    far = ((-7 / 18 * d + 2) * d - 10 / 3) * d + 16 / 9
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


# The weight of a pixel by its distance, in pixels. Keys' constant is that of TensorFlow and JAX; PyTorch has -0.75.
# Those that `resize` offers are in `INTERPOLATIONS`.
KERNELS = {
    "bilinear": _linear,
    "bicubic": _cubic,
    "lanczos3": lambda distance: _lanczos(distance, 3),
    "lanczos5": lambda distance: _lanczos(distance, 5),
    "gaussian": lambda distance: np.where(distance < 1.5, np.exp(-2 * distance**2), 0.0),
    "mitchellcubic": _mitchell,
}


def resize_weights(size: int, new_size: int, interpolation: str, antialias: bool = False) -> np.ndarray:
    """The matrix (size, new_size) that resizes one axis; each column sums to 1.

    With `antialias` the kernel of a smaller result is as wide as its pixels are.
    """
    place = (np.arange(new_size) + 0.5) * (size / new_size) - 0.5
    if interpolation == "bilinear":
        place = np.clip(place, 0, size - 1) if not antialias else place
    width = max(1.0, size / new_size) if antialias else 1.0
    weights = KERNELS[interpolation](np.abs(np.arange(size)[:, None] - place[None]) / width)
    return weights / weights.sum(0)


def nearest_places(size: int, new_size: int) -> np.ndarray:
    """Where along an axis each element of the resized one is taken from."""
    return np.minimum(np.floor((np.arange(new_size) + 0.5) * (size / new_size)), size - 1).astype("int32")


def _axes(x: Any, data_format: str) -> range:
    ndim = len(x.shape)
    return range(1, ndim - 1) if data_format == "channels_last" else range(2, ndim)


@composite
def resize(x: Tensor, size: Dims, interpolation="nearest", data_format=None, antialias=False):
    """Images (or sequences, or volumes) brought to `size`; pixels are looked up between their centres.

    Args:
        x: images with a batch and a channel axis.
        size: the new length of each spatial axis.
        interpolation: 'nearest', 'bilinear' (linear along each axis), 'bicubic', 'lanczos3' or 'lanczos5'; the result
            of all but 'nearest' is a float.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        antialias: whether a smaller result takes all pixels into account.

    Shape: (batch, spatial..., channels) -> (batch, *size, channels).

    Raises:
        ArgumentError: the interpolation is unknown, or `size` has not a number for each spatial axis.

    Source: Keys (1981) for 'bicubic', Duchon (1979) for 'lanczos'.

    Example:
        >>> K.resize(np.arange(2.0).reshape(1, 2, 1, 1), (4, 1)).tolist()
        [[[[0.0]], [[0.0]], [[1.0]], [[1.0]]]]
    """
    data_format = config.normalize_data_format(data_format)
    axes = _axes(x, data_format)
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(
            f"resize: interpolation: expected one of {', '.join(INTERPOLATIONS)}, received {interpolation!r}."
        )
    if len(size) != len(axes):
        raise ArgumentError(f"resize: expected {len(axes)} sizes for shape {tuple(x.shape)}, received {tuple(size)}.")
    if None in [x.shape[a] for a in axes]:
        return shape_only(x, _resized(x.shape, axes, size), _result_dtype(x, interpolation), "resize")
    for axis, n in zip(axes, size, strict=True):
        x = _resize_axis(x, axis, n, interpolation, antialias)
    return x


def _resized(shape: Any, axes: Sequence[int], size: Sequence[Any]) -> tuple[Any, ...]:
    """A shape with new sizes along some axes."""
    new = dict(zip(axes, size, strict=True))
    return tuple(new.get(i, d) for i, d in enumerate(shape))


def _result_dtype(x: Any, interpolation: str) -> str:
    dtype = dtypes.canonical(x.dtype)
    return dtype if interpolation == "nearest" else dtypes.as_float(dtype)


def _resize_axis(x: Any, axis: int, n: int, interpolation: str, antialias: bool) -> Any:
    old = x.shape[axis]
    if old == n:
        return x
    if interpolation == "nearest":
        return gather(x, nearest_places(old, n), axis=axis)
    dtype = _result_dtype(x, interpolation)
    order = (*(i for i in range(len(x.shape)) if i != axis), axis)
    weights = resize_weights(old, n, interpolation, antialias).astype("float32" if dtype == "bfloat16" else dtype)
    moved = dot(permute_dimensions(cast(x, dtype), order), weights)
    return permute_dimensions(moved, tuple(int(i) for i in np.argsort(order)))


def _enlarged(x: Any, factors: Sequence[int], data_format: Any, interpolation: str) -> Any:
    data_format = config.normalize_data_format(data_format)
    if len(x.shape) != len(factors) + 2:
        raise ShapeError(f"Expected a tensor of {len(factors) + 2} dimensions, received shape {tuple(x.shape)}.")
    if not all(isinstance(n, int | np.integer) and n > 0 for n in factors):
        raise ArgumentError(f"Expected positive integers as factors, received {tuple(factors)}.")
    if interpolation == "nearest":
        return _repeated(x, _axes(x, data_format), factors)
    axes = _axes(x, data_format)
    sizes = tuple(None if x.shape[a] is None else x.shape[a] * f for a, f in zip(axes, factors))
    if None in sizes:
        return shape_only(x, _resized(x.shape, axes, sizes), _result_dtype(x, interpolation), "resize")
    return resize(x, sizes, interpolation, data_format)


def _repeated(x: Any, axes: Sequence[int], factors: Sequence[int]) -> Any:
    """Each element along `axes` repeated: one broadcast, one reshape."""
    times = dict(zip(axes, factors, strict=True))
    narrow: list[Any] = []
    wide: list[Any] = []
    final: list[Any] = []
    for i, d in enumerate(_sizes(x)):
        narrow += [d, 1] if i in times else [d]
        wide += [d, times[i]] if i in times else [d]
        final.append(d * times[i] if i in times else d)
    return reshape(broadcast_to(reshape(x, tuple(narrow)), tuple(wide)), tuple(final))


@composite(renamed=True)
def resize_images(x: Tensor, height_factor, width_factor, data_format, interpolation="nearest"):
    """Images enlarged by whole factors.

    Args:
        x: images with a batch and a channel axis.
        height_factor: how often each row.
        width_factor: how often each column.
        data_format: 'channels_last' or 'channels_first'; None for the configured default.
        interpolation: 'nearest' repeats pixels, 'bilinear' looks between them.

    Shape: (batch, rows, columns, channels) -> (batch, rows * height_factor, columns * width_factor, channels).

    Example:
        >>> K.resize_images(np.ones((1, 2, 2, 3)), 2, 3, "channels_last").shape
        (1, 4, 6, 3)
    """
    return _enlarged(x, (height_factor, width_factor), data_format, interpolation)


@composite(renamed=True)
def resize_volumes(x: Tensor, depth_factor, height_factor, width_factor, data_format):
    """Volumes enlarged by whole factors, each element repeated.

    Args:
        x: volumes with a batch and a channel axis.
        depth_factor: how often along the first spatial axis.
        height_factor: along the second.
        width_factor: along the third.
        data_format: 'channels_last' or 'channels_first'; None for the configured default.

    Returns: larger volumes of the dtype of x.

    Example:
        >>> tuple(K.resize_volumes(np.ones((1, 2, 2, 2, 3)), 2, 2, 1, "channels_last").shape)
        (1, 4, 4, 2, 3)
    """
    return _enlarged(x, (depth_factor, height_factor, width_factor), data_format, "nearest")


@composite
def extract_patches(x: Tensor, size: Dims, strides: Dims, padding="valid", dilation=None, data_format=None):
    """The windows of images as vectors, in the order of a kernel: (window axes..., channels).

    Args:
        x: images with a batch and a channel axis.
        size: the size of a window along each spatial axis.
        strides: the distance of windows.
        padding: 'valid' or 'same', with zeros.
        dilation: the distance of a window's elements; None for 1.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Shape: (batch, spatial..., channels) -> (batch, places..., prod(size) * channels); in 'channels_first' the vectors
    stand in axis 1 and have the order (channels, window axes...).

    Example:
        >>> tuple(K.extract_patches(np.ones((1, 4, 4, 3)), (2, 2), (2, 2)).shape)
        (1, 2, 2, 12)
    """
    data_format = config.normalize_data_format(data_format)
    first = data_format == "channels_first"
    n = len(size)
    gaps = tuple(dilation or (1,) * n)
    shapes.check_windows(len(x.shape) - 2, data_format, padding, size=size, strides=strides, dilation=gaps)
    if first:
        x = permute_dimensions(x, (0, *range(2, n + 2), 1))
    pairs = shapes.resolve_padding(padding, x.shape[1:-1], size, strides, gaps)
    if any(pair != (0, 0) for pair in pairs):
        x = pad(x, ((0, 0), *pairs, (0, 0)))
    out = [shapes.windows(d, w, s, "valid", g) for d, w, s, g in zip(x.shape[1:-1], size, strides, gaps, strict=True)]
    pieces = [_shifted(x, offset, out, strides, gaps) for offset in np.ndindex(*size)]
    patches = concatenate(pieces, axis=-1)
    if not first:
        return patches
    batch, depth = _size(x, 0), x.shape[-1]
    split = reshape(patches, (batch, *out, len(pieces), depth))
    order = (0, n + 2, n + 1, *range(1, n + 1))
    return reshape(permute_dimensions(split, order), (batch, len(pieces) * depth, *out))


def _shifted(x: Any, offset: Any, out: Sequence[Any], strides: Any, gaps: Any) -> Any:
    start = [o * g for o, g in zip(offset, gaps, strict=True)]
    stop = [a + (m - 1) * s + 1 for a, m, s in zip(start, out, strides, strict=True)]
    return strided_slice(x, (None, *start, None), (None, *stop, None), (1, *strides, 1))


@composite
def local_conv(inputs: Tensor, kernel: Tensor, kernel_size: Dims, strides: Dims, output_shape: Dims, data_format=None):
    """A convolution with another kernel at each place.

    Args:
        inputs: images with a batch and a channel axis.
        kernel: the weights, (places, prod(kernel_size) * channels, filters).
        kernel_size: the size of a window along each spatial axis.
        strides: the distance of windows.
        output_shape: how many places there are along each spatial axis.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Shape: (batch, spatial..., channels) -> (batch, *output_shape, filters).

    Example:
        >>> K.local_conv(K.ones((1, 3, 1)), K.ones((2, 2, 4)), (2,), (1,), (2,)).shape
        (1, 2, 4)
    """
    data_format = config.normalize_data_format(data_format)
    n, first = len(kernel_size), data_format == "channels_first"
    patches = extract_patches(inputs, kernel_size, strides, "valid", None, data_format)
    batch = _size(inputs, 0)
    places, width, filters = kernel.shape
    if first:
        patches = permute_dimensions(patches, (0, *range(2, n + 2), 1))
    by_place = permute_dimensions(reshape(patches, (batch, places, width)), (1, 0, 2))
    result = permute_dimensions(matmul(by_place, kernel), (1, 0, 2))
    result = reshape(result, (batch, *output_shape, filters))
    return permute_dimensions(result, (0, n + 1, *range(1, n + 1))) if first else result


@composite
def local_conv1d(inputs: Tensor, kernel: Tensor, kernel_size: Dims, strides: Dims, data_format=None):
    """`local_conv` along one axis.

    Args:
        inputs: sequences (batch, steps, channels).
        kernel: the weights, (places, kernel_size * channels, filters).
        kernel_size: the size of a window along each spatial axis.
        strides: the distance of windows.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Shape: (batch, steps, channels) -> (batch, places, filters).

    Example:
        >>> tuple(K.local_conv1d(np.ones((2, 5, 3)), np.ones((3, 9, 4)), (3,), (1,)).shape)
        (2, 3, 4)
    """
    return local_conv(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


@composite
def local_conv2d(
    inputs: Tensor, kernel: Tensor, kernel_size: Dims, strides: Dims, output_shape: Dims, data_format=None
):
    """`local_conv` over rows and columns.

    Args:
        inputs: images.
        kernel: the weights, (places, prod(kernel_size) * channels, filters).
        kernel_size: the size of a window along each spatial axis.
        strides: the distance of windows.
        output_shape: how many places there are in rows and columns.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.

    Shape: (batch, rows, columns, channels) -> (batch, *output_shape, filters).

    Example:
        >>> tuple(K.local_conv2d(np.ones((2, 4, 4, 3)), np.ones((4, 12, 5)), (2, 2), (2, 2), (2, 2)).shape)
        (2, 2, 2, 5)
    """
    return local_conv(inputs, kernel, kernel_size, strides, output_shape, data_format)
