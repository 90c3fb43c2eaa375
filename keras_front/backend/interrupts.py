"""Interrupts: a Ctrl-C, or another signal whose handler raises, waits until a step and its hand-over are through.

A step may overwrite the state that it is given, so one that is broken off half way leaves neither the old state nor the
new one. Python calls handlers of signals between any two operations of the main thread; while a step runs, these only
take note, and the real ones are called right after it. A second Ctrl-C is not held back.

Everything here belongs to the main thread; elsewhere no signal arrives, and these functions do nothing.
"""

from __future__ import annotations

import _signal
import signal
import threading
from _thread import get_ident
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Signals by which programs end what is running: limits of time, the end of a job, Ctrl-C.
_NAMES = ("SIGALRM", "SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGVTALRM", "SIGPROF")
ALL = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))
FOR_ONE_STEP = ALL[: ALL.index(signal.SIGINT) + 1]  # each costs a tenth of a microsecond

# The functions of `signal` in Python make enumerations of what goes in and out, which takes longer than all the rest.
_handler_of, _set_handler = _signal.getsignal, _signal.signal

_main = threading.main_thread().ident
_real: dict[int, Any] = {}  # the handlers in whose place ours is
_busy = False
_watching = False
_came: list[tuple[int, Any]] = []


def _handler(number: int, frame: Any) -> None:
    """What stands in the place of the real handlers."""
    again = number == signal.SIGINT and any(n == number for n, _ in _came)
    if not _busy or again:
        _came.clear()
        _real[number](number, frame)
    else:
        _came.append((number, frame))


@contextmanager
def watched() -> Iterator[None]:
    """A context in which `hold` costs almost nothing, for loops of many steps."""
    global _watching
    if get_ident() != _main or _watching:
        yield
        return
    try:
        _install(ALL)
        _watching = True
        yield
    finally:
        _watching = False
        _restore()


def hold() -> int:
    """Hold signals back until `let_go`, which has to follow in a `finally`.

    Returns: what `let_go` takes.
    """
    global _busy
    if _busy or get_ident() != _main:
        return 0
    if _watching:
        _busy = True
        return 1
    _install(FOR_ONE_STEP)
    _busy = True  # last, so that no handler that raises can leave it set
    return 2


def let_go(holding: int) -> None:
    """End `hold`, and call the handlers of the signals that came meanwhile.

    Args:
        holding: what `hold` returned.
    """
    global _busy
    if not holding:
        return
    _busy = False
    try:
        if _came:
            _deliver()
    finally:
        if holding == 2:
            _restore()


def _deliver() -> None:
    came = list(_came)
    _came.clear()
    for number, frame in came:
        _real[number](number, frame)


def _install(numbers: Sequence[int]) -> None:
    """Put ours in the place of the handlers; where it was left, as a real one raised during `_restore`, it stays."""
    try:
        for number in numbers:
            handler = _handler_of(number)
            # The system's own handling is an int, one in C is None.
            if handler.__class__ is not int and handler is not None and handler is not _handler:
                _real[number] = handler
                _set_handler(number, _handler)
    except BaseException:
        _restore()
        raise


def _restore() -> None:
    """Set the real handlers back. From then on each may raise, so the others follow in a `finally`."""
    try:
        for number, real in [*_real.items()]:
            if _handler_of(number) is _handler:  # otherwise somebody has set another one meanwhile
                _set_handler(number, real)
            del _real[number]
    finally:
        if _real:
            _restore()
