"""How long each op of a function takes: the function is traced, and its program is run one op at a time, with a clock.

The program is that of the rules for gradients, so that a backward pass is ops as well, on every backend. Nothing is
fused or planned by an engine's compiler, and after each op the engine is waited for: shares of a whole can be read from
this, and how dear a compiled function is cannot.
"""

from __future__ import annotations

import bisect
import copy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from keras_front import nest
from keras_front.backend import codegen, discovery, scopes
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.program import captured_value, trace

PATIENCE = 2.0  # seconds after which no further run begins


class OpTime(NamedTuple):
    """The time of one op.

    Attributes:
        op: its name.
        labels: what it was recorded for, the outermost first; the number of a record means its gradient.
        seconds: the median of several runs.
        shape: that of its first result.
    """

    op: str
    labels: tuple[Any, ...]
    seconds: float
    shape: tuple[int | None, ...]


def op_times(fn: Callable[..., Any], args: Sequence[Any], repeats: int = 5) -> list[OpTime]:
    """The ops of a function and the time of each, in the order in which they run.

    Args:
        fn: a function of tensors and flat lists of them, which may call `scopes.recorded_for`.
        args: its arguments, tensors of the active backend.
        repeats: how often it is run, after a run that is not counted; fewer where that takes seconds.
    """
    backend = copy.copy(discovery.active())
    backend.differentiates = False  # type: ignore[attr-defined]
    parts: list[tuple[int, int, Any]] = []

    def noted(*leaves: Any) -> Any:
        scopes.tracing().parts = parts  # type: ignore[union-attr]
        return fn(*leaves)

    program = trace(backend, noted, args)
    seconds = _medians(program, args, repeats)
    labels = _labels(program, _Parts(parts))
    return [
        OpTime(i.op, label, time, tuple(i.outs[0].shape) if i.outs else ())
        for i, label, time in zip(program.instructions, labels, seconds, strict=True)
    ]


# Running --------------------------------------------------------------------------------------------------------


class _Clock:
    """Waits after each op, and notes the time that it took."""

    def __init__(self, backend: Any):
        self._backend, self.seconds, self._started = backend, list[float](), time.perf_counter()

    def tick(self, results: Any) -> None:
        """An op is done, with these results."""
        self._backend.block([t for t in nest.flatten(results) if t is not None])
        self.seconds.append(time.perf_counter() - self._started)
        self._started = time.perf_counter()


def _medians(program: Program, args: Sequence[Any], repeats: int) -> list[float]:
    text, scope = codegen.parts_of(program)
    exec(compile(_with_clock(text, len(program.instructions)), "<program with a clock>", "exec"), scope)
    captured = [[captured_value(program.backend, t) for t in program.captures]] if program.captures else []

    def seconds() -> list[float]:
        clock = _Clock(program.backend)
        with scopes.eager():
            scope["program"](clock.tick, *args, *captured)
        return clock.seconds

    seconds()  # an engine may compile its ops first
    runs, until = [seconds()], time.perf_counter() + PATIENCE
    while len(runs) < repeats and time.perf_counter() < until:
        runs.append(seconds())
    return [statistics.median(each) for each in zip(*runs, strict=True)]


def _with_clock(text: str, count: int) -> str:
    """The text of a program that tells `tick` of each of its instructions, which are the last lines but one."""
    *lines, end = text.rstrip().splitlines()
    head, body = lines[: len(lines) - count], lines[len(lines) - count :]
    ticks = (f"{line}\n    tick({line.partition(' = ')[0].strip()})" for line in body)
    head[0] = head[0].replace("def program(", "def program(tick, ", 1)
    return "\n".join([*head, *ticks, end, ""])


# What ops are for -----------------------------------------------------------------------------------------------


class _Parts:
    """Which labels hold for a record.

    Args:
        parts: (first serial number, last one, label); any two are nested or apart.
    """

    def __init__(self, parts: list[tuple[int, int, Any]]):
        self._parts = sorted(parts, key=lambda part: (part[0], -part[1]))
        self._firsts = [first for first, _, _ in self._parts]
        self._outer: list[int] = []  # the place of the part around each, -1 if there is none
        stack: list[int] = []
        for place, (first, _, _) in enumerate(self._parts):
            while stack and self._parts[stack[-1]][1] < first:
                stack.pop()
            self._outer.append(stack[-1] if stack else -1)
            stack.append(place)

    def of(self, serial: int) -> tuple[Any, ...]:
        """The labels around a record, the outermost first."""
        return tuple(reversed(list(self._from_within(serial))))

    def _from_within(self, serial: int) -> Iterator[Any]:
        place = bisect.bisect(self._firsts, serial) - 1
        while place >= 0:
            _, last, label = self._parts[place]
            if serial <= last:
                yield label
            place = self._outer[place]


def _labels(program: Program, parts: _Parts) -> list[tuple[Any, ...]]:
    """The labels of each instruction; the gradient of a record has those of the record, and its number last."""
    found: list[tuple[Any, ...]] = []
    for instruction in program.instructions:
        serial = _serial(instruction)
        labels = found[-1] if serial is None and found else parts.of(serial or 0)
        if labels and isinstance(labels[-1], int) and serial is not None:
            labels = (*(label for label in parts.of(labels[-1]) if not isinstance(label, int)), labels[-1])
        found.append(labels)
    return found


def _serial(instruction: Instruction) -> int | None:
    origins = (out.origin for out in instruction.outs)
    return next((origin.serial for origin in origins if origin is not None), None)
