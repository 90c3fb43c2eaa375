"""Activations with parameters of their own, as layers.

Source: Keras 2.3.1, `keras/layers/advanced_activations.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Unpack

from keras_front import activations
from keras_front import backend as K
from keras_front.arguments import read_number
from keras_front.errors import ArgumentError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import Axes, AxisList, Constraint, Initializer, Number, Reader, Regularizer
from .base import Layer, LayerArguments


def _number_or_zero(value: Any, layer: Any) -> float:
    return 0.0 if value is None else read_number(value, layer)


NumberOrZero = Annotated[float | None, Reader(_number_or_zero, "a number")]


@LAYERS.register()
class LeakyReLU(Layer):
    """`x` where positive, `alpha * x` elsewhere, so that the gradient is nowhere 0.

    Args:
        alpha: slope on the negative side. Keras 3 calls it `negative_slope`, which is understood too.

    Shape: as the input.
    Source: Maas et al. (2013).
    Example:
        >>> LeakyReLU(alpha=0.5)(K.constant([-2.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    file_form = FileForm(renamed={"negative_slope": "alpha"})

    supports_masking = True

    def __init__(self, alpha: Number = 0.3, **kwargs: Unpack[LayerArguments]):
        self.alpha = read_number(kwargs.pop("negative_slope", alpha))  # type: ignore[typeddict-item]
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.alpha)


@LAYERS.register()
class PReLU(Layer):
    """`x` where positive, `alpha * x` elsewhere, with a learned `alpha`.

    Args:
        alpha_initializer: first values of the slopes; zeros, which begins as `relu`.
        alpha_regularizer: penalty on the slopes, added to the loss.
        alpha_constraint: function that the slopes must pass after each step.
        shared_axes: axes along which one alpha holds for all, for example [1, 2] for one alpha per channel of images.
            None for one alpha per element.

    Shape: as the input, whose sizes must be known along the axes that are not shared.
    Weights: alpha, the shape of a sample, with 1 for the shared axes.
    Source: He et al. (2015).

    Example:
        >>> PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]])).tolist()
        [[-1.0, 2.0]]
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Initializer = "zeros",
        alpha_regularizer: Regularizer = None,
        alpha_constraint: Constraint = None,
        shared_axes: AxisList | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        wrong = [a for a in self.shared_axes or () if not -len(input_shape) < a < len(input_shape) or a == 0]
        if wrong:
            raise ArgumentError(
                f"{self.name}: expected shared_axes among 1 to {len(input_shape) - 1} for inputs of shape "
                f"{tuple(input_shape)}, received {self.shared_axes}."
            )
        shared = {a % len(input_shape) for a in self.shared_axes or ()}
        shape = tuple(1 if i in shared else n for i, n in enumerate(input_shape))[1:]
        self.alpha = self.add_weight("alpha", shape)
        fixed = {i: n for i, n in enumerate(input_shape) if i > 0 and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)


@LAYERS.register()
class ELU(Layer):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        alpha: what the function goes to, with its sign changed, far on the negative side.

    Shape: as the input.
    Source: Clevert et al. (2016).

    Example:
        >>> print(np.asarray(ELU()(np.array([[-1.0, 2.0]]))).round(3))
        [[-0.632  2.   ]]
    """

    supports_masking = True

    def __init__(self, alpha: Number = 1.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)


@LAYERS.register()
class ThresholdedReLU(Layer):
    """`x` where it is greater than `theta`, 0 elsewhere.

    Args:
        theta: the threshold.

    Shape: as the input.
    Source: Konda et al. (2015).

    Example:
        >>> ThresholdedReLU(theta=1.0)(np.array([[0.5, 2.0]])).tolist()
        [[0.0, 2.0]]
    """

    supports_masking = True

    def __init__(self, theta: Number = 1.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs * K.cast(K.greater(inputs, self.theta), K.dtype(inputs))


@LAYERS.register()
class Softmax(Layer):
    """Exponentials scaled to sum to 1 along `axis`, or along several axes together.

    Args:
        axis: the axis, or a list of axes.

    Shape: as the input.
    Example:
        >>> Softmax()(K.zeros((1, 4))).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """

    supports_masking = True

    def __init__(self, axis: Axes = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        if not isinstance(self.axis, list):
            return activations.softmax(inputs, axis=self.axis)
        raised = K.exp(inputs - K.stop_gradient(K.max(inputs, axis=self.axis, keepdims=True)))
        return raised / K.sum(raised, axis=self.axis, keepdims=True)


@LAYERS.register()
class ReLU(Layer):
    """`x` above `threshold`, at most `max_value`; `negative_slope * (x - threshold)` below.

    Args:
        max_value: what larger results are cut to, such as 6; None for no bound.
        negative_slope: slope below the threshold.
        threshold: where the straight line begins.

    Shape: as the input.
    Raises: ArgumentError if `max_value` or `negative_slope` is negative.
    Example:
        >>> ReLU(max_value=6.0)(K.constant([-1.0, 3.0, 9.0])).tolist()
        [0.0, 3.0, 6.0]
    """

    supports_masking = True

    def __init__(
        self,
        max_value: Number | None = None,
        negative_slope: NumberOrZero = 0.0,
        threshold: NumberOrZero = 0.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        for name in ("max_value", "negative_slope"):
            if (getattr(self, name) or 0.0) < 0:
                raise ArgumentError(f"ReLU: {name} cannot be negative, received {getattr(self, name)}.")

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)
