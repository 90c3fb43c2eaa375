"""ONNX Runtime: each net as a graph written by hand, channels first, with its weights in it. It only predicts.

Loss and accuracy of `evaluate` are NumPy's, on the outputs of the session: that is how they are computed by hand.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from by_hand.weights import BLOCKS, weights

Array = np.ndarray
OPSET = 20


class Graph:
    """Nodes and constants; `weight()` is the next weight, `state()` the next moving mean or variance."""

    def __init__(self, workload: Any):
        params, state = weights(workload.name)
        self.params, self.states = iter(params), iter(state)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self) -> str:
        return self.constant(next(self.params))

    def node(self, kind: str, *inputs: str, **attrs: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attrs))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, "int64"))

    def dense(self, x: str) -> str:
        return self.node("Gemm", x, self.weight(), self.weight())

    def dense_steps(self, x: str) -> str:
        return self.node("Add", self.node("MatMul", x, self.weight()), self.weight())

    def conv(self, x: str, stride: int = 1, same: bool = True) -> str:
        kernel = next(self.params).transpose(3, 2, 0, 1)
        padding = {"auto_pad": "SAME_UPPER"} if same else {}
        return self.node("Conv", x, self.constant(kernel), self.weight(), strides=[stride] * 2, **padding)

    def normalized(self, x: str) -> str:
        gamma, beta = self.weight(), self.weight()
        mean, var = (self.constant(next(self.states)) for _ in range(2))
        return self.node("BatchNormalization", x, gamma, beta, mean, var, epsilon=1e-3)

    def relu(self, x: str) -> str:
        return self.node("Relu", x)


def tiny(g: Graph, x: str) -> str:
    return g.dense(g.relu(g.dense(x)))


def mlp(g: Graph, x: str) -> str:
    return g.dense(g.relu(g.dense(g.relu(g.dense(x)))))


def cnn(g: Graph, x: str) -> str:
    x = g.relu(g.conv(g.relu(g.conv(x, same=False)), same=False))
    x = g.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Flatten", g.node("Transpose", x, perm=[0, 2, 3, 1]))
    return g.dense(g.relu(g.dense(x)))


def lstm(g: Graph, x: str) -> str:
    steps = g.node("Transpose", g.node("Gather", g.weight(), x), perm=[1, 0, 2])
    kernels = [in_order(next(g.params).T)[None] for _ in range(2)]
    bias = in_order(next(g.params))
    weights_of = [*map(g.constant, kernels), g.constant(np.concatenate([bias, np.zeros_like(bias)])[None])]
    g.nodes.append(helper.make_node("LSTM", [steps, *weights_of], ["", "last"], hidden_size=64))
    return g.dense(g.node("Squeeze", "last", g.ints(0)))


def in_order(gates: Array) -> Array:
    """Gates i f c o as ONNX has them: i o f c."""
    i, f, c, o = np.split(gates, 4)
    return np.concatenate([i, o, f, c])


def resnet(g: Graph, x: str) -> str:
    x = g.relu(g.normalized(g.conv(x)))
    for _, _, stride in BLOCKS:
        short = x if stride == 1 else g.conv(x, stride)
        x = g.relu(g.normalized(g.conv(x, stride)))
        x = g.relu(g.node("Add", g.normalized(g.conv(x)), short))
    return g.dense(g.node("Flatten", g.node("GlobalAveragePool", x)))


def attn(g: Graph, x: str) -> str:
    x = g.node("Gather", g.weight(), x)
    n = g.node("LayerNormalization", x, g.weight(), g.weight(), epsilon=1e-3)
    query, key, value = (g.dense_steps(n) for _ in range(3))
    found = g.node("Softmax", g.node("MatMul", query, g.node("Transpose", key, perm=[0, 2, 1])))
    x = g.node("Add", x, g.dense_steps(g.node("MatMul", found, value)))
    n = g.node("LayerNormalization", x, g.weight(), g.weight(), epsilon=1e-3)
    x = g.node("Add", x, g.dense_steps(g.relu(g.dense_steps(n))))
    return g.dense(g.node("ReduceMean", x, g.ints(1), keepdims=0))


NETS = {"tiny": tiny, "mlp": mlp, "mlp_wide": mlp, "cnn": cnn, "lstm": lstm, "resnet": resnet, "attn": attn}


def session(workload: Any, shape: tuple[int, ...], dtype: str) -> onnxruntime.InferenceSession:
    """The session of a net for rows of this shape."""
    graph = Graph(workload)
    kind = TensorProto.INT32 if dtype == "int32" else TensorProto.FLOAT
    x = graph.node("Transpose", "x", perm=[0, 3, 1, 2]) if len(shape) == 3 else "x"
    logits = NETS[workload.name](graph, x)
    y = graph.node("Sigmoid", logits) if workload.binary else graph.node("Softmax", logits)
    inputs = [helper.make_tensor_value_info("x", kind, ["batch", *shape])]
    outputs = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)]
    made = helper.make_graph(graph.nodes, workload.name, inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Loop:
    def __init__(self, workload: Any):
        self.workload, self.session = workload, None

    def outputs(self, x: Array) -> Array:
        if self.session is None:
            self.session = session(self.workload, x.shape[1:], x.dtype.name)
        return self.session.run(None, {"x": x})[0]

    def evaluate(self, x: Array, y: Array, batch_size: int) -> tuple[float, float]:
        total = right = 0.0
        for start in range(0, len(x), batch_size):
            p, target = self.outputs(x[start : start + batch_size]), y[start : start + batch_size]
            p = np.clip(p, 1e-7, 1 - 1e-7)
            if self.workload.binary:
                total -= float((target * np.log(p) + (1 - target) * np.log(1 - p)).sum())
                right += int(((p > 0.5) == (target > 0.5)).sum())
            else:
                total -= float((target * np.log(p)).sum())
                right += int((p.argmax(1) == target.argmax(1)).sum())
        return total / len(x), right / len(x)

    def predict(self, x: Array, batch_size: int = 32) -> Array:
        return np.concatenate([self.outputs(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])
