"""`keras.utils.np_utils` of Keras 1: scores of predictions in NumPy.

Source: Keras 1.2.2, `keras/utils/np_utils.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accuracy", "binary_logloss", "categorical_probas_to_classes", "multiclass_logloss", "probas_to_classes"]


def binary_logloss(p: Any, y: Any) -> float:
    """The mean crossentropy of probabilities.

    Args:
        p: probabilities.
        y: 1 or 0 for each.
    """
    p, y = np.clip(np.asarray(p, float), 1e-15, 1 - 1e-15), np.asarray(y, float)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=0) / len(y)


def multiclass_logloss(p: Any, y: Any) -> float:
    """The mean crossentropy of probabilities of classes.

    Args:
        p: a row of probabilities for each sample.
        y: the class of each sample, counted from 1.
    """
    p, y = np.asarray(p), np.asarray(y)
    return float(-np.mean(np.log(p[np.arange(len(y)), y - 1])))


def accuracy(p: Any, y: Any) -> float:
    """The share of predictions that are right.

    Args:
        p: predictions.
        y: what they should be.
    """
    return float(np.mean([a == b for a, b in zip(p, y, strict=False)]))


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """The class of each row: the largest, or of one output whether it is above 0.5.

    Args:
        y_pred: outputs of a model.
    """
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return (y_pred.reshape(len(y_pred)) > 0.5).astype(int)


def categorical_probas_to_classes(p: Any) -> np.ndarray:
    """The number of the largest output of each row.

    Args:
        p: a row of outputs for each sample.
    """
    return np.argmax(p, axis=1)
