"""Small functions of the values, shapes, dtypes and names that a layer meets. They know tensors, no layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config, conventions, dtype_policies
from keras_front.backend import dtypes, state, symbolic
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, DtypeError
from keras_front.nest import flatten

from .input_spec import Shape


def default_name(class_name: str) -> str:
    """'dense_1' for the first Dense of the session; in some dialects 'dense', 'dense_1'."""
    prefix, convention = snake_case(class_name), conventions.current()
    prefix = convention.name_prefixes.get(prefix, prefix)
    if not convention.names_from_zero or (convention.inputs_from_one and prefix == "input"):
        return numbered(prefix)
    number = K.get_uid(prefix) - 1
    return f"{prefix}_{number}" if number else prefix


def numbered(prefix: str) -> str:
    """A name with the next number of its kind, from 1 on."""
    return f"{prefix}_{K.get_uid(prefix)}"


def snake_case(name: str) -> str:
    """'MaxPooling2D' as 'max_pooling2d'."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    return words if words[0] != "_" else "private" + words


def symbols_of_shape(shape: Any, dtype: str) -> Any:
    """Placeholders for a shape, or a list of them for a list of shapes."""
    if is_list_of_shapes(shape):
        return [K.placeholder(shape=tuple(s), dtype=dtype) for s in shape]
    return K.placeholder(shape=tuple(shape), dtype=dtype)


def is_list_of_shapes(shape: Any) -> bool:
    """Whether `shape` is a list of shapes and not one shape."""
    return bool(shape) and all(isinstance(s, list | tuple) for s in shape)


def as_shapes(shape: Any) -> Any:
    """A shape, or list of shapes, as a tuple, or list of tuples."""
    if is_list_of_shapes(shape):
        return [tuple(s) for s in shape]
    return tuple(shape) if isinstance(shape, list | tuple) else shape


def shape_of(value: Any) -> Shape:
    """The shape of a value of any kind, with None for unknown sizes; None for None."""
    return None if value is None else tuple(K.int_shape(value))  # type: ignore[return-value]


def with_last_axis(value: Any, expected: Shape) -> Any:
    """A value with, or without, a last axis of size 1 where that is all that it lacks, or has, of the expected rank.

    Source: tf_keras 2.21, `engine/functional.py`, `_conform_to_reference_input`.
    """
    found = shape_of(value)
    if is_text_array(value):
        return value.reshape(*found, 1) if len(found) == len(expected) - 1 and expected[-1] == 1 else value
    if len(found) == len(expected) - 1 and expected[-1] == 1:
        return K.expand_dims(value, -1)
    if len(found) == len(expected) + 1 and found[-1] == 1:
        return K.squeeze(value, -1)
    return value


def is_text_array(value: Any) -> bool:
    """Whether a value is an array of strings, which layers of strings are called on, and no tensor."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "USTO"


def is_written_text(items: list[Any]) -> bool:
    """Whether a list is an array of strings or bytes, written out."""
    while isinstance(items, list) and items:
        items = items[0]
    return isinstance(items, str | bytes)


def copied(item: Any) -> Any:
    """A leaf of a call's arguments as the node keeps it: arrays may be written to later, the rest cannot change."""
    return item.copy() if isinstance(item, np.ndarray) else item


def mask_of_symbol(value: Any) -> Any:
    """The mask of a symbol; None for other values."""
    return value.mask if isinstance(value, SymbolicTensor) else None


def cast_float(value: Any, dtype: str) -> Any:
    """A tensor of floats in another dtype; one of other kinds as it is."""
    if value is None or is_text_array(value):
        return value
    found = K.dtype(value)
    return K.cast(value, dtype) if found != dtype and found.startswith(("float", "bfloat")) else value


def flat_masks(masks: Any, outputs: Any) -> list[Any]:
    """One mask, or None, for each output."""
    flat = flatten(masks) if masks is not None else []
    count = len(flatten(outputs))
    return (flat + [None] * count)[:count]


def as_tensors(outputs: Any) -> list[Any]:
    """The outputs as a flat list, with the values of variables among them."""
    flat = flatten(outputs)
    return [x.read() if isinstance(x, Variable) else x for x in flat]


def dtype_name(dtype: Any) -> str | None:
    """The name of a dtype that is given as a name, a dtype of NumPy or an engine; of a policy that of its weights."""
    if isinstance(dtype, dict) or dtype_policies.is_name(dtype):
        return dtype_policies.get(dtype).variable_dtype
    if isinstance(dtype, str):
        return dtype
    named = getattr(dtype, "variable_dtype", None) or getattr(dtype, "name", None)
    return named if dtype is None or isinstance(named, str) else _known(dtype)


def _known(dtype: Any) -> str:
    """The name of a dtype of NumPy.

    Raises: DtypeError for anything else.
    """
    if isinstance(dtype, bool | int | float | Mapping | Sequence):
        raise DtypeError(f"Unknown dtype {dtype!r:.60}: expected the name of one, such as 'float32'.")
    return np.dtype(dtype).name


def checked_flag(value: Any, argument: str, owner: str) -> bool:
    """True or False; numbers and None count as Python counts them.

    Args:
        value: what was given.
        argument: what to call it in messages.
        owner: whose argument it is, for messages.

    Raises: ArgumentError for texts and collections.
    """
    if isinstance(value, str | Mapping | Sequence):
        raise ArgumentError(f"{owner}: expected {argument} to be True or False, received {value!r:.60}.")
    return bool(value)


def first_shape(kwargs: dict[str, Any]) -> Shape | None:
    """The shape of the input with its batch axis, if the arguments of a first layer give it.

    Raises: ArgumentError for what is no shape.
    """
    if kwargs.get("batch_input_shape") is not None:
        return as_shapes(checked_shape(kwargs["batch_input_shape"], "batch_input_shape"))
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        shape = (kwargs["input_dim"],)
        if "input_length" in kwargs:
            shape = (kwargs["input_length"], *shape)
    if shape is None:
        return None
    if not isinstance(shape, list | tuple):
        example = f"such as ({shape},), " if isinstance(shape, int) else ""
        raise ArgumentError(f"input_shape: expected a tuple without the batch axis, {example}received {shape!r}.")
    return checked_shape((kwargs.get("batch_size"), *shape), "input_shape")


def checked_shape(shape: Any, argument: str) -> Any:
    """A shape, or a list of shapes, as it was given.

    Args:
        shape: integers, and None for sizes that are not known.
        argument: what to call it in messages.

    Raises: ArgumentError for anything else.
    """
    if not isinstance(shape, list | tuple) or not _is_shape(shape):
        raise ArgumentError(f"{argument}: expected a tuple of sizes, integers or None, received {shape!r:.80}.")
    return shape


def check_base_arguments(owner: str, given: dict[str, Any]) -> None:
    """Raise ArgumentError for an argument that every layer takes and that cannot be what was passed.

    Args:
        owner: the class of the layer, for the message.
        given: the arguments by name.
    """
    for name, value in given.items():
        check, expected = _BASE_CHECKS.get(name, (None, ""))
        if check is not None and value is not None and not check(value):
            raise ArgumentError(f"{owner}: expected {name} to be {expected}, received {value!r:.60}.")


LARGEST = 2**63 - 1  # what a size can be in any engine


def _is_size(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(0 <= value <= LARGEST)


def _is_shape(value: Any) -> bool:
    if not isinstance(value, list | tuple):
        return not isinstance(value, str)  # what is no shape at all is told where it is read
    return all(
        n is None or _is_shape(n) if isinstance(n, list | tuple) else n is None or _is_size(n) or hasattr(n, "dtype")
        for n in value
    )


def _is_dtype(value: Any) -> bool:
    try:
        name = dtype_name(value)
    except (TypeError, ArgumentError):
        return False
    return name is None or name in dtypes.ALL or name in ("float", "int", "double", "half")


_BASE_CHECKS: dict[str, tuple[Any, str]] = {
    "name": (lambda value: isinstance(value, str | int), "a text"),
    "trainable": (lambda value: isinstance(value, int | np.bool_ | np.integer), "True or False"),
    "recompute": (lambda value: isinstance(value, bool | np.bool_), "True or False"),
    "batch_size": (_is_size, "an integer of at least 0, or None"),
    "input_dim": (_is_size, "an integer of at least 0, or None"),
    "input_length": (lambda value: _is_size(value) or _is_shape(value), "an integer of at least 0, or None"),
    "input_shape": (_is_shape, "a tuple of integers and None, without the batch axis"),
    "batch_input_shape": (_is_shape, "a tuple of integers and None"),
    "weights": (lambda value: isinstance(value, list | tuple | np.ndarray), "a list of arrays"),
    "dtype": (_is_dtype, "the name of a dtype, such as 'float32'"),
}


def record_by_running(name: str, run: Any, leaves: list[Any]) -> Any:
    """Learn shapes from real tensors, for code that works on one engine's tensors only.

    Sizes that are unknown are tried as 2 and as 3; what differs between the two results is unknown.
    """
    small, large = (_zeros_run(run, leaves, size) for size in (2, 3))
    origin = symbolic.OpCall(symbolic.Deferred(run, name), tuple(leaves), {})

    def blend(a: Any, b: Any) -> Any:
        pairs = zip(tuple(a.shape), tuple(b.shape), strict=True)
        return symbolic.placeholder(tuple(int(m) if m == n else None for m, n in pairs), K.dtype(a))

    return symbolic.outputs_like(origin, [blend(a, b) for a, b in zip(small, large, strict=True)])


def record_as(shapes: list[Any], name: str, run: Any, leaves: list[Any]) -> Any:
    """Record code that can only run on known values or sizes; its results have the shapes that the layer told.

    Args:
        shapes: the shapes of the results, which are floats.
        name: the name of the layer.
        run: what runs when the sizes are known.
        leaves: the symbols that it takes.
    """
    origin = symbolic.OpCall(symbolic.Deferred(run, name), tuple(leaves), {})
    return symbolic.outputs_like(origin, [symbolic.placeholder(shape, config.floatx()) for shape in shapes])


def as_one_level(inputs: list[Any]) -> Any:
    """Several inputs as Keras 2 took them: a list of one tensor is that tensor, also within the list.

    Args:
        inputs: tensors, and what else a call was given.
    """

    def alone(item: Any) -> Any:
        return item[0] if isinstance(item, list) and len(item) == 1 and hasattr(item[0], "shape") else item

    if len(inputs) == 1:
        return alone(inputs)
    return [alone(item) for item in inputs] if any(hasattr(item, "shape") for item in inputs) else inputs


def _zeros_run(run: Any, leaves: list[Any], size: int) -> Any:
    values = [K.convert(np.zeros([size if n is None else n for n in t.shape]), t.dtype) for t in leaves]
    with state.scratch(), state.eager(), state.phase(False):
        return run(*values)
