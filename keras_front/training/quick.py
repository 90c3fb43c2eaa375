"""Single batches: `train_on_batch`, `test_on_batch`, `predict` of a few rows, without checking the same
thing twice.

The first call with arrays of some shape and dtype is checked and compiled; what remains to be done for
further ones (a cast, an axis) is written down with the compiled step. There are at most `LIMIT` of these,
however many shapes come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import discovery, state
from keras_front.training.feed import Layout, Spec
from keras_front.training.live import put, tensors_of, values_of
from keras_front.training.step import Steps

LIMIT = 256


class QuickCalls:
    """The single-batch calls of one compiled model.

    `known(kind, *arrays)` is a function of the arrays, if such arrays came before.
    """

    def __init__(self, steps: Steps, spec: Spec):
        self.steps, self.spec = steps, spec
        self._calls: dict[Any, Callable[..., Any]] = {}
        self._running = False  # whether the means hold something that a call with a reset must clear

    def __reduce__(self) -> Any:
        return _nothing, ()  # a copy of a model makes its own

    def known(self, kind: str, *arrays: np.ndarray) -> Callable[..., Any] | None:
        return self._calls.get(_key(kind, arrays))

    def _keep(self, kind: str, arrays: tuple[Any, ...], call: Callable[..., Any]) -> None:
        if all(a.__class__ is np.ndarray for a in arrays):
            if len(self._calls) >= LIMIT:
                self._calls.clear()
            self._calls[_key(kind, arrays)] = call

    # Training and testing ----------------------------------------------------------------------------

    def train(self, x: Any, y: Any, batch: list[Any], layout: Layout, reset: bool) -> Any:
        """Train on a checked batch; its losses and metrics."""
        variables, step = self.steps.variables, self.steps.train(layout, report=True, single=reset)
        call = self._train_call(variables, step, x, y, batch)
        return self._once("train", x, y, batch, layout, call, reset)

    def _train_call(self, variables: list[Any], step: Any, x: Any, y: Any, batch: list[Any]) -> Callable[..., Any]:
        engine = discovery.active()
        run = step.specialize(values_of(variables), [engine.convert(a) for a in batch])

        def call(arrays: Sequence[Any]) -> Any:
            new, values = run(values_of(variables), [engine.argument(a) for a in arrays])
            put(variables, new, engine)
            return _numbers(engine, values)

        return call

    def test(self, x: Any, y: Any, batch: list[Any], layout: Layout, reset: bool) -> Any:
        """Losses and metrics of a checked batch."""
        step = self.steps.test(layout, report=True, single=reset)
        constant, carried, engine = self.steps.constant, self.steps.carried, discovery.active()

        run = step.specialize(tensors_of(constant), values_of(carried), [engine.convert(a) for a in batch])

        def call(arrays: Sequence[Any]) -> Any:
            fixed = tensors_of(constant)
            new, values = run(fixed, values_of(carried), [engine.argument(a) for a in arrays])
            put(carried, new, engine)
            return _numbers(engine, values)

        return self._once("test", x, y, batch, layout, call, reset)

    def _once(self, kind: str, x: Any, y: Any, batch: list[Any], layout: Layout, call: Any, reset: bool) -> Any:
        if reset and self._running:
            self.steps.reset()
        self._running = not reset
        result = call(batch)
        if reset and len(batch) == 2 and not any(layout.weighted):
            first, second = _conform(x, batch[0]), _conform(y, batch[1])
            if first and second:
                self._keep(kind, (x, y), self._guarded(lambda x, y: call((first(x), second(y)))))
        return result

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(x: Any, y: Any) -> Any:
            if self._running:
                self.steps.reset()
                self._running = False
            return call(x, y)

        return guarded

    # Predicting --------------------------------------------------------------------------------------

    def predict(self, x: Any, batch: list[Any]) -> Any:
        """The outputs for a checked batch: a NumPy array, or a list of them."""
        constant, carried, engine = self.steps.constant, self.steps.carried, discovery.active()
        step = self.steps.predict(len(batch))
        run = step.specialize(tensors_of(constant), values_of(carried), [engine.convert(a) for a in batch])

        def call(arrays: Sequence[Any]) -> Any:
            fixed = tensors_of(constant)
            new, outputs = run(fixed, values_of(carried), [engine.argument(a) for a in arrays])
            put(carried, new, engine)
            return _arrays(engine, outputs)

        conform = _conform(x, batch[0]) if len(batch) == 1 else None
        if conform is not None:
            self._keep("predict", (x,), lambda x: call((conform(x),)))
        return call(batch)


def _nothing() -> None:
    return None


def _key(kind: str, arrays: Sequence[np.ndarray]) -> Any:
    shapes = [(a.shape, a.dtype) for a in arrays]
    return (kind, discovery.active(), state.phase_value(), discovery.DEVICE.get(), *shapes)


def _conform(given: Any, wanted: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """What makes an array like `given` one like `wanted`; None if `given` is no array."""
    if given.__class__ is not np.ndarray or wanted.__class__ is not np.ndarray:
        return None
    if given.shape == wanted.shape and given.dtype == wanted.dtype:
        return lambda array: array
    shape, dtype = wanted.shape, wanted.dtype
    return lambda array: array.astype(dtype, copy=False).reshape(shape)


def _numbers(engine: Any, values: Sequence[Any]) -> Any:
    numbers = [float(engine.to_numpy(value)) for value in values]
    return numbers[0] if len(numbers) == 1 else numbers


def _arrays(engine: Any, outputs: Sequence[Any]) -> Any:
    arrays = [np.array(engine.to_numpy(value)) for value in outputs]
    return arrays[0] if len(arrays) == 1 else arrays
