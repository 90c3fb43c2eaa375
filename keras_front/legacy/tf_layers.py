"""Names of layers that tf.keras has beside those of Keras 2.3.1.

Source: TensorFlow 2.15, `keras/layers/rnn/abstract_rnn_cell.py`, `keras/layers/normalization/batch_normalization.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import layers

from .recurrent_helpers import _generate_zero_filled_state_for_cell

Convolution1DTranspose, Convolution3DTranspose = layers.Conv1DTranspose, layers.Conv3DTranspose
PreprocessingLayer = layers.Layer
# On one device the statistics of all devices are those of the batch.
SyncBatchNormalization = layers.BatchNormalization


class AbstractRNNCell(layers.Layer):
    """Base of cells that others write: `call(inputs, states)` returns the output of a step and the new states."""

    def call(self, inputs: Any, states: Any) -> Any:
        """One step.

        Args:
            inputs: tensor (batch, features).
            states: the states before the step.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method `call(inputs, states)`.")

    @property
    def state_size(self) -> Any:
        """The size of the state, or a list of sizes."""
        raise NotImplementedError(f"{type(self).__name__}: expected a property `state_size`.")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__}: expected a property `output_size`.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """States of zeros.

        Args:
            inputs: tensor whose first axis says how many samples there are.
            batch_size: that number, without `inputs`.
            dtype: dtype of the states.
        """
        return _generate_zero_filled_state_for_cell(self, inputs, batch_size, dtype)
