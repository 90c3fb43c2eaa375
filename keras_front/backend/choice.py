"""`K.switch` and the choice by learning phase: `K.in_train_phase`, `K.in_test_phase`."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import operands, state
from keras_front.backend.inspection import dtype, int_shape, ndim
from keras_front.backend.op import OPS
from keras_front.backend.ops.elementwise import cast, where
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ShapeError, WrongKindError
from keras_front.failures import explains_failures

__all__ = ["in_test_phase", "in_train_phase", "switch"]


def _made(x: Any) -> Any:
    return x() if callable(x) and not hasattr(x, "shape") else x


@explains_failures
def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while training, else `alt`.

    Args:
        x: a tensor, or a function without arguments that makes one.
        alt: the same; of two functions only the chosen one is called where the phase is known.
        training: the phase, a bool or a scalar tensor; None: `K.learning_phase()`.

    Returns: a tensor.

    Example:
        >>> K.in_train_phase(np.array([1.0]), np.array([2.0]), training=True).tolist()
        [1.0]
    """
    if training is None:
        training = state.learning_phase()
    if isinstance(training, SymbolicTensor):
        return switch(training, x, alt)
    if isinstance(training, str):
        raise WrongKindError(f"Expected training to be True, False or a scalar tensor, received {training!r}.")
    return _made(x) if bool(training) else _made(alt)


@explains_failures
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while not training, else `alt`; see `in_train_phase`.

    Args:
        x: a tensor, or a function without arguments that makes one.
        alt: the same.
        training: the phase, a bool or a scalar tensor; None: `K.learning_phase()`.

    Returns: a tensor.

    Example:
        >>> K.in_test_phase(np.array([1.0]), np.array([2.0]), training=False).tolist()
        [1.0]
    """
    return in_train_phase(alt, x, training=training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors, chosen by a scalar, or sample by sample by a vector.

    Args:
        condition: a bool, a scalar tensor, or a tensor whose axes are the first ones of the others.
        then_expression: a tensor, or a function without arguments that makes one.
        else_expression: the same, of the same shape.

    Returns: a tensor. A gradient flows to the chosen side alone.

    Raises:
        ShapeError: the condition has more axes than the tensors.

    Example:
        >>> K.switch(True, lambda: 1.0, lambda: 2.0)
        1.0
    """
    if isinstance(condition, bool | int | np.bool_):
        return _made(then_expression) if condition else _made(else_expression)
    then, other = _made(then_expression), _made(else_expression)
    if isinstance(condition, Variable):
        condition = operands.read_variables([condition])[0]
    rank = max(ndim(then), ndim(other))
    if dtype(condition) != "bool":
        condition = cast(condition, "bool")
    if ndim(condition) > rank:
        raise ShapeError(
            f"K.switch: expected a condition of at most the {rank} axes of what it chooses from, received one of "
            f"shape {int_shape(condition)}."
        )
    while 0 < ndim(condition) < rank:
        condition = OPS["expand_dims"].function(condition, axis=-1)
    return where(condition, then, other)
