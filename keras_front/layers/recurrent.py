"""The classic recurrent layers, each over a cell of ours.

An LSTM with activations that engines know goes to `K.lstm`, which adapters replace by their fused kernels. It gives the
same numbers as the loop of `RNN`.
Source for names, arguments and masks: Keras 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import activations, regularizers
from keras_front import backend as K
from keras_front.graph.layer import LAYERS, InputSpec, Layer

from .cells import GRUCell, LSTMCell, SimpleRNNCell, _known, given
from .rnn import RNN, _sample

_LOOP = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "time_major", "zero_output_for_mask")


class _Classic(RNN):
    """A layer over one of our cells, whose arguments it passes on and shows as its own."""

    _cell_class: type[Layer] = SimpleRNNCell
    _input_rank = 3

    def _begin(self, local: dict[str, Any]) -> None:
        """Divide what a constructor was given, its `locals()`, between the cell and the loop."""
        kwargs, arguments = dict(local["kwargs"]), given(local)
        arguments.update({name: kwargs.pop(name) for name in _LOOP if name in kwargs})
        loop = {name: arguments.pop(name) for name in _LOOP if name in arguments}
        activity_regularizer = arguments.pop("activity_regularizer")
        if arguments.get("implementation") == 0:
            arguments["implementation"] = 1  # Keras 2.0 had a third way to compute the same
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        RNN.__init__(self, self._cell_class(**arguments, **shared), **loop, **kwargs)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = InputSpec(ndim=self._input_rank)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or name not in type(cell).constructor_arguments():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    @classmethod
    def constructor_arguments(cls) -> tuple[str, ...]:
        return tuple(name for name in super().constructor_arguments() if name != "cell")

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(**config)


@LAYERS.register()
class SimpleRNN(_Classic):
    """The recurrent layer whose output is its state: `h' = activation(x @ kernel + bias + h @ recurrent_kernel)`.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, units); recurrent_kernel (units, units); bias (units,) if `use_bias`.
    """

    _cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        unroll: bool = False,
        **kwargs: Any,
    ):
        kwargs.pop("implementation", None)  # Keras 2.2 had it, without effect on the numbers
        self._begin(locals())


@LAYERS.register()
class GRU(_Classic):
    """Gated recurrent units.

    Args:
        reset_after: whether the reset gate acts after the product with the recurrent kernel (as cuDNN, tf_keras and
            Keras 3 do by default); the bias then has two rows.
        implementation: with 1 each gate has a dropout mask of its own, with 2 all share one.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 3 units); recurrent_kernel (units, 3 units); bias (3 units,), or (2, 3 units) with
        `reset_after`; gates z, r, h.
    Source: Cho et al. (2014).
    """

    _cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 2,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = False,
        **kwargs: Any,
    ):
        self._begin(locals())


# What K.lstm computes itself, by the names of the activations.
_FUSED = {getattr(activations, name): name for name in ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear")}


@LAYERS.register()
class LSTM(_Classic):
    """Long short-term memory.

    Args:
        unit_forget_bias: whether the bias of the forget gate starts at 1.
        implementation: with 1 each gate has a dropout mask of its own, with 2 all share one.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 4 units); recurrent_kernel (units, 4 units); bias (4 units,); gates i, f, c, o.
    Source: Hochreiter & Schmidhuber (1997); the forget gate is by Gers et al. (2000).
    """

    _cell_class = LSTMCell

    def __init__(
        self,
        units: int,
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
        implementation: int = 2,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ):
        self._begin(locals())

    def _loop(self, x: Any, states: list[Any], mask: Any, training: Any, constants: list[Any]) -> Any:
        cell = self.cell
        kinds = [_kind(cell.activation), _kind(cell.recurrent_activation)]
        drops = 0 < cell.recurrent_dropout < 1 or (0 < cell.dropout < 1 and cell.implementation == 1)
        known = drops and _known(training) is not False
        if known or constants or self.zero_output_for_mask or None in kinds:
            return super()._loop(x, states, mask, training, constants)
        if self.time_major:
            x = K.permute_dimensions(x, (1, 0, 2))
        of_inputs = cell._masks(_sample(x, False), cell.dropout, training)
        if of_inputs is not None:
            x = x * K.expand_dims(of_inputs[0], 1)
        return self._fused(x, states, mask, kinds)

    def _fused(self, x: Any, states: list[Any], mask: Any, kinds: list[Any]) -> Any:
        cell = self.cell
        outputs, h, c = K.lstm(
            x,
            *states,
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
            mask if mask is None or not self.time_major else K.permute_dimensions(mask, (1, 0)),
            activation=kinds[0],
            recurrent_activation=kinds[1],
            reverse=self.go_backwards,
        )
        last = h if mask is None else K.getitem(outputs, (slice(None), -1))
        return last, K.permute_dimensions(outputs, (1, 0, 2)) if self.time_major else outputs, [h, c]


def _kind(activation: Any) -> str | None:
    """The name under which `K.lstm` knows an activation."""
    try:
        return _FUSED.get(activation)
    except TypeError:  # an activation that cannot be hashed is none of ours
        return None
