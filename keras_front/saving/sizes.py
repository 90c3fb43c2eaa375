"""How many layers a config may describe, and how much memory the weights of its model may take.

Both are counted before anything is made, whatever the format; the limits are `config.max_model_layers` and
`config.max_model_bytes`, which the caller may set and no file can.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from keras_front import config as settings
from keras_front.backend import dtypes
from keras_front.errors import UnsafeFileError
from keras_front.graph.tracking import POSTPONED

from . import guard

__all__ = ["check_counts", "initialize"]

ARGUMENTS = 10_000  # of one object; no class takes a hundredth


def check_counts(config: Any, where: str) -> None:
    """Refuse a config that describes more layers and calls than is allowed, or an object with too many arguments.

    Args:
        config: a config of any Keras, which passed `guard.check_depth`.
        where: what to call the file or config in messages.

    Raises: UnsafeFileError.
    """
    found = 0
    for item in guard.dictionaries(config):
        found += sum(_objects_and_calls(key, value) for key, value in item.items() if isinstance(value, list))
        arguments = item.get("config")
        if "class_name" in item and isinstance(arguments, Mapping) and len(arguments) > ARGUMENTS:
            received = f"{len(arguments)} for a {item['class_name']!r:.80}"
            raise guard.unsafe(where, f"at most {ARGUMENTS} arguments", received, "No class takes that many.")
    allowed = settings.max_model_layers()
    if allowed and found > allowed:
        raise guard.unsafe(
            where,
            f"at most {allowed} layers and further calls of layers",
            f"a config with {found}",
            "If that is meant, allow it: config.set_max_model_layers, or KERAS_FRONT_MAX_MODEL_LAYERS.",
        )


def _objects_and_calls(key: str, listed: list[Any]) -> int:
    """Layers, cells and the like in a list; of a list of calls those beyond the first, which counts as the layer."""
    if key == "inbound_nodes":
        return max(len(listed) - 1, 0)
    described = [entry for entry in listed if isinstance(entry, Mapping) and "class_name" in entry]
    return sum(entry["class_name"] != "__keras_tensor__" for entry in described)


def initialize(variables: Iterable[Any], where: str) -> None:
    """Draw the first values of weights and states, unless they take more memory than is allowed or there is.

    Those of large ones are drawn when they are asked for, as in every model: a config may name an initializer that
    takes hours for them.

    Args:
        variables: weights and states that take no memory yet.
        where: what to call the config in messages.

    Raises: UnsafeFileError; if they are too large, none is drawn.
    """
    variables = list(variables)
    wanted = sum(_bytes(variable) for variable in variables)
    if wanted > settings.max_model_bytes():
        raise _too_large(where, wanted)
    try:
        for variable in variables:
            if math.prod(variable.shape) <= POSTPONED:
                variable.initialize()
    except MemoryError:
        raise _too_large(where, wanted) from None


def _bytes(variable: Any) -> int:
    return math.prod(variable.shape) * dtypes.item_bytes(variable.dtype)


def _too_large(where: str, wanted: int) -> UnsafeFileError:
    return guard.unsafe(
        where,
        f"at most {settings.max_model_bytes()} bytes of weights, and as much free memory as they take",
        f"a config of a model with {wanted}",
        "If that is meant, allow it: config.set_max_model_bytes (max_model_bytes), or KERAS_FRONT_MAX_MODEL_BYTES.",
    )
