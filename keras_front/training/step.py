"""The steps: training, testing and predicting one batch, as pure functions of (state, batch), and compiled.

All variables that a step reads or changes form one flat list, in the order of `Steps.variables`:
trainable, other weights, what layers carry, the optimizer's, the objective's. A step binds them, so it can
be differentiated and compiled by any engine (decisions D3, D4). Training and testing are two functions (D6).

Gradients pass through one place, between `value_and_grad` and `Optimizer.apply` (D14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.backend import discovery
from keras_front.training.feed import Layout
from keras_front.training.objective import Objective
from keras_front.training.pace import Pace

State = list[Any]
Step = Callable[[State, list[Any]], tuple[State, Any]]


class Steps:
    """The steps of one model.

    Args:
        model: the network; `run_with_masks` computes it.
        trainable: the variables that training changes.
        objective, optimizer: None for a model that only predicts.
        dialect: whose conventions the steps follow; by default of the moment when they are recorded.

    `train`, `test` and `predict` return compiled functions; each is made once for each layout, and
    compiled once for each backend and shape.
    """

    def __init__(
        self,
        model: Any,
        trainable: Sequence[Any],
        objective: Objective | None,
        optimizer: Any,
        dialect: str | None = None,
    ):
        self.dialect = dialect
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self.trainable = list(trainable)
        self.freezing = model.freezing()  # the flags of this moment, as Keras settles them in compile
        learned = set(self.trainable)
        others = [v for v in [*model.weights, *model.state_variables] if v not in learned]
        self.layer_metrics = _layer_metrics(model, objective)
        self.others = _unique([*others, *(v for metric in self.layer_metrics for v in metric.weights)])
        held = optimizer.variables_of(self.trainable) if optimizer is not None else []
        self.optimizer_variables = [v for v in held if v not in learned]
        measures = objective.variables() if objective is not None else []
        self.measures = _unique([*measures, *(v for metric in self.layer_metrics for v in metric.weights)])
        self.variables = _unique([*self.trainable, *self.others, *self.optimizer_variables, *measures])
        self.carried = _carried(model, self.layer_metrics, objective)
        carried = set(self.carried)
        self.constant = [v for v in [*self.trainable, *self.others] if v not in carried]
        self._compiled: dict[Any, Any] = {}
        self._paces: dict[Any, Pace] = {}  # how long steps take, kept from one fit to the next

    @property
    def names(self) -> list[str]:
        """What the values are called that a step reports."""
        names = self.objective.names if self.objective is not None else []
        return [*names, *(metric.name for metric in self.layer_metrics)]

    # What a loop asks for ----------------------------------------------------------------------------

    def train(self, layout: Layout, report: bool = False, single: bool = False) -> Any:
        """`(state, batch) -> (state, values)`.

        With `report` the values are the batch's losses and the metrics up to now, otherwise what is there
        anyway, the sum of the losses. With `single` the batch stands by itself: means start anew and are not
        carried on.
        """
        return self._get(("train", layout, report, single), lambda: self._train(layout, report, single), (0,))

    def test(self, layout: Layout, report: bool = False, single: bool = False) -> Any:
        """`(constant, carried, batch) -> (carried, values)`; see `train`."""
        return self._get(("test", layout, report, single), lambda: self._test(layout, report, single), (1,))

    def predict(self, inputs: int) -> Any:
        """`(constant, carried, batch) -> (carried, outputs)`."""
        return self._get(("predict", inputs), self._predict, (1,))

    def loop(self, layout: Layout) -> Any:
        """`(state, data, order) -> (state, loss)`: a training step for each row of `order`."""
        return self._get(("loop", layout, K.backend()), lambda: K.compile_loop(self.train(layout)), None)

    def sweep(self, kind: str, layout: Layout) -> Any:
        """The step of `kind` ('test', 'predict') over all batches of host arrays; see `Backend.compile_sweep`."""

        def make() -> Any:
            step = self.test(layout) if kind == "test" else self.predict(layout.inputs)
            return discovery.active().compile_sweep(step)

        return self._get(("sweep", kind, layout, K.backend()), make, None)

    def pace(self, key: Any, engine: Any, chains: Callable[[], bool]) -> Pace:
        """The pace at which such steps ran before; `chains` says of new ones whether several may run at once."""
        found = self._paces.get(key)
        if found is None:
            if len(self._paces) >= 256:  # ever new data sizes: forget the old ones rather than grow
                self._paces.clear()
            found = self._paces[key] = Pace(engine, chains())
        return found

    def _get(self, key: Any, make: Callable[[], Any], donate: tuple[int, ...] | None) -> Any:
        key = (key, K.learning_phase())  # a fixed phase makes another function
        found = self._compiled.get(key)
        if found is None:
            function = make()
            found = function if donate is None else K.compile(self._following(function), donate=donate)
            self._compiled[key] = found
        return found

    def _following(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, run in the dialect in which the model was compiled."""
        if self.dialect is None:
            return function

        def follow(*args: Any) -> Any:
            with config.dialect(self.dialect):  # type: ignore[arg-type]
                return function(*args)

        return follow

    # The functions -----------------------------------------------------------------------------------

    def _train(self, layout: Layout, report: bool, single: bool) -> Step:
        variables, trainable, others = self.variables, self.trainable, self.others
        place = {variable: index for index, variable in enumerate(variables)}
        counter = place.get(getattr(self.optimizer, "iterations", None))
        inner = [*trainable, *others]
        training = _phase(True)

        def train(state: State, batch: list[Any]) -> tuple[State, Any]:
            xs, ys, weights = layout.split(batch)
            key = None if counter is None else state[counter]
            with K.phase(training), K.bind(variables, state, counter=key) as frame:
                if single:
                    self._reset()
                rest = [state[place[v]] for v in others]
                moved: list[Any] = []  # weights that a layer assigned while it ran; the optimizer starts from there

                def loss_of(params: list[Any]) -> Any:
                    with K.bind(inner, [*params, *rest]) as own:
                        result = self._forward(own, xs, ys, weights, training)
                        moved[:] = [v for v, p in zip(trainable, params) if own.values_of([v])[0] is not p]
                        return result[0], [*result[1:], own.values_of([*others, *moved])]

                params = [state[i] for i in range(len(trainable))]
                (total, aux), grads = K.value_and_grad(loss_of, params)
                parts, outputs, masks, weighted, after = aux
                for variable, value in zip([*others, *moved], after, strict=True):
                    variable.assign(value)
                self.optimizer.apply(trainable, grads)
                values = self._measure(total, parts, xs, ys, outputs, masks, weighted, report, single)
                return frame.values_of(variables), values

        return train

    def _test(self, layout: Layout, report: bool, single: bool) -> Any:
        constant, carried, training = self.constant, self.carried, _phase(False)
        variables = [*constant, *carried]

        def test(fixed: State, state: State, batch: list[Any]) -> tuple[State, Any]:
            xs, ys, weights = layout.split(batch)
            with K.phase(training), K.bind(variables, [*fixed, *state]) as frame:
                if single:
                    self._reset()
                total, *rest = self._forward(frame, xs, ys, weights, training)
                parts, outputs, masks, weighted = rest
                values = self._measure(total, parts, xs, ys, outputs, masks, weighted, report, single)
                return frame.values_of(carried), values if report else []

        return test

    def _predict(self) -> Any:
        constant, carried, training = self.constant, self.carried, _phase(False)
        variables = [*constant, *carried]

        def predict(fixed: State, state: State, batch: list[Any]) -> tuple[State, list[Any]]:
            with K.phase(training), K.bind(variables, [*fixed, *state]) as frame:
                outputs = self._run(batch, training)[0]
                return frame.values_of(carried), outputs

        return predict

    # Their parts -------------------------------------------------------------------------------------

    def _run(self, xs: list[Any], training: Any) -> tuple[list[Any], list[Any]]:
        outputs, masks = self.model.run_with_masks(self.model.arranged(xs), bool(training), freezing=self.freezing)
        return flat(outputs), masks

    def _forward(self, frame: Any, xs: list[Any], ys: list[Any], weights: list[Any], training: Any) -> list[Any]:
        """Total loss, losses of the outputs, outputs with a loss, masks and weights for the metrics."""
        objective = self.objective
        outputs, masks = self._run(xs, training)
        weighted = objective.weights(weights, masks)
        chosen = [outputs[goal.output] for goal in objective.goals]
        masks = [None if masks[g.output] is None else K.cast(masks[g.output], K.floatx()) for g in objective.goals]
        extra = [*self.model.regularization_losses(), *frame.losses]
        total, parts = objective.loss(ys, chosen, weighted, extra)
        return [total, parts, chosen, masks, weighted]

    def _measure(
        self,
        total: Any,
        parts: list[Any],
        xs: list[Any],
        ys: list[Any],
        outputs: list[Any],
        masks: list[Any],
        weighted: list[Any],
        report: bool,
        single: bool,
    ) -> Any:
        objective = self.objective
        objective.measure(ys, outputs, masks, weighted)
        if not single:
            objective.accumulate(_samples(xs, outputs), total, parts)
        if not report:
            return objective.totals[0].read()
        return [*objective.values(total, parts), *(metric.result() for metric in self.layer_metrics)]

    def _reset(self) -> None:
        self.objective.reset()
        for metric in self.layer_metrics:
            metric.reset_states()

    def reset(self) -> None:
        """Start all means anew."""
        self._reset()

    def results(self) -> list[float]:
        """The means since the last reset, in the order of `names`, read from the engine."""
        read = self._get(("results",), self._results, ())
        return K.to_numpy(read([v.value for v in self.measures])).tolist()

    def _results(self) -> Callable[[State], Any]:
        objective, measures, layer_metrics = self.objective, self.measures, self.layer_metrics

        def results(state: State) -> Any:
            with K.bind(measures, state):
                means = [*objective.results(), *(metric.result() for metric in layer_metrics)]
                return K.stack([K.cast(value, K.floatx()) for value in means])

        return results


def flat(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in flat(item)]
    return [structure]


def _phase(default: bool) -> bool:
    """The learning phase of a step: what the user fixed with `K.set_learning_phase`, else `default`."""
    fixed = K.learning_phase()
    return default if K.is_symbolic(fixed) else bool(fixed)


def _samples(xs: list[Any], outputs: list[Any]) -> Any:
    first = (xs or outputs)[0]
    size = K.int_shape(first)[0]
    return float(size) if size is not None else K.cast(K.shape(first)[0], K.floatx())


def _layer_metrics(model: Any, objective: Objective | None) -> list[Any]:
    compiled = set(map(id, objective.metrics)) if objective is not None else set()
    return [metric for metric in model.layer_metrics() if id(metric) not in compiled]


def _carried(model: Any, layer_metrics: list[Any], objective: Objective | None) -> list[Any]:
    """What testing and predicting change: states of layers, and the means."""
    measures = objective.variables() if objective is not None else []
    return _unique([*model.state_variables, *(v for m in layer_metrics for v in m.weights), *measures])


def _unique(variables: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(variables))
