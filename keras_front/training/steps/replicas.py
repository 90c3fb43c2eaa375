"""Data parallel training with one process a device: a part of each batch, and one reduction a step.

Every process runs the same loop over the same samples in the same order, computes its part of each batch, and averages
once a step what depends on the batch: gradients, changed weights that are not trained, what metrics have added up, and
losses. So after each step all hold the same state, and callbacks need no agreement. A batch that the number of
processes does not divide is computed by all, and averaged all the same, so that nothing drifts apart.

See `keras_front.backend.placement` for what connects the processes; `keras_front.distribution` sets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import dtypes, replicas
from keras_front.backend.hand_over import active_backend, store, values_of
from keras_front.backend.placement import active_placement
from keras_front.backend.state import Variable
from keras_front.nest import flatten
from keras_front.training.data.arrays import BatchLayout

STOP_EVERY = 64  # batches, after which processes agree whether to stop


# Which part of a batch -------------------------------------------------------------------------------


class BatchPart:
    """Which part of each batch this process computes; the whole one without a group.

    Args:
        model: the model. One with a fixed size of batches, or with layers that keep a state for each sample, computes
            whole batches in every process.
        stream: whether the batches come from a stream, which the user may have divided already.

    Attributes:
        pieces: in how many pieces a batch goes through the model, one after the other; each of them is divided.
    """

    pieces = 1

    def __init__(self, model: Any, stream: bool = False):
        self.group, self.together = replicas.group(), replicas.together()
        self.own_batches = stream and self.together is not None and not self.together.distribution.auto_shard_dataset
        self.divides = self.group is not None and self.group.processes > 1 and not _is_bound_to_batches(model)

    def __bool__(self) -> bool:
        return self.group is not None

    def _shares(self, samples: int) -> int:
        if not self.divides or (samples % self.group.processes and not self.own_batches):  # type: ignore[union-attr]
            return 1
        return self.group.processes  # type: ignore[union-attr]

    def layout(self, layout: BatchLayout, samples: int) -> BatchLayout:
        """The layout of the part of a batch of so many samples."""
        return layout if self.group is None else layout._replace(shares=self._shares(samples))

    def rows(self, rows: Any) -> Any:
        """Of an array whose first axis is the samples of a batch, those of this part."""
        if self.group is None or self.own_batches or (shares := self._shares(len(rows))) == 1:
            return rows
        pieces = self.pieces if len(rows) % (shares * self.pieces) == 0 else 1
        size, each = len(rows) // (shares * pieces), len(rows) // pieces
        own = [rows[start + self.group.rank * size :][:size] for start in range(0, len(rows), each)]
        return own[0] if pieces == 1 else np.concatenate(own)

    def arrays(self, batch: Any) -> Any:
        """The part of each array of a batch."""
        return batch if self.group is None else [self.rows(array) for array in batch]

    def samples(self, rows: int) -> int:
        """How many samples a batch has of which this process was given so many rows."""
        if not self.own_batches:
            return rows
        return rows * (self._shares(rows) if self.group is not None else self.together.processes)  # type: ignore[union-attr]

    def agreed(self, flag: bool) -> bool:
        """What the first process says, where every one has decided for itself."""
        return flag if self.together is None else bool(first_of([np.asarray(flag, "float32")])[0])

    def stops(self, model: Any, done: int, steps: int | None) -> bool:
        """Whether training stops within an epoch, after so many batches of `steps`.

        Processes may have other callbacks than the first one, and clocks of their own: it is asked now and then, by
        count, and what it says holds for all.
        """
        if self.together is None:
            return bool(model.stop_training)
        return done % STOP_EVERY == 0 and done != steps and self.agreed(model.stop_training)


def _is_bound_to_batches(model: Any) -> bool:
    fixed = any(tensor.shape[:1] != (None,) for tensor in flatten(model.inputs or ()))
    return fixed or bool(getattr(model, "stateful", False))


# The step --------------------------------------------------------------------------------------------


def dividing(layout: BatchLayout, batch: Sequence[Any]) -> Any:
    """A context for a step on a batch of this layout; see `backend.replicas.divided`."""
    return replicas.divided(layout.shares, K.int_shape(batch[0])[0] if batch else 1)


class Reduction:
    """The one reduction of a step: what is to be averaged is added, `run` averages it.

    Args:
        frame: holds the values of the variables.
        before: the values that they had when the step began.
    """

    def __init__(self, frame: Any, before: dict[Any, Any]):
        self.frame, self.before, self.division = frame, before, replicas.division()
        self.tensors: list[Any] = []
        self._assigned: list[Variable] = []
        self._added: list[Variable] = []

    def add(self, tensors: Sequence[Any]) -> None:
        """Average these tensors."""
        self.tensors += tensors

    def weights(self, variables: Iterable[Variable]) -> None:
        """Average those of these variables that the step has changed, such as moving means; integers stay."""
        self._assigned += [v for v in self._changed(variables) if dtypes.is_float(v.dtype)]

    def sums(self, variables: Iterable[Variable]) -> None:
        """Let those of these variables that the step has changed be what all have added together, as metrics do."""
        self._added += self._changed(variables)

    def _changed(self, variables: Iterable[Variable]) -> list[Variable]:
        table, before = self.frame.table, self.before
        return [v for v in variables if table.get(v) is not before.get(v)]

    def run(self) -> list[Any]:
        """The averages of what was added; variables are assigned."""
        held = [self.frame.table[v] for v in self._assigned]
        grown = [self._growth(v, self.frame.table[v]) for v in self._added]
        size = self.division.group.processes  # type: ignore[union-attr]
        means = K.replica_mean([*self.tensors, *held, *grown], shares=size) if self.tensors or held or grown else []
        given, rest = means[: len(self.tensors)], iter(means[len(self.tensors) :])
        for variable in self._assigned:
            self.frame.table[variable] = next(rest)
        for variable in self._added:
            self.frame.table[variable] = self._grown(variable, next(rest))
        return given

    def grown(self, variable: Variable, value: Any) -> Any:
        """What a variable holds when all have added to it what this process has; its new value here is given."""
        size = self.division.group.processes  # type: ignore[union-attr]
        return self._grown(variable, K.replica_mean([self._growth(variable, value)], shares=size)[0])

    def _growth(self, variable: Variable, value: Any) -> Any:
        wide = variable.dtype if dtypes.is_float(variable.dtype) else "float64"
        return K.cast(value, wide) - K.cast(self.before[variable], wide)

    def _grown(self, variable: Variable, mean: Any) -> Any:
        growth = mean * float(self.division.shares)  # type: ignore[union-attr]
        if dtypes.is_float(variable.dtype):
            return self.before[variable] + growth
        return self.before[variable] + K.cast(K.round(growth), variable.dtype)


def agreed_step(
    steps: Any, frame: Any, before: dict[Any, Any], done: Any, grads: list[Any] | None = None
) -> tuple[Any, list[Any]]:
    """What the parts of a batch gave, made what the whole batch gives: (losses, gradients); variables are assigned.

    Args:
        steps: the `Steps` of the model.
        frame: holds the values of the variables.
        before: the values from before the batch.
        done: what the run on this part gave, a `Forward`.
        grads: the gradients of this part.
    """
    grads = [] if grads is None else grads
    if replicas.division() is None:
        return done, grads
    reduction, sums = Reduction(frame, before), steps.sums()
    reduction.add([*grads, done.total, *done.parts])
    own = {*sums, *steps.trainable}
    reduction.weights(v for v in (*steps.variables.others, *steps.variables.layer_state) if v not in own)
    reduction.sums(v for v in sums if v in frame.table)
    means = reduction.run()
    total, *parts = means[len(grads) :]
    return done._replace(total=total, parts=parts), means[: len(grads)]


def agreed_logs(steps: Any, frame: Any, before: dict[Any, Any], logs: list[Any]) -> list[Any]:
    """What a step of the user's own returns, and the weights that it has changed, averaged over the processes.

    Args:
        steps, frame, before: see `agreed_step`.
        logs: scalars.
    """
    if replicas.division() is None:
        return logs
    reduction = Reduction(frame, before)
    updated = {*steps.sums(), *steps.variables.optimizer, *steps.trainable, *steps.variables.seed, *steps._own_state()}
    reduction.add(logs)
    reduction.weights(v for v in steps.variables.all if v not in updated)
    return reduction.run()


def gathered(outputs: list[Any]) -> list[Any]:
    """The outputs for the whole batch, from those for the part of this process."""
    own = replicas.division()
    if own is None or own.shares == 1:
        return outputs
    return [K.replica_gather(y, shares=own.shares, rank=own.group.rank) for y in outputs]


# One state everywhere --------------------------------------------------------------------------------


def first_of(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Arrays as the first process has them."""
    engine, placement = active_backend(), replicas.together()
    if placement is None:
        return list(arrays)
    return [engine.to_numpy(t) for t in placement.from_first([engine.convert(a) for a in arrays])]


def meet() -> None:
    """Return when every process has come here; at once without a distribution."""
    placement = active_placement()
    if placement is not None:
        placement.wait_for_all()


def share_state(steps: Any) -> None:
    """Give every process the state of the first one."""
    placement = replicas.group()
    if placement is not None:
        engine = active_backend()
        variables = [v for v in steps.variables.all if placement.keeper(v) is None]
        with steps.guard.lock:
            store(variables, placement.from_first(values_of(variables)), engine)
