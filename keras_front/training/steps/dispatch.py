"""Several steps in one dispatch to the engine (Keras calls their number `steps_per_execution`).

An adapter offers the dispatch (`Backend.compile_multi_step`, `compile_multi_batch`). How many steps go in one, and in
what portions of one shape, so that an engine compiles them once, is settled here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import scopes
from keras_front.backend.adapter import Backend
from keras_front.backend.tables import make_room

SECONDS = 20e-3  # that several steps in one dispatch may take, so that callbacks that are called by time are not late
LIMIT = 64  # steps in one dispatch at most
BLOCK = 1 << 22  # bytes that go in and out with several batches in one dispatch
COUNTED = 16  # steps in one dispatch where several processes run the same ones: clocks differ, so nothing is measured
MEASURED = 4  # dispatches; the machine may be busy with something else during one of them


class KnownSteps:
    """Steps for batches that come one by one, each looked up once for every form of a batch.

    To find the callable for some arguments, all of them are looked at, the state too; here the batch is enough.
    """

    def __init__(self) -> None:
        self._known: dict[Any, Callable[..., Any]] = {}

    def callable_for(self, step: Any, batch: Sequence[Any], *values: Any) -> Callable[..., Any]:
        """The callable of a compiled step.

        Args:
            step: the step.
            batch: its last argument, as `Backend.put_batch` gave it.
            values: its arguments before, whose shapes and dtypes stay.
        """
        key = (step, scopes.trace_key(), *[(array.shape, array.dtype) for array in batch])
        run = self._known.get(key)
        if run is None:
            make_room(self._known)
            run = self._known[key] = step.specialize(*values, batch)
        return run


class DispatchTuner:
    """Finds how many steps run in one dispatch: as many as take `SECONDS`, if the engine gains from it at all.

    Args:
        engine: the backend that runs them.
        supported: whether it gains from several steps in one dispatch.
        fixed: the number, where the user has said it; None to find it.
    """

    def __init__(self, engine: Any, supported: bool, fixed: int | None = None):
        placement = getattr(engine, "placement", None)
        together = placement is not None and placement.processes > 1
        self.engine, self.supported, self.fixed = engine, supported, fixed or (COUNTED if together else None)
        self.dispatches = 0
        self.each: float | None = None  # seconds of a step, the shortest of some dispatches that compiled nothing

    def steps(self, left: int) -> int:
        """How many steps to run at once, of those that are left; 0 for single steps."""
        if not self.supported:
            return 0
        if self.fixed is not None:
            return min(left, self.fixed)
        wanted = SECONDS / self.each if self.each else min(8**self.dispatches, 8)
        return max(1, min(left, LIMIT, int(wanted)))

    def started(self) -> float:
        """The time at which a dispatch begins, if it is measured."""
        return time.perf_counter() if self.dispatches <= MEASURED else 0.0

    def finished(self, started: float, steps: int, results: Any) -> None:
        """Measure some dispatches after the first one, which compiles: so many steps, whose results are given."""
        if self.dispatches > MEASURED:
            return
        self.engine.block([results])
        if self.dispatches:
            each = max((time.perf_counter() - started) / steps, 1e-9)
            self.each = min(each, self.each or each)
        self.dispatches += 1


def several_steps(step: Any) -> Callable[..., Any]:
    """`run(state, data, order)`: a training step for each row of `order`, `LIMIT` in one dispatch at most.

    Args:
        step: a compiled training step, `(state, batch) -> (state, results)`.

    Returns: a function that gives (state, results of the last step); `data` are the arrays on the device, and each row
        of `order` names the rows of a batch.
    """
    several = K.compile_multi_step(step)

    def run(state: list[Any], data: list[Any], order: np.ndarray) -> Any:
        results = None
        for start in range(0, len(order), LIMIT):
            part = order[start : start + LIMIT]
            state, results = several(state, data, filled(part, LIMIT), len(part))
        return state, results

    return run


def map_batches(
    step: Any,
    several: Callable[[], Any],
    engine: Backend,
    dispatch: Callable[..., Any],
    values: tuple[list[Any], list[Any]],
    arrays: Sequence[np.ndarray],
    size: int,
    keep: bool,
    tuner_for: Callable[[Any], DispatchTuner],
) -> Iterator[tuple[Any, int]]:
    """A step for each batch of `size` rows of host arrays, the last one shorter.

    Args:
        step: a compiled step, `(fixed, state, batch) -> (state, outputs)`.
        several: gives the same step for several batches in one dispatch; see `Backend.compile_multi_batch`.
        engine: the backend that runs them.
        dispatch: calls its first argument on the present values and on its further arguments, keeps the new state, and
            gives what the call gave.
        values: (fixed, state), values like those that the step takes.
        arrays: the data.
        size: rows of a batch.
        keep: whether the outputs are wanted.
        tuner_for: gives the tuner for the program of a step.

    Yields: (outputs, rows) after each dispatch. An output that has more rows than that comes as `FirstRows`: cutting it
        here would wait for the engine.
    """
    whole, done = len(arrays[0]) // size, 0
    program, length = _blocks(step, engine, *values, arrays, size, keep) if whole > 1 else (None, 1)
    if length > 1:
        run, tuner = several(), tuner_for(program)
        while done < whole:
            count, started = min(length, tuner.steps(whole - done)), tuner.started()
            block = [filled(array[done * size : (done + length) * size], length * size) for array in arrays]
            state, outputs = dispatch(run, block, count, size, keep)
            tuner.finished(started, count, [state, outputs])
            yield [_first(o, count * (len(o) // length)) for o in outputs], count * size
            done += count
    if done * size < len(arrays[0]):
        yield from _one_by_one(step, engine, dispatch, values, [array[done * size :] for array in arrays], size)


def _one_by_one(
    step: Any, engine: Backend, dispatch: Callable[..., Any], values: Any, arrays: Sequence[np.ndarray], size: int
) -> Iterator[tuple[Any, int]]:
    call, known = None, 0
    for batch in engine.batches(arrays, size):
        rows = int(batch[0].shape[0])
        if rows != known:
            call, known = step.specialize(*values, list(batch)), rows
        yield dispatch(call, batch)[1], rows


def _blocks(
    step: Any, engine: Backend, fixed: Any, state: Any, arrays: Sequence[np.ndarray], size: int, keep: bool
) -> tuple[Any, int]:
    """The program for whole batches, and how many of them go in one dispatch at most; 1: they go one by one."""
    if type(engine).supports_multi_batch is Backend.supports_multi_batch:
        return None, 1
    program = step.program(fixed, state, [array[:size] for array in arrays])
    if program is None or not engine.supports_multi_batch(program):
        return program, 1
    outputs = program.results[1] if keep else []
    if any(not o.shape for o in outputs):
        return program, 1
    given = sum(array[:size].nbytes for array in arrays)
    made = sum(int(np.prod(o.shape)) * 8 for o in outputs)
    return program, min(LIMIT, max(1, BLOCK // max(1, given + made)))


def filled(array: np.ndarray, rows: int) -> np.ndarray:
    """The array, with zeros behind it if it has fewer rows."""
    if len(array) == rows:
        return array
    room = np.zeros((rows, *array.shape[1:]), array.dtype)
    room[: len(array)] = array
    return room


class FirstRows(NamedTuple):
    """A tensor of which the first rows count; whoever reads it leaves out the others."""

    tensor: Any
    rows: int


def _first(output: Any, rows: int) -> Any:
    return output if len(output) == rows else FirstRows(output, rows)
