"""Losses that came with tf.keras and Keras 3: focal crossentropies, overlap of areas, embeddings, and CTC.

Source for names, arguments and formulas: Keras 3.15, `keras.losses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front.arguments import Flag, Fraction, Integer, NotNegative, Number, Scalars
from keras_front.errors import ArgumentError, ShapeError
from keras_front.losses.functions import LOSSES, as_pair, classes_of, smoothed
from keras_front.losses.objects import LossFunctionWrapper
from keras_front.losses.weights import Reduction
from keras_front.tracebacks import api_boundary

Axis = int | Sequence[int] | None


def _without_tiny(p: Any) -> Any:
    return K.clip(p, K.epsilon(), 1.0 - K.epsilon())


# Crossentropies that look at hard samples -------------------------------------------------------------


@LOSSES.register()
@api_boundary
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary crossentropy in which what is predicted well already counts less: times `(1 - p) ** gamma`.

    Args:
        y_true: targets, 0 and 1 or probabilities.
        y_pred: probabilities of 1, kept `K.epsilon()` away from 0 and 1.
        apply_class_balancing: whether targets of 1 count `alpha` times, and those of 0 `1 - alpha` times.
        alpha: the weight of targets of 1, between 0 and 1.
        gamma: how much less, 0 or more; 0 is the binary crossentropy.
        from_logits: `y_pred` is what sigmoid would be applied to.
        label_smoothing: part of each target, between 0 and 1, that is moved to one half.
        axis: the axis over which the mean is taken.

    Shape: both (..., n); the result (...).
    Source: Lin et al. (2017), equations 4 and 5; Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(binary_focal_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.1733
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    p = K.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * p + (1.0 - y_true) * (1.0 - p)
    loss = K.pow(1.0 - right, gamma) * K.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return K.mean(loss, axis=axis)


@LOSSES.register()
@api_boundary
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Crossentropy in which what is predicted well already counts less: times `alpha * (1 - p) ** gamma`.

    Args:
        y_true: targets, one-hot or probabilities.
        y_pred: probabilities; they are scaled to sum to 1, and kept `K.epsilon()` away from 0 and 1.
        alpha: weight of all classes, or a list of one for each.
        gamma: how much less, 0 or more.
        from_logits: `y_pred` is what softmax would be applied to.
        label_smoothing: part of each target, between 0 and 1, that is spread over all classes.
        axis: the axis of the classes.

    Shape: both (..., classes); the result (...).
    Source: Lin et al. (2017), equation 5; Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(categorical_focal_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.0433
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    classes = classes_of(y_pred, axis)
    if not isinstance(alpha, float | int) and K.int_shape(alpha) not in ((), (1,), (classes,)):
        raise ShapeError(
            f"categorical_focal_crossentropy: expected alpha to be a number, or one for each of {classes} classes, "
            f"received an array of shape {K.int_shape(alpha)}."
        )
    y_true = smoothed(y_true, label_smoothing, classes)
    p = K.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = _without_tiny(p / K.sum(p, axis=axis, keepdims=True))
    weights = K.cast(K.convert(alpha), K.dtype(p))
    return K.sum(weights * K.pow(1.0 - p, gamma) * (-y_true * K.log(p)), axis=axis)


@LOSSES.register()
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p ** q) / q` for the probability of the right class: for labels some of which are wrong.

    Args:
        y_true: class numbers, from 0.
        y_pred: probabilities.
        q: between crossentropy, near 0, and the mean absolute error, 1.

    Shape: y_true (...) or (..., 1), y_pred (..., classes); the result (...).
    Raises: ArgumentError unless `q` lies between 0 and 1.
    Source: Zhang and Sabuncu (2018), equation 6; Keras 3.15, `keras.losses`.
    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).tolist()
        [1.0]
    """
    if not 0 < q < 1:
        raise ArgumentError(f"categorical_generalized_cross_entropy: expected q between 0 and 1, received {q!r}.")
    y_pred = K.convert(y_pred)
    labels = K.cast(K.convert(y_true), "int32")
    if K.ndim(labels) == K.ndim(y_pred):
        labels = K.squeeze(labels, -1)
    right = K.sum(K.one_hot(labels, K.int_shape(y_pred)[-1], dtype=K.dtype(y_pred)) * y_pred, axis=-1)
    return (1.0 - K.pow(right, q)) / q


# Overlap of areas -------------------------------------------------------------------------------------


@LOSSES.register()
@api_boundary
def dice(y_true: Any, y_pred: Any, axis: Axis = None) -> Any:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`: how little two areas overlap.

    Args:
        y_true: targets, 0 and 1 or between.
        y_pred: outputs between 0 and 1, of the same shape.
        axis: the axes that are summed over; None for all, the samples included.

    Shape: both of any shape; the result is without the axes, a number by default.
    Source: Milletari et al. (2016), section 3, with sums for squares; Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(dice([1.0, 0.0, 1.0], [1.0, 0.0, 0.0])), 4)
        0.3333
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    both = K.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (K.sum(y_true, axis=axis) + K.sum(y_pred, axis=axis) + K.epsilon())


@LOSSES.register()
@api_boundary
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None) -> Any:
    """How little two areas overlap, with weights for what is too much and what is missing.

    Args:
        y_true: targets, 0 and 1 or between.
        y_pred: outputs between 0 and 1, of the same shape.
        alpha: weight of what is missing: targets that the outputs do not cover.
        beta: weight of what is too much; both one half are `dice`. Keras 3 says it the other way round, and computes
            it so.
        axis: the axes that are summed over; None for all, the samples included.

    Shape: both of any shape; the result is without the axes, a number by default.
    Source: Salehi et al. (2017), equation 2; Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(tversky([1.0, 0.0, 1.0], [1.0, 0.0, 0.0])), 4)
        0.3333
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    both = K.sum(y_true * y_pred, axis=axis)
    missing = K.sum(y_true * (1.0 - y_pred), axis=axis)
    surplus = K.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - both / (both + alpha * missing + beta * surplus + K.epsilon())


# Embeddings and alignments ----------------------------------------------------------------------------


@LOSSES.register()
@api_boundary
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Embeddings of one class are to be near each other, those of different classes far apart.

    Args:
        y_true: class numbers.
        y_pred: embeddings of length 1.
        ref_labels: class numbers of what to compare with; by default those of the batch itself.
        ref_embeddings: what to compare with; by default the batch itself.
        remove_diagonal: whether a sample is not compared with itself.
        gamma: scale of the similarities, above 0.
        margin: how far from its best value a similarity may stay, between 0 and 1.

    Shape: y_true (n,) or (n, 1), y_pred (n, d); the result (n,).
    Source: Sun et al. (2020), equations 4 and 5; Keras 3.15, `keras.losses`.
    Example:
        >>> [round(float(x), 4) for x in circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])]
        [0.0, 0.0, 0.0]
    """
    return _circle(y_true, y_pred, ref_labels, ref_embeddings, remove_diagonal, gamma, margin)[0]


def _circle(
    y_true: Any, y_pred: Any, ref_labels: Any, ref_embeddings: Any, remove_diagonal: bool, gamma: float, margin: float
) -> tuple[Any, Any]:
    """The losses, and which samples were compared with some of their class and of another; the others have 0."""
    y_pred = K.convert(y_pred)
    labels = _row(y_true)
    references = y_pred if ref_embeddings is None else K.cast(K.convert(ref_embeddings), K.dtype(y_pred))
    ref_labels = labels if ref_labels is None else _row(ref_labels)
    far = 1.0 - K.dot(y_pred, K.transpose(references))
    same = K.equal(K.expand_dims(labels, 1), K.expand_dims(ref_labels, 0))
    others = K.logical_not(same)
    if remove_diagonal:
        places = K.cumsum(K.ones_like(same, dtype="int32"), axis=1), K.cumsum(K.ones_like(same, dtype="int32"), axis=0)
        same = K.logical_and(same, K.not_equal(*places))
    near_pull = K.stop_gradient(K.maximum(margin + far, 0.0)) * (margin - far)
    far_push = K.stop_gradient(K.maximum(1.0 + margin - far, 0.0)) * (1.0 - margin - far)
    pull, push = _masked_logsumexp(-gamma * near_pull, same), _masked_logsumexp(gamma * far_push, others)
    compared = K.logical_and(K.any(same, axis=1), K.any(others, axis=1))
    return K.where(compared, K.softplus(K.where(compared, pull + push, 0.0)), 0.0), compared


def _row(labels: Any) -> Any:
    return K.reshape(K.cast(K.convert(labels), "int32"), (-1,))


def _masked_logsumexp(values: Any, mask: Any) -> Any:
    """Logarithm of the sum of exponentials of a row, where the mask is true; very small where it never is."""
    return K.logsumexp(K.where(mask, values, -1e9), axis=1)


@LOSSES.register()
def ctc(y_true: Any, y_pred: Any) -> Any:
    """The negative logarithm of the probability of the labels, summed over all alignments.

    Args:
        y_true: labels from 1 on, filled with 0 behind.
        y_pred: logits of the classes at each step; class 0 is the blank.

    Shape: y_true (n, labels), y_pred (n, steps, classes); the result (n,).
    Source: Graves et al. (2006), section 4; Keras 3.15, `keras.losses`.
    Example:
        >>> [round(float(cost), 4) for cost in ctc([[1]], [[[0.0, 0.0]]])]
        [0.6931]
    """
    logits, labels = K.convert(y_pred), K.cast(K.convert(y_true), "int32")
    if len(logits.shape) != 3 or len(labels.shape) != 2:
        raise ShapeError(
            "ctc: expected labels of shape (n, labels) and logits of shape (n, steps, classes), received "
            f"{tuple(labels.shape)} and {tuple(logits.shape)}."
        )
    p = K.softmax(K.concatenate([logits[:, :, 1:], logits[:, :, :1]], axis=-1))  # K has the blank last
    steps = K.sum(K.ones_like(p[:, :, :1], dtype="int32"), axis=1)
    counts = K.sum(K.cast(K.not_equal(labels, 0), "int32"), axis=1, keepdims=True)
    return K.squeeze(K.ctc_batch_cost(K.maximum(labels - 1, 0), p, steps, counts), -1)


# The same as objects ----------------------------------------------------------------------------------


@LOSSES.register()
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary crossentropy in which what is predicted well already counts less.

    Args:
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis: as in the function
            `binary_focal_crossentropy`.

    Shape: both (n, ...).
    Source: Lin et al. (2017); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.1733
    """

    def __init__(
        self,
        apply_class_balancing: Flag = False,
        alpha: Number = 0.25,
        gamma: NotNegative = 2.0,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0.0,
        axis: Integer = -1,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            binary_focal_crossentropy, reduction, name, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis, dtype=dtype,
        )  # fmt: skip


@LOSSES.register()
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Crossentropy in which what is predicted well already counts less, for targets that are one-hot.

    Args:
        alpha, gamma, from_logits, label_smoothing, axis: as in the function `categorical_focal_crossentropy`.

    Shape: both (n, ..., classes).
    Source: Lin et al. (2017); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """

    def __init__(
        self,
        alpha: Scalars = 0.25,
        gamma: NotNegative = 2.0,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0.0,
        axis: Integer = -1,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            categorical_focal_crossentropy, reduction, name, alpha=alpha, gamma=gamma, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis, dtype=dtype,
        )  # fmt: skip


@LOSSES.register()
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`(1 - p ** q) / q` for the probability of the right class: for labels some of which are wrong.

    Args:
        q: between crossentropy, near 0, and the mean absolute error, 1.

    Shape: targets (n, ...) or (n, ..., 1), class numbers; outputs (n, ..., classes).
    Raises: ArgumentError when it is called, unless `q` lies between 0 and 1.
    Source: Zhang and Sabuncu (2018); Keras 3.15, `keras.losses`.
    Example:
        >>> float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
        1.0
    """

    def __init__(
        self,
        q: Fraction = 0.5,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        super().__init__(categorical_generalized_cross_entropy, reduction, name, q=q, dtype=dtype)


@LOSSES.register()
class Dice(LossFunctionWrapper):
    """How little two areas overlap: `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        axis: the axes that are summed over; None for all, the samples included.

    Source: Milletari et al. (2016); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(Dice()([[1.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])), 4)
        0.3333
    """

    def __init__(
        self, reduction: str | None = Reduction.AUTO, name: str | None = "dice", axis: Axis = None, dtype: Any = None
    ):
        super().__init__(dice, reduction, name, axis=axis, dtype=dtype)


@LOSSES.register()
class Tversky(LossFunctionWrapper):
    """How little two areas overlap, with weights for what is too much and what is missing.

    Args:
        alpha: weight of what is missing: targets that the outputs do not cover.
        beta: weight of what is too much.
        axis: the axes that are summed over; None for all, the samples included.

    Source: Salehi et al. (2017); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(Tversky()([[1.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])), 4)
        0.3333
    """

    def __init__(
        self,
        alpha: Number = 0.5,
        beta: Number = 0.5,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ):
        super().__init__(tversky, reduction, name, alpha=alpha, beta=beta, axis=axis, dtype=dtype)


@LOSSES.register()
class Circle(LossFunctionWrapper):
    """Embeddings of one class are to be near each other, those of different classes far apart.

    Args:
        gamma: scale of the similarities, above 0.
        margin: how far from its best value a similarity may stay, between 0 and 1.
        remove_diagonal: whether a sample is not compared with itself.

    Shape: targets (n,) or (n, 1), class numbers; outputs (n, d), of length 1.
    Source: Sun et al. (2020); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(Circle()([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 4)
        0.0
    """

    def __init__(
        self,
        gamma: NotNegative = 80.0,
        margin: Number = 0.4,
        remove_diagonal: Flag = True,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(
            circle, reduction, name, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal, dtype=dtype
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample; the mean is over those that could be compared.

        Args:
            y_true: class numbers.
            y_pred: embeddings.
        """
        losses, compared = _circle(y_true, y_pred, None, None, **self._arguments)
        if self.reduction not in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE):
            return losses
        return losses / K.maximum(K.mean(K.cast(compared, K.dtype(losses))), K.epsilon())


@LOSSES.register()
class CTC(LossFunctionWrapper):
    """Connectionist temporal classification: labels in order, at steps that nobody tells.

    Shape: targets (n, labels), from 1 on and filled with 0; outputs (n, steps, classes), logits with the blank at 0.
    Source: Graves et al. (2006); Keras 3.15, `keras.losses`.
    Example:
        >>> round(float(CTC()([[1]], [[[0.0, 0.0]]])), 4)
        0.6931
    """

    def __init__(self, reduction: str | None = Reduction.AUTO, name: str | None = "ctc", dtype: Any = None):
        super().__init__(ctc, reduction, name, dtype=dtype)
