"""Emitters of arithmetic for which ONNX leaves integers open: quotients, remainders and powers keep K's contract here.

The operators `Div` and `Mod` end in an error, or worse, where an integer is divided by 0, or the least one by -1; `Pow`
goes through floats. A divisor or exponent that is constant needs no more nodes than its values ask for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import dtypes
from keras_front.export.onnx.elementwise import infinite, wider
from keras_front.export.onnx.emitter import emits


class _Divisor:
    """A divisor by which every integer can be divided, and where it stands for 0 and for -1.

    Args:
        graph: the graph.
        y: the name of the divisor.
        dtype: the dtype in which to compute.
    """

    def __init__(self, graph: Any, y: str, dtype: str):
        known, places = graph.value(y), []
        y = graph.cast(y, dtype)
        for number in (0,) if dtype in dtypes.UNSIGNED else (0, -1):
            there = known is None or bool((known == number).any())
            places.append(graph.node("Equal", [y, graph.const(number, dtype)]) if there else None)
        self.none, self.turned = (*places, None)[:2]
        self.safe = y
        for place in filter(None, places):
            self.safe = graph.node("Where", [place, graph.const(1, dtype), self.safe])


@emits("floor_divide")
def floor_divide(graph: Any, call: Any, x: str, y: str) -> str:
    like = call.args[0]
    if dtypes.is_float(like.dtype):
        return _floats_rounded_down(graph, like, x, y)
    dtype = wider(like.dtype)
    x, zero = graph.cast(x, dtype), graph.const(0, dtype)
    divisor = _Divisor(graph, y, dtype)
    result = graph.node("Div", [x, divisor.safe])  # truncated
    if dtype not in dtypes.UNSIGNED:
        rest = graph.node("Mod", [x, divisor.safe])  # which has the sign of the divisor
        signs = graph.node("Xor", [graph.node("Less", [n, zero]) for n in (x, divisor.safe)])
        inexact = graph.node("And", [signs, graph.node("Not", [graph.node("Equal", [rest, zero])])])
        result = graph.node("Sub", [result, graph.cast(inexact, dtype)])
    if divisor.turned:
        result = graph.node("Where", [divisor.turned, graph.node("Sub", [zero, x]), result])
    if divisor.none:
        result = graph.node("Where", [divisor.none, zero, result])
    return graph.cast(result, like.dtype)


def _floats_rounded_down(graph: Any, like: Any, x: str, y: str) -> str:
    """-1 where the quotient is negative and smaller than anything, NaN where an infinity is divided."""
    zero = graph.like(like, 0)
    signs = graph.node("Xor", [graph.node("Less", [n, zero]) for n in (x, y)])
    size = graph.node("Abs", [x])
    some = graph.node(
        "And", [graph.node("Greater", [size, zero]), graph.node("Less", [size, graph.like(like, np.inf)])]
    )
    below = graph.node("And", [graph.node("And", [signs, some]), infinite(graph, like, y)])
    endless = graph.node("And", [infinite(graph, like, x), graph.node("Not", [graph.node("Equal", [y, zero])])])
    x = graph.node("Where", [endless, graph.like(like, np.nan), x])
    return graph.node("Where", [below, graph.like(like, -1), graph.node("Floor", [graph.node("Div", [x, y])])])


@emits("mod")
def mod(graph: Any, call: Any, x: str, y: str) -> str:
    like = call.args[0]
    if not dtypes.is_float(like.dtype):
        dtype = wider(like.dtype)
        divisor = _Divisor(graph, y, dtype)
        return graph.cast(graph.node("Mod", [graph.cast(x, dtype), divisor.safe]), like.dtype)
    rest = graph.node("Mod", [x, y], fmod=1)  # which has the sign of x
    zero = graph.like(like, 0)
    signs = graph.node("Xor", [graph.node("Less", [rest, zero]), graph.node("Less", [y, zero])])
    other = graph.node("And", [signs, graph.node("Not", [graph.node("Equal", [rest, zero])])])
    return graph.node("Where", [other, graph.node("Add", [rest, y]), rest])


@emits("power")
def power(graph: Any, call: Any, x: str, y: str) -> str:
    """Powers of integers by squaring, bit by bit of the exponent, with products that wrap around."""
    like, exponent = call.args
    if dtypes.is_float(like.dtype):
        return graph.node("Pow", [x, y])
    dtype, known = wider(like.dtype), graph.value(y)
    x, y = graph.cast(x, dtype), graph.cast(y, dtype)
    zero, one, two = (graph.const(n, dtype) for n in (0, 1, 2))
    negative = like.dtype not in dtypes.UNSIGNED and (known is None or bool((known < 0).any()))
    most = np.iinfo(exponent.dtype).max if known is None else int(known.max(initial=0))
    rest = graph.node("Max", [y, zero]) if negative else y
    result, base = one, x
    for bit in range(max(1, most.bit_length())):
        if bit:
            base, rest = graph.node("Mul", [base, base]), graph.node("Div", [rest, two])
        odd = graph.node("Equal", [graph.node("Mod", [rest, two]), one])
        result = graph.node("Where", [odd, graph.node("Mul", [result, base]), result])
    if negative:
        minus = graph.const(-1, dtype)
        odd = graph.node("Equal", [graph.node("Mod", [y, two]), one])
        turned = graph.node("Where", [odd, minus, one])
        inverse = graph.node("Where", [graph.node("Equal", [x, minus]), turned, zero])
        inverse = graph.node("Where", [graph.node("Equal", [x, one]), one, inverse])
        result = graph.node("Where", [graph.node("Less", [y, zero]), inverse, result])
    return graph.cast(result, like.dtype)
