"""Schedules: step sizes that follow from the number of the step. `Adam(schedules.CosineDecay(1e-3, 10_000))`.

A schedule is called with the number of steps that were made before, from 0, within the compiled step.
Source for names, arguments and formulas: Keras 3.15, `keras.optimizers.schedules`; the same as in tf_keras 2.21.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Flag, NotNegative, Number, Reader
from keras_front.errors import ArgumentError
from keras_front.registry import Configurable, Registry
from keras_front.tracebacks import api_boundary

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

SCHEDULES = Registry("learning rate schedule")


def _steps(value: Any, owner: Any) -> float:
    number = float(value)
    if not number > 0:
        raise ValueError
    return int(number) if number.is_integer() else number


Steps = Annotated[float, Reader(_steps, "a number of steps above 0")]


class LearningRateSchedule(Configurable):
    """Base class: called with the number of steps made so far, it returns the step size of the next.

    A class of your own that is to go into files has a `get_config`, or keeps the arguments of its constructor under
    their names, and is passed in `custom_objects` when a file is read.

    Example:
        >>> class Halving(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** (step + 1)
        >>> Halving()(2)
        0.125
    """

    def __call__(self, step: Any) -> Any:
        """The step size.

        Args:
            step: how many steps were made before: a number, or a scalar tensor of floats.

        Returns: a scalar tensor or a number.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `__call__(self, step)` that returns a step size.")


@SCHEDULES.register()
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the step size at the start.
        decay_steps: after so many steps it is multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: whether it stays the same between two multiples of `decay_steps`.
        name: a name of its own, which files keep.

    Example:
        >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 4)
        0.025
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Steps,
        decay_rate: Number,
        staircase: Flag = False,
        name: str | None = "ExponentialDecay",
    ):
        self.name = name

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate * K.pow(K.convert(self.decay_rate), _periods(step, self))


@SCHEDULES.register()
class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the step size at the start.
        decay_steps: the unit of time, in steps.
        decay_rate: how much the divisor grows in a unit of time.
        staircase: whether it stays the same between two multiples of `decay_steps`.
        name: a name of its own, which files keep.

    Example:
        >>> round(float(InverseTimeDecay(0.1, 10, 1.0)(10)), 4)
        0.05
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Steps,
        decay_rate: Number,
        staircase: Flag = False,
        name: str | None = "InverseTimeDecay",
    ):
        self.name = name

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate / (1.0 + self.decay_rate * _periods(step, self))


@SCHEDULES.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` from after step `boundaries[i - 1]` to step `boundaries[i]`.

    Args:
        boundaries: increasing numbers of steps.
        values: step sizes, one more than there are boundaries.
        name: a name of its own, which files keep.

    Raises: ArgumentError unless there is one value more than boundaries, which increase.

    Example:
        >>> [round(float(PiecewiseConstantDecay([2], [1.0, 0.5])(step)), 1) for step in (0, 2, 3)]
        [1.0, 1.0, 0.5]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = "PiecewiseConstant"):
        if not all(isinstance(v, int | float | np.number) for v in (*boundaries, *values)):
            raise ArgumentError(
                f"PiecewiseConstantDecay: expected numbers as boundaries and values, received {boundaries!r:.60} and "
                f"{values!r:.60}."
            )
        if len(values) != len(boundaries) + 1 or list(boundaries) != sorted(set(boundaries)):
            raise ArgumentError(
                "PiecewiseConstantDecay: expected increasing boundaries and one value more than there are of these, "
                f"received boundaries {list(boundaries)} and values {list(values)}."
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> Any:
        step = _float(step)
        rate = K.convert(float(self.values[0]))
        for bound, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = K.where(step > float(bound), K.convert(float(value)), rate)
        return rate


@SCHEDULES.register()
class PolynomialDecay(LearningRateSchedule):
    """From one step size to another along `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate: the step size at the start.
        decay_steps: after so many steps it is `end_learning_rate`, and stays so.
        end_learning_rate: the step size in the end.
        power: 1 for a line; 0.5 falls late, 2 early.
        cycle: start again from above, with twice, three times ... `decay_steps`, instead of staying at the end.
        name: a name of its own, which files keep.

    Example:
        >>> round(float(PolynomialDecay(0.1, 10, 0.0)(5)), 4)
        0.05
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float
    power: float
    cycle: bool

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Steps,
        end_learning_rate: Number = 0.0001,
        power: Number = 1.0,
        cycle: Flag = False,
        name: str | None = "PolynomialDecay",
    ):
        self.name = name

    def __call__(self, step: Any) -> Any:
        step, steps = _float(step), K.convert(float(self.decay_steps))
        if self.cycle:
            steps = steps * K.maximum(K.ceil(step / steps), 1.0)
        else:
            step = K.minimum(step, steps)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * K.pow(1.0 - step / steps, self.power) + self.end_learning_rate


@SCHEDULES.register()
class CosineDecay(LearningRateSchedule):
    """Half a wave of the cosine, from the step size at the start to a part of it; maybe after a linear warm-up.

    Args:
        initial_learning_rate: the step size at the start.
        decay_steps: steps of the half wave; afterwards the step size stays.
        alpha: the part of the step size that is left in the end.
        name: a name of its own, which files keep.
        warmup_target: the step size that a warm-up ends with and the wave begins with; None for no warm-up.
        warmup_steps: steps of the warm-up, before those of the wave.

    Source: Loshchilov and Hutter (2017), equation 5; Goyal et al. (2017) for the warm-up.

    Example:
        >>> round(float(CosineDecay(0.1, 10)(5)), 4)
        0.05
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float
    warmup_target: float | None
    warmup_steps: float

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        decay_steps: Steps,
        alpha: Number = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: Number | None = None,
        warmup_steps: Number = 0,
    ):
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = _float(step)
        if self.warmup_target is None:
            return self._wave(step, self.initial_learning_rate)
        warm = self.initial_learning_rate
        if self.warmup_steps:
            warm = warm + (self.warmup_target - warm) * step / self.warmup_steps
        return K.where(step < self.warmup_steps, warm, self._wave(step - self.warmup_steps, self.warmup_target))

    def _wave(self, step: Any, top: float) -> Any:
        done = K.minimum(step, float(self.decay_steps)) / self.decay_steps
        return top * ((1.0 - self.alpha) * 0.5 * (1.0 + K.cos(math.pi * done)) + self.alpha)


@SCHEDULES.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Half waves of the cosine, one after the other, each longer and lower than the one before.

    Args:
        initial_learning_rate: the step size at the start.
        first_decay_steps: steps of the first half wave.
        t_mul: how many times longer each wave is than the one before.
        m_mul: the part of the height of the wave before that each has.
        alpha: the part of `initial_learning_rate` that is left at the end of a wave.
        name: a name of its own, which files keep.

    Source: Loshchilov and Hutter (2017), section 3.

    Example:
        >>> [round(float(CosineDecayRestarts(0.1, 10, t_mul=1.0)(step)), 4) for step in (0, 5, 10)]
        [0.1, 0.05, 0.1]
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float
    m_mul: float
    alpha: float

    def __init__(
        self,
        initial_learning_rate: NotNegative,
        first_decay_steps: Steps,
        t_mul: Number = 2.0,
        m_mul: Number = 1.0,
        alpha: Number = 0.0,
        name: str | None = "SGDRDecay",
    ):
        self.name = name

    def __call__(self, step: Any) -> Any:
        done = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            wave = K.floor(done)
            done = done - wave
        else:  # waves before the present one are as long as the geometric series says
            wave = K.floor(K.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            before = K.pow(K.convert(self.t_mul), wave)
            done = (done - (1.0 - before) / (1.0 - self.t_mul)) / before
        height = K.pow(K.convert(self.m_mul), wave)
        cosine = 0.5 * height * (1.0 + K.cos(math.pi * done))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)


def _float(step: Any) -> Any:
    return K.cast(K.convert(step), K.floatx())


def _periods(step: Any, schedule: Any) -> Any:
    periods = _float(step) / schedule.decay_steps
    return K.floor(periods) if schedule.staircase else periods


@api_boundary
def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Config of a schedule.

    Args:
        learning_rate_schedule: the schedule.

    Returns: a dict with 'class_name' and 'config'.

    Example:
        >>> serialize(ExponentialDecay(0.1, 100, 0.9))["class_name"]
        'ExponentialDecay'
    """
    return SCHEDULES.serialize(learning_rate_schedule)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that a config describes.

    Args:
        config: what `serialize` returned.
        custom_objects: classes of your own by name.

    Raises: ArgumentError for an unknown name.

    Example:
        >>> deserialize(serialize(ExponentialDecay(0.1, 10, 0.5))).decay_rate
        0.5
    """
    return SCHEDULES.deserialize(config, custom_objects)
