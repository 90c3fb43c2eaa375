"""`tf.distribute` as far as scripts need it to run on one device, and `tf.errors`.

`with strategy.scope():` is a plain block, and there is one replica. Looking for a TPU finds none, by the error that
programs wait for. Training on several devices is `keras_front.distribution`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any


class NotFoundError(Exception):
    """A file or a device is not there."""


class InvalidArgumentError(ValueError):
    """An argument does not fit."""


class ResourceExhaustedError(MemoryError):
    """There is no memory left."""


class OutOfRangeError(Exception):
    """There are no more data."""


OpError = Exception
UnknownError = InternalError = AbortedError = UnavailableError = NotFoundError


class Strategy:
    """A strategy with one replica.

    Args:
        args: devices and the like, not used.
        kwargs: options, not used.
    """

    num_replicas_in_sync = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.extended = SimpleNamespace(
            _in_multi_worker_mode=lambda: False,
            should_checkpoint=True,
            should_save_summary=True,
            worker_devices=("/device:CPU:0",),
        )

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """A block that changes nothing."""
        yield self

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """What a function returns.

        Args:
            fn: the function.
            args: its arguments.
            kwargs: those by name.
        """
        return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        """The value of the one replica.

        Args:
            reduce_op: not used.
            value: the value.
            axis: not used.
        """
        return value


MirroredStrategy = OneDeviceStrategy = MultiWorkerMirroredStrategy = CentralStorageStrategy = Strategy
ReduceOp = SimpleNamespace(SUM="SUM", MEAN="MEAN")
_DEFAULT = Strategy()


def get_strategy() -> Strategy:
    """The strategy with one replica."""
    return _DEFAULT


def has_strategy() -> bool:
    """Whether the program is in the block of a strategy: never."""
    return False


def TPUClusterResolver(*args: Any, **kwargs: Any) -> Any:
    """Looks for a TPU.

    Args:
        args: not used.
        kwargs: not used.

    Raises: ValueError, as TensorFlow does where there is none.
    """
    raise ValueError("Please provide a TPU Name to connect to.")
