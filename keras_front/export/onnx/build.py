"""A recorded program as a model of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper

import keras_front.export.onnx.integers  # noqa: F401 - it fills the table, as those below
from keras_front import __version__
from keras_front.backend import symbolic
from keras_front.backend.ir import Program
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError
from keras_front.export.onnx import arrangement, convolution, elementwise, neural, recurrent, reductions, resizing  # noqa: F401
from keras_front.export.onnx.emitter import DEFAULT, HIGHEST, LOWEST
from keras_front.export.onnx.graph import Graph, host_array, info, initializer

INLINE = 1 << 30  # bytes of weights from which on they do not lie in the model: one of 2 GiB cannot be read or written
BATCH = "batch"  # what the unknown first size of inputs is called


class OnnxModel(NamedTuple):
    """A model, and what its names stand for.

    Attributes:
        proto: the model.
        inputs: the tensors of the program that it is fed with, by name, in the order of its inputs.
        outputs: its results by name, in order.
        arrays: the initializers. If they are larger than `INLINE` they stand here alone, and not in the model.
    """

    proto: onnx.ModelProto
    inputs: dict[str, SymbolicTensor]
    outputs: dict[str, SymbolicTensor]
    arrays: dict[str, np.ndarray]


def build(
    program: Program,
    weights: Mapping[SymbolicTensor, Any] | None = None,
    names: Mapping[SymbolicTensor, str] | None = None,
    output_names: Sequence[str] = (),
    opset: int = DEFAULT,
    scope_of: Callable[[Any], str] = lambda call: "",
    graph_name: str = "keras_front",
    doc: str = "",
) -> OnnxModel:
    """A program as a model of ONNX.

    Args:
        program: a program, whose composites were kept as `Recorder` keeps them.
        weights: values of arguments and captured variables that the model holds as initializers. All other arguments,
            and the captured tensors that a node reads, are its inputs.
        names: what inputs and weights are called; others are numbered.
        output_names: what the results are called, in order; others are numbered.
        opset: the version of ONNX's operators.
        scope_of: gives the path of the layer that an instruction belongs to, after which its nodes are named.
        graph_name: the name of the graph.
        doc: what the model says of itself.

    Returns: the model, which has not been checked by `onnx.checker`, with the tensors that its names stand for.

    Raises: ArgumentError for an opset that cannot be written; SerializationError for an op that cannot be.
    """
    check_opset(opset)
    graph = Graph(opset, scope_of)
    inputs = _arguments(graph, program, weights or {}, names or {})
    graph.write(program)
    graph.scope = ""
    outputs = _results(graph, list(symbolic.leaves_of(program.results)), output_names)
    nodes = _needed(graph.nodes, outputs)
    read = names_read(nodes) | set(outputs)
    captured = {graph.tensors[t] for t in program.captures if t in graph.tensors}
    inputs = {name: t for name, t in inputs.items() if name in read or name not in captured}
    arrays = {name: array for name, array in graph.constants.arrays.items() if name in read}
    is_large = sum(array.nbytes for array in arrays.values()) >= INLINE
    proto = helper.make_graph(
        nodes,
        graph_name,
        [info(name, t.dtype, dims_of(name, t)) for name, t in inputs.items()],
        [info(name, t.dtype, dims_of(name, t, True)) for name, t in outputs.items()],
        [initializer(name, array, is_large) for name, array in arrays.items()],
        doc_string=doc,
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        proto,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="keras_front",
        producer_version=__version__,
        doc_string=doc,
    )
    return OnnxModel(model, inputs, outputs, arrays)


def check_opset(opset: Any) -> None:
    """Raises: ArgumentError unless programs can be written in an opset."""
    if not isinstance(opset, int) or isinstance(opset, bool) or not LOWEST <= opset <= HIGHEST:
        raise ArgumentError(f"export: expected an opset from {LOWEST} to {HIGHEST}, received {opset!r}.")


def _arguments(graph: Graph, program: Program, weights: Any, names: Any) -> dict[str, Any]:
    """Give the arguments and captured tensors their names; those that are fed."""
    fed: dict[str, Any] = {}
    for place, tensor in enumerate(program.leaves()):
        if tensor in graph.tensors:
            continue
        wish = names.get(tensor) or (f"weight_{place}" if tensor in weights else f"input_{place}")
        if tensor in weights:
            name = graph.constants.add(host_array(weights[tensor], tensor.dtype), wish)
        else:
            name = graph.names.fresh(wish)
            fed[name] = tensor
        graph.tensors[tensor] = name
    return fed


def _results(graph: Graph, results: Sequence[SymbolicTensor], wishes: Sequence[str]) -> dict[str, SymbolicTensor]:
    """Give each result a name of its own: that of the node which computes it where nothing else needs that name."""
    outputs: dict[str, SymbolicTensor] = {}
    for place, tensor in enumerate(results):
        name = graph.names.fresh(wishes[place] if place < len(wishes) else f"output_{place}")
        graph.nodes.append(helper.make_node("Identity", [graph.name(tensor)], [name], name))
        outputs[name] = tensor
    _join_identities(graph.nodes, set(outputs))
    return outputs


def _join_identities(nodes: list[Any], outputs: set[str]) -> None:
    """Let nodes write outputs directly, where that is all that an `Identity` at the end does."""
    makers = {name: node for node in nodes for name in node.output}
    renamed: dict[str, str] = {}
    for node in [n for n in nodes if n.op_type == "Identity" and n.output[0] in outputs]:
        source = node.input[0]
        if source in makers and source not in renamed and source not in outputs:
            renamed[source] = node.output[0]
            nodes.remove(node)
    if renamed:
        _rename(nodes, renamed)


def _rename(nodes: Any, names: dict[str, str]) -> None:
    for node in nodes:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
        for body in bodies(node):
            _rename(body.node, names)


def bodies(node: Any) -> list[Any]:
    """The graphs inside of a node: of a loop, its body."""
    return [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]


def names_read(nodes: Any) -> set[str]:
    """The names that nodes read, those of their bodies included."""
    found: set[str] = set()
    for node in nodes:
        found.update(node.input)
        for body in bodies(node):
            found |= names_read(body.node) | {o.name for o in body.output}
    return found


def _needed(nodes: Sequence[Any], outputs: Mapping[str, Any]) -> list[Any]:
    """The nodes on which outputs depend."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed |= names_read([node])
            kept.append(node)
    return kept[::-1]


def dims_of(name: str, tensor: SymbolicTensor, is_output: bool = False) -> list[Any]:
    """The sizes of an input or output: numbers, the name of the batch, and of inputs names for the others."""
    return [
        d if d is not None else BATCH if i == 0 else None if is_output else f"{name}_dim_{i}"
        for i, d in enumerate(tensor.shape)
    ]
