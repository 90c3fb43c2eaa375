"""Functions of K that say what a tensor is: its kind, shape, dtype and size."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import discovery, dtypes
from keras_front.backend.op import OPS
from keras_front.backend.operands import HOST
from keras_front.backend.ops.arrangement import symbolic_shape
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor, in_this_step
from keras_front.errors import ArgumentError, WrongKindError
from keras_front.failures import explains_failures, no_tensor

__all__ = [
    "count_params",
    "dtype",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_tensor",
    "is_variable",
    "ndim",
    "shape",
    "size",
]


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable.

    Args:
        x: anything.

    Example:
        >>> K.is_variable(K.variable([1.0]))
        True
    """
    return isinstance(x, Variable)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, a variable, or a tensor of a backend in use.

    Args:
        x: anything.

    Example:
        >>> K.is_tensor(K.placeholder((2,))), K.is_tensor("a word")
        (True, False)
    """
    return isinstance(x, SymbolicTensor | Variable) or discovery.owner(x) is not None


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` came out of a layer (or `Input`).

    Args:
        x: a tensor.

    Raises:
        ArgumentError: it is no tensor at all.

    Example:
        >>> K.is_keras_tensor(K.placeholder((2,)))
        False
    """
    if not is_tensor(x):
        raise ArgumentError(f"K.is_keras_tensor: expected a tensor, received {type(x).__name__}.")
    return getattr(x, "history", None) is not None


def is_placeholder(x: Any) -> bool:
    """Whether `x` waits for a value.

    Args:
        x: anything.

    Example:
        >>> K.is_placeholder(K.placeholder((2,)))
        True
    """
    return isinstance(x, SymbolicTensor) and x.is_placeholder


def shape(x: Any) -> Any:
    """The shape: an int32 array where it is known, a symbolic vector otherwise.

    Args:
        x: a tensor or variable.

    Example:
        >>> K.shape(np.ones((2, 3))).tolist()
        [2, 3]
    """
    x = in_this_step(x)
    known = int_shape(x)
    return symbolic_shape(x) if None in known else np.asarray(known, "int32")


def int_shape(x: Any) -> tuple[Any, ...]:
    """The shape as a tuple of ints, with None for what is unknown.

    Args:
        x: a tensor, variable or array.

    Example:
        >>> K.int_shape(K.placeholder((None, 3)))
        (None, 3)
    """
    if hasattr(x, "shape") and not callable(x.shape):
        return tuple(d if d is None else int(d) for d in x.shape)
    if not isinstance(x, HOST):
        raise WrongKindError(no_tensor(x))
    return np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes.

    Args:
        x: a tensor, variable or array.

    Example:
        >>> K.ndim(K.placeholder((None, 3)))
        2
    """
    return len(int_shape(x))


@explains_failures
def size(x: Any, name: str | None = None) -> Any:
    """The number of elements: an int where it is known, a symbolic scalar otherwise.

    Args:
        x: a tensor, variable or array.
        name: ignored; Keras 2 named the node.

    Example:
        >>> int(K.size(np.ones((2, 3))))
        6
    """
    known = int_shape(x)
    return OPS["prod"].function(shape(x)) if None in known else int(np.prod(known))


def dtype(x: Any) -> str:
    """The name of the dtype.

    Args:
        x: a tensor, variable or array.

    Example:
        >>> K.dtype(K.placeholder((2,)))
        'float32'
    """
    if isinstance(x, SymbolicTensor | Variable):
        return x.dtype
    if not hasattr(x, "dtype"):
        raise WrongKindError(f"K.dtype: expected a tensor, a variable or an array, received {x!r:.60}.")
    return dtypes.canonical(x.dtype)


def count_params(x: Any) -> int:
    """The number of elements of a variable.

    Args:
        x: a variable or tensor of known shape.

    Example:
        >>> K.count_params(K.zeros((3, 4)))
        12
    """
    return int(np.prod(int_shape(x), dtype=np.int64))
