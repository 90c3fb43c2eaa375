"""What is minimised and what is measured: losses and metrics of a model's outputs, resolved once by
`compile`.

Everything here is algebra on K over whatever tensors it is given. The means over an epoch are kept in
variables, so that nothing is read from the engine while it trains.

Source: Keras 2.3.1, `keras/engine/training.py` and `training_utils.py`. A weighted loss is divided by the
number of its elements, masked and weightless ones included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front import conventions
from keras_front import losses as loss_functions
from keras_front import metrics as metric_functions
from keras_front.errors import ArgumentError, ShapeError
from keras_front.training.weighting import per_output

SPARSE = "sparse_categorical_crossentropy"

# The losses of Keras that compare targets and predictions element by element, so that their shapes must be equal.
ELEMENTWISE = frozenset(
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error "
    "squared_hinge hinge categorical_hinge logcosh huber_loss categorical_crossentropy binary_crossentropy "
    "kullback_leibler_divergence poisson cosine_proximity cosine_similarity".split()
)


class Goal(NamedTuple):
    """The loss of one output."""

    name: str  # of the output
    output: int  # its number among the network's
    loss: Any  # a function of (targets, predictions), or a Loss
    weight: float
    kind: str  # the loss's own name, such as 'mean_squared_error'

    def __call__(self, y: Any, prediction: Any, weight: Any) -> Any:
        """The mean loss, a scalar."""
        if hasattr(self.loss, "reduction"):
            value = self.loss(y, prediction, sample_weight=weight)
            return K.mean(value) if K.ndim(value) else value
        scores = self.loss(y, prediction)
        return K.mean(scores if weight is None else scores * aligned(weight, scores))


class Gauge(NamedTuple):
    """A metric of one output."""

    goal: int  # number of the output among those with a loss
    metric: Any
    weighted: bool


class Objective:
    """Losses and metrics of a compiled model.

    Attributes: `goals`, one for each output that has a loss; `metrics`, the metric objects; `names`, what the
    values of a step are called: 'loss', the outputs' losses if there are several, then the metrics.
    """

    def __init__(
        self,
        output_names: Sequence[str],
        output_shapes: Sequence[tuple[int | None, ...]],
        loss: Any,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
    ):
        self.goals = goals_of(loss, loss_weights, output_names)
        self.several = len(output_names) > 1
        self.shapes = [output_shapes[goal.output] for goal in self.goals]
        self.gauges: list[Gauge] = []
        self.names = ["loss"]
        if self.several:
            self.names += [f"{goal.name}_loss" for goal in self.goals]
        self._add_gauges(metrics, weighted_metrics, list(output_names))
        self.count = _zero("count")
        self.totals = [_zero(name) for name in self.names[: len(self.names) - len(self.gauges)]]

    def _add_gauges(self, metrics: Any, weighted_metrics: Any, names: list[str]) -> None:
        plain = nested(metrics, names, "metrics")
        weighted = nested(weighted_metrics, names, "weighted_metrics")
        for place, goal in enumerate(self.goals):
            for given, is_weighted in ((plain, False), (weighted, True)):
                for metric in given[goal.output]:
                    self._add_gauge(metric, place, is_weighted)

    def _add_gauge(self, metric: Any, place: int, weighted: bool) -> None:
        goal = self.goals[place]
        made = metric_of(metric, self.shapes[place], goal.kind)
        name = reported_name(metric, made, weighted)
        name = name if not self.several else f"{goal.name}_{name}"
        made.name = _unique(name, self.names)
        self.names.append(made.name)
        self.gauges.append(Gauge(place, made, weighted))

    @property
    def metrics(self) -> list[Any]:
        return [gauge.metric for gauge in self.gauges]

    # In a step ---------------------------------------------------------------------------------------

    def loss(self, ys: Sequence[Any], outputs: Sequence[Any], weights: Sequence[Any], extra: Sequence[Any]) -> Any:
        """(total, the losses of the outputs): what is minimised, with the `extra` losses added."""
        parts = [goal(y, p, w) for goal, y, p, w in zip(self.goals, ys, outputs, weights, strict=True)]
        total = None
        for goal, part in zip(self.goals, parts, strict=True):
            term = part if goal.weight == 1.0 else part * goal.weight
            total = term if total is None else total + term
        for value in extra:
            value = K.sum(value) if K.ndim(value) else value
            total = value if total is None else total + value
        if total is None:
            raise ArgumentError(
                "There is nothing to minimise: expected a loss for at least one output, or losses from "
                "add_loss "
                "or regularizers. Pass `loss=` to compile."
            )
        return total, parts

    def weights(self, weights: Sequence[Any], masks: Sequence[Any]) -> list[Any]:
        """Sample weights times masks, for each output with a loss; None where there is neither."""
        masks = [masks[goal.output] for goal in self.goals]
        if conventions.current().weights_over_nonzero:
            weights, masks = map(over_nonzero, weights), map(over_nonzero, masks)
        return [combined(w, mask) for w, mask in zip(weights, masks, strict=True)]

    def accumulate(self, size: Any, total: Any, parts: Sequence[Any]) -> None:
        """Add a batch of `size` samples to the means of the losses."""
        K.update_add(self.count, size)
        values = [total, *parts] if self.several else [total]
        for variable, value in zip(self.totals, values, strict=True):
            K.update_add(variable, value * size)

    def measure(self, ys: Sequence[Any], outputs: Sequence[Any], masks: Sequence[Any], weights: Sequence[Any]) -> None:
        """Feed the metrics: `masks` and `weights` (masks included) are those of `weights()`."""
        if conventions.current().weights_over_nonzero:
            masks = list(map(over_nonzero, masks))
        for place, metric, weighted in self.gauges:
            metric.update_state(ys[place], outputs[place], sample_weight=(weights if weighted else masks)[place])

    def results(self) -> list[Any]:
        """The means since the last reset, in the order of `names`."""
        means = [variable / self.count for variable in self.totals]
        return means + [metric.result() for metric in self.metrics]

    def values(self, total: Any, parts: Sequence[Any]) -> list[Any]:
        """What one batch reports: its own losses, and the metrics as they are now."""
        return [total, *(parts if self.several else ()), *(metric.result() for metric in self.metrics)]

    def variables(self) -> list[Any]:
        """What carries the means from step to step."""
        return [self.count, *self.totals, *(v for metric in self.metrics for v in metric.weights)]

    def reset(self) -> None:
        """Start the means anew."""
        for variable in (self.count, *self.totals):
            variable.assign(0.0)
        for metric in self.metrics:
            metric.reset_states()


def _zero(name: str) -> Any:
    return K.Variable(0.0, name=name, trainable=False)


def _unique(name: str, taken: Sequence[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


# Weights and masks -----------------------------------------------------------------------------------


def combined(weight: Any, mask: Any) -> Any:
    """Sample weights times mask; either may be None."""
    if mask is None:
        return weight
    mask = K.cast(mask, K.floatx())
    return mask if weight is None else mask * aligned(weight, mask)


def over_nonzero(weight: Any) -> Any:
    """Weights or a mask divided by the share that is not 0, so that the mean is one over what counts; None stays."""
    if weight is None:
        return None
    weight = K.cast(weight, K.floatx())
    share = K.mean(K.cast(K.not_equal(weight, 0.0), K.floatx()))
    return weight / K.maximum(share, K.epsilon())


def aligned(weight: Any, values: Any) -> Any:
    """`weight` with axes added behind, so that it multiplies `values` sample by sample."""
    while K.ndim(weight) < K.ndim(values):
        weight = K.expand_dims(weight, -1)
    extra = K.ndim(weight) - K.ndim(values)
    if extra == 1 and K.int_shape(weight)[-1] == 1:
        return K.squeeze(weight, -1)
    if extra and K.ndim(values):
        raise ShapeError(
            f"Sample weights or a mask of shape {K.int_shape(weight)} met losses of shape "
            f"{K.int_shape(values)}; "
            "expected a weight for each loss. A layer that reduces the time axis should not pass its mask on."
        )
    return weight


# Losses ----------------------------------------------------------------------------------------------


def goals_of(loss: Any, loss_weights: Any, names: Sequence[str]) -> list[Goal]:
    """The goals of all outputs that have a loss.

    Raises: ArgumentError for an unknown loss or output.
    """
    shared = not isinstance(loss, Mapping | list | tuple)
    given = [loss] * len(names) if shared else per_output(loss, names, "loss")
    factors = [1.0 if w is None else float(w) for w in per_output(loss_weights, names, "loss_weights")]
    found = []
    for index, (name, item, factor) in enumerate(zip(names, given, factors, strict=True)):
        if item is not None:
            function = loss_functions.get(item)
            found.append(Goal(name, index, function, factor, name_of_loss(function)))
    return found


def name_of_loss(function: Any) -> str:
    """The name of a loss function; for a Loss, of the function that it wraps."""
    inner = getattr(function, "fn", None) or function
    name = getattr(inner, "__name__", None) or type(inner).__name__
    return _snake(name)


def _snake(name: str) -> str:
    if name == name.lower():
        return name
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def target_shape(goal: Goal, output_shape: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
    """The shape that targets must have for this loss; None: anything (the user's own function)."""
    if goal.kind == SPARSE:
        return (*output_shape[:-1], 1)
    return tuple(output_shape) if goal.kind in ELEMENTWISE else None


# Metrics ---------------------------------------------------------------------------------------------


def nested(metrics: Any, names: list[str], what: str) -> list[list[Any]]:
    """A list of metrics for each output.

    A flat list counts for every output; metric objects are copied then, because each has a state of its own.
    Raises: ArgumentError for unknown output names or a wrong number of lists.
    """
    if not metrics:
        return [[] for _ in names]
    if isinstance(metrics, list | tuple) and not any(isinstance(m, list | tuple) for m in metrics):
        return [list(metrics), *([_copied(m) for m in metrics] for _ in names[1:])]
    if isinstance(metrics, Mapping) or isinstance(metrics, list | tuple):
        given = _by_output(metrics, names, what)
        return [[] if m is None else list(m) if isinstance(m, list | tuple) else [m] for m in given]
    raise ArgumentError(f"{what}: expected a list of metrics or a dict by output names, received {metrics!r}.")


def _by_output(metrics: Any, names: list[str], what: str) -> list[Any]:
    if isinstance(metrics, Mapping):
        unknown = [key for key in metrics if key not in names]
        if unknown:
            raise ArgumentError(f"{what}: expected the output names {names} as keys, received also {unknown}.")
        return [metrics.get(name) for name in names]
    if len(metrics) != len(names):
        raise ArgumentError(f"{what}: expected {len(names)} lists, for the outputs {names}, received {len(metrics)}.")
    return list(metrics)


def _copied(metric: Any) -> Any:
    if hasattr(metric, "update_state") and hasattr(metric, "get_config"):
        return type(metric).from_config(metric.get_config())
    return metric


def metric_of(metric: Any, output_shape: tuple[int | None, ...], loss_kind: str) -> Any:
    """A metric object for a name, a function or an object; it keeps the name that the user gave.

    'accuracy' and 'crossentropy' (or 'acc', 'ce') become the binary, sparse or categorical one that goes
    with the output's shape and its loss.
    """
    if hasattr(metric, "update_state") and not isinstance(metric, type):
        return metric
    name = metric if isinstance(metric, str) else None
    found = metric_functions.get(_specific(metric, output_shape, loss_kind))
    if hasattr(found, "update_state"):
        found.name = name or found.name
        return found
    name = name or getattr(found, "__name__", type(found).__name__)
    by_element = conventions.current().weights_over_nonzero
    return (metric_functions.MeanOverElements if by_element else metric_functions.MeanMetricWrapper)(found, name=name)


def reported_name(given: Any, metric: Any, weighted: bool) -> str:
    """What a metric is called in logs.

    Args:
        given: what `compile` was given.
        metric: the object that was made of it.
        weighted: whether it was given among `weighted_metrics`.
    """
    names, prefix = conventions.current()[-2:]
    name = metric.name
    if names is not None and isinstance(given, str):
        function = getattr(metric, "fn", None)
        name = names.get(given) or (name_of_loss(function) if function is not None else name)
    return f"{prefix}{name}" if weighted else name


_GENERAL = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}


def _specific(metric: Any, output_shape: tuple[int | None, ...], loss_kind: str) -> Any:
    general = _GENERAL.get(metric) if isinstance(metric, str) else None
    if general is None:
        return metric
    if (output_shape and output_shape[-1] == 1) or loss_kind == "binary_crossentropy":
        return f"binary_{general}"
    return f"sparse_categorical_{general}" if loss_kind == SPARSE else f"categorical_{general}"
