"""`Recurrent`: the base of recurrent layers before Keras had cells, from which layers of others derive.

A subclass says in `step` what happens at one step, in `get_constants` what is the same at each, and in
`preprocess_input` what may be computed for all steps at once; the loop is here. Layers of today count as such when
somebody asks `isinstance(layer, Recurrent)`.
Source: Keras 1.2.2, `keras/layers/recurrent.py`; Keras 2.3.1, `keras/legacy/layers.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front import layers
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, StateError
from keras_front.utils.conv_utils import conv_output_length

__all__ = ["ConvRecurrent2D", "Recurrent", "time_distributed_dense"]


class _OfToday(type(layers.Layer)):  # type: ignore[misc]
    """Layers of today, which are over a cell, count as such, too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, cls.__dict__.get("today", ()))


class Recurrent(layers.Layer, metaclass=_OfToday):
    """A loop over the steps of a sequence, of which a subclass says what one step does.

    A subclass defines `step(inputs, states)`, which returns the output of a step and the list of new states, and a
    number of `units` (or `output_dim`); in `build` it makes its weights and sets `self.states` to a list of None, one
    for each state.

    Args:
        return_sequences: whether to return the outputs of all steps instead of the last.
        return_state: whether to return the last states as well.
        go_backwards: whether to go from the last step to the first.
        stateful: whether the last states of a batch are the first of the next; needs a fixed batch size.
        unroll: whether to write the loop out.
        implementation: not needed.
        consume_less: likewise.
        input_dim: number of features, if this is the first layer.
        input_length: number of steps, likewise.
        **kwargs: arguments that every layer takes.

    Shape: (batch, steps, features) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    """

    today: type = layers.RNN
    supports_masking = True

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        consume_less: str | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ):
        if input_dim is not None and not {"input_shape", "batch_input_shape"} & set(kwargs):
            kwargs["input_shape"] = (input_length, input_dim)
        super().__init__(**kwargs)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.implementation, self.consume_less = implementation, consume_less
        self.input_dim, self.input_length = input_dim, input_length
        self.states: list[Any] = [None]

    def get_config(self) -> dict[str, Any]:
        """The arguments of this class that say what is computed, and those of every layer."""
        own = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "implementation")
        return {**layers.Layer.get_config(self), **{name: getattr(self, name) for name in own}}

    @classmethod
    def constructor_arguments(cls) -> tuple[str, ...]:
        """Those of every layer: what a subclass takes it writes itself, as was the custom."""
        return layers.Layer.constructor_arguments()

    # What a subclass says ------------------------------------------------------------------------------

    def step(self, inputs: Any, states: Any) -> Any:
        """The output of one step and the list of new states.

        Args:
            inputs: tensor (batch, ...) of this step.
            states: list of the states, followed by the constants.

        Raises: NotImplementedError unless a subclass says how.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `step`.")

    def get_constants(self, inputs: Any, training: Any = None) -> Any:
        """Tensors that each step gets behind the states; none by default.

        Args:
            inputs: the sequences.
            training: whether the layer is being trained.
        """
        return []

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """The sequences of which `step` gets one step after the other; by default the inputs.

        Args:
            inputs: the sequences.
            training: whether the layer is being trained.
        """
        return inputs

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Zeros (batch, units) for each state.

        Args:
            inputs: the sequences.
        """
        first = K.sum(K.zeros_like(inputs), axis=tuple(range(1, K.ndim(inputs))))
        zeros = K.tile(K.expand_dims(first), [1, self._width])
        return [zeros for _ in self.states]

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """What Keras 1 called `get_initial_state`.

        Args:
            inputs: the sequences.
        """
        return self.get_initial_state(inputs)

    @property
    def _width(self) -> int:
        return int(self.units if hasattr(self, "units") else self.output_dim)

    # The loop ------------------------------------------------------------------------------------------

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        if isinstance(inputs, list):
            inputs, initial_state = inputs[0], inputs[1:]
        if initial_state is None:
            initial_state = self._first_states(inputs)
        states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        if len(states) != len(self.states):
            raise ArgumentError(f"{self.name}: expected {len(self.states)} states, received {len(states)}.")
        last, outputs, states = K.rnn(
            self.step,
            self._asked("preprocess_input", inputs, training),
            states,
            go_backwards=self.go_backwards,
            mask=mask[0] if isinstance(mask, list) else mask,
            constants=self._asked("get_constants", inputs, training),
            unroll=self.unroll,
        )
        if self.stateful:
            for kept, state in zip(self.states, states, strict=True):
                kept.assign(state)
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def _first_states(self, inputs: Any) -> Any:
        if self.stateful:
            if not all(isinstance(state, Variable) for state in self.states):
                raise StateError(f"{self.name}: call reset_states() in `build` of a stateful layer.")
            return [K.convert(state) for state in self.states]
        return self.get_initial_states(inputs)

    def _asked(self, method: str, inputs: Any, training: Any) -> Any:
        """What a method of a subclass answers, which in Keras 1 did not take `training`."""
        function = getattr(self, method)
        takes = "training" in inspect.signature(function).parameters
        return function(inputs, training=training) if takes else function(inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        output = mask if self.return_sequences else None
        return [output, *[None] * len(self.states)] if self.return_state else output

    def reset_states(self, states: Sequence[Any] | None = None) -> None:
        """Set the states that a stateful layer keeps.

        Args:
            states: their values; zeros by default.

        Raises: StateError if the size of the batch is unknown.
        """
        specs = self.input_spec if isinstance(self.input_spec, list) else [self.input_spec]
        known = [getattr(spec, "shape", None) for spec in specs] + [getattr(self, "batch_input_shape", None)]
        batch = next((shape[0] for shape in known if shape), None)
        if not self.stateful or batch is None:
            raise StateError(f"{self.name}: expected a stateful layer with `batch_input_shape`.")
        given = states if states is not None else [K.zeros((batch, self._width)) for _ in self.states]
        values = [K.get_value(value) if isinstance(value, Variable) else value for value in given]
        if all(isinstance(state, Variable) for state in self.states):
            for kept, value in zip(self.states, values, strict=True):
                kept.assign(value)
        else:
            self.states = [K.variable(value) for value in values]


class ConvRecurrent2D(Recurrent):
    """A loop over images, of which a subclass says what one step does.

    Args:
        filters: number of output channels.
        kernel_size: size of the window, a number or two.
        strides: distance between two places of the window.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'; None for that of the settings.
        dilation_rate: distance between two elements of the window.
        return_sequences: whether to return the outputs of all steps instead of the last.
        go_backwards: whether to go from the last step to the first.
        stateful: whether the last states of a batch are the first of the next.
        **kwargs: further arguments of `Recurrent`.

    Shape: (batch, steps, rows, columns, channels) -> (batch, rows, columns, filters).
    """

    today = layers.ConvLSTM2D

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ):
        super().__init__(return_sequences=return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs)
        pair = lambda value: (value, value) if isinstance(value, int) else tuple(value)  # noqa: E731
        self.filters, self.kernel_size, self.strides = filters, pair(kernel_size), pair(strides)
        self.padding, self.dilation_rate = padding, pair(dilation_rate)
        self.data_format = data_format or K.image_data_format()

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape[0]) if isinstance(input_shape, list) else tuple(input_shape)
        first = self.data_format == "channels_first"
        space = [
            conv_output_length(n, k, self.padding, s, d)
            for n, k, s, d in zip(
                shape[3:] if first else shape[2:4], self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        ]
        image = (self.filters, *space) if first else (*space, self.filters)
        return (*shape[:2], *image) if self.return_sequences else (shape[0], *image)

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: Any = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
    training: Any = None,
) -> Any:
    """`x @ w + b` at each step.

    Args:
        x: tensor (batch, steps, features).
        w: matrix (features, units).
        b: vector (units,), or None.
        dropout: rate at which features are dropped while training, the same at all steps; or None.
        input_dim: not needed, as the further arguments.
        output_dim: not needed.
        timesteps: not needed.
        training: whether the layer is being trained; None: by the learning phase.

    Returns: tensor (batch, steps, units).
    """
    if dropout is not None and 0 < dropout < 1:
        x = K.in_train_phase(lambda: K.dropout(x, dropout, (K.shape(x)[0], 1, K.int_shape(x)[2])), x, training)
    y = K.dot(x, w)
    return y if b is None else K.bias_add(y, b)


_time_distributed_dense = time_distributed_dense  # its name in Keras 2.0
_RNN = Recurrent
