"""The states of recurrent layers: those that a call is given, and those that a stateful layer keeps between batches."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError, StateError
from keras_front.graph.tracking import check_room
from keras_front.initializers import host_dtype

from .cells import zeros_of
from .stacked_cells import sizes_of


class _NotStatefulError(StateError, AttributeError):
    pass


class InitialStateMixin:
    """What is called on sequences, and maybe on initial states and constants, which then come as one list."""

    _num_constants: int

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer to sequences.

        Args:
            inputs: sequences (batch, steps, ...); or a list of them, the initial states and the constants.
            initial_state: list of tensors or arrays, one for each state; by default zeros, or what a stateful layer
                kept.
            constants: list of tensors that the cell gets at every step, if its `call` takes `constants`.
            kwargs: further arguments for `call`, such as `training` and `mask`.

        Returns: what `call` returns.
        """
        inputs, states, fixed = self._split(inputs, initial_state, constants)
        if fixed:
            self._num_constants = len(fixed)
        if not states and not fixed:
            return super().__call__(inputs, **kwargs)
        return super().__call__([inputs, *states, *fixed], **kwargs)

    def _parts(self, inputs: Any, initial_state: Any, constants: Any) -> tuple[Any, list[Any], list[Any]]:
        """Sequence, initial states and constants, unchecked."""
        states, fixed = as_list(initial_state), as_list(constants)
        if isinstance(inputs, list | tuple):
            rest = list(inputs[1:])
            if self._num_constants and not fixed:
                fixed = rest[len(rest) - self._num_constants :]
                rest = rest[: len(rest) - self._num_constants]
            states, inputs = states or rest, inputs[0]
        return inputs, states, fixed


class KeptStates:
    """States as variables, which a stateful layer reads before a batch and writes after it."""

    name: str
    dtype: str
    cell: Any
    stateful: bool
    time_major: bool
    _states: list[Variable | None]
    _inbound_nodes: list[Any]

    @property
    def states(self) -> list[Any]:
        """The kept states of a stateful layer; a list of None before there are any."""
        return self._states or [None] * len(sizes_of(self.cell))

    @states.setter
    def states(self, states: Sequence[Any]) -> None:
        self._states = list(states)

    def _own_state(self) -> list[Variable]:
        return [s for s in self._states if isinstance(s, Variable)]

    def _state_shape(self, size: Any) -> tuple[int, ...]:
        return tuple(size) if isinstance(size, tuple) else (size,)

    def _make_states(self, batch: Any) -> None:
        if batch is None:
            raise ShapeError(
                f"{self.name}: If a RNN is stateful, it needs to know its batch size. Specify the batch size of your "
                "input tensors:\n  - in a Sequential model, by passing `batch_input_shape` to the first layer\n"
                "  - in the functional API, by passing `batch_shape` to the Input layer."
            )
        dtype, shapes = self.dtype or config.floatx(), [(batch, *self._state_shape(n)) for n in sizes_of(self.cell)]
        check_room(self.name, shapes, dtype)
        self._states = [
            Variable(
                functools.partial(np.zeros, shape, host_dtype(dtype)),
                dtype,
                f"{self.name}/state_{i}:0",
                False,
                shape=shape,
            )
            for i, shape in enumerate(shapes)
        ]

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states to zero, or to the given arrays.

        Args:
            states: one array for each state, (batch, size) each; None for zeros.

        Raises:
            StateError: if the layer is not stateful; an AttributeError as well, as in Keras 2.
            ShapeError: if an array has another shape than the state.
        """
        if not self.stateful:
            raise _NotStatefulError(f"{self.name}: layer must be stateful.")
        if not self._states:
            batch = self._inbound_nodes[0].input_shapes[0][0] if self._inbound_nodes else None
            self._make_states(batch)
        given = [np.zeros(s.shape) for s in self._own_state()] if states is None else as_list(states)
        self._check_states(given)
        for variable, value in zip(self._own_state(), given, strict=True):
            variable.set(value if hasattr(value, "shape") else np.asarray(value))

    def _check_states(self, given: Sequence[Any]) -> None:
        if len(given) != len(self._states):
            raise ArgumentError(
                f"Layer {self.name} expects {len(self._states)} states, but it received {len(given)} state values."
            )
        for variable, value in zip(self._own_state(), given, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ShapeError(
                    f"State of layer {self.name}: expected shape {variable.shape}, found shape {np.shape(value)}."
                )

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """States of zeros, as sequences begin with.

        Args:
            inputs: the sequences, for the size of their batch and their dtype.

        Returns: a list of tensors (batch, size), one for each state of the cell.
        """
        batch = K.shape(inputs)[1 if self.time_major else 0]
        dtype = K.dtype(inputs)
        return [zeros_of(batch, self._state_shape(n), dtype) for n in sizes_of(self.cell)]


def as_list(items: Any) -> list[Any]:
    """Items as a list: one becomes a list of one, and None an empty list.

    Args:
        items: a list, a tuple, one item or None.
    """
    if items is None:
        return []
    return list(items) if isinstance(items, list | tuple) else [items]
