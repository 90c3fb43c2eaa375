"""Files: models and weights written and read, in the formats of Keras 1, 2 and 3."""

from __future__ import annotations

from keras_front.registry import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

from .files import (
    FORMATS,
    load_model,
    load_weights,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
    save_weights,
)
from .model_methods import Saveable

__all__ = [
    "FORMATS",
    "Saveable",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
