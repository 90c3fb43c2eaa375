"""Names that `tf.keras.mixed_precision` had while it was experimental.

Source: TensorFlow 2.3, `keras/mixed_precision/experimental`.
"""

from __future__ import annotations

from typing import Any

from keras_front import mixed_precision
from keras_front.mixed_precision import set_global_policy
from keras_front.optimizers.loss_scale import arguments_of_loss_scale

__all__ = ["LossScaleOptimizer", "LossScaleOptimizerV1", "set_policy"]

set_policy = set_global_policy


class LossScaleOptimizer(mixed_precision.LossScaleOptimizer):
    """A `LossScaleOptimizer` in the words of TensorFlow 2.0 to 2.3.

    Args:
        optimizer: the optimizer that takes the steps.
        loss_scale: 'dynamic', or a number that stays.

    Example:
        >>> LossScaleOptimizer("sgd", loss_scale=8).initial_scale
        8.0
    """

    def __init__(self, optimizer: Any = None, loss_scale: Any = "dynamic", **kwargs: Any):
        super().__init__(kwargs.pop("inner_optimizer", optimizer), **{**arguments_of_loss_scale(loss_scale), **kwargs})


LossScaleOptimizerV1 = LossScaleOptimizer
