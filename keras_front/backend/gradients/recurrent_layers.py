"""The backward pass of recurrent layers: ops for the gradients of their loops, and the rules that use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front.backend.declare import Maybe, Tensor, composite
from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.gradients.value_and_grad import value_and_grad
from keras_front.backend.op import OPS
from keras_front.backend.ops.elementwise import add, identity, multiply
from keras_front.backend.ops.reduction import sum


def _gradients(name: str, gs: Sequence[Any], params: Sequence[Any], *rest: Any) -> tuple[Any, ...]:
    """Gradients of the op `name` for `params`, from those of its results."""

    def weighted(params: list[Any]) -> tuple[Any, list[Any]]:
        results = OPS[name].body(*params, *rest)
        total, *parts = [sum(multiply(r, w)) for r, w in zip(results, gs, strict=True)]
        for part in parts:
            total = add(total, part)
        return total, []

    own = [identity(t) for t in params]  # the gradients given may depend on params, but are fixed here
    return tuple(value_and_grad(weighted, own)[1])


@composite(promote=())
def lstm_sequence_gradient(
    g: Tensor, g_h: Tensor, g_c: Tensor, z: Tensor, h: Tensor, c: Tensor, recurrent_kernel: Tensor, mask: Maybe = None,
    activation="tanh", recurrent_activation="sigmoid",
):  # fmt: skip
    """Gradients of `lstm_sequence` for z, h, c and recurrent_kernel, from those of its results.

    Args:
        g, g_h, g_c: the gradients of its results.
        z, h, c, recurrent_kernel, mask: its arguments.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.

    Returns: one gradient for each.
    Example:
        >>> z, h, kernel = K.zeros((5, 2, 12)), K.zeros((2, 3)), K.zeros((3, 12))
        >>> [t.shape for t in K.lstm_sequence_gradient(K.ones((5, 2, 3)), h, h, z, h, h, kernel)]
        [(5, 2, 12), (2, 3), (2, 3), (3, 12)]
    """
    params = (z, h, c, recurrent_kernel)
    return _gradients("lstm_sequence", (g, g_h, g_c), params, mask, activation, recurrent_activation)


@composite(promote=())
def conv_lstm_sequence_gradient(
    g: Tensor, g_h: Tensor, g_c: Tensor, z: Tensor, h: Tensor, c: Tensor, recurrent_kernel: Tensor, mask: Maybe = None,
    activation="tanh", recurrent_activation="sigmoid", data_format="channels_last",
):  # fmt: skip
    """Gradients of `conv_lstm_sequence` for z, h, c and recurrent_kernel, from those of its results.

    Args:
        g, g_h, g_c: the gradients of its results.
        z, h, c, recurrent_kernel, mask: its arguments.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        data_format: 'channels_last' or 'channels_first'.

    Returns: one gradient for each.
    Example:
        >>> z, h, kernel = K.zeros((3, 2, 4, 4, 8)), K.zeros((2, 4, 4, 2)), K.zeros((3, 3, 2, 8))
        >>> [t.shape for t in K.conv_lstm_sequence_gradient(K.ones((3, 2, 4, 4, 2)), h, h, z, h, h, kernel)]
        [(3, 2, 4, 4, 8), (2, 4, 4, 2), (2, 4, 4, 2), (3, 3, 2, 8)]
    """
    params, attrs = (z, h, c, recurrent_kernel), (activation, recurrent_activation, data_format)
    return _gradients("conv_lstm_sequence", (g, g_h, g_c), params, mask, *attrs)


@composite(promote=())
def gru_sequence_gradient(
    g: Tensor, g_h: Tensor, z: Tensor, h: Tensor, recurrent_kernel: Tensor, bias: Maybe = None, mask: Maybe = None,
    activation="tanh", recurrent_activation="sigmoid", reset_after=False,
):  # fmt: skip
    """Gradients of `gru_sequence` for z, h, recurrent_kernel and, if it is given, bias, from those of its results.

    Args:
        g, g_h: the gradients of its results.
        z, h, recurrent_kernel, bias, mask: its arguments.
        activation: the name of an activation of K, for candidate and output.
        recurrent_activation: the name of that of the gates.
        reset_after: where the reset gate acts, see `gru`.

    Returns: one gradient for each.
    Example:
        >>> z, h, kernel = K.zeros((5, 2, 9)), K.zeros((2, 3)), K.zeros((3, 9))
        >>> [t.shape for t in K.gru_sequence_gradient(K.ones((5, 2, 3)), h, z, h, kernel)]
        [(5, 2, 9), (2, 3), (3, 9)]
    """
    params = [z, h, recurrent_kernel, *([] if bias is None else [bias])]
    rest = (mask, activation, recurrent_activation, reset_after)
    return _gradients("gru_sequence", (g, g_h), params, *(rest if bias is not None else (None, *rest)))


@composite(promote=())
def simple_rnn_sequence_gradient(
    g: Tensor, g_h: Tensor, z: Tensor, h: Tensor, recurrent_kernel: Tensor, mask: Maybe = None, activation="tanh"
):
    """Gradients of `simple_rnn_sequence` for z, h and recurrent_kernel, from those of its results.

    Args:
        g, g_h: the gradients of its results.
        z, h, recurrent_kernel, mask: its arguments.
        activation: the name of an activation of K.

    Returns: one gradient for each.
    Example:
        >>> z, h, kernel = K.zeros((5, 2, 3)), K.zeros((2, 3)), K.zeros((3, 3))
        >>> [t.shape for t in K.simple_rnn_sequence_gradient(K.ones((5, 2, 3)), h, z, h, kernel)]
        [(5, 2, 3), (2, 3), (3, 3)]
    """
    return _gradients("simple_rnn_sequence", (g, g_h), (z, h, recurrent_kernel), mask, activation)


# The rules ---------------------------------------------------------------------------------------------------------


@gradient_of("lstm_sequence")
def lstm_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("conv_lstm_sequence")
def conv_lstm_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*conv_lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("gru_sequence")
def gru_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, kernel: Any, bias: Any = None, mask: Any = None, **attrs: Any
) -> Any:
    found = gru_sequence_gradient(*g, z, h, kernel, bias, mask, **attrs)
    return (*found, *(None,) * (5 - len(found)))


@gradient_of("simple_rnn_sequence")
def simple_rnn_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*simple_rnn_sequence_gradient(*g, z, h, recurrent_kernel, mask, **attrs), None)
