"""Activation functions: each a line of K.

A function is its own config: a layer's `activation` is written as the function's name. Layers such as
`LeakyReLU` may stand in for functions, by object or by config.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front import backend as K
from keras_front.registry import Registry

ACTIVATIONS = Registry("activation", also=("layer",))

# Klambauer et al. (2017), equation 14: the pair that keeps mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@ACTIVATIONS.register()
def linear(x: Any) -> Any:
    """`x` itself."""
    return x


@ACTIVATIONS.register()
def softmax(x: Any, axis: int = -1) -> Any:
    """Exponentials of `x`, scaled to sum to 1 along `axis`."""
    return K.softmax(x, axis=axis)


@ACTIVATIONS.register()
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of `softmax(x)`, without its rounding."""
    return K.log_softmax(x, axis=axis)


@ACTIVATIONS.register()
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Source: Clevert et al. (2016).
    """
    return K.elu(x, alpha=alpha)


@ACTIVATIONS.register()
def selu(x: Any) -> Any:
    """Scaled `elu` that keeps mean 0 and variance 1 from layer to layer.

    Source: Klambauer et al. (2017); use it with the initializer `lecun_normal`.
    """
    return SELU_SCALE * K.elu(x, alpha=SELU_ALPHA)


@ACTIVATIONS.register()
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return K.softplus(x)


@ACTIVATIONS.register()
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return K.softsign(x)


@ACTIVATIONS.register()
def relu(
    x: Any,
    alpha: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    negative_slope: float | None = None,
) -> Any:
    """`x` above `threshold`, at most `max_value`; `alpha * (x - threshold)` below.

    Keras 3 calls `alpha` by the name `negative_slope`.
    """
    slope = alpha if negative_slope is None else negative_slope
    return K.relu(x, alpha=slope, max_value=max_value, threshold=threshold)


@ACTIVATIONS.register()
def relu6(x: Any) -> Any:
    """`relu` that ends at 6."""
    return K.relu(x, max_value=6.0)


@ACTIVATIONS.register()
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope * x` elsewhere."""
    return K.relu(x, alpha=negative_slope)


@ACTIVATIONS.register()
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return K.tanh(x)


@ACTIVATIONS.register()
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return K.sigmoid(x)


@ACTIVATIONS.register()
def hard_sigmoid(x: Any) -> Any:
    """`0.2 x + 0.5`, kept between 0 and 1.

    Source: Keras 2.3.1, `keras/backend`; Keras 3 has another slope under the same name.
    """
    return K.hard_sigmoid(x)


@ACTIVATIONS.register()
def hard_sigmoid_keras3(x: Any) -> Any:
    """`relu6(x + 3) / 6`: what files of Keras 3 mean by `hard_sigmoid`.

    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    """
    return K.multiply(relu6(K.add(x, 3.0)), 1.0 / 6.0)


@ACTIVATIONS.register()
def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return K.exp(x)


@ACTIVATIONS.register("swish", "silu")
def swish(x: Any) -> Any:
    """`x * sigmoid(x)`.

    Source: Elfwing et al. (2018), as SiLU; Ramachandran et al. (2017), as Swish.
    """
    return K.silu(x)


@ACTIVATIONS.register("hard_silu", "hard_swish")
def hard_silu(x: Any) -> Any:
    """`x * relu6(x + 3) / 6`.

    Source: Howard et al. (2019), section 5.2.
    """
    x = K.convert(x)
    return x * relu6(x + 3.0) * (1.0 / 6.0)


@ACTIVATIONS.register()
def gelu(x: Any, approximate: bool = False) -> Any:
    """`x` times the normal distribution function at `x`, or its approximation by tanh.

    Source: Hendrycks and Gimpel (2016).
    """
    return K.gelu(x, approximate=approximate)


@ACTIVATIONS.register()
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`.

    Source: Misra (2019).
    """
    return K.multiply(x, K.tanh(K.softplus(x)))


@ACTIVATIONS.register()
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x / alpha) - 1)` elsewhere: an `elu` that is smooth for every `alpha`.

    Source: Barron (2017).
    """
    return alpha * K.elu(K.divide(x, alpha))


@ACTIVATIONS.register()
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along `axis`, times the sigmoid of the second.

    Shape: `axis` is halved.
    Source: Dauphin et al. (2017), section 2.
    """
    return K.glu(x, axis=axis)


@ACTIVATIONS.register()
def hard_tanh(x: Any) -> Any:
    """`x`, kept between -1 and 1."""
    return K.clip(x, -1.0, 1.0)


@ACTIVATIONS.register()
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where it is further than `threshold` from 0, and 0 elsewhere."""
    x = K.convert(x)
    return K.where(K.abs(x) > threshold, x, K.zeros_like(x))


@ACTIVATIONS.register()
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved by `threshold` towards 0, and not beyond it."""
    x = K.convert(x)
    return K.relu(x - threshold) - K.relu(-x - threshold)


@ACTIVATIONS.register()
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    x = K.convert(x)
    return x - K.tanh(x)


@ACTIVATIONS.register()
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` above `threshold`, `default_value` elsewhere."""
    x = K.convert(x)
    return K.where(x > threshold, x, K.zeros_like(x) + default_value)


@ACTIVATIONS.register()
def log_sigmoid(x: Any) -> Any:
    """Logarithm of `sigmoid(x)`, without its rounding."""
    return K.negative(K.softplus(K.negative(x)))


@ACTIVATIONS.register()
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`: a `softplus` made of algebra.

    Source: Barron (2021).
    """
    x = K.convert(x)
    return (x + K.sqrt(K.square(x) + b)) * 0.5


@ACTIVATIONS.register()
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `x` from 1 on, and the parabola `(x + 1)**2 / 4` between."""
    x = K.convert(x)
    return K.where(x >= 1.0, x, K.square(K.clip(x, -1.0, 1.0) + 1.0) * 0.25)


@ACTIVATIONS.register()
def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2`, kept between 0 and 1: the derivative of `sparse_plus`."""
    return (K.clip(x, -1.0, 1.0) + 1.0) * 0.5


@ACTIVATIONS.register()
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point nearest to `x` whose values along `axis` are not negative and sum to 1; most of them may be 0.

    Source: Martins and Astudillo (2016), algorithm 1. In Keras 3.15 the values need not sum to 1.
    """
    x = K.convert(x)
    sorted_ = K.sort(K.stop_gradient(x), axis=axis, descending=True)
    rank = K.cumsum(K.ones_like(sorted_), axis=axis)
    within = K.cast(1.0 + rank * sorted_ > K.cumsum(sorted_, axis=axis), K.dtype(x))
    count = K.sum(within, axis=axis, keepdims=True)
    least = K.min(K.where(within > 0, sorted_, K.zeros_like(sorted_) + K.max(sorted_)), axis=axis, keepdims=True)
    chosen = K.stop_gradient(x) >= least
    support = K.cast(chosen, K.dtype(x))
    shift = (K.sum(x * support, axis=axis, keepdims=True) - 1.0) / count
    return K.where(chosen, x - shift, K.zeros_like(x))


silu = swish
hard_swish = hard_silu


def serialize(activation: Any) -> Any:
    """Name of an activation function, or the config of a layer used as one."""
    return ACTIVATIONS.serialize(activation)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation that a name or config describes."""
    return ACTIVATIONS.deserialize(name, custom_objects)


def get(identifier: Any) -> Any:
    """The activation that a layer's argument stands for; None is `linear`."""
    return linear if identifier is None else ACTIVATIONS.get(identifier)
