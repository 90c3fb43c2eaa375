"""Code that cannot be traced: where it is, and the warning that names it.

A function that cannot be traced may run on real tensors instead, step by step, where the engine differentiates by
itself. That costs speed, so it happens only where code of the user is the reason (a function of the engine in a
`Lambda`, a branch on a value), and the warning comes once. An error of the library in a trace is an error.
"""

from __future__ import annotations

import traceback
import types
import warnings
from collections.abc import Iterator
from typing import Any

from keras_front.errors import KerasFrontError, UntraceableError
from keras_front.tracebacks import package_of

PACKAGE = "keras_front"
_SUPPORT = frozenset({"contextlib", "functools"})  # frames of these stand for their callers
_warned: set[tuple[str, int]] = set()


def by_user_code(error: Exception) -> bool:
    """Whether a trace failed on code that needs values or is not the library's: not on an error of the library."""
    if isinstance(error, KerasFrontError):
        return isinstance(error, UntraceableError)
    if needs_values(error):
        return True
    last = None
    for frame, _ in _frames(error):
        last = frame
    return last is not None and not _is_ours(last)


def needs_values(error: Exception) -> bool:
    """Whether a trace failed because a value was wanted, or a function of an engine was handed one of our tensors."""
    return isinstance(error, UntraceableError) or "SymbolicTensor" in str(error)


def warn_once(error: Exception, function: str, backend: Any, anew: bool = False) -> None:
    """Warn that `function` is not traced once and for all, naming the line of the user's code that was the reason.

    Args:
        error: what the trace met.
        function: the name of the function.
        backend: the adapter that runs it.
        anew: whether it is traced at each call, for the values of that call; else it runs on the engine's tensors.
    """
    place = _user_place(error, backend)
    if place in _warned:
        return
    _warned.add(place)
    reason = traceback.format_exception_only(error)[0].strip()
    instead = (
        "is traced anew at each call, which is much slower"
        if anew
        else f"runs on tensors of the backend {backend.name!r} instead, slower and on that backend only"
    )
    warnings.warn_explicit(
        f"This code cannot be traced once for all calls, so {function!r} {instead} ({reason[:300]}). Write it "
        "with functions of keras_front.backend (K) to have it compiled.",
        RuntimeWarning,
        *place,
    )


def _user_place(error: Exception, backend: Any) -> tuple[str, int]:
    """File and line of the innermost code that belongs neither to us nor to an engine."""
    engines = {kind.__module__.partition(".")[0] for kind in backend.tensor_types} | {"numpy"}
    found = [(f.f_code.co_filename, n) for f, n in _frames(error) if not _is_ours(f) and package_of(f) not in engines]
    return found[-1] if found else ("<unknown>", 0)


def _frames(error: Exception) -> Iterator[tuple[types.FrameType, int]]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        if package_of(frame) not in _SUPPORT:
            yield frame, line


def _is_ours(frame: types.FrameType) -> bool:
    return package_of(frame).startswith(PACKAGE)
