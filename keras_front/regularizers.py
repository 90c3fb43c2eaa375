"""Regularizers: what a weight or an output adds to the loss, in K."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Reader
from keras_front.compatibility import legacy_object
from keras_front.config import floatx
from keras_front.errors import ArgumentError, ShapeError
from keras_front.registry import Configurable, Registry
from keras_front.tracebacks import api_boundary

REGULARIZERS = Registry("regularizer")


class _Number(float):
    """A number that says what its dtype is, as the arrays do which Keras 2 kept factors in."""

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(floatx())


def _factor(value: Any, owner: Any) -> float:
    number = _Number(0.0 if value is None else value)
    if not np.isfinite(number):
        raise ArgumentError(f"expected a finite factor, received {value!r}.")
    return number


Factor = Annotated[float | None, Reader(_factor, "a finite number")]


class Regularizer(Configurable):
    """Base class: called with a weight or an output, it returns a scalar to be added to the loss.

    Example:
        >>> class Largest(Regularizer):
        ...     def __call__(self, x):
        ...         return K.max(K.abs(x))
        >>> float(Largest()(K.constant([1.0, -3.0])))
        3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty.

        Args:
            x: a weight, or the output of a layer.

        Returns: a scalar tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its penalty is.")


@REGULARIZERS.register("L1L2")
class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: factor of the sum of sizes, which makes weights vanish; 0 for none.
        l2: factor of the sum of squares, which keeps weights small; 0 for none.

    Raises: ArgumentError for factors that are not finite.
    Source: Keras 2.3.1, `keras/regularizers.py`.
    Example:
        >>> float(L1L2(l1=1.0, l2=0.5)(K.constant([1.0, -2.0])))
        5.5
    """

    l1: float
    l2: float

    def __init__(self, l1: Factor = 0.0, l2: Factor = 0.0):
        super().__init__()

    def __call__(self, x: Any) -> Any:
        terms = [self.l1 * K.sum(K.abs(x))] if self.l1 else []
        terms += [self.l2 * K.sum(K.square(x))] if self.l2 else []
        return terms[0] + terms[1] if len(terms) == 2 else terms[0] if terms else K.constant(0.0)


@REGULARIZERS.register("L1")
class L1(L1L2):
    """`l1 * sum(|x|)`.

    Args:
        l1: the factor.

    Source: tf_keras 2.21, `tf_keras/regularizers.py`.
    Example:
        >>> float(L1(0.5)(K.constant([1.0, -2.0])))
        1.5
    """

    def __init__(self, l1: Factor = 0.01):
        super().__init__(l1=l1)


@REGULARIZERS.register("L2")
class L2(L1L2):
    """`l2 * sum(x**2)`.

    Args:
        l2: the factor.

    Source: tf_keras 2.21, `tf_keras/regularizers.py`.
    Example:
        >>> float(L2(0.5)(K.constant([1.0, -2.0])))
        2.5
    """

    def __init__(self, l2: Factor = 0.01):
        super().__init__(l2=l2)


@REGULARIZERS.register("OrthogonalRegularizer", "orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean |cosine| between two different rows (or columns) of a matrix.

    Args:
        factor: the factor.
        mode: 'rows' or 'columns': which vectors are to be orthogonal.

    Shape: (rows, columns) only.
    Raises: ArgumentError for another mode, ShapeError for another number of axes.
    Source: tf_keras 2.21, `tf_keras/regularizers.py`.
    Example:
        >>> float(OrthogonalRegularizer(1.0)(K.constant([[1.0, 0.0], [0.0, 2.0]])))
        0.0
    """

    factor: float

    def __init__(self, factor: Factor = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"OrthogonalRegularizer: expected mode 'rows' or 'columns', received {mode!r}.")
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        shape = K.int_shape(x)
        if len(shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer: expected a matrix, received shape {shape}.")
        units = x if self.mode == "rows" else K.transpose(x)
        units = K.l2_normalize(units, axis=1)
        size = shape[0] if self.mode == "rows" else shape[1]
        others = 1 - np.eye(size, dtype=K.dtype(x))
        cosines = K.multiply(K.abs(K.dot(units, K.transpose(units))), others)
        return self.factor / (size * (size - 1)) * K.sum(cosines)


@REGULARIZERS.register("EigenvalueRegularizer")
class EigenvalueRegularizer(Regularizer):
    """`k` times the largest singular value of a matrix, as nine steps of the power method from ones find it.

    Args:
        k: the factor.

    Shape: (rows, columns) only.
    Raises: ShapeError for another number of axes.
    Source: Keras 1.2.2, `keras/regularizers.py`.

    Example:
        >>> float(EigenvalueRegularizer(0.1)(np.eye(2))) > 0
        True
    """

    k: float

    def __init__(self, k: Factor):
        super().__init__()

    def __call__(self, x: Any) -> Any:
        shape = K.int_shape(x)
        if len(shape) != 2:
            raise ShapeError(f"EigenvalueRegularizer: expected a matrix, received shape {shape}.")
        square = K.dot(K.transpose(x), x)
        vector = K.sum(square, axis=1, keepdims=True)
        for _ in range(8):
            vector = K.dot(square, vector)
        value = K.sum(vector * K.dot(square, vector)) / K.sum(K.square(vector))
        return self.k * K.square_root(value)


@REGULARIZERS.register("l1", maker=True)
def l1(l: float = 0.01, l1: float | None = None) -> L1L2:  # noqa: E741 - the classic name
    """Regularizer `l * sum(|x|)`.

    Args:
        l: the factor.
        l1: the same, as tf.keras calls it.

    Example:
        >>> l1(0.5).get_config()
        {'l1': 0.5, 'l2': 0.0}
    """
    return L1L2(l1=l if l1 is None else l1)


@REGULARIZERS.register("l2", maker=True)
def l2(l: float = 0.01, l2: float | None = None) -> L1L2:  # noqa: E741 - the classic name
    """Regularizer `l * sum(x**2)`.

    Args:
        l: the factor.
        l2: the same, as tf.keras calls it.

    Example:
        >>> l2(0.5).get_config()
        {'l1': 0.0, 'l2': 0.5}
    """
    return L1L2(l2=l if l2 is None else l2)


@REGULARIZERS.register("l1_l2", "l1l2", maker=True)
def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Regularizer `l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: factor of the sum of sizes.
        l2: factor of the sum of squares.

    Example:
        >>> l1_l2().get_config()
        {'l1': 0.01, 'l2': 0.01}
    """
    return L1L2(l1=l1, l2=l2)


orthogonal_regularizer = OrthogonalRegularizer


def __getattr__(name: str) -> Any:
    """A regularizer under an older name."""
    found = None if name.startswith("_") else legacy_object("regularizer", name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


@api_boundary
def serialize(regularizer: Any) -> str | dict[str, Any]:
    """Config of a regularizer.

    Args:
        regularizer: an object, or a function, whose name is written.

    Example:
        >>> serialize(L2(0.1))["class_name"]
        'L2'
    """
    return REGULARIZERS.serialize(regularizer)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The regularizer that a name or config describes.

    Args:
        config: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.

    Example:
        >>> type(deserialize({"class_name": "L1L2", "config": {"l2": 0.1}})).__name__
        'L1L2'
    """
    return REGULARIZERS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Callable[..., Any] | None:
    """The regularizer that a layer's argument stands for.

    Args:
        identifier: a name ('l2'), a config, a class, an object, or a function of a tensor; None stays None.

    Raises: ArgumentError for anything else.
    Example:
        >>> get("l2").get_config()
        {'l1': 0.0, 'l2': 0.01}
    """
    return REGULARIZERS.get(identifier)
