"""`keras.utils.layer_utils` of Keras 1: what it had beside `keras_front.utils.layer_utils`.

Source: Keras 1.2.2, `keras/utils/layer_utils.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from keras_front.graph.summary import print_summary
from keras_front.layers import deserialize

__all__ = ["layer_from_config", "print_layers"]


def layer_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model that a config describes.

    Args:
        config: `{'class_name': ..., 'config': ...}`.
        custom_objects: the user's classes and functions by name.
    """
    return deserialize(config, custom_objects)


def print_layers(
    layers: Sequence[Any],
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of some layers, whose model nobody names.

    Args:
        layers: the layers.
        line_length: width of the table in columns.
        positions: where each column ends.
        print_fn: called with each line; by default `print`.
    """
    weights = {name: [w for layer in layers for w in getattr(layer, name)] for name in (
        "trainable_weights", "non_trainable_weights",
    )}  # fmt: skip
    print_summary(
        SimpleNamespace(name="layers", layers=layers, _graph=None, **weights), line_length, positions, print_fn
    )
