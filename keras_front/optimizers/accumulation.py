"""`gradient_accumulation_steps`: gradients of several steps are added up, and one of these steps changes the weights.

Every step computes the update, and keeps it where it is due: so a step stays one straight program, whichever engine
compiles it, and an optimizer of any kind can accumulate.

Source: Keras 3.15, `optimizers/base_optimizer.py`, `BaseOptimizer._backend_apply_gradients`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError
from keras_front.optimizers.conditional import changed_where

ACCUMULATOR = "gradient_accumulator"  # the name of the slot


def checked(steps: Any) -> int | None:
    """The number of steps as an optimizer keeps it; None where each step changes the weights.

    Args:
        steps: what the user gave: None, or a whole number of at least 1; 1 is the same as None.

    Raises: ArgumentError for anything else.
    Example:
        >>> checked(1), checked(4)
        (None, 4)
    """
    if steps is None:
        return None
    number = None if isinstance(steps, bool | str) else steps
    if number is None or number != int(number) or number < 1:
        raise ArgumentError(
            f"gradient_accumulation_steps: expected None or a whole number of at least 1, received {steps!r}."
        )
    return int(number) if number > 1 else None


def apply(
    optimizer: Any,
    params: Sequence[Variable],
    grads: Sequence[Any],
    step: Callable[[Sequence[Variable], Sequence[Any]], None],
) -> None:
    """Add gradients to the accumulators; each k-th time take a step with their mean and begin anew.

    Args:
        optimizer: the optimizer. Its `_iterations` count the calls; inside of `step` they count the updates.
        params: the weights.
        grads: their gradients; a weight with None stays as it is.
        step: takes a step of the optimizer with the weights and gradients that it is given.
    """
    k, calls = optimizer.gradient_accumulation_steps, K.convert(optimizer._iterations)
    done = K.add(calls, 1)  # not by the operators of an engine that has no int64 of its own accord
    due = K.equal(K.mod(done, k), 0)
    sums = [None if g is None else _sum(optimizer, p, g) for p, g in zip(params, grads, strict=True)]
    accumulators = {optimizer.slots_of(p)[ACCUMULATOR] for p in params}
    variables = [v for v in dict.fromkeys([*params, *optimizer.variables_of(params)]) if v not in accumulators]

    def update() -> None:
        optimizer._iterations.assign(K.floor_divide(calls, k))
        optimizer._updating = True
        try:
            step(params, [None if s is None else s / k for s in sums])
        finally:
            optimizer._updating = False

    changed_where(due, variables, update, but=[optimizer._iterations])
    for param, total in zip(params, sums, strict=True):
        if total is not None:
            optimizer.slots_of(param)[ACCUMULATOR].assign(K.where(due, K.zeros_like(total), total))
    optimizer._iterations.assign(done)


def _sum(optimizer: Any, param: Variable, grad: Any) -> Any:
    held = K.convert(optimizer.slots_of(param)[ACCUMULATOR])
    return held + K.cast(grad, K.dtype(held))
