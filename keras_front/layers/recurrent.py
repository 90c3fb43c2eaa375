"""The classic recurrent layers, each over a built-in cell.

With activations that ops know, all steps are one op (`K.lstm`, `K.gru`, `K.simple_rnn`), which adapters replace by the
fused kernels of their engines. It gives the same numbers as the loop of `RNN`.
Source for names, arguments and masks: Keras 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import (
    ActivationFunction,
    Constraint,
    Flag,
    Implementation,
    Initializer,
    Positive,
    Rate,
    Regularizer,
)
from .base import Layer, SequenceArguments
from .cells import CellArguments, GRUCell, LSTMCell, SimpleRNNCell
from .rnn import RNN


class _OfCell:
    """An argument of the cell as an attribute of the layer, where the layer has none of its own."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        cell = layer.__dict__.get("cell")
        if cell is None:
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self.name!r}")
        return getattr(cell, self.name)


class _CellRNN(CellArguments, RNN):
    """A layer over a built-in cell, whose arguments it takes, passes on and shows as its own.

    Args:
        activity_regularizer: penalty on the output, added to the loss.
    """

    _cell_class: type[Layer] = SimpleRNNCell
    _input_rank = 3

    def __init__(self, **kwargs: Any):
        for_cell = [name for name in self._cell_class.constructor_arguments() if name in self.__dict__]
        arguments = {name: self.__dict__.pop(name) for name in for_cell}  # what a subclass has read
        arguments.update({name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs})
        super().__init__(self._cell_class(**arguments), **kwargs)
        self.input_spec = InputSpec(ndim=self._input_rank)

    def _loop(self, x: Any, states: list[Any], mask: Any, training: Any, constants: list[Any]) -> Any:
        if not self.cell.can_fuse(training):
            return super()._loop(x, states, mask, training, constants)
        if mask is not None and len(mask.shape) == 3:
            mask = K.getitem(mask, (Ellipsis, 0))
        if self.time_major:
            x, mask = _swap_steps(x), None if mask is None else _swap_steps(mask)
        outputs, states = self.cell.fused_sequence(x, states, mask, self.go_backwards, training)
        if mask is not None and self.zero_output_for_mask:
            kept = K.cast(K.reverse(mask, 1) if self.go_backwards else mask, "bool")
            for _ in range(len(outputs.shape) - 2):
                kept = K.expand_dims(kept, -1)
            outputs = K.where(kept, outputs, K.zeros_like(outputs))
        last = states[0] if mask is None else K.getitem(outputs, (slice(None), -1))
        return last, _swap_steps(outputs) if self.time_major else outputs, states

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls._cell_class.constructor_arguments():
            if not hasattr(cls, name):
                setattr(cls, name, _OfCell(name))

    @classmethod
    def constructor_arguments(cls) -> tuple[str, ...]:
        return tuple(name for name in super().constructor_arguments() if name != "cell")

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(**config)


def _swap_steps(x: Any) -> Any:
    """The first two axes, steps and batch, in the other order."""
    return K.permute_dimensions(x, (1, 0, *range(2, len(x.shape))))


@LAYERS.register()
class SimpleRNN(_CellRNN):
    """The recurrent layer whose output is its state: `h' = activation(x @ kernel + bias + h @ recurrent_kernel)`.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, units); recurrent_kernel (units, units); bias (units,) if `use_bias`.
    Source: Elman (1990).
    Example:
        >>> SimpleRNN(4, return_sequences=True).compute_output_shape((None, 10, 3))
        (None, 10, 4)
    """

    _cell_class = SimpleRNNCell

    def __init__(
        self,
        units: Positive,
        activation: ActivationFunction = "tanh",
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
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
        unroll: Flag = False,
        **kwargs: Unpack[SequenceArguments],
    ):
        kwargs.pop("implementation", None)  # type: ignore[typeddict-item]  # Keras 2.2 had it, without effect on the numbers
        super().__init__(**kwargs)


@LAYERS.register()
class GRU(_CellRNN):
    """Gated recurrent units: a state that a gate keeps or replaces, `h' = z * h + (1 - z) * candidate`.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 3 units); recurrent_kernel (units, 3 units); bias (3 units,), or (2, 3 units) with
        `reset_after`; gates z, r, h.
    Source: Cho et al. (2014), version 3 of the paper; `reset_after` is version 1.
    Example:
        >>> GRU(4).compute_output_shape((None, 10, 3))
        (None, 4)
    """

    _cell_class = GRUCell

    def __init__(
        self,
        units: Positive,
        activation: ActivationFunction = "tanh",
        recurrent_activation: ActivationFunction = "sigmoid",
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        implementation: Implementation = 2,
        return_sequences: Flag = False,
        return_state: Flag = False,
        go_backwards: Flag = False,
        stateful: Flag = False,
        unroll: Flag = False,
        reset_after: Flag = False,
        **kwargs: Unpack[SequenceArguments],
    ):
        super().__init__(**kwargs)


@LAYERS.register()
class LSTM(_CellRNN):
    """Long short-term memory: `c' = f * c + i * candidate`, `h' = o * activation(c')`; the output is h.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 4 units); recurrent_kernel (units, 4 units); bias (4 units,); gates i, f, c, o.
    Source: Hochreiter & Schmidhuber (1997); the forget gate is by Gers et al. (2000).
    Example:
        >>> LSTM(4, return_state=True).compute_output_shape((None, 10, 3))
        [(None, 4), (None, 4), (None, 4)]
    """

    _cell_class = LSTMCell

    def __init__(
        self,
        units: Positive,
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
        implementation: Implementation = 2,
        return_sequences: Flag = False,
        return_state: Flag = False,
        go_backwards: Flag = False,
        stateful: Flag = False,
        unroll: Flag = False,
        **kwargs: Unpack[SequenceArguments],
    ):
        super().__init__(**kwargs)
