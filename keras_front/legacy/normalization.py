"""What `BatchNormalization` did in modes 1 and 2 of Keras 1, as layers of their own.

Source: Keras 1.2.2, `keras/layers/normalization.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import layers
from keras_front.errors import ArgumentError

__all__ = ["BatchOnlyNormalization", "SampleNormalization", "normalization"]


class BatchOnlyNormalization(layers.BatchNormalization):
    """`BatchNormalization` by the statistics of the batch, while training and after: mode 2 of Keras 1."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return K.in_train_phase(lambda: self._use_batch(inputs), lambda: self._quietly(inputs), training=training)

    def _quietly(self, inputs: Any) -> Any:
        kept = self.axis % K.ndim(inputs)
        axes = tuple(i for i in range(K.ndim(inputs)) if i != kept)
        return K.normalize_batch_in_training(inputs, self.gamma, self.beta, axes, epsilon=self.epsilon)[0]


class SampleNormalization(layers.BatchNormalization):
    """Each sample scaled along its last axis to mean 0 and deviation 1: mode 1 of Keras 1.

    The running statistics are there, as they were, and never used.
    """

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        off = inputs - K.mean(inputs, axis=-1, keepdims=True)
        deviation = K.sqrt(K.var(inputs, axis=-1, keepdims=True) + self.epsilon)
        return K.add(K.multiply(off / (deviation + self.epsilon), self.gamma), self.beta)


_NORMALIZATIONS: tuple[Any, ...] = (layers.BatchNormalization, SampleNormalization, BatchOnlyNormalization)


def normalization(mode: int, axis: int) -> Any:
    """The class that normalizes by the batch (mode 0), within each sample (1), or by the batch even after training (2).

    Args:
        mode: 0, 1 or 2.
        axis: axis of the features.

    Raises: ArgumentError for another mode, or for mode 1 along another axis than the last.
    """
    if mode not in (0, 1, 2):
        raise ArgumentError(f"BatchNormalization: expected mode 0, 1 or 2, received {mode!r}.")
    if mode == 1 and axis != -1:
        raise ArgumentError(f"BatchNormalization: mode 1 goes along the last axis, received axis={axis}.")
    return _NORMALIZATIONS[mode]
