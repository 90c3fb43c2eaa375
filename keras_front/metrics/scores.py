"""Scores: F-scores of decisions, and how well outputs follow targets that are numbers.

Source for names, arguments and formulas: Keras 3.15, `keras.metrics`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.arguments import Count
from keras_front.errors import ArgumentError
from keras_front.losses import as_pair
from keras_front.metrics.base import METRICS, MeanMetricWrapper, Metric, ratio
from keras_front.tracebacks import api_boundary

AVERAGES = (None, "micro", "macro", "weighted")
AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class _OfOutputs(Metric):
    """A metric with one number for each output: its variables are made when the number of outputs is known."""

    kept: tuple[str, ...] = ()

    def build(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Make the variables, if there are none yet.

        Args:
            y_true: not needed.
            y_pred: outputs, (n, outputs).
            sample_weight: not needed.
        """
        if not hasattr(self, self.kept[0]):
            outputs = _number_of_outputs(K.int_shape(K.convert(y_pred)), type(self).__name__)
            for name in self.kept:
                setattr(self, name, self.add_weight(name, (self._numbers(outputs),)))

    def _numbers(self, outputs: int) -> int:
        return outputs

    def _add(self, *amounts: Any) -> None:
        for name, amount in zip(self.kept, amounts, strict=True):
            variable = getattr(self, name)
            variable.assign(variable + K.cast(amount, self.dtype))

    def _kept(self) -> list[Any]:
        return [getattr(self, name) * 1.0 for name in self.kept]


def _number_of_outputs(shape: Any, owner: str) -> int:
    if len(shape) != 2 or shape[1] is None:
        raise ArgumentError(f"{owner}: expected outputs of shape (samples, outputs), received {shape}.")
    return shape[1]


def _per_sample(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Targets and outputs (n, outputs), and weights (n, 1)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    weights = K.ones_like(y_pred[:, :1])
    if sample_weight is not None:
        weights = weights * K.reshape(K.cast(K.convert(sample_weight), K.dtype(y_pred)), (-1, 1))
    return K.reshape(y_true, (-1, K.int_shape(y_pred)[1])), y_pred, weights


@METRICS.register()
class FBetaScore(_OfOutputs):
    """`(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`.

    Args:
        average: None for a score for each class; 'macro' for their mean, 'weighted' for their mean by how often classes
            occur, 'micro' for one score of all decisions.
        beta: how many times more recall counts than precision, above 0.
        threshold: outputs above it are a decision for a class; None for the class with the largest output.

    Shape: both (n, classes); targets 0 and 1. sample_weight (n,).
    Raises: ArgumentError for other arguments and shapes.
    Source: van Rijsbergen (1979), chapter 7; Keras 3.15, `keras.metrics.FBetaScore`.
    Example:
        >>> score = FBetaScore(beta=2.0, threshold=0.5)
        >>> score([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.3]]).tolist()[1]
        1.0
    """

    kept = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        if average not in AVERAGES or not isinstance(beta, int | float) or beta <= 0:
            raise ArgumentError(
                f"{type(self).__name__}: expected average to be one of {AVERAGES} and beta above 0, received "
                f"average={average!r}, beta={beta!r}."
            )
        if threshold is not None and (not isinstance(threshold, int | float) or not 0 < threshold <= 1):
            raise ArgumentError(
                f"{type(self).__name__}: expected a threshold between 0 and 1, or None; received {threshold!r}."
            )
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the decisions of a batch.

        Args:
            y_true: targets, 0 and 1.
            y_pred: scores of the classes.
            sample_weight: weight of each sample; None for 1.
        """
        self.build(y_true, y_pred)
        true, pred, weights = _per_sample(y_true, y_pred, sample_weight)
        if self.threshold is None:
            largest = K.greater_equal(pred, K.max(pred, axis=-1, keepdims=True))
            decided = K.logical_and(largest, K.greater(K.abs(pred), 1e-9))
        else:
            decided = K.greater(pred, self.threshold)
        chosen = K.cast(decided, K.dtype(pred))
        decisions = chosen * true, chosen * (1.0 - true), (1.0 - chosen) * true, true
        self._add(*(self._sum(counted * weights) for counted in decisions))

    def _numbers(self, outputs: int) -> int:
        return 1 if self.average == "micro" else outputs

    def _sum(self, decisions: Any) -> Any:
        sums = K.sum(decisions, axis=0)
        return K.sum(sums, keepdims=True) if self.average == "micro" else sums

    def result(self) -> Any:
        """The score so far: a number, or one for each class."""
        if not self.variables:
            return K.zeros(())
        hits, surplus, missing, occurring = self._kept()
        precision, recall = ratio(hits, hits + surplus), ratio(hits, hits + missing)
        scores = (1.0 + self.beta**2) * ratio(precision * recall, self.beta**2 * precision + recall)
        if self.average == "weighted":
            return K.sum(scores * ratio(occurring, K.sum(occurring)))
        return scores if self.average is None else K.mean(scores)


@METRICS.register()
class F1Score(FBetaScore):
    """`2 * precision * recall / (precision + recall)`.

    Args:
        average: None for a score for each class; 'macro' for their mean, 'weighted' for their mean by how often classes
            occur, 'micro' for one score of all decisions.
        threshold: outputs above it are a decision for a class; None for the class with the largest output.

    Shape: both (n, classes); targets 0 and 1. sample_weight (n,).
    Raises: ArgumentError for other arguments and shapes.
    Source: Keras 3.15, `keras.metrics.F1Score`.
    Example:
        >>> F1Score(threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.3]]).tolist()[1]
        1.0
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {name: value for name, value in super().get_config().items() if name != "beta"}


@METRICS.register()
class R2Score(_OfOutputs):
    """The part of the variance of the targets that outputs explain: 1 is perfect, 0 no better than their mean.

    Args:
        class_aggregation: 'uniform_average' for the mean over outputs, 'variance_weighted_average' for their mean by
            variance, None for a number for each output.
        num_regressors: how many variables explain; with more than 0 the score is the adjusted one. As in Keras, every
            number of the targets counts as a sample.

    Shape: both (n, outputs). sample_weight (n,).
    Raises: ArgumentError for other arguments and shapes.
    Source: Keras 3.15, `keras.metrics.R2Score`; scikit-learn's `r2_score`.
    Example:
        >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    kept = ("sum", "squared_sum", "total_mse", "count")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: Count = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        if class_aggregation not in AGGREGATIONS or not isinstance(num_regressors, int) or num_regressors < 0:
            raise ArgumentError(
                f"R2Score: expected class_aggregation to be one of {AGGREGATIONS}, num_regressors 0 or more; received "
                f"class_aggregation={class_aggregation!r}, num_regressors={num_regressors!r}."
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_weight("num_samples")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the squares of a batch.

        Args:
            y_true: targets.
            y_pred: outputs.
            sample_weight: weight of each sample; None for 1.
        """
        self.build(y_true, y_pred)
        true, pred, weights = _per_sample(y_true, y_pred, sample_weight)
        amounts = true, K.square(true), K.square(true - pred), K.ones_like(true)
        self._add(*(K.sum(amount * weights, axis=0) for amount in amounts))
        self.num_samples.assign(self.num_samples + K.cast(K.sum(K.ones_like(true)), self.dtype))

    def result(self) -> Any:
        """The score so far: a number, or one for each output."""
        if not hasattr(self, "count"):
            return K.zeros(())
        total, squares, errors, count = self._kept()
        variance = squares - total * ratio(total, count)
        scores = K.where(K.greater(variance, 0.0), 1.0 - ratio(errors, variance), 0.0)
        if self.class_aggregation is None:
            return self._adjusted(scores)
        if self.class_aggregation == "uniform_average":
            return self._adjusted(K.mean(scores))
        return self._adjusted(ratio(K.sum(scores * variance), K.sum(variance)))

    def _adjusted(self, score: Any) -> Any:
        if not self.num_regressors:
            return score
        left = self.num_samples - self.num_regressors - 1.0
        adjusted = 1.0 - (1.0 - score) * (self.num_samples - 1.0) / K.where(K.greater(left, 0.0), left, 1.0)
        return K.where(K.greater(left, 0.0), adjusted, score)


@METRICS.register()
@api_boundary
def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """The correlation of targets and outputs: 1 where these lie on a rising line.

    Args:
        y_true: targets.
        y_pred: outputs.
        axis: the axis, or axes, over which it is taken.

    Shape: both (..., n); the result (...).
    Source: Keras 3.15, `keras.metrics.pearson_correlation`.
    Example:
        >>> round(float(pearson_correlation([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])), 4)
        1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    true, pred = _centred(y_true, axis), _centred(y_pred, axis)
    lengths = [K.sqrt(K.maximum(K.sum(K.square(c), axis=axis), 1e-12)) for c in (true, pred)]
    return K.sum(true * pred, axis=axis) / (lengths[0] * lengths[1])


@METRICS.register()
@api_boundary
def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """How far targets and outputs agree: 1 where they are equal, less where they only correlate.

    Args:
        y_true: targets.
        y_pred: outputs.
        axis: the axis, or axes, over which it is taken.

    Shape: both (..., n); the result (...).
    Source: Lin (1989); Keras 3.15, `keras.metrics.concordance_correlation`.
    Example:
        >>> round(float(concordance_correlation([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])), 4)
        0.5714
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    true, pred = _centred(y_true, axis), _centred(y_pred, axis)
    covariance = K.mean(true * pred, axis=axis)
    spread = K.mean(K.square(true), axis=axis) + K.mean(K.square(pred), axis=axis)
    distance = K.mean(y_true, axis=axis) - K.mean(y_pred, axis=axis)
    return 2.0 * covariance / (spread + K.square(distance) + K.epsilon())


def _centred(values: Any, axis: Any) -> Any:
    return values - K.mean(values, axis=axis, keepdims=True)


@METRICS.register()
class PearsonCorrelation(MeanMetricWrapper):
    """Mean over samples of the correlation of targets and outputs.

    Args:
        axis: the axis, or axes, over which it is taken.

    Shape: both (n, ..., outputs).
    Source: Keras 3.15, `keras.metrics.PearsonCorrelation`.
    Example:
        >>> round(float(PearsonCorrelation()([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]])), 4)
        0.9967
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@METRICS.register()
class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean over samples of how far targets and outputs agree.

    Args:
        axis: the axis, or axes, over which it is taken.

    Shape: both (n, ..., outputs).
    Source: Lin (1989); Keras 3.15, `keras.metrics.ConcordanceCorrelation`.
    Example:
        >>> round(float(ConcordanceCorrelation()([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]])), 3)
        0.982
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
