"""`tf.nn`: activations, convolutions, pooling, normalization, losses on logits.

Sizes, strides and dilations may have one number for each axis of the tensor, batch and channels included, as
TensorFlow writes them. The arguments of each function have the names that they have in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import ops

from .arrays import gather
from .linear import l2_normalize

__all__ = ["FUNCTIONS"]

ACTIVATIONS = ("elu", "relu", "relu6", "selu", "silu", "softplus", "softsign", "sigmoid", "tanh", "log_sigmoid")


def _activation(name: str) -> Callable[..., Any]:
    def function(features: Any, **hints: Any) -> Any:
        return getattr(ops, name)(features)

    function.__doc__ = f"keras_front.ops.{name}."
    return function


def _over(name: str) -> Callable[..., Any]:
    def function(logits: Any, axis: int | None = None, dim: int | None = None) -> Any:
        return getattr(K, name)(logits, axis=next((a for a in (axis, dim) if a is not None), -1))

    return function


# Convolutions and pooling ----------------------------------------------------------------------------


def _layout(data_format: str | None) -> str:
    return "channels_first" if str(data_format or "").startswith("NC") else "channels_last"


def _spatial(sizes: Any, axes: int, layout: str) -> Any:
    """Sizes along the spatial axes, of one number or one for each of them or of all axes."""
    listed = [1] if sizes is None else [sizes] if isinstance(sizes, int) else list(sizes)
    if len(listed) == axes + 2:
        listed = listed[2:] if layout == "channels_first" else listed[1:-1]
    return tuple(listed * axes if len(listed) == 1 else listed)


def convolution(
    input: Any, filters: Any = None, strides: Any = None, padding: str = "VALID", data_format: str | None = None,
    dilations: Any = None, **older: Any,
) -> Any:  # fmt: skip
    """Convolution of sequences, images or volumes."""
    kernel = older.get("filter", filters)
    layout, axes = _layout(data_format), K.ndim(input) - 2
    steps = _spatial(older.get("stride", strides), axes, layout)
    gaps = _spatial(older.get("dilation_rate", older.get("rate", dilations)), axes, layout)
    return ops.conv(input, _weights(kernel), steps, padding.lower(), layout, gaps)


def _weights(kernel: Any) -> Any:
    return np.asarray(kernel, "float32") if isinstance(kernel, Sequence) else kernel


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: str, data_format: str | None = None, dilations: Any = None,
    **older: Any,
) -> Any:  # fmt: skip
    """Convolution of each channel by itself."""
    layout = _layout(data_format)
    gaps = _spatial(older.get("rate", dilations), 2, layout)
    return ops.depthwise_conv(input, _weights(filter), _spatial(strides, 2, layout), padding.lower(), layout, gaps)


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: str,
    data_format: str | None = None, dilations: Any = None, **older: Any,
) -> Any:  # fmt: skip
    """Convolution of each channel by itself, then of all at each place."""
    given = data_format, older.get("rate", dilations)
    between = depthwise_conv2d(input, depthwise_filter, strides, padding, *given)
    return convolution(between, pointwise_filter, 1, "VALID", data_format)


def conv_transpose(
    input: Any, filters: Any = None, output_shape: Any = None, strides: Any = None, padding: str = "SAME",
    data_format: str | None = None, dilations: Any = None, **older: Any,
) -> Any:  # fmt: skip
    """The transpose of a convolution of images."""
    layout = _layout(data_format)
    kernel = _weights(older.get("filter", filters))
    given = {"padding": padding.lower(), "data_format": layout, "dilation_rate": _spatial(dilations, 2, layout)}
    return K.conv2d_transpose(input, kernel, tuple(output_shape), strides=_spatial(strides, 2, layout), **given)


def _pooling(name: str) -> Callable[..., Any]:
    def function(
        input: Any, ksize: Any, strides: Any = None, padding: str = "VALID", data_format: str | None = None,
    ) -> Any:  # fmt: skip
        layout, axes = _layout(data_format), K.ndim(input) - 2
        size, steps = _spatial(ksize, axes, layout), _spatial(strides, axes, layout)
        return getattr(ops, name)(input, size, steps, padding.lower(), layout)

    return function


def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: str = "VALID",
    data_format: str | None = None, **older: Any,
) -> Any:  # fmt: skip
    """The largest element, or the mean, of each window."""
    run = _pooling("max_pool" if pooling_type == "MAX" else "average_pool")
    return run(input, window_shape, strides, padding, data_format)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Any:
    """Channels divided by what those beside them have."""
    around = K.pad(K.square(input), ((0, 0), (0, 0), (0, 0), (depth_radius, depth_radius)))
    channels = K.int_shape(input)[-1]
    parts = [K.getitem(around, (..., slice(i, i + channels))) for i in range(2 * depth_radius + 1)]
    return input / K.power(bias + alpha * sum(parts[1:], parts[0]), beta)


# Normalization and statistics ------------------------------------------------------------------------


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    """Means and variances."""
    return tuple(K.moments(x, axes, bool(keepdims)))  # type: ignore[return-value]


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float
) -> Any:  # fmt: skip
    """A tensor with the mean taken off, divided by the deviation, scaled and moved."""
    factor = K.rsqrt(variance + variance_epsilon)
    factor = factor if scale is None else factor * scale
    return x * factor + ((0 if offset is None else offset) - mean * factor)


def bias_add(value: Any, bias: Any, data_format: str | None = None) -> Any:
    """A number added for each channel."""
    return K.bias_add(value, _weights(bias), _layout(data_format))


def dropout(x: Any, rate: Any = None, noise_shape: Any = None, seed: Any = None, **older: Any) -> Any:
    """Elements set to 0 at random, and the others enlarged so that the sum is about the same."""
    level = 1 - older["keep_prob"] if "keep_prob" in older else rate
    return K.identity(x) if not level else K.dropout(x, level, noise_shape, seed)


# Losses and lookups ----------------------------------------------------------------------------------


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, **older: Any) -> Any:
    """Crossentropy of probabilities with logits."""
    return K.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, **older: Any) -> Any:
    """Crossentropy of numbers of classes with logits."""
    return K.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, **older: Any) -> Any:
    """Crossentropy of each element with its logit."""
    return K.sigmoid_crossentropy(logits, labels)


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, **older: Any) -> Any:
    """The same with another weight for what is true."""
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * (K.log1p(K.exp(-K.abs(logits))) + K.maximum(-logits, 0.0))


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, **older: Any) -> Any:
    """Rows of a matrix by number."""
    return gather(_weights(params), ids)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _activation(name) for name in ACTIVATIONS},
    **{f.__name__: f for f in (
        batch_normalization, bias_add, convolution, depthwise_conv2d, dropout, embedding_lookup, l2_normalize,
        local_response_normalization, moments, pool, separable_conv2d, sigmoid_cross_entropy_with_logits,
        softmax_cross_entropy_with_logits, sparse_softmax_cross_entropy_with_logits,
        weighted_cross_entropy_with_logits,
    )},
    **{f"conv{n}d": convolution for n in (1, 2, 3)},
    **{f"max_pool{n}": _pooling("max_pool") for n in ("", "1d", "2d", "3d")},
    **{f"avg_pool{n}": _pooling("average_pool") for n in ("", "1d", "2d", "3d")},
    "conv2d_transpose": conv_transpose,
    "crelu": lambda features, axis=-1: K.relu(K.concatenate([features, -features], axis)),
    "depth_to_space": lambda input, block_size, data_format="NHWC": ops.depth_to_space(
        input, block_size, _layout(data_format)
    ),
    "gelu": lambda features, approximate=False: K.gelu(features, approximate=approximate),
    "l2_loss": lambda t: K.sum(K.square(t)) / 2,
    "leaky_relu": lambda features, alpha=0.2: K.leaky_relu(features, alpha),
    "log_poisson_loss": lambda targets, log_input, compute_full_loss=False: K.exp(log_input) - log_input * targets,
    "log_softmax": _over("log_softmax"),
    "lrn": local_response_normalization,
    "softmax": _over("softmax"),
    "softmax_cross_entropy_with_logits_v2": softmax_cross_entropy_with_logits,
    "space_to_depth": lambda input, block_size, data_format="NHWC": ops.space_to_depth(
        input, block_size, _layout(data_format)
    ),
    "swish": _activation("silu"),
}  # fmt: skip
