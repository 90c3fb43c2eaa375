"""A network's structure as a Keras 2 dictionary, and back.

    {"name", "layers": [{"name", "class_name", "config", "inbound_nodes"}], "input_layers", "output_layers"}

An inbound node is a list of `[layer, node, tensor, keyword arguments]`, one for each input tensor. A nested network
counts its calls from 1: its node 0 is its own inside.
Source: Keras 2.3.1, `keras/engine/network.py`, `get_config` and `from_config`.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

from keras_front.backend.symbolic import SymbolicTensor, map_structure
from keras_front.errors import SerializationError
from keras_front.registry import custom_object_scope, name_of, plain

from .layer import LAYERS
from .node import Node, unpack

Place = tuple[int, int]


# Writing ---------------------------------------------------------------------------------------------


def to_config(network: Any) -> dict[str, Any]:
    """The dictionary of a network that was made from tensors.

    Raises: SerializationError if there are ops of K between its layers, or inputs that are not from `Input`.
    """
    graph = network._graph
    index_of = _kept_indices(network)
    return {
        "name": network.name,
        "layers": [_layer_entry(layer, graph, index_of) for layer in graph.layers],
        "input_layers": [_place_of(t, index_of) for t in network.inputs],
        "output_layers": [_place_of(t, index_of) for t in network.outputs],
    }


def first_call_index(layer: Any) -> int:
    """The number of a layer's first call: 1 for a network of tensors, whose node 0 is its inside."""
    return 1 if getattr(layer, "_is_graph_network", False) else 0


def _kept_indices(network: Any) -> dict[int, int]:
    """Node -> its number among the nodes of its layer that belong to the network."""
    inside = {id(node) for node in network._graph.nodes}
    result: dict[int, int] = {}
    for layer in network._graph.layers:
        kept = [node for node in layer._inbound_nodes if id(node) in inside]
        result.update({id(node): first_call_index(layer) + i for i, node in enumerate(kept)})
    return result


def _layer_entry(layer: Any, graph: Any, index_of: dict[int, int]) -> dict[str, Any]:
    nodes = [node for node in layer._inbound_nodes if id(node) in index_of and node.needed_tensors]
    return {
        "name": layer.name,
        "class_name": name_of(type(layer)),
        "config": layer.get_config(),
        "inbound_nodes": [_node_entry(node, index_of) for node in nodes],
    }


def _node_entry(node: Node, index_of: dict[int, int]) -> list[Any]:
    names = list(node.layer.__class__.call.__code__.co_varnames[2:]) if len(node.args) > 1 else []
    arguments = {**dict(zip(names, node.args[1:], strict=False)), **node.arguments}
    written = _arguments(node, arguments, index_of)
    return [[*_place_of(t, index_of), written] for t in node.input_tensors]


def _arguments(node: Node, arguments: dict[str, Any], index_of: dict[int, int]) -> dict[str, Any]:
    def write(item: Any) -> Any:
        return _place_of(item, index_of) if isinstance(item, SymbolicTensor) else plain(item)

    written = map_structure(write, arguments)
    try:
        json.dumps(written)
    except TypeError:
        warnings.warn(
            f"Layer {node.layer.name} was passed non-serializable keyword arguments: {node.arguments}. They will not "
            "be included in the serialized model (and thus will be missing at deserialization time).",
            stacklevel=2,
        )
        return {}
    return written


def _place_of(tensor: Any, index_of: dict[int, int]) -> list[Any]:
    layer, node_index, tensor_index = tensor.history or (None, 0, 0)
    node = None if layer is None else layer._inbound_nodes[node_index]
    if layer is None or id(node) not in index_of:
        raise SerializationError(
            f"Cannot write {tensor!r} to a config: expected the output of a layer of this model. Ops of K between "
            "layers have no name in a file; wrap them in a layer (for example Lambda or a class of your own)."
        )
    return [layer.name, index_of[id(node)], tensor_index]


# Reading ---------------------------------------------------------------------------------------------


def from_config(config: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any, str | None]:
    """Inputs, outputs and name for the constructor of a network.

    Raises: SerializationError if the wiring refers to a layer or node that does not exist.
    """
    with custom_object_scope(custom_objects):
        layers = {entry["name"]: _make_layer(entry) for entry in config["layers"]}
        waiting = {entry["name"]: list(entry.get("inbound_nodes") or ()) for entry in config["layers"]}
        _connect_all(layers, waiting, config.get("name"))
    inputs = [_tensor_at(layers, place) for place in _places(config["input_layers"])]
    outputs = [_tensor_at(layers, place) for place in _places(config["output_layers"])]
    return unpack(inputs), unpack(outputs), config.get("name")


def _make_layer(entry: dict[str, Any]) -> Any:
    layer = LAYERS.deserialize({"class_name": entry["class_name"], "config": dict(entry["config"])})
    if layer.name != entry["name"]:
        layer.name = entry["name"]
    return layer


def _connect_all(layers: dict[str, Any], waiting: dict[str, list[Any]], name: Any) -> None:
    """Call the layers as the nodes say; a node whose inputs do not exist yet waits for the next round."""
    while any(waiting.values()):
        made = [layer_name for layer_name in waiting if _connect_ready(layers, waiting, layer_name)]
        if not made:
            stuck = [layer_name for layer_name, nodes in waiting.items() if nodes]
            raise SerializationError(
                f"The config of model {name!r} cannot be wired: the inputs of {', '.join(stuck)} refer to layers or "
                "calls that do not exist."
            )


def _connect_ready(layers: dict[str, Any], waiting: dict[str, list[Any]], name: str) -> bool:
    nodes = waiting[name]
    before = len(nodes)
    while nodes:
        try:
            inputs, arguments = _read_node(layers, nodes[0])
        except _NotYetError:
            break
        layers[name](unpack(inputs), **arguments)
        nodes.pop(0)
    return len(nodes) < before


class _NotYetError(Exception):
    """A node refers to a call that was not made yet."""


def _read_node(layers: dict[str, Any], node: Any) -> tuple[list[Any], dict[str, Any]]:
    entries = [node] if node and isinstance(node[0], str) else node
    inputs = [_tensor_at(layers, entry[:3], strict=False) for entry in entries]
    arguments = dict(entries[-1][3]) if len(entries[-1]) > 3 else {}
    return inputs, {key: _read_argument(layers, value) for key, value in arguments.items()}


def _read_argument(layers: dict[str, Any], value: Any) -> Any:
    """Keyword arguments refer to tensors as `[layer, node, tensor]`."""
    if isinstance(value, list):
        if len(value) in (3, 4) and value[0] in layers if value and isinstance(value[0], str) else False:
            return _tensor_at(layers, value[:3], strict=False)
        return [_read_argument(layers, item) for item in value]
    return value


def _tensor_at(layers: dict[str, Any], place: Any, strict: bool = True) -> Any:
    name, node_index, tensor_index = place[:3]
    nodes = layers[name]._inbound_nodes if name in layers else []
    if 0 <= node_index < len(nodes):
        tensors = nodes[node_index].output_tensors
        if 0 <= tensor_index < len(tensors):
            return tensors[tensor_index]
    if strict or name not in layers:
        raise SerializationError(f"The config refers to output {tensor_index} of call {node_index} of {name!r}, which "
                                 "does not exist.")  # fmt: skip
    raise _NotYetError


def _places(entries: Any) -> list[Any]:
    if isinstance(entries, dict):
        entries = list(entries.values())
    return [entries] if entries and isinstance(entries[0], str) else list(entries)
