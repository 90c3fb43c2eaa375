"""Ops that treat each element alone: arithmetic, comparisons, functions, activations."""

from __future__ import annotations

import math

import numpy as np

from keras_front.backend import shapes
from keras_front.backend.declare import DType, Tensor, composite, primitive

# Arithmetic ----------------------------------------------------------------------------------------------------


@primitive(shapes.elementwise, neutral=(0, 0))
def add(x: Tensor, y: Tensor):
    """`x + y`, broadcast.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.add(np.array([1.0, 2.0]), 10.0).tolist()
        [11.0, 12.0]
    """


@primitive(shapes.elementwise, neutral=(None, 0))
def subtract(x: Tensor, y: Tensor):
    """`x - y`, broadcast.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.subtract(np.array([1.0, 2.0]), 1.0).tolist()
        [0.0, 1.0]
    """


@primitive(shapes.elementwise, neutral=(1, 1))
def multiply(x: Tensor, y: Tensor):
    """`x * y`, broadcast.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.multiply(np.array([1.0, 2.0]), 10.0).tolist()
        [10.0, 20.0]
    """


@primitive(shapes.elementwise, floats=True, warns=True, neutral=(None, 1))
def divide(x: Tensor, y: Tensor):
    """`x / y`, broadcast. Division by zero gives infinity or NaN.

    Args:
        x: the dividend; integers become floats first.
        y: the divisor; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.divide(np.array([1.0, 0.0]), 2.0).tolist()
        [0.5, 0.0]
    """


@primitive(shapes.elementwise, warns=True)
def floor_divide(x: Tensor, y: Tensor):
    """The quotient rounded toward minus infinity, also for negative integers (as Python's `//`).

    Args:
        x: the dividend.
        y: the divisor; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.floor_divide(np.array([7, -7]), 2).tolist()
        [3, -4]
    """


@primitive(shapes.elementwise, warns=True)
def mod(x: Tensor, y: Tensor):
    """The remainder with the sign of `y` (as Python's `%`).

    Args:
        x: the dividend.
        y: the divisor; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.mod(np.array([7, -7]), 3).tolist()
        [1, 2]
    """


@primitive(shapes.elementwise, warns=True)
def power(x: Tensor, y: Tensor):
    """`x ** y`, broadcast. A negative float to a fractional power is NaN.

    Args:
        x: the base.
        y: the exponent; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.power(np.array([2.0, 3.0]), 2.0).tolist()
        [4.0, 9.0]
    """


@primitive(shapes.elementwise)
def maximum(x: Tensor, y: Tensor):
    """The larger of both; NaN if one is. At a tie the gradient goes to both sides in halves.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.maximum(np.array([-1.0, 2.0]), 0.0).tolist()
        [0.0, 2.0]
    """


@primitive(shapes.elementwise)
def minimum(x: Tensor, y: Tensor):
    """The smaller of both; NaN if one is. At a tie the gradient goes to both sides in halves.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x; a number or an array beside a tensor takes its dtype.

    Returns: a tensor of the broadcast shape, in the dtype that both are promoted to.

    Example:
        >>> K.minimum(np.array([-1.0, 2.0]), 0.0).tolist()
        [-1.0, 0.0]
    """


@primitive(shapes.same)
def negative(x: Tensor):
    """`-x`.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.negative(np.array([1, -2])).tolist()
        [-1, 2]
    """


@primitive(shapes.same)
def abs(x: Tensor):
    """The absolute value; its gradient at 0 is 0.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.abs(np.array([-1.5, 2.0])).tolist()
        [1.5, 2.0]
    """


@primitive(shapes.same)
def sign(x: Tensor):
    """-1, 0 or 1; NaN for NaN.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.sign(np.array([-3.0, 0.0, 2.0])).tolist()
        [-1.0, 0.0, 1.0]
    """


@composite(elementwise=True, fresh=True)
def square(x: Tensor):
    """`x * x`.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.square(np.array([3.0])).tolist()
        [9.0]
    """
    return multiply(x, x)


@composite(elementwise=True)
def pow(x: Tensor, a: Tensor):
    """`x` to the power `a`; the constants 1, 2 and 0.5 become the cheaper op.

    Args:
        x: the base.
        a: the exponent, a number or a tensor that broadcasts to x.

    Returns: a tensor of the broadcast shape.

    Example:
        >>> K.pow(np.array([3.0]), 2).tolist()
        [9.0]
    """
    constant = getattr(a, "constant", None)
    exponent = float(constant) if isinstance(constant, np.ndarray) and constant.ndim == 0 else None
    if exponent == 2:
        return multiply(x, x)
    if exponent == 1:
        return x
    return square_root(x) if exponent == 0.5 else power(x, a)


# Functions -----------------------------------------------------------------------------------------------------


@primitive(shapes.same, floats=True, warns=True)
def exp(x: Tensor):
    """The exponential.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.exp(np.array([0.0])).tolist()
        [1.0]
    """


@primitive(shapes.same, floats=True, warns=True)
def expm1(x: Tensor):
    """`exp(x) - 1`, exact for small x.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.expm1(np.array([0.0, 1.0]))).round(3))
        [0.    1.718]
    """


@primitive(shapes.same, floats=True, warns=True)
def log(x: Tensor):
    """The natural logarithm; -inf at 0, NaN below.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.log(np.array([1.0])).tolist()
        [0.0]
    """


@primitive(shapes.same, floats=True, warns=True)
def log1p(x: Tensor):
    """`log(1 + x)`, exact for small x.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.log1p(np.array([0.0, 1.0]))).round(3))
        [0.    0.693]
    """


@primitive(shapes.same, floats=True, warns=True)
def square_root(x: Tensor):
    """The square root; NaN for negative x.

    Args:
        x: tensor, array or number.

    Returns: a tensor of the shape of x; integers become floats.

    Example:
        >>> K.square_root(np.array([9.0])).tolist()
        [3.0]
    """


@composite(floats=True, elementwise=True, fresh=True)
def sqrt(x: Tensor):
    """The square root; 0 for negative x, as Keras had it on every engine. `square_root` gives NaN there.

    Args:
        x: tensor, array or number.

    Returns: a tensor of the shape of x; integers become floats.

    Source: Keras 2.3.1, `keras/backend/tensorflow_backend.py`.
    Example:
        >>> K.sqrt(np.array([9.0, -1.0])).tolist()
        [3.0, 0.0]
    """
    return square_root(maximum(x, 0))


@primitive(shapes.same, floats=True, warns=True)
def sin(x: Tensor):
    """The sine.

    Args:
        x: angles in radians; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.sin(np.array([0.0, 1.0]))).round(3))
        [0.    0.841]
    """


@primitive(shapes.same, floats=True, warns=True)
def cos(x: Tensor):
    """The cosine.

    Args:
        x: angles in radians; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.cos(np.array([0.0, 1.0]))).round(3))
        [1.   0.54]
    """


@primitive(shapes.same, floats=True)
def tanh(x: Tensor):
    """The hyperbolic tangent.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.tanh(np.array([0.0])).tolist()
        [0.0]
    """


@primitive(shapes.same, floats=True)
def sigmoid(x: Tensor):
    """`1 / (1 + exp(-x))`, without overflow.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.sigmoid(np.array([0.0])).tolist()
        [0.5]
    """


@primitive(shapes.same, floats=True)
def erf(x: Tensor):
    """The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.erf(np.array([0.0, 1.0]))).round(3))
        [0.    0.843]
    """


@primitive(shapes.same, fresh=False)
def floor(x: Tensor):
    """The largest integer not above x, in the dtype of x.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.floor(np.array([1.5, -1.5])).tolist()
        [1.0, -2.0]
    """


@primitive(shapes.same, fresh=False)
def ceil(x: Tensor):
    """The smallest integer not below x, in the dtype of x.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.ceil(np.array([1.5, -1.5])).tolist()
        [2.0, -1.0]
    """


@primitive(shapes.same, fresh=False)
def round(x: Tensor):
    """The nearest integer, halves to the even one, in the dtype of x.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.round(np.array([0.5, 1.5])).tolist()
        [0.0, 2.0]
    """


@composite(floats=True, elementwise=True, fresh=True, warns=True)
def rsqrt(x: Tensor):
    """`1 / sqrt(x)`.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.rsqrt(np.array([4.0, 0.25])).tolist()
        [0.5, 2.0]
    """
    return divide(1.0, square_root(x))


# Comparison and logic ------------------------------------------------------------------------------------------


@primitive(shapes.compare)
def equal(x: Tensor, y: Tensor):
    """Whether `x == y`, element by element; NaN equals nothing.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.equal(np.array([1, 2]), 2).tolist()
        [False, True]
    """


@primitive(shapes.compare)
def not_equal(x: Tensor, y: Tensor):
    """Whether `x != y`, element by element.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.not_equal(np.array([1, 2]), 2).tolist()
        [True, False]
    """


@primitive(shapes.compare)
def less(x: Tensor, y: Tensor):
    """Whether `x < y`, element by element.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.less(np.array([1, 2, 3]), 2).tolist()
        [True, False, False]
    """


@primitive(shapes.compare)
def less_equal(x: Tensor, y: Tensor):
    """Whether `x <= y`, element by element.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.less_equal(np.array([1, 2, 3]), 2).tolist()
        [True, True, False]
    """


@primitive(shapes.compare)
def greater(x: Tensor, y: Tensor):
    """Whether `x > y`, element by element.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.greater(np.array([1, 3]), 2).tolist()
        [False, True]
    """


@primitive(shapes.compare)
def greater_equal(x: Tensor, y: Tensor):
    """Whether `x >= y`, element by element.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.greater_equal(np.array([1, 2, 3]), 2).tolist()
        [False, True, True]
    """


@primitive(shapes.to_bool)
def isnan(x: Tensor):
    """Whether x is not a number.

    Args:
        x: a tensor.

    Returns: a bool tensor of the shape of x.

    Example:
        >>> K.isnan(np.array([1.0, np.inf, np.nan])).tolist()
        [False, False, True]
    """


@primitive(shapes.to_bool)
def isfinite(x: Tensor):
    """Whether x is neither infinite nor NaN.

    Args:
        x: a tensor.

    Returns: a bool tensor of the shape of x.

    Example:
        >>> K.isfinite(np.array([1.0, np.inf, np.nan])).tolist()
        [True, False, False]
    """


@primitive(shapes.compare)
def logical_and(x: Tensor, y: Tensor):
    """Whether both are true; arguments are bool tensors.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.logical_and(np.array([True, True]), np.array([True, False])).tolist()
        [True, False]
    """


@primitive(shapes.compare)
def logical_or(x: Tensor, y: Tensor):
    """Whether one or both are true; arguments are bool tensors.

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.logical_or(np.array([True, False]), np.array([False, False])).tolist()
        [True, False]
    """


@primitive(shapes.to_bool)
def logical_not(x: Tensor):
    """Whether x is false.

    Args:
        x: a bool tensor.

    Returns: a bool tensor of the shape of x.

    Example:
        >>> K.logical_not(np.array([True, False])).tolist()
        [False, True]
    """


@primitive(shapes.select, promote=("x", "y"))
def where(condition: Tensor, x: Tensor, y: Tensor):
    """`x` where `condition` is true, else `y`; broadcast.

    A gradient flows to the chosen side alone, so an infinity on the other side does no harm.

    Args:
        condition: a bool tensor.
        x: what is taken where it is true.
        y: what is taken elsewhere.

    Returns: a tensor of the broadcast shape, in the dtype that x and y are promoted to.

    Example:
        >>> K.where(np.array([True, False]), np.array([1.0, 2.0]), 0.0).tolist()
        [1.0, 0.0]
    """


@primitive(shapes.cast, fresh=False, warns=True, keeps_elements=True)
def cast(x: Tensor, dtype: DType):
    """`x` in another dtype. Floats are cut toward zero on the way to integers; anything but 0 becomes True.

    Args:
        x: a tensor.
        dtype: the name of a dtype, a NumPy dtype, a Python type, or the engine's own.

    Returns: a tensor of the shape of x.

    Raises:
        DtypeError: no backend has such a dtype.

    Example:
        >>> K.cast(np.array([1.7, -1.7]), "int32").tolist()
        [1, -1]
    """


@primitive(shapes.same, fresh=False)
def stop_gradient(variables: Tensor):
    """The same tensor, through which no gradient flows.

    Args:
        variables: a tensor. (The name is that of Keras 2.)

    Returns: a tensor of the same values.

    Example:
        >>> value, (slope,) = K.value_and_grad(lambda v: v[0] * K.stop_gradient(v[0]), [K.constant(3.0)])
        >>> float(value), float(slope)
        (9.0, 3.0)
    """


@primitive(shapes.same, fresh=False, pure=False)
def host_print(x: Tensor, message, serial):
    """The same tensor, printed by the host after `message` whenever it is computed; `K.print_tensor` is for users.

    Args:
        x: a tensor.
        message: text that is printed before it.
        serial: the number of this call, so that what a gradient computes again is not printed again.

    Returns: a tensor of the same values.

    Example:
        >>> K.host_print(K.constant([1.0, 2.0]), "x is ", 0).shape
        x is  [1. 2.]
        (2,)
    """


@composite(elementwise=True, keeps_elements=True)
def identity(x: Tensor, name=None):
    """`x` itself, as a new tensor.

    Args:
        x: a tensor.
        name: ignored; Keras 2 named the node.

    Returns: a tensor of the same values.

    Example:
        >>> K.identity(np.array([1, 2])).tolist()
        [1, 2]
    """
    return x


# Activations ---------------------------------------------------------------------------------------------------


@composite(promote=("x",), elementwise=True, fresh=True)
def relu(x: Tensor, alpha=0.0, max_value=None, threshold=0.0):
    """The rectifier: `x` above `threshold` (cut at `max_value`), `alpha * (x - threshold)` below; NaN stays NaN.

    The gradient at 0, or at another threshold, is 0.

    Args:
        x: a tensor.
        alpha: the slope below the threshold; 0 gives the plain rectifier.
        max_value: the largest result, None for no limit.
        threshold: where the function begins to be the identity.

    Returns: a tensor of the shape and dtype of x.

    Source: Keras 2.3.1, `backend/tensorflow_backend.py`.

    Example:
        >>> K.relu(np.array([-2.0, 3.0, 9.0]), alpha=0.5, max_value=6.0).tolist()
        [-1.0, 3.0, 6.0]
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
    """The gradient of the plain `relu`: `g` where its result `out` is positive, else 0.

    Args:
        g: the gradient of the result.
        out: the result.

    Returns: a tensor of the shape of out.

    Example:
        >>> K.relu_gradient(np.array([5.0, 5.0]), np.array([0.0, 2.0])).tolist()
        [0.0, 5.0]
    """
    return where(greater(out, 0), g, 0)


@composite(elementwise=True, fresh=True)
def clip_gradient(g: Tensor, x: Tensor, lowest, highest):
    """`g` where x lies between two bounds, 0 outside; on the bounds themselves either.

    Args:
        g: the gradient of what was cut.
        x: what was cut.
        lowest: the lower bound, a number.
        highest: the upper bound, a number.

    Shape: both alike.

    Example:
        >>> K.clip_gradient(np.array([1.0, 1.0]), np.array([0.5, 2.0]), 0.0, 1.0).tolist()
        [1.0, 0.0]
    """
    return where(equal(x, minimum(maximum(x, lowest), highest)), g, 0)


@composite(elementwise=True, fresh=True)
def leaky_relu(x: Tensor, alpha: Tensor):
    """`x` where positive, `alpha * x` elsewhere; NaN stays NaN.

    Args:
        x: a tensor.
        alpha: the slope below 0, a number or a tensor that broadcasts to x (as a layer learns it).

    Returns: a tensor of the broadcast shape.

    Source: Maas et al. (2013); He et al. (2015) for a learned slope.

    Example:
        >>> K.leaky_relu(np.array([-2.0, 3.0]), 0.5).tolist()
        [-1.0, 3.0]
    """
    return where(greater(x, 0), x, multiply(alpha, x))


@composite(promote=("x",), elementwise=True)
def clip(x: Tensor, min_value=None, max_value=None):
    """`x` cut to [min_value, max_value]; NaN stays NaN. The gradient is 1 within, bounds included, and 0 outside.

    Args:
        x: a tensor.
        min_value: the lower bound, a number or a tensor; None for none.
        max_value: the upper bound, a number or a tensor; None for none. One below `min_value` counts as `min_value`.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.clip(np.array([-2.0, 0.5, 2.0]), 0.0, 1.0).tolist()
        [0.0, 0.5, 1.0]
    """
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
    """`log(1 + exp(x))`, without overflow.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.softplus(np.array([-1.0, 0.0, 1.0]))).round(3))
        [0.313 0.693 1.313]
    """
    return add(maximum(x, 0), log1p(exp(negative(abs(x)))))  # halves the gradient of each part at 0


@composite(floats=True, elementwise=True, fresh=True)
def log_sigmoid(x: Tensor):
    """`log(sigmoid(x))`, without underflow.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.log_sigmoid(np.array([0.0, 2.0]))).round(3))
        [-0.693 -0.127]
    """
    return negative(softplus(negative(x)))


@composite(floats=True, elementwise=True, fresh=True)
def softsign(x: Tensor):
    """`x / (1 + |x|)`.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.softsign(np.array([1.0, -3.0])).tolist()
        [0.5, -0.75]
    """
    return divide(x, add(abs(x), 1))


@composite(floats=True, elementwise=True, fresh=True)
def elu(x: Tensor, alpha=1.0):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: a tensor; integers become floats first.
        alpha: minus the value that negative x tend to.

    Returns: a float tensor of the shape of x.

    Source: Clevert et al. (2015).

    Example:
        >>> print(np.asarray(K.elu(np.array([-1.0, 2.0]))).round(3))
        [-0.632  2.   ]
    """
    return where(greater(x, 0), x, multiply(alpha, expm1(where(greater(x, 0), 0, x))))


@composite(floats=True, elementwise=True, fresh=True)
def hard_sigmoid(x: Tensor):
    """`0.2 x + 0.5`, cut to [0, 1] (Keras 1 and 2).

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.hard_sigmoid(np.array([-9.0, 0.0, 9.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return clip(add(multiply(x, 0.2), 0.5), 0.0, 1.0)


@composite(floats=True, elementwise=True, fresh=True)
def silu(x: Tensor):
    """`x * sigmoid(x)`, also called swish.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Source: Ramachandran et al. (2017).

    Example:
        >>> print(np.asarray(K.silu(np.array([-1.0, 0.0, 1.0]))).round(3))
        [-0.269  0.     0.731]
    """
    return multiply(x, sigmoid(x))


@composite(floats=True, elementwise=True, fresh=True)
def gelu(x: Tensor, approximate=False):
    """`x * P(X <= x)` for a standard normal X.

    Args:
        x: a tensor; integers become floats first.
        approximate: whether to take the form with tanh instead of the error function.

    Returns: a float tensor of the shape of x.

    Source: Hendrycks & Gimpel (2016).

    Example:
        >>> print(np.asarray(K.gelu(np.array([-1.0, 0.0, 1.0]))).round(3))
        [-0.159  0.     0.841]
    """
    if approximate:
        inner = multiply(math.sqrt(2 / math.pi), add(x, multiply(0.044715, power(x, 3))))
        return multiply(multiply(0.5, x), add(1, tanh(inner)))
    return multiply(multiply(0.5, x), add(1, erf(multiply(x, math.sqrt(0.5)))))
