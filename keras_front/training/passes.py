"""One pass over the data without training: the loops of `evaluate` and `predict`.

Nothing is placed on the device for longer than its step. Where nobody listens to single batches, the engine
goes over the host arrays by itself (`Backend.compile_sweep`), in as few dispatches as it likes.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.callbacks.base import CallbackList
from keras_front.training.feed import ArrayFeed, StreamFeed
from keras_front.training.listening import Interrupts, Listeners, read
from keras_front.training.live import put, tensors_of, values_of
from keras_front.training.pace import Pace
from keras_front.training.step import Steps

PENDING = 1 << 26  # bytes of predictions that may wait on the engine: each wait for one costs more than a step

Feed = ArrayFeed | StreamFeed
Dispatch = tuple[list[Any], Any, int]  # the state after it, what the step gave, and how many samples it took


def test(steps: Steps, feed: Feed, callbacks: CallbackList) -> list[float]:
    """The means of losses and metrics over the data, in the order of `steps.names`."""
    callbacks.on_test_begin()
    steps.reset()
    Pass("test", steps, feed, callbacks).run(lambda values, rows: None)
    results = steps.results()
    callbacks.on_test_end(dict(zip(steps.names, results, strict=True)))
    return results


def predict(steps: Steps, feed: Feed, callbacks: CallbackList) -> list[np.ndarray]:
    """The outputs for all samples, one array for each output."""
    callbacks.on_predict_begin()
    collected = Collected(feed.samples if isinstance(feed, ArrayFeed) and feed.passes == 1 else None)
    Pass("predict", steps, feed, callbacks).run(collected.add)
    callbacks.on_predict_end()
    return collected.arrays()


class Pass:
    """The step of one kind ('test', 'predict') over all batches of a feed."""

    def __init__(self, kind: str, steps: Steps, feed: Feed, callbacks: CallbackList):
        self.kind, self.steps, self.feed = kind, steps, feed
        self.engine, self.listeners = discovery.active(), Listeners(callbacks, kind)
        self.names = steps.names if kind == "test" else []
        self.fixed, self.state = tensors_of(steps.constant), values_of(steps.carried)

    def run(self, take: Callable[[Any, int], None]) -> None:
        """`take` gets what each dispatch gives, and for how many samples."""
        listeners, seen = self.listeners, 0
        try:
            with Interrupts() as interrupts:
                for i, (state, outputs, rows) in enumerate(self._dispatches()):
                    self.state = state
                    take(outputs, rows)
                    seen += rows
                    if listeners.paced and time.perf_counter() >= listeners.due:
                        self._refresh(i, rows, seen)
                    if interrupts.came:
                        raise KeyboardInterrupt
        finally:
            put(self.steps.carried, self.state, self.engine)

    def _refresh(self, batch: int, size: int, seen: int) -> None:
        put(self.steps.carried, self.state, self.engine)
        results = self.steps.results if self.kind == "test" else list
        self.listeners.refresh(batch, size, seen, self.names, results)

    def _dispatches(self) -> Iterator[Dispatch]:
        feed = self.feed
        if isinstance(feed, ArrayFeed) and not self.listeners.all and feed.nbytes() is not None:
            for _ in range(feed.passes):
                yield from self._sweep(feed)
        else:
            yield from self._single_batches()

    def _sweep(self, feed: ArrayFeed) -> Iterator[Dispatch]:
        run = self.steps.sweep(self.kind, feed.layout)
        keep = self.kind == "predict"
        return run(self.fixed, self.state, feed.arrays, feed.batch_size, keep, self._pace)

    def _pace(self, program: Any) -> Pace:
        return self.steps.pace((self.kind, program), self.engine, lambda: True)

    def _single_batches(self) -> Iterator[Dispatch]:
        """Batch by batch, with the hooks around each of them."""
        listeners, report = self.listeners, bool(self.listeners.end)
        for i, (arrays, layout) in enumerate(batches(self.feed)):
            size = int(arrays[0].shape[0])
            if listeners.begin:
                listeners.before(i, size)
            step = self.steps.test(layout, report) if self.kind == "test" else self.steps.predict(layout.inputs)
            state, values = step(self.fixed, self.state, placed(arrays, self.engine))
            if listeners.end:
                listeners.after(i, size, self.names, lambda values=values: read(values) if self.names else [])
            yield state, values, size


def placed(arrays: Sequence[Any], engine: Backend) -> list[Any]:
    return [engine.convert(array) for array in arrays]


def batches(feed: Feed) -> Iterator[tuple[list[Any], Any]]:
    """The batches of a feed, in order, on the host, each with its layout."""
    if isinstance(feed, ArrayFeed):
        for _ in range(feed.passes):
            for start in range(0, feed.samples, feed.batch_size):
                yield feed.rows(np.arange(start, min(start + feed.batch_size, feed.samples))), feed.layout
        return
    for _ in range(feed.steps or 0):
        item = feed.next()
        if item is None:
            warnings.warn("The data ended before the given number of steps.", stacklevel=6)
            return
        yield item
    feed.end_epoch()


class Collected:
    """Outputs of batches, read from the engine many at a time, while it works on the next ones."""

    def __init__(self, samples: int | None):
        self.samples, self._engine = samples, discovery.active()
        self._waiting: list[list[Any]] = []
        self._room: int | None = None  # how many dispatches may wait
        self._done: list[list[np.ndarray]] = []
        self._whole: list[np.ndarray] | None = None
        self._filled = 0

    def add(self, outputs: list[Any], rows: int = 0) -> None:
        self._waiting.append(outputs)
        if self._room is None:
            self._room = max(1, PENDING // max(1, sum(map(self._nbytes, outputs))))
        if len(self._waiting) >= self._room:
            self._fetch()

    def _nbytes(self, output: Any) -> int:
        return int(np.prod(self._engine.shape_of(output), dtype=np.int64)) * 8

    def _fetch(self) -> None:
        if not self._waiting:
            return
        arrays = [self._engine.joined(list(parts)) for parts in zip(*self._waiting, strict=True)]
        self._waiting = []
        if self._whole is None and self.samples is not None and len(arrays[0]) < self.samples:
            self._whole = [np.empty((self.samples, *a.shape[1:]), a.dtype) for a in arrays]
        if self._whole is None:
            self._done.append(arrays)
            return
        for whole, array in zip(self._whole, arrays, strict=True):
            whole[self._filled : self._filled + len(array)] = array
        self._filled += len(arrays[0])

    def arrays(self) -> list[np.ndarray]:
        """One array for each output."""
        self._fetch()
        if self._whole is not None:
            return self._whole
        return self._done[0] if len(self._done) == 1 else [np.concatenate(parts) for parts in zip(*self._done)]
