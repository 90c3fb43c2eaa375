"""`LambdaCallback`: a callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.callbacks.base import HOOKS, OLD_NAMES, Callback
from keras_front.errors import ArgumentError


class LambdaCallback(Callback):
    """A callback made of functions; each is called with the arguments of its hook.

    Args:
        on_epoch_begin, on_epoch_end: functions of `epoch, logs`.
        on_batch_begin, on_batch_end: functions of `batch, logs`.
        on_train_begin, on_train_end: functions of `logs`.
        kwargs: functions for the other hooks, by their names; other things become attributes.

    Example:
        >>> epochs = []
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
        >>> callback.on_epoch_end(3, {})
        >>> epochs
        [3]
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        given = dict(
            kwargs,
            on_epoch_begin=on_epoch_begin,
            on_epoch_end=on_epoch_end,
            on_batch_begin=on_batch_begin,
            on_batch_end=on_batch_end,
            on_train_begin=on_train_begin,
            on_train_end=on_train_end,
        )
        for name, value in given.items():
            if value is not None:
                self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        hook = name in HOOKS or name in OLD_NAMES.values()
        if name.startswith("on_") and not hook:
            raise ArgumentError(f"LambdaCallback: there is no hook {name!r}; expected one of {', '.join(HOOKS)}.")
        if hook and not callable(value):
            raise ArgumentError(f"LambdaCallback: expected a function for {name}, received {value!r}.")
        setattr(self, name, value)
