"""Gradient rules of factorizations and of linear systems.

Sources: Giles (2008), "An extended collection of matrix derivative results"; Murray (2016) for `cholesky`; Townsend
(2016) for `svd`; Walter & Lehmann (2010) for `qr`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend.gradients.table import gradient_of, transposed
from keras_front.backend.ops.arrangement import expand_dims
from keras_front.backend.ops.elementwise import abs, add, divide, greater, multiply, negative, subtract, where
from keras_front.backend.ops.linalg import inv, solve
from keras_front.backend.ops.linear import matmul
from keras_front.errors import ArgumentError


@gradient_of("solve")
def solve_vjp(g: Any, out: Any, a: Any, b: Any) -> Any:
    flow = solve(transposed(a), g)
    return negative(matmul(flow, transposed(out))), flow


@gradient_of("det")
def det_vjp(g: Any, out: Any, x: Any) -> Any:
    scale = expand_dims(expand_dims(multiply(g, out), axis=-1), axis=-1)
    return (multiply(scale, transposed(inv(x))),)


@gradient_of("cholesky")
def cholesky_vjp(g: Any, out: Any, x: Any) -> Any:
    n = x.shape[-1]
    half = np.tril(np.ones((n, n))) - 0.5 * np.eye(n)
    inner = multiply(matmul(transposed(out), g), half)
    outer = solve(transposed(out), transposed(solve(transposed(out), transposed(inner))))
    return (multiply(add(outer, transposed(outer)), 0.5),)


@gradient_of("householder_qr")
def householder_qr_vjp(gs: Any, out: Any, x: Any) -> Any:
    (gq, gr), (q, r) = gs, out
    m, n = x.shape[-2:]
    if m < n:
        raise ArgumentError(f"The gradient of qr needs at least as many rows as columns, received {tuple(x.shape)}.")
    middle = subtract(matmul(r, transposed(gr)), matmul(transposed(gq), q))
    lower = np.tril(np.ones((n, n)))
    both = add(multiply(middle, lower), transposed(multiply(middle, lower - np.eye(n))))
    return (transposed(solve(r, transposed(add(gq, matmul(q, both))))),)


@gradient_of("svd")
def svd_vjp(gs: Any, out: Any, x: Any) -> Any:
    (gu, gs_, gvt), (u, s, vt) = gs, out
    k, eye = s.shape[-1], np.eye(s.shape[-1])
    row, column = expand_dims(s, axis=-2), expand_dims(s, axis=-1)
    gap = multiply(subtract(row, column), add(row, column))
    apart = greater(abs(gap), 1e-30)
    inverse = where(apart, divide(1.0, where(apart, gap, 1.0)), 0)
    turn_u = multiply(inverse, subtract(matmul(transposed(u), gu), matmul(transposed(gu), u)))
    turn_v = multiply(inverse, subtract(matmul(vt, transposed(gvt)), matmul(gvt, transposed(vt))))
    core = add(add(multiply(turn_u, row), multiply(turn_v, column)), multiply(expand_dims(gs_, axis=-1), eye))
    flow = matmul(matmul(u, core), vt)
    positive = greater(s, 0)
    reciprocal = where(positive, divide(1.0, where(positive, s, 1.0)), 0)
    if x.shape[-2] > k:  # what leaves the space of u
        off = subtract(gu, matmul(u, matmul(transposed(u), gu)))
        flow = add(flow, matmul(multiply(off, expand_dims(reciprocal, axis=-2)), vt))
    if x.shape[-1] > k:
        off = subtract(gvt, matmul(matmul(gvt, transposed(vt)), vt))
        flow = add(flow, matmul(u, multiply(expand_dims(reciprocal, axis=-1), off)))
    return (flow,)
