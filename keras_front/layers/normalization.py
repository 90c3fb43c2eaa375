"""Normalization over the batch, or over the features of each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front import constraints, initializers, regularizers
from keras_front.backend import dtypes
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS, InputSpec, Layer


class _Affine(Layer):
    """Arguments for the learned scale `gamma` and shift `beta`."""

    supports_masking = True

    def _set_affine(self, center: bool, scale: bool, beta: tuple[Any, Any, Any], gamma: tuple[Any, Any, Any]) -> None:
        self.center, self.scale = center, scale
        self.beta_initializer, self.gamma_initializer = initializers.get(beta[0]), initializers.get(gamma[0])
        self.beta_regularizer, self.gamma_regularizer = regularizers.get(beta[1]), regularizers.get(gamma[1])
        self.beta_constraint, self.gamma_constraint = constraints.get(beta[2]), constraints.get(gamma[2])

    def _add_affine(self, shape: tuple[Any, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                "gamma", shape, None, self.gamma_initializer, self.gamma_regularizer, constraint=self.gamma_constraint
            )
        if self.center:
            self.beta = self.add_weight(
                "beta", shape, None, self.beta_initializer, self.beta_regularizer, constraint=self.beta_constraint
            )

    def _size(self, input_shape: Any, axis: int) -> int:
        return _known_size(self.name, input_shape, axis)


def _known_size(where: str, input_shape: Any, axis: int) -> int:
    if not -len(input_shape) <= axis < len(input_shape):
        raise ShapeError(f"{where}: there is no axis {axis} in inputs of shape {tuple(input_shape)}.")
    if input_shape[axis] is None:
        raise ShapeError(
            f"Axis {axis} of the input tensor of {where} should have a defined dimension but the layer "
            f"received an input with shape {tuple(input_shape)}."
        )
    return input_shape[axis]


def _places(axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis or several, counted from the front and sorted."""
    return tuple(sorted(a % ndim for a in (axis if isinstance(axis, list) else [axis])))


@LAYERS.register()
class BatchNormalization(_Affine):
    """Each feature scaled to mean 0 and deviation 1: by the batch while training, by running statistics after.

    Args:
        axis: the axis of the features, -1 or 1 for 'channels_first'.
        momentum: of the running statistics: `new = momentum * old + (1 - momentum) * batch`.

    Shape: as the input.
    Weights: gamma if `scale`, beta if `center`, moving_mean, moving_variance: all (features,).
    Source: Ioffe & Szegedy (2015), algorithms 1 and 2. A frozen layer uses the running statistics and leaves them
        alone, as in tf_keras 2 and Keras 3; in Keras 2.3.1 it went on using those of the batch. The running variance
        is that of the batch itself, without the factor n / (n - 1).
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if isinstance(axis, Sequence):  # tf_keras writes a list of one
            if len(axis) != 1:
                raise ArgumentError(f"BatchNormalization: expected one axis, received {list(axis)}.")
            axis = axis[0]
        self.axis, self.momentum, self.epsilon = int(axis), momentum, epsilon
        self._set_affine(
            center, scale, (beta_initializer, beta_regularizer, beta_constraint),
            (gamma_initializer, gamma_regularizer, gamma_constraint),
        )  # fmt: skip
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        size = self._size(input_shape, self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self._add_affine((size,))
        self.moving_mean = self.add_weight("moving_mean", (size,), None, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", (size,), None, self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not self.trainable:
            training = False
        return K.in_train_phase(lambda: self._by_batch(inputs), lambda: self._by_memory(inputs), training=training)

    def _by_memory(self, inputs: Any) -> Any:
        return K.batch_normalization(
            inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma, axis=self.axis, epsilon=self.epsilon
        )

    def _by_batch(self, inputs: Any) -> Any:
        kept = self.axis % K.ndim(inputs)
        axes = tuple(i for i in range(K.ndim(inputs)) if i != kept)
        outputs, mean, variance = K.normalize_batch_in_training(
            inputs, self.gamma, self.beta, axes, epsilon=self.epsilon
        )
        mean, variance = K.stop_gradient(mean), K.stop_gradient(variance)
        K.moving_average_update(self.moving_mean, mean, self.momentum)
        K.moving_average_update(self.moving_variance, variance, self.momentum)
        return outputs


@LAYERS.register()
class LayerNormalization(_Affine):
    """The features of each sample scaled to mean 0 and deviation 1.

    Args:
        axis: the axis, or axes, over which mean and deviation are taken.

    Shape: as the input.
    Weights: gamma if `scale`, beta if `center`: the sizes of `axis`.
    Source: Ba et al. (2016).
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)
        self.epsilon = epsilon
        self._set_affine(
            center, scale, (beta_initializer, beta_regularizer, beta_constraint),
            (gamma_initializer, gamma_regularizer, gamma_constraint),
        )  # fmt: skip

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return _places(self.axis, ndim)

    def build(self, input_shape: Any) -> None:
        for axis in self.axis if isinstance(self.axis, list) else [self.axis]:
            self._size(input_shape, axis)
        self._add_affine(tuple(input_shape[a] for a in self._axes(len(input_shape))))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return K.layer_normalization(
            inputs, self.gamma, self.beta, axes=self._axes(K.ndim(inputs)), epsilon=self.epsilon
        )


@LAYERS.register()
class GroupNormalization(_Affine):
    """Groups of features of each sample scaled to mean 0 and deviation 1.

    Args:
        groups: into how many groups the features are cut; -1 for as many as there are features.
        axis: the axis of the features.

    Shape: as the input.
    Weights: gamma if `scale`, beta if `center`: (features,).
    Raises: ShapeError if the features cannot be cut into that many groups.
    Source: Wu & He (2018).
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.groups, self.axis, self.epsilon = int(groups), int(axis), epsilon
        self._set_affine(
            center, scale, (beta_initializer, beta_regularizer, beta_constraint),
            (gamma_initializer, gamma_regularizer, gamma_constraint),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        size = self._size(input_shape, self.axis)
        if self.groups != -1 and (self.groups < 1 or size % self.groups):
            raise ShapeError(
                f"{self.name}: expected a number of groups that divides the features, received groups={self.groups} "
                f"and {size} features in inputs of shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self._add_affine((size,))
        self.built = True

    def call(self, inputs: Any) -> Any:
        groups = K.int_shape(inputs)[self.axis] if self.groups == -1 else self.groups
        return K.group_normalization(inputs, self.gamma, self.beta, groups=groups, axis=self.axis, epsilon=self.epsilon)


@LAYERS.register()
class RMSNormalization(Layer):
    """Features of each sample divided by the root of the mean of their squares.

    Args:
        axis: the axis, or axes, over which the mean is taken.

    Shape: as the input.
    Weights: scale: the sizes of `axis`.
    Source: Zhang & Sennrich (2019).
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)
        self.epsilon = epsilon

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return _places(self.axis, ndim)

    def build(self, input_shape: Any) -> None:
        for axis in self.axis if isinstance(self.axis, list) else [self.axis]:
            _known_size(self.name, input_shape, axis)
        shape = tuple(input_shape[a] for a in self._axes(len(input_shape)))
        self.scale = self.add_weight("scale", shape, None, initializers.get("ones"))
        self.built = True

    def call(self, inputs: Any) -> Any:
        axes, shape, dtype = self._axes(K.ndim(inputs)), K.int_shape(inputs), K.dtype(inputs)
        x = K.cast(inputs, dtypes.as_single(dtype))  # squares leave the range of float16 soon
        scaled = x * K.rsqrt(K.mean(K.square(x), axis=axes, keepdims=True) + self.epsilon)
        wide = tuple(n if i in axes else 1 for i, n in enumerate(shape))
        return K.cast(scaled, dtype) * K.reshape(self.scale, wide)


@LAYERS.register()
class UnitNormalization(Layer):
    """Features of each sample scaled to Euclidean length 1.

    Args:
        axis: the axis, or axes, along which the length is taken.

    Shape: as the input.
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)

    def call(self, inputs: Any) -> Any:
        return K.l2_normalize(inputs, axis=tuple(self.axis) if isinstance(self.axis, list) else self.axis)
