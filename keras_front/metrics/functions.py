"""Metric functions: how right each sample is, in K. The error functions are those of `losses`.

All take targets and outputs as arrays, lists, tensors or symbols, and return one number for each sample.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.losses import as_pair
from keras_front.metrics.base import METRICS
from keras_front.tracebacks import api_boundary


@METRICS.register("accuracy", "acc")
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the output equals the target, else 0.

    In `compile` the name 'accuracy' stands for the accuracy that goes with the output and its loss instead.

    Args:
        y_true: targets, such as class numbers.
        y_pred: outputs of the same kind.

    Shape: both alike; the result too.
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> accuracy([1.0, 2.0], [1.0, 3.0]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.cast(K.equal(y_true, y_pred), K.floatx())


@METRICS.register("binary_accuracy")
@api_boundary
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Part of the outputs that are on the target's side of a threshold.

    Args:
        y_true: targets, 0 or 1.
        y_pred: probabilities of 1.
        threshold: outputs above it count as 1.

    Shape: both (..., n); the result (...).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> binary_accuracy([[1.0, 0.0]], [[0.75, 0.75]]).tolist()
        [0.5]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    decided = K.cast(K.greater(y_pred, threshold), K.dtype(y_pred))
    return K.mean(K.cast(K.equal(y_true, decided), K.floatx()), axis=-1)


@METRICS.register("categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the target's class, else 0.

    Args:
        y_true: targets, one-hot.
        y_pred: scores or probabilities of the classes.

    Shape: both (..., classes); the result (...).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> categorical_accuracy([[0.0, 1.0]], [[0.25, 0.75]]).tolist()
        [1.0]
    """
    best = K.argmax(K.convert(y_true), axis=-1)
    return K.cast(K.equal(best, K.argmax(K.convert(y_pred), axis=-1)), K.floatx())


@METRICS.register("sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the target's class, else 0; targets are class numbers.

    Args:
        y_true: class numbers, from 0.
        y_pred: scores or probabilities of the classes.

    Shape: y_true (...) or (..., 1); y_pred (..., classes); the result (...).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.25, 0.75], [0.25, 0.75]]).tolist()
        [1.0, 0.0]
    """
    best = K.argmax(K.convert(y_pred), axis=-1)
    return K.cast(K.equal(_class_numbers(y_true, y_pred, K.dtype(best)), best), K.floatx())


@METRICS.register("top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target's class is among the `k` largest outputs, else 0.

    Args:
        y_true: targets, one-hot.
        y_pred: scores or probabilities of the classes.
        k: how many of the largest outputs count. 5 is what ImageNet made usual.

    Shape: both (n, classes); the result (n,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.5, 0.3, 0.2]], k=2).tolist()
        [1.0]
    """
    return K.cast(K.in_top_k(K.convert(y_pred), K.argmax(K.convert(y_true), axis=-1), k), K.floatx())


@METRICS.register("sparse_top_k_categorical_accuracy")
@api_boundary
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the target's class is among the `k` largest outputs, else 0; targets are class numbers.

    Args:
        y_true: class numbers, from 0.
        y_pred: scores or probabilities of the classes.
        k: how many of the largest outputs count.
        from_sorted_ids: whether `y_pred` are class numbers themselves, the best first, as retrieval gives them.

    Shape: y_true (n,) or (n, 1); y_pred (n, classes); the result (n,).
    Source: Keras 2.3.1, `keras/metrics.py`; Keras 3.15, `metrics/accuracy_metrics.py`, for `from_sorted_ids`.
    Example:
        >>> sparse_top_k_categorical_accuracy([2], [[0.5, 0.3, 0.2]], k=2).tolist()
        [0.0]
    """
    wanted = _class_numbers(y_true, y_pred, "int32")
    if from_sorted_ids:
        found = K.equal(K.cast(K.convert(y_pred)[:, :k], "int32"), K.expand_dims(wanted, -1))
        return K.cast(K.any(found, axis=-1), K.floatx())
    return K.cast(K.in_top_k(K.convert(y_pred), wanted, k), K.floatx())


def _class_numbers(y_true: Any, y_pred: Any, dtype: str) -> Any:
    """Class numbers (n,) from targets (n,) or (n, 1)."""
    y_true = K.convert(y_true)
    if K.ndim(y_true) == K.ndim(K.convert(y_pred)):
        y_true = K.squeeze(y_true, axis=-1)
    return K.cast(y_true, dtype)


@METRICS.register("cosine_similarity", "cosine_proximity", "cosine")
@api_boundary
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between target and output: 1 where they point the same way, -1 where opposite ways.

    Args:
        y_true: targets.
        y_pred: outputs.
        axis: the axis of the vectors.

    Shape: both alike; the result without `axis`.
    Source: Keras 2.3.1, `keras/metrics.py`. The loss of the same name has the other sign.
    Example:
        >>> float(cosine_similarity([3.0, 0.0], [2.0, 0.0]))
        1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)


cosine = cosine_proximity = cosine_similarity
acc = accuracy
