"""The loops: `fit` over epochs and batches, and one pass over the data for `evaluate` and `predict`.

While a loop runs, nothing is looked up, converted or flattened that could be settled before, no hook is called that no
callback has, and nothing is read back from the engine unless somebody looks. The variables refer into the list of
values that the steps pass along, so whoever reads a weight in a callback sees the present one.

Where no callback is called for single batches, several steps run in one dispatch, on engines that have such a loop and
say that the step gains from it. The loop is compiled instead of the step, not besides.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from keras_front import callbacks as callback_module
from keras_front import config, conventions
from keras_front.backend import seeds
from keras_front.backend.adapter import Backend
from keras_front.backend.hand_over import State, StateList, active_backend, copies, store, tensors_of, values_of
from keras_front.backend.interrupts import hold, let_go, watched
from keras_front.backend.placement import writes_files
from keras_front.callbacks.base import CallbackList, Records, of_every_fit
from keras_front.callbacks.batch_hooks import BatchHooks
from keras_front.compatibility import RenamedKeys
from keras_front.errors import ArgumentError
from keras_front.training.arrays import BatchLayout
from keras_front.training.data_adapter import ArrayAdapter, OneLine, sample_order
from keras_front.training.dispatch import DispatchTuner, FirstRows, map_batches
from keras_front.training.position import TrainingPosition
from keras_front.training.replicas import BatchPart, meet, share_state
from keras_front.training.steps import Steps
from keras_front.training.streams import StreamAdapter, check_passes
from keras_front.utils.messages import print_msg

DEVICE_LIMIT = 1 << 30  # bytes of data that may lie on the device for a whole fit
PENDING = 1 << 26  # bytes of predictions that may wait on the engine: each wait for one costs more than a step

DataAdapter = ArrayAdapter | StreamAdapter
Dispatch = tuple[Any, int]  # what the step gave, and how many samples it took


# Training --------------------------------------------------------------------------------------------


def counted(data: Any) -> str:
    """What a progress bar counts, 'samples' or 'steps'."""
    return "steps" if data.samples is None or conventions.current().counts_steps else "samples"


class FitLoop:
    """One call of `fit`: callbacks, epochs, validation.

    Args:
        model: a compiled model.
        data: the adapter of the training data.
        validation: the adapter of the validation data, or None.
        callbacks, verbose, epochs, initial_epoch, shuffle, validation_freq: as in `fit`.
    """

    def __init__(
        self,
        model: Any,
        data: DataAdapter,
        validation: DataAdapter | None,
        callbacks: Any,
        verbose: int,
        epochs: int,
        initial_epoch: int,
        shuffle: Any,
        validation_freq: Any,
    ):
        self.model, self.data, self.validation = model, data, validation
        self.verbose, self.epochs, self.initial_epoch = verbose, epochs, initial_epoch
        self.shuffle, self.validation_freq = shuffle, validation_freq
        self.steps: Steps = model._compilation.steps
        if isinstance(shuffle, str):
            sample_order(1, 1, shuffle, None)  # an unknown word is an error before anything is done
        check_passes(validation, sum(validates(validation_freq, epoch) for epoch in range(initial_epoch, epochs)))
        self.part = BatchPart(model, isinstance(data, StreamAdapter))
        self.history = callback_module.History()
        self.callbacks = callback_module.CallbackList(self._all_callbacks(callbacks))

    def _all_callbacks(self, callbacks: Any) -> list[Any]:
        given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        if self.verbose and writes_files():
            one_line = isinstance(self.verbose, OneLine)
            given.append(callback_module.ProgbarLogger(counted(self.data), None, self.validation, one_line))
        return [*given, *of_every_fit(), self.history]

    def _params(self) -> dict[str, Any]:
        names, samples = self.steps.names("train"), self.data.samples or 0
        validated = self.steps.names("test") if self.validation is not None else []
        return RenamedKeys(
            batch_size=getattr(self.data, "batch_size", None),
            epochs=self.epochs,
            steps=self.data.steps,
            samples=samples * self.data.repeats if isinstance(self.data, ArrayAdapter) else None,
            verbose=self.verbose,
            do_validation=self.validation is not None,
            metrics=[*names, *(f"val_{name}" for name in validated)],
        )

    def run(self) -> Any:
        """Train; the `History`."""
        model, callbacks = self.model, self.callbacks
        model.history, model.stop_training = self.history, False
        self.steps.prepare("train", self.data, report=bool(BatchHooks(self.callbacks, "train").end))
        if self.validation is not None and self.steps.has_own_variables:
            self.steps.prepare("test", self.data)  # before the state of the loop is listed
        share_state(self.steps)
        callbacks.set_model(model)
        callbacks.set_params(self._params())
        callbacks.set_validation_data(self._validation_arrays())
        self._announce()
        try:
            with self.steps.state_in_list() as state:
                self.data.open()
                training = TrainingEpochs(self, state)
                model._initial_epoch, self.steps.position = self.initial_epoch, training.position
                callbacks.on_train_begin()
                state.take_back()
                self.initial_epoch = model._initial_epoch  # a callback may go on from where an earlier `fit` ended
                for epoch in range(self.initial_epoch, self.epochs):
                    self._epoch(training, epoch, state)
                    if self.part.agreed(model.stop_training) or training.ended:
                        break
                    if self._end_pass(epoch):
                        break
                self._finalize_weights(state)
                callbacks.on_train_end()
                meet()  # the first process has written its files
        finally:
            for data in (self.data, self.validation):
                if data is not None:
                    data.close()
        return self.history

    def _finalize_weights(self, state: StateList) -> None:
        """Let running means take the place of weights, if the optimizer keeps any."""
        optimizer = self.model.optimizer
        if optimizer is not None and self.epochs > self.initial_epoch:
            optimizer.finalize_variable_values(self.model.trainable_weights)
            state.take_back()

    def _validation_arrays(self) -> list[Any] | None:
        """Inputs, targets and weights, as callbacks of Keras 2 expect them; None of a stream.

        The learning phase comes last where a layer looks at it.
        """
        if not isinstance(self.validation, ArrayAdapter):
            return None
        xs, ys, weights = self.validation.layout.split(self.validation.arrays)
        ones = np.ones(self.validation.samples, config.floatx())
        phase = [0.0] if self.model.uses_learning_phase else []
        return [*xs, *ys, *(ones if w is None else w for w in weights), *phase]

    def _announce(self) -> None:
        data, validation = self.data, self.validation
        told = self.verbose and writes_files() and conventions.current().announces_samples
        if told and validation is not None and None not in (data.samples, validation.samples):
            print_msg(f"Train on {data.samples} samples, validate on {validation.samples} samples")

    def _epoch(self, training: TrainingEpochs, epoch: int, state: StateList) -> None:
        self.callbacks.on_epoch_begin(epoch)
        state.take_back()
        logs = Records(training.epoch())
        if self.validation is not None and validates(self.validation_freq, epoch):
            results = evaluate(self.steps, self.validation, self.callbacks)
            names = self.steps.names("test")
            logs.update({f"val_{name}": value for name, value in zip(names, results, strict=True)})
        self.callbacks.on_epoch_end(epoch, Records({name: np.float64(value) for name, value in logs.items()}))
        state.take_back()

    def _end_pass(self, epoch: int) -> bool:
        """End a pass over a stream; True if it was the last one."""
        data = self.data
        if not isinstance(data, StreamAdapter):
            return False
        data.end_epoch()
        if data.steps is not None:
            self.callbacks.set_params(self._params())
        if data.exhausted and epoch + 1 < self.epochs:
            warnings.warn(
                f"The data ended after {epoch + 1} of {self.epochs} epochs, because an iterator or generator can be "
                "gone through once, so training stops here. Give steps_per_epoch if it goes on, or something that can "
                "be iterated anew in each epoch.",
                stacklevel=5,
            )
        return data.exhausted


class TrainingEpochs:
    """The epochs of one `fit`: everything that is settled before the first of them.

    Args:
        loop: the call of `fit`.
        state: the values of the variables, to which these refer.
    """

    def __init__(self, loop: FitLoop, state: StateList):
        self.model, self.steps, self.data, self.callbacks = loop.model, loop.steps, loop.data, loop.callbacks
        self.state, self.shuffle, self.part = state, loop.shuffle, loop.part
        self.part.pieces = self.steps.accumulate
        self.generator = seeds.generator("shuffle") if self.shuffle and isinstance(self.data, ArrayAdapter) else None
        self.engine = active_backend()
        self.ended = False
        self.last: Any = None  # what the last step gave
        self.group = HookGroup(self.steps.steps_per_execution)
        self.position, self._first = TrainingPosition(self.steps, self.generator), 0
        self._known: tuple[Any, DispatchTuner] | None = None  # the step for whole batches
        self._on_device = on_device(self.data, self.engine) if isinstance(self.data, ArrayAdapter) else None

    def epoch(self) -> dict[str, float]:
        """Train one epoch; the means of its losses and metrics."""
        # The number of the first batch: an earlier `fit` may have begun the epoch.
        self._first = self.position.begin_epoch()
        self.state.take_back()
        self.hooks = BatchHooks(self.callbacks, "train")
        self.seen, self.last = 0, None
        with watched():
            if isinstance(self.data, StreamAdapter):
                self._epoch_of_stream(self.data)
            elif self.hooks.all or self.steps.one_by_one or self.data.nbytes() is None:
                self._epoch_with_hooks(self.data)
            else:
                self._epoch_without_hooks(self.data)
        self.group.end()
        return dict(zip(self.steps.names("train"), self._results(), strict=False))

    def _results(self) -> list[float]:
        return self.steps.results("train", self.last)

    # Without hooks around single batches -------------------------------------------------------------

    def _epoch_without_hooks(self, data: ArrayAdapter) -> None:
        size = data.batch_size
        order = self._order(data)[self._first * size :]
        whole = len(order) // size * size
        if whole and self._whole_batches(data, order[:whole].reshape(-1, size)):
            return
        if whole < len(order):
            train = self.steps.train(self.part.layout(data.layout, len(order) - whole))
            self.last = self.state.step(train, self._rows(data, order[whole:]))
        self.seen = len(order)

    def _order(self, data: ArrayAdapter) -> np.ndarray:
        orders = [
            sample_order(data.samples, data.batch_size, self.shuffle, self.generator) for _ in range(data.repeats)
        ]
        order = orders[0] if data.repeats == 1 else np.concatenate(orders)
        return order[: data.steps * data.batch_size]

    def _rows(self, data: ArrayAdapter, rows: Any) -> list[Any]:
        rows = self.part.rows(rows)
        if self._on_device is not None:
            return self.engine.rows(self._on_device, rows)
        return self.engine.put_batch(data.rows(rows))

    def _placed(self, order: np.ndarray) -> Any:
        """The order of the samples where batches are taken from: on the device, if the data lie there."""
        return order if self._on_device is None or self.part else self.engine.put_order(order)

    def _whole_batches(self, data: ArrayAdapter, order: np.ndarray) -> bool:
        """A step for each row of `order`; True if training shall stop."""
        self._known = run, tuner = self._known or self._step(data, order[0])
        placed: Any = None
        step, hooks, done = self.state.step, self.hooks, 0
        while done < len(order):
            count = tuner.steps(len(order) - done)
            if count:
                started = tuner.started()
                several = self.steps.several(data.layout)
                self.last = step(several, self._on_device, order[done : done + count])
                tuner.finished(started, count, self.last)
            else:
                count, placed = 1, self._placed(order) if placed is None else placed
                self.last = step(run, self._rows(data, placed[done]))
            done += count
            if hooks.timed and time.perf_counter() >= hooks.due:
                self.seen = done * order.shape[1]
                if self._pause(done - 1, order.shape[1]):
                    return True
            if self.part.together and self.part.stops(self.model, done, data.steps):
                return True
        return False

    def _step(self, data: ArrayAdapter, rows: Any) -> tuple[Any, DispatchTuner]:
        """The step for whole batches like the one of these rows, and how many of them go in one dispatch."""
        train = self.steps.train(self.part.layout(data.layout, len(rows)))
        batch = self.engine.put_batch(data.rows(self.part.rows(rows)))  # by the host: nothing is compiled for it
        values = self.state.values
        run, program = train.specialize(values, batch), train.program(values, batch)

        def supported() -> bool:
            found = self._on_device is not None and program is not None and not self.part  # it is measured by time
            return found and self.engine.supports_multi_step(program)

        key = "train", program, self._on_device is None, data.samples
        return run, self.steps.tuner(key, self.engine, supported)

    def _pause(self, batch: int, size: int) -> bool:
        """Between two steps: call the callbacks that are called by time; True if training shall stop."""
        self.hooks.refresh(batch, size, self.seen, self.steps.names("train"), self._results)
        self.state.take_back()
        # Where several processes run, they stop at the end of an epoch.
        return self.model.stop_training and not self.part.together

    # With hooks around every batch, or batches that come one by one -----------------------------------

    def _epoch_with_hooks(self, data: ArrayAdapter) -> None:
        order, size = self._placed(self._order(data)), data.batch_size
        blocks = [order[i * size : (i + 1) * size] for i in range(self._first, data.steps)]
        batches = self._batches(data, blocks)
        for i, rows in enumerate(blocks, self._first):
            if self._step_with_hooks(i, len(rows), data.layout, lambda: next(batches)):
                return

    def _batches(self, data: ArrayAdapter, blocks: list[Any]) -> Iterator[list[Any]]:
        if self._on_device is not None:
            return (self._rows(data, rows) for rows in blocks)
        return map(self.engine.put_batch, data.read(self.part.rows(rows) for rows in blocks))

    def _epoch_of_stream(self, data: StreamAdapter) -> None:
        for i in data.numbers():
            item = data.next()
            if item is not None and i < self._first:
                continue
            if item is None and (data.steps is None or (data.by_pass and data.bound is not None)):
                self.callbacks.params["steps"] = i  # nobody knew it before
                return
            if item is None:
                self.ended = True
                warnings.warn(
                    f"The data ended after {i} of {data.steps} batches of an epoch, so training stops here. "
                    "Let the generator go on, or give fewer steps_per_epoch or epochs.",
                    stacklevel=5,
                )
                return
            batch, layout = item
            size = self.part.samples(int(batch[0].shape[0]))
            if self._step_with_hooks(
                i,
                size,
                layout,
                lambda batch=batch: self.engine.put_batch(self.part.arrays(batch), self.part.own_batches),
            ):
                return

    def _step_with_hooks(self, i: int, size: int, layout: BatchLayout, batch: Callable[[], list[Any]]) -> bool:
        """One step with the hooks around it; True if training shall stop."""
        hooks, steps = self.hooks, self.steps
        if hooks.begin and self.group.begins(i):
            hooks.before(i, size)
        train = steps.train(self.part.layout(layout, size), report=bool(hooks.end))
        self.last = self.state.step(train, batch())
        self.seen += size
        if hooks.end:
            self.group.after(i, lambda last=self.last: self._after(i, size, last))  # type: ignore[misc]
        if hooks.timed and time.perf_counter() >= hooks.due:
            self._pause(i, size)
        return self.part.stops(self.model, i + 1, self.data.steps)

    def _after(self, i: int, size: int, last: Any) -> None:
        self.hooks.after(i, size, self.steps.names("train"), lambda: self.steps.numbers("train", last))


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


def on_device(data: ArrayAdapter, engine: Backend) -> list[Any] | None:
    """The arrays as tensors of the engine, if they may lie there all at once."""
    size = data.nbytes()
    if size is None or size > DEVICE_LIMIT:
        return None
    return [engine.put_dataset(array) for array in data.arrays]


def validates(frequency: Any, epoch: int) -> bool:
    """Whether there is a validation after epoch number `epoch` (from 0)."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def check_validation_freq(frequency: Any) -> None:
    """Raise ArgumentError unless `frequency` is a positive integer or a list of epochs."""
    several = isinstance(frequency, list | tuple | set | range)
    wrong = [e for e in (frequency if several else [frequency]) if isinstance(e, bool) or not isinstance(e, int)]
    if wrong:
        raise ArgumentError(f"fit: validation_freq must be an integer or a list of epochs, received {frequency!r}.")
    if isinstance(frequency, int) and frequency < 1:
        raise ArgumentError(f"fit: validation_freq cannot be less than 1, received {frequency}.")


# Evaluating and predicting ---------------------------------------------------------------------------


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
        if isinstance(data, ArrayAdapter) and not one_by_one and data.nbytes() is not None:
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
        group = HookGroup(steps.steps_per_execution)
        for i, (arrays, layout) in enumerate(batches(self.data)):
            size = self.share.samples(int(arrays[0].shape[0]))
            arrays, layout = self.share.arrays(arrays), self.share.layout(layout, size)
            if hooks.begin and group.begins(i):
                hooks.before(i, size)
            step = steps.test(layout, report) if self.kind == "test" else steps.predict(layout)
            values = self._step(step, self.engine.put_batch(arrays, self.share.own_batches))[1]
            if hooks.end:
                group.after(i, lambda i=i, size=size, v=values: self._after(i, size, v))  # type: ignore[misc]
            yield values, size
        group.end()

    def _after(self, batch: int, size: int, values: Any) -> None:
        self.hooks.after(batch, size, self.names, lambda: self.steps.numbers("test", values) if self.names else [])


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
