"""Cases for the elementary functions and for arithmetic of integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front.testing.case import Case
from keras_front.testing.composites import RNG, curve

A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4,))
HOLES = np.array([np.nan, 1.0, -2.0, np.nan])
WHOLE = RNG.integers(-100, 100, (3, 4)).astype("int32")
BITS = {dtype: RNG.integers(0, 127, (2, 5)).astype(dtype) for dtype in ("int8", "uint8", "int32", "int64")}
FLAGS = np.array([[True, False], [True, True]])
PLACES = np.array([3, 0, 2, 1, 4], "int32")


def by_element(fn: Any) -> Any:
    """A function of numbers as a function of arrays of any shape."""
    return lambda x: np.array([fn(v) for v in np.asarray(x).flat], "float64").reshape(np.shape(x))


def inverse_erf(x: float) -> float:
    """By bisection, which needs no formula of its own."""
    low, high = -6.0, 6.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < x else (low, middle)
    return (low + high) / 2


def pairs(fn: Any, grads: tuple[int, ...] = (0, 1)) -> list[Case]:
    """A function of two floats: broadcast, 0-d, and with zeros."""
    return [
        Case(A, B, reference=fn, grads=grads),
        Case(A, np.asarray(0.7), reference=fn, grads=grads[:1]),
        Case(np.array([0.0, 1.0, -1.0]), np.array([2.0, 0.5, -0.5]), reference=fn),
    ]


def of_bits(fn: Any) -> list[Case]:
    """A function of two integers, of each kind of them and of bools."""
    cases = [Case(x, x[:1, ::-1].copy(), reference=fn) for x in BITS.values()]
    return [*cases, Case(WHOLE, WHOLE[:, ::-1].copy(), reference=fn), Case(FLAGS, FLAGS[::-1].copy(), reference=fn)]


ELEMENTARY = {
    "arctan": curve(np.arctan),
    "arcsin": curve(np.arcsin, low=-0.9, high=0.9, whole=False, special=False),
    "arccos": curve(np.arccos, low=-0.9, high=0.9, whole=False, special=False),
    "arccosh": curve(np.arccosh, low=1.1, high=4.0, whole=False, special=False),
    "arctan2": pairs(np.arctan2)
    + [Case(np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, -0.5]), reference=np.arctan2, grads=(0, 1))],
    "deg2rad": curve(np.deg2rad),
    "rad2deg": curve(np.rad2deg),
    "hypot": pairs(np.hypot),
    "sinc": curve(np.sinc, special=False),
    "cbrt": curve(np.cbrt, low=0.3, whole=False, special=False) + [Case(-np.abs(A), reference=np.cbrt, grads=(0,))],
    "exp2": curve(np.exp2),
    "logaddexp2": pairs(np.logaddexp2),
    "ldexp": [Case(A, WHOLE % 5, reference=np.ldexp, grads=(0,))],
    "erfc": curve(by_element(math.erfc), special=False)
    + [Case(np.array([2.5, 4.0, 5.0]), reference=by_element(math.erfc))],
    "erfinv": curve(by_element(inverse_erf), low=-0.95, high=0.95, whole=False, special=False),
    "i0": curve(np.i0, special=False, whole=False) + [Case(np.array([20.0, 40.0]), reference=np.i0)],
    "fmax": [Case(A, B, reference=np.fmax, grads=(0, 1)), Case(HOLES, HOLES[::-1].copy(), reference=np.fmax)],
    "fmin": [Case(A, B, reference=np.fmin, grads=(0, 1)), Case(HOLES, HOLES[::-1].copy(), reference=np.fmin)],
    "fmod": [
        Case(A * 5, np.array([1.5, -1.5, 2.0, 0.7]), reference=np.fmod, grads=(0,)),
        Case(WHOLE, np.array([3, -4, 5, 7], "int32"), reference=np.fmod),
    ],
    "heaviside": [Case(np.array([-1.5, 0.0, 2.0, np.nan]), np.asarray(0.5), reference=np.heaviside)],
    "divide_no_nan": [
        Case(A, np.array([2.0, 0.5, -1.0, 4.0]), reference=np.divide, grads=(0, 1)),
        Case(A, np.array([0.0, 1.0, 0.0, 2.0]), reference=lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y))),
    ],
    "signbit": [Case(np.array([-1.0, 0.0, 2.0, -np.inf]), reference=np.signbit), Case(WHOLE, reference=np.signbit)],
    "gcd": [Case(x, x[:, ::-1].copy(), reference=np.gcd) for x in (BITS["int32"], BITS["uint8"], WHOLE)],
    "lcm": [Case(x, x[:, ::-1].copy(), reference=np.lcm) for x in (BITS["int32"], BITS["int64"], WHOLE)],
    "bitwise_and": of_bits(np.bitwise_and),
    "bitwise_or": of_bits(np.bitwise_or),
    "bitwise_xor": of_bits(np.bitwise_xor),
    "bitwise_not": [Case(x, reference=np.bitwise_not) for x in (*BITS.values(), WHOLE, FLAGS)],
    "left_shift": [Case(BITS[d] % 8, PLACES.astype(d), reference=np.left_shift) for d in ("int32", "int64", "uint8")],
    "right_shift": [
        Case(WHOLE, PLACES[:4], reference=np.right_shift),
        Case(BITS["int8"], PLACES.astype("int8"), reference=np.right_shift),
    ],
}
