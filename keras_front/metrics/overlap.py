"""Intersection over union: how far predicted areas of classes are where they should be.

Source: Keras 2.3.1, `keras/metrics.py`, for `MeanIoU`; Keras 3.15, `keras.metrics`, for the others and later arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Flag, Integer, Number, Positive
from keras_front.errors import ArgumentError
from keras_front.losses import spread_weights
from keras_front.metrics.base import METRICS, Metric, ratio


class _Overlap(Metric):
    """Base of all here: counts pairs (true class, predicted class)."""

    num_classes: int
    target_class_ids: list[int]
    ignore_class: int | None = None
    sparse_y_true = True
    sparse_y_pred = True
    axis = -1

    def _start(self, num_classes: int, target_class_ids: Sequence[int]) -> None:
        self.num_classes, self.target_class_ids = int(num_classes), [int(i) for i in target_class_ids]
        if not self.target_class_ids or not all(0 <= i < num_classes for i in self.target_class_ids):
            raise ArgumentError(
                f"{type(self).__name__}: expected target_class_ids from 0 to {num_classes - 1}, received "
                f"{list(target_class_ids)}."
            )
        self.total_cm = self.add_weight("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the pairs (true class, predicted class).

        Args:
            y_true: class numbers, from 0; or a score for each class along `axis`, where the metric was told so.
            y_pred: likewise.
            sample_weight: weight of each pair, or (n,); None for 1.
        """
        true, pred = self._classes(y_true, self.sparse_y_true), self._predicted(y_pred)
        rows = self._one_hot(true)
        if self.ignore_class is not None:
            rows = rows * K.reshape(K.cast(K.not_equal(true, self.ignore_class), self.dtype), (-1, 1))
        if sample_weight is not None:
            ones = K.ones_like(pred, dtype=self.dtype)
            rows = rows * K.reshape(spread_weights(sample_weight, ones) * ones, (-1, 1))
        self.total_cm.assign(self.total_cm + K.dot(K.transpose(rows), self._one_hot(pred)))

    def _predicted(self, y_pred: Any) -> Any:
        return self._classes(y_pred, self.sparse_y_pred)

    def _classes(self, values: Any, sparse: bool) -> Any:
        values = K.convert(values)
        return K.cast(values if sparse else K.argmax(values, axis=self.axis), "int32")

    def _one_hot(self, classes: Any) -> Any:
        return K.one_hot(K.reshape(classes, (-1,)), self.num_classes, dtype=self.dtype)

    def result(self) -> Any:
        """The mean so far over the target classes; those that never occurred do not count."""
        chosen = np.isin(np.arange(self.num_classes), self.target_class_ids).astype("float32")
        hits = K.sum(self.total_cm * np.eye(self.num_classes, dtype="float32"), axis=-1)
        union = K.sum(self.total_cm, axis=0) + K.sum(self.total_cm, axis=1) - hits
        present = K.cast(K.greater(union, 0.0), self.dtype) * chosen
        return ratio(K.sum(ratio(hits, union) * present), K.sum(present))


@METRICS.register()
class IoU(_Overlap):
    """Intersection over union of some classes, on average.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count, from 0.
        ignore_class: targets of this class are left out.
        sparse_y_true, sparse_y_pred: whether targets, or outputs, are class numbers rather than a score for each.
        axis: the axis of the scores.

    Shape: class numbers of one shape; with a further axis for scores.
    Raises: ArgumentError for a class that there is not.
    Example:
        >>> round(float(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: Positive,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: Integer | None = None,
        sparse_y_true: Flag = True,
        sparse_y_pred: Flag = True,
        axis: Integer = -1,
    ):
        super().__init__(name, dtype)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self._start(num_classes, target_class_ids)


@METRICS.register()
class BinaryIoU(_Overlap):
    """Intersection over union for outputs between 0 and 1.

    Args:
        target_class_ids: the classes that count: 0, 1, or both.
        threshold: outputs of at least this are class 1.

    Shape: both of one shape.
    Example:
        >>> round(float(BinaryIoU()([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.5833
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: Number = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        self.threshold = threshold
        self._start(2, target_class_ids)

    def _predicted(self, y_pred: Any) -> Any:
        return K.cast(K.greater_equal(K.convert(y_pred), self.threshold), "int32")


@METRICS.register()
class MeanIoU(_Overlap):
    """Mean over classes of intersection over union; classes that never occur do not count.

    Args:
        num_classes: how many classes there are.
        ignore_class: targets of this class are left out.
        sparse_y_true, sparse_y_pred: whether targets, or outputs, are class numbers rather than a score for each.
        axis: the axis of the scores.

    Shape: y_true and y_pred hold class numbers, in the same shape; sample_weight likewise or (n,).
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> round(float(MeanIoU(2)([0, 0, 1, 1], [0, 0, 1, 0])), 4)
        0.5833
    """

    def __init__(
        self,
        num_classes: Positive,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: Integer | None = None,
        sparse_y_true: Flag = True,
        sparse_y_pred: Flag = True,
        axis: Integer = -1,
    ):
        super().__init__(name, dtype)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self._start(num_classes, range(num_classes))


@METRICS.register()
class OneHotIoU(_Overlap):
    """Intersection over union of some classes, for targets that are one-hot.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count, from 0.
        ignore_class: targets of this class are left out.
        sparse_y_pred: whether outputs are class numbers rather than a score for each class.
        axis: the axis of the classes.

    Shape: targets (..., classes); outputs likewise, or class numbers (...).
    Example:
        >>> float(OneHotIoU(2, [1])([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]))
        0.5
    """

    sparse_y_true = False

    def __init__(
        self,
        num_classes: Positive,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: Integer | None = None,
        sparse_y_pred: Flag = False,
        axis: Integer = -1,
    ):
        super().__init__(name, dtype)
        self.ignore_class, self.axis, self.sparse_y_pred = ignore_class, axis, sparse_y_pred
        self._start(num_classes, target_class_ids)


@METRICS.register()
class OneHotMeanIoU(_Overlap):
    """Mean over classes of intersection over union, for targets that are one-hot.

    Args:
        num_classes: how many classes there are.
        ignore_class: targets of this class are left out.
        sparse_y_pred: whether outputs are class numbers rather than a score for each class.
        axis: the axis of the classes.

    Shape: targets (..., classes); outputs likewise, or class numbers (...).
    Example:
        >>> float(OneHotMeanIoU(2)([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]))
        0.25
    """

    sparse_y_true = False

    def __init__(
        self,
        num_classes: Positive,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: Integer | None = None,
        sparse_y_pred: Flag = False,
        axis: Integer = -1,
    ):
        super().__init__(name, dtype)
        self.ignore_class, self.axis, self.sparse_y_pred = ignore_class, axis, sparse_y_pred
        self._start(num_classes, range(num_classes))
