"""Metrics of yes-or-no decisions: how many were right and wrong on each side, at one threshold or at many.

All of them count by one product of matrices, decisions at each threshold times weighted targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Count, Positive
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError
from keras_front.losses import as_pair, same_rank, spread_weights
from keras_front.metrics.base import METRICS, Metric, ratio

Thresholds = float | Sequence[float] | None
LOWEST = -1e10  # below every output: with `top_k`, what is not among the k largest is set to this


def count_decisions(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
) -> dict[str, Any]:
    """Weights of true and false, positive and negative decisions at each threshold, by 'tp', 'fp', 'tn', 'fn'.

    Args:
        y_true: targets, 0 or not.
        y_pred: outputs.
        thresholds: outputs above one of them count as positive there.
        sample_weight: weight of each sample or decision; None for 1.
        top_k: only the k largest outputs of a sample may be positive; None for all.
        class_id: only this place of the last axis counts; None for all.

    Shape: y_true, y_pred (n, ...); sample_weight (n,) or as they; each result (thresholds,).
    """
    y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
    if top_k is not None:
        y_pred = keep_largest(y_pred, top_k)
    if class_id is not None:
        classes = K.int_shape(y_pred)[-1]
        if classes is not None and not -classes <= class_id < classes:
            raise ArgumentError(
                f"class_id: expected one of the {classes} classes of y_pred, from 0, received {class_id}."
            )
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weights = K.ones_like(y_pred)
    if sample_weight is not None:
        weights = weights * spread_weights(sample_weight, y_pred)
    weights, positive = (
        K.reshape(weights, (-1, 1)),
        _one(K.not_equal(K.reshape(y_true, (-1, 1)), 0.0), y_pred),
    )
    cuts = np.asarray(thresholds, "float32")[:, None]
    above = K.greater(K.reshape(y_pred, (1, -1)), K.cast(cuts, K.dtype(y_pred)))  # (thresholds, n)
    decided = _one(above, y_pred)
    yes, no = positive * weights, (1.0 - positive) * weights
    pairs = {"tp": (decided, yes), "fp": (decided, no), "fn": (1.0 - decided, yes), "tn": (1.0 - decided, no)}
    return {name: K.reshape(K.dot(*pair), (-1,)) for name, pair in pairs.items()}


def count_by_label(y_true: Any, y_pred: Any, thresholds: Sequence[float], sample_weight: Any = None) -> dict[str, Any]:
    """As `count_decisions`, for each place of the last axis by itself.

    Args:
        y_true: targets, 0 or not.
        y_pred: outputs.
        thresholds: outputs above one of them count as positive there.
        sample_weight: weight of each sample or decision; None for 1.

    Shape: y_true, y_pred (n, labels); each result (thresholds, labels).
    """
    y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
    weights = K.ones_like(y_pred)
    if sample_weight is not None:
        weights = weights * spread_weights(sample_weight, y_pred)
    positive = _one(K.not_equal(y_true, 0.0), y_pred)
    cuts = np.asarray(thresholds, "float32")[:, None, None]
    above = K.greater(K.expand_dims(y_pred, 0), K.cast(cuts, K.dtype(y_pred)))  # (thresholds, n, labels)
    decided = _one(above, y_pred)
    yes, no = positive * weights, (1.0 - positive) * weights
    pairs = {"tp": (decided, yes), "fp": (decided, no), "fn": (1.0 - decided, yes), "tn": (1.0 - decided, no)}
    return {name: K.sum(found * weight, axis=1) for name, (found, weight) in pairs.items()}


def _one(condition: Any, like: Any) -> Any:
    return K.cast(condition, K.dtype(like))


def keep_largest(y_pred: Any, k: int) -> Any:
    """Outputs with all but the `k` largest of each row set to `LOWEST`; the first one wins among equals."""
    classes = K.int_shape(y_pred)[-1]
    rest, kept = y_pred, K.zeros_like(y_pred)
    for _ in range(min(k, classes)):
        best = K.one_hot(K.argmax(rest, axis=-1), classes, dtype=K.dtype(y_pred))
        rest, kept = rest + best * 3 * LOWEST, kept + best
    return y_pred * kept + LOWEST * (1.0 - kept)


def as_thresholds(thresholds: Thresholds, default: float, owner: str) -> list[float]:
    """Thresholds as a list.

    Raises: ArgumentError unless all lie between 0 and 1.
    """
    if thresholds is None:
        return [default]
    try:
        found = np.asarray(thresholds, "float64").ravel().tolist()
    except (TypeError, ValueError):
        found = [np.nan]
    if not all(0 <= t <= 1 for t in found):
        given = thresholds if isinstance(thresholds, list | tuple) else [thresholds]
        wrong = [t for t in given if not (isinstance(t, int | float) and 0 <= t <= 1)]
        raise ArgumentError(
            f"{owner}: expected thresholds between 0 and 1. "
            f"Threshold values must be in [0, 1]. Invalid values: {wrong}."
        )
    return found


class Decisions(Metric):
    """Base of all here: `counted` names the variables that it keeps, one number for each threshold."""

    counted: tuple[str, ...] = ()
    _thresholds: list[float]
    top_k: int | None = None
    class_id: int | None = None

    LONG = {"tp": "true_positives", "fp": "false_positives", "tn": "true_negatives", "fn": "false_negatives"}

    def _start(self, thresholds: list[float]) -> None:
        self._thresholds = thresholds
        for short in self.counted:
            setattr(self, self.LONG[short], self.add_weight(self.LONG[short], (len(thresholds),)))

    def _count(self, short: str) -> Variable:
        return getattr(self, self.LONG[short])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the decisions of a batch.

        Args:
            y_true: targets, 0 and 1: array, list, tensor or symbol.
            y_pred: outputs between 0 and 1, likewise.
            sample_weight: weight of each sample or decision; None for 1.
        """
        found = count_decisions(y_true, y_pred, self._thresholds, sample_weight, self.top_k, self.class_id)
        for short in self.counted:
            variable = self._count(short)
            variable.assign(variable + K.cast(found[short], self.dtype))

    def _answer(self, values: Any) -> Any:
        """One number for one threshold, a vector for several."""
        return values[0] if len(self._thresholds) == 1 else values


class _Count(Decisions):
    """How many decisions (the sum of their weights) were of one sort."""

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._start(as_thresholds(thresholds, 0.5, type(self).__name__))

    def result(self) -> Any:
        """The count so far."""
        return self._answer(self._count(self.counted[0]) * 1.0)


@METRICS.register()
class TruePositives(_Count):
    """Weight of the targets 1 with an output above the threshold.

    Args:
        thresholds: a number between 0 and 1, or several, which give as many results; 0.5 by default.

    Shape: targets 0 and 1, outputs of the same shape; the result is a number, or (thresholds,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(TruePositives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        1.0
    """

    counted = ("tp",)


@METRICS.register()
class TrueNegatives(_Count):
    """Weight of the targets 0 with an output not above the threshold.

    Args:
        thresholds: a number between 0 and 1, or several, which give as many results; 0.5 by default.

    Shape: targets 0 and 1, outputs of the same shape; the result is a number, or (thresholds,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(TrueNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        1.0
    """

    counted = ("tn",)


@METRICS.register()
class FalsePositives(_Count):
    """Weight of the targets 0 with an output above the threshold.

    Args:
        thresholds: a number between 0 and 1, or several, which give as many results; 0.5 by default.

    Shape: targets 0 and 1, outputs of the same shape; the result is a number, or (thresholds,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(FalsePositives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        1.0
    """

    counted = ("fp",)


@METRICS.register()
class FalseNegatives(_Count):
    """Weight of the targets 1 with an output not above the threshold.

    Args:
        thresholds: a number between 0 and 1, or several, which give as many results; 0.5 by default.

    Shape: targets 0 and 1, outputs of the same shape; the result is a number, or (thresholds,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(FalseNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        1.0
    """

    counted = ("fn",)


class _Part(Decisions):
    """Right positive decisions among those that `counted` names.

    Args:
        thresholds: a number or several; 0.5 by default, or none where `top_k` decides.
        top_k: only the k largest outputs of a sample count as positive.
        class_id: only this place of the last axis counts.
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: Positive | None = None,
        class_id: Count | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._start(as_thresholds(thresholds, 0.5 if top_k is None else LOWEST, type(self).__name__))

    def result(self) -> Any:
        """The part so far, 0 where nothing counted."""
        hits, others = (self._count(short) for short in self.counted)
        return self._answer(ratio(hits, hits + others))


@METRICS.register()
class Precision(_Part):
    """Part of the positive decisions that were right.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(Precision()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        0.5
    """

    counted = ("tp", "fp")


@METRICS.register()
class Recall(_Part):
    """Part of the positive targets that were found.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(Recall()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
        0.5
    """

    counted = ("tp", "fn")
