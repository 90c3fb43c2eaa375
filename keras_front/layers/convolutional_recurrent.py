"""Recurrent layers over images, whose products are convolutions.

Source for names, arguments and formulas: Keras 2.3.1, `keras/layers/convolutional_recurrent.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import activations, config, constraints, initializers, regularizers
from keras_front import backend as K
from keras_front.errors import ShapeError, StateError
from keras_front.graph.layer import LAYERS, InputSpec, Layer

from ._arguments import fraction, padding_of, positive, sizes
from .cells import _known, _one_mask, _phase, unit_forget_bias, zeros_of
from .convolution import conv_output_length
from .recurrent import RNN, _Classic, _given


@LAYERS.register()
class ConvLSTM2DCell(Layer):
    """One step of an LSTM whose products are convolutions.

    Shape: inputs (batch, rows, columns, channels), states h and c (batch, new rows, new columns, filters).
    Weights: kernel (rows, columns, channels, 4 filters); recurrent_kernel (rows, columns, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes.
    """

    supports_masking = True
    _rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"ConvLSTM{self._rank}D"
        self.filters = positive(where, "filters", filters)
        self.kernel_size = sizes(where, "kernel_size", kernel_size, self._rank)
        self.strides = sizes(where, "strides", strides, self._rank)
        self.padding = padding_of(where, padding)
        self.data_format = config.normalize_data_format(data_format)
        self.dilation_rate = sizes(where, "dilation_rate", dilation_rate, self._rank)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, fraction(where, "dropout", dropout)))
        self.recurrent_dropout = min(1.0, max(0.0, fraction(where, "recurrent_dropout", recurrent_dropout)))

    @property
    def state_size(self) -> list[int]:
        """Channels of the two states."""
        return [self.filters, self.filters]

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self._rank + 1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ShapeError(
                f"{self.name}: the channel dimension should be defined, received shape {tuple(input_shape)}."
            )
        width = 4 * self.filters
        self.kernel = self.add_weight(
            "kernel", (*self.kernel_size, channels, width), None, self.kernel_initializer, self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", (*self.kernel_size, self.filters, width), None, self.recurrent_initializer,
            self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", (width,), None, self._first_bias, self.bias_regularizer, constraint=self.bias_constraint
            )
        self.built = True

    def _first_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        return unit_forget_bias(self.bias_initializer, self.filters, dtype)

    def state_shape(self, step_shape: Any) -> tuple[Any, ...]:
        """Shape of a state, without the batch, for inputs (batch, ...)."""
        first = self.data_format == "channels_first"
        found = step_shape[2:] if first else step_shape[1:-1]
        new = [
            conv_output_length(n, k, self.padding, s, d)
            for n, k, s, d in zip(found, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        ]
        return (self.filters, *new) if first else (*new, self.filters)

    def masks(self, sample: Any, states: Sequence[Any], training: Any) -> tuple[Any, Any]:
        """Dropout masks for inputs like `sample` and for the state, one for each gate."""
        return (
            self._masks(sample, self.dropout, training),
            self._masks(states[0], self.recurrent_dropout, training),
        )

    def _masks(self, like: Any, rate: float, training: Any) -> list[Any] | None:
        if not 0 < rate < 1 or _known(training) is False:
            return None
        return [_one_mask(like, rate, training) for _ in range(4)]

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

    def project(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """What the inputs (batch, ...) contribute to all gates."""
        z = self._conv(
            inputs, self.kernel, masks, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate
        )
        return z if self.bias is None else K.bias_add(z, self.bias, data_format=self.data_format)

    def advance(self, z: Any, states: Sequence[Any], masks: list[Any] | None = None) -> tuple[Any, list[Any]]:
        """Output and new states from projected inputs."""
        h, c = states[:2]
        z = z + self._conv(h, self.recurrent_kernel, masks, padding="same")
        i, f, o = (self.recurrent_activation(self._gate(z, k)) for k in (0, 1, 3))
        c = f * c + i * self.activation(self._gate(z, 2))
        h = o * self.activation(c)
        return h, [h, c]

    def _gate(self, z: Any, index: int) -> Any:
        part = slice(index * self.filters, (index + 1) * self.filters)
        return K.getitem(z, (slice(None), part) if self._channel_axis == 1 else (Ellipsis, part))

    def call(self, inputs: Any, states: Sequence[Any], training: Any = None) -> tuple[Any, list[Any]]:
        """Output and new states for one step of images."""
        of_inputs, of_states = self.masks(inputs, states, _phase(training))
        return self.advance(self.project(inputs, of_inputs), list(states), of_states)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


@LAYERS.register()
class ConvRNN2D(RNN):
    """A loop of a convolutional cell over sequences of images.

    Shape: (batch, steps, rows, columns, channels) -> (batch, new rows, new columns, filters), with steps after the
        batch if it returns sequences; channels before rows with 'channels_first'.
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
            raise StateError(
                f"{self.name}: if a RNN is stateful, it needs to know its batch size and the size of its images; give "
                "the first layer a `batch_input_shape` without None."
            )
        dtype = self.dtype or config.floatx()
        self._states = [
            K.Variable(np.zeros((batch, *shape)), dtype, f"{self.name}/state_{i}:0", trainable=False) for i in range(2)
        ]

    def get_initial_state(self, inputs: Any) -> list[Any]:
        found = [K.shape(inputs)[i] if n is None else n for i, n in enumerate(K.int_shape(inputs))]
        shape = self.cell.state_shape((found[0], *found[2:]))
        return [zeros_of(found[0], shape, K.dtype(inputs)) for _ in range(2)]

    def _projected(self, x: Any, masks: Any) -> Any:
        """All steps at once, as images of one large batch."""
        found = [K.shape(x)[i] if n is None else n for i, n in enumerate(K.int_shape(x))]
        wide = None
        if masks is not None:  # one mask for all steps
            wide = [_folded(K.broadcast_to(K.expand_dims(m, 1), tuple(found)), found) for m in masks]
        return _unfolded(self.cell.project(_folded(x, found), wide), found)


def _folded(x: Any, found: list[Any]) -> Any:
    return K.reshape(x, (found[0] * found[1], *found[2:]))


def _unfolded(z: Any, found: list[Any]) -> Any:
    rest = [K.shape(z)[i + 1] if n is None else n for i, n in enumerate(K.int_shape(z)[1:])]
    return K.reshape(z, (found[0], found[1], *rest))


@LAYERS.register()
class ConvLSTM2D(_Classic, ConvRNN2D):
    """Long short-term memory over images, with convolutions for products.

    Shape: (batch, steps, rows, columns, channels) -> (batch, new rows, new columns, filters), with steps after the
        batch if it returns sequences; channels before rows with 'channels_first'.
    Weights: kernel (rows, columns, channels, 4 filters); recurrent_kernel (rows, columns, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes.
    """

    _cell_class = ConvLSTM2DCell
    _input_rank = 5

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_state: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ):
        self._begin(*_given(locals()))


class _Cell1D(ConvLSTM2DCell):
    _rank = 1


class _Cell3D(ConvLSTM2DCell):
    _rank = 3


@LAYERS.register()
class ConvLSTM1D(_Classic, ConvRNN2D):
    """Long short-term memory over sequences of rows, with convolutions for products.

    Shape: (batch, steps, size, channels) -> (batch, new size, filters), with steps after the batch if it returns
        sequences; channels before the spatial axes with 'channels_first'.
    Weights: kernel (*kernel_size, channels, 4 filters); recurrent_kernel (*kernel_size, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes; arguments of Keras 3.
    """

    _cell_class = _Cell1D
    _input_rank = 4

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ):
        self._begin(*_given(locals()))


@LAYERS.register()
class ConvLSTM3D(_Classic, ConvRNN2D):
    """Long short-term memory over volumes, with convolutions for products.

    Shape: (batch, steps, three spatial axes, channels) -> (batch, three new axes, filters), with steps after
        the batch if it returns sequences; channels before the spatial axes with 'channels_first'.
    Weights: kernel (*kernel_size, channels, 4 filters); recurrent_kernel (*kernel_size, filters, 4 filters); bias (4
        filters,); gates i, f, c, o.
    Source: Shi et al. (2015), without the peepholes; arguments of Keras 3.
    """

    _cell_class = _Cell3D
    _input_rank = 6

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ):
        self._begin(*_given(locals()))
