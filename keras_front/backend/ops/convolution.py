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
from keras_front.backend.ops.arrangement import _size, reshape
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, ShapeError


@primitive(shapes.conv, floats=True, convolves=True)
def conv(x: Tensor, kernel: Tensor, strides: Dims, padding, dilation: Dims, groups=1, data_format="channels_last"):
    """Correlation of images with a kernel, in any number of spatial dimensions. `conv1d` to `conv3d` are for users.

    Floats of 16 bits are accumulated in float32.

    Args:
        x: the images.
        kernel: the weights, channels last whatever the data format.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        dilation: the distance of the kernel's elements along each spatial axis.
        groups: into how many groups channels and filters are divided.
        data_format: 'channels_last' or 'channels_first'.

    Shape: x (batch, spatial..., channels), kernel (spatial..., channels / groups, filters) -> x with `filters`
    channels.

    Raises:
        ShapeError: the channels do not fit.

    Example:
        >>> tuple(K.conv(np.ones((1, 5, 3)), np.ones((3, 3, 8)), 1, "same", 1).shape)
        (1, 5, 8)
    """


@primitive(shapes.conv_input_gradient, floats=True, convolves=True)
def conv_input_gradient(
    g: Tensor, kernel: Tensor, input_shape: Dims, strides: Dims, padding, dilation: Dims, groups=1,
    data_format="channels_last",
):  # fmt: skip
    """The gradient of `conv` for its input, also known as transposed convolution.

    Args:
        g: the gradient of the result.
        kernel: the weights of the convolution.
        input_shape: the shape of the convolution's input.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        dilation: the distance of the kernel's elements along each spatial axis.
        groups: into how many groups channels and filters are divided.
        data_format: 'channels_last' or 'channels_first'.

    Shape: that of the input.

    Example:
        >>> K.conv_input_gradient(np.ones((1, 2, 1)), np.ones((2, 1, 1)), (1, 3, 1), (1,), "valid", (1,))[0, :, 0]
        array([1., 2., 1.])
    """


@primitive(shapes.conv_kernel_gradient, floats=True, convolves=True)
def conv_kernel_gradient(
    x: Tensor, g: Tensor, kernel_shape: Dims, strides: Dims, padding, dilation: Dims, groups=1,
    data_format="channels_last",
):  # fmt: skip
    """The gradient of `conv` for its kernel.

    Args:
        x: the images.
        g: the gradient of the result.
        kernel_shape: the shape of the kernel.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        dilation: the distance of the kernel's elements along each spatial axis.
        groups: into how many groups channels and filters are divided.
        data_format: 'channels_last' or 'channels_first'.

    Shape: that of the kernel.

    Example:
        >>> K.conv_kernel_gradient(np.ones((1, 3, 1)), np.ones((1, 2, 1)), (2, 1, 1), (1,), "valid", (1,))[:, 0, 0]
        array([2., 2.])
    """


@primitive(shapes.pool, floats=True)
def max_pool(x: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The maximum of each window. Padding never wins; of equal maxima the first in the window has the gradient.

    A NaN in a window is its maximum; TensorFlow passes over it, whose kernel does not look for any.

    `pool1d` to `pool3d` are for users.

    Args:
        x: the images.
        pool_size: the size of the window along each spatial axis.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        data_format: 'channels_last' or 'channels_first'.

    Shape: (batch, spatial..., channels) -> the same with fewer places.

    Example:
        >>> K.max_pool(np.arange(4.0).reshape(1, 4, 1), 2, 2, "valid").tolist()
        [[[1.0], [3.0]]]
    """


@primitive(shapes.pool_gradient, floats=True)
def max_pool_gradient(x: Tensor, g: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The gradient of `max_pool`: `g` put where the maxima of `x` are.

    Args:
        x: the images that were pooled.
        g: the gradient of the result.
        pool_size: the size of the window along each spatial axis.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        data_format: 'channels_last' or 'channels_first'.

    Shape: that of x.

    Example:
        >>> x = np.array([1.0, 3.0, 2.0, 4.0], "float32").reshape(1, 4, 1)
        >>> K.max_pool_gradient(x, np.ones((1, 2, 1)), (2,), (2,), "valid")[0, :, 0].tolist()
        [0.0, 1.0, 0.0, 1.0]
    """


@primitive(shapes.pool_pick, floats=True)
def max_pool_pick(x: Tensor, y: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """Elements of `y` from where the maxima of the windows of `x` are.

    Args:
        x: the images that were pooled.
        y: a tensor of the shape of x.
        pool_size: the size of the window along each spatial axis.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        data_format: 'channels_last' or 'channels_first'.

    Shape: that of `max_pool(x)`.

    Example:
        >>> x = np.array([1.0, 3.0, 4.0, 2.0], "float32").reshape(1, 4, 1)
        >>> K.max_pool_pick(x, 10 * x, (2,), (2,), "valid")[0, :, 0].tolist()
        [30.0, 40.0]
    """


@primitive(shapes.pool, floats=True, accumulates=True)
def average_pool(x: Tensor, pool_size: Dims, strides: Dims, padding, data_format="channels_last"):
    """The mean of each window; padding does not count. Floats of 16 bits are added up in float32.

    `pool1d` to `pool3d` are for users.

    Args:
        x: the images.
        pool_size: the size of the window along each spatial axis.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        data_format: 'channels_last' or 'channels_first'.

    Shape: (batch, spatial..., channels) -> the same with fewer places.

    Example:
        >>> K.average_pool(np.arange(4.0).reshape(1, 4, 1), 2, 2, "valid").tolist()
        [[[0.5], [2.5]]]
    """


@primitive(shapes.average_pool_gradient, floats=True, accumulates=True)
def average_pool_gradient(
    g: Tensor, input_shape: Dims, pool_size: Dims, strides: Dims, padding, data_format="channels_last"
):
    """The gradient of `average_pool`.

    Args:
        g: the gradient of the result.
        input_shape: the shape of the images that were pooled.
        pool_size: the size of the window along each spatial axis.
        strides: the step along each spatial axis.
        padding: 'valid', 'same', or a pair (before, after) for each spatial axis.
        data_format: 'channels_last' or 'channels_first'.

    Shape: `input_shape`.

    Example:
        >>> K.average_pool_gradient(np.ones((1, 2, 1)), (1, 4, 1), (2,), (2,), "valid")[0, :, 0].tolist()
        [0.5, 0.5, 0.5, 0.5]
    """


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
    padding, form = _padding(padding, kernel, gaps, allow_causal=n == 1), config.normalize_data_format(data_format)
    shapes.check_fit(tuple(x.shape), tuple(kernel.shape)[:-2], padding, gaps, form)
    return conv(x, kernel, steps, padding, gaps, groups, form)


@composite(renamed=True)
def conv1d(x: Tensor, kernel: Tensor, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1):
    """Correlation of sequences with a kernel.

    Args:
        x: sequences.
        kernel: the weights, (steps, channels / groups, filters), whatever the data format.
        strides: the step along each spatial axis, one number or a tuple of it.
        padding: 'valid' (none), 'causal' (before the first step alone, so that nothing looks ahead) or 'same' (as many
            places as input / stride; the odd one at the end).
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or a tuple of it.
        groups: into how many groups channels and filters are divided.

    Shape: x (batch, steps, channels) -> the same with `filters` channels.

    Raises:
        ArgumentError: a size or the padding is none.
        ShapeError: x has another number of dimensions, or its channels do not fit the kernel.

    Example:
        >>> K.conv1d(np.array([[[1.0], [2.0], [4.0]]]), np.array([[[1.0]], [[1.0]]]))[0, :, 0].tolist()
        [3.0, 6.0]
    """
    return _conv(1, x, kernel, strides, padding, data_format, dilation_rate, groups)


@composite(renamed=True)
def conv2d(
    x: Tensor, kernel: Tensor, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1), groups=1
):
    """Correlation of images with a kernel.

    Args:
        x: images.
        kernel: the weights, (rows, columns, channels / groups, filters), whatever the data format.
        strides: the step along each spatial axis, one number or 2.
        padding: 'valid' (none) or 'same' (as many
            places as input / stride; the odd one at the end).
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or 2.
        groups: into how many groups channels and filters are divided.

    Shape: x (batch, rows, columns, channels) -> the same with `filters` channels.

    Raises:
        ArgumentError: a size or the padding is none.
        ShapeError: x has another number of dimensions, or its channels do not fit the kernel.

    Example:
        >>> K.conv2d(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8)), padding="same").shape
        (1, 5, 5, 8)
    """
    return _conv(2, x, kernel, strides, padding, data_format, dilation_rate, groups)


@composite(renamed=True)
def conv3d(
    x: Tensor, kernel: Tensor, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1), groups=1
):
    """Correlation of volumes with a kernel.

    Args:
        x: volumes.
        kernel: the weights, (depth, rows, columns, channels / groups, filters), whatever the data format.
        strides: the step along each spatial axis, one number or 3.
        padding: 'valid' (none) or 'same' (as many
            places as input / stride; the odd one at the end).
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or 3.
        groups: into how many groups channels and filters are divided.

    Shape: x (batch, depth, rows, columns, channels) -> the same with `filters` channels.

    Raises:
        ArgumentError: a size or the padding is none.
        ShapeError: x has another number of dimensions, or its channels do not fit the kernel.

    Example:
        >>> tuple(K.conv3d(np.ones((1, 4, 4, 4, 2)), np.ones((3, 3, 3, 2, 5)), padding="same").shape)
        (1, 4, 4, 4, 5)
    """
    return _conv(3, x, kernel, strides, padding, data_format, dilation_rate, groups)


def _transposed(
    n: int, x: Any, kernel: Any, output_shape: Any, strides: Any, padding: Any, data_format: Any, dilation: Any
) -> Any:
    steps, gaps = _tuple(strides, n, "strides"), _tuple(dilation, n, "dilation_rate")
    data_format = config.normalize_data_format(data_format)
    padding = _padding(padding, kernel, gaps)
    batch = _size(x, 0)
    shape = (batch, *tuple(output_shape)[1:])
    if not isinstance(x, SymbolicTensor):  # engines read beyond the image where sizes do not go together
        kinds = [SymbolicTensor(tuple(t.shape), "float32") for t in (x, kernel)]
        shapes.conv_input_gradient(
            *kinds, input_shape=shape, strides=steps, padding=padding, dilation=gaps, data_format=data_format
        )
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
    """Transposed convolution of images: the gradient of a convolution for its input.

    Args:
        x: images.
        kernel: the weights, (rows, columns, filters, channels).
        output_shape: the shape of the result; its batch dimension is that of x.
        strides: how far apart the places of x are in the result, one number or 2.
        padding: 'valid' or 'same'; that of the convolution whose gradient this is.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or 2.

    Shape: `output_shape`.

    Raises:
        ArgumentError: a size or the padding is none.
        ShapeError: `output_shape` is none that such a convolution reduces to x.

    Example:
        >>> tuple(K.conv2d_transpose(np.ones((1, 4, 4, 3)), np.ones((3, 3, 8, 3)), (1, 8, 8, 8), (2, 2), "same").shape)
        (1, 8, 8, 8)
    """
    return _transposed(2, x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@composite
def conv3d_transpose(
    x: Tensor, kernel: Tensor, output_shape: Dims, strides=(1, 1, 1), padding="valid", data_format=None,
    dilation_rate=(1, 1, 1),
):  # fmt: skip
    """Transposed convolution of volumes: the gradient of a convolution for its input.

    Args:
        x: volumes.
        kernel: the weights, (depth, rows, columns, filters, channels).
        output_shape: the shape of the result; its batch dimension is that of x.
        strides: how far apart the places of x are in the result, one number or 3.
        padding: 'valid' or 'same'; that of the convolution whose gradient this is.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or 3.

    Shape: `output_shape`.

    Raises:
        ArgumentError: a size or the padding is none.
        ShapeError: `output_shape` is none that such a convolution reduces to x.

    Example:
        >>> kernel = np.ones((3, 3, 3, 5, 3))
        >>> tuple(K.conv3d_transpose(np.ones((1, 2, 2, 2, 3)), kernel, (1, 4, 4, 4, 5), (2, 2, 2), "same").shape)
        (1, 4, 4, 4, 5)
    """
    return _transposed(3, x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@composite
def depthwise_conv2d(
    x: Tensor, depthwise_kernel: Tensor, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)
):
    """Convolution of images in which each channel has kernels of its own.

    Args:
        x: images.
        depthwise_kernel: the weights, (rows, columns, channels, multiplier).
        strides: the step along each spatial axis, one number or 2.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the kernel's elements, one number or 2.

    Shape: (batch, rows, columns, channels) -> (batch, rows, columns, channels * multiplier).

    Example:
        >>> tuple(K.depthwise_conv2d(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 2))).shape)
        (1, 3, 3, 6)
    """
    rows, columns, depth, multiplier = depthwise_kernel.shape
    kernel = reshape(depthwise_kernel, (rows, columns, 1, depth * multiplier))
    return _conv(2, x, kernel, strides, padding, data_format, dilation_rate, depth)


@composite(renamed=True)
def separable_conv2d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides=(1, 1), padding="valid", data_format=None,
    dilation_rate=(1, 1),
):  # fmt: skip
    """A depthwise convolution of images, followed by one of size 1 across channels.

    Args:
        x: images.
        depthwise_kernel: the weights of the first, (spatial..., channels, multiplier).
        pointwise_kernel: the weights of the second, (1..., channels * multiplier, filters).
        strides: the step of the first along each spatial axis.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the first kernel's elements.

    Shape: (batch, spatial..., channels) -> (batch, spatial..., filters).

    Source: Chollet (2017).

    Example:
        >>> tuple(K.separable_conv2d(np.ones((1, 6, 6, 3)), np.ones((3, 3, 3, 1)), np.ones((1, 1, 3, 8))).shape)
        (1, 4, 4, 8)
    """
    x = depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _conv(2, x, pointwise_kernel, 1, "valid", data_format, 1, 1)


@composite
def separable_conv1d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides=1, padding="valid", data_format=None,
    dilation_rate=1,
):  # fmt: skip
    """A depthwise convolution of sequences, followed by one of size 1 across channels.

    Args:
        x: sequences.
        depthwise_kernel: the weights of the first, (spatial..., channels, multiplier).
        pointwise_kernel: the weights of the second, (1..., channels * multiplier, filters).
        strides: the step of the first along each spatial axis.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        dilation_rate: the distance of the first kernel's elements.

    Shape: (batch, spatial..., channels) -> (batch, spatial..., filters).

    Source: Chollet (2017).

    Example:
        >>> tuple(K.separable_conv1d(np.ones((1, 6, 3)), np.ones((3, 3, 1)), np.ones((1, 3, 8))).shape)
        (1, 4, 8)
    """
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
    pool, form = max_pool if pool_mode == "max" else average_pool, config.normalize_data_format(data_format)
    shapes.check_fit(tuple(x.shape), size, padding, (1,) * n, form)
    return pool(x, size, steps, padding, form)


@composite
def pool1d(x: Tensor, pool_size, strides=1, padding="valid", data_format=None, pool_mode="max"):
    """Pooling of sequences (batch, steps, channels).

    Args:
        x: sequences.
        pool_size: the size of the window, one number or a tuple of it.
        strides: the step, likewise; None: as `pool_size`.
        padding: 'valid' or 'same'; padding never wins, and does not count in a mean.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        pool_mode: 'max' or 'avg'.

    Shape: (batch, spatial..., channels) -> the same with fewer places.

    Raises:
        ArgumentError: a size, the padding or the mode is none.
        ShapeError: x has another number of dimensions.

    Example:
        >>> K.pool1d(np.arange(4.0).reshape(1, 4, 1), 2, strides=2).tolist()
        [[[1.0], [3.0]]]
    """
    return _pool(1, x, pool_size, strides, padding, data_format, pool_mode)


@composite(renamed=True)
def pool2d(x: Tensor, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """Pooling of images.

    Args:
        x: images.
        pool_size: the size of the window, one number or 2.
        strides: the step, likewise; None: as `pool_size`.
        padding: 'valid' or 'same'; padding never wins, and does not count in a mean.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        pool_mode: 'max' or 'avg'.

    Shape: (batch, spatial..., channels) -> the same with fewer places.

    Raises:
        ArgumentError: a size, the padding or the mode is none.
        ShapeError: x has another number of dimensions.

    Example:
        >>> K.pool2d(np.arange(4.0).reshape(1, 2, 2, 1), (2, 2)).reshape(-1).tolist()
        [3.0]
    """
    return _pool(2, x, pool_size, strides, padding, data_format, pool_mode)


@composite(renamed=True)
def pool3d(x: Tensor, pool_size, strides=(1, 1, 1), padding="valid", data_format=None, pool_mode="max"):
    """Pooling of volumes.

    Args:
        x: volumes.
        pool_size: the size of the window, one number or 3.
        strides: the step, likewise; None: as `pool_size`.
        padding: 'valid' or 'same'; padding never wins, and does not count in a mean.
        data_format: 'channels_last', 'channels_first', or None for the default of the configuration.
        pool_mode: 'max' or 'avg'.

    Shape: (batch, spatial..., channels) -> the same with fewer places.

    Raises:
        ArgumentError: a size, the padding or the mode is none.
        ShapeError: x has another number of dimensions.

    Example:
        >>> tuple(K.pool3d(np.ones((1, 4, 4, 4, 2)), (2, 2, 2), strides=(2, 2, 2)).shape)
        (1, 2, 2, 2, 2)
    """
    return _pool(3, x, pool_size, strides, padding, data_format, pool_mode)
