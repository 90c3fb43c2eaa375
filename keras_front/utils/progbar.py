"""`Progbar`: how far a task is, with the values that belong to it.

It decides once where it writes. On a terminal a line is redrawn in place, in a notebook a piece of HTML; in a log file
or a pipe a line is written when it is complete, without control characters. What a line looks like is a matter of the
dialect: natively, while it is redrawn, it also has the steps a second, colours, and at most the width of the terminal.
It knows nothing of models.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO, TypeVar

from keras_front import conventions
from keras_front.compatibility import checked_constructor
from keras_front.utils.messages import is_interactive_logging_enabled, print_msg
from keras_front.utils.notebook import Html, LiveOutput, notebook_output
from keras_front.utils.terminal import Span, cut, has_colours, length, painted, redraws_in_place, width_of

__all__ = ["Progbar", "clock", "long_task", "redraws_in_place", "tracked"]

T = TypeVar("T")
LONG = 2.0  # seconds after which a task that is usually short shows how far it is
_PREFIXES = "kMGT"
NARROWEST = 10  # characters of a bar that shares its line with many values


class Progbar:
    """A progress bar in the classic form.

    Args:
        target: number of units to come; None if unknown.
        width: characters of the bar.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least seconds between two redraws.
        stateful_metrics: names of values that are shown as given; the others are averaged over the units.
        stream: where it is written; `sys.stdout`, as it is at that moment, by default.
        unit_name: what a unit is called beside its time.
        title: what the line begins with, such as 'Epoch 1/2'; nothing by default.
        in_bytes: units are bytes, and shown as such while the line is redrawn.
        transient: show nothing but on a terminal or in a notebook, and take it away at the end.
        delay: seconds before it is first shown; 0 for at once.

    Attributes: `redraws`, whether lines are drawn again; `steps`, how many steps are done, where a unit is a sample, so
        that the speed is in steps a second.

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.update(2, [("loss", 0.5)])
         - 0s - loss: 0.5000
    """

    @checked_constructor
    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stream: TextIO | None = None,
        unit_name: str = "step",
        *,
        title: str = "",
        in_bytes: bool = False,
        transient: bool = False,
        delay: float = 0.0,
    ):
        self.unit_name, self.title, self.in_bytes = unit_name, title, in_bytes
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.transient, self.delay = transient, delay
        self.stateful_metrics = set(stateful_metrics or ())
        self.stream = stream
        self.steps: int | None = None
        printed = stream is not None or is_interactive_logging_enabled()
        self.redraws = printed and redraws_in_place(self._out)
        self._sums: dict[str, list[float] | None] = {}
        self._shown: dict[str, float] = {}
        self._seen = 0
        self._start = time.time()
        self._first: tuple[float, int] | None = None  # when it was first drawn with something done, and how much
        self._drawn_at = 0.0
        self._form = conventions.current().progress
        self._line = _Line()
        if self._form == "with speed" and stream is None and printed:
            self._line.notebook = notebook_output()

    @property
    def _out(self) -> TextIO:
        return self.stream if self.stream is not None else sys.stdout

    @property
    def in_notebook(self) -> bool:
        """Whether it is shown as HTML, with its title."""
        return self._line.notebook is not None

    def follow(self, other: Progbar) -> None:
        """Take the place of another bar on the terminal or in the notebook: its line is drawn over.

        Args:
            other: a bar that has not ended its line.
        """
        self._line, self.title = other._line, self.title or other.title

    def update(
        self,
        current: int,
        values: Sequence[tuple[str, float]] | None = None,
        force: bool = False,
        finalize: bool | None = None,
    ) -> None:
        """Show how far things are.

        Args:
            current: units that are done.
            values: pairs (name, value) to show behind the bar.
            force: draw now, however short ago that was.
            finalize: whether this is the last time; by default it is when `target` is reached.
        """
        self._collect(current, values or ())
        self._seen = current
        done = (self.target is not None and current >= self.target) if finalize is None else finalize
        if self.verbose == 1:
            self._draw(current, done, force)
        elif self.verbose == 2 and done:
            self._write(self._one_line(current, time.time() - self._start))

    def _one_line(self, current: int, spent: float) -> str:
        line = f"{self.title} - {spent:.0f}s{painted(self._values(4), False)}"
        if self._form != "of tf.keras":
            return f"{line}\n"
        each = f"{_duration(spent / max(current, 1))}/{self.unit_name}"
        return (
            f"{current}/{current if self.target is None else self.target}{line} - {_duration(spent)}/epoch - {each}\n"
        )

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

    # When it is drawn, and where ----------------------------------------------------------------------

    def _draw(self, current: int, done: bool, force: bool) -> None:
        now = time.time()
        if self._is_quiet(now, done, force):
            return
        self._drawn_at = now
        if current and self._first is None:
            self._first = now, self.steps or current
        if self._line.notebook is not None:
            self._line.notebook.show(self._html(current, now, done))
        elif self.redraws:
            self._redraw(current, now, done)
        else:
            self._write(painted(self._spans(current, now, done), False) + "\n")

    def _is_quiet(self, now: float, done: bool, force: bool) -> bool:
        """Whether nothing is drawn this time."""
        if self.transient and (not self.redraws or (done and not self._drawn_at)):
            return True
        if done:
            return False
        early = now - self._drawn_at < self.interval or now - self._start < self.delay
        return not self.redraws or (early and not force)

    def _redraw(self, current: int, now: float, done: bool) -> None:
        out = self._out
        rich = self._form == "with speed"
        spans = [] if done and self.transient else self._spans(current, now, done)
        if rich and not (done and not self.transient):  # a line that stays is whole, however long
            spans = self._fitted(current, now, done, spans, width_of(out))
        drawn, self._line.width = self._line.width, 0 if done else length(spans)
        padding = " " * (drawn - length(spans))
        end = "\r" if done and self.transient else "\n" if done else ""
        self._write("\r" + painted(spans, rich and has_colours(out)) + padding + end)

    def _fitted(self, current: int, now: float, done: bool, spans: list[Span], width: int | None) -> list[Span]:
        """The line in the width of a terminal, whose last column stays free: the bar gives way before the values do."""
        too_long = length(spans) - width + 1 if width else 0
        if too_long > 0:
            bar = max(min(NARROWEST, self.width), self.width - too_long)
            spans = self._spans(current, now, done, bar)
        return cut(spans, width - 1 if width else None)

    def _write(self, text: str) -> None:
        if self.stream is None and not is_interactive_logging_enabled():
            print_msg(text.strip("\r\n"))
            return
        out = self._out
        out.write(text)
        out.flush()

    # What it says -------------------------------------------------------------------------------------

    def _spans(self, current: int, now: float, done: bool, width: int | None = None) -> list[Span]:
        title = [Span(self.title + " ")] if self.title and (self._form == "with speed") else []
        bar = self._bar(current, self.width if width is None else width)
        speed = [] if done else [Span(self._speed(current, now), "dim")]
        return [*title, *bar, self._times(current, now, done), *self._values(4), *speed]

    def _bar(self, current: int, width: int) -> list[Span]:
        if self.target is None:
            return [Span(f"{self._count(current):>7}/Unknown")]
        count = f"{self._count(current):>{len(self._count(self.target))}}/{self._count(self.target)} "
        if self._form == "by steps":
            done = int(20 * current / max(self.target, 1))
            return [Span(f"{current}/{self.target} " + ("\u2501" * done).ljust(20))]
        filled = int(width * min(current / max(self.target, 1), 1.0))
        if current >= self.target:
            return [Span(count), Span("["), Span("=" * width, "green"), Span("]")]
        head = "=" * (filled - 1) + ">" if filled else ""
        return [Span(count), Span("["), Span(head, "cyan"), Span("." * (width - filled), "dim"), Span("]")]

    def _count(self, units: int) -> str:
        return readable(units) if self.in_bytes and self.redraws and self._form == "with speed" else str(units)

    def _times(self, current: int, now: float, done: bool) -> Span:
        if not current and not done and self._form == "with speed":
            return Span("")  # nobody knows yet
        spent = now - self._start
        each = spent / current if current else 0.0
        if self._form == "by steps":
            left = spent if done else each * ((self.target or current) - current)
            return Span(f" {clock(left)} {_duration(each)}/{self.unit_name}")
        if self.target is not None and not done:
            return Span(f" - ETA: {clock(self._left(current, now))}")
        if self.in_bytes and self.redraws and self._form == "with speed":
            return Span(f" - {spent:.0f}s - {readable(current / max(spent, 1e-9))}/s" if done else f" - {spent:.0f}s")
        per_unit = "" if self._form == "without step time" else f" {_duration(each)}/{self.unit_name}"
        return Span(f" - {spent:.0f}s{per_unit}")

    def _pace(self, current: int, now: float) -> float:
        """Steps a second; the first ones do not count where there are others, since they are compiled then."""
        done = self.steps or current
        begun, before = self._first if self._first is not None and self._first[1] < done else (self._start, 0)
        return (done - before) / max(now - begun, 1e-9)

    def _left(self, current: int, now: float) -> float:
        if not current or self.target is None:
            return 0.0
        if self._form != "with speed":
            return (now - self._start) / current * (self.target - current)
        return (self.target - current) / current * (self.steps or current) / self._pace(current, now)

    def _speed(self, current: int, now: float) -> str:
        if self._form != "with speed" or not current:
            return ""
        pace = self._pace(current, now)
        return f" - {readable(pace)}/s" if self.in_bytes else f" - {_short(pace)} {self.unit_name}s/s"

    def _values(self, digits: int) -> list[Span]:
        pairs = ((Span(f" - {name}: ", "dim"), Span(_number(value, digits))) for name, value in self._shown.items())
        return [span for pair in pairs for span in pair]

    def _html(self, current: int, now: float, done: bool) -> Html:
        from html import escape  # with a table of all entities

        text = painted(self._spans(current, now, done), False)
        if done and self.transient:
            return Html("", "")
        known = f' value="{min(current, self.target)}" max="{max(self.target, 1)}"' if self.target is not None else ""
        count = f"{self._count(current)}/{self._count(self.target) if self.target is not None else '?'}"
        speed = Span("" if done else self._speed(current, now))
        rest = painted([self._times(current, now, done), *self._values(4), speed], False)
        bar = f'<progress{known} style="width: 16em; vertical-align: middle"></progress>'
        words = [escape(part) for part in (f"{self.title} {count} ".lstrip(), rest)]
        return Html(f'<div style="font-family: monospace">{words[0]}{bar}{words[1]}</div>', text)


class _Line:
    """A line that is drawn again, by one bar or by several after each other.

    Attributes: `width`, characters of what stands there; `notebook`, the output of a notebook in its place.
    """

    def __init__(self) -> None:
        self.width = 0
        self.notebook: LiveOutput | None = None


def long_task(title: str, target: int | None, unit_name: str = "step", in_bytes: bool = False) -> Progbar:
    """A bar for what is seldom long: it appears after two seconds, on a terminal or in a notebook alone, and goes.

    Args:
        title: what is done, such as 'Loading'.
        target: number of units to come; None if unknown.
        unit_name: what a unit is called.
        in_bytes: units are bytes.
    """
    return Progbar(
        target, interval=0.15, unit_name=unit_name, title=title, in_bytes=in_bytes, transient=True, delay=LONG
    )


def tracked(items: Iterable[T], title: str, target: int | None = None, unit_name: str = "step") -> Iterator[T]:
    """Go through some items, and show how far that is if it takes long.

    Args:
        items: anything that can be iterated.
        title: see `long_task`, also for the others.
        target: how many items there are; None if unknown.
        unit_name: what an item is called.
    """
    bar, done = long_task(title, target, unit_name), 0
    try:
        for item in items:
            yield item
            done += 1
            bar.update(done, finalize=False)
    finally:
        bar.update(done, finalize=True)


def clock(seconds: float) -> str:
    """Seconds as people read them: '5s', '1:05', '2:01:05'.

    Args:
        seconds: how many.
    """
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def readable(size: float) -> str:
    """A number of bytes as people read it, in units of 1000.

    Args:
        size: how many bytes.

    Example:
        >>> readable(1_250_000)
        '1.2 MB'
    """
    if size < 1000:
        return f"{size:.0f} B"
    power = min(len(_PREFIXES), int(math.log10(size) / 3 + 1e-9))
    return f"{size / 1000**power:.1f} {_PREFIXES[power - 1]}B"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _duration(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _number(value: Any, digits: int) -> str:
    number = float(value)
    return f"{number:.{digits}f}" if abs(number) > 1e-3 else f"{number:.{digits}e}"
