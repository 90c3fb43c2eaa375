"""Ops that treat each element alone: arithmetic, comparisons, functions, activations."""

from __future__ import annotations

import math

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.declare import DType, Tensor, composite, primitive

# Arithmetic ----------------------------------------------------------------------------------------------------


@primitive(shapes.elementwise)
def add(x: Tensor, y: Tensor):
    """`x + y`, broadcast."""


@primitive(shapes.elementwise)
def subtract(x: Tensor, y: Tensor):
    """`x - y`, broadcast."""


@primitive(shapes.elementwise)
def multiply(x: Tensor, y: Tensor):
    """`x * y`, broadcast."""


@primitive(shapes.elementwise, floats=True, warns=True)
def divide(x: Tensor, y: Tensor):
    """`x / y`, broadcast; integers become floats first. Division by zero gives infinity or NaN."""


@primitive(shapes.elementwise, warns=True)
def floor_divide(x: Tensor, y: Tensor):
    """The quotient rounded toward minus infinity, also for negative integers (as Python's `//`)."""


@primitive(shapes.elementwise, warns=True)
def mod(x: Tensor, y: Tensor):
    """The remainder with the sign of `y` (as Python's `%`)."""


@primitive(shapes.elementwise, warns=True)
def power(x: Tensor, y: Tensor):
    """`x ** y`, broadcast. A negative float to a fractional power is NaN."""


@primitive(shapes.elementwise)
def maximum(x: Tensor, y: Tensor):
    """The larger of both; NaN if one is. At a tie the gradient goes to both sides in halves."""


@primitive(shapes.elementwise)
def minimum(x: Tensor, y: Tensor):
    """The smaller of both; NaN if one is. At a tie the gradient goes to both sides in halves."""


@primitive(shapes.same)
def negative(x: Tensor):
    """`-x`."""


@primitive(shapes.same)
def abs(x: Tensor):
    """The absolute value; its gradient at 0 is 0."""


@primitive(shapes.same)
def sign(x: Tensor):
    """-1, 0 or 1."""


@composite(elementwise=True, fresh=True)
def square(x: Tensor):
    """`x * x`."""
    return multiply(x, x)


@composite(elementwise=True)
def pow(x: Tensor, a: Tensor):
    """`x` to the power `a`; the constants 1, 2 and 0.5 become the cheaper op."""
    constant = getattr(a, "constant", None)
    exponent = float(constant) if isinstance(constant, np.ndarray) and constant.ndim == 0 else None
    if exponent == 2:
        return multiply(x, x)
    if exponent == 1:
        return x
    return sqrt(x) if exponent == 0.5 else power(x, a)


# Functions -----------------------------------------------------------------------------------------------------


@primitive(shapes.same, floats=True, warns=True)
def exp(x: Tensor):
    """The exponential."""


@primitive(shapes.same, floats=True, warns=True)
def expm1(x: Tensor):
    """`exp(x) - 1`, exact for small x."""


@primitive(shapes.same, floats=True, warns=True)
def log(x: Tensor):
    """The natural logarithm; -inf at 0, NaN below."""


@primitive(shapes.same, floats=True, warns=True)
def log1p(x: Tensor):
    """`log(1 + x)`, exact for small x."""


@primitive(shapes.same, floats=True, warns=True)
def sqrt(x: Tensor):
    """The square root; NaN for negative x."""


@primitive(shapes.same, floats=True, warns=True)
def sin(x: Tensor):
    """The sine, x in radians."""


@primitive(shapes.same, floats=True, warns=True)
def cos(x: Tensor):
    """The cosine, x in radians."""


@primitive(shapes.same, floats=True)
def tanh(x: Tensor):
    """The hyperbolic tangent."""


@primitive(shapes.same, floats=True)
def sigmoid(x: Tensor):
    """`1 / (1 + exp(-x))`, without overflow."""


@primitive(shapes.same, floats=True)
def erf(x: Tensor):
    """The error function."""


@primitive(shapes.same, fresh=False)
def floor(x: Tensor):
    """The largest integer not above x."""


@primitive(shapes.same, fresh=False)
def ceil(x: Tensor):
    """The smallest integer not below x."""


@primitive(shapes.same, fresh=False)
def round(x: Tensor):
    """The nearest integer, halves to the even one."""


@composite(floats=True, elementwise=True, fresh=True, warns=True)
def rsqrt(x: Tensor):
    """`1 / sqrt(x)`."""
    return divide(1.0, sqrt(x))


# Comparison and logic ------------------------------------------------------------------------------------------


@primitive(shapes.compare)
def equal(x: Tensor, y: Tensor):
    """Whether `x == y`, element by element; NaN equals nothing."""


@primitive(shapes.compare)
def not_equal(x: Tensor, y: Tensor):
    """Whether `x != y`, element by element."""


@primitive(shapes.compare)
def less(x: Tensor, y: Tensor):
    """Whether `x < y`, element by element."""


@primitive(shapes.compare)
def less_equal(x: Tensor, y: Tensor):
    """Whether `x <= y`, element by element."""


@primitive(shapes.compare)
def greater(x: Tensor, y: Tensor):
    """Whether `x > y`, element by element."""


@primitive(shapes.compare)
def greater_equal(x: Tensor, y: Tensor):
    """Whether `x >= y`, element by element."""


@primitive(shapes.to_bool)
def isnan(x: Tensor):
    """Whether x is not a number."""


@primitive(shapes.to_bool)
def isfinite(x: Tensor):
    """Whether x is neither infinite nor NaN."""


@primitive(shapes.compare)
def logical_and(x: Tensor, y: Tensor):
    """Whether both are true; arguments are bool tensors."""


@primitive(shapes.compare)
def logical_or(x: Tensor, y: Tensor):
    """Whether one or both are true; arguments are bool tensors."""


@primitive(shapes.to_bool)
def logical_not(x: Tensor):
    """Whether x is false; the argument is a bool tensor."""


@primitive(shapes.select, promote=("x", "y"))
def where(condition: Tensor, x: Tensor, y: Tensor):
    """`x` where `condition` (a bool tensor) is true, else `y`; broadcast."""


@primitive(shapes.cast, fresh=False, warns=True)
def cast(x: Tensor, dtype: DType):
    """`x` in another dtype. Floats are cut toward zero on the way to integers; anything but 0 becomes True."""


@primitive(shapes.same, fresh=False)
def stop_gradient(variables: Tensor):
    """The same tensor, through which no gradient flows."""


@primitive(shapes.same, fresh=False, pure=False)
def host_print(x: Tensor, message, serial):
    """The same tensor, printed by the host after `message` whenever it is computed. `serial` numbers the calls, so that
    what a gradient computes again is not printed again."""


@composite(elementwise=True)
def identity(x: Tensor, name=None):
    """`x` itself, as a new tensor."""
    return x


# Activations ---------------------------------------------------------------------------------------------------


@composite(promote=("x",), elementwise=True, fresh=True)
def relu(x: Tensor, alpha=0.0, max_value=None, threshold=0.0):
    """The rectifier: `x` above `threshold` (cut at `max_value`), `alpha * (x - threshold)` below; NaN stays NaN.

    The gradient at 0, or at another threshold, is 0.
    """
    if alpha == 0.0 and threshold == 0.0 and max_value is None:
        return where(less_equal(x, 0), 0, x)
    kept = where(less_equal(x, threshold), 0, x)
    if max_value is not None:
        kept = clip(kept, 0.0, max_value)
    if alpha is None or (isinstance(alpha, float | int) and alpha == 0):
        return kept
    return add(kept, where(less(x, threshold), multiply(alpha, subtract(x, threshold)), 0))


@composite(elementwise=True, fresh=True)
def relu_gradient(g: Tensor, out: Tensor):
    """The gradient of the plain `relu`: `g` where its result `out` is positive, else 0."""
    return where(greater(out, 0), g, 0)


@composite(elementwise=True, fresh=True)
def leaky_relu(x: Tensor, alpha: Tensor):
    """`x` where positive, `alpha * x` elsewhere (NaN stays NaN); `alpha` may be a tensor that broadcasts to x."""
    return where(greater(x, 0), x, multiply(alpha, x))


@composite(promote=("x",), elementwise=True)
def clip(x: Tensor, min_value=None, max_value=None):
    """`x` cut to [min_value, max_value]; NaN stays NaN. The gradient is 1 within, bounds included, and 0 outside."""
    result = x
    if max_value is not None:
        if isinstance(min_value, float | int) and isinstance(max_value, float | int) and max_value < min_value:
            max_value = min_value
        result = where(greater(result, max_value), max_value, result)
    if min_value is not None:
        result = where(less(result, min_value), min_value, result)
    return result


@composite(floats=True, elementwise=True, fresh=True)
def softplus(x: Tensor):
    """`log(1 + exp(x))`, without overflow."""
    return add(maximum(x, 0), log1p(exp(negative(abs(x)))))  # halves the gradient of each part at 0


@composite(floats=True, elementwise=True, fresh=True)
def log_sigmoid(x: Tensor):
    """`log(sigmoid(x))`, without underflow."""
    return negative(softplus(negative(x)))


@composite(floats=True, elementwise=True, fresh=True)
def softsign(x: Tensor):
    """`x / (1 + |x|)`."""
    return divide(x, add(abs(x), 1))


@composite(floats=True, elementwise=True, fresh=True)
def elu(x: Tensor, alpha=1.0):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Source: Clevert et al. (2015).
    """
    return where(greater(x, 0), x, multiply(alpha, expm1(where(greater(x, 0), 0, x))))


@composite(floats=True, elementwise=True, fresh=True)
def hard_sigmoid(x: Tensor):
    """`0.2 x + 0.5`, cut to [0, 1] (Keras 1 and 2)."""
    return clip(add(multiply(x, 0.2), 0.5), 0.0, 1.0)


@composite(floats=True, elementwise=True, fresh=True)
def silu(x: Tensor):
    """`x * sigmoid(x)`, also called swish.

    Source: Ramachandran et al. (2017).
    """
    return multiply(x, sigmoid(x))


@composite(floats=True, elementwise=True, fresh=True)
def gelu(x: Tensor, approximate=False):
    """`x * P(X <= x)` for a normal X; with `approximate` by tanh.

    Source: Hendrycks & Gimpel (2016).
    """
    if approximate:
        inner = multiply(math.sqrt(2 / math.pi), add(x, multiply(0.044715, power(x, 3))))
        return multiply(multiply(0.5, x), add(1, tanh(inner)))
    return multiply(multiply(0.5, x), add(1, erf(multiply(x, math.sqrt(0.5)))))
