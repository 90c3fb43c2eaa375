"""Small things that old scripts import from `keras.utils.generic_utils`: progress bar, list and argument helpers.

The progress bar decides once where it writes: on a terminal or in a notebook a line is redrawn in place,
in a log file a line is written when it is complete, without control characters. It knows nothing of models.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from keras_front.custom_objects import custom_object_scope, get_custom_objects
from keras_front.errors import ArgumentError

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "get_custom_objects",
    "getargspec",
    "has_arg",
    "is_all_none",
    "object_list_uid",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]

CustomObjectScope = custom_object_scope


class Progbar:
    """A progress bar in the classic form.

    Args:
        target: number of units to come; None if unknown.
        width: characters of the bar.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least seconds between two redraws.
        stateful_metrics: names of values that are shown as given; the others are averaged over the units.
        stream: where it is written; `sys.stdout`, as it is at that moment, by default.

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.update(2, [("loss", 0.5)])
         - 0s - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stream: TextIO | None = None,
    ):
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics = set(stateful_metrics or ())
        self.stream = stream
        self.redraws = redraws_in_place(self._out)
        self._sums: dict[str, list[float] | None] = {}
        self._shown: dict[str, float] = {}
        self._seen = 0
        self._start = time.time()
        self._drawn_at = 0.0
        self._drawn_width = 0

    @property
    def _out(self) -> TextIO:
        return self.stream if self.stream is not None else sys.stdout

    def update(self, current: int, values: Sequence[tuple[str, float]] | None = None) -> None:
        """Show how far things are.

        Args:
            current: units that are done.
            values: pairs (name, value) to show behind the bar.
        """
        self._collect(current, values or ())
        self._seen = current
        done = self.target is not None and current >= self.target
        if self.verbose == 1:
            self._draw(current, done)
        elif self.verbose == 2 and done:
            self._write(f" - {time.time() - self._start:.0f}s{self._values_text(4)}\n")

    def add(self, n: int, values: Sequence[tuple[str, float]] | None = None) -> None:
        """Show that things went on.

        Args:
            n: how many more units are done.
            values: pairs (name, value) to show behind the bar.
        """
        self.update(self._seen + n, values)

    def _collect(self, current: int, values: Iterable[tuple[str, float]]) -> None:
        for name, value in values:
            if name in self.stateful_metrics:
                self._sums[name] = None
                self._shown[name] = value
                continue
            total = self._sums.get(name) or [0.0, 0]
            units = max(current - self._seen, 1 if name not in self._sums else 0)
            self._sums[name] = total = [total[0] + value * units, total[1] + units]
            self._shown[name] = total[0] / max(1, total[1])

    def _draw(self, current: int, done: bool) -> None:
        now = time.time()
        if not done and (not self.redraws or now - self._drawn_at < self.interval):
            return
        text = self._bar_text(current) + self._time_text(current, now, done) + self._values_text(4)
        if self.redraws:
            text = "\r" + text.ljust(self._drawn_width)
        self._drawn_width = 0 if done else len(text) - 1
        self._drawn_at = now
        self._write(text + ("\n" if done else ""))

    def _bar_text(self, current: int) -> str:
        if self.target is None:
            return f"{current:>7}/Unknown"
        digits = len(str(self.target))
        filled = int(self.width * min(current / max(self.target, 1), 1.0))
        if current >= self.target:
            bar = "=" * self.width
        elif filled:
            bar = "=" * (filled - 1) + ">" + "." * (self.width - filled)
        else:
            bar = "." * self.width
        return f"{current:>{digits}}/{self.target} [{bar}]"

    def _time_text(self, current: int, now: float, done: bool) -> str:
        spent = now - self._start
        each = spent / current if current else 0.0
        if self.target is not None and not done:
            return f" - ETA: {clock(each * (self.target - current))}"
        return f" - {spent:.0f}s {_duration(each)}/step"

    def _values_text(self, digits: int) -> str:
        parts = [f" - {name}: {_number(value, digits)}" for name, value in self._shown.items()]
        return "".join(parts)

    def _write(self, text: str) -> None:
        out = self._out
        out.write(text)
        out.flush()


def redraws_in_place(stream: Any) -> bool:
    """Whether a line on `stream` can be drawn again: a terminal, or the output of a notebook."""
    try:
        if stream.isatty():
            return True
    except (AttributeError, ValueError):
        return False
    return type(stream).__module__.split(".")[0] in {"ipykernel", "google"}


def clock(seconds: float) -> str:
    """Seconds as people read them: '5s', '1:05', '2:01:05'."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _duration(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _number(value: Any, digits: int) -> str:
    number = float(value)
    return f"{number:.{digits}f}" if abs(number) > 1e-3 else f"{number:.{digits}e}"


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A thing as a list.

    Args:
        x: a list, which is itself, or anything else, which becomes the only element.
        allow_tuple: whether a tuple becomes the list of its elements.

    Example:
        >>> to_list(1), to_list([1])
        ([1], [1])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    """The only element of a list or tuple of one.

    Args:
        x: the list or tuple; anything else, or one of another length, is itself.

    Example:
        >>> unpack_singleton([1])
        1
    """
    return x[0] if isinstance(x, list | tuple) and len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """The identities of some objects as one text.

    Args:
        object_list: the objects, or one of them.
    """
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether there is nothing but None.

    Args:
        iterable_or_element: a list or tuple, of which every element must be None, or one thing.

    Example:
        >>> is_all_none([None, None])
        True
    """
    elements = iterable_or_element if isinstance(iterable_or_element, list | tuple) else [iterable_or_element]
    return all(x is None for x in elements)


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Some rows of an array, or of each array in a list.

    Args:
        arrays: an array, or a list of arrays and None.
        start: the first row, or a list of rows.
        stop: the row after the last one.

    Raises: ArgumentError if rows are listed and `stop` is given as well.
    Example:
        >>> slice_arrays([[1, 2, 3], None], 1, 3)
        [[2, 3], None]
    """
    if arrays is None:
        return [None]
    if hasattr(start, "__len__") and stop is not None:
        raise ArgumentError("slice_arrays: expected either a list of rows or `start` and `stop`, received both.")
    rows = start if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if x is None else x[rows] for x in arrays]
    return arrays[rows] if hasattr(arrays, "__getitem__") else [None]


def transpose_shape(shape: Sequence[Any], target_format: str, spatial_axes: Iterable[int]) -> tuple[Any, ...]:
    """A channels-last shape put in another layout.

    Args:
        shape: list or tuple, with channels last.
        target_format: 'channels_last' or 'channels_first'.
        spatial_axes: numbers of the axes between the batch and the channels.

    Raises: ArgumentError for another format.
    Example:
        >>> transpose_shape((None, 8, 9, 3), "channels_first", (1, 2))
        (None, 3, 8, 9)
    """
    if target_format == "channels_last":
        return tuple(shape)
    if target_format == "channels_first":
        return (
            *shape[: min(spatial_axes := list(spatial_axes))],
            shape[-1],
            *(shape[i] for i in spatial_axes),
        )
    raise ArgumentError(f"transpose_shape: expected 'channels_first' or 'channels_last', received {target_format!r}.")


def check_for_unexpected_keys(name: str, input_dict: dict[str, Any], expected_values: Iterable[str]) -> None:
    """Raise unless a dict has known keys only.

    Args:
        name: what the dict is, for the message.
        input_dict: the dict.
        expected_values: the keys that it may have.

    Raises: ArgumentError for another key.
    """
    unknown = sorted(set(input_dict) - set(expected_values))
    if unknown:
        raise ArgumentError(f"{name}: expected the keys {list(expected_values)}, received also {unknown}.")


def getargspec(fn: Callable[..., Any]) -> inspect.FullArgSpec:
    """The argument names and defaults of a function.

    Args:
        fn: the function.
    """
    return inspect.getfullargspec(fn)


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function can be called with a keyword.

    Args:
        fn: the function.
        name: the keyword.
        accept_all: whether `**kwargs` counts.

    Example:
        >>> has_arg(lambda x, **rest: x, "y"), has_arg(lambda x, **rest: x, "y", accept_all=True)
        (False, True)
    """
    parameters = inspect.signature(fn).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) and accept_all:
        return True
    found = parameters.get(name)
    return found is not None and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)
