"""Private functions of `keras.layers.recurrent` that cells of others import.

Source: Keras 2.2.4 and 2.3.1, `keras/layers/recurrent.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.layers import RNN

from .recurrent import time_distributed_dense

_time_distributed_dense = time_distributed_dense
_RNN = RNN


def _generate_dropout_mask(ones: Any, rate: float, training: Any = None, count: int = 1) -> Any:
    """What a cell multiplies its inputs with: zeros at random in training, ones otherwise.

    Args:
        ones: a tensor of ones, of the shape of the mask.
        rate: which share is zero.
        training: whether the cell is being trained; None for the learning phase.
        count: how many masks; of more than one a list is returned.
    """
    masks = [K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training) for _ in range(count)]
    return masks if count > 1 else masks[0]


def _generate_zero_filled_state_for_cell(cell: Any, inputs: Any, batch_size: Any, dtype: Any) -> Any:
    """States of zeros for a cell.

    Args:
        cell: the cell.
        inputs: a tensor whose first axis says how many samples there are, or None.
        batch_size: that number, without `inputs`.
        dtype: dtype of the states.
    """
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    made = [_zeros(inputs, batch_size, size if isinstance(size, list | tuple) else (size,), dtype) for size in sizes]
    return made if isinstance(cell.state_size, list | tuple) else made[0]


def _zeros(inputs: Any, batch_size: Any, size: Any, dtype: Any) -> Any:
    """Zeros of the shape (samples, *size), also where the number of samples is not known yet."""
    if inputs is None:
        return K.zeros((batch_size, *size), dtype)
    column = K.sum(K.zeros_like(inputs), axis=tuple(range(1, K.ndim(inputs))))
    for _ in size:
        column = K.expand_dims(column, -1)
    return K.cast(K.tile(column, (1, *size)), dtype or K.floatx())


def _standardize_args(
    inputs: Any, initial_state: Any, constants: Any, num_constants: int | None
) -> tuple[Any, list[Any] | None, list[Any] | None]:
    """Inputs, states and constants of a recurrent layer, which may all be in the list of inputs.

    Args:
        inputs: a tensor, or a list of inputs, states and constants.
        initial_state: a state, a list of states, or None.
        constants: a tensor, a list of them, or None.
        num_constants: how many of the inputs are constants.

    Raises: ArgumentError if states or constants are given in both ways.
    """
    if isinstance(inputs, list):
        if initial_state is not None or constants is not None:
            raise ArgumentError("inputs: expected one tensor beside initial_state and constants, received a list.")
        if num_constants:
            inputs, constants = inputs[:-num_constants], inputs[-num_constants:]
        inputs, initial_state = inputs[0], inputs[1:] or None
    return inputs, _listed(initial_state), _listed(constants)


def _listed(x: Any) -> list[Any] | None:
    return None if x is None else list(x) if isinstance(x, list | tuple) else [x]
