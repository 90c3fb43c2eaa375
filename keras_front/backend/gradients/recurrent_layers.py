"""Gradient rules of the loops of recurrent layers, which have ops of their own for the way back."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import recurrent_layers


@gradient_of("lstm_sequence")
def lstm_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*recurrent_layers.lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("conv_lstm_sequence")
def conv_lstm_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*recurrent_layers.conv_lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("gru_sequence")
def gru_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, kernel: Any, bias: Any = None, mask: Any = None, **attrs: Any
) -> Any:
    found = recurrent_layers.gru_sequence_gradient(*g, z, h, kernel, bias, mask, **attrs)
    return (*found, *(None,) * (5 - len(found)))


@gradient_of("simple_rnn_sequence")
def simple_rnn_sequence_vjp(
    g: Any, out: Any, z: Any, h: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any
) -> Any:
    return (*recurrent_layers.simple_rnn_sequence_gradient(*g, z, h, recurrent_kernel, mask, **attrs), None)
