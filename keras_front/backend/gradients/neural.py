"""Gradient rules of softmax and of crossentropies on logits."""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import arrangement, elementwise, neural
from keras_front.backend.ops.elementwise import (
    add,
    divide,
    equal,
    exp,
    greater,
    log,
    multiply,
    negative,
    subtract,
    where,
)
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


@gradient_of("clipped_softmax_crossentropy")
def clipped_softmax_crossentropy_vjp(g: Any, out: Any, logits: Any, target: Any, lowest: float) -> Any:
    g = arrangement.expand_dims(g, -1)
    scores = neural.log_softmax(logits)
    kept = where(greater(scores, lowest), target, 0)
    flow = multiply(g, subtract(multiply(neural.softmax(logits), sum(kept, axis=-1, keepdims=True)), kept))
    return flow, negative(multiply(g, elementwise.maximum(scores, lowest)))


@gradient_of("binary_crossentropy")
def binary_crossentropy_vjp(g: Any, out: Any, target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return sigmoid_crossentropy_vjp(g, out, output, target)[::-1]
    epsilon = config.epsilon()
    cut = elementwise.minimum(elementwise.maximum(output, epsilon), 1 - epsilon)
    yes, no = add(cut, epsilon), add(subtract(1, cut), epsilon)  # as in the body: a program computes them once
    inside = equal(output, cut)
    slope = subtract(divide(subtract(1, target), no), divide(target, yes))
    return multiply(g, subtract(log(no), log(yes))), where(inside, multiply(g, slope), 0)
