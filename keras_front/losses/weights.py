"""How losses of samples become one number: ranks that agree, weights, and a reduction."""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.backend import shapes
from keras_front.errors import ArgumentError, ShapeError, WrongKindError


class Reduction:
    """How the losses of a batch become one number: the names of the ways.

    `AUTO` and `SUM_OVER_BATCH_SIZE` take the mean over all elements, `SUM` their sum, `NONE` leaves them.
    Source: Keras 2.3.1, `keras/utils/losses_utils.py`.

    Example:
        >>> from keras_front.losses import MeanSquaredError
        >>> K.eval(MeanSquaredError(reduction=Reduction.NONE)(np.zeros((2, 1)), np.ones((2, 1)))).tolist()
        [1.0, 1.0]
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Every reduction."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str | None) -> str:
        """The reduction's name.

        Args:
            key: the name of a reduction; 'mean' and None, as Keras 3 says them, are understood.

        Raises: ArgumentError for any other word.
        Example:
            >>> Reduction.validate("mean")
            'sum_over_batch_size'
        """
        name = {"mean": cls.SUM_OVER_BATCH_SIZE, None: cls.NONE}.get(key, key)
        if name not in cls.all():
            raise ArgumentError(
                f"Loss: Invalid Reduction Key {key!r}: expected a reduction among {', '.join(cls.all())}."
            )
        return str(name)


def tensor_of(value: Any, name: str) -> Any:
    """What a loss or metric was given, as a tensor.

    Args:
        value: an array, a list, a tensor or a symbol.
        name: of the argument, for the message.

    Raises: WrongKindError for None and text.
    """
    if value is None or isinstance(value, str):
        raise WrongKindError(f"Expected a tensor, an array or numbers as {name}, received {value!r:.60}.")
    return K.convert(value)


def check_broadcast(first: Any, second: Any, names: str) -> None:
    """Raise ShapeError unless the shapes of two tensors go together.

    Args:
        first: a tensor.
        second: another one.
        names: what they are called, for the message.
    """
    a, b = K.int_shape(first), K.int_shape(second)
    try:
        shapes.broadcast(a, b)
    except ShapeError:
        raise ShapeError(f"Expected {names} of shapes that go together, received {a} and {b}.") from None


def check_scores(what: str, scores: Any, y_pred: Any) -> None:
    """Raise unless a function of targets and outputs gave numbers, for each sample, for each feature, or one.

    Args:
        what: the function, for the message.
        scores: what it returned.
        y_pred: the outputs.

    Raises: WrongKindError for what is no tensor, ShapeError for another number of them.
    """
    if scores is None or isinstance(scores, str):
        raise WrongKindError(f"Expected {what} to return a tensor, received {scores!r:.60}.")
    found, outputs = K.int_shape(scores), K.int_shape(y_pred)
    if not found or None in (found[0], outputs[0]) or found == outputs[-len(found) :]:
        return
    if found[0] != 1 and (outputs[0] == 0 or found[0] % outputs[0]):
        raise ShapeError(
            f"Expected {what} to return a number for each of the {outputs[0]} samples, or one for all, received shape "
            f"{found} for outputs of shape {outputs}."
        )


def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and outputs brought to the same number of axes where a last axis of 1 makes the difference.

    Without this, targets (n,) beside outputs (n, 1) would broadcast to (n, n).

    Args:
        y_true: targets.
        y_pred: outputs; they stay as they are.

    Returns: two tensors.
    Example:
        >>> [t.shape for t in same_rank(K.zeros((5,)), K.zeros((5, 1)))]
        [(5, 1), (5, 1)]
    """
    y_true, y_pred = tensor_of(y_true, "y_true"), tensor_of(y_pred, "y_pred")
    surplus = K.ndim(y_pred) - K.ndim(y_true)
    if surplus == 1 and K.int_shape(y_pred)[-1] == 1:
        return K.expand_dims(y_true, axis=-1), y_pred
    if surplus == -1 and K.int_shape(y_true)[-1] == 1:
        return K.squeeze(y_true, axis=-1), y_pred
    return y_true, y_pred


def spread_weights(sample_weight: Any, values: Any) -> Any:
    """Weights with as many axes as values: axes of 1 are added at the end, or one is taken away.

    Args:
        sample_weight: a number, (n,), (n, 1), or as `values`.
        values: tensor of losses or outputs, (n, ...).

    Returns: a tensor of the dtype of `values`.
    Example:
        >>> spread_weights([1.0, 2.0], K.zeros((2, 3))).shape
        (2, 1)
    """
    weights = K.cast(tensor_of(sample_weight, "sample_weight"), K.dtype(values))
    if K.ndim(weights) == K.ndim(values) + 1 and K.int_shape(weights)[-1] == 1:
        return K.squeeze(weights, axis=-1)
    while 0 < K.ndim(weights) < K.ndim(values):
        weights = K.expand_dims(weights, axis=-1)
    check_broadcast(weights, values, "sample_weight and losses")
    return weights


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE
) -> Any:
    """Losses times weights, reduced; a mean divides by the number of losses, not by the sum of weights.

    Args:
        losses: what a loss function returned.
        sample_weight: weight of each sample or element; None for 1.
        reduction: one of `Reduction`.

    Shape: losses (n, ...); sample_weight (n,), (n, 1), or as losses; the result is a scalar unless the reduction is
        'none'.
    Source: Keras 2.3.1, `keras/utils/losses_utils.py`.
    Example:
        >>> float(compute_weighted_loss([1.0, 3.0], sample_weight=[0.0, 2.0]))
        3.0
    """
    reduction, losses = Reduction.validate(reduction), K.convert(losses)
    if sample_weight is not None:
        losses = losses * spread_weights(sample_weight, losses)
    if reduction == Reduction.NONE:
        return losses
    return K.sum(losses) if reduction == Reduction.SUM else K.mean(losses)
