"""Constraints: what is done to a weight after each update, in K.

A constraint is called with a weight and returns the weight that takes its place. `axis` names the axes
over which a norm is taken: 0 for the kernel of a Dense layer `(in, out)`, `[0, 1, 2]` for that of Conv2D.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Axes, Fraction, NotNegative
from keras_front.errors import ArgumentError, ShapeError
from keras_front.registry import Configurable, Registry
from keras_front.tracebacks import api_boundary

CONSTRAINTS = Registry("constraint")
Axis = int | Sequence[int]


class Constraint(Configurable):
    """Base class: called with a weight, it returns the constrained weight.

    Example:
        >>> class Whole(Constraint):
        ...     def __call__(self, w):
        ...         return K.round(w)
        >>> Whole()(K.constant([0.75, 2.0])).tolist()
        [1.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        """The weight that takes the place of another.

        Args:
            w: the weight after an update.

        Returns: a tensor of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it allows.")


def _norm(w: Any, axis: Axis) -> Any:
    return K.square_root(K.sum(K.square(w), axis=axis, keepdims=True))


@CONSTRAINTS.register("MaxNorm", "max_norm", "maxnorm")
class MaxNorm(Constraint):
    """Norms are at most `max_value`; longer vectors are scaled down.

    Args:
        max_value: the largest norm; 2 to 4 are usual together with dropout.
        axis: the axes over which a norm is taken: 0 for a kernel (in, out), `[0, 1, 2]` for one of `Conv2D`.

    Source: Srivastava et al. (2014), section 5.1; Keras 2.3.1, `keras/constraints.py`.
    Example:
        >>> [round(float(w), 3) for w in MaxNorm(1.0)(K.constant([3.0, 4.0]))]
        [0.6, 0.8]
    """

    max_value: float
    axis: Axis

    def __init__(self, max_value: NotNegative = 2, axis: Axes | None = 0):
        super().__init__()

    def __call__(self, w: Any) -> Any:
        w = K.convert(w)
        norm = _norm(w, self.axis)
        return w * (K.clip(norm, 0, self.max_value) / (K.epsilon() + norm))


@CONSTRAINTS.register("NonNeg", "non_neg", "nonneg")
class NonNeg(Constraint):
    """No value is below 0: negative ones become 0.

    Source: Keras 2.3.1, `keras/constraints.py`.
    Example:
        >>> NonNeg()(K.constant([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return K.relu(w)


@CONSTRAINTS.register("UnitNorm", "unit_norm", "unitnorm")
class UnitNorm(Constraint):
    """Norms are 1.

    Args:
        axis: the axes over which a norm is taken: 0 for a kernel (in, out), `[0, 1, 2]` for one of `Conv2D`.

    Source: Keras 2.3.1, `keras/constraints.py`.
    Example:
        >>> [round(float(w), 3) for w in UnitNorm()(K.constant([3.0, 4.0]))]
        [0.6, 0.8]
    """

    axis: Axis

    def __init__(self, axis: Axes | None = 0):
        super().__init__()

    def __call__(self, w: Any) -> Any:
        return K.divide(w, K.epsilon() + _norm(w, self.axis))


@CONSTRAINTS.register("MinMaxNorm", "min_max_norm")
class MinMaxNorm(Constraint):
    """Norms lie between two values, or come nearer to them at each update.

    Args:
        min_value: the least norm.
        max_value: the largest norm.
        rate: the part of the way that each update goes; 1 for all of it.
        axis: the axes over which a norm is taken: 0 for a kernel (in, out), `[0, 1, 2]` for one of `Conv2D`.

    Source: Keras 2.3.1, `keras/constraints.py`.
    Example:
        >>> [round(float(w), 3) for w in MinMaxNorm(1.0, 2.0)(K.constant([6.0, 8.0]))]
        [1.2, 1.6]
    """

    min_value: float
    max_value: float
    rate: float
    axis: Axis

    def __init__(
        self, min_value: NotNegative = 0.0, max_value: NotNegative = 1.0, rate: Fraction = 1.0, axis: Axes | None = 0
    ):
        super().__init__()
        if min_value > max_value:
            raise ArgumentError(
                f"MinMaxNorm: expected min_value up to max_value, received {min_value} and {max_value}."
            )

    def __call__(self, w: Any) -> Any:
        w = K.convert(w)
        norm = _norm(w, self.axis)
        wanted = self.rate * K.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (wanted / (K.epsilon() + norm))


@CONSTRAINTS.register("RadialConstraint", "radial_constraint")
class RadialConstraint(Constraint):
    """All values of a square kernel at the same distance from its centre are equal.

    Each ring takes its value from the diagonal, one step before the place where one would expect it for
    odd sizes.
    Shape: (size, size, in, out)
    Raises: ShapeError for another shape.
    Source: tf_keras 2.21, `tf_keras/constraints.py`.

    Example:
        >>> tuple(RadialConstraint()(np.ones((3, 3, 1, 1))).shape)
        (3, 3, 1, 1)
    """

    def __call__(self, w: Any) -> Any:
        shape = K.int_shape(w)
        if len(shape) != 4 or shape[0] != shape[1]:
            raise ShapeError(f"RadialConstraint: expected a kernel (size, size, in, out), received {shape}.")
        places = K.reshape(w, (shape[0] * shape[1], *shape[2:]))
        return K.reshape(K.gather(places, _diagonal_of_ring(shape[0]).ravel()), shape)


def _diagonal_of_ring(size: int) -> np.ndarray:
    """For each place of a square, the flat index of the diagonal element that gives its ring the value."""
    half, odd = size // 2, size % 2
    away = np.abs(np.arange(size) - (size - 1) / 2).astype(int)
    ring = np.maximum(away[:, None], away)
    diagonal = np.where(ring == 0, half - 1, half + ring - odd)
    return (diagonal * (size + 1)).astype("int32")


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm
radial_constraint = RadialConstraint


@api_boundary
def serialize(constraint: Any) -> str | dict[str, Any]:
    """Config of a constraint.

    Args:
        constraint: an object, or a function, whose name is written.

    Example:
        >>> serialize(NonNeg())["class_name"]
        'NonNeg'
    """
    return CONSTRAINTS.serialize(constraint)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The constraint that a name or config describes.

    Args:
        config: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.

    Example:
        >>> type(deserialize({"class_name": "MaxNorm", "config": {"max_value": 3}})).__name__
        'MaxNorm'
    """
    return CONSTRAINTS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Callable[..., Any] | None:
    """The constraint that a layer's argument stands for.

    Args:
        identifier: a name ('non_neg'), a config, a class, an object, or a function of a weight; None stays None.

    Raises: ArgumentError for anything else.
    Example:
        >>> get("non_neg")(K.constant([-1.0])).tolist()
        [0.0]
    """
    return CONSTRAINTS.get(identifier)
