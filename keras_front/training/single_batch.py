"""Calls on single batches: `train_on_batch`, `test_on_batch`, `predict` of a few rows, checked once.

The first call with arrays of some shape and dtype is checked and compiled; what remains to be done for further ones (a
cast, an axis) is written down with the compiled step. These are bounded, however many shapes come; see `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, Never, cast

import numpy as np

from keras_front import nest
from keras_front.backend import discovery, scopes
from keras_front.backend.hand_over import active_backend, disturbed, exchange, tensors_of, values_of
from keras_front.backend.tables import make_room
from keras_front.errors import UnknownArgumentError
from keras_front.failures import of_arguments
from keras_front.tracebacks import hide_internal_frames, mark_boundary
from keras_front.training.data.adapter import length
from keras_front.training.data.arrays import BatchLayout, DataSpec, conform_to
from keras_front.training.steps.compiled import Steps
from keras_front.training.steps.replicas import BatchPart, share_state


class SingleBatchCalls:
    """The single-batch calls of one model.

    Args:
        steps: the steps of the model.
        spec: what it expects of its data.
    """

    def __init__(self, steps: Steps, spec: DataSpec):
        self.steps, self.spec = steps, spec
        self._calls: dict[Any, Callable[..., Any]] = {}
        self._running = False  # whether the means hold something that a call with a reset must clear
        self._shared: Any = None  # the group whose first process has given its state

    def _part(self, batch: list[Any], layout: BatchLayout) -> tuple[BatchPart, list[Any], BatchLayout]:
        """Which part of batches this process computes; that of this one, and its layout."""
        part = BatchPart(self.steps.model)
        return part, part.arrays(batch), part.layout(layout, len(batch[0]) if batch else 0)

    def _arguments(self, part: BatchPart, own: list[Any]) -> Callable[[Sequence[Any]], list[Any]]:
        """What makes arrays like those of a batch arguments of a step, `own` being the part of this process."""
        arguments = active_backend().arguments_like(own)
        return (lambda arrays: arguments(part.arrays(arrays))) if part else arguments

    def __reduce__(self) -> Any:
        return _nothing, ()  # a copy of a model makes its own

    def known(self, kind: str, *arrays: np.ndarray) -> Callable[..., Any] | None:
        """What to call for arrays like these: None unless such arrays came before.

        Args:
            kind: 'train', 'test' or 'predict'.
            arrays: what the user passed.
        """
        return self._calls.get(_key(kind, arrays))

    def _keep(self, kind: str, arrays: tuple[Any, ...], call: Callable[..., Any]) -> None:
        if all(a.__class__ is np.ndarray for a in arrays):
            key = _key(kind, arrays)
            if key not in self._calls:
                make_room(self._calls)
            self._calls[key] = call

    # Training and testing ----------------------------------------------------------------------------

    def train(self, x: Any, y: Any, batch: list[Any], layout: BatchLayout, reset: bool) -> Any:
        """Train on a checked batch; its losses and metrics, a number or a list.

        Args:
            x, y: what the user passed, to know such a call again.
            batch, layout: the checked arrays.
            reset: whether the batch stands by itself; otherwise the means go on from the batches before.
        """
        steps, engine = self.steps, active_backend()
        part, own, layout = self._part(batch, layout)
        step = steps.ready("train", layout, own, report=True, single=reset)
        if part.group != self._shared:
            self._shared = part.group
            share_state(steps)
        variables, guard = steps.variables.all, steps.guard
        run = step.specialize(values_of(variables), [engine.convert(a) for a in own])
        arguments = self._arguments(part, own)

        def call(arrays: Sequence[Any]) -> Any:
            values = exchange(guard, variables, engine, run, arguments(arrays))
            return _only(steps.numbers("train", values))

        return self._once("train", x, y, batch, layout, call, reset)

    def test(self, x: Any, y: Any, batch: list[Any], layout: BatchLayout, reset: bool) -> Any:
        """Losses and metrics of a checked batch; arguments as in `train`."""
        steps, engine = self.steps, active_backend()
        part, own, layout = self._part(batch, layout)
        step = steps.ready("test", layout, own, report=True, single=reset)
        constant, carried, guard = steps.variables.constant, steps.variables.carried, steps.guard
        run = step.specialize(tensors_of(constant), values_of(carried), [engine.convert(a) for a in own])
        arguments = self._arguments(part, own)

        def call(arrays: Sequence[Any]) -> Any:
            given = arguments(arrays)
            values = exchange(guard, carried, engine, lambda state: run(tensors_of(constant), state, given))
            return _only(steps.numbers("test", values))

        return self._once("test", x, y, batch, layout, call, reset)

    def _once(self, kind: str, x: Any, y: Any, batch: list[Any], layout: BatchLayout, call: Any, reset: bool) -> Any:
        if reset and self._running:
            self.steps.reset()
        self._running = not reset
        result = call(batch)
        if reset and len(batch) == 2 and not any(layout.weighted):
            first, second = self._conform_inputs(x, batch[0]), self._conform_targets(y, batch[1])
            if first and second:
                self._keep(kind, (x, y), self._guarded(lambda x, y: call((first(x), second(y)))))
        return result

    def _conform_inputs(self, given: Any, wanted: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
        return conform_to(given, wanted, self.spec.inputs[0] if len(self.spec.inputs) == 1 else None)

    def _conform_targets(self, given: Any, wanted: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
        return conform_to(given, wanted, self.spec.targets[0] if self.spec.targets else None)

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(x: Any, y: Any) -> Any:
            if self._running:
                self.steps.reset()
                self._running = False
            return call(x, y)

        return guarded

    # Predicting --------------------------------------------------------------------------------------

    def predict_again(self, x: Any, steps: int) -> Any:
        """The outputs of several steps of a model whose inputs all have values of their own, one below the other."""
        found = [self.predict(x, []) for _ in range(steps)]
        rows = zip(*map(nest.flatten, found), strict=True)
        return found[0] if steps == 1 else nest.pack_like(found[0], [np.concatenate(parts) for parts in rows])

    def predict(self, x: Any, batch: list[Any]) -> Any:
        """The outputs for a checked batch: a NumPy array, a list of them, or a dict as the model was given one."""
        engine, model = active_backend(), self.steps.model
        part, own, layout = self._part(batch, BatchLayout(len(batch), 0, ()))
        step = self.steps.ready("predict", layout, own)
        constant, carried, guard = self.steps.variables.constant, self.steps.variables.carried, self.steps.guard
        run = step.specialize(tensors_of(constant), values_of(carried), [engine.convert(a) for a in own])
        arguments = self._arguments(part, own)

        def with_state(arrays: Sequence[Any]) -> Any:
            given = arguments(arrays)
            outputs = exchange(guard, carried, engine, lambda state: run(tensors_of(constant), state, given))
            return _arrays(engine, model, outputs)

        def without_state(arrays: Sequence[Any]) -> Any:
            given, seen = arguments(arrays), guard.changes
            try:
                outputs = run(tensors_of(constant), [], given)[1]
            except Exception:
                if not disturbed(guard, seen):
                    raise
            if guard.changes != seen or guard.changing:  # another thread trains: once more, with the lock
                with guard.lock:
                    outputs = run(tensors_of(constant), [], given)[1]
            return _arrays(engine, model, outputs)

        call = with_state if carried else without_state
        conform = self._conform_inputs(x, batch[0]) if len(batch) == 1 else None
        if conform is not None:
            self._keep("predict", (x,), lambda x: call((conform(x),)))
        return call(batch)


def _nothing() -> None:
    return None


def _key(kind: str, arrays: Sequence[np.ndarray]) -> Any:
    """What a call on arrays like these depends on; written out for one and two, as calls take microseconds."""
    first = arrays[0]
    if len(arrays) == 1:
        return kind, discovery.ACTIVE.get(), scopes.trace_key(), first.shape, first.dtype
    second = arrays[1]
    return kind, discovery.ACTIVE.get(), scopes.trace_key(), first.shape, first.dtype, second.shape, second.dtype


def _only(values: list[float]) -> Any:
    """A list, or the one number: one of NumPy's, as in Keras 2, where programs write `.tolist()`."""
    return np.float64(values[0]) if len(values) == 1 else values


def _named(names: Sequence[str], found: Any) -> dict[str, float]:
    values = found if isinstance(found, list) else [found]
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _arrays(engine: Any, model: Any, outputs: Sequence[Any]) -> Any:
    arrays = [np.array(engine.to_numpy(value)) for value in outputs]
    return model.as_outputs(arrays)


class SingleBatchMethods:
    """The methods of a model that take one batch."""

    if TYPE_CHECKING:
        _compilation: Any
        _engine: Any
        outputs: Any
        _on_engine: Any
        _settled: Any
        _warn_of_frozen: Any
        _predictor: Any

    def _known_call(self, kind: str, x: Any, y: Any) -> Callable[..., Any] | None:
        """What computes a batch of such arrays, if one came before and the model is as it was then."""
        known = self._compilation
        if (
            x.__class__ is np.ndarray
            and y.__class__ is np.ndarray
            and self._engine is None
            and known is not None
            and known.outputs is self.outputs
            and known.calls is not None
        ):
            return known.calls.known(kind, x, y)
        return None

    @mark_boundary
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
        **kwargs: Never,
    ) -> float | list[float]:
        """Train on one batch.

        Args:
            x, y, sample_weight, class_weight: as in `fit`; all samples make the batch.
            reset_metrics: False lets the metrics go on from the batches before.
            return_dict: return a dict from names to numbers.

        Returns: the loss and metrics of the batch, before its update: a number, or a list in the order of
            `metrics_names`.

        Raises:
            StateError: before `compile`.
            ShapeError, ArgumentError: for data that does not fit.

        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(1, input_shape=(2,), kernel_initializer="zeros")])
            >>> model.compile("sgd", "mse")
            >>> float(model.train_on_batch(np.ones((4, 2)), np.ones((4, 1))))
            1.0
        """
        try:
            try:
                if kwargs:
                    raise UnknownArgumentError.of(
                        "train_on_batch", min(kwargs), signature(self.train_on_batch).parameters
                    )
                if reset_metrics and not return_dict and sample_weight is class_weight is None:
                    call = self._known_call("train", x, y)
                    if call is not None and "train_function" not in self.__dict__:
                        return call(x, y)
                with self._on_engine():
                    compilation = self._settled("train_on_batch", x, length(x))
                    self._warn_of_frozen("train_on_batch")
                    batch, layout = compilation.spec.batch(x, y, sample_weight, class_weight)
                    found = compilation.calls.train(x, y, batch, layout, reset_metrics)
                    return cast(Any, _named(compilation.steps.names("train"), found)) if return_dict else found
            except Exception as error:
                raise of_arguments(
                    "train_on_batch", {"x": x, "y": y, "sample_weight": sample_weight}, error
                ) from error.__cause__
        except Exception as error:
            hide_internal_frames(error)
            raise

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> float | list[float]:
        """The loss and metrics of one batch, as `train_on_batch` but without training.

        Args:
            x, y, sample_weight, reset_metrics, return_dict: as in `train_on_batch`.

        Returns: a number, or a list in the order of `metrics_names`.
        """
        if reset_metrics and not return_dict and sample_weight is None:
            call = self._known_call("test", x, y)
            if call is not None:
                return call(x, y)
        with self._on_engine():
            compilation = self._settled("test_on_batch", x, length(x))
            batch, layout = compilation.spec.batch(x, y, sample_weight)
            found = compilation.calls.test(x, y, batch, layout, reset_metrics)
            return cast(Any, _named(compilation.steps.names("test"), found)) if return_dict else found

    def predict_on_batch(self, x: Any) -> np.ndarray | list[np.ndarray]:
        """The outputs for one batch.

        Args:
            x: array, list or dict of arrays.

        Returns: one NumPy array, or a list of them for several outputs.
        """
        with self._on_engine():
            calls = self._predictor(x, length(x))
            call = calls.known("predict", x) if x.__class__ is np.ndarray else None
            return call(x) if call is not None else calls.predict(x, calls.spec.batch(x, targets=False, rows=False)[0])
