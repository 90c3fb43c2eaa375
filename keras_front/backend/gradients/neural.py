"""Gradient rules of softmax and of crossentropies on logits."""

from __future__ import annotations

import math
from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops import arrangement, elementwise, neural
from keras_front.backend.ops.elementwise import (
    divide,
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
    shares = neural.softmax(logits)
    kept = elementwise.relu_gradient(target, subtract(shares, math.exp(lowest)))  # 0 where a probability was cut
    flow = multiply(g, subtract(multiply(shares, sum(kept, axis=-1, keepdims=True)), kept))
    return flow, negative(multiply(g, elementwise.maximum(neural.log_softmax(logits), lowest)))


@gradient_of("clipped_sigmoid_crossentropy")
def clipped_sigmoid_crossentropy_vjp(g: Any, out: Any, logits: Any, target: Any, lowest: float, highest: float) -> Any:
    slope = elementwise.clip_gradient(subtract(elementwise.sigmoid(logits), target), logits, lowest, highest)
    cut = elementwise.minimum(elementwise.maximum(logits, lowest), highest)
    return multiply(g, slope), negative(multiply(g, cut))


@gradient_of("clipped_binary_crossentropy")
def clipped_binary_crossentropy_vjp(g: Any, out: Any, output: Any, target: Any, least: float, rest: float) -> Any:
    left = subtract(1, output)
    yes, no = elementwise.maximum(output, least), elementwise.maximum(left, rest)  # as in the body: computed once
    up = where(greater(output, least), divide(target, yes), 0)
    down = where(greater(left, rest), divide(subtract(1, target), no), 0)
    return multiply(g, subtract(down, up)), multiply(g, subtract(log(no), log(yes)))
