"""What optimizers do, in place on flat arrays.

They go over blocks that stay in the cache during the dozen operations of a step.

Each plan gets the arrays as tuples (weights, gradients, slots...), one for each piece of memory, and gives
`run(lr, ...)`. Gradients are consumed: they serve as scratch memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BLOCK = 1 << 16  # elements: five arrays of 256 kB; larger and smaller ones measured slower

Pieces = Sequence[tuple[np.ndarray, ...]]


def adam_rate(lr: Any, t: Any, beta_1: float, beta_2: float) -> float:
    """Adam's step size at its t-th step, both bias corrections included."""
    time = float(t)
    return float(lr) * math.sqrt(1 - beta_2**time) / (1 - beta_1**time)


def blocks(pieces: Pieces) -> list[tuple[np.ndarray, ...]]:
    """The arrays cut into blocks, as flat views."""
    result = []
    for arrays in pieces:
        lines = [a.reshape(-1) for a in arrays]
        result += [tuple(line[i : i + BLOCK] for line in lines) for i in range(0, lines[0].size, BLOCK)]
    return result


def _constants(dtype: Any, *values: float) -> list[np.ndarray]:
    return [np.array(value, dtype) for value in values]


def plan_sgd(pieces: Pieces, momentum: float, nesterov: bool) -> Callable[[Any], None]:
    """`run(lr)` over (weights, gradients) or (weights, gradients, moments)."""
    cut = blocks(pieces)
    rate, decay = _constants(pieces[0][0].dtype, 0, momentum)
    add, multiply, subtract = np.add, np.multiply, np.subtract

    def plain(lr: Any) -> None:
        rate[()] = lr
        for p, g in cut:
            multiply(g, rate, g)
            subtract(p, g, p)

    def heavy(lr: Any) -> None:
        rate[()] = lr
        for p, g, m in cut:
            multiply(g, rate, g)
            multiply(m, decay, m)
            subtract(m, g, m)
            if nesterov:
                subtract(p, g, p)
                multiply(m, decay, g)
                add(p, g, p)
            else:
                add(p, m, p)

    return heavy if len(pieces[0]) == 3 else plain


def plan_rmsprop(pieces: Pieces, rho: float, epsilon: float) -> Callable[[Any], None]:
    """`run(lr)` over (weights, gradients, squares)."""
    cut = blocks(pieces)
    rate, rest, tiny = _constants(pieces[0][0].dtype, 0, 1 - rho, epsilon)
    scratch = np.empty(max(len(block[0]) for block in cut) if cut else 0, rate.dtype)
    cut = [(*block, scratch[: len(block[0])]) for block in cut]
    add, multiply, subtract, divide, sqrt = np.add, np.multiply, np.subtract, np.divide, np.sqrt

    def run(lr: Any) -> None:
        rate[()] = lr
        for p, g, a, t in cut:
            multiply(g, g, t)
            subtract(t, a, t)
            multiply(t, rest, t)
            add(a, t, a)
            sqrt(a, t)
            add(t, tiny, t)
            multiply(g, rate, g)
            divide(g, t, g)
            subtract(p, g, p)

    return run


def plan_adam(pieces: Pieces, beta_1: float, beta_2: float, epsilon: float) -> Callable[[Any, Any], None]:
    """`run(lr, t)` over (weights, gradients, means, squares) or, for AMSGrad, with the largest squares as a fifth."""
    cut = blocks(pieces)
    rate, one, two, tiny = _constants(pieces[0][0].dtype, 0, 1 - beta_1, 1 - beta_2, epsilon)
    scratch = np.empty(max(len(block[0]) for block in cut) if cut else 0, rate.dtype)
    cut = [(*block, scratch[: len(block[0])]) for block in cut]
    add, multiply, subtract, divide, sqrt = np.add, np.multiply, np.subtract, np.divide, np.sqrt

    def run(lr: Any, t: Any) -> None:
        rate[()] = adam_rate(lr, t, beta_1, beta_2)
        for p, g, m, v, *top, s in cut:
            subtract(g, m, s)
            multiply(s, one, s)
            add(m, s, m)
            multiply(g, g, g)
            subtract(g, v, g)
            multiply(g, two, g)
            add(v, g, v)
            if top:
                np.maximum(top[0], v, out=top[0])
                sqrt(top[0], g)
            else:
                sqrt(v, g)
            add(g, tiny, g)
            divide(m, g, g)
            multiply(g, rate, g)
            subtract(p, g, p)

    return run
