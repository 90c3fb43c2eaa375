"""The hand-over: where the result of a step takes the place of the state that the step was given.

A step may overwrite that state, or free it. So from the moment when it is given until its result is in place, the guard
of the variables is held, which keeps other threads away, and signals are held back, which could break it off between.
Whatever happens, the variables have the old values or the new ones. See decision 32.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.backend.creation import convert, to_numpy
from keras_front.backend.guards import Guard
from keras_front.backend.interrupts import hold, let_go

State = list[Any]


def active_backend() -> Backend:
    """The active backend, as what it is beyond running ops."""
    return cast(Backend, discovery.active())


# Values of variables ---------------------------------------------------------------------------------


def values_of(variables: Sequence[Any]) -> State:
    """The present values as tensors of the active backend, no two of them the same object."""
    values = tensors_of(variables)
    if len(set(map(id, values))) < len(values):  # a step may reuse the memory of each
        seen: set[int] = set()
        for index, value in enumerate(values):
            if id(value) in seen:
                values[index] = convert(np.array(to_numpy(value)))
            seen.add(id(values[index]))
    return values


def tensors_of(variables: Sequence[Any]) -> State:
    """The present values as tensors of the active backend."""
    engine = discovery.active()  # `Variable.current` in one line, because a step should not make a call for each
    return [v._values[v._index] if v._backend is engine else v.current() for v in variables]


def store(variables: Sequence[Any], values: Sequence[Any], engine: Backend) -> None:
    """Make `values`, tensors of `engine`, the values of `variables`."""
    for variable, value in zip(variables, values, strict=True):
        if variable._backend is engine:  # `Variable._store` without a call for each
            variable._values[variable._index] = value
        else:
            variable._store(value, engine)


def copies(values: Sequence[Any], engine: Backend) -> State:
    """The same values in memory of their own."""
    return [engine.copy(value) for value in values]


# One step --------------------------------------------------------------------------------------------


def exchange(guard: Guard, variables: Sequence[Any], engine: Backend, run: Callable[..., Any], *arguments: Any) -> Any:
    """Run a step that replaces the values of variables.

    Args:
        guard: the guard of these and of all else that the step reads.
        variables: what the step replaces.
        engine: the active backend.
        run: `(values, *arguments) -> (new values, results)`; the values belong to it. Those at its places `held`, if it
            has such, are nobody else's: see `Backend.compile_program`.
        arguments: what it takes after the values.

    Returns: the results.
    """
    holding = hold()
    try:
        with guard.lock:
            guard.begin()
            try:
                values = values_of(variables)
                if guard.borrowers and guard.part(variables):
                    values = copies(tensors_of(variables), engine)
                held = [(variables[place], place) for place in getattr(run, "held", ())]
                for variable, _ in held:
                    variable._values[variable._index] = None
                try:
                    new, results = run(values, *arguments)
                except BaseException:
                    for variable, place in held:
                        variable._store(values[place], engine)
                    raise
                store(variables, new, engine)
            finally:
                guard.end()
    finally:
        let_go(holding)
    return results


def disturbed(guard: Guard, seen: int) -> bool:
    """Whether somebody has replaced values since `guard.changes` was `seen`, or is about to."""
    return guard.changes != seen or guard.changing > 0


# Many steps ------------------------------------------------------------------------------------------


class StateList:
    """The state of a loop that trains: a list of values, to which the variables refer as long as the loop runs.

    It goes from step to step as it is, and whoever reads a weight in a callback or in another thread sees the present
    one. Loops in several threads that train the same variables share one.

    Args:
        variables: the variables.
        guard: their guard.
    """

    def __init__(self, variables: Sequence[Any], guard: Guard):
        self.variables, self.guard, self.engine = variables, guard, active_backend()
        self.users = 0
        with guard.lock:
            self.values = values_of(self.variables)
            self._adopt()

    def _adopt(self) -> None:
        for index, variable in enumerate(self.variables):
            if variable._values is not self.values:
                self.values[index] = variable.current()
                variable.adopt(self.values, index, self.engine)
        self._moves = self.guard.moves

    def take_back(self) -> None:
        """Take back variables that went elsewhere: somebody used them on another backend, or in another loop."""
        if self.guard.moves != self._moves:
            with self.guard.lock:
                self._adopt()

    def enter(self) -> Any:
        """Begin a loop; what `leave` takes at its end."""
        trainer = threading.get_ident(), object()
        self.users += 1
        self.guard.trainers.add(trainer)
        return trainer

    def leave(self, trainer: Any) -> bool:
        """End a loop. After the last one every variable keeps its value by itself.

        Returns: whether it was the last one.
        """
        self.users -= 1
        self.guard.trainers.discard(trainer)
        if self.users:
            return False
        for variable in self.variables:
            if variable._values is self.values:
                variable.release()
        return True

    def step(self, run: Callable[..., Any], *arguments: Any) -> Any:
        """Run one dispatch.

        Args:
            run: `(state, *arguments) -> (state, results)`.
            arguments: what it takes after the state.

        Returns: the results.
        """
        guard, values = self.guard, self.values
        holding = hold()
        try:
            with guard.lock:
                guard.begin()
                try:
                    if guard.moves != self._moves:
                        self._adopt()
                    if guard.borrowers and guard.part(self.variables):
                        values[:] = copies(values, self.engine)
                    values[:], results = run(values, *arguments)
                finally:
                    guard.end()
        finally:
            let_go(holding)
        return results
