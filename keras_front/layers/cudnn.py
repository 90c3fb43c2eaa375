"""`CuDNNLSTM` and `CuDNNGRU`: LSTM and GRU whose weights lie as cuDNN wants them, on any device.

The weights are kept as files have them: each gate's kernel holds the numbers of its transpose, and the biases of the
inputs and of the state, twice as many as the formulas need, are one vector. `LSTM` and `GRU` (with `reset_after` and
`recurrent_activation='sigmoid'`) read such files into their own layout, and these layers read theirs.
Source for names and arguments: Keras 2.3.1, `keras/layers/cudnn_recurrent.py`. Unlike there, masks are followed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.graph.layer import LAYERS

from .arguments import Constraint, Flag, Initializer, Positive, Regularizer
from .cells import GRUCell, LSTMCell, last_axis
from .recurrent import _CellRNN


def _gate_by_gate(kernel: Any, units: int, gates: int, shape: tuple[int, int]) -> Any:
    """Each gate's numbers read as a matrix of `shape`, transposed: what multiplies a row of inputs."""
    parts = [last_axis(kernel, k * units, (k + 1) * units) for k in range(gates)]
    return K.concatenate([K.transpose(K.reshape(part, shape)) for part in parts], axis=-1)


class _CuDNNWeights:
    """Mixin for a cell whose weights are stored for cuDNN; `standard` is a cell that computes with them."""

    _standard_cell: Any
    _gates: int
    units: int
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    bias_initializer: Any

    def _bias_shape(self) -> tuple[int, ...]:
        return (2 * self._gates * self.units,)

    def standard(self) -> Any:
        """A cell with the kernels of the formulas."""
        cell = self._make_standard()
        width = self.kernel.shape[0]
        cell.kernel = _gate_by_gate(self.kernel, self.units, self._gates, (self.units, width))
        cell.recurrent_kernel = _gate_by_gate(self.recurrent_kernel, self.units, self._gates, (self.units, self.units))
        cell.bias = self._standard_bias(K.reshape(self.bias, (2, self._gates * self.units)))
        return cell

    def fused_sequence(self, x: Any, states: Any, mask: Any, reverse: bool, training: Any) -> Any:
        return self.standard().fused_sequence(x, states, mask, reverse, training)

    def _make_standard(self) -> Any:
        raise NotImplementedError

    def _standard_bias(self, rows: Any) -> Any:
        return rows


class _CuDNNLSTMCell(_CuDNNWeights, LSTMCell):
    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Of the two biases of the forget gate, that of the state is 1."""
        if not self.unit_forget_bias:
            return self._bias_values(shape, dtype)
        sizes, units = (5, 2), self.units
        first, last = (np.asarray(self._bias_values((n * units,), dtype)) for n in sizes)
        return np.concatenate([first, np.ones(units), last])

    def _make_standard(self) -> Any:
        return LSTMCell(self.units, name=self.name, dtype=self.dtype_policy)

    def _standard_bias(self, rows: Any) -> Any:
        return K.sum(rows, axis=0)


class _CuDNNGRUCell(_CuDNNWeights, GRUCell):
    def _make_standard(self) -> Any:
        return GRUCell(self.units, reset_after=True, name=self.name, dtype=self.dtype_policy)


@LAYERS.register()
class CuDNNLSTM(_CellRNN):
    """Long short-term memory with tanh and sigmoid, its weights stored for cuDNN.

    Args:
        unit_forget_bias: whether one of the two biases of the forget gate starts at 1.

    It runs on any device; its use is to read and write files of models that were trained with cuDNN.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 4 units); recurrent_kernel (units, 4 units); bias (8 units,), first that of the inputs; gates
        i, f, c, o.
    Source: Hochreiter & Schmidhuber (1997); Chetlur et al. (2014) for the layout.

    Example:
        >>> CuDNNLSTM(8).compute_output_shape((None, 10, 3))
        (None, 8)
    """

    file_form = _CellRNN.file_form._replace(tf_keras={"unroll": False})
    _cell_class = _CuDNNLSTMCell

    def __init__(
        self,
        units: Positive,
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
        return_state: Flag = False,
        stateful: Flag = False,
        go_backwards: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)


@LAYERS.register()
class CuDNNGRU(_CellRNN):
    """Gated recurrent units whose reset gate acts after the product, their weights stored for cuDNN.

    Shape: (batch, steps, n) -> (batch, units), or (batch, steps, units) with `return_sequences`.
    Weights: kernel (n, 3 units); recurrent_kernel (units, 3 units); bias (6 units,), first that of the inputs; gates
        z, r, h.
    Source: Cho et al. (2014), version 1 of the paper; Chetlur et al. (2014) for the layout.

    Example:
        >>> CuDNNGRU(8).compute_output_shape((None, 10, 3))
        (None, 8)
    """

    file_form = _CellRNN.file_form._replace(tf_keras={"unroll": False})
    _cell_class = _CuDNNGRUCell

    def __init__(
        self,
        units: Positive,
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
        return_sequences: Flag = False,
        return_state: Flag = False,
        stateful: Flag = False,
        go_backwards: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
