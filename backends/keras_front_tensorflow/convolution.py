"""Convolution and pooling on a CPU, where TensorFlow knows data with its channels last only."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def channels_last(x: Any, data_format: str) -> Any:
    """The same data with its channels last."""
    n = x.shape.rank
    return x if data_format == "channels_last" else tf.transpose(x, (0, *range(2, n), 1))


def channels_back(x: Any, data_format: str) -> Any:
    """Data with its channels last, in the format that was asked for."""
    n = x.shape.rank
    return x if data_format == "channels_last" else tf.transpose(x, (0, n - 1, *range(1, n - 1)))


def grouped_conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any, groups: int) -> Any:
    """On a CPU TensorFlow has groups of one channel (depthwise) and one group, nothing between."""
    if groups == 1:
        return plain_conv(x, kernel, strides, padding, dilation)
    depth, even = kernel.shape[-2], len(set(strides)) == 1
    if depth == 1 and len(strides) == 2 and even and max(dilation) == 1:
        by_channel = tf.reshape(kernel, (*kernel.shape[:2], groups, -1))
        return tf.nn.depthwise_conv2d(x, by_channel, (1, *strides, 1), padding, "NHWC")
    pairs = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    return tf.concat([plain_conv(a, b, strides, padding, dilation) for a, b in pairs], -1)


def plain_conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """Convolution of one group."""
    letters = {1: "NWC", 2: "NHWC", 3: "NDHWC"}[len(strides)]  # named, or the gradient's gradient misses it
    return tf.nn.convolution(x, kernel, strides, padding, data_format=letters, dilations=dilation)


def pooled(pool: Any, x: Any, pool_size: Any, strides: Any, padding: str) -> Any:
    """A pool over channels-last data by the kernel for planes.

    A sequence is a plane of height 1, and a volume is pooled along two axes and then along the third: the kernel
    for volumes lacks float64, and gives each of equal maxima the whole gradient.
    """
    padding = padding.upper()
    if len(pool_size) == 1:
        return tf.squeeze(pool(tf.expand_dims(x, 1), (1, *pool_size), (1, *strides), padding), 1)
    if len(pool_size) == 2:
        return pool(x, pool_size, strides, padding)
    _, slices, *plane, depth = x.shape
    y = pool(tf.reshape(x, (-1, *plane, depth)), pool_size[1:], strides[1:], padding)
    rows, columns = y.shape[1:3]
    y = pool(tf.reshape(y, (-1, slices, rows * columns, depth)), (pool_size[0], 1), (strides[0], 1), padding)
    return tf.reshape(y, (-1, y.shape[1], rows, columns, depth))


def with_a_row(x: Any) -> Any:
    """A batch of images that has at least one, for kernels that fail without; see `rows_of`.

    With oneDNN a convolution of an empty batch has the shape of its input, and the gradient of its maximum pooling ends
    the process. Inside a `tf.function` the size of a batch may be unknown.
    """
    rows = x.shape[0]
    if rows:
        return x
    missing = 1 if rows == 0 else tf.cast(tf.equal(tf.shape(x)[0], 0), tf.int32)
    return tf.concat(
        [x, tf.zeros((missing, *x.shape[1:]), x.dtype)], 0
    )  # TensorFlow would join a `pad` with what follows


def rows_of(x: Any, y: Any) -> Any:
    """Of a result for `with_a_row(x)` what belongs to `x`."""
    return y if x.shape[0] else y[: tf.shape(x)[0]]
