"""Batch hooks while a loop runs: whom to call, and the logs that they get."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front.callbacks.base import CallbackList


class BatchHooks:
    """The batch hooks of one kind ('train', 'test', 'predict'): those for every batch, and those by time."""

    def __init__(self, callbacks: CallbackList, kind: str):
        self.begin = callbacks.hooks(f"on_{kind}_batch_begin")
        self.end = callbacks.hooks(f"on_{kind}_batch_end")
        timed = callbacks.timed_hooks(f"on_{kind}_batch_end")
        self.every = min((seconds for seconds, _ in timed), default=float("inf"))
        self.timed = [method for _, method in timed]
        self.due = time.perf_counter() + self.every if timed else float("inf")

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
        for method in self.timed:
            method(batch, logs)
        self.due = time.perf_counter() + self.every


class LazyLogs(dict):
    """A dict that has some values at once and fetches the others, all together, when one of them is asked for.

    Args:
        known: the values that are there.
        names: the names of the others.
        fetch: returns the others' values in the order of `names`.
    """

    __slots__ = ("_fetch", "_names")

    def __init__(self, known: Mapping[str, Any], names: Iterable[str] = (), fetch: Callable[[], Any] | None = None):
        super().__init__(known)
        self._names, self._fetch = tuple(names), fetch

    def _fill(self) -> None:
        fetch, self._fetch = self._fetch, None
        if fetch is not None:
            for name, value in zip(self._names, fetch(), strict=True):
                outputs = isinstance(value, list | dict) or getattr(value, "ndim", False)
                # numbers are of NumPy's, as in Keras 2: callbacks write `value[()]`
                super().setdefault(name, value if outputs else np.float64(value))

    def __missing__(self, key: str) -> Any:
        self._fill()
        if super().__contains__(key):
            return super().__getitem__(key)
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (self._fetch is not None and key in self._names)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()

    def keys(self) -> Any:
        self._fill()
        return super().keys()

    def values(self) -> Any:
        self._fill()
        return super().values()

    def items(self) -> Any:
        self._fill()
        return super().items()

    def copy(self) -> dict[str, Any]:
        self._fill()
        return dict(super().items())

    def pop(self, *arguments: Any) -> Any:
        self._fill()
        return super().pop(*arguments)

    def __reduce__(self) -> Any:
        return dict, (self.copy(),)


class HookGroup:
    """Which batches have hooks around them: with `steps_per_execution=n` the first and the last of each n have.

    Args:
        size: how many batches make a group; None for 1.

    Source: tf.keras 2.15, `engine/training.py`, `Model.fit`: `on_train_batch_begin` of the first step of an execution,
        `on_train_batch_end` of its last one.
    """

    def __init__(self, size: int | None):
        self.size = size or 1
        self._due: Callable[[], None] | None = None

    def begins(self, batch: int) -> bool:
        """Whether a group begins with this batch, counted from 0."""
        return batch % self.size == 0

    def after(self, batch: int, hook: Callable[[], None]) -> None:
        """Call the hook if a group ends with this batch; otherwise it is called if no batch follows."""
        self._due = hook
        if (batch + 1) % self.size == 0:
            self.end()

    def end(self) -> None:
        """Call the hook of the last batch of a group that was not full."""
        hook, self._due = self._due, None
        if hook is not None:
            hook()
