"""Configs in `.h5` files: the layout of Keras 2, such that tf_keras and Keras 3 make the same layers of it.

Keras 3 reads an entry with `module` beside its class as one of its own, and one without as what older Keras wrote: it
passes over lists of axes then, and does not find the classes of layers within layers. Older Keras pass over that key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front.file_form import FileForm
from keras_front.graph import LAYERS
from keras_front.registry import Registry, get_registered_object

from . import keras3
from .config import FUNCTION_ARGUMENTS, HINTS, REFUSED_BY_KERAS3, Config, form_of

__all__ = ["to_hdf5", "to_tf_keras"]

TF_KERAS_HOME = "keras.src.engine.functional"  # of `Functional` in tf.keras 2.13 and later

# What Keras 3 has to read as older Keras wrote it, to know the shape of an input and the code of a function.
AS_BEFORE = ("InputLayer", "Lambda")


def to_hdf5(config: Mapping[str, Any]) -> Config:
    """A Keras 2 config as `.h5` files have it.

    Arguments that tf_keras or Keras 3 lacks are left out where that changes nothing. A function that Keras 3 would take
    for another one makes it refuse the layer.

    Args:
        config: a config as Keras 2 writes it, with ops as tf.keras calls them.
    """
    described = keras3.with_input_layers(config)
    return {**described, "config": {key: _value(value) for key, value in described["config"].items()}}


def to_tf_keras(config: Mapping[str, Any]) -> Config:
    """A Keras 2 config as the archives of tf_keras have it: as in `.h5`, and where the model itself is found.

    Args:
        config: a config as Keras 2 writes it, with ops as tf.keras calls them.
    """
    described, kind = to_hdf5(config), str(config["class_name"])
    if kind == "Model":
        return {**described, "class_name": "Functional", "module": TF_KERAS_HOME, "registered_name": "Functional"}
    return {**described, "module": keras3.home_of(kind, described["config"]), "registered_name": None}


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    result = {key: _value(item) for key, item in value.items()}
    kind = value.get("class_name")
    return _entry(kind, result) if isinstance(kind, str) and isinstance(value.get("config"), Mapping) else result


def _entry(kind: str, entry: Config) -> Config:
    """An object of a config; the classes of others stay as they are, for whoever reads the file must have them."""
    if get_registered_object(kind) is not None or not _is_of_keras(kind):
        return entry
    form, arguments = form_of(kind), entry["config"]
    if kind in LAYERS:
        arguments = _with_hint(_without_defaults(form, arguments))
    if kind != "InputLayer":
        arguments.pop("batch_input_shape", None)  # the InputLayer says it
    if kind in AS_BEFORE:
        return {**entry, "config": arguments}
    home = {"module": keras3.home_of(kind, arguments), "registered_name": None}
    return {**entry, "class_name": form.name or kind, "config": arguments, **home}


def _is_of_keras(kind: str) -> bool:
    return str(getattr(Registry.find_any(kind), "__module__", "")).startswith("keras_front.")


def _without_defaults(form: FileForm, arguments: Config) -> Config:
    neutral = {**form.omitted, **form.tf_keras}
    return {k: v for k, v in arguments.items() if k not in neutral or v != neutral[k]}


def _with_hint(arguments: Config) -> Config:
    hints = [HINTS[arguments[name]] for name in FUNCTION_ARGUMENTS if arguments.get(name) in HINTS]
    return {**arguments, REFUSED_BY_KERAS3: hints[0]} if hints else arguments
