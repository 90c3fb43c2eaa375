"""Neural networks as Keras 3 names their parts: activations, convolution and pooling, normalization, codes, CTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.activations import (  # noqa: F401 - `ops.selu` and the like are these
    celu,
    hard_shrink,
    hard_sigmoid_keras3,
    hard_silu,
    hard_tanh,
    selu,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from keras_front.backend import dtypes
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.ops.adaptive import average_windows, largest_of_windows
from keras_front.backend.precision import full_precision
from keras_front.compatibility import reject_unknown as _reject_unknown
from keras_front.errors import ArgumentError, ShapeError

from .arrays import _dtype, _whole

Sizes = int | Sequence[int]
hard_swish = hard_silu


@full_precision
def gelu(x: Any, approximate: bool = True) -> Any:
    """The Gaussian error linear unit, `x` times the part of a normal distribution below it.

    Args:
        x: tensor, array or number.
        approximate: whether by a formula with `tanh`; unlike in `keras_front.backend` the default, as in Keras 3.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.gelu(np.array([-1.0, 0.0, 1.0]))).round(3))
        [-0.159  0.     0.841]
    """
    return K.gelu(as_symbol_or_tensor(x), approximate)


@full_precision
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x`, and less of it where it is negative.

    Args:
        x: tensor, array or number.
        negative_slope: the factor there.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.leaky_relu(np.array([-1.0, 1.0]))).round(3))
        [-0.2  1. ]
    """
    return K.leaky_relu(as_symbol_or_tensor(x), negative_slope)


def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`, the hard sigmoid of Keras 3; that of Keras 2 is `keras_front.backend.hard_sigmoid`.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.hard_sigmoid(np.array([-3.0, 0.0, 3.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return hard_sigmoid_keras3(as_symbol_or_tensor(x))


def __getattr__(name: str) -> Any:
    """What `keras.ops.nn` has and K too, such as `relu`."""
    if name.startswith("_") or not hasattr(getattr(K, name, None), "op"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(K, name)


def _each(value: Any, count: int) -> tuple[int, ...]:
    return (int(value),) * count if isinstance(value, int) else tuple(int(v) for v in value)


def _format(data_format: str | None) -> str:
    return config.normalize_data_format(data_format)


# Convolution and pooling ---------------------------------------------------------------------------------------


@full_precision
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolution of sequences, images or volumes.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        kernel: (spatial..., channels / groups, filters).
        strides: the step along each spatial axis.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
        dilation_rate: the distance of the elements of a window.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.conv(np.ones((1, 5, 3)), np.ones((3, 3, 8)), padding="same").shape)
        (1, 5, 8)
    """
    x, w = as_symbol_or_tensor(inputs), as_symbol_or_tensor(kernel)
    n, layout = len(x.shape) - 2, _format(data_format)
    channels = _whole(x, -1 if layout == "channels_last" else 1, "conv")
    run = {1: K.conv1d, 2: K.conv2d, 3: K.conv3d}[n]
    steps, gaps = _each(strides, n), _each(dilation_rate, n)
    return run(x, w, strides=steps if n > 1 else steps[0], padding=padding, data_format=layout,
               dilation_rate=gaps if n > 1 else gaps[0], groups=channels // int(w.shape[-2]))  # fmt: skip


def _as_image(x: Any, layout: str) -> Any:
    """Sequences as images of height 1."""
    return K.expand_dims(x, 1 if layout == "channels_last" else 2)


@full_precision
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolution of each channel with kernels of its own, in sequences or images.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        kernel: (spatial..., channels, multiplier).
        strides: the step along each spatial axis.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
        dilation_rate: the distance of the elements of a window.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.depthwise_conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 2))).shape)
        (1, 3, 3, 6)
    """
    x, w, layout = as_symbol_or_tensor(inputs), as_symbol_or_tensor(kernel), _format(data_format)
    if len(x.shape) == 3:
        found = K.depthwise_conv2d(
            _as_image(x, layout), K.expand_dims(w, 0), (_each(strides, 1)[0],) * 2, padding, layout,
            (1, _each(dilation_rate, 1)[0]),
        )  # fmt: skip
        return K.squeeze(found, 1 if layout == "channels_last" else 2)
    return K.depthwise_conv2d(x, w, _each(strides, 2), padding, layout, _each(dilation_rate, 2))


@full_precision
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """A depthwise convolution, then one with windows of size 1.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        depthwise_kernel: (spatial..., channels, multiplier).
        pointwise_kernel: (1..., channels * multiplier, filters).
        strides: the step along each spatial axis.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
        dilation_rate: the distance of the elements of a window.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.separable_conv(np.ones((1, 6, 6, 3)), np.ones((3, 3, 3, 1)), np.ones((1, 1, 3, 8))).shape)
        (1, 4, 4, 8)
    """
    middle = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(middle, pointwise_kernel, data_format=data_format)


@full_precision
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """The transpose of a convolution: what its gradient does to images.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        kernel: (spatial..., filters, channels).
        strides: the step along each spatial axis.
        padding: 'valid' or 'same'.
        output_padding: by how much the result is larger; None for the usual size.
        data_format: 'channels_last', 'channels_first', or None for the configured default.
        dilation_rate: the distance of the elements of a window.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.conv_transpose(np.ones((1, 4, 4, 3)), np.ones((3, 3, 8, 3)), strides=2, padding="same").shape)
        (1, 8, 8, 8)
    """
    x, w, layout = as_symbol_or_tensor(inputs), as_symbol_or_tensor(kernel), _format(data_format)
    n = len(x.shape) - 2
    steps, gaps = _each(strides, n), _each(dilation_rate, n)
    more = (None,) * n if output_padding is None else _each(output_padding, n)
    if n == 1:
        x, w = _as_image(x, layout), K.expand_dims(w, 0)
        steps, gaps, more = (1, *steps), (1, *gaps), (None, *more)
    spatial = x.shape[1:-1] if layout == "channels_last" else x.shape[2:]
    sizes = [
        _transposed(size, k, step, gap, padding, extra)
        for size, k, step, gap, extra in zip(spatial, w.shape, steps, gaps, more, strict=False)
    ]
    filters = w.shape[-2]
    first = K.getitem(K.shape(x), 0) if x.shape[0] is None else x.shape[0]
    out = (first, *sizes, filters) if layout == "channels_last" else (first, filters, *sizes)
    run = K.conv3d_transpose if n == 3 else K.conv2d_transpose
    found = run(x, w, out, strides=steps, padding=padding, data_format=layout, dilation_rate=gaps)
    return K.squeeze(found, 1 if layout == "channels_last" else 2) if n == 1 else found


def _transposed(size: int, kernel: int, step: int, gap: int, padding: str, extra: int | None) -> int:
    """The size of the result of a transposed convolution along one axis."""
    width = (kernel - 1) * gap + 1
    if extra is None:
        return size * step if padding == "same" else size * step + max(width - step, 0)
    return (size - 1) * step + width - (2 * (width // 2) if padding == "same" else 0) + extra


@full_precision
def max_pool(
    inputs: Any, pool_size: Sizes, strides: Sizes | None = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The largest element of each window.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        pool_size: the size of a window along each spatial axis.
        strides: the step, by default as `pool_size`.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Example:
        >>> from keras_front import ops
        >>> ops.max_pool(np.arange(4.0).reshape(1, 4, 1), 2).tolist()
        [[[1.0], [3.0]]]
    """
    return _pool(inputs, pool_size, strides, padding, data_format, "max")


@full_precision
def average_pool(
    inputs: Any, pool_size: Sizes, strides: Sizes | None = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The mean of each window; padding does not count.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...).
        pool_size: the size of a window along each spatial axis.
        strides: the step, by default as `pool_size`.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Example:
        >>> from keras_front import ops
        >>> ops.average_pool(np.arange(4.0).reshape(1, 4, 1), 2).tolist()
        [[[0.5], [2.5]]]
    """
    return _pool(inputs, pool_size, strides, padding, data_format, "avg")


def _pool(x: Any, size: Any, strides: Any, padding: str, data_format: str | None, mode: str) -> Any:
    x = as_symbol_or_tensor(x)
    n = len(x.shape) - 2
    window = _each(size, n)
    step = window if strides is None else _each(strides, n)
    run = {1: K.pool1d, 2: K.pool2d, 3: K.pool3d}[n]
    given = (window, step) if n > 1 else (window[0], step[0])
    return run(x, *given, padding=padding, data_format=_format(data_format), pool_mode=mode)


@full_precision
def adaptive_average_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """Means over as many windows as the output shall have.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...), of known size.
        output_size: size of the output along each spatial axis.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Example:
        >>> from keras_front import ops
        >>> ops.adaptive_average_pool(np.arange(4.0).reshape(1, 4, 1), 2).tolist()
        [[[0.5], [2.5]]]
    """
    return _adaptive(average_windows, inputs, output_size, data_format)


@full_precision
def adaptive_max_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Any:
    """Maxima over as many windows as the output shall have.

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...), of known size.
        output_size: size of the output along each spatial axis.
        data_format: 'channels_last', 'channels_first', or None for the configured default.

    Example:
        >>> from keras_front import ops
        >>> ops.adaptive_max_pool(np.arange(4.0).reshape(1, 4, 1), 2).tolist()
        [[[1.0], [3.0]]]
    """
    return _adaptive(largest_of_windows, inputs, output_size, data_format)


def _adaptive(reduce: Any, inputs: Any, output_size: Any, data_format: str | None) -> Any:
    x = as_symbol_or_tensor(inputs)
    n, start = len(x.shape) - 2, 1 if _format(data_format) == "channels_last" else 2
    for axis, size in enumerate(_each(output_size, n), start):
        _whole(x, axis, "adaptive pooling")
        x = reduce(x, axis, size)
    return x


@full_precision
def unfold(x: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Any:
    """The windows of images as columns.

    Args:
        x: (batch, channels, rows, columns).
        kernel_size: the size of a window.
        dilation: the distance of its elements.
        padding: zeros around the images.
        stride: the distance of windows.

    Shape: (batch, channels * window, number of windows)

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.unfold(np.ones((1, 3, 4, 4)), 2).shape)
        (1, 12, 9)
    """
    x = as_symbol_or_tensor(x)
    size, gaps, pads, steps = (_each(v, 2) for v in (kernel_size, dilation, padding, stride))
    x = K.pad(x, ((0, 0), (0, 0), *((p, p) for p in pads)))
    found = K.extract_patches(x, size, steps, "valid", gaps, "channels_first")
    return K.reshape(found, (-1, found.shape[1], found.shape[2] * found.shape[3]))


@full_precision
def fold(
    x: Any, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """Images from windows, which are added where they overlap: the transpose of `unfold`.

    Args:
        x: (batch, channels * window, number of windows).
        output_size: rows and columns of the images.
        kernel_size: the size of a window.
        dilation: the distance of its elements.
        padding: how much around the images is cut off.
        stride: the distance of windows.

    Shape: (batch, channels, rows, columns)

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.fold(np.ones((1, 12, 9)), (4, 4), 2).shape)
        (1, 3, 4, 4)
    """
    x = as_symbol_or_tensor(x)
    out, size, gaps, pads, steps = (_each(v, 2) for v in (output_size, kernel_size, dilation, padding, stride))
    wide = tuple(n + 2 * p for n, p in zip(out, pads, strict=True))
    counts = [(w - (s - 1) * g - 1) // t + 1 for w, s, g, t in zip(wide, size, gaps, steps, strict=True)]
    rows, columns = (
        (np.arange(s)[:, None] * g + np.arange(c)[None] * t)
        for s, g, c, t in zip(size, gaps, counts, steps, strict=True)
    )
    places = (rows[:, None, :, None] * wide[1] + columns[None, :, None, :]).reshape(-1)
    channels = _whole(x, 1, "fold") // math.prod(size)
    flat = K.permute_dimensions(K.reshape(x, (-1, channels, len(places))), (2, 0, 1))
    images = K.reshape(K.scatter_add(flat, places.astype("int64"), math.prod(wide)), (*wide, -1, channels))
    images = K.permute_dimensions(images, (2, 3, 0, 1))
    inside = tuple(slice(p, p + n) for p, n in zip(pads, out, strict=True))
    return K.getitem(images, (slice(None), slice(None), *inside))


@full_precision
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels laid out as blocks of pixels.

    Args:
        x: images.
        block_size: rows and columns of a block.
        data_format: 'channels_last' or 'channels_first'.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.depth_to_space(np.ones((1, 2, 2, 4)), 2).shape)
        (1, 4, 4, 1)
    """
    x, b = _last(as_symbol_or_tensor(x), data_format), block_size
    _, rows, columns, channels = x.shape
    x = K.reshape(x, (-1, rows, columns, b, b, channels // b**2))
    x = K.permute_dimensions(x, (0, 1, 3, 2, 4, 5))
    return _back(K.reshape(x, (-1, rows * b, columns * b, channels // b**2)), data_format)


@full_precision
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels laid out as channels.

    Args:
        x: images.
        block_size: rows and columns of a block.
        data_format: 'channels_last' or 'channels_first'.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.space_to_depth(np.ones((1, 4, 4, 1)), 2).shape)
        (1, 2, 2, 4)
    """
    x, b = _last(as_symbol_or_tensor(x), data_format), block_size
    _, rows, columns, channels = x.shape
    x = K.reshape(x, (-1, rows // b, b, columns // b, b, channels))
    x = K.permute_dimensions(x, (0, 1, 3, 2, 4, 5))
    return _back(K.reshape(x, (-1, rows // b, columns // b, b * b * channels)), data_format)


def _last(x: Any, data_format: str) -> Any:
    return K.permute_dimensions(x, (0, 2, 3, 1)) if data_format == "channels_first" else x


def _back(x: Any, data_format: str) -> Any:
    return K.permute_dimensions(x, (0, 3, 1, 2)) if data_format == "channels_first" else x


# Normalization -------------------------------------------------------------------------------------------------


@full_precision
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """Mean and variance over some axes.

    Args:
        x: tensor.
        axes: which.
        keepdims: keep the reduced axes, with size 1.
        synchronized: whether over all replicas; not supported.

    Example:
        >>> from keras_front import ops
        >>> mean, variance = ops.moments(np.array([[1.0, 2.0], [3.0, 6.0]]), axes=[0])
        >>> mean.tolist(), variance.tolist()
        ([2.0, 4.0], [1.0, 4.0])
    """
    if synchronized:
        raise ArgumentError("moments: expected synchronized=False; statistics over several replicas are not supported.")
    return tuple(K.moments(as_symbol_or_tensor(x), axes, keepdims))  # type: ignore[return-value]


@full_precision
def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Vectors divided by their norm.

    Args:
        x: tensor, array or number.
        axis: the axis, or axes, of the vectors.
        order: of the norm.
        epsilon: the least divisor, by default `keras_front.config.epsilon()`.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.normalize(np.array([[3.0, 4.0]]))).round(3))
        [[0.6 0.8]]
    """
    x = as_symbol_or_tensor(x)
    x = x if dtypes.is_float(_dtype(x)) else K.cast(x, dtypes.canonical(None))
    least = config.epsilon() if epsilon is None else epsilon
    if not len(x.shape):
        return x / K.maximum(K.abs(x), least)
    return x / K.maximum(K.norm(x, ord=order, axis=axis, keepdims=True), least)


@full_precision
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """A tensor divided by the root of the mean of its squares.

    Args:
        x: tensor.
        scale: factor for the result; None for none.
        axis: the axis, or axes, over which the mean is taken.
        epsilon: added to the mean, by default `keras_front.config.epsilon()`.

    Source: Zhang & Sennrich (2019).

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.rms_normalization(np.array([[1.0, 7.0]]))).round(3))
        [[0.2 1.4]]
    """
    x = as_symbol_or_tensor(x)
    found = x * K.rsqrt(
        K.mean(K.square(x), axis=axis, keepdims=True) + (config.epsilon() if epsilon is None else epsilon)
    )
    return found if scale is None else found * scale


@full_precision
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """A tensor with mean 0 and variance 1 over some axes of each sample.

    Args:
        x: tensor.
        gamma: factor for the result; None for none.
        beta: what is added to it; None for nothing.
        axis: the axis, or axes.
        epsilon: added to the variance, by default `keras_front.config.epsilon()`.
        kwargs: `axes`, as `keras_front.backend` names the axes.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.layer_normalization(np.array([[1.0, 3.0]]))).round(3))
        [[-1.  1.]]
    """
    axis = kwargs.pop("axes", axis)
    _reject_unknown("layer_normalization", kwargs, ("x", "gamma", "beta", "axis", "epsilon"))
    return K.layer_normalization(
        as_symbol_or_tensor(x), gamma, beta, axis, config.epsilon() if epsilon is None else epsilon
    )


@full_precision
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """A tensor centred and scaled by statistics that are given.

    Args:
        x: tensor.
        mean: vector of means along `axis`.
        variance: vector of variances.
        axis: the axis of the vectors.
        offset: vector that is added to the result; None for nothing.
        scale: vector by which it is multiplied before; None for none.
        epsilon: added to the variance.

    Example:
        >>> from keras_front import ops
        >>> mean, variance = np.array([4.0]), np.array([1.0])
        >>> print(np.asarray(ops.batch_normalization(np.array([[3.0], [5.0]]), mean, variance)).round(3))
        [[-1.]
         [ 1.]]
    """
    return K.batch_normalization(as_symbol_or_tensor(x), mean, variance, offset, scale, axis=axis, epsilon=epsilon)


# Attention -----------------------------------------------------------------------------------------------------


@full_precision
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Means of values, weighted by how well keys match queries.

    Args:
        query: (batch, queries, heads, size).
        key: (batch, keys, heads, size).
        value: (batch, keys, heads, size).
        bias: added to the scores, (batch, heads, queries, keys) or what is broadcast to it.
        mask: bools of that shape, False where a query must not see a key.
        scale: factor of the products, by default one divided by the root of the size.
        is_causal: whether a query sees only keys up to its own place.
        flash_attention: kept for code written for Keras 3; the backend decides.
        attn_logits_soft_cap: the scores are bent so that they stay below it; None for no limit.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.dot_product_attention(np.ones((2, 4, 1, 3)), np.ones((2, 5, 1, 3)), np.ones((2, 5, 1, 3))).shape)
        (2, 4, 1, 3)
    """
    q, k, v = (as_symbol_or_tensor(t) for t in (query, key, value))
    if attn_logits_soft_cap is None:
        return K.dot_product_attention(q, k, v, bias, mask, scale=scale, is_causal=is_causal)
    factor = 1 / math.sqrt(_whole(q, -1, "dot_product_attention")) if scale is None else scale
    scores = K.einsum("bthd,bshd->bhts", q, k) * factor
    scores = K.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    scores = scores if bias is None else scores + bias
    if is_causal:
        seen = np.tril(np.ones((_whole(q, 1, "queries"), _whole(k, 1, "keys")), bool))
        mask = seen if mask is None else K.logical_and(mask, seen)
    if mask is not None:
        scores = K.where(mask, scores, -1e9 if _dtype(scores) != "float16" else -3e4)
    return K.einsum("bhts,bshd->bthd", K.softmax(scores, axis=-1), v)


# Codes ---------------------------------------------------------------------------------------------------------


@full_precision
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Vectors with a one at the place that a number names.

    Args:
        x: integers; those below 0 or too large give zeros.
        num_classes: the length of a vector.
        axis: where the vectors stand in the result.
        dtype: their type, by default `floatx`.
        sparse: kept for code written for Keras 3; results are dense.

    Example:
        >>> from keras_front import ops
        >>> ops.one_hot(np.array([0, 2]), 3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    hot = K.one_hot(as_symbol_or_tensor(x), num_classes, dtype=dtypes.canonical(dtype))
    return hot if axis in (-1, len(hot.shape) - 1) else numpy_names.moveaxis(hot, -1, axis)


@full_precision
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Any:
    """Vectors with ones at the places that the numbers of a row name.

    Args:
        inputs: integers (numbers,) or (batch, numbers).
        num_classes: the length of a vector.
        axis: where the vectors stand in the result.
        dtype: their type, by default `floatx`.
        sparse: kept for code written for Keras 3; results are dense.
        kwargs: `num_tokens`, an older name of `num_classes`.

    Example:
        >>> from keras_front import ops
        >>> ops.multi_hot(np.array([0, 2]), 3).tolist()
        [1.0, 0.0, 1.0]
    """
    count = kwargs.pop("num_tokens", num_classes)
    if kwargs or count is None:
        raise ArgumentError(f"multi_hot: expected num_classes, received {num_classes!r} and {sorted(kwargs)}.")
    x = as_symbol_or_tensor(inputs)
    return K.max(one_hot(x, count, axis, dtype), axis=1 if len(x.shape) > 1 else 0)


@full_precision
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """The ratio of peak signal to noise between two tensors, in decibels.

    Args:
        x1: tensor.
        x2: tensor of the same shape.
        max_val: the largest value that there may be.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.psnr(np.zeros((2, 2)), np.full((2, 2), 0.1), 1.0)).round(3))
        20.0
    """
    x1, x2 = as_symbol_or_tensor(x1), as_symbol_or_tensor(x2)
    if tuple(x1.shape) != tuple(x2.shape):
        raise ShapeError(f"psnr: expected tensors of one shape, received {tuple(x1.shape)} and {tuple(x2.shape)}.")
    return 20 * math.log10(max_val) - K.log10(K.mean(K.square(x1 - x2))) * 10


@full_precision
def cdist(x: Any, y: Any) -> Any:
    """The distances of the rows of two matrices.

    Args:
        x: (..., m, size).
        y: (..., n, size).

    Shape: (..., m, n)

    Example:
        >>> from keras_front import ops
        >>> ops.cdist(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
        [[5.0]]
    """
    off = K.expand_dims(as_symbol_or_tensor(x), -2) - K.expand_dims(as_symbol_or_tensor(y), -3)
    return K.square_root(K.sum(K.square(off), axis=-1))


# CTC -----------------------------------------------------------------------------------------------------------


def _blank_last(x: Any, blank: int) -> Any:
    """Classes in the order of K, where the blank is the last."""
    order = [*(i for i in range(_whole(x, -1, "ctc")) if i != blank), blank]
    return K.gather(x, np.asarray(order, "int32"), axis=-1)


@full_precision
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """The negative logarithm of the probability of labels, summed over all alignments.

    Args:
        target: labels (batch, most labels).
        output: scores before a softmax, (batch, steps, classes).
        target_length: how many labels of each sample count.
        output_length: how many steps of each sample count.
        mask_index: the class that is the blank.

    Shape: (batch,)

    Example:
        >>> scores = np.zeros((1, 2, 3), "float32")  # two steps, a blank and two classes, all equally likely
        >>> loss = ctc_loss(np.array([[1]]), scores, np.array([1]), np.array([2]))  # 3 of 9 paths read "1"
        >>> round(float(np.exp(-K.eval(loss)[0])), 3)
        0.333
    """
    labels = K.cast(as_symbol_or_tensor(target), "int32")
    labels = labels - K.cast(labels > mask_index, "int32")
    odds = _blank_last(K.softmax(as_symbol_or_tensor(output), axis=-1), mask_index)
    lengths = (K.reshape(as_symbol_or_tensor(n), (-1, 1)) for n in (output_length, target_length))
    return K.squeeze(K.ctc_batch_cost(labels, odds, *lengths), -1)


@full_precision
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Any, Any]:
    """The most probable labels.

    Args:
        inputs: scores before a softmax, (batch, steps, classes).
        sequence_lengths: how many steps of each sample count.
        strategy: 'greedy' or 'beam_search'.
        beam_width: how many prefixes a search keeps.
        top_paths: how many paths it returns.
        merge_repeated: whether equal neighbours become one.
        mask_index: the class that is the blank.

    Returns: labels (paths, batch, steps), filled up with -1, and scores (batch, paths).

    Example:
        >>> scores = np.log([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]]).astype("float32")
        >>> labels, _ = ctc_decode(scores, np.array([4]))  # 1, 1, blank, 2
        >>> K.eval(labels).tolist()
        [[[1, 2]]]
    """
    if strategy not in ("greedy", "beam_search"):
        raise ArgumentError(f"ctc_decode: expected strategy 'greedy' or 'beam_search', received {strategy!r}.")
    odds = _blank_last(K.softmax(as_symbol_or_tensor(inputs), axis=-1), mask_index)
    lengths = K.reshape(as_symbol_or_tensor(sequence_lengths), (-1,))
    greedy = strategy == "greedy"
    paths, scores = K.ctc_decode(odds, lengths, greedy, beam_width, top_paths, merge_repeated and not greedy)
    width = max((p.shape[1] or 0 for p in paths), default=0)
    if not any(map(K.is_symbolic, paths)):  # each was cut to its own longest
        paths = [K.pad(p, ((0, 0), (0, width - p.shape[1])), value=-1) for p in paths]
    labels = K.stack(paths, axis=0)
    return K.cast(labels + K.cast(labels >= mask_index, _dtype(labels)), "int32"), scores
