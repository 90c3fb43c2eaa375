"""Steps of a model's own: `train_step`, `test_step`, `predict_step`, `compute_loss`, `compute_metrics`.

A subclass of `Model` may override these as in tf.keras and Keras 3. The one trainer calls them while it traces a step,
so they are written in K and run compiled on every backend. Gradients come from `K.gradients(loss, weights)`, or from
`K.value_and_grad(fn, weights)`; `optimizer.apply_gradients(zip(grads, weights))` assigns the new values:

    class Twice(Model):
        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = 2.0 * self.compute_loss(y=y, y_pred=y_pred)
            grads = K.gradients(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
            return {"loss": loss}

Variables that such a step assigns (slots of further optimizers, means of metrics, counters) are found while it is
traced and carried by the step, whoever made them.

Source: tf.keras 2.15 and Keras 3.15, `Model.train_step` and the like.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import optimizers
from keras_front.backend import replicas, scopes, symbolic
from keras_front.backend.hand_over import active_backend, values_of
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, StateError
from keras_front.graph import call_context, host_stage
from keras_front.graph.network import Network
from keras_front.graph.tracking import with_trainable_flags
from keras_front.nest import flatten, unpack
from keras_front.training.data.arrays import BatchLayout
from keras_front.training.losses_and_metrics import LossesAndMetrics
from keras_front.training.state_and_data import loss_of_state, of_data
from keras_front.training.steps.accumulate import own_step_in_parts
from keras_front.training.steps.compiled import KINDS, Steps, check_newcomers, phase, samples_of
from keras_front.training.steps.replicas import Reduction, agreed_logs, dividing, gathered
from keras_front.utils.data_utils import unpack_x_y_sample_weight

_METHODS = {
    "train": ("train_step", "make_train_function", "compute_loss", "compute_metrics"),
    "test": ("test_step", "make_test_function", "compute_loss", "compute_metrics"),
    "predict": ("predict_step", "make_predict_function"),
}


def overrides(model: Any, name: str) -> bool:
    """Whether a model has a method of this name that is not the one of `StepMethods`."""
    return name in vars(model) or getattr(type(model), name) is not getattr(StepMethods, name)


def overridden_kinds(model: Any) -> frozenset[str]:
    """Which of 'train', 'test' and 'predict' have steps of the model's own."""
    return frozenset(kind for kind, names in _METHODS.items() if any(overrides(model, name) for name in names))


def stands_alone(model: Any) -> bool:
    """Whether a model has nothing but its `train_step`: no graph and no `call`, such as a GAN of two models."""
    return not model._is_graph_network and type(model).call is Network.call and overrides(model, "train_step")


def further_optimizers(model: Any) -> list[Any]:
    """The optimizers among the attributes of a model, such as one for each half of a GAN."""
    return [value for value in vars(model).values() if isinstance(value, optimizers.Optimizer)]


def steps_of(model: Any, compiled: LossesAndMetrics | None, optimizer: Any, dialect: str | None = None) -> Steps:
    """The steps of a model, with its own where it overrides them; see `Steps` for the arguments."""
    custom = overridden_kinds(model) & ({"predict"} if compiled is None else set(KINDS))
    function = vars(model).get("train_function")
    if callable(function) and compiled is not None:
        return FunctionSteps(model, compiled, optimizer, dialect, function)
    return (
        CustomSteps(model, compiled, optimizer, dialect, custom)
        if custom
        else Steps(model, compiled, optimizer, dialect)
    )


class CustomSteps(Steps):
    """The steps of a model that overrides some of them.

    Args:
        model, compiled, optimizer, dialect: see `Steps`.
        custom: the kinds that are overridden, of 'train', 'test' and 'predict'.
    """

    def __init__(
        self, model: Any, compiled: LossesAndMetrics | None, optimizer: Any, dialect: str | None, custom: frozenset[str]
    ):
        self.custom = custom
        self.own_counter = K.Variable(np.zeros((), "int64"), "int64", "steps", trainable=False)
        self.logged: dict[str, list[str]] = {}  # names of what the steps of a kind return
        super().__init__(model, compiled, optimizer, dialect)

    has_own_variables = True

    def _collect(self) -> None:
        self.trainable = list(self.model.trainable_weights)  # layers may be built by the first step
        super()._collect()

    def _own_state(self) -> list[Variable]:
        return [self.own_counter]

    def _further_slots(self) -> list[Variable]:
        return [v for o in further_optimizers(self.model) for v in (*o.variables_of([]), *o.weights)]

    def _further_metrics(self, seen: set[int]) -> list[Any]:
        return [m for m in self.model.metrics if id(m) not in seen]

    def names(self, kind: str) -> list[str]:
        """What the values are called that steps of this kind report."""
        return self.logged[kind] if kind in self.custom and kind in self.logged else super().names(kind)

    def results(self, kind: str, last: Any = None) -> list[float]:
        """The means since the last reset; of a kind that is overridden `last`, what the last step gave."""
        return self.numbers(kind, last) if kind in self.custom else super().results(kind, last)

    def numbers(self, kind: str, values: Any) -> list[float]:
        """What a step reported, as Python numbers."""
        if kind not in self.custom:
            return super().numbers(kind, values)
        read = [] if values is None else K.to_numpy(values).tolist()
        return read[: len(self.names(kind))]

    def _train(self, layout: BatchLayout, report: bool, single: bool) -> Any:
        return (
            train_function(self, layout, single) if "train" in self.custom else super()._train(layout, report, single)
        )

    def _test(self, layout: BatchLayout, report: bool, single: bool) -> Any:
        if "test" in self.custom:
            return test_function(self, layout, single)
        return super()._test(layout, report, single)

    def _predict(self, layout: BatchLayout) -> Any:
        return predict_function(self, layout) if "predict" in self.custom else super()._predict(layout)


class FunctionSteps(Steps):
    """Steps of a model whose `train_function` somebody has replaced, as wrappers of optimizers for Keras 2 do.

    The function takes one list: inputs, targets, weights of samples, and the learning phase 1. It updates what it
    trains by itself, and returns the loss, or a list of it and the metrics.

    Args:
        model, compiled, optimizer, dialect: see `Steps`.
        function: the function.
    """

    one_by_one = True

    def __init__(self, model: Any, compiled: Any, optimizer: Any, dialect: str | None, function: Callable[..., Any]):
        self.function = function
        self._sums: tuple[Any, float] = (0.0, 0.0)
        super().__init__(model, compiled, optimizer, dialect)

    def prepare(self, kind: str, data: Any, report: bool = False) -> None:
        """Nothing is traced for training."""
        if kind != "train":
            super().prepare(kind, data, report)

    def ready(
        self, kind: str, layout: BatchLayout, batch: Sequence[Any], report: bool = False, single: bool = False
    ) -> Any:
        """The function for batches of this layout; of another kind the compiled step."""
        return self.train(layout) if kind == "train" else super().ready(kind, layout, batch, report, single)

    def train(self, layout: BatchLayout, report: bool = False, single: bool = False) -> Any:
        """`(state, batch) -> (state, values)` by way of the function."""
        return _FunctionStep(self, layout)

    def reset(self) -> None:
        """Start all means anew."""
        super().reset()
        self._sums = (0.0, 0.0)

    def count(self, values: Sequence[Any], samples: int) -> None:
        """Take what the function gave for a batch into the means."""
        sums, seen = self._sums
        self._sums = sums + np.asarray(values, "float64") * samples, seen + samples

    def results(self, kind: str, last: Any = None) -> list[float]:
        """The means since the last reset."""
        sums, seen = self._sums
        return list(sums / seen) if kind == "train" and seen else super().results(kind, last)

    def numbers(self, kind: str, values: Any) -> list[float]:
        """What a step reported, as Python numbers."""
        return list(values) if kind == "train" else super().numbers(kind, values)


class _FunctionStep:
    """What stands for a compiled step where a function trains."""

    def __init__(self, steps: FunctionSteps, layout: BatchLayout):
        self.steps, self.layout = steps, layout

    def specialize(self, *args: Any) -> _FunctionStep:
        return self

    def __call__(self, state: list[Any], batch: Sequence[Any]) -> Any:
        xs, ys, weights = self.layout.split([K.to_numpy(K.convert(array)) for array in batch])
        samples = len(batch[0])
        ones = [np.ones(samples, K.floatx()) if w is None else w for w in weights]
        given = self.steps.function([*xs, *ys, *ones, 1.0])
        values = [float(v) for v in (given if isinstance(given, list | tuple) else [given])]
        self.steps.count(values, samples)
        return values_of(self.steps.variables.all), values


# The functions that are compiled ---------------------------------------------------------------------


def train_function(steps: Any, layout: BatchLayout, single: bool) -> Any:
    """`(state, batch) -> (state, logs)` by way of `train_step`; see `Steps.train`."""
    variables, training = steps.variables.all, phase(True)
    place, seed = steps.place_of(steps.own_counter), steps.place_of(steps.seed)

    def train(values: list[Any], batch: list[Any]) -> Any:
        if values and not symbolic.is_symbolic(values[0]):  # code of the engine's own may ask it for gradients
            engine, own = active_backend(), set(steps.trainable)
            values = [engine.watched([x])[0] if v in own else x for v, x in zip(variables, values, strict=True)]
            state, logs = run(values, batch)
            return engine.unwatched(state), engine.unwatched([logs])[0]
        return run(values, batch)

    def run(values: list[Any], batch: list[Any]) -> Any:
        bound = K.bind(variables, values, counter=values[place], discover=True, seed=values[seed])
        with K.phase(training), bound as frame, dividing(layout, batch):
            logs = _logs_of(steps, "train", frame, layout, batch, single, training)
            steps.own_counter.assign(values[place] + 1)
            return _state_after(frame, variables), logs

    return train


def test_function(steps: Any, layout: BatchLayout, single: bool) -> Any:
    """`(constant, carried, batch) -> (carried, logs)` by way of `test_step`; see `Steps.test`."""
    carried, training = steps.variables.carried, phase(False)
    variables = [*steps.variables.constant, *carried]

    def test(fixed: list[Any], values: list[Any], batch: list[Any]) -> Any:
        bound = K.bind(variables, [*fixed, *values], discover=True)
        with K.phase(training), bound as frame, dividing(layout, batch):
            logs = _logs_of(steps, "test", frame, layout, batch, single, training)
            return _state_after(frame, carried), logs

    return test


def predict_function(steps: Any, layout: BatchLayout) -> Any:
    """`(constant, carried, batch) -> (carried, outputs)` by way of `predict_step`; see `Steps.predict`."""
    carried, training = steps.variables.carried, phase(False)
    variables = [*steps.variables.constant, *carried]

    def predict(fixed: list[Any], values: list[Any], batch: list[Any]) -> Any:
        bound = K.bind(variables, [*fixed, *values], discover=True)
        with K.phase(training), bound as frame, dividing(layout, batch):
            model, step = steps.model, StepInProgress(steps, "predict", frame, training)
            with host_stage.fed(model.host_stage, batch) as xs, _in_progress(step):
                outputs = _step_function(model, "predict")((_structured(model, xs),))
            return _state_after(frame, carried), gathered([K.convert(value) for value in flatten(outputs)])

    return predict


def _state_after(frame: Any, variables: Sequence[Any]) -> list[Any]:
    check_newcomers(frame)
    return frame.values_of(variables)


def _logs_of(
    steps: Any, kind: str, frame: Any, layout: BatchLayout, batch: list[Any], single: bool, training: Any
) -> Any:
    """Run `train_step` or `test_step` on a batch; what it returns, as one vector whose names are noted."""
    if single:
        steps.reset()
    model, before = steps.model, dict(frame.table)

    def run(arrays: list[Any]) -> Mapping[str, Any]:
        given, ys, weights = layout.split(arrays)
        rest = [*([unpack(ys)] if ys else []), *([unpack(weights)] if any(w is not None for w in weights) else [])]
        with host_stage.fed(model.host_stage, given) as xs, _in_progress(StepInProgress(steps, kind, frame, training)):
            found = _step_function(model, kind)((_structured(model, xs), *rest))
        if not isinstance(found, Mapping):
            raise ArgumentError(
                f"{type(model).__name__}.{kind}_step: expected a dict from names to values, such as {{'loss': loss}}, "
                f"returned {type(found).__name__}."
            )
        return found

    in_parts = kind == "train" and steps.accumulate > 1
    logs = own_step_in_parts(steps, frame, run, batch) if in_parts else run(batch)
    steps.logged[kind] = [str(name) for name in logs]
    scalars = [_scalar(model, kind, name, value) for name, value in logs.items()]
    return K.stack(agreed_logs(steps, frame, before, scalars) or [K.constant(0.0)])


def _step_function(model: Any, kind: str) -> Callable[[Any], Any]:
    """The step of a model as a function of its data: `train_step`, or what `make_train_function` makes of it."""
    if not overrides(model, f"make_{kind}_function"):
        return of_data(model, kind, getattr(model, f"{kind}_step"))
    function = getattr(model, f"make_{kind}_function")()
    return lambda data: function(iter([data]))


def _scalar(model: Any, kind: str, name: str, value: Any) -> Any:
    value = K.convert(value.result() if hasattr(value, "result") else value)
    if K.ndim(value):
        raise ArgumentError(
            f"{type(model).__name__}.{kind}_step: expected numbers as values of the dict that it returns, "
            f"{name!r} has the shape {K.int_shape(value)}. Take its mean: K.mean(value)."
        )
    return K.cast(value, K.floatx())


def _structured(model: Any, xs: list[Any]) -> Any:
    """The inputs as `fit` was given them: one tensor, or the list or dict that `call` takes."""
    return xs[0] if len(xs) == 1 and model._is_graph_network else model.arranged(xs)


# What runs -------------------------------------------------------------------------------------------

_STEP: ContextVar[StepInProgress | None] = ContextVar("keras_front_step", default=None)


@contextmanager
def _in_progress(step: StepInProgress) -> Iterator[None]:
    """A context in which the methods of the model find the step.

    No gradient goes through an assignment: a weight that one optimizer has updated is a new value for the next loss.
    """
    token = _STEP.set(step)
    step.frame.on_assign = step.assigned
    try:
        with with_trainable_flags(step.steps.trainable_flags), call_context.entered(step.training, {}):
            yield
    finally:
        step.frame.on_assign = None
        _STEP.reset(token)


class StepInProgress:
    """A step that is running: what `super().train_step(data)` and the like do.

    Args:
        steps: the `Steps` of the model.
        kind: 'train', 'test' or 'predict'.
        frame: holds the values of the variables.
        training: the learning phase.
    """

    def __init__(self, steps: Any, kind: str, frame: Any, training: Any):
        self.steps, self.kind, self.frame, self.training = steps, kind, frame, training
        self.parts: list[Any] | None = None  # losses of the outputs, while `compute_loss` is asked for the total
        self._sums = set() if replicas.division() is None else set(steps.sums())  # what is shared when it is assigned

    def assigned(self, variable: Any, value: Any) -> Any:
        """The value that a variable gets: no gradient flows into it, and what a metric adds is what all have added."""
        value = K.stop_gradient(value)
        if variable.trainable and not symbolic.is_symbolic(value):
            value = active_backend().watched([value])[0]
        if variable not in self._sums:
            return value
        return Reduction(self.frame, self.frame.table).grown(variable, value)

    def logs(self, data: Any) -> dict[str, Any]:
        """Train on or test a batch as the trainer does, with `compute_loss` and `compute_metrics` of the model."""
        x, y, weight = unpack_x_y_sample_weight(data)
        xs, ys = flatten(x), [] if y is None else flatten(y)
        compiled = self.steps.compiled
        weights = [None] * sum(item.fed for item in compiled.losses) if weight is None else flatten(weight)
        total_of = None
        if overrides(self.steps.model, "compute_loss"):
            total_of = lambda outputs, masks: self._total(x, y, weight, outputs)  # noqa: E731
        step = self.steps.train_batch if self.kind == "train" else self.steps.test_batch
        sums, self._sums = self._sums, set()  # the step of the trainer shares all at once
        done = step(self.frame, xs, ys, weights, self.training, total_of)
        compiled.track(samples_of(xs, done.outputs) * replicas.shares(), done.total, done.parts)
        self._sums = sums
        if overrides(self.steps.model, "compute_metrics"):
            return self._metrics(x, y, weight, done.outputs)
        names = ["loss", *(item.name for item in compiled.trackers[1 : 1 + len(done.parts)])]
        means = dict(zip(names, (tracker.result() for tracker in compiled.trackers), strict=False))
        return {**means, **{m.name: m.result() for m in (*compiled.metrics, *self.steps.layer_metrics)}}

    def _total(self, x: Any, y: Any, weight: Any, outputs: list[Any]) -> tuple[Any, list[Any]]:
        self.parts = []
        try:
            given = {"x": x, "y": y, "y_pred": unpack(outputs), "sample_weight": weight, "training": self.training}
            total = _call(self.steps.model.compute_loss, given)
            return K.mean(total) if K.ndim(total) else total, self.parts
        finally:
            self.parts = None

    def _metrics(self, x: Any, y: Any, weight: Any, outputs: list[Any]) -> dict[str, Any]:
        given = {"x": x, "y": y, "y_pred": unpack(outputs), "sample_weight": weight}
        return dict(_call(self.steps.model.compute_metrics, given))

    def losses(self) -> list[Any]:
        """Penalties on weights, and what layers reported in this step."""
        return [*self.steps.model.regularization_losses(), *self.frame.losses]


def _call(method: Any, given: dict[str, Any]) -> Any:
    """Call a method with those of the arguments that its version of the interface has."""
    parameters = inspect.signature(method).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return method(**given)
    return method(**{name: value for name, value in given.items() if name in parameters})


def current_step(model: Any) -> StepInProgress | None:
    """The step of this model that is running, if any."""
    step = _STEP.get()
    return step if step is not None and step.steps.model is model else None


# Compiled losses and metrics as one calls them in a step ---------------------------------------------


class CompiledLoss:
    """The losses given to `compile`, as a function of targets and outputs; the mean of 'loss' is kept as well."""

    def __init__(self, model: Any, compiled: Any):
        self.model, self.compiled = model, compiled

    @property
    def metrics(self) -> list[Any]:
        """The means of the total and of the outputs' losses."""
        return list(self.compiled.trackers)

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Sequence[Any] | None = None
    ) -> Any:
        """The total, a scalar.

        Args:
            y_true, y_pred: tensors, or lists of them for several outputs.
            sample_weight: one weight for each sample, or a list of these.
            regularization_losses: scalars to be added, such as `model.losses`.
        """
        ys, outputs, masks, weights = aligned_with_losses(self.compiled, y_true, y_pred, sample_weight)
        weighted = self.compiled.weights(weights, masks)
        chosen = [outputs[item.output] for item in self.compiled.losses]
        total, parts = self.compiled.total(ys, chosen, weighted, list(regularization_losses or ()))
        step = current_step(self.model)
        if step is not None and step.parts is not None:
            step.parts[:] = parts  # the trainer keeps the means
        else:
            self.compiled.track(samples_of(outputs, outputs), total, parts)
        return total


class CompiledMetrics:
    """The metrics given to `compile`, to be fed with targets and outputs."""

    def __init__(self, compiled: Any):
        self.compiled = compiled

    @property
    def metrics(self) -> list[Any]:
        """The metric objects."""
        return list(self.compiled.metrics)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account; arguments are those of the compiled loss."""
        ys, outputs, masks, weights = aligned_with_losses(self.compiled, y_true, y_pred, sample_weight)
        weighted = self.compiled.weights(weights, masks)
        chosen = [outputs[item.output] for item in self.compiled.losses]
        kept = [None if m is None else K.cast(m, K.floatx()) for m in (masks[i.output] for i in self.compiled.losses)]
        self.compiled.measure(ys, chosen, kept, weighted)


def aligned_with_losses(compiled: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[list[Any], ...]:
    """Targets and weights for each loss, and outputs and masks for each output."""
    outputs, run = flatten(y_pred), call_context.current()
    masks = [run.mask_of(value) if run is not None else None for value in outputs]
    ys, count = flatten(y_true), len(compiled.losses)
    weights = [None] * count if sample_weight is None else flatten(sample_weight)
    weights = weights * count if len(weights) == 1 else weights
    for what, items in (("targets", ys), ("sample weights", weights)):
        if len(items) != count:
            raise ArgumentError(f"Expected {count} {what}, one for each output with a loss, received {len(items)}.")
    return ys, outputs, masks, weights


class StepMethods:
    """The methods of `Model` that a subclass overrides to train, test or predict in its own way."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch.

        Override it to change what happens in a step of `fit`; it is traced, so it works on symbols.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`, tensors in the structure that `fit` was given;
                `keras.utils.unpack_x_y_sample_weight(data)` takes it apart.

        Returns: a dict from names to scalars: what `fit` reports. Those of the last batch stand for the epoch, so give
            means (`metric.result()`).
        """
        return _step_of(self, "train", "train_step").logs(data)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The loss and metrics of one batch, for `evaluate` and the validation in `fit`.

        Args:
            data: as in `train_step`.

        Returns: a dict from names to scalars, as `train_step`.
        """
        return _step_of(self, "test", "test_step").logs(data)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch.

        Args:
            data: `(x,)`, tensors in the structure that `predict` was given.

        Returns: a tensor or a list of tensors.
        """
        _step_of(self, "predict", "predict_step")
        return self(unpack_x_y_sample_weight(data)[0], training=False)  # type: ignore[operator]

    def make_train_function(self, force: bool = False) -> Callable[[Iterator[Any]], Any]:
        """The function that a step of `fit` calls; a subclass may put something around `train_step`.

        Args:
            force: tf.keras keeps the function unless this is True; here it is made for each trace.

        Returns: a function of an iterator that gives the data of one batch; it returns what `train_step` returns.
        """
        return lambda batches: self.train_step(next(batches))

    def make_test_function(self, force: bool = False) -> Callable[[Iterator[Any]], Any]:
        """The function that a step of `evaluate` calls, around `test_step`.

        Args:
            force: as in `make_train_function`.

        Returns: a function of an iterator that gives the data of one batch.
        """
        return lambda batches: self.test_step(next(batches))

    def make_predict_function(self, force: bool = False) -> Callable[[Iterator[Any]], Any]:
        """The function that a step of `predict` calls, around `predict_step`.

        Args:
            force: as in `make_train_function`.

        Returns: a function of an iterator that gives the data of one batch.
        """
        return lambda batches: self.predict_step(next(batches))

    def zero_grad(self) -> None:
        """Forget the gradients that `loss.backward()` has found, in a step or a loop written for PyTorch."""
        step = current_step(self)
        active_backend().forget_gradients(self.trainable_weights)  # type: ignore[attr-defined]
        for weight in self.trainable_weights:  # type: ignore[attr-defined]
            value = weight.read()
            if symbolic.is_symbolic(value):
                symbolic.GRADS.pop(value, None)
            elif step is not None and step.frame.takes(weight):
                step.frame.table[weight] = active_backend().watched([value])[0]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of all metrics, in the order of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]  # type: ignore[attr-defined]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The total loss, a scalar: the compiled losses, penalties on weights, and what layers reported.

        Args:
            x: the inputs of the batch, for subclasses.
            y: targets, a tensor or a list of tensors.
            y_pred: the outputs of the model.
            sample_weight: one weight for each sample, or None.
            training: whether the batch is trained on, for subclasses.
        """
        return self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)  # type: ignore[attr-defined]

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """`compute_loss` as a pure function of values of the variables, for loops of one's own.

        Args:
            trainable_variables: values of `trainable_variables`, by which the loss may be differentiated.
            non_trainable_variables: values of `non_trainable_variables`.
            metrics_variables: values of `metrics_variables`.
            x, y, y_pred, sample_weight, training: as in `compute_loss`.

        Returns: the loss, and the three lists of values afterwards.
        Raises: ArgumentError for lists of another length.
        Source: Keras 3.15, `trainers/trainer.py`, `stateless_compute_loss`.
        """
        given = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight, "training": training}
        return loss_of_state(self, [trainable_variables, non_trainable_variables, metrics_variables], given)

    def compute_metrics(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Feed the compiled metrics with a batch.

        Args:
            x, y, y_pred, sample_weight: as in `compute_loss`.

        Returns: a dict from the names of all metrics to what they are now.
        """
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}  # type: ignore[attr-defined]

    @property
    def compiled_loss(self) -> CompiledLoss:
        """The losses given to `compile`, called as `compiled_loss(y_true, y_pred, sample_weight)`."""
        return CompiledLoss(self, _compiled(self, "compiled_loss"))

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics given to `compile`, fed by `compiled_metrics.update_state(y_true, y_pred, sample_weight)`."""
        return CompiledMetrics(_compiled(self, "compiled_metrics"))


def _compiled(model: Any, where: str) -> Any:
    step = current_step(model)
    return step.steps.compiled if step is not None else model._settled(where).steps.compiled


def _step_of(model: Any, kind: str, where: str) -> StepInProgress:
    step = current_step(model)
    if step is None:
        raise StateError(
            f"{where} is a part of a step: fit, evaluate and predict call it, and so do train_on_batch, test_on_batch "
            "and predict_on_batch. Call one of these."
        )
    if step.kind != kind:
        raise StateError(f"{where} was called in a step of kind {step.kind!r}.")
    return step


def losses_in_step(model: Any) -> list[Any] | None:
    """What `model.losses` is while a step of it runs: tensors of that step; None outside."""
    step = current_step(model)
    return None if step is None or scopes.current_frame() is None else step.losses()
