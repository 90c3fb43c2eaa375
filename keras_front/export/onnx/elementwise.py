"""Emitters of ops that treat each element alone: arithmetic, functions, comparisons, activations.

ONNX Runtime computes with float32, float64, int32 and int64 and with few others; narrower integers go through int32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend import dtypes
from keras_front.export.onnx.emitter import emits
from keras_front.export.onnx.graph import TYPES

_WIDER = {"int8": "int32", "int16": "int32", "uint8": "int32", "uint16": "int32", "uint32": "int64", "bool": "int32"}


def wider(dtype: str) -> str:
    """The dtype in which operators compute with integers of a dtype."""
    return _WIDER.get(dtype, dtype)


def widened(graph: Any, call: Any, inputs: Any, kind: str, **attrs: Any) -> str:
    """A node whose inputs are widened and whose result has the dtype of the call's."""
    dtype = call.args[0].dtype
    if wider(dtype) == dtype:
        return graph.node(kind, inputs, **attrs)
    result = graph.node(kind, [graph.cast(i, wider(dtype)) for i in inputs], **attrs)
    wanted = call.outs[0].dtype
    return result if wanted in ("bool", "int64") else graph.cast(result, wanted)


def through_wider(graph: Any, tensor: Any, x: str, compute: Callable[[str], str]) -> str:
    """`compute(x)` in a dtype that operators know, as the dtype of a tensor."""
    wide = wider(tensor.dtype)
    return compute(x) if wide == tensor.dtype else graph.cast(compute(graph.cast(x, wide)), tensor.dtype)


def _emit_directly(kind: str, *names: str, **conditions: Any) -> None:
    """Register ops that are one operator of ONNX, whatever their attributes."""

    @emits(*names, **conditions)
    def write(graph: Any, call: Any, *inputs: str, **attrs: Any) -> str:
        return widened(graph, call, inputs, kind)


def _float(call: Any) -> bool:
    return dtypes.is_float(call.args[0].dtype)


def _single(call: Any) -> bool:
    """Whether a call is of float32, for which every runtime has every function."""
    return call.args[0].dtype == "float32"


for _kind, _name in {
    "Abs": "abs", "Add": "add", "Sub": "subtract", "Mul": "multiply", "Neg": "negative", "Sign": "sign",
    "Exp": "exp", "Log": "log", "Sqrt": "square_root", "Sin": "sin", "Cos": "cos", "Tanh": "tanh",
    "Sigmoid": "sigmoid", "Erf": "erf", "Equal": "equal", "Less": "less", "LessOrEqual": "less_equal",
    "Greater": "greater", "GreaterOrEqual": "greater_equal", "Max": "maximum", "Min": "minimum",
}.items():  # fmt: skip
    _emit_directly(_kind, _name)
for _kind, _name in {
    "Tan": "tan", "Asin": "arcsin", "Acos": "arccos", "Atan": "arctan", "Sinh": "sinh", "Cosh": "cosh",
    "Asinh": "arcsinh", "Acosh": "arccosh", "Atanh": "arctanh", "Softplus": "softplus", "Softsign": "softsign",
    "HardSigmoid": "hard_sigmoid",
}.items():  # fmt: skip
    _emit_directly(_kind, _name, keeps=_single)
_emit_directly("Mish", "mish", since=18, keeps=_single)


@emits("not_equal")
def not_equal(graph: Any, call: Any, x: str, y: str) -> str:
    return graph.node("Not", [widened(graph, call, [x, y], "Equal")])


@emits("isnan", "isfinite")
def about_floats(graph: Any, call: Any, x: str) -> str:
    (tensor,) = call.args
    if not dtypes.is_float(tensor.dtype):
        x = graph.cast(x, "float32")
    nan = graph.node("IsNaN", [x])
    return nan if call.op == "isnan" else graph.node("Not", [graph.node("Or", [nan, infinite(graph, tensor, x)])])


def infinite(graph: Any, tensor: Any, x: str, **attrs: int) -> str:
    """Where elements are infinite; the operator knows float32 and float64."""
    narrow = tensor.dtype not in ("float32", "float64")
    return graph.node("IsInf", [graph.cast(x, "float32") if narrow else x], **attrs)


@emits("isinf", keeps=_float)
def isinf(graph: Any, call: Any, x: str) -> str:
    return infinite(graph, call.args[0], x)


@emits("floor", "ceil", "round")
def rounded(graph: Any, call: Any, x: str) -> str:
    kind = {"floor": "Floor", "ceil": "Ceil", "round": "Round"}[call.op]
    return graph.node(kind if dtypes.is_float(call.args[0].dtype) else "Identity", [x])


@emits("expm1")
def expm1(graph: Any, call: Any, x: str) -> str:
    """`2 tanh(x / 2) / (1 - tanh(x / 2))` is exact near 0, where `exp(x) - 1` is not."""
    like = call.args[0]
    half = graph.node("Tanh", [graph.node("Mul", [x, graph.like(like, 0.5)])])
    near = graph.node("Div", [graph.node("Add", [half, half]), graph.node("Sub", [graph.like(like, 1), half])])
    far = graph.node("Sub", [graph.node("Exp", [x]), graph.like(like, 1)])
    small = graph.node("Less", [graph.node("Abs", [x]), graph.like(like, 0.5)])
    return graph.node("Where", [small, near, far])


@emits("log1p")
def log1p(graph: Any, call: Any, x: str) -> str:
    """`log(u) x / (u - 1)` with `u = 1 + x` undoes the rounding of u. Source: Higham (2002), problem 1.5."""
    like = call.args[0]
    one = graph.like(like, 1)
    u = graph.node("Add", [x, one])
    off = graph.node("Sub", [u, one])
    lost = graph.node("Equal", [off, graph.like(like, 0)])
    same = graph.node("Or", [lost, infinite(graph, like, u, detect_negative=0)])
    exact = graph.node("Mul", [graph.node("Log", [u]), graph.node("Div", [x, off])])
    plain = graph.node("Where", [lost, x, u])
    return graph.node("Where", [same, plain, exact])


@emits("divide")
def divide(graph: Any, call: Any, x: str, y: str) -> str:
    return graph.node("Div", [x, y])


@emits("logical_and", "logical_or", "logical_not")
def logical(graph: Any, call: Any, *inputs: str) -> str:
    kind = {"logical_and": "And", "logical_or": "Or", "logical_not": "Not"}[call.op]
    return graph.node(kind, [truth(graph, t, i) for t, i in zip(call.args, inputs, strict=True)])


def truth(graph: Any, tensor: Any, name: str) -> str:
    """A tensor as truth values."""
    return name if tensor.dtype == "bool" else graph.cast(name, "bool")


@emits("where")
def where(graph: Any, call: Any, condition: str, x: str, y: str) -> str:
    condition = truth(graph, call.args[0], condition)
    dtype = call.args[1].dtype
    wide = wider(dtype)
    if wide == dtype:
        return graph.node("Where", [condition, x, y])
    return graph.cast(graph.node("Where", [condition, graph.cast(x, wide), graph.cast(y, wide)]), dtype)


@emits("cast")
def cast(graph: Any, call: Any, x: str, dtype: str) -> str:
    if dtype not in TYPES:
        graph.refuse("cast", f"there is no dtype {dtype!r}")
    return graph.cast(x, dtype)


@emits("stop_gradient", "identity", "host_print")
def identity(graph: Any, call: Any, x: str, **_: Any) -> str:
    return graph.node("Identity", [x])


# Activations ---------------------------------------------------------------------------------------------------


@emits("square", keeps=_float)
def square(graph: Any, call: Any, x: str) -> str:
    return graph.node("Mul", [x, x])


@emits("rsqrt", keeps=_float)
def rsqrt(graph: Any, call: Any, x: str) -> str:
    return graph.node("Reciprocal", [graph.node("Sqrt", [x])])


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_relu(call: Any) -> bool:
    alpha, limit = call.attrs["alpha"], call.attrs["max_value"]
    plain = call.attrs["threshold"] == 0 and _number(alpha) and _number(limit) and _float(call)
    return plain and (not alpha or limit is None)


@emits("relu", keeps=_is_relu)
def relu(graph: Any, call: Any, x: str, alpha: Any, max_value: Any, threshold: float) -> str:
    if alpha:
        return graph.node("LeakyRelu", [x], alpha=float(alpha))
    if max_value is None:
        return graph.node("Relu", [x])
    return graph.node("Clip", [x, graph.like(call.args[0], 0), graph.like(call.args[0], max_value)])


@emits("relu_gradient")
def relu_gradient(graph: Any, call: Any, g: str, out: str) -> str:
    positive = graph.node("Greater", [out, graph.like(call.args[1], 0)])
    return graph.node("Where", [positive, g, graph.like(call.args[0], 0)])


def _has_plain_bounds(call: Any) -> bool:
    return _number(call.attrs["min_value"]) and _number(call.attrs["max_value"]) and _float(call)


@emits("clip", keeps=_has_plain_bounds)
def clip(graph: Any, call: Any, x: str, min_value: Any, max_value: Any) -> str:
    if min_value is None or max_value is None:  # for which ONNX Runtime's Clip cuts infinity
        bound, kind = (min_value, "Max") if max_value is None else (max_value, "Min")
        return graph.node("Identity", [x]) if bound is None else graph.node(kind, [x, graph.like(call.args[0], bound)])
    bounds = [graph.like(call.args[0], b) for b in (min_value, max(min_value, max_value))]
    return graph.node("Clip", [x, *bounds])


@emits("elu", keeps=lambda call: _single(call) and _number(call.attrs["alpha"]))
def elu(graph: Any, call: Any, x: str, alpha: float) -> str:
    return graph.node("Elu", [x], alpha=float(alpha))


@emits("silu", keeps=_float)
def silu(graph: Any, call: Any, x: str) -> str:
    return graph.node("Mul", [x, graph.node("Sigmoid", [x])])


@emits("gelu", since=20, keeps=_single)
def gelu(graph: Any, call: Any, x: str, approximate: bool) -> str:
    return graph.node("Gelu", [x], approximate="tanh" if approximate else "none")
