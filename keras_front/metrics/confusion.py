"""Metrics of yes-or-no decisions: how many were right and wrong on each side, at one threshold or at many.

All of them count by one product of matrices, decisions at each threshold times weighted targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.state import Variable, current_frame
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
    """Weights of true and false, positive and negative decisions at each threshold, by 'tp', 'fp', 'tn',
    'fn'.

    Shape: y_true, y_pred (n, ...); sample_weight (n,) or as they; each result (thresholds,).
    """
    y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
    if top_k is not None:
        y_pred = _keep_largest(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weights = K.ones_like(y_pred)
    if sample_weight is not None:
        weights = weights * spread_weights(sample_weight, y_pred)
    weights, positive = (
        K.reshape(weights, (-1, 1)),
        _one(K.not_equal(K.reshape(y_true, (-1, 1)), 0.0), y_pred),
    )
    limits = np.asarray(thresholds, "float32")[:, None]
    said = _one(K.greater(K.reshape(y_pred, (1, -1)), K.cast(limits, K.dtype(y_pred))), y_pred)  # (thresholds, n)
    yes, no = positive * weights, (1.0 - positive) * weights
    pairs = {"tp": (said, yes), "fp": (said, no), "fn": (1.0 - said, yes), "tn": (1.0 - said, no)}
    return {name: K.reshape(K.dot(*pair), (-1,)) for name, pair in pairs.items()}


def count_by_label(y_true: Any, y_pred: Any, thresholds: Sequence[float], sample_weight: Any = None) -> dict[str, Any]:
    """As `count_decisions`, for each place of the last axis by itself.

    Shape: y_true, y_pred (n, labels); each result (thresholds, labels).
    """
    y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
    weights = K.ones_like(y_pred)
    if sample_weight is not None:
        weights = weights * spread_weights(sample_weight, y_pred)
    positive = _one(K.not_equal(y_true, 0.0), y_pred)
    limits = np.asarray(thresholds, "float32")[:, None, None]
    said = _one(K.greater(K.expand_dims(y_pred, 0), K.cast(limits, K.dtype(y_pred))), y_pred)  # (thresholds, n, labels)
    yes, no = positive * weights, (1.0 - positive) * weights
    pairs = {"tp": (said, yes), "fp": (said, no), "fn": (1.0 - said, yes), "tn": (1.0 - said, no)}
    return {name: K.sum(decided * weight, axis=1) for name, (decided, weight) in pairs.items()}


def _one(condition: Any, like: Any) -> Any:
    return K.cast(condition, K.dtype(like))


def _keep_largest(y_pred: Any, k: int) -> Any:
    """Outputs with all but the `k` largest of each row set to `LOWEST`; the first one wins among equals."""
    classes = K.int_shape(y_pred)[-1]
    rest, kept = y_pred, K.zeros_like(y_pred)
    for _ in range(min(k, classes)):
        best = K.one_hot(K.argmax(rest, axis=-1), classes, dtype=K.dtype(y_pred))
        rest, kept = rest + best * 3 * LOWEST, kept + best
    return y_pred * kept + LOWEST * (1.0 - kept)


def _as_thresholds(thresholds: Thresholds, default: float, owner: str) -> list[float]:
    """Thresholds as a list.

    Raises: ArgumentError unless all lie between 0 and 1.
    """
    if thresholds is None:
        return [default]
    found = np.asarray(thresholds, "float64").ravel().tolist()
    if not all(0 <= t <= 1 for t in found):
        raise ArgumentError(f"{owner}: expected thresholds between 0 and 1, received {thresholds!r}.")
    return found


class _Decisions(Metric):
    """Base of all here: `counted` names the variables that it keeps, one number for each threshold."""

    counted: tuple[str, ...] = ()
    limits: list[float]
    top_k: int | None = None
    class_id: int | None = None

    LONG = {"tp": "true_positives", "fp": "false_positives", "tn": "true_negatives", "fn": "false_negatives"}

    def _start(self, limits: list[float]) -> None:
        self.limits = limits
        for short in self.counted:
            setattr(self, self.LONG[short], self.add_weight(self.LONG[short], (len(limits),)))

    def _count(self, short: str) -> Variable:
        return getattr(self, self.LONG[short])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the decisions of a batch."""
        found = count_decisions(y_true, y_pred, self.limits, sample_weight, self.top_k, self.class_id)
        for short in self.counted:
            variable = self._count(short)
            variable.assign(variable + K.cast(found[short], self.dtype))

    def _answer(self, values: Any) -> Any:
        """One number for one threshold, a vector for several."""
        return values[0] if len(self.limits) == 1 else values


class _Count(_Decisions):
    """How many decisions (the sum of their weights) were of one sort."""

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._start(_as_thresholds(thresholds, 0.5, type(self).__name__))

    def result(self) -> Any:
        """The count so far."""
        return self._answer(self._count(self.counted[0]) * 1.0)


@METRICS.register()
class TruePositives(_Count):
    """Weight of the targets 1 with an output above the threshold."""

    counted = ("tp",)


@METRICS.register()
class TrueNegatives(_Count):
    """Weight of the targets 0 with an output not above the threshold."""

    counted = ("tn",)


@METRICS.register()
class FalsePositives(_Count):
    """Weight of the targets 0 with an output above the threshold."""

    counted = ("fp",)


@METRICS.register()
class FalseNegatives(_Count):
    """Weight of the targets 1 with an output not above the threshold."""

    counted = ("fn",)


class _Part(_Decisions):
    """Right positive decisions among those that `counted` names.

    Args:
        thresholds: a number or several; 0.5 by default, or none where `top_k` decides.
        top_k: only the k largest outputs of a sample count as positive.
        class_id: only this place of the last axis counts.
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._start(_as_thresholds(thresholds, 0.5 if top_k is None else LOWEST, type(self).__name__))

    def result(self) -> Any:
        """The part so far, 0 where nothing counted."""
        hits, others = (self._count(short) for short in self.counted)
        return self._answer(ratio(hits, hits + others))


@METRICS.register()
class Precision(_Part):
    """Part of the positive decisions that were right."""

    counted = ("tp", "fp")


@METRICS.register()
class Recall(_Part):
    """Part of the positive targets that were found."""

    counted = ("tp", "fn")


# Many thresholds ----------------------------------------------------------------------------------


def spaced_thresholds(number: int, margin: float = 0.0) -> list[float]:
    """Thresholds from 0 to 1, evenly spaced, the outer two moved outwards by `margin`."""
    if number == 1:
        return [0.5]
    return [-margin, *(i / (number - 1) for i in range(1, number - 1)), 1.0 + margin]


class SensitivitySpecificityBase(_Decisions):
    """Base of metrics that hold one rate at `value` or above and ask how high another can be."""

    counted = ("tp", "tn", "fp", "fn")

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        if not (0 <= value <= 1 and num_thresholds > 0):
            raise ArgumentError(
                f"{type(self).__name__}: expected a rate between 0 and 1 and a positive number of "
                f"thresholds, received {value!r} and {num_thresholds!r}."
            )
        self._value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        self._start(spaced_thresholds(num_thresholds))

    def _rates(self) -> tuple[Any, Any, Any]:
        """Sensitivity (recall), specificity and precision at each threshold."""
        tp, tn, fp, fn = (self._count(short) for short in self.counted)
        return ratio(tp, tp + fn), ratio(tn, tn + fp), ratio(tp, tp + fp)

    def _best(self, wanted: Any, held: Any) -> Any:
        """The largest `wanted` where `held` is high enough; 0 if it never is."""
        return K.max(wanted * K.cast(K.greater_equal(held, self._value), self.dtype))


@METRICS.register()
class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """Best sensitivity at a threshold where the specificity is at least `specificity`.

    Source: tf_keras 2.21; Keras 2.3.1 took the threshold with the nearest specificity instead.
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.specificity = specificity
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best sensitivity so far."""
        sensitivity, specificity, _ = self._rates()
        return self._best(sensitivity, specificity)


@METRICS.register()
class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """Best specificity at a threshold where the sensitivity is at least `sensitivity`.

    Source: tf_keras 2.21; Keras 2.3.1 took the threshold with the nearest sensitivity instead.
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.sensitivity = sensitivity
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best specificity so far."""
        sensitivity, specificity, _ = self._rates()
        return self._best(specificity, sensitivity)


@METRICS.register()
class PrecisionAtRecall(SensitivitySpecificityBase):
    """Best precision at a threshold where the recall is at least `recall`."""

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.recall = recall
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best precision so far."""
        recall, _, precision = self._rates()
        return self._best(precision, recall)


@METRICS.register()
class RecallAtPrecision(SensitivitySpecificityBase):
    """Best recall at a threshold where the precision is at least `precision`."""

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.precision = precision
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best recall so far."""
        recall, _, precision = self._rates()
        return self._best(recall, precision)


@METRICS.register()
class AUC(_Decisions):
    """Area under a curve that runs through the rates at many thresholds.

    Args:
        num_thresholds: how many, evenly spaced from 0 to 1.
        curve: 'ROC' (true positive rate over false positive rate) or 'PR' (precision over recall).
        summation_method: height of the area between two points: 'interpolation', 'minoring', 'majoring'.
        thresholds: inner thresholds to use instead of evenly spaced ones.
        multi_label: whether each label, that is place of the last axis, has an area of its own; the result is their
            mean.
        num_labels: how many labels there are; without it the first batch tells, but not in a model.
        label_weights: weights of the labels, in the mean if `multi_label`, otherwise of their decisions.
        from_logits: outputs are logits, the sigmoid is applied first.

    Shape: y_true, y_pred of any shape; (n, labels) with `multi_label` or `label_weights`.
    Raises: ArgumentError for other words, thresholds outside 0 and 1, or another number of labels.
    Source: Keras 2.3.1, `keras/metrics.py`; interpolation of the PR curve after Davis and Goadrich (2006).
    """

    counted = ("tp", "tn", "fp", "fn")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        super().__init__(name, dtype)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in np.ravel(label_weights)]
        self.curve = _choice(curve, ("ROC", "PR"))
        self.summation_method = _choice(summation_method, ("interpolation", "minoring", "majoring"))
        inner = spaced_thresholds(num_thresholds)[1:-1]
        if thresholds is not None:
            self.thresholds = inner = sorted(_as_thresholds(thresholds, 0.5, "AUC"))
        elif num_thresholds < 2:
            raise ArgumentError(f"AUC: expected num_thresholds of at least 2, received {num_thresholds!r}.")
        self.num_thresholds, self._from_logits = len(inner) + 2, from_logits
        self.limits = [-K.epsilon(), *inner, 1.0 + K.epsilon()]
        if not multi_label:
            self._start(self.limits)
        elif num_labels is not None:
            self._start_labels(num_labels)

    def _start_labels(self, labels: int) -> None:
        if self.label_weights is not None and len(self.label_weights) != labels:
            raise ArgumentError(f"AUC: expected {labels} label_weights, received {len(self.label_weights)}.")
        for short in self.counted:
            setattr(self, self.LONG[short], self.add_weight(self.LONG[short], (len(self.limits), labels)))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the decisions of a batch at every threshold."""
        y_pred = K.sigmoid(K.convert(y_pred)) if self._from_logits else y_pred
        if not self.multi_label:
            super().update_state(y_true, y_pred, self._weighted(y_pred, sample_weight))
            return
        if not self.weights:
            self._start_labels(self._labels_of(y_pred))
        found = count_by_label(y_true, y_pred, self.limits, sample_weight)
        for short in self.counted:
            variable = self._count(short)
            variable.assign(variable + K.cast(found[short], self.dtype))

    def _labels_of(self, y_pred: Any) -> int:
        labels = K.int_shape(y_pred)[-1]
        if current_frame() is not None:  # a step of training carries only what there was before it
            raise ArgumentError(
                f"AUC: expected num_labels together with multi_label=True in a model, received None. Pass "
                f"num_labels={labels}."
            )
        return labels

    def _weighted(self, y_pred: Any, sample_weight: Any) -> Any:
        """The weight of each decision, of its sample and of its label."""
        if self.label_weights is None:
            return sample_weight
        weights = K.ones_like(K.convert(y_pred)) * np.asarray(self.label_weights, "float32")
        return weights if sample_weight is None else weights * spread_weights(sample_weight, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), **({"from_logits": True} if self._from_logits else {})}

    def result(self) -> Any:
        """The area so far."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        tp, tn, fp, fn = (self._count(short) for short in self.counted)
        recall = ratio(tp, tp + fn)
        x, y = (ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, ratio(tp, tp + fp))
        left, right = y[:-1], y[1:]
        height = {
            "interpolation": lambda: (left + right) / 2.0,
            "minoring": lambda: K.minimum(left, right),
            "majoring": lambda: K.maximum(left, right),
        }[self.summation_method]()
        return self._mean(K.sum((x[:-1] - x[1:]) * height, axis=0))

    def _mean(self, areas: Any) -> Any:
        """The area, or the mean of those of the labels."""
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return K.mean(areas)
        return K.sum(areas * np.asarray(self.label_weights, self.dtype)) / sum(self.label_weights)

    def interpolate_pr_auc(self) -> Any:
        """Area under the PR curve; between two points the true positives run linearly with the positives."""
        tp, _, fp, fn = (self._count(short) for short in self.counted)
        p = tp + fp
        slope = ratio(tp[:-1] - tp[1:], K.maximum(p[:-1] - p[1:], 0.0))
        intercept = tp[1:] - slope * p[1:]
        both = K.cast(K.logical_and(K.greater(p[:-1], 0.0), K.greater(p[1:], 0.0)), self.dtype)
        growth = both * ratio(p[:-1], K.maximum(p[1:], 0.0)) + (1.0 - both)
        gained = slope * (tp[:-1] - tp[1:] + intercept * K.log(growth))
        return self._mean(K.sum(ratio(gained, K.maximum(tp[1:] + fn[1:], 0.0)), axis=0))


def _choice(word: str, choices: tuple[str, ...]) -> str:
    for choice in choices:
        if str(word).lower() == choice.lower():
            return choice
    raise ArgumentError(f"AUC: expected one of {', '.join(choices)}, received {word!r}.")
