"""The values of a model's variables while steps run: one list, to which the variables refer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.backend.adapter import Backend


def values_of(variables: Sequence[Any]) -> list[Any]:
    """The present values as tensors of the active backend, no two of them the same object."""
    values = tensors_of(variables)
    if len(set(map(id, values))) < len(values):  # a step may reuse the memory of each
        seen: set[int] = set()
        for index, value in enumerate(values):
            if id(value) in seen:
                values[index] = K.convert(np.array(K.to_numpy(value)))
            seen.add(id(values[index]))
    return values


def tensors_of(variables: Sequence[Any]) -> list[Any]:
    """The present values as tensors of the active backend."""
    engine = discovery.active()  # `Variable.value` in one line, because a step should not make a call for each
    return [v._values[v._index] if v._backend is engine else v.value for v in variables]


def put(variables: Sequence[Any], values: Sequence[Any], engine: Backend) -> None:
    """Make `values`, tensors of `engine`, the values of `variables`."""
    for variable, value in zip(variables, values, strict=True):
        variable._store(value, engine)


@contextmanager
def adopted(variables: Sequence[Any]) -> Iterator[list[Any]]:
    """A list of the values, to which the variables refer until the block ends, however it ends."""
    live = values_of(variables)
    adopt(variables, live)
    try:
        yield live
    finally:
        for variable in variables:
            variable.release()


def adopt(variables: Sequence[Any], live: list[Any]) -> None:
    for index, variable in enumerate(variables):
        variable.adopt(live, index)


def readopt(variables: Sequence[Any], live: list[Any]) -> None:
    """Take back variables that went elsewhere, because a callback used them on another backend."""
    for index, variable in enumerate(variables):
        if variable._values is not live:
            live[index] = variable.value
            variable.adopt(live, index)
