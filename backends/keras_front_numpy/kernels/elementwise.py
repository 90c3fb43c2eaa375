"""Functions of single elements that NumPy lacks, each writing into `out`."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

LOWEST = {"f2": -12.0, "f4": -89.0, "f8": -710.0}  # exp(-x) is infinite up to here, and not slow to compute


def sigmoid(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    """`1 / (1 + exp(-x))`; where exp overflows, of which NumPy warns, it is 0."""
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, 1, out)
    return np.reciprocal(out, out)


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`x ** y`; of integers to a negative power, which NumPy refuses, 1 and -1 are as in fractions, all else is 0."""
    try:
        return np.power(x, y)
    except ValueError:
        whole = np.power(x, np.maximum(y, 0))
        inverse = np.where(np.abs(x) == 1, np.where(np.equal(y % 2, 0), 1, x), 0)
        return np.where(np.less(y, 0), inverse, whole).astype(whole.dtype)


@cache
def _erf_table() -> tuple[np.ndarray, np.ndarray]:
    """The error function and its derivative at multiples of 1/64."""
    points = np.arange(0, 6 * 64 + 2) / 64
    return np.array([math.erf(p) for p in points]), 2 / math.sqrt(math.pi) * np.exp(-points * points)


def erf(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The error function to about 1e-15: a Taylor polynomial around the nearest of a grid of points."""
    values, slopes = _erf_table()
    size = np.minimum(np.abs(np.asarray(x, "float64")), 6.0)
    nearest = np.where(np.isnan(size), 0, np.rint(size * 64)).astype("int64")
    a = nearest / 64
    d = size - a
    # derivatives of exp(-a^2) by Hermite polynomials, over factorials
    series = 1 + d * (
        -a + d * ((4 * a * a - 2) / 6 + d * ((12 * a - 8 * a**3) / 24 + d * (12 - 48 * a * a + 16 * a**4) / 120))
    )
    result = np.copysign(values[nearest] + slopes[nearest] * d * series, x)
    if out is None:
        return result.astype(x.dtype)
    out[...] = result
    return out


def as_float(dtype: Any) -> np.dtype[Any]:
    """The dtype in which reductions of half floats are joined."""
    return np.dtype("float32") if np.dtype(dtype) == np.float16 else np.dtype(dtype)
