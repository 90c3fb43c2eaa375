"""Who hears of a running loop: callbacks after batches or by time, and the user's Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front.callbacks.base import CallbackList
from keras_front.training.logs import LazyLogs


class Interrupts:
    """Holds a Ctrl-C back until the step that runs is finished, so that its state is not lost. A second
    one is not."""

    def __init__(self) -> None:
        self.came = False
        self._old: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if handler is signal.default_int_handler:
                self._old = handler
                signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: Any) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True

    def __exit__(self, *exception: Any) -> None:
        if self._old is not None:
            signal.signal(signal.SIGINT, self._old)
            self._old = None


class Listeners:
    """The batch hooks of one kind ('train', 'test', 'predict'): those for every batch, and those by time."""

    def __init__(self, callbacks: CallbackList, kind: str):
        self.begin = callbacks.listeners(f"on_{kind}_batch_begin")
        self.end = callbacks.listeners(f"on_{kind}_batch_end")
        paced = callbacks.paced_listeners(f"on_{kind}_batch_end")
        self.every = min((seconds for seconds, _ in paced), default=float("inf"))
        self.paced = [method for _, method in paced]
        self.due = time.perf_counter() + self.every if paced else float("inf")

    @property
    def all(self) -> bool:
        return bool(self.begin or self.end)

    def before(self, batch: int, size: int) -> None:
        for method in self.begin:
            method(batch, {"batch": batch, "size": size})

    def after(self, batch: int, size: int, names: Sequence[str], fetch: Callable[[], Any]) -> None:
        logs = LazyLogs({"batch": batch, "size": size}, names, fetch)
        for method in self.end:
            method(batch, logs)

    def refresh(self, batch: int, size: int, seen: int, names: Sequence[str], fetch: Callable[[], Any]) -> None:
        logs = LazyLogs({"batch": batch, "size": size, "seen": seen}, names, fetch)
        for method in self.paced:
            method(batch, logs)
        self.due = time.perf_counter() + self.every


def read(values: Sequence[Any]) -> list[float]:
    """Scalars of the engine as Python numbers."""
    return [float(K.to_numpy(value)) for value in values]
