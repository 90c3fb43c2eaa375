"""Gradient rules of elementwise ops.

A rule that passes a gradient on at some places chooses by `where`: multiplied by 0, an infinity would become NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras_front.backend.gradients.table import GRADIENT, Rule, gradient_of
from keras_front.backend.ops import elementwise
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    cos,
    divide,
    equal,
    exp,
    greater,
    less,
    log,
    multiply,
    negative,
    power,
    sign,
    sin,
    subtract,
    where,
)  # fmt: skip

GRADIENT.update(
    add=lambda g, out, x, y: (g, g),
    subtract=lambda g, out, x, y: (g, negative(g)),
    multiply=lambda g, out, x, y: (multiply(g, y), multiply(g, x)),
    divide=lambda g, out, x, y: (divide(g, y), negative(divide(multiply(g, out), y))),
    negative=lambda g, out, x: (negative(g),),
    abs=lambda g, out, x: (multiply(g, sign(x)),),
    square=lambda g, out, x: (multiply(multiply(g, x), 2),),
    exp=lambda g, out, x: (multiply(g, out),),
    expm1=lambda g, out, x: (multiply(g, add(out, 1)),),
    log=lambda g, out, x: (divide(g, x),),
    log1p=lambda g, out, x: (divide(g, add(x, 1)),),
    square_root=lambda g, out, x: (divide(multiply(g, 0.5), out),),
    sin=lambda g, out, x: (multiply(g, cos(x)),),
    cos=lambda g, out, x: (negative(multiply(g, sin(x))),),
    tanh=lambda g, out, x: (multiply(g, subtract(1, multiply(out, out))),),
    sigmoid=lambda g, out, x: (multiply(g, multiply(out, subtract(1, out))),),
    erf=lambda g, out, x: (multiply(multiply(g, 2 / math.sqrt(math.pi)), exp(negative(multiply(x, x)))),),
    erfinv=lambda g, out, x: (multiply(multiply(g, math.sqrt(math.pi) / 2), exp(multiply(out, out))),),
    where=lambda g, out, c, x, y: (None, where(c, g, 0), where(c, 0, g)),
    host_print=lambda g, out, x, message, serial: (g,),
    identity=lambda g, out, x, name=None: (g,),
    mod=lambda g, out, x, y: (g, negative(multiply(g, elementwise.floor(divide(x, y))))),
)


@gradient_of("relu")
def relu_vjp(g: Any, out: Any, x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    if max_value is None and threshold == 0 and isinstance(alpha, float | int) and alpha == 0:
        return (elementwise.relu_gradient(g, out),)  # by the result: what x was need not be kept
    inside = where(greater(x, threshold), g, 0)
    if max_value is not None:
        inside = where(greater(x, max_value), 0, inside)
    if alpha is None or (isinstance(alpha, float | int) and alpha == 0):
        return (inside,)
    return (add(inside, where(less(x, threshold), multiply(g, alpha), 0)),)


@gradient_of("power")
def power_vjp(g: Any, out: Any, x: Any, y: Any) -> Any:
    base = multiply(multiply(g, y), power(x, subtract(y, 1)))
    base = where(equal(y, 0), 0, base)  # x**0 is 1 for every x, 0 included
    positive = greater(x, 0)
    exponent = where(positive, multiply(multiply(g, out), log(where(positive, x, 1))), 0)
    return base, exponent


def _chosen_vjp(better: Callable[..., Any]) -> Rule:
    """The rule of a choice between two: `g` to the chosen one, at a tie half of it to each (decision D9)."""

    def rule(g: Any, out: Any, x: Any, y: Any) -> Any:
        tie = where(equal(x, y), multiply(g, 0.5), 0)
        return where(better(x, y), g, tie), where(better(y, x), g, tie)

    return rule


GRADIENT["maximum"], GRADIENT["minimum"] = _chosen_vjp(greater), _chosen_vjp(less)


@gradient_of("cast")
def cast_vjp(g: Any, out: Any, x: Any, dtype: str) -> Any:
    return (cast(g, x.dtype),)
