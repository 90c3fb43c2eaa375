"""Recurrent layers over images, whose products are convolutions.

Source for names, arguments and formulas: Keras 2.3.1, `keras/layers/convolutional_recurrent.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS, InputSpec
from keras_front.utils.conv_utils import convolved_length

from .arguments import (
    ActivationFunction,
    Constraint,
    DataFormat,
    Flag,
    Initializer,
    Padding,
    Positive,
    Rate,
    Regularizer,
    Size,
)
from .base import SequenceArguments
from .cells import LSTMCellBase, _known_phase, zeros_of
from .convolution import check_dilation
from .recurrent import _CellRNN, _swap_steps
from .rnn import RNN
from .stacked_cells import fold, unfold


class _ConvArguments:
    """What convolutional cells and layers document once.

    Args:
        filters: number of channels of the output and of each state.
        kernel_size: size of the window, one number for all axes or one for each. The states are convolved with windows
            of the same size.
        strides: by how much the window over the inputs moves, one number or one for each axis.
        padding: 'valid' (only whole windows) or 'same' (zeros around, so that with strides of 1 the size stays). The
            states are always padded to keep their size.
        data_format: 'channels_last' (batch, steps, ..., channels) or 'channels_first' (batch, steps, channels, ...).
            By default what `keras_front.config.image_data_format()` says.
        dilation_rate: distance between the inputs that neighbours in the kernel see, 1 for adjacent ones.
    """

    _rank, _usual_data_format = 2, None


@LAYERS.register()
class ConvLSTM2DCell(_ConvArguments, LSTMCellBase):
    """One step of an LSTM whose products are convolutions.

    Shape: inputs (batch, rows, columns, channels), states h and c (batch, new rows, new columns, filters).
    Weights: kernel (rows, columns, channels, 4 filters); recurrent_kernel (rows, columns, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes.

    Example:
        >>> ConvRNN2D(ConvLSTM2DCell(8, 3, padding="same")).compute_output_shape((None, 5, 10, 10, 3))
        (None, 10, 10, 8)
    """

    implementation = 1  # each gate has a dropout mask of its own

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: Padding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = (1, 1),
        activation: ActivationFunction = "tanh",
        recurrent_activation: ActivationFunction = "hard_sigmoid",
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: Flag = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        **kwargs: Unpack[SequenceArguments],
    ):
        super().__init__(**kwargs)
        check_dilation(self)

    @property
    def output_size(self) -> int:
        """Channels of the output."""
        return self.filters

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self._rank + 1

    def _kernel_shapes(self, shape: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        channels, width = shape[self._channel_axis], 4 * self.filters
        if channels is None:
            raise ShapeError(f"{self.name}: the channel dimension should be defined, received shape {shape}.")
        return (*self.kernel_size, channels, width), (*self.kernel_size, self.filters, width)

    def _bias_shape(self) -> tuple[int, ...]:
        return (4 * self.filters,)

    def state_shape(self, step_shape: Any) -> tuple[Any, ...]:
        """Shape of a state, without the batch.

        Args:
            step_shape: shape of the inputs of one step, with the batch.
        """
        first = self.data_format == "channels_first"
        found = step_shape[2:] if first else step_shape[1:-1]
        new = [
            convolved_length(n, k, self.padding, s, d)
            for n, k, s, d in zip(found, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        ]
        return (self.filters, *new) if first else (*new, self.filters)

    def _conv(self, x: Any, kernel: Any, masks: list[Any] | None, **options: Any) -> Any:
        options = {"data_format": self.data_format, **options}
        conv = (K.conv1d, K.conv2d, K.conv3d)[self._rank - 1]
        if self._rank == 1:  # K.conv1d takes numbers
            options = {k: v[0] if isinstance(v, tuple) else v for k, v in options.items()}
        if masks is None:
            return conv(x, kernel, **options)
        parts = [
            conv(x * m, K.getitem(kernel, (Ellipsis, slice(k * self.filters, (k + 1) * self.filters))), **options)
            for k, m in enumerate(masks)
        ]
        return K.concatenate(parts, axis=self._channel_axis)

    def project_inputs(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """What the inputs contribute to all gates.

        Args:
            inputs: images (batch, ...).
            masks: dropout masks for them, one for each gate, or None.
        """
        z = self._conv(
            inputs, self.kernel, masks, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate
        )
        return z if self.bias is None else K.bias_add(z, self.bias, data_format=self.data_format)

    _op: Any = staticmethod(K.conv_lstm_sequence)

    def can_fuse(self, training: Any) -> bool:
        known = None not in self._activation_names().values()
        return known and (not 0 < self.recurrent_dropout < 1 or _known_phase(training) is False)

    def fused_sequence(
        self, x: Any, states: Sequence[Any], mask: Any, reverse: bool, training: Any
    ) -> tuple[Any, list[Any]]:
        masks = self._masks(K.getitem(x, (slice(None), 0)), self.dropout, training)
        z = self.project_sequence(_swap_steps(x), None if masks is None else [K.expand_dims(m, 0) for m in masks])
        marks = None if mask is None else _swap_steps(mask)
        if reverse:
            z, marks = K.reverse(z, 0), None if marks is None else K.reverse(marks, 0)
        how = {**self._activation_names(), "data_format": self.data_format}
        outputs, *new = self._op(z, *states, self.recurrent_kernel, marks, **how)
        return _swap_steps(outputs), new

    def project_sequence(self, x: Any, masks: list[Any] | None) -> Any:
        """What the inputs of all steps contribute, as images of one large batch.

        Args:
            x: inputs with two axes, batch and steps in either order, before those of an image.
            masks: dropout masks for all steps, one for each gate and with an axis of 1 for the steps, or None.
        """
        found = [K.shape(x)[i] if n is None else n for i, n in enumerate(K.int_shape(x))]
        wide = None if masks is None else [fold(K.broadcast_to(m, tuple(found))) for m in masks]
        return unfold(self.project_inputs(fold(x), wide), x)

    def _recurrent(self, h: Any, masks: list[Any] | None) -> Any:
        return self._conv(h, self.recurrent_kernel, masks, padding="same")

    def _block(self, z: Any, index: int, count: int = 1) -> Any:
        part = slice(index * self.filters, (index + count) * self.filters)
        return K.getitem(z, (slice(None), part) if self._channel_axis == 1 else (Ellipsis, part))


@LAYERS.register()
class ConvRNN2D(RNN):
    """A loop of a convolutional cell over sequences of images.

    Args:
        cell: the cell, such as a `ConvLSTM2DCell`: beside `call` it has `state_shape` and `project_sequence`.
        kwargs: arguments of `RNN`.

    Shape: (batch, steps, rows, columns, channels) -> (batch, new rows, new columns, filters), with steps after the
        batch if it returns sequences; channels before rows with 'channels_first'.

    Example:
        >>> ConvRNN2D(ConvLSTM2DCell(8, 3, padding="same")).compute_output_shape((None, 5, 10, 10, 3))
        (None, 10, 10, 8)
    """

    def __init__(self, cell: Any, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=getattr(cell, "_rank", 2) + 3)

    def build(self, input_shape: Any) -> None:
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        self._step_shape = (first[0], *first[2:])
        super().build(input_shape)

    def _make_states(self, batch: Any) -> None:
        shape = self.cell.state_shape(self._step_shape)
        if batch is None or None in shape:
            raise ShapeError(
                f"{self.name}: If a RNN is stateful, it needs to know its batch size and the size of its images; give "
                "the first layer a `batch_input_shape` without None."
            )
        dtype = self.dtype or config.floatx()
        self._states = [
            K.Variable(np.zeros((batch, *shape)), dtype, f"{self.name}/state_{i}:0", trainable=False) for i in range(2)
        ]

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """States of zeros, as sequences begin with.

        Args:
            inputs: the sequences, for the sizes of their batch and images and their dtype.

        Returns: a list of two tensors, h and c.
        """
        found = [K.shape(inputs)[i] if n is None else n for i, n in enumerate(K.int_shape(inputs))]
        shape = self.cell.state_shape((found[0], *found[2:]))
        return [zeros_of(found[0], shape, K.dtype(inputs)) for _ in range(2)]

    def _projected(self, x: Any, masks: Any) -> Any:
        return self.cell.project_sequence(x, None if masks is None else [K.expand_dims(m, 1) for m in masks])


@LAYERS.register()
class ConvLSTM2D(_ConvArguments, _CellRNN, ConvRNN2D):
    """Long short-term memory over images, with convolutions for products.

    Shape: (batch, steps, rows, columns, channels) -> (batch, new rows, new columns, filters), with steps after the
        batch if it returns sequences; channels before rows with 'channels_first'.
    Weights: kernel (rows, columns, channels, 4 filters); recurrent_kernel (rows, columns, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes.
    Example:
        >>> ConvLSTM2D(8, 3, padding="same").compute_output_shape((None, 5, 16, 16, 3))
        (None, 16, 16, 8)
    """

    _cell_class = ConvLSTM2DCell
    _input_rank = 5

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: Padding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = (1, 1),
        activation: ActivationFunction = "tanh",
        recurrent_activation: ActivationFunction = "hard_sigmoid",
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: Flag = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        return_sequences: Flag = False,
        go_backwards: Flag = False,
        stateful: Flag = False,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        return_state: Flag = False,
        unroll: Flag = False,
        **kwargs: Unpack[SequenceArguments],
    ):
        super().__init__(**kwargs)


class _Cell1D(ConvLSTM2DCell):
    _rank = 1


class _Cell3D(ConvLSTM2DCell):
    _rank = 3


class _ConvLSTM(_ConvArguments, _CellRNN, ConvRNN2D):
    """The constructor of Keras 3, whose defaults are others than those of `ConvLSTM2D`."""

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = 1,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: ActivationFunction = "tanh",
        recurrent_activation: ActivationFunction = "sigmoid",
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: Flag = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        return_sequences: Flag = False,
        return_state: Flag = False,
        go_backwards: Flag = False,
        stateful: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)


@LAYERS.register()
class ConvLSTM1D(_ConvLSTM):
    """Long short-term memory over sequences of rows, with convolutions for products.

    Shape: (batch, steps, size, channels) -> (batch, new size, filters), with steps after the batch if it returns
        sequences; channels before the spatial axes with 'channels_first'.
    Weights: kernel (*kernel_size, channels, 4 filters); recurrent_kernel (*kernel_size, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes; arguments of Keras 3.

    Example:
        >>> ConvLSTM1D(8, 3, padding="same").compute_output_shape((None, 5, 10, 3))
        (None, 10, 8)
    """

    _cell_class, _rank = _Cell1D, 1
    _input_rank = 4


@LAYERS.register()
class ConvLSTM3D(_ConvLSTM):
    """Long short-term memory over volumes, with convolutions for products.

    Shape: (batch, steps, three spatial axes, channels) -> (batch, three new axes, filters), with steps after
        the batch if it returns sequences; channels before the spatial axes with 'channels_first'.
    Weights: kernel (*kernel_size, channels, 4 filters); recurrent_kernel (*kernel_size, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes; arguments of Keras 3.

    Example:
        >>> ConvLSTM3D(8, 3, padding="same").compute_output_shape((None, 5, 4, 4, 4, 3))
        (None, 4, 4, 4, 8)
    """

    _cell_class, _rank = _Cell3D, 3
    _input_rank = 6
