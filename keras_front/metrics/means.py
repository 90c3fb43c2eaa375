"""Metric classes that are means of a function over the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import losses
from keras_front.metrics import functions
from keras_front.metrics.base import METRICS, MeanMetricWrapper

Name = str | None


def _mean_of(class_name: str, fn: Callable[..., Any], name: str) -> type[MeanMetricWrapper]:
    """A class whose constructor takes only a name and a dtype."""

    def construct(self: Any, name: Name = name, dtype: Any = None) -> None:
        MeanMetricWrapper.__init__(self, fn, name, dtype)

    doc = f"Mean over samples of `{fn.__name__}`. {fn.__doc__}"
    body = {"__init__": construct, "__doc__": doc, "__module__": __name__}
    return METRICS.register(class_name)(type(class_name, (MeanMetricWrapper,), body))


Accuracy = _mean_of("Accuracy", functions.accuracy, "accuracy")
CategoricalAccuracy = _mean_of("CategoricalAccuracy", functions.categorical_accuracy, "categorical_accuracy")
SparseCategoricalAccuracy = _mean_of(
    "SparseCategoricalAccuracy", functions.sparse_categorical_accuracy, "sparse_categorical_accuracy"
)
MeanSquaredError = _mean_of("MeanSquaredError", losses.mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _mean_of("MeanAbsoluteError", losses.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _mean_of(
    "MeanAbsolutePercentageError", losses.mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredLogarithmicError = _mean_of(
    "MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
Hinge = _mean_of("Hinge", losses.hinge, "hinge")
SquaredHinge = _mean_of("SquaredHinge", losses.squared_hinge, "squared_hinge")
CategoricalHinge = _mean_of("CategoricalHinge", losses.categorical_hinge, "categorical_hinge")
LogCoshError = _mean_of("LogCoshError", losses.logcosh, "logcosh")
Poisson = _mean_of("Poisson", losses.poisson, "poisson")
KLDivergence = _mean_of("KLDivergence", losses.kullback_leibler_divergence, "kullback_leibler_divergence")


@METRICS.register()
class BinaryAccuracy(MeanMetricWrapper):
    """Part of the outputs that are on the target's side of `threshold`."""

    def __init__(self, name: Name = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        super().__init__(functions.binary_accuracy, name, dtype, threshold=threshold)


@METRICS.register()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Part of the samples whose class is among the `k` largest outputs; targets are one-hot."""

    def __init__(self, k: int = 5, name: Name = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(functions.top_k_categorical_accuracy, name, dtype, k=k)


@METRICS.register()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Part of the samples whose class is among the `k` largest outputs; targets are class numbers."""

    def __init__(self, k: int = 5, name: Name = "sparse_top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, dtype, k=k)


@METRICS.register()
class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and outputs."""

    def __init__(self, name: Name = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(functions.cosine_similarity, name, dtype, axis=axis)


@METRICS.register()
class BinaryCrossentropy(MeanMetricWrapper):
    """Mean crossentropy between probabilities of yes."""

    def __init__(
        self,
        name: Name = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **arguments)


@METRICS.register()
class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy between distributions."""

    def __init__(
        self,
        name: Name = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **arguments)


@METRICS.register()
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy for targets that are class numbers."""

    def __init__(
        self,
        name: Name = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ):
        arguments = {"from_logits": from_logits, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **arguments)
