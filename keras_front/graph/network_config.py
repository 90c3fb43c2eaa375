"""A network's structure as a Keras 2 dictionary, and back.

    {"name", "layers": [{"name", "class_name", "config", "inbound_nodes"}], "input_layers", "output_layers"}

An inbound node is a list of `[layer, node, tensor, keyword arguments]`, one for each input tensor. A nested network
counts its calls from 1: its node 0 is its own inside. A node of an `OpLayer` keeps the structure of its first argument,
as tf.keras writes it: one such list for a tensor, a list of them for a list, and the layer "_CONSTANT_VALUE" for what
is no tensor. What JSON has no words for is written by `arguments`.
Source: Keras 2.3.1, `keras/engine/network.py`, `get_config` and `from_config`; tf_keras 2.21,
`tf_keras/src/engine/node.py`, `serialize`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_front.errors import SerializationError
from keras_front.nest import is_nested, map_structure, unpack
from keras_front.registry import custom_object_scope, name_of

from . import arguments as argument_config
from . import sharing
from .arguments import Unwritable
from .inputs import InputLayer
from .layer import LAYERS
from .node import Node
from .operation import OpLayer
from .tracking import found_in

Config = dict[str, Any]
CONSTANT = "_CONSTANT_VALUE"  # the "layer" of a first argument that is no tensor


# Writing ---------------------------------------------------------------------------------------------


def to_config(network: Any) -> Config:
    """The dictionary of a network that was made from tensors.

    Raises: SerializationError if its inputs are not from `Input`, or an output belongs to a layer that was taken out
        of `layers`.
    """
    places = Places(network)
    with sharing.writing(network):
        entries = [layer_entry(layer, places) for layer in network._graph.layers]
    return {
        "name": network.name,
        **network._policy_in_config(),
        **({} if network._trainable else {"trainable": False}),
        "layers": entries,
        "input_layers": _ends(network.as_inputs, network.inputs, places),
        "output_layers": _ends(network.as_outputs, network.outputs, places),
    }


def _ends(packed: Callable[[list[Any]], Any], tensors: list[Any], places: Places) -> Any:
    found = packed([places.of(t) for t in tensors])
    return [found] if len(tensors) == 1 and isinstance(found[0] if isinstance(found, list) else {}, str) else found


def first_call_index(layer: Any) -> int:
    """The number of a layer's first call: 1 for a network of tensors, whose node 0 is its inside."""
    return 1 if getattr(layer, "_is_graph_network", False) else 0


class Places:
    """Where each tensor of a network comes from, as `[layer, node, tensor]` with nodes counted within the network."""

    def __init__(self, network: Any):
        inside = {id(node) for node in network._graph.nodes}
        self._index_of: dict[int, int] = {}
        self._weights: dict[int, list[Any]] = {}
        for layer in network._graph.layers:
            kept = [node for node in layer._inbound_nodes if id(node) in inside]
            self._index_of.update({id(node): first_call_index(layer) + i for i, node in enumerate(kept)})
            self._weights.update({id(w): [layer.name, i] for i, w in enumerate(layer.weights)})

    def nodes_of(self, layer: Any) -> list[Node]:
        """The calls of a layer within the network; an op may be called on weights alone, an input is no call."""
        inside = [node for node in layer._inbound_nodes if id(node) in self._index_of]
        return inside if isinstance(layer, OpLayer) else [node for node in inside if node.needed_tensors]

    def of(self, tensor: Any) -> list[Any]:
        """Raises: SerializationError for a tensor that no layer of the network made."""
        layer, node_index, tensor_index = tensor.history or (None, 0, 0)
        node = None if layer is None else layer._inbound_nodes[node_index]
        if layer is None or id(node) not in self._index_of:
            raise SerializationError(
                f"Cannot write {tensor!r} to a config: expected the output of a layer of this model. Begin the model "
                "with tensors from `Input`, and leave the layers of its outputs among `model.layers`."
            )
        return [layer.name, self._index_of[id(node)], tensor_index]

    def of_weight(self, variable: Any) -> list[Any] | None:
        """`[layer, number]` of a weight of the network's layers; None for another variable."""
        return self._weights.get(id(variable))


def layer_entry(layer: Any, places: Places) -> Config:
    """What a config says of one layer: its class, its own config and its calls."""
    write = _op_node if isinstance(layer, OpLayer) else _layer_node
    return {
        "name": layer.name,
        "class_name": name_of(type(layer)),
        "config": layer.get_config(),
        "inbound_nodes": [write(node, places) for node in places.nodes_of(layer)],
        **sharing.number_of(layer),
    }


def _layer_node(node: Node, places: Places) -> list[Any]:
    names = list(node.layer.__class__.call.__code__.co_varnames[2:]) if len(node.args) > 1 else []
    given = {**dict(zip(names, node.args[1:], strict=False)), **node.arguments}
    written = argument_config.written(given, places)
    try:
        json.dumps(written)
    except TypeError:
        warnings.warn(
            f"Layer {node.layer.name} was passed non-serializable keyword arguments: {node.arguments}. They will not "
            "be included in the serialized model (and thus will be missing at deserialization time).",
            stacklevel=2,
        )
        written = {}
    return [[*places.of(t), written] for t in node.input_tensors]


def _op_node(node: Node, places: Places) -> Any:
    layer = node.layer
    if layer.results is not None:
        keep = _keeping(places)
        return {"args": map_structure(keep, list(node.args)), "kwargs": map_structure(keep, node.arguments)}
    first, *rest = node.args
    keywords = {**dict(zip(layer.argument_names()[1:], rest, strict=False)), **node.arguments}
    written = argument_config.written(keywords, places)

    def entry(item: Any) -> list[Any]:
        value = argument_config.written(item, places)
        return [*value, written] if argument_config.is_tensor(value) else [CONSTANT, -1, value, written]

    return [entry(item) for item in first] if isinstance(first, list) else entry(first)


def _keeping(places: Places) -> Callable[[Any], Any]:
    """Arguments of recorded Python code: what a file cannot hold stays as it is, for copies in this process."""

    def keep(item: Any) -> Any:
        try:
            return argument_config.written(item, places)
        except SerializationError as error:
            return Unwritable(item, str(error))

    return keep


# Reading ---------------------------------------------------------------------------------------------


def from_config(config: Config, custom_objects: Any = None) -> tuple[Any, Any, str | None, dict[str, Any]]:
    """Inputs, outputs and name for the constructor of a network, and its layers by name.

    Raises: SerializationError if the config refers to a layer or node that does not exist.
    """
    with custom_object_scope(custom_objects), sharing.reading():
        layers = Made({entry["name"]: make_layer(entry) for entry in config["layers"]})
        connect_all(layers, config["layers"], config.get("name"))
    inputs, outputs = (_tensors_at(layers, config[key]) for key in ("input_layers", "output_layers"))
    return inputs, outputs, config.get("name"), layers


def _tensors_at(layers: Made, ends: Any) -> Any:
    """The tensors at the ends of a network, in a dict if they are: of several, one, or by their keys."""
    if isinstance(ends, Mapping):
        return {key: _part_at(layers, part) for key, part in ends.items()}
    found = [_part_at(layers, part) for part in _places(ends)]
    return tuple(found) if isinstance(ends, tuple) and is_nested(found) else unpack(found)


def _part_at(layers: Made, part: Any) -> Any:
    """A tensor by its place, or a list or dict of them in another one."""
    if isinstance(part, Mapping):
        return {key: _part_at(layers, item) for key, item in part.items()}
    if isinstance(part, list | tuple) and not (part and isinstance(part[0], str)):
        return type(part)(_part_at(layers, item) for item in part)
    return _tensor_at(layers, part)


class Made(dict[str, Any]):
    """The layers of a config by name, and how often each was called in other networks before: configs count from 0.

    Args:
        layers: the layers as they are made, not yet connected.
        connected: layers of this network that were called already; these calls count.
    """

    def __init__(self, layers: dict[str, Any], connected: dict[str, Any] | None = None):
        super().__init__({**(connected or {}), **layers})
        called = {name: layer for name, layer in layers.items() if not isinstance(layer, InputLayer)}
        self._before = {name: max(len(x._inbound_nodes) - first_call_index(x), 0) for name, x in called.items()}

    def call(self, name: str, args: list[Any], keywords: dict[str, Any]) -> None:
        """Call a layer. What it called itself on to be built, as a model with a `call` of its own, does not count."""
        layer = self[name]
        known = len(layer._inbound_nodes)
        layer(*args, **keywords)
        self._before[name] = self._before.get(name, 0) + max(len(layer._inbound_nodes) - known - 1, 0)

    def calls_of(self, name: str) -> list[Node]:
        """The calls of a layer as the config counts them."""
        return self[name]._inbound_nodes[self._before.get(name, 0) :] if name in self else []


def make_layer(entry: Config) -> Any:
    """The layer that an entry describes, not yet connected."""
    plain = {"class_name": entry["class_name"], "config": dict(entry["config"])}
    layer = sharing.made(entry, lambda: LAYERS.deserialize(plain))
    if layer.name != entry["name"]:
        layer.name = entry["name"]
    return layer


def connect_all(layers: Made, entries: Iterable[Config], name: Any) -> None:
    """Call the layers as the nodes say; a node whose inputs do not exist yet waits for the next round."""
    waiting = {entry["name"]: list(entry.get("inbound_nodes") or ()) for entry in entries}
    for layer_name, nodes in waiting.items():
        if nodes and isinstance(layers[layer_name], InputLayer):
            raise SerializationError(
                f"The config of model {name!r}: expected no inputs of {layer_name!r}, which is an input itself, "
                f"received {nodes!r:.120}."
            )
    while any(waiting.values()):
        made = [layer_name for layer_name in waiting if _connect_ready(layers, waiting, layer_name)]
        if not made:
            stuck = [layer_name for layer_name, nodes in waiting.items() if nodes]
            raise SerializationError(
                f"The config of model {name!r} cannot be wired: the inputs of {', '.join(stuck)} refer to layers or "
                "calls that do not exist."
            )


def _connect_ready(layers: Made, waiting: dict[str, list[Any]], name: str) -> bool:
    nodes = waiting[name]
    before = len(nodes)
    while nodes:
        try:
            args, keywords = _read_node(layers, layers[name], nodes[0])
        except argument_config.NotYetError:
            break
        layers.call(name, args, keywords)
        nodes.pop(0)
    return len(nodes) < before


def _read_node(layers: Made, layer: Any, node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Arguments and keyword arguments of a call.

    Raises: NotYetError if it needs a call that was not made yet.
    """

    def read(value: Any) -> Any:
        return argument_config.read(value, lambda place: _tensor_at(layers, place, strict=False), layers)

    if isinstance(node, dict):
        return read(node["args"]), {key: read(value) for key, value in node["kwargs"].items()}
    entries = [node] if node and isinstance(node[0], str) else node
    keywords = _keywords(entries, layer, read)
    first = [read(entry[2]) if entry[0] == CONSTANT else _tensor_at(layers, entry, strict=False) for entry in entries]
    return [first[0] if entries[0] is node else first if isinstance(layer, OpLayer) else unpack(first)], keywords


def _keywords(entries: list[Any], layer: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    """The keyword arguments of a call, which stand beside each of its tensors; only the last has to have them.

    Raises: SerializationError if two tensors have others beside them, or if one is a dictionary, which no layer of this
        package takes.
    """
    written = entries[-1][3] if len(entries[-1]) > 3 else {}
    if any(len(entry) > 3 and entry[3] and entry[3] != written for entry in entries):
        raise SerializationError(
            f"The config of a call of {layer.name!r}: expected the same keyword arguments beside each tensor, received "
            f"{[entry[3:] for entry in entries]!r:.200}."
        )
    found = {key: read(value) for key, value in dict(written).items()}
    for name, value in found.items() if _is_ours(layer) else ():
        if any(True for _ in found_in(value, lambda part: isinstance(part, dict))):
            raise SerializationError(
                f"The config of a call of {layer.name!r}: expected a tensor or a plain value as {name!r}, received a "
                f"dictionary, {value!r:.80}."
            )
    return found


def _is_ours(layer: Any) -> bool:
    """Whether it is a layer of this package, other than an op, whose arguments may be of any kind."""
    package = __name__.partition(".")[0]
    return type(layer).__module__.partition(".")[0] == package and not isinstance(layer, OpLayer)


def _tensor_at(layers: Made, place: Any, strict: bool = True) -> Any:
    name, node_index, tensor_index = place[:3]
    nodes = layers.calls_of(name)
    if 0 <= node_index < len(nodes):
        tensors = nodes[node_index].output_tensors
        if 0 <= tensor_index < len(tensors):
            return tensors[tensor_index]
    if strict or name not in layers:
        raise SerializationError(
            f"The config refers to output {tensor_index} of call {node_index} of {name!r}, which does not exist."
        )
    raise argument_config.NotYetError


def _places(entries: Any) -> list[Any]:
    if isinstance(entries, dict):
        entries = list(entries.values())
    return [entries] if entries and isinstance(entries[0], str) else list(entries)
