"""Functions of the normal distribution that K needs and that not every engine has."""

from __future__ import annotations

from typing import Any

from keras_front.backend import dtypes
from keras_front.backend.declare import Tensor, composite
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    clip,
    divide,
    greater,
    log,
    multiply,
    negative,
    square_root,
    subtract,
    where,
)

# Coefficients of the rational approximation of the normal quantile by P. J. Acklam (2003); relative error 1.15e-9.
_A = (
    -3.969683028665376e01,
    2.209460984245205e02,
    -2.759285104469687e02,
    1.383577518672690e02,
    -3.066479806614716e01,
    2.506628277459239e00,
)
_B = (
    -5.447609879822406e01,
    1.615858368580409e02,
    -1.556989798598866e02,
    6.680131188771972e01,
    -1.328068155288572e01,
    1.0,
)
_C = (
    -7.784894002430293e-03,
    -3.223964580411365e-01,
    -2.400758277161838e00,
    -2.549732539343734e00,
    4.374664141464968e00,
    2.938163982698783e00,
)
_D = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0)
_CUT = 0.02425
_TAIL = 0.022750131948179195  # P(X < -2) of a normal X


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    result: Any = coefficients[0]
    for c in coefficients[1:]:
        result = add(multiply(result, x), c)
    return result


@composite(floats=True)
def truncated_normal_quantile(p: Tensor):
    """The quantile of a standard normal cut off at two deviations.

    Args:
        p: probabilities between 0 and 1.

    Returns: a float tensor of the shape of p.

    Source: rational approximation by Acklam (2003).

    Example:
        >>> K.truncated_normal_quantile(np.array([0.5, 0.9])).round(2)
        array([0.  , 1.18])
    """
    dtype = dtypes.canonical(p.dtype)
    p = cast(p, dtypes.as_single(dtype))
    p = add(multiply(p, 1 - 2 * _TAIL), _TAIL)  # never in the outermost tails, but beyond the central region
    q = subtract(p, 0.5)
    r = multiply(q, q)
    central = divide(multiply(_polynomial(_A, r), q), _polynomial(_B, r))
    low = where(greater(q, 0), subtract(1, p), p)
    t = square_root(multiply(-2, log(clip(low, 1e-12, 0.5))))
    tail = divide(_polynomial(_C, t), _polynomial(_D, t))
    tail = where(greater(q, 0), negative(tail), tail)
    return cast(where(greater(_CUT, low), tail, central), dtype)
