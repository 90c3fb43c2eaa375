"""Step sizes as an optimizer is given them: numbers, schedules, functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from keras_front.errors import ArgumentError
from keras_front.optimizers.schedules import SCHEDULES, LearningRateSchedule

LearningRate = float | LearningRateSchedule | Callable[[], Any]


def schedule_of(learning_rate: Any) -> Any:
    """What sets the step size at each step: a schedule, or a function of the step; None for a number."""
    if isinstance(learning_rate, Mapping):
        return SCHEDULES.deserialize(learning_rate)
    if isinstance(learning_rate, LearningRateSchedule):
        return learning_rate
    if callable(learning_rate) and not isinstance(learning_rate, type) and not hasattr(learning_rate, "__float__"):
        return _Called(learning_rate)
    return None


class _Called:
    """A function without arguments in place of a schedule."""

    def __init__(self, function: Callable[[], Any]):
        self.function = function

    def __call__(self, step: Any) -> Any:
        return self.function()


def rate_of(value: Any, owner: str) -> float:
    """A step size that is a number; `owner` is named in the error for another."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise ArgumentError(
            f"{owner}: expected a learning rate of 0 or more, received {value!r}.\n"
            "  For a rate that changes with time pass a schedule of keras_front.optimizers.schedules."
        )
    return number
