"""The losses and metrics of a compiled model, one entry for each output, resolved once.

Everything here is algebra on K over whatever tensors it is given. The means over an epoch are kept in variables, so
that nothing is read from the engine while it trains.

Source: Keras 2.3.1, `keras/engine/training.py` and `training_utils.py`. A weighted loss is divided by the number of its
elements, weightless ones included; a masked one by the number of those that the mask keeps, as in tf.keras and Keras
3.15, `keras/src/losses/loss.py`, `apply_mask`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front import conventions
from keras_front import losses as loss_functions
from keras_front import metrics as metric_functions
from keras_front.backend import dtypes, symbolic
from keras_front.backend.ops.replicas import averaged, of_whole_batch
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.losses.weights import check_scores
from keras_front.metrics.stateless import StatelessMetric
from keras_front.training.data.arrays import by_name, per_output

SPARSE = "sparse_categorical_crossentropy"

# The losses of Keras that compare targets and predictions element by element, so that their shapes must be equal.
ELEMENTWISE = frozenset(
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error "
    "squared_hinge hinge categorical_hinge logcosh huber_loss categorical_crossentropy binary_crossentropy "
    "kullback_leibler_divergence poisson cosine_proximity cosine_similarity".split()
)


class OutputLoss(NamedTuple):
    """The loss of one output of a model.

    Attributes:
        name: the output's name.
        output: its number among the outputs of the network.
        loss: a function of (targets, predictions), or a `Loss`.
        weight: the factor of this loss in the total.
        kind: the loss's own name, such as 'mean_squared_error'.
        target: a tensor given to `compile` as the target; None: the targets come with the data.
        fed: whether the targets come with the data; a placeholder given as `target` then stands for them.
    """

    name: str
    output: int
    loss: Any
    weight: float
    kind: str
    target: Any = None
    fed: bool = True

    def __call__(self, y_true: Any, y_pred: Any, weight: Any) -> Any:
        """The mean loss, a scalar; `weight` (or None) multiplies the losses of samples or of their elements."""
        with error_names(f"the loss {self.kind!r} of the output {self.name!r}", y_true, y_pred):
            if hasattr(self.loss, "reduction"):
                value = symbolic.in_this_step(self.loss(y_true, y_pred, sample_weight=weight))
                return of_whole_batch(K.mean(value) if K.ndim(value) else value, self.loss.reduction == "sum")
            scores = symbolic.in_this_step(self.loss(y_true, y_pred))
            check_scores(f"the loss {self.kind!r}", scores, y_pred)
            return K.mean(scores if weight is None else scores * aligned(weight, scores))


class OutputMetric(NamedTuple):
    """A metric of one output.

    Attributes:
        loss: number of the output among those that have a loss.
        metric: the metric object.
        weighted: whether sample and class weights count for it.
    """

    loss: int
    metric: Any
    weighted: bool

    def update(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Take a batch into account."""
        with error_names(f"the metric {self.metric.name!r}", y_true, y_pred):
            self.metric.update_state(y_true, y_pred, sample_weight=weight)


class LossTracker(StatelessMetric):
    """The mean of a loss over the samples of an epoch. It can be used as a metric that is updated with values.

    Args:
        name: what the mean is called, such as 'loss'.
    """

    def __init__(self, name: str):
        self.name = name
        self.total, self.count = (Variable(0.0, name=f"{name}/{part}", trainable=False) for part in ("total", "count"))

    @property
    def weights(self) -> list[Variable]:
        """The sum of the losses times samples, and the number of samples."""
        return [self.total, self.count]

    variables = weights

    def update_state(self, value: Any, sample_weight: Any = None) -> None:
        """Add the loss of a batch of `sample_weight` samples (by default 1)."""
        size = 1.0 if sample_weight is None else sample_weight
        value = K.convert(value)
        K.update_add(self.total, (K.mean(value) if K.ndim(value) else value) * size)
        K.update_add(self.count, size)

    def result(self) -> Any:
        """The mean since the last reset."""
        return self.total.read() / self.count.read()

    def reset_states(self) -> None:
        """Start the mean anew."""
        self.total.assign(0.0)
        self.count.assign(0.0)

    reset_state = reset_states


class LossesAndMetrics:
    """Losses and metrics of a compiled model.

    Args:
        output_names: names of the outputs.
        outputs: the outputs as symbols.
        loss, loss_weights, metrics, weighted_metrics, target_tensors: as given to `compile`.

    Attributes:
        losses: an `OutputLoss` for each output that has a loss.
        metrics: the metric objects.
        names: what the values of a step are called: 'loss', the outputs' losses if there are several, the metrics.

    Raises: ArgumentError for an unknown loss, metric or output.
    """

    def __init__(
        self,
        output_names: Sequence[str],
        outputs: Sequence[Any],
        loss: Any,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        inputs: Sequence[Any] = (),
    ):
        self.losses = losses_of(loss, loss_weights, output_names, target_tensors, inputs, outputs)
        self.several = len(output_names) > 1
        self.outputs = [outputs[item.output] for item in self.losses]
        self.output_metrics: list[OutputMetric] = []
        self.names = ["loss"]
        if self.several:
            self.names += [f"{item.name}_loss" for item in self.losses]
        self.trackers = [LossTracker(name) for name in self.names]
        self._add_metrics(metrics, weighted_metrics, list(output_names))

    def _add_metrics(self, metrics: Any, weighted_metrics: Any, names: list[str]) -> None:
        plain = nested(metrics, names, "metrics")
        weighted = nested(weighted_metrics, names, "weighted_metrics")
        for place, item in enumerate(self.losses):
            for given, is_weighted in ((plain, False), (weighted, True)):
                for metric in given[item.output]:
                    self._add_metric(metric, place, is_weighted)

    def _add_metric(self, metric: Any, place: int, weighted: bool) -> None:
        item = self.losses[place]
        made = metric_of(metric, self.outputs[place], item.kind)
        name = reported_name(metric, made, weighted)
        name = name if not self.several else f"{item.name}_{name}"
        made.name = _free_name(name, self.names)
        self.names.append(made.name)
        self.output_metrics.append(OutputMetric(place, made, weighted))

    @property
    def metrics(self) -> list[Any]:
        """The metric objects, in the order of their names."""
        return [item.metric for item in self.output_metrics]

    # In a step ---------------------------------------------------------------------------------------

    def targets(self, fed: Sequence[Any], values: dict[Any, Any]) -> list[Any]:
        """The targets of all losses, from those that came with the data.

        `values` learns what placeholders given as target tensors stand for.
        """
        found, rest = [], iter(fed)
        for item in self.losses:
            if item.fed:
                found.append(next(rest))
                if item.target is not None:
                    values[item.target] = found[-1]
            else:
                found.append(K.convert(symbolic.in_this_step(item.target)))
        return found

    def total(
        self,
        ys: Sequence[Any],
        outputs: Sequence[Any],
        weights: Sequence[Any],
        extra: Sequence[Any],
        share: float = 1.0,
    ) -> Any:
        """(what is minimised, the losses of the outputs).

        `outputs` and `weights` (None where there are none) are those of the outputs with a loss; the `extra` losses,
        penalties and what layers report, are added. `share` is that of these samples in the batch, over whose parts a
        mean is taken: a loss that is a sum is divided by it.
        Raises: ArgumentError if there is no loss at all.
        """
        ys, outputs, extra = list(map(wide, ys)), list(map(wide, outputs)), list(map(wide, extra))
        parts = [item(y, p, w) for item, y, p, w in zip(self.losses, ys, outputs, weights, strict=True)]
        if share != 1.0:
            sums = [getattr(item.loss, "reduction", None) == "sum" for item in self.losses]
            parts = [part / share if is_sum else part for part, is_sum in zip(parts, sums, strict=True)]
        total = None
        for item, part in zip(self.losses, parts, strict=True):
            term = part if item.weight == 1.0 else part * item.weight
            total = term if total is None else total + term
        for value in extra:
            value = K.sum(value) if K.ndim(value) else value
            total = value if total is None else total + value
        if total is None:
            raise ArgumentError(
                "There is nothing to minimise: expected a loss for at least one output, or losses from add_loss or "
                "regularizers. Pass `loss=` to compile."
            )
        return total, parts

    def weights(self, weights: Sequence[Any], masks: Sequence[Any]) -> list[Any]:
        """Sample weights times masks, for each output with a loss; None where there is neither."""
        masks = [masks[item.output] for item in self.losses]
        convention = conventions.current()
        if convention.weights_over_nonzero:
            weights = list(map(over_nonzero, weights))
        if convention.weights_over_nonzero or convention.masks_over_nonzero:
            sums = [getattr(item.loss, "reduction", None) == "sum" for item in self.losses]
            masks = [mask if is_sum else over_nonzero(mask) for mask, is_sum in zip(masks, sums, strict=True)]
        return [combined(w, mask) for w, mask in zip(weights, masks, strict=True)]

    def track(self, size: Any, total: Any, parts: Sequence[Any]) -> None:
        """Add a batch of `size` samples to the means of the losses."""
        for tracker, value in zip(self.trackers, [total, *parts], strict=False):
            tracker.update_state(value, size)

    def measure(self, ys: Sequence[Any], outputs: Sequence[Any], masks: Sequence[Any], weights: Sequence[Any]) -> None:
        """Feed the metrics: `masks` and `weights` (masks included) are those of `weights()`."""
        if conventions.current().weights_over_nonzero:
            masks = list(map(over_nonzero, masks))
        ys, outputs = list(map(wide, ys)), list(map(wide, outputs))
        for item in self.output_metrics:
            place = item.loss
            item.update(ys[place], outputs[place], (weights if item.weighted else masks)[place])

    def results(self) -> list[Any]:
        """The means since the last reset, in the order of `names`."""
        return [item.result() for item in (*self.trackers, *self.metrics)]

    def values(self, total: Any, parts: Sequence[Any]) -> list[Any]:
        """What one batch reports: its own losses, and the metrics as they are now."""
        return [total, *(parts if self.several else ()), *(metric.result() for metric in self.metrics)]

    def variables(self) -> list[Any]:
        """What carries the means from step to step."""
        return [v for item in (*self.trackers, *self.metrics) for v in item.weights]

    def reset_states(self) -> None:
        """Start the means anew."""
        for item in (*self.trackers, *self.metrics):
            item.reset_states()


@contextmanager
def error_names(what: str, y_true: Any = None, y_pred: Any = None) -> Iterator[None]:
    """A context whose errors say in a note which loss, metric or callback was running, and on what shapes."""
    try:
        yield
    except Exception as error:
        if not any(note.startswith("In ") for note in getattr(error, "__notes__", ())):
            shapes = [tuple(v.shape) for v in (y_true, y_pred) if hasattr(v, "shape")]
            on = f", called on targets and outputs of shapes {shapes[0]} and {shapes[1]}" if len(shapes) == 2 else ""
            error.add_note(f"In {what}{on}.")
        raise


def _free_name(name: str, taken: Sequence[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


# Weights and masks -----------------------------------------------------------------------------------


def wide(value: Any) -> Any:
    """A tensor as losses and metrics see it: floats of 16 bits in `floatx()`, which is wider."""
    return K.cast(value, K.floatx()) if hasattr(value, "dtype") and K.dtype(value) in dtypes.HALVES else value


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
    return weight / K.maximum(averaged(share), K.epsilon())


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


def losses_of(
    loss: Any,
    loss_weights: Any,
    names: Sequence[str],
    target_tensors: Any,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> list[OutputLoss]:
    """The losses of all outputs that have one.

    Args:
        loss, loss_weights, target_tensors: as given to `compile`.
        names: of the outputs.
        inputs: the symbolic inputs of the model; another placeholder given as a target stands for data.
        outputs: its symbolic outputs.

    Raises: ArgumentError for an unknown loss or output.
    """
    shared = not isinstance(loss, Mapping | list | tuple)
    given = [loss] * len(names) if shared else per_output(loss, names, "loss")
    factors = [_factor(name, w) for name, w in zip(names, _factors(loss_weights, names), strict=True)]
    if target_tensors is not None and isinstance(target_tensors, str | int | float | set):
        raise WrongKindError(f"target_tensors: expected tensors, one for each output, received {target_tensors!r}.")
    where = "target_tensors"
    named = isinstance(target_tensors, Mapping) and target_tensors
    targets = by_name(named, names, where) if named else per_output(target_tensors, names, where, arrays=True)
    found = []
    for index, (name, item, factor, target) in enumerate(zip(names, given, factors, targets, strict=True)):
        if item is not None:
            function = with_layer(_callable("loss", loss_functions.get(_no_class("loss", item))), outputs[index])
            waits = symbolic.is_symbolic(target) and target.is_placeholder and not any(target is t for t in inputs)
            found.append(
                OutputLoss(name, index, function, factor, name_of_loss(function), target, target is None or waits)
            )
    return found


def with_layer(function: Any, output: Any) -> Any:
    """A loss or metric; one that looks at `y_pred._keras_history` is given the output as the model's graph has it.

    Those of conditional random fields do, to compute with what their layer was called on. What they compute of tensors
    of the graph means the values of the step.

    Args:
        function: a function of targets and predictions, or an object that is called.
        output: the output as a symbol.
    """
    if not _names_history(function):
        return function

    @functools.wraps(function)
    def of_graph(y_true: Any, y_pred: Any) -> Any:
        return symbolic.in_this_step(function(y_true, output))

    return of_graph


def _names_history(function: Any) -> bool:
    called = getattr(function, "__func__", function)
    waiting = [getattr(called, "__code__", None)]
    while waiting:
        code = waiting.pop()
        if "_keras_history" in getattr(code, "co_names", ()):
            return True
        waiting += [part for part in getattr(code, "co_consts", ()) if isinstance(part, CodeType)]
    return False


def _factors(loss_weights: Any, names: Sequence[str]) -> list[Any]:
    if isinstance(loss_weights, Mapping):
        unknown = [key for key in loss_weights if key not in names]
        if unknown:
            raise ArgumentError(f"loss_weights: expected the output names {list(names)} as keys, received {unknown}.")
    return per_output(loss_weights, names, "loss_weights")


def _factor(name: str, value: Any) -> float:
    try:
        return 1.0 if value is None else float(value)
    except (TypeError, ValueError):
        raise WrongKindError(
            f"loss_weights: expected a number for the output {name!r}, received {value!r:.60}."
        ) from None


def _no_class(what: str, given: Any) -> Any:
    """What `compile` was given; a class in place of an object of it is told at once."""
    if isinstance(given, type):
        raise WrongKindError(f"compile: {what}: received the class {given.__name__}. Write {given.__name__}().")
    return given


def _callable(what: str, function: Any) -> Any:
    """A function that takes targets and outputs.

    Raises: WrongKindError for one that cannot.
    """
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise WrongKindError(
            f"compile: expected the {what} to be a function of (y_true, y_pred), received {function!r:.80}."
        ) from None
    except ValueError:  # a builtin without a signature
        pass
    return function


def name_of_loss(function: Any) -> str:
    """The name of a loss function; for a Loss, of the function that it wraps."""
    inner = getattr(function, "fn", None) or function
    name = getattr(inner, "__name__", None) or type(inner).__name__
    return _snake(name)


def _snake(name: str) -> str:
    if name == name.lower():
        return name
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def target_shape(item: OutputLoss, output_shape: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
    """The shape that targets must have for this loss; None: anything (the user's own function)."""
    if item.kind == SPARSE:
        return (*output_shape[:-1], 1)
    return tuple(output_shape) if item.kind in ELEMENTWISE else None


def class_count(item: OutputLoss, output_shape: tuple[int | None, ...]) -> int | None:
    """How many classes the targets of an output have; None where the loss does not say or ignores a number."""
    if getattr(item.loss, "ignore_class", None) is not None:
        return None
    if not output_shape or item.kind not in (SPARSE, "categorical_crossentropy", "binary_crossentropy"):
        return None
    return 2 if output_shape[-1] == 1 and item.kind == "binary_crossentropy" else output_shape[-1]


# Metrics ---------------------------------------------------------------------------------------------


def check_names(losses: Any, *metrics: Any) -> None:
    """Look up the names of losses and metrics, which is all that can be done before there are outputs.

    Args:
        losses: as given to `compile`.
        metrics: likewise, each.

    Raises: UnknownNameError for a name that is none.
    """
    for name in _texts(losses):
        loss_functions.get(name)
    for name in _texts(metrics):
        if name not in _GENERAL:
            metric_functions.get(name)


def _texts(given: Any) -> list[str]:
    """The texts in what `compile` was given, in lists and dicts by outputs; a config is none of these."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, Mapping):
        given = () if "class_name" in given else given.values()
    return [text for item in given for text in _texts(item)] if isinstance(given, Iterable) else []


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
    raise WrongKindError(
        f"{what}: expected a list of metrics or a dict by output names, received {metrics!r}. For a single one write "
        f"{what}=[{metrics!r}]."
    )


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


def metric_of(metric: Any, output: Any, loss_kind: str) -> Any:
    """A metric object for a name, a function or an object; it keeps the name that the user gave.

    'accuracy' and 'crossentropy' (or 'acc', 'ce') become the binary, sparse or categorical one that goes
    with the output's shape and its loss. `output` is the output as a symbol.
    """
    if hasattr(metric, "update_state") and not isinstance(metric, type):
        return metric
    if getattr(metric, "stateful", False) and hasattr(metric, "reset_states") and not isinstance(metric, type):
        return StatefulFunction(metric)
    name = metric if isinstance(metric, str) else None
    found: Any = metric_functions.get(_specific(metric, tuple(output.shape), loss_kind))
    if hasattr(found, "update_state"):
        found.name = name or found.name
        return found
    name, found = name or getattr(found, "__name__", type(found).__name__), _callable("metric", found)
    found = with_layer(found, output)
    by_element = conventions.current().weights_over_nonzero
    return (metric_functions.MeanOverElements if by_element else metric_functions.MeanMetricWrapper)(found, name=name)


def reported_name(given: Any, metric: Any, weighted: bool) -> str:
    """What a metric is called in logs.

    Args:
        given: what `compile` was given.
        metric: the object that was made of it.
        weighted: whether it was given among `weighted_metrics`.
    """
    convention, name = conventions.current(), metric.name
    names = convention.metric_names
    if names is not None and isinstance(given, str):
        function = getattr(metric, "fn", None)
        name = names.get(given) or (name_of_loss(function) if function is not None else name)
    return f"{convention.weighted_metric_prefix}{name}" if weighted else name


class StatefulFunction(metric_functions.Metric):
    """A metric in the form of Keras 2.2, which keeps its value in variables of its own.

    That is an object with `stateful = True` and `reset_states`; called on (y_true, y_pred) it returns its value so far.

    Args:
        function: that object.
    """

    def __init__(self, function: Any):
        super().__init__(getattr(function, "name", None) or type(function).__name__)
        self.function = function
        self.value = self.add_weight("value")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Call the object; weights do not count, as in Keras 2.2."""
        value = K.cast(K.convert(self.function(y_true, y_pred)), self.dtype)
        self.value.assign(K.mean(value) if K.ndim(value) else value)

    def result(self) -> Any:
        """The value that it gave last."""
        return self.value * 1.0

    def reset_states(self) -> None:
        """Reset the object."""
        self.function.reset_states()
        super().reset_states()


_GENERAL = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}


def _specific(metric: Any, output_shape: tuple[int | None, ...], loss_kind: str) -> Any:
    general = _GENERAL.get(metric) if isinstance(metric, str) else None
    if general is None:
        return metric
    if (output_shape and output_shape[-1] == 1) or loss_kind == "binary_crossentropy":
        return f"binary_{general}"
    return f"sparse_categorical_{general}" if loss_kind == SPARSE else f"categorical_{general}"
