"""`keras.utils.metrics_utils` of Keras 2.3: counts of right and wrong decisions in variables of the caller.

Source: Keras 2.3.1, `keras/utils/metrics_utils.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.metrics import confusion
from keras_front.utils.generic_utils import to_list

__all__ = [
    "NEG_INF",
    "AUCCurve",
    "AUCSummationMethod",
    "ConfusionMatrix",
    "Reduction",
    "assert_thresholds_range",
    "filter_top_k",
    "parse_init_thresholds",
    "result_wrapper",
    "to_list",
    "update_confusion_matrix_variables",
    "update_state_wrapper",
    "weighted_assign_add",
]

NEG_INF = confusion.LOWEST


class Reduction:
    """How the values of a metric become one number."""

    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    WEIGHTED_MEAN = "weighted_mean"


class ConfusionMatrix(Enum):
    """The four counts of a decision."""

    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


def _from_str(kind: type[Enum], key: str) -> Any:
    for member in kind:
        if key in (member.value, member.value.lower(), member.value.capitalize()):
            return member
    words = [member.value for member in kind]
    raise ArgumentError(f"Invalid {kind.__name__} value: expected one of {words}, received {key!r}.")


class AUCCurve(StrEnum):
    """The curve whose area `AUC` measures."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve by its name.

        Args:
            key: 'ROC' or 'PR', in either letter case.
        """
        return _from_str(AUCCurve, key)


class AUCSummationMethod(StrEnum):
    """How `AUC` sums between thresholds."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The method by its name.

        Args:
            key: 'interpolation', 'majoring' or 'minoring', also with a capital.
        """
        return _from_str(AUCSummationMethod, key)


def update_state_wrapper(update_state_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a metric's `update_state`, whose update becomes one of the metric.

    Args:
        update_state_fn: the method, bound.
    """

    @functools.wraps(update_state_fn)
    def decorated(metric_obj: Any, *args: Any, **kwargs: Any) -> Any:
        update = update_state_fn(*args, **kwargs)
        metric_obj.add_update(update)
        return update

    return decorated


def result_wrapper(result_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a metric's `result`, which the metric keeps.

    Args:
        result_fn: the method, bound.
    """

    @functools.wraps(result_fn)
    def decorated(metric_obj: Any, *args: Any, **kwargs: Any) -> Any:
        metric_obj._call_result = result = K.identity(result_fn(*args, **kwargs))
        return result

    return decorated


def filter_top_k(x: Any, k: int) -> Any:
    """Outputs with all but the `k` largest of each row set to a number below all others.

    Args:
        x: tensor of outputs.
        k: how many are kept.
    """
    return confusion.keep_largest(K.convert(x), k)


def ragged_assert_compatible_and_get_flat_values(values: Any, mask: Any = None) -> tuple[Any, Any]:
    """Values and mask as they are: there are no ragged tensors.

    Args:
        values: tensors.
        mask: their mask.
    """
    return values, mask


def assert_thresholds_range(thresholds: Sequence[float | None] | None) -> None:
    """Raise unless all thresholds lie between 0 and 1.

    Args:
        thresholds: numbers, or None.

    Raises: ArgumentError.
    """
    wrong = [t for t in thresholds or () if t is None or not 0 <= t <= 1]
    if wrong:
        raise ArgumentError(f"Threshold values must be in [0, 1]. Invalid values: {wrong}")


def parse_init_thresholds(thresholds: Any, default_threshold: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Args:
        thresholds: a number, a list, or None.
        default_threshold: stands for None.

    Raises: ArgumentError for thresholds outside of 0 to 1.
    """
    found = to_list(default_threshold if thresholds is None else thresholds)
    if thresholds is not None:
        assert_thresholds_range(found)
    return found


def weighted_assign_add(label: Any, pred: Any, weights: Any, var: Any) -> Any:
    """Add to a variable how many places of each row are true in both.

    Args:
        label: booleans, a row for each threshold.
        pred: likewise.
        weights: weight of each place, or None for 1.
        var: the variable, one number for each row.
    """
    both = K.cast(K.logical_and(label, pred), K.dtype(var))
    return K.update_add(
        var, K.sum(both if weights is None else both * K.cast(K.convert(weights), K.dtype(both)), axis=1)
    )


def update_confusion_matrix_variables(
    variables_to_update: Mapping[ConfusionMatrix, Any] | None,
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list[Any] | None:
    """Add the counts of decisions to variables; the updates.

    Args:
        variables_to_update: variables by member of `ConfusionMatrix`, each with a number for each threshold.
        y_true: targets, 0 or not.
        y_pred: outputs from 0 to 1.
        thresholds: outputs above count as positive: a number, or several.
        top_k: only the k largest outputs of a sample may be positive; None for all.
        class_id: only this place of the last axis counts; None for all.
        sample_weight: weight of each sample or decision; None for 1.

    Raises: ArgumentError for other keys, or none.
    """
    if variables_to_update is None:
        return None
    wrong = [key for key in variables_to_update if not isinstance(key, ConfusionMatrix)]
    if wrong or not variables_to_update:
        raise ArgumentError(
            f"Please provide at least one valid confusion matrix variable to update. Valid variable key options are: "
            f"{list(ConfusionMatrix)}. Invalid keys: {wrong}"
        )
    counts = confusion.count_decisions(
        K.cast(K.convert(y_true), K.floatx()),
        K.cast(K.convert(y_pred), K.floatx()),
        list(thresholds) if isinstance(thresholds, tuple | list) else [thresholds],
        sample_weight,
        top_k,
        class_id,
    )
    return [K.update_add(variable, counts[key.value]) for key, variable in variables_to_update.items()]
