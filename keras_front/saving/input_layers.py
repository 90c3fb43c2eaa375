"""The input of a `Sequential` as an entry of its own in the config, as later Keras expect it, and back.

Keras 2 says the shape of the input in the first layer, `batch_input_shape`. tf.keras and Keras 3 write an `InputLayer`
before it, without which Keras 3 does not know the shape. Every Keras reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front.graph.layer_values import dtype_name

__all__ = ["with_input_layer", "without_input_layer"]

Config = dict[str, Any]


def with_input_layer(layers: list[Config]) -> list[Config]:
    """The layers of a Sequential with the shape of the input in a layer of its own.

    Args:
        layers: entries of layers as Keras 2 writes them.
    """
    first = _first_with_shape(layers)
    if first is None:
        return layers
    shape, dtype = first["batch_input_shape"], first.get("dtype", "float32")
    if isinstance(dtype, str):
        dtype = dtype.rpartition("_from_")[2]  # of a layer with int8 weights
    name = layers[0]["config"].get("name")
    described = {"batch_input_shape": shape, "dtype": dtype_name(dtype), "name": f"{name}_input"}
    return [{"class_name": "InputLayer", "config": described}, *layers]


def _first_with_shape(layers: Any) -> Mapping[str, Any] | None:
    """The config of the first layer, if it says the shape of the input: its own, or of the stacks that it begins."""
    if not layers or not _has_config(layers[0]) or layers[0]["class_name"] == "InputLayer":
        return None
    entry = layers[0]
    config: Mapping[str, Any] = entry["config"]
    if entry["class_name"] == "Sequential" and isinstance(config.get("layers"), list):
        inner = config["layers"]
        if not inner or not _has_config(inner[0]) or inner[0]["class_name"] != "InputLayer":
            return _first_with_shape(inner)
        config = inner[0]["config"]
    return config if "batch_input_shape" in config else None


def without_input_layer(layers: Any) -> Any:
    """The layers of a Sequential as Keras 2 writes them, where `with_input_layer` alone has put the first one there.

    Args:
        layers: entries of layers of any Keras, or what a damaged file has in their place.
    """
    if not isinstance(layers, list) or len(layers) < 2 or not all(_has_config(entry) for entry in layers[:2]):
        return layers
    entry, first = layers[0], layers[1]
    shape = entry["config"].get("batch_input_shape")  # Keras 3 calls it `batch_shape`
    if entry["class_name"] != "InputLayer" or shape is None or "batch_input_shape" in first["config"]:
        return layers
    if with_input_layer([first])[:1] == [entry]:  # a stack, which says the shape itself
        return layers[1:]
    candidate = {**first, "config": {**first["config"], "batch_input_shape": shape}}
    return [candidate, *layers[2:]] if with_input_layer([candidate])[:1] == [entry] else layers


def _has_config(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "class_name" in entry and isinstance(entry.get("config"), Mapping)
