"""Emitters of products of matrices, normalization, and noise; and what ONNX has no operators for."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.export.onnx.convolution import channels_back, channels_first
from keras_front.export.onnx.elementwise import widened
from keras_front.export.onnx.emitter import emits, refuses


@emits("matmul")
def matmul(graph: Any, call: Any, x: str, y: str) -> str:
    return widened(graph, call, [x, y], "MatMul")


def _is_matrix(call: Any) -> bool:
    return len(call.args[0].shape) == 2 and dtypes.is_float(call.args[0].dtype)


@emits("linear", keeps=_is_matrix)
def linear(graph: Any, call: Any, x: str, kernel: str, bias: str) -> str:
    return graph.node("Gemm", [x, kernel, bias])


@emits("det")
def det(graph: Any, call: Any, x: str) -> str:
    return graph.node("Det", [x])


refuses("ONNX has no operator for such a decomposition or system of equations", "cholesky", "householder_qr", "svd")
refuses("ONNX has no operator for systems of linear equations, nor for the inverse of a matrix", "solve")
refuses("a file of ONNX is for one process", "replica_gather")
refuses("what is computed again is computed for gradients, of which this program has none", "recompute", "barrier")
refuses("the gradient must be recorded by the rules of K, not by an engine", "value_and_grad", "custom_gradient")


@emits("shape_only")
def shape_only(graph: Any, call: Any, x: str, *, what: str, **attrs: Any) -> Any:
    graph.unknown(what, call.args[0])


# Normalization -------------------------------------------------------------------------------------------------


def _is_batch_normalization(call: Any) -> bool:
    x, mean = call.args[:2]
    ndim, axis = len(x.shape), call.attrs["axis"]
    vectors = all(t is None or (len(t.shape) == 1 and t.shape[0] is not None) for t in call.args[1:])
    return vectors and ndim > 1 and axis % ndim in (1, ndim - 1) and x.dtype == mean.dtype == "float32"


@emits("batch_normalization", since=15, keeps=_is_batch_normalization)
def batch_normalization(
    graph: Any, call: Any, x: str, mean: str, var: str, beta: Any, gamma: Any, axis: int, epsilon: float
) -> str:
    tensor, center = call.args[:2]
    ndim = len(tensor.shape)
    data_format = "channels_last" if axis % ndim == ndim - 1 and ndim > 2 else "channels_first"
    size = center.shape[0]
    gamma = gamma or graph.like(tensor, np.ones(size))
    beta = beta or graph.like(tensor, np.zeros(size))
    images = channels_first(graph, x, ndim, data_format)
    y = graph.node("BatchNormalization", [images, gamma, beta, mean, var], epsilon=float(epsilon))
    return channels_back(graph, y, ndim, data_format)


def _is_layer_normalization(call: Any) -> bool:
    """Whether the last axes are normalized, and their sizes are known, since ONNX wants a scale."""
    x, gamma = call.args[:2]
    axes = shapes.normalize_axes(call.attrs["axes"], len(x.shape))
    last = bool(axes) and axes == tuple(range(axes[0], len(x.shape)))
    known = gamma is not None or None not in [x.shape[a] for a in axes]
    return last and known and x.dtype == "float32" and all(t is None or t.dtype == x.dtype for t in call.args)


@emits("layer_normalization", since=17, keeps=_is_layer_normalization)
def layer_normalization(graph: Any, call: Any, x: str, gamma: Any, beta: Any, axes: Any, epsilon: float) -> str:
    tensor = call.args[0]
    places = shapes.normalize_axes(axes, len(tensor.shape))
    gamma = gamma or graph.like(tensor, np.ones([tensor.shape[a] for a in places]))
    return graph.node("LayerNormalization", [x, gamma, beta], axis=places[0], epsilon=float(epsilon))


# Noise ---------------------------------------------------------------------------------------------------------


@emits("engine_uniform", "engine_normal", "host_noise")
def noise(graph: Any, call: Any, counter: str, seed: str, *, shape: Any, dtype: str, **attrs: Any) -> str:
    """Noise of the runtime's own generator: the distribution is the same, the numbers are not."""
    kind = attrs.get("kind", call.op.removeprefix("engine_"))
    if kind not in ("uniform", "normal"):
        graph.refuse(call.op, f"there is no operator for noise of the kind {kind!r}")
    single = "float32" if dtype not in ("float32", "float64") else dtype
    blank = graph.node("Expand", [graph.const(0, single), graph.ints(shape)])
    drawn = graph.node("RandomUniformLike" if kind == "uniform" else "RandomNormalLike", [blank])
    return drawn if single == dtype else graph.cast(drawn, dtype)
