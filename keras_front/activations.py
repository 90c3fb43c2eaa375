"""Activation functions: each a line of K.

A function is its own config: a layer's `activation` is written as the function's name. Layers such as
`LeakyReLU` may stand in for functions, by object or by config.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_front import backend as K
from keras_front import conventions
from keras_front.errors import ShapeError
from keras_front.missing_names import only_these
from keras_front.registry import Registry
from keras_front.tracebacks import api_boundary
from keras_front.tracebacks import warn_user as _warn_user

ACTIVATIONS = Registry("activation", also=("layer",))

# Klambauer et al. (2017), equation 14: the pair that keeps mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@ACTIVATIONS.register()
def linear(x: Any) -> Any:
    """`x` itself.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.

    Example:
        >>> linear(np.array([1.0, -2.0])).tolist()
        [1.0, -2.0]
    """
    return x


@ACTIVATIONS.register()
@api_boundary
def softmax(x: Any, axis: int = -1) -> Any:
    """Exponentials of `x`, scaled to sum to 1 along an axis: probabilities from scores.

    Args:
        x: tensor, real or symbolic, or an array.
        axis: the axis along which values sum to 1.

    Shape: as `x`.
    Raises: ShapeError for a vector, as it is most likely a batch of single numbers.
    Source: Bridle (1990), section 3.2; Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> softmax(K.constant([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """
    if K.ndim(x) < 2:
        raise ShapeError(
            f"softmax: expected a tensor with at least 2 axes, the first of them the batch, received shape "
            f"{K.int_shape(x)}. For a vector there is K.softmax."
        )
    return K.softmax(x, axis=axis)


@ACTIVATIONS.register()
@api_boundary
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of `softmax(x)`, without its rounding.

    Args:
        x: tensor, real or symbolic, or an array.
        axis: the axis along which the exponentials sum to 1.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> round(float(log_softmax(K.constant([0.0, 0.0]))[0]), 4)
        -0.6931
    """
    return K.log_softmax(x, axis=axis)


@ACTIVATIONS.register()
@api_boundary
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: tensor, real or symbolic, or an array.
        alpha: what it approaches far below 0, with the other sign.

    Shape: as `x`.
    Source: Clevert et al. (2016), equation 15.
    Example:
        >>> elu(K.constant([2.0, -100.0])).tolist()
        [2.0, -1.0]
    """
    return K.elu(x, alpha=alpha)


@ACTIVATIONS.register()
def selu(x: Any) -> Any:
    """Scaled `elu` that keeps mean 0 and variance 1 from layer to layer.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Klambauer et al. (2017), equation 2; use it with the initializer `lecun_normal`.
    Example:
        >>> round(float(selu(K.constant(1.0))), 4)
        1.0507
    """
    return SELU_SCALE * K.elu(x, alpha=SELU_ALPHA)


@ACTIVATIONS.register()
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`: a `relu` without a corner.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Dugas et al. (2001); Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> round(float(softplus(K.constant(0.0))), 4)
        0.6931
    """
    return K.softplus(x)


@ACTIVATIONS.register()
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> softsign(K.constant([1.0, -3.0])).tolist()
        [0.5, -0.75]
    """
    return K.softsign(x)


@ACTIVATIONS.register()
@api_boundary
def relu(
    x: Any,
    alpha: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    negative_slope: float | None = None,
) -> Any:
    """`x` above `threshold`, at most `max_value`; `alpha * (x - threshold)` below.

    Args:
        x: tensor, real or symbolic, or an array.
        alpha: slope below the threshold.
        max_value: where it ends; None for nowhere.
        threshold: where it begins.
        negative_slope: the name of Keras 3 for `alpha`.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> relu(K.constant([-1.0, 2.0, 9.0]), alpha=0.5, max_value=6.0).tolist()
        [-0.5, 2.0, 6.0]
    """
    slope = alpha if negative_slope is None else negative_slope
    return K.relu(x, alpha=slope, max_value=max_value, threshold=threshold)


@ACTIVATIONS.register()
def relu6(x: Any) -> Any:
    """`relu` that ends at 6, for numbers of few bits.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Krizhevsky (2010), section 2; Keras 3.15.1.
    Example:
        >>> relu6(K.constant([-1.0, 9.0])).tolist()
        [0.0, 6.0]
    """
    return K.relu(x, max_value=6.0)


@ACTIVATIONS.register()
@api_boundary
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, `negative_slope * x` elsewhere.

    Args:
        x: tensor, real or symbolic, or an array.
        negative_slope: the slope below 0.

    Shape: as `x`.
    Source: Maas et al. (2013), section 2.1; Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> leaky_relu(K.constant([-1.0, 2.0]), 0.5).tolist()
        [-0.5, 2.0]
    """
    return K.relu(x, alpha=negative_slope)


@ACTIVATIONS.register()
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> tanh(K.constant([0.0])).tolist()
        [0.0]
    """
    return K.tanh(x)


@ACTIVATIONS.register()
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`: a probability from a score.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> sigmoid(K.constant([0.0])).tolist()
        [0.5]
    """
    return K.sigmoid(x)


@ACTIVATIONS.register()
def hard_sigmoid(x: Any) -> Any:
    """`0.2 x + 0.5`, kept between 0 and 1.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/backend`; Keras 3 has another slope under the same name.
    Example:
        >>> hard_sigmoid(K.constant([0.0, 9.0])).tolist()
        [0.5, 1.0]
    """
    return K.hard_sigmoid(x)


@ACTIVATIONS.register()
def hard_sigmoid_keras3(x: Any) -> Any:
    """`relu6(x + 3) / 6`: what files of Keras 3 mean by `hard_sigmoid`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> hard_sigmoid_keras3(K.constant([0.0, 9.0])).tolist()
        [0.5, 1.0]
    """
    return K.multiply(relu6(K.add(x, 3.0)), 1.0 / 6.0)


@ACTIVATIONS.register()
def exponential(x: Any) -> Any:
    """`exp(x)`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 2.3.1, `keras/activations.py`.
    Example:
        >>> exponential(K.constant([0.0])).tolist()
        [1.0]
    """
    return K.exp(x)


@ACTIVATIONS.register("swish", "silu")
def swish(x: Any) -> Any:
    """`x * sigmoid(x)`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Elfwing et al. (2018), equation 5, as SiLU; Ramachandran et al. (2017), as Swish.
    Example:
        >>> swish(K.constant([0.0])).tolist()
        [0.0]
    """
    return K.silu(x)


@ACTIVATIONS.register("hard_silu", "hard_swish")
def hard_silu(x: Any) -> Any:
    """`x * relu6(x + 3) / 6`: a `silu` without exponentials.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Howard et al. (2019), section 5.2.
    Example:
        >>> hard_silu(K.constant([3.0, 9.0])).tolist()
        [3.0, 9.0]
    """
    x = K.convert(x)
    return x * relu6(x + 3.0) * (1.0 / 6.0)


@ACTIVATIONS.register()
@api_boundary
def gelu(x: Any, approximate: bool = False) -> Any:
    """`x` times the normal distribution function at `x`.

    Args:
        x: tensor, real or symbolic, or an array.
        approximate: compute it by tanh, which is faster on some backends and differs by up to 5e-4.

    Shape: as `x`.
    Source: Hendrycks and Gimpel (2016), section 2.
    Example:
        >>> round(float(gelu(K.constant(1.0))), 4)
        0.8413
    """
    return K.gelu(x, approximate=approximate)


@ACTIVATIONS.register()
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Misra (2019), equation 1.
    Example:
        >>> mish(K.constant([0.0])).tolist()
        [0.0]
    """
    return K.multiply(x, K.tanh(K.softplus(x)))


@ACTIVATIONS.register()
@api_boundary
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x / alpha) - 1)` elsewhere: an `elu` that is smooth for every `alpha`.

    Args:
        x: tensor, real or symbolic, or an array.
        alpha: what it approaches far below 0, with the other sign; not 0.

    Shape: as `x`.
    Source: Barron (2017), equation 1.
    Example:
        >>> celu(K.constant([2.0, -100.0])).tolist()
        [2.0, -1.0]
    """
    return alpha * K.elu(K.divide(x, alpha))


@ACTIVATIONS.register()
@api_boundary
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along an axis, times the sigmoid of the second.

    Args:
        x: tensor, real or symbolic, or an array.
        axis: the axis, of even size.

    Shape: `axis` is halved.
    Source: Dauphin et al. (2017), section 2.
    Example:
        >>> glu(K.constant([4.0, 0.0])).tolist()
        [2.0]
    """
    return K.glu(x, axis=axis)


@ACTIVATIONS.register()
def hard_tanh(x: Any) -> Any:
    """`x`, kept between -1 and 1.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> hard_tanh(K.constant([-3.0, 0.5])).tolist()
        [-1.0, 0.5]
    """
    return K.clip(x, -1.0, 1.0)


@ACTIVATIONS.register()
@api_boundary
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where it is further than `threshold` from 0, and 0 elsewhere.

    Args:
        x: tensor, real or symbolic, or an array.
        threshold: half the width of the part that becomes 0.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> hard_shrink(K.constant([0.25, 2.0])).tolist()
        [0.0, 2.0]
    """
    x = K.convert(x)
    return K.where(K.abs(x) > threshold, x, K.zeros_like(x))


@ACTIVATIONS.register()
@api_boundary
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved by `threshold` towards 0, and not beyond it.

    Args:
        x: tensor, real or symbolic, or an array.
        threshold: how far it is moved.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> soft_shrink(K.constant([0.25, 2.0])).tolist()
        [0.0, 1.5]
    """
    x = K.convert(x)
    return K.relu(x - threshold) - K.relu(-x - threshold)


@ACTIVATIONS.register()
def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> tanh_shrink(K.constant([0.0])).tolist()
        [0.0]
    """
    x = K.convert(x)
    return x - K.tanh(x)


@ACTIVATIONS.register()
@api_boundary
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` above a threshold, another value elsewhere.

    Args:
        x: tensor, real or symbolic, or an array.
        threshold: the threshold, which does not count as above.
        default_value: the value at and below it.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> threshold(K.constant([1.0, 2.0]), 1.0, -5.0).tolist()
        [-5.0, 2.0]
    """
    x = K.convert(x)
    return K.where(x > threshold, x, K.zeros_like(x) + default_value)


@ACTIVATIONS.register()
def log_sigmoid(x: Any) -> Any:
    """Logarithm of `sigmoid(x)`, without its rounding.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> round(float(log_sigmoid(K.constant(0.0))), 4)
        -0.6931
    """
    return K.negative(K.softplus(K.negative(x)))


@ACTIVATIONS.register()
@api_boundary
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`: a `softplus` made of algebra.

    Args:
        x: tensor, real or symbolic, or an array.
        b: how round the corner is; 4 makes the value at 0 equal 1.

    Shape: as `x`.
    Source: Barron (2021), equation 1.
    Example:
        >>> squareplus(K.constant([0.0])).tolist()
        [1.0]
    """
    x = K.convert(x)
    return (x + K.square_root(K.square(x) + b)) * 0.5


@ACTIVATIONS.register()
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `x` from 1 on, and the parabola `(x + 1)**2 / 4` between.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> sparse_plus(K.constant([-2.0, 0.0, 2.0])).tolist()
        [0.0, 0.25, 2.0]
    """
    x = K.convert(x)
    return K.where(x >= 1.0, x, K.square(K.clip(x, -1.0, 1.0) + 1.0) * 0.25)


@ACTIVATIONS.register()
def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2`, kept between 0 and 1: the derivative of `sparse_plus`.

    Args:
        x: tensor, real or symbolic, or an array.

    Shape: as `x`.
    Source: Keras 3.15.1, `keras/src/activations/activations.py`.
    Example:
        >>> sparse_sigmoid(K.constant([-2.0, 0.0])).tolist()
        [0.0, 0.5]
    """
    return (K.clip(x, -1.0, 1.0) + 1.0) * 0.5


@ACTIVATIONS.register()
@api_boundary
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point nearest to `x` whose values along an axis are not negative and sum to 1; most of them may be 0.

    Args:
        x: tensor, real or symbolic, or an array.
        axis: the axis along which values sum to 1.

    Shape: as `x`.
    Source: Martins and Astudillo (2016), algorithm 1. In Keras 3.15 the values need not sum to 1.
    Example:
        >>> sparsemax(K.constant([3.0, 1.0])).tolist()
        [1.0, 0.0]
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


@api_boundary
def serialize(activation: Any) -> str | dict[str, Any]:
    """Name of an activation function, or the config of a layer used as one.

    Args:
        activation: a function, or a layer such as `LeakyReLU()`.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return ACTIVATIONS.serialize(activation)


@api_boundary
def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The activation that a name or config describes.

    Args:
        name: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.
    Example:
        >>> deserialize("relu") is relu
        True
    """
    return ACTIVATIONS.deserialize(name, custom_objects)


@api_boundary
def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a layer's argument stands for.

    Args:
        identifier: a name, a config, a function of a tensor, a layer; None is `linear`.

    Raises: ArgumentError for anything else.
    Example:
        >>> get(None) is linear
        True
    """
    if hasattr(identifier, "get_weights") and conventions.current().activation_layers_warn:
        _warn_user(
            f"Do not pass a layer instance (such as {identifier}) as the activation argument of another layer. Layers "
            "like it are used just like any other layer in a model."
        )
    return linear if identifier is None else ACTIVATIONS.get(identifier)


__getattr__ = only_these(__name__)
