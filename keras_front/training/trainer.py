"""`Trainer`: `compile`, `fit`, `evaluate`, `predict` and their kin, for every model and every engine.

This is the door: arguments are checked and put in order here, then `loop` runs the `step`s. What `compile`
settled is kept in one `Setup`. Calls on single arrays that were seen before take a path that checks
nothing again.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import callbacks as callback_module
from keras_front import optimizers
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, StateError
from keras_front.old_names import forgiving
from keras_front.training import passes
from keras_front.training.arguments import (
    form_of,
    length,
    named,
    only_a_stream,
    positive,
    unpacked,
    validation_parts,
)
from keras_front.training.feed import (
    ArrayFeed,
    Slot,
    Spec,
    StreamFeed,
    Workers,
    is_stream,
    needs_steps,
    split_off,
    standardize,
)
from keras_front.training.fitting import Fit, check_validation, close
from keras_front.training.generators import GeneratorMethods
from keras_front.training.quick import QuickCalls
from keras_front.training.setup import Setup, input_slots
from keras_front.training.step import Steps


class Trainer(GeneratorMethods):
    """The training half of a model. The other half is a network: `run_with_masks`, `weights`, `inputs`,
    `outputs`."""

    optimizer: Any = None
    loss: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    stop_training = False
    history: Any = None
    _compile_metrics: Any = None
    _setup: Setup | None = None
    _prediction: QuickCalls | None = None
    _prediction_for: Any = None
    _engine: Any = None
    _form: Callable[[list[Any]], Any] | None = None

    # Compiling ---------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        **kwargs: Any,
    ) -> None:
        """Say how the model is trained. Which weights are trained is settled here, too.

        Args:
            optimizer: name or `Optimizer`.
            loss: name, function of `(y_true, y_pred)` or `Loss`; for several outputs a list, or a dict by
                output names; an output without a loss takes no targets.
            metrics: list of names, functions or `Metric`s; for several outputs a list of lists or a dict.
            loss_weights: factors of the outputs' losses, a list or a dict.
            sample_weight_mode: 'temporal' for weights of time steps (n, steps), or a list or dict of these.
            weighted_metrics: as `metrics`, but computed with sample and class weights.

        Raises: ArgumentError for unknown names; TypeError for unknown arguments.
        Source: Keras 2.3.1, `keras/engine/training.py`, `Model.compile`.
        """
        if target_tensors is not None:
            raise ArgumentError(
                "compile: target_tensors cannot be used, because targets are passed to fit; expected None."
            )
        if kwargs:
            raise TypeError(f"compile: unexpected arguments {sorted(kwargs)}.")
        if optimizer is None:
            raise ArgumentError("compile: expected an optimizer, such as 'sgd', received None.")
        arguments = {
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "sample_weight_mode": sample_weight_mode,
            "weighted_metrics": weighted_metrics,
        }
        before = (
            self.optimizer,
            self.loss,
            self.loss_weights,
            self.sample_weight_mode,
            self._compile_metrics,
            self._setup,
        )
        chosen = (optimizers.get(optimizer), loss, loss_weights, sample_weight_mode, _Kept((metrics, weighted_metrics)))
        self._keep_compiled(*chosen, Setup(arguments))
        try:
            if self.outputs:
                self._setup.settle(self)  # type: ignore[union-attr]
        except Exception:
            self._keep_compiled(*before)  # a model stays as it was compiled before
            raise

    def _keep_compiled(self, optimizer: Any, loss: Any, loss_weights: Any, mode: Any, metrics: Any, setup: Any) -> None:
        self.optimizer, self.loss, self.loss_weights, self.sample_weight_mode = optimizer, loss, loss_weights, mode
        self._compile_metrics, self._setup = metrics, setup

    @property
    def metrics(self) -> list[Any]:
        """The metric objects: those of `compile`, then those that layers added."""
        steps = self._setup.steps if self._setup is not None else None
        compiled = steps.objective.metrics if steps is not None else []  # type: ignore[union-attr]
        return list({id(m): m for m in [*compiled, *self.layer_metrics()]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """What the values of `evaluate` are called: 'loss', then losses of outputs, then metrics."""
        return list(self._settled("metrics_names").steps.names)

    def reset_metrics(self) -> None:
        """Start the means of losses and metrics anew."""
        self._settled("reset_metrics").steps.reset()

    def to_backend(self, backend: Any) -> Any:
        """Make this model run on `backend` from now on, whichever is active; None: the active one. Returns
        it."""
        self._engine = None if backend is None else discovery.get(backend)
        return self

    def _on_engine(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._engine is None else discovery.use_backend(self._engine)

    # Getting ready -----------------------------------------------------------------------------------

    def _compiled(self, where: str) -> Setup:
        if self._setup is None:
            raise StateError(
                f"{where}: the model was not compiled. Call model.compile(optimizer, loss) first; "
                "only predict works without."
            )
        return self._setup

    def _settled(self, where: str, x: Any = None, batch_size: int | None = None) -> Any:
        """The setup, for a model whose outputs are known; `x` builds one that waits for its first data."""
        setup = self._compiled(where)
        self._know_inputs(where, x, batch_size)
        setup.settle(self)
        return setup

    def _know_inputs(self, where: str, x: Any, batch_size: int | None = None) -> None:
        if self.inputs and self.outputs:
            return
        if isinstance(x, StreamFeed):
            x = x.first_inputs()
        if x is None:
            raise StateError(
                f"{where}: the model does not know its inputs yet. Build it with model.build(input_shape), "
                "or call it on data."
            )
        names, values = named(x)
        arrays = standardize(values, [Slot(name, None, None) for name in names], "input")
        size = batch_size if self.stateful else None
        shapes = [(size, *a.shape[1:]) for a in arrays]
        self._form = form_of(x, names)
        self.set_inputs(shapes, [K.floatx()] * len(shapes), self._form)
        if not self._is_graph_network:
            self.input_names = names

    def arranged(self, inputs: list[Any]) -> Any:
        """The flat list of inputs in the structure that `call` takes."""
        if self._is_graph_network or self._form is None:
            return inputs if self._is_graph_network or len(inputs) != 1 else inputs[0]
        return self._form(inputs)

    def _predictor(self, x: Any, batch_size: int | None = None) -> QuickCalls:
        """The steps for predicting: those of the setup, or others where nothing was compiled."""
        self._know_inputs("predict", x, batch_size)
        if self._prediction is None or self._prediction_for is not self.outputs:
            spec = Spec(input_slots(self), [], [])
            self._prediction = QuickCalls(Steps(self, self.weights, None, None), spec)
            self._prediction_for = self.outputs
        return self._prediction

    # Whole data sets ---------------------------------------------------------------------------------

    @forgiving
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Train for a number of epochs and return the `History`.

        Args:
            x: array, list or dict of arrays for several inputs; or a generator or `Sequence` of
                `(x, y)` or `(x, y, sample_weight)`.
            y: targets, as `x`; None if `x` gives them.
            batch_size: samples a step, 32 if None.
            epochs: number of the last epoch, counted from `initial_epoch`.
            verbose: 0 silent, 1 a progress bar, 2 one line an epoch.
            callbacks: list of `Callback`s.
            validation_split: fraction at the end of the data, before shuffling, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or a generator or `Sequence`.
            shuffle: whether each epoch has an order of its own; 'batch' exchanges whole batches, for files.
            class_weight: dict from class number to weight; for several outputs a dict of dicts.
            sample_weight: weight of each sample in the loss; the weighted losses are divided by the number of
                samples, not by the sum of weights.
            steps_per_epoch: batches an epoch, for generators; with arrays all samples make one batch.
            validation_steps: batches of a validation generator.
            validation_freq: epochs between two validations, or a list of the epochs that have one (from 1).
            max_queue_size, workers, use_multiprocessing: who prepares the batches of a generator, and how far
                ahead; `workers=0` prepares them in the loop itself.

        Shape: x (n, ...); y (n, ...); sample_weight (n,), or (n, steps) for temporal weighting.
        Units: `history["loss"]` is averaged over the samples of the epoch.
        Raises: StateError before `compile`; ShapeError, ArgumentError for data that does not fit.
        Source: Keras 2.3.1, `keras/engine/training.py`, `Model.fit`.
        """
        if kwargs:
            raise TypeError(f"fit: unexpected arguments {sorted(kwargs)}.")
        with self._on_engine():
            data_workers = Workers(workers, use_multiprocessing, max_queue_size)
            feed = self._feed(
                "fit", x, y, batch_size, sample_weight, class_weight, steps_per_epoch, data_workers, bool(shuffle)
            )
            feed, held_out = self._held_out(
                feed, validation_split, validation_data, batch_size, validation_steps, data_workers
            )
            check_validation(validation_freq)
            self._warn_of_frozen()
            run = Fit(self, feed, held_out, callbacks, verbose, epochs, initial_epoch, shuffle, validation_freq)
            return run.run()

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The loss and the metrics on data: a number, or a list in the order of `metrics_names`.

        Arguments are as in `fit`; `steps` is the number of batches of a generator.
        """
        with self._on_engine():
            data_workers = Workers(workers, use_multiprocessing, max_queue_size)
            feed = self._feed("evaluate", x, y, batch_size, sample_weight, None, steps, data_workers)
            steps_ = self._setup.steps  # type: ignore[union-attr]
            heard = self._callback_list(callbacks, verbose, feed, steps_.names)
            try:
                return unpacked(passes.test(steps_, feed, heard))
            finally:
                close(feed)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for `x`, one NumPy array or a list of them. Arguments are as in `evaluate`."""
        if x.__class__ is np.ndarray and not verbose and callbacks is steps is self._engine is None:
            quick = self._prediction
            if quick is not None and self._prediction_for is self.outputs and len(x) <= (batch_size or 32):
                call = quick.known("predict", x)
                if call is not None:
                    return call(x)
        with self._on_engine():
            if is_stream(x):
                only_a_stream("predict", batch_size=batch_size)
                workers_ = Workers(workers, use_multiprocessing, max_queue_size)
                feed: Any = self._stream("predict", "steps", x, steps, None, False, workers_)
                quick = self._predictor(feed)
                feed.spec = quick.spec
            else:
                quick = self._predictor(x, batch_size)
                arrays, layout = quick.spec.batch(x, targets=False, whole=False)
                feed = self._array_feed("predict", arrays, layout, batch_size, steps, quick.spec.inputs)
                single = feed.samples <= feed.batch_size and feed.passes == 1
                if single and not verbose and callbacks is None and feed.nbytes() is not None:
                    return quick.predict(x, arrays)
            heard = self._callback_list(callbacks, verbose, feed, [])
            try:
                return unpacked(passes.predict(quick.steps, feed, heard))
            finally:
                close(feed)

    # Single batches ----------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
    ) -> Any:
        """Train on one batch; its loss and metrics, a number or a list in the order of `metrics_names`.

        Args:
            reset_metrics: False lets the metrics go on from the batches before.
        """
        setup = self._setup
        if (
            reset_metrics
            and x.__class__ is np.ndarray
            and y.__class__ is np.ndarray
            and sample_weight is class_weight is self._engine is None
            and setup is not None
            and setup.outputs is self.outputs
        ):
            call = setup.quick.known("train", x, y)
            if call is not None:
                return call(x, y)
        with self._on_engine():
            setup = self._settled("train_on_batch", x, length(x))
            batch, layout = setup.spec.batch(x, y, sample_weight, class_weight)
            return setup.quick.train(x, y, batch, layout, reset_metrics)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True) -> Any:
        """The loss and metrics of one batch, as `train_on_batch` but without training."""
        with self._on_engine():
            setup = self._settled("test_on_batch", x, length(x))
            if reset_metrics and x.__class__ is np.ndarray and y.__class__ is np.ndarray and sample_weight is None:
                call = setup.quick.known("test", x, y)
                if call is not None:
                    return call(x, y)
            batch, layout = setup.spec.batch(x, y, sample_weight)
            return setup.quick.test(x, y, batch, layout, reset_metrics)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, one NumPy array or a list of them."""
        with self._on_engine():
            quick = self._predictor(x, length(x))
            call = quick.known("predict", x) if x.__class__ is np.ndarray else None
            return call(x) if call is not None else quick.predict(x, quick.spec.batch(x, targets=False)[0])

    def _warn_of_frozen(self) -> None:
        compiled = self._setup.steps.trainable  # type: ignore[union-attr]
        if {id(w) for w in self.trainable_weights} != {id(w) for w in compiled}:
            warnings.warn(
                f"fit: the {len(compiled)} weights that were trainable when the model was compiled are trained, "
                f"but now {len(self.trainable_weights)} are trainable. Compile again after changing `trainable`.",
                stacklevel=3,
            )

    # Feeds -------------------------------------------------------------------------------------------

    def _feed(
        self,
        where: str,
        x: Any,
        y: Any,
        batch_size: int | None,
        sample_weight: Any,
        class_weight: Any,
        steps: int | None,
        workers: Workers,
        shuffle: bool = False,
    ) -> Any:
        if is_stream(x):
            only_a_stream(where, y=y, batch_size=batch_size, sample_weight=sample_weight)
            self._compiled(where)
            name = "steps_per_epoch" if where == "fit" else "steps"
            feed = self._stream(where, name, x, steps, class_weight, True, workers, shuffle)
            feed.spec = self._settled(where, feed).spec
            return feed
        setup = self._settled(where, x, batch_size)
        arrays, layout = setup.spec.batch(x, y, sample_weight, class_weight, whole=False)
        return self._array_feed(where, arrays, layout, batch_size, steps, [*setup.spec.inputs, *setup.spec.targets])

    def _array_feed(
        self, where: str, arrays: list[Any], layout: Any, batch_size: Any, steps: int | None, slots: list[Slot]
    ) -> ArrayFeed:
        if steps is not None:
            if batch_size is not None:
                raise ArgumentError(
                    f"{where}: with a number of steps all samples make one batch, so expected no batch_size, "
                    f"received {batch_size}."
                )
            return ArrayFeed(arrays, layout, None, slots, passes=positive(where, "steps", steps))
        fixed = self.inputs[0].shape[0] if self.inputs and self.inputs[0].shape else None
        size = positive(where, "batch_size", batch_size if batch_size is not None else fixed or 32)
        feed = ArrayFeed(arrays, layout, size, slots)
        if fixed is not None and (size != fixed or feed.samples % fixed):
            raise ArgumentError(
                f"{where}: this model was made for batches of {fixed} samples, so expected "
                f"batch_size={fixed} "
                f"and a number of samples that it divides, received batch_size={size} and {feed.samples} "
                "samples."
            )
        return feed

    def _stream(
        self,
        where: str,
        name: str,
        source: Any,
        steps: int | None,
        class_weight: Any,
        targets: bool,
        workers: Workers,
        shuffle: bool = False,
    ) -> StreamFeed:
        feed = StreamFeed(source, steps, class_weight, targets, workers, shuffle)
        if feed.steps is None:
            raise needs_steps(name, where)
        return feed

    def _held_out(
        self, feed: Any, split: float, data: Any, batch_size: int | None, steps: int | None, workers: Workers
    ) -> tuple[Any, Any]:
        """The feed for training and the one for validation, or None."""
        if data is not None:
            if is_stream(data):
                held_out = self._stream("fit", "validation_steps", data, steps, None, True, workers)
                held_out.spec = self._setup.spec  # type: ignore[union-attr]
                return feed, held_out
            x, y, weight = validation_parts(data)
            held_out = self._feed("validation_data", x, y, batch_size, weight, None, None, workers)
            return feed, held_out if steps is None else held_out.first(positive("fit", "validation_steps", steps))
        if not split:
            return feed, None
        if isinstance(feed, StreamFeed):
            raise ArgumentError(
                "fit: validation_split needs arrays, because a generator cannot be split; pass validation_data."
            )
        first, last = split_off(feed.arrays, split)
        size = None if feed.passes > 1 else feed.batch_size
        held_out = ArrayFeed(last, feed.layout, size, feed.slots)
        return ArrayFeed(first, feed.layout, size, feed.slots, feed.passes), held_out

    def _callback_list(self, callbacks: Any, verbose: int, feed: Any, names: list[str]) -> Any:
        """The callbacks of `evaluate` and `predict`, with a progress bar if it is wanted."""
        given = list(callbacks or ())
        if verbose:
            given.append(callback_module.ProgbarLogger("steps" if feed.samples is None else "samples"))
        heard = callback_module.CallbackList(given)
        heard.set_model(self)
        heard.set_params(
            {
                "batch_size": getattr(feed, "batch_size", None),
                "steps": feed.steps,
                "samples": feed.samples,
                "verbose": verbose,
                "metrics": names,
            }
        )
        return heard


class _Kept:
    """Holds what the model must not look into when it searches its attributes for layers and metrics."""

    def __init__(self, value: Any):
        self.value = value

    def __deepcopy__(self, memo: Any) -> _Kept:
        return _Kept(copy.deepcopy(self.value, memo))
