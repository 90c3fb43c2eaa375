"""`Trainer`: `compile`, `fit`, `evaluate`, `predict` and the like, for every model and every engine.

Arguments are checked and put in order here; a data adapter makes batches of what the user passed, and a loop runs the
steps on them. What `compile` settled is kept in one `Compilation`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any, Never, cast

import numpy as np

from keras_front import backend as K
from keras_front import callbacks as callback_module
from keras_front import config, optimizers
from keras_front.backend import discovery, symbolic
from keras_front.backend.placement import writes_files
from keras_front.callbacks import History
from keras_front.compatibility import accept_legacy_arguments
from keras_front.errors import ArgumentError, StateError, UnknownArgumentError
from keras_front.failures import of_arguments
from keras_front.graph.host_stage import HostStage, is_text, stage_of
from keras_front.graph.node import is_fed
from keras_front.graph.watching import watch
from keras_front.nest import nesting_of, unpack
from keras_front.tracebacks import hide_internal_frames, mark_boundary
from keras_front.training import batch_loop, fit_loop
from keras_front.training.compilation import Compilation, CompileArguments, input_specs
from keras_front.training.data.adapter import (
    OneLine,
    array_adapter,
    bounded_epochs,
    epochs_of,
    form_of,
    one_of,
    positive,
    step_count,
    steps_in_one,
    steps_name,
    validation_parts,
    verbosity,
)
from keras_front.training.data.arrays import ArraySpec, DataSpec, named, standardize
from keras_front.training.data.streams import (
    StreamAdapter,
    Workers,
    as_stream,
    check_steps,
    columns_of_tensors,
    is_stream,
    stream_adapter,
)
from keras_front.training.single_batch import SingleBatchCalls, SingleBatchMethods
from keras_front.training.steps import custom as custom_steps
from keras_front.training.steps.accumulate import accumulate_in_parts
from keras_front.training.steps.compiled import Steps
from keras_front.training.steps.custom import StepMethods

Predictions = np.ndarray | list[np.ndarray]
Results = float | list[float]


class Trainer(StepMethods, SingleBatchMethods):
    """The training half of a model. The other half is a network: `run_with_masks`, `weights`, `inputs`, `outputs`."""

    if TYPE_CHECKING:  # of the network
        inputs: list[Any]
        stateful: bool
        trainable_weights: list[Any]
        layer_metrics: Callable[[], list[Any]]
        set_inputs: Callable[..., None]
        as_outputs: Callable[..., Any]
        _input_nesting: Any
        _is_graph_network: bool
        _output_nesting: Any

    optimizer: Any = None
    loss: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    steps_per_execution: Any = 1
    jit_compile: Any = "auto"
    auto_scale_loss = True
    debug_nans = False
    stop_training = False
    history: History | None = None
    _compile_metrics: Any = None
    _run_eagerly = False
    _staged: tuple[Any, Any] = (None, None)
    _compilation: Compilation | None = None
    _prediction: SingleBatchCalls | None = None
    _prediction_for: Any = None
    _engine: Any = None
    _form: Callable[[list[Any]], Any] | None = None

    # Compiling ---------------------------------------------------------------------------------------

    @accept_legacy_arguments
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        run_eagerly: bool | None = False,
        steps_per_execution: int | str | None = 1,
        jit_compile: bool | str | None = "auto",
        auto_scale_loss: bool = True,
        debug_nans: bool = False,
        **kwargs: Any,
    ) -> None:
        """Say how the model is trained. Which weights are trained is settled here, too.

        Args:
            optimizer: name or `Optimizer`; the default is that of tf.keras.
            loss: name, function of `(y_true, y_pred)` or `Loss`; for several outputs a list, or a dict by output names;
                an output without a loss takes no targets. A function may use tensors of the model beside its two
                arguments: another input, the output of an inner layer, `K.gradients(y_pred, tensor)`.
            metrics: list of names, functions or `Metric`s; for several outputs a list of lists or a dict.
            loss_weights: factors of the outputs' losses, a list or a dict; 1 for those that are not named.
            sample_weight_mode: 'temporal' for weights of time steps (n, steps), or a list or dict of these.
            weighted_metrics: as `metrics`, but computed with sample and class weights.
            target_tensors: tensors that are the targets, one for each output, a list or a dict: a tensor of the model,
                a variable or an array; `fit` then takes no targets for it. A placeholder stands for the targets that
                come with the data.
            run_eagerly: whether the Python code of layers, losses, metrics and `train_step` runs at each step, for a
                debugger or a `print` in it; slow. The code meets tensors with values on backends that differentiate by
                themselves (PyTorch, JAX, TensorFlow). NumPy differentiates by tracing: there it is traced at each step,
                and the code meets symbols.
            steps_per_execution: with n > 1, so many steps go in one dispatch to the engine, if that gains from it, and
                batch hooks of callbacks are called before the first and after the last of each n. 1 and 'auto' leave
                the number to the loop, and hooks are called for each batch.
            jit_compile: True compiles the steps as far as the backend can: by `torch.compile` on PyTorch, by XLA on
                TensorFlow; 'cuda_graphs' replays them as CUDA graphs besides, on PyTorch with a GPU. Compiling takes
                seconds to minutes. 'auto' and False leave each backend to what it does best: JAX always compiles.
            auto_scale_loss: whether a model whose policy is 'mixed_float16' trains with a `LossScaleOptimizer` around
                `optimizer`, if that is none.
            debug_nans: whether each training step looks whether loss and weights are finite; where they are not, an
                error says which layer, loss, gradient or update made the first NaN or infinity, and the weights stay as
                they were before that step. Slow.

        Raises:
            ArgumentError: for unknown names, or a wrong number of losses, metrics or weights.
            TypeError: for unknown arguments.

        Source: Keras 2.3.1, `keras/engine/training.py`, `Model.compile`; the arguments from `run_eagerly` on: tf.keras
            2.15 and Keras 3.15, `trainers/trainer.py`.

        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_shape=(2,))])
            >>> model.compile("sgd", "mse", metrics=["mae"])
            >>> model.metrics_names
            ['loss', 'mae']
        """
        if kwargs:
            raise UnknownArgumentError.of("compile", min(kwargs), signature(self.compile).parameters)
        if optimizer is None:
            raise ArgumentError("compile: expected an optimizer, such as 'sgd', received None.")
        if isinstance(optimizer, type):
            raise ArgumentError(
                f"compile: optimizer: received the class {optimizer.__name__}. Write {optimizer.__name__}(...)."
            )
        if isinstance(run_eagerly, str):
            raise ArgumentError(f"compile: expected run_eagerly to be True, False or None, received {run_eagerly!r}.")
        arguments = CompileArguments(
            loss,
            metrics,
            loss_weights,
            sample_weight_mode,
            weighted_metrics,
            target_tensors,
            bool(run_eagerly),
            steps_in_one(steps_per_execution),
            one_of("jit_compile", jit_compile, (True, False, "auto", None, "cuda_graphs")),
            bool(auto_scale_loss),
            bool(debug_nans),
        )
        before = (self.optimizer, self._compilation)
        optimizer = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":  # type: ignore[attr-defined]
            optimizer = optimizers.with_loss_scale(optimizer)
        self._keep_compiled(optimizer, Compilation(arguments))
        try:
            if self.outputs:
                self._compilation.settle(self)  # type: ignore[union-attr]
            else:
                arguments.check_names()
        except Exception:
            self._keep_compiled(*before)  # a model stays as it was compiled before
            raise

    def _keep_compiled(self, optimizer: Any, compilation: Compilation | None) -> None:
        given = CompileArguments() if compilation is None else compilation.arguments
        self.optimizer, self.loss, self.loss_weights = optimizer, given.loss, given.loss_weights
        self.sample_weight_mode = given.sample_weight_mode
        self._compile_metrics = _Kept((given.metrics, given.weighted_metrics))
        self.steps_per_execution, self.jit_compile = given.steps_per_execution, given.jit_compile
        self.auto_scale_loss, self.debug_nans = given.auto_scale_loss, given.debug_nans
        self._compilation = compilation
        watch(self)
        self.run_eagerly = given.run_eagerly
        vars(self).pop("train_function", None)

    @property
    def run_eagerly(self) -> bool:
        """Whether Python code of the model runs at each step, see `compile`; it may be set at any time."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        if bool(value) != self._run_eagerly:
            self._run_eagerly = bool(value)
            self.forget_steps()

    def forget_steps(self) -> None:
        """Compile the steps anew when they are next used, because layers have other weights, or other code counts."""
        self._prediction = None
        if self._compilation is not None:
            self._compilation.forget()

    @property
    def _steps_in_one(self) -> int | None:
        """How many steps go in one dispatch; None where the loop finds that."""
        given = self.steps_per_execution
        return given if isinstance(given, int) and given > 1 else None

    @property
    def metrics(self) -> list[Any]:
        """The metric objects: those of `compile`, then those that layers added.

        In a model with a `train_step` or `test_step` of its own the means of the losses come first, as in tf.keras.
        """
        steps = self._compilation.steps if self._compilation is not None else None
        if steps is None or steps.compiled is None:
            return self.layer_metrics()
        trackers = steps.compiled.trackers if steps.custom & {"train", "test"} else []
        return list({id(m): m for m in [*trackers, *steps.compiled.metrics, *self.layer_metrics()]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """What the values of `evaluate` are called: 'loss', then losses of outputs, then metrics."""
        compilation = self._settled("metrics_names")
        return compilation.listed(list(compilation.steps.names("test")))

    def reset_metrics(self) -> None:
        """Start the means of losses and metrics anew."""
        self._settled("reset_metrics").steps.reset()

    @property
    def losses(self) -> list[Any]:
        """Penalties and losses that layers report; while a step of the model runs, those of that step."""
        found = custom_steps.losses_in_step(self)
        return super().losses if found is None else found  # type: ignore[misc]

    @losses.setter
    def losses(self, losses: Sequence[Any]) -> None:
        self.add_loss(list(losses))  # type: ignore[attr-defined]

    def to_backend(self, backend: Any) -> Any:
        """Make this model run on one backend from now on, whichever is active.

        Args:
            backend: its name, or a backend; None: the active one.

        Returns: the backend, or None.
        """
        chosen = None if backend is None else discovery.get(backend)
        self._engine = discovery.undistributed(chosen) if isinstance(backend, str) else chosen
        return self

    def _on_engine(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._engine is None else discovery.use_backend(self._engine)

    # Getting ready -----------------------------------------------------------------------------------

    def _compiled(self, where: str) -> Compilation:
        if self._compilation is None:
            raise StateError(
                f"{where}: the model was not compiled. You must compile your model before training/testing. Use "
                "`model.compile(optimizer, loss)`; "
                "only predict works without."
            )
        return self._compilation

    def _settled(self, where: str, x: Any = None, batch_size: int | None = None) -> Any:
        """The compilation, for a model whose outputs are known; `x` builds one that waits for its first data."""
        compilation = self._compiled(where)
        self._know_inputs(where, x, batch_size)
        compilation.settle(self)
        return compilation

    def _know_inputs(self, where: str, x: Any, batch_size: int | None = None) -> None:
        if self.inputs and self.outputs:
            return
        if custom_steps.stands_alone(self):
            self.built = True
            return
        if isinstance(x, StreamAdapter):
            x = x.first_inputs()
        if x is None:
            raise StateError(
                f"{where}: the model does not know its inputs yet. Build it with model.build(input_shape), "
                "or call it on data."
            )
        names, values = named(x)
        dtypes = ["string" if is_text(value) else K.floatx() for value in values]
        specs = [ArraySpec(n, None, "string" if d == "string" else None) for n, d in zip(names, dtypes, strict=True)]
        arrays = standardize(values, specs, "input")
        size = batch_size if self.stateful else None
        shapes = [(size, *a.shape[1:]) for a in arrays]
        self._form = form_of(x, names)
        self._input_nesting = nesting_of(x) if len(values) > 1 else None
        self.set_inputs(shapes, dtypes, self._form)
        if not self._is_graph_network:
            self.input_names = names

    @property
    def host_stage(self) -> HostStage | None:
        """What its layers of strings make of the data before a step; None without such layers."""
        if self._staged[0] is not self.outputs:
            self._staged = (self.outputs, _Kept(stage_of(self)))
        return self._staged[1].value

    def arranged(self, inputs: list[Any]) -> Any:
        """Inputs in the structure that `call` takes.

        Args:
            inputs: the flat list of those that data are fed to.
        """
        if self._is_graph_network:
            fed, tensors = iter(inputs), self.inputs
            return [next(fed) if is_fed(t) else symbolic.replay(t, {}) for t in tensors]
        if self._form is None:
            return inputs if len(inputs) != 1 else inputs[0]
        return self._form(inputs)

    def _predictor(self, x: Any, batch_size: int | None = None) -> SingleBatchCalls:
        """The steps for predicting, which need no compilation."""
        self._know_inputs("predict", x, batch_size)
        if self._prediction is None or self._prediction_for is not self.outputs:
            self._prediction = SingleBatchCalls(
                custom_steps.steps_of(self, None, None),
                DataSpec(input_specs(self), [], [], False, self.host_stage, (), self._input_nesting),
            )
            self._prediction_for = self.outputs
            watch(self)
        return self._prediction

    # Whole data sets ---------------------------------------------------------------------------------

    @accept_legacy_arguments
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = 1,
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
        validation_batch_size: int | None = None,
        resume: Any = None,
        accumulate: int = 1,
        **kwargs: Any,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: array, tensor of any engine, data frame, sparse matrix or array in a file; a list or dict of these for
                several inputs; a dataset of samples; or a generator, `Sequence`, dataset or loader of batches `(x, y)`
                or `(x, y, sample_weight)`, tuples, lists, or dicts by name. See `docs/data.md`.
            y: targets, as `x`; None if `x` gives them, or if there are none.
            batch_size: samples a step, 32 if None.
            epochs: number of the last epoch, counted from `initial_epoch`.
            verbose: 0 silent, 1 a progress bar, 2 one line an epoch; 'auto' 1 on a terminal and in a notebook, else 2.
            callbacks: list of `Callback`s.
            validation_split: fraction at the end of the data, before shuffling, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or a generator, `Sequence`, dataset or
                loader.
            shuffle: whether each epoch has an order of its own; 'batch' exchanges whole batches, for files.
            class_weight: dict from class number to weight, with a weight for every class in the data; for several
                outputs a dict of dicts.
            sample_weight: weight of each sample in the loss; the weighted losses are divided by the number of samples,
                not by the sum of weights.
            initial_epoch: number of the first epoch, from 0; to go on with a training.
            steps_per_epoch: batches an epoch, for data without end. None: an epoch is one pass; an iterator or
                generator has one, a `Sequence` has a length, which is read for each epoch, and a dataset, which is
                anything that can be iterated again and again, an end. With arrays all samples make one batch.
            validation_steps: batches of a validation generator.
            validation_freq: epochs between two validations, or a list of the epochs that have one (from 1).
            max_queue_size: batches of a generator that are prepared ahead.
            workers: threads (or processes) that prepare them; 0: the loop itself.
            use_multiprocessing: processes instead of threads.
            validation_batch_size: samples a step while it validates; None for `batch_size`.
            resume: folder of backups, or a `BackupAndRestore`: training goes on from the backup that is there, written
                on this or another backend, and writes its own; without one it begins at the beginning.
            accumulate: in how many parts each batch goes through the model, one after the other, before the weights
                are updated as for the whole batch: for batches that do not fit in memory.

        Shape: x (n, ...); y (n, ...); sample_weight (n,), or (n, steps) for temporal weighting.

        Returns: the `History`; `history.history["loss"]` has the mean over the samples of each epoch.

        Raises:
            StateError: before `compile`.
            ShapeError, ArgumentError: for data that does not fit, and for labels of `sparse_categorical_crossentropy`
                that are no classes of the output. Labels are looked at where data come in, once for each array; those
                that `target_tensors` hold on a device are not.

        Source: Keras 2.3.1, `keras/engine/training.py`, `Model.fit`.

        Example:
            >>> import numpy as np
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_shape=(2,), kernel_initializer="zeros")])
            >>> model.compile("sgd", "mse")
            >>> model.fit(np.ones((8, 2)), np.ones(8), epochs=1, verbose=0).history
            {'loss': [1.0]}
        """
        if kwargs:
            raise UnknownArgumentError.of("fit", min(kwargs), signature(self.fit).parameters)
        with self._on_engine():
            epochs, initial_epoch = epochs_of(epochs, initial_epoch)
            epochs = bounded_epochs(epochs, initial_epoch)
            verbose = verbosity("fit", verbose)
            who = Workers.of("fit", workers, use_multiprocessing, max_queue_size)
            data = self._adapter(
                "fit", x, y, batch_size, sample_weight, class_weight, steps_per_epoch, who, shuffle, bool(callbacks)
            )
            data, validation = self._with_validation(
                data, validation_split, validation_data, validation_batch_size or batch_size, validation_steps, who
            )
            bound = config.max_steps_per_epoch()
            data = data.bounded(bound, shuffled=True)
            validation = validation if validation is None else validation.bounded(bound)
            fit_loop.check_validation_freq(validation_freq)
            self._warn_of_frozen()
            callbacks = callback_module.with_backup(callbacks, resume)
            loop = fit_loop.FitLoop(
                self, data, validation, callbacks, verbose, epochs, initial_epoch, shuffle, validation_freq
            )
            with accumulate_in_parts(self, loop.steps, accumulate):
                return loop.run()

    @accept_legacy_arguments
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
    ) -> Results:
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, sample_weight, callbacks: as in `fit`.
            verbose: 0 silent, 1 a progress bar, 2 one line; 'auto' 1 on a terminal and in a notebook, else 2.
            steps: batches of a generator.
            max_queue_size, workers, use_multiprocessing: as in `fit`.
            return_dict: return a dict from names to numbers, as tf.keras does on request.

        Returns: a number, or a list in the order of `metrics_names` if there are metrics.

        Raises:
            StateError: before `compile`.
            ShapeError, ArgumentError: for data that does not fit.
        """
        with self._on_engine():
            verbose = verbosity("evaluate", verbose)
            who = Workers.of("evaluate", workers, use_multiprocessing, max_queue_size)
            data = self._adapter("evaluate", x, y, batch_size, sample_weight, None, steps, who)
            data = data.bounded(config.max_steps_per_epoch())
            own: Steps = self._compilation.steps  # type: ignore[union-attr, assignment]
            callback_list = self._callback_list(callbacks, verbose, data, own.names("test"))
            try:
                results = batch_loop.evaluate(own, data, callback_list)
                if return_dict:
                    return cast(Any, dict(zip(own.names("test"), results, strict=True)))
                return unpack(results)
            finally:
                data.close()

    @mark_boundary
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        **kwargs: Never,
    ) -> Predictions:
        """The outputs for `x`.

        Args:
            x: array, list or dict of arrays; or a generator, `Sequence` or dataset of these, or of tuples that begin
                with these.
            batch_size, verbose, steps, callbacks: as in `evaluate`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Shape: (n, ...) for each output.

        Returns: one NumPy array, or a list of them for several outputs.

        Raises: ShapeError, ArgumentError for data that does not fit.
        """
        try:
            try:
                if kwargs:
                    raise UnknownArgumentError.of("predict", min(kwargs), signature(self.predict).parameters)
                if x.__class__ is np.ndarray and not verbose and callbacks is steps is self._engine is None:
                    calls = self._prediction
                    room = 32 if batch_size is None else batch_size if batch_size.__class__ is int else -1
                    if calls is not None and self._prediction_for is self.outputs and x.ndim and len(x) <= room:
                        call = calls.known("predict", x)
                        if call is not None:
                            return call(x)
                who = Workers.of("predict", workers, use_multiprocessing, max_queue_size)
                return self._predict(x, batch_size, verbosity("predict", verbose), steps, callbacks, who)
            except Exception as error:
                raise of_arguments(
                    "predict", {"x": x, "batch_size": batch_size, "verbose": verbose, "steps": steps}, error
                ) from error.__cause__
        except Exception as error:
            hide_internal_frames(error)
            raise

    def _predict(
        self, x: Any, batch_size: int | None, verbose: int, steps: int | None, callbacks: Any, who: Workers
    ) -> Predictions:
        with self._on_engine():
            x = (columns_of_tensors(x) or (x,))[0]
            stream = as_stream("predict", x, batch_size)
            if stream is not None:
                data: Any = stream_adapter("predict", "steps", stream, steps, None, False, who)
                calls = self._predictor(data)
                data.spec = calls.spec
            else:
                calls = self._predictor(x, batch_size)
                arrays, layout = calls.spec.batch(x, targets=False, whole=False)
                if not arrays:  # every input has a value of its own
                    return calls.predict_again(x, 1 if steps is None else positive("predict", "steps", steps))
                data = array_adapter(
                    "predict", self.inputs, arrays, layout, batch_size, steps, calls.spec.arrays, who.number > 0
                )
                single = data.samples <= data.batch_size and data.repeats == 1
                if single and not verbose and callbacks is None and data.nbytes() is not None:
                    return calls.predict(x, arrays)
            data = data.bounded(config.max_steps_per_epoch())
            callback_list = self._callback_list(callbacks, verbose, data, [])
            try:
                return self.as_outputs(batch_loop.predict(calls.steps, data, callback_list))
            finally:
                data.close()

    # Older names -------------------------------------------------------------------------------------

    @accept_legacy_arguments
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int | str = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> History:
        """Train on batches of a generator or `Sequence`: `fit`, which takes these as well.

        Args:
            generator: gives `(x, y)` or `(x, y, sample_weight)`, as tuples or lists.
            steps_per_epoch: batches an epoch; None for a `Sequence`: all of them.
            epochs, verbose, callbacks, initial_epoch: as in `fit`.
            validation_data: arrays `(x, y)` or `(x, y, sample_weight)`, a generator or a `Sequence`.
            validation_steps: batches of a validation generator.
            validation_freq, class_weight: as in `fit`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.
            shuffle: whether a `Sequence` gives its batches in random order.

        Returns: the `History`.
        """
        check_steps("fit_generator", "steps_per_epoch", generator, steps_per_epoch)
        check_steps("fit_generator", "validation_steps", validation_data, validation_steps)
        return self.fit(generator, **_without_data(locals()))

    @accept_legacy_arguments
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int | str = 0,
    ) -> Results:
        """The loss and the metrics on batches of a generator or `Sequence`: `evaluate`, which takes these as well.

        Args:
            generator: as in `fit_generator`.
            steps: how many batches; None for a `Sequence`: all of them.
            callbacks, verbose: as in `evaluate`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Returns: a number, or a list in the order of `metrics_names`.
        """
        check_steps("evaluate_generator", "steps", generator, steps)
        return cast("Results", self.evaluate(generator, **_without_data(locals())))

    @accept_legacy_arguments
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int | str = 0,
    ) -> Predictions:
        """The outputs for batches of a generator or `Sequence`: `predict`, which takes these as well.

        Args:
            generator: gives inputs, or tuples that begin with inputs; a list is a list of inputs.
            steps: how many batches; None for a `Sequence`: all of them.
            callbacks, verbose: as in `predict`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Returns: one NumPy array, or a list of them for several outputs.
        """
        check_steps("predict_generator", "steps", generator, steps)
        return self.predict(generator, **_without_data(locals()))

    # What these share --------------------------------------------------------------------------------

    def _warn_of_frozen(self, where: str = "fit") -> None:
        """Say once for each `compile` that `trainable` was changed after it, in vain."""
        steps: Steps | None = getattr(self._compilation, "steps", None)
        if steps is None or steps.custom or where in self._compilation.warned:  # type: ignore[union-attr]
            return
        if {id(w) for w in self.trainable_weights} != {id(w) for w in steps.trainable}:
            self._compilation.warned.add(where)  # type: ignore[union-attr]
            warnings.warn(
                f"{where}: Discrepancy: the {len(steps.trainable)} weights that were trainable when the model was "
                f"compiled are trained, but now {len(self.trainable_weights)} are trainable. Compile again after "
                "changing `trainable`, unless this is meant, as it is in a GAN.",
                stacklevel=3,
            )

    # Data adapters -----------------------------------------------------------------------------------

    def _adapter(
        self,
        where: str,
        x: Any,
        y: Any,
        batch_size: int | None,
        sample_weight: Any,
        class_weight: Any,
        steps: int | None,
        workers: Workers,
        shuffle: Any = False,
        stoppable: bool = False,
    ) -> Any:
        columns = columns_of_tensors(x) if y is None else None
        if columns is not None:
            x, y, sample_weight = (*columns, None, sample_weight)[:3]
        stream = as_stream(where, x, batch_size, shuffle, y=y, sample_weight=sample_weight)
        if stream is not None:
            self._compiled(where)
            data = stream_adapter(
                where, steps_name(where), stream, steps, class_weight, True, workers, bool(shuffle), stoppable
            )
            data.spec = self._settled(where, data).spec
            return data
        spec = self._settled(where, x, batch_size).spec
        arrays, layout = spec.batch(x, y, sample_weight, class_weight, whole=False)
        return array_adapter(where, self.inputs, arrays, layout, batch_size, steps, spec.arrays, workers.number > 0)

    def _with_validation(
        self, data: Any, split: float, given: Any, batch_size: int | None, steps: int | None, workers: Workers
    ) -> tuple[Any, Any]:
        """The adapter for training and the one for validation, or None."""
        if given is not None:
            given = columns_of_tensors(given) or given
            source = given if is_stream(given) else as_stream("fit", given, batch_size)
            if source is not None:
                stream = stream_adapter("fit", "validation_steps", source, steps, None, True, workers)
                stream.spec = self._compilation.spec  # type: ignore[union-attr, assignment]
                return data, stream
            x, y, weight = validation_parts(given)
            validation = self._adapter("validation_data", x, y, batch_size, weight, None, None, workers)
            return data, validation if steps is None else validation.first(step_count("fit", "validation_steps", steps))
        if split is None or (isinstance(split, int | float) and not split):
            return data, None
        if isinstance(data, StreamAdapter):
            raise ArgumentError(
                "fit: `validation_split` is only supported for arrays, as a generator cannot be split; pass "
                "validation_data."
            )
        return data.split(split)

    def _callback_list(self, callbacks: Any, verbose: int, data: Any, names: list[str]) -> Any:
        """The callbacks of `evaluate` and `predict`, with a progress bar if it is wanted."""
        given = callback_module.as_list(callbacks)
        if verbose and writes_files():
            given.append(callback_module.ProgbarLogger(fit_loop.counted(data), one_line=isinstance(verbose, OneLine)))
        callback_list = callback_module.CallbackList(given)
        callback_list.set_model(self)
        params = {"batch_size": getattr(data, "batch_size", None), "steps": data.steps, "samples": data.samples}
        callback_list.set_params({**params, "verbose": verbose, "metrics": names})
        return callback_list


def _without_data(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a method but the first two."""
    return {name: value for name, value in given.items() if name not in ("self", "generator")}


class _Kept:
    """Holds what the model must not look into when it searches its attributes for layers and metrics."""

    def __init__(self, value: Any):
        self.value = value

    def __deepcopy__(self, memo: Any) -> _Kept:
        return _Kept(copy.deepcopy(self.value, memo))
