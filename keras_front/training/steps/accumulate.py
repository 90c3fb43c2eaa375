"""`fit(accumulate=k)`: the batch of a training step goes through the model in k parts, one after the other.

The gradients of the parts are added up in a loop inside the compiled step, each with its share of the samples, and the
optimizer takes one step: it is the step of the whole batch, with the memory of a part.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from keras_front import backend as K
from keras_front import conventions
from keras_front.backend import replicas, scopes
from keras_front.errors import ArgumentError
from keras_front.optimizers.parts import Parts


@contextmanager
def accumulate_in_parts(model: Any, steps: Any, parts: Any) -> Iterator[None]:
    """A context in which a model is trained with batches in parts; see `fit`.

    Args:
        model: the model.
        steps: its `Steps`.
        parts: in how many.
    """
    steps.accumulate = checked(parts, steps, model)
    try:
        yield
    finally:
        steps.accumulate = 1


def checked(parts: Any, steps: Any, model: Any) -> int:
    """The number of parts that `fit` was given.

    Args:
        parts: what the user gave; None for 1.
        steps: the `Steps` of the model.
        model: the model.

    Raises: ArgumentError for what is no whole number of at least 1, for a model whose `train_function` was replaced,
        and for one whose states belong to single rows of a batch.
    """
    if parts is None:
        return 1
    number = parts if not isinstance(parts, bool | str) else 0
    if number != int(number) or number < 1:
        raise ArgumentError(f"fit: accumulate: expected a whole number of at least 1, received {parts!r}.")
    own = hasattr(steps, "function")
    if number > 1 and (own or model.stateful):
        why = "the states of a stateful model belong to rows of a batch"
        why = why if model.stateful else "a train_function of one's own deals with the whole batch"
        raise ArgumentError(
            f"fit: accumulate={parts}: {why}. Use an optimizer with gradient_accumulation_steps={parts} and smaller "
            "batches."
        )
    return int(number)


def own_step_in_parts(
    steps: Any, frame: Any, run: Callable[[list[Any]], Mapping[str, Any]], batch: Sequence[Any]
) -> dict[str, Any]:
    """What a `train_step` of a model's own returns for a batch that goes through it in parts.

    Its optimizers take their steps when all parts are through, with the mean gradients of the batch. Of what it returns
    the results of metrics are those after the last part, and other numbers are means over the samples.

    Args:
        steps: the `Steps` of the model.
        frame: the frame of the step.
        run: the step, as a function of the arrays of a part.
        batch: the arrays of the batch.

    Raises: ArgumentError if the parts update other weights, or report other things.
    """
    samples, gathered, found = _samples(list(batch)), Parts(), []
    size, count = max(1, -(-samples // steps.accumulate)), steps.accumulate
    steps.accumulate = 1  # within a part the step is the usual one
    try:
        with gathered.collecting():
            for start in range(0, samples, size):
                rows = min(size, samples - start)
                gathered.begin(rows / samples)
                del frame.losses[:]
                with replicas.with_rows(rows):
                    found.append((rows / samples, dict(run([a[start : start + size] for a in batch]))))
    finally:
        steps.accumulate = count
    gathered.apply()
    return _joined(found, {metric.name for metric in steps.model.metrics})


def _joined(found: Sequence[tuple[float, dict[str, Any]]], measured: set[str]) -> dict[str, Any]:
    last = found[-1][1]
    if any(logs.keys() != last.keys() for _, logs in found):
        raise ArgumentError(f"fit: accumulate: expected train_step to return {list(last)} for each part.")

    def joined(name: str) -> Any:
        if name in measured or hasattr(last[name], "result"):
            return last[name]
        return functools.reduce(lambda a, b: a + b, [K.convert(logs[name]) * share for share, logs in found])

    return {name: joined(name) for name in last}


class BatchInParts:
    """A training batch that goes through the model in parts.

    Args:
        steps: the `Steps` of the model.
        frame: the frame of the step.
        arrays: inputs, targets, and a weight or None for each target.
        training: the learning phase.
        count: the number of parts. Where it does not divide the samples the last part is smaller, and where there are
            fewer samples each is a part.
    """

    def __init__(
        self, steps: Any, frame: Any, arrays: tuple[list[Any], list[Any], list[Any]], training: Any, count: int
    ):
        self.steps, self.frame, self.training = steps, frame, training
        self.lengths = [len(part) for part in arrays]
        self.flat = [a for part in arrays for a in part]
        self.samples = _samples(self.flat)
        self.size = max(1, -(-self.samples // count))
        self.counter, self.count = scopes.bound_counter(), count
        self.weighted: list[Any] | None = None

    def gradients(self) -> tuple[Any, list[Any], list[Any]]:
        """(total loss, losses of the outputs, gradients) of the whole batch; metrics and states are in the frame."""
        steps, whole, size = self.steps, self.samples // self.size, self.size
        self.weighted = self._weighted()
        self.flat += [w for w in self.weighted or () if w is not None]
        self.changed, losses = self._probe()
        carry = [
            K.constant(0, dtype="int64"),
            *(K.zeros_like(w.read()) for w in steps.trainable),
            *(K.zeros_like(value) for value in losses),
            *(v.read() for v in self.changed),
        ]
        parts = [None if a is None else _cut(a, whole, size) for a in self.flat]
        carry, _ = K.scan(
            lambda now, xs: (self._part(now, self._filled(xs)), []), carry, [p for p in parts if p is not None]
        )
        if whole * size < self.samples:
            carry = self._part(carry, [None if a is None else a[whole * size :] for a in self.flat])
        n, m = 1 + len(steps.trainable), 1 + len(steps.trainable) + len(losses)
        for variable, value in zip(self.changed, carry[m:], strict=True):
            variable.assign(value)
        total, *of_outputs = carry[n:m]
        return total, of_outputs, list(carry[1:n])

    def _filled(self, xs: Sequence[Any]) -> list[Any]:
        given = iter(xs)
        return [None if a is None else next(given) for a in self.flat]

    def _arrays(self, flat: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], list[Any] | None]:
        """Inputs, targets, weights, and weights with masks where these are known."""
        ends = [sum(self.lengths[: i + 1]) for i in range(3)]
        xs, fed, weights, given = (
            flat[: ends[0]],
            flat[ends[0] : ends[1]],
            flat[ends[1] : ends[2]],
            iter(flat[ends[2] :]),
        )
        known = None if self.weighted is None else [w if w is None else next(given) for w in self.weighted]
        return list(xs), list(fed), list(weights), known

    def _weighted(self) -> list[Any] | None:
        """Weights with masks for the whole batch, in dialects that divide them by what the whole batch holds."""
        convention = conventions.current()
        if not (convention.weights_over_nonzero or convention.masks_over_nonzero):
            return None
        with scopes.scratch():
            xs, fed, weights, _ = self._arrays(self.flat)
            done, _ = self.steps.forward(scopes.current_frame(), xs, fed, weights, self.training)
        return list(done.weights)

    def _probe(self) -> tuple[list[Any], list[Any]]:
        """The variables that a part changes, found by running one and forgetting it; and its losses."""
        with scopes.scratch() as scratch:
            arrays = self._arrays([None if a is None else a[: self.size] for a in self.flat])
            done, there = self.steps.forward(scratch, *arrays[:3], self.training, weighted=arrays[3])
            self.steps.measure(done, there)
        changed = [v for v in scratch.table if v in self.frame.table]
        for variable in scratch.table:
            if variable not in self.frame.table and self.frame.newcomers is not None:
                self.frame.newcomers[variable] = None
        return changed, [done.total, *done.parts]

    def _part(self, carry: Sequence[Any], flat: list[Any]) -> list[Any]:
        """What is carried after one more part."""
        steps = self.steps
        m = len(carry) - len(self.changed)
        number, xs = carry[0], self._arrays(flat)
        rows = K.int_shape(next(a for a in flat if a is not None))[0]
        share = rows / self.samples
        counter = None if self.counter is None else self.counter * self.count + number
        with K.bind(self.changed, carry[m:], counter=counter) as frame, replicas.with_rows(rows):
            done, grads = steps.differentiated(frame, *xs[:3], self.training, weighted=xs[3], share=share)
            values = frame.values_of(self.changed)
        new = [*grads, done.total, *done.parts]
        added = [total + value * share for total, value in zip(carry[1:m], new, strict=True)]
        return [number + 1, *added, *values]


def _samples(arrays: Sequence[Any]) -> int:
    shapes = [K.int_shape(a) for a in arrays if a is not None]
    if not shapes or shapes[0][:1] in ((), (None,)):
        raise ArgumentError("fit: accumulate: expected batches of a known number of samples.")
    return int(shapes[0][0])


def _cut(array: Any, count: int, size: int) -> Any:
    """The first `count * size` rows as (count, size, ...)."""
    return K.reshape(array[: count * size], (count, size, *K.int_shape(array)[1:]))
