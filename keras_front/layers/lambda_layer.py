"""`Lambda`: a function of tensors as a layer, and how its function stands in a config.

Source: Keras 2.3.1, `keras/layers/core.py`; for the mask tf_keras 2.21, `tf_keras/src/layers/core/lambda_layer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from keras_front import activations, bytecode
from keras_front import backend as K
from keras_front.backend.op import OPS
from keras_front.errors import ArgumentError, SerializationError, WrongKindError
from keras_front.graph.layer import LAYERS
from keras_front.registry import get_custom_objects, get_registered_object, name_of, plain

from .base import Layer, LayerArguments


@LAYERS.register()
class Lambda(Layer):
    """A function of tensors as a layer.

    Args:
        function: takes a tensor (or a list) and returns one; it is made of functions of K, or of the active
            backend's own, which ties the model to that backend.
        output_shape: shape without the batch, or a function of the input shape. Needed only where calling the
            function on symbols does not tell.
        mask: the mask of the output, or a function of inputs and mask. By default the layer has no mask.
        arguments: keyword arguments for `function`.

    Shape: any; the output has the shape that the function gives.
    Raises: ArgumentError if `output_shape` is no shape and no function.

    The function is written to a config as code, unless it is one of K or registered. Reading that from a file needs
    permission: `load_model(..., allow_code=True)`; or `custom_objects` with the function, under its own name or that of
    the layer. Copies within the process use the function itself.
    Example:
        >>> import numpy as np
        >>> np.asarray(Lambda(lambda x: 2 * x)(np.ones((1, 2), "float32"))).tolist()
        [[2.0, 2.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if not callable(function) and not isinstance(function, list | tuple | dict):  # what a config holds
            raise WrongKindError(f"Lambda: expected function to be a function, received {function!r:.60}.")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise WrongKindError(f"Lambda: expected arguments to be a dict by names, received {arguments!r:.60}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        self.mask = mask
        if output_shape is not None and not callable(output_shape) and not isinstance(output_shape, list | tuple):
            raise ArgumentError(
                f"Lambda: expected output_shape to be a tuple, a list or a function, received {output_shape!r}."
            )
        self._output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape

    def call(self, inputs: Any, mask: Any = None) -> Any:
        arguments = dict(self.arguments)
        if not callable(self.function):
            raise WrongKindError(f"Lambda: expected function to be a function, received {self.function!r:.60}.")
        if _takes(self.function, "mask"):
            arguments["mask"] = mask
        return self.function(inputs, **arguments)

    def declared_output_shape(self, input_shape: Any) -> Any:
        """The output shape that the user gave, with the batch axis; None if there is none.

        Args:
            input_shape: shape of the input with its batch axis, or a list of shapes.
        """
        if self._output_shape is None:
            return None
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        return (first[0], *self._output_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        declared = self.declared_output_shape(input_shape)
        return super().compute_output_shape(input_shape) if declared is None else declared

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The config of Keras 2: functions as code, or as the name by which they are found.

        Beside each function stand its type ('lambda', 'function', or 'raw' for a value) and its module, whose names the
        function may use.
        """
        result = {key: value for key, value in super().get_config().items() if key not in ("function", "mask")}
        held = {"function": self.function, "output_shape": self._output_shape, "mask": self.mask}
        for key, value in held.items():
            if key != "mask" or value is not None:
                result[key], result[f"{key}_type"] = written_function(value)
            if callable(value):
                result["module" if key == "function" else f"{key}_module"] = getattr(value, "__module__", None)
        return {**result, "arguments": plain(self.arguments)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer from a config; code that comes from a file is run only with permission.

        Args:
            config: what `get_config` returned.
            custom_objects: functions by their names, or the function of this layer by the layer's name.

        Raises: UnsafeFileError if the config carries code and nobody allowed it.
        """
        given = dict(config)
        known = {**get_custom_objects(), **(custom_objects or {})}
        name = given.get("name", "Lambda")
        for key in ("function", "output_shape", "mask"):
            module = given.pop("module" if key == "function" else f"{key}_module", None)
            kind = given.pop(f"{key}_type", "function" if key == "function" else "raw")
            if given.get(key) is not None and kind != "raw":
                place = name if key == "function" else f"{name}_{key}"
                given[key] = found_function(given[key], kind, place, known, module)
        return cls(**given)

    def __getstate__(self) -> dict[str, Any]:
        """Functions as `bytecode.Closure`: a lambda can be pickled, and uses the layers of the copy."""
        state = super().__getstate__()
        return {k: bytecode.Closure(v) if k in _FUNCTIONS and hasattr(v, "__code__") else v for k, v in state.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({k: v.function if isinstance(v, bytecode.Closure) else v for k, v in state.items()})


_FUNCTIONS = ("function", "_output_shape", "mask")


def _takes(function: Callable[..., Any], name: str) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def written_function(value: Any) -> tuple[Any, str]:
    """A value or function as a config has it, and which of these it is.

    Args:
        value: a function, or a plain value.

    Returns: a name or code, and 'function' or 'lambda'; or the value, and 'raw'.
    """
    if not callable(value):
        return plain(value), "raw"
    name = name_of(value)
    if not hasattr(value, "__code__") or any(value is found for found in _by_name(name)):
        return name, "function"
    return bytecode.Code(value), "lambda"


def _by_name(name: str) -> list[Any]:
    """The functions that a config may call `name`: the user's, an activation, an op of K."""
    found = [get_registered_object(name), getattr(OPS.get(name), "function", None)]
    return [*found, activations.get(name)] if name in activations.ACTIVATIONS else found


def found_function(written: Any, kind: str, place: str, known: Mapping[str, Any], module: Any) -> Callable[..., Any]:
    """The function that a config means: the user's own by the name of the layer or its own, or its code.

    Args:
        written: a name or code, as `written_function` wrote it.
        kind: 'lambda' for code, else 'function'.
        place: name of the layer, by which the user may hand the function over.
        known: functions of the user by name.
        module: the module whose names code may use.

    Raises: SerializationError if there is no such function; UnsafeFileError for code without permission.
    """
    if callable(written):
        return written
    name = written if isinstance(written, str) and kind != "lambda" else bytecode.name_in(written)
    for key in (place, name):
        if key in known:
            return known[key]
    if kind == "lambda":
        return bytecode.load(written, names={"K": K, **known}, where=f"Layer {place!r}", module=module)
    found = [function for function in reversed(_by_name(str(name))) if function is not None]
    if found:
        return found[0]
    raise SerializationError(
        f"Layer {place!r} was made with the function {name!r}, which is not in the file. Pass "
        f"custom_objects={{{name!r}: function}}."
    )
