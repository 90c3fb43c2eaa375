"""Elementary functions and arithmetic of integers that NumPy and Keras 3 name, each made of other ops.

Adapters bring the functions of their engines; the bodies here give the same numbers on an engine that has none.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import dtypes
from keras_front.backend.declare import Tensor, composite
from keras_front.backend.ops.arrangement import expand_dims
from keras_front.backend.ops.elementwise import (
    abs,
    add,
    cast,
    divide,
    equal,
    erf,
    exp,
    floor_divide,
    greater,
    greater_equal,
    isnan,
    less,
    log,
    log1p,
    logical_and,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    sign,
    sin,
    square_root,
    subtract,
    where,
)
from keras_front.backend.ops.functions import logaddexp
from keras_front.backend.ops.reduction import mean
from keras_front.errors import DtypeError

# Numerator and denominator of (arctan(t) / t - 1) / t^2 for |t| <= 0.66 (Cephes, `atan.c`).
_ARCTAN = (
    (-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1, -1.228866684490136173410e2,
     -6.485021904942025371773e1),
    (1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2,
     1.945506571482613964425e2),
)  # fmt: skip


def _polynomial(z: Any, coefficients: tuple[float, ...]) -> Any:
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = add(multiply(z, total), c)
    return total


def _in_single(body: Callable[..., Any]) -> Callable[..., Any]:
    """The body of an op, which computes floats of 16 bits in float32: its steps would lose too many of theirs."""

    @functools.wraps(body)
    def run(*args: Any) -> Any:
        name = dtypes.canonical(args[0].dtype)
        if name not in dtypes.HALVES:
            return body(*args)
        return cast(body(*(cast(x, "float32") for x in args)), name)

    return run


# Angles --------------------------------------------------------------------------------------------------------


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def arctan(x: Tensor):
    """The angle whose tangent is x, from -pi/2 to pi/2.

    Args:
        x: tensor, array or number.

    Source: Cody & Waite (1980), chapter 11; the rational function is that of Cephes.
    Example:
        >>> K.arctan(np.array([1.0])).round(4).tolist()
        [0.7854]
    """
    size = abs(x)
    far, middle = greater(size, 1 + math.sqrt(2)), greater(size, 0.66)
    t = where(middle, divide(subtract(size, 1), add(size, 1)), size)
    t = where(far, divide(-1.0, where(far, size, 1)), where(far, 0, t))
    start = multiply(add(*(cast(reached, dtypes.canonical(x.dtype)) for reached in (far, middle))), math.pi / 4)
    z = multiply(t, t)
    ratio = divide(_polynomial(z, _ARCTAN[0]), _polynomial(z, _ARCTAN[1]))
    return multiply(sign(x), add(start, add(t, multiply(multiply(t, z), ratio))))


@composite(floats=True, elementwise=True, fresh=True, warns=True)
@_in_single
def arcsin(x: Tensor):
    """The angle whose sine is x, from -pi/2 to pi/2; NaN beyond -1 and 1.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.arcsin(np.array([0.0, 1.0]))).round(3))
        [0.    1.571]
    """
    return multiply(2, arctan(divide(x, add(1, square_root(multiply(subtract(1, x), add(1, x)))))))


@composite(floats=True, elementwise=True, fresh=True, warns=True)
@_in_single
def arccos(x: Tensor):
    """The angle whose cosine is x, from 0 to pi; NaN beyond -1 and 1.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.arccos(np.array([1.0, 0.0]))).round(3))
        [0.    1.571]
    """
    return multiply(2, arctan(square_root(divide(subtract(1, x), add(1, x)))))


@composite(floats=True, elementwise=True, fresh=True, warns=True)
@_in_single
def arccosh(x: Tensor):
    """The number from 0 up whose hyperbolic cosine is x; NaN below 1.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.arccosh(np.array([1.0, 2.0]))).round(3))
        [0.    1.317]
    """
    t = subtract(x, 1)
    return log1p(add(t, multiply(square_root(t), square_root(add(t, 2)))))


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def arctan2(x: Tensor, y: Tensor):
    """The angle of the point whose vertical coordinate is x and whose horizontal one is y, from -pi to pi.

    Args:
        x: the vertical coordinate, as in `numpy.arctan2`.
        y: the horizontal coordinate.

    Example:
        >>> K.arctan2(np.array([1.0]), np.array([-1.0])).round(4).tolist()
        [2.3562]
    """
    up, along = abs(x), abs(y)
    steep = greater(up, along)
    large, small = where(steep, up, along), where(steep, along, up)  # chosen, so that gradients hold on diagonals
    none = equal(large, 0)
    angle = arctan(divide(where(none, 0, small), where(none, 1, large)))
    angle = where(steep, subtract(math.pi / 2, angle), angle)
    angle = where(signbit(y), subtract(math.pi, angle), angle)
    return where(signbit(x), negative(angle), angle)


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def deg2rad(x: Tensor):
    """Degrees as radians.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.deg2rad(np.array([0.0, 180.0]))).round(3))
        [0.    3.142]
    """
    return multiply(x, math.pi / 180)


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def rad2deg(x: Tensor):
    """Radians as degrees.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.rad2deg(np.array([0.0, np.pi]))).round(3))
        [  0. 180.]
    """
    return multiply(x, 180 / math.pi)


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def hypot(x: Tensor, y: Tensor):
    """The length of the diagonal of a rectangle, `sqrt(x^2 + y^2)`, without overflow; infinite if one side is.

    Args:
        x: one side.
        y: the other side.

    Example:
        >>> K.hypot(np.array([3.0]), np.array([4.0])).tolist()
        [5.0]
    """
    x, y = abs(x), abs(y)
    large = maximum(x, y)
    scale = where(equal(large, 0), 1, large)
    part = divide(minimum(x, y), scale)
    length = multiply(large, square_root(add(1, multiply(part, part))))
    return where(logical_or(equal(x, np.inf), equal(y, np.inf)), np.inf, length)


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def sinc(x: Tensor):
    """`sin(pi x) / (pi x)`, and 1 at 0.

    Args:
        x: tensor, array or number.

    Example:
        >>> print(np.asarray(K.sinc(np.array([0.0, 0.5]))).round(3))
        [1.    0.637]
    """
    none = equal(x, 0)
    angle = multiply(where(none, 1, x), math.pi)
    return where(none, 1, divide(sin(angle), angle))


# Powers --------------------------------------------------------------------------------------------------------


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def cbrt(x: Tensor):
    """The cube root, also of negative numbers.

    Args:
        x: tensor, array or number.

    Example:
        >>> K.cbrt(np.array([-27.0])).round(4).tolist()
        [-3.0]
    """
    size = abs(x)
    near = logical_and(greater(size, 0), less(size, np.inf))
    whole = where(near, size, 1)
    root = power(whole, 1 / 3)
    root = subtract(root, divide(subtract(root, divide(divide(whole, root), root)), 3))
    return where(near, multiply(sign(x), root), x)


@composite(floats=True, elementwise=True, fresh=True, warns=True)
@_in_single
def exp2(x: Tensor):
    """`2^x`.

    Args:
        x: tensor, array or number.

    Example:
        >>> K.exp2(np.array([0.0, 3.0])).tolist()
        [1.0, 8.0]
    """
    return power(2.0, x)


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def logaddexp2(x: Tensor, y: Tensor):
    """`log2(2^x + 2^y)`, without overflow.

    Args:
        x: tensor, array or number.
        y: tensor, array or number.

    Example:
        >>> K.logaddexp2(np.array([3.0]), np.array([3.0])).tolist()
        [4.0]
    """
    two = math.log(2)
    return divide(logaddexp(multiply(x, two), multiply(y, two)), two)


@composite(promote=("x",), floats=True, elementwise=True, fresh=True)
def ldexp(x: Tensor, y: Tensor):
    """`x * 2^y`.

    Args:
        x: tensor, array or number.
        y: integers.

    Example:
        >>> K.ldexp(np.array([3.0]), np.array([2])).tolist()
        [12.0]
    """
    return multiply(x, power(2.0, cast(y, dtypes.canonical(x.dtype))))


# Error function and Bessel function ----------------------------------------------------------------------------


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def erfc(x: Tensor):
    """`1 - erf(x)`, without its rounding for large x.

    Args:
        x: tensor, array or number.

    Source: Abramowitz & Stegun (1964), 7.1.14, the continued fraction, from 2 up.

    Example:
        >>> print(np.asarray(K.erfc(np.array([0.0, 1.0]))).round(3))
        [1.    0.157]
    """
    far = maximum(x, 2)
    tail: Any = 0.0
    for k in range(60, 0, -1):
        tail = divide(k / 2, add(far, tail))
    tail = divide(exp(negative(multiply(far, far))), multiply(add(far, tail), math.sqrt(math.pi)))
    return where(greater(x, 2), tail, subtract(1, erf(x)))


@composite(floats=True, elementwise=True, fresh=True, warns=True)
@_in_single
def erfinv(x: Tensor):
    """The number whose error function is x; NaN beyond -1 and 1, infinite there.

    Args:
        x: tensor, array or number.

    Source: Winitzki (2008) for a first guess, and four steps of Halley's method from there.

    Example:
        >>> print(np.asarray(K.erfinv(np.array([0.0, 0.5]))).round(3))
        [0.    0.477]
    """
    size = abs(x)
    inside = less(size, 1)
    rest = subtract(1, where(inside, size, 0.5))  # of the way to 1
    logarithm = log(multiply(rest, subtract(2, rest)))
    half = add(2 / (math.pi * 0.147), multiply(logarithm, 0.5))
    guess = square_root(subtract(square_root(subtract(multiply(half, half), divide(logarithm, 0.147))), half))
    small = less(size, 0.5)
    guess = where(small, multiply(size, math.sqrt(math.pi) / 2), guess)
    for _ in range(4):
        miss = where(small, subtract(erf(guess), size), subtract(rest, erfc(guess)))
        error = divide(miss, multiply(2 / math.sqrt(math.pi), exp(negative(multiply(guess, guess)))))
        guess = subtract(guess, divide(error, add(1, multiply(guess, error))))
    found = multiply(sign(x), guess)
    return where(inside, found, multiply(where(equal(size, 1), x, np.nan), np.inf))


@composite(floats=True, elementwise=True, fresh=True)
@_in_single
def i0(x: Tensor):
    """The modified Bessel function of the first kind and order 0.

    Args:
        x: tensor, array or number.

    Source: Abramowitz & Stegun (1964), 9.6.16 by the trapezoidal rule up to 30, 9.7.1 beyond.

    Example:
        >>> print(np.asarray(K.i0(np.array([0.0, 1.0]))).round(3))
        [1.    1.266]
    """
    size = abs(x)
    near, far = minimum(size, 30), maximum(size, 30)
    angles = np.cos((np.arange(64) + 0.5) * (math.pi / 128))
    waves = multiply(expand_dims(near, axis=-1), cast(angles, dtypes.canonical(x.dtype)))
    integral = mean(multiply(add(exp(waves), exp(negative(waves))), 0.5), axis=-1)
    term: Any = 1.0
    series: Any = 1.0
    for k in range(1, 20):
        term = multiply(term, divide((2 * k - 1) ** 2 / (8 * k), far))
        series = add(series, term)
    series = multiply(divide(exp(far), square_root(multiply(far, 2 * math.pi))), series)
    return where(greater(size, 30), series, integral)


# Choices -------------------------------------------------------------------------------------------------------


@composite(elementwise=True, fresh=True)
def fmax(x: Tensor, y: Tensor):
    """The larger of both; where one is NaN, the other.

    Args:
        x: tensor, array or number.
        y: tensor, array or number.

    Example:
        >>> K.fmax(np.array([1.0, np.nan]), np.array([0.0, 2.0])).tolist()
        [1.0, 2.0]
    """
    return where(isnan(x), y, where(isnan(y), x, maximum(x, y)))


@composite(elementwise=True, fresh=True)
def fmin(x: Tensor, y: Tensor):
    """The smaller of both; where one is NaN, the other.

    Args:
        x: tensor, array or number.
        y: tensor, array or number.

    Example:
        >>> K.fmin(np.array([1.0, np.nan]), np.array([0.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return where(isnan(x), y, where(isnan(y), x, minimum(x, y)))


@composite(elementwise=True, fresh=True, warns=True)
def fmod(x: Tensor, y: Tensor):
    """What is left of x by y, with the sign of x.

    Args:
        x: tensor, array or number.
        y: the divisor.

    Example:
        >>> K.fmod(np.array([-7.0]), 3.0).tolist()
        [-1.0]
    """
    return multiply(sign(x), mod(abs(x), abs(y)))


@composite(elementwise=True, fresh=True)
def heaviside(x: Tensor, y: Tensor):
    """0 where x is negative, 1 where it is positive, y where it is 0.

    Args:
        x: tensor, array or number.
        y: the value at 0.

    Example:
        >>> K.heaviside(np.array([-2.0, 0.0, 3.0]), 0.5).tolist()
        [0.0, 0.5, 1.0]
    """
    return where(isnan(x), x, where(less(x, 0), 0, where(greater(x, 0), 1, y)))


@composite(floats=True, elementwise=True, fresh=True)
def divide_no_nan(x: Tensor, y: Tensor):
    """`x / y`, and 0 where y is 0.

    Args:
        x: the dividend.
        y: the divisor.

    Example:
        >>> K.divide_no_nan(np.array([1.0, 2.0]), np.array([0.0, 4.0])).tolist()
        [0.0, 0.5]
    """
    none = equal(y, 0)
    return where(none, 0, divide(x, where(none, 1, y)))


@composite(promote=(), elementwise=True, fresh=True)
def signbit(x: Tensor):
    """Whether the sign of x is a minus, that of -0.0 and of NaN too.

    Args:
        x: tensor, array or number.

    Returns: a tensor of bools.

    Example:
        >>> K.signbit(np.array([-1.0, 0.0, -0.0])).tolist()
        [True, False, True]
    """
    if not dtypes.is_float(dtypes.canonical(x.dtype)):
        return less(cast(x, "int64"), 0)
    negative_zero = logical_and(equal(x, 0), less(divide(1.0, where(equal(x, 0), x, 1)), 0))
    return logical_or(less(x, 0), negative_zero)


# Integers ------------------------------------------------------------------------------------------------------


@composite(elementwise=True, fresh=True)
def gcd(x: Tensor, y: Tensor):
    """The greatest common divisor; that of 0 and 0 is 0.

    Args:
        x: integers.
        y: integers.

    Source: Euclid; the smaller number more than halves in two steps.

    Example:
        >>> K.gcd(np.array([12, 7]), 8).tolist()
        [4, 1]
    """
    a, b = _sizes(_integers("gcd", x), y)
    for _ in range(3 * _bits(a) // 2):
        none = equal(b, 0)
        a, b = where(none, a, b), where(none, 0, mod(a, where(none, 1, b)))
    return _sizes(a, a)[0]  # the least integer has no size, and its remainders have its sign


@composite(elementwise=True, fresh=True)
def lcm(x: Tensor, y: Tensor):
    """The least common multiple; that of 0 and anything is 0.

    Args:
        x: integers.
        y: integers.

    Example:
        >>> K.lcm(np.array([4, 6]), 10).tolist()
        [20, 30]
    """
    a, b = _sizes(_integers("lcm", x), y)
    common = gcd(a, b)
    return multiply(floor_divide(a, where(equal(common, 0), 1, common)), b)


@composite(elementwise=True, fresh=True)
def bitwise_and(x: Tensor, y: Tensor):
    """The bits that both have.

    Args:
        x: integers or bools.
        y: integers or bools.

    Example:
        >>> K.bitwise_and(np.array([6, 5]), 3).tolist()
        [2, 1]
    """
    return _by_bits("bitwise_and", lambda a, b: multiply(a, b), x, y)


@composite(elementwise=True, fresh=True)
def bitwise_or(x: Tensor, y: Tensor):
    """The bits that one of them has, or both.

    Args:
        x: integers or bools.
        y: integers or bools.

    Example:
        >>> K.bitwise_or(np.array([6, 5]), 3).tolist()
        [7, 7]
    """
    return _by_bits("bitwise_or", maximum, x, y)


@composite(elementwise=True, fresh=True)
def bitwise_xor(x: Tensor, y: Tensor):
    """The bits that one of them has and the other has not.

    Args:
        x: integers or bools.
        y: integers or bools.

    Example:
        >>> K.bitwise_xor(np.array([6, 5]), 3).tolist()
        [5, 6]
    """
    return _by_bits("bitwise_xor", lambda a, b: mod(add(a, b), 2), x, y)


@composite(elementwise=True, fresh=True)
def bitwise_not(x: Tensor):
    """The bits that it has not: `-1 - x` of signed integers.

    Args:
        x: integers or bools.

    Example:
        >>> K.bitwise_not(np.array([0, 1])).tolist()
        [-1, -2]
    """
    name = dtypes.canonical(_integers("bitwise_not", x).dtype)
    if name == "bool":
        return equal(x, False)
    return subtract(np.asarray(-1 if name in dtypes.SIGNED else np.iinfo(name).max, name), x)


@composite(elementwise=True, fresh=True)
def left_shift(x: Tensor, y: Tensor):
    """The bits moved to the left by y places: `x * 2^y`.

    Args:
        x: integers.
        y: how far; beyond the width, and for a negative number, nothing is left.

    Example:
        >>> K.left_shift(np.array([1, 3]), 2).tolist()
        [4, 12]
    """
    shifted = multiply(_integers("left_shift", x), _two_to(y))
    return where(_is_beyond(y, np.dtype(dtypes.canonical(x.dtype)).itemsize * 8), 0, shifted)


@composite(elementwise=True, fresh=True)
def right_shift(x: Tensor, y: Tensor):
    """The bits moved to the right by y places: `x // 2^y`.

    Args:
        x: integers.
        y: how far; beyond the width, and for a negative number, the sign alone is left.

    Example:
        >>> K.right_shift(np.array([8, 9]), 2).tolist()
        [2, 2]
    """
    name = dtypes.canonical(_integers("right_shift", x).dtype)
    left = where(less(x, 0), np.asarray(-1, name), np.asarray(0, name)) if name in dtypes.SIGNED else 0
    return where(_is_beyond(y, _bits(x)), left, floor_divide(x, _two_to(y)))


def _is_beyond(y: Any, places: int) -> Any:
    return logical_or(less(y, 0), greater_equal(y, places))


def _sizes(x: Any, y: Any) -> tuple[Any, Any]:
    """Two integers without their signs."""
    return (abs(x), abs(y)) if dtypes.canonical(x.dtype) in dtypes.SIGNED else (x, y)


def _two_to(y: Any) -> Any:
    """`2^y` by squaring, exact in the dtype of y."""
    result = where(equal(y, y), np.asarray(1, dtypes.canonical(y.dtype)), y)
    for k in range(6):
        bit = equal(mod(floor_divide(y, 2**k), 2), 1)
        factor = np.asarray(2 ** (2**k) if 2**k < _bits(y) else 0, dtypes.canonical(y.dtype))
        result = where(bit, multiply(result, factor), result)
    return result


def _integers(name: str, x: Any) -> Any:
    if not dtypes.canonical(x.dtype).startswith(("int", "uint", "bool")):
        raise DtypeError(f"{name}: expected integers, received {dtypes.canonical(x.dtype)}.")
    return x


def _bits(x: Any) -> int:
    name = dtypes.canonical(x.dtype)
    return 1 if name == "bool" else np.iinfo(name).bits - (name in dtypes.SIGNED)


def _by_bits(name: str, combine: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """A function of each bit. Halves are rounded down, so that negative numbers have the bits of two's complement."""
    dtype = dtypes.canonical(_integers(name, x).dtype)
    if dtype == "bool":
        return equal(combine(cast(x, "int32"), cast(y, "int32")), 1)
    total: Any = None
    for k in range(_bits(x)):
        bit = multiply(combine(mod(x, 2), mod(y, 2)), np.asarray(2**k, dtype))
        total = bit if total is None else add(total, bit)
        x, y = floor_divide(x, 2), floor_divide(y, 2)
    if dtype not in dtypes.SIGNED:
        return total
    sign_bit = combine(mod(x, 2), mod(y, 2))
    return add(total, multiply(sign_bit, np.asarray(np.iinfo(dtype).min, dtype)))
