"""Contexts that hold for a block of code: a trace, a frame of values, the learning phase, an eager section.

All of it lives in context variables, so that threads and tasks do not see each other's. Nothing here depends on tensors
or variables: a frame is a table from whatever has a value to that value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras_front import config
from keras_front.backend import discovery, seeds

# Tracing -------------------------------------------------------------------------------------------------------

_SERIAL = itertools.count(1)
_EAGER_STREAMS = 1 << 20  # streams of eager draws are counted from here


def next_serial() -> int:
    """A number larger than all before: what was recorded later has a larger one."""
    return next(_SERIAL)


class Trace:
    """What is true while a function is traced: the backend it is for, and how many noise streams it has opened.

    Attributes:
        parts: what was recorded for what, as (first serial number, last one, label), for those who measure; None, if
            nobody asks.
        recording: what records values to differentiate them, see `eager_tensors`; None elsewhere.
        values: the real tensors for which a record is made that is good for one run alone, by their symbols, and what
            was computed from them because code asked for a value; None for a record that is good for many.
    """

    __slots__ = ("backend", "first_serial", "parts", "recording", "streams", "values")

    def __init__(self, backend: Any):
        self.backend = backend
        self.parts: list[tuple[int, int, Any]] | None = None
        self.values: dict[Any, Any] | None = None
        self.recording: Any = None
        self.streams = itertools.count()
        self.first_serial = next_serial()


_TRACE: ContextVar[Trace | None] = ContextVar("keras_front_trace", default=None)


def tracing() -> Trace | None:
    """The trace that is being recorded, if any."""
    return _TRACE.get()


@contextmanager
def trace_scope(trace: Trace | None) -> Iterator[Trace | None]:
    """A context in which ops are recorded for `trace`; None ends a trace for the block."""
    token = _TRACE.set(trace)
    try:
        yield trace
    finally:
        _TRACE.reset(token)


@contextmanager
def recorded_for(label: Any) -> Iterator[None]:
    """A context whose records belong to `label`, for those who ask what the ops of a program are for.

    Args:
        label: a name such as 'optimizer', or the number of the record of which this is the gradient.
    """
    trace = _TRACE.get()
    if trace is None or trace.parts is None:
        yield
        return
    first = next_serial()
    yield
    trace.parts.append((first, next_serial(), label))


def next_stream() -> int:
    """The number of a new stream of noise: counted within a trace or a step, so that every backend counts alike."""
    trace = _TRACE.get()
    if trace is not None:
        return next(trace.streams)
    step = next((frame for frame in frames() if frame.counter is not None), None)
    return drawn_once(lambda: _EAGER_STREAMS + seeds.next_stream() if step is None else next(step.streams))


class _Repetition:
    """The numbers that key the noise of a run, which are drawn by its first run and found again by the next."""

    __slots__ = ("known", "place")

    def __init__(self, known: list[int]):
        self.known, self.place = known, 0

    def number(self, draw: Callable[[], int]) -> int:
        if self.place == len(self.known):
            self.known.append(draw())
        self.place += 1
        return self.known[self.place - 1]


_REPETITION: ContextVar[_Repetition | None] = ContextVar("keras_front_repetition", default=None)


def drawn_once(draw: Callable[[], int]) -> int:
    """A number that keys noise which is computed at once: `draw()`, or what that gave in the run that is repeated.

    Args:
        draw: gives a new number.
    """
    repetition = _REPETITION.get()
    return draw() if repetition is None else repetition.number(draw)


@contextmanager
def same_noise(known: list[int]) -> Iterator[None]:
    """A context in which what is computed at once draws the same noise each time it runs.

    Args:
        known: the numbers that key the noise; an empty list is filled by the first run.
    """
    token = _REPETITION.set(_Repetition(known))
    try:
        yield
    finally:
        _REPETITION.reset(token)


# Frames --------------------------------------------------------------------------------------------------------


class Frame:
    """Values of variables within a `with bind(...)` block, and the losses that layers reported in it.

    Attributes:
        table: the value of each variable.
        counter: an integer tensor that keys the noise drawn inside, or None.
        streams: numbers the draws of what is not traced.
        seed: the run's seed as an integer tensor, which keys it too, or None.
        collects: whether losses of layers are kept here.
        open: whether assignments to any variable stay inside.
        real: whether the values are real tensors, so that ops on variables compute at once.
        newcomers: variables that were assigned while traced though no frame has them; None: that is an error.
        on_assign: makes of a variable and an assigned value what the frame holds, if there is one.
        losses: what layers reported.
        updated: what `K.update` gave inside, with the variable and the value that it had before.
        parent: the frame around this one.
    """

    __slots__ = (
        "collects",
        "counter",
        "losses",
        "newcomers",
        "on_assign",
        "open",
        "parent",
        "real",
        "seed",
        "streams",
        "table",
        "updated",
    )

    def __init__(
        self,
        table: dict[Any, Any],
        counter: Any,
        collects: bool,
        open_to_all: bool,
        real: bool = False,
        seed: Any = None,
    ):
        self.table, self.counter, self.seed, self.streams = table, counter, seed, itertools.count()
        self.collects, self.open, self.real = collects, open_to_all, real
        self.newcomers: dict[Any, None] | None = None
        self.on_assign: Callable[[Any, Any], Any] | None = None
        self.losses: list[Any] = []
        self.updated: list[tuple[Any, Any, Any]] = []
        self.parent: Frame | None = None

    casts = False  # whether it only gives values in another dtype, see `autocast.Casting`

    def takes(self, variable: Any) -> bool:
        """Whether an assignment to `variable` stays in this frame."""
        return self.open or variable in self.table

    def values_of(self, variables: Iterable[Any]) -> list[Any]:
        """The values of `variables` as they are now, after all assignments."""
        return [self.table[v] for v in variables]


_FRAME: ContextVar[Frame | None] = ContextVar("keras_front_frame", default=None)


def snapshot() -> list[tuple[Frame, dict[Any, Any], int]]:
    """The open frames with what they hold now; see `changes_since`."""
    return [(frame, dict(frame.table), len(frame.losses)) for frame in frames()]


def changes_since(before: Sequence[tuple[Frame, dict[Any, Any], int]]) -> list[tuple[Any, Any]]:
    """Where the open frames hold something else than in a snapshot, as pairs (table or list, key or index)."""
    changed: list[tuple[Any, Any]] = []
    for frame, table, losses in before:
        changed += [(frame.table, v) for v, value in frame.table.items() if table.get(v) is not value]
        changed += [(frame.losses, i) for i in range(losses, len(frame.losses))]
    return changed


def current_frame() -> Frame | None:
    """The innermost frame that holds values."""
    frame = _FRAME.get()
    while frame is not None and frame.casts:
        frame = frame.parent
    return frame


def frames() -> Iterator[Frame]:
    """The frames that hold here, the innermost first."""
    frame = _FRAME.get()
    while frame is not None:
        yield frame
        frame = frame.parent


@contextmanager
def frame_scope(frame: Frame) -> Iterator[Frame]:
    """A context in which `frame` is the innermost one; where values are cast when they are read, its values are too."""
    frame.parent, casting = _FRAME.get(), CASTING.get()
    token = _FRAME.set(frame if casting is None or frame.casts else casting.above(frame))
    try:
        yield frame
    finally:
        _FRAME.reset(token)


@contextmanager
def no_frame() -> Iterator[None]:
    """A context in which no frame gives values to variables."""
    token = _FRAME.set(None)
    try:
        yield
    finally:
        _FRAME.reset(token)


def scratch(real: bool = False) -> Any:
    """A context whose assignments and losses are forgotten; `real`: what runs inside runs on real tensors."""
    return frame_scope(Frame({}, None, True, True, real))


CASTING: ContextVar[Any] = ContextVar("keras_front_casting", default=None)  # see `autocast`


def uncast_value(variable: Any, frame: Frame | None) -> Any:
    """`bound_value`, in the dtype of the variable, from a frame on."""
    while frame is not None:
        value = None if frame.casts else frame.table.get(variable)
        if value is not None:
            return value
        frame = frame.parent
    return None


def bound_value(variable: Any) -> Any:
    """The value of a variable in the innermost frame that has one, None if none has."""
    frame = _FRAME.get()
    while frame is not None:
        value = frame.table.get(variable)
        if value is not None:
            return value
        frame = frame.parent
    return None


def bound_counter() -> Any:
    """The counter of the innermost frame that has one, None if none has."""
    return next((frame.counter for frame in frames() if frame.counter is not None), None)


def bound_seed() -> Any:
    """The run's seed in the innermost frame that has it, None if none has."""
    return next((frame.seed for frame in frames() if frame.seed is not None), None)


def add_loss_to_frame(value: Any) -> bool:
    """Hand a loss, as a layer reports it, to the innermost frame that collects losses.

    Args:
        value: a tensor of shape ().

    Returns: False if no frame collects; the loss is dropped then.

    Example:
        >>> add_loss_to_frame(1.0)
        False
    """
    frame = next((frame for frame in frames() if frame.collects), None)
    if frame is None:
        return False
    frame.losses.append(value)
    return True


# The learning phase --------------------------------------------------------------------------------------------

_PHASE: ContextVar[Any] = ContextVar("keras_front_phase", default=None)
_global_phase: Any = None


def phase_value() -> Any:
    """The learning phase if it is set, else None."""
    value = _PHASE.get()
    return _global_phase if value is None else value


def fix_phase(value: int | None) -> None:
    """Fix the learning phase for everything that does not say otherwise, in all threads.

    Args:
        value: 0 (test), 1 (train), or None, which releases it.
    """
    global _global_phase
    _global_phase = value
    config.revise()


def clear_learning_phase() -> None:
    """Undo `K.set_learning_phase`."""
    fix_phase(None)


@contextmanager
def phase(value: Any) -> Iterator[None]:
    """A context in which the learning phase is `value`, in this thread.

    Args:
        value: 0 (test), 1 (train), a symbolic scalar, or None for what `fix_phase` said.

    Example:
        >>> with phase(1):
        ...     K.learning_phase()
        1
    """
    token = _PHASE.set(value)
    try:
        yield
    finally:
        _PHASE.reset(token)


# Eager sections ------------------------------------------------------------------------------------------------

_EAGER: ContextVar[bool] = ContextVar("keras_front_eager", default=False)


def eager_section() -> bool:
    """Whether variables are read as real tensors here."""
    return _EAGER.get()


def eager(func: Any = None) -> Any:
    """A context in which variables are read as real tensors, so that ops on variables alone compute at once.

    Args:
        func: a function, which is returned as it is: Keras 2.3 had a decorator of this name for its own use.

    Example:
        >>> weight = K.variable(3.0)
        >>> with eager():
        ...     float(weight + 1)
        4.0
    """
    return _eager_context() if func is None else func


@contextmanager
def _eager_context() -> Iterator[None]:
    token = _EAGER.set(True)
    try:
        yield
    finally:
        _EAGER.reset(token)


def computes_now() -> bool:
    """Whether an op on variables computes at once: in an eager section, or in a frame that gives variables values.

    Elsewhere what contains a variable stays symbolic until its value is asked for, so that it follows the variable.
    """
    if _TRACE.get() is not None:
        return False
    return _EAGER.get() or any(frame.real for frame in frames())


def is_outermost() -> bool:
    """Whether nothing is traced here, no frame gives values, and no section is eager: code of a user's own."""
    return _TRACE.get() is None and not _EAGER.get() and _FRAME.get() is None


# What a program bakes in ---------------------------------------------------------------------------------------


def trace_key() -> tuple[Any, ...]:
    """Everything outside a function and its arguments on which the record of a traced function depends.

    A program that was traced under one key must not run under another: programs are kept together with it.
    It holds the learning phase, the device, the settings (floatx, epsilon, image data format, dialect), and whether
    noise is to be reproducible. The seed is none of these: programs take it as an argument.
    """
    known = _known
    if (
        known[0] is config.revision
        and known[1] is _PHASE.get()
        and known[2] is discovery.DEVICE.get()
        and known[3] is config.BLOCK.get()
    ):
        return known[4]
    return _trace_key_now()


_known: tuple[Any, ...] = (None, None, None, None, ())  # what the key depends on, and the key: calls take microseconds


def _trace_key_now() -> tuple[Any, ...]:
    global _known
    sources = config.revision, _PHASE.get(), discovery.DEVICE.get(), config.BLOCK.get()  # before what follows is read
    key = phase_value(), discovery.current_device(), config.trace_key(), seeds.trace_key(), discovery.refusals
    _known = (*sources, key)
    return key
