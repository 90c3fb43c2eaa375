"""Emitters of reductions and of what runs along an axis: sums, extremes, running sums, sorting, softmax."""

from __future__ import annotations

from typing import Any

from keras_front.backend import dtypes, shapes
from keras_front.export.onnx.elementwise import through_wider, truth, widened, wider
from keras_front.export.onnx.emitter import emits

_KINDS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "logsumexp": "ReduceLogSumExp",
}


def _is_float(call: Any) -> bool:
    return dtypes.is_float(call.args[0].dtype)


def _is_float_of_some(call: Any) -> bool:
    """Whether there are elements, too: of none a mean is NaN, and runtimes say 0."""
    return _is_float(call) and 0 not in call.args[0].shape


@emits("sum", "prod", "max", "min")
@emits("mean", "logsumexp", keeps=_is_float_of_some)
def reduced(graph: Any, call: Any, x: str, axis: Any, keepdims: bool) -> str:
    if axis == ():
        return graph.node("Identity", [x])
    tensor = call.args[0]
    return through_wider(graph, tensor, x, lambda x: over_axes(graph, _KINDS[call.op], x, tensor, axis, keepdims))


def over_axes(graph: Any, kind: str, x: str, tensor: Any, axis: Any, keepdims: bool = False) -> str:
    """A node that reduces axes, which became an input of most such operators with opset 18."""
    axes = list(shapes.normalize_axes(axis, len(tensor.shape)))
    if not axes:
        return graph.node("Identity", [x])
    if graph.opset >= 18 or kind == "ReduceSum":
        return graph.node(kind, [x, graph.const(axes, "int64")], keepdims=int(keepdims))
    return graph.node(kind, [x], axes=axes, keepdims=int(keepdims))


@emits("any", "all")
def truths(graph: Any, call: Any, x: str, axis: Any, keepdims: bool) -> str:
    x = truth(graph, call.args[0], x)
    if axis == ():
        return graph.node("Identity", [x])
    kind = "ReduceMax" if call.op == "any" else "ReduceMin"
    found = over_axes(graph, kind, graph.cast(x, "int32"), call.args[0], axis, keepdims)
    return graph.node("Greater", [found, graph.const(0, "int32")])


@emits("argmax", "argmin")
def extreme_place(graph: Any, call: Any, x: str, axis: int) -> str:
    kind = "ArgMax" if call.op == "argmax" else "ArgMin"
    return widened(graph, call, [x], kind, axis=axis, keepdims=0)


# Along an axis -------------------------------------------------------------------------------------------------


@emits("cumsum")
def cumsum(graph: Any, call: Any, x: str, axis: int) -> str:
    return through_wider(graph, call.args[0], x, lambda x: graph.node("CumSum", [x, graph.const(axis, "int64")]))


@emits("cumprod")
def cumprod(graph: Any, call: Any, x: str, axis: int) -> str:
    """A loop along the axis, as there is no operator."""
    (tensor,) = call.args
    if shapes.size(tensor.shape) == 0:
        return graph.node("Identity", [x])
    return through_wider(graph, tensor, x, lambda x: _products(graph, tensor, x, axis))


def _products(graph: Any, tensor: Any, x: str, axis: int) -> str:
    dtype, axis = wider(tensor.dtype), shapes.normalize_axis(axis, len(tensor.shape))
    rest = [s for i, s in enumerate(graph.sizes(tensor)) if i != axis]
    ones = graph.node("Expand", [graph.const(1, dtype), graph.vector(rest)])
    dims = [d for i, d in enumerate(tensor.shape) if i != axis]
    body = graph.inner()
    before, factor = body.fresh("before"), body.fresh("factor")
    product = body.node("Mul", [before, factor])
    running = body.node("Identity", [product])
    loop = body.proto([(n, dtype, dims) for n in (before, factor)], [(n, dtype, dims) for n in (product, running)])
    attrs = {"num_scan_inputs": 1, "scan_input_axes": [axis], "scan_output_axes": [axis]}
    return graph.node("Scan", [ones, x], outputs=2, body=loop, **attrs)[1]


@emits("argsort")
def argsort(graph: Any, call: Any, x: str, axis: int, descending: bool) -> str:
    return sorted_along(graph, call.args[0], x, axis, descending)[1]


def sorted_along(graph: Any, tensor: Any, x: str, axis: int, descending: bool, count: Any = None) -> list[str]:
    """(values, places) in order along an axis, the first of equals first; `count` of them, or all."""
    axis = shapes.normalize_axis(axis, len(tensor.shape))
    size = graph.sizes(tensor)[axis] if count is None else count
    dtype = wider(tensor.dtype)
    x = graph.cast(x, dtype) if dtype != tensor.dtype else x
    found = graph.node("TopK", [x, graph.vector([size])], outputs=2, axis=axis, largest=int(descending), sorted=1)
    return [graph.cast(found[0], tensor.dtype) if dtype != tensor.dtype else found[0], found[1]]


@emits("top_k")
def top_k(graph: Any, call: Any, x: str, k: int) -> list[str]:
    return sorted_along(graph, call.args[0], x, -1, True, int(k))


@emits("softmax", "log_softmax", keeps=_is_float)
def softmax(graph: Any, call: Any, x: str, axis: int) -> str:
    return graph.node("Softmax" if call.op == "softmax" else "LogSoftmax", [x], axis=axis)
