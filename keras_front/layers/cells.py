"""Cells: one step of a recurrent layer.

A built-in cell has two halves: `project_inputs`, which is applied to all steps at once before the loop, and `step`,
which is all that the loop repeats. `call` joins them for a cell that is used by itself. Where an op of K computes the
whole loop, `fused_sequence` calls it. Cells of users need only `call`, `state_size` and, if they have weights, `build`.

Gates stand in the order i, f, c, o (LSTM) and z, r, h (GRU) along the last axis.
Source for names, arguments and formulas: Keras 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_front import activations, initializers
from keras_front import backend as K
from keras_front.backend import symbolic
from keras_front.errors import ShapeError
from keras_front.graph.layer import LAYERS
from keras_front.initializers import Identity

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
from .base import Layer, LayerArguments

# What the ops of whole sequences compute themselves, by the functions of `activations`.
_FUSED = {getattr(activations, name): name for name in ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear")}


def _fused_name(activation: Any) -> str | None:
    """The name under which ops of whole sequences know an activation."""
    try:
        return _FUSED.get(activation)
    except TypeError:  # an activation that cannot be hashed has no such name
        return None


class CellArguments:
    """What cells and recurrent layers document once.

    Args:
        units: size of the output and of each state.
        activation: function of the candidates for the state, and of the state on its way out. A name, a function of
            K, or None for none.
        recurrent_activation: function of the gates, with values from 0 to 1.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel that multiplies the inputs.
        recurrent_initializer: first values of the kernel that multiplies the state. Orthogonal by default, so that
            signals neither grow nor vanish over many steps.
        bias_initializer: first values of the bias.
        unit_forget_bias: whether the bias of the forget gate starts at 1, so that a new layer remembers.
        kernel_regularizer: penalty on the kernel of the inputs, added to the loss.
        recurrent_regularizer: penalty on the kernel of the state.
        bias_regularizer: penalty on the bias.
        kernel_constraint: function that the kernel of the inputs must pass after each step of training.
        recurrent_constraint: the same for the kernel of the state.
        bias_constraint: the same for the bias.
        dropout: part of the inputs that is dropped while training, from 0 to 1; the same at all steps.
        recurrent_dropout: part of the state that is dropped while training, the same at all steps. Above 0 the layer
            runs step by step, not as one fused kernel.
        implementation: with 1 each gate has a dropout mask of its own, with 2 all share one. 0, as files of Keras 2.0
            have it, is 1.
        reset_after: whether the reset gate acts after the product with the recurrent kernel, as cuDNN, tf_keras and
            Keras 3 have it; the bias then has two rows. By default before it, as in Keras 2.3 and in the paper.
    """


class _CellDropout:
    """Dropout of the inputs and of the state of a cell, by masks that are the same at all steps."""

    _gates = 1  # blocks of columns in the kernels
    implementation = 2
    dropout: float
    recurrent_dropout: float

    def dropout_masks(self, sample: Any, states: Sequence[Any], training: Any) -> tuple[Any, Any]:
        """Dropout masks for the inputs and for the state, the same at all steps.

        Args:
            sample: the inputs of one step, for their shape.
            states: the states, of which the first is dropped.
            training: whether the layer is being trained.

        Returns: two lists of masks, with one mask for all gates or one for each; None where nothing drops.
        """
        return (
            self._masks(sample, self.dropout, training),
            self._masks(states[0], self.recurrent_dropout, training),
        )

    def _masks(self, like: Any, rate: float, training: Any) -> list[Any] | None:
        if not 0 < rate < 1 or _known_phase(training) is False:
            return None
        count = self._gates if self.implementation == 1 else 1
        return [_one_mask(like, rate, training) for _ in range(count)]


class _FusedCell(_CellDropout):
    """A cell for which one op of K does all steps, where that op has its activations."""

    kernel: Any
    recurrent_kernel: Any
    bias: Any
    _op: Any = None  # an op of K: of inputs, states, kernels, bias and mask; gives outputs and states

    def can_fuse(self, training: Any) -> bool:
        """Whether one op can do all steps: it has these activations, and what drops is the same for all gates.

        Args:
            training: whether the layer is being trained; nothing drops otherwise.
        """
        if self._op is None or None in self._activation_names().values():
            return False
        drops = 0 < self.recurrent_dropout < 1 or (0 < self.dropout < 1 and self.implementation == 1)
        return not drops or _known_phase(training) is False

    def _activation_names(self) -> dict[str, Any]:
        """The activations by the names that ops know."""
        names = ("activation", "recurrent_activation")
        return {name: _fused_name(getattr(self, name)) for name in names if hasattr(self, name)}

    def fused_sequence(
        self, x: Any, states: Sequence[Any], mask: Any, reverse: bool, training: Any
    ) -> tuple[Any, list[Any]]:
        """Outputs of all steps and last states, by one op; see `can_fuse`.

        Args:
            x: inputs (batch, steps, features).
            states: first states, each (batch, units).
            mask: bool tensor (batch, steps), False where a step is to be ignored, or None.
            reverse: whether to go from the last step to the first.
            training: whether the layer is being trained.
        """
        dropped = self._masks(K.getitem(x, (slice(None), 0)), self.dropout, training)
        if dropped is not None:
            x = x * K.expand_dims(dropped[0], 1)
        weights = (self.kernel, self.recurrent_kernel, self.bias)
        outputs, *new = self._op(x, *states, *weights, mask, reverse=reverse, **self._activation_names())
        return outputs, new


class BuiltinCell(_FusedCell, CellArguments, Layer):
    """What `SimpleRNNCell`, `GRUCell` and `LSTMCell` share: weights, and a step in two halves."""

    supports_masking = True
    units: int
    use_bias: bool
    bias_initializer: Any

    @property
    def state_size(self) -> Any:
        """Size of the state, or sizes if there are several."""
        return self.units

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    def build(self, input_shape: Any) -> None:
        shape = input_shape[0] if isinstance(input_shape[0], list | tuple) else input_shape
        first, second = self._kernel_shapes(tuple(shape))
        self.kernel = self._gated_weight("kernel", first)
        self.recurrent_kernel = self._gated_weight("recurrent_kernel", second)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight("bias", self._bias_shape(), initializer=self._initial_bias)
        self.built = True

    def _gated_weight(self, name: str, shape: tuple[int, ...]) -> Any:
        """A kernel whose gates lie side by side; the identity is one for each gate.

        Raises: ShapeError if a gate of an identity is not square.
        """
        initializer = getattr(self, name.replace("kernel", "initializer") if "_" in name else f"{name}_initializer")
        if not isinstance(initializer, Identity) or self._gates == 1:
            return self.add_weight(name, shape)
        if shape[0] != self.units:
            raise ShapeError(
                f"{self.name}: the identity needs as many units as there are inputs of a gate, received a {name} of "
                f"shape {(shape[0], self.units)} for each gate."
            )
        parts = [(shape[0], self.units)] * self._gates
        return self.add_weight(
            name, shape, initializer=lambda _, dtype=None: np.concatenate([initializer(p, dtype) for p in parts], 1)
        )

    def _kernel_shapes(self, shape: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the two kernels, for inputs of this shape."""
        if shape[-1] is None:
            raise ShapeError(f"{self.name}: the last axis of the input must have a known size, received {shape}.")
        width = self._gates * self.units
        return (shape[-1], width), (self.units, width)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self._gates * self.units,)

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        return self._bias_values(shape, dtype)

    def _bias_values(self, shape: Any, dtype: Any) -> Any:
        """What the initializer gives; zeros if it is None."""
        return (self.bias_initializer or initializers.get("zeros"))(shape, dtype=dtype)

    # The two halves --------------------------------------------------------------------------------

    def project_inputs(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """What the inputs contribute to all gates; for one step or, with axes in front, for many.

        Args:
            inputs: tensor (..., features).
            masks: dropout masks for it, see `dropout_masks`.
        """
        return self._add_input_bias(_times(inputs, self.kernel, masks, self._gates))

    def _add_input_bias(self, z: Any) -> Any:
        return z if self.bias is None else K.bias_add(z, self.bias, data_format="channels_last")

    def step(self, z: Any, states: Sequence[Any], masks: list[Any] | None = None) -> tuple[Any, list[Any]]:
        """Output and new states of one step, from what the inputs contribute.

        Args:
            z: projected inputs, see `project_inputs`.
            states: states before the step.
            masks: dropout masks for the state, see `dropout_masks`.
        """
        raise NotImplementedError

    def call(self, inputs: Any, states: Sequence[Any], training: Any = None) -> tuple[Any, list[Any]]:
        """Output and new states for one step.

        Args:
            inputs: inputs of the step, (batch, features).
            states: list of states before the step.
            training: whether the layer is being trained, in case something drops; None: by the learning phase.

        Returns: the output, and the list of states after the step.
        """
        training = _resolved_phase(training)
        of_inputs, of_states = self.dropout_masks(inputs, states, training)
        return self.step(self.project_inputs(inputs, of_inputs), list(states), of_states)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """States of zeros, as a sequence begins with.

        Args:
            inputs: tensor (batch, ...), for the size of its batch and its dtype.
            batch_size: size of the batch, in place of `inputs`.
            dtype: type of the states, by default that of `inputs`.

        Returns: a tensor (batch, size), or a list of them if the cell has several states.
        """
        sizes = self.state_size if isinstance(self.state_size, Sequence) else [self.state_size]
        batch = K.shape(inputs)[0] if batch_size is None else batch_size
        found = [zeros_of(batch, (n,), dtype or K.dtype(inputs)) for n in sizes]
        return found if isinstance(self.state_size, Sequence) else found[0]

    def _block(self, z: Any, index: int, count: int = 1) -> Any:
        """Columns of the gate number `index` (or of `count` gates from there)."""
        return last_axis(z, index * self.units, (index + count) * self.units)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def _known_phase(training: Any) -> Any:
    """The phase as a bool, or None if only a symbol is known."""
    return None if training is None or K.is_symbolic(training) else bool(training)


def _resolved_phase(training: Any) -> Any:
    return K.learning_phase() if training is None else training


def _one_mask(like: Any, rate: float, training: Any) -> Any:
    ones = K.ones_like(like)
    return K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training)


def last_axis(x: Any, start: int, stop: int) -> Any:
    """`x[..., start:stop]`.

    Args:
        x: tensor.
        start: first place along the last axis.
        stop: place after the last.
    """
    return K.getitem(x, (Ellipsis, slice(start, stop)))


def zeros_of(batch: Any, shape: Sequence[int], dtype: str) -> Any:
    """Zeros (batch, *shape).

    Args:
        batch: size of the batch, a number or a tensor.
        shape: the other sizes.
        dtype: name of the type.
    """
    zero = np.zeros((), "float32" if dtype == "bfloat16" else dtype)
    dims = (batch, *shape)
    make = symbolic.constant if any(map(K.is_symbolic, dims)) else K.convert
    return K.broadcast_to(make(zero, dtype), dims)


def _times(x: Any, kernel: Any, masks: list[Any] | None, gates: int) -> Any:
    """`x @ kernel`, x dropped out by one mask, or by one for each gate."""
    if masks is None:
        return K.dot(x, kernel)
    wide = [K.expand_dims(m, 1) if K.ndim(m) < K.ndim(x) else m for m in masks]
    if len(wide) == 1:
        return K.dot(x * wide[0], kernel)
    width = kernel.shape[-1] // gates
    parts = [K.dot(x * m, last_axis(kernel, k * width, (k + 1) * width)) for k, m in enumerate(wide)]
    return K.concatenate(parts, axis=-1)


@LAYERS.register()
class SimpleRNNCell(BuiltinCell):
    """One step `h' = activation(x @ kernel + bias + h @ recurrent_kernel)`.

    Shape: inputs (batch, n), state (batch, units) -> (batch, units)
    Weights: kernel (n, units); recurrent_kernel (units, units); bias (units,) if `use_bias`.

    Example:
        >>> from keras_front.layers import RNN
        >>> RNN(SimpleRNNCell(8)).compute_output_shape((None, 10, 3))
        (None, 8)
    """

    _op: Any = staticmethod(K.simple_rnn)

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
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def step(self, z: Any, states: Sequence[Any], masks: list[Any] | None = None) -> tuple[Any, list[Any]]:
        h = self.activation(z + _times(states[0], self.recurrent_kernel, masks, 1))
        return h, [h]


@LAYERS.register()
class GRUCell(BuiltinCell):
    """One step of a gated recurrent unit: `h' = z * h + (1 - z) * candidate`.

    Shape: inputs (batch, n), state (batch, units) -> (batch, units)
    Weights: kernel (n, 3 units); recurrent_kernel (units, 3 units); bias (3 units,), or (2, 3 units) with
        `reset_after`; gates z, r, h.
    Source: Cho et al. (2014), version 3 of the paper; `reset_after` is version 1.

    Example:
        >>> from keras_front.layers import RNN
        >>> RNN(GRUCell(8)).compute_output_shape((None, 10, 3))
        (None, 8)
    """

    _gates = 3
    _op: Any = staticmethod(K.gru)

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
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        implementation: Implementation = 2,
        reset_after: Flag = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _activation_names(self) -> dict[str, Any]:
        return {**super()._activation_names(), "reset_after": self.reset_after}

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _add_input_bias(self, z: Any) -> Any:
        if self.bias is None:
            return z
        return K.bias_add(z, K.getitem(self.bias, 0) if self.reset_after else self.bias, data_format="channels_last")

    def step(self, z: Any, states: Sequence[Any], masks: list[Any] | None = None) -> tuple[Any, list[Any]]:
        h = states[0]
        if masks is not None and len(masks) == 1:
            h, masks = h * masks[0], None  # as in Keras, the blend below sees the dropped state too
        inner = self._reset_after if self.reset_after else self._reset_before
        update, candidate = inner(z, h, masks)
        new = update * h + (1 - update) * candidate
        return new, [new]

    def _reset_after(self, z: Any, h: Any, masks: list[Any] | None) -> tuple[Any, Any]:
        own = _times(h, self.recurrent_kernel, masks, 3)
        if self.bias is not None:
            own = K.bias_add(own, K.getitem(self.bias, 1), data_format="channels_last")
        gates = self.recurrent_activation(self._block(z, 0, 2) + self._block(own, 0, 2))
        reset = self._block(gates, 1)
        return self._block(gates, 0), self.activation(self._block(z, 2) + reset * self._block(own, 2))

    def _reset_before(self, z: Any, h: Any, masks: list[Any] | None) -> tuple[Any, Any]:
        first = None if masks is None else masks[:2]
        own = _times(h, self._block(self.recurrent_kernel, 0, 2), first, 2)
        gates = self.recurrent_activation(self._block(z, 0, 2) + own)
        reset = self._block(gates, 1)
        kept = h if masks is None else h * masks[2]
        own = K.dot(reset * kept, self._block(self.recurrent_kernel, 2))
        return self._block(gates, 0), self.activation(self._block(z, 2) + own)


class LSTMCellBase(BuiltinCell):
    """States and formula of long short-term memory; what is multiplied with the state is for subclasses to say."""

    _gates = 4
    activation: Any
    recurrent_activation: Any
    unit_forget_bias: bool

    @property
    def state_size(self) -> list[int]:
        return [self.output_size] * 2

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        """As the initializer gives it, and 1 for the forget gate."""
        if not self.unit_forget_bias:
            return self._bias_values(shape, dtype)
        first, last = (np.asarray(self._bias_values((n * self.output_size,), dtype)) for n in (1, 2))
        return np.concatenate([first, np.ones(self.output_size), last])

    def _recurrent(self, h: Any, masks: list[Any] | None) -> Any:
        return _times(h, self.recurrent_kernel, masks, 4)

    def step(self, z: Any, states: Sequence[Any], masks: list[Any] | None = None) -> tuple[Any, list[Any]]:
        h, c = states[:2]
        z = z + self._recurrent(h, masks)
        i, f, o = (self.recurrent_activation(self._block(z, k)) for k in (0, 1, 3))
        c = f * c + i * self.activation(self._block(z, 2))
        h = o * self.activation(c)
        return h, [h, c]


@LAYERS.register()
class LSTMCell(LSTMCellBase):
    """One step of long short-term memory: `c' = f * c + i * candidate`, `h' = o * activation(c')`.

    Shape: inputs (batch, n), states h and c (batch, units) -> (batch, units)
    Weights: kernel (n, 4 units); recurrent_kernel (units, 4 units); bias (4 units,); gates i, f, c, o.
    Source: Hochreiter & Schmidhuber (1997); the forget gate is by Gers et al. (2000).

    Example:
        >>> from keras_front.layers import RNN
        >>> RNN(LSTMCell(8)).compute_output_shape((None, 10, 3))
        (None, 8)
    """

    _op: Any = staticmethod(K.lstm)

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
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: Rate = 0.0,
        recurrent_dropout: Rate = 0.0,
        implementation: Implementation = 2,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
