"""The loop of `fit`, over epochs and batches.

While a loop runs, nothing is looked up, converted or flattened that could be settled before, no hook is called that no
callback has, and nothing is read back from the engine unless somebody looks. The variables refer into the list of
values that the steps pass along, so whoever reads a weight in a callback sees the present one.

Where no callback is called for single batches, several steps run in one dispatch, on engines that have such a loop and
say that the step gains from it. The loop is compiled instead of the step, not besides.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_front import callbacks as callback_module
from keras_front import config, conventions
from keras_front.backend import seeds
from keras_front.backend.adapter import Backend
from keras_front.backend.hand_over import StateList, active_backend
from keras_front.backend.interrupts import watched
from keras_front.backend.placement import writes_files
from keras_front.callbacks.base import Records, of_every_fit
from keras_front.callbacks.batch_hooks import BatchHooks, HookGroup
from keras_front.compatibility import RenamedKeys
from keras_front.errors import ArgumentError
from keras_front.training import hints
from keras_front.training.batch_loop import DataAdapter, evaluate
from keras_front.training.data.adapter import ArrayAdapter, OneLine, sample_order
from keras_front.training.data.arrays import BatchLayout
from keras_front.training.data.streams import StreamAdapter, check_passes
from keras_front.training.position import TrainingPosition
from keras_front.training.steps.compiled import Steps
from keras_front.training.steps.dispatch import DispatchTuner, KnownSteps
from keras_front.training.steps.replicas import BatchPart, meet, share_state
from keras_front.utils.messages import print_msg

DEVICE_LIMIT = 1 << 30  # bytes of data that may lie on the device for a whole fit


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
        self.shuffle, self.validation_freq, self._finite = shuffle, validation_freq, True
        self.steps: Steps = model._compilation.steps
        if isinstance(shuffle, str):
            sample_order(1, 1, shuffle, None)  # an unknown word is an error before anything is done
        check_passes(validation, sum(validates(validation_freq, epoch) for epoch in range(initial_epoch, epochs)))
        self.part = BatchPart(model, isinstance(data, StreamAdapter))
        self.history = callback_module.History()
        self.callbacks = callback_module.CallbackList(self._all_callbacks(callbacks))

    def _all_callbacks(self, callbacks: Any) -> list[Any]:
        given = callback_module.as_list(callbacks)
        if self.verbose and writes_files():
            one_line = isinstance(self.verbose, OneLine)
            given.append(callback_module.ProgbarLogger(counted(self.data), None, self.validation, one_line))
        return [*given, *of_every_fit(), self.history]

    def _params(self) -> dict[str, Any]:
        names, data = self.steps.names("train"), self.data
        samples = data.samples * data.repeats if isinstance(data, ArrayAdapter) else None
        untold = samples and samples == data.samples and conventions.current().tells_samples_or_steps
        validated = self.steps.names("test") if self.validation is not None else []
        return RenamedKeys(
            batch_size=getattr(self.data, "batch_size", None),
            epochs=self.epochs,
            steps=None if untold else data.steps,
            samples=samples,
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
            optimizer.finalize_variable_values(self.steps.trainable)
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
        self._finite = self._finite and hints.of_epoch(logs, self.data)
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
        self._one_by_one = KnownSteps()
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
        batch = [self.engine.convert(array) for array in batch]  # once for both
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
        steps.running = train = steps.train(self.part.layout(layout, size), report=bool(hooks.end))
        given = batch()
        self.last = self.state.step(self._one_by_one.callable_for(train, given, self.state.values), given)
        self.seen += size
        if hooks.end:
            self.group.after(i, lambda last=self.last: self._after(i, size, last))  # type: ignore[misc]
        if hooks.timed and time.perf_counter() >= hooks.due:
            self._pause(i, size)
        return self.part.stops(self.model, i + 1, self.data.steps)

    def _after(self, i: int, size: int, last: Any) -> None:
        self.hooks.after(i, size, self.steps.names("train"), lambda: self.steps.numbers("train", last))


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
