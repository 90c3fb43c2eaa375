"""Metrics: numbers that say how good outputs are, gathered over the batches of an epoch.

`base` says what a metric is, `functions` and `means` are about single samples, `confusion` about
decisions, `curves` about decisions at many thresholds, `overlap` about areas, `scores` about all samples together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_front.losses import (
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from keras_front.metrics.base import (
    METRICS,
    Mean,
    MeanMetricWrapper,
    MeanOverElements,
    MeanRelativeError,
    MeanTensor,
    Metric,
    Reduce,
    RootMeanSquaredError,
    Sum,
)
from keras_front.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from keras_front.metrics.curves import (
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SensitivitySpecificityBase,
    SpecificityAtSensitivity,
)
from keras_front.metrics.functions import (
    acc,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    cosine,
    cosine_proximity,
    cosine_similarity,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from keras_front.metrics.means import (
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)
from keras_front.metrics.overlap import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from keras_front.metrics.scores import (
    ConcordanceCorrelation,
    F1Score,
    FBetaScore,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)
from keras_front.missing_names import only_these
from keras_front.tracebacks import api_boundary

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLD",
    "KLDivergence",
    "LogCoshError",
    "MAE",
    "MAPE",
    "METRICS",
    "MSE",
    "MSLE",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanOverElements",
    "MeanRelativeError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MeanTensor",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "Reduce",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SensitivitySpecificityBase",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "acc",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "clone_metric",
    "clone_metrics",
    "concordance_correlation",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]


def clone_metric(metric: Any) -> Any:
    """A new metric of the same configuration, without what it has seen.

    Args:
        metric: a metric object; a function is itself.

    Example:
        >>> clone_metric(AUC(num_thresholds=50)).num_thresholds
        50
    """
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def clone_metrics(metrics: Iterable[Any] | None) -> list[Any] | None:
    """`clone_metric` of each.

    Args:
        metrics: metrics, or None, which stays None.

    Example:
        >>> [metric.name for metric in clone_metrics([AUC(name="a")])]
        ['a']
    """
    return None if metrics is None else [clone_metric(metric) for metric in metrics]


@api_boundary
def serialize(metric: Any) -> str | dict[str, Any]:
    """Name of a metric function, or config of a metric object.

    Args:
        metric: a function or an object.

    Example:
        >>> serialize(binary_accuracy)
        'binary_accuracy'
    """
    return METRICS.serialize(metric)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Metric | Callable[..., Any]:
    """The metric that a name or config describes.

    Args:
        config: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.

    Example:
        >>> deserialize({"class_name": "AUC", "config": {"num_thresholds": 50}}).num_thresholds
        50
    """
    return METRICS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Metric | Callable[..., Any] | None:
    """The metric that an argument of `compile` stands for.

    'accuracy' gives the function of that name; which accuracy fits a model's output is for the trainer to decide.

    Args:
        identifier: a name of a metric or a loss, a config, a class, a function of `(y_true, y_pred)`, a `Metric`; None
            stays None.

    Raises: ArgumentError for anything else.
    Example:
        >>> get("mse").__name__
        'mean_squared_error'
    """
    return METRICS.get(identifier)


__getattr__ = only_these(__name__)
