"""Metric functions: how right each sample is, in K. The error functions are those of `losses`."""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.losses import as_pair
from keras_front.metrics.base import METRICS


@METRICS.register("accuracy", "acc")
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the output equals the target."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.cast(K.equal(y_true, y_pred), K.floatx())


@METRICS.register("binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Part of the outputs that are on the target's side of `threshold`."""
    y_true, y_pred = as_pair(y_true, y_pred)
    decided = K.cast(K.greater(y_pred, threshold), K.dtype(y_pred))
    return K.mean(K.cast(K.equal(y_true, decided), K.floatx()), axis=-1)


@METRICS.register("categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the target's class; targets are one-hot."""
    best = K.argmax(K.convert(y_true), axis=-1)
    return K.cast(K.equal(best, K.argmax(K.convert(y_pred), axis=-1)), K.floatx())


@METRICS.register("sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest output is that of the target's class; targets are class numbers."""
    best = K.argmax(K.convert(y_pred), axis=-1)
    return K.cast(K.equal(_class_numbers(y_true, y_pred, K.dtype(best)), best), K.floatx())


@METRICS.register("top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target's class is among the `k` largest outputs; targets are one-hot."""
    return K.cast(K.in_top_k(K.convert(y_pred), K.argmax(K.convert(y_true), axis=-1), k), K.floatx())


@METRICS.register("sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target's class is among the `k` largest outputs; targets are class numbers."""
    return K.cast(K.in_top_k(K.convert(y_pred), _class_numbers(y_true, y_pred, "int32"), k), K.floatx())


def _class_numbers(y_true: Any, y_pred: Any, dtype: str) -> Any:
    """Class numbers (n,) from targets (n,) or (n, 1)."""
    y_true = K.convert(y_true)
    if K.ndim(y_true) == K.ndim(K.convert(y_pred)):
        y_true = K.squeeze(y_true, axis=-1)
    return K.cast(y_true, dtype)


@METRICS.register("cosine_similarity", "cosine_proximity", "cosine")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between target and output, 1 where they point the same way."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)


cosine = cosine_proximity = cosine_similarity
acc = accuracy
