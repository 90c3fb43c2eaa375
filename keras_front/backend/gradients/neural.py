"""Gradient rules of softmax and of crossentropies on logits."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import arrangement, elementwise, neural
from keras_front.backend.ops.elementwise import exp, multiply, negative, subtract
from keras_front.backend.ops.reduction import sum


@gradient_of("softmax")
def softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    weighted = multiply(g, out)
    return (subtract(weighted, multiply(out, sum(weighted, axis=axis, keepdims=True))),)


@gradient_of("log_softmax")
def log_softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return (subtract(g, multiply(exp(out), sum(g, axis=axis, keepdims=True))),)


@gradient_of("softmax_crossentropy")
def softmax_crossentropy_vjp(g: Any, out: Any, logits: Any, target: Any) -> Any:
    g = arrangement.expand_dims(g, -1)
    mass = sum(target, axis=-1, keepdims=True)
    flow = multiply(g, subtract(multiply(neural.softmax(logits), mass), target))
    return flow, negative(multiply(g, neural.log_softmax(logits)))


@gradient_of("sigmoid_crossentropy")
def sigmoid_crossentropy_vjp(g: Any, out: Any, logits: Any, target: Any) -> Any:
    return multiply(g, subtract(elementwise.sigmoid(logits), target)), negative(multiply(g, logits))
