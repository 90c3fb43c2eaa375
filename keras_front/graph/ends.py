"""Inputs and outputs as the constructor of a model is given them: split, checked, ordered, named."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import symbolic
from keras_front.errors import ArgumentError
from keras_front.failures import described
from keras_front.nest import flatten, unique


def tensors_among(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Split the arguments of the constructor into inputs, outputs and the rest."""
    rest = dict(kwargs)
    names = ("inputs", "outputs", "name")
    if len(args) > len(names):
        raise ArgumentError(f"Model: expected inputs, outputs and name, received {len(args)} positional arguments.")
    for name, value in zip(names, args, strict=False):
        if name in rest:
            raise ArgumentError(f"Model: {name} was given twice.")
        rest[name] = value
    inputs, outputs = rest.pop("inputs", None), rest.pop("outputs", None)
    if (inputs is None) != (outputs is None):
        given = "inputs" if outputs is None else "outputs"
        raise ArgumentError(
            f"Model: expected both `inputs` and `outputs` (or neither, in a subclass), received {given}."
        )
    return inputs, outputs, rest


def check_ends(name: str, given_in: Any, inputs: list[Any], given_out: Any, outputs: list[Any]) -> None:
    """Raise an ArgumentError unless what was given are symbolic tensors, each input once."""
    for what, given, found in (("inputs", given_in, inputs), ("outputs", given_out, outputs)):
        if not found or len(found) != len(flatten(given)):
            raise ArgumentError(
                f'Model "{name}": expected {what} to be a symbolic tensor (from `Input` or a layer), or a list of '
                f"them, received {described(given)}.{_instead_of_symbol(given)}"
            )
    if len(unique(inputs)) != len(inputs):
        raise ArgumentError(
            f"The list of inputs passed to the model is redundant. All inputs should only appear once. Found: {inputs}."
        )


def _instead_of_symbol(given: Any) -> str:
    first = next(iter(flatten(given)), None)
    if hasattr(first, "_inbound_nodes"):
        return " That is a layer: pass what it returns when it is called, as in `x = layer(inputs)`."
    if isinstance(first, np.ndarray):
        return " Make a place for data with Input(shape), and pass the data themselves to fit or predict."
    return ""


def keys_of(ends: Any) -> list[str] | None:
    """The keys of a dict with one tensor under each name; None of anything else."""
    flat = isinstance(ends, dict) and all(isinstance(k, str) and symbolic.is_symbolic(t) for k, t in ends.items())
    return list(ends) if flat and ends else None


def sorted_by_key(ends: Any) -> Any:
    """Dicts of tensors in the order of their keys, as tf.keras and Keras 3 order them; anything else as it is."""
    if isinstance(ends, list | tuple):
        parts = [sorted_by_key(part) for part in ends]
        return type(ends)(*parts) if hasattr(ends, "_fields") else type(ends)(parts)
    if not isinstance(ends, dict) or not all(isinstance(key, str) for key in ends):
        return ends
    return {key: sorted_by_key(ends[key]) for key in sorted(ends)}


def names_of(tensors: list[Any]) -> list[str]:
    """Names of the layers of the tensors; a layer with several gets numbers."""
    names: dict[str, None] = {}  # in order
    numbers: dict[str, int] = {}  # the last number that each base was given
    for tensor in tensors:
        base = name = tensor.history[0].name if tensor.history else tensor.name
        while name in names:
            numbers[base] = numbers.get(base, 0) + 1
            name = f"{base}_{numbers[base]}"
        names[name] = None
    return list(names)
