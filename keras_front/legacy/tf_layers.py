"""Names of layers that tf.keras has beside those of Keras 2.3.1.

Source: TensorFlow 2.15, `keras/layers/rnn/abstract_rnn_cell.py`, `keras/layers/normalization/batch_normalization.py`,
`keras/layers/kernelized.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import initializers, layers
from keras_front.errors import ArgumentError, ShapeError

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


class RandomFourierFeatures(layers.Layer):
    """`cos(x @ kernel / scale + bias)` of random kernel and bias: a linear model of it is one with a kernel function.

    Args:
        output_dim: the number of features.
        kernel_initializer: 'gaussian', 'laplacian', or an initializer, for the kernel function.
        scale: the width of that function; by default `sqrt(features / 2)` for 'gaussian', else 1.
        trainable: whether the width is trained.
        name: name of the layer.
        kwargs: arguments of every layer.

    Shape: (batch, features) -> (batch, output_dim)
    Weights: unscaled_kernel (features, output_dim) and bias (output_dim,), never trained; kernel_scale (1,).
    Raises: ArgumentError for another kernel function, or numbers that are not positive.
    Source: Rahimi & Recht (2007), Random Features for Large-Scale Kernel Machines; tf.keras 2.15, `kernelized.py`.
    """

    def __init__(
        self,
        output_dim: int,
        kernel_initializer: Any = "gaussian",
        scale: float | None = None,
        trainable: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        if output_dim <= 0 or (scale is not None and scale <= 0):
            raise ArgumentError(f"RandomFourierFeatures: expected positive numbers, received {output_dim} and {scale}.")
        if isinstance(kernel_initializer, str) and kernel_initializer.lower() not in ("gaussian", "laplacian"):
            raise ArgumentError(
                "RandomFourierFeatures: expected kernel_initializer='gaussian', 'laplacian' or an initializer, "
                f"received {kernel_initializer!r}."
            )
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.output_dim, self.kernel_initializer, self.scale = output_dim, kernel_initializer, scale

    def build(self, input_shape: Any) -> None:
        """Draw the kernel and the bias.

        Args:
            input_shape: (batch, features).
        """
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ShapeError(f"{self.name}: expected inputs (batch, features), received {tuple(input_shape)}.")
        size = int(input_shape[1])
        kind = self.kernel_initializer.lower() if isinstance(self.kernel_initializer, str) else None
        draw = {"gaussian": initializers.RandomNormal(stddev=1.0), "laplacian": _cauchy}.get(
            kind or "", self.kernel_initializer
        )
        if self.scale is None:
            self.scale = float(np.sqrt(size / 2.0)) if kind == "gaussian" else 1.0
        self.unscaled_kernel = self.add_weight(
            name="unscaled_kernel", shape=(size, self.output_dim), initializer=draw, trainable=False
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.output_dim,),
            initializer=initializers.RandomUniform(0.0, 2 * np.pi),
            trainable=False,
        )
        self.kernel_scale = self.add_weight(
            name="kernel_scale", shape=(1,), initializer=initializers.Constant(self.scale), constraint="NonNeg"
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """The features.

        Args:
            inputs: tensor (batch, features).
        """
        return K.cos(K.bias_add(K.dot(inputs, self.unscaled_kernel / self.kernel_scale), self.bias))


def _cauchy(shape: Any, dtype: Any = None) -> Any:
    """Numbers with the distribution of Cauchy."""
    return np.tan(np.pi * (initializers.RandomUniform(0.0, 1.0)(shape) - 0.5))
