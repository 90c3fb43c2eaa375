"""`tf.nn`: activations, losses on logits and the like, each a call of K with TensorFlow's names and order of arguments.

Source: the signatures of TensorFlow 1.15 and 2.15, `tf.nn`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import activations
from keras_front import backend as K

from .functions import reduce_mean, reduce_variance


def _activation(name: str) -> Callable[..., Any]:
    def function(features: Any, name: str | None = None) -> Any:
        """An activation.

        Args:
            features: the tensor.
            name: not used.
        """
        return activation(features)

    activation = getattr(activations, name)
    return function


elu, relu, relu6, selu, silu, softplus, softsign = map(
    _activation, ("elu", "relu", "relu6", "selu", "silu", "softplus", "softsign")
)
sigmoid, tanh, swish = _activation("sigmoid"), _activation("tanh"), _activation("silu")


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """The element if it is positive, and a part of it if not.

    Args:
        features: the tensor.
        alpha: which part.
        name: not used.
    """
    return K.leaky_relu(features, alpha)


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """Gaussian error linear units.

    Args:
        features: the tensor.
        approximate: whether by tanh.
        name: not used.
    """
    return K.gelu(features, approximate=approximate)


def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Probabilities from logits.

    Args:
        logits: the tensor.
        axis: along which axis; by default the last.
        name: not used.
    """
    return K.softmax(logits, axis=-1 if axis is None else axis)


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Logarithms of probabilities from logits.

    Args:
        logits: the tensor.
        axis: along which axis; by default the last.
        name: not used.
    """
    return K.log_softmax(logits, axis=-1 if axis is None else axis)


def dropout(x: Any, rate: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, **old: Any) -> Any:
    """Elements set to 0 at random, and the others enlarged so that the sum is about the same.

    Args:
        x: the tensor.
        rate: which share is set to 0.
        noise_shape: the shape of what is drawn.
        seed: a seed of its own.
        name: not used.
        old: `keep_prob`, the share that is not set to 0.
    """
    level = 1 - old["keep_prob"] if "keep_prob" in old else rate
    return x if not level else K.dropout(x, level, noise_shape, seed)


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None, **old: Any) -> Any:
    """Means and variances.

    Args:
        x: the tensor.
        axes: over which axes.
        shift: not used.
        keepdims: whether the axes stay, with length 1.
        name: not used.
        old: `keep_dims`, a former name of `keepdims`.
    """
    stay = bool(keepdims or old.get("keep_dims"))
    return reduce_mean(x, axes, stay), reduce_variance(x, axes, stay)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """A number added for each channel.

    Args:
        value: the tensor.
        bias: the numbers.
        data_format: 'NHWC' and the like, or 'NCHW' and the like.
        name: not used.
    """
    first = data_format is not None and data_format.startswith("NC")
    return K.bias_add(value, bias, "channels_first" if first else "channels_last")


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Any:
    """Rows of a matrix by number.

    Args:
        params: the matrix.
        ids: the numbers.
        max_norm: not used.
        name: not used.
    """
    return K.gather(params, ids)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """Crossentropy of probabilities with logits.

    Args:
        labels: the true probabilities.
        logits: the logits.
        axis: that of the classes.
        name: not used.
    """
    return K.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


softmax_cross_entropy_with_logits_v2 = softmax_cross_entropy_with_logits


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """Crossentropy of numbers of classes with logits.

    Args:
        labels: the numbers.
        logits: the logits.
        name: not used.
    """
    return K.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """Crossentropy of each element with its logit.

    Args:
        labels: the truth, from 0 to 1.
        logits: the logits.
        name: not used.
    """
    return K.sigmoid_crossentropy(logits, labels)
