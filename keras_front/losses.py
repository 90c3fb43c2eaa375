"""Losses: each a line of K, and classes that weigh and reduce them.

A loss function compares targets with outputs along the last axis and returns one number for each sample
(or timestep).
A `Loss` object adds what Keras does around that: sample weights, and a reduction to one number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.registry import Configurable, Registry, name_of

LOSSES = Registry("loss")


# Functions ----------------------------------------------------------------------------------------


def as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and outputs as tensors of the outputs' dtype."""
    y_pred = K.convert(y_pred)
    return K.cast(K.convert(y_true), K.dtype(y_pred)), y_pred


@LOSSES.register("mean_squared_error", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of squared differences."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)


@LOSSES.register("mean_absolute_error", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of absolute differences."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


@LOSSES.register("mean_absolute_percentage_error", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of absolute differences, in percent of the target."""
    y_true, y_pred = as_pair(y_true, y_pred)
    scale = K.maximum(K.abs(y_true), K.epsilon())
    return 100.0 * K.mean(K.abs((y_true - y_pred) / scale), axis=-1)


@LOSSES.register("mean_squared_logarithmic_error", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of squared differences of `log(1 + y)`; values below epsilon count as epsilon."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(_log1p_positive(y_pred) - _log1p_positive(y_true)), axis=-1)


def _log1p_positive(y: Any) -> Any:
    return K.log(K.maximum(y, K.epsilon()) + 1.0)


@LOSSES.register()
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of `max(1 - y_true * y_pred, 0)`; targets are -1 and 1, or 0 and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.maximum(1.0 - _signed(y_true) * y_pred, 0.0), axis=-1)


@LOSSES.register()
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of the squares of `max(1 - y_true * y_pred, 0)`; targets are -1 and 1, or 0 and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - _signed(y_true) * y_pred, 0.0)), axis=-1)


def _signed(y_true: Any) -> Any:
    """Targets -1 and 1 for targets 0 and 1; anything else as it is."""
    binary = K.cast(K.all(K.logical_or(K.equal(y_true, 0.0), K.equal(y_true, 1.0))), K.dtype(y_true))
    return y_true + binary * (y_true - 1.0)


@LOSSES.register()
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, best wrong score - right score + 1)`; targets are one-hot."""
    y_true, y_pred = as_pair(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(wrong - right + 1.0, 0.0)


@LOSSES.register("logcosh", "log_cosh")
def logcosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of `log(cosh(y_pred - y_true))`."""
    y_true, y_pred = as_pair(y_true, y_pred)
    x = y_pred - y_true
    return K.mean(x + K.softplus(-2.0 * x) - math.log(2.0), axis=-1)


@LOSSES.register("huber_loss", "huber")
def huber_loss(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean of half the squared difference, which goes on linearly from `delta`.

    Source: Huber (1964); averaged over the last axis as in tf_keras.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return K.mean(0.5 * K.square(quadratic) + delta * (error - quadratic), axis=-1)


@LOSSES.register()
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """Crossentropy between two distributions along `axis`."""
    y_true, y_pred = as_pair(y_true, y_pred)
    if label_smoothing:
        classes = K.int_shape(y_pred)[axis]
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@LOSSES.register()
def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Crossentropy of a distribution along `axis` for targets that are class numbers."""
    y_true, y_pred = K.convert(y_true), K.convert(y_pred)
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@LOSSES.register()
def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0) -> Any:
    """Mean over the last axis of the crossentropy between probabilities of yes."""
    y_true, y_pred = as_pair(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=-1)


@LOSSES.register("kullback_leibler_divergence", "kld", "KLD", "kl_divergence")
def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum of `y_true * log(y_true / y_pred)`, both kept between epsilon and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true, y_pred = K.clip(y_true, K.epsilon(), 1.0), K.clip(y_pred, K.epsilon(), 1.0)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


@LOSSES.register()
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of `y_pred - y_true * log(y_pred)`."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


@LOSSES.register("cosine_similarity", "cosine_proximity", "cosine")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between the two: -1 where they point the same way."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return -K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
cosine = cosine_proximity = cosine_similarity
huber = huber_loss
log_cosh = logcosh


# Weights and reductions ---------------------------------------------------------------------------


class Reduction:
    """How the losses of a batch become one number."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Every reduction."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: Any) -> str:
        """The reduction's name; Keras 3's 'mean' and None are understood.

        Raises: ArgumentError for any other word.
        """
        name = {"mean": cls.SUM_OVER_BATCH_SIZE, None: cls.NONE}.get(key, key)
        if name not in cls.all():
            raise ArgumentError(f"Loss: expected a reduction among {', '.join(cls.all())}, received {key!r}.")
        return name


def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and outputs brought to the same number of axes where a last axis of 1 makes the difference.

    Without this, targets (n,) beside outputs (n, 1) would broadcast to (n, n).
    """
    y_true, y_pred = K.convert(y_true), K.convert(y_pred)
    surplus = K.ndim(y_pred) - K.ndim(y_true)
    if surplus == 1 and K.int_shape(y_pred)[-1] == 1:
        return K.expand_dims(y_true, axis=-1), y_pred
    if surplus == -1 and K.int_shape(y_true)[-1] == 1:
        return K.squeeze(y_true, axis=-1), y_pred
    return y_true, y_pred


def spread_weights(sample_weight: Any, values: Any) -> Any:
    """Weights with as many axes as `values`: axes of 1 are added at the end, or one is taken away."""
    weights = K.cast(K.convert(sample_weight), K.dtype(values))
    if K.ndim(weights) == K.ndim(values) + 1 and K.int_shape(weights)[-1] == 1:
        return K.squeeze(weights, axis=-1)
    while 0 < K.ndim(weights) < K.ndim(values):
        weights = K.expand_dims(weights, axis=-1)
    return weights


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE
) -> Any:
    """Losses times weights, reduced; a mean divides by the number of losses, not by the sum of weights.

    Shape: losses (n, ...); sample_weight (n,), (n, 1), or as losses.
    Source: Keras 2.3.1, `keras/utils/losses_utils.py`.
    """
    reduction = Reduction.validate(reduction)
    if sample_weight is not None:
        losses = losses * spread_weights(sample_weight, losses)
    if reduction == Reduction.NONE:
        return losses
    return K.sum(losses) if reduction == Reduction.SUM else K.mean(losses)


# Classes ------------------------------------------------------------------------------------------


class Loss(Configurable):
    """Base class: `call(y_true, y_pred)` gives one number per sample; calling the object weighs and
    reduces them.

    Args:
        reduction: 'sum_over_batch_size' (also as 'auto'), 'sum', or 'none' to keep one number per sample.
    """

    def __init__(self, reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None):
        self.reduction, self.name = Reduction.validate(reduction), name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return compute_weighted_loss(self.call(*same_rank(y_true, y_pred)), sample_weight, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number per sample."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """New loss from a config; the `dtype` that Keras 3 writes is dropped."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


@LOSSES.register()
class LossFunctionWrapper(Loss):
    """A loss function with its arguments, as a `Loss`."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(reduction, name)
        self.fn: Any = LOSSES.get(fn)
        self._arguments = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The function's value."""
        return self.fn(y_true, y_pred, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; the function only where the class does not imply it."""
        own = {"fn": name_of(self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**own, **super().get_config(), **self._arguments}


@LOSSES.register()
class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared differences."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "mean_squared_error"):
        super().__init__(mean_squared_error, reduction, name)


@LOSSES.register()
class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of absolute differences."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "mean_absolute_error"):
        super().__init__(mean_absolute_error, reduction, name)


@LOSSES.register()
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of absolute differences, in percent of the target."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "mean_absolute_percentage_error"):
        super().__init__(mean_absolute_percentage_error, reduction, name)


@LOSSES.register()
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of squared differences of `log(1 + y)`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "mean_squared_logarithmic_error"):
        super().__init__(mean_squared_logarithmic_error, reduction, name)


@LOSSES.register()
class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy between probabilities of yes."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "binary_crossentropy",
    ):
        super().__init__(binary_crossentropy, reduction, name, from_logits=from_logits, label_smoothing=label_smoothing)


@LOSSES.register()
class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between distributions."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "categorical_crossentropy",
    ):
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


@LOSSES.register()
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy for targets that are class numbers."""

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "sparse_categorical_crossentropy",
    ):
        super().__init__(sparse_categorical_crossentropy, reduction, name, from_logits=from_logits)


@LOSSES.register()
class Hinge(LossFunctionWrapper):
    """Mean of `max(1 - y_true * y_pred, 0)`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "hinge"):
        super().__init__(hinge, reduction, name)


@LOSSES.register()
class SquaredHinge(LossFunctionWrapper):
    """Mean of the squares of `max(1 - y_true * y_pred, 0)`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "squared_hinge"):
        super().__init__(squared_hinge, reduction, name)


@LOSSES.register()
class CategoricalHinge(LossFunctionWrapper):
    """`max(0, best wrong score - right score + 1)`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "categorical_hinge"):
        super().__init__(categorical_hinge, reduction, name)


@LOSSES.register()
class Poisson(LossFunctionWrapper):
    """Mean of `y_pred - y_true * log(y_pred)`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "poisson"):
        super().__init__(poisson, reduction, name)


@LOSSES.register()
class LogCosh(LossFunctionWrapper):
    """Mean of `log(cosh(y_pred - y_true))`."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "logcosh"):
        super().__init__(logcosh, reduction, name)


@LOSSES.register()
class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence of the outputs from the targets."""

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "kullback_leibler_divergence"):
        super().__init__(kullback_leibler_divergence, reduction, name)


@LOSSES.register()
class Huber(LossFunctionWrapper):
    """Half the squared difference, which goes on linearly from `delta`."""

    def __init__(self, delta: float = 1.0, reduction: str | None = Reduction.AUTO, name: str | None = "huber_loss"):
        super().__init__(huber_loss, reduction, name, delta=delta)


@LOSSES.register()
class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and outputs."""

    def __init__(self, axis: int = -1, reduction: str | None = Reduction.AUTO, name: str | None = "cosine_similarity"):
        super().__init__(cosine_similarity, reduction, name, axis=axis)


# By name ------------------------------------------------------------------------------------------


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss, given in any form, is the categorical crossentropy."""
    if isinstance(loss, str):
        return loss == "categorical_crossentropy"
    return isinstance(loss, CategoricalCrossentropy) or getattr(loss, "fn", loss) is categorical_crossentropy


def serialize(loss: Any) -> Any:
    """Name of a loss function, or config of a loss object."""
    return LOSSES.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a name or config describes."""
    return LOSSES.deserialize(name, custom_objects)


def get(identifier: Any) -> Any:
    """The loss that an argument of `compile` stands for; None stays None."""
    return LOSSES.get(identifier)
