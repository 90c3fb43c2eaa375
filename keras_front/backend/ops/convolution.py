"""Convolution and pooling in one to three dimensions.

Kernels are correlation kernels in `(spatial..., in, out)` order whatever the data format (decision D10). `padding` is
'valid', 'same' (the odd one goes to the end) or pairs of amounts. The gradients of a convolution are primitives
themselves: each is linear in both arguments, so together they are closed under differentiation.
"""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front.backend import shapes
from keras_front.backend.declare import Dims, Tensor, composite, primitive
from keras_front.backend.ops.arrangement import _sizes, reshape
from keras_front.errors import ArgumentError, ShapeError


@primitive(shapes.conv)
def conv(x: Tensor, kernel: Tensor, strides: Dims, padding, dilation: Dims, groups=1, data_format="channels_last"):
    """Correlation of images with a kernel (spatial..., channels / groups, filters)."""


@primitive(shapes.conv_input_gradient)
def conv_input_gradient(
    g: Tensor, kernel: Tensor, input_shape: Dims, strides: Dims, padding, dilation: Dims, groups=1,
    data_format="channels_last",
):  # fmt: skip
    """The gradient of `conv` for its input, also known as transposed convolution."""


@primitive(shapes.conv_kernel_gradient)
def conv_kernel_gradient(
    x: Tensor, g: Tensor, kernel_shape: Dims, strides: Dims, padding, dilation: Dims, groups=1,
    data_format="channels_last",
):  # fmt: skip
    """The gradient of `conv` for its kernel."""


@primitive(shapes.pool)
def max_pool(x: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The maximum of each window. Padding never wins; of equal maxima the first in the window has the gradient."""


@primitive(shapes.pool_gradient)
def max_pool_gradient(x: Tensor, g: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The gradient of `max_pool`: `g` put where the maxima of `x` are."""


@primitive(shapes.pool_pick)
def max_pool_pick(x: Tensor, y: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """Elements of `y`, of the shape of `x`, from where the maxima of the windows of `x` are."""


@primitive(shapes.pool, accumulates=True)
def average_pool(x: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The mean of each window; padding does not count."""


@primitive(shapes.average_pool_gradient, accumulates=True)
def average_pool_gradient(
    g: Tensor, input_shape: Dims, pool_size: Dims, strides: Dims, padding, data_format="channels_last"
):
    """The gradient of `average_pool`."""


# The classic functions -----------------------------------------------------------------------------------------


def _tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A size given as one number or n of them."""
    items = (value,) * n if isinstance(value, int) else tuple(int(v) for v in value)
    if len(items) == 1 and n > 1:
        items *= n
    if len(items) != n or any(v < 1 for v in items):
        raise ArgumentError(f"{name}: expected a positive integer or {n} of them, received {value!r}.")
    return items


def _padding(padding: Any, kernel: Any, dilation: tuple[int, ...], allow_causal: bool = False) -> Any:
    if padding == "causal" and allow_causal:
        return ((dilation[0] * (kernel.shape[0] - 1), 0),)
    if padding not in ("same", "valid"):
        choices = "'valid', 'same' or 'causal'" if allow_causal else "'valid' or 'same'"
        raise ArgumentError(f"padding: expected {choices}, received {padding!r}.")
    return padding


def _conv(n: int, x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any, groups: int) -> Any:
    steps, gaps = _tuple(strides, n, "strides"), _tuple(dilation, n, "dilation_rate")
    if len(x.shape) != n + 2:
        raise ShapeError(f"conv{n}d: expected an input of {n + 2} dimensions, received shape {tuple(x.shape)}.")
    padding = _padding(padding, kernel, gaps, allow_causal=n == 1)
    return conv(x, kernel, steps, padding, gaps, groups, config.normalize_data_format(data_format))


@composite
def conv1d(x: Tensor, kernel: Tensor, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1):
    """Correlation along one axis; padding 'causal' looks at the past only."""
    return _conv(1, x, kernel, strides, padding, data_format, dilation_rate, groups)


@composite
def conv2d(
    x: Tensor, kernel: Tensor, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1), groups=1
):
    """Correlation of images (batch, rows, columns, channels) with a kernel (rows, columns, channels, filters)."""
    return _conv(2, x, kernel, strides, padding, data_format, dilation_rate, groups)


@composite
def conv3d(
    x: Tensor, kernel: Tensor, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1), groups=1
):
    """Correlation of volumes with a kernel (three spatial dimensions, channels, filters)."""
    return _conv(3, x, kernel, strides, padding, data_format, dilation_rate, groups)


def _transposed(
    n: int, x: Any, kernel: Any, output_shape: Any, strides: Any, padding: Any, data_format: Any, dilation: Any
) -> Any:
    steps, gaps = _tuple(strides, n, "strides"), _tuple(dilation, n, "dilation_rate")
    data_format = config.normalize_data_format(data_format)
    padding = _padding(padding, kernel, gaps)
    batch = _sizes(x)[0]
    shape = (batch, *tuple(output_shape)[1:])
    return conv_input_gradient(x, kernel, shape, steps, padding, gaps, 1, data_format)


@composite
def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Dims,
    strides=(1, 1),
    padding="valid",
    data_format=None,
    dilation_rate=(1, 1),
):
    """Transposed convolution of images; kernel (rows, columns, filters, channels)."""
    return _transposed(2, x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@composite
def conv3d_transpose(
    x: Tensor, kernel: Tensor, output_shape: Dims, strides=(1, 1, 1), padding="valid", data_format=None,
    dilation_rate=(1, 1, 1),
):  # fmt: skip
    """Transposed convolution of volumes; kernel (three spatial dimensions, filters, channels)."""
    return _transposed(3, x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@composite
def depthwise_conv2d(
    x: Tensor, depthwise_kernel: Tensor, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)
):
    """Each channel with its own kernels; kernel (rows, columns, channels, multiplier)."""
    rows, columns, depth, multiplier = depthwise_kernel.shape
    kernel = reshape(depthwise_kernel, (rows, columns, 1, depth * multiplier))
    return _conv(2, x, kernel, strides, padding, data_format, dilation_rate, depth)


@composite
def separable_conv2d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides=(1, 1), padding="valid", data_format=None,
    dilation_rate=(1, 1),
):  # fmt: skip
    """A depthwise convolution followed by one of size 1 across channels."""
    x = depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _conv(2, x, pointwise_kernel, 1, "valid", data_format, 1, 1)


@composite
def separable_conv1d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides=1, padding="valid", data_format=None,
    dilation_rate=1,
):  # fmt: skip
    """`separable_conv2d` along one axis."""
    width, depth, multiplier = depthwise_kernel.shape
    kernel = reshape(depthwise_kernel, (width, 1, depth * multiplier))
    x = _conv(1, x, kernel, strides, padding, data_format, dilation_rate, depth)
    return _conv(1, x, pointwise_kernel, 1, "valid", data_format, 1, 1)


def _pool(n: int, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any, pool_mode: str) -> Any:
    size = _tuple(pool_size, n, "pool_size")
    steps = size if strides is None else _tuple(strides, n, "strides")
    if padding not in ("same", "valid"):
        raise ArgumentError(f"padding: expected 'valid' or 'same', received {padding!r}.")
    if pool_mode not in ("max", "avg"):
        raise ArgumentError(f"pool_mode: expected 'max' or 'avg', received {pool_mode!r}.")
    if len(x.shape) != n + 2:
        raise ShapeError(f"pool{n}d: expected an input of {n + 2} dimensions, received shape {tuple(x.shape)}.")
    pool = max_pool if pool_mode == "max" else average_pool
    return pool(x, size, steps, padding, config.normalize_data_format(data_format))


@composite
def pool1d(x: Tensor, pool_size, strides=1, padding="valid", data_format=None, pool_mode="max"):
    """Pooling of sequences (batch, steps, channels)."""
    return _pool(1, x, pool_size, strides, padding, data_format, pool_mode)


@composite
def pool2d(x: Tensor, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """Pooling of images."""
    return _pool(2, x, pool_size, strides, padding, data_format, pool_mode)


@composite
def pool3d(x: Tensor, pool_size, strides=(1, 1, 1), padding="valid", data_format=None, pool_mode="max"):
    """Pooling of volumes."""
    return _pool(3, x, pool_size, strides, padding, data_format, pool_mode)
