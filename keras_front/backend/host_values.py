"""Values of tensors on the host, for functions whose result has a shape that depends on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import scopes, symbolic
from keras_front.backend.creation import constant, to_numpy
from keras_front.backend.precision import full_precision
from keras_front.errors import UntraceableError


@full_precision
def on_host(name: str, *tensors: Any) -> list[np.ndarray]:
    """The values of tensors; of symbolic ones where a step is recorded for known values, see `symbolic.value_here`.

    Args:
        name: the function that asks, for the message.
        tensors: tensors with values.

    Returns: an array for each.

    Raises: UntraceableError for one without.

    Example:
        >>> [array.tolist() for array in on_host("f", K.constant([1.0, 2.0]))]
        [[1.0, 2.0]]
    """
    return [_known(name, x) for x in tensors]


def _known(name: str, x: Any) -> np.ndarray:
    if not symbolic.is_symbolic(x):
        return np.asarray(to_numpy(x))
    value = symbolic.value_here(x)
    if value is None:
        raise UntraceableError(f"{name}: what it returns depends on values that are not there yet: {x!r}.")
    return value


def when_known(name: str, fn: Callable[..., np.ndarray], tensors: Sequence[Any], shape: Any, dtype: str) -> Any:
    """What a function of the host makes of the values of tensors; symbolic where a graph is built that has none yet.

    Args:
        name: the function, for messages.
        fn: takes an array for each tensor and returns one.
        tensors: tensors.
        shape: the shape of the result, None for each size that depends on values.
        dtype: the dtype of the result.

    Returns: a tensor. No gradient flows through it.

    Raises: UntraceableError in a step that is recorded for many batches.

    Example:
        >>> places = when_known("places", np.flatnonzero, [K.placeholder((None,))], (None,), "int64")
        >>> places.shape, places.dtype
        ((None,), 'int64')
    """

    def made(*given: Any) -> Any:
        return constant(fn(*on_host(name, *given)), dtype)

    if scopes.tracing() is not None or not any(map(symbolic.is_symbolic, tensors)):
        return made(*tensors)
    origin = symbolic.OpCall(symbolic.Deferred(made, name), tuple(tensors), {})
    return symbolic.outputs_like(origin, symbolic.placeholder(shape, dtype))
