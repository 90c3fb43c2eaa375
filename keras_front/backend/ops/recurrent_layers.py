"""Recurrent layers, each as one op that adapters replace by the fused kernel of their engine.

A layer is `lstm`, `gru` or `simple_rnn`: it projects the inputs of all steps at once. What then repeats, step by step,
is an op of its own, `..._sequence`, and its gradient is another, for engines without autodiff. Inputs of layers are
batch first, those of sequences time first. At a masked step the states stay, and the output repeats the one before it;
it is 0 until the first step that the mask keeps. With `reverse` time runs backwards, and so do the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend.declare import Maybe, Tensor, composite
from keras_front.backend.ops.arrangement import (
    _sizes,
    concatenate,
    flip,
    reshape,
    strided_slice,
    zeros_like,
)
from keras_front.backend.ops.convolution import conv
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    hard_sigmoid,
    multiply,
    relu,
    sigmoid,
    subtract,
    tanh,
)
from keras_front.backend.ops.linear import dot, linear, matmul
from keras_front.backend.ops.recurrence import _masked, _swap, scan
from keras_front.backend.ops.subscript import getitem
from keras_front.errors import ArgumentError

_ACTIVATIONS = {"tanh": tanh, "sigmoid": sigmoid, "hard_sigmoid": hard_sigmoid, "relu": relu, "linear": lambda x: x}


def _functions(*names: str) -> list[Callable[[Any], Any]]:
    for name in names:
        if name not in _ACTIVATIONS:
            raise ArgumentError(
                f"Recurrent ops: expected an activation of {', '.join(map(repr, _ACTIVATIONS))}, received {name!r}. "
                "Write the step for K.rnn to use any other."
            )
    return [_ACTIVATIONS[name] for name in names]


# What the layers share ------------------------------------------------------------------------------------------


def _projected(x: Any, kernel: Any, bias: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """`x @ kernel + bias` for all steps at once, and the mask: both time first, in the order of the loop."""
    _, time, width = _sizes(x)
    flat = reshape(x, (-1, width))
    z = matmul(flat, kernel) if bias is None else linear(flat, kernel, bias)
    z = _swap(reshape(z, (-1, time, kernel.shape[1])))
    marks = None if mask is None else _swap(cast(mask, "bool"))
    if reverse:
        z, marks = flip(z, (0,)), None if marks is None else flip(marks, (0,))
    return z, marks


def _repeated(advance: Callable[[Any, list[Any]], list[Any]], z: Any, states: list[Any], mask: Any) -> list[Any]:
    """Outputs and last states of a loop of `advance(row of z, states)`, whose first state is the output."""
    count = len(states)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        new = advance(x[0], carry[:count])
        if mask is None:
            return new, [new[0]]
        out = _masked(x[1], new[0], carry[count])
        return [*(_masked(x[1], n, old) for n, old in zip(new, carry, strict=False)), out], [out]

    final, outputs = scan(step, states if mask is None else [*states, zeros_like(states[0])], _listed(z, mask))
    return [outputs[0], *final[:count]]


def _listed(z: Any, mask: Any) -> list[Any]:
    return [z] if mask is None else [z, mask]


def _columns(z: Any, start: int, stop: int) -> Any:
    return strided_slice(z, (None, start), (None, stop), (1, 1))


# LSTM ----------------------------------------------------------------------------------------------------------


@composite(promote=("x", "h", "c", "kernel", "recurrent_kernel", "bias"), floats=True, fresh=True)
def lstm(
    x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Maybe = None, mask: Maybe = None,
    activation="tanh", recurrent_activation="sigmoid", reverse=False,
):  # fmt: skip
    """A layer of long short-term memory. Gates stand in the order i, f, c, o.

    Args:
        x: the inputs.
        h: the output before the first step.
        c: the cell before the first step.
        kernel: the weights of the inputs.
        recurrent_kernel: the weights of the state.
        bias: what is added, None for none.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        reverse: whether time runs backwards, and so do the outputs.

    Shape: x (batch, time, n); h, c (batch, units); kernel (n, 4 units); recurrent_kernel (units, 4 units); bias (4
    units,); mask (batch, time) -> outputs (batch, time, units).

    Returns: (outputs, last h, last c).

    Source: Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000).

    Example:
        >>> found = K.lstm(np.ones((1, 4, 3)), np.zeros((1, 2)), np.zeros((1, 2)), np.ones((3, 8)), np.ones((2, 8)))
        >>> tuple(found[0].shape)
        (1, 4, 2)
    """
    _functions(activation, recurrent_activation)
    z, marks = _projected(x, kernel, bias, mask, reverse)
    outputs, h, c = lstm_sequence(z, h, c, recurrent_kernel, marks, activation, recurrent_activation)
    return _swap(outputs), h, c


@composite(promote=("z", "h", "c", "recurrent_kernel"), floats=True)
def lstm_sequence(
    z: Tensor, h: Tensor, c: Tensor, recurrent_kernel: Tensor, mask: Maybe = None, activation="tanh",
    recurrent_activation="sigmoid",
):  # fmt: skip
    """The recurrent part of `lstm`, time first.

    Args:
        z: the projected inputs.
        h: the output before the first step.
        c: the cell before the first step.
        recurrent_kernel: the weights of the state.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.

    Shape: z (time, batch, 4 units); mask (time, batch) -> outputs (time, batch, units).

    Returns: (outputs, last h, last c).

    Example:
        >>> [t.shape for t in K.lstm_sequence(K.zeros((5, 2, 12)), K.zeros((2, 3)), K.zeros((2, 3)), K.zeros((3, 12)))]
        [(5, 2, 3), (2, 3), (2, 3)]
    """
    act, gate = _functions(activation, recurrent_activation)
    units = h.shape[-1]

    def advance(row: Any, states: list[Any]) -> list[Any]:
        h, c = states
        gates = add(row, dot(h, recurrent_kernel))
        i, f, g, o = (_columns(gates, k * units, (k + 1) * units) for k in range(4))
        c = add(multiply(gate(f), c), multiply(gate(i), act(g)))
        return [multiply(gate(o), act(c)), c]

    return tuple(_repeated(advance, z, [h, c], mask))


@composite(promote=("z", "h", "c", "recurrent_kernel"), floats=True)
def conv_lstm_sequence(
    z: Tensor, h: Tensor, c: Tensor, recurrent_kernel: Tensor, mask: Maybe = None, activation="tanh",
    recurrent_activation="sigmoid", data_format="channels_last",
):  # fmt: skip
    """`lstm_sequence` over images, whose recurrent product is a convolution with padding 'same'.

    Args:
        z: the projected inputs.
        h: the output before the first step.
        c: the cell before the first step.
        recurrent_kernel: the weights of the state.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        data_format: 'channels_last' or 'channels_first'.

    Shape: z (time, batch, *space, 4 filters); h, c (batch, *space, filters); recurrent_kernel (*window, filters, 4
    filters); mask (time, batch) -> outputs (time, batch, *space, filters); channels before the space with
    'channels_first'.

    Returns: (outputs, last h, last c).

    Source: Shi et al. (2015), without the peepholes.
    Example:
        >>> z, state, kernel = K.zeros((3, 2, 4, 4, 8)), K.zeros((2, 4, 4, 2)), K.zeros((3, 3, 2, 8))
        >>> [t.shape for t in K.conv_lstm_sequence(z, state, state, kernel)]
        [(3, 2, 4, 4, 2), (2, 4, 4, 2), (2, 4, 4, 2)]
    """
    act, gate = _functions(activation, recurrent_activation)
    axis = 1 if data_format == "channels_first" else len(h.shape) - 1
    filters, ones = recurrent_kernel.shape[-2], (1,) * (len(h.shape) - 2)

    def advance(row: Any, states: list[Any]) -> list[Any]:
        h, c = states
        product = conv(h, recurrent_kernel, strides=ones, padding="same", dilation=ones, data_format=data_format)
        gates = add(row, product)
        i, f, g, o = (getitem(gates, (*[slice(None)] * axis, slice(k * filters, (k + 1) * filters))) for k in range(4))
        c = add(multiply(gate(f), c), multiply(gate(i), act(g)))
        return [multiply(gate(o), act(c)), c]

    return tuple(_repeated(advance, z, [h, c], mask))


# GRU -----------------------------------------------------------------------------------------------------------


@composite(promote=("x", "h", "kernel", "recurrent_kernel", "bias"), floats=True, fresh=True)
def gru(
    x: Tensor, h: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Maybe = None, mask: Maybe = None,
    activation="tanh", recurrent_activation="sigmoid", reset_after=False, reverse=False,
):  # fmt: skip
    """A layer of gated recurrent units. Gates stand in the order z, r, h.

    Args:
        x: the inputs.
        h: the state before the first step.
        kernel: the weights of the inputs.
        recurrent_kernel: the weights of the state.
        bias: what is added, or two rows of it, for inputs and for the state; None for none.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        reset_after: whether the reset gate acts on the product of state and recurrent kernel (as in cuDNN), else on the
            state itself.
        reverse: whether time runs backwards, and so do the outputs.

    Shape: x (batch, time, n); h (batch, units); kernel (n, 3 units); recurrent_kernel (units, 3 units); bias (3 units,)
    or (2, 3 units); mask (batch, time) -> outputs (batch, time, units).

    Returns: (outputs, last h).

    Source: Cho et al. (2014).

    Example:
        >>> found = K.gru(np.ones((1, 4, 3)), np.zeros((1, 2)), np.ones((3, 6)), np.ones((2, 6)))
        >>> tuple(found[0].shape)
        (1, 4, 2)
    """
    _functions(activation, recurrent_activation)
    of_inputs, of_candidate = _gru_biases(bias, h.shape[-1], reset_after)
    z, marks = _projected(x, kernel, of_inputs, mask, reverse)
    attrs = (activation, recurrent_activation, reset_after)
    outputs, h = gru_sequence(z, h, recurrent_kernel, of_candidate, marks, *attrs)
    return _swap(outputs), h


def _gru_biases(bias: Any, units: int, reset_after: bool) -> tuple[Any, Any]:
    """What is added to all inputs at once, and what the reset gate must meet, if there is such a part."""
    if bias is None or len(bias.shape) == 1:
        return bias, None
    of_inputs, of_state = getitem(bias, 0), getitem(bias, 1)
    if not reset_after:
        return add(of_inputs, of_state), None
    candidate = getitem(of_state, slice(2 * units, None))
    gates = getitem(of_state, slice(None, 2 * units))
    return add(of_inputs, concatenate([gates, zeros_like(candidate)], axis=0)), candidate


@composite(promote=("z", "h", "recurrent_kernel", "bias"), floats=True)
def gru_sequence(
    z: Tensor, h: Tensor, recurrent_kernel: Tensor, bias: Maybe = None, mask: Maybe = None, activation="tanh",
    recurrent_activation="sigmoid", reset_after=False,
):  # fmt: skip
    """The recurrent part of `gru`, time first.

    Args:
        z: the projected inputs.
        h: the state before the first step.
        recurrent_kernel: the weights of the state.
        bias: for the candidate's part of the state with `reset_after`, (units,); None for none.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        reset_after: where the reset gate acts, see `gru`.

    Shape: z (time, batch, 3 units); mask (time, batch) -> outputs (time, batch, units).

    Returns: (outputs, last h).

    Example:
        >>> K.gru_sequence(K.zeros((5, 2, 9)), K.zeros((2, 3)), K.zeros((3, 9)))[0].shape
        (5, 2, 3)
    """
    act, gate = _functions(activation, recurrent_activation)
    inner = _candidate_after if reset_after else _candidate_before
    units = h.shape[-1]

    def advance(row: Any, states: list[Any]) -> list[Any]:
        (h,) = states
        update, candidate = inner(row, h, recurrent_kernel, bias, units, act, gate)
        return [add(candidate, multiply(update, subtract(h, candidate)))]

    return tuple(_repeated(advance, z, [h], mask))


def _candidate_after(row: Any, h: Any, kernel: Any, bias: Any, units: int, act: Any, gate: Any) -> tuple[Any, Any]:
    own = dot(h, kernel)
    gates = gate(add(_columns(row, 0, 2 * units), _columns(own, 0, 2 * units)))
    last = _columns(own, 2 * units, 3 * units)
    held = multiply(_columns(gates, units, 2 * units), last if bias is None else add(last, bias))
    return _columns(gates, 0, units), act(add(_columns(row, 2 * units, 3 * units), held))


def _candidate_before(row: Any, h: Any, kernel: Any, bias: Any, units: int, act: Any, gate: Any) -> tuple[Any, Any]:
    gates = gate(add(_columns(row, 0, 2 * units), dot(h, _columns(kernel, 0, 2 * units))))
    held = dot(multiply(_columns(gates, units, 2 * units), h), _columns(kernel, 2 * units, 3 * units))
    held = held if bias is None else add(held, bias)
    return _columns(gates, 0, units), act(add(_columns(row, 2 * units, 3 * units), held))


# SimpleRNN -----------------------------------------------------------------------------------------------------


@composite(promote=("x", "h", "kernel", "recurrent_kernel", "bias"), floats=True, fresh=True)
def simple_rnn(
    x: Tensor, h: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Maybe = None, mask: Maybe = None,
    activation="tanh", reverse=False,
):  # fmt: skip
    """The layer `h' = activation(x @ kernel + bias + h @ recurrent_kernel)`.

    Args:
        x: the inputs.
        h: the state before the first step.
        kernel: the weights of the inputs.
        recurrent_kernel: the weights of the state.
        bias: what is added, None for none.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K.
        reverse: whether time runs backwards, and so do the outputs.

    Shape: x (batch, time, n); h (batch, units); kernel (n, units); recurrent_kernel (units, units); bias (units,); mask
    (batch, time) -> outputs (batch, time, units).

    Returns: (outputs, last h).

    Source: Elman (1990).

    Example:
        >>> outputs, last = K.simple_rnn(np.ones((1, 4, 3)), np.zeros((1, 2)), np.ones((3, 2)), np.ones((2, 2)))[:2]
        >>> tuple(outputs.shape)
        (1, 4, 2)
    """
    _functions(activation)
    z, marks = _projected(x, kernel, bias, mask, reverse)
    outputs, h = simple_rnn_sequence(z, h, recurrent_kernel, marks, activation)
    return _swap(outputs), h


@composite(promote=("z", "h", "recurrent_kernel"), floats=True)
def simple_rnn_sequence(z: Tensor, h: Tensor, recurrent_kernel: Tensor, mask: Maybe = None, activation="tanh"):
    """The recurrent part of `simple_rnn`, time first.

    Args:
        z: the projected inputs.
        h: the state before the first step.
        recurrent_kernel: the weights of the state.
        mask: bools; at a masked step the state stays, and the output repeats the one before it (0 at the start). None
            for none.
        activation: the name of an activation of K.

    Shape: z (time, batch, units); mask (time, batch) -> outputs (time, batch, units).

    Returns: (outputs, last h).

    Example:
        >>> K.simple_rnn_sequence(K.zeros((5, 2, 3)), K.zeros((2, 3)), K.zeros((3, 3)))[0].shape
        (5, 2, 3)
    """
    (act,) = _functions(activation)

    def advance(row: Any, states: list[Any]) -> list[Any]:
        return [act(add(row, dot(states[0], recurrent_kernel)))]

    return tuple(_repeated(advance, z, [h], mask))
