"""Loss functions: each a line of K that compares targets with outputs, sample by sample.

All take targets and outputs as arrays, lists, tensors or symbols, reduce the last axis and return one number for each
sample (or timestep). `objects` adds weights and a reduction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.shapes import normalize_axis
from keras_front.errors import ArgumentError
from keras_front.losses.weights import check_broadcast, tensor_of
from keras_front.registry import Registry
from keras_front.tracebacks import api_boundary

LOSSES = Registry("loss")


def classes_of(y_pred: Any, axis: int = -1) -> Any:
    """The number of classes.

    Args:
        y_pred: outputs.
        axis: the axis of the classes.

    Raises: WrongPlaceError if there is no such axis.
    """
    shape = K.int_shape(y_pred)
    return shape[normalize_axis(axis, len(shape))]


def as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and outputs as tensors of the outputs' dtype.

    Args:
        y_true: targets.
        y_pred: outputs.
    Example:
        >>> [t.dtype for t in as_pair([1, 0], K.constant([0.5, 0.5]))] == [K.constant(0.5).dtype] * 2
        True
    """
    y_true, y_pred = tensor_of(y_true, "y_true"), tensor_of(y_pred, "y_pred")
    check_broadcast(y_true, y_pred, "y_true and y_pred")
    return K.cast(y_true, K.dtype(y_pred)), y_pred


def smoothed(y_true: Any, label_smoothing: float, classes: int) -> Any:
    """Targets of which a part is spread evenly over the classes.

    Args:
        y_true: targets, a tensor of floats.
        label_smoothing: the part, between 0 and 1.
        classes: over how many classes; 2 where a target is yes or no.
    """
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


@LOSSES.register("mean_squared_error", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of squared differences.

    Args:
        y_true: targets.
        y_pred: outputs.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(mean_squared_error([1.0, 2.0], [3.0, 2.0]))
        2.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)


@LOSSES.register("mean_absolute_error", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of absolute differences.

    Args:
        y_true: targets.
        y_pred: outputs.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(mean_absolute_error([1.0, 2.0], [3.0, 2.0]))
        1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


@LOSSES.register("mean_absolute_percentage_error", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of absolute differences, in percent of the target.

    Args:
        y_true: targets; those nearer to 0 than `K.epsilon()` count as that.
        y_pred: outputs.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(mean_absolute_percentage_error([2.0, 4.0], [3.0, 4.0]))
        25.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    scale = K.maximum(K.abs(y_true), K.epsilon())
    return 100.0 * K.mean(K.abs((y_true - y_pred) / scale), axis=-1)


@LOSSES.register("mean_squared_logarithmic_error", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of squared differences of `log(1 + y)`: relative errors, for values of many magnitudes.

    Args:
        y_true: targets; values below `K.epsilon()` count as that.
        y_pred: outputs, likewise.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> round(float(mean_squared_logarithmic_error([0.0], [1.0])), 4)
        0.4805
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(_log1p_positive(y_pred) - _log1p_positive(y_true)), axis=-1)


def _log1p_positive(y: Any) -> Any:
    return K.log(K.maximum(y, K.epsilon()) + 1.0)


@LOSSES.register()
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of `max(1 - y_true * y_pred, 0)`.

    Args:
        y_true: targets -1 and 1; 0 and 1 are understood if there are no others.
        y_pred: scores, positive for 1.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(hinge([-1.0, 1.0], [0.5, 2.0]))
        0.75
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.maximum(1.0 - _signed(y_true) * y_pred, 0.0), axis=-1)


@LOSSES.register()
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of the squares of `max(1 - y_true * y_pred, 0)`.

    Args:
        y_true: targets -1 and 1; 0 and 1 are understood if there are no others.
        y_pred: scores, positive for 1.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(squared_hinge([-1.0, 1.0], [0.5, 2.0]))
        1.125
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - _signed(y_true) * y_pred, 0.0)), axis=-1)


def _signed(y_true: Any) -> Any:
    """Targets -1 and 1 for targets 0 and 1; anything else as it is."""
    binary = K.cast(K.all(K.logical_or(K.equal(y_true, 0.0), K.equal(y_true, 1.0))), K.dtype(y_true))
    return y_true + binary * (y_true - 1.0)


@LOSSES.register()
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, best wrong score - right score + 1)`.

    Args:
        y_true: targets, one-hot.
        y_pred: scores of the classes.

    Shape: both (..., classes); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(categorical_hinge([0.0, 1.0], [0.5, 0.75]))
        0.75
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(wrong - right + 1.0, 0.0)


@LOSSES.register("logcosh", "log_cosh")
def logcosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of `log(cosh(y_pred - y_true))`: a parabola for small errors, a straight line for large ones.

    Args:
        y_true: targets.
        y_pred: outputs.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`, in the form that cannot overflow.
    Example:
        >>> round(float(logcosh([0.0], [100.0])), 4)
        99.3069
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    x = y_pred - y_true
    return K.mean(x + K.softplus(-2.0 * x) - math.log(2.0), axis=-1)


@LOSSES.register("huber_loss", "huber")
@api_boundary
def huber_loss(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean of half the squared difference, which goes on as a straight line from `delta`.

    Args:
        y_true: targets.
        y_pred: outputs.
        delta: the difference, in the unit of the targets, from which errors count by their size alone.

    Shape: both (..., n); the result (...).
    Source: Huber (1964), section 1; averaged over the last axis as in tf_keras.
    Example:
        >>> float(huber_loss([0.0, 0.0], [1.0, 3.0]))
        1.5
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return K.mean(0.5 * K.square(quadratic) + delta * (error - quadratic), axis=-1)


@LOSSES.register()
@api_boundary
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """Crossentropy between two distributions: `-sum(y_true * log(y_pred))`.

    Args:
        y_true: targets, one-hot or probabilities.
        y_pred: probabilities; they are scaled to sum to 1, and kept `K.epsilon()` away from 0 and 1.
        from_logits: `y_pred` is what softmax would be applied to. More exact than a softmax before.
        label_smoothing: part of each target, between 0 and 1, that is spread over all classes.
        axis: the axis of the classes.

    Shape: both (..., classes); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`; Szegedy et al. (2016), section 7, for smoothing.
    Example:
        >>> round(float(categorical_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.6931
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, classes_of(y_pred, axis))
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def check_class_numbers(y_true: Any, y_pred: Any, axis: int = -1) -> None:
    """Raise ArgumentError unless class numbers that lie on the host are classes of the outputs; tensors pass.

    Args:
        y_true: class numbers.
        y_pred: outputs.
        axis: the axis of the classes.
    """
    if not isinstance(y_true, np.ndarray | list | tuple) or not hasattr(y_pred, "shape"):
        return
    labels, classes = np.asarray(y_true), classes_of(y_pred, axis)
    if classes is None or labels.dtype.kind not in "biuf" or not labels.size:
        return
    if not (labels.min() >= 0 and labels.max() < classes):
        raise ArgumentError(
            f"sparse_categorical_crossentropy: expected class numbers from 0 to {classes - 1} as labels, because the "
            f"output has {classes} classes, received labels from {labels.min()} to {labels.max()}."
            f"{'' if _whole(labels) else ' Are the arguments exchanged? The targets come first: (y_true, y_pred).'}"
        )


def _whole(labels: np.ndarray) -> bool:
    return bool((labels == np.round(labels)).all())


@LOSSES.register()
@api_boundary
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Crossentropy for targets that are class numbers: `-log(y_pred[class])`.

    Args:
        y_true: class numbers, from 0.
        y_pred: probabilities of the classes; they are scaled and kept in range as in `categorical_crossentropy`.
        from_logits: `y_pred` is what softmax would be applied to.
        axis: the axis of the classes in `y_pred`.
        ignore_class: where the target is this number, which need be none of the classes (as -1 or 255 for what nobody
            labelled), the result is 0; None: every number is a class.

    Shape: y_true (...) or (..., 1); y_pred (..., classes); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`; tf_keras 2.21 for `ignore_class`.
    Example:
        >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    if ignore_class is not None:
        y_true, y_pred = K.convert(y_true), K.convert(y_pred)
        counts = counted(y_true, y_pred, ignore_class)
        found = sparse_categorical_crossentropy(
            K.where(K.equal(y_true, ignore_class), 0, y_true), y_pred, from_logits, axis
        )
        return K.where(counts, found, K.zeros_like(found))
    check_class_numbers(y_true, y_pred, axis)
    y_true, y_pred = K.convert(y_true), K.convert(y_pred)
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def counted(y_true: Any, y_pred: Any, ignore_class: int) -> Any:
    """Which samples have another class number than one that does not count, in the shape of their losses.

    Args:
        y_true: class numbers, a tensor.
        y_pred: outputs, a tensor.
        ignore_class: the number.
    """
    flat = K.ndim(y_true) == K.ndim(y_pred) and K.int_shape(y_true)[-1] == 1
    return K.not_equal(K.squeeze(y_true, -1) if flat else y_true, ignore_class)


@LOSSES.register()
@api_boundary
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """Mean of `-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`.

    Args:
        y_true: targets, 0 and 1 or probabilities.
        y_pred: probabilities of 1, kept `K.epsilon()` away from 0 and 1.
        from_logits: `y_pred` is what sigmoid would be applied to. More exact than a sigmoid before.
        label_smoothing: part of each target, between 0 and 1, that is moved to one half.
        axis: the axis over which the mean is taken.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> round(float(binary_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.6931
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@LOSSES.register("kullback_leibler_divergence", "kld", "KLD", "kl_divergence")
def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum of `y_true * log(y_true / y_pred)`: how far a distribution is from the one of the targets, in nats.

    Args:
        y_true: probabilities, kept between `K.epsilon()` and 1.
        y_pred: probabilities, likewise.

    Shape: both (..., n); the result (...).
    Source: Kullback and Leibler (1951), equation 2.4; Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> float(kullback_leibler_divergence([0.5, 0.5], [0.5, 0.5]))
        0.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true, y_pred = K.clip(y_true, K.epsilon(), 1.0), K.clip(y_pred, K.epsilon(), 1.0)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


@LOSSES.register()
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of `y_pred - y_true * log(y_pred + K.epsilon())`, for counts.

    Args:
        y_true: counts, 0 or more.
        y_pred: the expected counts, positive.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/losses.py`: the likelihood without the part that depends on targets only.
    Example:
        >>> round(float(poisson([2.0], [1.0])), 4)
        1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


@LOSSES.register("cosine_similarity", "cosine_proximity", "cosine")
@api_boundary
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between the two: -1 where they point the same way, 1 where opposite ways.

    Args:
        y_true: targets.
        y_pred: outputs.
        axis: the axis of the vectors.

    Shape: both alike; the result without `axis`.
    Source: Keras 2.3.1, `keras/losses.py`. The metric of the same name has the other sign.
    Example:
        >>> float(cosine_similarity([3.0, 0.0], [2.0, 0.0]))
        -1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return -K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)
