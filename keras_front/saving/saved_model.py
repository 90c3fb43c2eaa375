"""Folders that tf.keras wrote as SavedModel, and its checkpoints: layers and weights, read without TensorFlow.

    saved_model.pb          a program of TensorFlow, which is not read; before tf.keras 2.5 also what is now in
    keras_metadata.pb       the config of the model, and how it was compiled
    variables/variables.*   a checkpoint: the weights, the optimizer's state, and a graph of the objects that hold them

A checkpoint is also what `model.save_weights(path)` of tf.keras writes. In its graph of objects the layers of a model
are called 'layer_with_weights-0', -1 ... in the order of the model, and each has its variables below it; those of a
model with a `call` of its own are called as its attributes. A model whose
layers are not known here is refused with the way to convert it; what is no Keras model has no layers to read.
Source: tf_keras 2.21, `tf_keras/src/saving/legacy/saved_model/`; TensorFlow 2.21, `saved_model.proto`,
`saved_object_graph.proto`, `trackable_object_graph.proto`.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import bytecode
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, KerasFrontError, SerializationError, UnsafeFileError
from keras_front.graph.tracking import lazy_weights
from keras_front.registry import custom_object_scope

from . import guard, hdf5, training_config, weight_order
from .protobuf import Message
from .tensor_bundle import TensorBundle, content, is_checkpoint

__all__ = ["config_in", "is_readable", "load_model", "load_weights", "metadata"]

PROGRAM, METADATA, WEIGHTS = "saved_model.pb", "keras_metadata.pb", os.path.join("variables", "variables")
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"  # the attribute of an object that is a variable
LAYER = "layer_with_weights-"
BYTES = 1 << 29  # of a program, which is skipped as a whole but for what stands at its end
DEPTH = 64  # of objects below each other
VERSION = "2.4.0-tf"  # any of tf.keras: its files are in the native dialect

CONVERT = (
    "  Convert it where tf.keras is installed (pip install tf_keras tensorflow):\n"
    '    import tf_keras; tf_keras.models.load_model({path!r}).save("model.h5")'
)


def is_readable(source: Any) -> bool:
    """Whether a path is a SavedModel folder, or the beginning of the names of a checkpoint's files.

    Args:
        source: a path, or anything else that a file can be read from.
    """
    return is_checkpoint(source) or _is_folder(source)


def _is_folder(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) and os.path.isfile(os.path.join(os.fspath(source), PROGRAM))


# Models ----------------------------------------------------------------------------------------------


def load_model(
    source: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    allow_code: bool = False,
) -> Any:
    """The model in a SavedModel folder, compiled as it was if the folder says so and `compile` is true.

    Args:
        source: the folder.
        custom_objects: the user's classes and functions by name, for what is not registered.
        compile: compile the model as it was, and restore the state of its optimizer.
        allow_code: whether Python code in it may run (`Lambda` layers).

    Raises: UnreadableFileError for a checkpoint, and for a folder in which there is no model of known layers; the
        message says how to convert it.
    """
    where = os.fspath(source)
    if not _is_folder(source):
        raise guard.UnreadableFileError(
            f"{where}: expected a model, found a checkpoint of TensorFlow, which holds weights alone.\n"
            "  Build the model and call model.load_weights with this path."
        )
    saved = metadata(where)
    described = config_in(saved)
    with bytecode.permit(allow_code or bytecode.permitted()), custom_object_scope(custom_objects):
        with lazy_weights():
            model = _made(described, where)
        with _located(where):
            graph = ObjectGraph(TensorBundle(os.path.join(where, WEIGHTS)))
            hdf5.set_weights(list(graph.pairs(model, graph.root, described.get("config"))))
        if compile and saved.get("training_config"):
            state = functools.partial(_optimizer_state, graph, model)
            dialect = training_config.dialect_of_file(None, VERSION)
            hdf5.compile_from_config(model, saved["training_config"], state, where, dialect)
    return model


def _made(described: Any, where: str) -> Any:
    if not isinstance(described.get("config"), Mapping) or "layers" not in described["config"]:
        raise guard.UnreadableFileError(
            f"{where}: expected the config of a model, found a {described.get('class_name') or 'model'} that computes "
            "in its own `call`, which is a program of TensorFlow here.\n"
            "  Build the model from its source and call model.load_weights with this path."
        )
    try:
        return hdf5.make(described, f"{where}, {METADATA}")
    except UnsafeFileError:
        raise
    except KerasFrontError as error:
        raise guard.UnreadableFileError(f"{error}\n{CONVERT.format(path=where)}") from None


def config_in(saved: Mapping[str, Any]) -> Any:
    """Class and config of the model.

    Args:
        saved: what a folder says of its model.
    """
    described = saved.get("model_config")
    return described if isinstance(described, Mapping) else {key: saved.get(key) for key in ("class_name", "config")}


def metadata(folder: str) -> dict[str, Any]:
    """What a folder says of its model.

    Args:
        folder: the folder.

    Raises: UnreadableFileError for one in which there is no Keras model.
    """
    path = os.path.join(folder, METADATA)
    try:
        described = _of_today(path) if os.path.exists(path) else _of_program(os.path.join(folder, PROGRAM))
    except SerializationError as error:
        if isinstance(error, UnsafeFileError | guard.UnreadableFileError):
            raise
        raise guard.UnreadableFileError(f"{folder}: {error}.\n{CONVERT.format(path=folder)}") from None
    parsed = guard.parsed(described, f"{folder}, {METADATA}") if described else None
    if not isinstance(parsed, Mapping) or "config" not in parsed:
        raise guard.UnreadableFileError(
            f"{folder}: expected a folder that model.save of tf.keras wrote, found a program of TensorFlow without the "
            f"layers of a Keras model.\n{CONVERT.format(path=folder)}"
        )
    return _plain(parsed)


def _of_today(path: str) -> bytes | None:
    """The metadata of the root: `SavedMetadata.nodes[].metadata`."""
    for node in Message(content(path, 2 * guard.CONFIG_BYTES)).messages(1):
        if node.text(3) == "root":
            return (node.parts(5) or [b""])[-1]
    return None


def _of_program(path: str) -> bytes | None:
    """Up to tf.keras 2.4: `SavedModel.meta_graphs[].object_graph_def.nodes[0].user_object.metadata`."""
    graphs = Message(content(path, BYTES)).messages(2)
    for part in (part for graph in graphs[:1] for part in graph.messages(7)):
        root = (part.parts(1) or [b""])[0]
        for user_object in Message(root).messages(4):
            return (user_object.parts(3) or [b""])[-1]
    return None


def _plain(value: Any) -> Any:
    """A value with tuples and shapes, which tf.keras marks, as lists."""
    if isinstance(value, Mapping):
        if set(value) == {"class_name", "items"} and isinstance(value["items"], list):
            return [_plain(item) for item in value["items"]]
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


# Weights ---------------------------------------------------------------------------------------------


def load_weights(model: Any, source: Any) -> None:
    """Set the weights of `model` from a SavedModel folder or a checkpoint; nothing is set unless everything fits.

    Args:
        model: the model whose weights are set.
        source: the folder, or the path of the checkpoint without '.index'.

    Raises: ArgumentError or ShapeError if the file belongs to another model.
    """
    path = os.fspath(source)
    with _located(path):
        graph = ObjectGraph(TensorBundle(os.path.join(path, WEIGHTS) if _is_folder(source) else path))
        hdf5.set_weights(list(graph.pairs(model, graph.root, None)))


@contextlib.contextmanager
def _located(where: str) -> Iterator[None]:
    """Errors about bytes, which do not know of files, say which one is read."""
    try:
        yield
    except SerializationError as error:
        if type(error) is not SerializationError or str(error).startswith(where):
            raise
        raise guard.UnreadableFileError(f"{where}: {error}.") from None


class ObjectGraph:
    """The objects of a checkpoint: which one is below which, and which are variables.

    Args:
        bundle: the checkpoint.

    Raises: SerializationError for a checkpoint that has none, as TensorFlow 1 wrote them.
    """

    def __init__(self, bundle: TensorBundle):
        self.bundle = bundle
        if OBJECTS not in bundle.names:
            raise SerializationError(
                f"{bundle.where}: expected the objects of a Keras model, found a checkpoint of TensorFlow 1 with the "
                f"variables {bundle.names[:5]}."
            )
        self._nodes = Message(bundle.text(OBJECTS)).messages(1)
        below = self.children(0)
        inner = next((below[name] for name in ("model", "net", "network") if name in below), 0)
        self.root = inner if not any(name.startswith(LAYER) for name in below) else 0  # of tf.train.Checkpoint(model=)

    def children(self, node: int) -> dict[str, int]:
        """The objects below an object, by the names of its attributes.

        Args:
            node: number of the object.

        Raises: SerializationError for a number that no object has.
        """
        return {child.text(2): child.number(1) for child in self._object(node).messages(1)}

    def _object(self, node: int) -> Message:
        if node >= len(self._nodes):
            raise SerializationError(f"expected up to {len(self._nodes)} objects, received number {node}")
        return self._nodes[node]

    def variable(self, node: int) -> tuple[str, str] | None:
        """The name of a variable and that of its array; None for an object that is none.

        Args:
            node: number of the object.
        """
        for attribute in self._object(node).messages(2):
            if attribute.text(1) == VALUE:
                return attribute.text(2), attribute.text(3)
        return None

    def variables(self, node: int) -> list[int]:
        """The variables of a layer: those that it lists, as in a SavedModel, else all below it.

        Args:
            node: number of the layer.
        """
        listed = self.children(node).get("variables")
        if listed is not None and self.variable(listed) is None:
            return self.items(listed)
        return list(self._below(node, set(), 0))

    def items(self, node: int) -> list[int]:
        """The objects of a list, in order.

        Args:
            node: number of the list.
        """
        found = {name: child for name, child in self.children(node).items() if name.isdigit()}
        return [found[name] for name in sorted(found, key=int)]

    def _below(self, node: int, seen: set[int], depth: int) -> Iterator[int]:
        if node in seen or depth > DEPTH:
            return
        seen.add(node)
        if self.variable(node) is not None:
            yield node
        for child in self.children(node).values():
            yield from self._below(child, seen, depth + 1)

    def pairs(self, model: Any, node: int, config: Any, depth: int = 0) -> Iterator[tuple[Variable, np.ndarray]]:
        """The weights of a model with their arrays.

        Args:
            model: the model.
            node: its object.
            config: the config of the model, which tells the order of its layers in the file; None for the model's own.
            depth: how many models it is in.
        """
        if getattr(model, "paths_by_attribute", False) and depth <= DEPTH:
            yield from self._pairs_by_attribute(model, node if depth else self.named(model), depth)
            return
        found, layers = self._layers_with_weights(node), _in_order(model, config)
        if len(found) != len(layers) or depth > DEPTH:
            raise ArgumentError(
                f"You are trying to load a checkpoint containing {len(found)} layers into a model with {len(layers)} "
                f"layers. ({self.bundle.where})"
            )
        for (layer, below), child in zip(layers, found, strict=True):
            if hasattr(layer, "layers"):
                yield from self.pairs(layer, child, below, depth + 1)
            else:
                yield from self._pairs_of_layer(layer, child)

    def named(self, model: Any) -> int:
        """The object with what the attributes of a model hold: the first one, or the model that is below it."""
        held = set(self.children(0))
        return (
            0
            if any(getattr(value, "weights", None) and name in held for name, value in vars(model).items())
            else self.root
        )

    def _pairs_by_attribute(self, model: Any, node: int, depth: int) -> Iterator[tuple[Variable, np.ndarray]]:
        """The weights of a model with a `call` of its own, whose layers bear the names of its attributes."""
        held, pairs = self.children(node), []
        for name, value in vars(model).items():
            if name in held:
                pairs += self._pairs_of_value(value, held[name], depth)
        missing = {id(weight) for weight in model.weights} - {id(weight) for weight, _ in pairs}
        if missing:
            names = [weight.name for weight in model.weights if id(weight) in missing]
            raise ArgumentError(
                f"{self.bundle.where}: expected the weights {names[:5]} at the attributes of {model.name!r} that hold "
                f"them, found {sorted(held)[:10]}.\n  The file belongs to another model."
            )
        yield from pairs

    def _pairs_of_value(self, value: Any, node: int, depth: int) -> list[tuple[Variable, np.ndarray]]:
        """The weights in an attribute of a model: a layer, a weight, or several in a list, tuple or dict."""
        if isinstance(value, Variable):
            place = self.variable(node)
            return [] if place is None else [(value, self.bundle.array(place[1], hdf5.most_bytes([value])))]
        if isinstance(value, list | tuple | dict):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            held = self.children(node)
            parts = [(part, held[str(key)]) for key, part in items if str(key) in held]
            return [pair for part, child in parts for pair in self._pairs_of_value(part, child, depth)]
        if hasattr(value, "layers"):
            return list(self.pairs(value, node, None, depth + 1))
        return self._pairs_of_layer(value, node) if getattr(value, "weights", None) else []

    def _layers_with_weights(self, node: int) -> list[int]:
        found = {
            name.removeprefix(LAYER): child for name, child in self.children(node).items() if name.startswith(LAYER)
        }
        return [found[name] for name in sorted(found, key=lambda name: int(name) if name.isdigit() else 0)]

    def _pairs_of_layer(self, layer: Any, node: int) -> list[tuple[Variable, np.ndarray]]:
        places = [place for place in map(self.variable, self.variables(node)) if place is not None]
        weights = weight_order.in_file_order(layer)
        arrays = [self.bundle.array(key, hdf5.most_bytes(weights)) for _, key in places]
        return hdf5.pairs_of_layer(layer, [name for name, _ in places], arrays, (VERSION, "tensorflow"))

    def slots(self, node: int) -> Iterator[tuple[int, str, int]]:
        """The slots of an optimizer before tf.keras 2.11: the variable that each is for, its kind, and itself.

        Args:
            node: number of the optimizer.
        """
        for slot in self._object(node).messages(3):
            yield slot.number(1), slot.text(2), slot.number(3)


def _in_order(model: Any, config: Any) -> list[tuple[Any, Any]]:
    """The layers with weights in the order of the file, each with the config of its own."""
    entries = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(entries, Sequence):
        return [(layer, None) for layer in dict.fromkeys(model.layers) if layer.weights]
    configs = {
        item["config"].get("name"): item["config"] for item in entries if isinstance(item.get("config"), Mapping)
    }
    by_name = {layer.name: layer for layer in model.layers}
    known = [(by_name[name], below) for name, below in configs.items() if name in by_name]
    return [(layer, below) for layer, below in known if layer.weights]


def _optimizer_state(graph: ObjectGraph, model: Any) -> tuple[list[str], list[np.ndarray]] | None:
    """Names and arrays of the optimizer: numbered since tf.keras 2.11, before by counter and slots."""
    node = graph.children(0).get("optimizer")
    if node is None:
        return None
    held = graph.children(node)
    if "_variables" in held:
        found = [(str(place), item) for place, item in enumerate(graph.items(held["_variables"]))]
    else:
        order = {id_: place for place, id_ in enumerate(_nodes_of_weights(graph, model))}
        slots = sorted(graph.slots(node), key=lambda slot: order.get(slot[0], len(order)))
        found = [("iter", held["iter"])] if "iter" in held else []
        found += [(f"{order.get(original)}/{kind}", slot) for original, kind, slot in slots]
    places = [(name, place) for name, item in found if (place := graph.variable(item)) is not None]
    limit = hdf5.most_bytes(model.weights)
    with _located(graph.bundle.where):
        return [name for name, _ in places], [graph.bundle.array(key, limit) for _, (_, key) in places]


def _nodes_of_weights(graph: ObjectGraph, model: Any) -> list[int]:
    """The objects of what training changes, in the order of the model."""
    below = graph.children(graph.root)
    listed = below.get("trainable_variables")
    return graph.items(listed) if listed is not None else graph.variables(graph.root)
