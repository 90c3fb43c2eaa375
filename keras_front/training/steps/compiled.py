"""The steps: training, testing and predicting one batch, as pure functions of (state, batch), and compiled.

All variables that a step reads or changes form one flat list, in the order of `StepVariables`. A step binds them, so it
can be differentiated and compiled by any engine (decisions 7 and 9). Training and testing are two functions.

Gradients pass through one place, between `K.value_and_grad` and `Optimizer.apply`. A model that overrides `train_step`
or the like has `CustomSteps`, which call these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front import config
from keras_front.backend import replicas, scopes, seeds, symbolic
from keras_front.backend.guards import guard_of
from keras_front.backend.hand_over import State, StateList, active_backend, tensors_of, values_of
from keras_front.backend.program import EagerFunction
from keras_front.backend.state import Variable
from keras_front.backend.tables import make_room
from keras_front.errors import ArgumentError, StateError
from keras_front.graph import host_stage
from keras_front.graph.tensor_values import NoValueHereError, TensorValues, no_value_here
from keras_front.nest import flatten, unique
from keras_front.training.data.arrays import BatchLayout
from keras_front.training.losses_and_metrics import LossesAndMetrics
from keras_front.training.steps.accumulate import BatchInParts
from keras_front.training.steps.dispatch import DispatchTuner, several_steps
from keras_front.training.steps.nans import CheckedStep
from keras_front.training.steps.replicas import agreed_step, dividing, gathered

KINDS = ("train", "test", "predict")


# The variables of steps, and their values -----------------------------------------------------------


@dataclass(frozen=True)
class StepVariables:
    """The variables of a model's steps.

    Attributes:
        trainable: the weights that training changes.
        others: the other weights.
        layer_state: what stateful layers, metrics of layers, and losses and metrics of the user's own keep.
        optimizer: hyperparameters, counters and slots.
        metrics: the means of the compiled losses and metrics.
        seed: the seed of the noise that is drawn while training.
        only_training: those of the layer state that nothing but training changes.
    """

    trainable: tuple[Variable, ...]
    others: tuple[Variable, ...]
    layer_state: tuple[Variable, ...]
    optimizer: tuple[Variable, ...]
    metrics: tuple[Variable, ...]
    seed: tuple[Variable, ...]
    only_training: frozenset[Variable] = frozenset()

    @cached_property
    def all(self) -> list[Variable]:
        """Every variable once: the state of a training step."""
        groups = (self.trainable, self.others, self.layer_state, self.optimizer, self.metrics, self.seed)
        return unique(v for group in groups for v in group)

    @cached_property
    def carried(self) -> list[Variable]:
        """What testing and predicting change."""
        return unique(v for v in (*self.layer_state, *self.metrics) if v not in self.only_training)

    @cached_property
    def constant(self) -> list[Variable]:
        """What testing and predicting only read."""
        carried = set(self.carried)
        return [v for v in unique((*self.trainable, *self.others)) if v not in carried]


class NewVariablesError(StateError):
    """A step assigned variables that nobody had listed; it is traced again with these in its state."""

    def __init__(self, variables: Iterable[Variable]):
        self.variables = list(variables)
        super().__init__(f"Variables assigned in a step: {', '.join(v.name for v in self.variables)}.")


def check_newcomers(frame: Any) -> None:
    """Raise NewVariablesError if a step assigned variables that are not in its state."""
    if frame.newcomers:
        raise NewVariablesError(frame.newcomers)


# The steps -------------------------------------------------------------------------------------------


def phase(default: bool) -> bool:
    """The learning phase of a step: what the user fixed with `K.set_learning_phase`, else `default`."""
    fixed = K.learning_phase()
    return default if K.is_symbolic(fixed) else bool(fixed)


def samples_of(xs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The number of samples of a batch, as a number or a tensor; 1 where a model of tensors alone has no losses."""
    first = next(iter((*xs, *outputs)), None)
    if first is None:
        return 1.0
    size = K.int_shape(first)[0]
    return float(size) if size is not None else K.cast(K.shape(first)[0], K.floatx())


def joined_values(values: list[Any]) -> Any:
    """Numbers as one vector, where they have one dtype: each tensor that leaves a compiled function takes its time."""
    alike = len({K.dtype(value) for value in values}) == 1 and all(K.int_shape(value) == () for value in values)
    return K.stack(values) if alike and len(values) > 1 else values


class Forward(NamedTuple):
    """What a run of the model and its losses gave, for the outputs that have a loss."""

    total: Any
    parts: list[Any]
    targets: list[Any]
    outputs: list[Any]
    masks: list[Any]
    weights: list[Any]


def check_gradient(loss: Any, weights: Sequence[Variable]) -> None:
    """Raise ArgumentError if no gradient can flow from a loss that is traced to any of the weights that it trains.

    Source: tf.keras 2.15, `optimizers/utils.py`, "No gradients provided for any variable".
    """
    if not weights or (not symbolic.is_symbolic(loss) and scopes.tracing() is None):
        return
    wanted, seen, ends = {id(w.read()) for w in weights}, set[int](), dict[str, None]()
    stack = [loss] if symbolic.is_symbolic(loss) else []
    while stack:
        tensor = stack.pop()
        if id(tensor) in wanted:
            return
        if id(tensor) in seen or tensor.origin is None:
            continue
        seen.add(id(tensor))
        if tensor.origin.op.name == "stop_gradient" or not tensor.dtype.startswith(("float", "bfloat")):
            ends[tensor.origin.op.name] = None
        else:
            stack.extend(tensor.origin.tensors())
    why = f" Gradients end at {', '.join(ends)}." if ends else ""
    raise ArgumentError(
        f"The loss has no gradient for any of the {len(weights)} trainable weights (an operation has `None` for "
        f"gradient), so there is nothing to train.{why} Compute the loss from the outputs of trainable layers, with "
        "functions that have derivatives."
    )


class Steps:
    """The steps of one model.

    Args:
        model: the network; `run_with_masks` computes it.
        compiled: losses and metrics; None for a model that only predicts.
        optimizer: the optimizer; None for a model that only predicts.
        dialect: whose conventions the steps follow; by default that of the moment when they are traced.

    `train`, `test` and `predict` return compiled functions; each is made once for each layout of a batch, and compiled
    once for each backend and shape.

    Attributes:
        custom: the kinds of steps that the model overrides; see `CustomSteps`.
        one_by_one: whether the batches of `fit` go one by one to a function of Python: one that somebody has given (see
            `FunctionSteps`), or the steps themselves, with `run_eagerly`.
        run_eagerly: whether the Python code of the steps runs at each step.
        debug_nans: whether each training step looks for NaN and infinity, see `nans`.
        steps_per_execution: the number of steps in one dispatch; None leaves it to the loop.
        accumulate: the number of parts in which a batch is trained; see `BatchInParts`.
        position: the `TrainingPosition` of the `fit` that runs or ran last.
        running: its training step, if hooks are called around it.
    """

    custom: frozenset[str] = frozenset()
    one_by_one = False
    accumulate = 1
    position: Any = None
    running: Any = None

    def __init__(self, model: Any, compiled: LossesAndMetrics | None, optimizer: Any, dialect: str | None = None):
        self.dialect = dialect
        self.model, self.compiled, self.optimizer = model, compiled, optimizer
        self.run_eagerly = bool(getattr(model, "run_eagerly", False))
        self.debug_nans = bool(getattr(model, "debug_nans", False))
        self.one_by_one = self.one_by_one or self.run_eagerly or self.debug_nans
        self.steps_per_execution: int | None = getattr(model, "_steps_in_one", None)
        wanted = getattr(model, "jit_compile", None)
        self.jit = wanted if wanted and wanted != "auto" else None
        self.trainable_flags = model.trainable_flags()  # the flags of this moment, as Keras settles them in compile
        self.trainable = list(model.trainable_weights)
        self.seed = seeds.follow(Variable(seeds.root_seed, "int64", "seed", trainable=False, shape=()))
        self.measures_inside = False  # whether metrics use tensors of the graph, see `_train_batch`
        self._found: dict[str, list[Variable]] = {kind: [] for kind in KINDS}
        self._prepared: set[str] = set()
        self._tuners: dict[Any, DispatchTuner] = {}
        self._held: StateList | None = None
        self._collect()

    def _collect(self) -> None:
        """List the variables; what was compiled for others is forgotten."""
        model, compiled = self.model, self.compiled
        trainable, own = set(self.trainable), set(map(id, compiled.metrics)) if compiled is not None else set()
        self.layer_metrics = [m for m in model.layer_metrics() if id(m) not in own]
        kept = [*model.state_variables, *(v for m in self.layer_metrics for v in m.weights)]
        found = [v for kind in KINDS for v in self._found[kind]]
        lasting = {v for kind in ("test", "predict") for v in self._found[kind]} | set(kept)
        updated = self.optimizer.variables_of(self.trainable) if self.optimizer is not None else []
        self.variables = StepVariables(
            trainable=tuple(self.trainable),
            others=tuple(v for v in model.weights if v not in trainable),
            layer_state=tuple(unique([*kept, *found, *self._own_state()])),
            optimizer=tuple(v for v in unique([*updated, *self._further_slots()]) if v not in trainable),
            metrics=tuple(compiled.variables() if compiled is not None else ()),
            seed=(self.seed,),
            only_training=frozenset(v for v in found if v not in lasting),
        )
        self.guard = guard_of(self.variables.all)
        self._compiled: dict[Any, Any] = {}

    def _own_state(self) -> list[Variable]:
        """Variables of the steps themselves that are carried."""
        return []

    def _further_slots(self) -> list[Variable]:
        """Slots of optimizers beside the compiled one."""
        return []

    @property
    def has_own_variables(self) -> bool:
        """Whether losses, metrics or steps of the user's own assign variables that nobody listed."""
        return any(self._found.values())

    def names(self, kind: str) -> list[str]:
        """What the values are called that steps of this kind report."""
        names = self.compiled.names if self.compiled is not None and kind != "predict" else []
        return [*names, *(metric.name for metric in self.layer_metrics)]

    # What a loop asks for ----------------------------------------------------------------------------

    def ready(
        self, kind: str, layout: BatchLayout, batch: Sequence[Any], report: bool = False, single: bool = False
    ) -> Any:
        """The compiled step of a kind, traced for batches like this one, so that all of its variables are known."""

        def traced() -> Any:
            step = self._step(kind, layout, report, single)
            step.program(*self.state(kind), list(batch))
            return step

        return self.knowing_variables(kind, traced)

    def knowing_variables(self, kind: str, trace: Callable[[], Any]) -> Any:
        """`trace()`, which traces a step of a kind, made again as often as it finds variables that nobody listed."""
        while True:
            try:
                return trace()
            except NewVariablesError as error:
                self._found[kind] += error.variables
                self._collect()

    def prepare(self, kind: str, data: Any, report: bool = False) -> None:
        """See, before a loop over the data of an adapter begins, that all variables of its steps are known."""
        if kind not in self._prepared:
            first = data.first_batch()
            if first is not None:
                self.ready(kind, first[1], first[0], report)
                self._prepared.add(kind)

    def state(self, kind: str) -> tuple[State, ...]:
        """The present values that steps of this kind take before the batch."""
        if kind == "train":
            return (values_of(self.variables.all),)
        return tensors_of(self.variables.constant), values_of(self.variables.carried)

    @contextmanager
    def state_in_list(self) -> Iterator[StateList]:
        """The state of training as one list until the block ends, however it ends; see `StateList`."""
        with self.guard.lock:
            held = self._held
            if held is None or held.variables is not self.variables.all or held.engine is not active_backend():
                held = self._held = StateList(self.variables.all, self.guard)
            trainer = held.enter()
        try:
            yield held
        finally:
            with held.guard.lock:
                if held.leave(trainer) and self._held is held:
                    self._held = None

    def _step(self, kind: str, layout: BatchLayout, report: bool, single: bool) -> Any:
        if kind == "train":
            return self.train(layout, report, single)
        return self.test(layout, report, single) if kind == "test" else self.predict(layout)

    def train(self, layout: BatchLayout, report: bool = False, single: bool = False) -> Any:
        """`(state, batch) -> (state, values)`.

        With `report` the values are the batch's losses and the metrics up to now, otherwise what is there anyway, the
        sum of the losses. With `single` the batch stands by itself: means start anew and are not carried on. The values
        of a step that the model overrides are one vector.
        """
        donate = () if self.debug_nans else (0,)
        step = self._get(("train", layout, report, single), lambda: self._train(layout, report, single), donate)
        return CheckedStep(self, layout, step) if self.debug_nans else step

    def test(self, layout: BatchLayout, report: bool = False, single: bool = False) -> Any:
        """`(constant, carried, batch) -> (carried, values)`; see `train`."""
        return self._get(("test", layout, report, single), lambda: self._test(layout, report, single), (1,))

    def predict(self, layout: BatchLayout) -> Any:
        """`(constant, carried, batch) -> (carried, outputs)`."""
        return self._get(("predict", layout.inputs, layout.shares), lambda: self._predict(layout), (1,))

    def predict_function(self) -> Callable[..., Any]:
        """What `predict` compiles, for those who trace it themselves."""
        return self._in_dialect(self._predict(BatchLayout(len(self.model.inputs or ()), 0, ())))

    def several(self, layout: BatchLayout) -> Any:
        """`(state, data, order) -> (state, values)`: a training step for each row of `order`."""
        key = ("several", layout, active_backend(), scopes.trace_key())
        return self._get(key, lambda: several_steps(self.train(layout)), None)

    def multi_batch(self, kind: str, layout: BatchLayout) -> Any:
        """The step of `kind` ('test', 'predict') for several batches; see `Backend.compile_multi_batch`."""
        key = ("multi_batch", kind, layout, active_backend(), scopes.trace_key())
        step = self._step(kind, layout, False, False)
        return self._get(key, lambda: K.compile_multi_batch(step), None)

    def single_batch(self, kind: str, layout: BatchLayout) -> Any:
        """The step of `kind` ('test', 'predict') for one batch, that reports nothing."""
        return self._step(kind, layout, False, False)

    def tuner(self, key: Any, engine: Any, supported: Callable[[], bool]) -> DispatchTuner:
        """The tuner of such steps, kept from one fit to the next; `supported` says whether several may run at once."""
        found = self._tuners.get(key)
        if found is None:
            make_room(self._tuners)
            found = self._tuners[key] = DispatchTuner(engine, supported(), self.steps_per_execution)
        return found

    def _get(self, key: Any, make: Callable[[], Any], donate: tuple[int, ...] | None) -> Any:
        key = (key, K.learning_phase(), self.accumulate)  # a fixed phase makes another function
        found = self._compiled.get(key)
        if found is None:
            function = make()
            if donate is not None:
                make_step = EagerFunction if self.run_eagerly else K.compile
                function = make_step(
                    self._in_dialect(function), donate, jit=self.jit if donate else None, **self._settled(donate)
                )
                function.array_names = self.array_names
            found = function
            self._compiled[key] = found
        return found

    @property
    def array_names(self) -> list[str]:
        """What the arrays of a batch are called, weights left out."""
        losses = [] if self.compiled is None else [item for item in self.compiled.losses if item.fed]
        return [*(getattr(self.model, "input_names", None) or ()), *(f"target {item.name}" for item in losses)]

    def _settled(self, donate: tuple[int, ...]) -> dict[str, Any]:
        """What `K.compile` is told beside `donate`: steps that test and predict only read the weights."""
        if donate != (1,):
            return {}
        open_batch = all(tensor.shape[:1] == (None,) for tensor in flatten(self.model.inputs or ()))
        return {"constant": (0,), "batched": (2,) if open_batch else ()}

    def _in_dialect(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, run in the dialect in which the model was compiled."""
        if self.dialect is None:
            return function

        def run(*args: Any) -> Any:
            with config.dialect(self.dialect):  # type: ignore[arg-type]
                return function(*args)

        run.__name__ = function.__name__
        return run

    # The functions -----------------------------------------------------------------------------------

    def _train(self, layout: BatchLayout, report: bool, single: bool) -> Any:
        variables, training = self.variables.all, phase(True)
        counter, seed = self.place_of(getattr(self.optimizer, "_iterations", None)), self.place_of(self.seed)

        def run(values: State, batch: list[Any]) -> tuple[State, Any]:
            xs, fed, weights = layout.split(batch)
            key = None if counter is None else values[counter]
            bound = K.bind(variables, values, counter=key, discover=True, seed=values[seed])
            with K.phase(training), bound as frame, dividing(layout, batch):
                if single:
                    self.reset()
                done = self.train_batch(frame, xs, fed, weights, training)
                results = self._report(xs, done, report, single)
                check_newcomers(frame)
                return frame.values_of(variables), results

        def train(values: State, batch: list[Any]) -> tuple[State, Any]:
            try:
                return run(values, batch)
            except NoValueHereError:
                self.measures_inside = True
                return run(values, batch)

        return train

    def _test(self, layout: BatchLayout, report: bool, single: bool) -> Any:
        constant, carried, training = self.variables.constant, self.variables.carried, phase(False)
        variables = [*constant, *carried]

        def test(fixed: State, values: State, batch: list[Any]) -> tuple[State, Any]:
            xs, fed, weights = layout.split(batch)
            bound = K.bind(variables, [*fixed, *values], discover=True)
            with K.phase(training), bound as frame, dividing(layout, batch):
                if single:
                    self.reset()
                done = self.test_batch(frame, xs, fed, weights, training)
                results = self._report(xs, done, report, single)
                check_newcomers(frame)
                return frame.values_of(carried), results if report else []

        return test

    def _predict(self, layout: BatchLayout) -> Any:
        constant, carried, training = self.variables.constant, self.variables.carried, phase(False)
        variables = [*constant, *carried]

        def predict(fixed: State, values: State, batch: list[Any]) -> tuple[State, list[Any]]:
            bound = K.bind(variables, [*fixed, *values], discover=True)
            with K.phase(training), bound as frame, dividing(layout, batch):
                outputs = gathered(self.run(batch, training)[0])
                check_newcomers(frame)
                return frame.values_of(carried), outputs

        return predict

    # Their parts -------------------------------------------------------------------------------------

    def place_of(self, variable: Variable | None) -> Any:
        """Where a variable stands in the state of training; None if it does not."""
        return next((i for i, v in enumerate(self.variables.all) if v is variable), None)

    def run(self, xs: list[Any], training: Any, tensors: Any = None) -> tuple[list[Any], list[Any]]:
        """Flat lists of the outputs and of their masks; `tensors`, a dict, learns the values inside the graph."""
        with host_stage.fed(self.model.host_stage, xs) as inputs:
            outputs, masks = self.model.run_with_masks(
                self.model.arranged(inputs), bool(training), trainable_flags=self.trainable_flags, tensors=tensors
            )
        return flatten(outputs), masks

    def forward(
        self,
        frame: Any,
        xs: list[Any],
        fed: list[Any],
        weights: list[Any],
        training: Any,
        total_of: Any = None,
        weighted: list[Any] | None = None,
        share: float = 1.0,
    ) -> tuple[Forward, TensorValues]:
        """A run of the model with its losses, and what tensors of its graph are in that run.

        `total_of(targets, outputs, masks)` may bring (total, parts) in place of the compiled losses. `weighted` are
        weights with masks, where they are known. `share` is that of these samples in the whole batch.
        """
        compiled: LossesAndMetrics = self.compiled  # type: ignore[assignment]
        tensors: dict[Any, Any] = {}
        outputs, masks = self.run(xs, training, tensors)
        there = TensorValues(tensors)
        with symbolic.graph_values(there):
            targets = compiled.targets(fed, tensors)
            if total_of is not None:
                total, parts = total_of(outputs, masks)
            given = iter(weights)
            if weighted is None:
                weighted = compiled.weights([next(given) if item.fed else None for item in compiled.losses], masks)
            chosen = [outputs[item.output] for item in compiled.losses]
            kept = [masks[item.output] for item in compiled.losses]
            kept = [None if mask is None else K.cast(mask, K.floatx()) for mask in kept]
            if total_of is None:
                extra = [*self.model.regularization_losses(), *frame.losses]
                total, parts = compiled.total(targets, chosen, weighted, extra, share)
        return Forward(total, parts, targets, chosen, kept, weighted), there

    def train_batch(
        self, frame: Any, xs: list[Any], fed: list[Any], weights: list[Any], training: Any, total_of: Any = None
    ) -> Forward:
        """Run, differentiate, update the weights, and feed the metrics."""
        before = dict(frame.table)
        if self.accumulate > 1:
            whole = BatchInParts(self, frame, (xs, fed, weights), training, self.accumulate)
            total, parts, grads = whole.gradients()
            done = Forward(total, parts, [], [], [], [])
        else:
            done, grads = self.differentiated(frame, xs, fed, weights, training, total_of)
        done, grads = agreed_step(self, frame, before, done, grads)
        with replicas.settled(), scopes.recorded_for("optimizer"):
            self.optimizer.apply(self.trainable, grads)
        return done

    def differentiated(
        self, frame: Any, xs: list[Any], fed: list[Any], weights: list[Any], training: Any, *more: Any, **keywords: Any
    ) -> tuple[Forward, list[Any]]:
        """Run, differentiate, and feed the metrics; see `forward` for the arguments.

        Metrics are computed outside of the function that is differentiated. Those that use tensors of the graph cannot
        be, because these have values only inside; whoever meets such a metric sets `measures_inside`.
        """
        compiled: LossesAndMetrics = self.compiled  # type: ignore[assignment]
        computed = any(not item.fed for item in compiled.losses)

        def loss_of(_: list[Any]) -> Any:
            done, there = self.forward(frame, xs, fed, weights, training, *more, **keywords)
            if self.measures_inside:
                self.measure(done, there)
            check_gradient(done.total, self.trainable)
            aside = [done.total, done.parts, done.targets if computed else [], *done[3:]]
            return self.optimizer.scale_loss(done.total), aside

        (_, (total, parts, targets, *rest)), grads = K.value_and_grad(loss_of, self.trainable)
        done = Forward(total, parts, targets if computed else list(fed), *rest)
        if not self.measures_inside:
            self.measure(done, no_value_here)
        return done, grads

    def test_batch(
        self, frame: Any, xs: list[Any], fed: list[Any], weights: list[Any], training: Any, total_of: Any = None
    ) -> Forward:
        """Run the model with its losses, and feed the metrics."""
        before = dict(frame.table)
        done, there = self.forward(frame, xs, fed, weights, training, total_of)
        self.measure(done, there)
        return agreed_step(self, frame, before, done)[0]

    def measure(self, done: Forward, there: Callable[[Any], Any]) -> None:
        """Feed the compiled metrics; `there` gives the values of tensors of the graph."""
        with symbolic.graph_values(there), scopes.recorded_for("metrics"):
            self.compiled.measure(done.targets, done.outputs, done.masks, done.weights)  # type: ignore[union-attr]

    def _report(self, xs: list[Any], done: Forward, report: bool, single: bool) -> Any:
        compiled: LossesAndMetrics = self.compiled  # type: ignore[assignment]
        if not single:
            compiled.track(samples_of(xs, done.outputs) * replicas.shares(), done.total, done.parts)
        if not report:
            return compiled.trackers[0].total.read()
        values = [*compiled.values(done.total, done.parts), *(metric.result() for metric in self.layer_metrics)]
        return joined_values(values) if active_backend().compiles else values

    # Means -------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Start all means anew."""
        for item in self._resettable():
            item.reset_states()

    def _resettable(self) -> list[Any]:
        compiled = [self.compiled] if self.compiled is not None else []
        own = [] if self.compiled is None else [*self.compiled.trackers, *self.compiled.metrics]
        seen = {id(item) for item in (*own, *self.layer_metrics)}
        return [*compiled, *self.layer_metrics, *self._further_metrics(seen)]

    def _further_metrics(self, seen: set[int]) -> list[Any]:
        """Metrics of the model whose ids are not among those seen, for steps that may use any of them."""
        return []

    def results(self, kind: str, last: Any = None) -> list[float]:
        """The means since the last reset, in the order of `names`, read from the engine.

        A step that the model overrides says itself what counts: `last`, what its last call gave.
        """
        read = self._get(("results",), self._results, ())
        with self.guard.lock:  # until they are read, the next step may not have their memory
            means = read([v.current() for v in self._measures()])
        return K.to_numpy(means).tolist()

    def numbers(self, kind: str, values: Any) -> list[float]:
        """What a step reported, as Python numbers."""
        engine = active_backend()
        if values.__class__ in engine.native:
            return engine.to_numpy(values).tolist()
        return [float(engine.to_numpy(v) if v.__class__ in engine.native else K.to_numpy(v)) for v in values]

    def sums(self) -> list[Variable]:
        """What metrics add to: variables whose increments on parts of a batch make those on the whole one together."""
        found = [] if self.custom else [v for kind in KINDS for v in self._found[kind]]
        return unique([*self._measures(), *found, *(v for m in self._further_metrics(set()) for v in m.weights)])

    def _measures(self) -> list[Any]:
        layers = (v for metric in self.layer_metrics for v in metric.weights)
        return unique([*self.compiled.variables(), *layers])  # type: ignore[union-attr]

    def _results(self) -> Callable[[State], Any]:
        compiled, measures, layer_metrics = self.compiled, self._measures(), self.layer_metrics

        def results(values: State) -> Any:
            with K.bind(measures, values):
                means = [*compiled.results(), *(metric.result() for metric in layer_metrics)]  # type: ignore[union-attr]
                return K.stack([K.cast(value, K.floatx()) for value in means])

        return results
