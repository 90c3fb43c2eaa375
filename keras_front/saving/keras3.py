"""Configs for Keras 3: what a `.keras` archive of keras_front says, so that Keras 3 makes the same model of it.

The nodes keep the form of Keras 2, which Keras 3 reads, but count the calls of nested models as Keras 3 does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front.dtype_policies import MIXED
from keras_front.registry import Registry

from . import operations
from .config import (
    FUNCTION_ARGUMENTS,
    KERAS3_FUNCTIONS,
    Config,
    ends_of,
    form_of,
    node_shifts,
    output_shifts,
    shifted,
)
from .input_layers import with_input_layer

__all__ = ["home_of", "to_keras3", "to_keras3_value", "with_input_layers"]

# Where Keras 3 finds the classes that it writes; only for writing.
KERAS3_HOMES = {
    "Model": "keras",
    "Sequential": "keras",
    "FeatureSpace": "keras.utils",
    "Feature": "keras.src.layers.preprocessing.feature_space",
    "Cross": "keras.src.layers.preprocessing.feature_space",
}
FUNCTIONAL_HOME = "keras.src.models.functional"  # of `Functional` in Keras 3
KERAS3_MODULES = {
    "constraint": "constraints",
    "initializer": "initializers",
    "layer": "layers",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
    "learning rate schedule": "optimizers.schedules",
    "regularizer": "regularizers",
}


def to_keras3(config: Mapping[str, Any]) -> Config:
    """A Keras 2 config as Keras 3 reads it; nodes keep the form of Keras 2, which it accepts, but not its counting.

    Args:
        config: a config as Keras 2 writes it.
    """
    kind, arguments = str(config["class_name"]), config.get("config")
    if str(config.get("module", "")).startswith(operations.KERAS3_MODULES):
        return dict(config)  # an op, translated already
    result = {"module": home_of(kind, arguments), **config, "registered_name": None}
    form = form_of(kind)
    result["class_name"] = form.name or kind
    if kind == "Model":
        result.update({"module": FUNCTIONAL_HOME, "class_name": "Functional", "registered_name": "Functional"})
    if isinstance(arguments, Mapping):
        if "input_layers" in arguments:
            arguments = _counted_from_zero(arguments)
        elif kind == "Sequential":
            arguments = {**arguments, "layers": with_input_layer(arguments["layers"])}
        renamed = {ours: theirs for theirs, ours in form.renamed.items()}
        arguments = {k: v for k, v in arguments.items() if k not in form.omitted or v != form.omitted[k]}
        if kind != "InputLayer":
            arguments.pop("batch_input_shape", None)  # the InputLayer says it
        arguments = {renamed.get(k, k): v for k, v in arguments.items()}
        result["config"] = {k: to_keras3_value(k, v) for k, v in arguments.items()}
    return result


def home_of(kind: str, arguments: Any) -> str:
    """The module that Keras 3 and tf_keras look a class up in.

    Args:
        kind: name of the class.
        arguments: its config, which tells a layer from another object of that name.
    """
    if kind in KERAS3_HOMES:
        return KERAS3_HOMES[kind]
    kinds = [registry.kind for registry in Registry.all() if kind in registry and registry.kind in KERAS3_MODULES]
    if "layer" in kinds and (len(kinds) == 1 or "name" in (arguments or ())):
        return "keras.layers"
    return f"keras.{KERAS3_MODULES[kinds[0]] if kinds else 'layers'}"


def to_keras3_value(name: str, value: Any) -> Any:
    """A value of a config as Keras 3 writes it.

    Args:
        name: name of the argument whose value it is.
        value: the value in a config of Keras 2.
    """
    if isinstance(value, Mapping) and value.get("class_name") == "DTypePolicyMap":
        return _policy_map(value["config"])
    if isinstance(value, Mapping):
        return to_keras3(value) if "class_name" in value else {k: to_keras3_value(k, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_keras3_value("", item) for item in value]
    if name == "dtype" and isinstance(value, str) and value in MIXED:
        return _policy(value)
    if name in FUNCTION_ARGUMENTS and isinstance(value, str):
        return {ours: theirs for theirs, ours in KERAS3_FUNCTIONS.items()}.get(value, value)
    return value


def _policy(name: str) -> Config:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def _policy_map(given: Mapping[str, Any]) -> Config:
    default = given["default_policy"]
    found = {path: _policy(name) for path, name in given["policy_map"].items()}
    arguments = {"default_policy": default and _policy(default), "policy_map": found}
    home = "keras.dtype_policies"
    return {"module": home, "class_name": "DTypePolicyMap", "config": arguments, "registered_name": None}


def _counted_from_zero(arguments: Mapping[str, Any]) -> Config:
    """Config of a functional model whose nodes count the calls of nested models as Keras 3 does."""
    calls = {name: -shift for name, shift in node_shifts(arguments["layers"]).items()}
    ends = {name: -shift for name, shift in output_shifts(arguments["layers"]).items()}
    entries = [
        operations.to_keras3(e, calls)
        if e["class_name"] == operations.OURS
        else {**e, "inbound_nodes": [_call(e, shifted(n, calls)) for n in e["inbound_nodes"]]}
        for e in arguments["layers"]
    ]
    return {**arguments, "layers": entries, "output_layers": ends_of(arguments["output_layers"], ends)}


def _call(entry: Mapping[str, Any], node: Any) -> Any:
    """A call of a layer; where Keras 3 takes the tensors one by one it must have the form of Keras 3."""
    form = form_of(str(entry["class_name"]))
    names = form.call
    keywords = dict(node[0][3]) if node and len(node[0]) > 3 else {}
    if form.further and len(node) > 1 and "num_constants" not in entry["config"]:
        states = {form.further: [_tensor(history) for history in node[1:]]}
        return {"args": [_tensor(node[0])], "kwargs": {**{k: _tensor(v) for k, v in keywords.items()}, **states}}
    if not names:
        return node
    for name, mask in zip(names, keywords.pop("mask", None) or ()):
        keywords[f"{name}_mask"] = mask
    return {"args": [_tensor(history) for history in node], "kwargs": {k: _tensor(v) for k, v in keywords.items()}}


def _tensor(value: Any) -> Any:
    """`[layer, node, tensor]` as Keras 3 writes it; the shape follows from the layer."""
    if not isinstance(value, list | tuple) or len(value) < 3 or not isinstance(value[0], str):
        return value
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [], "dtype": "float32", "keras_history": [*value[:3]]},
    }


def with_input_layers(config: Mapping[str, Any]) -> Config:
    """A Keras 2 config in which every Sequential has its input in a layer of its own, as later Keras expect it.

    Args:
        config: a config as Keras 2 writes it.
    """
    arguments = config.get("config")
    if not isinstance(arguments, Mapping) or "layers" not in arguments:
        return dict(config)
    layers = arguments["layers"]
    if config.get("class_name") == "Sequential":
        layers = with_input_layer(layers)
        first = dict(layers[1]["config"]) if len(layers) > 1 and layers[0]["class_name"] == "InputLayer" else {}
        if first.pop("batch_input_shape", None) is not None:
            layers = [layers[0], {**layers[1], "config": first}, *layers[2:]]
    return {**config, "config": {**arguments, "layers": [with_input_layers(layer) for layer in layers]}}
