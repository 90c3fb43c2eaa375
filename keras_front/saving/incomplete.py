"""Configs in which something is missing: what it is, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front.errors import SerializationError

__all__ = ["check_name", "check_network", "place_of", "place_of_error"]


def place_of_error(error: BaseException, config: Any) -> str:
    """Where in a config it stands what an error is about; nothing if that is not known.

    Args:
        error: an error that came while the config was read; `described` is the part that was being read.
        config: the whole.
    """
    described = getattr(error, "described", None)
    return place_of(described, config) if isinstance(described, Mapping) else ""


def place_of(wanted: Any, config: Any) -> str:
    """Where a part stands in a config, as in `config.layers[1].config.layer`; nothing if it does not.

    Args:
        wanted: the part, or one that is equal.
        config: the whole.
    """
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        place, item = waiting.pop()
        if isinstance(item, Mapping):
            if all(item.get(key) == value for key, value in wanted.items()):
                return place.removeprefix(".")
            waiting += [(f"{place}.{key}", value) for key, value in item.items()]
        elif isinstance(item, list):
            waiting += [(f"{place}[{index}]", value) for index, value in enumerate(item)]
    return ""


def check_network(kind: str, arguments: Any) -> None:
    """Look whether the config of a model says what only it can say.

    Args:
        kind: 'Model' or 'Sequential'.
        arguments: its config.

    Raises: SerializationError if something is missing.
    """
    needed = ("layers",) if kind == "Sequential" else ("layers", "input_layers", "output_layers")
    missing = [key for key in needed if not isinstance(arguments, Mapping) or key not in arguments]
    if missing:
        name = f" {arguments['name']!r}" if isinstance(arguments, Mapping) and arguments.get("name") else ""
        listed = ", ".join(map(repr, missing))
        raise SerializationError(f"The config of the {kind}{name}: expected {listed}, received a config without.")


def check_name(entry: Mapping[str, Any], place: int, model: Any) -> None:
    """Look whether a layer of a functional model has a name.

    Args:
        entry: the entry of the layer.
        place: which of the layers it is.
        model: name of the model.

    Raises: SerializationError if it has none.
    """
    if not isinstance(entry.get("name"), str):
        raise SerializationError(
            f"The config of the model {model!r}: expected a name for layers[{place}], a {entry['class_name']}, "
            "received none."
        )
