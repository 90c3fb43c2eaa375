"""Arithmetic that TensorFlow refuses for some integers, or leaves open: as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_SIGNED = frozenset((tf.int8, tf.int16, tf.int32, tf.int64))


def _without_zero(divided: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    none = tf.equal(y, 0)
    return tf.where(none, tf.zeros_like(y), divided(x, tf.where(none, tf.ones_like(y), y)))


def _rounded_down(x: Any, y: Any) -> Any:
    """The quotient of floats rounded down: -1 where it is negative and smaller than anything, NaN of infinities."""
    below = tf.math.is_inf(y) & tf.math.is_finite(x) & (tf.not_equal(x, 0)) & tf.not_equal(x < 0, y < 0)
    x = tf.where(tf.math.is_inf(x) & tf.not_equal(y, 0), tf.constant(np.nan, x.dtype), x)
    return tf.where(below, -tf.ones_like(y), tf.math.floordiv(x, y))


def _bits(x: Any) -> Any:
    return tf.constant(8 * x.dtype.size, x.dtype)


class Integers:
    """The methods; `TensorFlowBackend` inherits them."""

    def floor_divide(self, x: Any, y: Any) -> Any:
        return _rounded_down(x, y) if x.dtype.is_floating else _without_zero(tf.math.floordiv, x, y)

    def mod(self, x: Any, y: Any) -> Any:
        return tf.math.floormod(x, y) if x.dtype.is_floating else _without_zero(tf.math.floormod, x, y)

    def power(self, x: Any, y: Any) -> Any:
        if not x.dtype.is_integer:
            return tf.pow(x, y)
        if x.dtype.is_unsigned:
            return tf.cast(tf.pow(tf.cast(x, tf.int64), tf.cast(y, tf.int64)), x.dtype)
        one, negative = tf.ones_like(y), y < 0
        turned = tf.where(tf.equal(tf.math.floormod(y, 2), 0), one, -one)
        inverse = tf.where(tf.equal(x, 1), one, tf.where(tf.equal(x, -1), turned, tf.zeros_like(y)))
        return tf.where(negative, inverse, tf.pow(x, tf.where(negative, tf.zeros_like(y), y)))

    def left_shift(self, x: Any, y: Any) -> Any:
        far = (y < 0) | (y >= _bits(y))
        return tf.where(far, tf.zeros_like(x), tf.bitwise.left_shift(x, tf.where(far, tf.zeros_like(y), y)))

    def right_shift(self, x: Any, y: Any) -> Any:
        far = (y < 0) | (y >= _bits(y))
        moved = tf.bitwise.right_shift(x, tf.where(far, tf.zeros_like(y), y))
        none = tf.zeros_like(x)
        return tf.where(far, tf.where(x < 0, none - 1, none) if x.dtype in _SIGNED else none, moved)


def total_order(x: Any) -> Any:
    """Integers in the order of floats: zeros are equal, NaN comes last."""
    x = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    kind, last = (tf.int32, 0x7FFFFFFF) if x.dtype == tf.float32 else (tf.int64, 0x7FFFFFFFFFFFFFFF)
    x = tf.where(tf.equal(x, 0), tf.zeros_like(x), x)  # adding 0 is optimized away in a program
    bits = tf.bitcast(x, kind)
    placed = tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, tf.constant(last, kind)), bits)
    return tf.where(tf.math.is_nan(x), tf.constant(last, kind), placed)
