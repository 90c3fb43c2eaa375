"""Activations with parameters of their own, as layers.

Source: Keras 2.3.1, `keras/layers/advanced_activations.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import activations, constraints, initializers, regularizers
from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS, InputSpec, Layer


class _Elementwise(Layer):
    supports_masking = True


@LAYERS.register()
class LeakyReLU(_Elementwise):
    """`x` where positive, `alpha * x` elsewhere; Keras 3 calls it `negative_slope`.

    Shape: as the input.
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any):
        alpha = kwargs.pop("negative_slope", alpha)
        super().__init__(**kwargs)
        self.alpha = _number("LeakyReLU", "alpha", alpha)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.alpha)


@LAYERS.register()
class PReLU(_Elementwise):
    """`x` where positive, `alpha * x` elsewhere, with a learned `alpha`.

    Args:
        shared_axes: axes along which one alpha holds for all, for example [1, 2] for one alpha per channel.

    Shape: as the input.
    Weights: alpha, the shape of a sample, with 1 for the shared axes.
    Source: He et al. (2015).
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None
        if shared_axes is not None:
            self.shared_axes = list(shared_axes) if isinstance(shared_axes, Sequence) else [shared_axes]

    def build(self, input_shape: Any) -> None:
        shared = {a % len(input_shape) for a in self.shared_axes or ()}
        shape = tuple(1 if i in shared else n for i, n in enumerate(input_shape))[1:]
        self.alpha = self.add_weight(
            "alpha", shape, None, self.alpha_initializer, self.alpha_regularizer, constraint=self.alpha_constraint
        )
        fixed = {i: n for i, n in enumerate(input_shape) if i > 0 and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)


@LAYERS.register()
class ELU(_Elementwise):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Shape: as the input. Source: Clevert et al. (2016).
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = _number("ELU", "alpha", alpha)

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)


@LAYERS.register()
class ThresholdedReLU(_Elementwise):
    """`x` where it is greater than `theta`, 0 elsewhere.

    Shape: as the input. Source: Konda et al. (2015).
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.theta = _number("ThresholdedReLU", "theta", theta)

    def call(self, inputs: Any) -> Any:
        return inputs * K.cast(K.greater(inputs, self.theta), K.dtype(inputs))


@LAYERS.register()
class Softmax(_Elementwise):
    """Exponentials scaled to sum to 1 along `axis`, or along several axes together.

    Shape: as the input.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis

    def call(self, inputs: Any) -> Any:
        if not isinstance(self.axis, list):
            return activations.softmax(inputs, axis=self.axis)
        raised = K.exp(inputs - K.stop_gradient(K.max(inputs, axis=self.axis, keepdims=True)))
        return raised / K.sum(raised, axis=self.axis, keepdims=True)


@LAYERS.register()
class ReLU(_Elementwise):
    """`x` above `threshold`, at most `max_value`; `negative_slope * (x - threshold)` below.

    Shape: as the input.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _number("ReLU", "max_value", max_value)
        self.negative_slope = _number("ReLU", "negative_slope", 0.0 if negative_slope is None else negative_slope)
        self.threshold = _number("ReLU", "threshold", 0.0 if threshold is None else threshold)
        for name in ("max_value", "negative_slope"):
            if (getattr(self, name) or 0.0) < 0:
                raise ArgumentError(f"ReLU: {name} cannot be negative, received {getattr(self, name)}.")

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


def _number(where: str, name: str, value: Any) -> float:
    if isinstance(value, dict) and value.get("type") == "ndarray":  # how Keras 2.0 wrote NumPy scalars
        value = value["value"]
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{where}: expected {name} to be a number, received {value!r}.") from None
