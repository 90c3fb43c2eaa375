"""Metric classes that are means of a function over the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import losses
from keras_front.arguments import Flag, Fraction, Integer, Number, Positive
from keras_front.metrics import functions
from keras_front.metrics.base import METRICS, MeanMetricWrapper

Name = str | None


def _mean_of(
    class_name: str, fn: Callable[..., Any], name: str, about: str, result: float, y_true: str = "[[1.0, 0.0]]"
) -> type[MeanMetricWrapper]:
    """A class whose constructor takes only a name and a dtype; `result` is that of its example."""

    def construct(self: Any, name: Name = name, dtype: Any = None) -> None:
        MeanMetricWrapper.__init__(self, fn, name, dtype)

    doc = f"""Mean over samples: {about}

    Source: Keras 2.3.1, `keras/metrics.py`; the formula is that of the function `{fn.__name__}`.

    Example:
        >>> metric = {class_name}()
        >>> metric.update_state(np.array({y_true}), np.array([[0.75, 0.25]]))
        >>> round(float(metric.result()), 3)
        {result}
    """
    body = {"__init__": construct, "__doc__": doc, "__module__": __name__}
    return METRICS.register(class_name)(type(class_name, (MeanMetricWrapper,), body))


Accuracy = _mean_of(
    "Accuracy", functions.accuracy, "accuracy", "the part of the outputs that equal their targets.", result=0.0
)
CategoricalAccuracy = _mean_of(
    "CategoricalAccuracy",
    functions.categorical_accuracy,
    "categorical_accuracy",
    "the part whose largest output is that of the target's class; targets are one-hot.",
    result=1.0,
)
SparseCategoricalAccuracy = _mean_of(
    "SparseCategoricalAccuracy",
    functions.sparse_categorical_accuracy,
    "sparse_categorical_accuracy",
    "the part whose largest output is that of the target's class; targets are class numbers.",
    result=1.0,
    y_true="[[0]]",
)
MeanSquaredError = _mean_of(
    "MeanSquaredError", losses.mean_squared_error, "mean_squared_error", "squared differences.", result=0.062
)
MeanAbsoluteError = _mean_of(
    "MeanAbsoluteError", losses.mean_absolute_error, "mean_absolute_error", "absolute differences.", result=0.25
)
MeanAbsolutePercentageError = _mean_of(
    "MeanAbsolutePercentageError",
    losses.mean_absolute_percentage_error,
    "mean_absolute_percentage_error",
    "absolute differences, in percent of the target.",
    result=37.5,
    y_true="[[1.0, 0.5]]",
)
MeanSquaredLogarithmicError = _mean_of(
    "MeanSquaredLogarithmicError",
    losses.mean_squared_logarithmic_error,
    "mean_squared_logarithmic_error",
    "squared differences of `log(1 + y)`.",
    result=0.034,
)
Hinge = _mean_of(
    "Hinge", losses.hinge, "hinge", "`max(1 - y_true * y_pred, 0)`; targets are -1 and 1, or 0 and 1.", result=0.75
)
SquaredHinge = _mean_of(
    "SquaredHinge",
    losses.squared_hinge,
    "squared_hinge",
    "squares of `max(1 - y_true * y_pred, 0)`; targets are -1 and 1, or 0 and 1.",
    result=0.812,
)
CategoricalHinge = _mean_of(
    "CategoricalHinge",
    losses.categorical_hinge,
    "categorical_hinge",
    "`max(0, best wrong score - right score + 1)`; targets are one-hot.",
    result=0.5,
)
LogCoshError = _mean_of("LogCoshError", losses.logcosh, "logcosh", "`log(cosh(y_pred - y_true))`.", result=0.031)
Poisson = _mean_of("Poisson", losses.poisson, "poisson", "`y_pred - y_true * log(y_pred)`, for counts.", result=0.644)
KLDivergence = _mean_of(
    "KLDivergence",
    losses.kullback_leibler_divergence,
    "kullback_leibler_divergence",
    "the Kullback-Leibler divergence of the outputs from the targets, in nats.",
    result=0.288,
)


@METRICS.register()
class BinaryAccuracy(MeanMetricWrapper):
    """Part of the outputs that are on the target's side of `threshold`.

    Args:
        threshold: outputs above it count as 1.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(BinaryAccuracy()([[1.0], [0.0]], [[0.75], [0.75]]))
        0.5
    """

    def __init__(self, name: Name = "binary_accuracy", dtype: Any = None, threshold: Number = 0.5):
        super().__init__(functions.binary_accuracy, name, dtype, threshold=threshold)


@METRICS.register()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Part of the samples whose class is among the `k` largest outputs; targets are one-hot.

    Args:
        k: how many of the largest outputs count.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(TopKCategoricalAccuracy(k=2)([[0.0, 1.0, 0.0]], [[0.5, 0.3, 0.2]]))
        1.0
    """

    def __init__(self, k: Positive = 5, name: Name = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(functions.top_k_categorical_accuracy, name, dtype, k=k)


@METRICS.register()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Part of the samples whose class is among the `k` largest outputs; targets are class numbers.

    Args:
        k: how many of the largest outputs count.
        from_sorted_ids: whether outputs are class numbers themselves, the best first, as retrieval gives them.

    Source: Keras 2.3.1, `keras/metrics.py`; Keras 3.15 for `from_sorted_ids`.
    Example:
        >>> float(SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.3, 0.2]]))
        0.0
    """

    def __init__(
        self,
        k: Positive = 5,
        name: Name = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        ids = {"from_sorted_ids": True} if from_sorted_ids else {}
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, dtype, k=k, **ids)


@METRICS.register()
class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and outputs: 1 where they point the same way.

    Args:
        axis: the axis of the vectors.

    Source: Keras 2.3.1, `keras/metrics.py`. The loss of the same name has the other sign.
    Example:
        >>> float(CosineSimilarity()([[3.0, 0.0]], [[2.0, 0.0]]))
        1.0
    """

    def __init__(self, name: Name = "cosine_similarity", dtype: Any = None, axis: Integer = -1):
        super().__init__(functions.cosine_similarity, name, dtype, axis=axis)


@METRICS.register()
class BinaryCrossentropy(MeanMetricWrapper):
    """Mean crossentropy between probabilities of yes, in nats.

    Args:
        from_logits: outputs are what sigmoid would be applied to.
        label_smoothing: part of each target, between 0 and 1, that is moved to one half.

    Source: Keras 2.3.1, `keras/metrics.py`.

    Example:
        >>> metric = BinaryCrossentropy()
        >>> metric.update_state(np.array([[1.0], [0.0]]), np.array([[0.5], [0.5]]))
        >>> round(float(metric.result()), 3)
        0.693
    """

    def __init__(
        self,
        name: Name = "binary_crossentropy",
        dtype: Any = None,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **arguments)


@METRICS.register()
class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy between distributions, in nats; targets are one-hot or probabilities.

    Args:
        from_logits: outputs are what softmax would be applied to.
        label_smoothing: part of each target, between 0 and 1, that is spread over all classes.
        axis: the axis of the classes.

    Source: Keras 2.3.1, `keras/metrics.py`.

    Example:
        >>> metric = CategoricalCrossentropy()
        >>> metric.update_state(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]))
        >>> round(float(metric.result()), 3)
        0.693
    """

    def __init__(
        self,
        name: Name = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0,
        axis: Integer = -1,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **arguments)


@METRICS.register()
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy, in nats, for targets that are class numbers.

    Args:
        from_logits: outputs are what softmax would be applied to.
        axis: the axis of the classes in the outputs.

    Source: Keras 2.3.1, `keras/metrics.py`.

    Example:
        >>> metric = SparseCategoricalCrossentropy()
        >>> metric.update_state(np.array([[0]]), np.array([[0.5, 0.5]]))
        >>> round(float(metric.result()), 3)
        0.693
    """

    def __init__(
        self,
        name: Name = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: Flag = False,
        axis: Integer = -1,
    ):
        arguments = {"from_logits": from_logits, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **arguments)
