"""What a stream can show: whether a line can be drawn again, its width, colours; and texts in colour, cut to a width.

A text is a list of `Span`s, so that what is cut or measured is what people see, without the codes of the colours.
Source: https://no-color.org for `NO_COLOR`; ECMA-48 for the codes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_END = "\x1b[0m"
ELLIPSIS = "\u2026"


class Span(NamedTuple):
    """A part of a line.

    Attributes:
        text: what is read.
        style: 'bold', 'dim', 'red', 'green', 'yellow', 'blue', 'cyan', or several of them with spaces between; none
            by default.
    """

    text: str
    style: str = ""


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal.

    Args:
        stream: a text stream, open or closed.
    """
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # no stream, or a closed one
        return False


def redraws_in_place(stream: Any) -> bool:
    """Whether a line on a stream can be drawn again: a terminal, or the output of a notebook.

    Args:
        stream: a text stream.
    """
    return is_terminal(stream) or type(stream).__module__.split(".")[0] in {"ipykernel", "google"}


def has_colours(stream: Any) -> bool:
    """Whether a stream is a terminal with colours that nobody has turned off by `NO_COLOR` or `TERM=dumb`.

    Args:
        stream: a text stream. A stand-in that only says it is a terminal has none.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not is_terminal(stream):
        return False
    try:
        if not os.isatty(stream.fileno()):
            return False
    except (AttributeError, OSError, ValueError):
        return False
    return sys.platform != "win32" or bool({"WT_SESSION", "ANSICON", "TERM"} & os.environ.keys())


def width_of(stream: Any) -> int | None:
    """The columns of a terminal; None of anything else.

    Args:
        stream: a text stream.
    """
    if not is_terminal(stream):
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # a stand-in for a terminal
        return None
    return columns or None  # a terminal without a size says 0


def length(spans: Iterable[Span]) -> int:
    """How many characters a text has, those of the colours not counted.

    Args:
        spans: the text.
    """
    return sum(len(span.text) for span in spans)


def cut(spans: Iterable[Span], width: int | None) -> list[Span]:
    """A text that has at most `width` characters; of a longer one the last is an ellipsis.

    Args:
        spans: the text.
        width: the most characters; None for any number.

    Example:
        >>> cut([Span("loss: ", "dim"), Span("0.1234")], 9)
        [Span(text='loss: ', style='dim'), Span(text='0.…', style='')]
    """
    spans = list(spans)
    if width is None or length(spans) <= width:
        return spans
    kept, room = [], max(0, width - 1)
    for span in spans:
        kept.append(Span(span.text[:room], span.style))
        room -= len(kept[-1].text)
        if not room:
            break
    return [*kept[:-1], Span(kept[-1].text + ELLIPSIS, kept[-1].style)] if width else []


def painted(spans: Iterable[Span], colours: bool = True) -> str:
    """A text as characters.

    Args:
        spans: the text.
        colours: whether styles become the codes of a terminal; otherwise they are left out.
    """
    if not colours:
        return "".join(span.text for span in spans)
    return "".join(_painted(span) for span in spans)


def _painted(span: Span) -> str:
    codes = ";".join(_CODES[name] for name in span.style.split())
    return f"\x1b[{codes}m{span.text}{_END}" if codes and span.text else span.text
