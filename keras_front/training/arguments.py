"""Reading what users pass to the methods of a model: numbers, pairs, nests of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError


def positive(where: str, name: str, value: Any) -> int:
    """`value`, a whole number above 0. Raises: ArgumentError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(f"{where}: expected {name} to be a positive integer, received {value!r}.")
    return int(value)


def only_a_stream(where: str, **arguments: Any) -> None:
    """Raise ArgumentError if something was given beside a generator that only arrays need."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ArgumentError(
            f"{where}: a generator or Sequence gives whole batches, so expected no {' and no '.join(given)}."
        )


def validation_parts(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weights of `validation_data`."""
    if isinstance(data, list | tuple) and len(data) in (2, 3):
        return (*data, None)[:3]  # type: ignore[return-value]
    raise ArgumentError(
        "fit: expected validation_data to be (x, y) or (x, y, sample_weight), a generator or a Sequence, "
        f"received {type(data).__name__}" + (f" of {len(data)}." if hasattr(data, "__len__") else ".")
    )


def named(x: Any) -> tuple[list[str], list[Any]]:
    """Names and values of the inputs of a model that does not know them yet."""
    if isinstance(x, dict):
        return list(x), list(x.values())
    values = list(x) if isinstance(x, list | tuple) and x and hasattr(x[0], "shape") else [x]
    return [f"input_{i + 1}" for i in range(len(values))], values


def form_of(x: Any, names: list[str]) -> Callable[[list[Any]], Any]:
    """A function that makes what the user passed as `x` of a flat list of tensors."""
    if isinstance(x, dict):
        return lambda tensors: dict(zip(names, tensors, strict=True))
    if isinstance(x, list | tuple) and x and hasattr(x[0], "shape"):
        return list
    return lambda tensors: tensors[0]


def length(x: Any) -> int | None:
    """The number of samples of a batch, if it is easily seen."""
    first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list | tuple) and x else x
    if hasattr(first, "shape"):
        return first.shape[0] if len(first.shape) else None
    return len(first) if hasattr(first, "__len__") else None


def unpacked(values: list[Any]) -> Any:
    """The only one of a list of one; otherwise the list."""
    return values[0] if len(values) == 1 else values
