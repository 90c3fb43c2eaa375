"""Arguments of a call in a config: tensors by their place, and what JSON has no words for.

[layer, node, tensor]                                   a tensor of the network
{"class_name": "__weight__", "config": [layer, n]}      a weight of one of its layers
{"class_name": "__numpy__", "config": {value, dtype}}   an array, as Keras 3 writes it
{"class_name": "__symbol__", "config": name}            the learning phase, the counter of steps
{"class_name": "__body__", "config": {...}}             the body of a loop, see `bodies`
{"class_name": "__step__", "config": n}                 in it, a tensor of the body
{"start", "stop", "step"}, "Ellipsis"                   in the key of an index, as tf.keras writes them
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import symbolic
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import SerializationError
from keras_front.registry import plain

SYMBOLS = {leaf.name: leaf for leaf in symbolic.AMBIENT}  # the learning phase, the counter of steps, the seed


class NotYetError(Exception):
    """A call refers to another one that was not made yet."""


class Unwritable:
    """A live object in a config that a copy in this process may use, and that no file can hold.

    Args:
        value: the object.
        reason: what to say when it is written to a file; by default that it is Python code.
    """

    def __init__(self, value: Any, reason: str = ""):
        self.value, self.reason = value, reason

    def __deepcopy__(self, memo: Any) -> Unwritable:
        return self

    def __reduce__(self) -> Any:
        return self.get_config()

    def get_config(self) -> dict[str, Any]:
        """Raises: SerializationError, as it is asked only when a config or a pickle is written."""
        name = getattr(self.value, "name", self.value)
        raise SerializationError(
            self.reason
            or f"Cannot write {name!r:.60} of this model to a file: an op that is Python code. Wrap it in a layer of "
            "your own, which a file names."
        )


# Writing ---------------------------------------------------------------------------------------------


def written(value: Any, places: Any) -> Any:
    """An argument as a config holds it. `places` has the tensors and weights of the network.

    Raises: SerializationError for a tensor of another network.
    """
    if isinstance(value, list | tuple):
        return [written(item, places) for item in value]
    if isinstance(value, Mapping):
        return {key: written(item, places) for key, item in value.items()}
    if isinstance(value, SymbolicTensor | Variable):
        return _tensor(value, places)
    return _other(value)


def _tensor(value: Any, places: Any) -> Any:
    variable = value if isinstance(value, Variable) else value.variable
    if variable is not None:
        return _variable(variable, places)
    if value.constant is not None:
        return _constant(K.to_numpy(value.constant), value.dtype)
    for name, symbol in SYMBOLS.items():
        if value is symbol:
            return {"class_name": "__symbol__", "config": name}
    return places.of(value)


def _variable(variable: Variable, places: Any) -> Any:
    place = places.of_weight(variable)
    if place is not None:
        return {"class_name": "__weight__", "config": place}
    warnings.warn(
        f"The variable {variable.name} is no weight of a layer of this model: its present value is written to the "
        "config as a constant. Make it a weight of a layer (add_weight) to have it saved and trained.",
        stacklevel=2,
    )
    return _constant(variable.numpy(), variable.dtype)


def _constant(array: np.ndarray, dtype: str) -> Any:
    """A number as itself where reading gives it the same dtype beside a tensor; else an array with its dtype."""
    if array.ndim == 0 and dtype in ("bool", "int32", "int64", "float32"):
        return array.item()
    return with_dtype(array, dtype)


def with_dtype(array: np.ndarray, dtype: str) -> Any:
    """An array with its dtype, as Keras 3 writes it."""
    return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": dtype}}


WRITERS: dict[type, Callable[[Any], Any]] = {}  # further kinds of arguments, filled by the modules that know them


def _other(value: Any) -> Any:
    if isinstance(value, slice):
        return {"start": _other(value.start), "stop": _other(value.stop), "step": _other(value.step)}
    if value is Ellipsis:
        return "Ellipsis"
    if isinstance(value, np.ndarray) and value.ndim:
        return _constant(value, value.dtype.name)
    return WRITERS[type(value)](value) if type(value) in WRITERS else plain(value)


def is_tensor(value: Any) -> bool:
    """Whether a written value is the place of a tensor."""
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and _whole(value[1], value[2])


def _whole(*values: Any) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


# Reading ---------------------------------------------------------------------------------------------


def read(value: Any, tensor_at: Callable[[Any], Any], layers: Mapping[str, Any]) -> Any:
    """The argument that `written` wrote. `tensor_at` gives the tensor of a place.

    Raises: NotYetError if a tensor or weight does not exist yet.
    """
    if isinstance(value, list):
        if len(value) in (3, 4) and isinstance(value[0], str) and value[0] in layers and _whole(*value[1:3]):
            return tensor_at(value[:3])
        return [read(item, tensor_at, layers) for item in value]
    if isinstance(value, Mapping):
        if set(value) == {"class_name", "config"} and value["class_name"] in OBJECTS:
            return OBJECTS[value["class_name"]](value["config"], layers)
        if set(value) == {"start", "stop", "step"}:
            return slice(*(read(value[k], tensor_at, layers) for k in ("start", "stop", "step")))
        return {key: read(item, tensor_at, layers) for key, item in value.items()}
    return value.value if isinstance(value, Unwritable) else value


def _weight(place: Any, layers: Mapping[str, Any]) -> SymbolicTensor:
    name, index = place
    if name not in layers:
        raise SerializationError(f"The config refers to a weight of {name!r}, a layer that does not exist.")
    weights = layers[name].weights
    if not weights:
        raise NotYetError
    if not 0 <= index < len(weights):
        raise SerializationError(f"The config refers to weight {index} of {name!r}, which has {len(weights)}.")
    return weights[index].symbol


OBJECTS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "__step__": lambda config, layers: layers[config],
    "__numpy__": lambda config, layers: np.asarray(config["value"], _numpy_name(config["dtype"])),
    "__symbol__": lambda config, layers: SYMBOLS[config],
    "__weight__": _weight,
}


def _numpy_name(dtype: Any) -> str:
    return "float32" if dtype == "bfloat16" else str(dtype)
