"""Files: models and weights written and read, in the formats of Keras 1, 2 and 3."""

from __future__ import annotations

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
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "save_weights",
]
