"""Metrics that look at many thresholds: rates held at a value, and the area under a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, get_args

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Count, Flag, Fraction, Kept, Positive, Reader
from keras_front.backend.state import current_frame
from keras_front.errors import ArgumentError
from keras_front.losses import spread_weights
from keras_front.metrics.base import METRICS, ratio
from keras_front.metrics.confusion import Decisions, as_thresholds, count_by_label


class _Must(Reader):
    """A reader whose message also has the words of Keras 2.3, which programs look for."""

    def __init__(self, kind: Any, bound: str):
        reader: Reader = get_args(kind)[1]
        super().__init__(reader.read, reader.expected)
        self.bound = bound

    def failure(self, owner: Any, name: str, value: Any, error: Exception) -> Exception:
        return ArgumentError(f"{super().failure(owner, name, value, error)} `{name}` must be {self.bound}.")


Rate = Annotated[float, _Must(Fraction, "in the range [0, 1]")]
Tried = Annotated[int, _Must(Positive, "> 0")]


def spaced_thresholds(number: int, margin: float = 0.0) -> list[float]:
    """Thresholds from 0 to 1, evenly spaced, the outer two moved outwards by `margin`."""
    if number == 1:
        return [0.5]
    return [-margin, *(i / (number - 1) for i in range(1, number - 1)), 1.0 + margin]


class SensitivitySpecificityBase(Decisions):
    """Base of metrics that hold one rate at `value` or above and ask how high another can be.

    Args:
        value: the least value of the rate that is held, between 0 and 1.
        num_thresholds: how many thresholds are tried, evenly spaced from 0 to 1; more are more exact and take longer.
        class_id: only this place of the last axis counts; None for all.

    Raises: ArgumentError for another value or number.
    Example:
        >>> class SensitivityAt(SensitivitySpecificityBase):
        ...     def result(self):
        ...         sensitivity, specificity, _ = self._rates()
        ...         return self._best(sensitivity, specificity)
        >>> float(SensitivityAt(0.5)([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9]))
        1.0
    """

    counted = ("tp", "tn", "fp", "fn")

    def __init__(
        self,
        value: Rate,
        num_thresholds: Tried = 200,
        class_id: Count | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
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

    Args:
        specificity: the least part of the targets 0 found to be 0 that is asked for, between 0 and 1.

    Source: tf_keras 2.21; Keras 2.3.1 took the threshold with the nearest specificity instead.
    Example:
        >>> float(SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]))
        1.0
    """

    def __init__(
        self,
        specificity: Rate,
        num_thresholds: Tried = 200,
        class_id: Count | None = None,
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

    Args:
        sensitivity: the least part of the targets 1 found to be 1 that is asked for, between 0 and 1.

    Source: tf_keras 2.21; Keras 2.3.1 took the threshold with the nearest sensitivity instead.
    Example:
        >>> float(SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]))
        1.0
    """

    def __init__(
        self,
        sensitivity: Rate,
        num_thresholds: Tried = 200,
        class_id: Count | None = None,
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
    """Best precision at a threshold where the recall is at least `recall`.

    Args:
        recall: the least part of the targets 1 found that is asked for, between 0 and 1.

    Source: tf_keras 2.21, `tf_keras/metrics/confusion_metrics.py`.
    Example:
        >>> float(PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]))
        1.0
    """

    def __init__(
        self,
        recall: Rate,
        num_thresholds: Tried = 200,
        class_id: Count | None = None,
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
    """Best recall at a threshold where the precision is at least `precision`.

    Args:
        precision: the least part of the positive decisions that are right that is asked for, between 0 and 1.

    Source: tf_keras 2.21, `tf_keras/metrics/confusion_metrics.py`.
    Example:
        >>> float(RecallAtPrecision(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]))
        1.0
    """

    def __init__(
        self,
        precision: Rate,
        num_thresholds: Tried = 200,
        class_id: Count | None = None,
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
class AUC(Decisions):
    """Area under a curve that runs through the rates at many thresholds.

    Args:
        num_thresholds: how many, evenly spaced from 0 to 1, at least 2; not needed with `thresholds`.
        curve: 'ROC' (true positive rate over false positive rate) or 'PR' (precision over recall).
        summation_method: height of the area between two points: 'interpolation', 'minoring', 'majoring'.
        thresholds: inner thresholds to use instead of evenly spaced ones.
        multi_label: whether each label, that is place of the last axis, has an area of its own; the result is their
            mean.
        num_labels: how many labels there are; without it the first batch says so, but not in a model.
        label_weights: weights of the labels, in the mean if `multi_label`, otherwise of their decisions.
        from_logits: outputs are logits, the sigmoid is applied first.

    Shape: y_true, y_pred of any shape; (n, labels) with `multi_label` or `label_weights`.
    Raises: ArgumentError for other words, thresholds outside 0 and 1, or another number of labels.
    Source: Keras 2.3.1, `keras/metrics.py`; interpolation of the PR curve after Davis and Goadrich (2006).
    Example:
        >>> round(float(AUC()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])), 3)
        0.75
    """

    counted = ("tp", "tn", "fp", "fn")

    def __init__(
        self,
        num_thresholds: Kept = 200,
        curve: Any = "ROC",
        summation_method: Any = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: Flag = False,
        num_labels: Positive | None = None,
        label_weights: Any = None,
        from_logits: Flag = False,
    ):
        super().__init__(name, dtype)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in np.ravel(label_weights)]
        self.curve = _choice("curve", curve, ("ROC", "PR"))
        self.summation_method = _choice("summation_method", summation_method, ("interpolation", "minoring", "majoring"))
        self._are_given, self._from_logits = thresholds is not None, from_logits
        if self._are_given:
            inner = sorted(as_thresholds(thresholds, 0.5, "AUC"))
        else:
            inner = spaced_thresholds(_at_least_two(num_thresholds))[1:-1]
        self.num_thresholds = len(inner) + 2
        self._thresholds = self.thresholds = [-K.epsilon(), *inner, 1.0 + K.epsilon()]
        if not multi_label:
            self._start(self._thresholds)
        elif num_labels is not None:
            self._start_labels(num_labels)

    def _check_label_weights(self, labels: int | None) -> None:
        if self.label_weights is not None and labels is not None and len(self.label_weights) != labels:
            raise ArgumentError(f"AUC: expected {labels} label_weights, received {len(self.label_weights)}.")

    def _start_labels(self, labels: int) -> None:
        self._check_label_weights(labels)
        for short in self.counted:
            setattr(self, self.LONG[short], self.add_weight(self.LONG[short], (len(self._thresholds), labels)))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = K.sigmoid(K.convert(y_pred)) if self._from_logits else y_pred
        if not self.multi_label:
            super().update_state(y_true, y_pred, self._weighted(y_pred, sample_weight))
            return
        if not self.weights:
            self._start_labels(self._labels_of(y_pred))
        found = count_by_label(y_true, y_pred, self._thresholds, sample_weight)
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
        self._check_label_weights(K.int_shape(y_pred)[-1])
        weights = K.ones_like(K.convert(y_pred)) * np.asarray(self.label_weights, "float32")
        return weights if sample_weight is None else weights * spread_weights(sample_weight, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        inner = {"thresholds": self.thresholds[1:-1] if self._are_given else None}
        return {**super().get_config(), **inner, **({"from_logits": True} if self._from_logits else {})}

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


def _choice(name: str, word: Any, choices: tuple[str, ...]) -> str:
    for choice in choices:
        if str(getattr(word, "value", word)).lower() == choice.lower():
            return choice
    what = name.replace("_", " ")  # as Keras 2.3 says it
    raise ArgumentError(f'AUC: {name}: Invalid AUC {what} value "{word}": expected one of {", ".join(choices)}.')


def _at_least_two(number: Any) -> int:
    try:
        found = get_args(Positive)[1].read(number, None)
    except (TypeError, ValueError, OverflowError):
        found = 0
    if found < 2:
        raise ArgumentError(f"AUC: `num_thresholds` must be > 1, at least 2, received {number!r}.")
    return int(found)
