"""Functions of K that read, set, update and print values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import scopes
from keras_front.backend.creation import convert
from keras_front.backend.function import Function, evaluate, is_update
from keras_front.backend.guards import replaced, unchanged
from keras_front.backend.ops.elementwise import add, host_print, multiply, subtract
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.compatibility import renamed
from keras_front.errors import ArgumentError, WrongKindError
from keras_front.failures import explains_failures

__all__ = [
    "batch_get_value",
    "batch_set_value",
    "get_value",
    "moving_average_update",
    "print_tensor",
    "set_value",
    "update",
    "update_add",
    "update_sub",
]


@explains_failures
def get_value(x: Any) -> np.ndarray:
    """A copy of the value as a NumPy array, which no later step changes.

    Args:
        x: a variable, a tensor, or an expression without open placeholders; what `K.update` returned outside of a step
            is carried out.

    Example:
        >>> K.get_value(K.variable([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    return evaluate(x)


@renamed
@explains_failures
def batch_get_value(ops: Sequence[Any]) -> list[np.ndarray]:
    """Copies of the values of several variables.

    Args:
        ops: the variables; or what `K.update` returned outside of a step, which is carried out then, all at once.

    Returns: a list of arrays.

    Example:
        >>> [v.tolist() for v in K.batch_get_value([K.variable([1.0]), K.variable([2.0])])]
        [[1.0], [2.0]]
    """
    updates = [x for x in ops if is_update(x)]
    if updates:
        Function([], [], updates)([])
    read = [x[0] if is_update(x) else x for x in ops]
    with unchanged(x for x in read if isinstance(x, Variable)):
        return [get_value(x) for x in read]


@explains_failures
def set_value(x: Variable, value: Any) -> None:
    """Set the value of a variable; in a step that is traced, the value that it has from there on.

    Args:
        x: the variable.
        value: an array or tensor of its shape.

    Raises:
        ShapeError: the shape is another one.

    Example:
        >>> v = K.variable([1.0])
        >>> K.set_value(v, [2.0])
        >>> K.get_value(v).tolist()
        [2.0]
    """
    if not hasattr(x, "set"):
        raise WrongKindError(f"expected a variable, received {x!r:.80}. K.variable(value) makes one.")
    value = value if hasattr(value, "shape") else np.asarray(value)
    if scopes.tracing() is not None and scopes.bound_value(x) is not None:
        x.assign(convert(value, x.dtype))
    else:
        x.set(value)


@explains_failures
def batch_set_value(tuples: Sequence[tuple[Variable, Any]]) -> None:
    """Set the values of several variables; shapes are checked before anything is set.

    Args:
        tuples: pairs (variable, value).

    Raises:
        ArgumentError: a shape is another one.

    Example:
        >>> v = K.variable([1.0])
        >>> K.batch_set_value([(v, [5.0])])
        >>> K.get_value(v).tolist()
        [5.0]
    """
    pairs = [(x, value if hasattr(value, "shape") else np.asarray(value)) for x, value in tuples]
    for x, value in pairs:
        if tuple(value.shape) != x.shape:
            raise ArgumentError(f"Cannot set variable {x.name!r} of shape {x.shape} to a value of shape {value.shape}.")
    with replaced(x for x, _ in pairs):
        for x, value in pairs:
            x.set(value)


@explains_failures
def update(x: Variable, new_x: Any) -> Any:
    """Assign inside a step; elsewhere a pair for `updates=` of K.function if the value is symbolic.

    Args:
        x: the variable.
        new_x: its new value.

    Returns: the value, or the pair (variable, value).

    Example:
        >>> v = K.variable([1.0])
        >>> _ = K.update(v, np.array([4.0]))
        >>> K.get_value(v).tolist()
        [4.0]
    """
    frame = scopes.current_frame()
    if frame is not None:
        before, result = scopes.uncast_value(x, frame), x.assign(new_x)
        frame.updated.append((result, x, before))
        return result
    if isinstance(new_x, SymbolicTensor) or (isinstance(new_x, Variable) and not scopes.computes_now()):
        return (x, new_x)
    return x.assign(new_x)


@explains_failures
def update_add(x: Variable, increment: Any) -> Any:
    """`update(x, x + increment)`; at once where a real tensor or array is given.

    Args:
        x: the variable.
        increment: what is added.

    Returns: the value, or the pair (variable, value).

    Example:
        >>> v = K.variable([1.0])
        >>> _ = K.update_add(v, np.array([4.0]))
        >>> K.get_value(v).tolist()
        [5.0]
    """
    return _updated(add, x, increment)


@explains_failures
def update_sub(x: Variable, decrement: Any) -> Any:
    """`update(x, x - decrement)`; at once where a real tensor or array is given.

    Args:
        x: the variable.
        decrement: what is subtracted.

    Returns: the value, or the pair (variable, value).

    Example:
        >>> v = K.variable([1.0])
        >>> _ = K.update_sub(v, np.array([4.0]))
        >>> K.get_value(v).tolist()
        [-3.0]
    """
    return _updated(subtract, x, decrement)


@renamed
@explains_failures
def moving_average_update(x: Variable, value: Any, momentum: Any) -> Any:
    """`update(x, momentum * x + (1 - momentum) * value)`; at once where the value is a real tensor or array.

    Args:
        x: the variable that holds the average.
        value: what is averaged.
        momentum: which part of the old average is kept.

    Returns: the value, or the pair (variable, value).

    Example:
        >>> v = K.variable([1.0])
        >>> _ = K.moving_average_update(v, np.array([3.0]), 0.5)
        >>> K.get_value(v).tolist()
        [2.0]
    """
    return update(x, add(multiply(_now(x, value), momentum), multiply(value, 1 - momentum)))


def _updated(op: Callable[[Any, Any], Any], x: Variable, change: Any) -> Any:
    return update(x, op(_now(x, change), change))


def _now(x: Variable, change: Any) -> Any:
    """A variable, as its present value where a real tensor or array is to change it: that happens now."""
    real = not isinstance(change, SymbolicTensor | Variable) and hasattr(change, "shape")
    return x.read() if real else x


@explains_failures
def print_tensor(x: Any, message: str = "") -> Any:
    """`x`, printed after `message` whenever it is computed: at once for real tensors, else when a program runs.

    It is the result that prints: what uses `x` itself, or nothing, prints nothing. Its gradient is that of `x`.

    Args:
        x: a tensor.
        message: text that is printed before it.

    Returns: a tensor of the same values.

    Example:
        >>> _ = K.print_tensor(K.constant([1.0]), "x =")
        x = [1.]
    """
    return host_print(x, message, scopes.next_serial())
