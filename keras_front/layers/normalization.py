"""Normalization over the batch, or over the features of each sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import conventions
from keras_front.arguments import read_number
from keras_front.backend import dtypes
from keras_front.backend.ops.replicas import normalized_batch
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import (
    Axes,
    Constraint,
    Flag,
    Fraction,
    Initializer,
    Integer,
    NotNegative,
    Reader,
    Regularizer,
    read_integer,
)
from .base import Layer, LayerArguments


def _one_axis(value: Any, layer: Any) -> int:
    if isinstance(value, Sequence):  # tf_keras writes a list of one
        (value,) = value
    return int(value)


def _bounds(value: Any, layer: Any) -> dict[str, float]:
    bounds = {name: read_number(bound) for name, bound in (value or {}).items() if bound is not None}
    least, most = bounds.get("rmin", 0.0), bounds.get("rmax", float("inf"))
    if set(bounds) - {"rmin", "rmax", "dmax"} or not 0 <= least <= most or bounds.get("dmax", 0.0) < 0:
        raise ValueError
    return bounds


Bounds = Annotated[
    Mapping[str, float] | None, Reader(_bounds, "a dict with 'rmin' <= 'rmax' and 'dmax', none below 0, or None")
]


class _Affine(Layer):
    """A layer with a learned scale `gamma` and shift `beta` after its normalization.

    Args:
        epsilon: added to the variance, so that nothing is divided by 0.
        center: whether `beta` is added.
        scale: whether the result is multiplied by `gamma`. Not needed before a layer that scales anyway.
        beta_initializer: first values of beta.
        gamma_initializer: first values of gamma.
        beta_regularizer: penalty on beta, added to the loss.
        gamma_regularizer: penalty on gamma, added to the loss.
        beta_constraint: function that beta must pass after each step.
        gamma_constraint: function that gamma must pass after each step.
    """

    supports_masking = True
    _computes_wide = True
    center: bool
    scale: bool

    def _add_affine(self, shape: tuple[Any, ...]) -> None:
        self.gamma = self.add_weight("gamma", shape) if self.scale else None
        self.beta = self.add_weight("beta", shape) if self.center else None

    def _size(self, input_shape: Any, axis: int) -> int:
        return _known_size(self.name, input_shape, axis)


def _known_size(where: str, input_shape: Any, axis: int) -> int:
    if not -len(input_shape) <= axis < len(input_shape):
        raise ShapeError(
            f"{where}: Invalid axis: {axis}. There is no such axis in inputs of shape {tuple(input_shape)}."
        )
    if input_shape[axis] is None:
        raise ShapeError(
            f"Axis {axis} of the input tensor of {where} should have a defined dimension but the layer "
            f"received an input with shape {tuple(input_shape)}."
        )
    return input_shape[axis]


def _places(axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis or several, counted from the front and sorted."""
    return tuple(sorted(a % ndim for a in (axis if isinstance(axis, list) else [axis])))


def _groups(value: Any, layer: Any) -> int:
    if read_integer(value) < 1 and value != -1:
        raise ValueError
    return int(value)


Groups = Annotated[int, Reader(_groups, "a positive integer, or -1 for one group for each feature")]


@LAYERS.register()
class BatchNormalization(_Affine):
    """Each feature scaled to mean 0 and deviation 1: by the batch while training, by running statistics after.

    Args:
        axis: the axis of the features: -1, or 1 for 'channels_first'. A list of one axis is understood too.
        momentum: of the running statistics: `new = momentum * old + (1 - momentum) * batch`. Nearer to 1 is smoother
            and slower: with 0.99 they follow the last few hundred batches.
        moving_mean_initializer: first values of the running mean.
        moving_variance_initializer: first values of the running variance.
        renorm: whether training, too, leans on running statistics (batch renormalization), which suits small batches.
        renorm_clipping: bounds of the correction: a dict that may have 'rmin' and 'rmax', of the ratio of deviations,
            and 'dmax', of the shift. None for none.
        renorm_momentum: `momentum` of the statistics of `renorm`.

    Shape: as the input.
    Weights: gamma if `scale`, beta if `center`, moving_mean, moving_variance, and moving_stddev, renorm_mean,
        renorm_stddev if `renorm`: all (features,).
    Source: Ioffe & Szegedy (2015), algorithms 1 and 2. A frozen layer uses the running statistics and leaves them
        alone, as in tf_keras 2 and Keras 3; in Keras 2.3.1 it went on using those of the batch. The running variance
        is that of the batch itself, without the factor n / (n - 1). Masked steps do not count, as in tf_keras 2.13 and
        Keras 3; up to Keras 2.3.1 they did. Renormalization: Ioffe (2017), algorithm 1, with running deviations.

    Example:
        >>> print(np.asarray(BatchNormalization()(np.array([[1.0], [3.0]]), training=True)).round(3))
        [[-1.]
         [ 1.]]
    """

    def __init__(
        self,
        axis: Annotated[int, Reader(_one_axis, "one axis")] = -1,
        momentum: Fraction = 0.99,
        epsilon: NotNegative = 1e-3,
        center: Flag = True,
        scale: Flag = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        moving_mean_initializer: Initializer = "zeros",
        moving_variance_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        renorm: Flag = False,
        renorm_clipping: Bounds = None,
        renorm_momentum: Fraction = 0.99,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self.renorm else {k: v for k, v in config.items() if not k.startswith("renorm")}

    def build(self, input_shape: Any) -> None:
        size = self._size(input_shape, self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self._add_affine((size,))
        self.moving_mean = self.add_weight("moving_mean", (size,), trainable=False)
        self.moving_variance = self.add_weight("moving_variance", (size,), trainable=False)
        if self.renorm:
            first = self.moving_variance_initializer
            deviation = {"initializer": lambda shape, dtype=None: np.sqrt(first(shape, dtype)), "trainable": False}
            self.moving_stddev = self.add_weight("moving_stddev", (size,), **deviation)
            mean = {"initializer": self.moving_mean_initializer, "trainable": False}
            self.renorm_mean = self.add_weight("renorm_mean", (size,), **mean)
            self.renorm_stddev = self.add_weight("renorm_stddev", (size,), **deviation)
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if not self.trainable:
            training = False
        if mask is not None and not conventions.current().masks_batch_statistics:
            mask = None
        batch = self._renormalize if self.renorm else self._use_batch
        return K.in_train_phase(lambda: batch(inputs, mask), lambda: self._use_moving(inputs), training=training)

    def _use_moving(self, inputs: Any) -> Any:
        return K.batch_normalization(
            inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma, axis=self.axis, epsilon=self.epsilon
        )

    def _use_batch(self, inputs: Any, mask: Any = None) -> Any:
        outputs, mean, variance = self._normalized(inputs, self.gamma, self.beta, mask)
        K.moving_average_update(self.moving_mean, mean, self.momentum)
        K.moving_average_update(self.moving_variance, variance, self.momentum)
        return outputs

    def _normalized(self, inputs: Any, gamma: Any, beta: Any, mask: Any) -> Any:
        """(normalized, mean, variance), the last two as constants."""
        kept = self.axis % K.ndim(inputs)
        axes = tuple(i for i in range(K.ndim(inputs)) if i != kept)
        outputs, mean, variance = normalized_batch(inputs, gamma, beta, axes, self.epsilon, mask)
        return outputs, K.stop_gradient(mean), K.stop_gradient(variance)

    def _renormalize(self, inputs: Any, mask: Any = None) -> Any:
        outputs, mean, variance = self._normalized(inputs, None, None, mask)
        stddev = K.sqrt(variance + self.epsilon)
        usual = K.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        bounds, shape = self.renorm_clipping, [1] * K.ndim(inputs)
        ratio = K.minimum(K.maximum(stddev / usual, bounds.get("rmin", 0.0)), bounds.get("rmax", math.inf))
        most = bounds.get("dmax", math.inf)
        shift = K.minimum(K.maximum((mean - self.renorm_mean) / usual, -most), most)
        shape[self.axis] = -1
        ratio, shift = (K.stop_gradient(K.reshape(t, shape)) for t in (ratio, shift))
        K.moving_average_update(self.renorm_mean, mean, self.renorm_momentum)
        K.moving_average_update(self.renorm_stddev, stddev, self.renorm_momentum)
        K.moving_average_update(self.moving_mean, mean, self.momentum)
        moving = self.moving_stddev * self.momentum + stddev * (1 - self.momentum)
        K.update(self.moving_stddev, moving)
        K.update(self.moving_variance, K.relu(K.square(moving) - self.epsilon))
        outputs = outputs * ratio + shift
        if self.gamma is not None:
            outputs = outputs * K.reshape(self.gamma, shape)
        return outputs if self.beta is None else outputs + K.reshape(self.beta, shape)


@LAYERS.register()
class LayerNormalization(_Affine):
    """The features of each sample scaled to mean 0 and deviation 1, in training and after alike.

    Args:
        axis: the axis, or a list of axes, over which mean and deviation are taken.

    Shape: as the input, whose sizes along `axis` must be known.
    Weights: gamma if `scale`, beta if `center`: the sizes of `axis`.
    Source: Ba et al. (2016).

    Example:
        >>> print(np.asarray(LayerNormalization()(np.array([[1.0, 3.0]]))).round(3))
        [[-1.  1.]]
    """

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: NotNegative = 1e-3,
        center: Flag = True,
        scale: Flag = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

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

    Example:
        >>> print(np.asarray(GroupNormalization(groups=2)(np.array([[1.0, 3.0, 2.0, 6.0]]))).round(3))
        [[-1.  1. -1.  1.]]
    """

    def __init__(
        self,
        groups: Groups = 32,
        axis: Integer = -1,
        epsilon: NotNegative = 1e-3,
        center: Flag = True,
        scale: Flag = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

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
        axis: the axis, or a list of axes, over which the mean is taken.
        epsilon: added to the mean of squares, so that nothing is divided by 0.

    Shape: as the input, whose sizes along `axis` must be known.
    Weights: scale: the sizes of `axis`.
    Source: Zhang & Sennrich (2019).

    Example:
        >>> print(np.asarray(RMSNormalization()(np.array([[1.0, 7.0]]))).round(3))
        [[0.2 1.4]]
    """

    supports_masking = True
    _computes_wide = True

    def __init__(self, axis: Axes = -1, epsilon: NotNegative = 1e-6, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def _axes(self, ndim: int) -> tuple[int, ...]:
        return _places(self.axis, ndim)

    def build(self, input_shape: Any) -> None:
        for axis in self.axis if isinstance(self.axis, list) else [self.axis]:
            _known_size(self.name, input_shape, axis)
        shape = tuple(input_shape[a] for a in self._axes(len(input_shape)))
        self.scale = self.add_weight("scale", shape, initializer="ones")
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
        axis: the axis, or a list of axes, along which the length is taken.

    Shape: as the input. Lengths below 1e-6 count as 1e-6, so that zeros stay zeros.
    Example:
        >>> UnitNormalization()(K.constant([[3.0, 4.0]])).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """

    supports_masking = True
    _computes_wide = True

    def __init__(self, axis: Axes = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return K.l2_normalize(inputs, axis=tuple(self.axis) if isinstance(self.axis, list) else self.axis)
