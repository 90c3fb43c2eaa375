"""The variables of a model's steps, and their values while steps run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.backend.state import Variable
from keras_front.errors import StateError
from keras_front.nest import unique

State = list[Any]


@dataclass(frozen=True)
class StepVariables:
    """The variables of a model's steps.

    Attributes:
        trainable: the weights that training changes.
        others: the other weights.
        layer_state: what stateful layers, metrics of layers, and losses and metrics of the user's own keep.
        optimizer: hyperparameters, counters and slots.
        metrics: the means of the compiled losses and metrics.
        only_training: those of the layer state that nothing but training changes.
    """

    trainable: tuple[Variable, ...]
    others: tuple[Variable, ...]
    layer_state: tuple[Variable, ...]
    optimizer: tuple[Variable, ...]
    metrics: tuple[Variable, ...]
    only_training: frozenset[Variable] = frozenset()

    @cached_property
    def all(self) -> list[Variable]:
        """Every variable once: the state of a training step."""
        groups = (self.trainable, self.others, self.layer_state, self.optimizer, self.metrics)
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


def phase(default: bool) -> bool:
    """The learning phase of a step: what the user fixed with `K.set_learning_phase`, else `default`."""
    fixed = K.learning_phase()
    return default if K.is_symbolic(fixed) else bool(fixed)


def samples_of(xs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The number of samples of a batch, as a number or a tensor."""
    first = next(iter((*xs, *outputs)))
    size = K.int_shape(first)[0]
    return float(size) if size is not None else K.cast(K.shape(first)[0], K.floatx())


def active_backend() -> Backend:
    """The active backend, as what it is beyond running ops."""
    return cast(Backend, discovery.active())


# The values of variables while steps run -------------------------------------------------------------


def values_of(variables: Sequence[Any]) -> State:
    """The present values as tensors of the active backend, no two of them the same object."""
    values = tensors_of(variables)
    if len(set(map(id, values))) < len(values):  # a step may reuse the memory of each
        seen: set[int] = set()
        for index, value in enumerate(values):
            if id(value) in seen:
                values[index] = K.convert(np.array(K.to_numpy(value)))
            seen.add(id(values[index]))
    return values


def tensors_of(variables: Sequence[Any]) -> State:
    """The present values as tensors of the active backend."""
    engine = discovery.active()  # `Variable.current` in one line, because a step should not make a call for each
    return [v._values[v._index] if v._backend is engine else v.current() for v in variables]


def store(variables: Sequence[Any], values: Sequence[Any], engine: Backend) -> None:
    """Make `values`, tensors of `engine`, the values of `variables`."""
    for variable, value in zip(variables, values, strict=True):
        variable._store(value, engine)


@contextmanager
def held_in_list(variables: Sequence[Any]) -> Iterator[State]:
    """A list of the values, to which the variables refer until the block ends, however it ends.

    A loop passes this list from step to step, and whoever reads a weight in a callback sees the present one.
    """
    values = values_of(variables)
    for index, variable in enumerate(variables):
        variable.adopt(values, index)
    try:
        yield values
    finally:
        for variable in variables:
            variable.release()


def take_back(variables: Sequence[Any], values: State) -> None:
    """Take back variables that went elsewhere, because a callback used them on another backend."""
    for index, variable in enumerate(variables):
        if variable._values is not values:
            values[index] = variable.current()
            variable.adopt(values, index)
