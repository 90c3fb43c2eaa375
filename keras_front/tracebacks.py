"""Tracebacks that show the user's own lines and leave out those of keras_front.

A public function, a *boundary*, lets errors through as they are but takes the frames of this package out of their
tracebacks, in `__cause__` and `__context__` as well. The user's frames stay wherever they are, also between those of
the library (a `call`, a loss, a callback), and so do notes. `config.disable_traceback_filtering()` shows everything.

The work is done only when an error passes a boundary on its way to code outside the package; a call that succeeds pays
for one `try`, which costs nothing. This module must not import anything that is imported by what it protects but
`config`.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import ParamSpec, TypeVar

from keras_front import config
from keras_front.errors import KerasFrontError, UnknownArgumentError

__all__ = ["api_boundary", "api_boundaries", "calling_line", "hide_internal_frames", "passed_user_code", "warn_user"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

# Packages of adapters begin so, and the code that we generate is compiled under names that begin so.
ADAPTERS = "keras_front_"
GENERATED = ("<op ", "<program ", "<planned ")


def api_boundary(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, whose errors leave it without the frames of this package.

    Args:
        function: a function or method that users call.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                UnknownArgumentError.check(error, function)
                raise
        except Exception as error:
            hide_internal_frames(error)
            raise

    return mark_boundary(call)


def mark_boundary(function: R) -> R:
    """`function`, known to hide frames by itself, so that it need not be wrapped once more.

    Args:
        function: one that calls `hide_internal_frames` in its `except` clause.
    """
    function.is_api_boundary = True  # type: ignore[attr-defined]
    return function


def api_boundaries(*names: str) -> Callable[[C], C]:
    """Decorator that makes these methods of a class boundaries, its own ones and those that it inherits.

    Args:
        names: names of the methods; by default all that the class defines.
    """

    def decorate(cls: C) -> C:
        for name in names or [name for name, member in vars(cls).items() if isinstance(member, FunctionType)]:
            method = getattr(cls, name)
            if not getattr(method, "is_api_boundary", False):
                setattr(cls, name, api_boundary(method))
        return cls

    return decorate


def hide_internal_frames(error: BaseException) -> None:
    """Take our frames out of the tracebacks of an error and of those that led to it.

    To be called in the `except` clause of a function that users call, before a bare `raise`. Nothing happens where one
    of our own functions called that one, or if the filter is off.

    Args:
        error: the error that is being handled; its traceback is replaced.
    """
    if _is_ours(sys._getframe(2)) or not config.is_traceback_filtering_enabled():
        return
    innermost_is_hidden = False
    for place, link in enumerate(_chain(error)):
        frames = list(_entries(link.__traceback__))
        kept = _worth_showing([entry.tb_frame for entry in frames])
        link.__traceback__ = _joined([entry for entry, keep in zip(frames, kept, strict=True) if keep])
        innermost_is_hidden |= place == 0 and bool(kept) and not kept[-1]
    if innermost_is_hidden and not isinstance(error, KerasFrontError):
        _say_how_to_see_more(error)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn with the line of code that called this package, however many of our functions lie between.

    Args:
        message: the text.
        category: kind of the warning.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
    module, registry = frame.f_globals.get("__name__", "?"), frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, module, registry)


def _say_how_to_see_more(error: BaseException) -> None:
    """An error that is none of the library's own may come from a fault in it, which its hidden frames would show."""
    note = "Frames of keras_front are hidden; keras_front.config.disable_traceback_filtering() shows them."
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and every other one that Python would print with it."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__]


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _joined(entries: list[TracebackType]) -> TracebackType | None:
    following: TracebackType | None = None
    for entry in reversed(entries):
        following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return following


def _worth_showing(frames: list[FrameType]) -> list[bool]:
    """Which frames, outermost first, belong to the user.

    Frames of the package do not, nor those of an engine or of Python's library that it calls.
    """
    carriers = _engines() | sys.stdlib_module_names
    kept: list[bool] = []
    for frame in frames:
        carried = bool(kept) and not kept[-1] and package_of(frame) in carriers
        kept.append(not (_is_ours(frame) or carried))
    for place in reversed(range(len(frames))):  # the frames in which an engine found the error stay
        if _is_ours(frames[place]) or package_of(frames[place]) not in carriers:
            break
        kept[place] = True
    return kept


def _is_ours(frame: FrameType) -> bool:
    package = package_of(frame)
    return package == "keras_front" or package.startswith(ADAPTERS) or frame.f_code.co_filename.startswith(GENERATED)


_CARRIERS = {"numpy", "h5py", "yaml", "PIL", "scipy", ""}  # packages that are asked; "": code that was made of a text


def passed_user_code(error: BaseException) -> bool:
    """Whether an error came through code that belongs neither to this package nor to an engine or to Python's library.

    Args:
        error: an error, in the `except` clause of a function of this package.
    """
    carriers = _engines() | sys.stdlib_module_names | _CARRIERS
    frames = (entry.tb_frame for entry in _entries(error.__traceback__))
    return any(not _is_ours(frame) and package_of(frame) not in carriers for frame in frames)


def calling_line() -> str:
    """Where code outside the package called what runs now: ' (script.py, line 3: `if x > 0:`)'; empty if nowhere."""
    frame, carriers = sys._getframe(1), _engines() | {"numpy"}
    while frame is not None and (_is_ours(frame) or package_of(frame) in carriers):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    path = frame.f_code.co_filename
    text = linecache.getline(path, frame.f_lineno).strip()
    return f" ({os.path.basename(path)}, line {frame.f_lineno}{f': `{text}`' if text else ''})"


def package_of(frame: FrameType) -> str:
    """The name of the top-level package whose code runs in a frame.

    Args:
        frame: a frame of a traceback or of the stack.
    """
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _engines() -> set[str]:
    """The packages that the adapters in use have imported, and what these keep apart in one, as JAX in jaxlib."""
    adapters = [module for name, module in list(sys.modules.items()) if name.startswith(ADAPTERS)]
    used = [value for module in adapters for value in vars(module).values() if isinstance(value, ModuleType)]
    names = {module.__name__.partition(".")[0] for module in used}
    return names | {f"{name}lib" for name in names}
