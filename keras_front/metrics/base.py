"""What a metric is: variables, an update, a result.

An update is written in K alone and never branches on a value, so that the trainer can take it into its
compiled step, where the variables live in a frame. Outside of a step the same code runs on real tensors.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import initializers
from keras_front.arguments import Scalars
from keras_front.backend import dtypes
from keras_front.backend.eager_tensors import answered
from keras_front.backend.ops.replicas import part_of_batch
from keras_front.backend.state import Variable, current_frame, eager
from keras_front.errors import ArgumentError, SetByConstructor
from keras_front.failures import explains_failures
from keras_front.losses import as_pair, same_rank, spread_weights
from keras_front.losses.weights import check_scores, tensor_of
from keras_front.metrics.results import remember
from keras_front.metrics.stateless import StatelessMetric
from keras_front.registry import Configurable, Registry, name_of, plain

METRICS = Registry("metric", also=("loss",))


def ratio(x: Any, y: Any) -> Any:
    """`x / y`, and 0 where `y` is 0."""
    empty = K.cast(K.equal(y, 0.0), K.dtype(y))
    return x * (1.0 - empty) / (y + empty)


class Metric(StatelessMetric, Configurable):
    """Base class: `update_state` takes a batch in, `result` is the value so far, `reset_states` starts anew.

    Calling a metric updates it and returns the result. Outside of a model it computes at once with arrays and tensors;
    on symbols its updates are recorded in `updates`, for `K.function`.

    Args:
        name: shown in logs; by default the class's name in lower case.
        dtype: of the variables; `K.floatx()` by default.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> class Count(Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.seen = self.add_weight("seen")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.seen.assign(self.seen + K.int_shape(y_pred)[0])
        ...     def result(self):
        ...         return self.seen * 1.0
        >>> count = Count()
        >>> count.update_state([0.0, 1.0], K.constant([0.0, 1.0]))
        >>> float(count.result())
        2.0
    """

    name: Any = SetByConstructor()
    dtype: Any = SetByConstructor()
    stateful = True
    trainable = False
    _variables: list[Variable]
    updates: list[tuple[Variable, Any]]  # of the latest update on symbols

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in cls.__dict__:
            cls.update_state = _recording(_on_real_tensors(cls.__dict__["update_state"]))  # type: ignore[method-assign]
        if "result" in cls.__dict__:
            cls.result = _on_real_tensors(cls.__dict__["result"])  # type: ignore[method-assign]
        if "reset_state" in cls.__dict__ and "reset_states" not in cls.__dict__:
            setattr(cls, "reset_states", cls.__dict__["reset_state"])  # noqa: B010 - mypy takes no assignment

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        metric = super().__new__(cls)
        metric._variables = []
        metric.updates = []
        return metric

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any):
        if kwargs.keys() - {"dynamic", "trainable"}:
            raise ArgumentError(f"{type(self).__name__}: expected other arguments, received {', '.join(kwargs)}.")
        self.name = name or _unique_name(type(self).__name__)
        self.dtype = dtypes.canonical(dtype)

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """A new variable of the metric, which `reset_states` sets to 0.

        Args:
            name: what it is called.
            shape: its shape; () for a number.
            initializer: its first values.
            dtype: by default that of the metric.
            kwargs: accepted because Keras has more; nothing is done with them.
        """
        dtype = self.dtype if dtype is None else dtype
        value = initializers.get(initializer or "zeros")(tuple(shape), dtype=dtype)
        variable = Variable(value, dtype=dtype, name=f"{name}:0", trainable=False)
        variable.autocast = False
        self._variables.append(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """The metric's variables: of `add_weight`, among its attributes, and of metrics among its attributes."""
        held = [value for value in self.__dict__.values() if isinstance(value, Variable)]
        inner = [v for metric in self._inner() for v in metric.variables]
        return list(dict.fromkeys([*self._variables, *held, *inner]))

    def _inner(self) -> list[Metric]:
        return [value for value in self.__dict__.values() if isinstance(value, Metric)]

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables`."""
        return self.variables

    non_trainable_weights = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """None: a metric does not learn."""
        return []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not _symbols_outside(args, kwargs):
            self.update_state(*args, **kwargs)
            return remember(self.result(), self, args)
        with _recorded_updates(self, args, kwargs):
            self.update_state(*args, **kwargs)
            return remember(self.result(), self, args)

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables whose shape follows from what `update_state` is given; nothing by default.

        Args:
            args: as for `update_state`.
            kwargs: the same by name.
        """

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch into account: assigns variables and returns nothing.

        Args:
            args: targets and outputs, or values; and `sample_weight`.
            kwargs: the same by name.

        Returns: on symbols outside of a step the pairs (variable, new value) for `updates=` of `K.function`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update_state.")

    def result(self) -> Any:
        """The value so far, as a tensor."""
        raise NotImplementedError(f"{type(self).__name__} has no result.")

    def reset_states(self) -> None:
        """Forget all batches: every variable of `add_weight` becomes 0, here and in metrics among the attributes."""
        inside = current_frame() is not None
        for metric in self._inner():
            metric.reset_states()
        for variable in self._variables:
            host = np.zeros(variable.shape, initializers.host_dtype(variable.dtype))
            variable.assign(K.zeros_like(variable) if inside else host)

    def reset_state(self) -> None:
        """The same as `reset_states`."""
        self.reset_states()

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as far as they are stored under their own names."""
        names = self.constructor_arguments()
        return {name: plain(getattr(self, name)) for name in names if hasattr(self, name)}


def _on_real_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, run so that variables alone give numbers too, not only symbols."""

    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        with eager():
            found = method(*args, **kwargs)
        return answered(found)

    return run


def _recording(update: Callable[..., Any]) -> Callable[..., Any]:
    """An `update_state` which, for symbols outside of any step, records updates for `K.function`."""

    @functools.wraps(update)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _symbols_outside(args, kwargs):
            return update(self, *args, **kwargs)
        with _recorded_updates(self, args, kwargs):
            update(self, *args, **kwargs)
        return self.updates

    return run


def _symbols_outside(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return current_frame() is None and any(K.is_symbolic(value) for value in [*args, *kwargs.values()])


@contextmanager
def _recorded_updates(metric: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[None]:
    """A block in which the metric's variables are symbols; their new values become its `updates`."""
    metric.build(*args, **kwargs)
    variables = metric.variables
    with K.bind(variables, [v.symbol for v in variables]) as frame:
        yield
        metric.updates = list(zip(variables, frame.values_of(variables), strict=True))


def _unique_name(class_name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    number = K.get_uid(snake)
    return snake if number == 1 else f"{snake}_{number - 1}"


# Sums and means -----------------------------------------------------------------------------------


class Reduce(Metric):
    """Base of sums and means of values.

    Args:
        reduction: 'sum' of the values times their weights; 'sum_over_batch_size', the mean of these; or
            'weighted_mean', which divides by the sum of the weights.
        name: what it is called in logs.
        dtype: of the value; floatx by default.

    Shape: values (n, ...); sample_weight (n,), or as values.
    Raises: ArgumentError for another reduction.
    Source: Keras 2.3.1, `keras/metrics.py`.

    Example:
        >>> total = Reduce("sum", name="total")
        >>> total.update_state([1.0, 2.0])
        >>> float(total.result())
        3.0
    """

    REDUCTIONS = ("sum", "sum_over_batch_size", "weighted_mean")

    def __init__(self, reduction: str, name: str | None, dtype: Any = None):
        super().__init__(name, dtype)
        if reduction not in self.REDUCTIONS:
            raise ArgumentError(f"{name}: expected a reduction among {self.REDUCTIONS}, received {reduction!r}.")
        self.reduction = reduction
        self.total = self.add_weight("total")
        if reduction != "sum":
            self.count = self.add_weight("count")

    def weighted(self, values: Any, sample_weight: Any) -> tuple[Any, Any]:
        """Values times weights, and the weight of each value.

        Args:
            values: numbers of any shape.
            sample_weight: a number, (n,), or as `values`; None for 1.
        """
        values = K.cast(tensor_of(values, "values"), self.dtype)
        ones = K.ones_like(values)
        if sample_weight is None:
            return values, ones
        weights = spread_weights(sample_weight, values) * ones
        return values * weights, weights

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, times their weights.

        Args:
            values: numbers of any shape.
            sample_weight: a number, (n,), or as `values`; None for 1.
        """
        alone = sample_weight is None
        values, weights = self.weighted(values, sample_weight)
        counted = weights if self.reduction == "weighted_mean" else K.ones_like(values)
        if alone and not K.ndim(values):  # a number for a batch, of which each process that shares it has a part
            values, counted = part_of_batch(values), part_of_batch(counted)
        self.total.assign(self.total + K.sum(values))
        if self.reduction != "sum":
            self.count.assign(self.count + K.sum(counted))

    def result(self) -> Any:
        """The sum or mean so far; a mean is 0 before the first value."""
        return self.total * 1.0 if self.reduction == "sum" else ratio(self.total, self.count)


@METRICS.register()
class Sum(Reduce):
    """Sum of values, each times its weight.

    Example:
        >>> float(Sum()([1.0, 2.0], sample_weight=[1.0, 3.0]))
        7.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__("sum", name, dtype)


@METRICS.register()
class Mean(Reduce):
    """Mean of values, each as often as its weight says.

    Example:
        >>> float(Mean()([1.0, 3.0], sample_weight=[3.0, 1.0]))
        1.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__("weighted_mean", name, dtype)


@METRICS.register()
class MeanTensor(Metric):
    """Mean of tensors of one shape, element by element.

    Args:
        shape: of the tensors; by default that of the first one, which then must be met outside of a model.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> mean = MeanTensor()
        >>> mean.update_state([1.0, 2.0])
        >>> mean([3.0, 4.0]).tolist()
        [2.0, 3.0]
    """

    @explains_failures
    def __init__(self, name: str | None = "mean_tensor", dtype: Any = None, shape: Sequence[int] | None = None):
        super().__init__(name, dtype)
        self.shape = shape
        if shape is not None:
            self._build(tuple(shape))

    def _build(self, shape: tuple[int, ...]) -> None:
        self.total = self.add_weight("total", shape)
        self.count = self.add_weight("count", shape)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add a tensor.

        Args:
            values: a tensor of the metric's shape.
            sample_weight: a number, one for each place of the first axis, or as `values`; None for 1.
        """
        values = K.cast(tensor_of(values, "values"), self.dtype)
        if not self._variables:
            self._build(tuple(K.int_shape(values)))
        weights = K.ones_like(values)
        if sample_weight is not None:
            weights = weights * spread_weights(sample_weight, values)
        self.total.assign(self.total + values * weights)
        self.count.assign(self.count + weights)

    def result(self) -> Any:
        """The mean so far."""
        return ratio(self.total, self.count)


@METRICS.register()
class MeanMetricWrapper(Mean):
    """Mean over samples of what a function says about targets and outputs.

    Args:
        fn: called as `fn(y_true, y_pred, **kwargs)`, it returns values for samples, or its name.
        kwargs: further arguments for it.

    Shape: targets and outputs (n, ...); sample_weight (n,) or as the function's values.
    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(MeanMetricWrapper("mae")([[0.0], [0.0]], [[1.0], [3.0]]))
        2.0
    """

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any):
        if not callable(fn) and not isinstance(fn, str | dict):
            raise ArgumentError(f"{type(self).__name__}: expected fn to be a function or its name, received {fn!r}.")
        fn = METRICS.get(fn)
        super().__init__(name or name_of(fn), dtype)
        self._fn, self._arguments = fn, kwargs

    @property
    def fn(self) -> Any:
        """The function."""
        return self._fn

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add the function's values for a batch.

        Args:
            y_true: targets: array, list, tensor or symbol.
            y_pred: outputs, likewise.
            sample_weight: weight of each sample; None for 1.
        """
        y_true, y_pred = same_rank(y_true, y_pred)
        values = self._fn(K.cast(y_true, self.dtype), K.cast(y_pred, self.dtype), **self._arguments)
        check_scores(f"the metric {self.name!r}", values, y_pred)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; the function only where the class does not imply it."""
        own = {"fn": name_of(self._fn)} if type(self) is MeanMetricWrapper else {}
        return {"name": self.name, "dtype": self.dtype, **own, **self._arguments}


class MeanOverElements(MeanMetricWrapper):
    """Mean of weighted values over the number of values, whatever the sum of their weights.

    Source: Keras 2.2.4, `keras/engine/training_utils.py`, `weighted_masked_objective`.
    Example:
        >>> metric = MeanOverElements(lambda y_true, y_pred: K.abs(y_true - y_pred))
        >>> float(metric([0.0, 0.0], [1.0, 1.0], sample_weight=[0.0, 1.0]))
        0.5
    """

    def weighted(self, values: Any, sample_weight: Any) -> tuple[Any, Any]:
        values, _ = super().weighted(values, sample_weight)
        return values, K.ones_like(values)


@METRICS.register()
class RootMeanSquaredError(Mean):
    """Root of the mean of squared differences, over all elements seen.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(RootMeanSquaredError()([[0.0, 0.0]], [[4.0, 4.0]]))
        4.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add the squared differences.

        Args:
            y_true: targets: array, list, tensor or symbol.
            y_pred: outputs, likewise.
            sample_weight: weight of each sample; None for 1.
        """
        y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
        super().update_state(K.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """The root so far."""
        return K.square_root(super().result())


@METRICS.register()
class MeanRelativeError(Mean):
    """Mean of absolute differences, each divided by its `normalizer`.

    Args:
        normalizer: numbers that broadcast to the outputs; a difference counts as 0 where it is 0.

    Source: Keras 2.3.1, `keras/metrics.py`.
    Example:
        >>> float(MeanRelativeError([1.0, 2.0])([[0.0, 0.0]], [[1.0, 4.0]]))
        1.5
    """

    def __init__(self, normalizer: Scalars, name: str | None = None, dtype: Any = None):
        super().__init__(name or _unique_name("MeanRelativeError"), dtype)
        self.normalizer = np.asarray(normalizer, initializers.host_dtype(self.dtype))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add the relative differences.

        Args:
            y_true: targets: array, list, tensor or symbol.
            y_pred: outputs, likewise.
            sample_weight: weight of each sample; None for 1.
        """
        y_true, y_pred = as_pair(*same_rank(y_true, y_pred))
        known = (self.normalizer != 0).astype(self.normalizer.dtype)
        scale = known / (self.normalizer + (1 - known))
        super().update_state(K.multiply(K.abs(y_true - y_pred), scale), sample_weight)
