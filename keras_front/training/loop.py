"""The loops of `fit`, `evaluate` and `predict` over compiled steps (decision D13).

While a loop runs, nothing is looked up, converted or flattened that could be settled before, no hook is
called that no callback has, and nothing is read back from the engine unless somebody looks. The variables
refer into the list of values that the steps pass along (`adopted`), so whoever reads a weight in a
callback sees the present one.

Where nobody listens to single batches, several steps run in one dispatch, on engines that have such a loop
and say that the step gains from it. The loop is compiled instead of the step, not besides.
"""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import discovery, seeds
from keras_front.backend.adapter import Backend
from keras_front.callbacks.base import CallbackList
from keras_front.training.feed import ArrayFeed, StreamFeed, orders
from keras_front.training.logs import LazyLogs
from keras_front.training.step import Steps

DEVICE_LIMIT = 1 << 30  # bytes of data that may lie on the device for a whole fit
DISPATCH = 20e-3  # seconds that several steps in one dispatch may take, so that who listens by time is heard
CHAIN = 64  # steps in one dispatch at most
PENDING = 1 << 26  # bytes of predictions that may wait on the engine: each wait for one costs more than a step

Feed = ArrayFeed | StreamFeed


# Variables and the list of values ------------------------------------------------------------------------------


def values_of(variables: Sequence[Any]) -> list[Any]:
    """The present values as tensors of the active backend, no two of them the same object."""
    values = tensors_of(variables)
    if len(set(map(id, values))) < len(values):  # a step may reuse the memory of each
        seen: set[int] = set()
        for index, value in enumerate(values):
            if id(value) in seen:
                values[index] = K.convert(np.array(K.to_numpy(value)))
            seen.add(id(values[index]))
    return values


def tensors_of(variables: Sequence[Any]) -> list[Any]:
    """The present values as tensors of the active backend."""
    engine = discovery.active()  # `Variable.value` in one line, because a step should not make a call for each
    return [v._values[v._index] if v._backend is engine else v.value for v in variables]


def put(variables: Sequence[Any], values: Sequence[Any], engine: Backend) -> None:
    """Make `values`, tensors of `engine`, the values of `variables`."""
    for variable, value in zip(variables, values, strict=True):
        variable._store(value, engine)


@contextmanager
def adopted(variables: Sequence[Any]) -> Iterator[list[Any]]:
    """A list of the values, to which the variables refer until the block ends, however it ends."""
    live = values_of(variables)
    adopt(variables, live)
    try:
        yield live
    finally:
        for variable in variables:
            variable.release()


def adopt(variables: Sequence[Any], live: list[Any]) -> None:
    for index, variable in enumerate(variables):
        variable.adopt(live, index)


def readopt(variables: Sequence[Any], live: list[Any]) -> None:
    """Take back variables that went elsewhere, because a callback used them on another backend."""
    for index, variable in enumerate(variables):
        if variable._values is not live:
            live[index] = variable.value
            variable.adopt(live, index)


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


# Listening -----------------------------------------------------------------------------------------------------


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


# Training ------------------------------------------------------------------------------------------------------


class Training:
    """The epochs of one `fit`: everything that is settled before the first of them."""

    def __init__(self, model: Any, steps: Steps, feed: Feed, callbacks: CallbackList, live: list[Any], shuffle: Any):
        self.model, self.steps, self.feed, self.callbacks, self.live = model, steps, feed, callbacks, live
        self.shuffle = shuffle
        self.generator = seeds.generator("shuffle") if shuffle and isinstance(feed, ArrayFeed) else None
        self.engine = discovery.active()
        self.interrupts = Interrupts()
        self.ended = False
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

    def _order(self, feed: ArrayFeed) -> np.ndarray:
        passes = [orders(feed.samples, feed.batch_size, self.shuffle, self.generator) for _ in range(feed.passes)]
        return passes[0] if feed.passes == 1 else np.concatenate(passes)

    def _rows(self, feed: ArrayFeed, rows: np.ndarray) -> list[Any]:
        if self._data is not None:
            return self.engine.rows(self._data, rows)
        return [self.engine.convert(array) for array in feed.rows(rows)]

    def _fast(self, feed: ArrayFeed) -> None:
        """Nobody listens to single batches."""
        live, size, order = self.live, feed.batch_size, self._order(feed)
        whole, listeners, interrupts = len(order) // size, self.listeners, self.interrupts
        step, pace, i = self._step(feed, order[:size]) if whole else (None, None, 0)
        while i < whole:
            chunk = pace.chunk(whole - i)
            if chunk:
                block = order[i * size : (i + chunk) * size].reshape(chunk, size)
                started = pace.started()
                live[:], loss = self.steps.loop(feed.layout)(live, self._data, block)
                pace.finished(started, chunk, loss)
            else:
                chunk = 1
                live[:], loss = step(live, self._rows(feed, order[i * size : (i + 1) * size]))
            i += chunk
            if interrupts.came or (listeners.paced and time.perf_counter() >= listeners.due):
                self.seen = i * size
                if self._pause(i - 1, size):
                    return
        train = self.steps.train(feed.layout)
        if whole * size < len(order):
            live[:], loss = train(live, self._rows(feed, order[whole * size :]))
        self.seen = len(order)
        if interrupts.came:
            self._pause(feed.steps - 1, size)

    def _step(self, feed: ArrayFeed, rows: np.ndarray) -> Any:
        """The step for whole batches, its pace, and 0: nothing is done yet."""
        train, whole = self.steps.train(feed.layout), self._data is not None
        key = (self.engine.name, feed.layout, feed.batch_size, feed.samples, whole)
        step = train.specialize(self.live, self._rows(feed, rows))
        if key not in self.steps.pace:
            program = next(reversed(train.programs.values())) if whole else None
            self.steps.pace[key] = Pace(self.engine, program is not None and self.engine.chains(program))
        return step, self.steps.pace[key], 0

    def _pause(self, batch: int, size: int) -> bool:
        """Between two steps: tell those who listen by time; True if training shall stop."""
        if self.interrupts.came:
            raise KeyboardInterrupt
        self.listeners.refresh(batch, size, self.seen, self.steps.names, self.steps.results)
        readopt(self.steps.variables, self.live)
        return self.model.stop_training

    def _batches(self, feed: ArrayFeed) -> None:
        """Somebody listens to every batch."""
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


class Pace:
    """How many steps run in one dispatch: as many as take `DISPATCH` seconds, if the engine gains from it at all."""

    def __init__(self, engine: Backend, chains: bool):
        self.engine, self.chains = engine, chains
        self.dispatches = 0
        self.each: float | None = None  # seconds of a step, measured once nothing is compiled any more

    def chunk(self, in_epoch: int) -> int:
        """How many steps to run at once, of those that are left; 0 for single steps."""
        if not self.chains:
            return 0
        wanted = DISPATCH / self.each if self.each else min(8**self.dispatches, 8)
        return max(1, min(in_epoch, CHAIN, int(wanted)))

    def started(self) -> float:
        return 0.0 if self.each else time.perf_counter()

    def finished(self, started: float, steps: int, loss: Any) -> None:
        """Measure the second dispatch; the first one compiles."""
        if self.each is None:
            self.engine.block([loss])
            if self.dispatches:
                self.each = max((time.perf_counter() - started) / steps, 1e-9)
            self.dispatches += 1


# Testing -------------------------------------------------------------------------------------------------------


def test(steps: Steps, feed: Feed, callbacks: CallbackList) -> list[float]:
    """The means of losses and metrics over the data, in the order of `steps.names`."""
    engine, listeners = discovery.active(), Listeners(callbacks, "test")
    callbacks.on_test_begin()
    steps.reset()
    fixed, state = tensors_of(steps.constant), values_of(steps.carried)
    special, report, seen = Specialized(feed), bool(listeners.end), 0
    try:
        for i, (batch, layout) in enumerate(_guarded(_placed_batches(feed, engine))):
            size = int(batch[0].shape[0])
            if listeners.begin:
                listeners.before(i, size)
            step = special.get(steps.test, (layout, report), fixed, state, batch)
            state, values = step(fixed, state, batch)
            seen += size
            if listeners.end:
                listeners.after(i, size, steps.names, lambda values=values: read(values))
            if listeners.paced and time.perf_counter() >= listeners.due:
                put(steps.carried, state, engine)
                listeners.refresh(i, size, seen, steps.names, steps.results)
    finally:
        put(steps.carried, state, engine)
    results = steps.results()
    callbacks.on_test_end(dict(zip(steps.names, results, strict=True)))
    return results


class Specialized:
    """The compiled step for batches like the last one; looked up again only when a batch looks different."""

    def __init__(self, feed: Feed):
        self._alike = isinstance(feed, ArrayFeed)  # then batches differ in their size alone
        self._known: dict[Any, Any] = {}

    def get(self, make: Callable[..., Any], arguments: tuple[Any, ...], fixed: Any, state: Any, batch: Any) -> Any:
        key = batch[0].shape[0] if self._alike else (arguments, *((a.shape, a.dtype) for a in batch))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make(*arguments).specialize(fixed, state, batch)
        return found


def _guarded(batches: Iterator[Any]) -> Iterator[Any]:
    """The batches; a Ctrl-C that comes while one is worked on is raised before the next."""
    with Interrupts() as interrupts:
        for batch in batches:
            yield batch
            if interrupts.came:
                raise KeyboardInterrupt


def _placed_batches(feed: Feed, engine: Backend) -> Iterator[tuple[list[Any], Any]]:
    """Batches in order, on the device."""
    convert = engine.convert
    if isinstance(feed, StreamFeed):
        for _ in range(feed.steps or 0):
            item = feed.next()
            if item is None:
                warnings.warn("The data ended before the given number of steps.", stacklevel=4)
                return
            yield [convert(array) for array in item[0]], item[1]
        return
    size, samples, layout = feed.batch_size, feed.samples, feed.layout
    data = on_device(feed, engine)
    for _ in range(feed.passes):
        if data is not None:
            for batch in engine.parts(data, size):
                yield batch, layout
            continue
        for start in range(0, samples, size):
            stop = min(start + size, samples)
            if feed.nbytes() is None:
                yield [convert(array) for array in feed.rows(np.arange(start, stop))], layout
            else:
                yield [convert(array[start:stop]) for array in feed.arrays], layout


def on_device(feed: ArrayFeed, engine: Backend) -> list[Any] | None:
    """The arrays as tensors of the engine, if they may lie there all at once."""
    size = feed.nbytes()
    if size is None or size > DEVICE_LIMIT:
        return None
    return [engine.convert(array) for array in feed.arrays]


# Predicting ----------------------------------------------------------------------------------------------------


def predict(steps: Steps, feed: Feed, callbacks: CallbackList) -> list[np.ndarray]:
    """The outputs for all samples, one array for each output."""
    engine, listeners = discovery.active(), Listeners(callbacks, "predict")
    callbacks.on_predict_begin()
    fixed, state = tensors_of(steps.constant), values_of(steps.carried)
    collected = Collected(feed.samples if isinstance(feed, ArrayFeed) and feed.passes == 1 else None)
    special, seen = Specialized(feed), 0
    try:
        for i, (batch, layout) in enumerate(_guarded(_placed_batches(feed, engine))):
            size = int(batch[0].shape[0])
            if listeners.begin:
                listeners.before(i, size)
            step = special.get(steps.predict, (layout.inputs,), fixed, state, batch)
            state, outputs = step(fixed, state, batch)
            collected.add(outputs)
            seen += size
            if listeners.end:
                listeners.after(i, size, (), list)
            if listeners.paced and time.perf_counter() >= listeners.due:
                listeners.refresh(i, size, seen, (), list)
    finally:
        put(steps.carried, state, engine)
    callbacks.on_predict_end()
    return collected.arrays()


class Collected:
    """Outputs of batches, copied into one array for each output while the engine works on the next ones."""

    def __init__(self, samples: int | None):
        self.samples, self._to_numpy, self._batch_bytes = samples, discovery.active().to_numpy, 0
        self._waiting: list[list[Any]] = []
        self._room: int | None = None  # how many batches may wait
        self._done: list[list[np.ndarray]] = []
        self._whole: list[np.ndarray] | None = None
        self._filled = 0

    def add(self, outputs: list[Any]) -> None:
        self._waiting.append(outputs)
        if self._room is None:
            self._fetch_all()
            self._room = max(1, PENDING // max(1, self._batch_bytes))
        elif len(self._waiting) >= self._room:
            self._fetch_all()

    def _fetch_all(self) -> None:
        for outputs in self._waiting:
            self._fetch(outputs)
        self._waiting = []

    def _fetch(self, outputs: list[Any]) -> None:
        arrays = [np.asarray(self._to_numpy(value)) for value in outputs]
        self._batch_bytes = sum(array.nbytes for array in arrays)
        if self.samples is None or any(a.ndim == 0 for a in arrays):
            self._done.append([np.atleast_1d(a).copy() for a in arrays])
            return
        if self._whole is None:
            self._whole = [np.empty((self.samples, *a.shape[1:]), a.dtype) for a in arrays]
        for whole, array in zip(self._whole, arrays, strict=True):
            whole[self._filled : self._filled + len(array)] = array
        self._filled += len(arrays[0])

    def arrays(self) -> list[np.ndarray]:
        """One array for each output."""
        self._fetch_all()
        if self._whole is not None:
            return self._whole
        return [np.concatenate(parts) for parts in zip(*self._done, strict=True)]
