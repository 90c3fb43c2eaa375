"""A graph of ONNX while it is written: nodes, constants, names, and what the emitters have in common.

Names are for people: a node is called after the layer that it belongs to and its operator, `dense_1/MatMul`, and a
second one `dense_1/MatMul_2`; its result bears the same name. Constants that nodes merely rearrange (the kernel of a
convolution, whose axes stand in another order in ONNX) are rearranged here, so that runtimes find constants where they
expect them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from keras_front.backend import discovery
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import SerializationError
from keras_front.export.onnx.emitter import EMITTERS, REFUSED

TYPES = {
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
}
SHARED = 64  # constants of so many elements are compared, larger ones are the same if they are one object


class Names:
    """Names that are given once each in a whole model, subgraphs included."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def fresh(self, wish: str) -> str:
        """`wish`, or with a number behind it if it is taken."""
        name = wish
        while name in self._count:
            self._count[wish] = number = self._count.get(wish, 1) + 1
            name = f"{wish}_{number}"
        self._count[name] = 1
        return name


class Constants:
    """The constants of a model, by name: arrays that become initializers if a node reads them."""

    def __init__(self, names: Names):
        self.names = names
        self.arrays: dict[str, np.ndarray] = {}
        self._known: dict[Any, str] = {}
        self._kept: list[Any] = []  # so that the id of an object stays its own

    def name(self, value: Any, array: np.ndarray, wish: str) -> str:
        """The name of a constant; equal small ones, and the same large one, have the same.

        Args:
            value: the object that it comes from.
            array: its elements.
            wish: what a new one is called.
        """
        content = (array.shape, array.tobytes()) if array.size <= SHARED else id(value)
        key = array.dtype, content
        found = self._known.get(key)
        if found is None:
            self._kept.append(value)
            found = self._known[key] = self.add(array, wish)
        return found

    def add(self, array: np.ndarray, wish: str) -> str:
        """A constant of its own."""
        name = self.names.fresh(wish)
        self.arrays[name] = array
        return name


class Graph:
    """The nodes of a program, or of the body of a loop in one.

    Args:
        opset: the version of ONNX's operators.
        scope_of: gives the path of the layer that an instruction belongs to, '' for none.
        outer: the graph around a body, whose names it sees.
    """

    def __init__(self, opset: int, scope_of: Callable[[Any], str] = lambda call: "", outer: Graph | None = None):
        self.opset, self.scope_of, self.outer = opset, scope_of, outer
        self.names: Names = Names() if outer is None else outer.names
        self.constants: Constants = Constants(self.names) if outer is None else outer.constants
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[SymbolicTensor, str] = {}
        self.shared: dict[Any, Any] = {}  # what emitters compute once for several calls
        self.scope: str = "" if outer is None else outer.scope

    # Names -------------------------------------------------------------------------------------------

    def fresh(self, wish: str) -> str:
        """A new name within the layer that is written."""
        return self.names.fresh(f"{self.scope}/{wish}" if self.scope else wish)

    def name(self, tensor: SymbolicTensor) -> str:
        """What a tensor of the program is called here."""
        graph: Graph | None = self
        while graph is not None:
            if tensor in graph.tensors:
                return graph.tensors[tensor]
            graph = graph.outer
        if tensor.constant is None:
            raise SerializationError(f"export: {tensor!r} has no value in the program.")
        return self.const(tensor.constant, tensor.dtype)

    def argument(self, arg: Any) -> Any:
        """The names of a tensor or of a list of them; None for None."""
        if arg is None:
            return None
        return [self.argument(a) for a in arg] if isinstance(arg, list | tuple) else self.name(arg)

    # Constants ---------------------------------------------------------------------------------------

    def const(self, value: Any, dtype: str, wish: str = "constant") -> str:
        """The name of a constant.

        Args:
            value: a number, an array, or a tensor of an engine.
            dtype: the name of its dtype.
            wish: what it is called, if it is new.
        """
        return self.constants.name(value, host_array(value, dtype), f"{self.scope}/{wish}" if self.scope else wish)

    def like(self, tensor: SymbolicTensor, value: Any) -> str:
        """A number as a constant of the dtype of a tensor."""
        return self.const(value, tensor.dtype)

    def ints(self, values: Sequence[Any] | SymbolicTensor) -> str:
        """A vector of int64: of ints and symbols, or a symbol itself."""
        if isinstance(values, SymbolicTensor):
            return self.cast(self.name(values), "int64")
        if not any(isinstance(v, SymbolicTensor) for v in values):
            return self.const(list(values), "int64")
        return self.vector([self.size(v) for v in values])

    def size(self, value: Any) -> Any:
        """A dimension: an int, or the name of a vector of one int64 for a symbol."""
        if not isinstance(value, SymbolicTensor):
            return int(value)
        return self.node("Reshape", [self.cast(self.name(value), "int64"), self.const([1], "int64")])

    def vector(self, sizes: Sequence[Any]) -> str:
        """A vector of sizes, ints and names of vectors."""
        if all(isinstance(s, int) for s in sizes):
            return self.const(list(sizes), "int64")
        return self.node("Concat", [self.const([s], "int64") if isinstance(s, int) else s for s in sizes], axis=0)

    def sizes(self, tensor: SymbolicTensor, name: str | None = None) -> list[Any]:
        """The dimensions of a tensor: ints where they are known, otherwise names of vectors of one int64.

        Args:
            tensor: the tensor.
            name: what it is called here, or another tensor of the same shape.
        """
        if None not in tensor.shape:
            return list(tensor.shape)
        whole = self.node("Shape", [name or self.name(tensor)])
        return [
            self.node("Slice", [whole, self.const([i], "int64"), self.const([i + 1], "int64")]) if d is None else d
            for i, d in enumerate(tensor.shape)
        ]

    def value(self, name: str) -> np.ndarray | None:
        """The array of a constant."""
        return self.constants.arrays.get(name)

    # Nodes -------------------------------------------------------------------------------------------

    def node(self, kind: str, inputs: Sequence[Any], outputs: int = 1, **attrs: Any) -> Any:
        """Add a node, or compute what only rearranges constants.

        Args:
            kind: the operator.
            inputs: names; None for an optional input that is left out.
            outputs: how many results it has.
            attrs: its attributes.

        Returns: the name of its result, or a list of names.
        """
        given = [i or "" for i in inputs]
        while given and not given[-1]:
            given.pop()
        arranged = _arranged(kind, [self.value(i) for i in given], outputs, attrs)
        if arranged is not None:
            made = [self.constants.add(array, f"{given[0]}_{kind.lower()}") for array in arranged]
        else:
            name = self.fresh(kind)
            made = [name] if outputs == 1 else [self.names.fresh(f"{name}:{i}") for i in range(outputs)]
            self.nodes.append(helper.make_node(kind, given, made, name, **attrs))
        return made[0] if outputs == 1 else made

    def cast(self, name: str, dtype: str) -> str:
        """A tensor in another dtype."""
        return self.node("Cast", [name], to=TYPES[dtype])

    def reshape(self, name: str, sizes: Sequence[Any]) -> str:
        """A tensor in another shape, whose sizes are ints and names; one may be -1."""
        zero = any(isinstance(s, int) and s == 0 for s in sizes)
        allow = {"allowzero": 1} if zero and self.opset >= 14 else {}
        return self.node("Reshape", [name, self.vector(sizes)], **allow)

    def unsqueeze(self, name: str, *axes: int) -> str:
        """A tensor with new axes of size 1."""
        return self.node("Unsqueeze", [name, self.const(list(axes), "int64")])

    def squeeze(self, name: str, *axes: int) -> str:
        """A tensor without axes of size 1."""
        return self.node("Squeeze", [name, self.const(list(axes), "int64")])

    def transpose(self, name: str, perm: Sequence[int]) -> str:
        """A tensor with its axes in another order; nothing where that is the order they have."""
        if list(perm) == list(range(len(perm))):
            return name
        return self.node("Transpose", [name], perm=list(perm))

    def slice(self, name: str, axis: int, start: Any, stop: Any) -> str:
        """A part of a tensor along one axis; bounds are ints and names."""
        return self.node("Slice", [name, self.vector([start]), self.vector([stop]), self.const([axis], "int64")])

    def split(self, name: str, parts: int, axis: int, size: int) -> list[str]:
        """Equal parts of a tensor along an axis, each of a size."""
        if parts == 1:
            return [name]
        return self.node("Split", [name, self.const([size] * parts, "int64")], outputs=parts, axis=axis)

    # Programs ----------------------------------------------------------------------------------------

    def write(self, program: Any) -> None:
        """Add the nodes of a program, whose arguments have names.

        Raises: SerializationError for an op that cannot be written; it names the layer.
        """
        for call in program.instructions:
            self.scope = self.scope_of(call) or ("" if self.outer is None else self.outer.scope)
            results = self._written(call)
            self.tensors.update(zip(call.outs, [results] if isinstance(results, str) else results, strict=True))

    def _written(self, call: Any) -> Any:
        emitter = EMITTERS.get(call.op)
        if emitter is None:
            self.refuse(call.op, REFUSED.get(call.op, "no operators of ONNX are known for it"))
        if self.opset < emitter.since:
            self.refuse(call.op, f"it needs opset {emitter.since} or later, and the opset is {self.opset}")
        inputs = [self.argument(a) for a in call.args]
        try:
            return emitter.write(self, call, *inputs, **call.attrs)
        except (TypeError, ValueError) as error:  # of an emitter that computes with None
            open_sizes = [t for t in call.inputs() if None in t.shape]
            if not open_sizes or isinstance(error, SerializationError):
                raise
            self.unknown(call.op, open_sizes[0])

    def refuse(self, op: str, reason: str) -> NoReturn:
        """Raise the error for an op that cannot be written.

        Args:
            op: its name.
            reason: why, as the rest of a sentence.

        Raises: SerializationError.
        """
        where = f"layer {self.scope!r}: " if self.scope else ""
        raise SerializationError(f"export: {where}the op {op!r} cannot be written as ONNX: {reason}.")

    def unknown(self, op: str, tensor: SymbolicTensor) -> NoReturn:
        """Raise the error for an op that needs sizes which are not known.

        Raises: SerializationError.
        """
        self.refuse(
            op, f"it needs every size of a tensor of shape {tensor.shape}; fix them (a model's by input_signature)"
        )

    def inner(self) -> Graph:
        """A graph for the body of a loop, which sees the names of this one."""
        return Graph(self.opset, self.scope_of, self)

    def proto(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> onnx.GraphProto:
        """The graph as the body of a loop.

        Args:
            inputs, outputs: (name, dtype, sizes or None) of each.
        """
        ins, outs = ([info(*item) for item in items] for items in (inputs, outputs))
        return helper.make_graph(self.nodes, self.fresh("body"), ins, outs)


def host_array(value: Any, dtype: str) -> np.ndarray:
    """A NumPy array of a constant, in the type that ONNX stores."""
    return discovery.host_value(value).astype(helper.tensor_dtype_to_np_dtype(TYPES[dtype]), copy=False)


def info(name: str, dtype: str, dims: Sequence[Any] | None) -> onnx.ValueInfoProto:
    """What a graph says of an input or output: its name, type, and sizes, which are ints, names or None."""
    if dtype not in TYPES:
        raise SerializationError(f"export: {name!r} has dtype {dtype!r}, which cannot be written as ONNX.")
    return helper.make_tensor_value_info(name, TYPES[dtype], dims)


def initializer(name: str, array: np.ndarray, elsewhere: bool = False) -> onnx.TensorProto:
    """A constant as a graph holds it, or the mention of one whose elements lie in a file."""
    if elsewhere:
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        return TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)


# Rearranging constants -----------------------------------------------------------------------------------------


def _arranged(kind: str, arrays: list[Any], outputs: int, attrs: dict[str, Any]) -> list[np.ndarray] | None:
    """The results of a node that rearranges constants; None for any other."""
    rule = _ARRANGEMENTS.get(kind)
    if rule is None or any(a is None for a in arrays):
        return None
    found = rule(*arrays, **attrs)
    return found if isinstance(found, list) else [found]


def _split(x: np.ndarray, sizes: np.ndarray, axis: int) -> list[np.ndarray]:
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _unsqueezed(x: np.ndarray, axes: np.ndarray) -> np.ndarray:
    return np.expand_dims(x, tuple(int(a) for a in axes))


def _reshaped(x: np.ndarray, shape: np.ndarray, allowzero: int = 0) -> np.ndarray:
    return x.reshape([x.shape[i] if d == 0 and not allowzero else int(d) for i, d in enumerate(shape)])


_ARRANGEMENTS: dict[str, Callable[..., Any]] = {
    "Concat": lambda *arrays, axis: np.concatenate(arrays, axis),
    "Identity": lambda x: x,
    "Reshape": _reshaped,
    "Split": _split,
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(int(a) for a in axes)),
    "Transpose": lambda x, perm: np.transpose(x, perm),
    "Unsqueeze": _unsqueezed,
}
