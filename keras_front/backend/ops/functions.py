"""Functions of each element beside those that every engine has: hyperbolic ones, logarithms, activations."""

from __future__ import annotations

import math

from keras_front.backend.declare import Tensor, composite
from keras_front.backend.ops.elementwise import (
    abs,
    add,
    cast,
    cos,
    divide,
    equal,
    exp,
    expm1,
    floor,
    greater,
    isfinite,
    isnan,
    less,
    log,
    log1p,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    relu,
    sign,
    sin,
    softplus,
    square_root,
    subtract,
    tanh,
    where,
)


@composite
def isinf(x: Tensor):
    """Whether x is plus or minus infinity.

    Args:
        x: a tensor.

    Returns: a bool tensor of the shape of x.

    Example:
        >>> K.isinf(np.array([1.0, -np.inf])).tolist()
        [False, True]
    """
    return logical_not(logical_or(isfinite(x), isnan(x)))


@composite(promote=())
def logical_xor(x: Tensor, y: Tensor):
    """Whether exactly one is true (not 0).

    Args:
        x: a tensor.
        y: a tensor that broadcasts to x.

    Returns: a bool tensor of the broadcast shape.

    Example:
        >>> K.logical_xor(np.array([True, True]), np.array([True, False])).tolist()
        [False, True]
    """
    return not_equal(cast(x, "bool"), cast(y, "bool"))


@composite(floats=True)
def tan(x: Tensor):
    """The tangent.

    Args:
        x: angles in radians; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.tan(np.array([0.0, 1.0]))).round(3))
        [0.    1.557]
    """
    return divide(sin(x), cos(x))


@composite(floats=True)
def sinh(x: Tensor):
    """The hyperbolic sine, exact for small x.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.sinh(np.array([0.0, 1.0]))).round(3))
        [0.    1.175]
    """
    return multiply(subtract(expm1(x), expm1(negative(x))), 0.5)


@composite(floats=True)
def cosh(x: Tensor):
    """The hyperbolic cosine.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.cosh(np.array([0.0, 1.0]))).round(3))
        [1.    1.543]
    """
    grown = exp(abs(x))
    return multiply(add(grown, divide(1, grown)), 0.5)


@composite(floats=True)
def arcsinh(x: Tensor):
    """The inverse of `sinh`, exact for small x; no square overflows for large ones.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.arcsinh(np.array([0.0, 1.0]))).round(3))
        [0.    0.881]
    """
    below = less(x, 0)  # not by `abs` and `sign`, whose gradients at 0 are 0
    size = where(below, negative(x), x)
    large = greater(size, 1)
    near, wide = where(large, 1, size), where(large, size, 1)
    far = divide(1, wide)
    square = multiply(near, near)
    close = log1p(add(near, divide(square, add(1, square_root(add(square, 1))))))
    away = add(log(add(1, square_root(add(1, multiply(far, far))))), log(wide))
    result = where(large, away, close)
    return where(below, negative(result), result)


@composite(floats=True)
def arctanh(x: Tensor):
    """The inverse of `tanh`; infinite at -1 and 1, NaN beyond.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.arctanh(np.array([0.0, 0.5]))).round(3))
        [0.    0.549]
    """
    return multiply(0.5, subtract(log1p(x), log1p(negative(x))))


@composite(floats=True)
def log2(x: Tensor):
    """The logarithm to base 2.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.log2(np.array([1.0, 8.0]))).round(3))
        [0. 3.]
    """
    return multiply(log(x), 1 / math.log(2))


@composite(floats=True)
def log10(x: Tensor):
    """The logarithm to base 10.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.log10(np.array([1.0, 1000.0]))).round(3))
        [0. 3.]
    """
    return multiply(log(x), 1 / math.log(10))


@composite(floats=True)
def logaddexp(x: Tensor, y: Tensor):
    """`log(exp(x) + exp(y))`, without overflow.

    Args:
        x: a tensor; integers become floats first.
        y: a tensor that broadcasts to x.

    Returns: a float tensor of the broadcast shape.

    Example:
        >>> print(np.asarray(K.logaddexp(np.array([0.0]), np.array([0.0]))).round(3))
        [0.693]
    """
    same = equal(x, y)  # also where both are infinite
    apart = subtract(where(same, 0, x), where(same, 0, y))
    return add(maximum(x, y), log1p(exp(negative(abs(apart)))))


@composite
def trunc(x: Tensor):
    """`x` without its fraction, toward zero.

    Args:
        x: a tensor.

    Returns: a tensor of the shape and dtype of x.

    Example:
        >>> K.trunc(np.array([-1.7, 1.7])).tolist()
        [-1.0, 1.0]
    """
    return multiply(sign(x), floor(abs(x)))


@composite(floats=True)
def mish(x: Tensor):
    """`x * tanh(softplus(x))`.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Source: Misra (2019).

    Example:
        >>> print(np.asarray(K.mish(np.array([-1.0, 0.0, 1.0]))).round(3))
        [-0.303  0.     0.865]
    """
    return multiply(x, tanh(softplus(x)))


@composite(floats=True)
def relu6(x: Tensor):
    """The rectifier, cut at 6; NaN stays NaN.

    Args:
        x: a tensor; integers become floats first.

    Returns: a float tensor of the shape of x.

    Example:
        >>> K.relu6(np.array([-1.0, 3.0, 9.0])).tolist()
        [0.0, 3.0, 6.0]
    """
    return minimum(relu(x), 6.0)
