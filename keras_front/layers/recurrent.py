"""The classic recurrent layers, each over a cell of ours.

With activations that ops know, all steps are one op (`K.lstm`, `K.gru`, `K.simple_rnn`), which adapters replace by the
fused kernels of their engines. It gives the same numbers as the loop of `RNN`.
Source for names, arguments and masks: Keras 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import regularizers
from keras_front.graph.layer import LAYERS, InputSpec, Layer

from .cells import GRUCell, LSTMCell, SimpleRNNCell, given
from .rnn import RNN

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

    def _loop(self, x: Any, states: list[Any], mask: Any, training: Any, constants: list[Any]) -> Any:
        if not self.cell.fuses(training):
            return super()._loop(x, states, mask, training, constants)
        if mask is not None and len(mask.shape) == 3:
            mask = K.getitem(mask, (Ellipsis, 0))
        if self.time_major:
            x, mask = _swapped(x), None if mask is None else _swapped(mask)
        outputs, states = self.cell.sequence(x, states, mask, self.go_backwards, training)
        if mask is not None and self.zero_output_for_mask:
            kept = K.cast(K.reverse(mask, 1) if self.go_backwards else mask, "bool")
            for _ in range(len(outputs.shape) - 2):
                kept = K.expand_dims(kept, -1)
            outputs = K.where(kept, outputs, K.zeros_like(outputs))
        last = states[0] if mask is None else K.getitem(outputs, (slice(None), -1))
        return last, _swapped(outputs) if self.time_major else outputs, states

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


def _swapped(x: Any) -> Any:
    """The first two axes, steps and batch, in the other order."""
    return K.permute_dimensions(x, (1, 0, *range(2, len(x.shape))))


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
