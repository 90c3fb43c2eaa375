"""Losses: how far outputs are from targets, which training minimises.

`functions` compares sample by sample, `objects` weighs and reduces to one number as `weights` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_front.losses.functions import (
    LOSSES,
    as_pair,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber_loss,
    kullback_leibler_divergence,
    logcosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from keras_front.losses.further_losses import (
    CTC,
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    Circle,
    Dice,
    Tversky,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    circle,
    ctc,
    dice,
    tversky,
)
from keras_front.losses.objects import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    LossFunctionWrapper,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    is_categorical_crossentropy,
)
from keras_front.losses.weights import Reduction, compute_weighted_loss, same_rank, spread_weights
from keras_front.missing_names import only_these
from keras_front.tracebacks import api_boundary

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLD",
    "KLDivergence",
    "LOSSES",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "as_pair",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "compute_weighted_loss",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "huber_loss",
    "is_categorical_crossentropy",
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
    "poisson",
    "same_rank",
    "serialize",
    "sparse_categorical_crossentropy",
    "spread_weights",
    "squared_hinge",
    "tversky",
]

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
cosine = cosine_proximity = cosine_similarity
huber = huber_loss
log_cosh = logcosh


@api_boundary
def serialize(loss: Any) -> str | dict[str, Any]:
    """Name of a loss function, or config of a loss object.

    Args:
        loss: a function or an object.

    Example:
        >>> serialize(mse)
        'mean_squared_error'
    """
    return LOSSES.serialize(loss)


@api_boundary
def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Loss | Callable[..., Any]:
    """The loss that a name or config describes.

    Args:
        name: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.
    Example:
        >>> deserialize("mse") is mean_squared_error
        True
    """
    return LOSSES.deserialize(name, custom_objects)


@api_boundary
def get(identifier: Any) -> Loss | Callable[..., Any] | None:
    """The loss that an argument of `compile` stands for.

    Args:
        identifier: a name, a config, a class, a function of `(y_true, y_pred)`, a `Loss`; None stays None.

    Raises: ArgumentError for anything else.
    Example:
        >>> get("huber") is huber_loss
        True
    """
    return LOSSES.get(identifier)


__getattr__ = only_these(__name__)
