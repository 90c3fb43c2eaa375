"""Convolution and pooling by what the device knows.

TensorFlow's kernels for a CPU take data with its channels last only, and groups of one channel only: other data is
transposed at their edge, other groups are computed one by one. Those for a GPU take both layouts and any groups.
"""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from keras_front.backend import discovery

_LAST, _FIRST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}, {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def on_gpu() -> bool:
    """Whether kernels for a GPU run: a chosen device is one, or none was chosen and there is one."""
    wanted = discovery.current_device()
    return _has_gpu() if wanted is None else wanted.partition(":")[0] in ("cuda", "gpu")


@functools.cache
def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def stays_first(data_format: str) -> bool:
    """Whether data with its channels first is computed on as it is."""
    return data_format == "channels_first" and on_gpu()


def laid_out(x: Any, data_format: str) -> Any:
    """The same data as the kernels of the device take it."""
    return x if stays_first(data_format) else channels_last(x, data_format)


def laid_back(x: Any, data_format: str) -> Any:
    """What kernels gave for data from `laid_out`, in the format that was asked for."""
    return x if stays_first(data_format) else channels_back(x, data_format)


def around(space: Any, first: bool, rest: Any) -> tuple[Any, ...]:
    """Something for each axis of a batch: what is given for its spatial ones, `rest` for the others."""
    return (rest, rest, *space) if first else (rest, *space, rest)


def channels_last(x: Any, data_format: str) -> Any:
    """The same data with its channels last."""
    n = x.shape.rank
    return x if data_format == "channels_last" else tf.transpose(x, (0, *range(2, n), 1))


def channels_back(x: Any, data_format: str) -> Any:
    """Data with its channels last, in the format that was asked for."""
    n = x.shape.rank
    return x if data_format == "channels_last" else tf.transpose(x, (0, n - 1, *range(1, n - 1)))


def grouped_conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any, groups: int, first: bool) -> Any:
    """On a CPU TensorFlow has groups of one channel (depthwise) and one group, nothing between."""
    if groups == 1:
        return plain_conv(x, kernel, strides, padding, dilation, first)
    depth, even = kernel.shape[-2], len(set(strides)) == 1
    if depth == 1 and len(strides) == 2 and even and max(dilation) == 1:
        by_channel = tf.reshape(kernel, (*kernel.shape[:2], groups, -1))
        return tf.nn.depthwise_conv2d(x, by_channel, around(strides, first, 1), padding, _letters(2, first))
    if on_gpu():
        return plain_conv(x, kernel, strides, padding, dilation, first)
    pairs = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    return tf.concat([plain_conv(a, b, strides, padding, dilation, first) for a, b in pairs], -1)


def plain_conv(x: Any, kernel: Any, strides: Any, padding: str, dilation: Any, first: bool = False) -> Any:
    """Convolution of one group, or of as many as the channels of the kernel say."""
    letters = _letters(len(strides), first)  # named, or the gradient's gradient misses it
    return tf.nn.convolution(x, kernel, strides, padding, data_format=letters, dilations=dilation)


def _letters(ndim: int, first: bool) -> str:
    return (_FIRST if first else _LAST)[ndim]


def pooled(pool: Any, x: Any, pool_size: Any, strides: Any, padding: str, first: bool = False) -> Any:
    """A pool by the kernel for planes.

    A sequence is a plane of height 1, and a volume is pooled along two axes and then along the third: the kernel
    for volumes lacks float64, and gives each of equal maxima the whole gradient.
    """
    padding, named = padding.upper(), {"data_format": "NCHW"} if first else {}
    if len(pool_size) == 1:
        height = 2 if first else 1
        y = pool(tf.expand_dims(x, height), (1, *pool_size), (1, *strides), padding, **named)
        return tf.squeeze(y, height)
    if len(pool_size) == 2:
        return pool(x, pool_size, strides, padding, **named)
    if first:
        return _pooled_volume(pool, x, pool_size, strides, padding)
    _, slices, *plane, depth = x.shape
    y = pool(tf.reshape(x, (-1, *plane, depth)), pool_size[1:], strides[1:], padding)
    rows, columns = y.shape[1:3]
    y = pool(tf.reshape(y, (-1, slices, rows * columns, depth)), (pool_size[0], 1), (strides[0], 1), padding)
    return tf.reshape(y, (-1, y.shape[1], rows, columns, depth))


def _pooled_volume(pool: Any, x: Any, pool_size: Any, strides: Any, padding: str) -> Any:
    """A volume with its channels first: its slices are channels of planes."""
    _, depth, slices, *plane = x.shape
    y = pool(tf.reshape(x, (-1, depth * slices, *plane)), pool_size[1:], strides[1:], padding, data_format="NCHW")
    rows, columns = y.shape[2:]
    y = tf.reshape(y, (-1, depth, slices, rows * columns))
    y = pool(y, (pool_size[0], 1), (strides[0], 1), padding, data_format="NCHW")
    return tf.reshape(y, (-1, depth, y.shape[2], rows, columns))


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
