"""Rules of products of matrices and of neural kernels."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import GRADIENT, gradient_of, transposed
from keras_front.backend.ops import (
    arrangement,
    convolution,
    custom_gradient,
    elementwise,
    linear,
    neural,
    recurrent_layers,
)
from keras_front.backend.ops.elementwise import exp, multiply, negative, subtract
from keras_front.backend.ops.reduction import sum

GRADIENT["matmul"] = lambda g, out, x, y: (linear.matmul(g, transposed(y)), linear.matmul(transposed(x), g))
GRADIENT["linear"] = lambda g, out, x, kernel, bias: (
    linear.matmul(g, transposed(kernel)),
    linear.matmul(transposed(x), g),
    sum(g, axis=0),
)
GRADIENT["custom_gradient"] = custom_gradient.CUSTOM_GRADIENT.by_rule


@gradient_of("softmax")
def _(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    weighted = multiply(g, out)
    return (subtract(weighted, multiply(out, sum(weighted, axis=axis, keepdims=True))),)


@gradient_of("log_softmax")
def _(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return (subtract(g, multiply(exp(out), sum(g, axis=axis, keepdims=True))),)


@gradient_of("softmax_crossentropy")
def _(g: Any, out: Any, logits: Any, target: Any) -> Any:
    g = arrangement.expand_dims(g, -1)
    mass = sum(target, axis=-1, keepdims=True)
    flow = multiply(g, subtract(multiply(neural.softmax(logits), mass), target))
    return flow, negative(multiply(g, neural.log_softmax(logits)))


@gradient_of("sigmoid_crossentropy")
def _(g: Any, out: Any, logits: Any, target: Any) -> Any:
    return multiply(g, subtract(elementwise.sigmoid(logits), target)), negative(multiply(g, logits))


@gradient_of("conv")
def _(g: Any, out: Any, x: Any, kernel: Any, **attrs: Any) -> Any:
    return (
        convolution.conv_input_gradient(g, kernel, x.shape, **attrs),
        convolution.conv_kernel_gradient(x, g, kernel.shape, **attrs),
    )


@gradient_of("conv_input_gradient")
def _(g: Any, out: Any, y: Any, kernel: Any, input_shape: Any, **attrs: Any) -> Any:
    return convolution.conv(g, kernel, **attrs), convolution.conv_kernel_gradient(g, y, kernel.shape, **attrs)


@gradient_of("conv_kernel_gradient")
def _(g: Any, out: Any, x: Any, y: Any, kernel_shape: Any, **attrs: Any) -> Any:
    return convolution.conv_input_gradient(y, g, x.shape, **attrs), convolution.conv(x, g, **attrs)


@gradient_of("max_pool")
def _(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.max_pool_gradient(x, g, **attrs),)


@gradient_of("max_pool_gradient")
def _(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_pick(x, g, **attrs)


@gradient_of("max_pool_pick")
def _(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_gradient(x, g, **attrs)


@gradient_of("average_pool")
def _(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.average_pool_gradient(g, x.shape, **attrs),)


@gradient_of("average_pool_gradient")
def _(g: Any, out: Any, y: Any, input_shape: Any, **attrs: Any) -> Any:
    return (convolution.average_pool(g, **attrs),)


@gradient_of("lstm_sequence")
def _(g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any) -> Any:
    return (*recurrent_layers.lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("conv_lstm_sequence")
def _(g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any) -> Any:
    return (*recurrent_layers.conv_lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


@gradient_of("gru_sequence")
def _(g: Any, out: Any, z: Any, h: Any, kernel: Any, bias: Any = None, mask: Any = None, **attrs: Any) -> Any:
    found = recurrent_layers.gru_sequence_gradient(*g, z, h, kernel, bias, mask, **attrs)
    return (*found, *(None,) * (5 - len(found)))


@gradient_of("simple_rnn_sequence")
def _(g: Any, out: Any, z: Any, h: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any) -> Any:
    return (*recurrent_layers.simple_rnn_sequence_gradient(*g, z, h, recurrent_kernel, mask, **attrs), None)
