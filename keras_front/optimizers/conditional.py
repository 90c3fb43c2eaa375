"""Changes that are kept where a condition says so: a step is computed in any case, so that it stays one program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front.backend.state import Variable


def changed_where(
    condition: Any, variables: Sequence[Variable], change: Callable[[], None], but: Sequence[Variable] = ()
) -> None:
    """Run something that assigns variables; they are as before where the condition is false.

    Args:
        condition: a bool scalar.
        variables: all that may be assigned.
        change: assigns them.
        but: those of them that are not assigned here, whatever became of them inside.
    """
    before = [K.convert(v) for v in variables]
    with K.bind(variables, before, collect=False) as frame:
        change()
        after = frame.values_of(variables)
    for variable, old, new in zip(variables, before, after, strict=True):
        if new is not old and not any(variable is v for v in but):
            variable.assign(K.where(condition, new, old))
