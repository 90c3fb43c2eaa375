"""Metrics that Keras 1 computed batch by batch and Keras 2 dropped, since the mean over batches misleads.

`keras.metrics.precision` and its like, and the names that `compile(metrics=["fmeasure"])` had. For numbers over a whole
epoch there are `Precision`, `Recall` and `FBetaScore`.
Source: Keras 1.2.2, `keras/metrics.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.errors import ArgumentError

__all__ = ["f1score", "fbeta_score", "fmeasure", "fscore", "matthews_correlation", "precision", "recall"]


def _decided(values: Any) -> Any:
    """Each number as 0 or 1, whichever is nearer."""
    return K.round(K.clip(values, 0.0, 1.0))


def precision(y_true: Any, y_pred: Any) -> Any:
    """The share of what was chosen in this batch that is right.

    Args:
        y_true: targets, above 0.5 for what should be chosen.
        y_pred: outputs of the same shape.

    Returns: a scalar; 0 if nothing was chosen.
    Example:
        >>> float(precision(K.constant([1.0, 1.0, 0.0]), K.constant([0.9, 0.1, 0.8])))
        0.5
    """
    chosen = _decided(y_pred)
    return K.sum(_decided(y_true * y_pred)) / (K.sum(chosen) + K.epsilon())


def recall(y_true: Any, y_pred: Any) -> Any:
    """The share of what should be chosen in this batch that was.

    Args:
        y_true: targets, above 0.5 for what should be chosen.
        y_pred: outputs of the same shape.

    Returns: a scalar; 0 if nothing should be.
    Example:
        >>> round(float(recall(K.constant([1.0, 1.0, 0.0]), K.constant([0.9, 0.1, 0.8]))), 4)
        0.5
    """
    return K.sum(_decided(y_true * y_pred)) / (K.sum(_decided(y_true)) + K.epsilon())


def fbeta_score(y_true: Any, y_pred: Any, beta: float = 1) -> Any:
    """The weighted harmonic mean of precision and recall of this batch.

    Args:
        y_true: targets, above 0.5 for what should be chosen.
        y_pred: outputs of the same shape.
        beta: how many times as much recall counts as precision, 0 or more.

    Returns: a scalar; 0 if nothing should be chosen.
    Raises: ArgumentError for a negative `beta`.
    """
    if beta < 0:
        raise ArgumentError(f"fbeta_score: expected beta to be 0 or more, received {beta}.")
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return (1 + beta**2) * p * r / (beta**2 * p + r + K.epsilon())


def fmeasure(y_true: Any, y_pred: Any) -> Any:
    """The harmonic mean of precision and recall of this batch.

    Args:
        y_true: targets, above 0.5 for what should be chosen.
        y_pred: outputs of the same shape.
    """
    return fbeta_score(y_true, y_pred)


fscore = f1score = fmeasure


def matthews_correlation(y_true: Any, y_pred: Any) -> Any:
    """The correlation of choices and targets in this batch, from -1 to 1.

    Args:
        y_true: targets, above 0.5 for what should be chosen.
        y_pred: outputs of the same shape.

    Returns: a scalar; 0 where all targets or all choices are alike.
    Source: Matthews (1975).
    """
    chosen, wanted = _decided(y_pred), _decided(y_true)
    hits, rejections = K.sum(wanted * chosen), K.sum((1 - wanted) * (1 - chosen))
    alarms, misses = K.sum((1 - wanted) * chosen), K.sum(wanted * (1 - chosen))
    product = (hits + alarms) * (hits + misses) * (rejections + alarms) * (rejections + misses)
    return (hits * rejections - alarms * misses) / (K.sqrt(product) + K.epsilon())
