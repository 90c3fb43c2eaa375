"""One pass over the data: the loop of `evaluate`, of `predict`, and of the validation within `fit`.

Nothing is read back from the engine, and no hook is called, unless somebody looks. Predictions are collected on the
engine, many at a time.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from keras_front.backend.hand_over import State, active_backend, copies, store, tensors_of, values_of
from keras_front.backend.interrupts import hold, let_go, watched
from keras_front.callbacks.base import CallbackList
from keras_front.callbacks.batch_hooks import BatchHooks, HookGroup
from keras_front.nest import unpack
from keras_front.training.data.adapter import ArrayAdapter
from keras_front.training.data.arrays import BatchLayout
from keras_front.training.data.streams import StreamAdapter
from keras_front.training.steps.compiled import Steps
from keras_front.training.steps.dispatch import DispatchTuner, FirstRows, KnownSteps, map_batches
from keras_front.training.steps.replicas import BatchPart

PENDING = 1 << 26  # bytes of predictions that may wait on the engine: each wait for one costs more than a step

DataAdapter = ArrayAdapter | StreamAdapter
Dispatch = tuple[Any, int]  # what the step gave, and how many samples it took


def evaluate(steps: Steps, data: DataAdapter, callbacks: CallbackList) -> list[float]:
    """The means of losses and metrics over the data, in the order of `steps.names("test")`."""
    callbacks.on_test_begin()
    loop = BatchLoop("test", steps, data, callbacks)
    loop.run(lambda values, rows: None)
    callbacks.on_test_end(dict(zip(steps.names("test"), loop.results, strict=False)))
    return loop.results


def predict(steps: Steps, data: DataAdapter, callbacks: CallbackList) -> list[np.ndarray]:
    """The outputs for all samples, one array for each output."""
    callbacks.on_predict_begin()
    collected = CollectedOutputs(data.samples if isinstance(data, ArrayAdapter) and data.repeats == 1 else None)
    BatchLoop("predict", steps, data, callbacks).run(collected.add)
    callbacks.on_predict_end()
    return collected.arrays()


class BatchLoop:
    """The step of one kind ('test', 'predict') over all batches of the data.

    Nothing is placed on the device for longer than its step. Where no callback is called for single batches, several go
    in one dispatch on engines that gain from it.

    All batches meet the weights of the moment when the loop begins, whatever trains meanwhile: they are borrowed, see
    `guards`. What the loop carries (means, states of stateful layers) is its own where another thread trains.

    Attributes:
        results: the means, of a loop that tests and is through.
    """

    def __init__(self, kind: str, steps: Steps, data: DataAdapter, callbacks: CallbackList):
        self.kind, self.steps, self.data = kind, steps, data
        self.engine, self.hooks = active_backend(), BatchHooks(callbacks, kind)
        self.share = BatchPart(steps.model, isinstance(data, StreamAdapter))
        steps.prepare(kind, data, report=bool(self.hooks.end))
        self.names = steps.names(kind) if kind == "test" else []
        self.carried, self.guard = steps.variables.carried, steps.guard
        self.fixed: State = []
        self.state: State = []
        self.last: Any = None
        self.results: list[float] = []
        self._parted = False

    def run(self, take: Callable[[Any, int], None]) -> None:
        """`take` gets what each dispatch gives, and for how many samples."""
        hooks, seen = self.hooks, 0
        self._begin()
        try:
            with watched() if self.carried else nullcontext():
                for i, (outputs, rows) in enumerate(self._dispatches()):
                    self.last = outputs
                    take(outputs, rows)
                    seen += rows
                    if hooks.timed and time.perf_counter() >= hooks.due:
                        self._refresh(i, rows, seen)
            if hooks.timed and seen and self.data.steps is None:  # nobody knew before how many there are
                self._refresh(i, rows, seen)
            if self.kind == "test":
                self.results = self._results()
        finally:
            with self.guard.lock:
                self.guard.give_back(self)
                if not self._parted:
                    store(self.carried, self.state, self.engine)

    def _begin(self) -> None:
        guard, me = self.guard, threading.get_ident()
        with guard.lock:
            for borrower in guard.borrowers:
                borrower.part()
            self._parted = bool(guard.borrowers) or any(thread != me for thread, _ in guard.trainers)
            before = tensors_of(self.carried) if self._parted else []
            if self.kind == "test":
                self.steps.reset()
            self.fixed, self.state = tensors_of(self.steps.variables.constant), values_of(self.carried)
            if self._parted:  # what others carry is not disturbed
                self.state = copies(self.state, self.engine)
                store(self.carried, before, self.engine)
            guard.borrow(self)

    def part(self) -> None:
        """Let the variables that change here have values of their own from now on; see `guards.Borrower`."""
        if not self._parted:
            store(self.carried, copies(self.state, self.engine), self.engine)
            self._parted = True

    def _results(self) -> list[float]:
        with self.guard.lock:
            before = tensors_of(self.carried) if self._parted else []
            store(self.carried, self.state, self.engine)
            results = self.steps.results("test", self.last)
            if self._parted:
                store(self.carried, before, self.engine)
            return results

    def _refresh(self, batch: int, size: int, seen: int) -> None:
        self.hooks.refresh(batch, size, seen, self.names, self._results if self.kind == "test" else list)

    def _step(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """One dispatch of `(fixed, state, ...) -> (state, outputs)`, and what it gave."""
        if not self.carried:
            return call(self.fixed, self.state, *arguments)
        holding = hold()
        try:
            with self.guard.lock:
                self.state, outputs = call(self.fixed, self.state, *arguments)
        finally:
            let_go(holding)
        return self.state, outputs

    def _dispatches(self) -> Iterator[Dispatch]:
        data, steps = self.data, self.steps
        one_by_one = self.share or self.hooks.all or steps.run_eagerly or self.kind in steps.custom
        if isinstance(data, ArrayAdapter) and data.arrays and not one_by_one and data.nbytes() is not None:
            for _ in range(data.repeats):
                yield from self._map_batches(data)
        else:
            yield from self._single_batches()

    def _map_batches(self, data: ArrayAdapter) -> Iterator[Dispatch]:
        steps, kind, layout = self.steps, self.kind, data.layout
        return map_batches(
            steps.single_batch(kind, layout),
            lambda: steps.multi_batch(kind, layout),
            self.engine,
            self._step,
            (self.fixed, self.state),
            data.arrays,
            data.batch_size,
            kind == "predict",
            self._tuner,
        )

    def _tuner(self, program: Any) -> DispatchTuner:
        return self.steps.tuner((self.kind, program), self.engine, lambda: True)

    def _single_batches(self) -> Iterator[Dispatch]:
        """Batch by batch, with the hooks around each of them."""
        hooks, steps, report = self.hooks, self.steps, bool(self.hooks.end)
        group, known = HookGroup(steps.steps_per_execution), KnownSteps()
        for i, (arrays, layout) in enumerate(batches(self.data)):
            size = self.share.samples(int(arrays[0].shape[0]) if arrays else self.data.samples or 1)
            arrays, layout = self.share.arrays(arrays), self.share.layout(layout, size)
            if hooks.begin and group.begins(i):
                hooks.before(i, size)
            step = steps.test(layout, report) if self.kind == "test" else steps.predict(layout)
            given = self.engine.put_batch(arrays, self.share.own_batches)
            values = self._step(known.callable_for(step, given, self.fixed, self.state), given)[1]
            if hooks.end:
                group.after(i, lambda i=i, size=size, v=values: self._after(i, size, v))  # type: ignore[misc]
            yield values, size
        group.end()

    def _after(self, batch: int, size: int, values: Any) -> None:
        if self.kind == "predict":  # 2.3.1 `keras/engine/training_arrays.py`, `predict_loop`
            self.hooks.after(batch, size, ["outputs"], lambda: [unpack([self.engine.to_numpy(v) for v in values])])
        else:
            self.hooks.after(batch, size, self.names, lambda: self.steps.numbers("test", values))


def batches(data: DataAdapter) -> Iterator[tuple[list[Any], BatchLayout]]:
    """The batches of one pass over the data, in order, on the host, each with its layout."""
    if isinstance(data, ArrayAdapter):
        starts = [start for _ in range(data.repeats) for start in range(0, data.samples, data.batch_size)]
        blocks = (np.arange(start, min(start + data.batch_size, data.samples)) for start in starts)
        for arrays in data.read(blocks):
            yield arrays, data.layout
        return
    for _ in data.numbers():
        item = data.next()
        if item is None and data.steps is None:
            break
        if item is None:
            warnings.warn("The data ended before the given number of steps.", stacklevel=6)
            return
        yield item
    data.end_epoch()


class CollectedOutputs:
    """Outputs of batches, read from the engine many at a time, while it works on the next ones.

    Args:
        samples: how many there will be in all, if that is known.
    """

    def __init__(self, samples: int | None):
        self.samples, self._engine = samples, active_backend()
        self._waiting: list[list[Any]] = []
        self._room: int | None = None  # how many dispatches may wait
        self._done: list[list[np.ndarray]] = []
        self._whole: list[np.ndarray] | None = None
        self._filled = 0

    def add(self, outputs: list[Any], rows: int = 0) -> None:
        """Take the outputs of one dispatch."""
        self._waiting.append(outputs)
        if self._room is None:
            self._room = max(1, PENDING // max(1, sum(map(self._nbytes, outputs))))
        if len(self._waiting) >= self._room:
            self._fetch()

    def _nbytes(self, output: Any) -> int:
        output = output.tensor if isinstance(output, FirstRows) else output
        return int(np.prod(self._engine.shape_of(output), dtype=np.int64)) * 8

    def _fetch(self) -> None:
        if not self._waiting:
            return
        arrays = [self._joined(list(parts)) for parts in zip(*self._waiting, strict=True)]
        self._waiting = []
        if self._whole is None and self.samples is not None and len(arrays[0]) < self.samples:
            self._whole = [np.empty((self.samples, *a.shape[1:]), a.dtype) for a in arrays]
        if self._whole is None:
            self._done.append(arrays)
            return
        for whole, array in zip(self._whole, arrays, strict=True):
            whole[self._filled : self._filled + len(array)] = array
        self._filled += len(arrays[0])

    def _joined(self, parts: list[Any]) -> np.ndarray:
        if not any(isinstance(part, FirstRows) for part in parts):
            return self._engine.joined(parts)
        pairs = [part if isinstance(part, FirstRows) else FirstRows(part, len(part)) for part in parts]
        return np.concatenate([self._engine.to_numpy(tensor)[:rows] for tensor, rows in pairs])

    def arrays(self) -> list[np.ndarray]:
        """One array for each output."""
        self._fetch()
        if self._whole is not None:
            return self._whole
        return self._done[0] if len(self._done) == 1 else [np.concatenate(parts) for parts in zip(*self._done)]
