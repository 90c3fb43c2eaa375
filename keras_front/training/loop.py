"""The loop of `fit` over compiled steps (decision D13).

While a loop runs, nothing is looked up, converted or flattened that could be settled before, no hook is
called that no callback has, and nothing is read back from the engine unless somebody looks. The variables
refer into the list of values that the steps pass along (`live.adopted`), so whoever reads a weight in a
callback sees the present one.

Where nobody listens to single batches, several steps run in one dispatch, on engines that have such a loop
and say that the step gains from it. The loop is compiled instead of the step, not besides.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.backend import discovery, seeds
from keras_front.backend.adapter import Backend
from keras_front.callbacks.base import CallbackList
from keras_front.training.feed import ArrayFeed, StreamFeed, orders
from keras_front.training.listening import Interrupts, Listeners, read
from keras_front.training.live import readopt
from keras_front.training.pace import Pace
from keras_front.training.step import Steps

DEVICE_LIMIT = 1 << 30  # bytes of data that may lie on the device for a whole fit


class Training:
    """The epochs of one `fit`: everything that is settled before the first of them."""

    def __init__(
        self,
        model: Any,
        steps: Steps,
        feed: ArrayFeed | StreamFeed,
        callbacks: CallbackList,
        live: list[Any],
        shuffle: Any,
    ):
        self.model, self.steps, self.feed, self.callbacks, self.live = model, steps, feed, callbacks, live
        self.shuffle = shuffle
        self.generator = seeds.generator("shuffle") if shuffle and isinstance(feed, ArrayFeed) else None
        self.engine = discovery.active()
        self.interrupts = Interrupts()
        self.ended = False
        self._known: tuple[Any, Pace] | None = None  # the step for whole batches, and its pace
        self._data = on_device(feed, self.engine) if isinstance(feed, ArrayFeed) else None

    def epoch(self) -> dict[str, float]:
        """Train one epoch; the means of its losses and metrics."""
        self.steps.reset()
        self.listeners = Listeners(self.callbacks, "train")
        self.seen = 0
        with self.interrupts:
            if isinstance(self.feed, StreamFeed):
                self._stream(self.feed)
            elif self.listeners.all:
                self._batches(self.feed)
            else:
                self._fast(self.feed)
        return dict(zip(self.steps.names, self.steps.results(), strict=True))

    # Nobody listens to single batches ----------------------------------------------------------------

    def _fast(self, feed: ArrayFeed) -> None:
        size, order = feed.batch_size, self._order(feed)
        whole = len(order) // size * size
        if whole and self._whole_batches(feed, order[:whole].reshape(-1, size)):
            return
        if whole < len(order):
            train = self.steps.train(feed.layout)
            self.live[:], _ = train(self.live, self._rows(feed, order[whole:]))
        self.seen = len(order)
        if self.interrupts.came:
            raise KeyboardInterrupt

    def _order(self, feed: ArrayFeed) -> np.ndarray:
        passes = [orders(feed.samples, feed.batch_size, self.shuffle, self.generator) for _ in range(feed.passes)]
        return passes[0] if feed.passes == 1 else np.concatenate(passes)

    def _rows(self, feed: ArrayFeed, rows: np.ndarray) -> list[Any]:
        if self._data is not None:
            return self.engine.rows(self._data, rows)
        return [self.engine.convert(array) for array in feed.rows(rows)]

    def _whole_batches(self, feed: ArrayFeed, order: np.ndarray) -> bool:
        """A step for each row of `order`; True if training shall stop."""
        self._known = run, pace = self._known or self._step(feed, order[0])
        live, listeners, interrupts, done = self.live, self.listeners, self.interrupts, 0
        while done < len(order):
            count = pace.chunk(len(order) - done)
            if count:
                started = pace.started()
                live[:], loss = self.steps.loop(feed.layout)(live, self._data, order[done : done + count])
                pace.finished(started, count, loss)
            else:
                count = 1
                live[:], _ = run(live, self._rows(feed, order[done]))
            done += count
            if interrupts.came or (listeners.paced and time.perf_counter() >= listeners.due):
                self.seen = done * order.shape[1]
                if self._pause(done - 1, order.shape[1]):
                    return True
        return False

    def _step(self, feed: ArrayFeed, rows: np.ndarray) -> tuple[Any, Pace]:
        """The step for whole batches like the one of these rows, and its pace."""
        train, batch = self.steps.train(feed.layout), self._rows(feed, rows)
        run, program = train.specialize(self.live, batch), train.program(self.live, batch)

        def chains() -> bool:
            return self._data is not None and program is not None and self.engine.chains(program)

        key = "train", program, self._data is None, feed.samples
        return run, self.steps.pace(key, self.engine, chains)

    def _pause(self, batch: int, size: int) -> bool:
        """Between two steps: tell those who listen by time; True if training shall stop."""
        if self.interrupts.came:
            raise KeyboardInterrupt
        self.listeners.refresh(batch, size, self.seen, self.steps.names, self.steps.results)
        readopt(self.steps.variables, self.live)
        return self.model.stop_training

    # Somebody listens to every batch, or batches come one by one --------------------------------------

    def _batches(self, feed: ArrayFeed) -> None:
        order, size = self._order(feed), feed.batch_size
        for i in range(feed.steps):
            rows = order[i * size : (i + 1) * size]
            if self._told(i, len(rows), feed.layout, lambda rows=rows: self._rows(feed, rows)):
                return

    def _stream(self, feed: StreamFeed) -> None:
        for i in range(feed.steps or 0):
            item = feed.next()
            if item is None:
                self.ended = True
                warnings.warn(
                    f"The data ended after {i} of {feed.steps} batches of an epoch, so training stops here. "
                    "Let the generator go on, or give fewer steps_per_epoch or epochs.",
                    stacklevel=5,
                )
                return
            batch, layout = item
            if self._told(i, int(batch[0].shape[0]), layout, lambda batch=batch: batch):
                return

    def _told(self, i: int, size: int, layout: Any, batch: Callable[[], list[Any]]) -> bool:
        """One step with the hooks around it; True if training shall stop."""
        listeners, live = self.listeners, self.live
        if listeners.begin:
            listeners.before(i, size)
            readopt(self.steps.variables, live)
        train = self.steps.train(layout, report=bool(listeners.end))
        live[:], values = train(live, batch())
        self.seen += size
        if listeners.end:
            listeners.after(i, size, self.steps.names, lambda: read(values))
            readopt(self.steps.variables, live)
        if self.interrupts.came or (listeners.paced and time.perf_counter() >= listeners.due):
            self._pause(i, size)
        return self.model.stop_training


def on_device(feed: ArrayFeed, engine: Backend) -> list[Any] | None:
    """The arrays as tensors of the engine, if they may lie there all at once."""
    size = feed.nbytes()
    if size is None or size > DEVICE_LIMIT:
        return None
    return [engine.hold(array) for array in feed.arrays]
