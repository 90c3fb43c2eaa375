"""Callbacks that change the learning rate: `LearningRateScheduler`, `ReduceLROnPlateau`."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_front.arguments import Function, NotNegative, Number, Text, Verbosity, reading
from keras_front.callbacks.base import Callback, epoch_text, is_improvement, monitored
from keras_front.compatibility import accept_legacy_arguments
from keras_front.errors import ArgumentError, UnknownArgumentError


def read_rate(model: Any) -> float:
    """The learning rate of the model's optimizer."""
    return float(_rate(model).numpy())


def write_rate(model: Any, value: float) -> None:
    """Set the learning rate of the model's optimizer."""
    _rate(model).assign(float(value))


def _rate(model: Any) -> Any:
    rate = getattr(model.optimizer, "lr", None)
    if rate is None or not hasattr(rate, "assign"):
        raise ArgumentError(
            f"{type(model.optimizer).__name__} has no learning rate `lr` that a callback could change; "
            "expected an optimizer with an attribute `lr` that is a Variable."
        )
    return rate


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: function of the epoch (from 0) and, if it takes two arguments, of the present rate; returns the rate.
        verbose: 1 prints each change.

    Raises: ArgumentError if the schedule returns anything but a number, or the optimizer has no variable `lr`.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.
    Example:
        >>> halved = LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate)
    """

    def __init__(self, schedule: Function, verbose: Verbosity = 0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        rate = self._scheduled(epoch)
        if not isinstance(rate, float | int | np.number) or isinstance(rate, bool) or not rate >= 0:
            raise ArgumentError(
                f"LearningRateScheduler: expected `schedule` to return a number, received {rate!r} "
                f"for epoch {epoch}. A learning rate is 0 or more."
            )
        write_rate(self.model, float(rate))
        if self.verbose > 0:
            print(f"\n{epoch_text(epoch)}: LearningRateScheduler setting learning rate to {float(rate):g}.")

    def _scheduled(self, epoch: int) -> Any:
        if _takes_two(self.schedule):
            return self.schedule(epoch, read_rate(self.model))
        return self.schedule(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = read_rate(self.model)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


class ReduceLROnPlateau(Callback):
    """Lowers the learning rate when a monitored value has stopped improving.

    Args:
        monitor: name of a value in the logs, such as 'val_loss'.
        factor: the rate is multiplied by it; below 1.
        patience: epochs without improvement after which the rate is lowered.
        verbose: 1 prints each change.
        mode: 'min' if the value should fall, 'max' if it should rise; 'auto' chooses by the name, as in
            `EarlyStopping`.
        min_delta: least change that counts as an improvement, in the unit of the value.
        cooldown: epochs to wait after a change before counting goes on.
        min_lr: the rate never falls below it.

    Raises: ArgumentError for a factor of 1 or more; TypeError for unknown arguments.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.
    Example:
        >>> ReduceLROnPlateau("loss", factor=0.5, patience=3).in_cooldown()
        False
    """

    @accept_legacy_arguments
    @reading
    def __init__(
        self,
        monitor: Text = "val_loss",
        factor: NotNegative = 0.1,
        patience: Number = 10,
        verbose: Verbosity = 0,
        mode: str = "auto",
        min_delta: Number = 1e-4,
        cooldown: Number = 0,
        min_lr: Number = 0,
        **kwargs: Any,
    ):
        super().__init__()
        if kwargs:
            raise UnknownArgumentError.of("ReduceLROnPlateau", min(kwargs), inspect.signature(type(self)).parameters)
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau: expected a factor below 1, received {factor}.")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.mode, self.min_delta, self.cooldown, self.min_lr = mode, min_delta, cooldown, min_lr
        self._reset()

    def _reset(self) -> None:
        self._better, self.best, self._sign = is_improvement(self.mode, self.monitor)
        self.cooldown_counter: float = 0
        self.wait = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        logs["lr"] = read_rate(self.model)
        current = monitored(logs, self.monitor)
        if current is None:
            warnings.warn(
                f"ReduceLROnPlateau: expected the value {self.monitor!r}, but this epoch has {', '.join(logs)}.",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        self._judge(epoch, current)

    def _judge(self, epoch: int, current: float) -> None:
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._better(current, self.best + self._sign * self.min_delta):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = read_rate(self.model)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        write_rate(self.model, new)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose > 0:
            print(f"\n{epoch_text(epoch)}: ReduceLROnPlateau reducing learning rate to {new:g}.")

    def in_cooldown(self) -> bool:
        """Whether the rate was lowered less than `cooldown` epochs ago."""
        return self.cooldown_counter > 0
