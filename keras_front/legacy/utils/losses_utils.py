"""`keras.utils.losses_utils` of Keras 2.3: how losses of samples become one number, step by step.

Source: Keras 2.3.1, `keras/utils/losses_utils.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import losses as today
from keras_front.errors import ShapeError
from keras_front.losses import Reduction

ReductionV2 = Reduction

__all__ = [
    "Reduction",
    "ReductionV2",
    "broadcast_weights",
    "compute_weighted_loss",
    "reduce_weighted_loss",
    "squeeze_or_expand_dimensions",
]


def squeeze_or_expand_dimensions(y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    """Outputs, targets and weights whose ranks differ by a last axis of 1 at most, with that axis taken away or added.

    Args:
        y_pred: outputs.
        y_true: targets, or None.
        sample_weight: weights, or None.

    Returns: outputs and targets, and weights if they were given.
    """
    if y_true is not None:
        surplus = K.ndim(y_pred) - K.ndim(y_true)
        if surplus == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif surplus == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    surplus = K.ndim(y_pred) - K.ndim(sample_weight)
    if K.ndim(y_pred) == 0 and surplus == -1:
        y_pred = K.expand_dims(y_pred, -1)
    elif K.ndim(sample_weight) and surplus == -1:
        sample_weight = K.squeeze(sample_weight, -1)
    elif K.ndim(sample_weight) and surplus == 1:
        sample_weight = K.expand_dims(sample_weight, -1)
    return y_pred, y_true, sample_weight


def reduce_weighted_loss(weighted_losses: Any, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Any:
    """Losses that are weighted already as one number.

    Args:
        weighted_losses: tensor of losses.
        reduction: one of `Reduction`.
    """
    return today.compute_weighted_loss(weighted_losses, None, reduction)


def broadcast_weights(values: Any, sample_weight: Any) -> Any:
    """Weights in the shape of what they are for.

    Args:
        values: tensor of losses or outputs.
        sample_weight: weights, with as many axes or fewer.

    Raises: ShapeError if the shapes do not fit.
    """
    wanted, given = K.int_shape(values), K.int_shape(sample_weight)
    pairs = zip(wanted, given, strict=False)
    if len(given) > len(wanted) or any(None not in pair and pair[0] != pair[1] and pair[1] != 1 for pair in pairs):
        raise ShapeError(f"Incompatible shapes: `values` {wanted} vs `sample_weight` {given}")
    for axis in range(len(given), len(wanted)):
        sample_weight = K.expand_dims(sample_weight, axis)
    for axis, (size, old) in enumerate(zip(wanted, given, strict=False)):
        if old == 1 and size not in (None, 1):
            sample_weight = K.repeat_elements(sample_weight, size, axis)
    return sample_weight


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None
) -> Any:
    """Losses times weights, reduced; see `keras_front.losses.compute_weighted_loss`.

    Args:
        losses: what a loss function returned.
        sample_weight: weight of each sample or element; None for 1.
        reduction: one of `Reduction`.
        name: accepted because Keras has it; the op has its own.

    Raises: ShapeError if the shapes do not fit.
    """
    if sample_weight is not None:
        losses, _, sample_weight = squeeze_or_expand_dimensions(losses, None, K.convert(sample_weight))
        sample_weight = broadcast_weights(losses, K.cast(sample_weight, K.dtype(losses)))
    return today.compute_weighted_loss(losses, sample_weight, reduction)
