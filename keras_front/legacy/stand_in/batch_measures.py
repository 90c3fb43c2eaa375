"""`tf.metrics` of TensorFlow 1: functions that give a value and an op which updates it, for metrics of Keras.

TensorFlow 1 kept counts of all batches in its graph. Here both are the measure of the batch, so that what Keras reports
is its mean over batches; `keras.metrics.AUC()` and its like count over all of them.
Source: TensorFlow 1.15, `tensorflow/python/ops/metrics_impl.py`.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from keras_front import backend as K

_SMALL = 1e-7
Pair = tuple[Any, Any]


def __getattr__(name: str) -> Any:
    return getattr(importlib.import_module("tensorflow.keras.metrics"), name)


def _flat(labels: Any, predictions: Any, weights: Any) -> tuple[Any, Any, Any]:
    truth, scores = (K.cast(K.flatten(part), "float32") for part in (labels, predictions))
    return truth, scores, K.ones_like(truth) if weights is None else K.cast(K.flatten(weights), "float32")


def _ratio(part: Any, whole: Any) -> Any:
    return K.where(K.greater(whole, 0), part / K.maximum(whole, _SMALL), K.zeros_like(whole))


def auc(
    labels: Any, predictions: Any, weights: Any = None, num_thresholds: int = 200, *others: Any, curve: str = "ROC",
    **options: Any,
) -> Pair:  # fmt: skip
    """The area under a curve, by trapezoids between thresholds.

    Args:
        labels: truth values.
        predictions: numbers from 0 to 1.
        weights: a weight for each.
        num_thresholds: how many thresholds.
        others: not used.
        curve: 'ROC', or 'PR' for precision over recall.
        options: not used.
    """
    truth, scores, weight = _flat(labels, predictions, weights)
    inner = np.arange(1, num_thresholds - 1, dtype="float32") / (num_thresholds - 1)
    thresholds = np.concatenate([[-_SMALL], inner, [1 + _SMALL]]).astype("float32")
    above = K.cast(K.greater(K.expand_dims(scores, 0), K.constant(thresholds[:, None])), "float32") * weight
    hits, alarms = K.sum(above * truth, axis=-1), K.sum(above * (1 - truth), axis=-1)
    recall = (hits + _SMALL) / (K.sum(weight * truth) + _SMALL)
    over = alarms / (K.sum(weight * (1 - truth)) + _SMALL) if curve == "ROC" else recall
    height = recall if curve == "ROC" else (hits + _SMALL) / (hits + alarms + _SMALL)
    area = K.sum((over[:-1] - over[1:]) * (height[:-1] + height[1:]) / 2)
    return area, area


def accuracy(labels: Any, predictions: Any, weights: Any = None, *others: Any, **options: Any) -> Pair:
    """The share of predictions that equal the labels.

    Args:
        labels: numbers of classes.
        predictions: numbers of classes.
        weights: a weight for each.
        others: not used.
        options: not used.
    """
    truth, found, weight = _flat(labels, predictions, weights)
    share = _ratio(K.sum(weight * K.cast(K.equal(truth, found), "float32")), K.sum(weight))
    return share, share


def precision(labels: Any, predictions: Any, weights: Any = None, *others: Any, **options: Any) -> Pair:
    """The share of what was predicted as true that is true.

    Args:
        labels: truth values.
        predictions: truth values.
        weights: a weight for each.
        others: not used.
        options: not used.
    """
    truth, found, weight = _flat(labels, predictions, weights)
    share = _ratio(K.sum(weight * truth * found), K.sum(weight * found))
    return share, share


def recall(labels: Any, predictions: Any, weights: Any = None, *others: Any, **options: Any) -> Pair:
    """The share of what is true that was predicted as true.

    Args:
        labels: truth values.
        predictions: truth values.
        weights: a weight for each.
        others: not used.
        options: not used.
    """
    truth, found, weight = _flat(labels, predictions, weights)
    share = _ratio(K.sum(weight * truth * found), K.sum(weight * truth))
    return share, share


def mean(values: Any, weights: Any = None, *others: Any, **options: Any) -> Pair:
    """The mean of all elements.

    Args:
        values: numbers.
        weights: a weight for each.
        others: not used.
        options: not used.
    """
    numbers, _, weight = _flat(values, values, weights)
    found = _ratio(K.sum(weight * numbers), K.sum(weight))
    return found, found


def mean_iou(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, *others: Any, **options: Any
) -> Pair:
    """How much of the union of truth and prediction is common to both, as the mean over the classes that there are.

    Args:
        labels: numbers of classes.
        predictions: numbers of classes.
        num_classes: how many classes.
        weights: a weight for each.
        others: not used.
        options: not used.
    """
    truth, found, weight = _flat(labels, predictions, weights)
    classes = K.constant(np.arange(num_classes, dtype="float32")[:, None])
    is_true, is_found = (K.cast(K.equal(K.expand_dims(x, 0), classes), "float32") * weight for x in (truth, found))
    common = K.sum(K.minimum(is_true, is_found), axis=-1)
    union = K.sum(K.maximum(is_true, is_found), axis=-1)
    value = _ratio(K.sum(_ratio(common, union)), K.sum(K.cast(K.greater(union, 0), "float32")))
    return value, value
